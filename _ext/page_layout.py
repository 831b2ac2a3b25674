"""What the site adds to plain Markdown for the eye: boxes, lines of code that wrap, punctuation that stays.

The notebooks need none of it and know nothing of it; they read as well in Jupyter.
"""

from __future__ import annotations

import re

from docutils import nodes
from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge
from sphinx.transforms import SphinxTransform

PUNCTUATION = re.compile(r"[.,;:!?)]+")
LONG_WORD = re.compile(r"\S{36}")  # about what fits on a phone behind some indentation
BREAK_AFTER = re.compile(r'<span class="p">[^<]*[(\[][^<]*</span>')


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
    """The head of a page (learn, need, time), and each question to the reader with its folded answer."""

    default_priority = 800

    def apply(self, **kwargs):
        paragraphs = list(self.document.findall(nodes.paragraph))
        head = next((p for p in paragraphs if first_words(p) in ("You will learn", "You need")), None)
        if head is not None:
            box(head, lambda node: first_words(node) == "Run time", "page-head")
        for paragraph in paragraphs:
            if first_words(paragraph) == "Predict first":
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


class WrappingLines(HtmlFormatter):
    """Each line of code an element, so that a long one can wrap and hang below its own indentation."""

    def wrap(self, source):
        return super().wrap(self.lines(source))

    def lines(self, source):
        for kind, line in source:
            text = re.sub(r"<[^>]*>", "", line)
            indent = len(text) - len(text.lstrip(" "))
            style = f' style="--indent:{indent}"' if indent else ""
            if LONG_WORD.search(text):
                line = BREAK_AFTER.sub(r"\g<0><wbr>", line)
            yield kind, f'<span class="line"{style}>{line.rstrip(chr(10))}</span>\n'


def setup(app):
    PygmentsBridge.html_formatter = WrappingLines
    app.add_transform(Boxes)
    app.add_transform(KeepPunctuation)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
