"""What is wrong is said with the page's labels in both languages, never with a word of the command line."""

from __future__ import annotations

import ast
import io
import json
import re
import string
from pathlib import Path

import pandas as pd
import pytest

from dashboard.importing import plan as importing
from dashboard.importing.check_result import from_json, result_of
from dashboard.importing.labels import NAMES
from dashboard.importing.plan import UploadedFile
from dashboard.importing.sentences import said
from dashboard.shell.wording import Words, _texts
from data.files.mapping import ZERO_MEANINGS
from data.files.reading import OPTIONS
from data.files.register_files import NAMED_CODES
from data.files.told import Told

ROOT = Path(__file__).resolve().parents[3]
VARIABLE = {  # where a code is put together: what it may be
    "data/records/checks.py": {
        "code": ["gone_left_out", "gone_studied"],
        "code_of_years": [
            f"expected_{one}_of_years" for one in ("date", "date_dmy", "date_mdy", "entry", "birth")
        ],
        "code_only": ["expected_integer_only", "expected_number_only"],
    }
}
STUDENTS = "NIM;Kode Prodi;Jenjang;Angkatan;Jenis Daftar;Keterangan Lain\n"
COMMAND = re.compile(r"--\w|\w+\.\w+=|\b[a-z]+_[a-z_]+\b")  # an option, a choice, a name of the layout


