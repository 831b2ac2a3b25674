"""The figures: what they draw is what they were given, and the animations need no network and no eyes."""

import json
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import random_tensor, windows
from torch import nn

from convutils import LeNet, ModernLeNet, corr2d, figures, output_size, pool2d

pytestmark = pytest.mark.filterwarnings("error")
SIGNS = {"⋆", "="}
SMALL = torch.arange(9.0).reshape(3, 3), torch.tensor([[0.0, 1], [2, 3]])


@pytest.fixture(autouse=True)
def close_figures():
    plt.close("all")
    yield
    plt.close("all")


def drawn():
    """Return the one figure that was shown, drawn."""
    assert len(plt.get_fignums()) == 1
    figure = plt.gcf()
    figure.canvas.draw()
    return figure


def numbers(ax):
    """Return the texts in the cells of a matrix, row by row."""
    places = {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in ax.texts
        if text.get_text() not in SIGNS
    }
    rows, columns = (max(place[a] for place in places) + 1 for a in (0, 1))
    return [[places[i, j] for j in range(columns)] for i in range(rows)]


# ---- show_matrices


def test_matrices_are_shown_with_their_numbers_names_and_shapes():
    X, K = SMALL
    figures.show_matrices({"X": X, "K": K, "Y": corr2d(X, K)}, ("⋆", "="))
    axes = drawn().axes
    assert [ax.get_title() for ax in axes] == ["X  3×3", "K  2×2", "Y  2×2"]
    assert numbers(axes[0]) == [["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8"]]
    assert numbers(axes[1]) == [["0", "1"], ["2", "3"]] and numbers(axes[2]) == [["19", "25"], ["37", "43"]]
    assert [[t.get_text() for t in ax.texts if t.get_text() in SIGNS] for ax in axes] == [[], ["⋆"], ["="]]


@pytest.mark.parametrize(
    "X, decimals, wanted",
    [
        ([[1.0, -2.0]], None, ["1", "−2"]),
        ([[1.0, -2.5]], None, ["1.00", "−2.50"]),
        ([[0.126, -0.004]], 2, ["0.13", "0.00"]),
        ([[0.5, 10.0]], 1, ["0.5", "10.0"]),
        ([[1, -3]], None, ["1", "−3"]),
    ],
)
def test_numbers_are_rounded_and_minus_is_a_minus(X, decimals, wanted):
    figures.show_matrices({"X": torch.tensor(X)}, decimals=decimals)
    assert numbers(drawn().axes[0]) == [wanted]


def test_cells_are_coloured_by_sign():
    figures.show_matrices({"X": torch.tensor([[-3.0, 0, 3]])})
    image = drawn().axes[0].images[0]
    negative, zero, positive = image.cmap(image.norm(image.get_array()))[0]
    assert zero[:3].tolist() == pytest.approx([1, 1, 1], abs=0.005)
    assert negative[2] > negative[0] and positive[0] > positive[2]


def test_matrices_of_zeros_gradients_and_one_pixel():
    figures.show_matrices({"0": torch.zeros(2, 3), "g": torch.ones(1, 1, requires_grad=True)})
    figure = drawn()
    assert numbers(figure.axes[0]) == [["0"] * 3] * 2 and numbers(figure.axes[1]) == [["1"]]


# ---- show_images


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(5, 6, 7),
        torch.rand(5, 1, 6, 7),
        list(torch.rand(5, 6, 7)),
        torch.rand(5, 1, 7),
        torch.rand(5, 6, 7, requires_grad=True),
    ],
)
def test_images_are_shown_in_a_grid(images):
    figures.show_images(images, titles=range(5), columns=3)
    axes = drawn().axes
    assert len(axes) == 6 and [ax.get_title() for ax in axes] == ["0", "1", "2", "3", "4", ""]
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 1, 1, 0]
    for ax, image in zip(axes, images, strict=False):
        assert torch.as_tensor(ax.images[0].get_array().data).allclose(image.detach().reshape(-1, 7).double())


def test_images_share_one_scale_unless_they_are_signed():
    images = torch.stack([torch.eye(3), 4 * torch.eye(3), -2 * torch.eye(3)])
    figures.show_images(images)
    assert {ax.images[0].get_clim() for ax in drawn().axes} == {(-2, 4)}
    plt.close("all")
    figures.show_images(images, signed=True)
    assert [ax.images[0].get_clim() for ax in drawn().axes] == [(-1, 1), (-4, 4), (-2, 2)]


# ---- plot_curves


