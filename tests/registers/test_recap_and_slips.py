"""A recap in which 0 is a leave and an empty cell no registration; exits on days that no month has."""

from __future__ import annotations

from datetime import date

import pytest

from data.files.choices import read_choice
from data.files.reading import Reading
from data.records.ingest import Source, chosen_mapping, plan_import
from tests.registers.second_university import files
from tests.registers.second_university.people import people

TODAY = date(2026, 9, 30)
CODES = {"Aktif": "A", "Cuti": "C", "Non-Aktif": "N"}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The husbandry students of 2019 and later, whose terms fit a recap, and the folder of their list."""
    folder = tmp_path_factory.mktemp("recap")
    everybody = [p for p in people() if p.programme.code == "54231" and p.cohort >= 2019]
    files.write_xlsx({"Mahasiswa": files.students(everybody)}, folder / "mahasiswa.xlsx")
    files.write_csv(files.recap(everybody), folder / "rekap.csv")
    return everybody, folder


def planned(folder, *choices: str, empty: str = ""):
    sources = [
        Source.from_path("students", folder / "mahasiswa.xlsx"),
        Source.from_path("terms", folder / "rekap.csv", Reading(empty_terms=empty)),
    ]
    said = [read_choice(one) for one in choices]
    mapping = chosen_mapping(None, sources, None, said) if said else None
    return plan_import(sources, mapping, today=TODAY)


def middle(student) -> dict[int, str]:
    """Term → status of the terms in which the student was away, with one of study after them."""
    last = max((row.term for row in student.terms if row.status == "Aktif"), default=0)
    return {row.term: CODES[row.status] for row in student.terms if row.status != "Aktif" and row.term < last}


def test_a_leave_written_as_0_and_a_term_left_empty_are_asked_for_apart(office):
    everybody, folder = office
    right = {one.nim: middle(one) for one in everybody if middle(one)}
    told = [status for terms in right.values() for status in terms.values()]
    assert told.count("C") >= 5 and told.count("N") >= 10  # the office has both
    plan = planned(folder, "zero=leave", empty="inactive")
    assert plan.accepted, plan.errors.head().to_string()
    away = plan.frames.terms[plan.frames.terms["status"] != "A"]
    found: dict[str, dict[int, str]] = {}
    for row in away.itertuples():
        found.setdefault(row.student_number, {})[int(row.term_id)] = row.status
    assert found == right
    exchanged = planned(folder, "zero=inactive", empty="leave").frames.terms
    assert (exchanged["status"] == "C").sum() == told.count("N")
    assert (exchanged["status"] == "N").sum() == told.count("C")


def test_what_one_of_them_was_says_nothing_about_the_other(office):
    everybody, folder = office
    leaves = sum(list(middle(one).values()).count("C") for one in everybody)
    left = planned(folder, "zero=empty", empty="inactive").frames.terms
    assert set(left["status"]) == {"A", "N"}
    given = planned(folder, "zero=leave").frames.terms
    assert set(given["status"]) == {"A", "C"} and (given["status"] == "C").sum() == leaves


def test_the_students_with_empty_terms_are_named_and_those_with_0_are_not(office):
    everybody, folder = office
    own = {one.nim: [row.term for row in one.terms] for one in everybody}
    right = {
        one.nim: tuple(own[one.nim].index(term) + 1 for term, status in middle(one).items() if status == "N")
        for one in everybody
        if "N" in middle(one).values()
    }
    for empty in ("", "none", "leave"):
        plan = planned(folder, "zero=leave", empty=empty)
        assert plan.without_figures == right
    count = sum(map(len, right.values()))
    assert [(one.what, one.cell) for one in plan.guesses["terms"] if one.what == "empty_terms"] == [
        ("empty_terms", str(count))
    ]
    taken = plan.problems.loc[plan.problems["rule"] == "REC131", "message"].item()
    assert f"'C' for the {count} terms without average and credits" in taken


def test_days_that_no_month_has_neither_prove_an_order_nor_spoil_the_column(office):
    everybody, folder = office
    gone = [one for one in everybody if one.left]
    table = files.outcomes(everybody, "slips")
    slips = {row[0]: row[3] for row in table.rows if str(row[3])[:2] in ("31", "30")}
    assert len(slips) >= 2
    files.write_csv(table, folder / "lulusan.csv")
    sources = [
        Source.from_path("students", folder / "mahasiswa.xlsx"),
        Source.from_path("outcomes", folder / "lulusan.csv"),
    ]
    plan = plan_import(sources, today=TODAY)
    refused = plan.errors[plan.errors["column"] == "Tanggal Keluar"]
    assert sorted(refused["value"]) == sorted(slips.values())
    assert refused["message"].str.startswith("there is no such day (").all()
    order = next(one for one in plan.guesses["outcomes"] if one.column == "Tanggal Keluar")
    assert (order.value, order.proven) == ("mdy", True)
    read = plan.frames.outcomes.dropna(subset=["exit_date"]).set_index("student_number")["exit_date"]
    assert {nim: day.date() for nim, day in read.items()} == {
        one.nim: one.left for one in gone if one.nim not in slips
    }
