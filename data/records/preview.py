"""How many rows an import would add, change and leave, by the same comparison that the writer makes."""

from __future__ import annotations

from datetime import date

import pandas as pd

from data import schema
from data.calendar.term_calendar import GRADES_KNOWN_AFTER, term_end
from data.calendar.term_columns import calendar_index, lookup
from data.consents.order import on_record
from data.engine.texts import one_of
from data.records.diff import Difference, compare, compare_dated, compare_programs
from data.records.frames import ATTEMPT, NUMBER, OF_PROGRAM, RecordFrames, typed, versions
from data.records.known import Known

_NOT_OF_STUDENTS = ["name", *OF_PROGRAM]


def preview_counts(frames: RecordFrames, known: Known, today: date) -> dict[str, dict[str, int]]:
    """Rows by what would happen to them.

    Returns
    -------
    dict
        Table → {"new", "changed", "same"}, for every frame that the import has.
    """
    counts = {}
    if frames.students is not None:
        rows = typed(frames.students, schema.students, also=(NUMBER, *_NOT_OF_STUDENTS))
        codes = pd.Series(rows["program_code"].unique())
        unknown = int((~codes.isin(known.programs["program_code"])).sum())
        counts["programs"] = compare_programs(rows, known.programs).counts | {"new": unknown}
        plain = rows.drop(columns=_NOT_OF_STUDENTS, errors="ignore")
        counts["students"] = _counts(plain, known.students, [NUMBER])
        if "name" in rows:
            counts["identities"] = _counts(rows[[NUMBER, "name"]], known.students, [NUMBER])
    if frames.terms is not None:
        terms = _terms(frames, known, today)
        counts["terms"] = terms.counts
    if frames.course_attempts is not None:
        counts["course_attempts"] = _attempts(frames, known, today)
    if frames.outcomes is not None:
        news = None if frames.terms is None else pd.concat([terms.new, terms.changed])["known_at"].max()
        counts["outcomes"] = _outcomes(frames.outcomes, known, today, news)
    if frames.consents is not None:
        same = int(on_record(frames.consents, known.consents).sum())
        counts["consents"] = {"new": len(frames.consents) - same, "changed": 0, "same": same}
    return counts


def _attempts(frames: RecordFrames, known: Known, today: date) -> dict[str, int]:
    """As the writer does it: version after version, each against what the one before has left."""
    rows = typed(frames.course_attempts, schema.course_attempts, also=(NUMBER,))
    key = [NUMBER, *ATTEMPT[1:]]
    stored, counts = _alike(known.grades, rows), {"new": 0, "changed": 0, "same": 0}
    for version in versions(rows, key):
        booked = {term: term_end(int(term)) + GRADES_KNOWN_AFTER for term in version["term_id"].unique()}
        found = compare_dated(version, stored, key, "known_at", today=today, default=booked)
        counts = {kind: number + found.counts[kind] for kind, number in counts.items()}
        written = [part for part in (stored, found.new, found.changed) if len(part)]
        stored = (
            pd.concat(written, ignore_index=True).drop_duplicates(key, keep="last") if written else stored
        )
    return counts


def _counts(rows: pd.DataFrame, stored: pd.DataFrame, key: list[str]) -> dict[str, int]:
    return compare(rows, _alike(stored, rows), key).counts


def _alike(stored: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """``stored`` with every column of ``rows``: the frames of an empty store have only the necessary ones."""
    return stored.reindex(columns=[*stored.columns, *(name for name in rows if name not in stored)])


def _terms(frames: RecordFrames, known: Known, today: date) -> Difference:
    rows = typed(frames.terms, schema.terms, also=(NUMBER,))
    index = calendar_index(lookup(rows[NUMBER], _cohorts(frames, known)), rows["term_id"])
    rows = rows.assign(term_index=index.astype("float64"))
    booked = {term: term_end(int(term)) + GRADES_KNOWN_AFTER for term in rows["term_id"].unique()}
    key = [NUMBER, "term_id"]
    return compare_dated(rows, _alike(known.terms, rows), key, "known_at", default=booked, today=today)


def _cohorts(frames: RecordFrames, known: Known) -> pd.Series:
    stored = known.students.set_index(NUMBER)["cohort_term"]
    if frames.students is None:
        return stored
    coming = frames.students.set_index(NUMBER)["cohort_term"].astype("int64")
    return pd.concat([coming, stored[~one_of(stored.index, coming.index)]])


def _outcomes(exits: pd.DataFrame, known: Known, today: date, news: pd.Timestamp | None) -> dict[str, int]:
    rows = typed(exits, schema.outcomes, also=(NUMBER,))
    reach = _reach(exits, known, today, news)
    given = rows.get("observed_until", pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]"))
    rows = rows.assign(observed_until=given.fillna(reach))
    return compare_dated(
        rows,
        _alike(known.outcomes, rows),
        [NUMBER],
        "observed_until",
        today=today,
        later_is_news=True,
    ).counts


def _reach(exits: pd.DataFrame, known: Known, today: date, news: pd.Timestamp | None) -> pd.Timestamp:
    """How far the register will reach once the terms of this import are in it, the newest of which are known
    since ``news``; a row that is stored as it is stays known since its own day."""
    dates = [day for day in (known.latest_known_at, news) if day is not None and not pd.isna(day)]
    if not dates and exits["exit_date"].notna().any():
        dates.append(exits["exit_date"].max())
    return max(dates) if dates else pd.Timestamp(today)
