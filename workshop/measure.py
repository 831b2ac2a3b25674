"""Measure how heavy the pages of the built site are, in the system's Chromium, served from this machine.

    python -m workshop.measure            # prints a table of all pages
    python -m workshop.measure --write    # and puts it into reference/how_it_is_made.md

A KB is 1 000 bytes as they leave the server, which does not compress. "Before its figures" is everything the browser
fetches for a page except the figures: the files of the folder _images, and the animations, which lie in the page.
"In all" is what it has fetched once a reader has scrolled to the end. The shift is Chromium's cumulative layout shift,
scrolling included. A page is readable when it is painted for the first time and its fonts have come.
"""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from workshop.chromium import MISSING, chromium

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
REPORT = ROOT / "reference" / "how_it_is_made.md"
MARKS = "<!-- table of workshop/measure.py -->\n", "<!-- end of table -->\n"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# Runs before anything of the page. The first paint is noted with how many formulas were there and rendered.
WATCH = """(() => {
    const seen = window.measured = {shift: 0, paint: null, formulas: 0, rendered: 0};
    const observe = (type, f) => new PerformanceObserver(list => list.getEntries().forEach(f))
        .observe({type, buffered: true});
    observe("layout-shift", entry => { seen.shift += entry.value; });
    observe("paint", entry => {
        if (entry.name !== "first-contentful-paint") return;
        const formulas = [...document.querySelectorAll(".math")];
        if (document.readyState === "loading") formulas.pop();  // the browser may be in the middle of reading it
        seen.paint = entry.startTime;
        seen.formulas = formulas.length;
        seen.rendered = formulas.filter(e => e.querySelector(".katex-html")).length;
    });
})()"""
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
    page: str
    kb: float
    kb_in_all: float
    requests: int
    requests_in_all: int
    shift: float
    formulas: int  # in the part of the page that was there at the first paint
    rendered: int  # of these
    readable: float  # seconds

    def row(self) -> str:
        return (
            f"| {self.page.removesuffix('.html')} | {self.kb:.0f} | {self.kb_in_all:.0f} | {self.requests} | "
            f"{self.requests_in_all} | {self.shift:.3f} | {self.readable:.2f} |"
        )


HEADER = "| page | KB | KB in all | requests | in all | shift | readable, s |\n|---|---|---|---|---|---|---|\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(site: Path):
    """The address of a server of this folder, for this machine only."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def measure(browser, address: str, name: str) -> Weight:
    """Open one page with nothing in the cache, note what it took, scroll to its end, note again."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page = context.new_page()
    page.add_init_script(WATCH)
    done = []
    page.on("requestfinished", lambda request: done.append(request))
    page.goto(address + name)
    fonts = page.evaluate(FONTS)
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    seen = page.evaluate("measured")
    animations = page.evaluate(ANIMATIONS) / 1000
    page_itself = [request for request in done if "/_images/" not in request.url]
    weight = Weight(
        name,
        kilobytes(page_itself) - animations,
        kilobytes(done),
        len(page_itself),
        len(done),
        seen["shift"],
        seen["formulas"],
        seen["rendered"],
        max(seen["paint"], fonts) / 1000,
    )
    context.close()
    return weight


def kilobytes(requests) -> float:
    return sum(request.sizes()["responseBodySize"] for request in requests) / 1000


def pages(site: Path) -> list[str]:
    """All pages but index.html, which only leads to the first."""
    found = [path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts]
    return sorted(set(found) - {"index.html"})


def measure_all(browser, site: Path) -> list[Weight]:
    with served(site) as address:
        return [measure(browser, address, name) for name in pages(site)]


def reported(text: str) -> list[list[str]]:
    """The rows of the table as they stand on the page."""
    table = text.partition(MARKS[0])[2].partition(MARKS[1])[0]
    return [[field.strip() for field in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def write(weights: list[Weight]) -> None:
    text = REPORT.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    table = HEADER + "".join(weight.row() + "\n" for weight in weights)
    REPORT.write_text(before + MARKS[0] + table + MARKS[1] + after, encoding="utf-8")


def main() -> int:
    from playwright.sync_api import sync_playwright  # only this needs it: the tests bring their own browser

    parser = argparse.ArgumentParser(description="Measure how heavy the pages of the built site are.")
    parser.add_argument("--write", action="store_true", help=f"put the table into {REPORT.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if not chromium() or not pages(SITE):
        print(MISSING if not chromium() else "there is no site; run: make book")
        return 1
    with sync_playwright() as playwright:
        weights = measure_all(playwright.chromium.launch(executable_path=chromium(), args=FLAGS), SITE)
    print(HEADER + "\n".join(weight.row() for weight in weights))
    if arguments.write:
        write(weights)
    return 0


if __name__ == "__main__":
    sys.exit(main())
