"""Say in one line whether the browser tests will run, and where they find their browser.

With --quiet, say nothing and exit with 1 when there is none.
"""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium found, so the browser tests are skipped (install the system's, or set CHROMIUM to its path)"


def chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    wanted = os.environ.get("CHROMIUM")
    return shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, NAMES)), None)


def main() -> int:
    path = chromium()
    if "--quiet" not in sys.argv:
        print(f"browser tests: {path}" if path else MISSING)
        return 0
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
