"""Run notebooks from top to bottom and store their outputs, or check that the stored ones are in order.

    python -m workshop.notebooks                       # run every notebook of the course
    python -m workshop.notebooks chapters/06_lenet.ipynb
    python -m workshop.notebooks --no-limit            # on a machine too slow for the limits
    python -m workshop.notebooks --normalise           # tidy the metadata, run nothing
    python -m workshop.notebooks --check               # run and change nothing, report what is out of order

A notebook that fails, writes warnings or takes too long is left as it was. Running a deterministic notebook a
second time leaves its file byte for byte the same, so a diff shows what really changed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from math import ceil, inf
from pathlib import Path

import nbformat

from workshop.course import release_tag, repository

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("chapters", "deeper", "exercises", "reference")
BOOTSTRAP = ROOT / "workshop" / "bootstrap.py"

STEPS = (5, 10, 15, 20, 30, 45, 60, 90, 120)  # seconds; a measured time is rounded up to one of these
LIMIT = 30  # seconds one notebook may take on two cores
LIMITS = {"chapters/06_lenet": 90, "exercises/06_lenet": 120}  # those that train many networks

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}
MEASURED = ("run_time_s", "made_with")  # what running a notebook says about its outputs
CELL_KEYS = {"tags", "mystnb", "exercise"}

# Asked of the kernel that made the outputs. "+cpu" and the like say where torch was downloaded, not which one it is.
PROBE = """import json, platform
from importlib.metadata import version
print(json.dumps({"python": platform.python_version(), "torch": version("torch").split("+")[0]}))"""

RUN_TIME = re.compile(r"^\*\*Run time\*\*.*$", re.MULTILINE)
MACHINE_PATH = re.compile(
    r"/(?:home|Users|tmp|root|usr/lib|usr/local|opt)/[\w.]|[A-Z]:\\\\?Users|site-packages|ipykernel_\d+|"
    + "|".join(re.escape(folder) for folder in (str(ROOT), sys.prefix, sys.base_prefix) if len(folder) > 4)
)
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
PROGRESS_BAR = re.compile(r"\d+%\|.*\||\d+it \[")  # what tqdm draws


class Disorder(Exception):
    """A notebook that is not fit to be stored; the message says why."""


# ---------------------------------------------------------------- files


def all_notebooks() -> list[Path]:
    found = [p for folder in FOLDERS for p in sorted((ROOT / folder).glob("*.ipynb"))]
    return found


def as_text(notebook) -> str:
    """The one spelling of a notebook on disk: what nbformat writes, with one newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def read(path: Path):
    return nbformat.read(path, as_version=4)


def write(path: Path, text: str) -> None:
    """Replace the file in one step, so that an interrupted run never leaves half a notebook."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)


# ---------------------------------------------------------------- the normal form


def bootstrap_source(address: str) -> str:
    """The bootstrap cell of a course with this repository: it installs this version's tag, nothing newer."""
    source = f"git+{address}@{release_tag()}" if address else ""
    text = BOOTSTRAP.read_text(encoding="utf-8").rstrip("\n")
    return text.replace('SOURCE = ""', f'SOURCE = "{source}"', 1)


def bootstrap_cell(address: str):
    cell = nbformat.v4.new_code_cell(bootstrap_source(address), id="bootstrap")
    cell.metadata = nbformat.from_dict({"tags": ["remove-cell"]})
    return cell


def place_bootstrap(notebook, address: str) -> None:
    """The bootstrap stands second in every notebook; its outputs (none) and count are kept."""
    old = next((c for c in notebook.cells if c.get("id") == "bootstrap"), None)
    new = bootstrap_cell(address)
    if old is not None:
        new.execution_count = old.get("execution_count")
        notebook.cells.remove(old)
    notebook.cells.insert(1, new)


def normalise(notebook) -> None:
    """Keep what says something about the course; drop what says something about the machine or the editor."""
    measured = {key: notebook.metadata[key] for key in MEASURED if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, **measured})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    place_bootstrap(notebook, repository())
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_KEYS and v})
        for output in cell.get("outputs", []):
            tidy_output(output)


def tidy_output(output) -> None:
    # base64 ends with a newline in some versions of IPython and without in others
    for kind, data in output.get("data", {}).items():
        if kind.startswith("image/") and isinstance(data, str) and not data.lstrip().startswith("<"):
            output.data[kind] = data.strip()


