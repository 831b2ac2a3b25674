"""Walking through the layers of a network: their order, their modes, and the window that one of them has."""

from collections.abc import Iterable
from contextlib import contextmanager

import torch
from torch import nn

from convutils import _arguments as require
from convutils._windows import window_pairs


def flatten_layers(layers):
    """Yield the layers of a stack or of one network, those of nested `nn.Sequential` in their order."""
    if isinstance(layers, nn.Module) and not isinstance(layers, nn.Sequential):
        yield layers
    elif isinstance(layers, Iterable) and not isinstance(layers, str):
        for layer in layers:
            yield from flatten_layers(layer)
    else:
        raise TypeError(f"layers: got {type(layers).__name__}, wanted torch.nn modules")


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


class Windowed(nn.Module):
    """What our layers with a `kernel_size`, a `padding` and a `stride` are, so that a table knows their window."""


class Pointwise(nn.Module):
    """What our layers that work on each unit alone are."""


WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, Windowed)
POOLINGS = (nn.MaxPool2d, nn.AvgPool2d)
POINTWISE = (
    Pointwise, nn.Identity, nn.Flatten, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU,
    nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Tanhshrink, nn.Hardtanh, nn.Hardsigmoid,
    nn.Hardswish, nn.Hardshrink, nn.Softshrink, nn.Softplus, nn.Softsign, nn.Threshold, nn.Softmax2d,
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.LocalResponseNorm, nn.ChannelShuffle,
)  # fmt: skip


def is_one_of(layer, kinds):
    """Tell whether the layer is of one of these classes and computes what that class computes.

    A subclass with a `forward` of its own is another layer; one that only changes how weights are made is not.
    """
    if isinstance(layer, (Windowed, Pointwise)):
        return isinstance(layer, kinds)
    methods = ("forward", "_conv_forward")
    return "forward" not in vars(layer) and any(
        isinstance(layer, kind) and all(getattr(type(layer), m, None) is getattr(kind, m, None) for m in methods)
        for kind in kinds
    )


def is_pointwise(layer):
    """Tell whether each unit of the output depends on one place of the input.

    Batch normalisation without stored means does not: it takes those of the image.
    """
    return is_one_of(layer, POINTWISE) and getattr(layer, "running_mean", 0) is not None


def window_of(layer):
    """Return kernel size, padding, stride and dilation of a layer as pairs; (1, 1) where it has no window.

    Raises:
        ValueError: for any layer that is not known to have a window or to work on each unit alone.
    """
    if is_pointwise(layer):
        return window_pairs(1, 0, 1)
    if not is_one_of(layer, WINDOWED):
        raise ValueError(
            f"layers: got {type(layer).__name__}, wanted layers known to have a window that is smaller than the "
            "image, or that work on each unit alone; give the parts of a block one by one, use layer_table for a "
            "whole network, or measure the field by the gradient, as chapter 3 does"
        )
    k, p, s, d = (getattr(layer, name, 1 - (name == "padding")) for name in GEOMETRY)
    s = k if s is None else s
    if p == "same":  # torch puts the extra row of an odd total at the bottom
        k, _, s, d = window_pairs(k, 0, s, d)
        p = tuple(d[a] * (k[a] - 1) // 2 for a in (0, 1))
    k, p, s, d = window_pairs(k, 0 if p == "valid" else p, s, d)
    if is_one_of(layer, POOLINGS) and any(2 * p[a] > k[a] for a in (0, 1)):
        raise ValueError(f"layers: {layer} has padding {p}, wanted at most half the window, as torch does")
    return k, p, s, d


GEOMETRY = ("kernel_size", "padding", "stride", "dilation")
