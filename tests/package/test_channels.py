"""Chapter 4's module against torch, dense layers and torch's FLOP counter."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, dtypes, in_double, layouts, pair, plain_and_fast, random_tensor, seeds, windows
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from convutils import (
    Conv2D,
    compose_kernels,
    conv_cost,
    corr2d,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
)

X = torch.stack([torch.arange(9.0).reshape(3, 3), torch.arange(1.0, 10).reshape(3, 3)])
K = torch.stack([torch.arange(4.0).reshape(2, 2), torch.arange(1.0, 5).reshape(2, 2)])
channels = st.integers(1, 4)

# ---- several channels in and out


def test_worked_example_in():
    assert corr2d_multi_in(X, K).tolist() == [[56, 72], [104, 120]]


def test_worked_example_in_out():
    Y = corr2d_multi_in_out(X, torch.stack([K, K + 1, K + 2]))
    assert Y.shape == (3, 2, 2)
    assert Y.tolist() == [[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]]


@given(windows(padded=False, strided=False, dilated=False), channels, dtypes, layouts, layouts, seeds)
def test_multi_in_agrees_with_torch(w, c, dtype, x_layout, k_layout, seed):
    X = random_tensor((c, *w.input_size), seed, dtype, x_layout)
    K = random_tensor((c, *w.kernel_size), seed + 1, dtype, k_layout)
    assert_close(corr2d_multi_in(X, K), in_double(lambda X, K: F.conv2d(X[None], K[None])[0, 0], X, K))
    assert_close(corr2d_multi_in(X, K), torch.stack([corr2d(X[c], K[c]) for c in range(len(X))]).sum(0))


@plain_and_fast("corr2d_multi_in_out")
@given(windows(dilated=False), st.integers(0, 3), channels, channels, dtypes, layouts, layouts, seeds)
def test_multi_in_out_agrees_with_torch(corr2d_multi_in_out, w, batch, c_i, c_o, dtype, x_layout, k_layout, seed):
    X = random_tensor((batch, c_i, *w.input_size) if batch else (c_i, *w.input_size), seed, dtype, x_layout)
    K = random_tensor((c_o, c_i, *w.kernel_size), seed + 1, dtype, k_layout)
    geometry = {"padding": w.padding, "stride": w.stride}
    assert_close(corr2d_multi_in_out(X, K, **geometry), in_double(F.conv2d, X, K, **geometry))


@plain_and_fast("corr2d_multi_in_out")
def test_each_output_channel_owns_one_kernel_per_input_channel(corr2d_multi_in_out):
    X, K = random_tensor((3, 5, 6)), random_tensor((4, 3, 2, 3), 1)
    assert_close(corr2d_multi_in_out(X, K), torch.stack([corr2d_multi_in(X, kernels) for kernels in K]))
    changed = K.clone()
    changed[2] = 0
    Y = corr2d_multi_in_out(X, changed)
    assert not Y[2].any() and torch.equal(Y[[0, 1, 3]], corr2d_multi_in_out(X, K)[[0, 1, 3]])


@given(st.tuples(*4 * [channels]), dtypes, layouts, layouts, seeds)
def test_1x1_is_a_dense_layer_for_every_pixel(sizes, dtype, x_layout, k_layout, seed):
    c_i, c_o, h, w = sizes
    X = random_tensor((c_i, h, w), seed, dtype, x_layout)
    K = random_tensor((c_o, c_i, 1, 1), seed + 1, dtype, k_layout)
    Y = corr2d_multi_in_out_1x1(X, K)
    assert_close(Y, in_double(F.conv2d, X, K))
    assert_close(Y, corr2d_multi_in_out(X, K))
    assert_close(Y, in_double(F.linear, X.permute(1, 2, 0), K[:, :, 0, 0]).permute(2, 0, 1))


@pytest.mark.parametrize(
    "function, x, k",
    [
        (corr2d_multi_in, (2, 3, 4), (2, 2, 3)),
        (corr2d_multi_in_out, (2, 3, 4), (3, 2, 2, 3)),
        (corr2d_multi_in_out, (2, 2, 3, 4), (1, 2, 2, 3)),
        (lambda X, K: corr2d_multi_in_out(X, K, padding=(1, 2), stride=(2, 1)), (2, 3, 4), (2, 2, 2, 3)),
        (corr2d_multi_in_out_1x1, (2, 2, 3), (3, 2, 1, 1)),
        (compose_kernels, (2, 3, 2, 1), (2, 2, 1, 3)),
    ],
)
def test_gradients(function, x, k):
    assert gradcheck(function, (random_tensor(x).requires_grad_(), random_tensor(k, 1).requires_grad_()))


def test_inputs_are_left_alone():
    before = X.clone(), K.clone()
    corr2d_multi_in(X, K).add_(1), corr2d_multi_in_out(X, K[None]).add_(1)
    assert torch.equal(X, before[0]) and torch.equal(K, before[1])


# ---- Conv2D


def test_one_channel_layer_takes_an_image_and_gives_one_back():
    layer, X = Conv2D((1, 2)), torch.tensor([[1.0, 0, 0]])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[1.0, -1]]]]))
        layer.bias.fill_(0.5)
    assert layer(X).tolist() == [[1.5, 0.5]]
    assert layer(X[None]).tolist() == [[[1.5, 0.5]]] and layer(X[None, None]).tolist() == [[[[1.5, 0.5]]]]


@plain_and_fast("Conv2D")
@given(windows(dilated=False), st.integers(0, 2), st.integers(1, 3), st.integers(1, 3), seeds)
def test_layer_agrees_with_torch(Conv2D, w, batch, c_i, c_o, seed):
    geometry = {"padding": w.padding, "stride": w.stride}
    ours = Conv2D(w.kernel_size, c_i, c_o, **geometry).double()
    theirs = nn.Conv2d(c_i, c_o, w.kernel_size, **geometry).double()
    ours.load_state_dict(theirs.state_dict())
    X = random_tensor((batch, c_i, *w.input_size) if batch else (c_i, *w.input_size), seed)
    assert_close(ours(X), theirs(X))
    if c_i == c_o == 1 and not batch:
        assert_close(ours(X[0]), theirs(X)[0])


def test_layer_parameters():
    layer = Conv2D(3, 2, 5)
    assert {name: tuple(p.shape) for name, p in layer.named_parameters()} == {"weight": (5, 2, 3, 3), "bias": (5,)}
    assert Conv2D((2, 3), 4, 1).weight.shape == (1, 4, 2, 3) and Conv2D(2, 1, 3).bias.shape == (3,)
    assert Conv2D(2).weight.shape == (1, 1, 2, 2) and Conv2D(2).bias.shape == (1,)


def test_layer_starts_uniform_within_its_bound():
    torch.manual_seed(0)
    layer = Conv2D((2, 9), 4, 100)
    bound = (4 * 2 * 9) ** -0.5
    assert 0.99 * bound < layer.weight.max() <= bound and -bound <= layer.weight.min() < -0.99 * bound
    assert abs(layer.weight.mean()) < 0.02 * bound and not layer.bias.any()


@pytest.mark.parametrize("layer, shape", [(Conv2D(2, padding=1), (3, 4)), (Conv2D(2, 2, 3, stride=2), (2, 2, 4, 5))])
def test_layer_gradcheck(layer, shape):
    layer, X = layer.double(), random_tensor(shape).requires_grad_()
    assert gradcheck(lambda X, *_: layer(X), (X, *layer.parameters()))


def test_layer_says_what_it_is():
    layer = Conv2D((1, 2), 3, 4, padding=1)
    assert repr(layer) == "Conv2D(kernel_size=(1, 2), in_channels=3, out_channels=4, padding=(1, 1), stride=(1, 1))"


def test_layer_state_is_saved_and_loaded(tmp_path):
    layer, other = Conv2D(3, 2, 2), Conv2D(3, 2, 2)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    X = torch.ones(2, 4, 4)
    assert torch.equal(layer(X), other(X))


# ---- compose_kernels


def test_composed_shape():
    W = compose_kernels(random_tensor((2, 1, 3, 3)), random_tensor((1, 2, 3, 3)))
    assert W.shape == (1, 1, 5, 5)


@given(st.tuples(*7 * [st.integers(1, 3)]), dtypes, seeds)
def test_composed_kernel_is_both_in_turn(sizes, dtype, seed):
    c_i, c_mid, c_o, *k = sizes
    W1 = random_tensor((c_mid, c_i, k[0], k[1]), seed, dtype)
    W2 = random_tensor((c_o, c_mid, k[2], k[3]), seed + 1, dtype)
    X = random_tensor((2, c_i, 7, 6), seed + 2, dtype)
    W = compose_kernels(W1, W2)
    assert W.shape == (c_o, c_i, k[0] + k[2] - 1, k[1] + k[3] - 1)
    one, two = corr2d_multi_in_out(X, W), corr2d_multi_in_out(corr2d_multi_in_out(X, W1), W2)
    assert_close(one, two, rtol=1e-3, atol=1e-3) if dtype == torch.float32 else assert_close(one, two)
    # padding in the first layer and a stride in the second do no harm
    assert_close(
        in_double(F.conv2d, X, W, padding=1, stride=2),
        in_double(F.conv2d, in_double(F.conv2d, X, W1, padding=1), W2, stride=2),
        rtol=1e-3,
        atol=1e-3,
    )


def test_padding_between_is_not_composed():
    W1, W2, X = random_tensor((2, 1, 3, 3)), random_tensor((1, 2, 3, 3), 1), random_tensor((1, 1, 8, 8), 2)
    padded = F.conv2d(F.conv2d(X, W1, padding=1), W2, padding=1)
    composed = F.conv2d(X, compose_kernels(W1, W2), padding=2)
    assert not torch.allclose(padded, composed)
    assert_close(padded[..., 1:-1, 1:-1], composed[..., 1:-1, 1:-1])  # away from the border they agree


def test_composition_is_a_convolution_not_a_correlation():
    W1, W2 = torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    W1[..., 0], W2[..., 0] = 1.0, 1.0  # each takes the left pixel
    assert compose_kernels(W1, W2).tolist() == [[[[1, 0, 0]]]]


# ---- conv_cost


@st.composite
def costs(draw):
    """Draw the shapes of an input and of grouped weights that fit, and how the kernel moves."""
    w, groups, n = draw(windows(max_kernel=3, max_room=4)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    c_group, c_o = draw(st.integers(1, 3)), groups * draw(st.integers(1, 2))
    shape = (c_group * groups, *w.input_size)
    geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation, "groups": groups}
    return (n, *shape) if n else shape, (c_o, c_group, *w.kernel_size), geometry


def flops(input_shape, weight_shape, input_needs_gradient=True, **geometry):
    """Return what torch's FLOP counter says about the forward and the backward pass."""
    X, W = torch.ones(input_shape, requires_grad=input_needs_gradient), torch.ones(weight_shape, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        Y = F.conv2d(X, W, **geometry)
    with FlopCounterMode(display=False) as backward:
        Y.sum().backward()
    return forward.get_total_flops(), backward.get_total_flops(), Y


@given(costs())
def test_cost_agrees_with_torch(drawn):
    input_shape, weight_shape, geometry = drawn
    cost = conv_cost(input_shape, weight_shape, **geometry)
    n = input_shape[0] if len(input_shape) == 4 else 1
    forward, backward, Y = flops((n, *input_shape[-3:]), weight_shape, **geometry)
    assert cost.output_shape == tuple(Y.shape) if len(input_shape) == 4 else (1, *cost.output_shape) == tuple(Y.shape)
    assert cost.multiplications == cost.macs == cost.weight_gradient_macs == cost.input_gradient_macs
    assert 2 * cost.macs == forward
    if geometry["groups"] == 1:  # the counter is wrong for the backward pass of groups
        assert 2 * cost.backward_macs == backward
    layer = nn.Conv2d(input_shape[-3], weight_shape[0], weight_shape[2:], groups=geometry["groups"])
    assert (cost.weights, cost.biases) == (layer.weight.numel(), layer.bias.numel())
    assert cost.input_elements == n * torch.Size(input_shape[-3:]).numel()
    assert cost.output_elements == cost.bias_additions == Y.numel()
    assert cost.saved_elements == cost.input_elements + cost.weights
    assert cost.additions == cost.macs - cost.output_elements
    assert cost.backward_macs == 2 * cost.macs


def test_cost_of_the_worked_example():
    arguments = {"padding": (1, 2), "stride": 2}
    cost = conv_cost((1, 3, 15, 17), (4, 3, 3, 5), **arguments)
    assert (2 * cost.macs, 2 * cost.backward_macs) == (25_920, 51_840)
    assert flops((1, 3, 15, 17), (4, 3, 3, 5), **arguments)[:2] == (25_920, 51_840)
    assert flops((1, 3, 15, 17), (4, 3, 3, 5), False, **arguments)[1] == 2 * cost.weight_gradient_macs == 25_920
    assert 2 * 3 * 15 * 17 * 4 * 3 * 5 == 91_800  # the formula in circulation, for one gradient alone


def test_multiplications_by_padding_are_counted():
    assert conv_cost((1, 8, 8), (1, 1, 3, 3), padding=1).multiplications == 576
    touching = corr2d(torch.ones(8, 8), torch.ones(3, 3), padding=1).sum()
    assert touching == 484


def test_cost_counted_by_hand():
    cost = conv_cost((2, 3, 3), (4, 2, 2, 2))
    assert cost.output_shape == (4, 2, 2)
    assert (cost.multiplications, cost.additions, cost.bias_additions) == (16 * 8, 16 * 7, 16)
    assert (cost.weights, cost.biases) == (32, 4)
    assert (cost.input_elements, cost.output_elements, cost.saved_elements) == (18, 16, 50)


def test_doubling_channels():
    once, twice = conv_cost((3, 8, 8), (4, 3, 3, 3)), conv_cost((6, 8, 8), (8, 6, 3, 3))
    assert twice.macs == 4 * once.macs and twice.weights == 4 * once.weights
    assert twice.additions / once.additions == pytest.approx(4.08, abs=0.01)


def test_doubling_padding_may_change_nothing():
    shapes = (1, 8, 8), (1, 1, 5, 5)
    assert conv_cost(*shapes, padding=1, stride=4) == conv_cost(*shapes, padding=2, stride=4)
    assert conv_cost(*shapes, padding=1) != conv_cost(*shapes, padding=2)


def test_grouping_divides_the_cost():
    whole, grouped = conv_cost((4, 9, 9), (8, 4, 3, 3)), conv_cost((4, 9, 9), (8, 1, 3, 3), groups=4)
    assert whole.macs == 4 * grouped.macs and whole.weights == 4 * grouped.weights


def test_input_and_weight_are_what_torch_saves():
    saved = []
    X, W = torch.ones(1, 3, 15, 17, requires_grad=True), torch.ones(4, 3, 3, 5, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()) or t, lambda t: t):
        F.conv2d(X, W)
    assert sum(saved) == conv_cost(X.shape, W.shape).saved_elements


def test_cost_of_our_layer():
    layer = Conv2D((2, 3), 3, 5, padding=1, stride=(1, 2))
    cost = conv_cost((3, 6, 7), layer.weight.shape, padding=layer.padding, stride=layer.stride)
    assert cost.weights + cost.biases == sum(p.numel() for p in layer.parameters())
    assert layer(torch.ones(3, 6, 7)).shape == cost.output_shape and pair(layer.padding) == (1, 1)
