"""The table of a network's layers: shapes, parameters, multiply-accumulates and receptive fields."""

from copy import deepcopy
from math import ceil, floor, prod
from typing import NamedTuple

import torch
from torch import nn

from convutils import _arguments as require
from convutils._layers import POINTWISE, WINDOWED, evaluation_mode, is_one_of, is_pointwise, window_of
from convutils._settings import recording
from convutils.channels import Conv2D


class LayerRow(NamedTuple):
    """One line of a layer table; shapes and MACs are for one image.

    Attributes:
        layer: class of the layer
        output: shape of its output; of the first, where it gives several
        parameters: learned numbers; those that an earlier line counted are not counted again
        macs: multiply-accumulates of convolutions and dense layers, without bias; None where there is no rule
        receptive_field: rows × columns of the image that one unit sees at most; None where it is not known
    """

    layer: str
    output: tuple
    parameters: int
    macs: int | None
    receptive_field: tuple | None


class LayerTable(tuple):
    """The rows of `layer_table`, drawn as a table with totals; what is not known is left blank."""

    HEADER = ("layer", "output", "parameters", "MACs", "receptive field")

    @property
    def parameters(self):
        """Learned numbers of the whole network, each counted once."""
        return sum(row.parameters for row in self)

    @property
    def macs(self):
        """Multiply-accumulates of the whole network for one image; None where those of a layer are not known."""
        return None if any(row.macs is None for row in self) else sum(row.macs for row in self)

    def notes(self):
        """Say, a sentence each, what the blanks of the table mean."""
        unruled = sorted({row.layer for row in self if row.macs is None})
        notes = [f"MACs left open: no rule for {', '.join(unruled)}"] if unruled else []
        if any(row.receptive_field is None for row in self):
            notes.append("receptive fields left open: not known from the layers, and not measured (see layer_table)")
        return notes

    def _cells(self):
        rows = [(r.layer, _by(r.output), _count(r.parameters), _count(r.macs), _by(r.receptive_field)) for r in self]
        return [*rows, ("total", "", _count(self.parameters), _count(self.macs), "")]

    def __repr__(self):
        lines = [self.HEADER, *self._cells()]
        widths = [max(len(line[c]) for line in lines) for c in range(len(self.HEADER))]
        texts = [
            "  ".join(
                cell.ljust(w) if c < 2 else cell.rjust(w) for c, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*texts, *self.notes()])

    def _repr_html_(self):
        align = ["left" if column < 2 else "right" for column in range(len(self.HEADER))]
        head = "".join(
            f'<th scope="col" style="text-align: {a}">{cell}</th>' for a, cell in zip(align, self.HEADER, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(f'<td style="text-align: {a}">{cell}</td>' for a, cell in zip(align, line, strict=True))
            + "</tr>"
            for line in self._cells()
        )
        notes = "".join(f"<p>{note}</p>" for note in self.notes())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def layer_table(model, input_shape):
    """Return the `LayerTable` of any network for one image of shape (c, h, w), its layers in the order they run.

    A copy of the network is run on one image of zeros, in evaluation mode. A layer that runs twice has two lines. The
    receptive field is computed from the layers where nothing but they comes between image and unit. Where the network
    does something between its layers, or has layers nobody knows, the field is measured: rows and columns of the
    image are changed one by one; in networks too large for that (more than 2·10⁹ MACs in all) it is left open.

    Raises:
        ValueError: if `input_shape` is not three positive ints, or not what the network takes.

    Example:
        >>> from convutils import LeNet
        >>> layer_table(LeNet(), (1, 28, 28)).parameters
        61706
    """
    require.module("model", model)
    input_shape = require.shape("input_shape", input_shape, "(channels, rows, columns)", 3)
    with recording(), torch.random.fork_rng(devices=[]):  # lazy layers draw their first weights
        model = deepcopy(model)
        calls = _Calls(model, input_shape)
        rows = [calls.row(index) for index in range(len(calls.layers))]
        if any(row.receptive_field is None for row in rows):
            rows = [row._replace(receptive_field=field) for row, field in zip(rows, calls.measure(rows), strict=True)]
    return LayerTable([*rows, *calls.idle_rows()])


class _Calls:
    """The layers of a network in the order in which they ran on one image, and what came out of each."""

    def __init__(self, model, input_shape):
        self.model, self.input_shape, self.counted = model, input_shape, set()
        self.layers, self.outputs, self.spans, self.known, self.running = [], [], [], {}, []
        parameter = next(model.parameters(), torch.zeros((), dtype=torch.float32, device="cpu"))
        X = torch.zeros(1, *input_shape, dtype=parameter.dtype, device=parameter.device)
        self._remember(X, tuple([(i, i) for i in range(n)] for n in input_shape[1:]))
        hooks = [hook for layer in table_layers(model) for hook in self._watch(layer)]
        try:
            with evaluation_mode(model):
                model(X)
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
            layer, shape, _ = self.running[-1] if self.running else (type(model).__name__, input_shape, None)
            where = f"{layer} cannot take the {_by(shape)} it is handed"
            raise ValueError(f"input_shape: got {input_shape}, but {where}: {error}") from error
        finally:
            for hook in hooks:
                hook.remove()

    def _watch(self, layer):
        return layer.register_forward_pre_hook(self._enter), layer.register_forward_hook(self._leave)

    def _enter(self, layer, inputs):
        X = first_tensor(inputs)  # recalled here: a layer may change it in place
        alone = X is not None and len(inputs) == 1
        self.running.append((layer, () if X is None else tuple(X.shape[1:]), self._recall(X) if alone else None))

    def _leave(self, layer, inputs, output):
        X, Y, (*_, before) = first_tensor(inputs), first_tensor(output), self.running.pop()
        spans = None if before is None or Y is None else spans_after(layer, before, X, Y)
        if Y is not None:
            self._remember(Y, spans)
        self.layers.append(layer)
        self.outputs.append(Y)
        self.spans.append(spans)

    def _remember(self, X, spans):
        """Keep the tensor itself too: while it lives, nothing else has its place in memory."""
        self.known[X.data_ptr()] = (X, X._version, spans)

    def _recall(self, X):
        """Return the spans of a tensor that a layer gave, or of all of it in another shape; else None."""
        Y, version, spans = self.known.get(X.data_ptr(), (None, None, None))
        same = X is Y or (Y is not None and X.numel() == Y.numel() and X.is_contiguous() and Y.is_contiguous())
        if not same or X._version != version:
            return None
        return spans if X.shape == Y.shape or X.ndim == 2 and len(X) == 1 else None

    def row(self, index):
        layer, Y, spans = self.layers[index], self.outputs[index], self.spans[index]
        new = {id(p): p.numel() for p in own_parameters(layer) if id(p) not in self.counted}
        self.counted |= set(new)
        field = None if spans is None else tuple(widest(axis) for axis in spans)
        shape = () if Y is None else tuple(Y.shape[1:])
        return LayerRow(type(layer).__name__, shape, sum(new.values()), _macs(layer, Y), field)

    def idle_rows(self):
        """Return lines for parameters of layers that were never called: who used their weights is not known."""
        for layer in self.model.modules():
            new = {id(p): p.numel() for p in layer.parameters(recurse=False) if id(p) not in self.counted}
            self.counted |= set(new)
            if new:
                yield LayerRow(f"{type(layer).__name__} (not called)", (), sum(new.values()), None, None)

    def measure(self, rows):
        """Return the receptive fields of all calls, found by changing the image row by row and column by column."""
        rounds = sum(self.input_shape[1:])
        if (
            rounds
            * sum(
                row.macs or sum(p.numel() for p in own_parameters(layer))
                for row, layer in zip(rows, self.layers, strict=True)
            )
            > 2e9
        ):
            return [row.receptive_field for row in rows]
        try:
            sizes = [self._measure_axis(axis) for axis in (1, 2)]
        except (RuntimeError, ValueError, TypeError, AttributeError, IndexError):  # takes no batch, or no float64
            return [row.receptive_field for row in rows]
        measured = list(zip(*sizes, strict=True))
        return [
            row.receptive_field or (field if None not in field else None)
            for row, field in zip(rows, measured, strict=True)
        ]

    def _measure_axis(self, axis):
        """Return for each call along how many rows (axis 1) or columns (axis 2) a unit sees at most."""
        generator = torch.Generator("cpu").manual_seed(0)
        X = torch.rand(1, *self.input_shape, dtype=torch.float64, device="cpu", generator=generator)
        model = deepcopy(self.model).to("cpu", torch.float64)
        plain, seen = outputs_of(model, X), None
        for line in range(X.shape[axis + 1]):
            images = X.repeat(2, 1, 1, 1)
            images.select(axis + 1, line)[0] = torch.nan  # not a number spreads to all that sees it …
            images.select(axis + 1, line)[1] += 1  # … but where numbers are compared, only a change may be seen
            outputs = outputs_of(model, images)
            if [y.shape[1:] for y in outputs] != [y.shape[1:] for y in plain] or any(len(y) != 2 for y in outputs):
                raise ValueError("the network does something else for two images")
            changed = [(y[0].isnan() | (y[1] != p[0])).flatten() for y, p in zip(outputs, plain, strict=True)]
            seen = [[c] for c in changed] if seen is None else [s + [c] for s, c in zip(seen, changed, strict=True)]
        return [extent(torch.stack(lines)) for lines in seen]


def outputs_of(model, X):
    """Return what each call of a layer gave, in order."""
    outputs = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: outputs.append(first_tensor(output).clone()))
        for layer in table_layers(model)
    ]
    try:
        with evaluation_mode(model):
            model(X)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def extent(seen):
    """Return how far it is at most from the first to the last line that a unit sees; `seen` is lines × units."""
    lines = torch.arange(len(seen), device=seen.device)[:, None]
    last = torch.where(seen, lines, -1).amax(0)
    first = torch.where(seen, lines, len(seen)).amin(0)
    return max((last - first + 1).amax().item(), 0)


