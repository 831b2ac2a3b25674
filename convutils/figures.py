"""Figures drawn from the tensors they show; one style for the whole book.

Colours are Okabe and Ito's, which colour-blind readers can tell apart. Importing this module sets Matplotlib's
style.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha1
from html import escape
from itertools import cycle
from math import ceil

import matplotlib.pyplot as plt
import torch
from IPython.display import HTML
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from convutils import _arguments as require
from convutils._windows import window_pairs
from convutils.convolution import corr2d
from convutils.layer_table import layer_table
from convutils.pooling import pool2d

BLUE, ORANGE, GREEN, PINK, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
STYLE = {
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "axes.prop_cycle": plt.cycler(color=[BLUE, VERMILION, GREEN, PINK]),
    "image.cmap": "gray",
}
plt.rcParams.update(STYLE)
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))  # one more than colours: they repeat together after twenty


def show_matrices(matrices, symbols=(), *, decimals=None):
    """Draw matrices side by side with their numbers, each titled with its name and shape.

    `matrices` maps titles to rows × columns tensors; `symbols` are the signs between them, such as `("⋆", "=")`.
    Blue cells are negative, orange ones positive, stronger with the magnitude in their own matrix. `decimals`
    rounds; without it whole numbers are drawn as such, all others with two decimals.
    """
    _not_empty("matrices", matrices, Mapping)
    for title, X in matrices.items():
        require.tensor(title, X, 2)
    if not isinstance(symbols, Sequence) or len(symbols) >= len(matrices):
        raise ValueError(f"symbols: got {symbols!r}, wanted at most {len(matrices) - 1}, one between two matrices")
    decimals = decimals if decimals is None else require.integer("decimals", decimals, 0)
    widths = [X.shape[1] for X in matrices.values()]
    tallest = max(X.shape[0] for X in matrices.values())
    fig, axes = plt.subplots(
        1,
        len(widths),
        width_ratios=widths,
        squeeze=False,
        figsize=(0.42 * sum(widths) + 0.6 * len(widths), 0.42 * tallest + 0.4),
    )
    for ax, (title, X) in zip(axes[0], matrices.items(), strict=True):
        _draw_matrix(ax, X.detach().double(), decimals)
        ax.set_title(f"{title}  {X.shape[0]}×{X.shape[1]}")
    for ax, symbol in zip(axes[0][1:], symbols, strict=False):
        ax.annotate(symbol, (0, 0.5), (-17, 0), "axes fraction", "offset points", ha="center", va="center", size=18)
    fig.subplots_adjust(wspace=1.2 * len(widths) / sum(widths))
    plt.show()


def _draw_matrix(ax, X, decimals):
    """Draw one matrix: cells shaded by sign and magnitude, with their numbers."""
    ax.imshow(X.numpy(), cmap=_signed_colours(), vmin=-_largest(X), vmax=_largest(X))
    if decimals is None:
        decimals = 0 if torch.equal(X, X.round()) else 2
    for i, row in enumerate(X.tolist()):
        for j, value in enumerate(row):
            ax.text(j, i, _number(value, decimals), ha="center", va="center", size=9)
    ax.set(xticks=[j - 0.5 for j in range(X.shape[1] + 1)], yticks=[i - 0.5 for i in range(X.shape[0] + 1)])
    ax.grid(color="0.6", linewidth=0.6)
    ax.tick_params(length=0, labelleft=False, labelbottom=False)
    ax.spines[:].set(visible=True, color="0.6")


def _signed_colours(pale=True):
    """Return a colour map from blue (negative) through white to orange; the pale one is for black numbers."""
    ends = ("#7fb8d8", "#f2c56b") if pale else (BLUE, VERMILION)
    return LinearSegmentedColormap.from_list("signed", [ends[0], "white", ends[1]])


def _largest(X):
    """Return the largest magnitude, or 1 where all is 0, so that 0 stays white."""
    return X.abs().max().item() or 1.0


def _number(value, decimals):
    """Write a number with these decimals, a proper minus, and no minus before 0."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def show_images(images, titles=None, *, columns=8, signed=False, size=1.1):
    """Draw images in a grid: n × rows × columns, n × 1 × rows × columns, or a list of rows × columns tensors.

    All share one grey scale, unless they are `signed`: then each is drawn blue (negative) to orange (positive)
    on its own scale. `size` is the width of one image in inches.
    """
    _not_empty("images", images, (torch.Tensor, Sequence))
    images = [_image(image) for image in images]
    if titles is not None:
        require.equal("titles", len(titles), "the number of images", len(images))
    require.flag("signed", signed)
    require.positive("size", size)
    low, high = min(image.min() for image in images), max(image.max() for image in images)
    columns = min(require.integer("columns", columns, 1), len(images))
    rows = ceil(len(images) / columns)
    height = size + 0.25 * (titles is not None)
    fig, axes = plt.subplots(rows, columns, squeeze=False, figsize=(size * columns, height * rows))
    for ax in axes.flat[len(images) :]:
        ax.axis("off")
    for i, (ax, image) in enumerate(zip(axes.flat, images, strict=False)):
        if signed:
            ax.imshow(image.numpy(), cmap=_signed_colours(pale=False), vmin=-_largest(image), vmax=_largest(image))
        else:
            ax.imshow(image.numpy(), vmin=low, vmax=high)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.6", linewidth=0.6)
        if titles is not None:
            ax.set_title(str(titles[i]), size=9)
    fig.tight_layout(pad=0.3)
    plt.show()