@pytest.mark.parametrize(
    "values",
    [
        [3.0, 2.0, 1.0],
        (3, 2, 1),
        torch.tensor([3.0, 2, 1]),
        [torch.tensor(3.0), torch.tensor(2.0), torch.tensor(1.0)],
        torch.tensor([[4.0, 2, 1], [2, 2, 1]]),
        [[4.0, 2, 1], [2.0, 2, 1]],
        [torch.tensor([4.0, 2, 1]), torch.tensor([2.0, 2, 1])],
    ],
)
def test_curves_are_drawn_as_given(values, recwarn):
    figures.plot_curves({"loss": values}, xlabel="epoch", ylabel="loss", log=True, ylim=(0.5, 5))
    (ax,) = drawn().axes
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 2, 3] if hasattr(line.get_xdata(), "tolist") else [1, 2, 3]
    assert list(line.get_ydata()) == [3, 2, 1]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale(), ax.get_ylim()) == ("epoch", "loss", "log", (0.5, 5))
    runs = len(values) == 2
    assert len(ax.collections) == runs and ax.get_legend() is None and not recwarn.list
    if runs:
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert band.min() == 1 and band.max() == 4


def test_each_curve_has_its_own_look_and_place_in_the_legend():
    curves = {f"curve {n}": [n, n + 1] for n in range(10)}
    figures.plot_curves(curves, xlabel="x", ylabel="y", x=[10, 20])
    (ax,) = drawn().axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(curves)
    assert [list(line.get_ydata()) for line in ax.lines] == list(curves.values())
    assert list(ax.lines[0].get_xdata()) == [10, 20]


def test_ten_curves_that_lie_on_each_other_look_all_different():
    figures.plot_curves({f"curve {n}": [0, 1] for n in range(10)}, xlabel="x", ylabel="y")
    figure = drawn()
    lines, looks = figure.axes[0].lines, set()
    for shown in lines:
        for line in lines:
            line.set_visible(line is shown)
        figure.canvas.draw()
        looks.add(bytes(figure.canvas.buffer_rgba()))
    assert len(looks) == 10


# ---- show_confusion


def test_confusions_are_counted():
    labels, predictions = torch.tensor([0, 0, 0, 1, 2, 2]), torch.tensor([0, 0, 2, 1, 2, 1])
    figures.show_confusion(labels, predictions, num_classes=3)
    (ax,) = drawn().axes
    counts = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert counts == {(0, 0): "2", (0, 2): "1", (1, 1): "1", (2, 1): "1", (2, 2): "1"}
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("true", "predicted")
    cells = ax.images[0].cmap(ax.images[0].norm(ax.images[0].get_array()))
    right, wrong, none = cells[0, 0], cells[0, 2], cells[0, 1]
    assert right[2] > right[0] and wrong[0] > wrong[2] and none[:3].tolist() == pytest.approx([1, 1, 1], abs=0.005)


# ---- draw_network


@pytest.mark.parametrize("net", [LeNet(), ModernLeNet()])
def test_network_is_drawn_from_its_own_table(net):
    figures.draw_network(net, (1, 28, 28))
    *axes, unused = drawn().axes  # two rows of five for nine stages
    assert not unused.patches and not unused.texts
    maps, bars = ["1×28×28", "6×28×28", "6×14×14", "16×10×10", "16×5×5"], ["400", "120", "84", "10"]
    assert [ax.get_title() for ax in axes] == maps + bars
    names = [ax.texts[0].get_text().split("\n") for ax in axes]
    assert [n[0] for n in names] == [
        "input",
        "Conv2d",
        type(net[3 if len(net) == 13 else 4]).__name__,
        "Conv2d",
        type(net[3 if len(net) == 13 else 4]).__name__,
        "Flatten",
        *3 * ["Linear"],
    ]
    assert sum(map(len, names)) == len(net) + 1
    assert [len(ax.patches) for ax in axes] == [1, 6, 6, 6, 6, 1, 1, 1, 1]


def test_maps_are_drawn_in_proportion():
    figures.draw_network(nn.Sequential(nn.Conv2d(1, 2, 1), nn.MaxPool2d(2)), (1, 8, 8))
    sides = [ax.patches[0].get_width() for ax in drawn().axes]
    assert sides[0] == sides[1] == 2 * sides[2]


# ---- animations


