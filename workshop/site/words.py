"""Punctuation that stays with its formula, and Chinese that says it is Chinese."""

import re

from docutils import nodes
from sphinx.application import Sphinx

PUNCTUATION = re.compile(r"[.,;:!?)]+")
CHINESE = re.compile(r"([\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+)")


def keep_punctuation(page: nodes.document) -> None:
    """Tie a formula to the full stop behind it: browsers would let that begin the next line."""
    for math in list(page.findall(nodes.math)):
        parent, place = math.parent, math.parent.index(math)
        after = parent[place + 1] if place + 1 < len(parent) else None
        if isinstance(after, nodes.Text) and (mark := PUNCTUATION.match(after)):
            together = nodes.inline("", "", math, nodes.Text(mark[0]), classes=["together"])
            parent[place : place + 2] = [together, nodes.Text(after[mark.end() :])]


def mark_chinese(page: nodes.document) -> None:
    """Give Chinese words `lang="zh"`: a screen reader changes its voice, and a browser takes Chinese glyphs."""
    for text in list(page.findall(nodes.Text)):
        parts = list(enumerate(CHINESE.split(text)))
        if len(parts) > 1:
            # docutils writes a class language-… as the attribute lang
            made = [
                nodes.inline("", part, classes=["language-zh"]) if n % 2 else nodes.Text(part)
                for n, part in parts
                if part
            ]
            text.parent.replace(text, made)


def mend_words(app: Sphinx, page: nodes.document) -> None:
    """Do both to a page that was read."""
    keep_punctuation(page)
    mark_chinese(page)


def setup(app: Sphinx) -> None:
    """Mend what was read, before Sphinx takes titles from it."""
    app.connect("doctree-read", mend_words, priority=400)
