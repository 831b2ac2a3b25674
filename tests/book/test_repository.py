"""One repository address, followed everywhere; and a bootstrap cell that installs the course from it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from workshop import course, notebooks
from workshop.site.theme import buttons

# in parts, so that this file is no place that names an address
FORGE = "github" + ".com"
ADDRESS = f"https://{FORGE}/owner/course"

# Addresses of other projects that stand in our files. Whatever else looks like a repository must be the course's own.
OTHER_PROJECTS = {
    # package-lock.json, written by npm
    *(f"https://{FORGE}/sponsors/{name}" for name in ("katex", "ai", "feross", "jonschlinkert")),
}
LOOKS_LIKE_A_REPOSITORY = re.compile(
    # ".example" is no real host: such addresses stand in the tests
    r"(?:git\+)?(?:https?|ssh)://[\w.-]*(?:git|codeberg|bitbucket|sr\.ht)[\w.-]*(?<!\.example)/[\w.~-]+/[\w.-]+"
    r"|git@[\w.-]+(?<!\.example):[\w.-]+/[\w.-]+"
    r"|(?:colab\.research\.google\.com/github|mybinder\.org/v2)/[\w.%/-]+"
)


def tracked() -> list[str]:
    """The files of the checkout, those not yet committed included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=course.ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no Git checkout")
    return [name for name in done.stdout.splitlines() if (course.ROOT / name).is_file()]


# ---------------------------------------------------------------- the line one edits


@pytest.fixture
def address(monkeypatch):
    """Let pyproject.toml name this address, as far as the workshop sees."""

    def name(url: str) -> None:
        monkeypatch.setattr(course, "project", lambda: {"version": "1.2.3", "urls": {"Repository": url} if url else {}})

    return name


