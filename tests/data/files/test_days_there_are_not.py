"""A date of which there is no such day is refused with that reason, and shows nothing about the order."""

import pandas as pd
import pytest

from data.files.dates import evidence, no_such_day, shown_order
from data.files.register_files import Source
from data.files.told import told_of
from data.records.ingest import plan_import

STUDENTS = "NIM;Kode Prodi;Jenjang;Angkatan;Jenis Daftar\n" + "".join(
    f"0{number};55201;S1;2017;Baru\n" for number in range(1, 10)
)


def exits(*days: str):
    rows = "".join(f"0{number};Lulus;{day}\n" for number, day in enumerate(days, start=1))
    sources = [
        Source("students", "s.csv", STUDENTS.encode()),
        Source("outcomes", "o.csv", f"NIM;Jenis Keluar;Tanggal Keluar\n{rows}".encode()),
    ]
    plan = plan_import(sources)
    return plan, plan.errors[plan.errors["rule"] == "REC003"]


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("31/12/2021", "dmy"),
        ("12/31/2021", "mdy"),
        ("29/02/2020", "dmy"),
        ("29/02/2021", None),
        ("31/02/2021", None),
        ("02/31/2021", None),
        ("31/04/2021", None),
        ("04/31/2021", None),
        ("00/05/2021", None),
        ("32/01/2021", None),
        ("15/13/2021", None),
        ("05/12/2021", ""),
        ("05/05/2021", "both"),
    ],
)
def test_only_a_day_that_there_is_shows_which_number_comes_first(cell, order):
    assert shown_order(cell) == order


@pytest.mark.parametrize(
    ("cell", "order", "found"),
    [
        ("31/02/2021", "dmy", (2021, 2, 31)),
        ("31/02/2021", "mdy", (2021, 2, 31)),  # no month 31 can have been meant
        ("02/31/2021", "dmy", (2021, 2, 31)),
        ("31/02/2021", "", (2021, 2, 31)),
        ("2021-02-31 00:00:00", "dmy", (2021, 2, 31)),
        ("20210229", "dmy", (2021, 2, 29)),
        ("31 Februari 2021", "dmy", (2021, 2, 31)),
        ("June 31, 2021", "mdy", (2021, 6, 31)),
        ("05/13/2021", "dmy", (2021, 13, 5)),
        ("05/13/2021", "mdy", None),
        ("05/12/2021", "", None),  # two days there are: that they contradict others is another matter
        ("31 Wage 2021", "dmy", None),
        ("TOTAL", "dmy", None),
    ],
)
def test_a_day_there_is_not_is_told_from_what_is_no_date(cell, order, found):
    assert no_such_day(cell, order) == found


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("31/02/2021", "there is no such day (February has 28 days in 2021)"),
        ("2020-02-30", "there is no such day (February has 29 days in 2020)"),
        ("31 November 2021", "there is no such day (November has 30 days in 2021)"),
        ("15/13/2021", "there is no month 13"),
    ],
)
def test_the_refusal_says_that_there_is_no_such_day(cell, said):
    _, found = exits("23/08/2021", cell)
    assert found["row"].tolist() == [3] and found["value"].tolist() == [cell]
    assert found["message"].item().startswith(said) and "expected" not in found["message"].item()
    assert told_of(found["told"].item())[0] in ("no_such_day", "no_such_month")


def test_a_day_there_is_not_proves_no_order():
    plan, found = exits("05/12/2021", "31/02/2021", "06/08/2021")
    assert found["value"].tolist() == ["31/02/2021"]
    (guess,) = plan.guesses["outcomes"]
    assert (guess.value, guess.cell, guess.proven) == ("dmy", "05/12/2021", False)
    assert "REC119" in set(plan.problems["rule"])


def test_a_day_there_is_not_contradicts_no_column():
    plan, found = exits("12/31/2021", "31/02/2021", "06/08/2021")  # one cell shows it: month first
    assert found["value"].tolist() == ["31/02/2021"]
    (guess,) = plan.guesses["outcomes"]
    assert (guess.value, guess.proven) == ("mdy", True)
    assert plan.frames.outcomes["exit_date"].dt.strftime("%Y-%m-%d").tolist() == ["2021-12-31", "2021-06-08"]


def test_in_a_column_that_contradicts_itself_too_the_reason_is_the_day():
    _, found = exits("12/31/2021", "31/12/2021", "31/02/2021", "05/06/2021")
    said = dict(zip(found["value"], found["message"], strict=True))
    assert "no such day" in said["31/02/2021"] and "can be told apart" in said["05/06/2021"]


def test_entries_and_births_say_it_too():
    text = (
        "NIM;Kode Prodi;Jenjang;Tanggal Masuk Kuliah;Tanggal Lahir;Jenis Daftar\n"
        "01;55201;S1;31/09/2021;30/02/2003;Baru\n"
        "02;55201;S1;23/08/2021;Bandung, 31 April 2003;Baru\n"
    )
    found = plan_import([Source("students", "s.csv", text.encode())]).errors
    said = found.set_index("value")["message"]
    assert "September has 30 days in 2021" in said["31/09/2021"]
    assert "February has 28 days in 2003" in said["30/02/2003"]
    assert "April has 30 days in 2003" in said["Bandung, 31 April 2003"]


def test_days_there_are_not_do_not_count_as_evidence():
    found = evidence(pd.Series(["31/02/2021"] * 500 + ["12/31/2021"]))
    assert (found.order, found.rows) == ("mdy", {"mdy": 1})
