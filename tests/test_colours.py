"""The figures' colours can be told apart by readers who do not see all of them."""

from itertools import combinations

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_rgb

from convutils import figures

COLOURS = {name: to_rgb(getattr(figures, name)) for name in ("BLUE", "ORANGE", "GREEN", "PINK", "SKY", "VERMILION")}
JUST_NOTICEABLE = 1  # in CAM02-UCS, the space of colours that deltaE measures in


@pytest.mark.parametrize("kind", ["deuteranomaly", "protanomaly", "tritanomaly"])
def test_colours_differ_for_colour_blind_readers(kind):
    """All pairs by ten times what a reader can just notice, even where one kind of cone is missing altogether."""
    eye = {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}
    seen = {name: np.clip(cspace_convert(colour, eye, "sRGB1"), 0, 1) for name, colour in COLOURS.items()}
    pairs = {pair: deltaE(*(seen[name] for name in pair), input_space="sRGB1") for pair in combinations(seen, 2)}
    assert {pair: apart for pair, apart in pairs.items() if apart < 10 * JUST_NOTICEABLE} == {}
