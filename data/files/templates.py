"""An empty file of each table with a few invented rows, for an office that begins with none of its own.

Headers and words are those of the shipped mappings, so a filled-in template is read without a question.
"""

from __future__ import annotations

import pandas as pd

from data.columns import OF_CONSENT, Column
from data.files.mapping import TABLES, TableMapping, load_mapping
from data.files.returned import returned_workbook

HEADERS = {"id": "siakad", "en": "english"}  # language → the mapping whose first headers are taken
# Columns that say once more, or in another way, what a column of the template says.
_SAID_ELSEWHERE = {
    "students": tuple(one.name for one in TABLES["students"] if one.name.startswith(OF_CONSENT)),
    "terms": ("term_index",),
    "grades": ("term_index", "score", "known_at"),
    "outcomes": ("terms_to_exit",),
    "consents": (
        *("granted_on", "withdrawn_on", "verification", "outcome_model", "research"),
        *("verification_on", "outcome_model_on", "research_on"),
    ),
}
_NUMBERS = ("CONTOH-001", "CONTOH-002", "CONTOH-003")
_ROWS: dict[
    str, dict[str, tuple[str, ...]]
] = {  # table → column → three cells; values as the store writes them
    "students": {
        "name": ("Contoh Satu", "Contoh Dua", "Contoh Tiga"),
        "program_code": ("55201", "55201", "61401"),
        "program_name": ("Informatika", "Informatika", "Akuntansi"),
        "degree_level": ("S1", "S1", "D3"),
        "normal_terms": ("8", "8", "6"),
        "required_credits": ("144", "144", "108"),
        "cohort_term": ("20211", "20221", "20211"),
        "entry_type": ("new", "transfer", "new"),
        "admission_path": ("SNBP", "Mandiri", "SNBT"),
        "recognized_credits": ("", "24", ""),
        "funding_at_entry": ("Mandiri", "Mandiri", "KIP Kuliah"),
        "tuition_band": ("3", "5", "1"),
        "sex": ("L", "P", "P"),
        "birth_year": ("2003", "2001", "2003"),
        "region": ("Sumatera Barat", "Riau", "Jambi"),
        "parental_education": ("SMA", "S1", "SMP"),
        "parental_income": ("", "", ""),
        "special_needs": ("", "", ""),
        "advisor": ("Dosen Contoh", "Dosen Contoh", "Dosen Lain"),
    },
    "terms": {
        "term_id": ("20221", "20221", "20221"),
        "status": ("A", "A", "C"),
        "gpa_term": ("3.25", "2.80", ""),
        "gpa_cum": ("3.30", "2.80", "2.95"),
        "credits_attempted": ("21", "20", "0"),
        "credits_passed": ("21", "17", "0"),
        "credits_cum": ("61", "41", "38"),
        "courses_failed": ("0", "1", "0"),
        "courses_repeated": ("0", "0", "0"),
        "attendance_rate": ("96", "88", ""),
        "tuition_arrears_days": ("0", "14", "0"),
        "known_at": ("2023-02-10", "2023-02-10", "2023-02-10"),
    },
    "grades": {
        "course_code": ("IF101", "IF102", "AK101"),
        "course_name": ("Algoritma", "Matematika Diskrit", "Pengantar Akuntansi"),
        "term_id": ("20221", "20221", "20211"),
        "credits": ("3", "4", "3"),
        "grade": ("A", "B", "C"),
        "grade_points": ("4.00", "3.00", "2.00"),
        "origin": ("", "", ""),
        "compulsory": ("required", "required", "required"),
        "class_name": ("A", "A", "B"),
    },
    "outcomes": {
        "exit_type": ("graduated", "resigned", "graduated"),
        "exit_term": ("20242", "20232", "20232"),
        "exit_date": ("2025-08-20", "2024-07-01", "2024-08-15"),
        "gpa_final": ("3.41", "", "3.05"),
        "observed_until": ("", "", ""),
    },
    "consents": {
        "purpose": ("outcome_model", "verification", "research"),
        "decision": ("granted", "granted", "refused"),
        "decided_on": ("2021-09-01", "2022-09-01", "2021-09-02"),
        "source": ("Formulir 1", "Formulir 2", "Formulir 3"),
        "text_version": ("1", "1", "1"),
    },
}


def template(table: str, language: str) -> pd.DataFrame:
    """The columns of a table under the headers of a language, with three invented rows.

    Parameters
    ----------
    table : str
        One of :data:`data.files.mapping.TABLES`.
    language : str
        One of :data:`HEADERS`.

    Returns
    -------
    pandas.DataFrame of str
    """
    mapping = load_mapping(HEADERS[language])
    part, columns = mapping.table(table), {}
    for column in TABLES[table]:
        if column.name in _SAID_ELSEWHERE[table]:
            continue
        cells = _NUMBERS if column.name == "student_number" else _ROWS[table][column.name]
        words = {value: word for word, value in reversed(mapping.words(table, column).items())}
        columns[_header(part, column)] = [_written(cell, column, words) for cell in cells]
    return pd.DataFrame(columns, dtype="str")


def template_workbook(table: str, language: str) -> bytes:
    """:func:`template` as XLSX with every cell as text: a student number keeps its zeros."""
    return returned_workbook({table: template(table, language)})


def _header(part: TableMapping, column: Column) -> str:
    return part.columns.get(column.name, (column.name,))[0]


def _written(cell: str, column: Column, words: dict[str, str]) -> str:
    """A value in the word of the language; codes, which have no lower case, stay as they are."""
    return words.get(cell, cell) if column.allowed and cell != cell.upper() else cell
