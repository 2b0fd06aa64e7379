"""The whole app without a browser: a tab asks the store on every run whether its session lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from dashboard.shell import auditing, current_session, server
from dashboard.shell.account_list import state_words
from dashboard.shell.plain import plain
from dashboard.shell.sessions import Serving
from dashboard.shell.wording import Words
from data import schema
from data.engine.clock import now
from data.settings import get_settings
from data.trust import audit, sessions
from data.trust.account_states import account_states
from data.trust.accounts import (
    Account,
    change_account,
    change_password,
    find_account,
    first_password_ran_out,
    verify_password,
    write_accounts,
)

SCRIPT = Path(__file__).resolve().parents[3] / "streamlit_app.py"
SECRET, OTHER = "seven quiet otters", "nine loud herons"
EN = Words("en")
SARI = Account("sari", "Sari W.", "auditor", password=SECRET)


@pytest.fixture
def people(store, served):
    served(store)
    write_accounts(store, [SARI, Account("wira", "Wira K.", "administrator", password=SECRET)])
    return store


def opened() -> AppTest:
    at = AppTest.from_file(str(SCRIPT), default_timeout=60)
    at.session_state["language"] = "en"
    return at.run()


def tried(at: AppTest, password: str = SECRET) -> AppTest:
    at.text_input[0].set_value("sari")
    at.text_input[1].set_value(password)
    at.button[0].click().run()
    return at


def is_in(at: AppTest) -> bool:
    assert not at.exception
    return any(plain("Sari W.") in str(text.value) for text in at.markdown)


def aged(store, **columns) -> None:
    with store.writing("accounts") as connection:
        connection.execute(update(schema.sessions).values(**columns))


def test_sign_in_binds_the_tab_to_a_session_of_the_store(people):
    at = tried(opened())
    assert is_in(at)
    [session] = sessions.sessions_of(people, "sari")
    assert at.session_state["session"] == session.session_id
    assert audit.entries(people)["action"].tolist()[-1] == "sign_in"
    assert "ticket" not in at.session_state  # nobody is there to set a cookie


def test_a_password_set_by_somebody_else_opens_no_file_no_upload_and_no_figures(people):
    write_accounts(people, [replace(find_account(people, "wira"), password=OTHER, once=True)])
    session_id, ticket = sessions.begin(people, find_account(people, "wira"))
    cookie = sessions.redeem(people, ticket)
    assert server._session_of(cookie).account.once
    assert server._account_of(cookie) is server._session_at_work(cookie) is None
    change_password(people, "wira", "four patient herons", keep=session_id)
    assert server._account_of(cookie).account == "wira"
    assert server._session_at_work(cookie).session_id == session_id


def test_a_server_of_its_own_gives_the_tab_a_ticket_once(people, monkeypatch):
    monkeypatch.setattr(Serving, "cookies", True)
    at = tried(opened())
    assert is_in(at)
    assert "ticket" not in at.session_state  # it went to the browser with the page


@pytest.mark.parametrize(
    "change",
    [
        lambda store: write_accounts(store, [Account("sari", "Sari W.", "auditor", active=False)]),
        lambda store: write_accounts(store, [Account("sari", "Sari W.", "leadership")]),
        lambda store: write_accounts(store, [Account("sari", "Sari W.", "auditor", ("IF",))]),
        lambda store: write_accounts(store, [Account("sari", "Sari W.", "auditor", password=OTHER)]),
        lambda store: sessions.end_all(store, "sari"),
        lambda store: aged(store, started_at=now() - timedelta(hours=8)),
    ],
    ids=["closed", "role", "programmes", "password", "ended elsewhere", "eight hours"],
)
def test_an_open_tab_is_out_with_its_next_run_and_is_told_so(people, change):
    at = tried(opened())
    change(people)
    at.run()
    assert not is_in(at)
    assert [info.value for info in at.info] == [EN("sign_in.ended")]
    for kept in ("session", "alive_at", "audited", "pages"):
        assert kept not in at.session_state


def test_a_database_that_is_away_is_told_calmly_and_the_tab_goes_on_when_it_is_back(people, monkeypatch):
    at = tried(opened())

    def away(*_):
        raise RuntimeError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "find", away)
        at.run()
        assert not is_in(at)
        [error] = at.error
        assert EN("state.error_title") in error.value
        assert "secret" not in error.value
    assert is_in(at.run())


def test_an_idle_tab_is_out_and_one_in_use_is_not(people):
    at = tried(opened())
    aged(people, seen_at=now() - timedelta(minutes=31))
    assert is_in(at.run())  # it was used a moment ago, though the store has not been told yet
    at.session_state["alive_at"] = now() - timedelta(minutes=30)
    aged(people, seen_at=now() - timedelta(minutes=30))
    assert not is_in(at.run())


def test_use_is_told_to_the_store_beside_the_page(people):
    at = tried(opened())
    aged(people, seen_at=now() - timedelta(minutes=5))
    at.run()
    current_session._PULSES.submit(lambda: None).result(30)  # the one before has run
    [session] = sessions.sessions_of(people, "sari")
    assert now() - session.seen_at < timedelta(minutes=1)


def test_signing_out_ends_the_session_and_is_written_down(people):
    at, other = tried(opened()), tried(opened())
    at.button(key="sign-out").click().run()
    assert not is_in(at)
    assert not at.info
    assert is_in(other.run())
    assert len(sessions.sessions_of(people, "sari")) == 1
    assert audit.entries(people).iloc[0]["action"] == "sign_out"
    assert is_in(tried(at))


def _acting() -> None:
    import streamlit as st

    from dashboard.shell import auditing, current_session

    st.session_state.setdefault("language", "en")
    someone = current_session.person()

    def act() -> None:
        auditing.audited("act", current_session.person().account)

    st.button("act", on_click=act, key="act")
    st.markdown(someone.account if someone else "nobody")


def bound(store) -> tuple[AppTest, str]:
    """A page of one button, in a tab that is signed in."""
    at = AppTest.from_function(_acting, default_timeout=60)
    session_id, _ = sessions.begin(store, SARI)
    at.session_state["session"] = session_id
    return at.run(), session_id


def test_a_callback_after_the_end_does_nothing_and_breaks_nothing(people):
    at, session_id = bound(people)
    at.button(key="act").click().run()
    assert len(audit.entries(people)) == 1
    sessions.end(people, session_id)
    at.button(key="act").click().run()
    assert not at.exception
    assert [text.value for text in at.markdown] == ["nobody"]
    assert len(audit.entries(people)) == 1


def _watched() -> None:
    from dashboard.shell import current_session

    with current_session.unattended():
        current_session.person()


def test_a_page_that_only_looks_does_not_keep_its_session_alive(people):
    at = AppTest.from_function(_watched, default_timeout=60)
    at.session_state["language"] = "en"
    at.session_state["session"], _ = sessions.begin(people, SARI)
    at.run()
    assert "alive_at" not in at.session_state
    aged(people, seen_at=now() - timedelta(minutes=30))
    at.run()
    assert "session" not in at.session_state


def test_a_download_after_the_end_is_refused(people, monkeypatch):
    session_id, _ = sessions.begin(people, SARI)
    monkeypatch.setattr(current_session, "person", lambda: SARI)
    monkeypatch.setattr(current_session.st, "session_state", {"session": session_id})
    give = auditing.handed_out(lambda: b"PDF", "export", "digest", kind="pdf")
    assert give() == b"PDF"
    sessions.end(people, session_id)
    with pytest.raises(PermissionError, match="session has ended"):
        give()
    assert len(audit.entries(people, action="export")) == 1


def test_signing_out_everywhere_ends_every_session_of_the_person_and_is_written_down(people):
    others = [sessions.begin(people, SARI)[0] for _ in range(2)]
    wira = sessions.begin(people, Account("wira", "Wira K.", "administrator"))[0]
    at = AppTest.from_function(_own_account, default_timeout=60)
    own = at.session_state["session"] = sessions.begin(people, SARI)[0]
    at.run()
    at.button(key="everywhere").click().run()
    assert not at.exception
    assert [sessions.find(people, one) for one in (own, *others)] == [None] * 3
    assert sessions.find(people, wira) is not None
    entry = audit.entries(people, action="sign_out").iloc[0]
    assert (entry["actor"], entry["action"]) == ("sari", "sign_out_everywhere")


def _own_account() -> None:
    from dashboard.shell import current_session
    from dashboard.shell.view.account_dialog import _account

    if current_session.session() is not None:
        _account()


def password_asked(store, old: str, new: str, again: str) -> AppTest:
    """One's own account, with the form filled in and sent."""
    at = AppTest.from_function(_own_account, default_timeout=60)
    at.session_state["language"] = "en"
    at.session_state["session"], _ = sessions.begin(store, SARI)
    at.run()
    for field, text in zip(at.text_input, (old, new, again), strict=True):
        field.set_value(text)
    next(one for one in at.button if one.label == EN("account.submit")).click().run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        (SECRET, OTHER, OTHER + "s", EN("account.differ")),
        (SECRET, "password1234", "password1234", EN("account.refused_common")),
        (SECRET, "sarisarisari", "sarisarisari", EN("account.refused_repeated")),
        (SECRET, "sariwsari123", "sariwsari123", EN("account.refused_name")),
        (SECRET, "short", "short", EN("account.refused_short", least=12)),
        (SECRET, "x7!" * 90, "x7!" * 90, EN("account.refused_long", most=256)),
        ("wrong password", OTHER, OTHER, EN("account.old_wrong")),
    ],
)
def test_a_change_of_password_that_will_not_do_is_refused_in_words(people, old, new, again, said):
    at = password_asked(people, old, new, again)
    assert [error.value for error in at.error] == [said]
    assert verify_password(people, "sari", SECRET) is not None


