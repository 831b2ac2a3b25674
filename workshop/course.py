"""What the course is: its pages, its version, its repository; everything that needs one of them asks here."""

import re
import sys
from pathlib import Path

import nbformat
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
ADDRESS = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}/[\w.-]+/[\w-][\w.-]*(?<!\.git)")


def project() -> dict:
    """The table [project] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def version() -> str:
    """The version of the course and of its module."""
    return project()["version"]


def release_tag() -> str:
    """The Git tag of this version: what the launch buttons open and the bootstrap cell installs."""
    return f"v{version()}"


def repository() -> str:
    """The one address of the course's repository; empty while it has none.

    Raises:
        ValueError: if what stands in pyproject.toml is no such address.
    """
    address = project().get("urls", {}).get("Repository", "")
    if address and not ADDRESS.fullmatch(address):
        raise ValueError(
            f"Repository in pyproject.toml: got {address!r}, wanted https://host/owner/name, or no such line"
        )
    return address


def settings() -> dict:
    """What _config.yml says: title, author and the rest."""
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def named(entry: dict) -> list[str]:
    """The page of an entry of _toc.yml, or the pages that its pattern finds, in the order of their names."""
    if "file" in entry:
        return [entry["file"]]
    found = [path for suffix in (".ipynb", ".md") for path in ROOT.glob(entry["glob"] + suffix)]
    return sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in found)


def contents() -> list[tuple[str, list[str]]]:
    """The pages in their order, by the captions of _toc.yml; the landing page comes first and has none."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def pages(entries: list[dict]) -> list[str]:
        return [page for e in entries for page in (*named(e), *pages(e.get("sections", [])))]

    return [("", [toc["root"]]), *((part["caption"], pages(part["chapters"])) for part in toc["parts"])]


def folders() -> list[Path]:
    """The folders in which the pages of the contents lie, in the order of the contents."""
    return list(dict.fromkeys((ROOT / page).parent for _, pages in contents() for page in pages))


def notebooks() -> list[Path]:
    """Every notebook that lies beside a page of the contents."""
    return [notebook for folder in folders() for notebook in sorted(folder.glob("*.ipynb"))]


def title(notebook: Path) -> str:
    """The title of a notebook: the heading it begins with."""
    return nbformat.read(notebook, as_version=4).cells[0].source.split("\n")[0].lstrip("# ")


def slug(heading: str) -> str:
    """The fragment that Jupyter, GitHub and the site make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def built_site() -> Path:
    """The folder of the built site, or an exit that says how to build it."""
    if not (SITE / "index.html").exists():
        raise SystemExit(f"{SITE} holds no site; run: make book")
    return SITE


def product(suffix: str) -> Path:
    """The file of this version that is made to be handed on, such as the one that ends in ".pdf"."""
    return ROOT / "_build" / f"{project()['name']}-{version()}{suffix}"
