"""Number the captions of a notebook's figures: "Figure 4.2." is the second one of chapter 4, "E4.2" of its exercises.

Sphinx numbers figures by the place of a page in the contents, where exercises and reference pages count too; here the
number is the one a file's name begins with, as the formulas of the chapters have it. A caption stands in the metadata
of its code cell (`mystnb.figure.caption`), where MyST-NB reads it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.osutil import relative_uri


def chapter_of(docname: str) -> str:
    """What the numbers of a page begin with: "4" for chapter 4, "E4" for its exercises, nothing for other pages."""
    path = PurePosixPath(docname)
    number = re.match(r"0*(\d+)_", path.name)
    if not number:
        return ""
    return {"chapters": "", "deeper": "D", "exercises": "E"}.get(path.parent.name, "") + number[1]


def gather(output: nodes.container) -> None:
    """Put several pictures of one cell under one caption: MyST-NB repeats the caption for each."""
    first, *others = [child for child in output.children if isinstance(child, nodes.figure)]
    for figure in others:
        output.remove(figure)
        first.extend(child for child in figure.children if not isinstance(child, nodes.caption))
    first.append(first.pop(first.first_child_matching_class(nodes.caption)))


class NumberFigures(SphinxTransform):
    default_priority = 800  # after captions were translated

    def apply(self, **kwargs):
        chapter = chapter_of(self.env.docname)
        cells = [n for n in self.document.findall(nodes.container) if n.get("nb_element") == "cell_code_output"]
        captioned = [cell for cell in cells if any(isinstance(child, nodes.figure) for child in cell.children)]
        for count, cell in enumerate(captioned, start=1):
            gather(cell)
            figure = next(child for child in cell.children if isinstance(child, nodes.figure))
            label = f"{chapter}.{count}" if chapter else str(count)
            figure["ids"] = [f"figure-{label.replace('.', '-')}".lower()]
            number = nodes.inline("", f"Figure {label}.", classes=["figure-number"])
            figure.children[-1].insert(0, [number, nodes.Text(" ")])


def link_to_full_size(app, doctree, docname) -> None:
    """A figure leads to its picture alone: a phone shows it small, and there one can zoom into it."""
    if app.builder.format != "html":
        return
    here = app.builder.get_target_uri(docname)
    for image in [i for figure in doctree.findall(nodes.figure) for i in figure.findall(nodes.image)]:
        if image["uri"] in app.env.images:
            file = posixpath.join(app.builder.imagedir, app.env.images[image["uri"]][1])
            link = nodes.reference(refuri=relative_uri(here, file), internal=True, classes=["full-size"])
            image.replace_self(link)
            link += image


def without_sphinx_numbers(app, config) -> None:
    config.numfig = False  # Jupyter Book turns it on, whatever _config.yml says


def setup(app):
    app.connect("config-inited", without_sphinx_numbers, priority=900)  # after Jupyter Book
    app.add_transform(NumberFigures)
    app.connect("doctree-resolved", link_to_full_size)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
