"""The audit log on its page: whether it is whole, and what to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from dashboard.components.paper import filters_in_force
from dashboard.shell import current_session, stores
from dashboard.shell.audit_words import chain_words
from dashboard.shell.plain import shown
from data.settings import get_settings
from data.trust import audit
from data.trust.audit_chain import ChainReport, verify_chain
from data.trust.time_stamps import StampProblem, authority

CHECKED_SECONDS = 300  # a chain that was found whole is read again after so long, or when it grows


def chain_state() -> None:
    """Say whether an entry was altered, removed or put in."""
    words, store = current_session.words(), stores.store()
    report = _verified(store.url, audit.newest_entry(store))
    lines = chain_words(report, words, current_session.zone_name())
    if report.intact:
        st.success(" ".join(lines), icon=":material/link:")
    else:
        st.error(" ".join([*lines, words("audit.ask")]), icon=":material/link_off:")


@st.cache_data(ttl=CHECKED_SECONDS, max_entries=8, show_spinner=False)
def _verified(url: str, newest: int) -> ChainReport:
    try:
        trusted = authority(get_settings().tsa_ca)
    except StampProblem:  # a file that cannot be read: then the page says that nothing was checked by it
        trusted = []
    return verify_chain(stores.store(), None, trusted)


@dataclass(frozen=True)
class Looked:
    """What the log is narrowed to; None: not at all.

    Parameters
    ----------
    actor, action : str or None
    about : str or None
        Part of what it was done to.
    first, last : date or None
        Days, on the institution's clock.
    """

    actor: str | None
    action: str | None
    about: str | None
    first: date | None
    last: date | None


def filters(people: Mapping[str, str]) -> Looked:
    """What to look for.

    Parameters
    ----------
    people : mapping
        Account → name on the screen.
    """
    words = current_session.words()
    actors, actions = audit.who_and_what(stores.store())
    with st.container(horizontal=True, key="audit-filters"):
        actor = st.selectbox(
            words("audit.filter_actor"),
            ["", *actors],
            format_func=lambda name: shown(people.get(name, name)) if name else words("audit.any_actor"),
            key="audit-actor",
        )
        action = st.selectbox(
            words("audit.filter_action"),
            ["", *actions],
            format_func=lambda name: words.named("action", name) if name else words("audit.any_action"),
            key="audit-action",
        )
        about = st.text_input(words("audit.about"), key="audit-about", help=words("audit.about_help"))
        first = st.date_input(words("audit.from"), None, format="DD/MM/YYYY", key="audit-from")
        last = st.date_input(words("audit.until"), None, format="DD/MM/YYYY", key="audit-until")
    looked = Looked(actor or None, action or None, about.strip() or None, first, last)
    filters_in_force(in_words(looked, people))
    return looked


def in_words(looked: Looked, people: Mapping[str, str]) -> dict[str, str | None]:
    """What the log is narrowed to, as paper and files say it."""
    words = current_session.words()
    return {
        words("audit.filter_actor"): looked.actor and people.get(looked.actor, looked.actor),
        words("audit.filter_action"): looked.action and words.named("action", looked.action),
        words("audit.about"): looked.about,
        words("audit.from"): looked.first and words.day(looked.first),
        words("audit.until"): looked.last and words.day(looked.last),
    }


def found(looked: Looked, most: int) -> pd.DataFrame:
    """The newest entries that the filters leave, with moments of the store."""
    since = None if looked.first is None else current_session.stored(looked.first)
    until = None if looked.last is None else current_session.stored(looked.last + timedelta(days=1))
    about = {"actor": looked.actor, "action": looked.action, "about": looked.about}
    return audit.entries(stores.store(), **about, since=since, until=until, limit=most)
