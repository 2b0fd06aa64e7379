"""The ASGI application: the Streamlit app with a health route, sign-in cookies, and a warm start.

``streamlit run streamlit_app.py`` serves the same pages; this server also answers ``/health`` for a load
balancer, keeps people signed in over a reload, gives files of people to nobody but those they were shown to
(:mod:`dashboard.web_guard`), and imports the slow libraries before the first visitor comes.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, closing, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path

from dashboard.memory import settle
from dashboard.sessions import COOKIE, SESSION_SECONDS, SESSIONS
from dashboard.worker_keeper import kept_worker

SCRIPT = Path(__file__).resolve().parent.parent / "streamlit_app.py"
WARM = ("dashboard.pages.overview_page", "dashboard.pages.caseload_page", "dashboard.pages.student_page")
LONGEST_TICKET = 200


def health() -> tuple[dict[str, object], int]:
    """Whether the store answers: a small document and its HTTP status (200 or 503)."""
    from data import queries
    from data.store import open_store

    try:
        with closing(open_store()) as store:
            model = queries.served_model(store)
    except (OSError, ValueError, RuntimeError) as problem:
        return {"status": "unavailable", "reason": type(problem).__name__}, 503
    return {"status": "ok", "model": model.version if model else None}, 200


async def _health(request):
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    document, status = await run_in_threadpool(health)
    return JSONResponse(document, status_code=status)


async def _session(request):
    """POST a ticket: the answer sets the cookie. DELETE: the cookie is forgotten and taken away."""
    from starlette.responses import Response

    if request.method == "DELETE":
        SESSIONS.end(request.cookies.get(COOKIE))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer
    ticket = (await request.body())[:LONGEST_TICKET].decode("ascii", "replace")
    cookie = SESSIONS.redeem(ticket)
    if cookie is None:
        return Response(status_code=403)
    answer = Response(status_code=204)
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    answer.set_cookie(
        COOKIE, cookie, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure
    )
    return answer


def application():
    """The app with its further routes, for any ASGI server."""
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.routing import Route

    from dashboard.components.media_watch import tab_is_open
    from dashboard.handed_files import HandedFiles
    from dashboard.web_guard import FileGuard, ProtectiveHeaders

    SESSIONS.served = True
    handed = HandedFiles(tab_is_open)
    routes = [Route("/health", _health), Route("/session", _session, methods=["POST", "DELETE"])]
    guards = [
        Middleware(ProtectiveHeaders),
        Middleware(FileGuard, account_of=_account_of, may_have=handed.may_have),
    ]
    return st.App(SCRIPT, routes=routes, middleware=guards, lifespan=partial(_lifespan, handed))


def _account_of(cookie: str | None):
    """Whose session a cookie is, as the account stands now; None for nobody."""
    from dashboard import app_state
    from data.accounts import find_account

    name = SESSIONS.account(cookie)
    return find_account(app_state.store(), name) if name else None


def serve(port: int, address: str, *, worker: bool = True) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    port : int
        TCP port, 1…65535.
    address : str
        Interface to listen on; ``localhost`` keeps the app on this machine.
    worker : bool
        Whether to keep a worker for long work beside the app.
    """
    with kept_worker() if worker else nullcontext():
        application().run(config={"server.port": port, "server.address": address})


@asynccontextmanager
async def _lifespan(handed, _app):
    from streamlit.runtime import get_instance

    from dashboard.components.media_watch import watch

    watch(get_instance().media_file_mgr, handed)
    _warm_up()
    yield


def _warm_up() -> None:
    """Import what pages need and load the served model, so that no visitor waits for it."""
    for name in WARM:
        import_module(name)
    from dashboard import app_state
    from fusion.model_files import ModelFileError

    try:
        app_state.model()
    except (ModelFileError, OSError, ValueError) as problem:
        logging.getLogger(__name__).warning("the served model was not loaded: %s", problem)
    settle()
