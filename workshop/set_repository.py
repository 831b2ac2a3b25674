"""Set the one address of the course's repository, or take it away: `make repository URL=https://host/owner/name`.

    python -m workshop.set_repository https://host/owner/name
    python -m workshop.set_repository ""

The address is stored in pyproject.toml; the site's buttons and links and the package's metadata are made from it. A
notebook must carry its own copy, in the bootstrap cell, for it is opened alone on Colab. Either all of these files
change or none.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from workshop import notebooks as run_notebooks
from workshop.course import PYPROJECT, release_tag

ADDRESS = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}/[\w.-]+/[\w-][\w.-]*")
PLACE = re.compile(r'^(\[project\.urls\][^\n]*\n)(?:Repository = "[^"\n]*"\n)?', re.MULTILINE)


def normal_form(url: str) -> str:
    """The address without a final slash or ".git"; a ValueError where it is none."""
    address = url.strip().rstrip("/").removesuffix(".git")
    if address and not ADDRESS.fullmatch(address):
        raise ValueError(f"URL must be of the form https://host/owner/name, or empty; got {url!r}")
    return address


def pyproject_with(address: str) -> str:
    line = f'Repository = "{address}"\n' if address else ""
    text, places = PLACE.subn(lambda match: match[1] + line, PYPROJECT.read_text(encoding="utf-8"))
    if places != 1:
        raise ValueError(f"{PYPROJECT.name} must have exactly one table [project.urls]; it has {places}")
    return text


def notebook_with(path: Path, address: str) -> str:
    notebook = run_notebooks.read(path)
    run_notebooks.place_bootstrap(notebook, address)
    return run_notebooks.as_text(notebook)


def replace_all(texts: dict[Path, str]) -> None:
    """Write every file beside its old version first; only when all are written do they take the old ones' places."""
    drafts = {path: path.with_name(f".{path.name}.part") for path in texts}
    try:
        for path, draft in drafts.items():
            draft.write_text(texts[path], encoding="utf-8", newline="\n")
        for path, draft in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def set_repository(url: str) -> list[Path]:
    """Write the address wherever it stands; return the files that changed."""
    address = normal_form(url)
    texts = {PYPROJECT: pyproject_with(address)}
    texts |= {path: notebook_with(path, address) for path in run_notebooks.all_notebooks()}
    changed = {path: text for path, text in texts.items() if text != path.read_text(encoding="utf-8")}
    replace_all(changed)
    return list(changed)


def main() -> int:
    if len(sys.argv) != 2:
        print("give one address, or an empty one to take it away", file=sys.stderr)
        return 2
    try:
        changed = set_repository(sys.argv[1])
    except (ValueError, OSError) as error:
        print(f"{error}\nnothing was changed", file=sys.stderr)
        return 1
    print(f"{len(changed)} files changed" if changed else "nothing to change")
    if normal_form(sys.argv[1]):
        print(f"Launched notebooks install the tag {release_tag()}: create it on the commit you publish, and push it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
