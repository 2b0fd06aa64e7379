"""Changing accounts as an administrator does: with before and after, never the last one, and written down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.store import set_fact
from data.trust import accounts, audit, sessions, throttle
from data.trust.account_states import account_states
from data.trust.accounts import (
    Account,
    AccountChanged,
    LastAdministrator,
    ProviderRules,
    any_account,
    change_account,
    end_sessions_of,
    new_password,
    verify_password,
    write_accounts,
)
from data.trust.identities import Claimed, NotAdmitted, admit, allow_binding
from data.trust.passwords import check_password

SECRET = "seven quiet otters"
ROOT = Account("root", "Rina", "administrator", password=SECRET)
ME = ("root", "administrator")


@pytest.fixture
def office(store):
    """A store with one administrator and a dean of one programme."""
    write_accounts(store, [ROOT, Account("dean", "Sari", "leadership", ("IF",), password=SECRET)])
    return store


def test_a_new_account_with_a_password_for_once_has_to_choose_another(office):
    secret = new_password()
    check_password(secret, "budi", "Budi")
    made = Account("budi", "Budi", "registry", password=secret, once=True)
    change_account(office, None, made, *ME)
    assert verify_password(office, "budi", secret).once
    accounts.change_password(office, "budi", "another quiet otter pond")
    assert not any_account(office, "budi").once
    assert len({new_password() for _ in range(50)}) == 50


def test_before_and_after_are_in_the_log_and_the_password_is_not(office):
    before = any_account(office, "dean")
    change_account(office, before, replace(before, role="auditor", password="violet rain on tin"), *ME)
    entry = audit.entries(office, limit=1).iloc[0]
    assert (entry["actor"], entry["role"], entry["action"], entry["object"]) == (*ME, "write account", "dean")
    assert entry["detail"] == {
        "role": "auditor",
        "program_codes": ["IF"],
        "active": True,
        "new_password": True,
        "before": {"role": "leadership", "program_codes": ["IF"], "active": True},
    }


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(office):
    before = any_account(office, "dean")
    change_account(office, before, replace(before, active=False), *ME)
    entries = len(audit.entries(office))
    with pytest.raises(AccountChanged):
        change_account(office, before, replace(before, role="auditor"), *ME)
    with pytest.raises(AccountChanged):
        change_account(office, None, Account("dean", "Somebody", "auditor"), *ME)
    assert len(audit.entries(office)) == entries
    assert any_account(office, "dean") == replace(before, active=False)


@pytest.mark.parametrize("change", [{"active": False}, {"role": "auditor"}, {"program_codes": ("IF",)}])
def test_the_last_administrator_stays(office, change):
    before = any_account(office, "root")
    with pytest.raises(LastAdministrator):
        change_account(office, before, replace(before, **change), *ME)
    with pytest.raises(LastAdministrator):
        write_accounts(office, [replace(before, **change)])
    assert any_account(office, "root") == before
    # One without a password, and one of a programme, could not step in.
    write_accounts(office, [Account("spare", "S", "administrator")])
    write_accounts(office, [Account("part", "P", "administrator", ("IF",), password=SECRET)])
    with pytest.raises(LastAdministrator):
        change_account(office, before, replace(before, **change), *ME)
    spare = any_account(office, "spare")
    change_account(office, spare, replace(spare, password=SECRET), *ME)
    change_account(office, before, replace(before, **change), *ME)
    assert any_account(office, "root") == replace(before, **change)


def test_the_provider_signs_in_without_a_password_and_counts_as_a_way_in(office):
    write_accounts(office, [Account("ani", "Ani", "administrator", password="violet rain on tin", once=True)])
    allow_binding(office, "ani", audit.Entry("root", "administrator", "allow binding", "ani"))
    assert not {one.account.account: one for one in account_states(office)}["ani"].is_bound
    said = {"account": "ani", "display_name": "Ani", "role": "administrator", "program_codes": None}
    came = admit(office, Claimed("https://sso.example", "42", "n1", **said), "127.0.0.1")
    entries = len(audit.entries(office))
    admit(office, Claimed("https://sso.example", "42", "n2", **said), "127.0.0.1")
    assert len(audit.entries(office)) == entries  # nothing of the account has changed
    assert {one.account.account: one for one in account_states(office)}["ani"].is_bound
    begun, _ = sessions.begin(office, came, "provider")
    assert not sessions.find(office, begun).account.once
    before = any_account(office, "ani")
    with pytest.raises(ProviderRules):
        change_account(office, before, replace(before, password=SECRET), *ME)
    root = any_account(office, "root")
    change_account(office, root, replace(root, active=False), *ME)
    with pytest.raises(LastAdministrator):
        change_account(office, before, replace(before, active=False), *ME)
    change_account(office, any_account(office, "root"), root, *ME)
    with pytest.raises(NotAdmitted):
        lost = said | {"role": None}
        admit(office, Claimed("https://sso.example", "42", "n3", **lost), "127.0.0.1")
    with pytest.raises(LastAdministrator):  # the provider lets ani in no more
        change_account(office, root, replace(root, active=False), *ME)


def test_in_a_demo_a_seat_without_a_password_counts(store):
    set_fact(store, "synthetic", True)
    write_accounts(store, [Account("one", "One", "administrator"), Account("two", "Two", "administrator")])
    one, two = any_account(store, "one"), any_account(store, "two")
    change_account(store, one, replace(one, active=False), "two", "administrator")
    with pytest.raises(LastAdministrator):
        change_account(store, two, replace(two, active=False), "two", "administrator")


def test_sessions_are_ended_and_that_is_written_down(office):
    sessions.begin(office, any_account(office, "dean"))
    sessions.begin(office, any_account(office, "dean"))
    assert end_sessions_of(office, "dean", *ME) == 2
    assert sessions.sessions_of(office, "dean") == []
    entry = audit.entries(office, limit=1).iloc[0]
    assert (entry["action"], entry["object"], entry["detail"]) == (
        "end_sessions",
        "dean",
        {"sessions_ended": 2},
    )


def test_the_list_tells_sign_ins_sessions_and_waits(office):
    write_accounts(office, [Account("new", "New", "registry")])
    sessions.begin(office, any_account(office, "dean"))
    audit.append(office, actor="dean", role="leadership", action="sign_in", object="leadership")
    wait = throttle.RULES["pair"].first
    detail = {"address": "10.0.0.1", "seconds": int(wait.total_seconds())}
    audit.append(
        office, actor="root", role="administrator", action="sign_in_held", object="root", detail=detail
    )
    by_name = {one.account.account: one for one in account_states(office)}
    assert [by_name[name].sessions for name in ("root", "dean", "new")] == [0, 1, 0]
    assert [by_name[name].last_sign_in is None for name in ("root", "dean", "new")] == [True, False, True]
    assert [by_name[name].held_until is None for name in ("root", "dean", "new")] == [False, True, True]
    assert [by_name[name].has_password for name in ("root", "dean", "new")] == [True, True, False]
    audit.append(office, actor="root", role="administrator", action="sign_in", object="administrator")
    assert {one.held_until for one in account_states(office)} == {None}  # whoever came in need not wait
