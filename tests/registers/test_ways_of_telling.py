"""A register tells an exit by its date, its term, both, or the number of terms: nothing may depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.reports.conditions import Selection
from dashboard.reports.pipeline import asks_level
from dashboard.reports.profile import load_profile, profile_ids, profile_levels
from dashboard.reports.table import compute_table
from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import build_flow, cohort_outcomes, retention
from data.calendar.labels import label_outcomes
from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import as_of_date, term_after, term_start
from data.columns import EXIT_TYPES
from data.records.course_results import GradeRules
from fusion.features.assemble import rows_as_of, training_set
from fusion.features.build import enrolled_at
from fusion.features.rows import make_rows
from fusion.features.splits import forward_split, mature_labels
from fusion.model.competing import durations

READ_ON = date(2025, 8, 31)
PROGRAMS = pd.DataFrame(
    {
        "program_code": ["S", "D"],
        "degree_level": ["S1", "D3"],
        "normal_terms": [8, 6],
        "required_credits": [144, 108],
    }
)
TOLD = {
    "date": ("exit_date",),
    "term": ("exit_term",),
    "number": ("terms_to_exit",),
    "date and term": ("exit_date", "exit_term"),
    "date and number": ("exit_date", "terms_to_exit"),
    "all": ("exit_date", "exit_term", "terms_to_exit"),
}
CALENDARS = [
    AcademicCalendar(),
    AcademicCalendar(closing_months=(2, 8)),
    AcademicCalendar(start_month=8),
    AcademicCalendar(start_month=10),
]


@dataclass(frozen=True)
class Register:
    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    calendar: StudyCalendar
    attempts: None = None  # no course grades
    grade_rules: GradeRules = GradeRules()
    day: date | None = None


@st.composite
def students(draw):
    """Entry, programme, and whether and when somebody left: the term, and a place among its days."""
    entry = 10 * draw(st.integers(2014, 2023)) + draw(st.sampled_from((1, 1, 1, 2)))
    kind = draw(st.sampled_from((None, *EXIT_TYPES, "graduated", "graduated", "graduated")))
    return entry, draw(st.sampled_from("SSD")), kind, draw(st.integers(1, 14)), draw(st.floats(0, 1))


def told_in_every_way(people, calendar: StudyCalendar) -> dict[str, Register]:
    """The same students, told in each way; who left after the register was read is enrolled."""
    rows, terms = [], []
    for number, (entry, program, kind, count, place) in enumerate(people):
        term = term_after(entry, count - 1)
        last = calendar.closing_day(term)
        first = term_start(entry) if count == 1 else calendar.closing_day(term_after(term, -1)) + timedelta(1)
        day = first + timedelta(round(place * (last - first).days))
        left = kind is not None and last <= READ_ON
        rows.append(
            {
                "student_key": f"s{number:03d}",
                "program_code": program,
                "cohort_term": entry,
                "exit_type": kind if left else None,
                "exit_date": pd.Timestamp(day) if left else pd.NaT,
                "exit_term": term if left else None,
                "terms_to_exit": count if left else None,
            }
        )
        for step in range(count if left else 14):
            if as_of_date(entry, step + 1) <= READ_ON:
                known = pd.Timestamp(as_of_date(entry, step + 1))
                terms.append((f"s{number:03d}", term_after(entry, step), "A", 3.0, 20, 20, known))
    frame = pd.DataFrame(rows).assign(observed_until=pd.Timestamp(READ_ON), gpa_final=3.0)
    study = [
        "student_key",
        "term_id",
        "status",
        "gpa_term",
        "credits_attempted",
        "credits_passed",
        "known_at",
    ]
    taken = pd.DataFrame(terms, columns=study).assign(credits_cum=40)
    pupils = frame[["student_key", "program_code", "cohort_term"]].assign(entry_type="new")
    kept = ["student_key", "exit_type", "observed_until", "gpa_final"]
    return {
        way: Register(
            pupils, taken, frame[[*kept, *columns]].reindex(columns=[*kept, *TOLD["all"]]), PROGRAMS, calendar
        )
        for way, columns in TOLD.items()
    }


@given(
    st.lists(students(), min_size=1, max_size=40),
    st.sampled_from(CALENDARS),
    st.dates(date(2015, 1, 1), READ_ON),
)
@settings(max_examples=20)
def test_labels_agree_on_every_day(people, calendar, day):
    registers = told_in_every_way(people, calendar.study)
    closing = calendar.study.closing_day(calendar.study.last_closed(day))
    for seen_on in (None, day, closing, closing - timedelta(1), closing + timedelta(1)):
        found = {
            way: label_outcomes(
                one.students, one.programs, one.outcomes, seen_on=seen_on, calendar=calendar.study
            )
            for way, one in registers.items()
        }
        for way in TOLD:
            pd.testing.assert_frame_equal(found[way], found["date"], obj=f"{way} on {seen_on}")


@given(
    st.lists(students(), min_size=1, max_size=40),
    st.sampled_from(CALENDARS),
    st.dates(date(2015, 1, 1), READ_ON),
)
@settings(max_examples=20)
def test_who_graduates_in_time_is_late_on_no_day(people, calendar, day):
    register = told_in_every_way(people, calendar.study)["date"]
    frames = (register.students, register.programs, register.outcomes)
    final = label_outcomes(*frames, calendar=calendar.study)["label"]
    then = label_outcomes(*frames, seen_on=day, calendar=calendar.study)["label"]
    assert not (then[final == "on_time"] == "delayed").any()
    assert (final[then == "delayed"].isin(("delayed", "dropout", "censored"))).all()


@given(st.lists(students(), min_size=20, max_size=40), st.sampled_from(CALENDARS))
@settings(max_examples=4)
def test_risk_set_training_rows_and_forward_split_agree(people, calendar):
    registers = told_in_every_way(people, calendar.study)
    taught = {}
    for way, one in registers.items():
        parts = [rows_as_of(one, index) for index in (0, 3, 6)]
        rows = make_rows([(part.table, part.meta) for part in parts])
        split = forward_split(one)
        training_sets = [training_set(rows, mature_labels(one), target) for target in ("late", "dropout")]
        if split is not None:
            training_sets.append(training_set(rows, split.train_labels, "late", split.simulated_date))
        taught[way] = (
            [tuple(enrolled_at(one, index).index) for index in range(9)],
            [(tuple(x.rows.students), tuple(x.rows.as_of), tuple(x.outcome)) for x in training_sets],
            split
            and (split.simulated_date, tuple(split.train), tuple(split.test), tuple(split.train_labels)),
            durations(one.outcomes.merge(one.students, on="student_key"), calendar.study).to_dict("list"),
        )
    for way in TOLD:
        assert taught[way] == taught["date"], way


def by_elapsed_time(profile) -> set[str]:
    """Columns and indicators that count days of study, which only a date can tell."""
    parts = (*profile.columns, *profile.indicators)
    told = {part.key: part.aggregate + str(part.where) for part in parts}
    days = {key for key, words in told.items() if "study_years" in words or "days_to_exit" in words}
    while more := {part.key for part in parts if any(key in part.formula for key in days)} - days:
        days |= more
    return days


@given(st.lists(students(), min_size=10, max_size=60), st.sampled_from(CALENDARS), st.integers(2019, 2024))
@settings(max_examples=4)
def test_every_report_profile_agrees(people, calendar, ts):
    registers = told_in_every_way(people, calendar.study)
    flows = {}
    for way, one in registers.items():
        rows = one.outcomes.merge(one.students, on="student_key").merge(one.programs, on="program_code")
        flows[way] = build_flow(rows, calendar=calendar)
        for table in (cohort_outcomes, retention):
            ours, theirs = (table(flows[name], READ_ON, calendar=calendar) for name in (way, "date"))
            pd.testing.assert_frame_equal(ours, theirs, obj=f"{table.__name__}: {way}")
    for name in profile_ids():
        for program, level in (("S", "S1"), ("D", "D3")):
            if level not in (profile_levels(name) or (level,)):
                continue
            profile = load_profile(name, level if asks_level(name) else "")
            figures = {
                way: figures_of(profile, flow, program, level, ts, calendar) for way, flow in flows.items()
            }
            days = by_elapsed_time(profile)
            for way, columns in TOLD.items():
                left_out = set() if "exit_date" in columns else days
                ours, theirs = (
                    {key: value for key, value in figures[one].items() if key[-1] not in left_out}
                    for one in (way, "date")
                )
                assert ours == theirs, (name, way)


def figures_of(profile, flow, program, level, ts, calendar) -> dict:
    table = compute_table(
        profile, flow, Selection(ts, program, "", level), snapshot=READ_ON, calendar=calendar
    )
    found = {(cell.row, cell.column): (cell.value, cell.state) for cell in table.cells.values()}
    found |= {("line", line.indicator.key): (line.value, line.score) for line in table.lines}
    return {
        key: tuple(None if isinstance(v, float) and np.isnan(v) else v for v in value)
        for key, value in found.items()
    }
