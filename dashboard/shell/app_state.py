"""Everything that outlives one script run: the store, the model, the encoder, and who is signed in.

Caches are keyed by what they depend on (data version, model version, scope), so that new data or a new model
shows at once and nobody sees an answer made for somebody else's rows. Torch hooks change a shared encoder,
so the encoder carries a lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from threading import Lock, local
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from dashboard.shell.access import scope_for
from dashboard.shell.memory import settle
from dashboard.shell.sessions import LOCAL, Serving, cookie_name, over_tls
from dashboard.shell.wording import Words, language_of
from dashboard.students import overlay
from dashboard.students.overlay import Answer
from dashboard.verification import comparison as verification
from data import queries
from data.engine.clock import now
from data.queries import StoredExplanation
from data.settings import get_settings
from data.store import Store, get_fact, open_store
from data.trust import audit, origin, sessions
from data.trust.accounts import Account, list_accounts
from data.trust.scope import Scope
from data.trust.sessions import Session

if TYPE_CHECKING:
    from fusion.service.sources import RegisteredModel

LANGUAGE_COOKIE = "tepat_language"
FRESH = 1.0  # seconds that an answer about the session holds, within one run of the script
PULSE = timedelta(minutes=1)  # how often a tab in use tells the store so
_RUN = local()
_PULSES = ThreadPoolExecutor(1, "pulse")
logger = logging.getLogger(__name__)


class SharedEncoder(NamedTuple):
    """An encoder and the lock to hold while hooks are on it."""

    encoder: Any
    lock: Lock


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store named by the settings, opened once per process."""
    return open_store()


@st.cache_resource(max_entries=2, show_spinner=False)
def _model(version: str):
    from fusion.pipeline import load_model

    loaded = load_model(store(), version)
    settle()
    return loaded


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(name: str) -> SharedEncoder:
    from vision.encoder.backbones import load_encoder

    shared = SharedEncoder(load_encoder(name or None), Lock())
    settle()
    return shared


@contextmanager
def one_run():
    """Within it the store is asked once what state it is in: a page is drawn of one state of the data."""
    _RUN.known = {}
    try:
        yield
    finally:
        del _RUN.known


@contextmanager
def on_page(name: str):
    """Within it :func:`arrived` tells whether the reader has just come to this page."""
    _RUN.arrived = st.session_state.get("page_drawn") != name
    st.session_state["page_drawn"] = name
    try:
        yield
    finally:
        del _RUN.arrived


def arrived() -> bool:
    """Whether this run is the first one on its page."""
    return getattr(_RUN, "arrived", False)


@contextmanager
def as_reader(reader: Scope, language: str):
    """Within it, in this thread, pages are drawn for a reader who has no session here."""
    _RUN.reader = (reader, Words(language))
    try:
        yield
    finally:
        del _RUN.reader


def _once(question: str, ask: Callable):
    """The answer to a question about the state of the store, asked once per run of a page."""
    known = getattr(_RUN, "known", None)
    if known is None:
        return ask()
    if question not in known:
        known[question] = ask()
    return known[question]


@st.cache_resource(ttl=3600, max_entries=128, show_spinner=False)
def _remembered(key: str, _call: Callable):  # one text: Streamlit takes long to hash anything else
    return _call()


def remember(call: Callable, *arguments):
    """The result of ``call(store, scope, *arguments)``, computed once per data, model and scope.

    For aggregates that read many rows. What reads a few indexed rows is asked for directly. A frame comes as
    a shallow copy: pandas copies a column when somebody writes to it.
    """
    reader = scope()
    key = repr((call.__module__, call.__qualname__, data_version(), reader.reach, arguments))
    found = _remembered(key, lambda: call(store(), reader, *arguments))
    return found.copy(deep=False) if isinstance(found, pd.DataFrame) else found


@st.cache_resource(ttl=3600, max_entries=4096, show_spinner=False)
def _kept(key: str, _build: Callable):
    return _build()


def kept(name: str, about: tuple, build: Callable):
    """What ``build()`` makes, once per data, model, reach of the reader, language and ``about``.

    Not to be changed by whoever gets it. ``about`` holds texts, numbers and None.
    """
    return _kept(repr((name, data_version(), scope().reach, words().language, about)), build)


