"""Staying signed in over a reload: the cookie, and what a request tells about its sender. No Streamlit here.

Streamlit begins a new session with every page load. After sign-in the page posts a ticket, valid once and for
a minute, to ``/session``; the answer sets a cookie that no script can read. What a cookie stands for is kept
in the store (:mod:`data.trust.sessions`) and asked on every run of the script.
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.shell.provider import Provider

COOKIE = "tepat_session"
HOST_COOKIE = f"__Host-{COOKIE}"  # browsers take it over TLS only, from this host only, for every path
LOCAL = "this machine"


class Serving:
    """What the server at work can do; ``streamlit run`` can do none of it.

    ``cookies``: set cookies; ``provider``: lead to the institution's own sign-in, as the program of that
    ``client_id``.
    """

    cookies = False
    provider: Provider | None = None
    client_id = ""


def over_tls(headers: Mapping[str, str], scheme: str = "http") -> bool:
    """Whether the browser speaks TLS, be it with a proxy in between.

    Parameters
    ----------
    headers : mapping
        Of the request.
    scheme : str
        Of the connection that this process sees.
    """
    forwarded = (headers.get("x-forwarded-proto") or "").split(",")[0].strip().lower()
    from_tls = (headers.get("origin") or "").lower().startswith("https://")
    return scheme in ("https", "wss") or forwarded in ("https", "wss") or from_tls


def cookie_name(tls: bool) -> str:
    """The cookie's name; behind TLS no other one counts, since a neighbouring host could have planted it."""
    return HOST_COOKIE if tls else COOKIE
