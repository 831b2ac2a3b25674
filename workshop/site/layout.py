"""What the site adds to plain Markdown: boxes, punctuation that stays, and Chinese that says it is Chinese.

The notebooks need none of it and know nothing of it; they read as well in Jupyter.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

PUNCTUATION = re.compile(r"[.,;:!?)]+")
CHINESE = re.compile(r"([\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+)")


def first_words(node: nodes.Node) -> str:
    """The bold words a paragraph begins with."""
    children = [c for c in node.children if c.astext().strip()] if isinstance(node, nodes.paragraph) else []
    return children[0].astext().rstrip(". ") if children and isinstance(children[0], nodes.strong) else ""


def box(start: nodes.Node, is_last, name: str) -> None:
    """Put a node and its followers, up to the one that ends the box, into one container."""
    parent = start.parent
    begin = parent.index(start)
    for end, node in enumerate(parent.children[begin:], start=begin):
        if isinstance(node, (nodes.section, nodes.container)):
            return  # a heading or a cell of code came first: nothing to box
        if is_last(node):
            inside = parent.children[begin : end + 1]
            parent.children[begin : end + 1] = []
            parent.insert(begin, nodes.container("", *inside, classes=[name]))
            return


class Boxes(SphinxTransform):
    """The head of a page (learn, need, time), and the questions to the reader with their folded answers."""

    default_priority = 800

    def apply(self, **kwargs):
        paragraphs = list(self.document.findall(nodes.paragraph))
        head = next((p for p in paragraphs if first_words(p) in ("You will learn", "You need")), None)
        if head is not None:
            box(head, lambda node: first_words(node) == "Run time", "page-head")
        for paragraph in paragraphs:
            if first_words(paragraph) in ("Predict first", "Two questions"):
                box(paragraph, lambda node: isinstance(node, nodes.raw) and "</details>" in node.astext(), "predict")


class KeepPunctuation(SphinxTransform):
    """A formula keeps the full stop behind it: browsers would let it begin the next line."""

    default_priority = 800

    def apply(self, **kwargs):
        for math in list(self.document.findall(nodes.math)):
            parent = math.parent
            place = parent.index(math)
            after = parent[place + 1] if place + 1 < len(parent) else None
            mark = PUNCTUATION.match(after) if isinstance(after, nodes.Text) else None
            if mark:
                together = nodes.inline("", "", math, nodes.Text(mark[0]), classes=["together"])
                parent[place : place + 2] = [together, nodes.Text(after[mark.end() :])]


class MarkChinese(SphinxTransform):
    """Chinese words carry `lang="zh"`: a screen reader then changes its voice, and a browser takes Chinese glyphs."""

    default_priority = 800

    def apply(self, **kwargs):
        for text in list(self.document.findall(nodes.Text)):
            parts = CHINESE.split(text)
            if len(parts) > 1:
                # docutils writes a class language-… as the attribute lang
                marked = [
                    nodes.inline("", part, classes=["language-zh"]) if place % 2 else nodes.Text(part)
                    for place, part in enumerate(parts)
                    if part
                ]
                text.parent.replace(text, marked)


def setup(app):
    app.add_transform(Boxes)
    app.add_transform(KeepPunctuation)
    app.add_transform(MarkChinese)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
