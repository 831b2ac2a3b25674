"""Chapter 3: how padding, stride and dilation set the output size and the receptive field."""

from typing import NamedTuple

from torch import nn

from convutils import _arguments as require
from convutils._layers import flatten_layers, window_of
from convutils._windows import count_windows, window_pairs


def output_size(input_size, kernel_size, *, padding=0, stride=1, dilation=1):
    """Return the (rows, columns) of a convolution's or pooling's output.

    Per axis: floor((n + 2p - d(k-1) - 1) / s) + 1, with the padding p counted on each side.
    All arguments are ints or (rows, columns) pairs.

    Raises:
        ValueError: if the dilated kernel is larger than the padded input.

    Example:
        >>> output_size((8, 8), (3, 5), padding=(0, 1), stride=(3, 4))
        (2, 2)
    """
    n = require.pair("input_size", input_size, 1)
    return count_windows("kernel_size", n, *window_pairs(kernel_size, padding, stride, dilation))


def split_padding(total, *, extra):
    """Split the book's total padding of one axis into (before, after).

    An odd total cannot be split evenly. `extra` says where the additional row or column goes:
    "before" (top or left, as in the book) or "after" (bottom or right, as in torch's and TensorFlow's "same").

    Example:
        >>> split_padding(3, extra="before"), split_padding(3, extra="after")
        ((2, 1), (1, 2))
    """
    require.one_of("extra", extra, ("before", "after"))
    half = require.integer("total", total, 0) // 2
    return (total - half, half) if extra == "before" else (half, total - half)


def same_padding(input_size, kernel_size, *, stride=1, dilation=1):
    """Return TensorFlow's "same" padding, ((top, bottom), (left, right)), for an output of ceil(n / s).

    All arguments are ints or (rows, columns) pairs. torch's `padding="same"` is the case of stride 1.

    Example:
        >>> same_padding(8, 3, stride=2)
        ((0, 1), (0, 1))
    """
    n = require.pair("input_size", input_size, 1)
    k, _, s, d = window_pairs(kernel_size, 0, stride, dilation)
    totals = [max((-(-n[a] // s[a]) - 1) * s[a] + d[a] * (k[a] - 1) + 1 - n[a], 0) for a in (0, 1)]
    return tuple(split_padding(total, extra="after") for total in totals)


def padding_amounts(padding, convention, input_size, kernel_size, *, stride=1, dilation=1):
    """Translate a layer's padding into what is added around the image, ((top, bottom), (left, right)).

    `convention` says how `padding` is meant:
    "torch" (and most papers): a number on each side, "valid", or "same" at stride 1;
    "d2l": a number in total, as in *Dive into Deep Learning*, whose odd row goes on top;
    "tensorflow": "same" or "valid", in small or capital letters.
    Numbers and sizes are ints or (rows, columns) pairs.

    Raises:
        ValueError: if the convention has no such padding.

    Example:
        >>> [padding_amounts(3, "d2l", 8, 4)[0], padding_amounts("same", "tensorflow", 8, 4)[0]]
        [(2, 1), (1, 2)]
    """
    require.one_of("convention", convention, ("torch", "d2l", "tensorflow"))
    same = same_padding(input_size, kernel_size, stride=stride, dilation=dilation)
    if convention == "tensorflow" or (convention == "torch" and isinstance(padding, str)):
        words = ("same", "valid") if convention == "torch" else ("same", "valid", "SAME", "VALID")
        require.one_of("padding", padding, words)
        if (convention, padding) == ("torch", "same") and require.pair("stride", stride, 1) != (1, 1):
            raise ValueError(f"stride: got {stride!r}, wanted 1, because torch has no padding 'same' with a stride")
        return same if padding.lower() == "same" else ((0, 0), (0, 0))
    extra = require.pair("padding", padding, 0)
    return tuple(split_padding(p, extra="before") if convention == "d2l" else (p, p) for p in extra)


class ReceptiveField(NamedTuple):
    """What one unit of a stack of layers sees of the input; each entry is a (rows, columns) pair in pixels.

    Attributes:
        size: extent of the window of the input
        jump: distance between the windows of two neighbouring units
        start: first row and column of unit (0, 0)'s window, negative inside the padding
    """

    size: tuple
    jump: tuple
    start: tuple


def receptive_field(layers):
    """Return the `ReceptiveField` of a stack of layers, first layer first.

    Convolutions and poolings count with their stride, padding and dilation; layers that work on each unit alone
    (activations, batch normalisation) or put them in a row (flatten) change nothing. `nn.Sequential` may be nested.
    The field is the extent of a unit far from the border: it may be larger than an image.

    Raises:
        ValueError: for any other layer, because nothing is known of its window: one that sees the whole image
            (dense, global pooling, layer normalisation), that moves units (transposed convolution, upsampling,
            padding), that is made of others, or that somebody wrote.

    Example:
        >>> receptive_field([nn.Conv2d(1, 1, 5, stride=2), nn.Conv2d(1, 1, 5)])
        ReceptiveField(size=(13, 13), jump=(2, 2), start=(0, 0))
    """
    size, jump, start = (1, 1), (1, 1), (0, 0)
    for layer in flatten_layers(layers):
        k, p, s, d = window_of(layer)
        size = tuple(size[a] + d[a] * (k[a] - 1) * jump[a] for a in (0, 1))
        start = tuple(start[a] - p[a] * jump[a] for a in (0, 1))
        jump = tuple(jump[a] * s[a] for a in (0, 1))
    return ReceptiveField(size, jump, start)


def comp_conv2d(layer, X):
    """Run an `nn.Conv2d` with one input and one output channel on a rows × columns image.

    Adds the batch and channel dimensions that the layer wants and takes them off its output.

    Example:
        >>> import torch
        >>> comp_conv2d(nn.Conv2d(1, 1, kernel_size=3, padding=1, stride=2), torch.rand(8, 8)).shape
        torch.Size([4, 4])
    """
    require.tensor("X", X, 2)
    if not isinstance(layer, nn.Conv2d):
        raise TypeError(f"layer: got {type(layer).__name__}, wanted torch.nn.Conv2d")
    require.equal("layer.in_channels", layer.in_channels, "one image", 1)
    require.equal("layer.out_channels", layer.out_channels, "one output image", 1)
    require.same_dtype(X=X, **{"layer.weight": layer.weight})
    try:
        return layer(X[None, None])[0, 0]
    except RuntimeError as error:
        raise ValueError(f"X: got shape {tuple(X.shape)}, which {layer} cannot take: {error}") from error
