"""What every test run needs: notebook kernels that find convutils, and figures that are compared like other outputs.

nbval runs each cell and compares its texts with the stored ones, but never looks at pictures. The hook below compares
those, in the same run: a fresh figure may differ from the stored one only by what another machine's rounding explains.
"""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
# a kernel is a process of its own: it gets this checkout's convutils through the environment
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["TQDM_DISABLE"] = "1"  # as in workshop/notebooks.py: progress bars are no output to compare

# Root mean square over all pixels and colours, of 255. A line moved by one pixel gives about 4.
FIGURE_TOLERANCE = 1.0


def figures(outputs) -> list[str]:
    return [o["data"]["image/png"].strip() for o in outputs or [] if "image/png" in o.get("data", {})]


def pixels(encoded: str):
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return np.asarray(image.convert("RGB"), dtype=float)


def figure_difference(stored: str, fresh: str) -> str:
    """Say how two figures differ, in a few words; nothing when they agree."""
    if stored == fresh:
        return ""
    a, b = pixels(stored), pixels(fresh)
    if a.shape != b.shape:
        return f"size {b.shape[1]}×{b.shape[0]}, stored {a.shape[1]}×{a.shape[0]}"
    rms = float(((a - b) ** 2).mean() ** 0.5)
    return f"RMS difference {rms:.1f} of 255, at most {FIGURE_TOLERANCE} allowed" if rms > FIGURE_TOLERANCE else ""


def compare_figures(item) -> None:
    """Fail when a cell's fresh figures are not the stored ones."""
    where = f"{item.parent.path.name}, {item.name} (id {item.cell.get('id')})"
    stored, fresh = figures(item.cell.outputs), figures(item.test_outputs)
    if len(stored) != len(fresh):
        raise AssertionError(f"{where}: {len(fresh)} figures, stored {len(stored)}")
    for number, pair in enumerate(zip(stored, fresh), start=1):
        if difference := figure_difference(*pair):
            raise AssertionError(f"{where}, figure {number}: {difference}")


def pytest_addoption(parser):
    parser.addoption(
        "--texts-only",
        action="store_true",
        help="compare the notebooks' texts, not their figures: other versions of Matplotlib draw others",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Unit tests draw to no screen; a kernel, which is started here, must draw into its notebook."""
    if type(item).__name__ == "IPyNbCell":
        os.environ.pop("MPLBACKEND", None)
    else:
        os.environ["MPLBACKEND"] = "Agg"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield  # nbval runs the cell and compares its texts
    if type(item).__name__ == "IPyNbCell" and item.options["check"] and not item.config.getoption("texts_only"):
        compare_figures(item)
    return result
