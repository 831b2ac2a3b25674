"""The course's own changes to the site: no dead links, no scripts nobody uses, names a screen reader can say."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

# Themes and extensions put these on every page; nothing here uses them.
UNUSED = ("thebe", "design-tabs", "sphinx-design", "graphviz", "togglebutton", "toggleHint", "toggleOpenOnPrint")
UNUSED_FILES = (
    "scripts/fontawesome.js",
    "sphinx-thebe.js",
    "sphinx-thebe.css",
    "design-tabs.js",
    "sphinx-design.min.css",
    "graphviz.css",
    "styles/theme.css",
    "togglebutton.js",
    "togglebutton.css",
)


def is_unused(asset) -> bool:
    name = str(getattr(asset, "filename", asset) or "")
    body = str(getattr(asset, "attributes", {}).get("body", ""))
    return any(word in name or word in body or word.upper() in body for word in UNUSED)


def drop_unused_assets(app, pagename, templatename, context, doctree) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context[kind] if not is_unused(asset)]


class WordsForEachFigure(SphinxTransform):
    """A cell that shows several figures has a paragraph of alternative text for each; MyST-NB gives all to all."""

    default_priority = 800

    def apply(self, **kwargs):
        for output in self.document.findall(nodes.container):
            images = list(output.findall(nodes.image)) if "cell_output" in output["classes"] else []
            for image, words in zip(images, images[0].get("alt", "").split("\n\n") if images else []):
                image["alt"] = words


SEARCH_BUTTON = re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"')
SIDEBAR = '<div id="pst-primary-sidebar" class="bd-sidebar-primary bd-sidebar">'
NAMED_SIDEBAR = SIDEBAR[:-1] + ' role="complementary" aria-label="Sidebar">'


PART = '<summary><span class="toctree-toggle"'
NAMED_PART = PART.replace("<summary>", '<summary aria-label="Pages of this part">')
CODE_LABEL = '<summary aria-label="Toggle hidden content">'


def mended(html: str) -> str:
    """One page with names for assistive technology; what has visible text is named by it."""
    html = SEARCH_BUTTON.sub(r"\1", html).replace(CODE_LABEL, "<summary>")
    return html.replace(SIDEBAR, NAMED_SIDEBAR).replace(PART, NAMED_PART)


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
    app.add_transform(WordsForEachFigure)
    app.connect("html-page-context", drop_unused_assets, priority=900)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
