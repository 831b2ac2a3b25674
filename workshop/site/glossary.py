"""The search finds a term of the glossary by each of its names and leads to its entry.

An entry is plain Markdown: a heading, then a paragraph that begins with the Chinese names in bold, the first one as it
is, others in brackets: **汇聚（池化）** · …
"Also: filter." or "Short: MAC." are other English names.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

CHINESE_NAMES = re.compile(r"[（、）]")
ENGLISH_NAMES = re.compile(r"\b(?:Also|Short): ([^.]+)\.")


def names_of(entry: nodes.section) -> list[str]:
    """Every name of an entry but its heading, which the search knows already."""
    paragraph = next(iter(entry.findall(nodes.paragraph)), None)
    bold = next(iter(paragraph.findall(nodes.strong)), None) if paragraph is not None else None
    if bold is None:
        return []
    english = ", ".join(ENGLISH_NAMES.findall(paragraph.astext())).split(", ")
    return [name for name in CHINESE_NAMES.split(bold.astext()) + english if name]


def note_names(app: Sphinx, doctree: nodes.document) -> None:
    """Enter the names as objects of the standard domain: the search page lists those with their own address."""
    if not app.env.docname.endswith("/glossary"):
        return
    domain = app.env.get_domain("std")
    for entry in doctree.findall(nodes.section):
        for name in names_of(entry) if entry.parent is not doctree else ():
            domain.note_object("entry", name, entry["ids"][0], location=entry)


def setup(app: Sphinx) -> None:
    """Let the search know a new kind of object, the entry."""
    app.add_object_type("entry", "entry", objname="entry")
    app.connect("doctree-read", note_names)
