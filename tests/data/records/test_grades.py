"""Course grades from KHS files: every scale, repeated courses, changed marks, and what the terms say."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.calendar.clock import today
from data.engine.bulk import fetch
from data.files.choices import read_choice
from data.files.register_files import guess_table
from data.records.ingest import Source, apply_import, chosen_mapping, plan_import
from data.trust.undo import last_import, undo_import

TODAY = date(2026, 3, 20)
STUDENTS = """NIM;Nama Mahasiswa;Kode Prodi;Jenjang;Angkatan;Status Awal
0117200001;Ani;55201;S1;20241;Peserta didik baru
0117200002;Budi;55201;S1;20241;Peserta didik baru
"""
TERMS = """NIM;Kode Semester;Status
0117200001;20241;Aktif
0117200001;20242;Aktif
0117200002;20241;Aktif
"""
KHS = """KARTU HASIL STUDI;;;;;;;
NIM;Semester;Kode MK;Nama MK;SKS;Kelas;Nilai Huruf;Nilai Indeks
0117200001;2024/2025 Ganjil;IF101;Kalkulus;4;A;E;0
0117200001;2024/2025 Ganjil;IF102;Algoritma;3;A;A-;3,75
0117200001;2024/2025 Genap;IF101;Kalkulus;4;B;B;3
0117200001;2024/2025 Genap;IF103;Basis Data;3;A;T;
0117200002;2024/2025 Ganjil;IF101;Kalkulus;4;A;AB;3,5
0117200002;2024/2025 Ganjil;IF102;Algoritma;3;A;C;2
"""


def sources(**texts: str) -> list[Source]:
    return [Source(name, f"{name}.csv", text.encode()) for name, text in texts.items()]


def load(store, mapping=None, today=TODAY, **texts):
    plan = plan_import(sources(**texts), mapping, store=store, today=today)
    assert plan.accepted, plan.errors.to_string()
    return apply_import(store, plan, actor="biro"), plan


def attempts(store) -> pd.DataFrame:
    table, identity = schema.course_attempts, schema.identities
    statement = select(identity.c.student_number, table).join(
        identity, identity.c.student_key == table.c.student_key
    )
    with store.reading() as connection:
        found = fetch(connection, statement)
    key = ["student_number", "course_code", "term_id", "attempt"]
    return found.drop(columns=["student_key", "import_id"]).sort_values(key, ignore_index=True)


def rules_of(**texts) -> dict[str, list[int]]:
    found = plan_import(sources(**texts), today=TODAY).problems
    return found.groupby("rule")["row"].apply(lambda rows: rows.dropna().astype(int).tolist()).to_dict()


def khs(*rows: str, header: str = "NIM;Semester;Kode MK;Nama MK;SKS;Nilai Huruf") -> str:
    return "\n".join([header, *(f"0117200001;{row}" for row in rows)])


def test_a_khs_is_recognised_and_kept_with_letters_points_and_days(store):
    assert guess_table("khs.csv", KHS.encode()) == "grades"
    result, plan = load(store, students=STUDENTS, terms=TERMS, grades=KHS)
    assert result.counts["course_attempts"] == {"new": 6, "changed": 0, "same": 0}
    assert plan.counts["course_attempts"] == result.counts["course_attempts"]
    assert plan.problems[plan.problems["rule"] == "REC113"].empty
    rows = attempts(store)
    first = rows.iloc[0]
    assert (first["course_code"], first["grade"], first["grade_points"], first["result"]) == (
        *("IF101", "E", 0.0, "graded"),
    )
    assert rows["grade"].tolist() == ["E", "B", "A-", "T", "AB", "C"]
    assert rows["result"].tolist() == ["graded"] * 3 + ["open", "graded", "graded"]
    # Odd term over on 31 January, even on 31 July, and a month later the grades are in.
    assert set(rows["known_at"].dt.date) == {date(2025, 3, 3), date(2025, 8, 31)}


def test_the_same_file_twice_changes_nothing_and_an_undo_takes_it_back(store):
    load(store, students=STUDENTS, terms=TERMS)
    load(store, grades=KHS)
    again, plan = load(store, grades=KHS)
    assert again.counts["course_attempts"] == plan.counts["course_attempts"]
    assert again.counts["course_attempts"] == {"new": 0, "changed": 0, "same": 6}
    load(store, grades=KHS.replace("E;0", "D;1"))
    assert attempts(store)["grade"].tolist()[0] == "D"
    assert attempts(store)["known_at"].dt.date.tolist()[0] == today(store)
    undo_import(store, last_import(store), actor="biro", role="registry")
    assert attempts(store)["grade"].tolist()[0] == "E"


def test_credits_averages_and_failures_of_a_term_come_from_its_grades_where_the_row_lacks_them(store):
    load(store, students=STUDENTS, terms=TERMS, grades=KHS)
    rows = queries.records_until(store).terms.sort_values(["student_key", "term_id"])
    both = rows[rows.groupby("student_key")["term_id"].transform("size") == 2]
    # E (4), A- 3.75 (3): 11.25 / 7. Then B (4) and one still open (3): 12 / 4; so far 12 + 11.25 over 7.
    assert both["gpa_term"].tolist() == [1.61, 3.0]
    assert both["gpa_cum"].tolist() == [1.61, pytest.approx(3.32)]
    assert both["credits_attempted"].tolist() == [7, 7]
    assert both["credits_passed"].tolist() == [3, 4]
    assert both["credits_cum"].tolist() == [3, 7]
    assert both["courses_failed"].tolist() == [1, 0]
    assert both["courses_repeated"].tolist() == [0, 1]


def test_a_grade_known_after_the_cut_off_changes_nothing_before_it(store):
    load(store, students=STUDENTS, terms=TERMS, grades=KHS)
    before = queries.records_until(store, 1)
    load(store, grades=KHS.replace("E;0", "A;4"), today=date(2026, 3, 20))
    after = queries.records_until(store, 1)
    pd.testing.assert_frame_equal(before.terms, after.terms)
    pd.testing.assert_frame_equal(before.attempts, after.attempts)
    assert queries.records_until(store).attempts["grade"].tolist().count("E") == 0


def test_a_stated_figure_stays_and_a_difference_beyond_rounding_is_named(store):
    stated = TERMS.replace("Status\n", "Status;IPS;SKS\n").replace("Aktif\n", "Aktif;1,61;7\n")
    stated = stated.replace("20242;Aktif;1,61;7", "20242;Aktif;2,50;7")
    told = {"students": STUDENTS, "terms": stated, "grades": KHS}
    found = plan_import(sources(**told), today=TODAY).problems
    named = found[found["rule"] == "REC145"]
    assert named["row"].tolist() == [4]  # the second student's 1.61; the term with an open mark is not judged
    assert "gpa_term 1.61, by its grades 2.857" in named["message"].iloc[0]
    load(store, **told)
    assert sorted(queries.records_until(store).terms["gpa_term"]) == [1.61, 1.61, 2.5]


def test_a_difference_is_named_whichever_file_comes_first(store):
    stated = TERMS.replace("Status\n", "Status;IPS\n").replace("Aktif\n", "Aktif;4,00\n")
    load(store, students=STUDENTS, terms=stated)
    later = plan_import(sources(grades=KHS), store=store, today=TODAY).problems
    assert later[later["rule"] == "REC145"]["row"].tolist() == [3, 7]
    load(store, grades=KHS)
    terms = plan_import(sources(terms=stated), store=store, today=TODAY).problems
    assert terms[terms["rule"] == "REC145"]["row"].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("mark", "points", "result"),
    [
        *(("A", 4.0, "graded"), ("AB", 3.5, "graded"), ("A-", 3.7, "graded"), ("B +", 3.3, "graded")),
        *(("E", 0.0, "graded"), ("b−", 2.7, "graded"), ("3,25", 3.25, "graded")),
        *(("T", None, "open"), ("K", None, "open"), ("", None, "open"), ("-", None, "open")),
        *(("Lulus", None, "passed"), ("Tidak Lulus", None, "failed"), ("Fail", None, "failed")),
        *(("Konversi", None, "transferred"), ("W", None, "withdrawn"), ("Incomplete", None, "open")),
    ],
)
def test_marks_of_every_scale(store, mark, points, result):
    load(store, students=STUDENTS, terms=TERMS, grades=khs(f"20241;X1;Satu;3;{mark}"))
    row = attempts(store).iloc[0]
    assert row["result"] == result
    assert pd.isna(row["grade_points"]) if points is None else row["grade_points"] == points


def test_an_unknown_mark_is_refused_by_name_until_somebody_says_what_it_means(store):
    text = khs("20241;X1;Satu;3;Q7", "20241;X2;Dua;3;A")
    found = plan_import(sources(students=STUDENTS, grades=text), today=TODAY).errors
    assert found[["file", "row", "column", "rule", "value"]].values.tolist() == [
        ["grades.csv", 2, "Nilai Huruf", "REC025", "Q7"]
    ]
    files = sources(students=STUDENTS, terms=TERMS, grades=text)
    mapping = chosen_mapping(None, files, None, [read_choice("grade[Q7]=2.75")])
    load(store, mapping, students=STUDENTS, terms=TERMS, grades=text)
    assert attempts(store)["grade_points"].tolist() == [2.75, 4.0]
    assert attempts(store)["grade"].tolist() == ["Q7", "A"]


@pytest.mark.parametrize(
    "codes",
    ["nilai_huruf;nilai_indeks\nA-;3,75\nB+;3,5\nZ;lulus\n", "Nilai;Bobot\nA-;3.75\nB+;3.5\nZ;passed\n"],
)
def test_an_institutions_own_scale_is_read_as_a_list_of_codes(store, codes):
    text = khs("20241;X1;Satu;3;A-", "20241;X2;Dua;3;B+", "20241;X3;Tiga;3;Z")
    files = sources(students=STUDENTS, terms=TERMS, grades=text)
    mapping = chosen_mapping(None, files, None, [], [Source("students", "skala.csv", codes.encode())])
    plan = plan_import(files, mapping, store=store, today=TODAY)
    assert plan.accepted and "REC140" not in set(plan.problems["rule"])
    apply_import(store, plan, actor="biro")
    assert attempts(store)["grade_points"].tolist()[:2] == [3.75, 3.5]
    assert attempts(store)["result"].tolist() == ["graded", "graded", "passed"]


def test_letters_whose_points_differ_between_institutions_are_named_as_assumed():
    found = plan_import(
        sources(students=STUDENTS, grades=khs("20241;X1;S;3;A-", "20241;X2;D;3;B")), today=TODAY
    ).problems
    said = found[found["rule"] == "REC140"]["message"].tolist()
    assert len(said) == 1 and "A- 3.7" in said[0] and "B 3" not in said[0]


def test_a_files_own_points_hold_for_its_letters_and_a_contradiction_is_named(store):
    header = "NIM;Semester;Kode MK;SKS;Nilai Huruf;Bobot"
    rows = ["20241;X1;3;A-;3.8", "20241;X2;3;A-;3.8", "20241;X3;3;A-;3.0", "20241;X4;3;A-;"]
    _, plan = load(store, students=STUDENTS, terms=TERMS, grades=khs(*rows, header=header))
    assert plan.problems[plan.problems["rule"] == "REC141"]["row"].tolist() == [4]
    assert attempts(store)["grade_points"].tolist() == [3.8, 3.8, 3.0, 3.8]


def test_marks_of_100_stand_beside_letters_and_are_refused_alone(store):
    header = "NIM;Semester;Kode MK;SKS;Nilai Angka"
    assert rules_of(students=STUDENTS, grades=khs("20241;X1;3;85", header=header))["REC026"] == [2]
    both = khs("20241;X1;3;85;AB", header=f"{header};Nilai Huruf")
    load(store, students=STUDENTS, terms=TERMS, grades=both)
    assert attempts(store)["grade_points"].tolist() == [3.5]
    told = khs("20241;X1;3;3,5", "20241;X2;3;2", header=header)  # no mark above 4: grade points
    found = rules_of(students=STUDENTS, grades=told)
    assert "REC140" in found and "REC026" not in found


def test_a_mark_that_was_changed_keeps_both_versions_by_their_days(store):
    header = "NIM;Semester;Kode MK;SKS;Nilai Huruf;Tanggal Nilai"
    text = khs("20241;X1;3;E;01/02/2025", "20241;X1;3;B;20/09/2025", header=header)
    result, plan = load(store, students=STUDENTS, terms=TERMS, grades=text)
    assert plan.problems[plan.problems["rule"] == "REC142"]["row"].tolist() == [2, 3]
    assert result.counts["course_attempts"] == plan.counts["course_attempts"]
    assert attempts(store)["grade"].tolist() == ["B"]
    assert queries.records_until(store, 1).attempts["grade"].tolist() == ["E"]
    assert queries.records_until(store, 2).attempts["grade"].tolist() == ["E"]  # by 31 August
    again, _ = load(store, grades=text)
    assert (again.counts["course_attempts"]["new"], again.counts["course_attempts"]["changed"]) == (0, 0)
    with store.reading() as connection:
        assert len(fetch(connection, select(schema.row_history))) == 1


def test_an_import_with_versions_is_undone_whole(store):
    load(store, students=STUDENTS, terms=TERMS)
    header = "NIM;Semester;Kode MK;SKS;Nilai Huruf;Tanggal Nilai"
    load(store, grades=khs("20241;X1;3;C;01/01/2025", header=header))
    load(store, grades=khs("20241;X1;3;E;01/02/2025", "20241;X1;3;B;20/09/2025", header=header))
    undo_import(store, last_import(store), actor="biro", role="registry")
    assert attempts(store)["grade"].tolist() == ["C"]


def test_the_same_course_twice_in_a_term_is_two_classes_or_refused(store):
    twice = ["20241;X1;Satu;3;E", "20241;X1;Satu;3;B"]
    assert rules_of(students=STUDENTS, grades=khs(*twice))["REC006"] == [2, 3]
    same = rules_of(students=STUDENTS, grades=khs(twice[0], twice[0]))
    assert same["REC101"] == [3] and "REC006" not in same
    header = "NIM;Semester;Kode MK;SKS;Nilai Huruf;Kelas"
    classes = khs("20241;X1;3;E;A", "20241;X1;3;B;Remedial", header=header)
    _, plan = load(store, students=STUDENTS, terms=TERMS, grades=classes)
    assert plan.problems[plan.problems["rule"] == "REC143"]["row"].tolist() == [3]
    assert attempts(store)[["attempt", "grade"]].values.tolist() == [[1, "E"], [2, "B"]]


def test_totals_unknown_students_early_terms_and_two_names_are_named():
    rows = khs(
        *("20231;X1;Satu;3;A", "20241;X2;Dua;3;A", "20241;X3;Tiga;3;A", "20242;X3;Tiga Lain;3;B"),
        *("20241;JUMLAH SKS;;9;", "20201;X9;Luar;3;Konversi"),
    )
    found = rules_of(students=STUDENTS, grades=rows.replace("0117200001;20241;X2", "0999;20241;X2"))
    assert found["REC013"] == [2]  # a transfer may be older than the entry
    assert found["REC011"] == [3]
    assert found["REC021"] == [6]
    assert found["REC144"] == [5]


def test_mbkm_without_a_mark_is_credit_taken_over_and_with_one_a_grade(store):
    header = "NIM;Semester;Kode MK;SKS;Nilai Huruf;Jenis Nilai"
    rows = khs("20242;M1;20;;MBKM", "20242;M2;3;A;MBKM", "20242;X1;3;B;Reguler", header=header)
    load(store, students=STUDENTS, terms=TERMS, grades=rows)
    assert attempts(store)["result"].tolist() == ["transferred", "graded", "graded"]
    row = queries.records_until(store).terms.dropna(subset=["credits_passed"]).iloc[0]
    assert (row["credits_passed"], row["credits_attempted"], row["gpa_term"]) == (26, 6, 3.5)


def test_own_semester_numbers_are_placed_as_in_files_of_terms(store):
    rows = khs("1;X1;Satu;3;A", "2;X2;Dua;3;B", "2;X3;Tiga;3;C")
    _, plan = load(store, students=STUDENTS, terms=TERMS, grades=rows)
    assert "REC132" in set(plan.problems["rule"])
    assert attempts(store)["term_id"].tolist() == [20241, 20242, 20242]


def test_without_codes_the_name_serves_and_a_long_one_is_shortened(store):
    header = "NIM;Semester;Mata Kuliah;SKS;Nilai"
    long = "Pengantar Ilmu Administrasi Perkantoran Modern dan Digital"
    load(store, students=STUDENTS, terms=TERMS, grades=khs(f"20241;{long};3;A", header=header))
    row = attempts(store).iloc[0]
    assert row["course_name"] == long and len(row["course_code"]) == 32


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Student ID,Term,Course code,Course title,Credits,Grade", "0117200001,20241,CS1,Calculus,4,B+"),
        (
            "nim,id_periode,kode_mata_kuliah,nama_mata_kuliah,sks_mata_kuliah,nilai_huruf,nilai_indeks,nilai_angka",
            "0117200001,20241,CS1,Calculus,4.00,B+,3.30,78.5",
        ),
    ],
)
def test_plain_english_and_feeder_headers(store, header, row):
    text = f"{header}\n{row}\n"
    assert guess_table("g.csv", text.encode()) == "grades"
    load(store, students=STUDENTS, terms=TERMS, grades=text)
    got = attempts(store).iloc[0]
    assert (got["course_code"], got["credits"], got["grade"], got["grade_points"]) == ("CS1", 4, "B+", 3.3)
