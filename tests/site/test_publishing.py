"""What is made to be handed on: each page's foot and preview, the buttons, the zip and the book as a PDF.

The builds here hold three pages of the course: enough to see what every page gets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
import yaml
from pypdf import PdfReader

from workshop import chromium as find_chromium
from workshop.course import ROOT, contents, notebooks, release_tag, repository, version
from workshop.offline import remote_references
from workshop.pdf import make_pdf
from workshop.site.theme import BINDER, COLAB, commit
from workshop.zip import make_zip

SITE = ROOT / "_build" / "html"
NOTEBOOK = "exercises/05_pooling"
PAGES = ["intro", NOTEBOOK, "reference/how_it_is_made"]
FORGE = "github" + ".com"  # in two parts: this file names no repository

needs_site = pytest.mark.skipif(not SITE.exists(), reason="the site is not built (make book)")
needs_browser = pytest.mark.skipif(
    not find_chromium.chromium() and not os.environ.get("REQUIRE_BROWSER"), reason=find_chromium.MISSING
)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@git.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


# ---------------------------------------------------------------- a small build of a copy


def run(folder: Path, *command: str) -> None:
    own = {**os.environ, "PYTHONPATH": str(folder)}  # the copy's workshop, not this checkout's
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def build(folder: Path) -> Path:
    run(folder, str(Path(sys.executable).with_name("jupyter-book")), "build", ".")
    return folder / "_build" / "html"


def name_repository(folder: Path, address: str) -> None:
    """Edit the line of pyproject.toml that names the address."""
    path = folder / "pyproject.toml"
    line = f'Repository = "{address}"' if address else '# Repository = ""'
    text = re.sub(r"^(# )?Repository = .*$", line, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def small_course(tmp_path_factory) -> Path:
    """What building three of the pages takes, with a history of one commit."""
    folder = tmp_path_factory.mktemp("small") / "course"
    hidden = shutil.ignore_patterns(".*", "_build", "node_modules", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, folder, ignore=hidden)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    toc = {"format": "jb-book", "root": PAGES[0], "chapters": [{"file": page} for page in PAGES[1:]]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (folder / ".gitignore").write_text("_build\nnode_modules\n__pycache__\n", encoding="utf-8")
    name_repository(folder, "")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=one")
    return folder


@pytest.fixture(scope="module")
def without_address(small_course) -> dict[str, str]:
    return pages_of(build(small_course))


@pytest.fixture(scope="module")
def with_address(small_course, without_address) -> dict[str, str]:
    """The same build again, with an address that has been committed."""
    name_repository(small_course, f"https://{FORGE}/owner/course")
    git(small_course, "commit", "--quiet", "--all", "--message=two")
    return pages_of(build(small_course))


def pages_of(site: Path) -> dict[str, str]:
    return {page: (site / f"{page}.html").read_text(encoding="utf-8") for page in PAGES}


class Links(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.hrefs, self.sources, self.ids = [], [], set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id"))
        self.hrefs += [values["href"]] if tag == "a" and values.get("href") else []
        self.sources += [values[key] for key in ("src", "href") if tag in ("img", "script", "link") and values.get(key)]


def links(html: str) -> list[str]:
    return Links(html).hrefs


def test_without_an_address_no_page_offers_what_needs_one(without_address):
    for html in without_address.values():
        assert not [href for href in links(html) if re.search("github|gitlab|colab|binder|jupyter-book", href)]
        assert not re.search(r"btn-source-|dropdown-launch-buttons", html)


def test_with_an_address_buttons_lead_there(with_address):
    home, tag = f"https://{FORGE}/owner/course", release_tag()
    for page, html in with_address.items():
        source = f"{page}.ipynb" if page == NOTEBOOK else f"{page}.md"
        hrefs = links(html)
        assert f"{home}/edit/main/{source}" in hrefs and home in hrefs
        assert any(href.startswith(f"{home}/issues/new?") and page in href for href in hrefs)
        colab = f"{COLAB}/github/owner/course/blob/{tag}/{page}.ipynb"
        binder = f"{BINDER}/v2/gh/owner/course/{tag}?urlpath=lab/tree/{page}.ipynb"
        assert [target in hrefs for target in (colab, binder)] == [page == NOTEBOOK] * 2


def test_buttons_load_nothing_from_their_hosts(small_course, with_address):
    assert remote_references(small_course / "_build" / "html") == []


@needs_browser
def test_buttons_have_names(small_course, with_address, browser):
    page = browser.new_page()
    page.goto((small_course / "_build" / "html" / f"{NOTEBOOK}.html").as_uri())
    for button in page.locator(".dropdown-launch-buttons button, .dropdown-source-buttons button").all():
        button.click()
    names = [e.inner_text().strip() for e in page.locator(".article-header-buttons a.dropdown-item:visible").all()]
    assert {"Repository", "Suggest edit", "Open issue"} <= set(names) or {"Binder", "Colab"} <= set(names)
    page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.article-header-buttons')")
    assert [v["id"] for v in found["violations"]] == []


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium.chromium(), args=find_chromium.FLAGS)
        yield browser
        browser.close()


# ---------------------------------------------------------------- the foot


def built_from(html: str) -> list[str]:
    return re.findall(r'<span class="built-from">([^<]*)</span>', html)


def test_every_page_names_the_commit_even_one_that_did_not_change(small_course, with_address):
    """Nothing but the commit is another; each page says which."""
    before = {tuple(built_from(html)) for html in with_address.values()}
    git(small_course, "commit", "--quiet", "--allow-empty", "--message=three")
    after = {tuple(built_from(html)) for html in pages_of(build(small_course)).values()}
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=small_course, capture_output=True, text=True).stdout[:12]
    assert after == {(f"commit {head}",)} and len(before) == 1 and before != after


def test_the_foot_knows_no_git_local_changes_and_foreign_repositories(tmp_path, monkeypatch):
    inner = tmp_path / "course"
    inner.mkdir()
    (inner / "a").write_text("1", encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message=someone else's")
    assert commit(inner) == "a copy without its Git history"
    git(inner, "init", "--quiet")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message=ours")
    assert re.fullmatch(r"commit [0-9a-f]{12}", commit(inner))
    (inner / "a").write_text("2", encoding="utf-8")
    assert re.fullmatch(r"commit [0-9a-f]{12} with local changes", commit(inner))
    monkeypatch.setenv("PATH", "")
    assert commit(inner) == "a copy without its Git history"


@needs_site
def test_every_page_of_the_site_says_what_it_was_built_from():
    pages = [path for path in SITE.rglob("*.html") if "_static" not in path.parts and path != SITE / "index.html"]
    said = {tuple(built_from(path.read_text(encoding="utf-8"))) for path in pages}
    assert len(said) == 1 and all(len(words) == 1 and words[0] for words in said)
    assert all(f"Version {version()}, built from" in path.read_text(encoding="utf-8") for path in pages)


@needs_site
@pytest.mark.parametrize("path", notebooks(), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_notebooks_page_says_what_made_its_outputs(path):
    metadata = nbformat.read(path, as_version=4).metadata
    made, seconds = metadata.made_with, metadata.run_time_s
    page = (SITE / path.relative_to(ROOT)).with_suffix(".html").read_text(encoding="utf-8")
    assert f"made with Python {made.python} and PyTorch {made.torch}; running the page takes about {seconds} s" in page


@pytest.mark.parametrize("path", notebooks(), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_outputs_were_made_with_the_required_torch(path):
    pinned = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert nbformat.read(path, as_version=4).metadata.made_with.torch == pinned


@needs_site
def test_without_an_address_the_site_links_to_no_repository():
    if repository():
        pytest.skip("the course has an address")
    pages = SITE.rglob("*.html")
    hrefs = {href for path in pages for href in links(path.read_text(encoding="utf-8"))}
    assert [h for h in hrefs if re.search("colab.research|mybinder|/edit/|/issues/new", h)] == []


# ---------------------------------------------------------------- the preview of a link


def meta(html: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', html))


def test_each_page_has_its_own_title_and_description(without_address):
    found = [meta(html) for html in without_address.values()]
    for key in ("og:title", "og:description", "description"):
        assert len({tags[key] for tags in found}) == len(PAGES)
    assert all(20 <= len(tags["description"]) <= 220 and tags["twitter:card"] for tags in found)


def test_the_previews_picture_is_there(small_course, without_address):
    from PIL import Image

    site = small_course / "_build" / "html"
    for page, html in without_address.items():
        assert Image.open((site / page).parent / meta(html)["og:image"]).size == (1200, 630)
        assert "og:url" not in meta(html)  # where the site is published is not known


# ---------------------------------------------------------------- zip


@needs_site
def test_the_zip_is_the_site_and_no_link_in_it_is_broken(tmp_path):
    count = make_zip(SITE, tmp_path / "book-1.zip")
    with zipfile.ZipFile(tmp_path / "book-1.zip") as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert len(names) == count and names == sorted(names) and {name.split("/")[0] for name in names} == {"book-1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book-1", "book-1.zip"]
    assert broken_links(tmp_path / "book-1") == []


def broken_links(folder: Path) -> list[str]:
    """The relative addresses that lead to no file below the folder, or to no place in it."""
    pages = {p: Links(p.read_text(encoding="utf-8")) for p in folder.rglob("*.html") if "_static" not in p.parts}
    assert folder / "index.html" in pages

    def is_broken(page, link):
        parts = urlsplit(urljoin(page.as_uri(), link))
        path = Path(unquote(parts.path))
        if not path.is_file() or folder not in path.parents:
            return True
        return bool(parts.fragment) and path in pages and unquote(parts.fragment) not in pages[path].ids

    found = [(page, link) for page, seen in pages.items() for link in seen.hrefs + seen.sources]
    return [f"{page.name}: {link}" for page, link in found if not urlsplit(link).scheme and is_broken(page, link)]


def test_the_same_site_gives_the_same_zip(tmp_path):
    site = tmp_path / "html"
    (site / "chapters").mkdir(parents=True)
    packed = set()
    for time in (1e9, 1.5e9):
        for name in ("index.html", "chapters/a.html"):
            (site / name).write_text("a page", encoding="utf-8")
            os.utime(site / name, (time, time))
        make_zip(site, tmp_path / "book.zip")
        packed.add((tmp_path / "book.zip").read_bytes())
    assert len(packed) == 1


# ---------------------------------------------------------------- PDF


def outline(reader: PdfReader, entries=None, depth=0) -> list[tuple[int, str, int]]:
    """The bookmarks: depth, title, page."""
    found = []
    for entry in reader.outline if entries is None else entries:
        if isinstance(entry, list):
            found += outline(reader, entry, depth + 1)
        else:
            found.append((depth, entry.title, reader.get_destination_page_number(entry)))
    return found


def text_of(page) -> str:
    return unicodedata.normalize("NFKC", page.extract_text())  # ligatures are letters again


@pytest.fixture(scope="module")
def book(browser, tmp_path_factory):
    """A book of two parts, printed as the whole one is."""
    folder = tmp_path_factory.mktemp("pdf")
    order = [("", ["reference/how_it_is_made"]), ("Reference", ["reference/glossary", NOTEBOOK])]
    count = make_pdf(browser, SITE, folder / "book.pdf", order)
    assert [path.name for path in folder.iterdir()] == ["book.pdf"]
    reader = PdfReader(folder / "book.pdf")
    assert len(reader.pages) == count
    return reader


@needs_site
@needs_browser
def test_the_pdf_has_its_pages_in_order_and_in_the_outline(book):
    assert len(book.pages) > 10
    found = outline(book)
    pages = [page for _, _, page in found]
    assert pages == sorted(pages)
    upper = [(depth, title) for depth, title, _ in found if title in ("Reference", "How the book is made", "Glossary")]
    assert upper == [(0, "How the book is made"), (0, "Reference"), (1, "Glossary")]
    for _, title, page in found:
        assert title == "Reference" or re.sub(r"\s", "", title) in re.sub(r"\s", "", text_of(book.pages[page]))


@needs_site
@needs_browser
def test_the_contents_give_the_pages_numbers(book):
    entries = list(outline(book))
    printed = "\n".join(text_of(page) for page in book.pages[1 : min(page for *_, page in entries)])
    for _, title, page in entries:
        if title != "Reference":
            assert re.search(rf"{re.escape(title)}\s+{page + 1}\b", printed), title
    assert "6" in text_of(book.pages[5]).split()[:8]  # and the pages bear them


@needs_site
@needs_browser
def test_links_within_the_pdf_lead_to_its_pages(book):
    places = {name.removeprefix("/") for name in book.named_destinations}
    annotations = [a.get_object() for page in book.pages for a in page.get("/Annots", [])]
    inner = [str(a["/Dest"]).removeprefix("/") for a in annotations if "/Dest" in a]
    assert len(inner) > 20 and set(inner) <= places
    outer = [str(a["/A"]["/URI"]) for a in annotations if "/URI" in a.get("/A", {})]
    assert [address for address in outer if not address.startswith("https://")] == []


@needs_site
@needs_browser
def test_the_pdfs_fonts_are_embedded(book):
    fonts = [font.get_object() for page in book.pages for font in page["/Resources"].get("/Font", {}).values()]
    drawn = [font for font in fonts if font["/Subtype"] == "/Type3"]  # each letter is a drawing, in the file itself
    others = [font for font in fonts if font["/Subtype"] != "/Type3"]
    assert others and all(font["/CharProcs"] for font in drawn)
    for font in others:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
    assert set(book.metadata) == {"/Title", "/Author"}


@needs_site
def test_the_book_has_every_page_of_the_site_once():
    files = [f"{name}.html" for _, names in contents() for name in names]
    built = {p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html") if "_static" not in p.parts}
    assert len(files) == len(set(files)) and set(files) == built - {"index.html", "search.html"}


@needs_site
@needs_browser
def test_a_printed_page_is_light_and_unfolded_and_then_as_it_was(browser):
    page = browser.new_context(color_scheme="dark", offline=True).new_page()
    page.goto((SITE / f"{NOTEBOOK}.html").as_uri())
    state = "() => [document.documentElement.dataset.theme, document.querySelectorAll('details:not([open])').length]"
    theme, folded = page.evaluate(state)
    assert theme == "dark" and folded > 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(state) == ["light", 0]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(state) == ["dark", folded]
