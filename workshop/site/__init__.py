"""What the site adds to Jupyter Book: one extension of Sphinx, made of the modules of this folder.

The notebooks need none of it and know nothing of it; they read as well in plain Jupyter.
"""

from sphinx.application import Sphinx

from workshop.site import api, boxes, code, exercises, figures, katex, lean, npm, theme, words


def setup(app: Sphinx) -> dict[str, bool]:
    """Set up every part; `lean` comes last, when all pages have their last form."""
    for part in (npm, theme, boxes, figures, words, code, katex, api, exercises, lean):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # one process of Node.js renders all formulas
