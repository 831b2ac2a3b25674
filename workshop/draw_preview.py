"""Draw the picture that stands for the course where someone shares a link to it.

    python -m workshop.draw_preview             # writes _static/preview.png, 1200 × 630 pixels

It is the landing page's picture (workshop/draw_landing.py) under the course's title, on dark: most places that show it
are light.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STATIC = Path(__file__).resolve().parent.parent / "_static"
INK, PAPER = "#f2f2f2", "#14181e"
LINES = [  # height, size, weight, text
    (0.80, 37, "bold", "Convolutional Networks, Executed"),
    (0.69, 22, "normal", "From the fully connected layer to LeNet:"),
    (0.61, 22, "normal", "a course in which every statement is a cell you can run"),
]


def main() -> None:
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    for height, size, weight, text in LINES:
        figure.text(0.05, height, text, color=INK, fontsize=size, fontweight=weight)
    axis = figure.add_axes((0.05, 0.06, 0.9, 0.48))
    axis.imshow(plt.imread(STATIC / "landing.png"), interpolation="antialiased")
    axis.axis("off")
    target = STATIC / "preview.png"
    figure.savefig(target, facecolor=PAPER, metadata={"Software": None})
    print(f"{target.name}: {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