def told_sentences() -> list[tuple[str, set[str], str]]:
    """Code, names of values and place of every sentence that is made in ``data``."""
    found = []
    for path in sorted((ROOT / "data").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Told":
                code = node.args[0]
                named = {one.arg for one in node.keywords if one.arg}
                more = any(one.arg is None for one in node.keywords)
                place = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                if isinstance(code, ast.Constant):
                    found.append((code.value, {"…"} if more else named, place))
    return found


SENTENCES = told_sentences()


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_sentence_of_a_check_has_words_and_gives_what_they_ask_for(language):
    texts = _texts(language)
    prefix = {"text", "integer", "number", "date_dmy", "date_mdy", "date", "term", "entry", "birth"}
    lacking, unfilled = [], []
    for code, named, place in SENTENCES:
        key = f"check_said.{'expected_' if code in prefix | {'two_orders'} else ''}{code}"
        if key not in texts:
            lacking.append((key, place))
            continue
        asked = {field.split(":")[0] for _, field, _, _ in string.Formatter().parse(texts[key]) if field}
        if "…" not in named and asked - named - {"values"}:
            unfilled.append((key, asked - named))
    assert len(SENTENCES) > 60 and not lacking and not unfilled


@pytest.mark.parametrize("language", ["en", "id"])
def test_sentences_that_are_put_together_have_words_too(language):
    words = Words(language)
    codes = [
        *VARIABLE["data/records/checks.py"]["code"],
        *VARIABLE["data/records/checks.py"]["code_of_years"],
    ]
    codes += VARIABLE["data/records/checks.py"]["code_only"]
    codes += [f"no_{what}_code" for _, _, what in NAMED_CODES if what != "programme"] + ["no_programme_code"]
    codes += [f"sheet_{why}" for why in ("hidden", "empty", "other", "unasked")]
    codes += ["all_fall_unusable", "all_fall_refused"]
    assert [code for code in codes if not words.has(f"check_said.{code}")] == []
    assert [one for one in ZERO_MEANINGS if not words.has(f"data.zero_{one}")] == []
    assert [one for one in OPTIONS["empty_terms"] if not words.has(f"reading.empty_terms_told_{one}")] == []


@pytest.mark.parametrize("language", ["en", "id"])
def test_no_sentence_of_the_page_names_an_option_or_a_column_of_the_layout(language):
    texts = {key: text for key, text in _texts(language).items() if key.startswith("check_said.")}
    bare = {key: re.sub(r"\{[^}]*\}", "", text) for key, text in texts.items()}
    assert {key: text for key, text in bare.items() if COMMAND.search(text)} == {}


def bad_plan(store) -> importing.PagePlan:
    students = (
        STUDENTS
        + "01;55201;S1;2021;Baru;x\n02;55201;S1;2031;Baru;x\n03;99999;;2021;Entah;x\n"
        + "01;7;S1;2020;Baru;x\n04;;S1;2020;Baru;x\n"
    )
    terms = "NIM;IPS 1;IPS 2;IPS 3;SKS 1;SKS 2;SKS 3\n01;3,5;;3,0;20;;19\n02;45;2,0;;18;60;\n09;3,0;;;20;;\n"
    outcomes = "NIM;Jenis Keluar;Tanggal Keluar\n01;Lulus;31/02/2024\n02;Terbang;05/06/2020\n"
    consents = "NIM;Keperluan;Jawaban;Tanggal\n01;;ya;01/02/2024\n02;verifikasi;;\n"
    files = {
        "students": [UploadedFile("mahasiswa.csv", students.encode())],
        "terms": [UploadedFile("semester.csv", terms.encode())],
        "outcomes": [UploadedFile("lulus.csv", outcomes.encode())],
        "consents": [UploadedFile("persetujuan.csv", consents.encode())],
    }
    return importing.make_plan(store, files, None)


def test_the_page_speaks_of_cells_with_its_own_labels_in_both_languages(store):
    result = from_json(result_of(bad_plan(store)).to_json())
    shown = {
        language: importing.in_words(result.problems, Words(language), result.headers)
        for language in ("en", "id")
    }
    rules = set(result.problems["rule"])
    assert {"REC002", "REC003", "REC004", "REC005", "REC006", "REC014", "REC113", "REC131"} <= rules
    for table in shown.values():
        spoken = [*table["message"], *table["column"], *table["what_to_do"]]
        without_codes = [re.sub(r"\(\w+\)", "", text) for text in spoken]  # what may be written in the cell
        assert [text for text in without_codes if COMMAND.search(text)] == []
        assert [one for one in table["column"] if one in NAMES] == []
    english, indonesian = shown["en"]["message"], shown["id"]["message"]
    same = [one for one, other in zip(english, indonesian, strict=True) if one == other]
    assert same == []
    day = result.problems["value"] == "31/02/2024"
    assert (
        english[day].item()
        == "There is no such day (February has 29 days in 2024). Look it up and correct the cell."
    )
    assert indonesian[day].item() == (
        "Tidak ada hari itu (Februari 2024 hanya 29 hari). Cari tanggal yang benar dan perbaiki selnya."
    )


def test_a_column_without_a_header_is_called_as_the_page_calls_it(store):
    text = "NIM;Kode Prodi;Jenjang;Angkatan\n01;55201;S1;2021\n"
    plan = importing.make_plan(store, {"students": [UploadedFile("m.csv", text.encode())]}, None)
    result = result_of(plan)
    (row,) = result.problems.index[result.problems["rule"] == "REC110"]
    words = Words("id")
    assert result.problems.loc[row, "column"] == "entry_type"
    assert importing.in_words(result.problems, words, result.headers).loc[row, "column"] == "Jenis masuk"
    english = "student_number,program_code,degree_level,cohort_term,entry_type\n01,55201,S1,2021,odd\n"
    plan = importing.make_plan(store, {"students": [UploadedFile("m.csv", english.encode())]}, None)
    result = result_of(plan)
    shown = importing.in_words(result.problems, words, result.headers)
    assert "entry_type" in set(shown["column"])  # as the office's own file has it


def test_the_list_to_download_has_no_sentence_in_another_language(store):
    result = result_of(bad_plan(store))
    data = importing.problem_list(result.problems, Words("id"), result.headers)
    listed = pd.read_csv(io.BytesIO(data), sep=";", dtype="str", keep_default_na=False)
    assert len(listed) == len(result.problems) and "told" not in listed
    if "Rincian" in listed:
        assert set(listed.loc[listed["Rincian"] != "", "Aturan"]) <= {"REC019"}


def test_a_sentence_with_nothing_but_its_rule_is_left_to_the_rule():
    assert said(Words("id"), "") is None
    assert said(Words("id"), json.dumps({"code": "unheard_of"})) is None


@pytest.mark.parametrize(
    ("told", "english", "indonesian"),
    [
        (
            Told("taken_but", "", pairs=[["status", "A"]], n=3, value_status="C"),
            "Not in the file and taken for every row: Status: Active (A); but Leave (C) for the 3 terms "
            "without average and credits, as you chose.",
            "Tidak ada dalam berkas dan dipakai untuk setiap baris: Status: Aktif (A); tetapi Cuti (C) untuk "
            "3 semester tanpa IP dan SKS, sesuai pilihan Anda.",
        ),
        (
            Told("range", "", figure_low=0, figure_high=4.0),
            "Must be between 0 and 4.",
            "Harus antara 0 dan 4.",
        ),
        (
            Told("term_says", "", compared=[["gpa_term", 1.61, 2.857]]),
            "The term tells other figures than its grades. Term GPA: 1.61, by its grades 2.86. What the term "
            "tells stays.",
            "Angka semester berbeda dari nilai mata kuliahnya. IPS: 1,61, menurut nilai mata kuliah 2,86. "
            "Angka semester yang tetap dipakai.",
        ),
        (
            Told("none_of", "", values_exit_type=["graduated", "other"]),
            "Must be one of: Graduated (graduated), Other exit (other). Step 2 can say what another word "
            "means.",
            None,
        ),
    ],
)
def test_values_are_shown_as_the_page_shows_them(told, english, indonesian):
    assert said(Words("en"), told.data) == english
    if indonesian:
        assert said(Words("id"), told.data) == indonesian


def test_the_list_of_students_with_empty_terms_names_terms_in_the_readers_language():
    told = {"01": (2, 3), "02": (20212,)}
    listed = importing.without_figures(told, Words("id"))
    assert listed.to_numpy().tolist() == [["01", "2", "semester 2, semester 3"], ["02", "1", "Genap 2021/22"]]
