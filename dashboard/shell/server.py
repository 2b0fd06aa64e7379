"""The ASGI application: the Streamlit app with a health route, sign-in cookies, and a warm start.

``streamlit run streamlit_app.py`` serves the same pages; this server also answers ``/health`` for a load
balancer, keeps people signed in over a reload, gives files of people to nobody but those they were shown to,
takes files and the number of a tab from nobody but those who are signed in
(:mod:`dashboard.shell.web_guard`), and imports the slow libraries before the first visitor comes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path

from dashboard.jobs.worker_keeper import kept_worker
from dashboard.shell.garbage import settle
from dashboard.shell.sessions import Serving
from data.settings import get_settings

SCRIPT = Path(__file__).resolve().parent.parent.parent / "streamlit_app.py"
WARM = ("dashboard.pages.overview_page", "dashboard.pages.caseload_page", "dashboard.pages.student_page")
HEALTH_SECONDS = 10  # a database that does not answer within it is down


def health() -> tuple[dict[str, object], int]:
    """Whether the store answers: a small document and its HTTP status (200 or 503). Never makes a store."""
    from data.engine.health import StoreUnavailable, served_version

    try:
        return {"status": "ok", "model": served_version()}, 200
    except StoreUnavailable as problem:
        return {"status": "unavailable", "reason": str(problem)}, 503


async def _health(request):
    from starlette.responses import JSONResponse

    try:
        document, status = await asyncio.wait_for(asyncio.to_thread(health), HEALTH_SECONDS)
    except TimeoutError:
        document, status = {"status": "unavailable", "reason": "TimeoutError"}, 503
    return JSONResponse(document, status_code=status, headers={"cache-control": "no-store"})


async def _session(request):
    from dashboard.shell import stores
    from dashboard.shell.session_route import answer

    return await answer(request, stores.store())


def application():
    """The app with its further routes, for any ASGI server."""
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.routing import Route

    from dashboard.shell.handed_files import HandedFiles
    from dashboard.shell.view.media_watch import tab_is_open
    from dashboard.shell.web_guard import FileGuard, ProtectiveHeaders, TabGuard

    Serving.cookies = True
    handed = HandedFiles(tab_is_open)
    routes = [Route("/health", _health), Route("/session", _session, methods=["POST", "DELETE"])]
    guards = [
        Middleware(ProtectiveHeaders),
        Middleware(FileGuard, account_of=_account_of, may_have=handed.may_have),
        Middleware(TabGuard, account_of=_account_of),
    ]
    return st.App(SCRIPT, routes=routes, middleware=guards, lifespan=partial(_lifespan, handed))


def _account_of(cookie: str | None):
    """Whose session a cookie is, as the account stands now; None for nobody."""
    from dashboard.shell import stores
    from data.trust.sessions import find_by_cookie

    session = find_by_cookie(stores.store(), cookie)
    return None if session is None else session.account


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
    # Uvicorn would believe what a proxy on this machine passes on, though a client may have written it.
    os.environ["FORWARDED_ALLOW_IPS"] = get_settings().trusted_proxies
    with kept_worker() if worker else nullcontext():
        application().run(config={"server.port": port, "server.address": address})


@asynccontextmanager
async def _lifespan(handed, _app):
    from streamlit.runtime import get_instance

    from dashboard.shell.view.media_watch import watch

    watch(get_instance().media_file_mgr, handed)
    _warm_up()
    yield


def _warm_up() -> None:
    """Import what pages need and load the served model, so that no visitor waits for it."""
    for name in WARM:
        import_module(name)
    from dashboard.shell import stores
    from fusion.model.model_files import ModelFileError

    try:
        stores.model()
    except (ModelFileError, OSError, ValueError) as problem:
        logging.getLogger(__name__).warning("the served model was not loaded: %s", problem)
    settle()
