"""Chapter 5: maximum and average pooling."""

import torch
from torch import nn
from torch.nn import functional as F

from convutils import _arguments as check
from convutils.padding_and_stride import window_pairs

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
    check.tensor("X", X, 2, 3, 4)
    (k_h, k_w), (p_h, p_w), (s_h, s_w), _ = window_pairs(check.pair("pool_size", pool_size, 1), padding, stride)
    check.fits("pool_size", X.shape[-2:], (k_h, k_w), (p_h, p_w))
    if 2 * p_h > k_h or 2 * p_w > k_w:
        raise ValueError(f"padding: got {padding}, wanted at most half the window {pool_size}")
    if not X.is_floating_point() and (mode == "avg" or X.is_complex() or X.dtype == torch.bool):
        raise TypeError(f"X: got {X.dtype}, wanted real numbers, of a floating dtype for the average")
    X = F.pad(X, (p_w, p_w, p_h, p_h), value=_lowest(X.dtype) if mode == "max" else 0)
    windows = X.unfold(-2, k_h, s_h).unfold(-2, k_w, s_w).flatten(-2)
    # of equal maxima, max picks the first, which gets the whole gradient, as in torch's pooling; amax would share it
    return windows.max(-1).values if mode == "max" else windows.mean(-1)


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
