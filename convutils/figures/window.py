"""The moving window: an animation in one piece of HTML, which needs no network and works in every notebook.

What it looks like and how it moves stands in `slide.html`; here are the numbers and the picture put into it.
"""

import json
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from IPython.display import HTML
from torch import Tensor

from convutils import _arguments as require
from convutils._windows import window_pairs
from convutils.convolution import corr2d
from convutils.figures.style import ORANGE, SKY
from convutils.pooling import pool2d

Pair = tuple[int, int]
Geometry = tuple[Pair, Pair, Pair, Pair]  # kernel size, padding, stride, dilation

SLIDE = Template(files(__package__).joinpath("slide.html").read_text(encoding="utf-8").strip())
CELL = 34  # pixels of one cell


def animate_corr2d(
    X: Tensor, K: Tensor, *, padding: int | Pair = 0, stride: int | Pair = 1, dilation: int | Pair = 1, alt: str
) -> HTML:
    """Return an animation of the kernel K sliding over the image X, with the arithmetic of every output.

    X and K are rows × columns; padding, stride and dilation are ints or (rows, columns) pairs, in pixels. The
    animation is one piece of HTML with buttons and a slider. `alt` says what it shows, for readers who cannot see
    it. Where scripts are stripped, the first position stands.

    Raises:
        ValueError: if `corr2d` would raise one, or `alt` is empty.
    """
    require.tensor("K", K, 2)
    Y = corr2d(X, K, padding=padding, stride=stride, dilation=dilation)
    geometry = window_pairs(tuple(K.shape), padding, stride, dilation)
    taps = [_short(v) for v in K.flatten().tolist()]

    def arithmetic(pixels, y):
        return " + ".join(f"{_short(x)}·{k}" for x, k in zip(pixels, taps, strict=True)) + f" = {_short(y)}"

    return _animation(X, Y, geometry, arithmetic, alt, taps)


def animate_pool2d(
    X: Tensor, pool_size: int | Pair, mode: str = "max", *, padding: int | Pair = 0, stride: int | Pair = 1, alt: str
) -> HTML:
    """Return an animation of a pooling window sliding over the image X; all else as in `animate_corr2d`.

    X is rows × columns; `mode` is "max" or "avg".

    Raises:
        ValueError: if `pool2d` would raise one, or `alt` is empty.
    """
    require.tensor("X", X, 2)
    Y = pool2d(X, pool_size, mode, padding=padding, stride=stride)

    def arithmetic(pixels, y):
        inside = ", ".join("−∞" if x is None and mode == "max" else _short(x) for x in pixels)
        return f"{'max' if mode == 'max' else 'mean'}({inside}) = {_short(y)}"

    return _animation(X, Y, window_pairs(pool_size, padding, stride), arithmetic, alt)


def _animation(
    X: Tensor, Y: Tensor, geometry: Geometry, arithmetic: Callable[..., str], alt: str, taps: Sequence[str] = ()
) -> HTML:
    """Fill the page with the picture and one frame for each output; `arithmetic` says how pixels give a number."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt: got {alt!r}, wanted a sentence that says what the animation shows")
    frames = [_frame(X, Y, geometry, arithmetic, i, j) for i in range(Y.shape[0]) for j in range(Y.shape[1])]
    html = SLIDE.substitute(
        frames=escape(json.dumps(frames, ensure_ascii=False)),
        first=escape(frames[0]["text"]),
        last=len(frames) - 1,
        picture=_picture(X, Y, geometry, taps, alt),
        window=ORANGE,
        output=SKY,
    )
    return HTML(html)


def _frame(X: Tensor, Y: Tensor, geometry: Geometry, arithmetic: Callable[..., str], i: int, j: int) -> dict:
    """Say where the window stands that gives Y[i, j], in pixels of the drawing, and how it does."""
    k, p, s, d = geometry
    top, left = i * s[0] - p[0], j * s[1] - p[1]
    pixels = [_pixel(X, top + a * d[0], left + b * d[1]) for a in range(k[0]) for b in range(k[1])]
    text = f"Y[{i}, {j}] = {arithmetic(pixels, Y[i, j].item())}"
    return {"x": j * s[1] * CELL, "y": i * s[0] * CELL, "text": text}


def _pixel(X: Tensor, i: int, j: int) -> float | None:
    """Return a pixel of X, or None in the padding."""
    inside = 0 <= i < X.shape[0] and 0 <= j < X.shape[1]
    return X[i, j].item() if inside else None


def _short(value: float | None) -> str:
    """Write a number as shortly as it reads: whole, or with at most two decimals; padding is 0."""
    return f"{round(value or 0, 2):g}".replace("-", "−")


def _picture(X: Tensor, Y: Tensor, geometry: Geometry, taps: Sequence[str], alt: str) -> str:
    """Draw input, window and output as SVG; the script moves the window and shows the outputs so far."""
    k, p, s, d = geometry
    rows, columns = X.shape[0] + 2 * p[0], X.shape[1] + 2 * p[1]
    left = (columns + 1) * CELL
    cells = "".join(_cell(i, j, _pixel(X, i - p[0], j - p[1])) for i in range(rows) for j in range(columns))
    window = "".join(
        _tap(a * d[0], b * d[1], taps[a * k[1] + b] if taps else "") for a in range(k[0]) for b in range(k[1])
    )
    outputs = "".join(
        _cell(i, j, Y[i, j].item(), f'class="y" opacity="{int(i == j == 0)}"')
        for i in range(Y.shape[0])
        for j in range(Y.shape[1])
    )
    frame = f'<rect width="{Y.shape[1] * CELL}" height="{Y.shape[0] * CELL}" class="frame"/>'
    width, height = left + Y.shape[1] * CELL + 2, max(rows, Y.shape[0]) * CELL + 2
    return (
        f'<svg viewBox="-1 -1 {width} {height}" style="max-width:{width}px" role="img" aria-label="{escape(alt)}">'
        f'<g>{cells}</g><g class="window">{window}</g>'
        f'<g transform="translate({left},0)">{frame}{outputs}</g></svg>'
    )


def _cell(i: int, j: int, value: float | None, attributes: str = "") -> str:
    """Draw one cell with its number; padding is dashed and empty."""
    padding = ' class="pad"' if value is None else ""
    number = "" if value is None else f'<text x="{CELL // 2}" y="{CELL // 2 + 5}">{_short(value)}</text>'
    return (
        f'<g transform="translate({j * CELL},{i * CELL})" {attributes}>'
        f'<rect width="{CELL}" height="{CELL}"{padding}/>{number}</g>'
    )


def _tap(i: int, j: int, weight: str) -> str:
    """Draw one cell of the window with its kernel weight in the corner."""
    return (
        f'<g transform="translate({j * CELL},{i * CELL})"><rect width="{CELL}" height="{CELL}"/>'
        f'<text x="{CELL - 3}" y="{CELL - 4}">{weight}</text></g>'
    )
