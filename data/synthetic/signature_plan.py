"""Which signatures the invented students leave, when, by whose hand, and what is wrong with a few of them.

A plan holds seeds, never pixels: a specimen is drawn from its row alone, so the same row gives the same image
in whatever process and order it is drawn.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from data.calendar.term_calendar import term_end, term_start
from data.synthetic.study import ACTIVE

FLAWED = 0.015  # share of bad scans
DISTURBED = 0.025  # share with printed matter across the signature
FORGED = 0.005  # share of skilled or traced forgeries
HURRIED = 0.10  # share of later signatures written in haste
FLAWS = ("blank", "cut_off", "low_resolution", "blurred")
DISTURBANCES = ("ruled_line", "box_edge", "stamp")
ENROLMENT_COUNTS = {3: 0.45, 4: 0.30, 5: 0.15, 6: 0.10}
LATER = {"course_registration": 0.10, "exam": 0.07}  # chance per active term after the first
THESIS = 0.45
COLUMNS = (
    "student_number", "captured_on", "context", "writer_seed", "style", "drawing_seed", "kind",
    "forger_seed", "flaw", "disturbance", "planted",
)  # fmt: skip


def plan_signatures(
    students: pd.DataFrame,
    terms: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    style: np.ndarray,
    signing: np.ndarray,
    snapshot: date,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Plan every specimen of the university.

    Parameters
    ----------
    students, terms, outcomes : DataFrame
        Tables of the register, keyed by ``student_number``; ``outcomes`` in the order of ``students``.
    style : ndarray
        Handwriting trait per student, standard normal.
    signing : ndarray of bool
        Students who gave specimens; the others never agreed to.
    snapshot : date
        Nothing is captured later.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row per specimen, a student's rows together: ``student_number``; ``captured_on`` (datetime64);
        ``context``; ``writer_seed`` and ``style`` of the hand; ``drawing_seed`` of this performance;
        ``kind`` (genuine, hurried, skilled, traced); ``forger_seed``; ``flaw`` and ``disturbance`` or None;
        ``planted``: None, "skilled_forgery", "traced_forgery", "reused_image", "one_hand_for_three" or
        "bad_scan_…".
    """
    position = np.flatnonzero(signing)
    rows = pd.concat(
        [
            _at_enrolment(students, position, rng),
            _in_terms(students, terms, signing, rng),
            _thesis(students, outcomes, signing, rng),
        ],
        ignore_index=True,
    )
    rows = rows[rows["captured_on"] <= pd.Timestamp(snapshot)]
    rows = rows.sort_values(["student", "captured_on"], kind="stable", ignore_index=True)
    n = len(rows)
    hands = rng.integers(0, 2**62, size=len(students))
    rows["writer_seed"], rows["style"] = hands[rows["student"]], np.asarray(style)[rows["student"]]
    rows["drawing_seed"] = rng.integers(0, 2**62, size=n)
    rows["forger_seed"] = rng.integers(0, 2**62, size=n)
    rows["flaw"], rows["disturbance"], rows["planted"] = None, None, None
    hurried = (rng.random(n) < HURRIED) & (rows["context"] != "enrollment")
    rows["kind"] = np.where(hurried, "hurried", "genuine")
    _plant_bad_scans(rows, rng)
    _plant_forgeries(rows, rng)
    _plant_frauds(rows, students, outcomes, rng)
    rows["student_number"] = students["student_number"].to_numpy()[rows["student"]]
    return rows[list(COLUMNS)]


def _at_enrolment(students, position, rng) -> pd.DataFrame:
    """Three to six specimens on the day of enrolment, in the month before the first term."""
    counts = rng.choice(list(ENROLMENT_COUNTS), size=len(position), p=list(ENROLMENT_COUNTS.values()))
    start = _day(students["cohort_term"].to_numpy()[position], term_start)
    day = start - rng.integers(2, 30, size=len(position)).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "student": np.repeat(position, counts),
            "captured_on": np.repeat(day, counts),
            "context": "enrollment",
        }
    )


