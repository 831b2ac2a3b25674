"""Run notebooks from top to bottom and store their outputs, or check that the stored ones are in order.

    python -m workshop.notebooks                       # run every notebook of the course
    python -m workshop.notebooks chapters/06_lenet.ipynb
    python -m workshop.notebooks --no-limit            # on a slower machine, or where one now takes longer
    python -m workshop.notebooks --normalise           # tidy the metadata, run nothing
    python -m workshop.notebooks --check               # run and change nothing, report what is out of order

A notebook that fails, writes warnings or takes too long is left as it was. Running a deterministic notebook a
second time leaves its file byte for byte the same, so a diff shows what really changed.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from math import ceil, inf
from pathlib import Path

import nbformat
from nbformat import NotebookNode, from_dict

from workshop import course

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
LANDING_PAGE = course.ROOT / "intro.md"

STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120)  # seconds; a measured time is rounded up to one of these
LIMIT = 30  # seconds one notebook may take on two cores, unless it states a longer time already

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}
MEASURED = ("run_time_s", "made_with")  # what running a notebook says about its outputs
CELL_KEYS = {"tags", "mystnb"}

# Asked of the kernel that made the outputs. "+cpu" and the like say where torch was downloaded, not which one it is.
PROBE = """import json, platform
from importlib.metadata import version
print(json.dumps({"python": platform.python_version(), "torch": version("torch").split("+")[0]}))"""

RUN_TIME = re.compile(r"^\*\*Run time\*\*.*$", re.MULTILINE)
EXERCISE = re.compile(
    r"## (?P<heading>Exercise (?P<number>\d+\.\d+) · (?P<title>.+))\n\n"
    r"(?P<difficulty>●○○|●●○|●●●) · about (?P<minutes>\d+) minutes(?: · (?P<keys>.+))?(?:\n|$)"
)
MACHINE_PATH = re.compile(
    r"/(?:home|Users|tmp|root|usr/lib|usr/local|opt)/[\w.]|[A-Z]:\\\\?Users|site-packages|ipykernel_\d+|"
    + "|".join(re.escape(folder) for folder in (str(course.ROOT), sys.prefix, sys.base_prefix) if len(folder) > 4)
)
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


class Disorder(Exception):
    """A page that is not fit to be stored; the message says why."""


# ---------------------------------------------------------------- files


def read(path: Path) -> NotebookNode:
    """The notebook of a file."""
    return nbformat.read(path, as_version=4)


def as_text(notebook: NotebookNode) -> str:
    """The one spelling of a notebook on disk: what nbformat writes, with one newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def store(path: Path, text: str) -> str:
    """Replace a file in one step, so that an interrupted run never leaves half a page; say whether it changed."""
    if text == path.read_text(encoding="utf-8"):
        return "unchanged"
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)
    return "stored"


# ---------------------------------------------------------------- the normal form


def bootstrap_source(address: str) -> str:
    """The bootstrap cell of a course with this repository: it installs this version's tag, nothing newer."""
    source = f"git+{address}@{course.release_tag()}" if address else ""
    text = BOOTSTRAP.read_text(encoding="utf-8").rstrip("\n")
    return text.replace('SOURCE = ""', f'SOURCE = "{source}"', 1)


def place_bootstrap(notebook: NotebookNode) -> None:
    """Put the bootstrap second; it has no outputs, and keeps its count."""
    old = [c for c in notebook.cells if c.get("id") == "bootstrap"]
    new = nbformat.v4.new_code_cell(bootstrap_source(course.repository()), id="bootstrap")
    new.metadata = from_dict({"tags": ["remove-cell"]})
    new.execution_count = old[0].get("execution_count") if old else None
    others = [c for c in notebook.cells if c not in old]
    notebook.cells = [*others[:1], new, *others[1:]]


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Keep what says something about the course; drop what says something about the machine or the editor."""
    measured = {key: notebook.metadata[key] for key in MEASURED if key in notebook.metadata}
    notebook.metadata = from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, **measured})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    place_bootstrap(notebook)
    for cell in notebook.cells:
        cell.metadata = from_dict({k: v for k, v in cell.metadata.items() if k in CELL_KEYS and v})
        for output in cell.get("outputs", []):
            tidy_output(output)
    return notebook


def tidy_output(output: NotebookNode) -> None:
    """Spell a picture's base64 in one way: it ends with a newline in some versions of IPython."""
    for kind, data in output.get("data", {}).items():
        if kind.startswith("image/") and isinstance(data, str) and not data.lstrip().startswith("<"):
            output.data[kind] = data.strip()


