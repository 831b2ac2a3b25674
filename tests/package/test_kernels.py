"""The kernels made by hand, against what they promise to do to polynomials, ramps and steps."""

from math import factorial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal
from strategies import assert_close

from convutils import corr2d, kernels


@given(st.integers(0, 7))
def test_finite_difference_annihilates_lower_polynomials_and_scales_its_own(order):
    K = kernels.finite_difference(order).double()
    assert K.shape == (1, order + 1)
    x = torch.arange(12.0, dtype=torch.float64)
    for degree in range(order + 1):
        wanted = factorial(order) if degree == order else 0
        assert corr2d((x**degree)[None], K).tolist() == [[wanted] * (12 - order)]


def test_finite_differences_by_hand():
    taps = [kernels.finite_difference(d)[0].tolist() for d in range(4)]
    assert taps == [[1], [-1, 1], [1, -2, 1], [-1, 3, -3, 1]]


def test_finite_difference_has_as_few_taps_as_can_be():
    # d taps that annihilate all polynomials of degree < d solve a Vandermonde system, whose only solution is zero
    for d in range(1, 6):
        vandermonde = torch.vander(torch.arange(float(d)), d)
        assert torch.linalg.matrix_rank(vandermonde.double()) == d


def test_laplacians():
    assert kernels.laplacian().tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    assert kernels.laplacian(8).tolist() == [[1, 1, 1], [1, -8, 1], [1, 1, 1]]


def test_laplacians_of_a_quadratic():
    i, j = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    X = 2 * i**2 + 3 * j**2 + 5 * i * j - i + 4  # its Laplacian is 4 + 6 everywhere
    assert corr2d(X, kernels.laplacian(4)).unique().tolist() == [10]
    assert corr2d(X, kernels.laplacian(8)).unique().tolist() == [30]


def test_what_answers_the_laplacian_most():
    K, places = kernels.laplacian(4), torch.arange(7)
    point, line, corner, step = (torch.zeros(7, 7) for _ in range(4))
    point[3, 3], line[:, 3], corner[3:, 3:], step[:, 3:] = 1, 1, 1, 1
    ramp = places.float().expand(7, 7)
    assert [corr2d(X, K).abs().max().item() for X in (point, line, corner, step, ramp)] == [4, 2, 2, 1, 0]


@given(st.integers(1, 6), st.integers(1, 6))
def test_box_is_the_mean(rows, columns):
    K = kernels.box((rows, columns))
    assert K.shape == (rows, columns) and K.unique().numel() == 1 and K.sum() == pytest.approx(1)
    X = torch.rand(rows, columns, generator=torch.Generator().manual_seed(0))
    assert_close(corr2d(X, K)[0, 0], X.mean())


def test_box_of_an_int_is_square():
    assert torch.equal(kernels.box(3), kernels.box((3, 3)))


@given(st.integers(1, 8), st.integers(1, 8), st.floats(1e-3, 50))
def test_gaussian_is_scipys_scaled_to_one(rows, columns, sigma):
    K = kernels.gaussian((rows, columns), sigma)
    assert K.isfinite().all() and K.sum() == pytest.approx(1) and torch.equal(K, K.flip(0, 1))
    if sigma > 0.1:
        by_axis = [torch.from_numpy(signal.windows.gaussian(n, sigma)).float() for n in (rows, columns)]
        wanted = by_axis[0][:, None] * by_axis[1]
        assert_close(K, wanted / wanted.sum(), rtol=1e-4, atol=1e-6)


def test_gaussian_worked_numbers():
    assert kernels.gaussian(3, 1.0)[1].tolist() == pytest.approx([0.1238, 0.2042, 0.1238], abs=5e-5)
    assert kernels.gaussian(3, 1e-3).tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert kernels.gaussian(2, 1e-3).tolist() == [[0.25, 0.25], [0.25, 0.25]]
    assert kernels.gaussian(5, 1)[2, 3] / kernels.gaussian(5, 1)[2, 2] == pytest.approx(torch.e**-0.5)


def test_gaussian_spreads_by_sigma():
    row = kernels.gaussian((1, 61), 3)[0].double()
    places = torch.arange(-30.0, 31)
    assert (row * places).sum() == pytest.approx(0, abs=1e-6)
    assert (row * places**2).sum().sqrt() == pytest.approx(3, abs=1e-4)


def test_edge_is_sobels():
    X = torch.rand(6, 7, generator=torch.Generator().manual_seed(0))
    for direction, axis in (((1, 0), 0), ((0, 1), 1)):
        wanted = torch.from_numpy(ndimage.sobel(X.numpy(), axis) / 8)[1:-1, 1:-1]
        assert_close(corr2d(X, kernels.edge(direction)), wanted)


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_edge_measures_the_derivative_along_its_direction(rows, columns):
    length = (rows**2 + columns**2) ** 0.5
    if length < 1e-3:
        return
    i, j = torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij")
    along, across = (rows * i + columns * j) / length, (columns * i - rows * j) / length
    K = kernels.edge((rows, columns))
    assert corr2d(along, K).flatten().tolist() == pytest.approx([1] * 9, abs=1e-5)
    assert corr2d(across, K).flatten().tolist() == pytest.approx([0] * 9, abs=1e-5)


def test_edge_turns_with_its_direction():
    assert torch.equal(kernels.edge((1, 0)), kernels.edge((0, 1)).T)
    assert torch.equal(kernels.edge((0, -2)), -kernels.edge((0, 1)))
    assert_close(kernels.edge([1, 1]), (kernels.edge((1, 0)) + kernels.edge((0, 1))) / 2**0.5)
