"""The two ways in: a demo seat by one click, or account and password."""

from __future__ import annotations

import streamlit as st

from dashboard import access, app_state
from dashboard.plain import shown
from data.accounts import Account
from data.columns import ROLES

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
        From :func:`dashboard.access.demo_seats`; roles with several accounts let the visitor choose one.
    """
    words = app_state.words()
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
                    format_func=lambda one: shown(one.display_name),
                    key=f"seat-{role}",
                    label_visibility="collapsed",
                )
            label = words("sign_in.enter", role=words(f"role.{role}").lower())
            if st.button(label, key=f"enter-{role}", type="primary" if role == "advisor" else "secondary"):
                chosen = account
    return chosen


def password_form() -> Account | None:
    """Account and password; the account when they are right."""
    words = app_state.words()
    with st.form("sign-in"):
        name = st.text_input(words("sign_in.account"), autocomplete="username")
        password = st.text_input(words("sign_in.password"), type="password", autocomplete="current-password")
        if not st.form_submit_button(words("sign_in.submit"), type="primary"):
            return None
    account = access.sign_in(app_state.store(), name, password)
    if account is None:
        st.error(words("sign_in.wrong"))
    return account