def table_layers(model):
    """Yield the modules that get a line: those without parts, known layers, and those with weights of their own."""
    if is_one_of(model, KNOWN) or not any(True for _ in model.children()):
        yield model
        return
    if any(True for _ in model.parameters(recurse=False)):
        yield model
    seen = set()
    for child in model.children():
        for layer in table_layers(child):
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer


def own_parameters(layer):
    """Return the parameters of a line of the table: a known layer's are all its own, another's only the direct ones."""
    return list(layer.parameters(recurse=is_one_of(layer, KNOWN)))


def first_tensor(value):
    """Return the value itself, or the first of a tuple or list, if it is a tensor; else None."""
    value = value[0] if isinstance(value, (tuple, list)) and value else value
    return value if isinstance(value, torch.Tensor) else None


# ---- which rows and columns of the image each place of a map sees: a (first, last) pair a place, for each axis


def widest(spans):
    """Return how many pixels the place sees that sees most."""
    return max((last - first + 1 for first, last in spans), default=0)


def joined(spans, count=1):
    """Return the spans of `count` places that each see all the places there are."""
    spans = [span for span in spans if span[0] <= span[1]]
    return [(min(s[0] for s in spans), max(s[1] for s in spans)) if spans else NOTHING] * count


NOTHING = (0, -1)


