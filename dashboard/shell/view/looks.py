"""What is written down of looking: lists seen, searches, and what was refused. Never what was typed."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import streamlit as st

from dashboard.shell import stores
from dashboard.shell.access import PAGES
from dashboard.shell.auditing import audited_once
from dashboard.shell.session_keys import Key

_KEY = re.compile(r"[0-9a-f]{8,32}")


def saw_list(name: str, **how) -> None:
    """A list of students was shown; one entry per session and way of narrowing it.

    Parameters
    ----------
    name : str
        "caseload" or "followups".
    how
        How the list was narrowed: codes and numbers, None where it was not.
    """
    audited_once(f"view_{name}", name, **{key: one for key, one in how.items() if one is not None})


def searched(text: str) -> None:
    """A student was looked for by number or name, on the page that is drawn.

    What was typed may be a name: a keyed hash stands for it, by which the same search can be recognised and
    nobody can be read off the log.
    """
    told = stores.store().cipher.keyed("search", " ".join(text.casefold().split()))[:16]
    where = st.session_state.get(Key.PAGE_DRAWN, "page")
    audited_once("search_students", where, text_hash=told, length=len(text))


def refused_student(key: str) -> None:
    """Somebody asked for a student whom their account does not reach, or who does not exist."""
    audited_once("refuse_student", key if _KEY.fullmatch(key) else "no student key")


def refused_page(names: list[str]) -> None:
    """Write down when the address asks for a page that the role does not have.

    Parameters
    ----------
    names : list of str
        The pages of the role.
    """
    asked = asked_page()
    if asked in PAGES and asked not in names:
        audited_once("refuse_page", asked)


def asked_page() -> str:
    """The last part of the address, as it is read; empty at the root."""
    return unquote(urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2])
