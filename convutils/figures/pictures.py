"""Pictures of tensors: matrices with their numbers, images, curves, confusions and whole networks."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import ceil

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from convutils import _arguments as require
from convutils.figures.style import DASHES, ORANGE, PALE_SIGNED, SIGNED, SKY
from convutils.layer_table import layer_table


def show_matrices(matrices: Mapping[str, Tensor], symbols: Sequence[str] = (), *, decimals: int | None = None) -> None:
    """Draw matrices side by side with their numbers, each titled with its name and shape.

    `matrices` maps titles to rows × columns tensors; `symbols` are the signs between them, such as `("⋆", "=")`.
    Blue cells are negative, orange ones positive, stronger with the magnitude in their own matrix. `decimals`
    rounds; without it whole numbers are drawn as such, all others with two decimals.

    Raises:
        ValueError: if there is no matrix, one has other dimensions, or there are too many symbols.
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
        _draw_matrix(ax, X.detach().cpu().double(), decimals)
        ax.set_title(f"{title}  {X.shape[0]}×{X.shape[1]}")
    for ax, symbol in zip(axes[0][1:], symbols, strict=False):
        ax.annotate(symbol, (0, 0.5), (-17, 0), "axes fraction", "offset points", ha="center", va="center", size=18)
    fig.subplots_adjust(wspace=1.2 * len(widths) / sum(widths))
    plt.show()


def _draw_matrix(ax: Axes, X: Tensor, decimals: int | None) -> None:
    """Draw one matrix: cells shaded by sign and magnitude, with their numbers."""
    ax.imshow(X.numpy(), cmap=PALE_SIGNED, vmin=-_largest(X), vmax=_largest(X))
    if decimals is None:
        decimals = 0 if torch.equal(X, X.round()) else 2
    for i, row in enumerate(X.tolist()):
        for j, value in enumerate(row):
            ax.text(j, i, _number(value, decimals), ha="center", va="center", size=9)
    ax.set(xticks=[j - 0.5 for j in range(X.shape[1] + 1)], yticks=[i - 0.5 for i in range(X.shape[0] + 1)])
    ax.grid(color="0.6", linewidth=0.6)
    ax.tick_params(length=0, labelleft=False, labelbottom=False)
    ax.spines[:].set(visible=True, color="0.6")


def _largest(X: Tensor) -> float:
    """Return the largest magnitude, or 1 where all is 0, so that 0 stays white."""
    return X.abs().max().item() or 1.0


def _number(value: float, decimals: int) -> str:
    """Write a number with these decimals, a proper minus, and no minus before 0."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def show_images(
    images: Tensor | Sequence[Tensor],
    titles: Sequence | None = None,
    *,
    columns: int = 8,
    signed: bool = False,
    size: float = 1.1,
) -> None:
    """Draw images in a grid: n × rows × columns, n × 1 × rows × columns, or a list of rows × columns tensors.

    All share one grey scale, unless they are `signed`: then each is drawn blue (negative) to orange (positive)
    on its own scale. `titles` has one entry an image, `columns` is how many stand in a row, and `size` the width of
    one image in inches.

    Raises:
        ValueError: if there is no image, one has other dimensions, or the titles are not as many.
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
            ax.imshow(image.numpy(), cmap=SIGNED, vmin=-_largest(image), vmax=_largest(image))
        else:
            ax.imshow(image.numpy(), vmin=low, vmax=high)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.6", linewidth=0.6)
        if titles is not None:
            ax.set_title(str(titles[i]), size=9)
    fig.tight_layout(pad=0.3)
    plt.show()


def _image(image: Tensor | Sequence) -> Tensor:
    """Return rows × columns numbers, from rows × columns or 1 × rows × columns."""
    try:
        image = torch.as_tensor(image, device=_device(image)).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"images: got {type(image).__name__}, wanted rows × columns numbers: {error}") from error
    image = image[0] if image.ndim == 3 and len(image) == 1 else image
    require.tensor("images", image, 2)
    return image


def _device(value: object) -> torch.device | str:
    """Return where a tensor lies; what is none comes from the CPU, whatever torch's default device is."""
    return value.device if isinstance(value, Tensor) else "cpu"


