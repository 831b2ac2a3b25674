"""Run the notebooks again and again under different conditions and compare every output with the stored one.

    python -m workshop.portability                                # every notebook, once under each condition
    python -m workshop.portability chapters/02_convolution.ipynb  # these only
    python -m workshop.portability --list                         # name the conditions

What a reader's machine may do differently must not show: threads, locale, time zone, current folder, network.
A condition that this machine cannot make is named and not counted as passed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from workshop import course

# a network of its own that holds nothing but this machine's loopback, which the notebooks' kernels talk through
OFFLINE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
COMMA = "de_DE.UTF-8"
LOCALE_SOURCE = Path("/usr/share/i18n/locales/de_DE")


class Condition(NamedTuple):
    """What is different in one run; `environment` is added to the caller's."""

    name: str
    threads: int
    environment: dict[str, str] = {}
    elsewhere: bool = False  # called from another folder, with absolute paths
    offline: bool = False
    comma: bool = False  # in a locale that writes 0,5


CONDITIONS = [
    Condition("1 thread", 1),
    Condition("2 threads", 2),
    Condition("4 threads", 4),
    Condition("locale C", 2, {"LC_ALL": "C"}),
    Condition("decimal comma", 1, comma=True),
    Condition("time zone", 4, {"TZ": "Pacific/Kiritimati"}),  # 14 hours before UTC: often another day
    Condition("another folder", 2, elsewhere=True),
    Condition("no network", 1, offline=True),
    Condition("all at once", 4, {"TZ": "America/St_Johns"}, elsewhere=True, offline=True, comma=True),
    Condition("once more", 2),
]


def obstacle(condition: Condition) -> str:
    """Say why this machine cannot make the condition; "" if it can."""
    if condition.comma and not (shutil.which("localedef") and LOCALE_SOURCE.exists()):
        return "no locale can be made (localedef and its sources are needed; on Debian: apt-get install locales)"
    if condition.offline and not can_be_offline():
        return "no network of its own can be made (Linux with unshare and ip is needed)"
    return ""


def can_be_offline() -> bool:
    """Whether a process here can be given a network of its own."""
    return bool(shutil.which("unshare")) and not subprocess.run([*OFFLINE, "true"], capture_output=True).returncode


def make_locale(folder: Path) -> dict[str, str]:
    """Make a locale that writes 0,5 in the folder, for this run alone, and return the environment that chooses it."""
    subprocess.run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", str(folder / COMMA)], check=True)
    return {"LOCPATH": str(folder), "LC_ALL": COMMA}


def run(condition: Condition, notebooks: list[Path], folder: Path) -> subprocess.CompletedProcess:
    """Run the notebooks with nbval under the condition; `folder` is an empty one."""
    threads = {name: str(condition.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    made = make_locale(folder) if condition.comma else {}
    settings = [f"--rootdir={course.ROOT}", f"--config-file={course.ROOT / 'pyproject.toml'}"]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", *settings, *map(str, notebooks)]
    return subprocess.run(
        [*(OFFLINE if condition.offline else ()), *command],
        env={**os.environ, **condition.environment, **threads, **made, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=folder if condition.elsewhere else course.ROOT,
        capture_output=True,
        text=True,
    )


def attempt(condition: Condition, notebooks: list[Path]) -> bool:
    """Run once and print what pytest counted and which cells failed; True when every cell gave its stored output."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done = run(condition, notebooks, Path(folder))
    lines = done.stdout.splitlines()
    if done.returncode not in (0, 1):  # neither passed nor failed: it did not run
        raise SystemExit(f"{condition.name}: pytest did not run\n{done.stdout}{done.stderr}")
    print(f"{condition.name}: {lines[-1]}, {time.perf_counter() - start:.0f} s with its start", flush=True)
    print("".join(f"  {line}\n" for line in lines if line.startswith(("FAILED", "ERROR"))), end="", flush=True)
    return not done.returncode


def main(arguments: list[str] | None = None) -> int:
    """Try every condition; 1 where an output differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    parser.add_argument("--list", action="store_true", help="name the conditions, and which this machine cannot make")
    options = parser.parse_args(arguments)
    notebooks = [path.resolve() for path in options.notebooks] or course.notebooks()
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
