"""The way in through the institution's own sign-in, and what is said when it does not let somebody in."""

from __future__ import annotations

import logging

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.plain import shown
from dashboard.shell.provider import NotAnAnswer
from dashboard.shell.provider_guard import DONE, SAID, WRONG
from dashboard.shell.session_keys import Key
from dashboard.shell.sessions import Serving
from dashboard.shell.view import sign_in
from data.settings import get_settings
from data.trust.accounts import Account
from data.trust.identities import NotAdmitted, admit

logger = logging.getLogger(__name__)


def arrived() -> Account | None:
    """Whom the provider has just sent here; nobody when its answer is an old one or opens nothing."""
    provider, account = Serving.provider, None
    claims = {} if provider is None else st.user.to_dict()
    if not claims.get("is_logged_in"):
        return None
    try:
        claimed = provider.read(claims, Serving.client_id)
        account = admit(stores.store(), claimed, current_session.address())
    except NotAnAnswer as problem:
        logger.info("an answer of the provider was not taken: %s", problem)
        if st.query_params.get(SAID) == DONE:  # else it lies in the browser's cookie since long before
            st.session_state[Key.PROVIDER_SAID] = "failed"
    except NotAdmitted as refusal:
        if refusal.code != "used":  # that one lies in the browser's cookie since an earlier sign-in
            st.session_state[Key.PROVIDER_SAID] = f"refused_{refusal.code}"
    if st.query_params.get(SAID) == DONE:
        del st.query_params[SAID]
    return account


def door() -> None:
    """The button that leads to the provider, and what went wrong on the way back."""
    words, provider = current_session.words(), Serving.provider
    if provider is None:
        return
    wrong = st.query_params.get(SAID)
    if wrong in WRONG:
        st.session_state[Key.PROVIDER_SAID] = wrong
        del st.query_params[SAID]
    if Key.PROVIDER_SAID in st.session_state:
        name = shown(provider.name)
        st.error(words(f"provider.{st.session_state[Key.PROVIDER_SAID]}", name=name), icon=":material/block:")
    label = words("provider.enter", name=shown(provider.name))
    if st.button(label, type="primary", icon=":material/login:", key="provider", width="stretch"):
        st.session_state.pop(Key.PROVIDER_SAID, None)
        st.login()


def only_passwords() -> bool:
    """Whether a password is the only way in."""
    return Serving.provider is None


def password_form() -> Account | None:
    """Account and password, as a second way where there is another, and not where passwords open nothing."""
    if not get_settings().local_accounts:
        return None
    if only_passwords():
        return sign_in.password_form()
    with st.expander(current_session.words()("provider.local"), key="local-account"):
        return sign_in.password_form()