# ---------------------------------------------------------------- running


def execute(notebook: NotebookNode, folder: Path, timeout: int | None) -> float:
    """Run every cell in a fresh kernel whose current folder is the notebook's; return the seconds it took.

    Which Python and torch ran it is noted in the metadata.
    """
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,  # one print, one output, however the kernel happened to flush
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    start = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - start
    notebook.metadata.made_with = json.loads(notebook.cells.pop().outputs[0].text)
    return seconds


def kernel_environment() -> None:
    """Set what a kernel inherits: this checkout's convutils, and nothing that depends on the caller."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(course.ROOT), os.environ.get("PYTHONPATH")]))
    os.environ.pop("MPLBACKEND", None)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["TQDM_DISABLE"] = "1"  # progress bars are for whoever waits, not for the stored page


def run(path: Path, limited: bool = True) -> str:
    """Run one notebook and store it; return what happened in a few words."""
    notebook = normalise(read(path))
    limit = max(LIMIT, notebook.metadata.get("run_time_s", 0)) if limited else inf
    seconds = execute(notebook, path.parent, timeout=600 if limited else None)
    state_run_time(notebook, seconds, limit)
    if problems := faults(normalise(notebook)):
        raise Disorder("; ".join(problems))
    return f"{seconds:.1f} s, {store(path, as_text(notebook))}"


# ---------------------------------------------------------------- the stated run time


def rounded_up(seconds: float) -> int:
    """The time that is stated for a measured one."""
    return next((step for step in STEPS if seconds <= step), 60 * ceil(seconds / 60))


def run_time_line(seconds: int) -> str:
    """How the first cell states the time."""
    return f"**Run time** about {seconds} s on 2 cores"


def state_run_time(notebook: NotebookNode, seconds: float, limit: float) -> None:
    """Write the measured time into the first cell; keep the stated one while it still holds, so diffs stay small."""
    if seconds > limit:
        raise Disorder(f"took {seconds:.0f} s; the limit is {limit} s")
    stated = notebook.metadata.get("run_time_s")
    if stated is None or seconds > stated or seconds < stated / 2:
        stated = rounded_up(seconds)
    notebook.metadata.run_time_s = stated
    first = notebook.cells[0]
    if len(RUN_TIME.findall(first.source)) != 1:
        raise Disorder("the first cell needs exactly one line that starts with **Run time**")
    first.source = RUN_TIME.sub(run_time_line(stated), first.source)


def landing_page(text: str) -> str:
    """The landing page with the stated times, which stand in brackets behind the bold link to a notebook."""

    def stated(match: re.Match) -> str:
        return f"{match[1]}({read(course.ROOT / match[2]).metadata.run_time_s} s)"

    return re.sub(r"(\]\(([\w/]+\.ipynb)\)\*\* )\(\d+ s\)", stated, text)


# ---------------------------------------------------------------- checking


def exercises(notebook: NotebookNode) -> list[dict[str, str | None]]:
    """What the headings of the exercises say: heading, number, title, difficulty, minutes, keys of the questions."""
    found = [EXERCISE.match(c.source) for c in notebook.cells if c.cell_type == "markdown"]
    return [match.groupdict() for match in found if match]


def faults(notebook: NotebookNode) -> list[str]:
    """Everything about the content of a stored notebook that must not be so."""
    cells = notebook.cells
    found = []
    ids = [c.get("id") for c in cells]
    found += [f"cell id {i!r} is used twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
    if not cells or cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        found.append("the first cell must be Markdown and begin with the title")
    if RUN_TIME.findall(cells[0].source) != [run_time_line(notebook.metadata.get("run_time_s"))]:
        found.append("the run time in the first cell is not the measured one")
    if set(notebook.metadata.get("made_with", {})) != {"python", "torch"}:
        found.append("the versions its outputs were made with are not stated (run it)")
    code = [c for c in cells if c.cell_type == "code"]
    if [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        found.append("not run from top to bottom in one go")
    headings = [c for c in cells if c.cell_type == "markdown" and c.source.startswith("## Exercise ")]
    wanted = "'## Exercise 2.3 · title', an empty line, and '●●○ · about 20 minutes'"
    found += [f"cell {c.get('id')!r}: wanted {wanted}" for c in headings if not EXERCISE.match(c.source)]
    return found + [f"cell {cell.get('id')!r}: {fault}" for cell in code for fault in output_faults(cell)]


def output_faults(cell: NotebookNode) -> list[str]:
    """What a cell shows and must not show: warnings, unasked errors, and what is the machine's own."""
    found = []
    for output in cell.outputs:
        if output.get("name") == "stderr":
            found.append(f"text on stderr: {output.text.strip()[:300]!r}")
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
            found.append(f"it failed: {output.ename}: {output.evalue}")
        text = printable(output)
        for pattern, what in ((MACHINE_PATH, "a path of this machine"), (ADDRESS, "a memory address")):
            if match := pattern.search(text):
                found.append(f"{what} in the output: …{text[max(0, match.start() - 20) : match.end() + 20]!r}…")
    return found


