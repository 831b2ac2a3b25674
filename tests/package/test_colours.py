"""The figures' colours can be told apart by readers who do not see all of them."""

from itertools import combinations

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from hypothesis import given
from hypothesis import strategies as st
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


def luminance(colour):
    """Relative luminance as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722


def test_lines_stand_out_from_their_ground():
    """WCAG asks for 3 : 1 of whatever must be seen to understand a picture."""
    ground = luminance(figures.STYLE["figure.facecolor"]) + 0.05
    contrasts = {c["color"]: ground / (luminance(c["color"]) + 0.05) for c in figures.STYLE["axes.prop_cycle"]}
    assert {colour: ratio for colour, ratio in contrasts.items() if ratio < 3} == {}


@given(st.floats(-1, 1))
def test_numbers_stand_out_from_their_cells(value):
    cell = figures._signed_colours()((value + 1) / 2)[:3]
    assert (luminance(cell) + 0.05) / (luminance("black") + 0.05) >= 7
