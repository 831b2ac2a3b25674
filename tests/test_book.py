"""The book holds together: notebooks in order, links that lead somewhere, nothing from other hosts, exact pins."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
NOTEBOOKS = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("exercises/*.ipynb"), *ROOT.glob("reference/*.ipynb")])
CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "chapters"]
FOLDERS = (".", "exercises", "reference")
SOURCES = [*NOTEBOOKS, *(path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.md")))]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}-{p.stem}")
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
every_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


def load(path: str):
    """A Python file of this course that is no installed module."""
    specification = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@cache
def cells(path: Path):
    return nbformat.read(path, as_version=4).cells


@cache
def markdown(path: Path) -> str:
    """The Markdown of a page or a notebook, without fenced code and inline code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join(c.source for c in cells(path) if c.cell_type == "markdown")
    return re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.DOTALL | re.MULTILINE)


def slug(heading: str) -> str:
    """The fragment that Jupyter, GitHub and the site make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(path: Path, level: str = "#{1,6}") -> list[str]:
    return re.findall(rf"^{level} +(.+?)\s*$", markdown(path), flags=re.MULTILINE)


# ---------------------------------------------------------------- notebooks


@every_notebook
def test_notebook_is_in_order(path):
    assert load("tools/run_notebooks.py").check(path) == []


@every_notebook
def test_every_code_cell_was_run(path):
    assert [c.id for c in cells(path) if c.cell_type == "code" and c.execution_count is None] == []


def pictures(cell) -> int:
    return sum(kind.startswith("image/") for o in cell.get("outputs", []) for kind in o.get("data", {}))


@every_notebook
def test_every_picture_has_words(path):
    """A cell that shows pictures says in its metadata what each shows, in a paragraph of at least five words each."""
    found = []
    for cell in filter(pictures, cells(path)):
        words = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").split("\n\n")
        assert len(words) == pictures(cell) and min(len(w.split()) for w in words) >= 5, f"{cell.id}: {words}"
        found += words
    assert len(found) == len(set(found)), f"twice: {[w for w in found if found.count(w) > 1]}"


@every_notebook
def test_cells_stay_short(path):
    """At most 20 lines a cell; only a folded plotting cell and the bootstrap may be longer."""
    exempt = {"hide-input", "remove-cell"}
    code = [c for c in cells(path) if c.cell_type == "code" and not exempt & set(c.metadata.get("tags", []))]
    assert {c.id: len(c.source.splitlines()) for c in code if len(c.source.splitlines()) > 20} == {}


@every_notebook
def test_no_cell_is_exempt_from_comparison(path):
    """Each exempt cell would have to be named here, with its reason."""
    tags = {c.id: [t for t in c.metadata.get("tags", []) if t.startswith("nbval-")] for c in cells(path)}
    assert {name: found for name, found in tags.items() if found} == {}


# ---------------------------------------------------------------- traps


def traps_and_their_code(path: Path) -> dict[str, bool]:
    """Each `### Trap: …` heading of a chapter, and whether a code cell follows before the next heading."""
    found, current = {}, None
    for cell in cells(path):
        if cell.cell_type == "code":
            if current is not None:
                found[current] = True
            continue
        for heading in re.findall(r"^#{1,6} +(.+?)\s*$", cell.source, flags=re.MULTILINE):
            current = heading if heading.startswith("Trap: ") else None
            if current is not None:
                found[current] = False
    return found


@every_chapter
def test_every_trap_is_shown_by_a_cell(path):
    assert [trap for trap, shown in traps_and_their_code(path).items() if not shown] == []


@every_chapter
def test_every_trap_is_on_common_mistakes(path):
    listed = (ROOT / "reference" / "common_mistakes.md").read_text(encoding="utf-8")
    links = {trap: f"(../chapters/{path.name}#{slug(trap)})" for trap in traps_and_their_code(path)}
    assert {trap: link for trap, link in links.items() if link not in listed} == {}


# ---------------------------------------------------------------- links


def local_links(path: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", markdown(path))
    flat = [a or b for a, b in links]
    return [link for link in flat if not re.match(r"[a-z]+:", link)]


def is_broken(path: Path, link: str) -> bool:
    file, _, fragment = unquote(link).partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists():
        return True
    return bool(fragment) and fragment not in {slug(h) for h in headings(target)}


@every_source
def test_links_between_pages_lead_somewhere(path):
    assert [link for link in local_links(path) if is_broken(path, link)] == []


@pytest.mark.skipif(not SITE.exists(), reason="the site is not built (make book)")
def test_built_site_takes_nothing_from_other_hosts():
    assert load("tools/check_offline.py").remote_references(SITE) == []


@pytest.mark.skipif(not SITE.exists(), reason="the site is not built (make book)")
def test_api_page_names_everything_public():
    import convutils

    page = (SITE / "reference" / "api.html").read_text(encoding="utf-8")
    names = [n for n in convutils.__all__ if n != "kernels"]
    assert [n for n in names if f'id="convutils.{n}"' not in page] == []


# ---------------------------------------------------------------- installation


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-book.txt", "constraints.txt"])
def test_requirements_are_exact(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pin = re.compile(r"[A-Za-z0-9._-]+==[\w.!+]+( ;.*)?|-r requirements-book\.txt")
    assert [line for line in lines if line and not pin.fullmatch(line)] == []


def test_every_requirement_has_its_constraint():
    """A version stands in both files; they must be the same."""
    text = "\n".join((ROOT / f).read_text(encoding="utf-8") for f in ("requirements.txt", "requirements-book.txt"))
    fixed = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    wanted = re.findall(r"^[A-Za-z0-9._-]+==[\w.]+", text, flags=re.MULTILINE)
    assert [pin for pin in wanted if not re.search(rf"^{re.escape(pin.lower())}( |$)", fixed, re.MULTILINE)] == []


def run_bootstrap(folder: Path, search_path: Path | None):
    """Run the bootstrap cell in a Python that sees no installed package, only what `search_path` holds."""
    isolated = [sys.executable, "-S", "-E", "-c"]
    path = f"import sys; sys.path.insert(0, {str(search_path)!r})\n" if search_path else ""
    source = (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    return subprocess.run([*isolated, path + source], cwd=folder, capture_output=True, text=True, timeout=60)


def test_bootstrap_does_nothing_where_convutils_is_there(tmp_path):
    done = run_bootstrap(tmp_path, ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bootstrap_says_what_to_do_where_it_is_not(tmp_path):
    """With no repository address it must not guess: the package index's convutils is another project."""
    done = run_bootstrap(tmp_path, None)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError") and "pip install ./FOLDER" in last and "another project" in last


def test_distribution_is_not_called_convutils():
    assert '\nname = "convnet-course"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the tests' own tools


def test_figure_comparison_sees_a_moved_line_but_not_rounding():
    import base64
    import io

    import numpy as np
    from PIL import Image

    difference = load("conftest.py").figure_difference

    def encoded(image):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="png")
        return base64.b64encode(buffer.getvalue()).decode()

    picture = np.full((200, 300, 3), 255, dtype=np.uint8)
    picture[:, 100] = 0
    rounded = picture.copy()
    rounded[picture == 255] -= 1
    moved = np.roll(picture, 1, axis=1)
    assert difference(encoded(picture), encoded(rounded)) == ""
    assert "RMS difference" in difference(encoded(picture), encoded(moved))
    assert "size" in difference(encoded(picture), encoded(picture[:-1]))
