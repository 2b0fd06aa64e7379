from datetime import date

import pandas as pd
import pytest

from data.calendar.labels import label_outcomes
from data.calendar.study_time import StudyCalendar, deadlines, study_time, within_normal_time

# Entry in August 2019 (20191) and in February 2020 (20192); by hand: terms end on 31 July and 31 January, and
# take exits until 31 August and for 31 days after January.
WORKED_OUT = [
    # entry, exit date, exit term, terms
    (20191, "2019-08-15", 20191, 1),  # gone in the first weeks: not a term before the entry
    (20191, "2020-01-31", 20191, 1),
    (20191, "2020-03-02", 20191, 1),  # 31 days after January in a leap year
    (20191, "2020-03-03", 20192, 2),
    (20191, "2020-08-31", 20192, 2),
    (20191, "2020-09-01", 20201, 3),
    (20191, "2022-07-31", 20212, 6),
    (20191, "2022-08-20", 20212, 6),
    (20191, "2023-03-03", 20221, 7),
    (20191, "2023-03-04", 20222, 8),
    (20191, "2023-07-31", 20222, 8),
    (20191, "2023-08-01", 20222, 8),
    (20191, "2023-08-31", 20222, 8),
    (20191, "2023-09-01", 20231, 9),
    (20191, "2024-01-31", 20231, 9),
    (20191, "2024-03-02", 20231, 9),
    (20191, "2024-03-03", 20232, 10),
    (20192, "2020-02-10", 20192, 1),
    (20192, "2020-08-31", 20192, 1),
    (20192, "2020-09-01", 20201, 2),
    (20192, "2023-08-31", 20222, 7),
    (20192, "2024-03-02", 20231, 8),
    (20192, "2024-03-03", 20232, 9),
]


def exits(rows, **more):
    columns = ["cohort_term", "exit_date", "exit_term", "terms_to_exit"]
    frame = pd.DataFrame(rows, columns=columns).assign(exit_type="graduated", **more)
    return frame


@pytest.mark.parametrize(("entry", "day", "term", "terms"), WORKED_OUT)
def test_every_way_of_telling_gives_the_terms_worked_out_by_hand(entry, day, term, terms):
    told = [(day, None, None), (None, term, None), (None, None, terms), (day, term, None), (day, term, terms)]
    found = study_time(exits([(entry, *one) for one in told]))
    assert found["exit_term"].tolist() == [term] * 5
    assert found["terms"].tolist() == [terms] * 5
    assert found["known_from"].nunique() == 1
    assert not found[["date_differs", "count_differs"]].any().any()


def test_a_short_term_belongs_to_the_year_that_ends():
    found = study_time(exits([(20191, None, 20223, None), (20191, "2023-08-31", 20223, None)]))
    assert found["terms"].tolist() == [8, 8]
    assert found["known_from"].tolist() == [pd.Timestamp(2023, 8, 31)] * 2
    assert found["exit_date"].tolist() == [pd.Timestamp(2023, 8, 31)] * 2
    assert not found["date_differs"].any()


def test_the_exit_term_wins_over_the_date_and_the_date_over_the_number_of_terms():
    rows = [
        (20191, "2023-10-15", 20222, None),
        (20191, "2023-08-20", 20231, 8),
        (20191, "2023-08-20", None, 10),
    ]
    found = study_time(exits(rows))
    assert found["terms"].tolist() == [8, 9, 8]
    assert found["date_differs"].tolist() == [True, True, False]
    assert found["count_differs"].tolist() == [False, True, True]
    assert found["exit_date"].tolist() == [pd.Timestamp(2023, 10, 15)] + [pd.Timestamp(2023, 8, 20)] * 2


def test_nothing_told_stays_unknown_and_the_enrolled_have_no_exit():
    found = study_time(exits([(20191, None, None, None), (20191, None, None, 0)]))
    assert found[["exit_term", "terms", "exit_date", "known_from"]].isna().all().all()
    enrolled = exits([(20191, "2023-08-20", 20222, 8)]).assign(exit_type=None)
    assert study_time(enrolled)["terms"].isna().all()
    assert study_time(exits([])).empty


