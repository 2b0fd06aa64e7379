"""The two ways in: a demo seat by one click, or account and password."""

from __future__ import annotations

import math
from datetime import timedelta

import streamlit as st

from dashboard.shell import current_session, signing_in, stores
from dashboard.shell.plain import shown
from data.columns import ROLES
from data.trust.accounts import Account

ICONS = {
    "leadership": "account_balance",
    "advisor": "groups",
    "registry": "signature",
    "accreditation": "verified",
    "auditor": "policy",
    "administrator": "settings",
}


def demo_seats(seats: dict[str, list[Account]]) -> Account | None:
    """A card per role; the account whose card was clicked.

    Parameters
    ----------
    seats : dict of str to list of Account
        From :func:`dashboard.shell.access.demo_seats`; roles with several accounts let the visitor choose
        one.
    """
    words = current_session.words()
    st.badge(words("app.synthetic"), icon=":material/science:", color="violet")
    st.markdown(words("sign_in.demo_lead"))
    grid = st.grid(2, min_column_width=260, gap="small", key="seats", border=True)
    chosen = None
    for role in ROLES:
        if role not in seats:
            continue
        with grid.cell():
            st.markdown(f":material/{ICONS[role]}: **{words(f'role.{role}')}**")
            st.caption(words(f"role_lead.{role}"))
            account = seats[role][0]
            if len(seats[role]) > 1:
                account = st.selectbox(
                    words("sign_in.account"),
                    seats[role],
                    format_func=lambda seat: shown(seat.display_name),
                    key=f"seat-{role}",
                    label_visibility="collapsed",
                )
            label = words("sign_in.enter", role=words(f"role.{role}").lower())
            if st.button(label, key=f"enter-{role}", type="primary" if role == "advisor" else "secondary"):
                chosen = account
    return chosen


def password_form() -> Account | None:
    """Account and password; the account when they are right."""
    words = current_session.words()
    with st.form("sign-in"):
        name = st.text_input(words("sign_in.account"), autocomplete="username")
        password = st.text_input(words("sign_in.password"), type="password", autocomplete="current-password")
        if not st.form_submit_button(words("sign_in.submit"), type="primary"):
            return None
    outcome = signing_in.sign_in(stores.store(), name, password, current_session.address())
    if outcome.account is None:
        why = words("sign_in.ran_out" if outcome.ran_out else "sign_in.wrong")
        st.error(" ".join(part for part in (why, wait_words(outcome.wait)) if part))
    return outcome.account


def wait_words(wait: timedelta) -> str:
    """How long to wait before another try; nothing when there is nothing to wait for."""
    words, seconds = current_session.words(), math.ceil(wait.total_seconds())
    if seconds <= 0:
        return ""
    if seconds <= 90:
        return words("sign_in.wait_seconds", n=seconds)
    return words("sign_in.wait_minutes", n=math.ceil(seconds / 60))
