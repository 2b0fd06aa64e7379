"""Changed names, renamed programmes, and what is said once when the students file fails."""

from datetime import date

import pytest
from sqlalchemy import select

from data import schema
from data.columns import NORMAL_TERMS, REQUIRED_CREDITS
from data.commands.load_report import report_records
from data.engine.bulk import fetch
from data.records.frames import told_counts
from data.records.ingest import Source, apply_import, plan_import
from data.trust.undo import last_import, undo_import

TODAY = date(2026, 9, 1)
HEAD = "NIM;Nama;Kode Prodi;Nama Prodi;Jenjang;Angkatan;Status Awal\n"
ROWS = "01;Ani;55201;{name};S1;2021;Baru\n02;Budi;55201;{name};S1;2022;Baru\n"


def source(text: str, table="students") -> Source:
    return Source(table, f"{table}.csv", text.encode())


def imported(store, text: str):
    plan = plan_import([source(text)], store=store, today=TODAY)
    return plan, apply_import(store, plan, actor="tester")


def programme(store) -> str:
    with store.reading() as connection:
        return connection.scalar(select(schema.programs.c.name))


def names(store) -> list[str]:
    with store.reading() as connection:
        found = fetch(connection, select(schema.identities)).sort_values("student_number")
    return [None if name != name else name for name in found["name"]]


def test_a_wrong_name_of_a_programme_is_put_right_by_a_later_file(store):
    imported(store, HEAD + ROWS.format(name="62201"))
    plan, result = imported(store, HEAD + ROWS.format(name="Teknik"))
    assert plan.counts["programs"] == result.counts["programs"] == {"new": 0, "changed": 1, "same": 0}
    told = plan.warnings[plan.warnings["rule"] == "REC149"]
    assert told[["column", "value"]].to_numpy().tolist() == [["Nama Prodi", "Teknik"]]
    assert programme(store) == "Teknik"
    with store.reading() as connection:
        kept = connection.execute(select(schema.row_history.c.row_key, schema.row_history.c.payload)).all()
    assert [(key, said["name"]) for key, said in kept] == [("55201", "62201")]
    again, _ = imported(store, HEAD + ROWS.format(name="Teknik"))
    assert again.counts["programs"] == {"new": 0, "changed": 0, "same": 1}
    assert "REC149" not in set(again.problems["rule"])


def test_undoing_gives_a_programme_its_earlier_name(store):
    imported(store, HEAD + ROWS.format(name="Lama"))
    imported(store, HEAD + ROWS.format(name="Baru"))
    undo_import(store, last_import(store), actor="tester", role="registrar")
    assert programme(store) == "Lama"


@pytest.mark.parametrize(
    "file",
    [
        "NIM;Nama;Kode Prodi;Jenjang;Angkatan;Status Awal\n01;Ani;55201;S1;2021;Baru\n",
        HEAD + "01;Ani;55201;;S1;2021;Baru\n",
        HEAD + "01;Ani;55201;Lain;S1;2021;Baru\n02;Budi;55201;Teknik;S1;2022;Baru\n",
    ],
    ids=["no column", "empty", "two names, one of them stored"],
)
def test_a_file_that_names_no_other_programme_leaves_its_name(store, file):
    imported(store, HEAD + ROWS.format(name="Teknik"))
    plan, result = imported(store, file)
    assert result.counts["programs"] == plan.counts["programs"] == {"new": 0, "changed": 0, "same": 1}
    assert programme(store) == "Teknik"


def plan_of_programme(store) -> list[tuple]:
    columns = [schema.programs.c[name] for name in ("degree_level", "normal_terms", "required_credits")]
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def test_a_wrong_level_is_put_right_by_a_file_of_all_its_students_and_undone(store):
    wrong = (HEAD + ROWS.format(name="Teknik")).replace("S1", "S2")
    imported(store, wrong)
    held = plan_of_programme(store)
    plan, result = imported(store, HEAD + ROWS.format(name="Teknik"))
    assert plan.accepted, plan.errors.to_string()
    assert plan.counts["programs"] == result.counts["programs"] == {"new": 0, "changed": 1, "same": 0}
    told = plan.warnings[plan.warnings["rule"] == "REC149"]
    assert told[["column", "value"]].to_numpy().tolist() == [["Jenjang", "S1"]]
    assert plan_of_programme(store) == [("S1", NORMAL_TERMS["S1"], REQUIRED_CREDITS["S1"])]
    undo_import(store, last_import(store), actor="tester", role="registrar")
    assert plan_of_programme(store) == held == [("S2", NORMAL_TERMS["S2"], REQUIRED_CREDITS["S2"])]


