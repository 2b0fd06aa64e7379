from datetime import date

import pandas as pd
import pytest

from data.calendar.labels import LABEL_COLUMNS, label_outcomes

PROGRAMS = pd.DataFrame({"program_code": ["S", "D"], "normal_terms": [8, 6]})
# Entry in August 2019 (20191). Eight terms end on 2023-07-31, six on 2022-07-31, and close a month later.
STUDENTS = pd.DataFrame(
    {
        "student_key": list("abcdefgh"),
        "program_code": ["S", "S", "S", "D", "S", "S", "S", "S"],
        "cohort_term": [20191, 20191, 20191, 20191, 20191, 20191, 20191, 20231],
    }
)
SEEN = date(2024, 8, 31)
OUTCOMES = pd.DataFrame(
    [
        ("a", "graduated", 20222, date(2023, 8, 20), 8, SEEN),  # eighth term: on time
        ("b", "graduated", 20231, date(2024, 2, 10), 9, SEEN),  # ninth term of eight: delayed
        ("c", None, None, None, None, SEEN),  # still there after eight terms: delayed
        ("d", "graduated", 20212, date(2022, 8, 15), None, SEEN),  # sixth of six, counted by us: on time
        ("e", "resigned", 20201, date(2021, 3, 1), 3, SEEN),
        ("f", "transferred", 20211, date(2022, 2, 5), 5, SEEN),
        ("g", "deceased", 20202, date(2021, 5, 5), 4, SEEN),
        ("h", None, None, None, None, SEEN),  # two terms in: too early to tell
    ],
    columns=["student_key", "exit_type", "exit_term", "exit_date", "terms_to_exit", "observed_until"],
)


def label(**options):
    result = label_outcomes(STUDENTS, PROGRAMS, OUTCOMES, **options)
    assert tuple(result.columns) == LABEL_COLUMNS
    return result.set_index("student_key")


def test_eight_students_worked_out_by_hand():
    result = label()
    assert result["label"].tolist() == [
        "on_time", "delayed", "delayed", "on_time", "dropout", "censored", "censored", "censored",
    ]  # fmt: skip
    assert result["terms_to_exit"].fillna(-1).tolist() == [8, 9, -1, 6, 3, 5, 4, -1]
    known = [None if pd.isna(day) else day.date() for day in result["known_from"]]
    assert known == [
        date(2023, 8, 31),  # known when the term closes, on whatever day in it the ceremony was
        date(2023, 8, 31),  # that it is late was known at the end of the normal time, not at graduation
        date(2023, 8, 31),
        date(2022, 8, 31),
        date(2021, 3, 3),
        None,
        None,
        None,
    ]


def test_a_student_without_an_outcome_row_is_still_enrolled():
    outcomes = OUTCOMES[~OUTCOMES["student_key"].isin(["c", "h"])]
    result = label_outcomes(STUDENTS, PROGRAMS, outcomes).set_index("student_key")
    assert result.loc["c", "label"] == "delayed"
    assert result.loc["h", "label"] == "censored"
    assert result.loc["c", "observed_until"] == pd.Timestamp(SEEN)


def test_leave_moves_the_end_of_the_normal_time_when_it_is_not_counted():
    terms = pd.DataFrame({"student_key": ["b", "b", "b", "c", "c"], "status": ["C", "A", "N", "A", "N"]})
    result = label(terms=terms, count_leave=False)
    assert result.loc["b", "label"] == "on_time"  # nine terms less one of leave
    assert result.loc["b", "known_from"] == pd.Timestamp(2024, 3, 2)  # 31 January 2024 and 31 days
    assert result.loc["c", "label"] == "delayed"
    assert result.loc["c", "known_from"] == pd.Timestamp(2023, 8, 31)  # absent without leave: no term more


def test_leave_cannot_be_left_out_without_the_terms():
    with pytest.raises(ValueError, match="count_leave"):
        label(count_leave=False)


def test_a_longer_horizon_makes_the_ninth_term_on_time():
    result = label(extra_terms=1)
    assert result.loc["b", "label"] == "on_time"
    assert result.loc["c", "known_from"] == pd.Timestamp(2024, 3, 2)  # 31 January 2024 and 31 days


def test_on_an_earlier_day_later_exits_are_not_known():
    result = label(seen_on=date(2022, 9, 1))
    assert result["label"].tolist() == [
        "censored", "censored", "censored", "on_time", "dropout", "censored", "censored", "censored",
    ]  # fmt: skip
    assert pd.isna(result.loc["a", "terms_to_exit"])
    assert result["observed_until"].max() == pd.Timestamp(2022, 9, 1)


def test_the_day_on_which_the_last_term_closes_is_the_first_that_tells():
    before, on = label(seen_on=date(2023, 8, 30)), label(seen_on=date(2023, 8, 31))
    told = ["a", "b", "c"]  # in time; late, and then still there; still there
    assert before.loc[told, "label"].tolist() == ["censored", "censored", "censored"]
    assert on.loc[told, "label"].tolist() == ["on_time", "delayed", "delayed"]
    assert pd.isna(before.loc["a", "terms_to_exit"]) and on.loc["a", "terms_to_exit"] == 8


def test_an_overrun_seen_before_a_late_graduation_is_already_delayed():
    result = label(seen_on=date(2023, 12, 1))
    assert result.loc["b", "label"] == "delayed"
    assert result.loc["b", "known_from"] == pd.Timestamp(2023, 8, 31)


def test_a_graduation_without_any_date_is_censored():
    outcomes = OUTCOMES.copy()
    outcomes.loc[0, ["exit_term", "exit_date", "terms_to_exit"]] = None
    assert label_outcomes(STUDENTS, PROGRAMS, outcomes)["label"].iloc[0] == "censored"


def test_a_dropout_without_a_date_is_known_when_the_register_was_read():
    outcomes = OUTCOMES.copy()
    outcomes.loc[4, ["exit_term", "exit_date", "terms_to_exit"]] = None
    result = label_outcomes(STUDENTS, PROGRAMS, outcomes).iloc[4]
    assert (result["label"], result["known_from"]) == ("dropout", pd.Timestamp(SEEN))


@pytest.mark.parametrize(
    ("students", "outcomes", "message"),
    [
        (STUDENTS.assign(program_code="X"), OUTCOMES, "program_code"),
        (STUDENTS, OUTCOMES.assign(exit_type="vanished"), "exit_type"),
        (pd.concat([STUDENTS, STUDENTS]), OUTCOMES, "twice"),
    ],
)
def test_wrong_input_is_refused_by_name(students, outcomes, message):
    with pytest.raises(ValueError, match=message):
        label_outcomes(students, PROGRAMS, outcomes)