def drop_progress_bars(cell) -> None:
    """Drop what a progress bar wrote all the same; any other text on stderr stays and is refused."""

    def only_bars(output):
        lines = [line for line in re.split(r"[\r\n]+", output.text) if line.strip()]
        return all(PROGRESS_BAR.search(line) for line in lines)

    cell.outputs = [o for o in cell.outputs if not (o.get("name") == "stderr" and only_bars(o))]


# ---------------------------------------------------------------- running


def execute(notebook, folder: Path, timeout: int | None) -> float:
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
    """What a kernel inherits: this checkout's convutils, and nothing that depends on the caller."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    os.environ.pop("MPLBACKEND", None)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["TQDM_DISABLE"] = "1"  # progress bars are for whoever waits, not for the stored page


def run_unlimited(path: Path) -> str:
    """Run one notebook and store it, however long it takes: for a machine slower than the limits were made on."""
    return run(path, inf)


def run(path: Path, limit: float | None = None) -> str:
    """Run one notebook and store it; return what happened in a few words."""
    before = path.read_text(encoding="utf-8")
    notebook = read(path)
    normalise(notebook)
    seconds = execute(notebook, path.parent, timeout=600 if limit is None else None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            drop_progress_bars(cell)
    normalise(notebook)
    state_run_time(notebook, seconds, limit or limit_of(path))
    problems = faults(notebook)
    if problems:
        raise Disorder("; ".join(problems))
    after = as_text(notebook)
    if after != before:
        write(path, after)
    return f"{seconds:.1f} s, {'stored' if after != before else 'unchanged'}"


# ---------------------------------------------------------------- the stated run time


def limit_of(path: Path) -> int:
    return LIMITS.get(f"{path.parent.name}/{path.stem}", LIMIT)


def rounded_up(seconds: float) -> int:
    return next((step for step in STEPS if seconds <= step), 60 * ceil(seconds / 60))


def state_run_time(notebook, seconds: float, limit: float) -> None:
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


def run_time_line(seconds: int) -> str:
    return f"**Run time** about {seconds} s on 2 cores"


# ---------------------------------------------------------------- checking


def faults(notebook) -> list[str]:
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
    for cell in code:
        found += [f"cell {cell.get('id')!r}: {fault}" for fault in output_faults(cell)]
    return found


def output_faults(cell) -> list[str]:
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


def printable(output) -> str:
    """The readable part of an output: base64 images could hold any string by chance."""
    parts = [output.get("text", ""), *output.get("traceback", [])]
    parts += [str(v) for k, v in output.get("data", {}).items() if not k.startswith("image/") or k == "image/svg+xml"]
    return re.sub(r"data:image/[\w+]+;base64,[A-Za-z0-9+/=\s\\]+", "", "\n".join(parts))


def check(path: Path) -> list[str]:
    """What is out of order in a stored notebook, without running it."""
    before = path.read_text(encoding="utf-8")
    notebook = read(path)
    found = faults(notebook)
    normalise(notebook)
    if as_text(notebook) != before:
        found.append("not in normal form (`python -m workshop.notebooks --normalise` mends it)")
    return found


def tidy(path: Path) -> str:
    before = path.read_text(encoding="utf-8")
    notebook = read(path)
    normalise(notebook)
    after = as_text(notebook)
    if after != before:
        write(path, after)
    return "normalised" if after != before else "unchanged"


# ---------------------------------------------------------------- command line


def attempt(path: Path, action) -> bool:
    """Do one thing to one notebook and print one line about it; True when it went well."""
    name = os.path.relpath(path)
    try:
        print(f"{name}: {action(path)}", flush=True)
        return True
    except Exception as error:  # a failing cell, a dead kernel, a broken file: each is reported, the others go on
        print(f"{name}: FAILED, file left as it was\n{error}", file=sys.stderr, flush=True)
        return False


def checked(path: Path) -> str:
    if problems := check(path):
        raise Disorder("\n".join(f"  - {p}" for p in problems))
    return "in order"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="report what is out of order, change nothing")
    mode.add_argument("--normalise", action="store_true", help="tidy the metadata, run nothing")
    mode.add_argument("--no-limit", action="store_true", help="run and store, however long it takes")
    options = parser.parse_args(arguments)
    kernel_environment()
    action = checked if options.check else tidy if options.normalise else run_unlimited if options.no_limit else run
    paths = [p.resolve() for p in options.notebooks] or all_notebooks()
    return 0 if all([attempt(p, action) for p in paths]) else 1


if __name__ == "__main__":
    sys.exit(main())