def _in_terms(students, terms, signing, rng) -> pd.DataFrame:
    """Forms signed in later terms: course registration before a term, exam near its end."""
    rows = terms.loc[terms["status"].isin(ACTIVE) & (terms["term_index"] > 1), ["student_number", "term_id"]]
    student = pd.Index(students["student_number"]).get_indexer(rows["student_number"])
    parts = []
    for context, share in LATER.items():
        chosen = (rng.random(len(rows)) < share) & signing[student]
        term = rows["term_id"].to_numpy(int)[chosen]
        if context == "exam":
            day = _day(term, term_end) - rng.integers(3, 20, size=len(term)).astype("timedelta64[D]")
        else:
            day = _day(term, term_start) - rng.integers(0, 10, size=len(term)).astype("timedelta64[D]")
        parts.append(pd.DataFrame({"student": student[chosen], "captured_on": day, "context": context}))
    return pd.concat(parts, ignore_index=True)


def _thesis(students, outcomes, signing, rng) -> pd.DataFrame:
    """Some graduates signed their thesis in the month before the end of their last term."""
    done = (
        (outcomes["exit_type"] == "graduated").to_numpy(bool) & signing & (rng.random(len(students)) < THESIS)
    )
    last = outcomes.loc[done, "exit_term"].to_numpy(int)
    day = _day(last, term_end) - rng.integers(1, 30, size=len(last)).astype("timedelta64[D]")
    return pd.DataFrame({"student": np.flatnonzero(done), "captured_on": day, "context": "thesis"})


def _plant_bad_scans(rows: pd.DataFrame, rng) -> None:
    draw = rng.random(len(rows))
    flaw = np.array(FLAWS, dtype=object)[rng.integers(len(FLAWS), size=len(rows))]
    printed = np.array(DISTURBANCES, dtype=object)[rng.integers(len(DISTURBANCES), size=len(rows))]
    flawed = draw < FLAWED
    disturbed = ~flawed & (draw < FLAWED + DISTURBED)
    rows.loc[flawed, "flaw"] = flaw[flawed]
    rows.loc[disturbed, "disturbance"] = printed[disturbed]
    rows.loc[flawed, "planted"] = "bad_scan_" + flaw[flawed]
    rows.loc[disturbed, "planted"] = "bad_scan_" + printed[disturbed]


def _plant_forgeries(rows: pd.DataFrame, rng) -> None:
    """Later signatures by another hand; a tenth of them traced."""
    open_to = rows.index[(rows["context"] != "enrollment") & rows["planted"].isna()]
    if len(open_to) == 0:
        return
    count = min(len(open_to), max(1, round(FORGED * len(rows))))
    chosen = rng.choice(open_to, size=count, replace=False)
    kinds = np.where(rng.random(count) < 0.1, "traced", "skilled")
    rows.loc[chosen, "kind"] = kinds
    rows.loc[chosen, "planted"] = kinds.astype(object) + "_forgery"


def _plant_frauds(rows: pd.DataFrame, students, outcomes, rng) -> None:
    """Among the newest students still enrolled: one image under two names, one hand for three."""
    enrolled = outcomes["exit_type"].isna().to_numpy()
    clean = rows["planted"].isna().groupby(rows["student"]).all()
    able = np.array([one for one in clean.index[clean] if enrolled[one]])
    if len(able) < 5:
        return
    newest = students["cohort_term"].to_numpy(int)[able]
    order = np.lexsort((rng.random(len(able)), -newest))
    first, second, *three = able[order[:5]]
    source, copy = rows.index[rows["student"] == first][0], rows.index[rows["student"] == second][-1]
    rows.loc[copy, ["writer_seed", "style", "drawing_seed", "kind"]] = rows.loc[
        source, ["writer_seed", "style", "drawing_seed", "kind"]
    ]
    rows.loc[[source, copy], "planted"] = "reused_image"
    hand = rows.loc[rows["student"] == three[0], ["writer_seed", "style"]].iloc[0]
    signed = rows["student"].isin(three)
    rows.loc[signed, "writer_seed"], rows.loc[signed, "style"] = hand["writer_seed"], hand["style"]
    rows.loc[signed, "planted"] = "one_hand_for_three"


def _day(terms: np.ndarray, function) -> np.ndarray:
    unique, codes = np.unique(np.asarray(terms, dtype=int), return_inverse=True)
    return np.array([function(int(term)) for term in unique], dtype="datetime64[D]")[codes]
