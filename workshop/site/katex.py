"""Render math with KaTeX while the book is built: the pages need no script for it and have it at first paint.

A formula that KaTeX cannot read is a Sphinx warning, never red text.
"""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from workshop.site.npm import MODULES, NODE

KATEX = MODULES / "katex"
RENDERER = Path(__file__).with_name("katex.js")
SITE_FOLDER = "katex"  # below _static of the built site


@cache
def renderer() -> subprocess.Popen:
    """The one process that renders formula after formula; it ends when the build, and so its input, does."""
    command = [NODE, RENDERER, KATEX / "dist" / "katex.js"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1)


@cache
def render(tex: str, display: bool) -> dict[str, str]:
    """A formula as {"html": …}, or {"error": …}."""
    renderer().stdin.write(json.dumps([tex, display]) + "\n")
    return json.loads(renderer().stdout.readline())


def html_of(node: nodes.Element, display: bool) -> str:
    """The HTML of a formula; where there is none, the build complains."""
    answer = render(node.astext().strip(), display)
    if "error" in answer:
        complaint = "KaTeX: %s in %r"
        logging.getLogger(__name__).warning(complaint, answer["error"], node.astext(), location=node, type="katex")
    return answer.get("html", "<code></code>")


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula of a line."""
    opening = translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{opening}{html_of(node, False)}</span>")
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own, with its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append(f"{html_of(node, True)}</div>\n")
    raise nodes.SkipNode


def copy_assets(app: Sphinx) -> None:
    """Ship the style sheet and the woff2 fonts."""
    if app.builder.format == "html":
        target = Path(app.outdir) / "_static" / SITE_FOLDER
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(KATEX / "dist" / "fonts", target / "fonts", ignore=shutil.ignore_patterns("*.ttf", "*.woff"))
        for file in (KATEX / "dist" / "katex.min.css", KATEX / "LICENSE"):
            shutil.copy(file, target)


def setup(app: Sphinx) -> None:
    """Offer the renderer to `html_math_renderer`, and bring what its HTML needs."""
    app.add_html_math_renderer("katex_static", inline_renderers=(inline, None), block_renderers=(block, None))
    app.add_css_file(f"{SITE_FOLDER}/katex.min.css", priority=300)
    app.connect("builder-inited", copy_assets)