def test_the_password_is_changed_and_the_tab_stays_in(people):
    elsewhere, _ = sessions.begin(people, SARI)
    at = password_asked(people, SECRET, OTHER, OTHER)
    assert not at.error
    assert verify_password(people, "sari", OTHER) is not None
    assert sessions.find(people, at.session_state["session"]) is not None
    assert sessions.find(people, elsewhere) is None


def test_one_of_ones_own_sessions_is_ended_and_the_others_go_on(people):
    wira = Account("wira", "Wira K.", "administrator")
    others = [sessions.begin(people, one)[0] for one in (SARI, SARI, wira)]
    at = AppTest.from_function(_own_account, default_timeout=60)
    at.session_state["language"] = "en"
    own = at.session_state["session"] = sessions.begin(people, SARI)[0]
    at.run()
    ends = [one for one in at.button if one.label == EN("account.end_one")]
    assert len(ends) == 2  # not this one, and nobody else's
    newest = sessions.sessions_of(people, "sari")[1].session_id
    ends[0].click().run()
    assert not at.exception
    assert sessions.find(people, newest) is None
    left = {own, *others} - {newest}
    assert all(sessions.find(people, one) is not None for one in left)
    assert len([one for one in at.button if one.label == EN("account.end_one")]) == 1
    said = audit.entries(people, action="end_session").iloc[0]
    assert (said["actor"], said["object"]) == ("sari", "sari")


