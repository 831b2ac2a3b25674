"""Render math with KaTeX while the book is built: the pages need no script for it and have it at first paint.

A formula that KaTeX cannot read is a Sphinx warning, never red text.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from workshop.site.npm_packages import MODULES, NODE

log = logging.getLogger(__name__)

KATEX = MODULES / "katex"
DIST = KATEX / "dist"
SITE_FOLDER = "katex"  # below _static of the built site

RENDERER = """
const katex = require(process.argv[1]);
require("readline").createInterface({input: process.stdin}).on("line", line => {
  const [tex, displayMode] = JSON.parse(line);
  let answer;
  try {
    // screen readers read the MathML; the TeX beside it would be a tenth of a page of formulas
    const html = katex.renderToString(tex, {displayMode, throwOnError: true, strict: "error"});
    answer = {html: html.replace(/<annotation.*?<\\/annotation>/gs, "")};
  }
  catch (error) { answer = {error: error.message}; }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


class Renderer:
    """One Node.js process that renders formula after formula; started at the first formula."""

    def __init__(self):
        self.process = None
        self.known = {}

    def start(self):
        command = [str(NODE), "-e", RENDERER, str(DIST / "katex.js")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def __call__(self, tex: str, display: bool) -> dict:
        key = (tex, display)
        if key not in self.known:
            if self.process is None:
                self.start()
            self.process.stdin.write(json.dumps(key) + "\n")
            self.process.stdin.flush()
            self.known[key] = json.loads(self.process.stdout.readline())
        return self.known[key]

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=10)
            self.process = None


render = Renderer()


def katex(tex: str, display: bool, node) -> str:
    answer = render(tex, display)
    if "error" in answer:
        log.warning("KaTeX: %s in %r", answer["error"], tex, location=node, type="katex")
        return "<code></code>"
    return answer["html"]


def inline(translator, node):
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    translator.body.append(katex(node.astext(), False, node) + "</span>")
    raise nodes.SkipNode


def environments_for_katex(tex: str) -> str:
    """LaTeX's numbered environments become the ones KaTeX has inside a display."""
    tex = re.sub(r"\\(begin|end)\{align\*?\}", r"\\\1{aligned}", tex)
    tex = re.sub(r"\\(begin|end)\{gather\*?\}", r"\\\1{gathered}", tex)
    return re.sub(r"\\(begin|end)\{equation\*?\}", "", tex).strip()


def block(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append(katex(environments_for_katex(node.astext()), True, node) + "</div>\n")
    raise nodes.SkipNode


def copy_assets(app) -> None:
    """Ship the style sheet and the woff2 fonts."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / SITE_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    (target / "fonts").mkdir(parents=True)
    shutil.copy(DIST / "katex.min.css", target)
    shutil.copy(KATEX / "LICENSE", target)
    for font in (DIST / "fonts").glob("*.woff2"):
        shutil.copy(font, target / "fonts")


def setup(app):
    app.add_html_math_renderer("katex_static", inline_renderers=(inline, None), block_renderers=(block, None))
    app.add_css_file(f"{SITE_FOLDER}/katex.min.css", priority=300)
    app.setup_extension("workshop.site.npm_packages")
    app.connect("builder-inited", copy_assets)
    app.connect("build-finished", lambda app, exception: render.stop())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