class Page(HTMLParser):
    """Tags with their attributes, in order, and whether each is closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "input":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def frames(html):
    """Return the positions of the window that the script is given."""
    return json.loads(Page(html).find("div")[0]["data-frames"])


def animations(alt="What it shows."):
    X, K = SMALL
    return {
        "corr2d": figures.animate_corr2d(X, K, padding=1, stride=(1, 2), alt=alt).data,
        "pool2d": figures.animate_pool2d(X, 2, alt=alt).data,
    }


@pytest.mark.parametrize("name", ["corr2d", "pool2d"])
def test_animation_needs_no_network(name):
    html = animations()[name]
    assert not re.search(r"https?:|//[a-z]|url\(|@import|\bsrc=|\bhref=|fetch|XMLHttp|\bimport\b", html)


@pytest.mark.parametrize("name", ["corr2d", "pool2d"])
def test_animation_is_well_formed_and_says_what_it_shows(name):
    page = Page(animations()[name])
    assert not page.open
    (picture,) = page.find("svg")
    assert picture["role"] == "img" and picture["aria-label"] == "What it shows."
    assert all(button["aria-label"] for button in page.find("button")) and len(page.find("button")) == 3
    (slider,) = page.find("input")
    assert slider["type"] == "range" and slider["aria-label"] and slider["value"] == "0"
    assert page.find("p") == [{"aria-live": "polite"}]


def test_animation_is_the_same_each_time():
    """A cell that is run again stores nothing new."""
    assert animations() == animations()


def test_animation_escapes_what_it_is_told():
    alt = "\"><script>alert(1)</script>&amp; K's $frames ${picture}"
    for html in animations(alt).values():
        page = Page(html)
        assert page.find("svg")[0]["aria-label"] == alt and len(page.find("script")) == 1


def test_animation_computes_every_output():
    html = figures.animate_corr2d(*SMALL, alt="x").data
    assert [f["text"] for f in frames(html)] == [
        "Y[0, 0] = 0·0 + 1·1 + 3·2 + 4·3 = 19",
        "Y[0, 1] = 1·0 + 2·1 + 4·2 + 5·3 = 25",
        "Y[1, 0] = 3·0 + 4·1 + 6·2 + 7·3 = 37",
        "Y[1, 1] = 4·0 + 5·1 + 7·2 + 8·3 = 43",
    ]
    assert [(f["x"], f["y"]) for f in frames(html)] == [(0, 0), (34, 0), (0, 34), (34, 34)]
    assert '<p aria-live="polite">Y[0, 0] = 0·0 + 1·1 + 3·2 + 4·3 = 19</p>' in html  # also without the script


def test_animated_pooling_computes_every_output():
    assert [f["text"] for f in frames(figures.animate_pool2d(SMALL[0], 2, alt="x").data)] == [
        "Y[0, 0] = max(0, 1, 3, 4) = 4",
        "Y[0, 1] = max(1, 2, 4, 5) = 5",
        "Y[1, 0] = max(3, 4, 6, 7) = 7",
        "Y[1, 1] = max(4, 5, 7, 8) = 8",
    ]
    texts = [f["text"] for f in frames(figures.animate_pool2d(-SMALL[0], 2, padding=1, stride=3, alt="x").data)]
    assert texts[0] == "Y[0, 0] = max(−∞, −∞, −∞, 0) = 0"
    average = frames(figures.animate_pool2d(SMALL[0], 2, "avg", padding=1, stride=3, alt="x").data)
    assert [average[n]["text"].partition(" = ")[2] for n in (0, 3)] == ["mean(0, 0, 0, 0) = 0", "mean(8, 0, 0, 0) = 2"]


NUMBER = r"(−?[\d.]+)"


@settings(max_examples=20)
@given(windows(max_kernel=3, max_room=3), st.booleans())
def test_animation_shows_the_right_numbers_at_the_right_places(w, pooling):
    X = random_tensor(w.input_size, dtype=torch.int64)
    if pooling:
        size = tuple(min(k, n) for k, n in zip(w.kernel_size, w.input_size, strict=True))
        geometry = {"stride": w.stride}
        html, Y = figures.animate_pool2d(X, size, alt="x", **geometry).data, pool2d(X, size, **geometry)
    else:
        K = random_tensor(w.kernel_size, 1, torch.int64)
        geometry = {"padding": w.padding, "stride": w.stride, "dilation": w.dilation}
        html, Y = figures.animate_corr2d(X, K, alt="x", **geometry).data, corr2d(X, K, **geometry)
    shown = frames(html)
    assert len(shown) == Y.numel() == html.count('class="y"') and f'max="{Y.numel() - 1}"' in html
    for frame, (i, j) in zip(shown, ((i, j) for i in range(Y.shape[0]) for j in range(Y.shape[1])), strict=True):
        assert frame["text"].startswith(f"Y[{i}, {j}] = ") and frame["text"].endswith(f" = {Y[i, j]}".replace("-", "−"))
        if not pooling:
            terms = re.findall(rf"{NUMBER}·{NUMBER}", frame["text"])
            products = [int(a.replace("−", "-")) * int(b.replace("−", "-")) for a, b in terms]
            assert len(products) == K.numel() and sum(products) == Y[i, j]
    assert len(Page(html).find("text")) >= X.numel() + Y.numel()


def test_padding_is_drawn_empty_and_dashed():
    html = figures.animate_corr2d(*SMALL, padding=1, alt="x").data
    assert html.count('class="pad"') == 25 - 9
    assert output_size(3, 2, padding=1) == (4, 4) and html.count('class="y"') == 16


def test_long_decimals_are_shortened():
    html = figures.animate_corr2d(torch.full((1, 1), 1 / 3), torch.full((1, 1), -1 / 3), alt="x").data
    assert frames(html)[0]["text"] == "Y[0, 0] = 0.33·−0.33 = −0.11"


# ---- style


def test_figures_use_one_style():
    assert plt.rcParams["image.cmap"] == "gray" and not plt.rcParams["axes.spines.top"]
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"][0] == figures.BLUE
