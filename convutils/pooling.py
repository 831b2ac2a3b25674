"""Chapter 5: maximum and average pooling."""

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
    X = pad(X, p, 0 if mode == "avg" else _lowest(X.dtype)) if k_h * k_w > 1 else X.clone()  # else Y would be X itself
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
        windows, later_wins = X.unfold(axis, k, s), []
        Y = windows[..., 0]
        for i in range(1, k):
            if mode == "max" and ctx.needs_input_grad[0]:
                later_wins.append(windows[..., i] > Y)
            Y = torch.maximum(Y, windows[..., i]) if mode == "max" else Y + windows[..., i]
        ctx.save_for_backward(*later_wins)
        return Y

    @staticmethod
    def backward(ctx, gradient):
        shares = []
        for wins in reversed(ctx.saved_tensors):
            shares.append(gradient * wins)
            gradient = gradient - shares[-1]
        shares += [gradient] * (ctx.window[1] - len(shares))
        total = gradient.new_zeros(ctx.shape)
        windows = total.unfold(*ctx.window)
        for i, share in enumerate(reversed(shares)):
            windows[..., i] += share
        return total, None, None, None, None


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
