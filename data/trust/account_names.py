"""What an account may be called: what a person is called, an advisor as the register writes them.

A name is text and nothing else: it stands in no address and no path, and pages show it through
``dashboard.shell.plain``. So letters of every script, with their marks, and the signs that names and titles
have are let in; what is not seen, what turns the order of a line, and what two spellings could hide is not.
"""

from __future__ import annotations

import unicodedata

from data import schema

LONGEST = schema.longest(schema.accounts.c.account)  # characters
SIGNS = frozenset(" ._@+-,'’‘()/&")
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks that draw nothing
RESERVED = frozenset({"command line"})  # who the audit log says it was where nobody had signed in


def as_account_name(typed: str) -> str:
    """What was typed or read from a file, as a name is kept: composed (NFC), trimmed, with single spaces.

    Examples
    --------
    >>> as_account_name("  Dra. Sri  Wahyuni, M.Ak. ")
    'Dra. Sri Wahyuni, M.Ak.'
    """
    return unicodedata.normalize("NFC", " ".join(typed.split()))


def is_account_name(name: str) -> bool:
    """Whether an account can have that name, as it stands.

    Examples
    --------
    >>> is_account_name("Nur'aini, S.E."), is_account_name(" ani"), is_account_name("a\\u202eb")
    (True, False, False)
    """
    if not 0 < len(name) <= LONGEST or not name[0].isalnum() or folded(name) in RESERVED:
        return False
    return all(map(_may_stand, name)) and name == as_account_name(name)


def check_account_name(name: str) -> None:
    """Raise ValueError when nobody can have that name."""
    if not is_account_name(name):
        raise ValueError(
            f"account must be 1-{LONGEST} letters, digits, single spaces or . , ' _ @ + - ( ) / &, starting "
            f"with a letter or digit, got {name!r}"
        )


def folded(name: str) -> str:
    """The key under which two names are one: capital letters and ways of writing a letter apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _may_stand(char: str) -> bool:
    if char in SIGNS:
        return True
    kind = unicodedata.category(char)
    return (kind[0] == "L" or kind in ("Mn", "Mc", "Nd")) and char not in UNSEEN and not _selects(char)


def _selects(char: str) -> bool:
    """Whether it only chooses a form of the sign before it: two names with and without look alike."""
    return (
        "\ufe00" <= char <= "\ufe0f" or "\u180b" <= char <= "\u180f" or "\U000e0100" <= char <= "\U000e01ef"
    )
