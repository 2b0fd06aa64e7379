"""Columns of whole numbers that lie sealed: AES-GCM ciphertext, bound to column and student.

:mod:`data.engine.bulk` seals what it writes and opens what it reads; no query compares or sorts by them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from sqlalchemy import LargeBinary

from data.engine.cipher import Cipher, KeyProblem

OWNER = "student_key"  # of the row, which every SELECT of such a column must give


class SealedNumber(LargeBinary):
    """A whole number, or nothing.

    Parameters
    ----------
    about : str
        Table and column, as in "students.birth_year".
    """

    def __init__(self, about: str):
        super().__init__()
        self.about = about


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
    return np.array(
        [_opened(cipher, about, *row) for row in zip(owners, sealed, strict=True)], dtype="float64"
    )


def _opened(cipher: Cipher, about: str, owner: str, sealed: bytes | None) -> float:
    if sealed is None:
        return np.nan
    try:
        return float(int(cipher.decrypt(bytes(sealed), f"{about}:{owner}")))
    except KeyProblem:
        table, _, column = about.partition(".")
        raise KeyProblem(
            f"table {table}, column {column}, row {owner} cannot be decrypted: the key (TEPAT_KEY or the key "
            "file) is not the one it was written with, or the bytes were altered or are another row's"
        ) from None
