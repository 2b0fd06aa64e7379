"""Record checks: each rule fires on the row that breaks it, on no other, and all fire at once."""

from datetime import date

import pandas as pd
import pytest

from data.files.register_files import Source, read_source
from data.records.checks import CHECKS, PROBLEM_COLUMNS
from data.records.known import Known
from data.records.row_checks import check_tables

TODAY = date(2026, 3, 1)
STUDENTS = "NIM;Kode Prodi;Jenjang;Angkatan;Status Awal\n"
TERMS = "NIM;Tahun Akademik;Status;IPS;IPK;SKS;SKS Lulus;SKS Kumulatif;Tanggal Data\n"
OUTCOMES = "NIM;Jenis Keluar;Semester Keluar;Tanggal Keluar;Jumlah Semester\n"
GOOD_STUDENT = "001;55;S1;2023;Baru\n"
GOOD_TERM = "001;20231;Aktif;3,2;3,2;20;20;20;\n"


def found(known=None, **texts) -> pd.DataFrame:
    headers = {"students": STUDENTS, "terms": TERMS, "outcomes": OUTCOMES}
    tables = {
        table: read_source(Source(table, f"{table}.csv", (headers[table] + text).encode()))
        for table, text in texts.items()
    }
    return check_tables(tables, known or Known(), TODAY)


def rules(frame: pd.DataFrame) -> list[tuple[str, int | None, str]]:
    return [
        (file.removesuffix(".csv"), None if pd.isna(row) else int(row), rule)
        for file, row, rule in frame[["file", "row", "rule"]].itertuples(index=False)
    ]


@pytest.mark.parametrize(
    ("kind", "count", "other", "said"),
    [
        ("Lulus", 59, "", "not one drop-out"),
        ("Lulus", 58, "", None),  # too few exits to tell
        ("Lulus", 59, "Mengundurkan diri", None),  # one of sixty dropped out
        ("Mengundurkan diri", 59, "", "not one graduate"),
    ],
)
def test_a_file_of_survivors_is_a_finding_about_the_whole_file(kind, count, other, said):
    numbers = [f"{n:03d}" for n in range(1, count + 1 + bool(other))]
    kinds = [kind] * count + ([other] if other else [])
    students = "".join(f"{number};55;S1;2019;Baru\n" for number in numbers)
    ends = "".join(f"{n};{k};20222;15/07/2023;8\n" for n, k in zip(numbers, kinds, strict=True))
    problems = found(students=students, outcomes=ends)
    whole = problems[problems["rule"] == "REC118"]
    assert len(whole) == (said is not None)
    if said:
        row = whole.iloc[0]
        assert said in row["message"] and row["severity"] == "warning" and pd.isna(row["row"])
        assert row["column"] == "Jenis Keluar" and row["file"] == "outcomes.csv"


