"""A password that was typed arrives however its field is left: by Tab, by the mouse, by Enter."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.shell.wording import Words
from data.store import open_store
from data.trust.accounts import Account, verify_password, write_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
SECRET, TYPED, OTHER = "seven quiet otters", "kuda bambu lentera", "nine loud herons"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A store of real people with an administrator and somebody else."""
    store = open_store(folder=tmp_path_factory.mktemp("office"))
    people = [Account("rina", "Rina", "administrator"), Account("sari", "Sari", "registry")]
    write_accounts(
        store, [Account(one.account, one.display_name, one.role, password=SECRET) for one in people]
    )
    yield store
    store.close()


def typed(page: Page, label: str, text: str, *, by_tab: bool = True) -> None:
    """Type into a field of a password, and leave it."""
    field = page.get_by_label(label, exact=True)
    field.click()
    page.keyboard.type(text, delay=20)
    if by_tab:
        page.keyboard.press("Tab")
        page.wait_for_timeout(1000)


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label).click()


def test_a_typed_password_is_not_lost_when_tab_leaves_its_field(office, chrome, steps):
    context = chrome.new_context(locale="en-GB")
    context.set_default_timeout(steps.PATIENCE)
    with steps.serving(office.folder) as url:
        page = steps.watched(context.new_page())
        page.goto(url)
        page.get_by_label(EN("sign_in.account"), exact=True).fill("rina")
        typed(page, EN("sign_in.password"), SECRET)
        press(page, EN("sign_in.submit"))
        page.get_by_test_id("stSidebarNavLink").get_by_text(EN("nav.accounts"), exact=True).click()
        for name, by_tab in (("budi", True), ("citra", False)):
            page.get_by_text(EN("accounts.password_typed"), exact=True).click()
            page.get_by_label(EN("accounts.column_account"), exact=True).fill(name)
            page.get_by_label(EN("accounts.column_name"), exact=True).fill(name.title())
            typed(page, EN("accounts.password_once"), TYPED, by_tab=by_tab)
            press(page, EN("accounts.create"))
            expect(page.get_by_text(EN("accounts.created", name=name))).to_be_visible()
            assert verify_password(office, name, TYPED).once

        page.get_by_role("combobox", name=EN("accounts.choose")).click()
        page.get_by_role("option", name="Sari · sari").click()
        press(page, EN("accounts.reset"))
        card = page.get_by_test_id("stPopoverBody")
        card.get_by_text(EN("accounts.password_typed"), exact=True).click()
        typed(page, EN("accounts.password_once"), OTHER)
        press(page, EN("accounts.reset_sure"))
        expect(page.get_by_text(EN("accounts.reset_done", name="sari"))).to_be_visible()
        assert verify_password(office, "sari", OTHER).once
    context.close()
