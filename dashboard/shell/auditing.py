"""What the person of this session does is written down: at once, once per session, or when a file is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.trust import audit, sessions


def audited(action: str, thing: str, **detail) -> None:
    """Write down that the person did ``action`` on ``thing`` (an opaque key or a page, never a name)."""
    _entry(action, thing, detail)()


def _entry(action: str, thing: str, detail: dict) -> Callable[[], int]:
    """What writes the entry; whose it is stands now, even if the session ends before it is written."""
    someone = current_session.person()
    if someone is None:
        raise PermissionError(f"action {action!r} needs somebody signed in")
    whose = {"actor": someone.account, "role": someone.role}
    return partial(audit.append, stores.store(), **whose, action=action, object=thing, detail=detail)


def audited_once(action: str, thing: str) -> None:
    """As :func:`audited`, but one entry per session and thing: a rerun is not another look."""
    seen = st.session_state.setdefault(Key.AUDITED, set())
    if (action, thing) not in seen:
        audited(action, thing)
        seen.add((action, thing))


def handed_out(make: Callable[[], bytes], action: str, thing: str, **detail) -> Callable[[], bytes]:
    """``make`` for a download button, with an entry in the audit log whenever the file is made.

    The button asks for the file when no session is at hand, so who it is stands here, and whether they are
    still signed in is asked then. It must not start a run of the page (``on_click="ignore"``): the new run
    forgets the file before it is made.
    """
    note = _entry(action, thing, detail)
    bound, alive_at = st.session_state.get(Key.SESSION), st.session_state.get(Key.ALIVE_AT)

    def made() -> bytes:
        if bound is not None and sessions.find(stores.store(), bound, alive_at) is None:
            raise PermissionError("the session has ended: sign in again")
        content = make()
        note()
        return content

    return made
