"""Imports into a real store: all or nothing, twice is once, and a changed row keeps its history."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, select

from data import schema
from data.engine.bulk import fetch
from data.files.mapping import load_mapping
from data.files.register_files import guess_table
from data.files.returned import returned_csv, returned_files
from data.files.safe_cells import safe_cell
from data.records.import_queries import known_records
from data.records.ingest import (
    RefusedImport,
    Source,
    apply_import,
    plan_import,
    problems_for_people,
    remember_mapping,
    remembered_mappings,
)
from data.store import set_fact

SAMPLES = Path(__file__).parents[2] / "samples"
TODAY = date(2026, 9, 1)
TABLES = ("students", "terms", "outcomes")


def samples(system: str) -> list[Source]:
    return [Source.from_path(table, SAMPLES / f"{system}_{table}.csv") for table in TABLES]


def source(table: str, text: str, name: str = "") -> Source:
    return Source(table, name or f"{table}.csv", text.encode())


def rows(store, table) -> int:
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_the_siakad_samples_are_imported_whole_and_twice_is_once(store):
    plan = plan_import(samples("siakad"), store=store, today=TODAY)
    assert plan.accepted
    assert plan.read == {"students": 30, "terms": 184, "outcomes": 21}
    assert plan.matches["students"].left_out == ("NIK",)
    result = apply_import(store, plan, actor="tester")
    assert result.counts == plan.counts
    assert result.counts["terms"] == {"new": 184, "changed": 0, "same": 0}

    again = plan_import(samples("siakad"), store=store, today=date(2027, 2, 1))
    assert again.counts["terms"] == {"new": 0, "changed": 0, "same": 184}
    assert not apply_import(store, again, actor="tester").changed_anything
    assert rows(store, schema.row_history) == 0


def test_what_was_read_is_what_the_file_says(store):
    apply_import(store, plan_import(samples("siakad"), store=store, today=TODAY), actor="tester")
    known = known_records(store, ["0117200001", "0142220008"])
    first = known.students.set_index("student_number").loc["0117200001"]
    assert first[["name", "program_code", "cohort_term", "sex", "birth_year", "advisor"]].tolist() == [
        "Adi Contoh", "55201", 20201, "L", 2001, "dosen1",
    ]  # fmt: skip
    term = known.terms.set_index(["student_number", "term_id"]).loc[("0117200001", 20202)]
    assert term[["term_index", "gpa_term", "gpa_cum", "credits_passed"]].tolist() == [2, 3.20, 3.25, 19]
    assert term["attendance_rate"] == 0.921
    assert term["known_at"] == pd.Timestamp(2021, 8, 31)  # a month after the end of July 2021
    left = known.outcomes.set_index("student_number").loc["0117200001"]
    assert left[["exit_type", "exit_term", "terms_to_exit", "gpa_final"]].tolist() == [
        "graduated",
        20232,
        8,
        3.18,
    ]
    assert known.students.set_index("student_number").loc["0142220008", "entry_type"] == "transfer"
    assert known.programs.set_index("program_code").loc[
        "57401", ["degree_level", "normal_terms"]
    ].tolist() == ["D3", 6]


def test_three_systems_tell_the_same_story():
    siakad = plan_import(samples("siakad"), today=TODAY).frames
    pddikti = plan_import(samples("pddikti"), today=TODAY).frames
    path = SAMPLES / "english_register.xlsx"
    english = plan_import([Source.from_path(table, path) for table in TABLES[:2]], today=TODAY).frames
    columns = [
        "student_number",
        "program_code",
        "degree_level",
        "cohort_term",
        "entry_type",
        "sex",
        "birth_year",
    ]
    for other in (pddikti, english):
        pd.testing.assert_frame_equal(other.students[columns], siakad.students[columns])
        shared = [name for name in siakad.terms if name in other.terms]
        pd.testing.assert_frame_equal(other.terms[shared], siakad.terms[shared])
    pd.testing.assert_frame_equal(
        pddikti.outcomes[["student_number", "exit_type", "exit_date", "terms_to_exit"]],
        siakad.outcomes[["student_number", "exit_type", "exit_date", "terms_to_exit"]],
    )


def test_ten_different_errors_are_reported_at_once_and_nothing_is_written(store):
    bad = [Source.from_path("students", SAMPLES / "siakad_students.csv")]
    bad.append(Source.from_path("terms", SAMPLES / "bad_terms.csv"))
    plan = plan_import(bad, store=store, today=TODAY)
    assert plan.refused == {"students": 0, "terms": 10}
    per_row = plan.errors.groupby("row")["rule"].agg(list).to_dict()
    assert per_row == {
        3: ["REC004"],
        4: ["REC003"],
        5: ["REC005"],
        6: ["REC002"],
        7: ["REC013"],
        8: ["REC017"],
        9: ["REC008", "REC011"],
        10: ["REC011"],
        11: ["REC018"],
        12: ["REC014"],
    }
    with pytest.raises(RefusedImport, match="10 rows were refused; nothing was written") as refusal:
        apply_import(store, plan, actor="tester")
    assert refusal.value.plan is plan
    assert rows(store, schema.students) == rows(store, schema.imports) == 0
    summary = problems_for_people(plan.errors).set_index("rule")
    assert summary.loc["REC011", ["rows", "first_row"]].tolist() == [2, 9]


def test_skipped_rows_come_back_in_their_own_columns_and_are_accepted_once_mended(store):
    bad = [Source.from_path("students", SAMPLES / "siakad_students.csv")]
    bad.append(Source.from_path("terms", SAMPLES / "bad_terms.csv"))
    plan = plan_import(bad, store=store, today=TODAY)
    assert apply_import(store, plan, actor="tester", skip_bad=True).counts["terms"]["new"] == 2
    returned = plan.returned["terms"]
    assert list(returned.columns)[:4] == ["NIM", "Tahun Akademik", "Status", "IPS"]
    assert returned["tepat: row"].tolist() == [str(row) for row in range(3, 13)]
    assert returned.loc[3, "tepat: reasons"] == "REC004 IPS: must be between 0 and 4 grade points"

    mended = returned.loc[[3, 5]].assign(IPS=["3,75", "3,00"], Status="Aktif")
    again = plan_import([Source("terms", "mended.csv", returned_csv(mended))], store=store, today=TODAY)
    assert again.accepted
    assert again.warnings.empty
    assert apply_import(store, again, actor="tester").counts["terms"]["new"] == 2


@pytest.mark.parametrize("name", ["back.csv", "back.xlsx"])
def test_returned_files_hold_no_formula_and_read_back_as_they_were(name):
    text = "NIM;Kode Prodi;Jenjang;Angkatan;Nama\n001;55;S7;2023;=HYPERLINK(A1)\n002;55;S7;2023;@x\n"
    plan = plan_import([source("students", text)], today=TODAY)
    files = returned_files(plan.returned, name)
    again = plan_import([Source("students", *next(iter(files.items())))], today=TODAY)
    assert again.returned["students"]["Nama"].tolist() == ["=HYPERLINK(A1)", "@x"]
    assert again.returned["students"]["NIM"].tolist() == ["001", "002"]
    assert [safe_cell(text) for text in ("=1", "+1", "-1", "@a", "a=1")] == [
        "'=1",
        "'+1",
        "'-1",
        "'@a",
        "a=1",
    ]


def test_several_tables_come_back_as_several_csv_files_or_sheets():
    texts = {"students": "NIM;Kode Prodi;Angkatan\n1;55;2023\n", "terms": "NIM;Periode;Status\n9;20231;A\n"}
    plan = plan_import([source(table, text) for table, text in texts.items()], today=TODAY)
    assert set(returned_files(plan.returned, "back.csv")) == {"back-students.csv", "back-terms.csv"}
    assert set(returned_files(plan.returned, "back.xlsx")) == {"back.xlsx"}


def test_a_file_without_a_required_column_or_without_a_table_stops_everything(store):
    plan = plan_import([source("students", "NIM;Nama\n1;A\n")], store=store, today=TODAY)
    assert plan.unreadable
    with pytest.raises(RefusedImport, match="cannot be used at all"):
        apply_import(store, plan, actor="tester", skip_bad=True)
    nothing = plan_import([Source("terms", "terms.pdf", b"%PDF-1.7")], store=store, today=TODAY)
    assert nothing.problems[["rule", "file"]].to_numpy().tolist() == [["REC019", "terms.pdf"]]


def test_a_changed_row_is_updated_known_since_the_import_and_keeps_its_history(store):
    apply_import(store, plan_import(samples("siakad"), store=store, today=TODAY), actor="tester")
    text = (SAMPLES / "siakad_terms.csv").read_text(encoding="utf-8-sig")
    changed = text.replace("0117200001;2020/2021;Genap;Aktif;3,20", "0117200001;2020/2021;Genap;Aktif;3,30")
    assert changed != text
    today = datetime.now(UTC).date()  # the store dates a revision in UTC
    plan = plan_import([source("terms", changed)], store=store, today=today)
    assert plan.counts["terms"] == {"new": 0, "changed": 1, "same": 183}
    assert apply_import(store, plan, actor="tester").counts == plan.counts
    known = known_records(store, ["0117200001"]).terms.set_index("term_id").loc[20202]
    assert known["gpa_term"] == 3.30
    assert known["known_at"].date() == today
    with store.reading() as connection:
        history = fetch(connection, select(schema.row_history.c.payload, schema.row_history.c.known_at))
    assert history["payload"].item()["gpa_term"] == 3.20
    assert history["known_at"].item() == pd.Timestamp(2021, 8, 31)


def test_an_unfinished_term_is_known_from_today_and_importing_it_later_changes_nothing(store):
    today = date(2026, 3, 1)
    texts = {
        "students": "NIM;Kode Prodi;Jenjang;Angkatan\n001;55;S1;2025\n",
        "terms": "NIM;Periode;Status;SKS\n001;20251;Aktif;20\n001;20252;Aktif;21\n",
    }
    sources = [source(table, text) for table, text in texts.items()]
    apply_import(store, plan_import(sources, store=store, today=today), actor="tester")
    known = known_records(store, ["001"]).terms.set_index("term_id")["known_at"]
    assert known[20251] == pd.Timestamp(2026, 3, 1)  # grades are booked on 3 March
    assert known[20252] == pd.Timestamp(2026, 3, 1)
    later = plan_import(sources, store=store, today=date(2026, 5, 1))
    assert later.counts["terms"] == {"new": 0, "changed": 0, "same": 2}


def test_a_refused_student_takes_his_terms_along_when_bad_rows_are_skipped(store):
    texts = {
        "students": "NIM;Kode Prodi;Jenjang;Angkatan\n001;55;S1;2023\n002;55;S1;x\n",
        "terms": "NIM;Periode;Status\n001;20231;A\n002;20231;A\n",
    }
    plan = plan_import([source(table, text) for table, text in texts.items()], store=store, today=TODAY)
    assert plan.errors[["file", "row", "rule"]].to_numpy().tolist() == [
        ["students.csv", 3, "REC003"],
        ["terms.csv", 3, "REC012"],
    ]
    result = apply_import(store, plan, actor="tester", skip_bad=True)
    assert [result.counts[table]["new"] for table in ("students", "terms")] == [1, 1]


def test_degree_levels_are_read_from_programme_names_when_there_is_no_column():
    text = "nim,kode_prodi,nama_program_studi,id_periode_masuk\n1,5,S1 Fisika,20231\n2,6,D-III Gizi,20231\n"
    plan = plan_import([source("students", text)], today=TODAY)
    assert plan.accepted
    assert plan.frames.students["degree_level"].tolist() == ["S1", "D3"]


def test_a_mapping_is_remembered_per_institution(store):
    ours = replace(load_mapping("siakad").with_chosen("students", {"Kode Unit": "program_code"}), name="ours")
    text = "NIM;Kode Unit;Jenjang;Angkatan\n001;55;S1;2023\n"
    assert plan_import([source("students", text)], store=store, today=TODAY).unreadable
    set_fact(store, "institution", "Universitas Contoh")
    remember_mapping(store, ours)
    assert [mapping.name for mapping in remembered_mappings(store)] == ["ours"]
    plan = plan_import([source("students", text)], store=store, today=TODAY)
    assert plan.accepted
    assert plan.matches["students"].mapping == ours
    set_fact(store, "institution", "Politeknik Contoh")
    assert remembered_mappings(store) == ()


def test_the_table_of_an_uploaded_file_is_guessed_by_its_headers():
    for system in ("siakad", "pddikti"):
        for table in TABLES:
            name = f"{system}_{table}.csv"
            assert guess_table(name, (SAMPLES / name).read_bytes()) == table
    assert guess_table("x.csv", b"a,b\n1,2\n") is None


def test_progress_counts_up_to_its_total(store):
    seen = []
    plan = plan_import(samples("siakad"), store=store, today=TODAY, progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(len(seen)))
    assert seen[-1][:2] == (6, 6)
    written = []
    apply_import(store, plan, actor="tester", progress=lambda *step: written.append(step))
    assert (184, 184, "writing rows") in written


def test_two_files_for_one_table_are_refused():
    with pytest.raises(ValueError, match="different tables, got terms, terms"):
        plan_import([source("terms", "a"), source("terms", "b")])


def test_tables_of_one_workbook_are_told_apart_by_their_sheets():
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        students = pd.DataFrame({"NIM": ["001", "002"], "Kode Prodi": ["55", "55"], "Jenjang": ["S1", "S9"]})
        students.assign(Angkatan="2023").to_excel(writer, sheet_name="mahasiswa", index=False)
        terms = pd.DataFrame({"NIM": ["001", "001"], "Periode": ["20231", "20232"], "Status": "Aktif"})
        terms.to_excel(writer, sheet_name="semester", index=False)
    sources = [Source(table, "all.xlsx", buffer.getvalue()) for table in TABLES[:2]]
    plan = plan_import(sources, today=TODAY)
    assert plan.errors[["file", "row", "rule"]].to_numpy().tolist() == [["all.xlsx (mahasiswa)", 3, "REC005"]]
    assert plan.refused == {"students": 1, "terms": 0}
    assert set(plan.files) == {"all.xlsx (mahasiswa)", "all.xlsx (semester)"}
