"""An OpenID Connect provider for tests: authorization code with PKCE, RS256, JWKS, userinfo, sign-out.

It keeps to OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0 and RFC 7636, unless it is told to
misbehave: then one thing about its identity tokens is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "tepat", "a secret between the two"
LIFE = 300


@dataclass
class Provider:
    """A provider that runs.

    Parameters
    ----------
    url : str
        Its issuer.
    people : dict
        Name → claims of whoever is known; a test changes them.
    wrong : str
        What is wrong about identity tokens: "", "nonce", "audience", "issuer", "expired", "key", "unsigned",
        "public key" (it serves as a shared secret); or "down": codes are not exchanged.
    asked : list of dict
        The queries of authorization requests.
    signed_out : list of dict
        The queries of sign-outs.
    down : bool
        Whether it answers nothing but 503.
    """

    url: str = ""
    people: dict = field(default_factory=dict)
    wrong: str = ""
    asked: list = field(default_factory=list)
    signed_out: list = field(default_factory=list)
    down: bool = False
    redirect_uris: set = field(default_factory=set)
    _codes: dict = field(default_factory=dict)
    _access: dict = field(default_factory=dict)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))
    _other: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))

    def routes(self) -> list[Route]:
        """Its endpoints."""
        return [
            Route("/.well-known/openid-configuration", self._answering(self._metadata)),
            Route("/jwks", self._answering(self._jwks)),
            Route("/authorize", self._answering(self._authorize)),
            Route("/consent", self._answering(self._consent)),
            Route("/token", self._answering(self._token), methods=["POST"]),
            Route("/userinfo", self._answering(self._userinfo)),
            Route("/logout", self._answering(self._logout)),
        ]

    def _answering(self, endpoint):
        async def answer(request):
            if self.down:
                return JSONResponse({"error": "temporarily_unavailable"}, status_code=503)
            return await endpoint(request)

        return answer

    async def _metadata(self, _request):
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/logout",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": ["openid", "email", "profile"],
            }
        )

    async def _jwks(self, _request):
        return JSONResponse(KeySet([self._key]).as_dict(private=False))

    async def _authorize(self, request):
        asked = dict(request.query_params)
        self.asked.append(asked)
        known = asked.get("client_id") == CLIENT and asked.get("redirect_uri") in self.redirect_uris
        if not known:  # never led back to an address that is not known
            return HTMLResponse("unknown client or redirect_uri", status_code=400)
        right = asked.get("response_type") == "code" and "openid" in asked.get("scope", "").split()
        if not right or asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return self._led_back(
                asked, error="invalid_request", error_description="PKCE with S256 is needed"
            )
        number = secrets.token_urlsafe(8)
        self._codes[number] = asked
        links = "".join(
            f'<p><a href="/consent?{urlencode({"request": number, "person": name})}">{name}</a></p>'
            for name in self.people
        )
        return HTMLResponse(
            f'<h1>Who are you?</h1>{links}<p><a href="/consent?request={number}">Refuse</a></p>'
        )

    async def _consent(self, request):
        asked, person = self._codes.pop(request.query_params["request"]), request.query_params.get("person")
        if person is None:
            return self._led_back(asked, error="access_denied", error_description="the person said no")
        code = secrets.token_urlsafe(24)
        self._codes[code] = asked | {"person": person, "until": time.time() + 60}
        return self._led_back(asked, code=code)

    def _led_back(self, asked: dict, **said: str):
        query = urlencode(said | ({"state": asked["state"]} if "state" in asked else {}))
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", status_code=302)

    async def _token(self, request):
        if self.wrong == "down":
            return JSONResponse({"error": "temporarily_unavailable"}, status_code=503)
        told = request.headers.get("authorization", "")
        if told != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode():
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if told != f"Basic {expected}":
                return JSONResponse({"error": "invalid_client"}, status_code=401)
        async with request.form() as form:
            given = dict(form)
        asked = self._codes.pop(given.get("code", ""), None)  # a code is used once
        if (
            asked is None
            or time.time() > asked["until"]
            or given.get("redirect_uri") != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access = secrets.token_urlsafe(24)
        self._access[access] = asked["person"]
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": LIFE,
                "id_token": self._identity(asked, access),
            },
            headers={"cache-control": "no-store"},
        )

    def _identity(self, asked: dict, access: str) -> str:
        at = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": at,
            "exp": at + LIFE,
            "nonce": asked.get("nonce"),
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.people[asked["person"]],
        }
        changed = {
            "nonce": {"nonce": "another"},
            "audience": {"aud": "another program"},
            "issuer": {"iss": "https://somewhere.example"},
            "expired": {"iat": at - 7200, "exp": at - 3600},
        }
        claims |= changed.get(self.wrong, {})
        token = jwt.encode(
            {"alg": "RS256", "kid": "first"}, claims, self._other if self.wrong == "key" else self._key
        )
        if self.wrong == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
            token = f"{head}.{token.split('.')[1]}."
        if self.wrong == "public key":  # RFC 8725, 2.1: whoever holds the public key could sign with it
            token = _signed_with(self._key.as_pem(private=False), token.split(".")[1])
        return token

    async def _userinfo(self, request):
        person = self._access.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            return JSONResponse({"error": "invalid_token"}, status_code=401)
        return JSONResponse(self.people[person])

    async def _logout(self, request):
        asked = dict(request.query_params)
        self.signed_out.append(asked)
        back = asked.get("post_logout_redirect_uri")
        if back not in self.redirect_uris:
            return HTMLResponse("signed out")
        return RedirectResponse(back, status_code=302)


def _signed_with(secret: bytes, payload: str) -> str:
    """A token of HS256, made by hand: libraries refuse a public key as a secret."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').rstrip(b"=").decode()
    made = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    return f"{head}.{payload}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


class Running(uvicorn.Server):
    """A server in a thread."""

    def install_signal_handlers(self) -> None:
        """None: the tests have their own."""


def start(provider: Provider) -> Running:
    """Run a provider on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider.url = f"http://localhost:{port}"
    app = Starlette(routes=provider.routes())
    server = Running(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.05)
    return server
