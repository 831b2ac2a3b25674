"""Make the pages light: styles and letters that no page uses are taken out once the site is built.

The themes bring all of Bootstrap, all of Font Awesome and all of KaTeX's fonts. PurgeCSS keeps the rules that can match
a page or a name in a script, fontTools the letters that occur. Images know their size and wait until they are needed.
"""

import re
import subprocess
from pathlib import Path

from docutils import nodes
from fontTools import subset
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator

from workshop.site.npm import MODULES, NODE

PURGE = Path(__file__).with_name("purge.js")
WOFF2_URL = re.compile(r'url\(["\']?([^)"\']+\.woff2)["\']?\)')
OTHER_FORMATS = re.compile(r',\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("(?:woff|truetype)"\)')


def image(translator: HTML5Translator, node: nodes.image) -> None:
    """Say how large an image is, so that nothing moves when it comes, and let it come when a reader gets near it."""
    size = get_image_size(Path(translator.builder.srcdir) / node["uri"])
    HTML5Translator.visit_image(translator, node)
    attributes = f' width="{size[0]}" height="{size[1]}"' if size else ""
    if translator.builder.current_docname != translator.config.root_doc:  # its picture is on the first screen
        attributes += ' loading="lazy" decoding="async"'
    translator.body[-1] = translator.body[-1].replace("<img", "<img" + attributes, 1)


def letters_of(site: Path) -> set[int]:
    """Every letter on a page, and every icon a style sheet names."""
    pages = set().union(*(path.read_text(encoding="utf-8") for path in site.rglob("*.html")))
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    icons = {int(code, 16) for code in re.findall(r"\\([0-9a-f]{4})\b", styles)}
    return set(range(32, 127)) | {ord(letter) for letter in pages} | icons


def shrink_fonts(site: Path) -> None:
    """Keep the woff2 files that a style sheet names, with the letters that occur; every browser reads those."""
    letters, kept = "--unicodes=" + ",".join(f"{letter:x}" for letter in sorted(letters_of(site))), set()
    for sheet in site.rglob("*.css"):
        css = OTHER_FORMATS.sub("", sheet.read_text(encoding="utf-8"))
        sheet.write_text(css, encoding="utf-8")
        kept |= {(sheet.parent / url).resolve() for url in WOFF2_URL.findall(css)}
    for font in [*site.rglob("*.woff2"), *site.rglob("*.ttf")]:
        if font.resolve() in kept:
            subset.main([str(font), f"--output-file={font}", "--flavor=woff2", "--layout-features=*", letters])
        else:
            font.unlink()


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Make a site that was built light."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    subprocess.run([NODE, PURGE, MODULES / "purgecss", site.as_posix()], check=True)
    shrink_fonts(site)
    for source_map in (site / "_static").rglob("*.map"):
        source_map.unlink()


def setup(app: Sphinx) -> None:
    """Write images so, and finish when all pages have their last form."""
    app.add_node(nodes.image, override=True, html=(image, HTML5Translator.depart_image))
    app.connect("build-finished", finish, priority=900)
