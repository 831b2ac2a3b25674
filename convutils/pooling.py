"""Chapter 5: maximum and average pooling."""

import torch
from torch import nn

from convutils import _arguments as require
from convutils._layers import Windowed
from convutils._windows import count_windows, pad, window_pairs

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
    require.one_of("mode", mode, MODES)
    require.tensor("X", X, 2, 3, 4, empty_batch=True)
    (k_h, k_w), p, (s_h, s_w), _ = geometry = window_pairs(require.pair("pool_size", pool_size, 1), padding, stride)
    count_windows("pool_size", X.shape[-2:], *geometry)
    if 2 * p[0] > k_h or 2 * p[1] > k_w:
        raise ValueError(f"padding: got {padding}, wanted at most half the window {pool_size}")
    if not X.is_floating_point() and (mode == "avg" or X.is_complex() or X.dtype == torch.bool):
        raise TypeError(f"X: got {X.dtype}, wanted real numbers, of a floating dtype for the average")
    X = pad(X, p, 0 if mode == "avg" else _lowest(X.dtype))
    # the columns of each window, then the rows: k_h + k_w slices of the whole batch instead of k_h · k_w
    Y = _Slide.apply(_Slide.apply(X, -1, k_w, s_w, mode), -2, k_h, s_h, mode)
    return Y / (k_h * k_w) if mode == "avg" else Y


class _Slide(torch.autograd.Function):
    """The maximum or the sum ("avg") of each window of k numbers along one axis, at stride s.

    Autograd alone would share a maximum's gradient among equal numbers; here the first gets it, which after
    columns and rows is the first in reading order, as in torch's pooling. It would also make one image of zeros
    for each slice, where one is enough.
    """

    @staticmethod
    def forward(ctx, X, axis, k, s, mode):
        ctx.shape, ctx.window = X.shape, (axis, k, s)
        Y, wins = _slice(X, 0, axis, k, s), []
        for i in range(1, k):
            x = _slice(X, i, axis, k, s)
            if mode == "max" and ctx.needs_input_grad[0]:
                wins.append(x > Y)  # where number i is larger than all before it
            Y = torch.maximum(Y, x) if mode == "max" else Y + x
        ctx.save_for_backward(*wins)
        return Y if k > 1 else Y.clone()  # never a view of X

    @staticmethod
    def backward(ctx, gradient):
        total = gradient.new_zeros(ctx.shape)
        wins = list(ctx.saved_tensors)  # none for the sum, of which every number gets the whole gradient
        for i in reversed(range(ctx.window[1])):
            share, rest = gradient, gradient
            if wins and i:
                share = gradient * wins[i - 1]
                rest = gradient - share
            _slice(total, i, *ctx.window).add_(share)
            gradient = rest
        return total, None, None, None, None


def _slice(X, i, axis, k, s):
    """Return the view of X that holds number i of every window along the axis."""
    X, last = X.transpose(axis, -1), X.shape[axis] - k
    return X[..., i : last + i + 1 : s].transpose(axis, -1)


def _lowest(dtype):
    """Return the number that loses every comparison."""
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


class Pool2D(Windowed):
    """The pooling layer: `pool2d` on every channel, with a stride of one window unless said otherwise.

    Example:
        >>> Pool2D(2)(torch.ones(1, 6, 28, 28)).shape
        torch.Size([1, 6, 14, 14])
    """

    def __init__(self, pool_size, mode="max", *, padding=0, stride=None):
        super().__init__()
        require.one_of("mode", mode, MODES)
        self.mode, self.kernel_size = mode, require.pair("pool_size", pool_size, 1)
        self.padding = require.pair("padding", padding, 0)
        self.stride = self.kernel_size if stride is None else require.pair("stride", stride, 1)

    def forward(self, X):
        return pool2d(X, self.kernel_size, self.mode, padding=self.padding, stride=self.stride)

    def extra_repr(self):
        return f"{self.kernel_size}, mode={self.mode!r}, padding={self.padding}, stride={self.stride}"
