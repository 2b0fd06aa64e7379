"""Records → one row per student as of the end of a term.

Every row answers one question: what did the university know about this student on the day a month after the
n-th term ended? Rows known later, terms not yet completed and students who had already left never get in.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.calendar.study_time import study_time
from data.calendar.term_calendar import as_of_date, from_ordinal, ordinal
from data.columns import AS_OF_INDEXES
from data.records.recognised import with_recognised
from fusion.features.course_features import course_features
from fusion.features.feature_list import (
    COURSE_FEATURES,
    FEATURES,
    PROTECTED_FEATURES,
    RECORD_FEATURES,
    Feature,
    LeakageError,
    check_names,
    signature_feature,
)
from fusion.features.renamed import one_name
from fusion.features.term_grid import OF_TERMS, grid_features

if TYPE_CHECKING:
    from data.queries import Records
    from fusion.features.context import Context

__all__ = [
    "FEATURES",
    "Feature",
    "LeakageError",
    "build_features",
    "check_known",
    "check_names",
    "cutoff_dates",
    "enrolled_at",
    "register_date",
    "signature_feature",
]

TERM_VALUES = (
    "gpa_term",
    "gpa_cum",
    "credits_attempted",
    "credits_passed",
    "credits_cum",
    "courses_failed",
    "courses_repeated",
    "attendance_rate",
    "tuition_arrears_days",
)


def register_date(records: Records) -> date:
    """The newest date the register speaks about: no score is made for a later day.

    Raises
    ------
    ValueError
        When the register has neither outcomes nor terms.
    """
    if records.day is not None:
        return records.day
    dates = [
        pd.to_datetime(frame[column]).max()
        for frame, column in ((records.outcomes, "observed_until"), (records.terms, "known_at"))
        if len(frame) and column in frame
    ]
    dates = [day for day in dates if not pd.isna(day)]
    if not dates:
        raise ValueError("records must hold outcomes or terms with a date, got neither")
    return max(dates).date()


def cutoff_dates(cohort_terms, as_of_index: int) -> pd.Series:
    """Per student, the day after which nothing may enter (:func:`data.calendar.term_calendar.as_of_date`)."""
    cohorts = pd.Series(cohort_terms)
    days = {term: pd.Timestamp(as_of_date(int(term), as_of_index)) for term in cohorts.unique()}
    return pd.to_datetime(cohorts.map(days)) if days else pd.Series([], dtype="datetime64[ns]")


def enrolled_at(
    records: Records, as_of_index: int, today: date | None = None, held: frozenset[int] | None = None
) -> pd.DataFrame:
    """The students who can be scored at an as-of term, with their cut-off.

    A student belongs to the risk set when the cut-off has been reached, they studied for longer than so many
    terms (:func:`data.calendar.study_time.study_time`: an exit in the closing time of a term is one in that
    term), and the register holds the cohort's records of that term (a register that stops after two terms is
    scored up to as-of 2).

    Parameters
    ----------
    records : Records
        The register.
    as_of_index : int
        Regular terms completed since entry, 0…8.
    today : date, optional
        Default: :func:`register_date`.
    held : frozenset of int, optional
        Entry cohorts of whose records of that term the register holds some, where ``records`` are a part of
        it. Default: those of ``records``.

    Returns
    -------
    DataFrame
        The columns of ``records.students`` and ``cutoff`` (datetime64), indexed by ``student_key``.
    """
    if as_of_index not in AS_OF_INDEXES:
        known = ", ".join(map(str, AS_OF_INDEXES))
        raise ValueError(f"as_of_index must be one of {known}, got {as_of_index!r}")
    students = records.students.set_index("student_key")
    students = students.assign(cutoff=cutoff_dates(students["cohort_term"], as_of_index))
    limit = pd.Timestamp(today or register_date(records))
    left = _terms_studied(records).reindex(students.index)
    here = (students["cutoff"] <= limit) & ~(left <= as_of_index)
    if as_of_index:
        held = cohorts_with_term(records, as_of_index, limit) if held is None else held
        here &= students["cohort_term"].isin(held)
    return students[here]


def _terms_studied(records: Records) -> pd.Series:
    """Terms each student studied; missing while enrolled or when the register does not say."""
    gone = records.outcomes[records.outcomes["exit_type"].notna()].drop_duplicates("student_key")
    entered = records.students.set_index("student_key")["cohort_term"]
    gone = gone.set_index("student_key").assign(cohort_term=lambda rows: entered.reindex(rows.index))
    gone = gone[gone["cohort_term"].notna()]
    return study_time(gone, records.calendar)["terms"].astype("float64")


def cohorts_with_term(records: Records, as_of_index: int, limit: pd.Timestamp) -> frozenset[int]:
    """Entry cohorts of whose students some row of that term, or of a later one, is known by a day."""
    terms = records.terms
    cohorts = terms["student_key"].map(records.students.set_index("student_key")["cohort_term"])
    known = cohorts.notna() & (pd.to_datetime(terms["known_at"]) <= limit)
    last = pd.Series(_slots(terms.loc[known, "term_id"], cohorts[known])).groupby(cohorts[known].to_numpy())
    return frozenset(int(cohort) for cohort, slot in last.max().items() if slot >= as_of_index)


def _slots(term_ids, cohorts) -> np.ndarray:
    """Which regular term since entry (1 = entry term) a row belongs to; short terms join the even one."""
    return _ordinals(term_ids) - _ordinals(cohorts) + 1


def _ordinals(terms) -> np.ndarray:
    codes, unique = pd.factorize(terms)
    return np.array([ordinal(int(term)) for term in unique] or [0])[codes] if len(codes) else np.zeros(0, int)


def known_terms(records: Records, risk_set: pd.DataFrame, as_of_index: int) -> pd.DataFrame:
    """The term rows that may enter: of the risk set, of completed terms, known by the cut-off."""
    place = risk_set.index.get_indexer(records.terms["student_key"])
    terms, place = records.terms[place >= 0], place[place >= 0]
    terms = terms.assign(
        slot=_slots(terms["term_id"], risk_set["cohort_term"].to_numpy(int)[place]),
        cutoff=risk_set["cutoff"].to_numpy("datetime64[ns]")[place],
        known_at=pd.to_datetime(terms["known_at"]),
    )
    kept = terms["slot"].between(1, as_of_index) & (terms["known_at"] <= terms["cutoff"])
    return terms[kept].sort_values(["student_key", "term_id"], kind="stable")


def check_known(frame: pd.DataFrame) -> None:
    """Refuse rows whose ``known_at`` lies after their ``cutoff``.

    Raises
    ------
    LeakageError
        With the number of such rows and the worst of them.
    """
    late = pd.to_datetime(frame["known_at"]) > pd.to_datetime(frame["cutoff"])
    if late.any():
        worst = pd.to_datetime(frame.loc[late, "known_at"]).max().date()
        raise LeakageError(
            f"known_at must not be later than the cut-off; {int(late.sum())} rows are, up to {worst}"
        )


def build_features(
    records: Records,
    as_of_index: int,
    *,
    today: date | None = None,
    protected: bool = False,
    context: Context | None = None,
) -> pd.DataFrame:
    """One row per student who was enrolled at the as-of date.

    Parameters
    ----------
    records : Records
        The register as of that index (``queries.records_until(store, as_of_index)``): ``students``,
        ``terms`` (with ``known_at``), ``outcomes``, ``programs``. Outcomes only decide who was still
        enrolled.
    as_of_index : int
        Regular terms completed since entry, 0…8.
    today : date, optional
        The simulated day; default: the newest date in the register.
    protected : bool
        Also build the protected attributes (for audits; they are predictors only when switched on).
    context : Context, optional
        The register that ``records`` are a part of. Default: they are all of it.

    Returns
    -------
    DataFrame
        Indexed by ``student_key``: the columns of :data:`RECORD_FEATURES` in order (float64, or object for
        categories), those of courses if the register has course grades, then the protected ones if asked.

    Raises
    ------
    ValueError
        For an as-of index outside 0…8 or a programme that the register does not know.
    """
    held, counts = (None, None) if context is None else context.at(as_of_index)
    risk_set = enrolled_at(records, as_of_index, today, held)
    rows = known_terms(records, risk_set, as_of_index)
    check_known(rows)
    if records.attempts is not None:
        cutoffs = cutoff_dates(records.students["cohort_term"], as_of_index)
        cutoffs = cutoffs.set_axis(records.students["student_key"])
        check_known(records.attempts.assign(cutoff=records.attempts["student_key"].map(cutoffs)))
    table = _entry_features(risk_set, records.programs, as_of_index)
    grid = grid_features(rows, risk_set.index, as_of_index, TERM_VALUES)
    table = pd.concat([table, grid], axis=1)
    _credit_plan(table, as_of_index)
    wanted = [feature.name for feature in RECORD_FEATURES]
    if records.attempts is not None:
        table = table.join(course_features(records, risk_set, as_of_index, counts))
        wanted += [feature.name for feature in COURSE_FEATURES]
    if protected:
        for name, column in _protected(risk_set).items():
            table[name] = column
        wanted += [feature.name for feature in PROTECTED_FEATURES]
    check_names(wanted, allow_protected=protected)
    return table[wanted].rename_axis("student_key")


def _entry_features(risk_set: pd.DataFrame, programs: pd.DataFrame, as_of_index: int) -> pd.DataFrame:
    known = programs.set_index("program_code")
    unknown = sorted(set(risk_set["program_code"]) - set(known.index))
    if unknown:
        raise ValueError(f"program_code must be one of the programmes, got {unknown}")
    table = pd.DataFrame(index=risk_set.index)
    table["program_code"] = risk_set["program_code"].astype(object)
    table["degree_level"] = risk_set["program_code"].map(known["degree_level"]).astype(object)
    entered = risk_set["cohort_term"].astype(int) // 10
    for name in ("entry_type", "admission_path", "funding_at_entry"):
        table[name] = one_name(name, _text(risk_set, name), entered)
    for name in ("recognized_credits", "tuition_band"):
        table[name] = _number(risk_set, name)
    table["even_intake"] = (risk_set["cohort_term"] % 10 == 2).astype(float)
    table["as_of_index"] = float(as_of_index)
    table["terms_left"] = risk_set["program_code"].map(known["normal_terms"]).astype(float) - as_of_index
    table["_required"] = risk_set["program_code"].map(known["required_credits"]).astype(float)
    return table


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    column = frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)
    return column.astype(object).where(column.notna(), None)


def _number(frame: pd.DataFrame, name: str) -> pd.Series:
    column = frame[name] if name in frame else pd.Series(np.nan, index=frame.index)
    return pd.to_numeric(column, errors="coerce").astype(float)


def _credit_plan(table: pd.DataFrame, as_of_index: int) -> None:
    """Credits against the programme's plan; recognised credits count as earned."""
    earned = with_recognised(table["credits_cum"], table["recognized_credits"], table[OF_TERMS])
    table["credits_cum"] = earned = pd.Series(earned, table.index)
    normal = table["terms_left"] + as_of_index
    planned = table["_required"] * as_of_index / normal
    table["credit_pace"] = (earned / planned.where(planned > 0)).astype(float)
    open_credits = (table["_required"] - earned).clip(lower=0)
    table["credits_needed"] = open_credits / table["terms_left"].clip(lower=1)


def _protected(risk_set: pd.DataFrame) -> dict[str, pd.Series]:
    columns = {name: _text(risk_set, name) for name in FEATURES if FEATURES[name].group == "protected"}
    entry_year = risk_set["cohort_term"].astype(int) // 10
    columns["age_at_entry"] = (entry_year - _number(risk_set, "birth_year")).astype(float)
    return columns


def last_completed_term(cohort_term: int, as_of_index: int) -> int:
    """The ``YYYYT`` term that a score as of ``as_of_index`` follows; the entry term at index 0."""
    return from_ordinal(ordinal(cohort_term) + max(as_of_index - 1, 0))
