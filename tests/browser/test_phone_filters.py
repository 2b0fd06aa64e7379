"""On a phone the fields that narrow a list stand one below the other, each as wide as the screen."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIDES = """row => [row, ...row.children].map(one => one.getBoundingClientRect())
  .filter(one => one.width > 0).map(one => [one.left, one.right])"""


@pytest.mark.parametrize(
    ("role", "name", "filters", "fields"),
    [("auditor", "audit", "audit-filters", 5), ("registry", "consent", "missing-filters", 3)],
)
def test_the_fields_that_narrow_a_list_are_even_on_a_phone(visitor, steps, role, name, filters, fields):
    page = steps.enter(visitor, role)
    if role != "auditor":
        steps.open_page(page, name)
    page.set_viewport_size({"width": 390, "height": 844})
    row = page.locator(f".st-key-{filters}")
    row.wait_for()
    steps.settled(page)
    whole, *each = row.evaluate(SIDES)
    assert len(each) == fields
    assert all(abs(a - b) < 1 for one in each for a, b in zip(one, whole, strict=True))
