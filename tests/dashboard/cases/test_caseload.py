"""A caseload: what moved, who comes first, where the list ends, how it reads."""

import pandas as pd

from dashboard.cases import caseload
from dashboard.shell.wording import Words

ROWS = pd.DataFrame(
    [
        ("a" * 16, 0.80, 0.79, "very_high", "very_high", "Ani", "01"),
        ("b" * 16, 0.70, 0.40, "high", "moderate", "Budi", "02"),
        ("c" * 16, 0.60, 0.52, "high", "high", None, "03"),
        ("d" * 16, 0.30, 0.45, "moderate", "high", "Dewi", "04"),
        ("e" * 16, 0.20, None, "low", None, None, None),
    ],
    columns=["student_key", "risk", "previous_risk", "band", "previous_band", "name", "student_number"],
).assign(program_code="IF", cohort_term=20231)


def test_each_way_of_moving_is_named():
    assert caseload.movement(ROWS).tolist() == ["same", "new", "worse", "better", "first"]


def test_a_first_score_is_not_called_new():
    first = ROWS.assign(previous_risk=None, previous_band=None, band="very_high")
    assert set(caseload.movement(first)) == {"first"}


def test_new_and_worsened_come_first_each_by_falling_risk():
    assert [key[0] for key in caseload.ordered(ROWS)["student_key"]] == ["b", "c", "a", "d", "e"]


def test_the_cut_off_and_what_ten_more_would_add():
    assert caseload.cutoff(ROWS, 2) == (0.70, 0.60, 0.20)
    assert caseload.cutoff(ROWS, 5) == (0.20, None, None)
    assert caseload.cutoff(ROWS.head(0), 5) == (None, None, None)


def test_the_table_reads_in_the_readers_language():
    table = caseload.as_table(caseload.ordered(ROWS), {"IF": "Informatika"}, Words("id"))
    first = table.iloc[0]
    assert (first["student"], first["student_number"], first["moved"]) == ("Budi", "02", "▲ Baru")
    assert (first["band"], first["risk"], first["change"]) == (["Tinggi"], 70, 30)
    assert (first["program"], first["cohort"]) == ("Informatika", "Ganjil 2023/24")


def test_who_has_no_name_is_known_by_number_or_key():
    table = caseload.as_table(caseload.ordered(ROWS), {}, Words("en"))
    assert table["student"].tolist() == ["Budi", "03", "Ani", "Dewi", "eeeeeeee"]


def test_students_of_one_name_are_told_apart_by_their_numbers():
    rows = caseload.ordered(ROWS.assign(name=["Ani", "Budi", "Ani", "Dewi", None]))
    table = caseload.as_table(rows, {}, Words("en"))
    assert table["student"].tolist() == ["Budi", "Ani · 03", "Ani · 01", "Dewi", "eeeeeeee"]


def test_rows_without_identity_show_only_the_key():
    table = caseload.as_table(
        caseload.ordered(ROWS.drop(columns=["name", "student_number"])), {}, Words("en")
    )
    assert "student_number" not in table
    assert table["student"].str.fullmatch(r"[a-e]{8}").all()


def test_an_export_has_headings_and_no_lists():
    table = caseload.as_table(caseload.ordered(ROWS), {}, Words("en")).assign(
        history=[[0.1]] * 5, reasons="x"
    )
    flat = caseload.for_export(table, Words("en"))
    assert "student_key" not in flat
    assert flat["Band"].tolist()[0] == "High"
    assert {"Student", "Risk of 100", "Since last term", "Main reasons"} <= set(flat.columns)
    assert not flat.map(lambda cell: isinstance(cell, list)).any().any()
