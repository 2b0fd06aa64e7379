"""Leadership clicks on a group in a chart: the page is about that group alone, until it is widened again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def press(page: Page, chart: str, mark: str) -> None:
    """A click in the middle of the first mark of a chart that is wide enough."""
    marks = page.locator(f"[class*=st-key-{chart}-chart] {mark}")
    marks.first.wait_for(state="attached")
    boxes = [box for box in (one.bounding_box() for one in marks.all()) if box and box["width"] > 3]
    page.mouse.click(boxes[0]["x"] + boxes[0]["width"] / 2, boxes[0]["y"] + boxes[0]["height"] / 2)


@pytest.mark.parametrize(("chart", "mark"), [("funnel", ".point path"), ("outcomes", ".points path")])
def test_a_click_on_a_group_narrows_the_page_and_a_button_widens_it(visitor, steps, chart, mark):
    page = steps.settled(steps.enter(visitor, "leadership"))
    page.set_viewport_size({"width": 1440, "height": 2600})
    for _ in range(2):  # the same bar again: a click counts after the way back, too
        steps.settled(page)
        press(page, chart, mark)
        narrowed = page.locator(".st-key-narrowed")
        narrowed.wait_for()
        assert "cohort=" in page.url
        steps.settled(page)
        page.locator(".st-key-widen button").click()
        expect(narrowed).to_have_count(0)
        assert "cohort=" not in page.url


def test_a_row_of_the_table_does_the_same(visitor, steps):
    page = steps.settled(steps.enter(visitor, "leadership"))
    page.set_viewport_size({"width": 1440, "height": 2600})
    page.locator(".st-key-funnel-table label").click()
    grid = page.locator("[class*=st-key-funnel-frame] canvas").first
    grid.wait_for()
    steps.settled(page)
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 12, box["y"] + 52)  # the box before the first row
    page.locator(".st-key-narrowed").wait_for()
    assert "cohort=" in page.url
