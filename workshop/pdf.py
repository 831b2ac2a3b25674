"""Print the whole book into one PDF: title page, contents with page numbers, and every page of the site in its order.

    python -m workshop.pdf                 # from _build/html, into _build/convnet-course-VERSION.pdf

The pages' articles are put into one document, which Chromium prints. So page numbers run on, each font is embedded
once, and links between pages become links within the PDF. It is printed twice: the first time tells on which pages the
headings are, the second has these numbers in the contents. What it looks like is at the end of _static/course.css.
"""

from __future__ import annotations

import logging
import sys
from html import escape
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

from workshop import chromium as find_chromium
from workshop import course

SITE = course.ROOT / "_build" / "html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# One page's article, made fit to stand in one document with all others: ids that are the book's, not the page's,
# links that lead there, addresses that do not depend on the page's folder.
ARTICLE = """([site, pages]) => {
    const name = href => decodeURI(href).startsWith(site) ? decodeURI(href).slice(site.length).split("#")[0] : null;
    const here = name(location.href);
    const place = (page, fragment) => page.replace(/[^\\w]/g, "-") + (fragment ? "--" + fragment : "");
    const article = document.querySelector("article.bd-article");
    article.querySelectorAll("script, #searchbox, .headerlink, .copybtn").forEach(e => e.remove());
    article.querySelectorAll("img").forEach(e => { e.src = e.src; e.loading = "eager"; });
    article.querySelectorAll("details").forEach(e => { e.open = true; });
    article.querySelectorAll("a[href]").forEach(e => {
        const target = name(e.href);
        if (pages.includes(target)) e.setAttribute("href", "#" + place(target, decodeURIComponent(e.hash.slice(1))));
        else if (target !== null) e.removeAttribute("href");
    });
    article.querySelectorAll("[id]").forEach(e => { e.id = place(here, e.id); });
    article.id = place(here);
    article.setAttribute("style", "page: " + article.id);
    const text = e => e.textContent.trim();
    return {
        id: article.id,
        title: text(article.querySelector("h1")),
        sections: [...article.querySelectorAll("h2")].map(e => ({title: text(e), id: e.closest("section").id})),
        html: article.outerHTML,
    };
}"""
STYLES = "() => [...document.querySelectorAll('link[rel=stylesheet]')].map(e => e.href)"
NUMBERS = """pages => document.querySelectorAll(".book-contents a").forEach(e => {
    e.querySelector(".number").textContent = pages[e.hash.slice(1)];
})"""


