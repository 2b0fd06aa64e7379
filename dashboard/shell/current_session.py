"""Who sits at this tab: their session, what they may see, their language, their pages.

A tab is bound to a session of the store (:mod:`dashboard.shell.tab_binding`) and asks on every run whether it
still lasts.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from threading import local
from time import monotonic
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.reports.provenance import local_time
from dashboard.reports.provenance import today as today_in
from dashboard.reports.words import clock_name, clock_of
from dashboard.shell import stores
from dashboard.shell.access import scope_for
from dashboard.shell.open_lines import HEADER, LINES
from dashboard.shell.session_keys import Key
from dashboard.shell.sessions import LOCAL, Serving, cookie_name, over_tls
from dashboard.shell.wording import Words, language_of
from data.engine.clock import now
from data.store import Store
from data.trust import sessions
from data.trust.accounts import Account
from data.trust.scope import Scope
from data.trust.sessions import Session

LANGUAGE_COOKIE = "tepat_language"
FRESH = 1.0  # seconds that an answer about the session holds, within one run of the script
PULSE = timedelta(minutes=1)  # how often a tab in use tells the store so
_RUN = local()
_PULSES = ThreadPoolExecutor(1, "pulse")
logger = logging.getLogger(__name__)


def person() -> Account | None:
    """Who is signed in; None before, and after the session has ended."""
    bound = session()
    return None if bound is None else bound.account


def scope() -> Scope:
    """What the queries of this session may return."""
    if hasattr(_RUN, "reader"):
        return _RUN.reader[0]
    someone = person()
    return Scope.nothing() if someone is None else scope_for(someone)


def session() -> Session | None:
    """The session that this tab is bound to, as the store knows it now; None before sign-in.

    A tab is bound by signing in, or by the cookie when it is loaded. When the session has ended meanwhile,
    wherever it was, the tab forgets everything and starts anew at the sign-in. So it does when a browser has
    come to it with a cookie that is not its session's: the number of a tab is no secret.
    """
    bound = st.session_state.get(Key.SESSION)
    if bound is None:
        return _by_cookie()
    if not _own_browser(bound):
        return _start_anew()
    known = getattr(_RUN, "session", None)
    if known is not None and known[0].session_id == bound and monotonic() - known[1] < FRESH:
        return known[0]
    lasting = sessions.find(stores.store(), bound, st.session_state.get(Key.ALIVE_AT))
    return _start_anew() if lasting is None else _alive(lasting)


def _start_anew() -> None:
    leave(ended=True)
    st.rerun()  # outside a run there is nothing to start anew


def _by_cookie() -> Session | None:
    if not Serving.cookies or st.session_state.get(Key.LEFT):
        return None
    bound = sessions.find_by_cookie(stores.store(), cookie())
    if bound is None:
        return None
    st.session_state[Key.SESSION], st.session_state[Key.CAME_WITH] = bound.session_id, cookie()
    st.session_state[Key.BOUND_TO] = bound.account.account
    return _alive(bound)


def look_again() -> None:
    """Ask the store anew for the session, which this run has just changed."""
    _RUN.session = None


def _own_browser(bound: str) -> bool:
    """Whether the connection is the one that the tab was bound by, or a later one with its session's cookie.

    A cookie that was the session's once stays so, whatever ends the session. Without any cookie no connection
    comes back to a tab (:class:`dashboard.shell.web_guard.TabGuard`), so that one is the first; and while a
    browser is away there is none to look at.
    """
    brought = cookie() if Serving.cookies else None
    if not brought or brought == st.session_state.get(Key.CAME_WITH):
        return True
    owner = sessions.find_by_cookie(stores.store(), brought)
    if owner is None or owner.session_id != bound:
        return False
    st.session_state[Key.CAME_WITH] = brought
    return True


def cookie() -> str | None:
    """The cookie that the tab's connection was made with."""
    return st.context.cookies.get(cookie_name(over_tls(st.context.headers)))


def address() -> str:
    """Where the browser speaks from; a proxy in between is believed only as the settings say."""
    return st.context.ip_address or LOCAL


