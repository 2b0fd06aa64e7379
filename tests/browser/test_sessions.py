"""Signing in and out in real browsers: a session ends in every tab, for its cookie, and in an open tab."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page, expect
from sqlalchemy import update

from dashboard.shell.sessions import COOKIE, HOST_COOKIE
from dashboard.shell.view.session_watch import EVERY
from dashboard.shell.wording import Words
from data import schema
from data.engine.clock import now
from data.store import open_store
from data.trust import audit
from data.trust.accounts import Account, any_account, change_password, write_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
SECRET, OTHER = "seven quiet otters", "nine loud herons"
SOON = 1000 * (EVERY + 25)  # milliseconds until an open tab has looked again, on a busy machine


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A store of real people, not one invented, with an open connection to it."""
    store = open_store(folder=tmp_path_factory.mktemp("office"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def door(office, steps) -> str:
    with steps.serving(office.folder) as url:
        yield url


@pytest.fixture(autouse=True)
def auditor(office):
    """The account as it was, and nobody waits for an earlier test's failures."""
    write_accounts(office, [Account("sari", "Sari W.", "auditor", password=SECRET)])
    with office.writing("accounts") as connection:
        connection.execute(schema.sign_in_tries.delete())


@pytest.fixture
def browser(chrome, steps):
    """A function that opens a fresh browser: no cookie, no history."""
    opened = []

    def fresh(url: str, cookies: list | None = None) -> Page:
        context = chrome.new_context(locale="en-GB", ignore_https_errors=True)
        context.set_default_timeout(steps.PATIENCE)
        opened.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = steps.watched(context.new_page())
        page.goto(url)
        return page

    yield fresh
    for context in opened:
        context.close()


def signed_in(page: Page, password: str = SECRET) -> Page:
    tried(page, password)
    page.locator(".st-key-sign-out button").wait_for()
    page.wait_for_timeout(500)  # the ticket becomes a cookie
    return page


def tried(page: Page, password: str) -> None:
    page.get_by_label(EN("sign_in.account")).fill("sari")
    page.get_by_label(EN("sign_in.password"), exact=True).fill(password)
    page.get_by_role("button", name=EN("sign_in.submit")).click()


def is_out(page: Page, timeout: float = SOON) -> None:
    expect(page.get_by_label(EN("sign_in.password"), exact=True)).to_be_visible(timeout=timeout)
    assert page.locator(".st-key-sign-out").count() == 0


def is_in(page: Page) -> None:
    expect(page.locator(".st-key-sign-out button")).to_be_visible()


def aged(store, **columns) -> None:
    """Let time pass for every session."""
    with store.writing("accounts") as connection:
        moved = {name: now() - ago for name, ago in columns.items()}
        connection.execute(update(schema.sessions).values(**moved))


def test_sign_out_holds_after_a_reload_and_for_a_copied_cookie(door, browser):
    page = signed_in(browser(door))
    page.reload()
    is_in(page)
    copied = page.context.cookies()
    stolen = browser(door, copied)
    is_in(stolen)
    page.locator(".st-key-sign-out button").click()
    is_out(page)
    page.reload()
    is_out(page)
    is_out(stolen)  # nobody touched it
    is_out(browser(door, copied))
    assert COOKIE not in {one["name"] for one in page.context.cookies()}


def test_sign_out_right_after_sign_in_holds_after_a_reload(door, browser):
    page = signed_in(browser(door))
    page.locator(".st-key-sign-out button").click()
    is_out(page)
    page.reload()
    is_out(page)


def test_sign_out_ends_the_other_tab_of_the_browser(door, browser, steps):
    page = signed_in(browser(door))
    other = steps.watched(page.context.new_page())
    other.goto(door)
    is_in(other)
    page.locator(".st-key-sign-out button").click()
    is_out(other)
    expect(other.get_by_text(EN("sign_in.ended"))).to_be_visible()
    signed_in(other)  # and the ended tab can be signed in again


@pytest.mark.parametrize(
    "change",
    [
        Account("sari", "Sari W.", "auditor", active=False),
        Account("sari", "Sari W.", "leadership"),
        Account("sari", "Sari W.", "auditor", ("IF",)),
    ],
    ids=["closed", "another role", "other programmes"],
)
@pytest.mark.parametrize("touched", [True, False], ids=["used", "left alone"])
def test_a_changed_account_is_out_of_an_open_tab(door, browser, office, change, touched):
    page = signed_in(browser(door))
    write_accounts(office, [change])
    if touched:
        page.locator("[data-testid=stSidebarNavLink]").last.click()
        is_out(page, 10_000)
    is_out(page)
    write_accounts(office, [Account("sari", "Sari W.", "auditor")])
    page.reload()
    is_out(page)  # it was ended, not only hidden


def test_a_password_changed_in_one_browser_signs_the_other_out(door, browser, office):
    page, elsewhere = signed_in(browser(door)), signed_in(browser(door))
    page.locator(".st-key-account button").click()
    for label, text in (("old", SECRET), ("new", OTHER), ("again", OTHER)):
        page.get_by_label(EN(f"account.{label}"), exact=True).fill(text)
    page.get_by_role("button", name=EN("account.submit")).click()
    expect(page.get_by_text(EN("account.changed"))).to_be_visible()
    is_out(elsewhere)
    page.reload()
    is_in(page)
    tried(elsewhere, SECRET)
    expect(elsewhere.get_by_text(EN("sign_in.wrong"))).to_be_visible()
    signed_in(elsewhere, OTHER)
    actions = audit.entries(office, actor="sari")["action"].tolist()
    assert actions[:3] == ["sign_in", "sign_in_failed", "change_password"]


def test_a_password_changed_by_command_signs_everybody_out(door, browser, office):
    page = signed_in(browser(door))
    change_password(office, "sari", OTHER)
    is_out(page)


def test_signing_out_everywhere_reaches_another_browser(door, browser):
    page, elsewhere = signed_in(browser(door)), signed_in(browser(door))
    page.locator(".st-key-account button").click()
    expect(page.get_by_text(EN("account.sessions", n=2))).to_be_visible()
    page.locator(".st-key-everywhere button").click()
    is_out(page)
    is_out(elsewhere)


@pytest.mark.parametrize(
    "past",
    [{"started_at": timedelta(hours=8)}, {"seen_at": timedelta(minutes=30)}],
    ids=["eight hours", "idle"],
)
def test_the_limits_hold_on_reload(door, browser, office, past):
    page = signed_in(browser(door))
    aged(office, **past)
    page.reload()
    is_out(page)


def test_eight_hours_end_an_open_tab(door, browser, office):
    page = signed_in(browser(door))
    aged(office, started_at=timedelta(hours=8))
    is_out(page)


def test_fifteen_wrong_passwords_make_the_right_one_wait(door, browser, office):
    page = browser(door)
    for _ in range(5):
        tried(page, "wrong password")
    tried(page, SECRET)
    expect(page.get_by_text("Another try is possible in")).to_be_visible()
    is_out(page)
    assert any_account(office, "sari").active
    actions = audit.entries(office, actor="sari")["action"].tolist()
    assert actions[:6].count("sign_in_failed") == 5
    assert "sign_in_held" in actions[:6]


def test_a_browser_without_cookies_is_signed_in_for_its_tab_only(door, browser):
    page = browser(door)
    page.route("**/session", lambda route: route.abort())
    signed_in(page)
    page.locator("[data-testid=stSidebarNavLink]").last.click()
    is_in(page)
    page.reload()
    is_out(page)


def test_a_tab_nobody_uses_ends_by_itself_and_one_in_use_does_not(office, browser, steps):
    with steps.serving(office.folder, TEPAT_IDLE_MINUTES="0.4") as url:
        idle, used = signed_in(browser(url)), signed_in(browser(url))
        for _ in range(6):
            used.wait_for_timeout(5_000)
            used.locator("[data-testid=stSidebarNavLink]").last.click()
            used.locator("[data-testid=stSidebarNavLink]").first.click()
        is_in(used)
        is_out(idle)


def test_plain_streamlit_signs_in_for_the_tab_and_keeps_the_limits(office, browser, steps):
    command = ("streamlit", "run", "streamlit_app.py", "--server.headless=true", "--server.port={port}")
    with steps.serving(office.folder, *command) as url:
        page = signed_in(browser(url))
        assert COOKIE not in {one["name"] for one in page.context.cookies()}
        aged(office, started_at=timedelta(hours=8))
        is_out(page)
        signed_in(page)
        page.locator(".st-key-sign-out button").click()
        is_out(page)


def test_sessions_outlive_the_server_and_are_shared_by_two(office, browser, steps):
    with steps.serving(office.folder) as one:
        page = signed_in(browser(one))
        kept = page.context.cookies()
        with steps.serving(office.folder) as two:
            elsewhere = browser(two, kept)
            is_in(elsewhere)
            page.locator(".st-key-sign-out button").click()
            is_out(elsewhere)


@pytest.fixture
def certificate(tmp_path) -> dict[str, str]:
    """A certificate for localhost that signs itself: the settings that name it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now() - timedelta(days=1)).not_valid_after(now() + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    files = {"CERT": tmp_path / "cert.pem", "KEY": tmp_path / "key.pem"}
    files["CERT"].write_bytes(made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    files["KEY"].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    config = tmp_path / ".streamlit" / "config.toml"  # Streamlit looks for it in the home of the user
    config.parent.mkdir()
    named = "".join(f'ssl{kind.title()}File = "{path}"\n' for kind, path in files.items())
    config.write_text(f"[server]\n{named}", encoding="utf-8")
    return {"HOME": str(tmp_path)}


def test_over_tls_the_cookie_is_of_this_host_alone(office, browser, steps, certificate):
    with steps.serving(office.folder, scheme="https", **certificate) as url:
        page = signed_in(browser(url))
        page.reload()
        is_in(page)
        [kept] = [one for one in page.context.cookies() if COOKIE in one["name"]]
        assert (kept["name"], kept["secure"], kept["httpOnly"]) == (HOST_COOKIE, True, True)
        assert (kept["sameSite"], kept["path"], kept["domain"]) == ("Strict", "/", "localhost")
        is_out(browser(url, [kept | {"name": COOKIE}]))  # planted under the plain name: not believed
        page.locator(".st-key-sign-out button").click()
        is_out(page)
        page.reload()
        is_out(page)
        assert not [one for one in page.context.cookies() if COOKIE in one["name"]]


def test_an_endless_ticket_is_refused_before_it_is_read(door):
    def megabytes():
        for _ in range(300):
            yield bytes(1 << 20)

    for length in ({"Content-Length": str(300 << 20)}, {"Transfer-Encoding": "chunked"}):
        asked = urllib.request.Request(f"{door}/session", method="POST", data=megabytes(), headers=length)
        with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)) as refused:
            urllib.request.urlopen(asked, timeout=20)
        assert getattr(refused.value, "code", 413) == 413
