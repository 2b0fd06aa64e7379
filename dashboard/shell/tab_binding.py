"""Binding a tab to a session by signing in, freeing it by signing out, and the browser's cookie for both."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.auditing import audited
from dashboard.shell.session_keys import Key
from dashboard.shell.sessions import Serving
from data.trust import sessions
from data.trust.accounts import Account


def sign_in_as(someone: Account, way: str = "password") -> None:
    """Begin the session of a person; of the one before nothing stays behind but whose it was.

    Parameters
    ----------
    someone : Account
    way : str
        One of :data:`data.trust.sessions.WAYS`.
    """
    store, cookie = stores.store(), current_session.cookie()
    sessions.end_by_cookie(store, cookie)
    current_session.leave(ended=False)
    st.session_state[Key.BOUND_TO] = someone.account
    st.session_state[Key.CAME_WITH] = cookie  # over from here on; the new one comes with the next connection
    st.session_state[Key.SESSION], ticket = sessions.begin(store, someone, way)
    if Serving.cookies:
        st.session_state[Key.TICKET] = ticket
    audited("sign_in", someone.role, way=way, address=current_session.address())


def sign_out(*, everywhere: bool = False) -> None:
    """End the session of this tab, in its other tabs and for its cookie too; or every one of the person's.

    The address goes back to the root: what stands in it says whom or what the person looked at last. What
    stands behind its question mark goes before anything else is done.
    """
    st.query_params.clear()
    session = current_session.session()
    if session is not None:
        audited("sign_out_everywhere" if everywhere else "sign_out", session.account.role)
        if everywhere:
            sessions.end_all(stores.store(), session.account.account)
        else:
            sessions.end(stores.store(), session.session_id)
    current_session.leave(ended=False)
    st.session_state[Key.LEFT_BY] = None
    st.session_state[Key.TO_ROOT] = True
    st.session_state[Key.COOKIE_OVER] = Serving.cookies
    st.session_state[Key.PROVIDER_OVER] = session is not None and session.way == "provider"


def back_to_the_root(root) -> None:
    """Once after sign-out: the first page's address, with nothing behind a question mark.

    Parameters
    ----------
    root : st.Page
        The page there, of those that exist in this run.
    """
    if st.session_state.pop(Key.TO_ROOT, False):
        st.switch_page(root)


def others_address(someone: Account) -> bool:
    """Whether the address is one at which the session of somebody else ended in this tab; told once.

    Nobody asked for it. Whoever comes back to their own goes on where they were.
    """
    left_by = st.session_state.pop(Key.LEFT_BY, None)
    return left_by is not None and left_by != someone.account


def told_of_the_end() -> None:
    """On the sign-in: say why somebody who was at work finds themselves here."""
    if st.session_state.get(Key.ENDED):
        st.info(current_session.words()("sign_in.ended"), icon=":material/lock_clock:")


def keep_signed_in() -> None:
    """Once after sign-in: let the browser exchange the ticket for a cookie that scripts cannot read."""
    ticket = st.session_state.pop(Key.TICKET, None)
    if ticket is not None:
        post = f"fetch('session', {{method: 'POST', body: '{ticket}', credentials: 'same-origin'}})"
        st.html(f"<script>{post}</script>", unsafe_allow_javascript=True)


def give_cookie_back() -> None:
    """Once after sign-out: let the browser forget the cookie, which opens nothing any more.

    Whoever came through the institution's own sign-in leaves by it, which takes all cookies away.
    """
    if st.session_state.pop(Key.PROVIDER_OVER, False) and Serving.provider is not None:
        st.session_state.pop(Key.COOKIE_OVER, None)
        return st.logout()
    if st.session_state.pop(Key.COOKIE_OVER, False):
        drop = "fetch('session', {method: 'DELETE', credentials: 'same-origin'})"
        st.html(f"<script>{drop}</script>", unsafe_allow_javascript=True)
