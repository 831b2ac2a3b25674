"""Kernels made by hand: derivatives, edges and blurs, as tensors of rows × columns."""

from math import comb, hypot, inf
from numbers import Real

import torch

from convutils import _arguments as require


def finite_difference(order):
    """Return the smallest kernel, 1 × (order + 1), for the derivative of this order along a row.

    Cross-correlation with it gives the forward difference: order 1 is x[j+1] - x[j].

    Example:
        >>> finite_difference(1), finite_difference(2)
        (tensor([[-1.,  1.]]), tensor([[ 1., -2.,  1.]]))
    """
    order = require.integer("order", order, 0)
    return torch.tensor([[(-1.0) ** (order - j) * comb(order, j) for j in range(order + 1)]])


def laplacian(neighbours=4):
    """Return the 3×3 kernel that sums the differences to the 4 or the 8 neighbours.

    With 4 it approximates the Laplacian ∇², with 8 three times the Laplacian.

    Example:
        >>> laplacian(4)
        tensor([[ 0.,  1.,  0.],
                [ 1., -4.,  1.],
                [ 0.,  1.,  0.]])
    """
    require.one_of("neighbours", neighbours, (4, 8))
    corner = float(neighbours == 8)
    return torch.tensor([[corner, 1, corner], [1, -neighbours, 1], [corner, 1, corner]])


def box(size):
    """Return the kernel of equal weights that sum to 1: a local mean; `size` is an int or a pair.

    Example:
        >>> box(2)
        tensor([[0.2500, 0.2500],
                [0.2500, 0.2500]])
    """
    k_h, k_w = require.pair("size", size, 1)
    return torch.full((k_h, k_w), 1 / (k_h * k_w))


def gaussian(size, sigma):
    """Return a Gaussian of standard deviation `sigma` pixels, sampled on `size`, cut there and scaled to sum 1.

    Example:
        >>> gaussian(3, 1.0)[1]
        tensor([0.1238, 0.2042, 0.1238])
    """
    size = require.pair("size", size, 1)
    require.positive("sigma", sigma)
    # softmax: the exponentials, scaled to sum 1, without dividing 0 by 0 where sigma is small
    rows, columns = (torch.softmax(-(((torch.arange(k) - (k - 1) / 2) / sigma) ** 2) / 2, 0) for k in size)
    return rows[:, None] * columns


def edge(direction):
    """Return the 3×3 kernel (Sobel's) for the derivative along a direction (rows, columns).

    It answers most to edges at right angles to the direction; a ramp that grows by 1 a pixel along it gives 1.

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
    columns = torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([-1.0, 0, 1]) / 8
    return (direction[0] * columns.T + direction[1] * columns) / length
