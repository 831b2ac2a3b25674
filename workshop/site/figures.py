"""Number the captions of a notebook's figures: "Figure 4.2." is the second one of chapter 4, "E4.2" of its exercises.

Sphinx numbers figures by the place of a page in the contents, where exercises and reference pages count too; here the
number is the one a file's name begins with, as the formulas of the chapters have it. A caption stands in the metadata
of its code cell (`mystnb.figure.caption`), where MyST-NB reads it.
"""

import posixpath
import re
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri


def chapter_of(docname: str) -> str:
    """What the numbers of a page begin with: "4." for chapter 4, "E4." for its exercises, nothing for other pages."""
    path = PurePosixPath(docname)
    number = re.match(r"0*(\d+)_", path.name)
    folder = "" if path.parent.name == "chapters" else path.parent.name[:1].upper()
    return f"{folder}{number[1]}." if number else ""


def gather(first: nodes.figure, *others: nodes.figure) -> None:
    """Put several pictures of one cell under one caption, the last of all: MyST-NB repeats it for each."""
    for figure in others:
        figure.parent.remove(figure)
        first.extend(child for child in figure.children if not isinstance(child, nodes.caption))
    first.append(first.pop(first.first_child_matching_class(nodes.caption)))


def number_figures(app: Sphinx, page: nodes.document) -> None:
    """Number the cells with a caption."""
    outputs = [n for n in page.findall(nodes.container) if n.get("nb_element") == "cell_code_output"]
    captioned = [found for cell in outputs if (found := [c for c in cell if isinstance(c, nodes.figure)])]
    for count, found in enumerate(captioned, start=1):
        gather(*found)
        label = f"{chapter_of(app.env.docname)}{count}"
        found[0]["ids"] = [f"figure-{label.replace('.', '-')}".lower()]
        number = nodes.inline("", f"Figure {label}.", classes=["figure-number"])
        found[0][-1].insert(0, [number, nodes.Text(" ")])


def tell_apart(app: Sphinx, page: nodes.document) -> None:
    """Give each figure of a cell its own paragraph of the alternative text; MyST-NB gives all to all."""
    for output in page.findall(nodes.container):
        images = list(output.findall(nodes.image)) if "cell_output" in output["classes"] else []
        for image, words in zip(images, images[0].get("alt", "").split("\n\n") if images else []):
            image["alt"] = words


def link_to_full_size(app: Sphinx, page: nodes.document, docname: str) -> None:
    """Let a figure lead to its picture alone: a phone shows it small, and there one can zoom into it."""
    if app.builder.format != "html":
        return
    here = app.builder.get_target_uri(docname)
    for image in [i for figure in page.findall(nodes.figure) for i in figure.findall(nodes.image)]:
        if image["uri"] in app.env.images:
            file = posixpath.join(app.builder.imagedir, app.env.images[image["uri"]][1])
            link = nodes.reference(refuri=relative_uri(here, file), internal=True, classes=["full-size"])
            image.replace_self(link)
            link += image


def setup(app: Sphinx) -> None:
    """Number what was read, before Sphinx looks at it."""
    app.connect("doctree-read", tell_apart, priority=400)
    app.connect("doctree-read", number_figures, priority=400)
    app.connect("doctree-resolved", link_to_full_size)