def test_the_sixth_try_is_told_how_long_to_wait(people):
    at = opened()
    for _ in range(5):
        tried(at, "wrong password")
    assert [error.value for error in at.error] == [
        f"{EN('sign_in.wrong')} {EN('sign_in.wait_seconds', n=15)}"
    ]
    tried(at)
    assert not is_in(at)


def test_a_demo_seat_has_no_account_to_change(people):
    from data.store import set_fact

    set_fact(people, "synthetic", True)
    at = opened()
    at.button(key="enter-auditor").click().run()
    assert is_in(at)
    assert [session.way for session in sessions.sessions_of(people, "sari")] == ["seat"]
    assert "account" not in {button.key for button in at.button}


def test_a_password_set_by_somebody_else_is_replaced_before_anything_is_seen(people):
    write_accounts(people, [Account("sari", "Sari W.", "auditor", password=OTHER, once=True)])
    at = tried(opened(), OTHER)
    assert not at.exception
    assert [title.value for title in at.title] == [EN("first_password.title")]
    assert not is_in(at)
    for old, new in ((OTHER, OTHER), (OTHER, SECRET)):
        for field, text in zip(at.text_input, (old, new, new), strict=True):
            field.set_value(text)
        next(one for one in at.button if one.label == EN("account.submit")).click().run()
        if new == OTHER:  # the same one again is none of one's own
            assert at.error[0].value == EN("account.refused_same")
    assert is_in(at)
    assert not verify_password(people, "sari", SECRET).once


def given(people) -> None:
    """Another password for Sari, set by the administrator as on the page."""
    before = find_account(people, "sari")
    change_account(people, before, replace(before, password=OTHER, once=True), "wira", "administrator")


def replaced(at) -> None:
    for field, text in zip(at.text_input, (OTHER, SECRET, SECRET), strict=True):
        field.set_value(text)
    next(one for one in at.button if one.label == EN("account.submit")).click().run()


def test_a_first_password_opens_one_form_at_a_time_and_nothing_once_it_was_replaced(people):
    given(people)
    first, second = tried(opened(), OTHER), tried(opened(), OTHER)
    assert not first.exception and not is_in(first) and not is_in(second)
    assert [title.value for title in second.title] == [EN("first_password.title")]
    assert len(sessions.sessions_of(people, "sari")) == 1  # the earlier one has ended
    assert [title.value for title in first.run().title] != [EN("first_password.title")]
    replaced(second)
    assert is_in(second)
    late = tried(opened(), OTHER)
    assert not is_in(late) and [one.value for one in late.error] == [EN("sign_in.wrong")]
    assert is_in(tried(opened(), SECRET))


def test_a_first_password_that_nobody_used_runs_out_and_the_administrator_sees_it(people, monkeypatch):
    given(people)
    assert not first_password_ran_out(people, "sari")
    later = now() + timedelta(days=get_settings().first_password_days, minutes=1)
    monkeypatch.setattr("data.trust.accounts.now", lambda: later)
    at = tried(opened(), OTHER)
    assert not is_in(at) and at.error[0].value.startswith(EN("sign_in.ran_out"))
    assert sessions.sessions_of(people, "sari") == []
    state = next(one for one in account_states(people) if one.account.account == "sari")
    assert state.ran_out and state_words(state, EN) == EN("accounts.ran_out")
    given(people)  # set anew: good again
    monkeypatch.setattr("data.trust.accounts.now", now)
    assert not next(one for one in account_states(people) if one.account.account == "sari").ran_out
    assert [title.value for title in tried(opened(), OTHER).title] == [EN("first_password.title")]
