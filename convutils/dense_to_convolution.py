"""Chapter 1: the dense layer that is a convolution, and cross-correlation in one and three dimensions."""

import torch

from convutils import _arguments as require
from convutils._windows import count_windows


def toeplitz2d(K, input_size):
    """Return the matrix T with `T @ X.flatten()` equal, up to rounding, to `corr2d(X, K).flatten()`.

    K is rows × columns, `input_size` the (rows, columns) of X. T has one row for each output and one column
    for each pixel: the weights of a dense layer after translation invariance and locality.

    Raises:
        ValueError: if the kernel is larger than the input.

    Example:
        >>> toeplitz2d(torch.tensor([[1., 2.]]), (1, 4))
        tensor([[1., 2., 0., 0.],
                [0., 1., 2., 0.],
                [0., 0., 1., 2.]])
    """
    require.tensor("K", K, 2)
    (h, w), (k_h, k_w) = require.pair("input_size", input_size, 1), K.shape
    h_out, w_out = count_windows("K", (h, w), (k_h, k_w))
    W = K.new_zeros(h_out, w_out, h, w)
    for i in range(h_out):
        for j in range(w_out):
            W[i, j, i : i + k_h, j : j + k_w] = K
    return W.reshape(h_out * w_out, h * w)


def corr1d(x, k):
    """Cross-correlate a signal x with a kernel k, both 1-D; the output has len(x) - len(k) + 1 entries.

    Raises:
        ValueError: if the kernel is longer than the signal.

    Example:
        >>> corr1d(torch.arange(7.), torch.tensor([1., 2.]))
        tensor([ 2.,  5.,  8., 11., 14., 17.])
    """
    return _correlate(x=x, k=k, ndim=1)


def corr3d(V, K):
    """Cross-correlate a volume V with a kernel K, both depth × rows × columns.

    The output has n - k + 1 entries along each axis.

    Raises:
        ValueError: if the kernel is larger than the volume.

    Example:
        >>> corr3d(torch.ones(3, 4, 5), torch.ones(2, 2, 2)).shape
        torch.Size([2, 3, 4])
    """
    return _correlate(V=V, K=K, ndim=3)


def _correlate(*, ndim, **named):
    """Cross-correlate two tensors of `ndim` dimensions, named for the errors: all windows times the kernel."""
    for name, value in named.items():
        require.tensor(name, value, ndim)
    require.same_dtype(**named)
    (_, X), (kernel_name, K) = named.items()
    if any(k > n for n, k in zip(X.shape, K.shape, strict=True)):
        raise ValueError(f"{kernel_name}: got shape {tuple(K.shape)}, wanted at most the input's {tuple(X.shape)}")
    windows = X
    for axis, size in enumerate(K.shape):
        windows = windows.unfold(axis, size, 1)
    return windows.flatten(ndim) @ K.flatten()
