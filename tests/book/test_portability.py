"""workshop/portability.py finds a notebook whose outputs depend on the machine, and names what it could not try."""

import shutil
import socket
from pathlib import Path

import nbformat
import pytest

from workshop import portability as tool

ROOT = Path(__file__).parents[2]


CONNECT = """import socket
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=5)
    print("connected")
except OSError:
    print("refused")"""

DEPENDS_ON = {  # what a cell prints as a rule; under the condition it is to be found by, it prints something else
    "time zone": ("import time\nprint(time.tzname[0])", "UTC"),
    "decimal comma": ("import locale\nlocale.setlocale(locale.LC_ALL, '')\nprint(locale.str(0.5))", "0.5"),
    "no network": (CONNECT, "connected"),
}


def notebook(path, source, output):
    cell = nbformat.v4.new_code_cell(source, execution_count=1, id="one")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{output}\n")]
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata = nbformat.from_dict({"kernelspec": {"display_name": "", "language": "python", "name": "python3"}})
    nbformat.write(book, path)
    return path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own, with this one's settings."""
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(tool.course, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", DEPENDS_ON)
def test_dependence_on_the_machine_is_found(name, project, capsys, monkeypatch):
    (condition,) = (c for c in tool.CONDITIONS if c.name == name)
    if why := tool.obstacle(condition):
        pytest.skip(why)
    monkeypatch.setattr(tool, "CONDITIONS", [condition])
    with socket.create_server(("127.0.0.1", 0)) as server:
        source, usual = DEPENDS_ON[name]
        notebooks = [
            notebook(project / "good.ipynb", "print(42)", 42),
            notebook(project / "bad.ipynb", source.replace("PORT", str(server.getsockname()[1])), usual),
        ]
        assert tool.main([str(path) for path in notebooks]) == 1
    said = capsys.readouterr().out
    assert f"{name}: 1 failed, 1 passed" in said and "  FAILED bad.ipynb" in said and "0 of 1 runs" in said


def test_notebooks_that_depend_on_nothing_pass(project, capsys, monkeypatch):
    monkeypatch.setattr(tool, "CONDITIONS", tool.CONDITIONS[1:2])
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = CONNECT.replace("PORT", str(server.getsockname()[1]))
        assert tool.main([str(notebook(project / "good.ipynb", source, "connected"))]) == 0
    assert "1 of 1 runs" in capsys.readouterr().out


def test_a_condition_that_cannot_be_made_is_named_and_not_counted(capsys, monkeypatch):
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    assert tool.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert "no network: not run" in said and "decimal comma: not run" in said and "1 thread: can be run" in said


def test_a_missing_notebook_is_no_success(project, monkeypatch):
    monkeypatch.setattr(tool, "CONDITIONS", tool.CONDITIONS[:1])
    with pytest.raises(SystemExit, match="^1 thread: pytest"):
        tool.main([str(project / "none.ipynb")])
