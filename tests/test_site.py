"""The built site as a reader's browser sees it, opened from the file system with the network off."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
# index.html only leads to the landing page; _static holds parts of the theme
PAGES = sorted(str(p.relative_to(SITE)) for p in SITE.rglob("*.html") if "_static" not in p.parts)
PAGES = [page for page in PAGES if page != "index.html"]
CHAPTERS = [page for page in PAGES if page.startswith("chapters")]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

specification = importlib.util.spec_from_file_location("find_chromium", ROOT / "tools" / "find_chromium.py")
find_chromium = importlib.util.module_from_spec(specification)
specification.loader.exec_module(find_chromium)
CHROMIUM = find_chromium.chromium()

if not CHROMIUM and not os.environ.get("REQUIRE_BROWSER"):
    pytest.skip(find_chromium.MISSING, allow_module_level=True)
if not PAGES:
    pytest.skip("the site is not built (make book)", allow_module_level=True)

every_page = pytest.mark.parametrize("name", PAGES)
every_chapter = pytest.mark.parametrize("name", CHAPTERS)
every_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, find_chromium.MISSING
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open a page and return it; what went wrong meanwhile is in its `complaints`."""
    contexts = []

    def open_page(name, width=1280, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.complaints = listen(page)
        page.goto((SITE / name.partition("?")[0]).as_uri() + name[name.find("?") :] * ("?" in name), wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def listen(page) -> list[str]:
    complaints = []

    def on_request(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            complaints.append(f"asks another host: {request.url}")

    def on_console(message):
        if message.type in ("error", "warning"):
            complaints.append(f"console {message.type}: {message.text}")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("requestfailed", lambda request: complaints.append(f"failed request: {request.url}"))
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    return complaints


LOOK = """async () => {
    await document.fonts.ready;
    const all = selector => [...document.querySelectorAll(selector)];
    const article = document.querySelector("main article, main").cloneNode(true);
    article.querySelectorAll("pre, code, .katex, script, style, .slide").forEach(e => e.remove());
    return {
        text: article.textContent,
        math: all(".katex").length,
        bad_math: all(".katex-error").length,
        math_font: document.fonts.check("16px KaTeX_Math"),
        links: all("a[href]").map(a => a.href),
        images: all("img").map(image => ({
            source: image.getAttribute("src").slice(0, 80),
            loaded: image.naturalWidth > 0,
            // the logo is named by the title beside it
            words: (image.alt || image.closest("a.navbar-brand")?.textContent || "").trim(),
        })),
    };
}"""


@pytest.fixture(scope="module")
def seen():
    return {}


@pytest.fixture
def look(visit, seen):
    """What a page holds, read off once for all tests."""

    def look_at(name):
        if name not in seen:
            page = visit(name)
            seen[name] = page.evaluate(LOOK)
            page.wait_for_timeout(200)  # late complaints
            seen[name]["complaints"] = page.complaints
        return seen[name]

    return look_at


@every_page
def test_page_loads_without_complaint(look, name):
    assert look(name)["complaints"] == []


@every_page
def test_images_are_there_and_have_words(look, name):
    assert [image for image in look(name)["images"] if not image["loaded"] or not image["words"]] == []


@every_chapter
def test_math_is_rendered(look, name):
    found = look(name)
    assert found["math"] > 0 and found["bad_math"] == 0 and found["math_font"]


@every_page
def test_no_raw_math(look, name):
    """No dollar signs or TeX commands in the text a reader sees."""
    assert re.findall(r"\$[^$\n]{1,80}\$|\\(?:frac|sum|begin|cdot|times|mathbf)\b", look(name)["text"]) == []


@every_page
def test_links_between_pages_resolve(look, name):
    """Every link to this site leads to a file of it, and to a place that exists there."""
    local = {link for link in look(name)["links"] if link.startswith("file:")}
    assert sorted(link for link in local if not leads_somewhere(link)) == []


def leads_somewhere(link: str) -> bool:
    parts = urlsplit(link)
    path = Path(unquote(parts.path))
    if not path.is_file():
        return False
    if not parts.fragment or path.suffix != ".html":
        return True
    return f'id="{unquote(parts.fragment)}"' in path.read_text(encoding="utf-8")


@every_page
def test_page_fits_a_phone(visit, name):
    page = visit(name, width=390)
    assert page.complaints == []
    too_wide = page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 100)).slice(0, 5)""")
    assert too_wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@every_chapter
def test_folded_answers_open_by_keyboard(visit, name):
    page = visit(name)
    for folded in page.locator("article details").all():
        was_open = folded.evaluate("e => e.open")
        folded.locator("summary").first.press("Enter")
        assert folded.evaluate("e => e.open") != was_open


@every_chapter
def test_animations_play_and_pause(visit, name):
    """All of a page's animations at once: they wait, play when asked, and stand still when paused."""
    page = visit(name)
    played = page.locator(".slide button:nth-of-type(2)")
    labels = "found => found.map(e => e.getAttribute('aria-label'))"
    positions = "() => [...document.querySelectorAll('.slide input[type=range]')].map(e => +e.value)"

    def press_all():
        for button in played.all():
            button.click()
        return set(played.evaluate_all(labels))

    if not played.count():
        return
    page.wait_for_timeout(1000)
    assert set(played.evaluate_all(labels)) == {"Play"} and set(page.evaluate(positions)) == {0}
    assert press_all() == {"Pause"}
    page.wait_for_function(f"({positions})().every(n => n > 0)", timeout=5000)
    assert press_all() == {"Play"}
    stopped_at = page.evaluate(positions)
    page.wait_for_timeout(1000)
    assert page.evaluate(positions) == stopped_at


def test_search_finds(visit):
    page = visit("search.html?q=convolution")
    page.wait_for_selector("#search-results li", timeout=10_000)
    assert page.locator("#search-results li").count() > 0  # excerpts come only over http; the links also from a file


def test_theme_can_be_switched(visit):
    page = visit(PAGES[0])
    seen = set()
    for _ in range(3):
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
        page.locator("button.theme-switch-button").first.click()
    assert seen == {"auto", "light", "dark"}


@every_page
@every_scheme
def test_page_is_accessible(visit, name, scheme):
    """axe-core finds nothing against the rules it can decide."""
    from axe_core_python.sync_playwright import Axe

    page = visit(name, scheme=scheme)
    page.wait_for_timeout(300)  # colours fade in
    options = {"resultTypes": ["violations"]}
    if scheme == "dark":
        options["runOnly"] = ["color-contrast"]  # all else is the same in both
    context = {"exclude": [[".katex"]]}  # thousands of spans, hidden from assistive technology, which has the MathML
    violations = Axe().run(page, context=context, options=options)["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []
