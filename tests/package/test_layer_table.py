"""Networks as other people write them: what the table says is held to torch's counts and to the image itself."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from convutils import Conv2D, Pool2D, evaluate, layer_table, receptive_field


class Functional(nn.Module):
    """LeNet's shape with pooling and view in `forward`."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.dense = nn.Conv2d(1, 4, 5, padding=2), nn.Conv2d(4, 6, 5), nn.Linear(6 * 16, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.dense(x.view(x.size(0), -1))


class Residual(nn.Module):
    def __init__(self, c=3):
        super().__init__()
        self.a, self.b, self.norm = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c)

    def forward(self, x):
        return F.relu(x + self.norm(self.b(F.relu(self.a(x)))))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.narrow, self.wide = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 5, padding=2)
        self.last = nn.Conv2d(4, 1, 3)

    def forward(self, x):
        return self.last(torch.cat([self.narrow(x), self.wide(x)], 1))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.conv(F.relu(self.conv(x)))


class Hidden(nn.Module):
    """Pools the image before its first layer, unseen."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        return self.conv(F.avg_pool2d(x, 2))


class InPlace(nn.Module):
    """Changes a layer's output without a new tensor, by what is no layer."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3)

    def forward(self, x):
        y = self.a(x)
        y += y.roll(3, 2)
        return self.b(y)


