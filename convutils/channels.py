"""Chapter 4: several input and output channels, the convolution layer, 1×1 convolutions, composition and cost."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from convutils import _arguments as require
from convutils._layers import Windowed
from convutils._windows import count_windows, window_pairs
from convutils.convolution import corr2d, im2col


def corr2d_multi_in(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate each channel with its own kernel and add: X is c × h × w, K is c × k_h × k_w.

    Raises:
        ValueError: if the channel counts differ.

    Example:
        >>> X = torch.stack([torch.arange(9.).reshape(3, 3), torch.arange(1., 10).reshape(3, 3)])
        >>> K = torch.stack([torch.arange(4.).reshape(2, 2), torch.arange(1., 5).reshape(2, 2)])
        >>> corr2d_multi_in(X, K)
        tensor([[ 56.,  72.],
                [104., 120.]])
    """
    require.tensor("X", X, 3)
    require.tensor("K", K, 3)
    require.equal("channels of K", K.shape[0], "X", X.shape[0])
    return sum(corr2d(x, k) for x, k in zip(X, K, strict=True))


def corr2d_multi_in_out(
    X: Tensor,
    K: Tensor,
    bias: Tensor | None = None,
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Cross-correlate c_i × h × w (or n × c_i × h × w) with a kernel bank c_o × c_i × k_h × k_w.

    Output channel o is `corr2d_multi_in(X, K[o])`, plus `bias[o]` if there is one. Padding (on each side) and
    stride are ints or pairs.

    Raises:
        ValueError: if channels differ or a kernel is larger than the padded input.

    Example:
        >>> corr2d_multi_in_out(torch.ones(2, 3, 3), torch.ones(3, 2, 2, 2)).shape
        torch.Size([3, 2, 2])
    """
    require.images_and_bank(X, K, bias)
    size = count_windows("K", X.shape[-2:], *window_pairs(tuple(K.shape[2:]), padding, stride))
    Y = K.flatten(1) @ im2col(X, tuple(K.shape[2:]), padding=padding, stride=stride)
    return (Y if bias is None else Y + bias[:, None]).unflatten(-1, size)


class Conv2D(Windowed):
    """A convolution layer: cross-correlation with a learned kernel bank, plus a learned bias for each output channel.

    The weight is c_o × c_i × k_h × k_w, the bias has c_o entries. The input is c_i × h × w or n × c_i × h × w; with
    one channel in and out also one rows × columns image, which gives one back. Weights start uniform in
    ±1/√(c_i·k_h·k_w), biases at 0.

    Raises:
        ValueError: from the call, if the input has other dimensions or channels.

    Example:
        >>> Conv2D(kernel_size=(1, 2))(torch.ones(6, 8)).shape
        torch.Size([6, 7])
        >>> Conv2D(3, 2, 4, padding=1)(torch.ones(2, 6, 8)).shape
        torch.Size([4, 6, 8])
    """

    correlate = staticmethod(corr2d_multi_in_out)

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        in_channels: int = 1,
        out_channels: int = 1,
        *,
        padding: int | tuple[int, int] = 0,
        stride: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = require.pair("kernel_size", kernel_size, 1)
        self.in_channels = require.integer("in_channels", in_channels, 1)
        self.out_channels = require.integer("out_channels", out_channels, 1)
        self.padding, self.stride = require.pair("padding", padding, 0), require.pair("stride", stride, 1)
        bound = (in_channels * self.kernel_size[0] * self.kernel_size[1]) ** -0.5
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, X: Tensor) -> Tensor:
        one_channel = self.in_channels == self.out_channels == 1
        require.tensor("X", X, *(2, 3, 4) if one_channel else (3, 4), empty_batch=True)
        images = X[None] if X.ndim == 2 else X
        Y = self.correlate(images, self.weight, self.bias, padding=self.padding, stride=self.stride)
        return Y[0] if X.ndim == 2 else Y

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, in_channels={self.in_channels}, out_channels={self.out_channels}, "
            f"padding={self.padding}, stride={self.stride}"
        )


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """Apply a 1×1 convolution as one dense layer for every pixel: X is c_i × h × w, K is c_o × c_i × 1 × 1.

    Raises:
        ValueError: if the kernels are not 1×1 or the channel counts differ.

    Example:
        >>> corr2d_multi_in_out_1x1(torch.ones(3, 2, 2), torch.ones(2, 3, 1, 1)).shape
        torch.Size([2, 2, 2])
    """
    require.tensor("X", X, 3)
    require.tensor("K", K, 4)
    require.same_dtype(X=X, K=K)
    require.equal("window of K", tuple(K.shape[2:]), "a 1×1 convolution", (1, 1))
    require.equal("input channels of K", K.shape[1], "X", X.shape[0])
    return (K.flatten(1) @ X.flatten(1)).unflatten(-1, tuple(X.shape[1:]))


def compose_kernels(W1: Tensor, W2: Tensor) -> Tensor:
    """Return the one kernel bank that equals W1 followed by W2, at stride 1 and without padding between.

    W1 is c_mid × c_i × h1 × w1, W2 is c_o × c_mid × h2 × w2; the result is c_o × c_i × (h1+h2-1) × (w1+w2-1):
    the full convolution (not cross-correlation) of the kernels, summed over the channels between.

    Raises:
        ValueError: if W2's input channels are not W1's output channels.

    Example:
        >>> compose_kernels(torch.rand(2, 1, 3, 3), torch.rand(1, 2, 3, 3)).shape
        torch.Size([1, 1, 5, 5])
    """
    require.tensor("W1", W1, 4)
    require.tensor("W2", W2, 4)
    require.same_dtype(W1=W1, W2=W2)
    require.equal("input channels of W2", W2.shape[1], "the output channels of W1", W1.shape[0])
    k_h, k_w = W2.shape[2:]
    # W1's input channels play the batch: cross-correlating with the flipped W2, fully padded, convolves
    return corr2d_multi_in_out(W1.transpose(0, 1), W2.flip(2, 3), padding=(k_h - 1, k_w - 1)).transpose(0, 1)


class ConvCost(NamedTuple):
    """What one convolution costs, in operations and in numbers stored; bias is stated apart.

    Attributes:
        output_shape: shape of the output
        multiplications: forward; multiplications by padded zeros are counted
        additions: forward, without the bias
        macs: forward multiply-accumulates, one for each multiplication
        bias_additions: forward additions of a bias, if there is one
        weights: numbers in the kernels
        biases: numbers in the bias, if there is one
        input_elements: numbers in the input
        output_elements: numbers in the output
        saved_elements: input and weights, kept for the backward pass
        weight_gradient_macs: backward, for the kernels
        input_gradient_macs: backward, for the input; none is needed for the first layer
        backward_macs: both gradients
    """

    output_shape: tuple[int, ...]
    multiplications: int
    additions: int
    macs: int
    bias_additions: int
    weights: int
    biases: int
    input_elements: int
    output_elements: int
    saved_elements: int
    weight_gradient_macs: int
    input_gradient_macs: int
    backward_macs: int


def conv_cost(
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, int, int, int],
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> ConvCost:
    """Count what a convolution costs forward and backward; returns a `ConvCost`.

    `input_shape` is (c_i, h, w) or (n, c_i, h, w), `weight_shape` (c_o, c_i / groups, k_h, k_w).
    Each forward multiply-accumulate causes one in each of the two gradients.

    Raises:
        ValueError: if channels and groups do not fit or the kernel is larger than the padded input.

    Example:
        >>> cost = conv_cost((1, 3, 15, 17), (4, 3, 3, 5), padding=(1, 2), stride=2)
        >>> 2 * cost.macs, 2 * cost.backward_macs
        (25920, 51840)
    """
    *batch, c_i, h, w = require.shape("input_shape", input_shape, "(c_i, h, w) or (n, c_i, h, w)", 3, 4)
    c_o, c_group, k_h, k_w = require.shape("weight_shape", weight_shape, "(c_o, c_i / groups, k_h, k_w)", 4)
    require.integer("groups", groups, 1)
    require.equal("weight_shape[1] * groups", c_group * groups, "the input channels", c_i)
    require.equal("weight_shape[0] % groups", c_o % groups, "whole groups of output channels", 0)
    size = count_windows("weight_shape", (h, w), *window_pairs((k_h, k_w), padding, stride, dilation))
    n = batch[0] if batch else 1
    outputs, taps = n * c_o * size[0] * size[1], c_group * k_h * k_w
    macs, weights, inputs = outputs * taps, c_o * taps, n * c_i * h * w
    return ConvCost(
        output_shape=(*batch, c_o, *size),
        multiplications=macs,
        additions=outputs * (taps - 1),
        macs=macs,
        bias_additions=outputs,
        weights=weights,
        biases=c_o,
        input_elements=inputs,
        output_elements=outputs,
        saved_elements=inputs + weights,
        weight_gradient_macs=macs,
        input_gradient_macs=macs,
        backward_macs=2 * macs,
    )