def first_page(names: list[str]) -> str:
    """The page at the root for the one signed in, of their menu: the import where the store is empty.

    It stays for the session: an import that has just filled the store must not take its page away.
    """
    wanted = "data" if "data" in names and is_empty() else names[0]
    return st.session_state.setdefault("first_page", wanted)


def data_version() -> str:
    """Changes whenever an import or a scoring has written something."""
    return _state().version


def _state() -> queries.StoreState:
    return _once("state", lambda: queries.store_state(store()))


def served_model() -> RegisteredModel | None:
    """The model whose scores the pages show; None when there is none."""
    from fusion.service.sources import served_model as read

    return _once("served model", lambda: read(store()))


def served_version() -> str | None:
    """Name of the served model; None when there is none."""
    return _state().model


def model():
    """The loaded :class:`fusion.model.risk_model.risk_model.RiskModel` in service; None when there is
    none."""
    version = served_version()
    return None if version is None else _model(version)


def unlearned(target: str) -> tuple[bool, Any]:
    """Whether no risk of ``target`` may be shown, and the :class:`fusion.validation.fitness.Fitness` that
    says why.

    Without a model in service there is no risk either; the last training may have said why (else None).
    """
    from fusion.validation.fitness import FACT, verdict

    served = served_model()
    fact = None if served is not None else _once("fitness", lambda: get_fact(store(), FACT))
    found = verdict(None if served is None else served.manifest, fact, target)
    if served is None:
        return True, None if found is None or found.fit else found
    return found is not None and not found.fit, found


def programs() -> dict[str, str]:
    """Programme code → name, in the order of the codes."""
    frame = program_table()
    return dict(zip(frame["program_code"], frame["name"], strict=True))


def program_table() -> pd.DataFrame:
    """Every programme (:func:`data.queries.programs`)."""
    key = repr(("programs", data_version()))
    return _remembered(key, lambda: queries.programs(store())).copy(deep=False)


def colleagues() -> dict[str, str]:
    """Account → name of every advisor who may sign in, as of a minute ago: who can own a step."""
    return _colleagues(store().url)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def _colleagues(url: str) -> dict[str, str]:
    advisors = list_accounts(store(), "advisor")
    return {one.account: one.display_name for one in advisors if one.active}


def encoder() -> SharedEncoder:
    """The encoder of the settings with its lock."""
    return _encoder(get_settings().encoder)


def is_synthetic() -> bool:
    """Whether everybody in the store was invented."""
    return _state().origin == origin.INVENTED


def is_mixed() -> bool:
    """Whether imported records stand beside invented people (demos of earlier versions allowed that)."""
    return _state().origin == origin.MIXED


def is_empty() -> bool:
    """Whether the store holds no student yet."""
    return _state().empty


def words() -> Words:
    """The texts in the language of this session."""
    if hasattr(_RUN, "reader"):
        return _RUN.reader[1]
    if "language" not in st.session_state:
        kept = st.query_params.get("lang") or st.context.cookies.get(LANGUAGE_COOKIE)
        st.session_state["language"] = language_of(kept or st.context.locale)
    return Words(st.session_state["language"])


def choose_language(language: str) -> None:
    """Speak another language from now on, after a reload too."""
    st.session_state["language"] = st.session_state["language_told"] = Words(language).language


def keep_language() -> None:
    """Once after a choice: let the browser remember it in a cookie. It says nothing about a person."""
    language = st.session_state.pop("language_told", None)
    if language is not None:
        cookie = f"{LANGUAGE_COOKIE}={language}; path=/; max-age=31536000; samesite=lax"
        st.html(f"<script>document.cookie = '{cookie}'</script>", unsafe_allow_javascript=True)


def here(moments: pd.Series) -> pd.Series:
    """Moments of the store (UTC, told without a zone) on the clock of the reader's browser."""
    try:
        zone = ZoneInfo(st.context.timezone) if st.context.timezone else UTC
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return pd.to_datetime(moments).dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)


def pages() -> dict:
    """The pages of this session's menu by name, for links between them; filled by the router."""
    return st.session_state.setdefault("pages", {})


def person() -> Account | None:
    """Who is signed in; None before, and after the session has ended."""
    found = session()
    return None if found is None else found.account


