"""The institution's own sign-in (OpenID Connect): where it is, and who its people are here. No Streamlit.

A TOML file says both. What a claim gives no role to has no access; nothing makes an administrator but a line
of that file.
"""

from __future__ import annotations

import ipaddress
import os
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data.columns import ROLES
from data.settings import Settings
from data.trust.identities import Claimed

FILE = "oidc.toml"
CALLBACK = "/oauth2callback"
FRESH = 300  # seconds that an answer of the provider is good for
SKEW = 120  # seconds that its clock may differ
EMAIL, PROVEN = "email", "email_verified"  # the standard claims of an address and of its proof
EVERY = "*"  # value of the table programs: every programme
SECTIONS = {
    "provider": {"name", "metadata_url", "client_id", "client_secret", "redirect_uri", "scope", "prompt"},
    "claims": {"account", "name", "role", "programs"},
    "roles": None,
    "programs": None,
}


class ProviderMisconfigured(ValueError):
    """The file of the institution's sign-in is not as it should be; the message holds no secret."""


class NotAnAnswer(ValueError):
    """What the browser brings is no fresh answer of the provider to this program."""


@dataclass(frozen=True)
class Provider:
    """The institution's sign-in.

    Parameters
    ----------
    name : str
        On the button.
    connection : dict or None
        Streamlit's section ``auth`` without its cookie secret; None where ``.streamlit/secrets.toml`` has it.
    claims : dict
        Names of the claims: ``account, name, role`` and, where they limit, ``programs``.
    roles : dict
        Value of the claim → role, the one that counts first.
    programs : dict or None
        Value of the claim → programmes, or :data:`EVERY`; None: the values are codes.
    """

    name: str
    connection: dict[str, Any] | None = field(repr=False)
    claims: dict[str, str]
    roles: dict[str, str]
    programs: dict[str, tuple[str, ...] | str] | None

    def read(self, claims: Mapping[str, Any], client_id: str, at: float | None = None) -> Claimed:
        """What an answer says of somebody.

        Parameters
        ----------
        claims : mapping
            Of the identity token, whose signature, issuer and nonce were checked when it came.
        client_id : str
            Whom it must be meant for.
        at : float, optional
            Seconds since 1970; now.

        Raises
        ------
        NotAnAnswer
            When it was meant for another program, is too old or lacks what names a person.
        """
        at = time.time() if at is None else at
        named = [claims.get(name) for name in ("iss", "sub", "nonce")]
        if not all(isinstance(one, str) and one for one in named):
            raise NotAnAnswer("issuer, subject or nonce is missing")
        if not _meant_for(claims, client_id):
            raise NotAnAnswer("meant for another program")
        made, ends = claims.get("iat"), claims.get("exp")
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (made, ends)):
            raise NotAnAnswer("its times are missing")
        if at > ends + SKEW or not -SKEW <= at - made <= FRESH + SKEW:
            raise NotAnAnswer("too old")
        account = self._account(claims)
        return Claimed(
            *named,
            account=account,
            display_name=_text(claims.get(self.claims["name"])) or account,
            role=self._role(claims),
            program_codes=self._programs(claims),
        )

    def _account(self, claims: Mapping[str, Any]) -> str:
        """The name for an account; none where it is a mail address that the provider has not proven: whoever
        may type one there could take somebody else's name here (OpenID Connect Core 1.0, 5.1 and 5.7)."""
        name = self.claims["account"]
        proven = claims.get(PROVEN)
        if name == EMAIL and not (proven is True or proven == "true"):  # some providers write a text
            return ""
        return _text(claims.get(name))

    def _role(self, claims: Mapping[str, Any]) -> str | None:
        held = _values(claims.get(self.claims["role"]))
        return next((role for value, role in self.roles.items() if value in held), None)

    def _programs(self, claims: Mapping[str, Any]) -> tuple[str, ...] | None:
        if "programs" not in self.claims:
            return None
        held = _values(claims.get(self.claims["programs"]))
        if self.programs is None:
            return tuple(sorted(held))
        reached = [self.programs[value] for value in sorted(held) if value in self.programs]
        if EVERY in reached:
            return None
        return tuple(sorted({code for codes in reached for code in codes}))


