"""Courses of the invented university: which of them stand behind a term's row, and their marks.

The row came first: so many courses taken, so many repeated, so many failed, one average. Here they get names
and marks that add up to it, from a stream of chance of their own. A few courses of every programme are hard:
a failed course is one of them more often than not.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from data.synthetic import campus
from data.synthetic.people import People
from data.synthetic.study import CREDITS_PER_COURSE

SUBJECTS = (
    *("Bahasa Indonesia", "Pendidikan Pancasila", "Bahasa Inggris", "Statistika", "Metode Penelitian"),
    *("Kewirausahaan", "Etika Profesi", "Komunikasi", "Manajemen Proyek", "Sistem Informasi"),
)
HARD = frozenset({3, 5, 9, 14})  # places of hard courses in a programme's plan, from 1
HARD_WEIGHT = 6.0  # how much rather a failed course is a hard one
REQUIRED_SHARE = 0.8  # of a plan's courses, the first ones
SPREAD = 0.35  # of the marks within a term
LOWEST_PASS, HIGHEST = 1.0, 4.0
LETTERS = ((3.75, "A"), (3.25, "AB"), (2.75, "B"), (2.25, "BC"), (1.75, "C"), (1.25, "CD"), (1.0, "D"))
FAILED = "E"
THESIS = "TA"
COLUMNS = (
    *("student_number", "course_code", "course_name", "term_id", "attempt", "credits", "grade"),
    *("grade_points", "result", "compulsory", "known_at"),
)


def course_rows(
    simulated: pd.DataFrame,
    people: People,
    terms: pd.DataFrame,
    corrections: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Course attempts as first booked, and those whose mark was changed later.

    Parameters
    ----------
    simulated : DataFrame
        All terms as they happened (:func:`data.synthetic.study.simulate`).
    people : People
    terms, corrections : DataFrame
        The terms of the register as first booked, and their later versions
        (:func:`data.synthetic.records.term_rows`); attempts are known with their term.
    rng : Generator

    Returns
    -------
    (DataFrame, DataFrame)
        Columns :data:`COLUMNS`, keyed by ``student_number``.
    """
    numbers = people.students["student_number"].tolist()
    booked = terms.set_index(["student_number", "term_index"])
    told = booked[["term_id", "known_at", "credits_passed"]].to_dict("index")
    later = corrections.set_index(["student_number", "term_index"])["known_at"].to_dict()
    rows: list[tuple] = []
    changed: list[tuple] = []
    for student, mine in simulated.sort_values(["student", "term_index"]).groupby("student", sort=False):
        path = _Path(campus.PROGRAMMES[people.programme[student]])
        for term in mine.to_dict("records"):
            taken = path.term(term, rng)
            about = told.get((numbers[student], term["term_index"]))
            if about is None or not taken:
                continue
            place = (numbers[student], about["term_id"])
            first = _as_first_booked(taken, term, lost=term["credits_passed"] > about["credits_passed"])
            rows += [(*place, *course, about["known_at"]) for course in first]
            when = later.get((numbers[student], term["term_index"]))
            if when is not None:
                after = set(taken) - set(first)
                changed += [(*place, *course, when) for course in taken if course in after]
    return _frame(rows), _frame(changed)


def _as_first_booked(taken: list[tuple], term: dict, *, lost: bool) -> list[tuple]:
    """The courses while the mark of one is not in yet: it counted as failed."""
    if not lost:
        return taken
    passed = [place for place, course in enumerate(taken) if course[0] != THESIS and course[3] > 0]
    last = passed[-1]
    code, name, credits, _, kind = taken[last]
    return [*taken[:last], (code, name, credits, 0.0, kind), *taken[last + 1 :]]


