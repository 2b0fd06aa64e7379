"""Where the normal time ends, and who stands past it: the small register by hand, the boundary itself.

The register reaches 31 August 2024, the day on which the grades of 20232 are booked. S10 (D3, six terms,
entry 20201) has eight terms behind it, S07 and S08 (S1, entry 20221) four, S12 (D3, entry 20231) two.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.scores.standing import last_completed, newest_over, register_day, terms_over
from data.store import RecordFrames, get_fact, save_model, serve_model, write_records, write_scores
from data.trust.erase import erase_student
from data.trust.scope import Scope

SYSTEM = Scope.system()
CITRA = Scope("citra", "advisor", True, None, True, True)
ANI = Scope("ani", "advisor", True, None, True, True)
LEADERS = Scope("rector", "leadership", False, None, False, False)


@pytest.mark.parametrize(
    ("day", "newest"),
    [
        (date(2023, 8, 30), 20192),
        (date(2023, 8, 31), 20201),  # as of six terms of 20201: 31 July 2023 and the 31 days of closing
        (date(2023, 9, 1), 20201),
        (date(2024, 3, 2), 20202),  # 31 January 2024 and 31 days
    ],
)
def test_the_normal_time_ends_on_the_day_on_which_its_last_grades_are_booked(day, newest):
    assert newest_over(6, day) == newest
    assert terms_over(newest, day) == 6
    assert terms_over(20201, day) == (6 if day >= date(2023, 8, 31) else 5) + (day == date(2024, 3, 2))


def test_the_register_reaches_as_far_as_its_newest_date_and_its_last_completed_term(small_register):
    with small_register.store.reading() as connection:
        assert register_day(connection) == date(2024, 8, 31)
        assert last_completed(connection) == 20232
    assert get_fact(small_register.store, "register_day") == "2024-08-31"
    assert queries.newest_term(small_register.store, SYSTEM) == 20232


def test_an_empty_register_reaches_nowhere(store):
    with store.reading() as connection:
        assert register_day(connection) is None and last_completed(connection) is None
    assert queries.newest_term(store, SYSTEM) is None
    assert queries.past_normal_counts(store, SYSTEM).empty
    assert queries.standing(store, SYSTEM, past_normal=True).empty


def later(register, number, cohort, until):
    """The register read on a later day, by an outcome row that says so."""
    rows = pd.DataFrame({"student_number": [number], "exit_type": [None], "observed_until": [until]})
    frames = RecordFrames(outcomes=rows)
    write_records(register.store, frames, source="later.csv", files={}, actor="test", synthetic=True)


def test_who_is_past_the_normal_time_and_what_is_missing(small_register):
    found = queries.standing(small_register.store, SYSTEM, past_normal=True)
    assert found["student_number"].tolist() == ["S10"]
    row = found.iloc[0]
    assert (row["terms_over"], row["normal_terms"], row["required_credits"]) == (8, 6, 108)
    assert (row["credits"], row["credits_to_go"], row["gpa_cum"]) == (126, 0, 2.40)  # seven terms of 18
    assert (row["status_last"], row["last_term"]) == ("A", 20231)
    assert queries.past_normal_counts(small_register.store, LEADERS).values.tolist() == [["MI", 20201, 1]]
    assert queries.standing(small_register.store, ANI, past_normal=True).empty
    assert queries.standing(small_register.store, LEADERS, past_normal=True).empty
    assert queries.standing(small_register.store, CITRA, past_normal=True, search="nobody").empty


def test_somebody_on_leave_is_within_the_time_until_it_is_over_and_leave_counts_as_study_time(small_register):
    keys = [small_register.keys["S08"]]
    row = queries.standing(small_register.store, SYSTEM, keys=keys).iloc[0]
    assert (row["status_last"], row["terms_over"], row["credits"], row["credits_to_go"]) == ("C", 4, 36, 108)
    later(small_register, "S08", 20221, "2026-08-30")  # as of eight terms of 20221: 31 August 2026
    assert "S08" not in set(past_numbers(small_register))
    later(small_register, "S08", 20221, "2026-08-31")
    assert {"S07", "S08", "S10", "S12"} == set(past_numbers(small_register))


@pytest.mark.parametrize(
    ("total", "passed", "credits"),
    [
        (36, 18, 76),  # the total is that of the terms: what was recognised comes on top
        (76, 18, 76),  # the total holds it
        (71, 18, 71),  # and a course passed twice counts once in it
        (36, None, 36),  # no credits by term: nothing to tell by
        (None, 18, 76),
    ],
)
def test_credits_recognised_at_entry_count_once(store, total, passed, credits):
    programs = pd.DataFrame({"program_code": ["IF"], "name": ["Informatics"], "degree_level": ["S1"]})
    programs = programs.assign(normal_terms=8, required_credits=144)
    students = pd.DataFrame({"student_number": ["T1"], "program_code": ["IF"], "cohort_term": [20221]})
    students = students.assign(entry_type="transfer", recognized_credits=40)
    terms = pd.DataFrame(
        {"student_number": "T1", "term_id": [20221, 20222], "term_index": [1, 2], "status": "A"}
    )
    terms = terms.assign(credits_passed=[passed, passed], known_at=[date(2023, 2, 28), date(2023, 8, 31)])
    terms["credits_cum"] = [None, total]
    frames = RecordFrames(programs, students, terms)
    write_records(store, frames, source="one.csv", files={}, actor="test", synthetic=True)
    row = queries.standing(store, SYSTEM).iloc[0]
    assert (row["credits"], row["credits_to_go"]) == (credits, 144 - credits)


def test_whose_newest_completed_term_is_recorded(small_register):
    found = queries.standing(small_register.store, SYSTEM).set_index("student_number")
    assert found.loc["S07", ["terms_told", "newest_told", "recorded"]].tolist() == [4, 20232, False]
    assert not found.loc["S07", ["credits_told", "gpa_told"]].any()
    assert found.loc["S12", ["terms_told", "newest_told", "recorded"]].tolist() == [2, 20232, False]
    later(small_register, "S07", 20221, "2025-03-05")  # a term further, of which nobody has a row
    row = queries.standing(small_register.store, SYSTEM).set_index("student_number").loc["S07"]
    assert row[["terms_over", "terms_told", "newest_told"]].tolist() == [5, 4, 20232]


@pytest.mark.parametrize(
    ("status", "figures", "told"),
    [
        ("A", {"credits_cum": 36, "gpa_cum": 3.0}, (True, True)),
        ("A", {"credits_passed": 18}, (True, False)),
        ("A", {}, (False, False)),  # a row without results
        ("C", {}, (True, True)),  # on leave: what was reached before still stands
        ("N", {}, (True, True)),
    ],
)
def test_a_row_tells_a_figure_or_that_nothing_was_studied(store, status, figures, told):
    programs = pd.DataFrame({"program_code": ["IF"], "name": ["Informatics"], "degree_level": ["S1"]})
    programs = programs.assign(normal_terms=8, required_credits=144)
    students = pd.DataFrame({"student_number": ["T1"], "program_code": ["IF"], "cohort_term": [20221]})
    terms = pd.DataFrame(
        [
            {"term_id": 20221, "term_index": 1, "status": "A", "credits_cum": 18, "gpa_cum": 3.0},
            {"term_id": 20222, "term_index": 2, "status": status, **figures},
            {"term_id": 20223, "term_index": 2, "status": "A", "credits_cum": 40, "gpa_cum": 3.0},
        ]
    ).assign(student_number="T1", known_at=[date(2023, 2, 28), date(2023, 8, 31), date(2023, 8, 31)])
    frames = RecordFrames(programs, students, terms)
    write_records(store, frames, source="one.csv", files={}, actor="test", synthetic=True)
    row = queries.standing(store, SYSTEM).iloc[0]
    assert row["recorded"] and (row["credits_told"], row["gpa_told"]) == told


def past_numbers(register):
    return queries.standing(register.store, SYSTEM, past_normal=True)["student_number"].tolist()


def test_a_re_entrant_keeps_the_entry_term_and_stands_past_the_time(small_register):
    later(small_register, "S03", 20191, "2024-08-31")  # resigned in 2021, back again: no exit any more
    found = queries.standing(small_register.store, SYSTEM, past_normal=True).set_index("student_number")
    assert found.loc["S03", ["terms_over", "normal_terms", "credits_to_go"]].tolist() == [10, 8, 108]
    assert found.loc["S03", "status_last"] == "N"


def test_erasing_the_newest_row_takes_the_day_back(small_register):
    later(small_register, "S07", 20221, "2026-08-30")
    erase_student(small_register.store, small_register.keys["S07"], actor="test")
    assert get_fact(small_register.store, "register_day") == "2024-08-31"


def scored_at(keys, rows):
    """Scores of the model m1: student, target, as-of index and term, risk, band."""
    frame = pd.DataFrame(rows, columns=["number", "target", "as_of_index", "as_of_term", "risk", "band"])
    return frame.assign(
        student_key=frame["number"].map(keys),
        model_version="m1",
        modality="records",
        risk_low=frame["risk"] / 2,
        risk_high=frame["risk"],
        margin=0.0,
    ).drop(columns="number")


@pytest.fixture
def scored(small_register):
    """S10 is scored up to its last normal terms; S07 as of the newest term, S08 two terms ago."""
    store = small_register.store
    save_model(store, "m1", "m1", {}, "candidate")
    rows = [
        ("S10", "late", 4, 20212, 0.40, "moderate"),
        ("S10", "late", 5, 20221, 0.90, "very_high"),
        ("S10", "dropout", 6, 20222, 0.30, "high"),
        ("S07", "late", 3, 20231, 0.20, "low"),
        ("S07", "late", 4, 20232, 0.60, "high"),
        ("S07", "dropout", 4, 20232, 0.05, "low"),
        ("S08", "late", 1, 20221, 0.30, "moderate"),
        ("S08", "late", 2, 20222, 0.80, "very_high"),
    ]
    frame = scored_at(small_register.keys, rows)
    empty = np.zeros((len(frame), 1), "float32")
    write_scores(store, frame, empty, empty, np.zeros(len(frame)))
    serve_model(store, "m1")
    return small_register


def test_lists_and_counts_of_the_late_end_at_the_normal_time(scored):
    store = scored.store
    assert queries.caseload(store, SYSTEM, "late", 10)["student_number"].tolist() == ["S08", "S07"]
    assert queries.caseload_size(store, SYSTEM, "late") == 2
    assert queries.cohort_cube(store, LEADERS, "late")["students"].sum() == 2
    assert queries.cohort_cube(store, LEADERS, "late", 5)["students"].sum() == 1  # the past stays countable
    assert queries.cohort_cube(store, CITRA, "late").empty
    assert queries.previous_cube(store, LEADERS, "late")["cohort_term"].tolist() == [20221, 20221]
    assert queries.expected_late(store, LEADERS)["cohort_term"].tolist() == [20221]
    load = queries.advisor_load(store, LEADERS, "late")
    assert load["advisor"].tolist() == ["ani", "budi"]


def test_the_list_of_drop_outs_ends_a_term_after_the_normal_time_and_an_old_score_is_not_current(scored):
    assert queries.caseload(scored.store, SYSTEM, "dropout", 10)["student_number"].tolist() == ["S07"]
    found = queries.standing(scored.store, SYSTEM, keys=list(scored.keys.values()))
    found = found.set_index("student_number")
    assert found.loc["S07", "dropout_risk"] == 0.05
    assert pd.isna(found.loc["S10", "dropout_risk"])  # eight terms over, the score is as of six


def test_own_students_are_counted_whether_or_not_they_are_scored(scored):
    assert queries.own_students(scored.store, CITRA) == 2  # S10 and S12
    assert queries.own_cohorts(scored.store, CITRA) == [20201, 20231]
    assert (
        queries.own_students(scored.store, LEADERS) == 0 and queries.own_cohorts(scored.store, LEADERS) == []
    )


def test_nothing_is_deleted_where_a_list_ends(scored):
    with scored.store.reading() as connection:
        now = schema.risk_current
        kept = connection.execute(select(now.c.as_of_index).where(now.c.target == "late")).scalars().all()
    assert sorted(kept) == [2, 4, 5]