def test_an_exit_before_the_entry_is_no_term():
    assert study_time(exits([(20191, "2018-05-01", None, None)]))["terms"].tolist() == [0]


def test_the_last_day_in_time_and_the_day_after_it():
    calendar = StudyCalendar()
    assert calendar.deadline(20191, 8) == date(2023, 8, 31)
    assert calendar.deadline(20192, 8) == date(2024, 3, 2)
    assert calendar.deadline(20191, 0) == date(2019, 8, 1)
    assert calendar.last_closed(date(2023, 8, 30)) == 20221
    assert calendar.last_closed(date(2023, 8, 31)) == 20222
    assert deadlines([20191, 20191], [6, 8]).tolist() == [
        pd.Timestamp(2022, 8, 31),
        pd.Timestamp(2023, 8, 31),
    ]


@pytest.mark.parametrize(
    ("settings", "even", "odd"),
    [
        ({}, date(2023, 8, 31), date(2023, 3, 3)),
        ({"closing_months": (8, 2)}, date(2023, 8, 31), date(2023, 2, 28)),
        ({"closing_months": (8,)}, date(2023, 8, 31), date(2023, 1, 31)),
        ({"start_month": 8}, date(2023, 7, 31), date(2023, 1, 31)),
        ({"start_month": 8, "closing_months": (2,)}, date(2023, 7, 31), date(2023, 2, 28)),
        ({"start_month": 10}, date(2023, 9, 30), date(2023, 4, 2)),
        ({"start_month": 10, "closing_months": (2, 3, 8, 9)}, date(2023, 9, 30), date(2023, 3, 31)),
        ({"start_month": 12}, date(2023, 11, 30), date(2023, 6, 2)),
    ],
)
def test_settings_move_the_last_day_and_both_sides_of_it(settings, even, odd):
    calendar = StudyCalendar(**settings)
    assert (calendar.closing_day(20222), calendar.closing_day(20221)) == (even, odd)
    assert calendar.closing_day(20223) == even
    for term, last in ((20222, even), (20221, odd)):
        assert calendar.term_of(last) == term
        assert calendar.term_of((pd.Timestamp(last) + pd.Timedelta(days=1)).date()) != term


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start_month": 7}, "cut through a term"),
        ({"start_month": 13}, "got 13"),
        ({"closing_months": (2,)}, r"must be \[8\]"),
        ({"closing_months": (8, 9)}, r"got \[8, 9\]"),
        ({"start_month": 8, "closing_months": (8,)}, "must be none"),
        ({"closing_months": (3, 8)}, "from February"),
        ({"closing_months": (1, 8)}, "from February"),
        ({"closing_months": (2, 3, 4, 5, 6, 7, 8)}, "to June at most"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        StudyCalendar(**settings)


def test_a_ceremony_a_day_after_a_cut_off_makes_nobody_late():
    """31 August itself, the day before it, and a ceremony in October for the term that ended in July."""
    days = ["2023-07-20", "2023-08-30", "2023-08-31", "2023-10-15", "2023-09-01"]
    terms = [None, None, None, 20222, None]
    keys = list("abcde")
    students = pd.DataFrame({"student_key": keys, "program_code": "S", "cohort_term": 20191})
    programs = pd.DataFrame({"program_code": ["S"], "normal_terms": [8]})
    outcomes = exits(zip([20191] * 5, days, terms, [None] * 5, strict=True), student_key=keys)
    outcomes = outcomes.drop(columns="cohort_term").assign(observed_until=date(2026, 8, 31))
    for seen_on in (date(2023, 8, 31), date(2023, 9, 1), date(2023, 10, 14), None):
        labels = label_outcomes(students, programs, outcomes, seen_on=seen_on)["label"].tolist()
        assert labels == ["on_time"] * 4 + ["delayed"]
    early = label_outcomes(students, programs, outcomes, seen_on=date(2023, 8, 30))["label"]
    assert set(early) == {"censored"}  # nobody is late the day before


def test_on_time_is_the_normal_time_itself_and_never_one_term_more():
    taken = pd.Series([0, 7, 8, 9, None], dtype="Int64")
    assert within_normal_time(taken, 8).tolist() == [True, True, True, False, False]
    assert within_normal_time([8, 9], [7, 9]).tolist() == [False, True]
