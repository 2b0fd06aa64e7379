"""One's own account: the sessions that are open, signing out everywhere, another password."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, signing_in, stores, tab_binding
from dashboard.shell.auditing import audited
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.sign_in import wait_words
from data.settings import get_settings
from data.trust import sessions
from data.trust.passwords import MAX_PASSWORD, MIN_PASSWORD, PasswordRefused


def account_button() -> None:
    """The way to one's own account; not for a demo seat, which many people share."""
    words, session = current_session.words(), current_session.session()
    if session is None or session.way == "seat":
        return
    if st.button(words("account.label"), icon=":material/manage_accounts:", type="tertiary", key="account"):
        st.dialog(words("account.title"))(_account)()
    if st.session_state.pop(Key.PASSWORD_CHANGED, False):
        st.toast(words("account.changed"), icon=":material/check:")


def _account() -> None:
    words, session = current_session.words(), current_session.session()
    if session is None:
        return
    own = sessions.sessions_of(stores.store(), session.account.account)
    st.markdown(f"**{words('account.sessions', n=len(own))}**")
    for place, (entry, line) in enumerate(zip(own, _lines(own), strict=True)):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            if entry.session_id == session.session_id:
                st.caption(f"{line} · {words('account.this_one')}", width="content")
                continue
            st.caption(line, width="content")
            label, about = words("account.end_one"), words("account.end_one_of", session=line)
            key = f"end-session-{place}"
            st.button(label, key=key, type="tertiary", help=about, on_click=_end, args=(entry,))
    if st.button(words("account.everywhere"), icon=":material/logout:", key="everywhere"):
        tab_binding.sign_out(everywhere=True)
        st.rerun()
    st.divider()
    if session.way == "password":
        password_form(session)
    whom_to_ask()


def _end(one: sessions.Session) -> None:
    """End another session of one's own; it is out in every tab of its browser."""
    person = current_session.person()
    if person is None or person.account != one.account.account:
        return
    sessions.end(stores.store(), one.session_id)
    audited("end_session", one.account.account, started=f"{one.started_at:%Y-%m-%dT%H:%M}Z")


def _lines(own: list[sessions.Session]) -> list[str]:
    words = current_session.words()
    return [
        words(
            "account.session",
            began=current_session.moment(entry.started_at),
            seen=current_session.moment(entry.seen_at),
        )
        for entry in own
    ]


def whom_to_ask() -> None:
    """Who helps with accounts, as the settings say."""
    words, contact = current_session.words(), get_settings().contact.strip()
    said = words("account.ask_contact", contact=plain(contact)) if contact else words("account.ask_anybody")
    st.caption(f":material/contact_support: {said}")


def password_form(session: sessions.Session) -> None:
    """Another password for the owner of a session; the present one is asked for."""
    words = current_session.words()
    st.markdown(f"**{words('account.password_title')}**")
    st.caption(words("account.rule", least=MIN_PASSWORD, most=MAX_PASSWORD))
    with st.form("password"):
        old = st.text_input(words("account.old"), type="password", autocomplete="current-password")
        new = st.text_input(words("account.new"), type="password", autocomplete="new-password")
        again = st.text_input(words("account.again"), type="password", autocomplete="new-password")
        if not st.form_submit_button(words("account.submit"), type="primary"):
            return
    problem = _changed(session, old, new, again)
    if problem:
        st.error(problem)
        return
    st.session_state[Key.PASSWORD_CHANGED] = True
    current_session.look_again()
    st.rerun()


def _changed(session: sessions.Session, old: str, new: str, again: str) -> str:
    """Change the password; what is wrong in words, or nothing."""
    words = current_session.words()
    if new != again:
        return words("account.differ")
    try:
        outcome = signing_in.change_password(stores.store(), session, old, new, current_session.address())
    except PasswordRefused as refusal:
        return words(f"account.refused_{refusal.code}", least=MIN_PASSWORD, most=MAX_PASSWORD)
    if outcome.account is None:
        why = words("sign_in.ran_out" if outcome.ran_out else "account.old_wrong")
        return " ".join(part for part in (why, wait_words(outcome.wait)) if part)
    return ""
