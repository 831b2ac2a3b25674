"""What importing costs: torch alone, until something else is used."""

import subprocess
import sys

import convutils

CODE = """
import sys

def late():
    return {name for name in ("sklearn", "scipy", "torchvision", "matplotlib", "IPython", "d2l", "pandas")
            if name in sys.modules}

import convutils
from convutils import *
from convutils import corr2d, kernels, load_mnist, train
assert not late(), late()

load_digits()
assert "sklearn" in late() and not late() & {"torchvision", "matplotlib", "IPython", "d2l"}, late()

from convutils import figures
figures.show_matrices
assert "matplotlib" in late() and not late() & {"torchvision", "d2l"}, late()
"""


def test_importing_needs_torch_alone_and_the_rest_comes_when_it_is_used():
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_all_is_complete_and_sorted():
    assert len(set(convutils.__all__)) == len(convutils.__all__)
    assert sorted(convutils.__all__, key=lambda name: (name[0].islower(), name.lower())) == convutils.__all__
    for name in convutils.__all__:
        assert getattr(convutils, name).__doc__, name
    for name, value in vars(convutils).items():
        assert name in convutils.__all__ or not getattr(value, "__module__", "").startswith("convutils."), name
