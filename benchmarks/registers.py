"""Small simulated registers whose truth is known, for the self-test of the instrument and for tests.

They are quicker and plainer than the demo university: eight terms, a hidden ability that shows in the grades,
and a hidden trait that shows in the signature embedding only. ``link`` says how much the trait matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import as_of_date, from_ordinal, ordinal, term_end, term_start
from data.records.course_results import GradeRules

PROGRAMS = (("P1", "S1", 8, 144), ("P2", "S1", 8, 144), ("P3", "S1", 8, 144), ("P4", "D3", 6, 108))
FIRST_COHORT = 20101
SPREAD = 0.3  # of the trait as it shows in the embedding; the trait itself is -1 or 1


@dataclass(frozen=True)
class Register:
    """Frames as ``data.queries.records_until`` gives them, specimens with vectors, and the hidden truth.

    ``trait`` (-1 or 1), ``ability`` and ``chance`` (true probability of not graduating in time) are in the
    order of ``students``.
    """

    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    specimens: pd.DataFrame
    vectors: np.ndarray
    trait: np.ndarray
    ability: np.ndarray
    chance: np.ndarray
    calendar: StudyCalendar = StudyCalendar()
    attempts: pd.DataFrame | None = None
    grade_rules: GradeRules = GradeRules()
    day: date | None = None


def make_register(
    count: int,
    rng: np.random.Generator,
    *,
    link: float = 0.0,
    dim: int = 64,
    cohorts: int = 8,
    shift: float = 0.0,
    signed: float = 1.0,
    read_after: int | None = None,
    stands_for: str = "",
) -> Register:
    """Simulate a register.

    Parameters
    ----------
    count : int
        Students.
    rng : Generator
    link : float
        Log-odds that one unit of the hidden trait adds to the risk; 0: signatures carry nothing.
    dim : int
        Width of the embeddings.
    cohorts : int
        Yearly entry cohorts.
    shift : float
        Log-odds added to the risk of the second half of the cohorts (drift).
    signed : float
        Share of students with specimens, at random.
    read_after : int, optional
        Terms after the first cohort's entry at which the register is read; default: in the middle of the
        last cohort's studies.
    stands_for : {"", "sex", "program", "cohort", "class", "unrecorded"}
        What the signature shows in place of a trait of its own: a confounder that tells the outcome by
        ``link`` and is written in the register under that name ("class": the evening class, as a region), or
        nowhere.

    Returns
    -------
    Register
    """
    key = np.array([f"{n:016x}" for n in range(count)], dtype=object)
    program = rng.integers(0, len(PROGRAMS), count)
    cohort = rng.integers(0, cohorts, count)
    ability, trait = rng.normal(size=count), rng.choice([-1.0, 1.0], count)
    mark = rng.spawn(1)[0].choice([-1.0, 1.0], count) if stands_for else trait
    if stands_for in ("program", "cohort"):
        mark = np.where((program if stands_for == "program" else cohort) % 2, 1.0, -1.0)
    trait = mark
    drift = shift * (cohort >= cohorts / 2)
    chance = 1 / (1 + np.exp(-(-1.1 * ability + link * trait + 0.15 * (program - 1.5) + drift)))
    late = rng.random(count) < chance
    entry = np.array([from_ordinal(ordinal(FIRST_COHORT) + 2 * c) for c in range(cohorts)])[cohort]
    normal = np.array([p[2] for p in PROGRAMS])[program]
    leaves = late & (rng.random(count) < 0.4)
    last = np.where(leaves, rng.integers(1, 9, count), normal + np.where(late, rng.integers(1, 5, count), 0))
    students = pd.DataFrame(
        {
            "student_key": key,
            "program_code": np.array([p[0] for p in PROGRAMS], dtype=object)[program],
            "cohort_term": entry,
            "entry_type": "new",
            "funding_at_entry": rng.choice(["self", "grant"], count),
            "tuition_band": rng.integers(1, 9, count),
            "sex": rng.choice(["L", "P"], count),
            "birth_year": entry // 10 - 18 - rng.integers(0, 5, count),
        }
    )
    today = as_of_date(FIRST_COHORT, 2 * (cohorts - 1) + 6 if read_after is None else read_after)
    if stands_for in ("sex", "class"):
        column, names = {"sex": ("sex", ("L", "P")), "class": ("region", ("evening", "day"))}[stands_for]
        students[column] = np.where(trait > 0, *names)
    outcomes = _outcomes(students, last, leaves, today)
    terms = _terms(students, ability, np.minimum(last, 12), today, rng)
    specimens, vectors = _signatures(students, trait, dim, signed, rng)
    programs = pd.DataFrame(
        PROGRAMS, columns=["program_code", "degree_level", "normal_terms", "required_credits"]
    )
    return Register(students, terms, outcomes, programs, specimens, vectors, trait, ability, chance)


def _outcomes(students, last, leaves, today) -> pd.DataFrame:
    exit_term = [from_ordinal(ordinal(c) + n - 1) for c, n in zip(students["cohort_term"], last, strict=True)]
    exit_date = pd.to_datetime([term_end(term) for term in exit_term])
    gone = exit_date <= pd.Timestamp(today)
    return pd.DataFrame(
        {
            "student_key": students["student_key"],
            "exit_type": np.where(gone, np.where(leaves, "resigned", "graduated"), None),
            "exit_term": pd.array(exit_term, dtype="Int64").astype(object),
            "exit_date": exit_date.where(gone, pd.NaT),
            "terms_to_exit": pd.array(np.where(gone, last, 0), dtype="Int64"),
            "observed_until": pd.Timestamp(today),
        }
    ).assign(
        exit_term=lambda f: f["exit_term"].where(gone, None),
        terms_to_exit=lambda f: f["terms_to_exit"].where(gone),
    )


def _terms(students, ability, last, today, rng) -> pd.DataFrame:
    who = np.repeat(np.arange(len(students)), last)
    slot = np.concatenate([np.arange(1, n + 1) for n in last])
    entry = students["cohort_term"].to_numpy()
    ordinals = np.array([ordinal(c) for c in entry])[who] + slot - 1
    unique, place = np.unique(ordinals, return_inverse=True)
    term = np.array([from_ordinal(int(o)) for o in unique])
    known = pd.to_datetime([pd.Timestamp(term_end(int(t))) + pd.Timedelta(days=20) for t in term])
    gpa = np.clip(2.9 + 0.35 * ability[who] + rng.normal(0, 0.35, len(who)), 0, 4)
    taken = np.full(len(who), 18)
    passed = np.clip(np.rint(taken - np.maximum(0, 2.9 - gpa) * 8), 0, 18).astype(int)
    frame = pd.DataFrame(
        {
            "student_key": students["student_key"].to_numpy()[who],
            "term_id": term[place],
            "term_index": slot,
            "status": np.where(rng.random(len(who)) < 0.03, "C", "A"),
            "gpa_term": np.where(rng.random(len(who)) < 0.02, np.nan, gpa.round(2)),
            "credits_attempted": taken,
            "credits_passed": passed,
            "courses_failed": (taken - passed) // 3,
            "attendance_rate": np.clip(0.85 + 0.05 * ability[who] + rng.normal(0, 0.06, len(who)), 0, 1),
            "tuition_arrears_days": rng.poisson(np.where(rng.random(len(who)) < 0.1, 30, 0)),
            "known_at": known[place],
        }
    )
    return frame[frame["known_at"] <= pd.Timestamp(today)].reset_index(drop=True)


def _signatures(students, trait, dim, signed, rng) -> tuple[pd.DataFrame, np.ndarray]:
    """Two specimens at entry; the trait is one direction among ``dim`` of falling variance."""
    has = np.flatnonzero(rng.random(len(students)) < signed)
    spread = 2.0 / np.sqrt(1.0 + np.arange(dim))
    hand = rng.normal(size=(len(has), dim)) * spread
    direction = rng.normal(size=dim) * (np.arange(dim) < 12)
    direction /= np.linalg.norm(direction)
    shown = trait[has] + rng.normal(0, SPREAD, len(has))
    hand += np.outer(1.5 * shown - hand @ direction, direction)
    vectors = np.repeat(hand, 2, axis=0) + rng.normal(0, 0.2, (2 * len(has), dim))
    vectors = np.column_stack([vectors, np.full(len(vectors), 6.0)])  # keeps length normalisation harmless
    days = [pd.Timestamp(term_start(int(c))) for c in students["cohort_term"].to_numpy()[has]]
    specimens = pd.DataFrame(
        {
            "specimen_id": [f"s{n:08d}" for n in range(2 * len(has))],
            "student_key": np.repeat(students["student_key"].to_numpy()[has], 2),
            "captured_on": np.repeat(np.array(days, dtype="datetime64[ns]"), 2),
            "context": "enrollment",
        }
    )
    return specimens, vectors.astype(np.float32)
