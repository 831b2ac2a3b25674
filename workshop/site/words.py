"""Punctuation that stays with its formula, and words and pages that say their language."""

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


def language(page: nodes.document) -> str:
    """What the line `lang: …` of a page's front matter says; empty where there is none, for the site's English."""
    fields = (field for info in page.findall(nodes.docinfo) for field in info.findall(nodes.field))
    return next((field[1].astext() for field in fields if field[0].astext() == "lang"), "")


def mark_page(page: nodes.document, language: str) -> None:
    """Give the text of a page its own language, and its titles too, which stand on other pages as well."""
    for section in page.children:
        if isinstance(section, nodes.section):
            section["classes"].append(f"language-{language}")  # docutils writes it as the attribute lang
    for title in list(page.findall(nodes.title)):
        mark_chinese(title)


def mark_chinese(part: nodes.Element) -> None:
    """Give Chinese words `lang="zh-CN"`: a screen reader changes its voice, a browser takes Chinese glyphs."""
    for text in list(part.findall(nodes.Text)):
        parts = list(enumerate(CHINESE.split(text)))
        if len(parts) > 1:
            made = [
                nodes.inline("", part, classes=["language-zh-CN"]) if n % 2 else nodes.Text(part)
                for n, part in parts
                if part
            ]
            text.parent.replace(text, made)


def mend_words(app: Sphinx, page: nodes.document) -> None:
    """Mend the punctuation of a page that was read, and say what is in another language than the site."""
    keep_punctuation(page)
    if language(page):
        mark_page(page, language(page))
    else:
        mark_chinese(page)


def setup(app: Sphinx) -> None:
    """Mend what was read, before Sphinx takes titles from it."""
    app.connect("doctree-read", mend_words, priority=400)
