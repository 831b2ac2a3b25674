"""Chapter 2's module against torch, SciPy, d2l and the chapter's own double loop."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal
from strategies import assert_close, dtypes, in_double, layouts, pair, plain_and_fast, random_tensor, seeds, windows
from torch.autograd import gradcheck
from torch.nn import functional as F

from convutils import convolve2d, corr2d, im2col

SMALL = torch.arange(9.0).reshape(3, 3), torch.tensor([[0.0, 1], [2, 3]])


def conv2d(X, K, **arguments):
    """Run `F.conv2d` on one image and one kernel."""
    return F.conv2d(X[None, None], K[None, None], **arguments)[0, 0]


def loop(X, K):
    """The definition: a double loop."""
    h, w = K.shape
    Y = X.new_zeros(X.shape[0] - h + 1, X.shape[1] - w + 1)
    for i, j in product(*map(range, Y.shape)):
        Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


# ---- corr2d


def test_worked_example():
    assert corr2d(*SMALL).tolist() == [[19, 25], [37, 43]]


def test_second_worked_example():
    X = torch.tensor([[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]])
    K = torch.tensor([[0, 1, 2], [2, 2, 0], [0, 1, 2]])
    assert corr2d(X, K).tolist() == [[12, 12, 17], [10, 17, 19], [9, 6, 14]]


def test_worked_example_padded():
    assert corr2d(*SMALL, padding=1).tolist() == [[0, 3, 8, 4], [9, 19, 25, 10], [21, 37, 43, 16], [6, 7, 8, 0]]


def test_worked_example_strided():
    assert corr2d(*SMALL, padding=1, stride=(3, 2)).tolist() == [[0, 8], [6, 8]]


def test_vertical_edges():
    X = torch.ones(6, 8)
    X[:, 2:6] = 0
    K = torch.tensor([[1.0, -1]])
    assert corr2d(X, K).tolist() == [[0, 1, 0, 0, 0, -1, 0]] * 6
    assert not corr2d(X.T, K).any()


def test_diagonal_edge():
    X, K = torch.ones(6, 6) - torch.eye(6), torch.tensor([[1.0, -1]])
    Y = corr2d(X, K)
    wanted = torch.zeros(6, 5)
    wanted[range(5), range(5)], wanted[range(1, 6), range(5)] = -1.0, 1.0
    assert torch.equal(Y, wanted)
    assert torch.equal(corr2d(X, K.T), corr2d(X.T, K).T)


@plain_and_fast("corr2d")
@given(windows(), dtypes, layouts, layouts, seeds)
def test_corr2d_agrees_with_torch(corr2d, w, dtype, x_layout, k_layout, seed):
    X, K = random_tensor(w.input_size, seed, dtype, x_layout), random_tensor(w.kernel_size, seed + 1, dtype, k_layout)
    geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation}
    assert_close(corr2d(X, K, **geometry), in_double(conv2d, X, K, **geometry))


@plain_and_fast("corr2d")
@pytest.mark.parametrize(
    "size, kernel",
    [((5, 5), (5, 5)), ((1, 7), (1, 3)), ((7, 1), (3, 1)), ((6, 9), (2, 4)), ((1, 1), (1, 1)), ((8, 5), (4, 5))],
)
def test_corr2d_on_a_grid(corr2d, size, kernel):
    X, K = random_tensor(size), random_tensor(kernel, 1)
    assert_close(corr2d(X, K), loop(X, K))
    for padding, stride, dilation in product((0, 1, 6, (2, 0), (0, 3)), (1, 2, 9, (1, 3), (2, 1)), (1, 2, (1, 2))):
        span = [d * (k - 1) + 1 for d, k in zip(pair(dilation), kernel, strict=True)]
        if all(s <= n + 2 * p for s, n, p in zip(span, size, pair(padding), strict=True)):
            geometry = {"padding": padding, "stride": stride, "dilation": dilation}
            assert_close(corr2d(X, K, **geometry), conv2d(X, K, **geometry))


@given(windows(padded=False, strided=False, dilated=False), seeds)
def test_corr2d_agrees_with_scipy(w, seed):
    X, K = random_tensor(w.input_size, seed), random_tensor(w.kernel_size, seed + 1)
    assert_close(corr2d(X, K), torch.from_numpy(signal.correlate2d(X.numpy(), K.numpy(), "valid")))


@pytest.fixture(scope="module")
def d2l():
    return pytest.importorskip("d2l.torch")


def test_corr2d_agrees_with_d2l(d2l):
    for seed, (size, kernel) in enumerate([((3, 3), (2, 2)), ((6, 8), (1, 2)), ((5, 9), (5, 3)), ((7, 7), (7, 7))]):
        X, K = random_tensor(size, seed, torch.float32), random_tensor(kernel, seed + 9, torch.float32)
        assert_close(corr2d(X, K), d2l.corr2d(X, K))


def test_dtype_is_kept_where_d2l_loses_it(d2l):
    X, K = SMALL[0].double(), SMALL[1].double()
    assert corr2d(X, K).dtype == torch.float64 and d2l.corr2d(X, K).dtype == torch.float32


@plain_and_fast("corr2d")
@pytest.mark.parametrize(
    "dtype",
    [
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.complex64,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
    ],
)
def test_dtype_is_kept(corr2d, dtype):
    Y = corr2d(SMALL[0].to(dtype), SMALL[1].to(dtype), padding=1)
    assert Y.dtype == dtype and Y[1, 1] == 19


@plain_and_fast("corr2d")
def test_pairs_may_be_lists_sizes_or_numpy_ints(corr2d):
    wanted = conv2d(*SMALL, padding=(2, 1), stride=(1, 2))
    for padding in ([2, 1], torch.Size([2, 1]), (np.int64(2), np.int32(1))):
        assert_close(corr2d(*SMALL, padding=padding, stride=[np.int64(1), 2]), wanted)


@plain_and_fast("corr2d")
def test_huge_padding_and_stride(corr2d):
    assert_close(corr2d(*SMALL, padding=50), conv2d(*SMALL, padding=50))
    assert corr2d(*SMALL, stride=99).tolist() == [[19]]


@given(windows(max_kernel=3, max_room=3), seeds)
def test_corr2d_gradients_agree_with_torch(w, seed):
    X, K = random_tensor(w.input_size, seed), random_tensor(w.kernel_size, seed + 1)
    geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation}
    ours, theirs = ([t.clone().requires_grad_() for t in (X, K)] for _ in range(2))
    Y = corr2d(*ours, **geometry)
    upstream = random_tensor(Y.shape, seed + 2)
    for got, wanted in zip(
        torch.autograd.grad(Y, ours, upstream),
        torch.autograd.grad(conv2d(*theirs, **geometry), theirs, upstream),
        strict=True,
    ):
        assert_close(got, wanted)


@pytest.mark.parametrize("geometry", [{}, {"padding": (2, 1), "stride": (1, 2), "dilation": (2, 1)}])
def test_corr2d_gradcheck(geometry):
    inputs = random_tensor((5, 6)).requires_grad_(), random_tensor((2, 3), 1).requires_grad_()
    assert gradcheck(lambda X, K: corr2d(X, K, **geometry), inputs)


def test_nan_spreads_to_the_windows_that_see_it():
    X, K = random_tensor((5, 6)), random_tensor((2, 3), 1)
    X[2, 3] = torch.nan
    assert torch.equal(corr2d(X, K, padding=1).isnan(), conv2d(X, K, padding=1).isnan())


def test_corr2d_is_translation_equivariant():
    K = random_tensor((3, 3))
    X = torch.zeros(12, 12, dtype=torch.float64)
    X[4:7, 4:8] = random_tensor((3, 4), 1)
    shifted = X.roll((2, 1), (0, 1))
    assert torch.equal(corr2d(shifted, K), corr2d(X, K).roll((2, 1), (0, 1)))
    assert torch.equal(corr2d(shifted.roll(1, 1), K, stride=2), corr2d(X, K, stride=2).roll((1, 1), (0, 1)))
    assert not torch.equal(corr2d(shifted, K, stride=2), corr2d(X, K, stride=2).roll((1, 0), (0, 1)))


@plain_and_fast("corr2d")
def test_corr2d_leaves_its_inputs_alone(corr2d):
    X, K = random_tensor((5, 6)), random_tensor((2, 3), 1)
    before = X.clone(), K.clone()
    corr2d(X, K, padding=1).add_(1), convolve2d(X, K).add_(1), im2col(X[None], 1).add_(1)
    assert torch.equal(X, before[0]) and torch.equal(K, before[1])


def test_corr2d_under_vmap():
    X, K = random_tensor((4, 5, 6)), random_tensor((2, 3), 1)
    one = lambda x: corr2d(x, K, padding=1)  # noqa: E731
    assert_close(torch.func.vmap(one)(X), torch.stack([one(x) for x in X]))


# ---- convolve2d


def test_convolve2d_example():
    assert convolve2d(torch.tensor([[1.0, 2, 3]]), torch.tensor([[1.0, 10]])).tolist() == [[1, 12, 23, 30]]


def test_convolution_flips_the_kernel():
    impulse = torch.zeros(3, 3)
    impulse[1, 1] = 1
    K = torch.arange(9.0).reshape(3, 3)
    assert torch.equal(convolve2d(impulse, K, "same"), K)
    assert torch.equal(corr2d(impulse, K, padding=1), K.flip(0, 1))


sides = st.tuples(st.integers(1, 6), st.integers(1, 6))


@given(sides, sides, st.sampled_from(["full", "same", "valid"]), dtypes, layouts, layouts, seeds)
def test_convolve2d_agrees_with_scipy(n, k, mode, dtype, x_layout, k_layout, seed):
    if mode == "valid":  # where SciPy would swap the arguments, ours raises
        n = tuple(map(max, n, k))
    X, K = random_tensor(n, seed, dtype, x_layout), random_tensor(k, seed + 1, dtype, k_layout)
    assert_close(convolve2d(X, K, mode), torch.from_numpy(signal.convolve2d(X.numpy(), K.numpy(), mode)))


def test_convolve2d_valid_does_not_swap_its_arguments():
    with pytest.raises(ValueError, match="^K: "):
        convolve2d(torch.ones(2, 2), torch.ones(5, 5), "valid")


@given(sides, sides, seeds)
def test_full_convolution_commutes(n, k, seed):
    X, K = random_tensor(n, seed), random_tensor(k, seed + 1)
    assert_close(convolve2d(X, K), convolve2d(K, X))


def test_convolve2d_gradcheck():
    inputs = random_tensor((3, 4)).requires_grad_(), random_tensor((2, 3), 1).requires_grad_()
    for mode in ("full", "same", "valid"):
        assert gradcheck(lambda X, K: convolve2d(X, K, mode), inputs)  # noqa: B023


# ---- im2col


def test_im2col_example():
    patches = im2col(torch.arange(1.0, 10).reshape(1, 3, 3), 2)
    assert patches.tolist() == [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    assert (torch.tensor([1.0, 2, 3, 4]) @ patches).tolist() == [37, 47, 67, 77]


def test_im2col_rows_are_kernel_places_and_columns_are_positions():
    patches = im2col(torch.arange(12.0).reshape(1, 3, 4), 2)  # the 3×3 input's matrix is symmetric: this one tells
    assert patches.shape == (4, 6)
    assert patches[:, 1].tolist() == [1, 2, 5, 6] and patches[1].tolist() == [1, 2, 3, 5, 6, 7]


@given(windows(), st.integers(0, 3), st.integers(1, 3), dtypes, layouts, seeds)
def test_im2col_agrees_with_unfold(w, batch, channels, dtype, layout, seed):
    shape = (batch, channels, *w.input_size) if batch else (channels, *w.input_size)
    X = random_tensor(shape, seed, dtype, layout)
    geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation}
    wanted = in_double(F.unfold, X, kernel_size=w.kernel_size, **geometry)
    assert torch.equal(im2col(X, w.kernel_size, **geometry), wanted)


def test_im2col_gradcheck():
    assert gradcheck(lambda X: im2col(X, (2, 3), padding=(1, 2), stride=2), random_tensor((2, 3, 4)).requires_grad_())


# ---- the learner's question: learning a kernel by gradient descent


def learn(X, teacher, lr, steps, seed=0):
    """Learn a kernel by plain gradient descent on the summed squared error; return it and the losses."""
    Y = corr2d(X, teacher)
    K = random_tensor(teacher.shape, seed).requires_grad_()
    losses = []
    for _ in range(steps):
        loss = ((corr2d(X, K) - Y) ** 2).sum()
        losses.append(loss.item())
        (gradient,) = torch.autograd.grad(loss, K)
        K = (K - lr * gradient).detach().requires_grad_()
    return K.detach(), losses


STRIPES = torch.ones(6, 8, dtype=torch.float64)
STRIPES[:, 2:6] = 0
TEACHER = torch.tensor([[1.0, -1], [-4, 2]], dtype=torch.float64)


@pytest.mark.parametrize("kernel_size, curvatures", [((1, 2), [12, 60]), ((2, 2), [0, 0, 20, 100])])
def test_curvatures(kernel_size, curvatures):
    P = im2col(STRIPES[None], kernel_size)
    assert torch.linalg.eigvalsh(2 * P @ P.T).tolist() == pytest.approx(curvatures, abs=1e-9)


def test_edge_kernel_is_learned():
    K, losses = learn(STRIPES, torch.tensor([[1.0, -1]], dtype=torch.float64), lr=3e-2, steps=10)
    assert losses[-1] < losses[0] / 10 and K.tolist()[0] == pytest.approx([1, -1], abs=0.15)


def test_two_by_two_kernel_diverges_with_too_large_a_rate():
    losses = learn(STRIPES, TEACHER, lr=0.03, steps=11)[1]
    assert 1e6 < losses[10] < 1e9 and losses[10] / losses[9] == pytest.approx(4, rel=0.01)


def test_two_by_two_kernel_is_determined_only_in_its_column_sums():
    K, losses = learn(STRIPES, TEACHER, lr=0.015, steps=200)
    assert losses[-1] < 1e-10
    assert K.sum(0).tolist() == pytest.approx([-3, 1], abs=1e-5) and (K - TEACHER).abs().max() > 0.5


def test_a_single_black_pixel_determines_the_kernel():
    X = torch.ones(6, 8, dtype=torch.float64)
    X[3, 4] = 0
    assert torch.linalg.matrix_rank(im2col(X[None], 2)) == 4
    assert torch.linalg.matrix_rank(im2col(STRIPES[None], 2)) == 2
    diagonal = torch.tensor([[float((i - j) % 3 == 0) for j in range(8)] for i in range(6)], dtype=torch.float64)
    assert torch.linalg.matrix_rank(im2col(diagonal[None], 2)) == 3
