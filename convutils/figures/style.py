"""The colours and the style of all figures. Each colour stands here and nowhere else.

The colours are Okabe and Ito's, which colour-blind readers can tell apart. Importing this module sets Matplotlib's
style.
"""

import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
PINK = "#CC79A7"
SKY = "#56B4E9"
VERMILION = "#D55E00"


def tint(colour: str, white: float) -> str:
    """Return the colour, a Matplotlib one, mixed with a share of white between 0 and 1, as `#rrggbb`.

    Example:
        >>> tint("#000000", 0.6)
        '#999999'
    """
    return to_hex([c + (1 - c) * white for c in to_rgb(colour)])


PALE_BLUE = tint(BLUE, 0.5)  # this and the next: grounds for black numbers
PALE_ORANGE = tint(ORANGE, 0.42)
SIGNED = LinearSegmentedColormap.from_list("signed", [BLUE, "white", VERMILION])
PALE_SIGNED = LinearSegmentedColormap.from_list("pale signed", [PALE_BLUE, "white", PALE_ORANGE])

STYLE = {
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "axes.prop_cycle": plt.cycler(color=[BLUE, VERMILION, GREEN, PINK]),
    "image.cmap": "gray",
}
plt.rcParams.update(STYLE)
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))  # one more than colours: they repeat together after twenty
