"""The table of all exercises, read from their headings in the notebooks: nothing about an exercise is written twice."""

from pathlib import Path

import nbformat
from docutils import nodes
from mdit_py_plugins.anchors.index import slugify
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from workshop.course import title
from workshop.notebooks import exercises

HEADER = "| exercise | difficulty | minutes | answers |\n|---|---|---|---|\n"


class ExerciseIndex(SphinxDirective):
    """`{exercise-index}`: the exercises of all notebooks beside the page, under the notebooks' names."""

    def run(self) -> list[nodes.Node]:
        """Write the table as Markdown and have it read."""
        table = HEADER
        for path in sorted(Path(self.get_source_info()[0]).parent.glob("*.ipynb")):
            self.env.note_dependency(str(path))
            table += f"| **[{title(path)}]({path.name})** | | | |\n"
            for e in exercises(nbformat.read(path, as_version=4)):
                link = f"[{e['number']} · {e['title']}]({path.name}#{slugify(e['heading'])})"
                table += f"| {link} | {e['difficulty']} | {e['minutes']} | {e['keys'] or ''} |\n"
        return self.parse_text_to_nodes(table)


def setup(app: Sphinx) -> None:
    """Offer the directive."""
    app.add_directive("exercise-index", ExerciseIndex)
