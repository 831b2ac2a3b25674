"""Find what the built site would load from another host: scripts, styles, fonts, images, frames.

    python -m workshop.offline               # looks at _build/html

Links a reader may click (`<a href>`) and addresses that only name something (`<link rel="canonical">`, namespaces)
load nothing and are allowed.
"""

import re
import sys
import warnings
from pathlib import Path

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

from workshop.course import built_site

warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)  # a drawing is read like a page

REMOTE = re.compile(r"(?:^|,)\s*((?:https?:)?//[^\s,]+)", re.IGNORECASE)  # a srcset names several, with commas
CSS_REMOTE = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
# how a script asks for a file; addresses that merely occur in comments and messages are none of these
SCRIPT_REMOTE = re.compile(
    r"""(?:import\(|importScripts\(|fetch\(|\.src\s*=|\.href\s*=|from\s)\s*["'`]((?:https?:)?//[^"'`\s]+)"""
)
LOADING_ATTRIBUTES = ("src", "srcset", "poster", "data", "action", "background")
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


def loads_of_page(html: str) -> list[str]:
    """The addresses on other hosts that a page or a drawing asks for by itself."""
    page = BeautifulSoup(html, "html.parser")
    addresses = [tag[name] for name in LOADING_ATTRIBUTES for tag in page.select(f"[{name}]")]
    links = [link for link in page.select("link[href]") if LOADING_LINKS & {w.lower() for w in link.get("rel", [])}]
    drawn = page.select("image, use")
    addresses += [tag.get(name, "") for tag in [*links, *drawn] for name in ("href", "xlink:href")]
    styles = [*(tag.text for tag in page.select("style")), *(tag["style"] for tag in page.select("[style]"))]
    found = [address for text in addresses for address in REMOTE.findall(text)]
    found += [address for text in styles for address in CSS_REMOTE.findall(text)]
    return found + [address for tag in page.select("script") for address in SCRIPT_REMOTE.findall(tag.text)]


def loads_of(path: Path) -> list[str]:
    """The addresses on other hosts that a file asks for."""
    text = path.read_text(encoding="utf-8", errors="replace")
    pattern = {".css": CSS_REMOTE, ".js": SCRIPT_REMOTE, ".mjs": SCRIPT_REMOTE}.get(path.suffix)
    return pattern.findall(text) if pattern else loads_of_page(text)


def remote_references(site: Path) -> list[str]:
    """Every "file: address" of a load from another host."""
    files = [p for p in sorted(site.rglob("*")) if p.suffix in (".html", ".css", ".js", ".mjs", ".svg")]
    return [f"{p.relative_to(site)}: {address}" for p in files for address in loads_of(p)]


if __name__ == "__main__":
    references = remote_references(built_site())
    print("\n".join(references) or "nothing on the site is loaded from another host")
    sys.exit(bool(references))
