"""Chapter 2: cross-correlation and convolution of images, and the layer that learns its kernel."""

from functools import reduce

import torch
from torch import nn
from torch.nn import functional as F

from convutils import _arguments as require
from convutils._layers import Windowed
from convutils._windows import count_windows, pad, window_pairs


def corr2d(X, K, *, padding=0, stride=1, dilation=1):
    """Cross-correlate an image X with a kernel K, both rows × columns of the same dtype, which is kept.

    `padding` zeros are added on every side. Padding, stride and dilation are ints or (rows, columns) pairs.
    Agrees with `F.conv2d` up to rounding.

    Raises:
        ValueError: if the dilated kernel is larger than the padded image.
        TypeError: if the dtypes differ.

    Example:
        >>> X = torch.tensor([[0., 1, 2], [3, 4, 5], [6, 7, 8]])
        >>> corr2d(X, torch.tensor([[0., 1], [2, 3]]))
        tensor([[19., 25.],
                [37., 43.]])
    """
    require.tensor("X", X, 2)
    require.tensor("K", K, 2)
    require.same_dtype(X=X, K=K)
    (k_h, k_w), p, (s_h, s_w), (d_h, d_w) = geometry = window_pairs(tuple(K.shape), padding, stride, dilation)
    h_out, w_out = count_windows("K", X.shape, *geometry)
    X = pad(X, p)
    # one matrix product of all kernel rows with all row windows, then the kernel rows' answers, shifted, are added
    windows = X.unfold(1, d_w * (k_w - 1) + 1, s_w)[..., ::d_w].permute(2, 0, 1).reshape(k_w, -1)
    rows = (K @ windows).view(k_h, X.shape[0], w_out)
    last = (h_out - 1) * s_h
    return reduce(torch.add, (rows[i, i * d_h : i * d_h + last + 1 : s_h] for i in range(k_h)))


def convolve2d(X, K, mode="full"):
    """Convolve two images in the mathematical sense: K is flipped in both axes, then slid over X.

    X and K are rows × columns. `mode` is as in SciPy: "full" gives every overlap (n + k - 1 per axis);
    "same" the part of X's size that starts at full[(k - 1) // 2]; "valid" the whole overlaps (n - k + 1).

    Raises:
        ValueError: for an unknown mode, or in mode "valid" if the kernel is larger than the image.

    Example:
        >>> convolve2d(torch.tensor([[1., 2, 3]]), torch.tensor([[1., 10]]))
        tensor([[ 1., 12., 23., 30.]])
    """
    require.one_of("mode", mode, ("full", "same", "valid"))
    require.tensor("X", X, 2)
    require.tensor("K", K, 2)
    flipped, (k_h, k_w) = K.flip(0, 1), K.shape
    if mode == "valid":
        return corr2d(X, flipped)
    full = corr2d(X, flipped, padding=(k_h - 1, k_w - 1))
    if mode == "full":
        return full
    top, left = (k_h - 1) // 2, (k_w - 1) // 2
    return full[top : top + X.shape[0], left : left + X.shape[1]]


def im2col(X, kernel_size, *, padding=0, stride=1, dilation=1):
    """Return the patch matrix of a c×h×w or n×c×h×w input: (n ×) (c·k_h·k_w) × (positions).

    Column t holds the pixels under the kernel at its t-th position, so that a cross-correlation is the product
    of the flattened kernel with this matrix. The order is that of `F.unfold`.

    Raises:
        ValueError: if the dilated kernel is larger than the padded input.

    Example:
        >>> im2col(torch.arange(1., 10).reshape(1, 3, 3), 2)
        tensor([[1., 2., 4., 5.],
                [2., 3., 5., 6.],
                [4., 5., 7., 8.],
                [5., 6., 8., 9.]])
    """
    require.tensor("X", X, 3, 4, empty_batch=True)
    (k_h, k_w), (p_h, p_w), (s_h, s_w), (d_h, d_w) = geometry = window_pairs(kernel_size, padding, stride, dilation)
    count_windows("kernel_size", X.shape[-2:], *geometry)
    X = F.pad(X, (p_w, p_w, p_h, p_h))  # always a copy: of a 1×1 window, the rest would be a view of the input
    windows = X.unfold(-2, d_h * (k_h - 1) + 1, s_h).unfold(-2, d_w * (k_w - 1) + 1, s_w)[..., ::d_h, ::d_w]
    return windows.movedim((-2, -1), (-4, -3)).flatten(-5, -3).flatten(-2)


class Conv2D(Windowed):
    """A convolution layer: cross-correlation with a learned kernel, plus a learned bias.

    With one input and one output channel the weight is the k_h × k_w kernel, the bias a scalar and the input one
    rows × columns image. Otherwise the weight is c_o × c_i × k_h × k_w, the bias has c_o entries and the
    input is c_i × h × w or n × c_i × h × w. Weights start uniform in ±1/√(c_i·k_h·k_w), biases at 0.

    Raises:
        ValueError: from the call, if the input has other dimensions or channels.

    Example:
        >>> Conv2D(kernel_size=(1, 2))(torch.ones(6, 8)).shape
        torch.Size([6, 7])
    """

    def __init__(self, kernel_size, in_channels=1, out_channels=1, *, padding=0, stride=1):
        super().__init__()
        self.kernel_size = require.pair("kernel_size", kernel_size, 1)
        self.in_channels = require.integer("in_channels", in_channels, 1)
        self.out_channels = require.integer("out_channels", out_channels, 1)
        self.padding, self.stride = require.pair("padding", padding, 0), require.pair("stride", stride, 1)
        self.one_channel = in_channels == out_channels == 1
        channels = () if self.one_channel else (out_channels, in_channels)
        bound = (in_channels * self.kernel_size[0] * self.kernel_size[1]) ** -0.5
        self.weight = nn.Parameter(torch.empty(channels + self.kernel_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(channels[:1]))

    def forward(self, X):
        if self.one_channel:
            return corr2d(X, self.weight, padding=self.padding, stride=self.stride) + self.bias
        from convutils.channels import corr2d_multi_in_out  # chapter 4 builds on this module

        return corr2d_multi_in_out(X, self.weight, self.bias, padding=self.padding, stride=self.stride)

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, in_channels={self.in_channels}, out_channels={self.out_channels}, "
            f"padding={self.padding}, stride={self.stride}"
        )
