"""Show `> **Note.** …` quotes as boxes on the site.

The notebooks stay plain Markdown that Jupyter and Colab render as well; only the site turns the quotes into boxes.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

KINDS = ("note", "tip", "warning", "exercise", "solution", "key")


def lead_word(quote: nodes.block_quote) -> nodes.strong | None:
    """The bold words a quote begins with, if it begins with bold words."""
    paragraph = quote.children[0] if quote.children else None
    if not isinstance(paragraph, nodes.paragraph):
        return None
    while paragraph.children and isinstance(paragraph.children[0], nodes.Text) and not paragraph.children[0].strip():
        paragraph.pop(0)  # the parser leaves an empty text before the bold words
    lead = paragraph.children[0] if paragraph.children else None
    return lead if isinstance(lead, nodes.strong) else None


def as_box(quote: nodes.block_quote, lead: nodes.strong) -> nodes.admonition | None:
    title = lead.astext().rstrip(". ")
    word = re.match(r"[a-z]+", title.lower())
    if not word or word[0] not in KINDS:
        return None
    paragraph = lead.parent
    paragraph.remove(lead)
    if paragraph.children and isinstance(paragraph.children[0], nodes.Text):
        paragraph.replace(paragraph.children[0], nodes.Text(paragraph.children[0].astext().lstrip()))
    box = nodes.admonition(classes=["admonition", word[0]])
    box += nodes.title(title, title)
    box += quote.children
    return box


class PlainBoxes(SphinxTransform):
    default_priority = 800  # after MyST has resolved its references

    def apply(self, **kwargs):
        for quote in list(self.document.findall(nodes.block_quote)):
            lead = lead_word(quote)
            if lead is not None and (box := as_box(quote, lead)):
                quote.replace_self(box)


def setup(app):
    app.add_transform(PlainBoxes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
