"""What the head of a request says about which app process it belongs to. Pure functions of bytes.

Nothing here decides who somebody is: whoever forges what is read here chooses a process, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dashboard.shell.sessions import cookie_name

COOKIE = "tepat_process"
MOST = 16 * 1024  # bytes of a head that are looked at
_BEGINS = re.compile(rb"[A-Z]{1,20}(?: [^\r\n]*(?:\r?\n|\r?\Z)|\Z)")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MEDIA = "/media/"


def mark_name(tls: bool) -> str:
    """Name of the cookie that holds the number of a process; behind TLS of this very host only."""
    return f"__Host-{COOKIE}" if tls else COOKIE


@dataclass(frozen=True)
class Head:
    """What matters of a request's head.

    Parameters
    ----------
    process : int or None
        Number of the process that its cookie names; None without, or with one that is no number.
    stays : str or None
        What is the same on every connection of this browser or program (its session's cookie, its token);
        None where nothing is. It is a secret: never to be written anywhere.
    begins : bool
        Whether it begins something anew: it asks for a page, or opens a WebSocket for a new tab. What a tab
        asks for later on belongs to the process that holds the tab.
    """

    process: int | None = None
    stays: str | None = None
    begins: bool = True


NOTHING = Head()


def is_whole(data: bytes) -> bool:
    """Whether the head of a request has arrived, or will never be one: what begins otherwise is no HTTP.

    Parameters
    ----------
    data : bytes
        What has arrived so far, at least one byte.
    """
    return b"\r\n\r\n" in data or b"\n\n" in data or len(data) >= MOST or not is_http(data)


def is_http(data: bytes) -> bool:
    """Whether what has arrived may be, or become, a request of HTTP/1."""
    return _BEGINS.match(data) is not None


def read_head(data: bytes) -> Head:
    """What a head says, whole or cut off; :data:`NOTHING` of what is no request."""
    if not is_http(data):
        return NOTHING
    lines = re.split(r"\r?\n", data.decode("latin-1"))
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        if not line:
            break
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    cookies = _cookies(headers.get("cookie", []))
    named = cookies.get(mark_name(True), cookies.get(mark_name(False), ""))
    told = [cookies.get(cookie_name(tls)) for tls in (True, False)] + headers.get("authorization", [])
    path = (lines[0].split(" ") + [""])[1]
    return Head(
        process=int(named) if _NUMBER.fullmatch(named) else None,
        stays=next((one for one in told if one), None),
        begins=_begins(path, headers),
    )


def _cookies(lines: list[str]) -> dict[str, str]:
    pairs = [pair.partition("=") for line in lines for pair in line.split(";")]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _begins(path: str, headers: dict[str, list[str]]) -> bool:
    first = {name: values[0].lower() for name, values in headers.items()}
    if first.get("upgrade") == "websocket":
        offered = ",".join(headers.get("sec-websocket-protocol", []))
        return offered.count(",") < 2  # the third one is the number of a tab to go on with
    if _MEDIA in path:
        return False  # a download is asked for as a page is
    wants = first.get("sec-fetch-dest")
    return wants == "document" if wants else "text/html" in first.get("accept", "")
