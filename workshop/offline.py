"""Find what the built site would load from another host: scripts, styles, fonts, images, frames.

    python -m workshop.offline            # looks at _build/html

Links a reader may click (`<a href>`) and addresses that only name something (`<link rel="canonical">`, namespaces)
load nothing and are allowed.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

REMOTE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
CSS_REMOTE = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}
# how a script asks for a file; addresses that merely occur in comments and messages are none of these
SCRIPT_REMOTE = re.compile(
    r"""(?:import\(|importScripts\(|fetch\(|\.src\s*=|\.href\s*=|from\s)\s*["'`]((?:https?:)?//[^"'`\s]+)"""
)


class Loads(HTMLParser):
    """Collects the addresses a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        self.inside = tag if tag in ("style", "script") else ""
        loads = [values.get(name, "") for name in ("src", "poster", "data", "action", "background")]
        loads += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        if tag == "link" and LOADING_LINKS & set(values.get("rel", "").lower().split()):
            loads.append(values.get("href", ""))
        if tag in ("image", "use"):
            loads += [values.get("href", ""), values.get("xlink:href", "")]
        self.found += [address for address in loads if REMOTE.match(address)]
        self.found += CSS_REMOTE.findall(values.get("style", ""))

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "style":
            self.found += CSS_REMOTE.findall(data)
        elif self.inside == "script":
            self.found += SCRIPT_REMOTE.findall(data)


def loads_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".css":
        return CSS_REMOTE.findall(text)
    if path.suffix in (".js", ".mjs"):
        return SCRIPT_REMOTE.findall(text)
    parser = Loads()
    parser.feed(text)
    return parser.found


def remote_references(site: Path) -> list[str]:
    """Every "file: address" of a load from another host."""
    files = [p for p in sorted(site.rglob("*")) if p.suffix in (".html", ".css", ".js", ".mjs", ".svg")]
    return [f"{p.relative_to(site)}: {address}" for p in files for address in loads_of(p)]


def main() -> int:
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "_build" / "html"
    if not (site / "index.html").exists():
        print(f"{site} holds no site; run: make book")
        return 1
    found = remote_references(site)
    print("\n".join(found) or f"nothing in {site} is loaded from another host")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
