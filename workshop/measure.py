"""Measure how heavy the pages of the built site are, in the system's Chromium, served from this machine.

    python -m workshop.measure               # writes reference/page_weights.csv, which a page shows as a table

A KB is 1 000 bytes as they leave the server, which does not compress. "Before its figures" is everything the browser
fetches for a page except the figures: the files of the folder _images, and the animations, which lie in the page.
"In all" is what it has fetched once a reader has scrolled to the end. The shift is Chromium's cumulative layout shift,
scrolling included. A page is readable when it is painted for the first time and its fonts have come.
"""

import csv
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Request

from workshop.chromium import browser
from workshop.course import ROOT, built_site

REPORT = ROOT / "reference" / "page_weights.csv"
HEADER = ["page", "KB", "KB in all", "requests", "in all", "shift", "readable, s"]

WATCH = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
FONTS = """async () => await document.fonts.ready && Math.max(0, ...performance.getEntriesByType("resource")
    .filter(e => e.name.endsWith(".woff2")).map(e => e.responseEnd))"""
ANIMATIONS = """() => [...document.querySelectorAll(".slide")]
    .reduce((bytes, e) => bytes + new TextEncoder().encode(e.parentElement.innerHTML).length, 0)"""
SCROLL = """async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        window.scrollTo({top: y, behavior: "instant"});
        await new Promise(requestAnimationFrame);
    }
}"""


@dataclass
class Weight:
    """What one page takes."""

    page: str
    kb: float
    kb_in_all: float
    requests: int
    requests_in_all: int
    shift: float
    readable: float  # seconds
    formulas: int  # in the part of the page that was there at the first paint
    rendered: int  # of these

    def row(self) -> list[str]:
        """The page's row of the report."""
        numbers = f"{self.kb:.0f} {self.kb_in_all:.0f} {self.requests} {self.requests_in_all}"
        return [self.page.removesuffix(".html"), *numbers.split(), f"{self.shift:.3f}", f"{self.readable:.2f}"]


class Quiet(SimpleHTTPRequestHandler):
    """A server that tells nobody what it serves."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a server of this folder, for this machine only."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def measure(chromium: Browser, address: str, name: str) -> Weight:
    """Open one page with nothing in the cache, note what it took, scroll to its end, note again."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page = context.new_page()
    page.add_init_script(WATCH)
    done: list[Request] = []
    page.on("requestfinished", done.append)
    page.goto(address + name)
    fonts = page.evaluate(FONTS)
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    seen = page.evaluate("measured")
    early = [request for request in done if "/_images/" not in request.url]
    kb = kilobytes(early) - page.evaluate(ANIMATIONS) / 1000
    readable = max(seen.pop("paint"), fonts) / 1000
    weight = Weight(name, kb, kilobytes(done), len(early), len(done), readable=readable, **seen)
    context.close()
    return weight


def kilobytes(requests: list[Request]) -> float:
    """What came for these requests."""
    return sum(request.sizes()["responseBodySize"] for request in requests) / 1000


def pages(site: Path) -> list[str]:
    """All pages but index.html, which only leads to the first."""
    found = [path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts]
    return sorted(set(found) - {"index.html"})


def measure_all(chromium: Browser, site: Path) -> list[Weight]:
    """Measure every page of the site."""
    with served(site) as address:
        return [measure(chromium, address, name) for name in pages(site)]


def reported() -> dict[str, list[float]]:
    """The numbers of each page, as they were measured last."""
    with REPORT.open(encoding="utf-8", newline="") as file:
        return {f"{page}.html": list(map(float, numbers)) for page, *numbers in list(csv.reader(file))[1:]}


if __name__ == "__main__":
    with browser() as running, REPORT.open("w", encoding="utf-8", newline="") as report:
        rows = [HEADER, *(weight.row() for weight in measure_all(running, built_site()))]
        csv.writer(report, lineterminator="\n").writerows(rows)
    print("\n".join(", ".join(row) for row in rows))