def session() -> Session | None:
    """The session that this tab is bound to, as the store knows it now; None before sign-in.

    A tab is bound by signing in, or by the cookie when it is loaded. When the session has ended meanwhile,
    wherever it was, the tab forgets everything and starts anew at the sign-in. So it does when a browser has
    come to it with a cookie that is not its session's: the number of a tab is no secret.
    """
    bound = st.session_state.get("session")
    if bound is None:
        return _by_cookie()
    if not _own_browser(bound):
        return _start_anew()
    known = getattr(_RUN, "session", None)
    if known is not None and known[0].session_id == bound and monotonic() - known[1] < FRESH:
        return known[0]
    found = sessions.find(store(), bound, st.session_state.get("alive_at"))
    return _start_anew() if found is None else _alive(found)


def _start_anew() -> None:
    _leave(ended=True)
    st.rerun()  # outside a run there is nothing to start anew


def _by_cookie() -> Session | None:
    if not Serving.cookies or st.session_state.get("left"):
        return None
    found = sessions.find_by_cookie(store(), _cookie())
    if found is None:
        return None
    st.session_state["session"], st.session_state["came_with"] = found.session_id, _cookie()
    return _alive(found)


def _own_browser(bound: str) -> bool:
    """Whether the connection is the one that the tab was bound by, or a later one with its session's cookie.

    A cookie that was the session's once stays so, whatever ends the session. Without any cookie no connection
    comes back to a tab (:class:`dashboard.shell.web_guard.TabGuard`), so that one is the first; and while a
    browser is away there is none to look at.
    """
    cookie = _cookie() if Serving.cookies else None
    if not cookie or cookie == st.session_state.get("came_with"):
        return True
    found = sessions.find_by_cookie(store(), cookie)
    if found is None or found.session_id != bound:
        return False
    st.session_state["came_with"] = cookie
    return True


def _cookie() -> str | None:
    """The cookie that the tab's connection was made with."""
    return st.context.cookies.get(cookie_name(over_tls(st.context.headers)))


def _alive(found: Session) -> Session:
    """Remember it for the rest of this run; tell the store once a minute that somebody is at work."""
    _RUN.session = (found, monotonic())
    if not getattr(_RUN, "unattended", False):
        at = now()
        told = st.session_state.get("told_at", found.seen_at)
        st.session_state["alive_at"] = at
        if at - max(told, found.seen_at) >= PULSE:
            st.session_state["told_at"] = at
            _PULSES.submit(_tell, store(), found.session_id)
    return found


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


def _leave(*, ended: bool) -> None:
    """Nothing of the session stays in the tab but the language."""
    language = words().language
    st.session_state.clear()
    _RUN.session = None
    st.session_state["language"] = language
    st.session_state["left"] = True
    st.session_state["ended"] = ended


def sign_in_as(someone: Account, way: str = "password") -> None:
    """Begin the session of a person; nothing of the one before stays behind.

    Parameters
    ----------
    someone : Account
    way : str
        One of :data:`data.trust.sessions.WAYS`.
    """
    sessions.end_by_cookie(store(), _cookie())
    _leave(ended=False)
    st.session_state["came_with"] = _cookie()  # over from here on; the new one comes with the next connection
    st.session_state["session"], ticket = sessions.begin(store(), someone, way)
    if Serving.cookies:
        st.session_state["ticket"] = ticket
    audited("sign_in", someone.role, way=way, address=address())


def sign_out(*, everywhere: bool = False) -> None:
    """End the session of this tab, in its other tabs and for its cookie too; or every one of the person's."""
    found = session()
    if found is not None:
        audited("sign_out_everywhere" if everywhere else "sign_out", found.account.role)
        if everywhere:
            sessions.end_all(store(), found.account.account)
        else:
            sessions.end(store(), found.session_id)
    _leave(ended=False)
    st.session_state["cookie_over"] = Serving.cookies


def told_of_the_end() -> None:
    """On the sign-in: say why somebody who was at work finds themselves here."""
    if st.session_state.get("ended"):
        st.info(words()("sign_in.ended"), icon=":material/lock_clock:")


def keep_signed_in() -> None:
    """Once after sign-in: let the browser exchange the ticket for a cookie that scripts cannot read."""
    ticket = st.session_state.pop("ticket", None)
    if ticket is not None:
        post = f"fetch('session', {{method: 'POST', body: '{ticket}', credentials: 'same-origin'}})"
        st.html(f"<script>{post}</script>", unsafe_allow_javascript=True)


