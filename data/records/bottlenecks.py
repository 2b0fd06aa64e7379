"""Which courses of a programme hold students up: attempts, failures, who was delayed. Frames in and out.

All figures are associations: a course that the delayed failed more often need not have delayed them.
"""

from __future__ import annotations

import pandas as pd

BOTTLENECK_RATE = 0.2  # share of the decided attempts that failed
LEAST_ATTEMPTS = 20  # decided attempts below which a share says little
COUNTS = (
    *("attempts", "failed", "students", "failing", "delayed", "delayed_failing"),
    *("on_time", "on_time_failing"),
)


def course_counts(attempts: pd.DataFrame, about: pd.DataFrame) -> pd.DataFrame:
    """Attempts and students by programme and course.

    Parameters
    ----------
    attempts : DataFrame
        As :func:`data.records.course_results.judged` gives them, with ``course_name``; transferred credits
        and open marks are not counted.
    about : DataFrame
        ``student_key``, ``program_code``, ``label`` (on_time, delayed, dropout, censored).

    Returns
    -------
    DataFrame
        ``program_code``, ``course_code``, ``course_name`` (the newest one; without one in the programme the
        one that the code has elsewhere, else the code), :data:`COUNTS`: decided attempts and those failed;
        students with a decided attempt and those who failed one; of these students the delayed, the on-time
        graduates, and those of each who failed the course at least once.
    """
    everybody = attempts.merge(about[["student_key", "program_code", "label"]], on="student_key", how="inner")
    decided = everybody["passed"] | everybody["failed"]
    rows = everybody[decided & (everybody["result"] != "transferred")]
    course = ["program_code", "course_code"]
    each = rows.groupby([*course, "student_key"], sort=False)
    each = each.agg(n=("failed", "size"), failed=("failed", "sum"), label=("label", "first")).reset_index()
    failing = each["failed"] > 0
    counted = each[course].assign(
        attempts=each["n"],
        failed=each["failed"],
        students=1,
        failing=failing,
        delayed=each["label"] == "delayed",
        delayed_failing=failing & (each["label"] == "delayed"),
        on_time=each["label"] == "on_time",
        on_time_failing=failing & (each["label"] == "on_time"),
    )
    table = counted.groupby(course, sort=True)[list(COUNTS)].sum().astype("int64").reset_index()
    table["course_name"] = _names(table, everybody)
    return table[[*course, "course_name", *COUNTS]]


def _names(table: pd.DataFrame, attempts: pd.DataFrame) -> pd.Series:
    """The newest name in the programme; else the only one that the code has elsewhere; else the code."""
    course = ["program_code", "course_code"]
    named = attempts.dropna(subset=["course_name"]).sort_values("term_id", kind="stable")
    own = named.drop_duplicates(course, keep="last").set_index(course)["course_name"]
    names = named.groupby("course_code")["course_name"].agg(["nunique", "last"])
    elsewhere = names.loc[names["nunique"] == 1, "last"]
    told = own.reindex(pd.MultiIndex.from_frame(table[course])).set_axis(table.index)
    codes = table["course_code"]
    return told.fillna(codes.map(elsewhere)).fillna(codes).astype("str")
