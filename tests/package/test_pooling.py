"""Chapter 5's module against torch's pooling, gradients at ties included."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, dtypes, layouts, pair, plain_and_fast, random_tensor, seeds
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from convutils import Pool2D, corr2d, pool2d
from convutils.kernels import box

X = torch.arange(9.0).reshape(3, 3)
NATIVE = {"max": F.max_pool2d, "avg": F.avg_pool2d}
modes = st.sampled_from(["max", "avg"])


def native(X, size, mode, **geometry):
    """Run torch's pooling on an input of two, three or four dimensions; whole numbers as float64."""
    batch = (X if X.is_floating_point() else X.double())[(None,) * (4 - X.ndim)]
    return NATIVE[mode](batch, size, **geometry)[(0,) * (4 - X.ndim)].to(X.dtype)


@st.composite
def pools(draw):
    """Draw a window, a padding of at most half of it, a stride, and the size of an input that it fits."""
    k = draw(st.tuples(*2 * [st.integers(1, 4)]))
    p = tuple(draw(st.integers(0, k[a] // 2)) for a in (0, 1))
    s = draw(st.tuples(*2 * [st.integers(1, 5)]))
    n = tuple(max(1, k[a] - 2 * p[a]) + draw(st.integers(0, 6)) for a in (0, 1))
    return n, k, {"padding": draw(st.sampled_from([p[0], p])) if p[0] == p[1] else p, "stride": s}


def test_worked_examples():
    assert pool2d(X, 2).tolist() == [[4, 5], [7, 8]]
    assert pool2d(X, 2, "max").tolist() == [[4, 5], [7, 8]]
    assert pool2d(X, 2, "avg").tolist() == [[2, 3], [5, 6]]


def test_worked_layers():
    X = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert Pool2D(3)(X).tolist() == [[[[10]]]]
    assert Pool2D(3, padding=1, stride=2)(X).tolist() == [[[[5, 7], [13, 15]]]]
    assert Pool2D((2, 3), padding=(0, 1), stride=(2, 3))(X).tolist() == [[[[5, 7], [13, 15]]]]


def test_channels_are_pooled_separately():
    X = torch.arange(16.0).reshape(1, 4, 4)
    both = torch.cat((X, X + 1))
    assert Pool2D(3, padding=1, stride=2)(both).tolist() == [[[5, 7], [13, 15]], [[6, 8], [14, 16]]]


@plain_and_fast("pool2d")
@given(pools(), modes, st.integers(2, 4), dtypes, layouts, seeds)
def test_pool2d_agrees_with_torch(pool2d, drawn, mode, ndim, dtype, layout, seed):
    n, k, geometry = drawn
    if mode == "avg" and dtype == torch.int64:
        dtype = torch.float64
    X = random_tensor((2, 3)[: ndim - 2] + n, seed, dtype, layout)
    assert_close(pool2d(X, k, mode, **geometry), native(X, k, mode, **geometry))


@plain_and_fast("Pool2D")
@given(pools(), modes, seeds)
def test_layer_agrees_with_torch(Pool2D, drawn, mode, seed):
    n, k, geometry = drawn
    X = random_tensor((2, 3, *n), seed)
    theirs = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}[mode]
    assert_close(Pool2D(k, mode, **geometry)(X), theirs(k, **geometry)(X))
    if all(size >= window for size, window in zip(n, k, strict=True)):
        assert_close(Pool2D(k, mode)(X), theirs(k)(X))  # the stride is the window's


def test_pool2d_has_stride_one_and_the_layer_its_window():
    assert pool2d(torch.ones(6, 6), 2).shape == (5, 5) and Pool2D(2)(torch.ones(6, 6)).shape == (3, 3)
    assert Pool2D((2, 3)).stride == (2, 3) and Pool2D(2, stride=1)(torch.ones(6, 6)).shape == (5, 5)


@plain_and_fast("pool2d")
def test_max_pads_with_minus_infinity_and_average_with_zeros_that_count(pool2d):
    X = torch.full((2, 2), -3.0)
    assert pool2d(X, 2, padding=1).tolist() == [[-3] * 3] * 3
    assert pool2d(X, 2, "avg", padding=1)[0].tolist() == [-0.75, -1.5, -0.75]


@plain_and_fast("pool2d")
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_maximum_of_integers(pool2d, dtype):
    lowest = torch.iinfo(dtype).min
    X = torch.tensor([[lowest, lowest], [lowest, 5]], dtype=dtype)
    assert pool2d(X, 2, padding=1).tolist() == [[lowest, lowest, lowest], [lowest, 5, 5], [lowest, 5, 5]]
    assert pool2d(X, 2, padding=1).dtype == dtype


@plain_and_fast("pool2d")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_is_kept(pool2d, dtype):
    assert pool2d(X.to(dtype), 2, "avg").dtype == pool2d(X.to(dtype), 2).dtype == dtype


@plain_and_fast("pool2d")
def test_nan_and_infinity_are_treated_as_in_torch(pool2d):
    X = random_tensor((5, 6))
    X[1, 2], X[4, 4] = torch.nan, -torch.inf
    for mode in ("max", "avg"):
        torch.testing.assert_close(pool2d(X, 2, mode), native(X, 2, mode, stride=1), equal_nan=True)
    assert pool2d(torch.full((2, 2), -torch.inf), 2, padding=1).tolist() == [[-torch.inf] * 3] * 3


@plain_and_fast("pool2d")
@given(pools(), modes, st.integers(2, 4), seeds)
def test_gradients_agree_with_torch_at_ties_too(pool2d, drawn, mode, ndim, seed):
    n, k, geometry = drawn
    shape = (2, 3)[: ndim - 2] + n
    X = torch.randint(3, shape, generator=torch.Generator().manual_seed(seed)).double()  # few values: many ties
    ours, theirs = X.clone().requires_grad_(), X.clone().requires_grad_()
    Y = pool2d(ours, k, mode, **geometry)
    upstream = random_tensor(Y.shape, seed)
    (got,) = torch.autograd.grad(Y, ours, upstream)
    (wanted,) = torch.autograd.grad(native(theirs, k, mode, **geometry), theirs, upstream)
    assert_close(got, wanted)


@plain_and_fast("pool2d")
def test_of_equal_maxima_the_first_gets_the_gradient(pool2d):
    X = torch.zeros(2, 2, requires_grad=True)
    pool2d(X, 2).sum().backward()
    assert X.grad.tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_gradcheck(mode):
    X = torch.randperm(2 * 5 * 6, generator=torch.Generator().manual_seed(0)).double().reshape(2, 5, 6)  # no ties
    assert gradcheck(lambda X: pool2d(X, (3, 2), mode, padding=1, stride=(1, 2)), X.requires_grad_())


def test_average_pooling_is_a_convolution_with_a_box():
    X = random_tensor((7, 8), dtype=torch.float32)
    assert_close(pool2d(X, (2, 3), "avg", stride=2), corr2d(X, box((2, 3)), stride=2))


def test_pooling_has_no_parameters_and_says_what_it_is():
    layer = Pool2D((2, 3), "avg", padding=(1, 0))
    assert not list(layer.parameters())
    assert repr(layer) == "Pool2D((2, 3), mode='avg', padding=(1, 0), stride=(2, 3))"


def test_the_same_stack_with_torchs_layers_has_the_same_attributes():
    for ours, theirs in ((Pool2D(2), nn.MaxPool2d(2)), (Pool2D(3, "avg", padding=1, stride=2), nn.AvgPool2d(3, 2, 1))):
        for name in ("kernel_size", "padding", "stride"):
            assert getattr(ours, name) == pair(getattr(theirs, name))


@plain_and_fast("pool2d")
def test_input_is_left_alone(pool2d):
    X = random_tensor((4, 4))
    before = X.clone()
    pool2d(X, 1, stride=1).add_(1), pool2d(X, 2).add_(1)
    assert torch.equal(X, before)
