"""The contents of the book: chapters and exercises are found by their names, and a new one is on every page's list."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from workshop import course


@pytest.fixture
def empty_course(tmp_path, monkeypatch) -> Path:
    """A folder with the course's contents and its Makefile, and one page that the contents find."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    for name in ("_toc.yml", "Makefile"):
        shutil.copy(Path(__file__).parents[2] / name, tmp_path)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01_a.ipynb").touch()
    return tmp_path


def under(caption: str) -> list[str]:
    return dict(course.contents())[caption]


def test_chapters_stand_in_their_order_and_once(empty_course):
    for name in ("10_c.ipynb", "02_b.md", ".hidden.txt"):
        (empty_course / "chapters" / name).touch()
    (empty_course / "chapters" / ".ipynb_checkpoints").mkdir()
    assert under("Chapters") == ["chapters/01_a", "chapters/02_b", "chapters/10_c"]


def test_the_page_of_all_exercises_comes_before_them(empty_course):
    (empty_course / "exercises").mkdir()
    for name in ("index.md", "02_b.ipynb", "01_a.ipynb"):
        (empty_course / "exercises" / name).touch()
    assert under("Exercises") == ["exercises/index", "exercises/01_a", "exercises/02_b"]


def is_built_anew(folder: Path) -> bool:
    """Whether `make book` would now build all pages, where nothing but the list of pages counts."""
    built = folder / "_build" / "html" / "page.html"
    built.parent.mkdir(parents=True, exist_ok=True)
    built.touch()
    command = ["make", "--silent", "SITE_WIDE=", "_build/site-wide"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    return not built.exists()


def test_all_pages_are_built_when_one_has_come_or_gone(empty_course):
    assert is_built_anew(empty_course) and not is_built_anew(empty_course)
    new = empty_course / "chapters" / "02_b.ipynb"
    new.touch()
    assert is_built_anew(empty_course) and not is_built_anew(empty_course)
    new.unlink()
    assert is_built_anew(empty_course) and not is_built_anew(empty_course)