@pytest.mark.parametrize(
    "rows", ["01;Ani;55201;T;S1;2021;Baru\n", ROWS.format(name="T").replace("S1", "D3", 1)]
)
def test_a_file_of_some_students_or_at_odds_with_itself_corrects_no_level(store, rows):
    imported(store, (HEAD + ROWS.format(name="T")).replace("S1", "S2"))
    plan = plan_import([source(HEAD + rows)], store=store, today=TODAY)
    assert set(plan.errors["rule"]) == {"REC010"}


def test_changed_names_of_students_are_counted_and_said(store):
    imported(store, HEAD + ROWS.format(name="Teknik"))
    assert "names" not in told_counts(imported(store, HEAD + ROWS.format(name="Teknik"))[0].counts)
    plan, result = imported(store, HEAD + ROWS.format(name="Teknik").replace("Budi", "Budiman"))
    assert told_counts(plan.counts)["names"] == {"new": 0, "changed": 1, "same": 0}
    assert told_counts(result.counts)["names"] == told_counts(plan.counts)["names"]
    lines = [" ".join(line.split()) for line in report_records(plan)]
    assert "names 0 new 1 changed 0 same" in lines
    assert names(store) == ["Ani", "Budiman"]


def test_an_unknown_student_beside_known_ones_does_not_make_their_entry_differ(store):
    imported(store, HEAD + ROWS.format(name="Teknik"))
    more = (
        HEAD
        + ROWS.format(name="Teknik")
        + "03;Cici;55201;Teknik;S1;2023;Baru\n04;Dodi;55201;Teknik;S1;?;Baru\n"
    )
    plan = plan_import([source(more)], store=store, today=TODAY)
    assert "REC112" not in set(plan.problems["rule"])
    moved = plan_import([source(more.replace("S1;2021", "S1;2020"))], store=store, today=TODAY)
    told = moved.problems[moved.problems["rule"] == "REC112"]
    assert told[["row", "column"]].to_numpy().tolist() == [[2, "Angkatan"]]


TERMS = "NIM;Tahun Akademik;Status;IPS;IPK;SKS;SKS Lulus;SKS Kumulatif\n" + "".join(
    f"0{one};20221;Aktif;3,2;3,2;20;20;20\n" for one in (1, 2)
)


@pytest.mark.parametrize(
    ("students", "why"),
    [
        (HEAD + ROWS.format(name="Teknik").replace("S1", ""), "were refused"),
        ("NIM;Nama\n01;Ani\n02;Budi\n", "cannot be used"),
        ("", "cannot be used"),
    ],
    ids=["every row refused", "columns missing", "no table"],
)
def test_files_that_fall_with_the_students_file_say_so_once(store, students, why):
    plan = plan_import([source(students), source(TERMS, "terms")], store=store, today=TODAY)
    told = plan.errors[plan.errors["file"] == "terms.csv"]
    assert len(told) == 1 and told["row"].isna().all()
    assert "2 of 2 rows" in told["message"].iloc[0] and why in told["message"].iloc[0]
    assert plan.refused["terms"] == 2 and not plan.accepted
    assert any("2 of 2 rows" in line for line in report_records(plan))


def test_the_sentence_about_a_file_stands_before_the_rows_of_others(store):
    many = HEAD + "".join(f"{n:03d};Ani;55201;T;S1;?;Baru\n" for n in range(300))
    terms = TERMS.replace("\n0", "\n00")
    plan = plan_import([source(many), source(terms, "terms")], store=store, today=TODAY)
    assert any("rows fall because" in line for line in report_records(plan))


def test_a_row_that_falls_alone_is_named(store):
    one = HEAD + ROWS.format(name="Teknik").replace("2022;Baru", "?;Baru")
    plan = plan_import([source(one), source(TERMS, "terms")], store=store, today=TODAY)
    assert plan.errors.loc[plan.errors["file"] == "terms.csv", "row"].tolist() == [3]
