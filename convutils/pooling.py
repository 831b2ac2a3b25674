"""Chapter 5: maximum and average pooling."""

import torch
from torch import Tensor

from convutils import _arguments as require
from convutils._layers import Windowed
from convutils._windows import Pair, slide, window_pairs

MODES = ("max", "avg")


def pool2d(
    X: Tensor,
    pool_size: int | tuple[int, int],
    mode: str = "max",
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
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
    k, p, s = check_pooling(X, pool_size, mode, padding, stride)
    windows = slide("pool_size", X, k, p, s, fill=padding_value(mode, X.dtype)).flatten(-2)
    return windows.max(-1).values if mode == "max" else windows.mean(-1)


def check_pooling(X: Tensor, pool_size, mode: str, padding, stride) -> tuple[Pair, Pair, Pair]:
    """Check the arguments of `pool2d`; return window, padding and stride as (rows, columns) pairs."""
    require.one_of("mode", mode, MODES)
    require.tensor("X", X, 2, 3, 4, empty_batch=True)
    k, p, s, _ = window_pairs(require.pair("pool_size", pool_size, 1), padding, stride)
    if 2 * p[0] > k[0] or 2 * p[1] > k[1]:
        raise ValueError(f"padding: got {padding}, wanted at most half the window {pool_size}")
    if not X.is_floating_point() and (mode == "avg" or X.is_complex() or X.dtype == torch.bool):
        raise TypeError(f"X: got {X.dtype}, wanted real numbers, of a floating dtype for the average")
    return k, p, s


def padding_value(mode: str, dtype: torch.dtype) -> float:
    """Return what pads: zero for the average, for the maximum the number that loses every comparison."""
    if mode == "avg":
        return 0
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


class Pool2D(Windowed):
    """The pooling layer: `pool2d` on every channel, with a stride of one window unless said otherwise.

    Example:
        >>> Pool2D(2)(torch.ones(1, 6, 28, 28)).shape
        torch.Size([1, 6, 14, 14])
    """

    pool = staticmethod(pool2d)

    def __init__(
        self,
        pool_size: int | tuple[int, int],
        mode: str = "max",
        *,
        padding: int | tuple[int, int] = 0,
        stride: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        require.one_of("mode", mode, MODES)
        self.mode, self.kernel_size = mode, require.pair("pool_size", pool_size, 1)
        self.padding = require.pair("padding", padding, 0)
        self.stride = self.kernel_size if stride is None else require.pair("stride", stride, 1)

    def forward(self, X: Tensor) -> Tensor:
        return self.pool(X, self.kernel_size, self.mode, padding=self.padding, stride=self.stride)

    def extra_repr(self) -> str:
        return f"{self.kernel_size}, mode={self.mode!r}, padding={self.padding}, stride={self.stride}"
