"""A student's courses in words: failed and not passed since, repeated, without a mark. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard.shell.wording import Words


@dataclass(frozen=True)
class CourseLines:
    """Lines by what they tell, each a text in the reader's language.

    Parameters
    ----------
    failed : tuple of str
        Courses failed and not passed since.
    repeated : tuple of str
        Courses taken more than once, every attempt in order.
    open : tuple of str
        Courses whose mark is not in yet.
    """

    failed: tuple[str, ...]
    repeated: tuple[str, ...]
    open: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.failed or self.repeated or self.open)


def course_lines(attempts: pd.DataFrame, words: Words) -> CourseLines:
    """What a student's attempts tell, the newest course last.

    Parameters
    ----------
    attempts : DataFrame
        ``queries.attempt_rows``.
    words : Words
    """
    failed, repeated, waiting = [], [], []
    by_course: dict[str, list[dict]] = {}
    for row in attempts.sort_values(["term_id", "attempt"], kind="stable").to_dict("records"):
        by_course.setdefault(row["course_code"], []).append(row)
    for rows in sorted(by_course.values(), key=lambda rows: (rows[-1]["term_id"], rows[-1]["course_code"])):
        name = course_name(rows)
        if rows[-1]["number"] > 1:
            repeated.append(words("courses.line", course=name, attempts=_chain(rows, words)))
        if rows[-1]["result"] == "open":
            waiting.append(words("courses.line", course=name, attempts=words.term(rows[-1]["term_id"])))
        if any(row["failed"] for row in rows) and not any(row["passed"] for row in rows):
            failed.append(words("courses.line", course=name, attempts=_chain(rows[-1:], words)))
    return CourseLines(tuple(failed), tuple(repeated), tuple(waiting))


def course_name(rows: Sequence[dict]) -> str:
    """The newest name of a course with its code."""
    named = [row["course_name"] for row in rows if isinstance(row.get("course_name"), str)]
    code = rows[-1]["course_code"]
    return code if not named or named[-1] == code else f"{named[-1]} ({code})"


def _chain(rows: Sequence[dict], words: Words) -> str:
    """ "2023/2024 odd E, 2024/2025 odd B"."""
    return ", ".join(f"{words.term(row['term_id'])}: {_mark(row, words)}" for row in rows)


def _mark(row: dict, words: Words) -> str:
    if isinstance(row["grade"], str) and row["grade"]:
        return row["grade"]
    if not pd.isna(row["grade_points"]):
        return words.number(row["grade_points"], 2)
    return words(f"courses.result_{row['result']}")