def _image(image):
    """Return rows × columns numbers, from rows × columns or 1 × rows × columns."""
    try:
        image = torch.as_tensor(image).detach().double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"images: got {type(image).__name__}, wanted rows × columns numbers: {error}") from error
    image = image[0] if image.ndim == 3 and len(image) == 1 else image
    require.tensor("images", image, 2)
    return image


def _not_empty(name, value, kind):
    """Check that `value` is of a kind and that there is something in it to draw."""
    if not isinstance(value, kind) or isinstance(value, str):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise TypeError(f"{name}: got {type(value).__name__}, wanted a {' or '.join(k.__name__ for k in kinds)}")
    if len(value) == 0:
        raise ValueError(f"{name}: got none, wanted at least one")


def plot_curves(curves, *, xlabel, ylabel, x=None, log=False, ylim=None):
    """Draw named curves over a common axis, which counts from 1 unless `x` is given; each line has its own dashes.

    A curve is a list of numbers, or a list of such lists: then their mean is drawn, with the spread from the
    smallest to the largest shaded.
    """
    _not_empty("curves", curves, Mapping)
    curves = {name: _runs(name, curve) for name, curve in curves.items()}
    _check_axes(curves, xlabel, ylabel, x, log, ylim)
    fig, ax = plt.subplots(figsize=(5.2, 3))
    for (name, runs), dashes in zip(curves.items(), cycle(DASHES), strict=False):
        steps = list(range(1, runs.shape[1] + 1)) if x is None else x
        (line,) = ax.plot(steps, runs.mean(0), linestyle=dashes, label=name)
        if len(runs) > 1:
            ax.fill_between(steps, runs.amin(0), runs.amax(0), alpha=0.2, color=line.get_color(), linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear", ylim=ylim)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(color="0.9")
    if len(curves) > 1:
        ax.legend()
    plt.show()


def _check_axes(curves, xlabel, ylabel, x, log, ylim):
    """Check what `plot_curves` is told about its axes, before anything is drawn."""
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not isinstance(label, str):
            raise TypeError(f"{name}: got {label!r}, wanted a string")
    require.flag("log", log)
    if x is not None and any(len(x) != runs.shape[1] for runs in curves.values()):
        raise ValueError(f"x: got {len(x)} places, wanted as many as each curve has points")
    if ylim is not None and not (isinstance(ylim, (tuple, list)) and len(ylim) == 2):
        raise TypeError(f"ylim: got {ylim!r}, wanted a (lowest, highest) pair")


def _runs(name, curve):
    """Return a curve, one run or several, as runs × steps."""
    _not_empty(name, curve, (torch.Tensor, Sequence))
    try:
        runs = torch.stack([torch.as_tensor(run, dtype=torch.float64) for run in curve]).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name}: wanted numbers, or runs of equal length: {error}") from error
    return runs.reshape(-1, runs.shape[-1])


def show_confusion(labels, predictions, num_classes=10):
    """Draw how often each true class (row) was taken for each class (column): right answers blue, errors orange."""
    require.integer("num_classes", num_classes, 1)
    for name, classes in (("labels", labels), ("predictions", predictions)):
        require.tensor(name, classes, 1)
        require.whole(name, classes)
        if classes.min() < 0 or classes.max() >= num_classes:
            raise ValueError(f"{name}: got {classes.min()} to {classes.max()}, wanted 0 to {num_classes - 1}")
    require.equal("predictions", len(predictions), "the number of labels", len(labels))
    counts = torch.bincount(labels * num_classes + predictions, minlength=num_classes**2).view(-1, num_classes)
    fig, ax = plt.subplots(figsize=(4.2, 4.2))
    right_or_wrong = counts.sign() * (2 * torch.eye(num_classes, device=counts.device) - 1)
    ax.imshow(-right_or_wrong.numpy(), cmap=_signed_colours(), vmin=-1, vmax=1)
    for i, j in counts.nonzero().tolist():
        ax.text(j, i, counts[i, j].item(), ha="center", va="center", size=9)
    ax.set(xlabel="predicted", ylabel="true", xticks=range(num_classes), yticks=range(num_classes))
    plt.show()


