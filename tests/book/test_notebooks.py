"""workshop/notebooks.py stores what came out, and leaves a notebook alone when anything went wrong."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from workshop import notebooks as tool

TITLE = "# A page\n\nWhat it is about.\n\n**Run time** — not measured yet"


def notebook(tmp_path, *sources) -> Path:
    cells = [nbformat.v4.new_markdown_cell(TITLE, id="title")]
    cells += [nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    path = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def cell(path: Path, name: str):
    return next(c for c in nbformat.read(path, as_version=4).cells if c.id == name)


def test_outputs_are_stored_and_a_second_run_changes_nothing(tmp_path, capsys):
    path = notebook(tmp_path, "import os\nprint('one')\nprint('two', flush=True)\nprint('three')", "6 * 7")
    assert tool.main([str(path)]) == 0
    once = path.read_bytes()
    assert [o.get("text") for o in cell(path, "cell-0").outputs] == ["one\ntwo\nthree\n"]
    assert cell(path, "cell-1").outputs[0].data["text/plain"] == "42"
    assert cell(path, "bootstrap").metadata.tags == ["remove-cell"]
    assert "**Run time** about" in cell(path, "title").source
    assert nbformat.read(path, as_version=4).metadata.made_with == {
        "python": platform.python_version(),
        "torch": version("torch").split("+")[0],
    }
    assert tool.main([str(path)]) == 0 and tool.main(["--check", str(path)]) == 0
    assert path.read_bytes() == once


@pytest.mark.parametrize(
    "source, complaint",
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('careful')", "careful"),
        ("object()", "memory address"),
        ("import os\nos.__file__", "path"),
        ("", "top to bottom"),
    ],
)
def test_a_bad_notebook_is_left_as_it_was(tmp_path, capsys, source, complaint):
    path = notebook(tmp_path, source)
    before = path.read_bytes()
    assert tool.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert complaint in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["page.ipynb"]


def test_a_notebook_over_its_limit_is_left_as_it_was(tmp_path, capsys, monkeypatch):
    path = notebook(tmp_path, "1")
    before = path.read_bytes()
    monkeypatch.setattr(tool, "LIMIT", 0)
    assert tool.main([str(path)]) == 1
    assert "the limit is 0 s" in capsys.readouterr().err and path.read_bytes() == before


def test_without_a_limit_it_is_stored_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "LIMIT", 0)
    path = notebook(tmp_path, "1 + 1")
    assert tool.main(["--no-limit", str(path)]) == 0
    assert "**Run time** about" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "stated, seconds, expected", [(None, 7, 10), (10, 6, 10), (10, 4.9, 5), (10, 10.1, 15), (None, 121, 180)]
)
def test_the_stated_time_changes_only_when_it_no_longer_holds(stated, seconds, expected):
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TITLE)])
    if stated:
        page.metadata.run_time_s = stated
    tool.state_run_time(page, seconds, limit=600)
    assert page.metadata.run_time_s == expected
    assert f"**Run time** about {expected} s on 2 cores" in page.cells[0].source


def test_normalising_keeps_outputs(tmp_path):
    path = notebook(tmp_path, "1")
    page = json.loads(path.read_text(encoding="utf-8"))
    output = {"output_type": "stream", "name": "stdout", "text": ["kept\n"]}
    metadata = {"execution": {}, "tags": ["hide-input"]}
    page["cells"][1] |= {"outputs": [output], "execution_count": 2, "metadata": metadata}
    page["metadata"] = {"kernelspec": {"name": "my-kernel", "display_name": "Mine"}, "widgets": {}}
    path.write_text(json.dumps(page), encoding="utf-8")
    assert tool.main(["--normalise", str(path)]) == 0
    stored = nbformat.read(path, as_version=4)
    assert stored.metadata == {"kernelspec": tool.KERNEL, "language_info": tool.LANGUAGE}
    assert cell(path, "cell-0").outputs[0].text == "kept\n"
    assert cell(path, "cell-0").metadata == {"tags": ["hide-input"]}
