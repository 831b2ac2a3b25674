"""The table of all exercises, read from the notebooks' own metadata: nothing about an exercise is written twice."""

from pathlib import Path

import nbformat
from mdit_py_plugins.anchors.index import slugify
from sphinx.util.docutils import SphinxDirective

HEADER = ["| exercise | difficulty | minutes | answers |", "|---|---|---|---|"]


class ExerciseIndex(SphinxDirective):
    """`{exercise-index}`: the exercises of all notebooks beside the page, under the notebooks' names."""

    def run(self):
        lines = list(HEADER)
        for path in sorted(Path(self.get_source_info()[0]).parent.glob("*.ipynb")):
            self.env.note_dependency(str(path))
            cells = nbformat.read(path, as_version=4).cells
            title = cells[0].source.split("\n")[0].lstrip("# ")
            lines.append(f"| **[{title}]({path.name})** | | | |")
            lines += [_row(path.name, cell) for cell in cells if "exercise" in cell.metadata]
        return self.parse_text_to_nodes("\n".join(lines))


def _row(notebook, cell):
    """Write one exercise as a line of the table, its name a link."""
    heading, data = cell.source.split("\n")[0].lstrip("# "), cell.metadata["exercise"]
    dots = "●" * data["difficulty"] + "○" * (3 - data["difficulty"])
    keys = ", ".join(key.replace(".", " ", 1) for key in data["keys"])
    link = f"[{data['number']} · {data['title']}]({notebook}#{slugify(heading)})"
    return f"| {link} | {dots} | {data['minutes']} | {keys} |"


def setup(app):
    app.add_directive("exercise-index", ExerciseIndex)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
