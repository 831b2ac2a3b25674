"""What a reader runs on trust: no code is made from text or data, and everything is installed from fixed sources."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("convutils", "workshop") for path in sorted((ROOT / folder).rglob("*.py"))]
NOTEBOOKS = [
    path for folder in ("chapters", "deeper", "exercises", "reference") for path in sorted((ROOT / folder).glob("*.ipynb"))
]

# modules that turn data into code, or into calls of functions that the data name
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}
# what shows the danger, and that it is met: (notebook, id of the cell) → what stands there
SHOWN = {
    ("chapters/06_lenet", "refused"): "import pickle",  # for the name of the error with which torch refuses
    ("reference/error_clinic", "weights-only-raised"): "torch.load without weights_only=True",  # the error itself
}


def dotted(node):
    """Return a name such as torch.load, or ""."""
    try:
        return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    except ValueError:
        return ""


def dangers(source):
    """Return what in a piece of Python would run code that is not in it, as short descriptions."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found += [f"import {m}" for m in modules if m.split(".")[0] in UNSAFE_MODULES]
        if isinstance(node, ast.Call):
            found += call_dangers(dotted(node.func), {k.arg: ast.unparse(k.value) for k in node.keywords})
    return found


def call_dangers(name, keywords):
    """Return what is dangerous about one call."""
    found = [f"{name}()"] if name in UNSAFE_CALLS else []
    if name == "torch.load" and keywords.get("weights_only") != "True":
        found.append("torch.load without weights_only=True")
    return found + [
        f"{name}({k}={v})"
        for k, v in keywords.items()
        if (k, v) in {("shell", "True"), ("allow_pickle", "True"), ("trust_remote_code", "True")}
    ]


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", [*SOURCES, ROOT / "conftest.py"], ids=lambda path: path.name)
def test_sources_make_no_code_from_data(path):
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_notebooks_make_no_code_from_data(path):
    name = f"{path.parent.name}/{path.stem}"
    found = {(name, cell.id): danger for cell in code_cells(path) for danger in dangers(without_magics(cell.source))}
    assert found == {key: danger for key, danger in SHOWN.items() if key[0] == name}


def without_magics(source):
    """Drop IPython's % lines, and assert that no line is handed to a shell."""
    lines = source.splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("!", "%%bash", "%%sh", "%system", "%pip", "%run"))]
    return "\n".join(line for line in lines if not line.startswith("%"))


@pytest.mark.parametrize(
    ("source", "danger"),
    [
        ("eval(text)", "eval()"),
        ("x = [exec(t) for t in ts]", "exec()"),
        ("import pickle", "import pickle"),
        ("from joblib import load", "import joblib"),
        ("torch.load(f)", "torch.load without weights_only=True"),
        ("torch.load(f, weights_only=False)", "torch.load without weights_only=True"),
        ("subprocess.run(c, shell=True)", "subprocess.run(shell=True)"),
        ("np.load(f, allow_pickle=True)", "np.load(allow_pickle=True)"),
        ("os.system('ls')", "os.system()"),
    ],
)
def test_the_search_finds_what_it_is_for(source, danger):
    assert dangers(source) == [danger]
    assert dangers("net.eval(); torch.load(f, weights_only=True); re.compile('a'); subprocess.run([c])") == []


# ---- where things are installed from


def pinned(line):
    """Tell whether a line of a requirements file names one exact version."""
    return re.fullmatch(r"[\w.\[\]-]+==[\w.]+( ; .*)?", line) is not None


PINNED = ("requirements.txt", "requirements-book.txt", "constraints.txt", "constraints-oldest.txt")


@pytest.mark.parametrize("name", PINNED)
def test_every_requirement_is_pinned(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if line and not line.startswith("-r ") and not pinned(line)] == []


@pytest.mark.parametrize("name", ["Makefile", ".ci/run"])
def test_every_installation_of_a_python_package_is_pinned(name):
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    flags = re.search(r"^PIP_FLAGS := .*--constraint constraints.txt", text, re.MULTILINE)
    for command in re.findall(r"^.*\b(?:pip|uv pip)\b.* install\b.*$", text, re.MULTILINE):
        assert re.search(r"--constraint [\w-]+\.txt|==\d", command) or flags and "$(PIP_FLAGS)" in command, command


def test_what_builds_the_package_is_pinned():  # pip takes it into an environment of its own, past the constraints
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^requires = \["setuptools==[\d.]+"\]$', text, re.MULTILINE)


def test_katex_is_pinned_with_a_checksum():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages and all(package["integrity"].startswith("sha512-") for package in packages)
