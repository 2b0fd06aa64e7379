"""UCI 697 (4,424 students of a Portuguese polytechnic) in the common layout.

The file is one row per student without dates. What the common layout wants beyond that is *nominal*, and
said to be so here and in ``students.extra["nominal"]``:

- the intake year is read off three national figures of that year; everybody enters in the odd term;
- the target was recorded at the end of the programme's normal time, so a graduate counts as on time, a
  student "Enrolled" then as delayed, and the exit date of a dropout is that day, the latest it can be;
- grades of a semester are known one month after its end;
- one curricular unit is one credit, and a programme's required credits are the median load of its first
  semester times its normal terms.

Grades 0–20 become 0–4. They average the units approved, so they are null where none was.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from data.calendar.term_calendar import as_of_date, term_after
from data.loaders import uci697_codes as codes
from data.records.frames import RecordFrames

NUMBER_PREFIX = "UCI697-"
NORMAL_TERMS = 6
NURSING_TERMS = 8
SEMESTERS = ("1st", "2nd")
MONEY_FLAGS = ("Debtor", "Tuition fees up to date")
EXITS = {"Graduate": "graduated", "Dropout": "discontinued", "Enrolled": None}
NOMINAL = ["cohort_term", "exit_date", "known_at", "credits"]
# Columns that become columns of the common layout; all others are kept in ``students.extra``.
_USED = (
    "Course", "Application mode", "Gender", "Scholarship holder", "Age at enrollment",
    "Educational special needs", "Target", "Unemployment rate", "Inflation rate", "GDP",
)  # fmt: skip


def read_uci697(source: Path | str | bytes, *, money_flags: bool = False) -> RecordFrames:
    """Read the file ``data.csv`` of UCI 697.

    Parameters
    ----------
    source : path or bytes
        Semicolon-separated, UTF-8 with a byte-order mark, 37 columns, one header with a trailing tab.
    money_flags : bool
        Whether the debtor and tuition flags become arrears of the second term (0 days or, for an unknown
        number, 1). The file does not say when they were true, so they may tell what happened after a
        dropout; by default they stay in ``extra``, which no default feature reads.

    Returns
    -------
    RecordFrames
        17 programmes, one student per row numbered ``UCI697-0001``…, two terms each, outcomes.

    Raises
    ------
    ValueError
        When a column is missing, or a course, target or year cannot be recognised.
    """
    table = _read(source)
    cohort = _entry_years(table) * 10 + 1
    numbers = pd.Series([f"{NUMBER_PREFIX}{row + 1:04d}" for row in range(len(table))], name="student_number")
    duration = np.where(table["Course"] == codes.NURSING, NURSING_TERMS, NORMAL_TERMS)
    ends = pd.Series(
        [
            pd.Timestamp(as_of_date(int(term), int(count)))
            for term, count in zip(cohort, duration, strict=True)
        ]
    )
    last = [term_after(int(term), int(count) - 1) for term, count in zip(cohort, duration, strict=True)]
    exit_type = table["Target"].map(EXITS).astype(object)
    graduated = exit_type == "graduated"
    return RecordFrames(
        programs=_programs(table),
        students=_students(table, numbers, cohort),
        terms=_terms(table, numbers, cohort, money_flags),
        outcomes=pd.DataFrame(
            {
                "student_number": numbers,
                "exit_type": exit_type.where(exit_type.notna(), None),
                "exit_term": pd.Series(last, dtype="Int64").where(graduated),
                "exit_date": ends.where(exit_type.notna()),
                "terms_to_exit": pd.Series(duration, dtype="Int64").where(graduated),
                "observed_until": ends,
            }
        ),
    )


def _read(source) -> pd.DataFrame:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    table = pd.read_csv(stream, sep=";", encoding="utf-8-sig")
    table.columns = [str(name).strip() for name in table.columns]
    wanted = [*_USED, *MONEY_FLAGS, *(_unit(term, kind) for term in SEMESTERS for kind in _UNITS)]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise ValueError(f"columns must be those of UCI 697, missing {missing}")
    for column, known in (("Course", codes.COURSES), ("Target", EXITS)):
        unknown = sorted(set(table[column]) - set(known), key=str)
        if unknown:
            raise ValueError(f"{column} must be one of the documented values, got {unknown}")
    return table


_UNITS = ("credited", "enrolled", "evaluations", "approved", "grade", "without evaluations")


def _unit(semester: str, kind: str) -> str:
    return f"Curricular units {semester} sem ({kind})"


def _entry_years(table: pd.DataFrame) -> np.ndarray:
    figures = (
        table[["Unemployment rate", "Inflation rate", "GDP"]].round(2).itertuples(index=False, name=None)
    )
    years = [
        codes.ENTRY_YEARS.get((float(jobless), float(prices), float(product)))
        for jobless, prices, product in figures
    ]
    if None in years:
        row = years.index(None)
        raise ValueError(
            "unemployment, inflation and GDP must be those of a year 2008-2017, "
            f"got {table.loc[row, ['Unemployment rate', 'Inflation rate', 'GDP']].tolist()} in row {row + 1}"
        )
    return np.array(years)


def _programs(table: pd.DataFrame) -> pd.DataFrame:
    load = table[_unit("1st", "enrolled")].where(lambda units: units > 0).groupby(table["Course"]).median()
    present = sorted(set(table["Course"]))
    terms = [NURSING_TERMS if code == codes.NURSING else NORMAL_TERMS for code in present]
    units = [load.get(code, np.nan) for code in present]
    typical = load.median() if load.notna().any() else 1.0
    return pd.DataFrame(
        {
            "program_code": [str(code) for code in present],
            "name": [codes.COURSES[code] for code in present],
            "degree_level": "S1",
            "normal_terms": terms,
            "required_credits": [
                int(count * (typical if np.isnan(each) else each))
                for count, each in zip(terms, units, strict=True)
            ],
        }
    )


def _students(table: pd.DataFrame, numbers: pd.Series, cohort: np.ndarray) -> pd.DataFrame:
    mode = table["Application mode"]
    entry = np.select(
        [mode.isin(codes.TRANSFER_MODES), mode.isin(codes.PRIOR_LEARNING_MODES)],
        ["transfer", "recognised_prior_learning"],
        "new",
    )
    recognised = sum(table[_unit(semester, "credited")] for semester in SEMESTERS)
    kept = [name for name in table.columns if name not in _USED]
    extra = [
        {**row, "nominal": NOMINAL, "source": "UCI 697"}
        for row in table[kept].astype(float).to_dict(orient="records")
    ]
    return pd.DataFrame(
        {
            "student_number": numbers,
            "program_code": table["Course"].astype(str),
            "cohort_term": cohort,
            "entry_type": entry,
            "admission_path": mode.map(codes.APPLICATION_MODES),
            "recognized_credits": recognised,
            "funding_at_entry": np.where(table["Scholarship holder"] == 1, "scholarship", "self"),
            "sex": np.where(table["Gender"] == 1, "L", "P"),
            "birth_year": cohort // 10 - table["Age at enrollment"],
            "parental_education": _parents_education(table),
            "special_needs": np.where(table["Educational special needs"] == 1, "yes", "no"),
            "extra": extra,
        }
    )


def _parents_education(table: pd.DataFrame) -> pd.Series:
    """The higher level of both parents; null when both are unknown."""
    names = list(codes.EDUCATION_LEVELS)
    rank = {code: place for place, group in enumerate(codes.EDUCATION_LEVELS.values()) for code in group}
    both = table[["Mother's qualification", "Father's qualification"]].apply(lambda column: column.map(rank))
    return both.max(axis=1).map(lambda place: names[int(place)], na_action="ignore").astype(object)


def _terms(table: pd.DataFrame, numbers: pd.Series, cohort: np.ndarray, money_flags: bool) -> pd.DataFrame:
    parts = []
    done = pd.Series(0.0, index=table.index)
    weighted, graded = done.copy(), done.copy()
    for place, semester in enumerate(SEMESTERS, start=1):
        unit = {kind: table[_unit(semester, kind)] for kind in _UNITS}
        recorded = unit["enrolled"] > 0  # one course has no units on file for most of its students
        taken = (unit["enrolled"] - unit["credited"]).clip(lower=0)
        passed = (unit["approved"] - unit["credited"]).clip(lower=0, upper=taken)
        grade = (unit["grade"] / 5).where(unit["approved"] > 0)
        done = done + passed
        weighted, graded = weighted + (grade * unit["approved"]).fillna(0), graded + unit["approved"]
        known = {term: pd.Timestamp(as_of_date(int(term), place)) for term in set(cohort)}
        part = pd.DataFrame(
            {
                "student_number": numbers,
                "term_id": [term_after(int(term), place - 1) for term in cohort],
                "term_index": place,
                "status": "A",
                "gpa_term": grade.clip(0, 4),
                "gpa_cum": (weighted / graded.where(graded > 0)).clip(0, 4),
                "credits_attempted": taken.where(recorded),
                "credits_passed": passed.where(recorded),
                "credits_cum": done.where(recorded),
                "courses_failed": (taken - passed).where(recorded),
                "known_at": [known[term] for term in cohort],
            }
        )
        if money_flags and place == len(SEMESTERS):
            behind = (table["Debtor"] == 1) | (table["Tuition fees up to date"] == 0)
            part["tuition_arrears_days"] = behind.astype(float)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
