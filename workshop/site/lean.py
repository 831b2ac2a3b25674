"""Make the pages light: styles and letters that no page uses are taken out once the site is built.

Images know their size and wait until they are needed.

The themes bring all of Bootstrap, all of Font Awesome and all of KaTeX's fonts. PurgeCSS keeps the rules that can match
a page or a name in a script, fontTools the letters that occur.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from docutils import nodes
from fontTools import subset
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator

from workshop.site.npm_packages import MODULES, NODE

PURGE = """
const [library, out] = process.argv.slice(1), fs = require("fs");
const {PurgeCSS} = require(library);
const content = ["/**/*.html", "/_static/*.js", "/_static/scripts/pydata*.js", "/_static/scripts/sphinx*.js"];
// all but our own: PurgeCSS takes no notice of attributes, such as the address of a link
const css = fs.globSync(out + "/_static/**/*.css").filter(name => !name.endsWith("course.css"));
const options = {content: content.map(name => out + name), css,
  // bootstrap.js has the names of all of Bootstrap; these two parts are used here
  safelist: [/^(bs-)?tooltip/, /^dropdown/, /^(show|fade)$/]};
new PurgeCSS().purge(options).then(sheets => sheets.forEach(({file, css}) => fs.writeFileSync(file, css)));
"""
WOFF2_URL = re.compile(r'url\(["\']?([^)"\']+\.woff2)["\']?\)')
OTHER_FORMATS = re.compile(r',\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("(?:woff|truetype)"\)')


def image(translator, node):
    """Say how large an image is, so that nothing moves when it comes, and let it come when a reader gets near it."""
    size = get_image_size(Path(translator.builder.srcdir) / node["uri"])
    HTML5Translator.visit_image(translator, node)
    attributes = f' width="{size[0]}" height="{size[1]}"' if size else ""
    if translator.builder.current_docname != translator.config.root_doc:  # its picture is on the first screen
        attributes += ' loading="lazy" decoding="async"'
    translator.body[-1] = translator.body[-1].replace("<img", "<img" + attributes, 1)


def purge_styles(out: Path) -> None:
    subprocess.run([str(NODE), "-e", PURGE, str(MODULES / "purgecss"), out.as_posix()], check=True)


def letters_of(out: Path) -> set[int]:
    """Every letter on a page, and every icon a style sheet names."""
    pages = set().union(*(path.read_text(encoding="utf-8") for path in out.rglob("*.html")))
    styles = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*.css"))
    icons = {int(code, 16) for code in re.findall(r"\\([0-9a-f]{4})\b", styles)}
    return set(range(32, 127)) | {ord(letter) for letter in pages} | icons


def shrink_fonts(out: Path) -> None:
    """Keep the woff2 files that a style sheet names, with the letters that occur; every browser reads those."""
    letters, kept = letters_of(out), set()
    for sheet in out.rglob("*.css"):
        css = OTHER_FORMATS.sub("", sheet.read_text(encoding="utf-8"))
        sheet.write_text(css, encoding="utf-8")
        kept |= {(sheet.parent / url).resolve() for url in WOFF2_URL.findall(css)}
    for font in [*out.rglob("*.woff2"), *out.rglob("*.ttf")]:
        if font.resolve() in kept:
            shrink(font, letters)
        else:
            font.unlink()


def shrink(path: Path, letters: set[int]) -> None:
    options = subset.Options(flavor="woff2", layout_features=["*"])
    font = subset.load_font(path, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    subset.save_font(font, path, options)


def finish(app, exception) -> None:
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    purge_styles(out)
    shrink_fonts(out)
    for source_map in (out / "_static").rglob("*.map"):
        source_map.unlink()


def setup(app):
    app.setup_extension("workshop.site.npm_packages")
    app.add_node(nodes.image, override=True, html=(image, HTML5Translator.depart_image))
    app.connect("build-finished", finish, priority=900)  # when all pages have their last form
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
