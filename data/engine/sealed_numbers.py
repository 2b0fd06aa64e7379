"""Columns of single cells that lie sealed: AES-GCM ciphertext, bound to column and student.

:mod:`data.engine.bulk` seals what it writes and opens what it reads; no query compares or sorts by them.
Numbers stand here, text in :mod:`data.engine.sealed_names`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import numpy as np
import pandas as pd
from sqlalchemy import LargeBinary

from data.engine.cipher import Cipher, KeyProblem

OWNER = "student_key"  # of the row, which every SELECT of such a column must give


class SealedCell(LargeBinary):
    """What stands sealed in its cell.

    Parameters
    ----------
    about : str
        Table and column, as in "students.birth_year".
    """

    def __init__(self, about: str):
        super().__init__()
        self.about = about

    @abstractmethod
    def sealed(self, cipher: Cipher, owners: Iterable[str], cells: pd.Series) -> list[bytes | None]:
        """Cells sealed for the rows of their students; None where there is nothing."""

    @abstractmethod
    def opened(self, cipher: Cipher, owners: Iterable[str], cells: Iterable[bytes | None]):
        """What :meth:`sealed` sealed, as a frame takes it."""


class SealedNumber(SealedCell):
    """A whole number, or nothing."""

    def sealed(self, cipher: Cipher, owners: Iterable[str], cells: pd.Series) -> list[bytes | None]:
        """See :func:`seal_numbers`."""
        return seal_numbers(cipher, self.about, owners, cells)

    def opened(self, cipher: Cipher, owners: Iterable[str], cells: Iterable[bytes | None]) -> np.ndarray:
        """See :func:`open_numbers`."""
        return open_numbers(cipher, self.about, owners, cells)


def seal_numbers(cipher: Cipher, about: str, owners: Iterable[str], numbers: pd.Series) -> list[bytes | None]:
    """Numbers sealed for the rows of their students; None where there is none."""
    missing = numbers.isna()
    return [
        None if none else cipher.encrypt(b"%d" % int(number), f"{about}:{owner}")
        for owner, number, none in zip(owners, numbers, missing, strict=True)
    ]


def open_numbers(
    cipher: Cipher, about: str, owners: Iterable[str], sealed: Iterable[bytes | None]
) -> np.ndarray:
    """What :func:`seal_numbers` sealed, as float64; NaN where there is none.

    Raises
    ------
    KeyProblem
        When one does not open; the message names table, column and row.
    """
    pairs = zip(owners, sealed, strict=True)
    return np.array(
        [np.nan if one is None else float(int(open_cell(cipher, about, owner, one))) for owner, one in pairs],
        dtype="float64",
    )


def open_cell(cipher: Cipher, about: str, owner: str, sealed: bytes) -> bytes:
    """The plain bytes of one cell.

    Raises
    ------
    KeyProblem
        When it does not open; the message names table, column and row.
    """
    try:
        return cipher.decrypt(bytes(sealed), f"{about}:{owner}")
    except (KeyProblem, TypeError):  # SQLite keeps a text in a column of bytes
        table, _, column = about.partition(".")
        raise KeyProblem(
            f"table {table}, column {column}, row {owner} cannot be decrypted: the key (TEPAT_KEY or the key "
            "file) is not the one it was written with, or the bytes were altered or are another row's"
        ) from None