STAGES_IN_A_ROW = 5  # more are not readable on a phone


def draw_network(model, input_shape):
    """Draw a sequential network from left to right, row by row, from its own layer table.

    Convolutions and poolings are stacks of maps, dense layers bars; layers that keep the shape are named with
    the one before them.
    """
    stages = [("input", tuple(input_shape), [])]
    for row in layer_table(model, input_shape):
        if row.output == stages[-1][1]:
            stages[-1][2].append(row.layer)
        else:
            stages.append((row.layer, row.output, []))
    columns = min(STAGES_IN_A_ROW, len(stages))
    rows = ceil(len(stages) / columns)
    fig, axes = plt.subplots(rows, columns, squeeze=False, figsize=(1.2 * columns, 2.3 * rows))
    for ax, (name, shape, followers) in zip(axes.flat, stages, strict=False):
        _draw_stage(ax, shape, input_shape[1])
        ax.set_title("×".join(map(str, shape)), size=9)
        ax.text(0.5, -0.12, "\n".join([name, *followers]), ha="center", va="top", size=9)
        ax.set(xlim=(0, 1), ylim=(-0.75, 1))
        ax.set_aspect("equal")
    for ax in axes.flat:
        ax.axis("off")
    fig.subplots_adjust(wspace=0.05, hspace=0.15)
    plt.show()


def _draw_stage(ax, shape, input_rows):
    """Draw one shape: c maps of their relative size, shifted like a stack of cards, or a bar."""
    if len(shape) == 1:
        height = min(1, 0.12 + shape[0] / 450)
        ax.add_patch(Rectangle((0.42, 0.5 - height / 2), 0.16, height, facecolor=ORANGE, edgecolor="black", alpha=0.7))
        return
    cards, side = min(shape[0], 6), 0.62 * shape[1] / input_rows
    offset = 0.045
    left = 0.5 - (side + offset * (cards - 1)) / 2
    for card in range(cards):
        corner = (left + card * offset, 0.5 - side / 2 + (cards / 2 - card) * offset)
        ax.add_patch(Rectangle(corner, side, side, facecolor=SKY, edgecolor="black", linewidth=0.7))


def animate_corr2d(X, K, *, padding=0, stride=1, dilation=1, alt):
    """Return an animation of the kernel K sliding over the image X, with the arithmetic of every output.

    It is one piece of HTML with buttons and a slider and needs no network. `alt` says what it shows, for readers
    who cannot see it. Where scripts are stripped, the first position stands.
    """
    require.tensor("K", K, 2)
    Y = corr2d(X, K, padding=padding, stride=stride, dilation=dilation)
    geometry = window_pairs(tuple(K.shape), padding, stride, dilation)
    taps = [_short(v) for v in K.flatten().tolist()]

    def arithmetic(pixels, y):
        return " + ".join(f"{_short(x)}·{k}" for x, k in zip(pixels, taps, strict=True)) + f" = {_short(y)}"

    return _animation(X, Y, geometry, arithmetic, alt, taps=taps)


def animate_pool2d(X, pool_size, mode="max", *, padding=0, stride=1, alt):
    """Return an animation of a pooling window sliding over the image X; all else as in `animate_corr2d`."""
    require.tensor("X", X, 2)
    Y = pool2d(X, pool_size, mode, padding=padding, stride=stride)

    def arithmetic(pixels, y):
        inside = ", ".join("−∞" if x is None and mode == "max" else _short(x) for x in pixels)
        return f"{'max' if mode == 'max' else 'mean'}({inside}) = {_short(y)}"

    return _animation(X, Y, window_pairs(pool_size, padding, stride), arithmetic, alt)


CELL = 34  # pixels of one cell of an animation
_drawn = Counter()  # how often each animation was drawn


def _animation(X, Y, geometry, arithmetic, alt, taps=()):
    """Assemble the animation from the picture, one frame for each output, and the script that moves the window."""
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt: got {alt!r}, wanted a sentence that says what the animation shows")
    k, p, s, d = geometry
    frames = []
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            corner = (i * s[0] - p[0], j * s[1] - p[1])
            pixels = [_pixel(X, corner[0] + a * d[0], corner[1] + b * d[1]) for a in range(k[0]) for b in range(k[1])]
            frames.append(
                {
                    "x": (j * s[1]) * CELL,
                    "y": (i * s[0]) * CELL,
                    "text": f"Y[{i}, {j}] = " + arithmetic(pixels, Y[i, j].item()),
                }
            )
    picture = _picture(X, Y, geometry, taps, alt)
    name = "slide-" + sha1((picture + json.dumps(frames)).encode()).hexdigest()[:10]
    _drawn[name] += 1
    name += f"-{_drawn[name]}" * (_drawn[name] > 1)  # a page may show the same animation twice: each has its own id
    fields = {
        "name": name,
        "last": str(len(frames) - 1),
        "first": escape(frames[0]["text"]),
        "frames": json.dumps(frames),
        "picture": picture,
    }  # the picture last: it holds the caller's words
    html = _TEMPLATE
    for field, text in fields.items():
        html = html.replace(f"%{field}%", text)
    return HTML(html)


def _pixel(X, i, j):
    """Return a pixel of X, or None in the padding."""
    inside = 0 <= i < X.shape[0] and 0 <= j < X.shape[1]
    return X[i, j].item() if inside else None


def _short(value):
    """Write a number as shortly as it reads: whole, or with at most two decimals; padding is 0."""
    return f"{round(value or 0, 2):g}".replace("-", "−")


def _picture(X, Y, geometry, taps, alt):
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


def _cell(i, j, value, attributes=""):
    """Draw one cell with its number; padding is dashed and empty."""
    padding = ' class="pad"' if value is None else ""
    number = "" if value is None else f'<text x="{CELL // 2}" y="{CELL // 2 + 5}">{_short(value)}</text>'
    return (
        f'<g transform="translate({j * CELL},{i * CELL})" {attributes}>'
        f'<rect width="{CELL}" height="{CELL}"{padding}/>{number}</g>'
    )


def _tap(i, j, weight):
    """Draw one cell of the window with its kernel weight in the corner."""
    return (
        f'<g transform="translate({j * CELL},{i * CELL})"><rect width="{CELL}" height="{CELL}"/>'
        f'<text x="{CELL - 3}" y="{CELL - 4}">{weight}</text></g>'
    )


# Playing never starts by itself and stops at the last position.
_TEMPLATE = """<div class="slide" id="%name%">
<style>
.slide { max-width: 100%; font-family: sans-serif; color: inherit; }
.slide svg { display: block; width: 100%; height: auto; }
.slide rect { fill: none; stroke: currentColor; stroke-opacity: .45; }
.slide rect.pad { stroke-dasharray: 3 3; }
.slide svg text { fill: currentColor; font-size: 14px; text-anchor: middle; }
.slide .window rect { fill: #E69F00; fill-opacity: .35; stroke: #E69F00; stroke-opacity: 1; stroke-width: 2; }
.slide .window text { font-size: 9px; text-anchor: end; }
.slide .y:not([opacity="0"]) rect { fill: #56B4E9; fill-opacity: .35; }
.slide p { font-family: monospace; min-height: 3em; margin: .4em 0; overflow-wrap: anywhere; }
.slide button { font-size: 1em; min-width: 2.6em; min-height: 2em; }
.slide input { vertical-align: middle; }
</style>
%picture%
<p aria-live="polite">%first%</p>
<div><button type="button" aria-label="Previous position">‹</button>
<button type="button" aria-label="Play">▶</button>
<button type="button" aria-label="Next position">›</button>
<input type="range" min="0" max="%last%" value="0" aria-label="Position of the window"></div>
<script>
(() => {
  const root = document.getElementById("%name%"), frames = %frames%;
  const [back, play, next] = root.querySelectorAll("button"), slider = root.querySelector("input");
  let timer = null;
  const show = t => {
    slider.value = t;
    root.querySelector(".window").setAttribute("transform", `translate(${frames[t].x},${frames[t].y})`);
    root.querySelectorAll(".y").forEach((y, n) => y.setAttribute("opacity", n <= t ? 1 : 0));
    root.querySelector("p").textContent = frames[t].text;
  };
  const stop = () => {
    clearInterval(timer); timer = null; play.textContent = "▶"; play.setAttribute("aria-label", "Play");
  };
  const move = step => { stop(); show((+slider.value + step + frames.length) % frames.length); };
  back.onclick = () => move(-1);
  next.onclick = () => move(1);
  slider.oninput = () => { stop(); show(+slider.value); };
  play.onclick = () => {
    if (timer) { stop(); return; }
    if (+slider.value === frames.length - 1) show(0);
    play.textContent = "❚❚"; play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => {
      if (+slider.value + 1 < frames.length) show(+slider.value + 1);
      if (+slider.value === frames.length - 1) stop();
    }, 900);
  };
  show(0);
})();
</script>
</div>"""
