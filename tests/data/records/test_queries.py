"""What queries answer on the small register (see tests/conftest.py)."""

from __future__ import annotations

import pandas as pd
import pytest

from data import queries
from data.store import RecordFrames, write_records
from data.trust.scope import Scope

ADVISOR = Scope("ani", "advisor", True, None, True, True)
LEADERSHIP = Scope("rector", "leadership", False, None, False, False)


def test_the_present_register_holds_the_revised_grade(small_register):
    terms = queries.records_until(small_register.store).terms.set_index(["student_key", "term_id"])
    assert terms.loc[(small_register.keys["S07"], 20222), "gpa_cum"] == 2.05


def test_as_of_the_second_term_the_grade_reads_as_it_did_then(small_register):
    records = queries.records_until(small_register.store, 2)
    rows = records.terms[records.terms["student_key"] == small_register.keys["S07"]]
    assert rows["term_id"].tolist() == [20221, 20222]
    assert rows["gpa_cum"].tolist() == [3.00, 3.05]


def test_as_of_the_third_term_the_revision_is_known(small_register):
    # Term 3 ends on 31 January 2024; the revision came on 1 December 2023.
    records = queries.records_until(small_register.store, 3)
    rows = records.terms[records.terms["student_key"] == small_register.keys["S07"]]
    assert rows["gpa_cum"].tolist() == [3.00, 2.05, 3.10]


def test_as_of_entry_no_term_is_known(small_register):
    records = queries.records_until(small_register.store, 0)
    assert records.terms.empty
    assert len(records.students) == 12
    assert records.terms.dtypes.equals(queries.records_until(small_register.store).terms.dtypes)


@pytest.mark.parametrize("as_of_index", range(0, 9))
def test_nothing_known_later_than_the_cut_off_enters(small_register, as_of_index):
    records = queries.records_until(small_register.store, as_of_index)
    cutoff = records.terms["student_key"].map(records.students.set_index("student_key")["as_of"])
    assert (records.terms["known_at"] <= cutoff).all()
    expected = records.terms["term_index"] <= as_of_index
    assert expected.all()


def test_an_advisor_sees_their_own_students_only(small_register):
    seen = queries.students(small_register.store, ADVISOR)["student_key"]
    assert set(seen) == {small_register.keys[number] for number in ("S01", "S02", "S06", "S07")}
    last = Scope(
        "zulkifli", "advisor", True, None, True, True
    )  # after every other name, and nobody's advisor
    assert queries.students(small_register.store, last).empty


def test_leadership_sees_no_single_student(small_register):
    store, key = small_register.store, small_register.keys["S01"]
    assert queries.students(store, LEADERSHIP).empty
    assert queries.student(store, LEADERSHIP, key).empty
    assert queries.term_rows(store, LEADERSHIP, key).empty
    assert queries.identities(store, LEADERSHIP, [key]).empty


def test_a_student_of_another_advisor_is_not_there(small_register):
    store, key = small_register.store, small_register.keys["S03"]
    for query in (
        queries.student,
        queries.term_rows,
        queries.score_history,
        queries.student_specimens,
        queries.case_events,
        queries.consent_history,
    ):
        assert query(store, ADVISOR, key).empty, query.__name__


def test_a_student_page_has_programme_outcome_and_identity(small_register):
    row = queries.student(small_register.store, ADVISOR, small_register.keys["S02"]).iloc[0]
    assert (row["name"], row["student_number"], row["program_name"]) == ("Student S02", "S02", "Informatics")
    assert (row["exit_type"], row["terms_to_exit"], row["normal_terms"]) == ("graduated", 10, 8)
    assert row["exit_date"] == pd.Timestamp("2024-07-18")


def test_without_the_right_to_identify_there_is_neither_name_nor_number(small_register):
    anonymous = Scope("ani", "advisor", True, None, False, True)
    row = queries.student(small_register.store, anonymous, small_register.keys["S02"])
    assert len(row) == 1
    assert not {"name", "student_number"} & set(row.columns)
    assert queries.search_students(small_register.store, anonymous, "S02").empty


def test_a_scope_of_one_programme_reaches_no_other(small_register):
    scope = Scope("head", "accreditation", False, ("MI",), True, True)
    assert set(queries.students(small_register.store, scope)["program_code"]) == {"MI"}
    assert queries.kpi_counts(small_register.store, scope)["students"] == 4