class Transposed(nn.Module):
    """Swaps rows and columns between its layers; the numbers stay where they are in memory."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 1, (1, 5), padding=(0, 2)), nn.Conv2d(1, 1, (1, 3))

    def forward(self, x):
        return self.b(self.a(x).transpose(2, 3))


class Rectifier(nn.Module):
    """Compares: what is not a number would be lost in it."""

    def forward(self, x):
        return torch.where(x > 0, x, torch.zeros_like(x))


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def vgg(c_in=1, width=4, blocks=(1, 2, 2), size=24):
    layers = []
    for n in blocks:
        for _ in range(n):
            layers += [nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU(inplace=True)]
            c_in = width
        layers += [nn.MaxPool2d(2)]
    side = size // 2 ** len(blocks)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * side**2, 10))


def network_in_network():
    block = lambda i, o, k, s: nn.Sequential(  # noqa: E731
        nn.Conv2d(i, o, k, s, k // 2), nn.ReLU(), nn.Conv2d(o, o, 1), nn.ReLU(), nn.Conv2d(o, o, 1), nn.ReLU()
    )
    return nn.Sequential(
        block(1, 4, 5, 2),
        nn.MaxPool2d(3, 2),
        block(4, 6, 3, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 10),
    )


def alexnet():
    features = nn.Sequential(
        nn.Conv2d(1, 4, 7, 2, 2), nn.ReLU(True), nn.LocalResponseNorm(2), nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(True), nn.AdaptiveAvgPool2d((3, 3)),
    )  # fmt: skip
    return nn.Sequential(features, nn.Flatten(), nn.Dropout(), nn.Linear(54, 16), nn.ReLU(True), nn.Linear(16, 10))


def tied():
    a, b = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)
    b.weight = a.weight
    return nn.Sequential(a, nn.ReLU(), b)


NETWORKS = {
    "LeNet with ReLU": nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(256, 10),
    ),
    "functional": Functional(),
    "VGG": vgg(),
    "VGG on a small image, the field outgrows it": nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(14)]),
    "network in network": network_in_network(),
    "AlexNet": alexnet(),
    "residual": nn.Sequential(nn.Conv2d(1, 3, 3), Residual(), Residual()),
    "branches": Branches(),
    "a layer used twice": Shared(),
    "tied weights": tied(),
    "depthwise and pointwise": nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1)),
    "dilated": nn.Sequential(*[nn.Conv2d(1, 1, 3, dilation=d) for d in (1, 2, 4)]),
    "lazy": nn.Sequential(nn.LazyConv2d(3, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(10)),
    "hidden pooling": Hidden(),
    "changed in place": InPlace(),
    "transposed": Transposed(),
    "own rectifier": nn.Sequential(nn.Conv2d(1, 2, 3), Rectifier(), nn.Conv2d(2, 1, 3)),
    "own global average": nn.Sequential(nn.Conv2d(1, 2, 3), GlobalAverage(), nn.Linear(2, 10)),
    "adaptive to 2×2": nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveMaxPool2d(2)),
    "dense on the last axis": nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(22, 5)),
    "pixel shuffle": nn.Sequential(nn.Conv2d(1, 4, 3), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3)),
    "pixel unshuffle": nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, 1, 3)),
    "stride that drops pixels": nn.Sequential(nn.Conv2d(1, 1, 3, 10), nn.Conv2d(1, 1, 3, padding=1)),
    "softmax over columns": nn.Sequential(nn.Conv2d(1, 1, 3), nn.Softmax(dim=-1)),
    "circular padding": nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")),
    "upsampling": nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)),
    "instance normalisation": nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2), nn.Conv2d(2, 1, 3)),
    "our own layers": nn.Sequential(Conv2D(3, 1, 2), Pool2D(2), Conv2D(3, 2, 2, padding=1)),
}  # fmt: skip
SIZE = (24, 24)


def leaves(model):
    return [layer for layer in model.modules() if isinstance(layer, (Conv2D, Pool2D)) or not list(layer.children())]


def run(model, X):
    """Return what each call of a layer gives, flattened."""
    outputs = []

    def keep(layer, inputs, output):
        outputs.append(output.flatten().clone())

    hooks = [layer.register_forward_hook(keep) for layer in leaves(model)]
    with torch.no_grad():
        model(X)
    for hook in hooks:
        hook.remove()
    return outputs


def seen_in_the_image(model):
    """Return for each call of a layer how many rows and columns of the image change one of its units, at most."""
    torch.manual_seed(0)
    model = deepcopy(model)
    model(torch.zeros(1, 1, *SIZE))  # lazy layers get their weights
    model = model.double().eval()
    for p in model.parameters():
        p.data = torch.rand_like(p) / p[0].numel() if p.ndim > 1 else torch.rand_like(p)  # positive: nothing cancels
    fields = []
    for axis in (2, 3):
        lines = []
        plain = torch.rand(1, 1, *SIZE, dtype=torch.float64)
        for line in [None, *range(SIZE[axis - 2])]:
            X = plain.clone()
            if line is not None:
                X.select(axis, line).add_(10)
            outputs = run(model, X)
            lines.append(outputs)
        sizes = []
        for first, *others in zip(*lines, strict=True):
            seen = torch.stack([(other != first).long() for other in others])  # lines × units
            last = len(seen) - seen.flip(0).argmax(0)
            sizes.append(((last - seen.argmax(0)) * seen.amax(0)).max().item())
        fields.append(sizes)
    return list(zip(*fields, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_macs_and_fields_are_those_of_the_network_itself(name):
    model = deepcopy(NETWORKS[name])
    table = layer_table(model, (1, *SIZE))
    if name == "lazy":
        model(torch.zeros(1, 1, *SIZE))
    assert table.parameters == sum(p.numel() for p in model.parameters())
    if name == "our own layers":
        assert table.macs == 22 * 22 * 2 * 9 + 11 * 11 * 2 * 18
    elif table.macs is not None:
        with FlopCounterMode(display=False) as counter:
            model.eval()(torch.zeros(1, 1, *SIZE))
        assert table.macs == counter.get_total_flops() // 2
    else:
        assert name in ("own rectifier", "own global average")  # nobody knows what is done in those
        assert "MACs left open" in repr(table) and "MACs left open" in table._repr_html_()
    assert [row.receptive_field for row in table] == seen_in_the_image(NETWORKS[name])


def test_layers_stand_in_the_order_in_which_they_run():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Flatten(), nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.last(self.first(x))

    assert [row.layer for row in layer_table(Backwards(), (1, 5, 5))] == ["Conv2d", "Flatten"]


def test_weights_that_a_network_uses_by_itself_are_counted_and_their_macs_left_open():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.spare = nn.Parameter(torch.rand(1, 1, 5, 5)), nn.Linear(3, 2)

        def forward(self, x):
            return F.conv2d(x, self.weight)

    table = layer_table(Mine(), (1, 8, 8))
    assert table.parameters == 25 + 8 and table.macs is None
    assert [(row.layer, row.receptive_field) for row in table] == [("Mine", (5, 5)), ("Linear (not called)", None)]


def test_several_outputs_and_indices_are_taken_as_they_come():
    assert layer_table(nn.MaxPool2d(2, return_indices=True), (1, 8, 8))[0].output == (1, 4, 4)
    rows = layer_table(nn.Sequential(nn.Flatten(2), nn.Flatten(0, 1), nn.LSTM(64, 3)), (1, 8, 8))
    assert rows[-1].output == (3,) and rows.macs is None


def test_a_network_too_large_to_be_measured_leaves_the_field_open():
    net = nn.Sequential(nn.Conv2d(1, 40, 11), Rectifier(), nn.Conv2d(40, 40, 11))
    table = layer_table(net, (1, 64, 64))
    assert [row.receptive_field for row in table] == [(11, 11), None, None]
    assert "receptive fields left open" in repr(table)


def test_the_table_touches_nothing():
    lazy = nn.Sequential(nn.LazyConv2d(2, 3), nn.ReLU(inplace=True))
    state = torch.get_rng_state()
    layer_table(lazy, (1, 6, 6))
    assert lazy[0].has_uninitialized_params() and torch.equal(torch.get_rng_state(), state)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel_size = 3

    def forward(self, x):
        return x


class OwnConv(nn.Conv2d):
    def forward(self, x):
        return super().forward(x.roll(5, 2))


@pytest.mark.parametrize("layer", [Own(), OwnConv(1, 1, 3), Functional(), Residual(), GlobalAverage(), Rectifier()])
def test_a_layer_somebody_wrote_is_refused_by_name(layer):
    with pytest.raises(ValueError, match=f"layers: got {type(layer).__name__}, .*one by one.*layer_table"):
        receptive_field([nn.Conv2d(1, 1, 3), layer])


@pytest.mark.parametrize("rows", [0, 2])
def test_one_row_of_scores_an_image_is_wanted(rows):
    class Rows(nn.Module):
        def forward(self, x):
            return torch.eye(10, device=x.device)[[3] * rows].repeat(len(x), 1)

    with pytest.raises(ValueError, match="scores"):
        evaluate(Rows(), (torch.rand(1, 1, 8, 8), torch.tensor([3])))


def test_one_row_of_scores_for_all_images_is_refused():
    class Mixed(nn.Module):
        def forward(self, x):
            return x.mean((0, 1, 2))[None]

    with pytest.raises(ValueError, match="rows of scores of the model: got 1, wanted 2"):
        evaluate(Mixed(), (torch.rand(2, 1, 8, 8), torch.tensor([3, 1])))
