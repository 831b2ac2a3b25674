"""What the tests share: pictures without a screen, one thread, how many random examples hypothesis draws, the site.

A test that needs the built site fails, and says how to build it, where there is none or an old one. A test that needs
a browser is left out where there is none; the run's last lines name what was left out and why, and with
REQUIRE_BROWSER=1 it fails.
"""

import os
import re
from pathlib import Path
from threading import RLock

os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from tqdm import tqdm  # noqa: E402

# mutmut forks: tqdm's own lock is shared with the forks, and one that is killed would hold it for ever
tqdm.set_lock(RLock())

# The default draws the same examples every time; HYPOTHESIS_PROFILE=long draws many, and new ones.
# How long drawing takes is no fault of a test: it depends on the machine.
settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", deadline=None, max_examples=500, database=None, suppress_health_check=list(HealthCheck)
)
# make mutants: ten examples find a fault nearly as often as fifty, and each of a thousand mutants needs them
settings.register_profile("mutants", settings.get_profile("default"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_terminal_summary(terminalreporter):
    """Say how many random examples were really run, by hypothesis's own count of each test."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    notes = "\n".join(getattr(report, "_hypothesis_stats", "") for report in reports)
    if counts := [int(count) for count in re.findall(r"(\d+) passing", notes)]:
        terminalreporter.write_line(f"{sum(counts):,} random examples passed in {len(counts)} tests")


@pytest.fixture(autouse=True)
def one_thread():
    """Run each test with one thread, so that two workers do not fight for two cores."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)


ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
BUILD_IT = "build it: make book (without make: jupyter-book build --all .)"


@pytest.fixture(scope="session")
def site():
    """The folder of the built site, which has every page as its sources are now."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"there is no site in _build/html; {BUILD_IT}", pytrace=False)
    if newer := newer_than_the_site():
        pytest.fail(f"the site is older than {', '.join(newer[:3])}; {BUILD_IT}", pytrace=False)
    return SITE


def newer_than_the_site():
    """Return the sources that have changed since their pages were built, or have no page yet."""
    pages = {source: SITE / source.relative_to(ROOT).with_suffix(".html") for source in page_sources()}
    built = {source: page.stat().st_mtime if page.is_file() else 0 for source, page in pages.items()}
    newer = [source for source in pages if source.stat().st_mtime > built[source]]
    newer += [source for source in site_wide_sources() if source.stat().st_mtime > min(built.values())]
    return [source.relative_to(ROOT).as_posix() for source in newer]


def page_sources():
    from workshop import course

    names = [name for _, pages in course.contents() for name in pages]
    return [path for name in names for path in ROOT.glob(f"{name}.*") if path.suffix in (".md", ".ipynb")]


def site_wide_sources():
    """What every page is made of: the Makefile has the list."""
    names = re.search(r"^SITE_WIDE := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
    patterns = re.sub(r"\$\(wildcard|\)", " ", names).split()
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()]


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium."""
    from workshop import chromium

    if not chromium.chromium():
        leave_out = pytest.fail if os.environ.get("REQUIRE_BROWSER") else pytest.skip
        leave_out(chromium.MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.chromium(), args=chromium.FLAGS)
        yield browser
        browser.close()