def read_provider(settings: Settings) -> Provider | None:
    """The institution's sign-in; None where there is no file of it.

    Raises
    ------
    ProviderMisconfigured
    """
    path = settings.oidc or settings.folder / FILE
    if settings.oidc is None and not path.is_file():
        return None
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ProviderMisconfigured(f"{path.name} cannot be read: {_in_line(problem)}") from None
    _check_names(said, path)
    claims = {"account": "preferred_username", "name": "name"} | said.get("claims", {})
    roles = said.get("roles", {})
    _need("role" in claims, path, "claims", "role must name the claim that a role follows from")
    _need(all(isinstance(one, str) and one for one in claims.values()), path, "claims", "each is a name")
    _need(bool(roles), path, "roles", "at least one value must have a role")
    strange = sorted({str(role) for role in roles.values()} - set(ROLES))
    _need(not strange, path, "roles", f"{', '.join(strange)} is no role; roles are {', '.join(ROLES)}")
    about = said.get("provider")
    connection = None if about is None else _connection(about, settings, path)
    name = (about or {}).get("name") or "Single sign-on"
    return Provider(str(name), connection, claims, roles, _program_table(said.get("programs"), path))


def _connection(about: dict, settings: Settings, path: Path) -> dict[str, Any]:
    secret = settings.oidc_client_secret.get_secret_value() or about.get("client_secret", "")
    for name in ("metadata_url", "client_id", "redirect_uri"):
        _need(bool(about.get(name)), path, "provider", f"{name} is missing")
    _need(bool(secret), path, "provider", "client_secret is missing, and TEPAT_OIDC_CLIENT_SECRET is not set")
    private = os.name != "posix" or not path.stat().st_mode & 0o077
    said = "a file with client_secret must be its owner's only (chmod 600)"
    _need(private or "client_secret" not in about, path, "provider", said)
    for name in ("metadata_url", "redirect_uri"):
        _need(_is_safe(about[name]), path, "provider", f"{name} must begin with https://")
    _need(about["redirect_uri"].endswith(CALLBACK), path, "provider", f"redirect_uri must end in {CALLBACK}")
    more = {"scope": about.get("scope", "openid email profile"), "code_challenge_method": "S256"}
    if "prompt" in about:
        more["prompt"] = about["prompt"]
    return {
        "redirect_uri": about["redirect_uri"],
        "client_id": about["client_id"],
        "client_secret": secret,
        "server_metadata_url": about["metadata_url"],
        "client_kwargs": more,
    }


def _check_names(said: dict, path: Path) -> None:
    """A name that does not count is a typing error that would open or close something silently."""
    for section, names in said.items():
        _need(section in SECTIONS, path, section, f"is not known; sections are {', '.join(SECTIONS)}")
        _need(isinstance(names, dict), path, section, "must be a table")
        strange = sorted(set(names) - SECTIONS[section]) if SECTIONS[section] else []
        _need(not strange, path, section, f"{', '.join(strange)} is not known")


def _program_table(table: dict | None, path: Path) -> dict | None:
    if table is None:
        return None
    made = {}
    for value, codes in table.items():
        if codes == EVERY:
            made[value] = EVERY
            continue
        codes = [codes] if isinstance(codes, str) else codes
        good = isinstance(codes, list) and all(isinstance(code, str) and code for code in codes)
        _need(good, path, "programs", f"{value} must have codes of programmes, or {EVERY!r}")
        made[value] = tuple(codes)
    return made


def _need(holds: bool, path: Path, section: str, said: str) -> None:
    if not holds:
        raise ProviderMisconfigured(f"{path.name}, section {section}: {said}")


def _is_safe(url: str) -> bool:
    parts = urlsplit(str(url))
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _meant_for(claims: Mapping[str, Any], client_id: str) -> bool:
    """OpenID Connect Core 1.0, 3.1.3.7: of the audience, and of several the authorised party."""
    audience = _values(claims.get("aud"))
    if client_id not in audience:
        return False
    return claims.get("azp", None if len(audience) > 1 else client_id) == client_id


def _values(claim: Any) -> set[str]:
    """The texts of a claim that is one or a list of them."""
    listed = claim if isinstance(claim, list | tuple) else [claim]
    return {one for one in listed if isinstance(one, str) and one}


def _text(claim: Any) -> str:
    return claim.strip()[:160] if isinstance(claim, str) else ""


def _in_line(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem).splitlines()[0]