class _Path:
    """One student's way through the courses of a programme."""

    def __init__(self, programme: campus.Programme) -> None:
        self.programme = programme
        self.owed: list[int] = []
        self.next = 1
        self.length = round((programme.required_credits - programme.final_credits) / CREDITS_PER_COURSE)

    def term(self, row: dict, rng: np.random.Generator) -> list[tuple]:
        """``(code, name, credits, points, kind)`` of each course of a term; points 0 where it was failed."""
        thesis = int(row["thesis_credits"])
        count = (int(row["credits_attempted"]) - thesis) // CREDITS_PER_COURSE
        repeated = int(row["courses_repeated"])
        again, self.owed = self.owed[:repeated], self.owed[repeated:]
        new = list(range(self.next, self.next + count - repeated))
        self.next += len(new)
        failed_again = int(row["failed_again"])
        failed = _chosen(again, failed_again, rng) | _chosen(
            new, int(row["courses_failed"]) - failed_again, rng
        )
        self.owed += [place for place in (*again, *new) if place in failed]
        passed = [place for place in (*again, *new) if place not in failed]
        written = bool(row["thesis_passed"])
        marks = _marks(row, len(passed), thesis if written else 0, rng)
        points = dict(zip(passed, marks, strict=False))
        taken = [self._course(place, points.get(place, 0.0)) for place in (*again, *new)]
        if thesis and written:
            taken.append((THESIS, "Tugas Akhir", thesis, marks[-1], "required"))
        elif thesis:
            taken.append((THESIS, "Tugas Akhir", thesis, None, "required"))
        return taken

    def _course(self, place: int, points: float) -> tuple:
        name = SUBJECTS[(place - 1) % len(SUBJECTS)]
        part = (place - 1) // len(SUBJECTS) + 1
        kind = "required" if place <= self.length * REQUIRED_SHARE else "elective"
        code = f"{self.programme.code[:3]}{place:03d}"
        return code, f"{name} {part}", CREDITS_PER_COURSE, points, kind


def _chosen(places: list[int], count: int, rng: np.random.Generator) -> set[int]:
    """``count`` of the places, the hard ones rather."""
    if count <= 0:
        return set()
    weights = np.array([HARD_WEIGHT if place in HARD else 1.0 for place in places])
    return set(
        rng.choice(places, size=min(count, len(places)), replace=False, p=weights / weights.sum()).tolist()
    )


def _marks(row: dict, passed: int, thesis: int, rng: np.random.Generator) -> list[float]:
    """Points of the courses passed and, last, of the thesis; they add up to the term's average."""
    count = passed + bool(thesis)
    if not count:
        return []
    weights = np.array([CREDITS_PER_COURSE] * passed + [thesis] * bool(thesis), dtype=float)
    graded = row["credits_attempted"] - (0 if thesis else row["thesis_credits"])
    mean = min(max(row["gpa_term"] * graded / weights.sum(), LOWEST_PASS), HIGHEST)
    apart = SPREAD * rng.standard_normal(count)
    if passed:  # the mark that a correction brings is an average one
        apart[passed - 1] = row["gpa_term"] - mean if row["gpa_term"] >= LOWEST_PASS else 0.0
    free = np.arange(count) != passed - 1 if count > 1 else np.ones(count, bool)
    apart[free] -= (apart * weights).sum() / weights[free].sum() if free.any() else 0.0
    room = np.where(
        apart > 0, (HIGHEST - mean) / np.maximum(apart, 1e-9), (mean - LOWEST_PASS) / np.maximum(-apart, 1e-9)
    )
    points = np.round(mean + apart * min(1.0, room.min()), 2)
    off = (mean * weights.sum() - (points * weights).sum()) / weights[0]
    points[0] = np.round(np.clip(points[0] + off, LOWEST_PASS, HIGHEST), 2)
    return points.tolist()


def _letter(points: float) -> str:
    return next((letter for least, letter in LETTERS if points >= least - 1e-9), FAILED)


def _frame(rows: list[tuple]) -> pd.DataFrame:
    names = [
        "student_number",
        "term_id",
        "course_code",
        "course_name",
        "credits",
        "grade_points",
        "compulsory",
    ]
    frame = pd.DataFrame(rows, columns=[*names, "known_at"])
    points = frame["grade_points"].astype("float64")
    open_ = points.isna()
    letters: dict[float, str] = defaultdict(
        str, {value: _letter(value) for value in points.dropna().unique()}
    )
    return frame.assign(
        grade_points=points,
        grade=points.map(letters).where(~open_, None),
        result=np.where(open_, "open", "graded"),
        attempt=1,
    )[list(COLUMNS)]
