"""What was read of a Feeder → the files of an import, in the headers that Feeder's own exports have.

From here on nothing is special: the files go through :mod:`data.records.ingest` like those of an office.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from data.feeder.codes import Codes, codes_of
from data.feeder.lists import (
    COUNTED,
    COUNTS,
    COURSES,
    CURRICULA,
    EXITS,
    FUNDING,
    GRADES,
    PATHS,
    PEOPLE,
    PROGRAMMES,
    REGISTRATION,
    REGISTRATIONS,
    STUDENTS,
    TAKEN,
    TAKEN_OVER,
    TERMS,
    Cohorts,
    FeederList,
)
from data.feeder.staging import Staging
from data.records.ingest import Source

NAMES = {table: f"feeder-{table}.csv" for table in ("students", "terms", "grades", "outcomes")}
_NUMBER = "nim"
_TRANSFERRED = "transferred"  # the mark of credits from elsewhere: passed, and in no average
_STUDENT_HEADERS = (
    *(_NUMBER, "nama_mahasiswa", "kode_program_studi", "nama_program_studi", "nama_jenjang_pendidikan"),
    *("id_periode_masuk", "id_jenis_daftar", "nama_jalur_daftar", "sks_diakui", "nama_pembiayaan_awal"),
    *("jenis_kelamin", "tanggal_lahir"),
    *("id_wilayah", "nama_pendidikan_ayah", "nama_penghasilan_ayah", "nama_kebutuhan_khusus_mahasiswa"),
)
_TERM_HEADERS = (_NUMBER, "id_semester", "id_status_mahasiswa", "ips", "ipk", "sks_semester", "sks_total")
_GRADE_HEADERS = (
    *(_NUMBER, "kode_mata_kuliah", "nama_mata_kuliah", "id_periode", "sks_mata_kuliah"),
    *("nilai_huruf", "nilai_indeks", "nilai_angka", "apakah_wajib", "nama_kelas_kuliah"),
)
_EXIT_HEADERS = (_NUMBER, "id_jenis_keluar", "id_periode_keluar", "tanggal_keluar", "ipk")
_NEEDED = {  # written even where every cell is empty: the check then says what is missing
    *(_NUMBER, "kode_program_studi", "id_periode_masuk", "id_semester", "id_status_mahasiswa"),
    "id_jenis_keluar",
    *("kode_mata_kuliah", "id_periode", "sks_mata_kuliah", "nilai_huruf"),
}
_ORDER = (_NUMBER, "id_periode", "id_matkul", "id_kelas", REGISTRATION)
Row = dict[str, str]


@dataclass(frozen=True)
class FeederTables:
    """A register as Feeder has it.

    Parameters
    ----------
    students, terms, outcomes, grades : list of dict
        Rows by Feeder's own field names, sorted; ``students`` with ``id_prodi`` beside.
    counts : dict of (str, str) to int
        (``id_prodi``, term) → students with an activity, as Feeder counts them itself; empty when it does
        not.
    programmes : dict of str to str
        ``id_prodi`` → programme code in PDDikti.
    codes : Codes
        What the codes of the rows mean by Feeder's own lists, and where that is a surprise.
    left : tuple of (str, str)
        Act, and how many of its rows were left out and why.
    with_grades : bool
        Whether the grades were read at all.
    """

    students: list[Row]
    terms: list[Row]
    outcomes: list[Row]
    counts: dict[tuple[str, str], int]
    programmes: dict[str, str]
    grades: list[Row] = field(default_factory=list)
    codes: Codes = field(default_factory=lambda: Codes({}))
    left: tuple[tuple[str, str], ...] = ()
    with_grades: bool = False

    def without(self, numbers: Collection[str]) -> FeederTables:
        """The same without some student numbers."""
        kept = {name: [row for row in getattr(self, name) if row[_NUMBER] not in numbers] for name in NAMES}
        return replace(self, **kept)

    def sources(self) -> list[Source]:
        """The files of an import."""
        headers = (_STUDENT_HEADERS, _TERM_HEADERS, _GRADE_HEADERS, _EXIT_HEADERS)
        return [
            Source(table, name, _csv(getattr(self, table), wanted))
            for (table, name), wanted in zip(NAMES.items(), headers, strict=True)
            if getattr(self, table)
        ]


def tables_of(staging: Staging, cohorts: Cohorts | None) -> FeederTables:
    """Put together what the lists say of each student, codes by the words of Feeder's own lists."""
    programmes, codes = _by_key(staging, PROGRAMMES), codes_of(staging)
    students = _students(staging, programmes, cohorts, codes)
    numbers = {row[REGISTRATION]: row[_NUMBER] for row in students}
    left: list[tuple[str, str]] = []
    terms = _of_students(staging, TERMS, numbers, cohorts, left, "id_semester")
    exits = _of_students(staging, EXITS, numbers, cohorts, left)
    return FeederTables(
        sorted(students, key=lambda row: (row[_NUMBER], row[REGISTRATION])),
        [row | _worded(row, codes, "id_status_mahasiswa", "id_semester") for row in terms],
        [row | _worded(row, codes, "id_jenis_keluar") | _exit_kind(row, codes) for row in exits],
        {} if cohorts else _counts(staging, left),
        {key: row["kode_program_studi"] for (key,), row in programmes.items()},
        _grades(staging, numbers, cohorts, codes, left),
        codes,
        tuple(left),
        with_grades=any(staging.rows(one) for one in (GRADES, TAKEN, TAKEN_OVER)),
    )


