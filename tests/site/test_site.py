"""The built site as a reader's browser sees it, opened from the file system with the network off."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from workshop import chromium as find_chromium
from workshop import measure as measure_site

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
# index.html only leads to the landing page; _static holds parts of the theme
FROM_FILE = SITE.as_uri() + "/"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


CHROMIUM, FLAGS = find_chromium.chromium(), find_chromium.FLAGS
PAGES = measure_site.pages(SITE)
CHAPTERS = [page for page in PAGES if page.startswith("chapters")]
FOLDED = [page for page in PAGES if "<details" in (SITE / page).read_text(encoding="utf-8").partition("<article")[2]]
ANIMATED = [page for page in PAGES if 'class="slide"' in (SITE / page).read_text(encoding="utf-8")]

if not CHROMIUM and not os.environ.get("REQUIRE_BROWSER"):
    pytest.skip(find_chromium.MISSING, allow_module_level=True)
if not PAGES:
    pytest.skip("the site is not built (make book)", allow_module_level=True)

every_page = pytest.mark.parametrize("name", PAGES)
every_chapter = pytest.mark.parametrize("name", CHAPTERS)
every_folded = pytest.mark.parametrize("name", FOLDED)
every_animated = pytest.mark.parametrize("name", ANIMATED)


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

    def open_page(name, width=1280, scheme="light", site=FROM_FILE, clock=False, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        context.route(lambda url: not url.startswith((site, "data:", "blob:")), lambda route: route.abort())
        page = context.new_page()
        page.complaints = listen(page, site)
        if clock:  # the page's time then moves only as a test says
            page.clock.install()
            page.clock.pause_at(page.evaluate("Date.now()") + 1000)
        page.goto(site + name, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def listen(page, site) -> list[str]:
    complaints = []

    def on_request(request):
        if not request.url.startswith((site, "data:", "blob:")):
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
    all("details").forEach(e => { e.open = true; });
    for (const image of all("article img")) {
        image.scrollIntoView();  // it comes only when it is near
        await image.decode().catch(() => null);
    }
    const article = document.querySelector("main article, main").cloneNode(true);
    article.querySelectorAll("pre, code, .katex, script, style, .slide").forEach(e => e.remove());
    return {
        text: article.textContent,
        math: all(".katex").length,
        bad_math: all(".katex-error").length,
        math_fonts: ["KaTeX_Main", "KaTeX_Math"].map(name => document.fonts.check(`16px ${name}`)),
        links: all("a[href]").map(a => a.href),
        written: all("a[href]").map(a => a.getAttribute("href")),
        images: all("img").map(image => ({
            source: image.getAttribute("src").slice(0, 80),
            figure: !!image.closest("article"),
            sized: image.hasAttribute("width") && image.hasAttribute("height")
                && Math.abs(image.width / image.height * image.naturalHeight / image.naturalWidth - 1) < .03,
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


@every_page
def test_figures_say_their_size_and_what_they_show(look, name):
    """No file names for words, no two figures with the same words, and the size before the file has come."""
    figures = [image for image in look(name)["images"] if image["figure"]]
    words = [figure["words"] for figure in figures]
    assert [figure for figure in figures if not figure["sized"]] == []
    poor = re.compile(r"(\S+\s+){0,3}\S*|.*\.(png|svg|jpe?g)\b.*", re.DOTALL)
    assert [w for w in words if poor.fullmatch(w) or words.count(w) > 1] == []


@every_page
def test_links_to_other_hosts_have_their_form(look, name):
    """They are not followed: https, a host with a dot, no blanks."""
    links = [link for link in look(name)["written"] if re.match(r"\s*[a-z]+:|//", link)]
    assert [link for link in links if not re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?", link)] == []


@every_chapter
def test_math_is_rendered(look, name):
    found = look(name)
    assert found["math"] > 0 and found["bad_math"] == 0 and all(found["math_fonts"])


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
    """Also a small one, or 1280 pixels enlarged four times, and with all answers open."""
    page = visit(name, width=390)
    assert page.complaints == []
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        too_wide = page.evaluate("""() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 100)).slice(0, 5)""")
        assert too_wide == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@every_folded
def test_folded_answers_open_by_keyboard(visit, name):
    page = visit(name)
    for folded in page.locator("article details").all():
        was_open = folded.evaluate("e => e.open")
        folded.locator("summary").first.press("Enter")
        assert folded.evaluate("e => e.open") != was_open


@every_page
def test_links_beside_and_below_a_page_keep_to_their_place(visit, name):
    for width in (1280, 390):
        outside = visit(name, width).evaluate("""() => [...document.querySelectorAll(
            ".page-toc a, .prev-next-area a *")].filter(e => {
            const own = e.getBoundingClientRect();
            return own.left < innerWidth && (own.left < 0 || own.right > innerWidth - 8);
        }).map(e => e.textContent || e.outerHTML)""")  # on a phone the list of sections waits outside
        assert outside == [], width


@every_animated
def test_animations_play_and_pause(visit, name):
    """All of a page's animations at once: they wait, play when asked, and stand still when paused."""
    page = visit(name, clock=True)
    played = page.locator(".slide button:nth-of-type(2)")
    labels = "found => found.map(e => e.getAttribute('aria-label'))"
    positions = "() => [...document.querySelectorAll('.slide input[type=range]')].map(e => +e.value)"

    def press_all():
        for button in played.all():
            button.press("Enter")  # the keyboard reaches it; a mouse does the same
        return set(played.evaluate_all(labels))

    page.clock.run_for(2000)
    assert set(played.evaluate_all(labels)) == {"Play"} and set(page.evaluate(positions)) == {0}
    assert press_all() == {"Pause"}
    page.clock.run_for(1000)
    assert all(n > 0 for n in page.evaluate(positions))
    assert press_all() == {"Play"}
    stopped_at = page.evaluate(positions)
    page.clock.run_for(2000)
    assert page.evaluate(positions) == stopped_at