def _not_empty(name: str, value: object, kind: type | tuple[type, ...]) -> None:
    """Check that `value` is of a kind and that there is something in it to draw."""
    if not isinstance(value, kind) or isinstance(value, str):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        raise TypeError(f"{name}: got {type(value).__name__}, wanted a {' or '.join(k.__name__ for k in kinds)}")
    if len(value) == 0:
        raise ValueError(f"{name}: got none, wanted at least one")


def plot_curves(
    curves: Mapping[str, Sequence],
    *,
    xlabel: str,
    ylabel: str,
    x: Sequence[float] | None = None,
    log: bool = False,
    ylim: tuple[float, float] | None = None,
) -> None:
    """Draw named curves over a common axis, which counts from 1 unless `x` is given; each line has its own dashes.

    A curve is a list of numbers, or a list of such lists: then their mean is drawn, with the spread from the
    smallest to the largest shaded. `ylim` is the (lowest, highest) value shown; with `log`, equal steps upwards are
    equal factors.

    Raises:
        ValueError: if there is no curve, the runs of one differ in length, or `x` has another length.
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


def _check_axes(
    curves: Mapping[str, Tensor], xlabel: object, ylabel: object, x: Sequence | None, log: object, ylim: object
) -> None:
    """Check what `plot_curves` is told about its axes, before anything is drawn."""
    for name, label in (("xlabel", xlabel), ("ylabel", ylabel)):
        if not isinstance(label, str):
            raise TypeError(f"{name}: got {label!r}, wanted a string")
    require.flag("log", log)
    if x is not None and any(len(x) != runs.shape[1] for runs in curves.values()):
        raise ValueError(f"x: got {len(x)} places, wanted as many as each curve has points")
    if ylim is not None and not (isinstance(ylim, (tuple, list)) and len(ylim) == 2):
        raise TypeError(f"ylim: got {ylim!r}, wanted a (lowest, highest) pair")


def _runs(name: str, curve: Sequence) -> Tensor:
    """Return a curve, one run or several, as runs × steps."""
    _not_empty(name, curve, (torch.Tensor, Sequence))
    try:
        runs = [torch.as_tensor(run, dtype=torch.float64, device=_device(run)) for run in curve]
        runs = torch.stack(runs).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name}: wanted numbers, or runs of equal length: {error}") from error
    return runs.reshape(-1, runs.shape[-1])


def show_confusion(labels: Tensor, predictions: Tensor, num_classes: int = 10) -> None:
    """Draw how often each true class (row) was taken for each class (column): right answers blue, errors orange.

    Labels and predictions are n whole numbers from 0 to num_classes - 1 each.

    Raises:
        ValueError: if they differ in number, or one is no class.
    """
    require.integer("num_classes", num_classes, 1)
    for name, classes in (("labels", labels), ("predictions", predictions)):
        require.tensor(name, classes, 1)
        require.whole(name, classes)
        if classes.min() < 0 or classes.max() >= num_classes:
            raise ValueError(f"{name}: got {classes.min()} to {classes.max()}, wanted 0 to {num_classes - 1}")
    require.equal("predictions", len(predictions), "the number of labels", len(labels))
    counts = torch.bincount(labels.cpu() * num_classes + predictions.cpu(), minlength=num_classes**2)
    counts = counts.view(-1, num_classes)
    fig, ax = plt.subplots(figsize=(4.2, 4.2))
    right_or_wrong = counts.sign() * (2 * torch.eye(num_classes, dtype=torch.float64, device="cpu") - 1)
    ax.imshow(-right_or_wrong.numpy(), cmap=PALE_SIGNED, vmin=-1, vmax=1)
    for i, j in counts.nonzero().tolist():
        ax.text(j, i, counts[i, j].item(), ha="center", va="center", size=9)
    ax.set(xlabel="predicted", ylabel="true", xticks=range(num_classes), yticks=range(num_classes))
    plt.show()


STAGES_IN_A_ROW = 5  # more are not readable on a phone


def draw_network(model: nn.Module, input_shape: tuple[int, int, int]) -> None:
    """Draw a sequential network from left to right, row by row, from its own layer table.

    `input_shape` is the (c, h, w) of one image. Convolutions and poolings are stacks of maps, dense layers bars;
    layers that keep the shape are named with the one before them.

    Raises:
        ValueError: if the network does not take such an image.
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


def _draw_stage(ax: Axes, shape: tuple[int, ...], input_rows: int) -> None:
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
