"""Passwords: which ones are accepted, and how they are kept.

The rule follows NIST SP 800-63B: length, no composition rules, nothing that is common or made of the own
name. What is common is estimated by zxcvbn, whose lists of passwords, names and words come with it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD = 12  # of a new password; one that was accepted earlier goes on working
MAX_PASSWORD = 256
LONGEST_TRIED = 1024  # nothing longer was ever accepted by a form, and nothing longer is hashed
MIN_CHARACTERS = 5  # different ones
SAFE_GUESSES = (
    10**8
)  # fewer can be tried within a year against the waits of data.trust.throttle, from many addresses
ESTIMATED = 72  # characters that are looked at: the estimate's time grows with the square
CAMPUS = (  # words that zxcvbn's English lists lack and every guesser on a campus tries
    *("tepat", "mahasiswa", "universitas", "university", "kampus", "fakultas", "rektor", "dosen", "sarjana"),
    *("akademik", "registrasi", "indonesia", "jakarta", "bandung", "surabaya", "yogyakarta", "semarang"),
    *("merdeka", "garuda", "pancasila", "bismillah", "alhamdulillah", "sayang", "cinta", "rahasia", "sandi"),
    *(
        "katasandi",
        "selamat",
        "semangat",
        "password",
        "admin",
        "advisor",
        "registry",
        "leadership",
        "auditor",
    ),
)


class PasswordRefused(ValueError):
    """A password that may not be used.

    Parameters
    ----------
    code : str
        "short", "long", "repeated", "name", "common" or "same": the key of its sentence in the locales.
    characters : int
        How many it has; nothing else of it is told.
    """

    def __init__(self, code: str, characters: int):
        super().__init__(f"password refused: {_REASONS[code].format(characters)}")
        self.code = code


_REASONS = {
    "short": f"it must have at least {MIN_PASSWORD} characters, got {{}}",
    "long": f"it may have at most {MAX_PASSWORD} characters, got {{}}",
    "repeated": f"it must be made of at least {MIN_CHARACTERS} different characters",
    "name": "it is made of the account's own name",
    "same": "it is the present one",
    "common": "it is among those that are tried first; take several words that do not belong together",
}


def check_password(password: str, *own: str) -> None:
    """Refuse a new password that is short, overlong, common, or made of ``own`` (the account, the name).

    Raises
    ------
    PasswordRefused
    """
    if len(password) > MAX_PASSWORD:  # first: normalising a long one takes time, and may lengthen it
        raise PasswordRefused("long", len(password))
    text = _normal(password)
    if len(text) < MIN_PASSWORD:
        raise PasswordRefused("short", len(text))
    if len(set(text.casefold())) < MIN_CHARACTERS:
        raise PasswordRefused("repeated", len(text))
    words = _words(own)
    if _left_of(text, words) < MIN_CHARACTERS:
        raise PasswordRefused("name", len(text))
    if _guesses(text, words) < SAFE_GUESSES:
        raise PasswordRefused("common", len(text))


def hash_password(password: str) -> str:
    """The argon2id hash of a password that :func:`check_password` accepts."""
    return _hasher().hash(_normal(password))


def right_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one behind ``stored``.

    Without a stored hash the answer is no and takes the same time, so that nobody can tell which names exist.
    """
    given = password[:LONGEST_TRIED]
    # Earlier versions hashed what was typed, without normalising it.
    forms = dict.fromkeys((_normal(given), given))
    right = [_verified(stored or _nobodys_hash(), form) for form in forms]
    return any(right) and stored is not None and len(password) <= LONGEST_TRIED


def outdated(stored: str) -> bool:
    """Whether a hash was made with parameters that are no longer recommended."""
    return _hasher().check_needs_rehash(stored)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _words(own: tuple[str, ...]) -> list[str]:
    parts = [part for text in own for part in (text, *re.split(r"[\W_]+", text))]
    return list(dict.fromkeys(part.casefold() for part in parts if len(part) > 2))


def _left_of(text: str, words: list[str]) -> int:
    """How many different letters and digits are left of a password without its owner's names."""
    rest = text.casefold()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "").replace(word[::-1], "")
    return len(set(re.sub(r"[\W_]+", "", rest)))


def _guesses(text: str, words: list[str]) -> float:
    from zxcvbn import zxcvbn  # late: its lists take memory that only a change of password needs

    return float(zxcvbn(text[:ESTIMATED], user_inputs=[*words, *CAMPUS])["guesses"])


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id with the parameters that RFC 9106 recommends


@lru_cache
def _nobodys_hash() -> str:
    return _hasher().hash("the password of no account")
