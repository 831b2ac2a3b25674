"""The course's own changes to the site: no dead links, no scripts nobody uses, names a screen reader can say."""

from __future__ import annotations

import re
from pathlib import Path

# Themes and extensions put these on every page; nothing here uses them.
UNUSED_SCRIPTS = ("thebe", "design-tabs")
UNUSED_FILES = ("scripts/fontawesome.js", "sphinx-thebe.js", "sphinx-thebe.css", "design-tabs.js")


def is_unused(asset) -> bool:
    name = str(getattr(asset, "filename", asset) or "")
    body = str(getattr(asset, "attributes", {}).get("body", ""))
    return any(word in name or word.upper() in body for word in UNUSED_SCRIPTS)


def drop_unused_assets(app, pagename, templatename, context, doctree) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if not is_unused(asset)]


ICON_SCRIPT = re.compile(
    r'\s*<!-- So that users can add custom icons -->\s*<script defer src="[^"]*fontawesome\.js[^"]*"></script>'
)
SEARCH_BUTTON = re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"')
SIDEBAR = '<div id="pst-primary-sidebar" class="bd-sidebar-primary bd-sidebar">'
NAMED_SIDEBAR = SIDEBAR[:-1] + ' role="complementary" aria-label="Sidebar">'


def mended(html: str) -> str:
    """One page without the 1.5 MB icon script (the icons come as a font) and with names for assistive technology."""
    html = ICON_SCRIPT.sub("", html)
    html = SEARCH_BUTTON.sub(r"\1", html)  # its visible text is its name
    return html.replace(SIDEBAR, NAMED_SIDEBAR)


def finish(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        after = mended(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
    for name in UNUSED_FILES:
        path = out / "_static" / name
        if path.is_file():
            path.unlink()


def setup(app):
    app.connect("html-page-context", drop_unused_assets, priority=900)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
