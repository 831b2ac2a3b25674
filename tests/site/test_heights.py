"""No page is longer on the screen than its budget allows, answers folded."""

import pytest
from budgets import BUDGETS

SCREEN = {"width": 1280, "height": 900}


@pytest.mark.parametrize("page", BUDGETS)
def test_page_is_no_higher_than_promised(site, browser, page):
    screen = browser.new_page(viewport=SCREEN)
    screen.goto((site / f"{page}.html").as_uri())
    screen.evaluate("document.fonts.ready")
    assert screen.evaluate("document.querySelectorAll('article details[open]').length") == 0
    assert screen.evaluate("document.documentElement.scrollHeight") / SCREEN["height"] <= BUDGETS[page].screens
