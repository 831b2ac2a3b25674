"""Chapter 3's module against torch's shapes and against receptive fields found by gradient."""

from itertools import product
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, pair, random_tensor, seeds, windows
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from convutils import (
    Conv2D,
    LeNet,
    ModernLeNet,
    Pool2D,
    comp_conv2d,
    output_size,
    padding_amounts,
    receptive_field,
    same_padding,
    split_padding,
)

# ---- output_size

WORKED = [  # input, kernel, padding, stride, output
    ((8, 8), 3, 1, 1, (8, 8)),
    ((8, 8), (5, 3), (2, 1), 1, (8, 8)),
    ((8, 8), 3, 1, 2, (4, 4)),
    ((8, 8), (3, 5), (0, 1), (3, 4), (2, 2)),
    ((3, 3), 2, 1, (3, 2), (2, 2)),
    ((8, 8), (3, 3), (1, 0), 1, (8, 6)),
]


@pytest.mark.parametrize("n, k, p, s, wanted", WORKED)
def test_worked_shapes(n, k, p, s, wanted):
    assert output_size(n, k, padding=p, stride=s) == wanted
    assert comp_conv2d(nn.Conv2d(1, 1, k, padding=p, stride=s), torch.ones(n)).shape == wanted


def test_ten_layers_without_padding_shrink_the_border():
    size = (240, 240)
    for _ in range(10):
        size = output_size(size, 5)
    assert size == (200, 200)


def test_padding_counts_on_each_side():
    assert output_size(8, 3, padding=1) == (8, 8)  # taken as the book's total padding it would be 7


@given(windows())
def test_output_size_is_torchs(w):
    Y = F.conv2d(
        torch.ones(1, 1, *w.input_size),
        torch.ones(1, 1, *w.kernel_size),
        padding=w.padding,
        stride=w.stride,
        dilation=w.dilation,
    )
    size = output_size(w.input_size, w.kernel_size, padding=w.padding, stride=w.stride, dilation=w.dilation)
    assert size == tuple(Y.shape[2:])


def test_output_size_on_a_grid():
    X = torch.ones(1, 1, 12, 12)
    for n, k, p, s, d in product(range(1, 13), range(1, 6), range(3), range(1, 5), range(1, 4)):
        if d * (k - 1) + 1 <= n + 2 * p:
            layer = nn.Conv2d(1, 1, (k, 1), padding=(p, 0), stride=(s, 1), dilation=(d, 1))
            rows, columns = output_size((n, 12), (k, 1), padding=(p, 0), stride=(s, 1), dilation=(d, 1))
            assert layer(X[:, :, :n]).shape == (1, 1, rows, columns) and columns == 12
            assert rows == (n + 2 * p - d * (k - 1) - 1) // s + 1


def test_output_size_gives_plain_ints():
    size = output_size(np.int64(8), [np.int32(3), 3], padding=np.int64(1))
    assert size == (8, 8) and {type(v) for v in size} == {int}
    assert output_size(torch.Size([8, 9]), 3) == (6, 7)


# ---- split_padding, same_padding


@given(st.integers(0, 50))
def test_split_padding(total):
    before, after = split_padding(total, extra="after")
    assert before + after == total and 0 <= after - before <= 1
    assert split_padding(total, extra="before") == (after, before)


def test_split_padding_of_an_odd_total():
    assert split_padding(3, extra="before") == (2, 1) and split_padding(3, extra="after") == (1, 2)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(windows(padded=False, max_room=9), seeds)
def test_same_padding_is_enough_and_no_more(w, seed):
    (top, bottom), (left, right) = same_padding(w.input_size, w.kernel_size, stride=w.stride, dilation=w.dilation)
    X = random_tensor((1, 1, *w.input_size), seed)
    K = random_tensor((1, 1, *w.kernel_size), seed + 1)
    Y = F.conv2d(F.pad(X, (left, right, top, bottom)), K, stride=w.stride, dilation=w.dilation)
    n, s = w.input_size, pair(w.stride)
    assert tuple(Y.shape[2:]) == tuple(ceil(n[a] / s[a]) for a in (0, 1))
    if s == (1, 1):
        assert_close(Y, F.conv2d(X, K, padding="same", dilation=w.dilation))
    for a, (before, after) in enumerate(((top, bottom), (left, right))):
        span = pair(w.dilation)[a] * (w.kernel_size[a] - 1) + 1
        total = before + after
        assert after - before in (0, 1)
        assert total == 0 or (n[a] + total - 1 - span) // s[a] + 1 < ceil(n[a] / s[a])  # one less would not do


