"""Going through the menu by hand: whatever page somebody comes from, the next one is whole."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.shell.access import pages_for
from dashboard.shell.wording import Words

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
ROLES = ("leadership", "advisor", "registry", "accreditation", "auditor", "administrator")
UNCHOSEN = """() => [...document.querySelectorAll('[role=radiogroup][aria-required=true]')]
    .filter((group) => group.offsetParent && !group.querySelector('[aria-checked=true]'))
    .map((group) => group.getAttribute('aria-label'))"""


def circuit(count: int) -> list[int]:
    """A way through ``count`` places that goes from each place to each other one exactly once."""
    left = {here: [there for there in range(count) if there != here] for here in range(count)}
    way, stack = [], [0]
    while stack:
        if left[stack[-1]]:
            stack.append(left[stack[-1]].pop())
        else:
            way.append(stack.pop())
    return way[::-1]


def test_the_way_takes_every_order_of_two_places_once():
    way = circuit(5)
    steps = list(zip(way, way[1:], strict=False))
    assert len(steps) == len(set(steps)) == 20


def whole(page: Page) -> None:
    """The page has a heading, no choice that must be made is open, and no failure is told."""
    expect(page.locator(".st-key-page-header h1")).not_to_be_empty()
    assert page.evaluate(UNCHOSEN) == []
    assert "None" not in page.url
    assert EN("state.error_title") not in page.inner_text("body")


def follow(page: Page, steps, name: str, first: str) -> None:
    """Follow the menu to a page of the role."""
    address = "start" if name == first else name
    links = page.locator("[data-testid=stSidebarNavLink]")
    links.filter(has_text=EN(f"nav.{name}")).first.click()
    page.wait_for_url(f"**/{'' if address == 'start' else address}*")
    steps.settled(page)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_whole_from_every_other_page(visitor, steps, role):
    page = steps.enter(visitor, role)
    names = [entry.name for entry in pages_for(role)]
    for place in circuit(len(names))[1:]:
        follow(page, steps, names[place], names[0])
        whole(page)


@pytest.mark.parametrize(
    ("role", "start"), [("leadership", "overview"), ("advisor", "caseload"), ("administrator", "overview")]
)
@pytest.mark.parametrize("target", ["late", "dropout"])
def test_the_first_click_on_model_shows_the_target_that_was_looked_at(
    visitor, steps, site, role, start, target
):
    page = steps.enter(visitor, role)
    if target == "dropout":
        page.goto(f"{site.url}/?target=dropout")
        page.locator(".st-key-page-header").wait_for()
    follow(page, steps, "model", start)
    whole(page)
    chosen = page.locator(".st-key-target [aria-checked=true]")
    expect(chosen).to_have_text(EN(f"target.{target}"))
    expect(page.locator("body")).not_to_contain_text(EN("model.verdict_unknown"))
    if target == "late":
        figures = page.locator(".st-key-fold-figures")
        expect(figures.locator("[data-testid=stDataFrame]").first).to_be_hidden()  # the verdicts come first
        figures.locator("summary").click()
        expect(figures.locator("[data-testid=stDataFrame]").first).to_be_visible()
    else:  # eleven drop-outs of known outcome: the demo of this size cannot teach that, and the page says so
        expect(page.locator(".st-key-card-fitness")).to_be_visible()
        expect(page.locator(".st-key-fold-signature")).to_have_count(0)
