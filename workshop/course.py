"""What pyproject.toml says about the course; everything that names its version or its repository asks here."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"


def _project() -> dict:
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]


def version() -> str:
    return _project()["version"]


def repository() -> str:
    """The one address of the course's repository; empty while it has none."""
    return _project().get("urls", {}).get("Repository", "")


def release_tag() -> str:
    """The Git tag of this version: what the launch buttons open and the bootstrap cell installs."""
    return f"v{version()}"
