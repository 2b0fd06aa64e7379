"""The page's import: guessing, planning without writing, writing once."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dashboard.importing import plan as importing
from dashboard.importing.check_result import from_json, result_of
from dashboard.importing.columns import Said, own_mapping, read_columns
from dashboard.importing.plan import UploadedFile
from dashboard.shell.wording import Words
from data import queries
from data.files.matching import RETURNED_COLUMNS
from data.files.returned import returned_workbook
from data.records.advice import ADVICE
from data.records.checks import CHECKS, problems
from data.records.course_queries import change_grade_rules
from data.records.course_results import GradeRules
from data.signatures.files import iter_signature_files
from data.trust import audit_chain

CASES = Path(__file__).resolve().parents[2] / "cases"
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SIAKAD = ("siakad_students.csv", "siakad_terms.csv", "siakad_outcomes.csv")


def files(*names: str) -> list[UploadedFile]:
    return [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in names]


def planned(store, *names: str, rule=None) -> importing.PagePlan:
    given = files(*names)
    kinds = [importing.guess_kind(file) for file in given]
    return importing.make_plan(store, importing.chosen_files(given, kinds), None, rule)


def test_files_are_recognised_by_their_headers_and_endings():
    kinds = [importing.guess_kind(file) for file in files(*SIAKAD, "signatures.zip")]
    assert kinds == ["students", "terms", "outcomes", "signatures"]
    khs = (
        b"NIM;Nama;Prodi;Angkatan;Semester;Kode MK;Mata Kuliah;SKS;Nilai\n1;A;55201;2024;20241;X1;Satu;3;A\n"
    )
    assert importing.guess_kind(UploadedFile("khs.csv", khs)) == "grades"
    assert importing.guess_kind(UploadedFile("notes.csv", b"a;b\n1;2\n")) == "skip"
    assert importing.guess_kind(UploadedFile("scan.PNG", b"")) == "signatures"


def test_a_mark_that_no_scale_knows_is_asked_about_on_the_page(store):
    khs = b"NIM;Semester;Kode MK;SKS;Nilai Huruf\n1;20241;X1;3;Q7\n1;20241;X2;3;A-\n1;20241;X3;3;T\n"
    file = read_columns(store, UploadedFile("khs.csv", khs), "grades", None)
    assert file.strange(file.given) == {"Nilai Huruf": ("Q7",)}
    said = {"grades": Said(meanings={"Nilai Huruf": {"Q7": "2.75"}})}
    mapping = own_mapping([file], {"grades": file.given}, "own", said)
    chosen = importing.chosen_files([UploadedFile("khs.csv", khs)], ["grades"])
    plan = importing.make_plan(store, chosen, mapping, None)
    assert "REC025" not in set(plan.problems["rule"])


@pytest.mark.parametrize(
    ("headers", "table", "columns"),
    [
        ("NIM,Nama,Kode Prodi,Jenjang,JK", "students", ("cohort_term",)),
        ("Nama,Kode Prodi,Periode Masuk,JK", "students", ("student_number",)),
        ("NIM,IPS,IPK,SKS", "terms", ("term_id", "status")),
        ("NIM,Kode MK,Mata Kuliah,SKS,Nilai Huruf", "grades", ("term_id",)),
        ("Student number,Name,Programme code,Sex", "students", ("cohort_term",)),
    ],
)
def test_a_file_that_lacks_a_column_is_left_out_with_the_column_named(headers, table, columns):
    file = UploadedFile("export.csv", f"{headers}\n{','.join('1' for _ in headers.split(','))}\n".encode())
    assert importing.guess_kind(file) == "skip"
    found = importing.why_skipped(file)
    assert (found.table, set(found.columns)) == (table, set(columns))


def test_a_file_that_comes_near_no_table_is_said_to_lack_nothing():
    assert importing.why_skipped(UploadedFile("notes.csv", b"a;b\n1;2\n")) is None
    assert importing.why_skipped(UploadedFile("broken.xlsx", b"PK\x03\x04")) is None


def test_what_to_do_is_in_sight_beside_the_menu_on_a_small_screen():
    from dashboard.importing.view.wizard import CAUSE_WIDTHS, WIDTHS

    for widths in (CAUSE_WIDTHS, WIDTHS):
        names = list(widths)
        assert sum(widths[name] for name in names[: names.index("what_to_do") + 1]) <= 840


def test_two_files_of_one_table_are_refused():
    with pytest.raises(ValueError, match="each table once, got students twice"):
        importing.chosen_files(files(SIAKAD[0], SIAKAD[0]), ["students", "students"])


def test_files_left_out_are_not_planned():
    assert importing.chosen_files(files(*SIAKAD), ["students", "skip", "skip"]).keys() == {"students"}


def test_a_plan_writes_nothing_and_its_import_writes_once(store):
    plan = planned(store, *SIAKAD, "signatures.zip", rule="entry")
    assert queries.imports(store).empty
    assert plan.counts["students"]["new"] > 0
    assert plan.counts["signatures"]["new"] > 0
    how = {"actor": "petugas", "role": "registry"}
    written = importing.write_plan(store, plan, skip_bad=True, **how)
    assert written["students"]["new"] == plan.counts["students"]["new"]
    assert written["signatures"]["new"] == plan.counts["signatures"]["new"]
    again = importing.write_plan(
        store, planned(store, *SIAKAD, "signatures.zip", rule="entry"), skip_bad=True, **how
    )
    assert {table: (count["new"], count["changed"]) for table, count in again.items()} == dict.fromkeys(
        again, (0, 0)
    )
    assert audit_chain.verify_chain(store).entries == 2


def test_bad_rows_stand_in_the_way_until_they_are_left_out(store):
    importing.write_plan(store, planned(store, SIAKAD[0]), actor="a", role="registry", skip_bad=False)
    plan = planned(store, "bad_terms.csv")
    assert plan.errors > 0
    assert plan.usable
    assert plan.problems["severity"].tolist() == sorted(plan.problems["severity"])
    with pytest.raises(ValueError, match="refused"):
        importing.write_plan(store, plan, actor="a", role="registry", skip_bad=False)
    for words in (Words("en"), Words("id")):
        data = importing.problem_list(result_of(plan).problems, words)
        listed = pd.read_csv(io.BytesIO(data), sep=";", dtype="str", keep_default_na=False)
        assert len(listed) == len(plan.problems)
        advice = [words(f"check_advice.{rule}") for rule in plan.problems["rule"]]
        assert listed[words("column.what_to_do")].tolist() == advice
        assert listed[words("column.rule")].tolist() == plan.problems["rule"].tolist()
    assert words("column.detail") not in listed  # nothing is left that only English says


def test_an_archive_beside_single_images_and_two_archives_are_all_taken(store):
    numbers = ["17612010016_2021-09-02.png", "28_scans.zip"]
    image, packed = ((CASES / name).read_bytes() for name in ("28_17612010016_2021-09-02.png", numbers[1]))
    given = [
        UploadedFile(numbers[0], image),
        UploadedFile("scans.zip", packed),
        UploadedFile("more.ZIP", packed),
        UploadedFile("damaged.zip", b"PK\x03\x04 cut off"),
    ]
    kinds = [importing.guess_kind(file) for file in given]
    assert kinds == ["signatures"] * 4
    plan = importing.make_plan(store, importing.chosen_files(given, kinds), None, None)
    said = {row.file.rsplit("/", 1)[-1]: row.rule for row in plan.problems.itertuples()}
    assert said["damaged.zip"] == "SPC014"
    seen = [file.name for file in iter_signature_files(plan.pixels)]
    assert seen == [
        numbers[0],
        "damaged.zip",
        "more.ZIP/17612010016_2021-09-01.png",
        "scans.zip/17612010016_2021-09-01.png",
    ]


def test_what_the_check_finds_is_told_in_the_readers_language():
    english, indonesian = Words("en"), Words("id")
    assert {code: english(f"check_rule.{code}") for code in CHECKS} == {
        code: check.title for code, check in CHECKS.items()
    }
    found = problems("a.csv", "REC004", [3], "ipk", "4.7", "ipk must be between 0 and 4, got 4.7")
    shown = importing.in_words(found, indonesian).iloc[0]
    assert (shown["severity"], shown["message"]) == ("Harus diperbaiki", indonesian("check_rule.REC004"))
    assert importing.in_words(found, english).iloc[0]["message"] == "ipk must be between 0 and 4, got 4.7"
    listed = importing.problem_list(found, indonesian).decode("utf-8-sig")  # which no language has words for
    assert "Rincian" in listed and "got 4.7" in listed


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_rule_says_what_to_do_in_words_of_its_own(language):
    words, other = Words(language), Words({"en": "id", "id": "en"}[language])
    advice = {code: words(f"check_advice.{code}") for code in CHECKS}
    assert language == "id" or advice == ADVICE
    assert [code for code, said in advice.items() if len(said) < 15 or not said.endswith(".")] == []
    assert [code for code, said in advice.items() if said == other(f"check_advice.{code}")] == []
    assert [code for code, said in advice.items() if said.rstrip(".") == words(f"check_rule.{code}")] == []
    found = problems("a.csv", "REC004", [3], "ipk", "4.7", "ipk must be between 0 and 4, got 4.7")
    assert importing.in_words(found, words).iloc[0]["what_to_do"] == advice["REC004"]


@pytest.mark.parametrize(
    "names", [(*SIAKAD, "signatures.zip"), ("bad_terms.csv",), ("pddikti_students.csv",)]
)
def test_what_a_check_found_is_the_same_after_it_was_kept(store, names):
    found = result_of(planned(store, *names))
    kept = from_json(found.to_json())
    pd.testing.assert_frame_equal(kept.problems, found.problems, check_dtype=False)
    assert (kept.errors, kept.usable, kept.counts) == (found.errors, found.usable, found.counts)
    assert kept.guesses == found.guesses
    assert kept.returned.keys() == found.returned.keys()
    for table, rows in found.returned.items():
        assert kept.returned[table].columns.tolist() == rows.columns.tolist()
        assert kept.returned[table].values.tolist() == rows.values.tolist()
    assert len(kept.tables) == len(found.tables) > 0
    for one, other in zip(kept.tables, found.tables, strict=True):
        assert replace(one, first=()) == replace(other, first=())
        assert [frame.values.tolist() for frame in one.first] == [
            frame.values.tolist() for frame in other.first
        ]


def test_the_refused_rows_come_back_to_be_mended_and_imported(store):
    given = planned(store, *SIAKAD[:1], "bad_terms.csv")
    found = result_of(given)
    refused = {table: len(rows) for table, rows in found.returned.items()}
    assert refused == {table: n for table, n in given.records.refused.items() if n}
    book = pd.read_excel(io.BytesIO(returned_workbook(found.returned)), sheet_name=None, dtype=str)
    assert {table: len(rows) for table, rows in book.items()} == refused
    terms = book["terms"]
    errors = given.problems[(given.problems["severity"] == "error") & given.problems["row"].notna()]
    told = dict(zip(*(terms[name] for name in RETURNED_COLUMNS), strict=True))
    assert set(told) == {str(row) for row in errors["row"]}
    for row, rule in zip(errors["row"], errors["rule"], strict=True):
        assert rule in told[str(row)]
    again = UploadedFile("mended.xlsx", returned_workbook(found.returned))
    assert importing.guess_kind(again) in ("terms", "register")  # with two columns more it is still read


def test_the_rule_for_grades_and_their_first_rows_are_kept_with_a_check(store):
    change_grade_rules(store, {"counts": "last", "pass_points": 2.0}, actor="registrar")
    khs = b"NIM;Semester;Kode MK;SKS;Nilai Huruf\n0117200001;20201;X1;3;A\n"
    chosen = importing.chosen_files([*files(SIAKAD[0]), UploadedFile("khs.csv", khs)], ["students", "grades"])
    found = result_of(importing.make_plan(store, chosen, None))
    for students, one in (found.tables, from_json(found.to_json()).tables):
        assert students.grade_rules is None
        assert (one.table, one.grade_rules) == ("grades", GradeRules("last", 2.0))
        assert one.first[0]["course_code"].tolist() == ["X1"]
