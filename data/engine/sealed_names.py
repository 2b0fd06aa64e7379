"""Columns of short texts that lie sealed, names and student numbers: one cell each, as a sealed number is.

Whether a row has a certain text is asked by a keyed hash in a column beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from data.engine.cipher import Cipher
from data.engine.sealed_numbers import SealedCell, open_cell


class SealedText(SealedCell):
    """A text, or nothing.

    Parameters
    ----------
    about : str
        Table and column, as in "identities.name".
    characters : int
        The most it may have.
    """

    def __init__(self, about: str, characters: int):
        super().__init__(about)
        self.characters = characters

    def sealed(self, cipher: Cipher, owners: Iterable[str], cells: pd.Series) -> list[bytes | None]:
        """See :func:`seal_names`."""
        return seal_names(cipher, self.about, owners, cells)

    def opened(self, cipher: Cipher, owners: Iterable[str], cells: Iterable[bytes | None]) -> list:
        """See :func:`open_names`."""
        return open_names(cipher, self.about, owners, cells)


def seal_names(cipher: Cipher, about: str, owners: Iterable[str], texts: pd.Series) -> list[bytes | None]:
    """Texts sealed for the rows of their students; None where there is none."""
    missing = texts.isna()
    return [
        None if none else cipher.encrypt(str(text).encode(), f"{about}:{owner}")
        for owner, text, none in zip(owners, texts, missing, strict=True)
    ]


def open_names(
    cipher: Cipher, about: str, owners: Iterable[str], sealed: Iterable[bytes | None]
) -> list[str | None]:
    """What :func:`seal_names` sealed; a cell that a join repeats is opened once.

    Raises
    ------
    KeyProblem
        When one does not open; the message names table, column and row.
    """
    known: dict[tuple[str, bytes], str] = {}
    opened: list[str | None] = []
    for owner, one in zip(owners, sealed, strict=True):
        if one is None:
            opened.append(None)
            continue
        text = known.get((owner, one))
        if text is None:
            text = known[owner, one] = open_cell(cipher, about, owner, one).decode()
        opened.append(text)
    return opened
