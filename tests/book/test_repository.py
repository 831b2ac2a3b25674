"""One repository address, followed everywhere; and a bootstrap cell that installs the course from it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

from workshop.course import ROOT, release_tag, repository, version
from workshop.notebooks import all_notebooks, bootstrap_source
from workshop.set_repository import normal_form, replace_all
from workshop.site.project import theme_options

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
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no Git checkout")
    return [name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture
def copy(tmp_path) -> Path:
    folder = tmp_path / "course"
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    if repository():
        run_tool(folder, "")  # the tests begin without an address, whether or not the course has one
    return folder


def run_tool(folder: Path, *arguments: str):
    command = [sys.executable, "-m", "workshop.set_repository", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "__pycache__" not in p.parts
    }


def named_repositories(folder: Path) -> set[str]:
    texts = (data.decode(errors="replace") for data in contents(folder).values())
    found = {address for text in texts for address in LOOKS_LIKE_A_REPOSITORY.findall(text)}
    return found - OTHER_PROJECTS


def bootstrap_of(path: Path) -> str:
    return next(c.source for c in nbformat.read(path, as_version=4).cells if c.get("id") == "bootstrap")


def without_bootstrap(path: Path) -> dict:
    page = json.loads(path.read_text(encoding="utf-8"))
    page["cells"] = [cell for cell in page["cells"] if cell["id"] != "bootstrap"]
    return page


# ---------------------------------------------------------------- make repository


def test_every_place_follows_and_nothing_else_names_a_repository(copy):
    assert named_repositories(copy) == set()
    assert run_tool(copy, ADDRESS).returncode == 0
    assert named_repositories(copy) == {ADDRESS, f"git+{ADDRESS}"}
    assert f'Repository = "{ADDRESS}"' in (copy / "pyproject.toml").read_text(encoding="utf-8")
    for path in all_notebooks():
        place = copy / path.relative_to(ROOT)
        assert f'SOURCE = "git+{ADDRESS}@v{version()}"' in bootstrap_of(place)
        assert without_bootstrap(place) == without_bootstrap(path)


def test_package_metadata_follow(copy, tmp_path):
    run_tool(copy, ADDRESS)
    build = f"from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel({str(tmp_path)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, timeout=60)
    metadata = tmp_path / done.stdout.split()[-1] / "METADATA"
    assert f"Project-URL: Repository, {ADDRESS}" in metadata.read_text(encoding="utf-8").splitlines()


def test_notebooks_are_still_in_order(copy):
    run_tool(copy, ADDRESS)
    command = [sys.executable, "-m", "workshop.notebooks", "--check"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_setting_twice_changes_nothing_and_empty_takes_it_away(copy):
    before = contents(copy)
    run_tool(copy, ADDRESS)
    once = contents(copy)
    assert once != before
    again = run_tool(copy, f"{ADDRESS}.git/")  # another spelling of the same
    assert again.stdout.startswith("nothing to change") and contents(copy) == once
    assert run_tool(copy, "").returncode == 0 and contents(copy) == before


@pytest.mark.parametrize(
    "url",
    [
        "git.example/owner/course",
        "http://git.example/owner/course",
        "https://git.example",
        "https://git.example/owner",
        "https://git.example/owner/course/tree",
        "https://git.example/owner/course?x=1",
        'https://git.example/owner/a"b',
        "https://user:word@git.example/owner/course",
        "git@git.example:owner/course",
        "https://git.example/owner/my course",
        "https://nowhere/owner/course",
        "https://git.example/owner/.git",
    ],
)
def test_a_bad_address_is_refused(url):
    with pytest.raises(ValueError, match=f"https://host/owner/name, or empty; got {re.escape(repr(url))}"):
        normal_form(url)


def test_for_a_bad_address_nothing_is_written(copy):
    before = contents(copy)
    done = run_tool(copy, "https://git.example/owner")
    assert done.returncode == 1 and "https://host/owner/name" in done.stderr
    assert contents(copy) == before


def test_a_broken_notebook_stops_it_before_anything_is_written(copy):
    path = copy / "chapters" / "03_padding_and_stride.ipynb"
    path.write_text(path.read_text(encoding="utf-8")[:5000], encoding="utf-8")
    before = contents(copy)
    done = run_tool(copy, ADDRESS)
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert contents(copy) == before


def test_files_are_replaced_all_or_none(tmp_path):
    good, bad = tmp_path / "a", tmp_path / "missing folder" / "b"
    good.write_text("old", encoding="utf-8")
    with pytest.raises(OSError):
        replace_all({good: "new", bad: "new"})
    assert contents(tmp_path) == {"a": b"old"}


# ---------------------------------------------------------------- what the site makes of it


def test_buttons_follow_the_host():
    def offered(address):
        options = theme_options(address)
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
    git(copy, "tag", release_tag())
    (copy / "convutils" / "__init__.py").write_text("raise SystemExit('newer than the release')", encoding="utf-8")
    git(copy, "commit", "--quiet", "--all", "--message=after the release")
    look = (
        "\nfrom importlib import metadata, util\n"
        "print(metadata.version('convnet-course'), util.find_spec('convutils').origin)"
    )
    source = bootstrap_source(copy.as_uri())
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
    assert installed == version() and str(empty_environment.parent.parent) in place
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
    lines = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = [line.split("#")[0].strip() for line in lines if not line.startswith("#")]
    assert asked[:2] == ["-c ../constraints.txt", "."] and (ROOT / "constraints.txt").is_file()
    there = provided(["convnet-course", *asked[2:]])
    distributions = packages_distributions()
    code = "\n".join(
        c.source
        for path in all_notebooks()
        for c in nbformat.read(path, as_version=4).cells
        if c.cell_type == "code" and c.get("id") != "bootstrap"
    )
    imported = {name for name in re.findall(r"^\s*(?:import|from) (\w+)", code, re.MULTILINE) if name in distributions}
    assert {"torch", "d2l"} <= imported
    missing = {name for name in imported - {"convutils"} if not {d.lower() for d in distributions[name]} & there}
    assert missing == set()


def test_binder_runs_the_python_that_made_the_outputs():
    wanted = (ROOT / "binder" / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    made = {nbformat.read(path, as_version=4).metadata.made_with.python for path in all_notebooks()}
    assert {name.rpartition(".")[0] for name in made} == {wanted}


def test_the_course_names_only_its_own_repository():
    own = {repository(), f"git+{repository()}"} if repository() else set()
    texts = ((ROOT / name).read_text(encoding="utf-8", errors="replace") for name in tracked())
    assert {a for text in texts for a in LOOKS_LIKE_A_REPOSITORY.findall(text)} - OTHER_PROJECTS == own