def test_a_clean_register_has_no_problem():
    clean = found(
        students=GOOD_STUDENT, terms=GOOD_TERM, outcomes="001;Mengundurkan diri;20241;15/01/2025;3\n"
    )
    assert clean.empty
    assert tuple(clean.columns) == PROBLEM_COLUMNS


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (";55;S1;2023;Baru", "REC002"),
        ("002;55;S1;dua ribu;Baru", "REC003"),
        ("002;55;S9;2023;Baru", "REC005"),
        ("002;55;S1;2023", "REC007"),
        ("2,1E+09;55;S1;2023;Baru", "REC008"),
        ("002;99;;2023;Baru", "REC009"),
        ("002;55;D3;2023;Baru", "REC010"),
        ("002;55;S1;2029;Baru", "REC014"),
        ("002;55;S1;2023;", "REC110"),
    ],
)
def test_a_student_row_breaks_its_rule(row, rule):
    others = GOOD_STUDENT + "003;55;S1;2023;Baru\n"
    assert ("students", 4, rule) in rules(found(students=others + row + "\n"))
    assert {line for _, line, _ in rules(found(students=others + row + "\n"))} == {4}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("001;20232;Aktif;4,5;3,1;20;20;40;", ["REC004"]),
        ("001;20232;Alumni;3;3,1;20;20;40;", ["REC005"]),
        ("009;20232;Aktif;3;3,1;20;20;40;", ["REC011"]),
        ("001;20222;Aktif;3;3,1;20;20;10;", ["REC013"]),
        ("001;20261;Aktif;3;3,1;20;20;40;", ["REC014"]),
        ("001;20232;Aktif;3;3,1;20;20;40;31/08/2026", ["REC014"]),
        ("001;20232;Aktif;3;3,1;20;21;40;", ["REC017"]),
        ("001;20232;Aktif;3;3,1;0;0;40;", ["REC018"]),
        ("001;20232;Cuti;0;3,1;0;0;40;", ["REC102"]),
        ("001;20232;Aktif;3;3,1;20;20;15;", ["REC103"]),
        ("001;20232;Cuti;;3,1;20;0;40;", ["REC107"]),
        ("001;20232;Aktip;x;9;41;20;40;", ["REC003", "REC004", "REC004", "REC005"]),
    ],
)
def test_a_term_row_breaks_its_rules_all_at_once(row, expected):
    problems = found(students=GOOD_STUDENT, terms=GOOD_TERM + row + "\n")
    assert sorted(rule for _, line, rule in rules(problems) if line == 3) == expected
    assert {line for _, line, _ in rules(problems)} == {3} or row.startswith("001;20222")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("001;Lulus;20222;;", ["REC015"]),
        ("001;Lulus;;31/07/2023;", ["REC015"]),
        ("001;Lulus;;;", ["REC016"]),
        ("001;Lulus;20241;15/01/2025;5", ["REC105"]),
        ("001;Lulus;20241;15/08/2025;3", ["REC106"]),
        ("001;Aktif;;15/01/2025;", ["REC117"]),
        ("001;Lulus;20241;32/01/2025;3", ["REC003"]),
        ("001;Minggat;20241;15/01/2025;3", ["REC005"]),
        ("005;Lulus;20241;15/01/2025;3", ["REC011"]),
    ],
)
def test_an_outcome_row_breaks_its_rules(row, expected):
    problems = found(students=GOOD_STUDENT, terms=GOOD_TERM, outcomes=row + "\n")
    assert sorted(rule for table, row, rule in rules(problems) if table == "outcomes") == expected


def test_a_problem_says_file_row_column_rule_and_value_as_the_office_sees_them():
    problem = found(students=GOOD_STUDENT, terms=GOOD_TERM.replace("3,2;3,2", "4,75;3,2")).iloc[0]
    assert problem[["file", "row", "column", "rule", "value", "severity"]].tolist() == [
        "terms.csv", 2, "IPS", "REC004", "4,75", "error",
    ]  # fmt: skip
    assert problem["message"] == "must be between 0 and 4 grade points"


def test_a_missing_column_is_one_problem_of_the_whole_file():
    source = Source("terms", "terms.csv", b"NIM;Status\n001;Aktif\n")
    students = read_source(Source("students", "students.csv", (STUDENTS + GOOD_STUDENT).encode()))
    problems = check_tables({"students": students, "terms": read_source(source)}, Known(), TODAY)
    assert ("terms", None, "REC001") in rules(problems)
    assert "no column for term_id" in problems.loc[problems["rule"] == "REC001", "message"].item()


def test_equal_repetitions_are_a_warning_and_contradictions_an_error_on_every_row():
    twice = found(students=GOOD_STUDENT, terms=GOOD_TERM + GOOD_TERM)
    assert rules(twice) == [("terms", 3, "REC101")]
    other = GOOD_TERM.replace("3,2;3,2", "3,1;3,2")
    contradiction = found(students=GOOD_STUDENT, terms=GOOD_TERM + other)
    assert rules(contradiction) == [("terms", 2, "REC006"), ("terms", 3, "REC006")]


