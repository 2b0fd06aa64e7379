"""The ASGI application: the Streamlit app with a health route, sign-in cookies, and a warm start.

``streamlit run streamlit_app.py`` serves the same pages; this server also answers ``/health`` for a load
balancer, answers programs where that is turned on (:mod:`dashboard.shell.service`), keeps people signed in
over a reload, gives files of people to nobody but those they were shown to, takes files and the number of a
tab from nobody but those who are signed in (:mod:`dashboard.shell.web_guard`), and imports the slow libraries
before the first visitor comes.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.jobs.worker_keeper import kept_worker
from dashboard.shell.garbage import settle
from dashboard.shell.sessions import Serving
from data.engine.kept_head import show_heads
from data.settings import get_settings

if TYPE_CHECKING:
    import socket

    from dashboard.shell.processes.marking import Place

SCRIPT = Path(__file__).resolve().parent.parent.parent / "streamlit_app.py"
WARM = ("dashboard.pages.overview_page", "dashboard.pages.caseload_page", "dashboard.pages.student_page")
MEGABYTE = 1024 * 1024
PING_SECONDS = 30  # between two signs of life on a WebSocket
GOODBYE_SECONDS = 10  # that answers under way may take when a process among several ends
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


async def _alive(_request):
    from starlette.responses import JSONResponse

    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


async def _session(request):
    from dashboard.shell import stores
    from dashboard.shell.session_route import answer

    return await answer(request, stores.store())


def application(place: Place | None = None):
    """The app with its further routes, for any ASGI server.

    Parameters
    ----------
    place : dashboard.shell.processes.marking.Place, optional
        This process among several behind one port.

    Raises
    ------
    dashboard.shell.provider.ProviderMisconfigured
    """
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.routing import Route

    from dashboard.shell.handed_files import HandedFiles
    from dashboard.shell.line_guard import LineGuard, UploadGuard
    from dashboard.shell.lost_guard import LostGuard
    from dashboard.shell.open_lines import LINES
    from dashboard.shell.processes.marking import ProcessMark
    from dashboard.shell.provider_guard import ProviderGuard
    from dashboard.shell.service.routes import service_routes
    from dashboard.shell.view.media_watch import tab_is_open
    from dashboard.shell.view.page_words import is_of_a_page
    from dashboard.shell.view.uploads import held_for
    from dashboard.shell.web_guard import FileGuard, ProtectiveHeaders, TabGuard
    from dashboard.shell.word_guard import WordGuard

    Serving.cookies = True
    keep_uploads_in_memory()
    secrets = _provider_secrets()
    handed = HandedFiles(tab_is_open)
    routes = [
        Route("/health", _health),
        Route("/health/ready", _health),
        Route("/health/live", _alive),
        Route("/session", _session, methods=["POST", "DELETE"]),
        *service_routes(),
    ]
    guards = [
        Middleware(ProtectiveHeaders),
        Middleware(LostGuard, base=lambda: st.get_option("server.baseUrlPath") or ""),
        Middleware(ProviderGuard, seconds=int(get_settings().session_hours * 3600)),
        Middleware(FileGuard, account_of=_account_of, may_have=handed.may_have),
        Middleware(TabGuard, may_go_on=_may_go_on),
        Middleware(LineGuard, session_of=_session_of, lines=LINES, **_line_limits()),
        Middleware(
            UploadGuard, session_of=_session_at_work, lines=LINES, held=held_for, limits=_upload_limits()
        ),
        Middleware(WordGuard, may_say=is_of_a_page),
    ]
    if place is not None:
        guards.insert(0, Middleware(ProcessMark, place=place))
    return st.App(
        SCRIPT, routes=routes, middleware=guards, lifespan=partial(_lifespan, handed), secrets=secrets
    )


def keep_uploads_in_memory() -> None:
    """Let no uploaded file touch the disk in plain: Starlette writes what is over a megabyte into a temporary
    file. All of it is held in memory anyway, and what may come is limited before it is read."""
    from starlette.formparsers import MultiPartParser

    said = get_settings()
    MultiPartParser.spool_max_size = 2 * MEGABYTE * max(said.upload_mb, said.api_mb)


def _provider_secrets() -> dict | None:
    """What Streamlit must know of the institution's sign-in; it stays in memory.

    Cookies are signed with a key of the store, so that several processes know each other's.
    """
    from dashboard.shell import stores
    from dashboard.shell.provider import ProviderMisconfigured, read_provider

    provider = Serving.provider = read_provider(get_settings())
    if provider is None:
        if not get_settings().local_accounts:
            raise ProviderMisconfigured("TEPAT_LOCAL_ACCOUNTS is off, and there is no oidc.toml either")
        return None
    if provider.connection is None:
        Serving.client_id = _of_streamlit(provider)
        return None
    secret = stores.store().cipher.keyed("streamlit cookies", "auth")
    os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = secret  # read when the app is built, before its secrets
    Serving.client_id = provider.connection["client_id"]
    return {"auth": provider.connection | {"cookie_secret": secret}}


def _of_streamlit(provider) -> str:
    """The program's name at the provider, from ``.streamlit/secrets.toml``."""
    import streamlit as st

    from dashboard.shell.provider import ProviderMisconfigured

    try:
        return st.secrets["auth"]["client_id"]
    except (KeyError, FileNotFoundError):
        said = "without a section provider, .streamlit/secrets.toml must have a section auth with a client_id"
        raise ProviderMisconfigured(f"oidc.toml: {said}") from None


