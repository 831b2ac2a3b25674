"""The exercise notebooks: complete against the list of questions, of one form, and usable without the solutions."""

from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from convutils.checks import load_exercises
from workshop.notebooks import EXERCISE

FOLDER = Path(__file__).parents[2] / "exercises"
NOTEBOOKS = sorted(FOLDER.glob("0*.ipynb"))
QUESTIONS = yaml.safe_load((Path(__file__).with_name("exercises.yml")).read_text(encoding="utf-8"))

in_each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def exercises(path):
    """Return (what its heading says, its cells) for each exercise of a notebook."""
    found = []
    for cell in read(path).cells:
        if cell.cell_type == "markdown" and (match := EXERCISE.match(cell.source)):
            found.append((match.groupdict(), []))
        if found:
            found[-1][1].append(cell)
    return found


def tags(cell):
    return cell.metadata.get("tags", [])


def test_there_is_a_notebook_for_each_chapter():
    assert [path.stem[3:] for path in NOTEBOOKS] == list(QUESTIONS)


@in_each_notebook
def test_every_question_of_the_list_is_answered_once_known(path):
    answered = {key.replace(" ", ".") for data, _ in exercises(path) for key in (data["keys"] or "").split(", ") if key}
    assert answered == set(QUESTIONS[path.stem[3:]])


@in_each_notebook
def test_exercises_are_numbered_through(path):
    numbers = [data["number"] for data, _ in exercises(path)]
    assert numbers == [f"{int(path.stem[:2])}.{n}" for n in range(1, 1 + len(numbers))]


@in_each_notebook
def test_each_exercise_has_the_same_form(path):
    for data, cells in exercises(path):
        number = data["number"]
        kinds = ["solution" if "solution" in tags(cell) else cell.cell_type for cell in cells]
        assert kinds[:3] == ["markdown", "code", "markdown"], number
        assert set(kinds[3:]) == {"solution"}, number
        assert cells[2].source.startswith("<details><summary><b>Hint</b></summary>"), number
        assert "not tried yet" in stdout(cells[1]) and "correct" not in stdout(cells[1]), number
        assert "correct" in stdout(cells[-1]) and "not yet" not in stdout(cells[-1]), number
        for cell in cells[3:]:
            if cell.cell_type == "code":
                assert "hide-cell" in tags(cell), number
            else:
                assert cell.source.startswith("<details>") and cell.source.endswith("</details>"), number


@in_each_notebook
def test_every_checker_is_called_before_and_after(path):
    checked = {number: [] for number in load_exercises(path.stem[3:])}
    for _, cells in exercises(path):
        for cell in cells:
            for number in checked:
                if f'check("{number}",' in cell.source:
                    checked[number].append("solution" in tags(cell))
    assert all(set(places) == {False, True} for places in checked.values()), checked


@in_each_notebook
def test_the_notebook_runs_without_its_solutions(path):
    notebook = read(path)
    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags(cell)]
    place = {"metadata": {"path": str(FOLDER)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()


def stdout(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []) if output.output_type == "stream")
