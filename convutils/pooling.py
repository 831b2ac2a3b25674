"""Chapter 5: maximum and average pooling."""

from functools import reduce

import torch
from torch import nn

from convutils import _arguments as check
from convutils.padding_and_stride import count_windows, pad, window_pairs

MODES = ("max", "avg")


def pool2d(X, pool_size, mode="max", *, padding=0, stride=1):
    """Pool an image, or each channel: X is h × w, c × h × w or n × c × h × w.

    Mode "max" pads with -∞ (the smallest number for integers), mode "avg" with zeros that count, both as torch
    does. Sizes are ints or (rows, columns) pairs; the padding is at most half the window.

    Raises:
        ValueError: for an unknown mode, too much padding, or a window larger than the padded input.
        TypeError: for the average of integers, or for booleans or complex numbers.

    Example:
        >>> X = torch.arange(9.).reshape(3, 3)
        >>> pool2d(X, 2).tolist(), pool2d(X, 2, "avg").tolist()
        ([[4.0, 5.0], [7.0, 8.0]], [[2.0, 3.0], [5.0, 6.0]])
    """
    check.one_of("mode", mode, MODES)
    check.tensor("X", X, 2, 3, 4, empty_batch=True)
    (k_h, k_w), p, (s_h, s_w), _ = geometry = window_pairs(check.pair("pool_size", pool_size, 1), padding, stride)
    count_windows("pool_size", X.shape[-2:], *geometry)
    if 2 * p[0] > k_h or 2 * p[1] > k_w:
        raise ValueError(f"padding: got {padding}, wanted at most half the window {pool_size}")
    if not X.is_floating_point() and (mode == "avg" or X.is_complex() or X.dtype == torch.bool):
        raise TypeError(f"X: got {X.dtype}, wanted real numbers, of a floating dtype for the average")
    combine, outside = (torch.add, 0) if mode == "avg" else (_FirstMaximum.apply, _lowest(X.dtype))
    X = pad(X, p, outside) if k_h * k_w > 1 else X.clone()  # a slice would be the input itself
    h, w = X.shape[-2:]
    # a window's columns are combined first, its rows then: k_h + k_w slices of the whole batch instead of k_h · k_w
    X = reduce(combine, (X[..., j:w - k_w + j + 1:s_w] for j in range(k_w)))
    X = reduce(combine, (X[..., i:h - k_h + i + 1:s_h, :] for i in range(k_h)))
    return X / (k_h * k_w) if mode == "avg" else X


class _FirstMaximum(torch.autograd.Function):
    """`torch.maximum` whose gradient goes to the first of two equal numbers; torch's own would share it.

    Columns before rows, this picks the first maximum of a window in reading order, as torch's pooling does.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(a, b):
        return torch.maximum(a, b)

    @staticmethod
    def setup_context(ctx, inputs, output):
        a, b = inputs
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(b > a)

    @staticmethod
    def backward(ctx, gradient):
        b_is_larger, = ctx.saved_tensors
        to_b = gradient * b_is_larger
        return gradient - to_b, to_b


def _lowest(dtype):
    """Return the number that loses every comparison."""
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


class Pool2D(nn.Module):
    """The pooling layer: `pool2d` on every channel, with a stride of one window unless said otherwise.

    Example:
        >>> Pool2D(2)(torch.ones(1, 6, 28, 28)).shape
        torch.Size([1, 6, 14, 14])
    """

    def __init__(self, pool_size, mode="max", *, padding=0, stride=None):
        super().__init__()
        check.one_of("mode", mode, MODES)
        self.mode, self.kernel_size = mode, check.pair("pool_size", pool_size, 1)
        self.padding = check.pair("padding", padding, 0)
        self.stride = self.kernel_size if stride is None else check.pair("stride", stride, 1)

    def forward(self, X):
        return pool2d(X, self.kernel_size, self.mode, padding=self.padding, stride=self.stride)

    def extra_repr(self):
        return f"{self.kernel_size}, mode={self.mode!r}, padding={self.padding}, stride={self.stride}"
