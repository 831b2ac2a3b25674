"""The foot of every page: what it was built from and, on a notebook's page, what made its outputs and how long it took.

The first is put in when the build ends, into all pages: Sphinx writes only changed pages anew, and the others would go
on naming the commit of an earlier build.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = re.compile(r'(<span class="built-from">)[^<]*(</span>)')
HOW = "reference/how_it_is_made"


def commit() -> str:
    """The commit that is checked out, in words; without a Git repository or without Git, that."""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"]
    # a copy unpacked inside someone else's repository must not name that one's commit
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    try:
        found = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "a copy without its Git history"
    name, _, changed = found.partition("-")
    return f"commit {name}" + (" with local changes" if changed else "")


def made_with(metadata: dict) -> str:
    """The sentence about a notebook's outputs; nothing for other pages."""
    if "made_with" not in metadata:
        return ""
    versions = json.loads(metadata["made_with"])  # MyST-NB hands a mapping on as JSON
    return (
        f"<p>Outputs made with Python {versions['python']} and PyTorch {versions['torch']}; "
        f"running the page takes about {metadata['run_time_s']} s on 2 cores.</p>"
    )


def links(app, context) -> str:
    page = context["pathto"](HOW).removesuffix("#")  # which it is on that page itself
    how = f'<a href="{page}#the-foot-of-each-page">What this line says</a>'
    address = escape(app.config.course_repository)
    return how + (f' · <a href="{address}">Source</a>' if address else "")


def add_foot(app, pagename, templatename, context, doctree) -> None:
    built = f'Version {app.config.release}, built from <span class="built-from"></span>.'
    outputs = made_with(app.env.metadata.get(pagename, {}))
    context["theme_extra_footer"] += f"<p>{built} {links(app, context)}</p>{outputs}"


def name_commit(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    now = commit()
    for page in Path(app.outdir).rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        after = BUILT_FROM.sub(rf"\g<1>{now}\g<2>", before)
        if after != before:
            page.write_text(after, encoding="utf-8")


def setup(app):
    app.connect("html-page-context", add_foot)
    app.connect("build-finished", name_commit)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
