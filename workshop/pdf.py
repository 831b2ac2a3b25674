"""Print the whole book into one PDF: title page, contents with page numbers, and every page of the site in its order.

    python -m workshop.pdf                   # from _build/html, into _build/convnet-course-VERSION.pdf

The pages' articles are put into one document, which Chromium prints. So page numbers run on, each font is embedded
once, and links between pages become links within the PDF. It is printed twice: the first time tells on which pages the
headings are, the second has these numbers in the contents. What it looks like is at the end of _static/course.css.
"""

import json
import logging
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, Page
from pypdf import PdfReader, PdfWriter

from workshop import course
from workshop.chromium import browser

ARTICLE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
STYLES = "() => [...document.querySelectorAll('link[rel=stylesheet]')].map(e => e.href)"
NUMBERS = """pages => document.querySelectorAll(".book-contents a").forEach(e => {
    e.querySelector(".number").textContent = pages[e.hash.slice(1)];
})"""

Order = list[tuple[str, list[str]]]  # captions of parts and their pages, as `course.contents` gives them
Article = dict  # id, title, sections (title and id each), html; part: the caption of the part that begins with it


def collect(page: Page, site: Path, order: Order) -> tuple[list[Article], list[str]]:
    """Read the articles of these pages off the built site, and the addresses of the style sheets they need."""
    files = [f"{name}.html" for _, names in order for name in names]
    captions = {f"{names[0]}.html": caption for caption, names in order}
    articles = []
    for name in files:
        page.goto((site / name).as_uri(), wait_until="load")
        article = page.evaluate(ARTICLE, [f"{site.as_uri()}/", files])
        articles.append({**article, "part": captions.get(name, "")})
    return articles, page.evaluate(STYLES)


def contents(articles: list[Article]) -> str:
    """The table of contents; its page numbers are filled in after the first print."""

    def line(entry: dict) -> str:
        return f'<a href="#{entry["id"]}"><span>{escape(entry["title"])}</span><span class="number">000</span></a>'

    lines = ""
    for article in articles:
        part = f"<p>{escape(article['part'])}</p>" if article["part"] else ""
        sections = "".join(f"<li>{line(section)}</li>" for section in article["sections"])
        lines += f"{part}<div>{line(article)}<ul>{sections}</ul></div>"
    return f'<nav class="book-contents"><h1>Contents</h1>{lines}</nav>'


def document(title: str, author: str, styles: list[str], articles: list[Article]) -> str:
    """The book as one page; each sheet of paper is headed by the title of the page of the site it belongs to."""
    sheets = "".join(f'<link rel="stylesheet" href="{escape(href)}">' for href in styles)
    titles = {article["id"]: json.dumps(article["title"], ensure_ascii=False) for article in articles}
    heads = "\n".join(f"@page {name} {{ @top-right {{ content: {title} }} }}" for name, title in titles.items())
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{escape(title)}</title>{sheets}
<style>{heads}</style></head>
<body class="book"><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<div class="book-title"><p>{escape(title)}</p><p>{escape(author)}</p><p>Version {course.version()}</p></div>
{contents(articles)}
{"".join(article["html"] for article in articles)}
</div></div></main></body></html>"""


def pages_of(reader: PdfReader) -> dict[str, int]:
    """The index of the page on which each linked heading stands, by its id."""
    places = reader.named_destinations.items()
    return {name.removeprefix("/"): reader.get_destination_page_number(place) for name, place in places}


def print_twice(page: Page, draft: Path, target: Path) -> None:
    """Print the document, fill in the numbers of its pages, and print it again."""
    page.goto(draft.as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready")
    options = {"path": target, "prefer_css_page_size": True, "print_background": True}
    page.pdf(**options)
    page.evaluate(NUMBERS, {name: number + 1 for name, number in pages_of(PdfReader(target)).items()})
    page.pdf(**options, tagged=True)  # with headings, lists and alt texts for a screen reader


def add_outline(writer: PdfWriter, articles: list[Article]) -> None:
    """Add bookmarks: parts, pages, sections. Chromium's own name a heading twice where it moved to the next sheet."""
    at, part = pages_of(writer), None
    for article in articles:
        if article["part"]:
            part = writer.add_outline_item(title=article["part"], page_number=at[article["id"]])
        above = writer.add_outline_item(title=article["title"], page_number=at[article["id"]], parent=part)
        for section in article["sections"]:
            writer.add_outline_item(title=section["title"], page_number=at[section["id"]], parent=above)


def make_pdf(chromium: Browser, site: Path, target: Path, order: Order) -> int:
    """Print the pages of a built site; return how many pages of paper that makes.

    Without the time of printing among its data, the same book gives the same file.
    """
    title, author = (course.settings()[key] for key in ("title", "author"))
    draft, fresh = target.with_suffix(".html"), target.with_suffix(".part")
    page = chromium.new_context(color_scheme="light", offline=True).new_page()
    articles, styles = collect(page, site, order)
    draft.write_text(document(title, author, styles, articles), encoding="utf-8")
    print_twice(page, draft, fresh)
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # its copy may hold more objects than the original; so be it
    writer = PdfWriter(clone_from=fresh)
    writer.metadata = {"/Title": title, "/Author": author}
    add_outline(writer, articles)
    writer.write(fresh)
    draft.unlink()
    fresh.replace(target)
    return len(writer.pages)


if __name__ == "__main__":
    path = course.product(".pdf")
    with browser() as running:
        count = make_pdf(running, course.built_site(), path, course.contents())
    print(f"{path.name}: {count} pages, {path.stat().st_size / 1e6:.1f} MB")
