"""Frames and figures of an examination as what a manifest keeps: rounded, and without a row of a student."""

from __future__ import annotations

from typing import TypeVar

import pandas as pd

from fusion.metrics import Estimate
from fusion.model.plain_json import from_plain, to_plain

Row = TypeVar("Row")


def rows_of(kind: type[Row], frame: pd.DataFrame, digits: int = 4) -> tuple[Row, ...]:
    """One object of ``kind`` per row; columns that it does not know are left out, what is missing is NaN or
    None."""
    clean = frame.round(digits).astype(object)
    clean = clean.where(clean.notna(), None)
    return tuple(from_plain(kind, to_plain(row)) for row in clean.to_dict("records"))


def rounded(figures: dict[str, Estimate], digits: int = 6) -> dict[str, Estimate]:
    """The same figures with so many decimals."""
    return {
        name: Estimate(*(round(float(value), digits) for value in (e.value, e.low, e.high)))
        for name, e in figures.items()
    }