def test_rows_of_a_refused_student_come_back_under_their_own_rule():
    problems = found(students="001;55;S9;2023;Baru\n002;55;S1;2023;Baru\n", terms=GOOD_TERM)
    assert ("terms", 2, "REC012") in rules(problems)
    assert "REC011" not in set(problems["rule"])


def test_a_student_whom_the_store_knows_needs_no_students_file():
    known = Known(
        students=pd.DataFrame({"student_number": ["001"], "program_code": ["55"], "cohort_term": [20231]})
    )
    assert found(known=known, terms=GOOD_TERM).empty


def test_lost_leading_zeros_are_guessed_in_the_message():
    problems = found(students=GOOD_STUDENT, terms=GOOD_TERM.replace("001;", "1;"))
    message = problems.loc[problems["rule"] == "REC011", "message"].item()
    assert "there is 001, did a spreadsheet drop leading zeros?" in message


def test_two_numbers_that_differ_in_zeros_are_a_warning():
    assert ("students", 3, "REC115") in rules(found(students=GOOD_STUDENT + "01;55;S1;2023;Baru\n"))


def test_a_known_programme_needs_no_degree_level_and_must_not_change_it():
    known = Known(programs=pd.DataFrame({"program_code": ["55"], "degree_level": ["S1"]}))
    assert found(known=known, students="001;55;;2023;Baru\n").empty
    assert rules(found(known=known, students="001;55;D3;2023;Baru\n")) == [("students", 2, "REC010")]


def test_changes_against_the_store_are_pointed_out():
    known = Known(
        students=pd.DataFrame({"student_number": ["001"], "program_code": ["44"], "cohort_term": [20221]})
    )
    problems = found(known=known, students=GOOD_STUDENT)
    assert rules(problems) == [("students", 2, "REC112")] * 2


def test_a_term_after_the_exit_and_a_student_without_terms_are_pointed_out():
    later = GOOD_TERM + "001;20251;Aktif;3;3,1;20;20;40;\n"
    problems = found(
        students=GOOD_STUDENT + "002;55;S1;2023;Baru\n",
        terms=later,
        outcomes="001;Lulus;20242;15/07/2025;4\n",
    )
    assert rules(problems) == [("students", 3, "REC111"), ("terms", 3, "REC108")]


def test_a_failed_first_term_may_have_an_average_of_zero_and_leave_may_not():
    failed = "001;20231;Aktif;0;0;20;0;0;\n001;20232;Cuti;0;0;0;0;0;\n"
    problems = found(students=GOOD_STUDENT, terms=failed)
    assert rules(problems) == [("terms", 3, "REC102")]
    assert problems["column"].tolist() == ["IPS"]
    leave = found(students=GOOD_STUDENT, terms="001;20231;Cuti;0;0;0;0;0;\n")
    assert leave["column"].tolist() == ["IPS", "IPK"]


def test_every_bad_row_is_reported_however_many_there_are():
    rows = "".join(f"{number:04d};55;S1;x;Baru\n" for number in range(1, 2001))
    problems = found(students=rows)
    assert len(problems) == 2000
    assert problems["row"].tolist() == list(range(2, 2002))


def test_errors_and_warnings_are_told_apart_by_their_code():
    for code, check in CHECKS.items():
        assert check.severity == ("warning" if code[3] == "1" else "error")


def test_a_text_that_the_store_cannot_hold_is_refused():
    long = "S" * 33
    problems = found(students=f"001;{long};S1;2023;Baru\n{'1' * 65};55;S1;2023;Baru\n")
    assert rules(problems) == [("students", 2, "REC020"), ("students", 3, "REC020")]
    assert problems["message"].tolist() == [f"at most {limit} characters are stored" for limit in (32, 64)]
