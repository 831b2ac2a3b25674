"""The system's Chromium, which tests and prints the pages: where it is, and how it is started.

    python -m workshop.chromium              # says in one line whether the browser tests will run, and with which
    python -m workshop.chromium --quiet      # says nothing, and exits with 1 when there is none

This needs nothing but Python, before anything is installed.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium found, so the browser tests are skipped (install the system's, or set CHROMIUM to its path)"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    wanted = os.environ.get("CHROMIUM")
    return shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser() -> "Iterator[playwright.sync_api.Browser]":  # noqa: F821
    """The running browser, or an exit that says that there is none."""
    from playwright.sync_api import sync_playwright

    if not chromium():
        raise SystemExit("Chromium is needed; none was found (install the system's, or set CHROMIUM to its path)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


if __name__ == "__main__":
    found = chromium()
    if "--quiet" in sys.argv:
        sys.exit(not found)
    print(f"browser tests: {found}" if found else MISSING)