def printable(output: NotebookNode) -> str:
    """The readable part of an output: base64 images could hold any string by chance."""
    parts = [output.get("text", ""), *output.get("traceback", [])]
    parts += [str(v) for k, v in output.get("data", {}).items() if not k.startswith("image/") or k == "image/svg+xml"]
    return re.sub(r"data:image/[\w+]+;base64,[A-Za-z0-9+/=\s\\]+", "", "\n".join(parts))


def in_normal_form(path: Path) -> str:
    """The text a file should have, as far as that can be told without running it."""
    return landing_page(path.read_text(encoding="utf-8")) if path == LANDING_PAGE else as_text(normalise(read(path)))


def check(path: Path) -> str:
    """Refuse a stored page that is out of order, without running it."""
    found = [] if path == LANDING_PAGE else faults(read(path))
    if in_normal_form(path) != path.read_text(encoding="utf-8"):
        found.append("not in normal form (`python -m workshop.notebooks --normalise` mends it)")
    if found:
        raise Disorder("\n".join(f"  - {fault}" for fault in found))
    return "in order"


def tidy(path: Path) -> str:
    """Bring a page into its normal form."""
    return store(path, in_normal_form(path))


# ---------------------------------------------------------------- command line


def attempt(path: Path, action: Callable[[Path], str]) -> bool:
    """Do one thing to one page and print one line about it; True when it went well."""
    name = os.path.relpath(path)
    try:
        print(f"{name}: {action(path)}", flush=True)
        return True
    except Exception as error:  # a failing cell, a dead kernel, a broken file: each is reported, the others go on
        print(f"{name}: FAILED, file left as it was\n{error}", file=sys.stderr, flush=True)
        return False


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line asks; 1 where something is not in order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="report what is out of order, change nothing")
    mode.add_argument("--normalise", action="store_true", help="tidy the metadata, run nothing")
    mode.add_argument("--no-limit", action="store_true", help="run and store, however long it takes")
    options = parser.parse_args(arguments)
    kernel_environment()
    action = check if options.check else tidy if options.normalise else partial(run, limited=not options.no_limit)
    paths = [path.resolve() for path in options.notebooks] or course.notebooks()
    done = [attempt(path, action) for path in paths]
    if set(paths) & set(course.notebooks()):  # the landing page repeats what they say
        done.append(attempt(LANDING_PAGE, check if options.check else tidy))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
