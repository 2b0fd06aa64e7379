"""The administrator creates, changes, closes and opens accounts on a page; nobody else does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from dashboard.shell import account_list
from dashboard.shell.access import pages_for, scope_for
from dashboard.shell.wording import Words
from data import queries
from data.columns import ROLES
from data.settings import get_settings
from data.trust import audit, sessions
from data.trust.accounts import (
    Account,
    advisors_without_account,
    any_account,
    verify_password,
    write_accounts,
)
from data.trust.identities import Claimed, admit, allow_binding

SECRET = "seven quiet otters"
ROOT = Account("root", "Rina", "administrator")


@pytest.fixture
def office(small_register, served):
    """The small register, with an administrator and a dean of one programme."""
    store = small_register.store
    write_accounts(
        store,
        [
            Account("root", "Rina", "administrator", password=SECRET),
            Account("dean", "Sari", "leadership", ("IF",), password=SECRET),
        ],
    )
    served(store)
    return store


def button(at, key):
    return next(one for one in at.button if one.key == key)


def labelled(parts, label):
    return next(part for part in parts if part.label == label)


def test_only_administrators_have_the_page():
    having = {role for role in ROLES if "accounts" in [page.name for page in pages_for(role)]}
    assert having == {"administrator"}


def test_an_account_is_created_and_its_password_shown_once(office, screen):
    at = screen.drawn("accounts", ROOT)
    at.text_input(key="new-name-0").input("budi")
    at.text_input(key="new-display-0").input("Budi Hartono")
    at.selectbox(key="new-role-0").select("auditor")
    at.run()
    button(at, "new-create").click().run()
    secret = at.code[0].value
    made = verify_password(office, "budi", secret)
    assert (made.display_name, made.role, made.program_codes, made.once) == (
        "Budi Hartono",
        "auditor",
        None,
        True,
    )
    entry = audit.entries(office, limit=1).iloc[0]
    assert (entry["actor"], entry["action"], entry["object"]) == ("root", "write account", "budi")
    assert secret not in str(entry["detail"])
    assert "budi" in at.dataframe[0].value["Account"].tolist()
    at.run()
    assert len(at.code) == 0


def test_a_weak_password_a_taken_name_and_no_programme_are_refused_in_words(office, screen):
    at = screen.drawn("accounts", ROOT, "id")
    at.text_input(key="new-name-0").input("Dean")
    at.text_input(key="new-display-0").input("Sari")
    at.radio(key="way-new-0").set_value("typed").run()
    at.text_input(key="secret-new-0").input("rahasia")
    button(at, "new-create").click().run()
    assert "sedikitnya 12 karakter" in at.error[0].value
    at.text_input(key="secret-new-0").input("violet rain on tin")
    button(at, "new-create").click().run()
    assert "sudah ada" in at.error[0].value
    at.toggle(key="every-new-0").set_value(False).run()
    button(at, "new-create").click().run()
    assert "sedikitnya satu program studi" in at.error[0].value
    assert any_account(office, "Dean") is None


def test_the_advisors_of_the_register_who_have_no_account_are_offered(office, screen):
    rename = text("UPDATE students SET advisor = :new WHERE advisor = :old")
    with office.writing("accounts") as connection:
        connection.execute(rename, {"new": "Dra. Sri Wahyuni, M.Ak.", "old": "budi"})
        connection.execute(rename, {"new": "Citra *bold*", "old": "citra"})
    write_accounts(office, [Account("ani", "Ani", "advisor")])
    count = dict(advisors_without_account(office))
    assert list(count) == ["Citra *bold*", "Dra. Sri Wahyuni, M.Ak."]
    at = screen.drawn("accounts", ROOT)
    at.selectbox(key="new-role-0").select("advisor").run()
    students = count["Dra. Sri Wahyuni, M.Ak."]
    assert at.selectbox(key="new-advisor-0").options == [f"Dra. Sri Wahyuni, M.Ak. · {students} students"]
    assert r"no account can have: 1 (Citra \*bold\*)" in screen.texts(at)
    at.selectbox(key="new-advisor-0").select("Dra. Sri Wahyuni, M.Ak.").run()
    button(at, "new-create").click().run()
    made = verify_password(office, "Dra. Sri Wahyuni, M.Ak.", at.code[0].value)
    assert (made.role, made.display_name) == ("advisor", "Dra. Sri Wahyuni, M.Ak.")
    assert len(queries.students(office, scope_for(made))) == students
    assert dict(advisors_without_account(office)) == {"Citra *bold*": count["Citra *bold*"]}


def test_role_and_programmes_change_after_before_and_after_were_seen(office, screen):
    session, _ = sessions.begin(office, any_account(office, "dean"))
    at = screen.drawn("accounts", ROOT)
    at.selectbox(key="account-chosen").select("dean").run()
    labelled(at.selectbox[1:], "Role").select("auditor").run()
    assert "Role: Leadership → **Auditor**" in screen.texts(at)
    assert any_account(office, "dean").role == "leadership"  # nothing before it was confirmed
    button(at, "account-confirm").click().run()
    assert any_account(office, "dean").role == "auditor"
    assert sessions.find(office, session) is None
    labelled(at.toggle, "Every programme").set_value(True).run()
    button(at, "account-confirm").click().run()
    assert any_account(office, "dean").program_codes is None
    assert len(audit.entries(office, action="write account")) == 2


def test_an_account_is_closed_opened_given_a_password_and_signed_out(office, screen):
    at = screen.drawn("accounts", ROOT)
    at.selectbox(key="account-chosen").select("dean").run()
    button(at, "account-close").click().run()
    assert not any_account(office, "dean").active
    button(at, "account-reopen").click().run()
    assert any_account(office, "dean").active
    button(at, "account-reset").click().run()
    assert verify_password(office, "dean", SECRET) is None
    assert verify_password(office, "dean", at.code[0].value).once
    sessions.begin(office, any_account(office, "dean"))
    at.run()
    button(at, "account-end-sessions").click().run()
    assert sessions.sessions_of(office, "dean") == []


@pytest.fixture
def bound(office):
    """The dean's account, which the institution's provider signs in."""
    allow_binding(office, "dean", audit.Entry("root", "administrator", "allow binding", "dean"))
    claimed = Claimed("https://sso.example", "42", "n1", "dean", "Sari", "leadership", ("IF",))
    return admit(office, claimed, "127.0.0.1")


def test_of_an_account_of_the_provider_the_page_offers_what_the_provider_leaves(office, bound, screen):
    at = screen.drawn("accounts", ROOT)
    listed = at.dataframe[0].value.set_index("Account")
    assert listed.loc["dean", "State"] == "Through the institution's sign-in"
    at.selectbox(key="account-chosen").select("dean").run()
    assert "decides role and programmes" in screen.texts(at)
    acts = {one.key for one in at.button if (one.key or "").startswith("account-")}
    assert acts == {"account-close", "account-end-sessions"}
    assert not [one for one in at.selectbox if (one.key or "").startswith("role-")]
    button(at, "account-close").click().run()
    assert not any_account(office, "dean").active
    button(at, "account-reopen").click().run()
    assert any_account(office, "dean") == bound


@pytest.mark.parametrize("change", [{"role": "auditor"}, {"program_codes": None}, {"password": SECRET}])
def test_what_the_provider_decides_is_refused_in_words(office, bound, change):
    root = any_account(office, "root")
    said = account_list.change(office, root, bound, replace(bound, **change), Words("en"))
    assert said == Words("en")("accounts.provider_rules")
    assert any_account(office, "dean") == bound


def test_the_own_account_is_not_changed_here(office, screen):
    at = screen.drawn("accounts", ROOT)
    at.selectbox(key="account-chosen").select("root").run()
    assert "Another administrator" in at.info[0].value
    assert not [one for one in at.button if (one.key or "").startswith("account-")]
    own = any_account(office, "root")
    with pytest.raises(PermissionError):
        account_list.change(office, own, own, own, Words("en"))


@pytest.mark.parametrize(
    "account", [Account("a", "A", "administrator", ("IF",)), Account("b", "B", "registry")]
)
def test_whoever_could_lift_an_own_limit_manages_no_account(office, screen, account):
    at = screen.drawn("accounts", account)
    assert len(at.dataframe) == 0 and "administrator of every programme" in screen.texts(at)
    with pytest.raises(PermissionError):
        account_list.end_sessions(office, account, "dean")


def test_the_sign_in_says_whom_to_ask(office, screen, monkeypatch):
    assert "Ask the administrator of this dashboard" in screen.texts(screen.drawn("sign_in", None))
    monkeypatch.setenv("TEPAT_CONTACT", "BAAK, ext. 210 *now*")
    get_settings.cache_clear()
    try:
        assert r"BAAK\, ext\. 210 \*now\*" in screen.texts(screen.drawn("sign_in", None))
    finally:
        get_settings.cache_clear()
