"""The pages keep to their budgets, and the page before the course teaches the names that the chapters use most."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from pathlib import Path
from statistics import median

import nbformat
import pytest
import torch
from budgets import BUDGETS

ROOT = Path(__file__).resolve().parents[2]
FOLDED = re.compile(r"<details>.*?</details>", flags=re.DOTALL)
NO_PROSE = re.compile(r"^```.*?^```|\$\$.*?\$\$|^#.*?$|^\|.*?$|<[^>]+>", flags=re.DOTALL | re.MULTILINE)

every_budget = pytest.mark.parametrize("page", BUDGETS)


def cells(page: str, kind: str) -> list:
    """The cells of one kind; the bootstrap, which no reader of the site sees, is none."""
    found = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    return [c for c in found if c.cell_type == kind and c.id != "bootstrap"]


def prose(page: str) -> str:
    """What is read as text, link targets left out."""
    text = FOLDED.sub("", "\n\n".join(c.source for c in cells(page, "markdown")))
    return re.sub(r"\]\([^)\s]+\)", "]", NO_PROSE.sub("", text))


def lines(cell) -> int:
    return len(cell.source.splitlines())


@every_budget
def test_page_is_as_long_as_promised(page):
    least, most = BUDGETS[page].words
    assert least <= len(re.findall(r"\S*\w\S*", prose(page))) <= most


@every_budget
def test_code_keeps_to_its_budget(page):
    code, budget = cells(page, "code"), BUDGETS[page]
    shown = [c for c in code if not {"hide-input", "hide-cell"} & set(c.metadata.get("tags", []))]
    least, most = budget.median_lines
    assert len(code) <= budget.code_cells
    assert least <= median(map(lines, shown)) <= most
    assert {c.id: lines(c) for c in code if lines(c) > budget.longest_cell} == {}


# ---------------------------------------------------------------- names

BEFORE = "reference/before_you_begin"


def names(code: str) -> set[str]:
    """The names of Python, of torch and of its tensors in some code; functions of `F` and layers of `nn` are none."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and hasattr(builtins, node.id):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id in ("F", "nn")
        ):
            found |= {node.attr} if hasattr(torch, node.attr) or hasattr(torch.Tensor, node.attr) else set()
    return found


def test_names_of_the_code_are_told_from_other_names():
    code = "y = torch.zeros(3).sum(); print(F.pad(y, p), nn.ReLU, figures.show_images)"
    assert names(code) == {"zeros", "sum", "print"}


def test_the_twenty_names_used_most_are_taught_before_the_course():
    """Counted are the code cells of the chapters that use a name; taught is what the prose names and a cell shows."""
    chapters = [f"chapters/{path.stem}" for path in ROOT.glob("chapters/*.ipynb")]
    used = Counter(name for page in chapters for c in cells(page, "code") for name in names(c.source))
    shown = {name for c in cells(BEFORE, "code") for name in names(c.source)}
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", prose(BEFORE)))))
    assert [name for name, _ in used.most_common(20) if name not in shown & named] == []