def _alive(bound: Session) -> Session:
    """Remember it for the rest of this run; tell the store once a minute that somebody is at work."""
    _RUN.session = (bound, monotonic())
    _tell_line(bound)
    if not getattr(_RUN, "unattended", False):
        at = now()
        told = st.session_state.get(Key.TOLD_AT, bound.seen_at)
        st.session_state[Key.ALIVE_AT] = at
        if at - max(told, bound.seen_at) >= PULSE:
            st.session_state[Key.TOLD_AT] = at
            _PULSES.submit(_tell, stores.store(), bound.session_id)
    return bound


def _tell(opened: Store, session_id: str) -> None:
    # Beside the page: on SQLite a long import holds up every writer, and no page waits for that.
    try:
        sessions.touch(opened, session_id)
    except Exception:
        logger.exception("a sign of life was not noted")


@contextmanager
def unattended():
    """Within it a look at the store is the page's own, not a sign that somebody is at work."""
    _RUN.unattended = True
    try:
        yield
    finally:
        del _RUN.unattended


def _tell_line(bound: Session | None) -> None:
    """Let the server know whose this tab is: nobody else gets it, nor sends files to it."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is None or not Serving.cookies:
        return
    line = st.context.headers.get(HEADER)
    if bound is None:
        LINES.signed_out(line, run.session_id)
    else:
        LINES.signed_in(line, run.session_id, bound.session_id, bound.account.account)


def leave(*, ended: bool) -> None:
    """Nothing of the session stays in the tab but the language.

    Parameters
    ----------
    ended : bool
        Whether the session was over, which the sign-in then says. What the address says behind its question
        mark goes at once: it tells whom or what the person looked at.
    """
    _tell_line(None)
    if ended:
        st.query_params.clear()
    language = words().language
    left_by = st.session_state.get(Key.BOUND_TO) or st.session_state.get(Key.LEFT_BY)
    st.session_state.clear()
    _RUN.session = None
    st.session_state[Key.LEFT_BY] = left_by
    st.session_state[Key.LANGUAGE] = language
    st.session_state[Key.LEFT] = True
    st.session_state[Key.ENDED] = ended


@contextmanager
def as_reader(reader: Scope, language: str, zone: str = ""):
    """Within it, in this thread, pages are drawn for a reader who has no session here.

    Parameters
    ----------
    reader : Scope
    language : str
    zone : str
        Whose clock their session tells (:func:`zone_name`) where no setting says it.
    """
    _RUN.reader = (reader, Words(language), zone)
    try:
        yield
    finally:
        del _RUN.reader


def words() -> Words:
    """The texts in the language of this session."""
    if hasattr(_RUN, "reader"):
        return _RUN.reader[1]
    spoken = st.session_state.get(Key.LANGUAGE)
    if spoken is None:
        asked = st.query_params.get("lang") or st.context.cookies.get(LANGUAGE_COOKIE)
        spoken = st.session_state[Key.LANGUAGE] = language_of(asked or st.context.locale)
    return Words(spoken)


def choose_language(language: str) -> None:
    """Speak another language from now on, after a reload too."""
    st.session_state[Key.LANGUAGE] = st.session_state[Key.LANGUAGE_TOLD] = Words(language).language
    _tell_choices_anew()


def _tell_choices_anew() -> None:
    """The browser keeps the label of what was chosen; a choice that is set again is told in the words of now.

    Buttons, files and tables keep no choice, and the state of tabs is their label.
    """
    for key, value in list(st.session_state.items()):
        parts = value if isinstance(value, list | tuple) else [value]
        is_choice = bool(parts) and all(type(part) in (str, int) for part in parts)
        if is_choice and not str(key).endswith("-tab"):
            st.session_state[key] = value


def keep_language() -> None:
    """Once after a choice: let the browser remember it in a cookie. It says nothing about a person."""
    language = st.session_state.pop(Key.LANGUAGE_TOLD, None)
    if language is not None:
        written = f"{LANGUAGE_COOKIE}={language}; path=/; max-age=31536000; samesite=lax"
        st.html(f"<script>document.cookie = '{written}'</script>", unsafe_allow_javascript=True)


def here(moments: pd.Series) -> pd.Series:
    """Moments of the store (UTC, told without a zone) on the institution's clock (:func:`zone_name`)."""
    return pd.to_datetime(moments).dt.tz_localize("UTC").dt.tz_convert(_zone()).dt.tz_localize(None)


