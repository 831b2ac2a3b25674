"""Draw the picture of the landing page: what a trained network makes of one handwritten digit, layer by layer.

    python -m workshop.draw_landing             # writes _static/landing.png

The network is chapter 6's, trained here in a second; every patch of the picture is one of its tensors.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch

from convutils import ModernLeNet, load_digits, train

TARGET = Path(__file__).resolve().parent.parent / "_static" / "landing.png"
DIGIT = 12  # which test image
GREY = "#808890"  # readable on white and on black


def trained_network():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ModernLeNet().double()
    train(model, *load_digits(), epochs=5, lr=0.1, one_cycle=True, max_shift=2)
    return model.eval()


def stages(model, image):
    """The image, the maps after each convolution and each pooling, and the ten probabilities."""
    shown, X = [image[0]], image
    for layer in list(model)[:-1]:
        X = layer(X)
        if isinstance(layer, (torch.nn.ReLU, torch.nn.MaxPool2d)) and X.ndim == 4:
            shown.append(X[0])
    return shown, torch.softmax(model[-1](X), 1)[0]


def draw_maps(figure, cell, maps):
    rows = {1: 1, 6: 3, 16: 4}[len(maps)]
    grid = cell.subgridspec(rows, len(maps) // rows, wspace=0.06, hspace=0.06)
    for place, one in zip(grid, maps):
        axis = figure.add_subplot(place)
        axis.imshow(one, cmap="magma", vmin=0, aspect="auto")
        axis.axis("off")


def draw(model, image):
    shown, probabilities = stages(model, image)
    figure = plt.figure(figsize=(10, 1.85), dpi=150)
    # squares everywhere: a block of 3×2 maps is two thirds as wide as high, one of 4×4 as wide as high
    widths = [1, 2 / 3, 2 / 3, 1, 1, 0.6]
    outer = figure.add_gridspec(1, 6, width_ratios=widths, wspace=0.14, left=0, right=0.99, top=1, bottom=0)
    for cell, maps in zip(outer, shown):
        draw_maps(figure, cell, maps)
    axis = figure.add_subplot(outer[5])
    axis.barh(range(10), probabilities, color="#E69F00")
    axis.set(yticks=range(10), xticks=[], xlim=(0, 1))
    axis.invert_yaxis()
    axis.tick_params(length=0, labelcolor=GREY, labelsize=13)
    axis.spines[:].set_visible(False)
    return figure


def main() -> None:
    model = trained_network()
    images, _ = load_digits()[1]
    with torch.no_grad():
        figure = draw(model, images[DIGIT : DIGIT + 1].double())
    figure.savefig(TARGET, transparent=True, bbox_inches="tight", pad_inches=0.05, metadata={"Software": None})
    print(f"{TARGET.name}: {TARGET.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
