"""What the person of this session does is written down: at once, once per session, or when a file is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.trust import audit, sessions


def audited(action: str, thing: str, **detail) -> None:
    """Write down that the person did ``action`` on ``thing`` (an opaque key or a page, never a name)."""
    _entry(action, thing, detail)()


def _entry(action: str, thing: str, detail: dict) -> Callable[..., int]:
    """What writes the entry, with further details if it is given any; whose it is stands now, even if the
    session ends before it is written."""
    someone = current_session.person()
    if someone is None:
        raise PermissionError(f"action {action!r} needs somebody signed in")
    whose = {"actor": someone.account, "role": someone.role}
    write = partial(audit.append, stores.store(), **whose, action=action, object=thing)
    return lambda **more: write(detail=detail | more)


def audited_once(action: str, thing: str, **detail) -> None:
    """As :func:`audited`, but one entry per session, thing and detail: a rerun is not another look."""
    seen, look = st.session_state.setdefault(Key.AUDITED, set()), (action, thing, repr(detail))
    if look not in seen:
        audited(action, thing, **detail)
        seen.add(look)


def handed_out(
    make: Callable[[], bytes], action: str, thing: str, *, hashed: bool = False, **detail
) -> Callable[[], bytes]:
    """``make`` for a download button, with an entry in the audit log whenever the file is made.

    Of one that is handed on as proof (``hashed``) the entry holds the SHA-256, as ``file_sha256``.

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
        note(**({"file_sha256": hashlib.sha256(content).hexdigest()} if hashed else {}))
        return content

    return made
