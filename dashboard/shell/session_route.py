"""``/session``: a tab exchanges its ticket for a cookie, or gives the cookie back. No Streamlit here."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dashboard.shell.sessions import cookie_name, over_tls
from data.settings import get_settings
from data.store import Store
from data.trust import sessions
from data.trust.sessions import Session

LONGEST_TICKET = 200  # bytes
PATIENCE = 10  # seconds that a ticket may take to arrive


async def answer(request: Request, store: Store) -> Response:
    """POST a ticket: the answer sets the cookie. DELETE: its session ends and the cookie is taken away."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return Response(status_code=403)  # another site would sign the visitor in or out
    tls = over_tls(request.headers, request.url.scheme)
    name = cookie_name(tls)
    held = request.cookies.get(name)
    if request.method == "DELETE":
        await run_in_threadpool(sessions.end_by_cookie, store, held)
        gone = Response(status_code=204)
        gone.delete_cookie(name, httponly=True, samesite="strict", secure=tls)
        return gone
    try:
        async with asyncio.timeout(PATIENCE):
            body = await capped_body(request, LONGEST_TICKET)
    except TimeoutError:
        return Response(status_code=408, headers={"connection": "close"})
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    if body is None:
        return Response(status_code=413, headers={"connection": "close"})
    cookie = await run_in_threadpool(sessions.redeem, store, body.decode("ascii", "replace"), held)
    if cookie is None:
        return Response(status_code=403)
    given = Response(status_code=204, headers={"cache-control": "no-store"})
    seconds = int(get_settings().session_hours * 3600)
    given.set_cookie(name, cookie, max_age=seconds, httponly=True, samesite="strict", secure=tls)
    return given


async def session_of(request: Request, store: Store) -> Session | None:
    """Whose request it is, for routes that serve what only a signed-in reader may have."""
    cookie = request.cookies.get(cookie_name(over_tls(request.headers, request.url.scheme)))
    return await run_in_threadpool(sessions.find_by_cookie, store, cookie)


async def capped_body(request: Request, most: int) -> bytes | None:
    """The body of a request; None when it has more than ``most`` bytes, of which the rest is not read.

    Raises
    ------
    ClientDisconnect
        When the client breaks off before the end.
    """
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > most:
        return None
    read = bytearray()
    async for chunk in request.stream():  # a chunked body tells no length
        read += chunk
        if len(read) > most:
            return None
    return bytes(read)