def _worded(row: Row, codes: Codes, *fields: str) -> Row:
    return {name: codes.said(name, row[name]) for name in fields}


def _exit_kind(row: Row, codes: Codes) -> Row:
    return {
        "id_jenis_keluar": codes.said("id_jenis_keluar", row["id_jenis_keluar"]) or row["nama_jenis_keluar"]
    }


def _grades(staging: Staging, numbers, cohorts: Cohorts | None, codes: Codes, left) -> list[Row]:
    """Course grades under their course's code, or its name where Feeder does not tell the code."""
    courses = {row["id_matkul"]: row for row in _named(staging, COURSES, left)}
    kinds: dict[str, set[str]] = {}
    for row in _named(staging, CURRICULA, left):
        kinds.setdefault(row["id_matkul"], set()).add(row["apakah_wajib"])
    rows = _of_students(staging, GRADES, numbers, cohorts, left, "id_periode", "id_matkul", "id_kelas")
    rows += _without_grade(staging, rows, numbers, cohorts, left)
    rows += _taken_over(staging, rows, numbers, cohorts, left)
    found = []
    for row in sorted(rows, key=lambda row: [row[name] for name in _ORDER]):
        course = courses.get(row["id_matkul"], {})
        name = row["nama_mata_kuliah"] or course.get("nama_mata_kuliah", "")
        kind = kinds.get(row["id_matkul"], set())
        found.append(
            row
            | {
                "kode_mata_kuliah": row["kode_mata_kuliah"] or course.get("kode_mata_kuliah", "") or name,
                "nama_mata_kuliah": name,
                "sks_mata_kuliah": row["sks_mata_kuliah"] or row["sks_kelas_kuliah"],
                "id_periode": codes.said("id_semester", row["id_periode"]),
                # Curricula may disagree about a course; then nothing is said of it.
                "apakah_wajib": next(iter(kind)) if len(kind) == 1 else "",
                "nama_kelas_kuliah": row["nama_kelas_kuliah"] or row["id_kelas"],
            }
        )
    return found


def newest_term(staging: Staging) -> str:
    """The newest term of which Feeder has an activity; empty when it has none."""
    return max(
        (row["id_semester"] for row in staging.rows(TERMS) if row["id_semester"].isdecimal()), default=""
    )


def _without_grade(staging: Staging, graded: list[Row], numbers, cohorts: Cohorts | None, left) -> list[Row]:
    """Courses of the newest term that are taken and have no row of grades yet, as rows of grades.

    Of earlier terms nothing is taken: a class that nobody has closed there would stay open for ever.
    """
    there = {(row[REGISTRATION], row["id_matkul"], row["id_periode"]) for row in graded}
    term = newest_term(staging)
    empty = dict.fromkeys(GRADES.fields, "")
    return [
        empty | row
        for row in _of_students(staging, TAKEN, numbers, cohorts, left, "id_periode", "id_matkul", "id_kelas")
        if row["id_periode"] == term and (row[REGISTRATION], row["id_matkul"], term) not in there
    ]


def _taken_over(staging: Staging, graded: list[Row], numbers, cohorts: Cohorts | None, left) -> list[Row]:
    """Credits from elsewhere as rows of grades of the term of entry, each course once; those that the list
    of grades has already stay as it has them."""
    there = {(row[REGISTRATION], row["id_matkul"]) for row in graded}
    empty, found = dict.fromkeys(GRADES.fields, ""), []
    rows = _of_students(staging, TAKEN_OVER, numbers, cohorts, left, "id_matkul", "id_transfer")
    for row in (row for row in rows if row[REGISTRATION]):
        if (row[REGISTRATION], row["id_matkul"]) in there:
            continue
        there.add((row[REGISTRATION], row["id_matkul"]))
        taken = {name: row[name] for name in (REGISTRATION, _NUMBER, "id_matkul")}
        taken |= {
            "id_periode": row["id_periode_masuk"],
            "kode_mata_kuliah": row["kode_matkul_diakui"],
            "nama_mata_kuliah": row["nama_mata_kuliah_diakui"],
            "sks_mata_kuliah": row["sks_mata_kuliah_diakui"],
            "nilai_huruf": _TRANSFERRED,
        }
        found.append(empty | taken)
    return found


