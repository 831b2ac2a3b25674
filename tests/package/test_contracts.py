"""What every function that computes with tensors promises, tested for all of them alike, against torch or SciPy.

Gradients of first and second order, NaN and infinities, `torch.func.vmap` and `torch.compile`, batches of 0 and 1.
The values themselves, over dtypes and layouts in memory, are in each topic's own tests.
"""

import shutil
from functools import partial
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import assert_close, random_tensor, seeds, windows
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import vmap
from torch.nn import functional as F

from convutils import (
    Conv2D,
    Pool2D,
    compose_kernels,
    convolve2d,
    corr1d,
    corr2d,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
    corr3d,
    fast,
    im2col,
    output_size,
    pool2d,
    toeplitz2d,
)

some = settings(max_examples=max(1, settings().max_examples // 5))  # of the profile's: each of these costs many calls


class Call(NamedTuple):
    """One function with all but its tensors given, torch's way to the same result, and the shapes of the tensors."""

    ours: object
    theirs: object
    shapes: tuple


# ---- how each function is called, drawn at random

small_windows = partial(windows, max_kernel=3, max_room=3)
few = st.integers(1, 3)


@st.composite
def correlations(draw, ours, dimensions):
    k = draw(st.tuples(*dimensions * [few]))
    n = tuple(size + draw(st.integers(0, 3)) for size in k)
    native = (F.conv1d, F.conv2d, F.conv3d)[dimensions - 1]
    return Call(ours, lambda X, K: native(X[None, None], K[None, None])[0, 0], (n, k))


@st.composite
def toeplitz_calls(draw):
    call = draw(correlations(corr2d, 2))
    n, k = call.shapes
    pixels = torch.eye(n[0] * n[1], dtype=torch.float64).reshape(-1, 1, *n)  # a column each
    return Call(partial(toeplitz2d, input_size=n), lambda K: F.conv2d(pixels, K[None, None]).flatten(1).T, (k,))


@st.composite
def corr2d_calls(draw, ours=corr2d):
    w = draw(small_windows())
    geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation}
    return Call(
        partial(ours, **geometry),
        lambda X, K: F.conv2d(X[None, None], K[None, None], **geometry)[0, 0],
        (w.input_size, w.kernel_size),
    )


@st.composite
def convolve2d_calls(draw):
    k = draw(st.tuples(few, few))
    n = tuple(size + draw(st.integers(0, 3)) for size in k)
    mode = draw(st.sampled_from(["full", "same", "valid"]))

    def theirs(X, K):
        full = F.conv2d(X[None, None], K.flip(0, 1)[None, None], padding=(k[0] - 1, k[1] - 1))[0, 0]
        top, left = {"full": (0, 0), "same": ((k[0] - 1) // 2, (k[1] - 1) // 2), "valid": (k[0] - 1, k[1] - 1)}[mode]
        rows, columns = {"full": full.shape, "same": n, "valid": (n[0] - k[0] + 1, n[1] - k[1] + 1)}[mode]
        return full[top : top + rows, left : left + columns]

    return Call(partial(convolve2d, mode=mode), theirs, (n, k))


batches = st.sampled_from([(), (1,), (2,)])


@st.composite
def im2col_calls(draw, batch=batches):
    w = draw(small_windows())
    arguments = {"kernel_size": w.kernel_size, "padding": w.padding, "stride": w.stride, "dilation": w.dilation}
    return Call(
        partial(im2col, **arguments), partial(F.unfold, **arguments), ((*draw(batch), draw(few), *w.input_size),)
    )


@st.composite
def bank_calls(draw, ours=corr2d_multi_in_out, batch=batches):
    w, c_i, c_o = draw(small_windows(dilated=False)), draw(few), draw(few)
    geometry = {"padding": w.padding, "stride": w.stride}
    shapes = (*draw(batch), c_i, *w.input_size), (c_o, c_i, *w.kernel_size), (c_o,)
    return Call(
        partial(ours, **geometry),
        partial(F.conv2d, **geometry),
        shapes if draw(st.booleans()) else shapes[:2],
    )  # with a bias and without


@st.composite
def layer_calls(draw, kind=Conv2D, batch=batches):
    w, c_i, c_o = draw(small_windows(dilated=False)), draw(few), draw(few)
    geometry = {"padding": w.padding, "stride": w.stride}
    layer = kind(w.kernel_size, c_i, c_o, **geometry)

    def ours(X, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (X,))

    return Call(
        ours, partial(F.conv2d, **geometry), ((*draw(batch), c_i, *w.input_size), (c_o, c_i, *w.kernel_size), (c_o,))
    )


@st.composite
def multi_in_calls(draw):
    call, c = draw(correlations(corr2d, 2)), draw(few)
    n, k = call.shapes
    return Call(corr2d_multi_in, lambda X, K: F.conv2d(X[None], K[None])[0, 0], ((c, *n), (c, *k)))


@st.composite
def one_by_one_calls(draw):
    c_i, c_o, h, w = draw(st.tuples(few, few, few, few))
    return Call(corr2d_multi_in_out_1x1, F.conv2d, ((c_i, h, w), (c_o, c_i, 1, 1)))


@st.composite
def compose_calls(draw):
    c_i, c_mid, c_o, *k = draw(st.tuples(*7 * [few]))

    def theirs(W1, W2):
        return F.conv2d(W1.transpose(0, 1), W2.flip(2, 3), padding=(k[2] - 1, k[3] - 1)).transpose(0, 1)

    return Call(compose_kernels, theirs, ((c_mid, c_i, k[0], k[1]), (c_o, c_mid, k[2], k[3])))


@st.composite
def pool_calls(draw, mode, ours=pool2d, batch=batches):
    k = draw(st.tuples(few, few))
    p = tuple(draw(st.integers(0, size // 2)) for size in k)
    n = tuple(max(1, k[a] - 2 * p[a]) + draw(st.integers(0, 4)) for a in (0, 1))
    geometry = {"padding": p, "stride": draw(st.tuples(few, few))}
    native = {"max": F.max_pool2d, "avg": F.avg_pool2d}[mode]
    function = (
        ours(k, mode, **geometry) if isinstance(ours, type) else partial(ours, pool_size=k, mode=mode, **geometry)
    )
    return Call(function, partial(native, kernel_size=k, **geometry), ((*draw(batch), draw(few), *n),))


CALLS = {
    "corr1d": correlations(corr1d, 1),
    "corr3d": correlations(corr3d, 3),
    "toeplitz2d": toeplitz_calls(),
    "corr2d": corr2d_calls(),
    "convolve2d": convolve2d_calls(),
    "im2col": im2col_calls(),
    "Conv2D": layer_calls(),
    "corr2d_multi_in": multi_in_calls(),
    "corr2d_multi_in_out": bank_calls(),
    "corr2d_multi_in_out_1x1": one_by_one_calls(),
    "compose_kernels": compose_calls(),
    "pool2d max": pool_calls("max"),
    "pool2d avg": pool_calls("avg"),
    "Pool2D max": pool_calls("max", Pool2D),
    "Pool2D avg": pool_calls("avg", Pool2D),
    "fast.corr2d": corr2d_calls(fast.corr2d),
    "fast.corr2d_multi_in_out": bank_calls(fast.corr2d_multi_in_out),
    "fast.Conv2D": layer_calls(fast.Conv2D),
    "fast.pool2d max": pool_calls("max", fast.pool2d),
    "fast.pool2d avg": pool_calls("avg", fast.pool2d),
    "fast.Pool2D max": pool_calls("max", fast.Pool2D),
}
each_function = pytest.mark.parametrize("name", CALLS)


def tensors(shapes, seed):
    """Return one tensor for each shape, without equal numbers: at a tie a maximum has no derivative."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randperm(torch.Size(shape).numel(), generator=generator).reshape(shape).double() / 7 - 1
        for shape in shapes
    ]


# ---- values and gradients


@each_function
@given(st.data(), seeds)
def test_values_and_gradients_agree(name, data, seed):
    call = data.draw(CALLS[name])
    ours, theirs = ([t.requires_grad_() for t in tensors(call.shapes, seed)] for _ in range(2))
    Y, wanted = call.ours(*ours), call.theirs(*theirs)
    assert_close(Y, wanted)
    upstream = random_tensor(Y.shape, seed)
    for got, gradient in zip(
        torch.autograd.grad(Y, ours, upstream), torch.autograd.grad(wanted, theirs, upstream), strict=True
    ):
        assert_close(got, gradient)


@each_function
@some
@given(st.data(), seeds)
def test_gradients_are_the_derivatives_and_can_be_derived_again(name, data, seed):
    call = data.draw(CALLS[name])
    inputs = [t.requires_grad_() for t in tensors(call.shapes, seed)]
    # a random direction instead of every entry: the same proof, at a tenth of the cost
    assert gradcheck(call.ours, inputs, fast_mode=True)
    assert gradgradcheck(call.ours, inputs, fast_mode=True)


# ---- NaN and infinities


# toeplitz2d has a test of its own: its reference multiplies, and 0·∞ is NaN
@pytest.mark.parametrize("name", [name for name in CALLS if name != "toeplitz2d"])
@given(st.data(), seeds, st.sampled_from([torch.nan, torch.inf, -torch.inf]))
def test_nan_and_infinity_spread_as_in_torch(name, data, seed, value):
    call = data.draw(CALLS[name])
    inputs = tensors(call.shapes, seed)
    poisoned = inputs[data.draw(st.integers(0, len(inputs) - 1))].flatten()
    poisoned[data.draw(st.integers(0, len(poisoned) - 1))] = value  # of a fresh tensor the flat one is a view
    got, wanted = call.ours(*inputs), call.theirs(*inputs)
    torch.testing.assert_close(got, wanted, equal_nan=True, rtol=1e-10, atol=1e-10)


def test_toeplitz2d_places_nan_where_it_places_the_weight():
    K = torch.arange(1.0, 7).reshape(2, 3)
    T = toeplitz2d(K, (4, 5))
    assert torch.equal(toeplitz2d(K.where(K != 5, torch.nan), (4, 5)).isnan(), T == 5)


# ---- batches

BATCHED = {
    "im2col": im2col_calls,
    "corr2d_multi_in_out": bank_calls,
    "Conv2D": layer_calls,
    "pool2d max": partial(pool_calls, "max"),
    "pool2d avg": partial(pool_calls, "avg"),
    "Pool2D max": partial(pool_calls, "max", Pool2D),
    "fast.corr2d_multi_in_out": partial(bank_calls, fast.corr2d_multi_in_out),
    "fast.Conv2D": partial(layer_calls, fast.Conv2D),
    "fast.pool2d max": partial(pool_calls, "max", fast.pool2d),
    "fast.pool2d avg": partial(pool_calls, "avg", fast.pool2d),
}


@pytest.mark.parametrize("name", BATCHED)
@some
@given(st.data(), st.integers(0, 1), seeds)
def test_batches_of_no_image_and_of_one_are_batches(name, data, n, seed):
    call = data.draw(BATCHED[name](batch=st.just((n,))))
    ours, theirs = ([t.requires_grad_() for t in tensors(call.shapes, seed)] for _ in range(2))
    Y, wanted = call.ours(*ours), call.theirs(*theirs)
    assert len(Y) == n
    assert_close(Y, wanted)
    for got, gradient in zip(
        torch.autograd.grad(Y.sum(), ours), torch.autograd.grad(wanted.sum(), theirs), strict=True
    ):
        assert_close(got, gradient)


# ---- a network of our layers


@st.composite
def networks(draw):
    """Draw a small network of torch's convolutions and poolings, some of them nested, and the shape of its images."""
    layers, c, n = [], draw(few), (draw(st.integers(5, 9)), draw(st.integers(5, 9)))
    shape = (draw(st.integers(0, 2)), c, *n)
    for kind in draw(st.lists(st.sampled_from(["conv", "max", "avg", "each"]), min_size=1, max_size=4)):
        k, c_out = draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), draw(st.integers(2, 3))
        padding, stride = draw(st.sampled_from([0, (k[0] // 2, k[1] // 2)])), draw(st.sampled_from([1, 1, 2]))
        if kind == "each" or min(n) < 3:
            layers.append(nn.ReLU())
            continue
        layers.append(
            nn.Conv2d(c, c_out, k, stride, padding)
            if kind == "conv"
            else {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}[kind](k, stride, padding)
        )
        c = c_out if kind == "conv" else c
        n = output_size(n, k, padding=padding, stride=stride)
    return nn.Sequential(*layers[:1], nn.Sequential(*layers[1:])).double(), shape


@given(networks(), st.booleans(), seeds)
def test_a_network_of_our_layers_gives_the_same(drawn, plain, seed):
    net, shape = drawn
    own, X = fast.with_own_layers(net, plain=plain), tensors([shape], seed)[0]
    ours, theirs = X.clone().requires_grad_(), X.clone().requires_grad_()
    Y, wanted = own(ours), net(theirs)
    assert_close(Y, wanted)
    upstream = random_tensor(Y.shape, seed)
    for got, gradient in zip(
        torch.autograd.grad(Y, [ours, *own.parameters()], upstream),
        torch.autograd.grad(wanted, [theirs, *net.parameters()], upstream),
        strict=True,
    ):
        assert_close(got, gradient)
    assert not any(isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)) for layer in own.modules())
    assert not any(isinstance(layer, (Conv2D, Pool2D)) for layer in net.modules())  # it is a copy


@pytest.mark.parametrize("plain", [True, False])
def test_a_single_layer_becomes_ours_too(plain):
    kinds = (Conv2D, Pool2D) if plain else (fast.Conv2D, fast.Pool2D)
    own = [fast.with_own_layers(layer, plain=plain) for layer in (nn.Conv2d(1, 1, 3), nn.MaxPool2d(2).eval())]
    assert tuple(map(type, own)) == kinds and [layer.training for layer in own] == [True, False]


# ---- vmap and compile


@each_function
@some
@given(st.data(), st.integers(1, 3), seeds)
def test_vmap_is_a_loop(name, data, n, seed):
    call = data.draw(CALLS[name])
    inputs = tensors([(n, *shape) for shape in call.shapes], seed)
    mapped = data.draw(st.lists(st.booleans(), min_size=len(inputs), max_size=len(inputs)).filter(any))
    arguments = [t if over else t[0] for t, over in zip(inputs, mapped, strict=True)]
    loop = [call.ours(*(t[i] if over else t for t, over in zip(arguments, mapped, strict=True))) for i in range(n)]
    in_dims = tuple(0 if over else None for over in mapped)
    assert_close(vmap(call.ours, in_dims)(*arguments), torch.stack(loop))


@each_function
@some
@given(st.data(), seeds)
def test_gradients_under_vmap_are_those_of_each_alone(name, data, seed):
    call = data.draw(CALLS[name])
    inputs = tensors([(2, *shape) for shape in call.shapes], seed)
    gradient = torch.func.grad(lambda *t: call.ours(*t).square().sum(), tuple(range(len(inputs))))
    each = [gradient(*(t[i] for t in inputs)) for i in range(2)]
    for got, *alone in zip(vmap(gradient)(*inputs), *each, strict=True):
        assert_close(got, torch.stack(alone))


GEOMETRY = {"padding": (1, 2), "stride": (2, 1)}
COMPILED = {  # a call of each, in all its branches that matter to a graph
    "corr1d": (corr1d, (7,), (3,)),
    "corr3d": (corr3d, (3, 4, 5), (2, 3, 1)),
    "toeplitz2d": (partial(toeplitz2d, input_size=(4, 3)), (2, 2)),
    "corr2d": (partial(corr2d, dilation=(1, 2), **GEOMETRY), (6, 7), (2, 3)),
    "convolve2d": (partial(convolve2d, mode="same"), (6, 7), (2, 3)),
    "im2col": (partial(im2col, kernel_size=(2, 3), **GEOMETRY), (2, 3, 5, 6)),
    "Conv2D one channel": (Conv2D(2).double(), (4, 5)),
    "Conv2D": (Conv2D(2, 3, 2, **GEOMETRY).double(), (2, 3, 4, 5)),
    "corr2d_multi_in": (corr2d_multi_in, (2, 4, 5), (2, 2, 2)),
    "corr2d_multi_in_out": (partial(corr2d_multi_in_out, **GEOMETRY), (2, 3, 4, 5), (2, 3, 2, 2)),
    "corr2d_multi_in_out_1x1": (corr2d_multi_in_out_1x1, (3, 4, 5), (2, 3, 1, 1)),
    "compose_kernels": (compose_kernels, (2, 1, 2, 3), (1, 2, 3, 2)),
    "pool2d max": (partial(pool2d, pool_size=(2, 3), padding=1), (2, 3, 5, 6)),
    "pool2d avg": (partial(pool2d, pool_size=2, mode="avg", stride=2), (5, 6)),
    "Pool2D": (Pool2D(2), (2, 3, 5, 6)),
    "fast.corr2d": (partial(fast.corr2d, dilation=(1, 2), **GEOMETRY), (6, 7), (2, 3)),
    "fast.Conv2D": (fast.Conv2D(2, 3, 2, **GEOMETRY).double(), (2, 3, 4, 5)),
    "fast.Pool2D max": (fast.Pool2D(2), (2, 3, 5, 6)),
    "fast.Pool2D avg": (fast.Pool2D(2, "avg"), (2, 3, 5, 6)),
}
TORCH = tuple(int(number) for number in torch.__version__.split(".")[:2])
# capturing one graph is what fails where a function cannot be compiled; the long run has it made into machine code too
LONG = settings().max_examples >= 500
BACKENDS = [
    "aot_eager",
    pytest.param(
        "inductor",
        marks=[
            pytest.mark.skipif(not LONG, reason="needs a C++ compiler and minutes: make test-long"),
            pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler (g++)"),
        ],
    ),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_functions_give_the_same(name, backend):
    if name.startswith("fast.Pool2D") and TORCH < (2, 14):
        pytest.skip("torch 2.2 cannot compile a gradient of our own; known to work from the pinned version on")
    function, *shapes = COMPILED[name]
    torch.compiler.reset()
    compiled = torch.compile(function, backend=backend, fullgraph=True)
    one, other = ([t.requires_grad_() for t in tensors(shapes, 0)] for _ in range(2))
    Y, wanted = compiled(*one), function(*other)
    assert_close(Y, wanted)
    upstream = random_tensor(Y.shape)
    for got, gradient in zip(
        torch.autograd.grad(Y, one, upstream), torch.autograd.grad(wanted, other, upstream), strict=True
    ):
        assert_close(got, gradient)
