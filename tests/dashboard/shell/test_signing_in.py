"""Trying a password: the answer, the wait, and what is written down of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.shell import signing_in
from dashboard.shell.signing_in import Outcome, change_password, sign_in
from data.trust import audit, sessions, throttle
from data.trust.accounts import Account, find_account, verify_password, write_accounts
from data.trust.passwords import PasswordRefused

SECRET, OTHER = "seven quiet otters", "nine loud herons"
HOME, AWAY = "192.0.2.7", "198.51.100.9"
NONE = timedelta(0)


@pytest.fixture
def people(store):
    closed = Account("gone", "Gone", "advisor", active=False, password=SECRET)
    write_accounts(store, [Account("ani", "Ani", "advisor", password=SECRET), closed])
    return store


def log(store) -> list[tuple]:
    rows = audit.entries(store)[["actor", "action", "object"]]
    return list(rows.itertuples(index=False, name=None))


def test_the_right_password_signs_in_and_leaves_no_failure(people):
    assert sign_in(people, " ani ", SECRET, HOME) == Outcome(find_account(people, "ani"))
    assert log(people) == []


@pytest.mark.parametrize(
    ("name", "written"),
    [("ani", "ani"), ("gone", "gone"), ("nobody", "unknown"), (SECRET, "unknown"), ("", "unknown")],
)
def test_a_failure_is_written_down_without_what_was_typed(people, name, written):
    assert sign_in(people, name, "wrong password", HOME) == Outcome(None)
    assert log(people) == [(written, "sign_in_failed", written)]
    assert audit.entries(people).iloc[0]["detail"] == {"address": HOME}


@pytest.mark.parametrize("name", ["a\0b", "x" * 2**20, "' OR 1=1 --", "ani\n", "ａni", "ＡＮＩ", "\u202eani"])
def test_whatever_is_typed_as_a_name_is_a_failure_like_any_other(people, name):
    assert sign_in(people, name + "!", SECRET, HOME) == Outcome(None)
    assert log(people) == [("unknown", "sign_in_failed", "unknown")]


@pytest.mark.parametrize("name", ["ani", "gone", "nobody"])
def test_the_fifth_failure_makes_wait_whoever_it_is(people, name):
    said = [sign_in(people, name, "wrong password", HOME) for _ in range(5)]
    assert [one.wait for one in said] == [NONE] * 4 + [timedelta(seconds=15)]
    held = sign_in(people, name, SECRET, HOME)
    assert held.account is None
    assert NONE < held.wait <= timedelta(seconds=15)
    actions = [action for _actor, action, _object in log(people)]
    assert actions == ["sign_in_held", *["sign_in_failed"] * 5]  # a try that waits is not another entry
    assert audit.entries(people).iloc[0]["detail"] == {"address": HOME, "seconds": 15}


def test_a_password_is_not_looked_at_while_it_has_to_wait(people, monkeypatch):
    for _ in range(5):
        sign_in(people, "ani", "wrong password", HOME)
    monkeypatch.setattr(signing_in.accounts, "verify_password", lambda *_: pytest.fail("looked at"))
    assert sign_in(people, "ani", SECRET, HOME).account is None


def test_the_owner_signs_in_elsewhere_meanwhile_and_failures_are_forgiven(people):
    for _ in range(5):
        sign_in(people, "ani", "wrong password", AWAY)
    assert sign_in(people, "ani", SECRET, HOME).account is not None
    said = [sign_in(people, "ani", "wrong password", HOME) for _ in range(4)]
    assert {one.wait for one in said} == {NONE}


def test_another_password_needs_the_present_one_and_ends_the_other_sessions(people):
    ani = find_account(people, "ani")
    mine, other = (sessions.begin(people, ani)[0] for _ in range(2))
    session = sessions.find(people, mine)
    assert change_password(people, session, "wrong password", OTHER, HOME).account is None
    assert change_password(people, session, SECRET, OTHER, HOME).account == ani
    assert [sessions.find(people, one) is None for one in (mine, other)] == [False, True]
    assert verify_password(people, "ani", OTHER) == ani
    assert verify_password(people, "ani", SECRET) is None
    assert log(people) == [("ani", "change_password", "ani"), ("ani", "sign_in_failed", "ani")]
    assert audit.entries(people).iloc[0]["detail"] == {"sessions_ended": 1}


def test_a_refused_new_password_changes_nothing(people):
    mine, other = (sessions.begin(people, find_account(people, "ani"))[0] for _ in range(2))
    with pytest.raises(PasswordRefused):
        change_password(people, sessions.find(people, mine), SECRET, "password1234", HOME)
    assert verify_password(people, "ani", SECRET) is not None
    assert sessions.find(people, other) is not None
    assert log(people) == []


def test_guessing_the_present_password_in_an_open_tab_has_to_wait(people):
    session = sessions.find(people, sessions.begin(people, find_account(people, "ani"))[0])
    for _ in range(5):
        change_password(people, session, "wrong password", OTHER, HOME)
    assert change_password(people, session, SECRET, OTHER, HOME).wait > NONE
    assert verify_password(people, "ani", SECRET) is not None
    assert throttle.charge(people, "ani", HOME).held > NONE