def test_the_place_of_the_address_is_in_pyproject():
    lines = (course.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    line = '# Repository = "https://host/owner/name"'
    assert bool(course.repository()) != (line in lines and lines[lines.index(line) - 1].startswith("[project.urls]"))


def test_bootstrap_cells_follow_and_nothing_else_changes(address):
    path = course.notebooks()[0]
    before = notebooks.read(path)
    for url, source in ((ADDRESS, f"git+{ADDRESS}@v1.2.3"), ("", "")):
        address(url)
        after = notebooks.normalise(notebooks.read(path))
        assert f'SOURCE = "{source}"' in after.cells[1].source
        assert [c for c in after.cells if c.id != "bootstrap"] == [c for c in before.cells if c.id != "bootstrap"]


def test_a_notebook_that_does_not_follow_is_out_of_order(address):
    address(f"{ADDRESS}-elsewhere")
    with pytest.raises(notebooks.Disorder, match="not in normal form"):
        notebooks.check(course.notebooks()[0])


@pytest.mark.parametrize(
    "url",
    [
        "git.example/owner/course",
        "http://git.example/owner/course",
        "https://git.example",
        "https://git.example/owner",
        "https://git.example/owner/course/tree",
        "https://git.example/owner/course/",
        "https://git.example/owner/course.git",
        "https://git.example/owner/course?x=1",
        'https://git.example/owner/a"b',
        "https://user:word@git.example/owner/course",
        "git@git.example:owner/course",
        "https://git.example/owner/my course",
        "https://nowhere/owner/course",
        "https://git.example/owner/.git",
    ],
)
def test_a_bad_address_is_refused(address, url):
    address(url)
    with pytest.raises(ValueError, match=re.escape(f"got {url!r}, wanted https://host/owner/name")):
        course.repository()


# ---------------------------------------------------------------- what the site makes of it


def test_buttons_follow_the_host():
    def offered(address):
        options = buttons(address)
        return {key for key, value in {**options, **options["launch_buttons"]}.items() if value} - {
            "repository_url",
            "launch_buttons",
            "notebook_interface",
        }

    source = {"use_repository_button", "use_edit_page_button", "use_issues_button"}
    assert offered("") == set() and offered("https://git.example/owner/course") == set()
    assert offered(ADDRESS) == source | {"binderhub_url", "colab_url"}
    assert offered("https://gitlab" + ".com/owner/course") == source | {"binderhub_url"}


# ---------------------------------------------------------------- the bootstrap cell installs


@pytest.fixture
def copy(tmp_path) -> Path:
    """What the package is built from."""
    folder = tmp_path / "course"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        folder.mkdir(exist_ok=True)
        shutil.copy(course.ROOT / name, folder)
    shutil.copytree(course.ROOT / "convutils", folder / "convutils", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def empty_environment(tmp_path) -> Path:
    """A Python without torch and convutils, with pip, and with setuptools so that nothing need be downloaded."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    show = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(show, capture_output=True, text=True, check=True).stdout.strip())
    import setuptools

    for found in packages.glob("setuptools*"):  # the older one that some Pythons bring along
        shutil.rmtree(found)
    ours = Path(setuptools.__file__).parent
    for source in (ours, *ours.parent.glob("setuptools-*.dist-info")):
        shutil.copytree(source, packages / source.name)
    return python


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@git.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def test_bootstrap_installs_the_tagged_release_into_an_empty_environment(copy, empty_environment, tmp_path):
    """The cell runs as it stands in a notebook, but for the address: a file's, not a host's."""
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message=release")
    git(copy, "tag", course.release_tag())
    (copy / "convutils" / "__init__.py").write_text("raise SystemExit('newer than the release')", encoding="utf-8")
    git(copy, "commit", "--quiet", "--all", "--message=after the release")
    look = (
        "\nfrom importlib import metadata, util\n"
        "print(metadata.version('convnet-course'), util.find_spec('convutils').origin)"
    )
    source = notebooks.bootstrap_source(copy.as_uri())
    # torch and the rest are 6 GB that Colab has: they are left out; so is a download of setuptools
    environment = {
        "PATH": "/usr/bin:/bin",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_CONFIG_FILE": "/dev/null",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [empty_environment, "-c", source + look],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    installed, place = done.stdout.split()
    assert installed == course.version() and str(empty_environment.parent.parent) in place
    assert "newer than the release" not in Path(place).read_text(encoding="utf-8")
    sources = {path.relative_to(copy).as_posix() for path in (copy / "convutils").rglob("*") if path.is_file()}
    assert {name for name in sources if not (Path(place).parents[1] / name).is_file()} == set()


# ---------------------------------------------------------------- Binder


def provided(names: list[str]) -> set[str]:
    """These distributions and all that they require, under the names that pip compares."""
    found, waiting = set(), [name.lower() for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = map(Requirement, requires(name) or [])
            waiting += [r.name.lower() for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def test_binder_installs_what_the_notebooks_import():
    lines = (course.ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = [line.split("#")[0].strip() for line in lines if not line.startswith("#")]
    assert asked[:2] == ["-c ../constraints.txt", "."] and (course.ROOT / "constraints.txt").is_file()
    there = provided(["convnet-course", *asked[2:]])
    distributions = packages_distributions()
    code = "\n".join(
        c.source
        for path in course.notebooks()
        for c in nbformat.read(path, as_version=4).cells
        if c.cell_type == "code" and c.get("id") != "bootstrap"
    )
    imported = {name for name in re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE) if name in distributions}
    assert {"torch", "d2l"} <= imported
    missing = {name for name in imported - {"convutils"} if not {d.lower() for d in distributions[name]} & there}
    assert missing == set()


def test_binder_runs_the_python_that_made_the_outputs():
    wanted = (course.ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    made = {nbformat.read(path, as_version=4).metadata.made_with.python for path in course.notebooks()}
    assert {name.rpartition(".")[0] for name in made} == {wanted}


def test_the_course_names_only_its_own_repository():
    own = {course.repository(), f"git+{course.repository()}"} if course.repository() else set()
    texts = ((course.ROOT / name).read_text(encoding="utf-8", errors="replace") for name in tracked())
    assert {a for text in texts for a in LOOKS_LIKE_A_REPOSITORY.findall(text)} - OTHER_PROJECTS == own