@every_animated
def test_animations_can_be_stepped_by_keyboard(visit, name):
    slide = visit(name).locator(".slide").first
    slider, text = slide.locator("input"), slide.locator("p")
    first = text.text_content()
    slider.press("ArrowRight")
    assert slider.input_value() == "1" and text.text_content() != first
    slide.get_by_label("Previous position").press("Enter")
    assert slider.input_value() == "0" and text.text_content() == first


def test_two_animations_alike_move_each(browser):
    import torch

    from convutils import figures

    X, K = torch.arange(16.0).reshape(4, 4), torch.ones(2, 2)
    page = browser.new_page()
    page.set_content("".join(figures.animate_corr2d(X, K, alt="a 2×2 window").data for _ in range(2)))
    for slide in page.locator(".slide").all():
        slide.get_by_label("Next position").click()
    assert page.locator(".slide input").evaluate_all("found => found.map(e => e.value)") == ["1", "1"]
    page.close()


def test_nothing_moves_by_itself_where_reduced_motion_is_asked_for(visit):
    """A chapter with animations of its own, and the theme's transitions and smooth scrolling."""
    page = visit(ANIMATED[0], reduced_motion="reduce")
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(e => {
        const style = getComputedStyle(e);
        return style.transitionDuration.split(", ").some(t => parseFloat(t) > 0) && style.transitionProperty !== "none"
            || style.animationName !== "none" || style.scrollBehavior === "smooth";
    }).map(e => e.outerHTML.slice(0, 100))""")
    assert moving == []
    page.wait_for_timeout(1000)
    assert set(page.locator(".slide input").evaluate_all("found => found.map(e => e.value)")) == {"0"}


FOUND = {
    "pooling": "chapters/05_pooling.html",
    "equivariance": "reference/glossary.html",
    "卷积核": "reference/glossary.html",
    "卷积": "reference/glossary.html",
    "互相关": "reference/glossary.html",
    "mat1 and mat2 shapes cannot be multiplied": "reference/error_clinic.html",
    "Expected more than 1 value per channel": "reference/error_clinic.html",
    "corr2d": "reference/api.html",
}


@pytest.mark.parametrize("query", FOUND)
def test_search_finds(visit, query):
    """From a file, with titles and links only: a browser gives a page no other file to quote from."""
    page = visit(f"search.html?q={quote(query)}")
    result = page.locator(f"#search-results li a[href*='{FOUND[query]}']").first
    result.wait_for(timeout=10_000)


def test_search_quotes_when_the_site_is_served(visit):
    with measure_site.served(SITE) as address:
        page = visit("search.html?q=receptive", site=address)
        page.wait_for_selector("#search-results li p.context", timeout=10_000)
        assert "receptive" in page.locator("#search-results li p.context").first.text_content().lower()
        assert page.complaints == []


def test_search_field_leads_to_the_results(visit):
    """By keyboard alone, from any page."""
    page = visit(CHAPTERS[0])
    page.keyboard.press("Control+k")
    page.keyboard.type("stride")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert "search.html" in page.url


def test_theme_can_be_switched_and_stays(visit):
    page = visit(PAGES[0])
    mode, seen = "document.documentElement.dataset.mode", set()
    for _ in range(3):
        seen.add(page.evaluate(mode))
        page.locator("button.theme-switch-button").first.click()
    assert seen == {"auto", "light", "dark"}
    while page.evaluate(mode) != "dark":
        page.locator("button.theme-switch-button").first.click()
    page.goto((SITE / PAGES[1]).as_uri())
    assert brightness(page.evaluate("getComputedStyle(document.body).backgroundColor")) < 60


def brightness(colour: str) -> float:
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_right_before_any_script_of_the_theme(visit, browser, scheme):
    """No flash of the other theme while a page loads: the theme's scripts are held back here."""
    context = browser.new_context(color_scheme=scheme)
    context.route("**/scripts/*.js*", lambda route: route.abort())
    page = context.new_page()
    page.goto((SITE / CHAPTERS[0]).as_uri())
    bright = brightness(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    context.close()
    assert (bright < 60) == (scheme == "dark")


@every_chapter
def test_figures_are_readable_in_the_dark(visit, name):
    """They are drawn for white paper: white is what lies under each, also where a figure is transparent."""
    page = visit(name, scheme="dark")
    grounds = page.locator(".cell_output img").evaluate_all(
        "found => found.map(e => getComputedStyle(e).backgroundColor)"
    )
    assert set(grounds) == {"rgb(255, 255, 255)"}


def test_late_images_are_printed(visit):
    """Images that wait for the reader come when a page is printed, unseen as they are."""
    page = visit(max(CHAPTERS, key=lambda name: (SITE / name).read_text(encoding="utf-8").count("<img")))
    missing = "[...document.querySelectorAll('article img')].filter(e => !e.naturalWidth).length"
    assert page.evaluate(missing) > 0
    page.pdf()
    page.wait_for_function(f"{missing} === 0", timeout=5000)


# Where the focus is, and what of its look differs from the same element without the focus.
FOCUSED = """() => {
    const e = document.activeElement;
    if (e === document.body) return null;
    const parts = [e, ...e.querySelectorAll(":scope > .toctree-toggle")];  // that one has its ring on its arrow
    const look = () => parts.map(part => {
        const s = getComputedStyle(part);
        return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor, s.backgroundColor].join();
    }).join();
    const box = parts.at(-1).getBoundingClientRect(), with_focus = look();
    e.blur();
    const plain = look();
    e.focus({focusVisible: true});
    if (!e.dataset.n) e.dataset.n = ++window.reached || (window.reached = 1);
    return {n: +e.dataset.n, what: e.outerHTML.slice(0, 100), ring: with_focus !== plain,
            seen: box.width > 0 && box.height > 0};
}"""
REACHABLE = """() => [...document.querySelectorAll("a[href], button, summary, input, [tabindex='0']")].filter(
    e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0 && !e.dataset.n
    ).map(e => e.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_can_be_reached_by_keyboard(visit, width):
    """Tab from end to end of a chapter: each stop can be seen, and nothing that can be used is left out."""
    page = visit(CHAPTERS[2], width=width, reduced_motion="reduce")
    stops = []
    for _ in range(600):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or stop["n"] < len(stops):
            break
        stops.append(stop)
    assert [stop["what"] for stop in stops if not (stop["ring"] and stop["seen"])] == []
    assert page.evaluate(REACHABLE) == []
    too_wide = """[...document.querySelectorAll("article :is(pre, table, .katex-display)")]
        .filter(e => e.scrollWidth > e.clientWidth && e.tabIndex < 0).map(e => e.outerHTML.slice(0, 100))"""
    assert page.evaluate(too_wide) == []


@every_page
@pytest.mark.parametrize("width, scheme", [(1280, "light"), (390, "dark")])
def test_page_is_accessible(visit, name, width, scheme):
    """axe-core finds nothing against its rules and its advice, folded answers included."""
    page = visit(name, width=width, scheme=scheme, reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    options = {"resultTypes": ["violations"]}
    if scheme == "dark":  # all else is the same in both
        options["runOnly"] = ["color-contrast", "scrollable-region-focusable", "target-size"]
    context = {"exclude": [[".katex"]]}  # thousands of spans, hidden from assistive technology, which has the MathML
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []


# ---------------------------------------------------------------- weight


@pytest.fixture(scope="module")
def weights(browser):
    return {weight.page: weight for weight in measure_site.measure_all(browser, SITE)}


@every_chapter
def test_chapter_is_light(weights, name):
    """The goals: before its figures 700 KB in 25 requests; nothing jumps; the first paint has the math."""
    weight = weights[name]
    assert weight.kb <= 700 and weight.requests <= 25 and weight.shift <= 0.01
    assert weight.rendered == weight.formulas > 0


@every_page
def test_page_is_as_heavy_as_reported(weights, name):
    """The table on "How the book is made" is true to a tenth and two requests; `make measure` makes it anew."""
    reported = measure_site.reported()
    assert name in reported, "the table lacks this page: make measure"
    kb, in_all, requests, requests_in_all, shift = reported[name][:5]
    weight = weights[name]
    assert (weight.kb, weight.kb_in_all) == pytest.approx((kb, in_all), rel=0.1)
    assert (weight.requests, weight.requests_in_all) == pytest.approx((requests, requests_in_all), abs=2)
    assert max(weight.shift, shift) < 0.1  # called good; chapters must do better