def _session_of(cookie: str | None):
    """The session of a cookie, as the account stands now; None for nobody."""
    from dashboard.shell import stores
    from data.trust.sessions import find_by_cookie

    return find_by_cookie(stores.store(), cookie)


def _session_at_work(cookie: str | None):
    """The session of a cookie; None for nobody, and for whoever has to choose a password of their own first:
    a password that somebody else has set opens the form for another one and nothing beside it."""
    session = _session_of(cookie)
    return None if session is None or session.account.once else session


def _account_of(cookie: str | None):
    session = _session_at_work(cookie)
    return None if session is None else session.account


def _may_go_on(cookie: str, tab: str) -> bool:
    """Whether a tab is bound to the session of a cookie."""
    from dashboard.shell.open_lines import LINES

    bound, session = LINES.session_of(tab), _session_of(cookie)
    return bound is not None and session is not None and session.session_id == bound


def _line_limits() -> dict:
    from dashboard.shell.open_lines import Limits

    said = get_settings()
    most = (said.connections, said.connections_unsigned)
    limits = Limits(*most, said.connections_per_address, said.connections_per_account)
    return {"limits": limits, "idle_seconds": said.unsigned_minutes * 60}


def _upload_limits():
    from dashboard.shell.line_guard import UploadLimits

    said = get_settings()
    return UploadLimits(said.upload_mb * MEGABYTE, said.uploads_mb * MEGABYTE, said.uploads)


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
    show_heads()
    with kept_worker() if worker else nullcontext():
        config = {"server.port": port, "server.address": address}
        application().run(config=config | {"server.maxUploadSize": get_settings().upload_mb})


def serve_handed(channel: socket.socket, place: Place, port: int, address: str) -> None:
    """Serve the connections that a parent hands over, until it closes the channel.

    Parameters
    ----------
    channel : socket.socket
        This process's end (:mod:`dashboard.shell.processes.taking`).
    place : Place
    port, address
        Where the parent listens.
    """
    from streamlit.web.bootstrap import load_config_options

    from dashboard.shell.processes.taking import TakingServer

    os.environ["FORWARDED_ALLOW_IPS"] = get_settings().trusted_proxies
    show_heads()
    said = {"server.port": port, "server.address": address, "server.maxUploadSize": get_settings().upload_mb}
    load_config_options(said)
    TakingServer(_server_config(application(place)), channel, place).run()


def _server_config(app):
    """The server's settings as Streamlit's own runner would have them, from Streamlit's options."""
    import streamlit as st
    import uvicorn

    ping = int(st.get_option("server.websocketPingInterval") or PING_SECONDS)
    return uvicorn.Config(
        app,
        ssl_certfile=st.get_option("server.sslCertFile"),
        ssl_keyfile=st.get_option("server.sslKeyFile"),
        ws="websockets-sansio",
        ws_ping_interval=ping,
        ws_ping_timeout=ping,
        ws_max_size=int(st.get_option("server.maxMessageSize")) * 1_000_000,
        ws_per_message_deflate=bool(st.get_option("server.enableWebsocketCompression")),
        use_colors=False,
        access_log=False,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )


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

    stores.model_unreadable()
    settle()
