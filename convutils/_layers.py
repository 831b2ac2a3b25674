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


def sees_whole_image(layer):
    """Tell whether each output of the layer depends on all of its input."""
    return isinstance(
        layer, (nn.Linear, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
    )


def window_of(layer):
    """Return kernel size, padding, stride and dilation of a layer as pairs."""
    if sees_whole_image(layer) or _moves_units(layer):
        raise ValueError(
            f"layers: got {type(layer).__name__}, wanted layers with a window that is smaller than "
            "the image, or that work on each unit alone"
        )
    k, p, s, d = (
        getattr(layer, name, default)
        for name, default in (("kernel_size", 1), ("padding", 0), ("stride", 1), ("dilation", 1))
    )
    s = k if s is None else s
    if p == "same":  # torch puts the extra row of an odd total at the bottom
        k, _, s, d = window_pairs(k, 0, s, d)
        p = tuple(d[a] * (k[a] - 1) // 2 for a in (0, 1))
    return window_pairs(k, 0 if p == "valid" else p, s, d)


def _moves_units(layer):
    """Tell whether the layer enlarges or pads the image without a window, or is made of other layers."""
    if hasattr(layer, "kernel_size"):
        return getattr(layer, "transposed", False)
    return hasattr(layer, "padding") or hasattr(layer, "scale_factor") or any(True for _ in layer.children())
