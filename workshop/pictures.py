"""Draw the pictures of the course as a whole: the landing page's, and the one shown where someone shares a link.

    python -m workshop.pictures              # writes _static/landing.png and _static/preview.png, 1200 × 630 pixels

The network is chapter 6's, trained here in a second; every patch of the picture is one of its tensors. The preview has
it under the course's title, on dark: most places that show it are light.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from torch import Tensor, nn

from convutils import ModernLeNet, figures, load_digits, train
from workshop.course import ROOT

plt.rcdefaults()  # the style of the book's figures is for white paper

LANDING, PREVIEW = ROOT / "_static" / "landing.png", ROOT / "_static" / "preview.png"
DIGIT = 12  # which test image
GREY = "#808890"  # readable on white and on black
INK, PAPER = "#f2f2f2", "#14181e"
LINES = [  # height, size, weight, text
    (0.80, 37, "bold", "Convolutional Networks, Executed"),
    (0.69, 22, "normal", "From the fully connected layer to LeNet:"),
    (0.61, 22, "normal", "a course in which every statement is a cell you can run"),
]


def trained_network() -> nn.Module:
    """Chapter 6's modern network, trained on the digits."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ModernLeNet().double()
    train(model, *load_digits(), epochs=5, lr=0.1, one_cycle=True, max_shift=2)
    return model.eval()


@torch.no_grad()
def stages(model: nn.Sequential, image: Tensor) -> tuple[list[Tensor], Tensor]:
    """The image, the maps after each convolution and each pooling, and the ten probabilities."""
    shown, X = [image[0]], image
    for layer in list(model)[:-1]:
        X = layer(X)
        if isinstance(layer, (nn.ReLU, nn.MaxPool2d)) and X.ndim == 4:
            shown.append(X[0])
    return shown, torch.softmax(model[-1](X), 1)[0]


def draw_maps(figure: Figure, cell: SubplotSpec, maps: Tensor) -> None:
    """Draw the maps of one stage as a block."""
    rows = {1: 1, 6: 3, 16: 4}[len(maps)]
    for place, one in zip(cell.subgridspec(rows, len(maps) // rows, wspace=0.06, hspace=0.06), maps):
        axis = figure.add_subplot(place)
        axis.imshow(one, cmap="magma", vmin=0, aspect="auto")
        axis.axis("off")


def draw_landing() -> None:
    """Draw what the trained network makes of one handwritten digit, layer by layer."""
    images, _ = load_digits()[1]
    shown, probabilities = stages(trained_network(), images[DIGIT : DIGIT + 1].double())
    figure = plt.figure(figsize=(10, 1.85), dpi=150)
    # squares everywhere: a block of 3×2 maps is two thirds as wide as high, one of 4×4 as wide as high
    widths = [1, 2 / 3, 2 / 3, 1, 1, 0.6]
    outer = figure.add_gridspec(1, 6, width_ratios=widths, wspace=0.14, left=0, right=0.99, top=1, bottom=0)
    for cell, maps in zip(outer, shown):
        draw_maps(figure, cell, maps)
    axis = figure.add_subplot(outer[5])
    axis.barh(range(10), probabilities, color=figures.ORANGE)
    axis.set(yticks=range(10), xticks=[], xlim=(0, 1))
    axis.invert_yaxis()
    axis.tick_params(length=0, labelcolor=GREY, labelsize=13)
    axis.spines[:].set_visible(False)
    figure.savefig(LANDING, transparent=True, bbox_inches="tight", pad_inches=0.05, metadata={"Software": None})


def draw_preview() -> None:
    """Draw the landing page's picture under the title."""
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    for height, size, weight, text in LINES:
        figure.text(0.05, height, text, color=INK, fontsize=size, fontweight=weight)
    axis = figure.add_axes((0.05, 0.06, 0.9, 0.48))
    axis.imshow(plt.imread(LANDING), interpolation="antialiased")
    axis.axis("off")
    figure.savefig(PREVIEW, facecolor=PAPER, metadata={"Software": None})


if __name__ == "__main__":
    draw_landing()
    draw_preview()
