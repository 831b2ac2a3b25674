"""Chapter 2: cross-correlation and convolution of images, and the patch matrix."""

import torch
from torch import Tensor

from convutils import _arguments as require
from convutils._windows import slide, window_pairs


def corr2d(
    X: Tensor,
    K: Tensor,
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Cross-correlate an image X with a kernel K, both rows × columns of the same dtype, which is kept.

    `padding` zeros are added on every side. Padding, stride and dilation are ints or (rows, columns) pairs.
    Agrees with `F.conv2d` up to rounding; the result's size is `output_size(X.shape, K.shape, …)`.

    Raises:
        ValueError: if the dilated kernel is larger than the padded image.
        TypeError: if the dtypes differ.

    Example:
        >>> X = torch.tensor([[0., 1, 2], [3, 4, 5], [6, 7, 8]])
        >>> corr2d(X, torch.tensor([[0., 1], [2, 3]]))
        tensor([[19., 25.],
                [37., 43.]])
    """
    require.image_and_kernel(X, K)
    windows = slide("K", X, *window_pairs(tuple(K.shape), padding, stride, dilation))
    return windows.flatten(2) @ K.flatten()


def convolve2d(X: Tensor, K: Tensor, mode: str = "full") -> Tensor:
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
    require.image_and_kernel(X, K)
    flipped, (k_h, k_w) = K.flip(0, 1), K.shape
    if mode == "valid":
        return corr2d(X, flipped)
    full = corr2d(X, flipped, padding=(k_h - 1, k_w - 1))
    if mode == "full":
        return full
    top, left = (k_h - 1) // 2, (k_w - 1) // 2
    return full[top : top + X.shape[0], left : left + X.shape[1]]


def im2col(
    X: Tensor,
    kernel_size: int | tuple[int, int],
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
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
    windows = slide("kernel_size", X, *window_pairs(kernel_size, padding, stride, dilation))
    return windows.movedim((-2, -1), (-4, -3)).flatten(-5, -3).flatten(-2)