def parts() -> list[tuple[str, list[str]]]:
    """The book's order: (caption, its pages as files of the site), first the landing page without a caption."""
    toc = yaml.safe_load((course.ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def files(entries):
        return [name for e in entries for name in (f"{e['file']}.html", *files(e.get("sections", [])))]

    return [("", [f"{toc['root']}.html"]), *((part["caption"], files(part["chapters"])) for part in toc["parts"])]


def contents(captions: dict[str, str], articles: list[dict]) -> str:
    """The table of contents; its page numbers are filled in after the first print."""

    def line(entry):
        return f'<a href="#{entry["id"]}"><span>{escape(entry["title"])}</span><span class="number">000</span></a>'

    lines = []
    for article in articles:
        if caption := captions.get(article["id"]):
            lines.append(f"<p>{escape(caption)}</p>")
        inner = "".join(f"<li>{line(section)}</li>" for section in article["sections"])
        lines.append(f"<div>{line(article)}<ul>{inner}</ul></div>")
    return f'<nav class="book-contents"><h1>Contents</h1>{"".join(lines)}</nav>'


def running_heads(articles: list[dict]) -> str:
    """Each page of paper is headed by the title of the page of the site it belongs to."""

    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "\n".join(f"@page {a['id']} {{ @top-right {{ content: {quoted(a['title'])} }} }}" for a in articles)


def document(title: str, author: str, styles: list[str], captions: dict[str, str], articles: list[dict]) -> str:
    sheets = "".join(f'<link rel="stylesheet" href="{escape(href)}">' for href in styles)
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{escape(title)}</title>{sheets}
<style>{running_heads(articles)}</style></head>
<body class="book"><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<div class="book-title"><p>{escape(title)}</p><p>{escape(author)}</p><p>Version {course.version()}</p></div>
{contents(captions, articles)}
{"".join(article["html"] for article in articles)}
</div></div></main></body></html>"""


def collect(page, site: Path, files: list[str]) -> tuple[list[dict], list[str]]:
    """Read the articles of these pages off the built site, and the style sheets they need."""
    articles = []
    for name in files:
        page.goto((site / name).as_uri(), wait_until="load")
        articles.append(page.evaluate(ARTICLE, [site.as_uri() + "/", files]))
    return articles, page.evaluate(STYLES)


def pages_of(reader: PdfReader) -> dict[str, int]:
    """The index of the page on which each linked heading stands, by its id."""
    places = reader.named_destinations.items()
    return {name.removeprefix("/"): reader.get_destination_page_number(place) for name, place in places}


def print_twice(page, draft: Path, target: Path) -> None:
    page.goto(draft.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready")
    options = {"path": target, "prefer_css_page_size": True, "print_background": True}
    page.pdf(**options)
    page.evaluate(NUMBERS, {name: number + 1 for name, number in pages_of(PdfReader(target)).items()})
    page.pdf(**options, tagged=True)  # with headings, lists and alt texts for a screen reader


def add_outline(writer: PdfWriter, captions: dict[str, str], articles: list[dict]) -> None:
    """The bookmarks: parts, pages, sections. Chromium's own name a heading twice where it moved to the next sheet."""
    at, part = pages_of(writer), None
    for article in articles:
        if caption := captions.get(article["id"]):
            part = writer.add_outline_item(title=caption, page_number=at[article["id"]])
        above = writer.add_outline_item(title=article["title"], page_number=at[article["id"]], parent=part)
        for section in article["sections"]:
            writer.add_outline_item(title=section["title"], page_number=at[section["id"]], parent=above)


def finish(pdf: Path, title: str, author: str, captions: dict[str, str], articles: list[dict]) -> int:
    """Add outline and title; without the time of printing, the same book gives the same file. Return its length."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # its copy may hold more objects than the original; so be it
    writer = PdfWriter(clone_from=pdf)
    writer.metadata = {"/Title": title, "/Author": author}
    add_outline(writer, captions, articles)
    writer.write(pdf)
    return len(writer.pages)


def make_pdf(browser, site: Path, target: Path, order: list[tuple[str, list[str]]]) -> int:
    """Print the pages of a built site, given by part; return how many pages of paper that makes."""
    settings = yaml.safe_load((course.ROOT / "_config.yml").read_text(encoding="utf-8"))
    title, author = settings["title"], settings["author"]
    draft, fresh = target.with_suffix(".html"), target.with_suffix(".part")
    page = browser.new_context(color_scheme="light", offline=True).new_page()
    articles, styles = collect(page, site, [name for _, names in order for name in names])
    ids = iter([article["id"] for article in articles])
    captions = {[next(ids) for _ in names][0]: caption for caption, names in order}
    draft.write_text(document(title, author, styles, captions, articles), encoding="utf-8")
    print_twice(page, draft, fresh)
    count = finish(fresh, title, author, captions, articles)
    draft.unlink()
    fresh.replace(target)
    return count


def main() -> int:
    if not find_chromium.chromium():
        print("make pdf needs Chromium; none was found (install the system's, or set CHROMIUM to its path)")
        return 1
    if not (SITE / "index.html").exists():
        print(f"{SITE} holds no site; run: make book")
        return 1
    target = SITE.parent / f"convnet-course-{course.version()}.pdf"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium.chromium(), args=FLAGS)
        pages = make_pdf(browser, SITE, target, parts())
        browser.close()
    print(f"{target.relative_to(course.ROOT)}: {pages} pages, {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
