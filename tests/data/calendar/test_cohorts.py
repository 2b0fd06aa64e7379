from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import (
    build_flow,
    cohort_outcomes,
    flow_notices,
    graduation_by_year,
    is_mature,
    retention,
    snapshot_date,
)

REGISTER = Path(__file__).parents[2] / "samples" / "reports" / "register40.csv"


@pytest.fixture(scope="module")
def flow():
    rows = pd.read_csv(REGISTER, dtype={"leave": str}).rename(columns={"student": "student_key"})
    rows = rows.assign(program_code="55201", degree_level="S1", normal_terms=8, observed_until="2026-08-31")
    leave = pd.DataFrame(
        {"student_key": ["s12", "s12", "s20", "s20"], "term_id": [20221, 20222, 20231, 20233]}
    )
    return build_flow(rows, leave)


def one(**facts):
    base = {
        "student_key": "a",
        "program_code": "P",
        "cohort_term": 20211,
        "entry_type": "new",
        "exit_type": "graduated",
        "exit_date": "2025-07-15",
        "observed_until": "2026-07-31",
        "degree_level": "S1",
    }
    return pd.DataFrame([base | facts])


def test_the_cohort_is_the_year_of_entry_whatever_happens_later(flow):
    years = flow.set_index("student_key")["entry_year"]
    assert (years["s12"], years["s16"], years["s40"]) == (2019, 2019, 2025)


def test_study_time_is_counted_in_days_and_leave_is_taken_off_apart(flow):
    row = flow.set_index("student_key").loc["s12"]
    assert row["study_years"] == pytest.approx(2178 / 365.25)
    assert row["study_years_net"] == pytest.approx(2178 / 365.25 - 1.0)


def test_a_short_term_is_no_leave(flow):
    assert flow.set_index("student_key").loc["s20", "leave_terms"] == 1


def test_the_academic_year_turns_on_the_first_of_its_month():
    turn = pd.concat([one(exit_date="2025-07-31"), one(student_key="b", exit_date="2025-08-20")])
    assert build_flow(turn)["exit_year"].tolist() == [2024, 2024]
    august = AcademicCalendar(start_month=8)
    assert build_flow(turn, calendar=august)["exit_year"].tolist() == [2024, 2025]
    assert AcademicCalendar().last_day(2025) == date(2026, 8, 31)


def test_nobody_leaves_in_a_year_before_the_one_of_entry():
    """The odd term begins in August, this office's year in September."""
    left = {"cohort_term": 20181, "exit_type": "resigned"}
    rows = pd.concat(
        [
            one(**left, exit_date="2018-08-01"),  # the first day of the first term
            one(student_key="b", **left, exit_date=None, exit_term=20181),
            one(student_key="c", **left, exit_date="2018-09-01"),
            one(student_key="d", **left, exit_date="2018-07-31"),  # before the entry: said, not moved
        ]
    )
    flow = build_flow(rows).set_index("student_key")
    assert flow["exit_year"].to_dict() == {"a": 2018, "b": 2018, "c": 2018, "d": 2017}
    assert flow["exit_before_entry"].to_dict() == {"a": False, "b": False, "c": False, "d": True}


def test_a_month_that_is_none_is_refused():
    with pytest.raises(ValueError, match="13"):
        AcademicCalendar(start_month=13)


def test_an_exit_without_a_date_takes_the_end_of_its_term_and_says_so():
    flow = build_flow(one(exit_date=None, exit_term=20242))
    assert flow.loc[0, "exit_date"] == pd.Timestamp("2025-07-31")
    assert [notice.code for notice in flow_notices(flow)] == ["exit_date_from_term"]


def test_an_exit_without_date_and_term_is_in_no_graduation_year():
    flow = build_flow(one(exit_date=None))
    assert flow["exit_year"].isna().all() and graduation_by_year(flow).empty
    assert [notice.code for notice in flow_notices(flow)] == ["exit_without_date"]


def test_an_exit_before_entry_has_no_study_time():
    flow = build_flow(one(exit_date="2020-01-01"))
    assert flow["study_years"].isna().all()
    assert [notice.code for notice in flow_notices(flow)] == ["exit_before_entry"]


def test_terms_to_exit_are_derived_from_dates_where_the_register_has_none():
    assert build_flow(one(exit_date="2025-08-20")).loc[0, "exit_terms"] == 8
    assert build_flow(one(exit_date="2025-10-01")).loc[0, "exit_terms"] == 9
    flow = build_flow(one(exit_date="2025-07-15"))
    assert flow.loc[0, "exit_terms"] == 8 and flow.loc[0, "normal_ratio"] == 1
    assert flow.loc[0, "study_year_at_exit"] == 4


def test_two_rows_of_one_student_are_refused():
    with pytest.raises(ValueError, match="'a'"):
        build_flow(pd.concat([one(), one()]))


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="cohort_term"):
        build_flow(one().drop(columns="cohort_term"))


def test_the_register_of_40_graduates_as_counted_by_hand(flow):
    table = graduation_by_year(flow)
    found = {(row.entry_year, row.exit_year): row.graduates for row in table.itertuples()}
    assert found == {
        (2017, 2019): 1,
        (2017, 2020): 1,
        (2017, 2023): 1,
        (2018, 2021): 1,
        (2018, 2024): 1,
        (2019, 2021): 1,
        (2019, 2022): 2,
        (2019, 2023): 1,
        (2019, 2024): 1,
        (2020, 2022): 2,
        (2020, 2023): 2,
        (2020, 2024): 1,
        (2020, 2025): 1,
        (2021, 2024): 3,
        (2021, 2025): 1,
        (2022, 2025): 2,
    }


def test_retention_of_the_register_equals_the_hand_count(flow):
    table = retention(flow, snapshot_date(flow)).set_index(["entry_year", "after_years"])
    # cohort 2019: eight students; s13 resigned after two terms, on 20 August, s14 died in the fourth
    assert table.loc[(2019, 1), ["retained", "rate"]].tolist() == [7, 7 / 8]
    assert table.loc[(2019, 2), ["deceased", "retained"]].tolist() == [1, 6]
    assert table.loc[(2019, 2), "rate"] == pytest.approx(6 / 7)
    assert table.loc[(2024, 1), "rate"] == pytest.approx(2 / 3)
    assert not table.loc[(2025, 1), "mature"] and pd.isna(table.loc[(2025, 1), "rate"])


def test_outcomes_of_each_cohort_add_up_to_its_entrants(flow):
    table = cohort_outcomes(flow, snapshot_date(flow)).set_index("entry_year")
    parts = ["on_time", "late", "dropped_out", "transferred", "deceased", "other_exit", "enrolled"]
    assert (table[parts].sum(axis=1) == table["entrants"]).all()
    assert table.loc[2019, parts].tolist() == [3, 2, 1, 0, 1, 0, 1]
    assert table["mature"].to_dict() == {
        2017: True,
        2018: True,
        2019: True,
        2020: True,
        2021: True,
        2022: True,
        2024: False,
        2025: False,
    }


def test_a_cohort_is_mature_on_the_day_the_horizon_ends():
    entry = pd.to_datetime(["2022-08-01"])
    assert is_mature(entry, 4, date(2026, 8, 31))[0]  # the eighth term closes
    assert not is_mature(entry, 4, date(2026, 8, 30))[0]
    august = AcademicCalendar(start_month=8)
    assert is_mature(entry, 4, date(2026, 7, 31), august)[0]
    assert not is_mature(entry, 4, date(2026, 7, 30), august)[0]
    assert not is_mature(entry, 4, None)[0]
