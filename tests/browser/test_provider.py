"""Signing in through the institution's own provider, in a browser, against one that keeps to the standard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dashboard.shell.sessions import COOKIE
from dashboard.shell.view.session_watch import EVERY
from dashboard.shell.wording import Words
from data import schema
from data.engine.clock import now
from data.store import open_store
from data.trust import audit, sessions
from data.trust.accounts import Account, any_account, write_accounts
from tests.browser.provider import CLIENT, SECRET, Provider, start

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
NAME, PASSWORD = "SSO Kampus", "seven quiet otters"
IDENTITY = "_streamlit_user"
SOON = 1000 * (EVERY + 25)  # milliseconds until an open tab has looked again, on a busy machine
FILE = """
[provider]
name = "{name}"
metadata_url = "{url}/.well-known/openid-configuration"
client_id = "{client}"
client_secret = "{secret}"
redirect_uri = "http://localhost:{{port}}/oauth2callback"
[claims]
role = "groups"
programs = "prodi"
[roles]
tepat-auditor = "auditor"
tepat-dekan = "leadership"
"""


@pytest.fixture(scope="module")
def sso():
    """The provider."""
    provider = Provider()
    server = start(provider)
    yield provider
    server.should_exit = True


@pytest.fixture(scope="module")
def office(tmp_path_factory, sso):
    """A store of real people with the file of the provider beside it."""
    folder = tmp_path_factory.mktemp("office")
    store = open_store(folder=folder)
    write_accounts(store, [Account("kepala", "Kepala", "administrator", password=PASSWORD)])
    about = {"name": NAME, "url": sso.url, "client": CLIENT, "secret": SECRET}
    (folder / "oidc.toml").write_text(FILE.format(**about))
    (folder / "oidc.toml").chmod(0o600)
    yield store
    store.close()


@pytest.fixture(scope="module")
def door(office, sso, steps) -> str:
    with steps.serving(office.folder, "dashboard", "serve", "--no-worker", "--port", "{port}") as url:
        sso.redirect_uris = {f"{url}/oauth2callback"}
        yield url


@pytest.fixture(autouse=True)
def as_it_was(sso, office):
    """The provider behaves, and nobody is bound."""
    sso.people = {
        "sari": {
            "sub": "1001",
            "preferred_username": "sari",
            "name": "Sari W.",
            "groups": ["tepat-auditor"],
            "prodi": ["IF"],
        },
        "guest": {"sub": "1002", "preferred_username": "guest", "name": "Guest", "groups": ["library"]},
        "mallory": {
            "sub": "1003",
            "preferred_username": "kepala",
            "name": "Kepala",
            "groups": ["tepat-auditor", "administrator"],
        },
    }
    sso.wrong, sso.down = "", False
    sso.asked.clear()
    sso.signed_out.clear()
    with office.writing("accounts") as connection:
        for table in (schema.sessions, schema.external_identities, schema.provider_answers):
            connection.execute(table.delete())
        connection.execute(schema.accounts.delete().where(schema.accounts.c.account != "kepala"))


@pytest.fixture
def browser(chrome, steps):
    """A function that opens a fresh browser: no cookie, no history."""
    opened = []
    expect.set_options(timeout=steps.PATIENCE)

    def fresh(url: str, cookies: list | None = None) -> Page:
        context = chrome.new_context(locale="en-GB")
        context.set_default_timeout(steps.PATIENCE)
        opened.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = steps.watched(context.new_page())
        page.calm = lambda: steps.settled(page)
        page.goto(url)
        return page

    yield fresh
    for context in opened:
        context.close()


def to_provider(page: Page) -> Page:
    page.calm()
    follow(page.locator(".st-key-provider button"))
    page.get_by_role("heading", name="Who are you?").wait_for()
    return page


def follow(way) -> None:
    """Click on what leads out of the app: its pages are at rest at no time there."""
    way.wait_for()
    way.evaluate("element => element.click()")


def signed_in(page: Page, person: str = "sari") -> Page:
    follow(to_provider(page).get_by_role("link", name=person))
    is_in(page)
    page.wait_for_timeout(500)  # the ticket becomes a cookie
    return page


def is_in(page: Page) -> None:
    expect(page.locator(".st-key-sign-out button")).to_be_visible()


def is_out(page: Page, timeout: float = SOON) -> None:
    expect(page.locator(".st-key-provider button")).to_be_visible(timeout=timeout)
    assert page.locator(".st-key-sign-out").count() == 0


def says(page: Page, code: str) -> None:
    expect(page.get_by_text(EN(f"provider.{code}", name=NAME))).to_be_visible()
    is_out(page)


def _until(page: Page, holds, seconds: int = 60) -> None:
    """Wait while a browser goes from one server to the other."""
    for _ in range(5 * seconds):
        if holds():
            return
        page.wait_for_timeout(200)
    raise TimeoutError(f"still at {page.url} with {names(page)}")


def names(page: Page) -> set[str]:
    return {one["name"] for one in page.context.cookies()}


def test_the_first_sign_in_makes_an_account_and_lasts_over_a_reload(door, browser, office, sso):
    page = signed_in(browser(door))
    assert any_account(office, "sari") == Account("sari", "Sari W.", "auditor", ("IF",))
    assert sso.asked[0]["code_challenge_method"] == "S256" and sso.asked[0]["nonce"] and sso.asked[0]["state"]
    assert [one.way for one in sessions.sessions_of(office, "sari")] == ["provider"]
    expect(page.get_by_test_id("stSidebarUserContent").get_by_text("Sari W.")).to_be_visible()
    page.reload()
    is_in(page)
    assert "sign_in=" not in page.url
    entry = audit.entries(office, action="sign_in", actor="sari").iloc[0]
    assert entry["detail"]["way"] == "provider"


def test_sign_out_ends_the_session_here_and_there_and_takes_every_cookie_away(door, browser, office, sso):
    page = signed_in(browser(door))
    copied = page.context.cookies()
    assert {COOKIE, IDENTITY} <= {one["name"] for one in copied}
    identity = next(one for one in copied if one["name"] == IDENTITY)
    assert identity["httpOnly"] and identity["expires"] < now().timestamp() + 24 * 3600
    follow(page.locator(".st-key-sign-out button"))
    _until(page, lambda: sso.signed_out and not names(page) & {COOKIE, IDENTITY})
    is_out(page)
    assert sessions.sessions_of(office, "sari") == []
    assert len(sso.signed_out) == 1 and sso.signed_out[0]["id_token_hint"]
    page.reload()
    is_out(page)
    is_out(browser(door, copied))


def test_the_identity_in_the_browser_opens_no_second_session(door, browser):
    page = signed_in(browser(door))
    identity = [one for one in page.context.cookies() if one["name"].startswith(IDENTITY)]
    assert identity
    is_out(browser(door, identity))
    is_in(page)


@pytest.mark.parametrize(
    "end",
    [
        lambda store: _aged(store, started_at=timedelta(hours=9)),
        lambda store: _aged(store, started_at=timedelta(hours=2), seen_at=timedelta(minutes=31)),
        lambda store: sessions.end_all(store, "sari"),
        lambda store: write_accounts(store, [Account("sari", "Sari W.", "auditor", ("IF",), active=False)]),
    ],
    ids=["too long", "idle", "revoked", "closed"],
)
def test_our_session_rules_whatever_the_provider_says(door, browser, office, end):
    page = signed_in(browser(door))
    end(office)
    page.reload()
    is_out(page)


def _aged(store, **columns) -> None:
    with store.writing("accounts") as connection:
        connection.execute(
            update(schema.sessions).values(**{name: now() - ago for name, ago in columns.items()})
        )


@pytest.mark.parametrize("wrong", ["nonce", "audience", "issuer", "expired", "key", "unsigned", "public key"])
def test_an_identity_token_that_is_not_right_signs_nobody_in(door, browser, office, sso, wrong):
    sso.wrong = wrong
    page = to_provider(browser(door))
    follow(page.get_by_role("link", name="sari"))
    says(page, "failed")
    assert any_account(office, "sari") is None and COOKIE not in names(page)
    sso.wrong = ""
    signed_in(page)  # and the next try is as good as any


def test_a_person_who_says_no_is_told_so(door, browser):
    page = to_provider(browser(door))
    follow(page.get_by_role("link", name="Refuse"))
    says(page, "denied")


def test_a_provider_that_is_down_is_told_and_passwords_go_on(door, browser, sso):
    page = to_provider(browser(door))
    sso.down = True
    page.goto(f"{door}/")
    follow(page.locator(".st-key-provider button"))
    # What was read of the provider before is remembered: it is not asked until the browser gets there.
    page.wait_for_url(lambda url: url.startswith(sso.url) or "sign_in=" in url)
    page.goto(f"{door}/")
    page.get_by_text(EN("provider.local")).click()
    page.get_by_label(EN("sign_in.account")).fill("kepala")
    page.get_by_label(EN("sign_in.password"), exact=True).fill(PASSWORD)
    page.get_by_role("button", name=EN("sign_in.submit"), exact=True).click()
    is_in(page)
    page.locator(".st-key-sign-out button").click()
    is_out(page)


def test_a_provider_that_goes_down_on_the_way_back_signs_nobody_in(door, browser, office, sso):
    page = to_provider(browser(door))
    sso.wrong = "down"
    follow(page.get_by_role("link", name="sari"))
    says(page, "failed")
    assert any_account(office, "sari") is None


def test_somebody_without_a_role_has_no_access_and_is_told_so(door, browser, office):
    page = to_provider(browser(door))
    follow(page.get_by_role("link", name="guest"))
    says(page, "refused_no_role")
    assert any_account(office, "guest") is None


def test_the_name_of_an_account_at_the_provider_does_not_open_it(door, browser, office):
    page = to_provider(browser(door))
    follow(page.get_by_role("link", name="mallory"))
    says(page, "refused_name_taken")
    assert any_account(office, "kepala").role == "administrator"


def test_a_claim_that_has_vanished_takes_the_role_away_everywhere(door, browser, office, sso):
    other = signed_in(browser(door))
    sso.people["sari"] |= {"groups": []}
    page = to_provider(browser(door))
    follow(page.get_by_role("link", name="sari"))
    says(page, "refused_no_role")
    is_out(other)  # nobody touched it
    sso.people["sari"] |= {"groups": ["tepat-dekan"]}
    signed_in(page)
    assert any_account(office, "sari").role == "leadership"


def test_where_passwords_are_turned_off_the_provider_is_the_only_door(office, sso, steps, browser):
    words = ("dashboard", "serve", "--no-worker", "--port", "{port}")
    with steps.serving(office.folder, *words, TEPAT_LOCAL_ACCOUNTS="0") as url:
        sso.redirect_uris = {*sso.redirect_uris, f"{url}/oauth2callback"}
        page = browser(url)
        is_out(page)
        assert page.locator("input[type=password]").count() == 0
        signed_in(page)
