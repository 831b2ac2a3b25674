"""The figures' colours can be told apart by readers who do not see all of them."""

import os
import re
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from colorspacious import cspace_convert, deltaE
from matplotlib.colors import to_rgb

import convutils
from convutils import figures

PACKAGE = Path(convutils.__file__).parent

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


def test_numbers_stand_out_from_their_cells():
    """WCAG's highest level asks for 7 : 1; the strongest cell of either sign is the darkest."""
    figures.show_matrices({"X": torch.tensor([[-1.0, 1.0]])})
    (image,) = plt.gca().images
    for cell in image.cmap(image.norm(image.get_array()))[0]:
        assert (luminance(cell[:3]) + 0.05) / (luminance("black") + 0.05) >= 7
    plt.close("all")


GREYS = ["#101010", "#303030", "#505050", "#707070", "#909090", "#b0b0b0"]
DRAW_EVERYTHING = """
import matplotlib.pyplot as plt
import torch
from convutils import LeNet, figures

X, K = torch.arange(9.0).reshape(3, 3) - 4, torch.ones(2, 2)
figures.show_matrices({"X": X})
figures.show_images([X], signed=True)
figures.plot_curves({str(n): [[n, n], [n, n + 1.0]] for n in range(6)}, xlabel="x", ylabel="y")
figures.show_confusion(torch.tensor([0, 1]), torch.tensor([0, 0]))
figures.draw_network(LeNet(), (1, 28, 28))
for number in plt.get_fignums():
    canvas = plt.figure(number).canvas
    canvas.draw()
    pixels = torch.frombuffer(bytearray(canvas.buffer_rgba()), dtype=torch.uint8).view(-1, 4)[:, :3].int()
    print("spread", (pixels.amax(1) - pixels.amin(1)).max().item())
print(figures.animate_corr2d(X, K, alt="a").data, figures.animate_pool2d(X, 2, alt="a").data)
"""


def test_a_colour_is_changed_in_one_line(tmp_path):
    """Where the six colours are greys, nothing of any figure or animation has a colour."""
    shutil.copytree(PACKAGE, tmp_path / "convutils", ignore=shutil.ignore_patterns("__pycache__"))
    style = tmp_path / "convutils" / "figures" / "style.py"
    greys = iter(GREYS)
    changed = re.sub(r'^([A-Z]+) = "#.*$', lambda m: f'{m[1]} = "{next(greys)}"', style.read_text("utf-8"), flags=re.M)
    style.write_text(changed, encoding="utf-8")
    assert not list(greys)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    call = {"env": environment, "cwd": tmp_path, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", DRAW_EVERYTHING], **call)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"spread (\d+)", done.stdout) == 5 * ["0"]
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", done.stdout)) == {GREYS[1], GREYS[4]}  # the window and the outputs
