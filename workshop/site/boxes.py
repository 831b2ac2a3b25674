"""Boxes on the site out of plain Markdown: `> **Note.** …`, the head of a page, and each question to the reader."""

import re
from collections.abc import Callable

from docutils import nodes
from sphinx.application import Sphinx

KIND = re.compile("(note|tip|warning|exercise|solution|key)(?![a-z])", re.IGNORECASE)


def first_words(node: nodes.Node) -> str:
    """The bold words a paragraph begins with, without their full stop."""
    children = [c for c in node.children if c.astext().strip()] if isinstance(node, nodes.paragraph) else []
    return children[0].astext().rstrip(". ") if children and isinstance(children[0], nodes.strong) else ""


def box_quote(quote: nodes.block_quote) -> None:
    """Turn a quote whose first bold words name a kind of box into that box."""
    title = first_words(quote[0]) if quote.children else ""
    if kind := KIND.match(title):
        paragraph = quote[0]
        rest = paragraph[paragraph.first_child_matching_class(nodes.strong) + 1 :]
        paragraph[:] = [nodes.Text(rest[0].lstrip()), *rest[1:]] if rest and isinstance(rest[0], nodes.Text) else rest
        quote.replace_self(
            nodes.admonition("", nodes.title(title, title), *quote, classes=["admonition", kind[0].lower()])
        )


def box_until(start: nodes.Node, is_last: Callable[[nodes.Node], bool], name: str) -> None:
    """Put a node and its followers, up to the one that ends the box, into one container."""
    parent, begin = start.parent, start.parent.index(start)
    for end, node in enumerate(parent[begin:], start=begin + 1):
        if isinstance(node, (nodes.section, nodes.container)):
            return  # a heading or a cell of code came first: nothing to box
        if is_last(node):
            parent[begin:end] = [nodes.container("", *parent[begin:end], classes=[name])]
            return


def make_boxes(app: Sphinx, page: nodes.document) -> None:
    """Box the quotes, the head of the page (learn, need, time), and each question with its folded answer."""
    for quote in list(page.findall(nodes.block_quote)):
        box_quote(quote)
    paragraphs = list(page.findall(nodes.paragraph))
    head = next((p for p in paragraphs if first_words(p) in ("You will learn", "You need")), None)
    if head is not None:
        box_until(head, lambda node: first_words(node) == "Run time", "page-head")
    for paragraph in paragraphs:
        if first_words(paragraph) in ("Predict first", "Two questions"):
            box_until(paragraph, lambda n: isinstance(n, nodes.raw) and "</details>" in n.astext(), "predict")


def setup(app: Sphinx) -> None:
    """Box what was read, before Sphinx looks at it."""
    app.connect("doctree-read", make_boxes, priority=400)