def told(moment: datetime) -> datetime:
    """A moment of the store on the institution's clock, with its zone."""
    return local_time(pd.Timestamp(moment).isoformat(), zone_name())


def day(moment: datetime | None) -> str:
    """The day of a moment of the store, such as "20 Nov 2026"; a dash where there is none."""
    return words().day(None if moment is None or pd.isna(moment) else told(moment))


def moment(at: datetime) -> str:
    """A moment of the store in words, its clock named, such as "20 Nov 2026 15:48 WIB"."""
    return f"{words().moment(told(at))} {clock_name(told(at))}"


def hour(at: datetime) -> str:
    """The time of day of a moment of the store with its clock, such as "15:48 WIB"."""
    return f"{told(at):%H:%M} {clock_name(told(at))}"


def on_clock(key: str) -> str:
    """The heading of a column of moments with the clock that they are told on, such as "When (WIB)"."""
    return words()("column.on_clock", column=words()(key), clock=clock_of(zone_name()))


def today() -> date:
    """The day on the institution's clock."""
    return date.fromisoformat(today_in(zone_name()))


def stored(day: date) -> datetime:
    """When a day begins on the institution's clock, as the store tells moments (UTC, no zone)."""
    return datetime.combine(day, time(), _zone()).astimezone(UTC).replace(tzinfo=None)


def zone_name() -> str:
    """The IANA name of the clock by which this session tells every moment and every day.

    It is the institution's (``time_zone`` of the settings); where they name none, that of the reader's
    browser; empty, which means UTC, where it tells none that is known.
    """
    return (stores.time_zone() or _RUN.reader[2]) if hasattr(_RUN, "reader") else _of_session()


def _of_session() -> str:
    zone = stores.time_zone() or st.context.timezone or ""
    try:
        return ZoneInfo(zone).key if zone else ""
    except (ZoneInfoNotFoundError, ValueError):
        return ""


def _zone() -> tzinfo:
    zone = zone_name()
    return ZoneInfo(zone) if zone else UTC


def pages() -> dict:
    """The pages of this session's menu by name, for links between them; filled by the router."""
    return st.session_state.setdefault(Key.PAGES, {})


def opening_page(names: list[str], *, at_root: bool) -> str:
    """The page that whoever has just come is led to from the root: the import where the store is empty.

    It has its own address there, so that a reload comes back to it when the import has filled the store.

    Parameters
    ----------
    names : list of str
        Of the menu; the first one is the page at the root.
    at_root : bool
        Whether this run is at the root. Only the first run of a tab leads anywhere.
    """
    come = not st.session_state.get(Key.OPENED, False)
    st.session_state[Key.OPENED] = True
    return "data" if come and at_root and "data" in names and stores.is_empty() else names[0]


@contextmanager
def on_page(name: str):
    """Within it :func:`arrived` tells whether the reader has just come to this page."""
    _RUN.arrived = st.session_state.get(Key.PAGE_DRAWN) != name
    st.session_state[Key.PAGE_DRAWN] = name
    try:
        yield
    finally:
        del _RUN.arrived


def field_of(key: str, subject: object) -> str:
    """The key of a field about one student, case or pair.

    To Streamlit one key is one field, whatever the page shows: what was typed, ticked or handed in about one
    student would stand there for the next one, ready to be sent. Each subject has a field of its own.

    Parameters
    ----------
    key : str
        Of the field, or the beginning of the keys of several.
    subject : object
        What it is about, told as text.
    """
    seen = st.session_state.setdefault(Key.SUBJECTS, {}).setdefault(key, [])
    if str(subject) not in seen:
        seen.append(str(subject))
    place = seen.index(str(subject))
    return f"{key}-{place}" if place else key


def arrived() -> bool:
    """Whether this run is the first one on its page."""
    return getattr(_RUN, "arrived", False)
