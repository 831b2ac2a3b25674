"""The reference of convutils, written from its source: one section a module, one entry a public name.

Nothing is listed by hand, so nothing can be missing, and nothing is imported, so torch need not be installed.
What is public: the names in `convutils.__all__`; and in a module that is itself such a name or is imported by name
(`kernels`, `figures`), every function and class without a leading underscore.
"""

from __future__ import annotations

import ast
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

PACKAGE = Path(__file__).resolve().parents[2] / "convutils"
KINDS = {ast.FunctionDef: "function", ast.ClassDef: "class"}

# In the order of the course; a module that is not listed comes after these.
TITLES = {
    "dense_to_convolution": "From the dense layer to convolution",
    "convolution": "Convolution",
    "padding_and_stride": "Padding and stride",
    "channels": "Channels",
    "pooling": "Pooling",
    "lenet": "LeNet",
    "layer_table": "Table of layers",
    "fast": "Fast",
    "kernels": "Kernels",
    "data": "Data",
    "training": "Training",
    "figures": "Figures",
    "checks": "Checkers of the exercises",
}


def sources(module: str) -> list[Path]:
    """The module's file; or those of a package, the one with its description first."""
    file, folder = PACKAGE / f"{module}.py", PACKAGE / module
    return [file] if file.exists() else [folder / "__init__.py", *sorted(folder.glob("[!_]*.py"))]


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def exported() -> set[str]:
    """The value of `__all__` in the package."""
    for statement in parse(PACKAGE / "__init__.py").body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(statement.value))
    return set()


def modules() -> list[str]:
    found = {p.stem for p in PACKAGE.glob("[!_]*.py")} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    return [m for m in TITLES if m in found] + sorted(found - set(TITLES))


def definitions(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.ClassDef]:
    """The public functions and classes of a module's or a class's body, in its order."""
    return [s for s in body if type(s) in KINDS and not s.name.startswith("_")]


def members(definition: ast.FunctionDef | ast.ClassDef) -> list[str]:
    """What a class offers besides being called: its methods and properties with a docstring."""
    if isinstance(definition, ast.FunctionDef):
        return []
    return [s.name for s in definitions(definition.body) if ast.get_docstring(s)]


def entries(module: str) -> list[str]:
    """The directives for everything the module offers to a reader, under the name one imports it by."""
    public = exported()
    found = [d for file in sources(module) for d in definitions(parse(file).body)]
    own = [d for d in found if d.name in public]
    path = "convutils" if own else f"convutils.{module}"
    lines = []
    for d in own or found:
        lines += [f".. autoapi{KINDS[type(d)]}:: {path}.{d.name}"]
        lines += [f"   :members: {', '.join(members(d))}", ""] if members(d) else [""]
    return lines


class ConvutilsApi(Directive):
    def run(self):
        environment = self.state.document.settings.env
        for file in PACKAGE.rglob("*.py"):
            environment.note_dependency(str(file))
        return [self.section(module) for module in modules() if entries(module)]

    def section(self, module: str) -> nodes.section:
        title = TITLES.get(module, module.replace("_", " ").capitalize())
        section = nodes.section(ids=[nodes.make_id(f"api-{title}")], names=[])
        section += nodes.title(title, title)
        lines = [*(ast.get_docstring(parse(sources(module)[0])) or "").splitlines(), ""]
        lines += entries(module)
        self.state.nested_parse(StringList(lines, source=f"convutils/{module}.py"), 0, section)
        return section


def setup(app):
    app.add_directive("convutils-api", ConvutilsApi)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
