"""A score in words: as counts of past students, or, where counts may not be told, as a place in the order.

Pure functions of rows; :mod:`fusion.validation.footing` says which of the two may be told.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.shell.wording import Words
from fusion.explanation.explain import sentence
from fusion.validation.footing import Footing

ENDS = {
    "very_high": 0.10,
    "high": 0.25,
    "moderate": 0.50,
}  # a band in the order: share of the cohort up to here
TEN, LEAST_FOR_TEN, LEAST = 10, 40, 5
SAME = 0.005  # risks nearer than this are one place


def counted(score: dict, words: Words) -> str:
    """The sentence of a score as counts of past students; where none were counted, as what the model expects.

    Parameters
    ----------
    score : dict
        ``target, risk, risk_low, risk_high``; the ends are null where nobody was counted.
    words : Words
    """
    told = sentence(score["target"], score["risk"], score["risk_low"], score["risk_high"])
    if told.low is None:
        return f"{words(f'student.expected_{told.target}', about=told.about)} {words('student.no_range')}"
    text = words(f"student.sentence_{told.target}", about=told.about)
    return f"{text} {words('student.range', low=told.low, high=told.high)}"


def placed(score: dict, place: dict | None, footing: Footing, words: Words) -> str:
    """The sentence of a score as a place in the order of its own cohort, and why there are no counts.

    Parameters
    ----------
    score : dict
        ``target``.
    place : dict or None
        A row of ``queries.places``; None when the student has no place any more.
    footing : Footing
    words : Words
    """
    why = words(f"place.why_{footing.why}")
    if place is None or place["of"] < LEAST:
        return f"{words('place.few')} {why}"
    at, of = int(place["place"]), int(place["of"])
    group = "ten" if at <= TEN and of >= LEAST_FOR_TEN else band_of_place(at, of)
    text = words(
        "place.sentence",
        group=words(f"place.group_{group}"),
        risk=words(f"place.risk_{score['target']}"),
        of=of,
    )
    return f"{text} {why}"


def told(score: dict, place: dict | None, footing: Footing, words: Words) -> str:
    """The sentence of a score, as it may be told."""
    return placed(score, place, footing, words) if footing.ranks else counted(score, words)


def band_of_place(place: float, of: float) -> str:
    """The band of a place: the first tenth of the cohort, the first quarter, the upper or the lower half.

    It says the order and nothing of how large a risk is. The first place is always in the first tenth.
    """
    share = place / of
    return next(
        (band for band, end in ENDS.items() if share <= end or (place == 1 and band == "very_high")), "low"
    )


def by_place(frame: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Rows of a caseload with ``place``, ``of`` and bands in the order in place of bands of risk.

    ``standing`` and ``previous_standing`` (0…1, 1: the highest risk) are what movement is told by: a whole
    cohort whose risks rose has moved nobody.
    """
    rows = frame.merge(places, on="student_key", how="left")
    for column, band, standing in (
        ("place", "band", "standing"),
        ("previous_place", "previous_band", "previous_standing"),
    ):
        known = rows[column].notna() & rows["of"].notna()
        pairs = zip(rows[column], rows["of"], known, strict=True)
        rows[band] = [band_of_place(at, of) if ok else None for at, of, ok in pairs]
        rows[standing] = np.where(
            known, 1 - (rows[column].astype(float) - 1) / rows["of"].astype(float), np.nan
        )
    return rows


def change_of_place(before: float, after: float, words: Words) -> str:
    """Which way a changed record would move a student in the order."""
    way = "same" if abs(after - before) < SAME else "up" if after > before else "down"
    return words(f"place.whatif_{way}")
