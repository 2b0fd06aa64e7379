"""Addresses that lead nowhere, or to a page of other roles: the reader is told so in their language."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words
from data.store import open_store
from data.trust import sessions
from data.trust.accounts import list_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def end_all_of(site, role: str) -> None:
    """End the sessions of a role, as an administrator does."""
    store = open_store(folder=site.folder)
    for account in list_accounts(store):
        if account.role == role:
            sessions.end_all(store, account.account)
    store.close()


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize(
    "address", ["no-such-page", "no%20such%20page", "start", "no/such/page", "caseload/x"]
)
def test_an_unknown_address_says_so_and_leads_back(visitor, steps, site, language, address):
    page, words = visitor, Words(language)
    page.locator(".st-key-language_choice").get_by_text(language.upper(), exact=True).click()
    steps.enter(page, "leadership")
    page.goto(f"{site.url}/{address}")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("not_found.unknown_title"))
    assert page.get_by_role("dialog").count() == 0
    back = words("not_found.back", page=words("nav.overview"))
    page.locator("[data-testid=stMain]").get_by_role("link", name=back).click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("overview.title"))


def test_a_page_of_other_roles_is_told_as_one_and_the_menu_still_leads_on(visitor, steps, site):
    page, words = visitor, Words("en")
    steps.enter(page, "leadership")
    page.goto(f"{site.url}/caseload")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("not_found.of_others_title"))
    expect(page.locator("[data-testid=stMain]")).to_contain_text(words("role.leadership"))
    assert page.get_by_role("dialog").count() == 0
    steps.open_page(page, "reports")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("reports.title"))


def test_whoever_signs_in_where_another_role_signed_out_begins_at_their_own_first_page(visitor, steps):
    page, words = visitor, Words("en")
    steps.enter(page, "registry")
    steps.open_page(page, "review")
    page.get_by_test_id("stSidebar").get_by_role("button", name=words("nav.sign_out")).click()
    page.locator(".st-key-enter-leadership button").click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("overview.title"))


def test_signing_out_leaves_nothing_of_the_page_in_the_address(visitor, steps, site):
    """Both roles have the page: whoever comes next begins at their own first one all the same."""
    page, words = visitor, Words("en")
    steps.enter(page, "leadership")
    page.goto(f"{site.url}/model?target=dropout")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("model.title"))
    page.get_by_test_id("stSidebar").get_by_role("button", name=words("nav.sign_out")).click()
    page.locator(".st-key-enter-auditor button").wait_for()
    page.wait_for_url(f"{site.url}/")
    page.locator(".st-key-enter-auditor button").click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("audit.title"))
    assert page.url == f"{site.url}/"


def test_a_session_ended_elsewhere_leaves_nothing_behind_the_question_mark(visitor, steps, site):
    """Whoever ended it, an administrator or a limit, the address says no longer what was looked at."""
    page, words = visitor, Words("en")
    steps.enter(page, "leadership")
    page.goto(f"{site.url}/model?target=dropout")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("model.title"))
    steps.settled(page)
    assert page.url == f"{site.url}/model?target=dropout"
    end_all_of(site, "leadership")
    page.locator(".st-key-enter-leadership button").wait_for()
    assert page.url == f"{site.url}/model"


@pytest.mark.parametrize(("role", "heading"), [("leadership", "model.title"), ("auditor", "audit.title")])
def test_where_a_session_was_ended_its_owner_goes_on_and_another_begins_anew(
    visitor, steps, site, role, heading
):
    page, words = visitor, Words("en")
    steps.enter(page, "leadership")
    steps.open_page(page, "model")
    steps.settled(page)
    end_all_of(site, "leadership")
    page.locator(f".st-key-enter-{role} button").click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words(heading))


def test_a_link_that_a_stranger_opens_is_honoured_after_the_sign_in(visitor, steps, site):
    page, words = visitor, Words("en")
    page.goto(f"{site.url}/model?target=dropout")
    page.locator(".st-key-enter-auditor button").click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("model.title"))
    assert page.url.startswith(f"{site.url}/model")


def test_a_stranger_at_an_unknown_address_is_asked_to_sign_in_and_nothing_else(visitor, steps, site):
    page, words = visitor, Words("en")
    page.goto(f"{site.url}/no-such-page")
    expect(page.get_by_text(words("app.tagline"))).to_be_visible()
    assert page.get_by_role("dialog").count() == 0
    page.locator(".st-key-enter-auditor button").click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("not_found.unknown_title"))