def _students(
    staging: Staging, programmes: Mapping[tuple[str, ...], Row], cohorts: Cohorts | None, codes: Codes
) -> list[Row]:
    listed, people = _by_key(staging, STUDENTS), _by_key(staging, PEOPLE)
    paths = {row["id_jalur_masuk"]: row["nama_jalur_masuk"] for row in _named(staging, PATHS)}
    funding = {row["id_pembiayaan"]: row["nama_pembiayaan"] for row in _named(staging, FUNDING)}
    found = []
    registrations = _by_key(staging, REGISTRATIONS)
    for key in {**listed, **registrations}:
        row = _filled(registrations.get(key, {}), listed.get(key, {}))
        row["id_periode_masuk"] = row.get("id_periode_masuk") or row.get("id_periode", "")
        if cohorts is not None and row["id_periode_masuk"] not in cohorts:
            continue
        row |= _filled(programmes.get((row.get("id_prodi", ""),), {}), row)
        row = _filled(row, people.get((row.get("id_mahasiswa", ""),), {}))
        for name, code, words in (
            ("nama_jalur_daftar", "id_jalur_daftar", paths),
            ("nama_pembiayaan_awal", "id_pembiayaan", funding),
        ):
            row[name] = row.get(name) or words.get(row.get(code, ""), row.get(code, ""))
        kind = row.get("id_jenis_daftar", "")
        row["id_jenis_daftar"] = codes.said("id_jenis_daftar", kind) or row.get("nama_jenis_daftar", "")
        found.append(row)
    return found


def _of_students(
    staging: Staging,
    one: FeederList,
    numbers: Mapping[str, str],
    cohorts: Cohorts | None,
    left: list[tuple[str, str]],
    *then: str,
) -> list[Row]:
    """Rows of a list under the number that the student's registration has now; those left out are counted."""
    needed = [name for name in one.key if name != "id_kelas"]  # credits taken over have no class
    given = staging.rows(one)
    whole = [row for row in given if all(row[name] for name in needed)]
    each = {tuple(row[name] for name in one.key): row for row in whole}
    rows = [
        row | {_NUMBER: numbers.get(row[REGISTRATION], row[_NUMBER])}
        for row in each.values()
        # Of everybody, a row of nobody is for the check to refuse; of some cohorts it is another cohort's.
        if cohorts is None or row[REGISTRATION] in numbers
    ]
    _note_left(one, left, len(given) - len(whole), f"without {' or '.join(needed)}")
    _note_left(one, left, len(whole) - len(each), "listed twice; the last one is taken")
    _note_left(one, left, len(each) - len(rows), "of students of other entry years")
    return sorted(rows, key=lambda row: (row[_NUMBER], *(row[name] for name in then), row[REGISTRATION]))


def _note_left(one: FeederList, left: list[tuple[str, str]], rows: int, why: str) -> None:
    if rows:
        left.append((one.act, f"{rows:,} rows left out: {why}"))


def _counts(staging: Staging, left: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    rows = [row for row in _named(staging, COUNTS, left) if any(row[name].isdecimal() for name in COUNTED)]
    return {
        (row["id_prodi"], row["id_periode"]): sum(int(row[name]) for name in COUNTED if row[name].isdecimal())
        for row in rows
    }


def _named(staging: Staging, one: FeederList, left: list[tuple[str, str]] | None = None) -> list[Row]:
    """Rows of a list that will do without, but for those of nobody, such as a line of totals."""
    given = staging.rows(one)
    rows = [row for row in given if all(row[name] for name in one.key)]
    if left is not None:
        _note_left(one, left, len(given) - len(rows), f"without {' or '.join(one.key)}, such as totals")
    return rows


def _by_key(staging: Staging, one: FeederList) -> dict[tuple[str, ...], Row]:
    return {tuple(row[name] for name in one.key): row for row in staging.rows(one)}


def _filled(row: Mapping[str, str], other: Mapping[str, str]) -> Row:
    """``row``, and what only ``other`` says."""
    return {**other, **{name: cell for name, cell in row.items() if cell or not other.get(name)}}


def _csv(rows: Sequence[Row], headers: Sequence[str]) -> bytes:
    """A file; a column in which Feeder holds nothing at all is left out: it must not empty ours."""
    wanted = [name for name in headers if name in _NEEDED or any(row.get(name) for row in rows)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(wanted)
    writer.writerows([row.get(name, "") for name in wanted] for row in rows)
    return text.getvalue().encode()