def give_cookie_back() -> None:
    """Once after sign-out: let the browser forget the cookie, which opens nothing any more."""
    if st.session_state.pop("cookie_over", False):
        drop = "fetch('session', {method: 'DELETE', credentials: 'same-origin'})"
        st.html(f"<script>{drop}</script>", unsafe_allow_javascript=True)


def address() -> str:
    """Where the browser speaks from; a proxy in between is believed only as the settings say."""
    return st.context.ip_address or LOCAL


def scope() -> Scope:
    """What the queries of this session may return."""
    if hasattr(_RUN, "reader"):
        return _RUN.reader[0]
    someone = person()
    return Scope.nothing() if someone is None else scope_for(someone)


def audited(action: str, thing: str, **detail) -> None:
    """Write down that the person did ``action`` on ``thing`` (an opaque key or a page, never a name)."""
    _entry(action, thing, detail)()


def _entry(action: str, thing: str, detail: dict) -> Callable[[], int]:
    """What writes the entry; whose it is stands now, even if the session ends before it is written."""
    someone = person()
    if someone is None:
        raise PermissionError(f"action {action!r} needs somebody signed in")
    whose = {"actor": someone.account, "role": someone.role}
    return partial(audit.append, store(), **whose, action=action, object=thing, detail=detail)


def handed_out(make: Callable[[], bytes], action: str, thing: str, **detail) -> Callable[[], bytes]:
    """``make`` for a download button, with an entry in the audit log whenever the file is made.

    The button asks for the file when no session is at hand, so who it is stands here, and whether they are
    still signed in is asked then. It must not start a run of the page (``on_click="ignore"``): the new run
    forgets the file before it is made.
    """
    note = _entry(action, thing, detail)
    bound, alive_at = st.session_state.get("session"), st.session_state.get("alive_at")

    def made() -> bytes:
        if bound is not None and sessions.find(store(), bound, alive_at) is None:
            raise PermissionError("the session has ended: sign in again")
        content = make()
        note()
        return content

    return made


def audited_once(action: str, thing: str) -> None:
    """As :func:`audited`, but one entry per session and thing: a rerun is not another look."""
    seen = st.session_state.setdefault("audited", set())
    if (action, thing) not in seen:
        audited(action, thing)
        seen.add((action, thing))


def heat_map(specimen_id: str, stored: StoredExplanation | None) -> Answer:
    """The map of where a specimen's ink moved a score, or why there is none; kept for the session's peers."""
    if stored is None:
        return Answer(reason="no_model")
    if stored.score["modality"] == "records":
        return Answer(reason="records_only")
    return _heat_map(specimen_id, int(stored.score["score_id"]), data_version(), scope(), stored)


@st.cache_data(ttl=900, max_entries=200, show_spinner=False)
def _heat_map(specimen_id: str, score_id: int, version: str, reader: Scope, _stored) -> Answer:
    from vision.encoder.backbones import NoWeights

    image = queries.specimen_image(store(), specimen_id, reader)
    try:
        shared = encoder()
    except NoWeights:
        return Answer(reason="no_encoder")
    with shared.lock:
        return overlay.explain_specimen(shared.encoder, model(), _stored, image)


def superposed(questioned: bytes, specimen_id: str):
    """A questioned signature and a reference on one sheet
    (:func:`dashboard.verification.comparison.comparison.superposed`)."""
    return _superposed(questioned, specimen_id, data_version(), scope())


@st.cache_data(ttl=900, max_entries=100, show_spinner=False)
def _superposed(questioned: bytes, specimen_id: str, version: str, reader: Scope):
    reference = queries.specimen_image(store(), specimen_id, reader)
    return verification.superposed(questioned, reference)


def agreement_map(questioned: bytes, specimen_ids: tuple[str, ...]) -> Answer:
    """Where the ink of a questioned signature resembles the references, or why that is not shown."""
    return _agreement_map(questioned, specimen_ids, data_version(), scope())


@st.cache_data(ttl=900, max_entries=50, show_spinner=False)
def _agreement_map(questioned: bytes, specimen_ids: tuple[str, ...], version: str, reader: Scope) -> Answer:
    from vision.encoder.backbones import NoWeights

    references = [queries.specimen_image(store(), one, reader) for one in specimen_ids]
    try:
        shared = encoder()
    except NoWeights:
        return Answer(reason="no_encoder")
    with shared.lock:
        return verification.agreement_map(shared.encoder, questioned, references)
