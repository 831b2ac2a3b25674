"""Figures drawn from the tensors they show; one style for the whole book.

Colours are Okabe and Ito's, which colour-blind readers can tell apart. Importing this module sets Matplotlib's
style.
"""

from convutils.figures.pictures import draw_network, plot_curves, show_confusion, show_images, show_matrices
from convutils.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    PALE_BLUE,
    PALE_ORANGE,
    PALE_SIGNED,
    PINK,
    SIGNED,
    SKY,
    STYLE,
    VERMILION,
)
from convutils.figures.window import animate_corr2d, animate_pool2d

__all__ = [
    "BLUE",
    "GREEN",
    "ORANGE",
    "PALE_BLUE",
    "PALE_ORANGE",
    "PALE_SIGNED",
    "PINK",
    "SIGNED",
    "SKY",
    "STYLE",
    "VERMILION",
    "animate_corr2d",
    "animate_pool2d",
    "draw_network",
    "plot_curves",
    "show_confusion",
    "show_images",
    "show_matrices",
]
