"""No page is longer on the screen than its budget allows, answers folded."""

import os
from pathlib import Path

import pytest
from budgets import BUDGETS

from workshop import chromium

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"
SCREEN = {"width": 1280, "height": 900}

if not chromium.chromium() and not os.environ.get("REQUIRE_BROWSER"):
    pytest.skip(chromium.MISSING, allow_module_level=True)
if not SITE.exists():
    pytest.skip("the site is not built (make book)", allow_module_level=True)


@pytest.fixture(scope="module")
def screen():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.chromium(), args=chromium.FLAGS)
        yield browser.new_page(viewport=SCREEN)
        browser.close()


@pytest.mark.parametrize("page", BUDGETS)
def test_page_is_no_higher_than_promised(screen, page):
    screen.goto((SITE / f"{page}.html").as_uri())
    screen.evaluate("document.fonts.ready")
    assert screen.evaluate("document.querySelectorAll('article details[open]').length") == 0
    assert screen.evaluate("document.documentElement.scrollHeight") / SCREEN["height"] <= BUDGETS[page].screens
