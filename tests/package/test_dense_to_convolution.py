"""Chapter 1's module against torch, SciPy and the dense layer it stands for."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal
from strategies import assert_close, dtypes, in_double, layouts, random_tensor, seeds
from torch.autograd import gradcheck
from torch.nn import functional as F

from convutils import corr1d, corr2d, corr3d, toeplitz2d


def sizes(dimensions):
    """Draw a kernel's size and the size of an input at least as large."""
    axis = st.integers(1, 4).flatmap(lambda k: st.tuples(st.just(k), st.integers(k, k + 4)))
    return st.tuples(*dimensions * [axis]).map(lambda axes: tuple(zip(*axes, strict=True)))


def test_corr1d_example():
    assert corr1d(torch.arange(7.0), torch.tensor([1.0, 2])).tolist() == [2, 5, 8, 11, 14, 17]


def test_corr1d_starts_at_the_first_sample():
    # the formula with a from 1 to h, x[i + a], would skip x[0]
    x, k = torch.tensor([5.0, 0, 0]), torch.tensor([1.0, 0])
    assert corr1d(x, k).tolist() == [5, 0]


@given(sizes(1), dtypes, layouts, layouts, seeds)
def test_corr1d_agrees_with_torch_and_scipy(size, dtype, x_layout, k_layout, seed):
    (k_size, n) = size
    x, k = random_tensor(n, seed, dtype, x_layout), random_tensor(k_size, seed + 1, dtype, k_layout)
    wanted = in_double(lambda x, k: F.conv1d(x[None, None], k[None, None])[0, 0], x, k)
    assert_close(corr1d(x, k), wanted)
    assert_close(corr1d(x, k), torch.from_numpy(signal.correlate(x.numpy(), k.numpy(), "valid")))


@given(sizes(3), dtypes, layouts, layouts, seeds)
def test_corr3d_agrees_with_torch(size, dtype, v_layout, k_layout, seed):
    (k_size, n) = size
    V, K = random_tensor(n, seed, dtype, v_layout), random_tensor(k_size, seed + 1, dtype, k_layout)
    assert_close(corr3d(V, K), in_double(lambda V, K: F.conv3d(V[None, None], K[None, None])[0, 0], V, K))


def test_corr3d_agrees_with_scipy():
    V, K = random_tensor((4, 5, 6)), random_tensor((2, 3, 1), 1)
    assert_close(corr3d(V, K), torch.from_numpy(signal.correlate(V.numpy(), K.numpy(), "valid")))


@given(sizes(2), dtypes, layouts, layouts, seeds)
def test_toeplitz_times_pixels_is_corr2d(size, dtype, x_layout, k_layout, seed):
    (k_size, n) = size
    X, K = random_tensor(n, seed, dtype, x_layout), random_tensor(k_size, seed + 1, dtype, k_layout)
    T = toeplitz2d(K, n)
    assert T.shape == ((n[0] - k_size[0] + 1) * (n[1] - k_size[1] + 1), n[0] * n[1])
    assert_close(T @ X.flatten(), corr2d(X, K).flatten())


def test_toeplitz_takes_an_int_for_a_square_input():
    K = random_tensor((2, 3))
    assert torch.equal(toeplitz2d(K, 4), toeplitz2d(K, (4, 4)))


def test_toeplitz_is_doubly_block_toeplitz():
    K = torch.arange(1.0, 7).reshape(2, 3)
    T = toeplitz2d(K, (4, 5)).reshape(3, 3, 4, 5)  # output rows and columns, input rows and columns
    for i in range(2):
        assert torch.equal(T[i + 1, :, 1:], T[i, :, :-1])  # one row further down, the same weights one row further down
        assert torch.equal(T[:, i + 1, :, 1:], T[:, i, :, :-1])


def test_dense_layer_with_both_principles_is_a_padded_cross_correlation():
    # a dense layer on a 5×6 image, whose weights depend on the offset alone and vanish beyond Δ in rows *or* columns
    (h, w), reach = (5, 6), 1
    V = random_tensor((2 * reach + 1, 2 * reach + 1))
    W = torch.zeros(h, w, h, w, dtype=V.dtype)
    for i in range(h):
        for j in range(w):
            for k in range(h):
                for m in range(w):
                    if abs(k - i) <= reach and abs(m - j) <= reach:
                        W[i, j, k, m] = V[k - i + reach, m - j + reach]
    X = random_tensor((h, w), 1)
    H = torch.einsum("ijkl,kl->ij", W, X)
    assert_close(H, corr2d(X, V, padding=reach))
    padded = toeplitz2d(V, (h + 2, w + 2)).reshape(h * w, h + 2, w + 2)
    assert torch.equal(padded[:, 1:-1, 1:-1].reshape(h * w, h * w), W.reshape(h * w, h * w))


@pytest.mark.parametrize("function, x, k", [(corr1d, (6,), (3,)), (corr3d, (3, 4, 3), (2, 2, 3))])
def test_gradients_of_correlations(function, x, k):
    assert gradcheck(function, [random_tensor(size, seed).requires_grad_() for seed, size in enumerate((x, k))])


def test_gradient_through_toeplitz():
    assert gradcheck(lambda K: toeplitz2d(K, (3, 5)), random_tensor((2, 3)).requires_grad_())


def test_inputs_are_left_alone():
    X, K = random_tensor((4, 5, 6)), random_tensor((2, 2, 2), 1)
    before = X.clone(), K.clone()
    corr3d(X, K), corr1d(X[0, 0], K[0, 0]), toeplitz2d(K[0], (4, 4))
    assert torch.equal(X, before[0]) and torch.equal(K, before[1])
