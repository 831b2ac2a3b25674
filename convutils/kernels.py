"""Kernels made by hand: derivatives, edges and blurs.

Each is a tensor of rows × columns on the CPU, of torch's default dtype, as a tensor written down in torch is.
"""

from collections.abc import Sequence
from math import comb, hypot, inf
from numbers import Real

import torch
from torch import Tensor

from convutils import _arguments as require


def finite_difference(order: int) -> Tensor:
    """Make the smallest kernel for the derivative of this order along a row.

    Cross-correlation with it gives the forward difference: order 1 is x[j+1] - x[j].

    Returns:
        1 × (order + 1) taps, per pixel to the power of the order.

    Example:
        >>> finite_difference(1), finite_difference(2)
        (tensor([[-1.,  1.]]), tensor([[ 1., -2.,  1.]]))
    """
    order = require.integer("order", order, 0)
    return _taps([[(-1.0) ** (order - j) * comb(order, j) for j in range(order + 1)]])


def laplacian(neighbours: int = 4) -> Tensor:
    """Make the kernel that sums the differences to the 4 or the 8 neighbours.

    With 4 it approximates the Laplacian ∇², with 8 three times the Laplacian.

    Returns:
        3 × 3 taps, per pixel squared.

    Example:
        >>> laplacian(4)
        tensor([[ 0.,  1.,  0.],
                [ 1., -4.,  1.],
                [ 0.,  1.,  0.]])
    """
    require.one_of("neighbours", neighbours, (4, 8))
    corner = float(neighbours == 8)
    return _taps([[corner, 1, corner], [1, -neighbours, 1], [corner, 1, corner]])


def box(size: int | tuple[int, int]) -> Tensor:
    """Make the kernel of equal weights that sum to 1: a local mean over `size` pixels, an int or a pair.

    Returns:
        Rows × columns weights without unit.

    Example:
        >>> box(2)
        tensor([[0.2500, 0.2500],
                [0.2500, 0.2500]])
    """
    k_h, k_w = require.pair("size", size, 1)
    return _taps([[1 / (k_h * k_w)] * k_w] * k_h)


def gaussian(size: int | tuple[int, int], sigma: float) -> Tensor:
    """Sample a Gaussian of standard deviation `sigma` pixels on `size` pixels, an int or a pair, scaled to sum 1.

    Returns:
        Rows × columns weights without unit.

    Example:
        >>> gaussian(3, 1.0)[1]
        tensor([0.1238, 0.2042, 0.1238])
    """
    size = require.pair("size", size, 1)
    require.positive("sigma", sigma)
    # softmax: the exponentials, scaled to sum 1, without dividing 0 by 0 where sigma is small
    rows, columns = (torch.softmax(-((_taps(range(k)) - (k - 1) / 2) / sigma).square() / 2, 0) for k in size)
    return rows[:, None] * columns


def edge(direction: tuple[float, float]) -> Tensor:
    """Make the kernel (Sobel's) for the derivative along a direction (rows, columns).

    It answers most to edges at right angles to the direction; a ramp that grows by 1 a pixel along it gives 1.

    Returns:
        3 × 3 taps, per pixel.

    Example:
        >>> edge((0, 1)) * 8
        tensor([[-1.,  0.,  1.],
                [-2.,  0.,  2.],
                [-1.,  0.,  1.]])
    """
    if not isinstance(direction, (tuple, list)) or not all(isinstance(v, Real) for v in direction):
        raise TypeError(f"direction: got {direction!r}, wanted two numbers (rows, columns)")
    length = hypot(*direction)
    if len(direction) != 2 or not 0 < length < inf:
        raise ValueError(f"direction: got {direction!r}, wanted two numbers (rows, columns), not both 0")
    columns = _taps([1, 2, 1])[:, None] * _taps([-1, 0, 1]) / 8
    return (direction[0] * columns.T + direction[1] * columns) / length


def _taps(numbers: Sequence) -> Tensor:
    """Return numbers as a tensor of the default dtype, whole numbers too, whatever the default device is."""
    return torch.tensor(numbers, dtype=torch.get_default_dtype(), device="cpu")
