"""The table of a network's layers: shapes, parameters, multiply-accumulates and receptive fields."""

from math import prod
from typing import NamedTuple

import torch
from torch import nn

from convutils import _arguments as require
from convutils._layers import evaluation_mode, flatten_layers, sees_whole_image
from convutils.convolution import Conv2D
from convutils.padding_and_stride import receptive_field


class LayerRow(NamedTuple):
    """One line of a layer table; shapes and MACs are for one image.

    Attributes:
        layer: class of the layer
        output: shape of its output
        parameters: learned numbers
        macs: multiply-accumulates of convolutions and dense layers, without bias
        receptive_field: rows × columns of the input that one unit sees
    """

    layer: str
    output: tuple
    parameters: int
    macs: int
    receptive_field: tuple


class LayerTable(tuple):
    """The rows of `layer_table`, drawn as a table with totals."""

    HEADER = ("layer", "output", "parameters", "MACs", "receptive field")

    @property
    def parameters(self):
        """Learned numbers of the whole network."""
        return sum(row.parameters for row in self)

    @property
    def macs(self):
        """Multiply-accumulates of the whole network for one image."""
        return sum(row.macs for row in self)

    def _cells(self):
        rows = [(r.layer, _by(r.output), f"{r.parameters:,}", f"{r.macs:,}", _by(r.receptive_field)) for r in self]
        return [*rows, ("total", "", f"{self.parameters:,}", f"{self.macs:,}", "")]

    def __repr__(self):
        lines = [self.HEADER, *self._cells()]
        widths = [max(len(line[c]) for line in lines) for c in range(len(self.HEADER))]
        return "\n".join(
            "  ".join(
                cell.ljust(w) if c < 2 else cell.rjust(w) for c, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self):
        align = ["left" if column < 2 else "right" for column in range(len(self.HEADER))]
        head = "".join(f'<th scope="col" style="text-align: {a}">{cell}</th>' for a, cell in zip(align, self.HEADER))
        body = "".join(
            "<tr>" + "".join(f'<td style="text-align: {a}">{cell}</td>' for a, cell in zip(align, line)) + "</tr>"
            for line in self._cells()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def layer_table(model, input_shape):
    """Return the `LayerTable` of a sequential network for one image of shape (c, h, w).

    The receptive field is the whole image from the first layer on that mixes all positions.

    Raises:
        ValueError: if `input_shape` is not three positive ints, or not what the network takes.

    Example:
        >>> from convutils import LeNet
        >>> layer_table(LeNet(), (1, 28, 28)).parameters
        61706
    """
    require.module("model", model)
    input_shape = require.shape("input_shape", input_shape, "(channels, rows, columns)", 3)
    layers, rows = list(flatten_layers(model)), []
    X = torch.zeros(1, *input_shape).to(next(model.parameters(), torch.zeros(())))
    with evaluation_mode(model):
        for depth, layer in enumerate(layers, start=1):
            X = _run(layer, X, input_shape)
            rows.append(
                LayerRow(
                    type(layer).__name__,
                    tuple(X.shape[1:]),
                    sum(p.numel() for p in layer.parameters()),
                    _macs(layer, X),
                    _field(layers[:depth], input_shape),
                )
            )
    return LayerTable(rows)


def _run(layer, X, input_shape):
    """Return the layer's output; where it refuses X, the error names the network's `input_shape`."""
    try:
        return layer(X)
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"input_shape: got {input_shape}, but {layer} cannot take the {_by(X.shape[1:])} it is handed: {error}"
        ) from error


def _field(layers, input_shape):
    """Return the receptive field of the last of the layers, at most the image."""
    if any(sees_whole_image(layer) for layer in layers):
        return tuple(input_shape[1:])
    return receptive_field(layers).size


def _macs(layer, Y):
    """Return the multiply-accumulates that made the output Y of one image."""
    if isinstance(layer, nn.Linear):
        return layer.in_features * Y.numel()
    if isinstance(layer, (nn.Conv2d, Conv2D)):
        return Y.numel() * layer.in_channels // getattr(layer, "groups", 1) * prod(layer.kernel_size)
    return 0


def _by(shape):
    """Write a shape as 6×28×28."""
    return "×".join(map(str, shape))