def test_a_scope_of_no_programme_reaches_nobody(small_register):
    assert queries.students(small_register.store, Scope.nothing()).empty
    assert queries.kpi_counts(small_register.store, Scope.nothing())["students"] == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("s0", ["S01", "S02", "S06", "S07"]),
        ("STUDENT s02", ["S02"]),
        ("stud 02", []),  # beginnings of words only
        ("S03", []),  # somebody else's student
        ("%", []),
        ("  ", []),
    ],
)
def test_search_finds_own_students_by_beginnings_of_words(small_register, text, found):
    assert queries.search_students(small_register.store, ADVISOR, text)["student_number"].tolist() == found
    everyone = queries.search_students(small_register.store, Scope.system(), text)["student_number"]
    assert set(found) <= set(everyone)


def test_search_follows_a_new_name_and_knows_other_alphabets(small_register):
    row = {"student_number": ["S01"], "program_code": ["IF"], "cohort_term": [20191]}
    frames = RecordFrames(students=pd.DataFrame(row | {"name": ["Ångström Øy Çelik"]}))
    write_records(small_register.store, frames, source="x", files={}, actor="test")

    def found(text: str) -> list[str]:
        return queries.search_students(small_register.store, ADVISOR, text)["student_number"].tolist()

    assert found("åNG") == ["S01"]
    assert found("øy çel") == ["S01"]
    assert "S01" not in found("student")
    assert found("s01") == ["S01"]


def test_a_student_is_found_by_number_or_key_within_the_scope(small_register):
    store, keys = small_register.store, small_register.keys
    assert queries.find_student(store, ADVISOR, "S01") == keys["S01"]
    assert queries.find_student(store, ADVISOR, keys["S01"]) == keys["S01"]
    assert queries.find_student(store, ADVISOR, "S03") is None
    assert queries.find_student(store, LEADERSHIP, keys["S01"]) is None


def test_kpi_counts_every_student_once(small_register):
    # Graduated S01 S02 S06 S09, drop-out S03 S11, transferred S04, deceased S05, enrolled S07 S08 S10 S12.
    assert queries.kpi_counts(small_register.store, LEADERSHIP) == {
        "students": 12,
        "enrolled": 4,
        "graduated": 4,
        "transferred": 1,
        "deceased": 1,
        "dropout": 2,
    }
    assert queries.kpi_counts(small_register.store, ADVISOR)["graduated"] == 3


def test_retention_counts_the_cohort_of_2019_by_hand(small_register):
    table = queries.retention(small_register.store, LEADERSHIP)
    cohort = table[table["cohort_term"] == 20191].set_index("term_index")
    assert cohort["entrants"].unique().tolist() == [6]
    # Term 3: S03 inactive. Term 4: S02 on leave, S03 and S04 gone.
    assert cohort.loc[3, ["active", "on_leave", "inactive", "graduated"]].tolist() == [5, 0, 1, 0]
    assert cohort.loc[4, ["active", "on_leave", "inactive", "graduated"]].tolist() == [3, 1, 0, 0]
    assert cohort.loc[4, "rate"] == pytest.approx(4 / 6)
    # Term 6: S06 studies in it and graduates at its end: counted as active, not twice.
    assert cohort.loc[6, "retained"] == 3
    assert cohort.loc[8, "retained"] == 3
    # Term 10: only S02 is left, graduating; S01 and S06 graduated before.
    assert cohort.loc[10, "retained"] == 3


def test_retention_of_own_students_counts_only_them(small_register):
    table = queries.retention(small_register.store, ADVISOR)
    cohort = table[table["cohort_term"] == 20191].set_index("term_index")
    assert cohort.loc[1, ["entrants", "active"]].tolist() == [3, 3]


def test_student_flow_has_every_registration_with_its_normal_time(small_register):
    flow = queries.student_flow(small_register.store, Scope.system()).set_index("student_key")
    assert len(flow) == 12
    assert flow.loc[small_register.keys["S09"], "normal_terms"] == 6
    assert pd.isna(flow.loc[small_register.keys["S12"], "exit_type"])
    assert (flow["observed_until"] == pd.Timestamp("2024-08-31")).all()


def test_leave_terms_are_those_with_status_c(small_register):
    leave = queries.leave_terms(small_register.store, Scope.system())
    keys = small_register.keys
    assert list(map(tuple, leave.to_numpy())) == [(keys["S02"], 20202), (keys["S08"], 20231)]


def test_empty_answers_keep_their_types(store):
    terms = queries.records_until(store).terms
    assert terms.empty
    assert terms["known_at"].dtype.kind == "M"
    assert terms["gpa_cum"].dtype == "float64"
    assert queries.kpi_counts(store, Scope.system())["students"] == 0
    assert queries.retention(store, Scope.system()).empty
