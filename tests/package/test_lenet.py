"""Chapter 6's networks and their table, against torch's own counts and the gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convutils import Conv2D, LeNet, ModernLeNet, Pool2D, Standardise, layer_table
from convutils.fast import with_own_layers

TABLE = [  # layer, output, parameters, MACs, receptive field
    ("Standardise", (1, 28, 28), 0, 0, (1, 1)),
    ("Conv2d", (6, 28, 28), 156, 117_600, (5, 5)),
    ("Sigmoid", (6, 28, 28), 0, 0, (5, 5)),
    ("AvgPool2d", (6, 14, 14), 0, 0, (6, 6)),
    ("Conv2d", (16, 10, 10), 2_416, 240_000, (14, 14)),
    ("Sigmoid", (16, 10, 10), 0, 0, (14, 14)),
    ("AvgPool2d", (16, 5, 5), 0, 0, (16, 16)),
    ("Flatten", (400,), 0, 0, (16, 16)),
    ("Linear", (120,), 48_120, 48_000, (28, 28)),
    ("Sigmoid", (120,), 0, 0, (28, 28)),
    ("Linear", (84,), 10_164, 10_080, (28, 28)),
    ("Sigmoid", (84,), 0, 0, (28, 28)),
    ("Linear", (10,), 850, 840, (28, 28)),
]
NETS = [LeNet, ModernLeNet]


def test_table_of_lenet():
    assert [tuple(row) for row in layer_table(LeNet(), (1, 28, 28))] == TABLE


@pytest.mark.parametrize("net, parameters", [(LeNet(), 61_706), (ModernLeNet(), 61_706 + 2 * (6 + 16 + 120 + 84))])
def test_totals_agree_with_torch(net, parameters):
    table = layer_table(net, (1, 28, 28))
    assert table.parameters == parameters == sum(p.numel() for p in net.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.zeros(1, 1, 28, 28))
    assert 2 * table.macs == counter.get_total_flops()


def test_layers_of_the_modern_net():
    names = [row.layer for row in layer_table(ModernLeNet(), (1, 28, 28))]
    block, dense = ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"], ["Linear", "BatchNorm1d", "ReLU"]
    assert names == ["Standardise", *2 * block, "Flatten", *2 * dense, "Linear"]
    assert [tuple(layer.padding) for layer in ModernLeNet() if isinstance(layer, nn.Conv2d)] == [(2, 2), (0, 0)]


@pytest.mark.parametrize("net", NETS)
def test_scores(net):
    assert net(num_classes=1)(torch.rand(2, 1, 28, 28)).shape == (2, 1)
    X = torch.rand(3, 1, 28, 28)
    assert net()(X).shape == (3, 10) and net(num_classes=7)(X).shape == (3, 7)


def test_weights_start_by_xaviers_rule():
    torch.manual_seed(0)
    for layer in LeNet():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            window = layer.weight[0, 0].numel() if layer.weight.ndim == 4 else 1
            bound = (6 / (window * (layer.weight.shape[0] + layer.weight.shape[1]))) ** 0.5
            assert 0.9 * bound < layer.weight.abs().max() <= bound


@pytest.mark.parametrize("net", NETS)
def test_networks_can_be_cut_and_indexed(net):
    net, X = net().eval(), torch.rand(2, 1, 28, 28)
    assert isinstance(net[1], nn.Conv2d) and isinstance(net[-1], nn.Linear) and len(net[:4]) == 4
    assert torch.equal(net[4:](net[:4](X)), net(X))
    assert net[:2][1] is net[1]


@pytest.mark.parametrize("net", NETS)
def test_weights_are_saved_and_loaded_without_running_code(net, tmp_path):
    one, other, X = net(), net(), torch.rand(2, 1, 28, 28)
    one[0].fit(X)
    torch.save(one.state_dict(), tmp_path / "net.pt")
    other.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert torch.equal(one.eval()(X), other.eval()(X))


def test_receptive_fields_agree_with_the_gradient():
    net, fields = LeNet().double(), []
    for depth in range(1, 8):
        X = torch.rand(1, 1, 28, 28, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(net[:depth](X)[0, 0, 2, 2], X)
        rows, columns = (gradient[0, 0].nonzero().amax(0) - gradient[0, 0].nonzero().amin(0) + 1).tolist()
        fields.append((rows, columns))
    assert fields == [row.receptive_field for row in layer_table(net, (1, 28, 28))[:7]]
    assert [fields[depth][0] for depth in (1, 3, 4, 6)] == [5, 6, 14, 16]


# ---- layer_table


def test_table_of_our_own_grouped_and_nested_layers():
    net = nn.Sequential(
        Conv2D((3, 2), 1, 4), nn.Sequential(Pool2D(2), nn.Conv2d(4, 8, 3, groups=2)), nn.AdaptiveAvgPool2d(1), nn.ReLU()
    )
    assert [tuple(row) for row in layer_table(net, (1, 12, 13))] == [
        ("Conv2D", (4, 10, 12), 28, 4 * 10 * 12 * 6, (3, 2)),
        ("Pool2D", (4, 5, 6), 0, 0, (4, 3)),
        ("Conv2d", (8, 3, 4), 152, 8 * 3 * 4 * 2 * 9, (8, 7)),
        ("AdaptiveAvgPool2d", (8, 1, 1), 0, 0, (12, 13)),
        ("ReLU", (8, 1, 1), 0, 0, (12, 13)),
    ]


def test_table_of_one_layer_and_of_layers_without_parameters():
    assert layer_table(nn.Conv2d(1, 2, 3, padding="same"), (1, 5, 6))[0].output == (2, 5, 6)
    assert layer_table(nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), (3, 6, 6)).parameters == 0
    assert layer_table(nn.Conv2d(1, 2, 3), [1, 5, 6]) == layer_table(nn.Conv2d(1, 2, 3), torch.Size([1, 5, 6]))


def test_table_of_a_double_network():
    assert layer_table(LeNet().double(), (1, 28, 28)).parameters == 61_706


def test_table_as_text():
    assert repr(layer_table(nn.Sequential(nn.Conv2d(1, 20, 9), nn.Flatten()), (1, 28, 28))) == "\n".join(
        [
            "layer    output    parameters     MACs  receptive field",
            "Conv2d   20×20×20       1,640  648,000              9×9",
            "Flatten  8000               0        0              9×9",
            "total                   1,640  648,000",
        ]
    )


def test_table_as_html():
    html = layer_table(LeNet(), (1, 28, 28))._repr_html_()
    assert html.count("<tr>") == len(TABLE) + 2 and html.count('<th scope="col"') == 5
    for cell in (">6×28×28</td>", ">61,706</td>", ">416,520</td>", ">16×16</td>", ">total</td>"):
        assert cell in html


def test_numbers_stand_at_the_right_and_words_at_the_left():
    def row(tag, *cells):
        sides = ["left", "left", "right", "right", "right"]
        return (
            "<tr>"
            + "".join(
                f'<{tag} style="text-align: {side}">{cell}</{tag.split()[0]}>'
                for side, cell in zip(sides, cells, strict=True)
            )
            + "</tr>"
        )

    html = layer_table(nn.Sequential(nn.Conv2d(1, 20, 9)), (1, 28, 28))._repr_html_()
    assert html == (
        "<table><thead>"
        + row('th scope="col"', "layer", "output", "parameters", "MACs", "receptive field")
        + "</thead><tbody>"
        + row("td", "Conv2d", "20×20×20", "1,640", "648,000", "9×9")
        + row("td", "total", "", "1,640", "648,000", "")
        + "</tbody></table>"
    )


def modes(net):
    return [layer.training for layer in net.modules()]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 28, 28), (1, 20, 20)])
def test_table_leaves_the_network_as_it_was_even_when_it_fails(shape):
    net = ModernLeNet()
    net[2].eval()  # one frozen layer among others in training
    before = modes(net), {name: value.clone() for name, value in net.state_dict().items()}
    try:
        layer_table(net, shape)
    except ValueError:
        assert shape != (1, 28, 28)
    assert modes(net) == before[0]
    assert all(torch.equal(value, before[1][name]) for name, value in net.state_dict().items())


# ---- Standardise


def test_standardise_does_nothing_until_fitted():
    X = torch.rand(2, 1, 3, 3)
    assert torch.equal(Standardise()(X), X) and not list(Standardise().parameters())


@given(st.floats(-50, 50), st.floats(0.1, 50), st.sampled_from([(5, 1, 6, 7), (5, 6, 7), (6, 7)]))
def test_standardised_images_have_mean_0_and_deviation_1(mean, std, shape):
    X = mean + std * torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    layer = Standardise().double()
    layer.fit(X)
    Y = layer(X)
    assert Y.mean() == pytest.approx(0, abs=1e-6) and Y.std() == pytest.approx(1)
    assert_close(layer(X[:1]), (X[:1] - X.mean()) / X.std())  # single images by the mean of all


def test_images_of_one_grey_are_only_shifted():
    layer, X = Standardise(), torch.full((2, 1, 3, 3), 0.25)
    layer.fit(X)
    assert not layer(X).any() and layer(X + 2).unique().tolist() == [2]


def test_own_layers_keep_what_is_shared_and_what_is_frozen():
    conv = nn.Conv2d(2, 2, 3, padding=1).requires_grad_(False)
    net = nn.Sequential(conv, nn.ReLU(), nn.Sequential(conv, nn.MaxPool2d(2)))
    own = with_own_layers(net)
    assert not any(isinstance(layer, (nn.Conv2d, nn.MaxPool2d)) for layer in own.modules())
    assert own[0] is own[2][0] and not any(p.requires_grad for p in own.parameters())
    X = torch.rand(1, 2, 6, 6)
    assert torch.allclose(own(X), net(X), atol=1e-6)
    assert net[0] is conv  # the network itself is left alone