def spans_after(layer, spans, X, Y):
    """Return what the places of the layer's output Y see, from what those of its input X see; None if not known."""
    if is_one_of(layer, (nn.Flatten,)) and layer.start_dim != 1:
        return None
    if is_pointwise(layer):
        return spans
    if is_one_of(layer, (nn.Linear,)):
        flat = X.ndim == 2
        return tuple(joined(axis, Y.shape[-1]) if flat or a == 1 else axis for a, axis in enumerate(spans))
    if X.ndim != 4:
        return None
    if is_one_of(layer, WINDOWED) and getattr(layer, "padding_mode", "zeros") == "zeros":
        windows = window_of(layer)
        return tuple(slid(spans[a], Y.shape[a + 2], *(pair[a] for pair in windows)) for a in (0, 1))
    if is_one_of(layer, ADAPTIVE):
        return tuple(binned(axis, Y.shape[a + 2]) for a, axis in enumerate(spans))
    return None


def slid(spans, count, k, p, s, d):
    """Return what `count` windows see: k places d apart, s from one window to the next, from p before the map on."""
    places = [[i * s - p + a * d for a in range(k)] for i in range(count)]
    return [joined([spans[j] for j in window if 0 <= j < len(spans)])[0] for window in places]


def binned(spans, count):
    """Return what `count` cells of adaptive pooling see: it shares the map among them, with overlaps."""
    n = len(spans)
    return [joined(spans[floor(i * n / count) : ceil((i + 1) * n / count)])[0] for i in range(count)]


ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, Conv2D)
NORMALISATIONS = (nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
KNOWN = (*WINDOWED, *POINTWISE, *ADAPTIVE, *CONVOLUTIONS, *NORMALISATIONS, nn.Linear)


def _macs(layer, Y):
    """Return the multiply-accumulates that made the output Y of one image; None where there is no rule."""
    if is_one_of(layer, (nn.Linear,)):
        return layer.in_features * Y.numel()
    if is_one_of(layer, CONVOLUTIONS):
        return Y.numel() * layer.in_channels // getattr(layer, "groups", 1) * prod(layer.kernel_size)
    of_torch = type(layer).__module__.startswith("torch.nn.modules") and not own_parameters(layer)
    return 0 if is_one_of(layer, KNOWN) or of_torch else None


def _count(number):
    """Write a count with commas; what is not known is blank."""
    return "" if number is None else f"{number:,}"


def _by(shape):
    """Write a shape as 6×28×28; what is not known is blank."""
    return "×".join(map(str, shape or ()))
