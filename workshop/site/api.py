"""The reference of convutils, written from its source: one section a module, one entry a public name.

Nothing is listed by hand, so nothing can be missing, and nothing is imported, so torch need not be installed.
What is public: the names in `convutils.__all__`; and in a module of which that names none (`kernels`, `figures`), those
of its own `__all__`, or else every function and class without a leading underscore.
The module of a chapter bears the chapter's title and comes first.
"""

import ast
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from workshop import course

PACKAGE = course.ROOT / "convutils"
KINDS = {ast.FunctionDef: "function", ast.ClassDef: "class"}


def parse(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


def sources(module: str) -> list[ast.Module]:
    """The module's file; or those of a package, the one with its description first."""
    file, folder = PACKAGE / f"{module}.py", PACKAGE / module
    return [parse(f) for f in ([file] if file.exists() else [folder / "__init__.py", *sorted(folder.glob("[!_]*.py"))])]


def exported(tree: ast.Module) -> set[str]:
    """The value of a file's `__all__`; empty where there is none."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(statement.value))
    return set()


def titles() -> dict[str, str]:
    """The title of each module, in the order of the page."""
    pages = [path for path in course.notebooks() if path.parent.name == "chapters"]
    chapters = {path.stem.partition("_")[2]: course.title(path).partition(" · ")[2] for path in pages}
    found = {p.stem for p in PACKAGE.glob("[!_]*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    others = {name: name.replace("_", " ").capitalize() for name in sorted(found - set(chapters))}
    return {name: title for name, title in chapters.items() if name in found} | others


def definitions(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.ClassDef]:
    """The public functions and classes of a module's or a class's body, in its order."""
    return [s for s in body if type(s) in KINDS and not s.name.startswith("_")]


def entry(path: str, definition: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """The directive for one name; a class is shown with its methods and properties that have a docstring."""
    inside = definitions(definition.body) if isinstance(definition, ast.ClassDef) else []
    members = ", ".join(s.name for s in inside if ast.get_docstring(s))
    option = [f"   :members: {members}"] if members else []
    return [f".. autoapi{KINDS[type(definition)]}:: {path}.{definition.name}", *option, ""]


def entries(module: str) -> list[str]:
    """The directives for everything the module offers to a reader, under the name one imports it by."""
    trees = sources(module)
    found = [d for tree in trees for d in definitions(tree.body)]
    of_package, of_module = exported(parse(PACKAGE / "__init__.py")), exported(trees[0])
    own = [d for d in found if d.name in of_package]
    path = "convutils" if own else f"convutils.{module}"
    return [line for d in own or [d for d in found if d.name in of_module] or found for line in entry(path, d)]


class ConvutilsApi(SphinxDirective):
    """`.. convutils-api::`: the sections of all modules."""

    def run(self) -> list[nodes.Node]:
        """Write the sections, and have the page made anew when a source changes."""
        for file in [*PACKAGE.rglob("*.py"), *course.notebooks()]:
            self.env.note_dependency(str(file))
        return [self.section(module, title) for module, title in titles().items() if entries(module)]

    def section(self, module: str, title: str) -> nodes.section:
        """One module: its description and its entries."""
        section = nodes.section("", nodes.title(title, title), ids=[nodes.make_id(f"api-{title}")], names=[])
        lines = [*(ast.get_docstring(sources(module)[0]) or "").splitlines(), "", *entries(module)]
        self.state.nested_parse(StringList(lines, source=f"convutils/{module}.py"), 0, section)
        return section


def setup(app: Sphinx) -> None:
    """Offer the directive."""
    app.add_directive("convutils-api", ConvutilsApi)
