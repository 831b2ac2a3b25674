"""The drawing of imports, made from the source: modules stand on floors, arrows run down or along, never in a circle.

A chapter's module is named after its notebook; a module of the shared floors is named below, one that is not has no
floor, and fails.
"""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import convutils

PACKAGE = Path(convutils.__file__).parent
NOTEBOOKS = PACKAGE.parent / "chapters"

CHAPTERS = {path.stem.partition("_")[2] for path in NOTEBOOKS.glob("*.ipynb")}
SHARED = {"kernels", "data", "training", "layer_table", "figures"}
BESIDE = {"fast", "checks"}
DOOR = "__init__"


def module_of(file, package=PACKAGE):
    """Return a file's module below the package, such as "figures.style"; of a package itself its name."""
    parts = file.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == DOOR else parts)


def imported(tree, module, is_package):
    """Yield the dotted names that a module's source imports from its own package, wherever the statement stands."""
    home = ["convutils", *module.replace(DOOR, "").split(".")]
    home = [part for part in (home if is_package else home[:-1]) if part]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = home[: len(home) + 1 - node.level] if node.level else []
            base = ".".join([*package, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def arrows(package=PACKAGE):
    """Return the modules and which of them each imports; what `convutils` itself offers is the door's."""
    files = {module_of(file, package): file for file in package.rglob("*.py")}
    found = {}
    for module, file in files.items():
        names = imported(ast.parse(file.read_text(encoding="utf-8")), module, file.stem == DOOR)
        own = [name.partition(".")[2] for name in names if name.partition(".")[0] == "convutils"]
        found[module] = {longest_module(name, files) for name in own} - {module}
    return found


def longest_module(name, modules):
    """Return the module that a dotted name is in: the longest beginning of it that is one, else the door."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or DOOR


def floor(module):
    """Return how high a module stands: 0 ground, 1 chapters, 2 shared, 3 beside, 4 the door."""
    name = module.partition(".")[0]
    floors = [name.startswith("_") and name != DOOR, name in CHAPTERS, name in SHARED, name in BESIDE, name == DOOR]
    assert sum(floors) == 1, f"{module} stands on no floor: name it in tests/package/test_floors.py, or after a chapter"
    return floors.index(True)


def check(drawing):
    """Fail for an arrow upwards, a circle, or a module on no floor."""
    floors = {module: floor(module) for module in drawing}
    upwards = [f"{a} imports {b}" for a, below in drawing.items() for b in below if floors[a] < floors[b]]
    assert not upwards, upwards
    try:
        TopologicalSorter(drawing).prepare()
    except CycleError as error:
        raise AssertionError(f"a circle: {' imports '.join(reversed(error.args[1]))}") from None


def test_imports_run_down_and_in_no_circle():
    drawing = arrows()
    assert {"_arguments", "convolution", "figures.window", "checks.engine", DOOR} <= set(drawing)
    assert "_arguments" in drawing["convolution"] and "figures.style" in drawing["figures.window"]
    check(drawing)


@pytest.mark.parametrize(
    ("file", "statement", "words"),
    [
        ("convolution.py", "def late():\n    from convutils import kernels", "convolution imports kernels"),
        ("_windows.py", "from . import pooling", "_windows imports pooling"),
        ("pooling.py", "from convutils import corr2d", "pooling imports __init__"),
        ("layer_table.py", "import convutils.fast", "layer_table imports fast"),
        ("figures/style.py", "from .window import CELL", "a circle: .*figures.style"),
        ("_arguments.py", "from convutils._windows import fits", "a circle: .*_windows"),
        ("stray.py", "", "stray stands on no floor"),
    ],
)
def test_what_runs_up_or_round_or_stands_nowhere_is_found(file, statement, words, tmp_path):
    for source in PACKAGE.rglob("*.py"):
        copy = tmp_path / source.relative_to(PACKAGE)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    with open(tmp_path / file, "a", encoding="utf-8") as changed:
        changed.write(f"\n{statement}\n")
    with pytest.raises(AssertionError, match=words):
        check(arrows(tmp_path))
