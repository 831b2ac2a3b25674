"""What a search engine or a message shows of a link to a page: its title, its first sentences and a picture.

Those who read these tags want the picture's whole address. It is written where `html: baseurl` says where the site
is published; else relative to the page, so that nothing points to a place that does not exist.
"""

from __future__ import annotations

import textwrap
from html import escape
from urllib.parse import urljoin

from docutils import nodes

PICTURE = "_static/preview.png"  # drawn by workshop/draw_preview.py, 1200 × 630
PICTURE_WORDS = "A handwritten six and the maps that two layers of convolution and pooling make of it"
LONGEST = 200  # characters; more is cut off wherever it is shown


def description(doctree: nodes.document) -> str:
    """The page's first paragraph, cut at a word."""
    first = next(doctree.findall(nodes.paragraph), None)
    return textwrap.shorten(first.astext(), LONGEST, placeholder=" …") if first is not None else ""


def tags(app, pagename: str, context: dict, doctree: nodes.document) -> list[str]:
    title = next(doctree.findall(nodes.title)).astext()
    site = app.config.html_baseurl
    picture = urljoin(site, PICTURE) if site else context["pathto"](PICTURE, resource=True)
    named = {"description": description(doctree), "twitter:card": "summary_large_image"}
    graph = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:description": named["description"],
        "og:image": picture,
        "og:image:alt": PICTURE_WORDS,
        "og:image:width": "1200",
        "og:image:height": "630",
    }
    if site:
        graph["og:url"] = urljoin(site, app.builder.get_target_uri(pagename))
    return [f'<meta name="{name}" content="{escape(text)}" />' for name, text in named.items() if text] + [
        f'<meta property="{name}" content="{escape(text)}" />' for name, text in graph.items() if text
    ]


def add_tags(app, pagename, templatename, context, doctree) -> None:
    if doctree is not None:
        context["metatags"] += "\n" + "\n".join(tags(app, pagename, context, doctree))


def setup(app):
    app.connect("html-page-context", add_tags)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