def test_same_padding_examples():
    assert same_padding(8, 3) == ((1, 1), (1, 1))
    assert same_padding(8, 3, stride=2) == ((0, 1), (0, 1))
    assert same_padding((8, 9), (4, 1)) == ((1, 2), (0, 0))
    assert same_padding(9, 3, dilation=2) == ((2, 2), (2, 2))
    assert same_padding(9, 1, stride=4) == ((0, 0), (0, 0))


# ---- padding_amounts


def padded(X, amounts):
    (top, bottom), (left, right) = amounts
    return F.pad(X, (left, right, top, bottom))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("word", [None, "valid", "same"])
@given(w=windows(max_room=9), seed=seeds)
def test_torchs_padding_gives_what_torch_gives(word, w, seed):
    stride = 1 if word == "same" else w.stride
    padding = word or w.padding
    n = tuple(a + 12 for a in w.input_size)  # "valid" has no padding that would make room
    X, K = random_tensor((1, 1, *n), seed), random_tensor((1, 1, *w.kernel_size), seed + 1)
    amounts = padding_amounts(padding, "torch", n, w.kernel_size, stride=stride, dilation=w.dilation)
    ours = F.conv2d(padded(X, amounts), K, stride=stride, dilation=w.dilation)
    assert_close(ours, F.conv2d(X, K, stride=stride, padding=padding, dilation=w.dilation))


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 9), st.integers(1, 4))
def test_d2ls_padding_is_a_total_with_the_odd_row_on_top(n, k, p, s):
    (top, bottom), columns = padding_amounts((p, 0), "d2l", n, k, stride=s)
    assert top + bottom == p and top - bottom in (0, 1) and columns == (0, 0)


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3))
def test_tensorflows_same_is_its_documented_rule(n, k, s, d):
    """The total is max(k − s, 0) where s divides n, else max(k − n mod s, 0), k dilated; the odd row comes last."""
    span = d * (k - 1) + 1
    total = max(span - (n % s or s), 0)
    for word in ("same", "SAME"):
        amounts = padding_amounts(word, "tensorflow", n, k, stride=s, dilation=d)
        assert amounts == 2 * ((total // 2, total - total // 2),)
    assert padding_amounts("VALID", "tensorflow", n, k, stride=s, dilation=d) == ((0, 0), (0, 0))


# ---- receptive_field


def field_by_gradient(layers, unit, side):
    """Return the first and last row and column of the input that a unit of the first output channel depends on."""
    X = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    Y = X
    for layer in layers:
        Y = layer(Y)
    (gradient,) = torch.autograd.grad(Y[0, 0][unit], X)
    rows, columns = gradient[0, 0].nonzero().T
    return (rows.min().item(), columns.min().item()), (rows.max().item(), columns.max().item())


@st.composite
def linear_layers(draw):
    """Draw a layer with positive weights: no gradient can vanish or cancel."""
    k, s, d = (draw(st.tuples(*2 * [st.integers(1, top)])) for top in (4, 3, 2))
    p = draw(st.tuples(*2 * [st.integers(0, 2)]))
    kind = draw(st.sampled_from(["conv", "same", "pool", "ours", "each"]))
    if kind == "pool":
        return nn.AvgPool2d(k, stride=s, padding=tuple(min(p[a], k[a] // 2) for a in (0, 1)))
    if kind == "ours":
        return Pool2D(k, "avg", stride=s, padding=tuple(min(p[a], k[a] // 2) for a in (0, 1)))
    if kind == "each":
        return draw(st.sampled_from([nn.Sigmoid(), nn.Identity(), nn.Softplus()]))
    layer = nn.Conv2d(1, 1, k, dilation=d, padding="same") if kind == "same" else nn.Conv2d(1, 1, k, s, p, d)
    nn.init.constant_(layer.weight, 0.5)
    return layer.double()


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(st.lists(linear_layers(), min_size=1, max_size=3))
def test_receptive_field_is_that_of_the_gradient(layers):
    side = 128
    field = receptive_field(layers)
    with torch.no_grad():
        size = nn.Sequential(*layers)(torch.zeros(1, 1, side, side, dtype=torch.float64)).shape[2:]
    # a unit whose field lies in the image with room around it, so that no end falls into the padding
    unit = tuple(-(-(8 - field.start[a]) // field.jump[a]) for a in (0, 1))
    first = tuple(field.start[a] + unit[a] * field.jump[a] for a in (0, 1))
    last = tuple(first[a] + field.size[a] - 1 for a in (0, 1))
    assert min(first) >= 8 and max(last) < side and all(unit[a] < size[a] for a in (0, 1))
    assert field_by_gradient(layers, unit, side) == (first, last)


def test_receptive_field_of_lenet():
    fields = [receptive_field(LeNet()[:depth]).size[0] for depth in (2, 4, 5, 7)]
    assert fields == [5, 6, 14, 16]


def test_receptive_field_of_lenet_by_gradient():
    net, sizes = LeNet().double(), []
    for depth in (2, 4, 5, 7):
        first, last = field_by_gradient(net[:depth], (2, 2), 28)
        assert first == tuple(s + 2 * j for s, j in zip(*receptive_field(net[:depth])[:0:-1], strict=True))
        sizes.append(last[0] - first[0] + 1)
    assert sizes == [5, 6, 14, 16]


def test_receptive_field_of_the_modern_net_is_the_same():
    assert [receptive_field(ModernLeNet()[:depth]).size[0] for depth in (2, 5, 6, 9)] == [5, 6, 14, 16]


def test_a_stride_enlarges_the_next_layers_field():
    five = nn.Conv2d(1, 1, 5)
    assert receptive_field([nn.Conv2d(1, 1, 5, stride=2)]).size == receptive_field([five]).size == (5, 5)
    assert receptive_field([five, five]).size == (9, 9)
    assert receptive_field([nn.Conv2d(1, 1, 5, stride=2), five]).size == (13, 13)


def test_receptive_field_of_nothing_is_the_pixel():
    assert receptive_field([]) == ((1, 1), (1, 1), (0, 0))


def test_receptive_field_of_one_layer_nested_stacks_and_generators():
    layer = nn.Conv2d(1, 1, (3, 5), padding=1, stride=2, dilation=(1, 2))
    wanted = ((3, 9), (2, 2), (-1, -1))
    assert receptive_field(layer) == receptive_field([layer]) == wanted
    assert receptive_field(nn.Sequential(nn.ReLU(), layer)) == wanted
    assert receptive_field([layer, nn.Flatten()]) == wanted  # puts the units in a row; each sees what it saw
    nested = nn.Sequential(layer, nn.Sequential(nn.BatchNorm2d(1), nn.Sequential(layer)))
    assert receptive_field(nested) == receptive_field([layer, layer]) == receptive_field(iter([layer, layer]))


def test_receptive_field_of_our_own_layers():
    ours = [Conv2D((5, 3), padding=2), Pool2D(2), Conv2D(5, 6, 16), Pool2D((2, 1), padding=(1, 0))]
    pool = nn.MaxPool2d((2, 1), padding=(1, 0))
    assert receptive_field(ours) == receptive_field(
        [nn.Conv2d(1, 1, (5, 3), padding=2), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5), pool]
    )


def test_receptive_field_with_padding_in_words():
    assert receptive_field(nn.Conv2d(1, 1, 3, padding="valid")) == ((3, 3), (1, 1), (0, 0))
    assert receptive_field(nn.Conv2d(1, 1, (4, 3), padding="same", dilation=(1, 2))) == ((4, 5), (1, 1), (-1, -2))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(1, 1, 3, padding_mode="circular", padding=1),
        nn.LPPool2d(2, 3, ceil_mode=True),
        nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 3)),
    ],
)
def test_receptive_field_of_less_common_layers(layer):
    assert receptive_field(layer).size == (3, 3)
    assert receptive_field(layer).jump == (1 + 2 * isinstance(layer, nn.LPPool2d),) * 2


# ---- comp_conv2d


@given(windows(), seeds)
def test_comp_conv2d_adds_and_takes_off_dimensions(w, seed):
    layer = nn.Conv2d(1, 1, w.kernel_size, w.stride, w.padding, w.dilation).double()
    X = random_tensor(w.input_size, seed)
    assert torch.equal(comp_conv2d(layer, X), layer(X.reshape(1, 1, *w.input_size))[0, 0])


def test_comp_conv2d_does_not_touch_the_weights():
    layer = nn.Conv2d(1, 1, 3)
    before = layer.weight.clone()
    comp_conv2d(layer, torch.ones(4, 4))
    assert torch.equal(layer.weight, before)


def test_comp_conv2d_gradcheck():
    assert gradcheck(lambda X: comp_conv2d(LAYER, X), random_tensor((4, 5)).requires_grad_())


LAYER = nn.Conv2d(1, 1, 3, padding=1, stride=2).double()
