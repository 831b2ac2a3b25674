"""Run the notebooks again and again under different conditions and compare every output with the stored one.

    python -m workshop.portability                                # every notebook, once under each condition
    python -m workshop.portability chapters/02_convolution.ipynb  # these only
    python -m workshop.portability --list                         # name the conditions

What a reader's machine may do differently must not show: threads, locale, time zone, current folder, network.
A condition that this machine cannot make is named and not counted as passed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("chapters", "deeper", "exercises", "reference")
# a network of its own that holds nothing but this machine's loopback, which the notebooks' kernels talk through
OFFLINE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
COMMA = "de_DE.UTF-8"
LOCALE_SOURCE = Path("/usr/share/i18n/locales/de_DE")


class Condition(NamedTuple):
    """What is different in one run; `environment` is added to the caller's."""

    name: str
    environment: dict
    elsewhere: bool = False  # called from another folder, with absolute paths
    offline: bool = False
    comma: bool = False  # in a locale that writes 0,5


class Result(NamedTuple):
    """What one run reported."""

    notebooks: int
    cells: int
    failed: list


def threads(number: int) -> dict:
    return {"OMP_NUM_THREADS": str(number), "MKL_NUM_THREADS": str(number)}


CONDITIONS = [
    Condition("1 thread", threads(1)),
    Condition("2 threads", threads(2)),
    Condition("4 threads", threads(4)),
    Condition("locale C", {"LC_ALL": "C", **threads(2)}),
    Condition("decimal comma", threads(1), comma=True),
    Condition("time zone", {"TZ": "Pacific/Kiritimati", **threads(4)}),  # 14 hours before UTC: often another day
    Condition("another folder", threads(2), elsewhere=True),
    Condition("no network", threads(1), offline=True),
    Condition("all at once", {"TZ": "America/St_Johns", **threads(4)}, elsewhere=True, offline=True, comma=True),
    Condition("once more", threads(2)),
]


def make_locale(folder: Path) -> dict:
    """Make a locale that writes 0,5 in the folder, for this run alone, and return the environment that chooses it."""
    subprocess.run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", str(folder / COMMA)], check=True)
    return {"LOCPATH": str(folder), "LC_ALL": COMMA}


def obstacle(condition: Condition) -> str:
    """Say why this machine cannot make the condition; "" if it can."""
    if condition.comma and not (shutil.which("localedef") and LOCALE_SOURCE.exists()):
        return "no locale can be made (localedef and its sources are needed; on Debian: apt-get install locales)"
    if condition.offline and not can_be_offline():
        return "no network of its own can be made (Linux with unshare and ip is needed)"
    return ""


def can_be_offline() -> bool:
    return bool(shutil.which("unshare")) and not subprocess.run([*OFFLINE, "true"], capture_output=True).returncode


def run(condition: Condition, notebooks: list[Path], folder: Path) -> Result:
    """Run the notebooks with nbval under the condition; `folder` is an empty one."""
    report = folder / "report.xml"
    environment = {**os.environ, **condition.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    if condition.comma:
        environment |= make_locale(folder)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        f"--rootdir={ROOT}",
        f"--config-file={ROOT / 'pyproject.toml'}",
        f"--junitxml={report}",
        *map(str, notebooks),
    ]
    done = subprocess.run(
        [*(OFFLINE if condition.offline else ()), *command],
        env=environment,
        text=True,
        cwd=folder if condition.elsewhere else ROOT,
        capture_output=True,
    )
    if not report.exists():
        raise SystemExit(f"{condition.name}: pytest did not run\n{done.stdout}{done.stderr}")
    result = read(report)
    if done.returncode and not result.failed:
        raise SystemExit(f"{condition.name}: pytest failed with {done.returncode}\n{done.stdout}{done.stderr}")
    return result


def read(report: Path) -> Result:
    """Read pytest's report: each test case is a cell, its class the notebook."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [
        f"{case.get('classname')}, {case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    return Result(len({case.get("classname") for case in cases}), len(cases), failed)


def attempt(condition: Condition, notebooks: list[Path]) -> bool:
    """Run once and print a line; True when every cell gave its stored output."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = run(condition, notebooks, Path(folder))
    seconds = time.perf_counter() - start
    print(
        f"{condition.name}: {result.notebooks} notebooks, {result.cells} cells, {len(result.failed)} failed, "
        f"{seconds:.0f} s",
        flush=True,
    )
    for failure in result.failed:
        print(f"  {failure}", flush=True)
    return not result.failed and result.notebooks == len(notebooks)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--list", action="store_true", help="name the conditions, and which this machine cannot make")
    options = parser.parse_args(arguments)
    notebooks = [path.resolve() for path in options.notebooks]
    notebooks = notebooks or [p for folder in FOLDERS for p in sorted((ROOT / folder).glob("*.ipynb"))]
    passed, tried = 0, 0
    for condition in CONDITIONS:
        if (why := obstacle(condition)) or options.list:
            print(f"{condition.name}: {f'not run, {why}' if why else 'can be run'}", flush=True)
        else:
            tried += 1
            passed += attempt(condition, notebooks)
    print(f"{passed} of {tried} runs gave the stored outputs; {len(CONDITIONS) - tried} conditions not run")
    return 0 if passed == tried else 1


if __name__ == "__main__":
    sys.exit(main())
