"""Chapter 6: LeNet, its modern variant, and the table of a network's layers."""

from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import NamedTuple

import torch
from torch import nn

from convutils import _arguments as check
from convutils.convolution import Conv2D
from convutils.padding_and_stride import flatten_layers, receptive_field, sees_whole_image
from convutils.pooling import Pool2D


class Standardise(nn.Module):
    """Subtract a mean and divide by a standard deviation; 0 and 1 until `fit` takes them from images.

    Being a layer, it is applied wherever the network is used, and saved with its weights.
    """

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def fit(self, X):
        """Take mean and standard deviation over all pixels of the images X; images all of one grey keep 1."""
        check.tensor("X", X, 2, 3, 4)
        if not X.is_floating_point():
            raise TypeError(f"X: got {X.dtype}, wanted a floating dtype")
        std = X.std()
        self.mean.copy_(X.mean())
        self.std.copy_(std if std > 0 else torch.ones(()))

    def forward(self, X):
        return (X - self.mean) / self.std


class _Stack(nn.Sequential):
    """A sequential network that can be cut: `net[:4]` is the stack of its first four layers."""

    def __getitem__(self, index):
        return nn.Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)


class LeNet(_Stack):
    """LeNet-5 as the book simplifies it: sigmoid and average pooling, for n×1×28×28 images.

    Weights are drawn by Xavier's rule. Returns n × num_classes scores; the softmax belongs to the cross-entropy.
    """

    def __init__(self, num_classes=10):
        super().__init__(
            Standardise(),
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, check.integer("num_classes", num_classes, 1)),
        )
        for layer in self:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)


class ModernLeNet(_Stack):
    """LeNet's shape with what came later: ReLU, maximum pooling and batch normalisation; n×1×28×28 images."""

    def __init__(self, num_classes=10):
        super().__init__(
            Standardise(),
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.BatchNorm1d(120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.BatchNorm1d(84),
            nn.ReLU(),
            nn.Linear(84, check.integer("num_classes", num_classes, 1)),
        )


# What our layers leave out: options of torch's convolutions and poolings, with the only value that ours have.
PLAIN = {
    "dilation": 1,
    "groups": 1,
    "padding_mode": "zeros",
    "ceil_mode": False,
    "return_indices": False,
    "count_include_pad": True,
    "divisor_override": None,
}


def with_own_layers(model):
    """Return a copy of the network in which `Conv2D` and `Pool2D` do the work of `nn.Conv2d` and torch's poolings.

    The copy has the same weights, so it gives the same scores, up to rounding.

    Raises:
        ValueError: for a layer with an option that ours lack, such as dilation or groups, and for one without bias.

    Example:
        >>> with_own_layers(LeNet())[1:4]
        Sequential(
          (0): Conv2D(kernel_size=(5, 5), in_channels=1, out_channels=6, padding=(2, 2), stride=(1, 1))
          (1): Sigmoid()
          (2): Pool2D((2, 2), mode='avg', padding=(0, 0), stride=(2, 2))
        )
    """
    check.module("model", model)
    whole = nn.Sequential(deepcopy(model))  # the network may itself be one layer
    own = {}  # a layer used in two places is one layer in the copy too
    for path, layer in list(whole.named_modules(remove_duplicate=False)):
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            own[layer] = own[layer] if layer in own else _own_layer(layer)
            parent, _, name = path.rpartition(".")
            setattr(whole.get_submodule(parent), name, own[layer])
    return whole[0]


def _own_layer(layer):
    """Return our layer for torch's convolution or pooling."""
    for option, value in PLAIN.items():
        if getattr(layer, option, value) not in (value, (value, value)):
            raise ValueError(f"model: {layer} has {option}={getattr(layer, option)!r}, wanted {value!r}")
    if not isinstance(layer, nn.Conv2d):
        mode = "max" if isinstance(layer, nn.MaxPool2d) else "avg"
        return Pool2D(layer.kernel_size, mode, padding=layer.padding, stride=layer.stride)
    if layer.bias is None or layer.in_channels == layer.out_channels == 1 or isinstance(layer.padding, str):
        raise ValueError(f"model: got {layer}, wanted a bias, more than one channel and a padding in numbers")
    own = Conv2D(layer.kernel_size, layer.in_channels, layer.out_channels, padding=layer.padding, stride=layer.stride)
    own.load_state_dict(layer.state_dict())
    for ours, theirs in zip(own.parameters(), layer.parameters(), strict=True):
        ours.requires_grad_(theirs.requires_grad)
    return own.to(layer.weight)


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
        >>> layer_table(LeNet(), (1, 28, 28)).parameters
        61706
    """
    check.module("model", model)
    input_shape = check.shape("input_shape", input_shape, "(channels, rows, columns)", 3)
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


@contextmanager
def evaluation_mode(model):
    """Switch a network to evaluation, without gradients, and in the end each of its layers back to what it was."""
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for layer, was_training in modes:
            layer.training = was_training


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
