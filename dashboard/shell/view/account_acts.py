"""One account on the accounts page: change it, close or open it, another password, end its sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from dashboard.shell import account_list, current_session, stores
from dashboard.shell.access import may_manage_accounts
from dashboard.shell.plain import plain, shown
from dashboard.shell.view.account_form import password_choice, programs_choice, role_choice, tell
from data.trust.account_states import AccountState
from data.trust.accounts import LONGEST_NAME, Account


def allowed() -> bool:
    """Whether whoever is here may manage accounts."""
    person = current_session.person()
    return person is not None and may_manage_accounts(person)


def one_account(states: Sequence[AccountState], programs: Mapping[str, str]) -> None:
    """Choose an account, and what can be done with it.

    Parameters
    ----------
    states : sequence of AccountState
    programs : mapping
        Code of a programme → its name.
    """
    words = current_session.words()
    by_name = {state.account.account: state for state in states}
    chosen = st.selectbox(
        words("accounts.choose"),
        list(by_name),
        index=None,
        format_func=lambda name: shown(f"{by_name[name].account.display_name} · {name}"),
        placeholder=words("accounts.choose_hint"),
        key="account-chosen",
    )
    if chosen is None:
        return
    if chosen == current_session.person().account:
        own = "own_bound" if by_name[chosen].is_bound else "own"
        st.info(words(f"accounts.{own}"), icon=":material/info:")
        return
    with st.container(border=True, key="account-card"):
        _change(by_name[chosen], programs)
        with st.container(horizontal=True, key="account-acts"):
            _close_or_open(by_name[chosen])
            if not by_name[chosen].is_bound:
                _reset(by_name[chosen].account)
            _end_sessions(by_name[chosen])


def _change(state: AccountState, programs: Mapping[str, str]) -> None:
    words, before = current_session.words(), state.account
    # What the fields begin with is what the account is now: another state is another field.
    key = f"{before.account}-{before.role}-{','.join(before.program_codes or ('*',))}-{before.display_name}"
    display_name = st.text_input(
        words("accounts.column_name"), before.display_name, max_chars=LONGEST_NAME, key=f"display-{key}"
    )
    role, codes = before.role, before.program_codes
    if state.is_bound:
        st.caption(f":material/info: {words('accounts.provider_rules')}")
    else:
        role = role_choice(before.role, f"role-{key}")
        codes = programs_choice(before.program_codes, programs, key)
    after = replace(before, display_name=display_name.strip(), role=role, program_codes=codes)
    differs = account_list.changes(before, after, programs, words)
    if not differs:
        return
    for what, was, now in differs:
        st.markdown(f"{plain(what)}: {plain(was)} → **{plain(now)}**")
    if state.sessions and (after.role, after.program_codes) != (before.role, before.program_codes):
        st.caption(words("accounts.sessions_end", sessions=words.count("sessions", state.sessions)))
    if st.button(words("accounts.confirm"), type="primary", icon=":material/check:", key="account-confirm"):
        _done(before, after, words("accounts.changed", name=plain(before.account)))


def _close_or_open(state: AccountState) -> None:
    words, before = current_session.words(), state.account
    act = "close" if before.active else "reopen"
    with st.popover(
        words(f"accounts.{act}"), icon=":material/person_off:" if before.active else ":material/person:"
    ):
        text = "reopen_text_bound" if act == "reopen" and state.is_bound else f"{act}_text"
        st.markdown(words(f"accounts.{text}", name=plain(before.display_name)))
        if st.button(words(f"accounts.{act}_sure"), type="primary", key=f"account-{act}"):
            after = replace(before, active=not before.active)
            _done(before, after, words(f"accounts.{act}_done", name=plain(before.account)))


def _reset(before: Account) -> None:
    words = current_session.words()
    with st.popover(words("accounts.reset"), icon=":material/lock_reset:"):
        st.markdown(words("accounts.reset_text", name=plain(before.display_name)))
        key, label = f"reset-{before.account}", words("accounts.reset_sure")
        pressed, secret, typed = password_choice(key, label, "account-reset")
        if pressed:
            after = replace(before, password=secret, once=True)
            said = words("accounts.reset_done", name=plain(before.account))
            _done(before, after, said, "" if typed else secret)


def _end_sessions(state: AccountState) -> None:
    words, name = current_session.words(), state.account.account
    label = words("accounts.end_sessions", n=state.sessions)
    with st.popover(label, icon=":material/logout:", disabled=not state.sessions):
        st.markdown(words("accounts.end_sessions_text", name=plain(state.account.display_name)))
        if st.button(words("accounts.end_sessions_sure"), type="primary", key="account-end-sessions"):
            ended = account_list.end_sessions(stores.store(), current_session.person(), name)
            tell(words("accounts.sessions_ended", sessions=words.count("sessions", ended)))
            st.rerun()


def _done(before: Account, after: Account, said: str, secret: str = "") -> None:
    problem = account_list.change(
        stores.store(), current_session.person(), before, after, current_session.words()
    )
    if problem:
        st.error(problem)
        return
    tell(said, secret)
    st.rerun()
