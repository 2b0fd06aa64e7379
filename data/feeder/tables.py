"""What was read of a Feeder → the files of an import, in the headers that Feeder's own exports have.

From here on nothing is special: the files go through :mod:`data.records.ingest` like those of an office.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from data.feeder.lists import (
    COUNTED,
    COUNTS,
    EXITS,
    FUNDING,
    PATHS,
    PEOPLE,
    PROGRAMMES,
    REGISTRATION,
    REGISTRATIONS,
    STUDENTS,
    TERMS,
    Cohorts,
    FeederList,
)
from data.feeder.staging import Staging
from data.records.ingest import Source

NAMES = {table: f"feeder-{table}.csv" for table in ("students", "terms", "outcomes")}
_NUMBER = "nim"
_STUDENT_HEADERS = (
    *(_NUMBER, "nama_mahasiswa", "kode_program_studi", "nama_program_studi", "nama_jenjang_pendidikan"),
    *("id_periode_masuk", "id_jenis_daftar", "nama_jalur_daftar", "sks_diakui", "nama_pembiayaan_awal"),
    *("jenis_kelamin", "tanggal_lahir"),
    *("id_wilayah", "nama_pendidikan_ayah", "nama_penghasilan_ayah", "nama_kebutuhan_khusus_mahasiswa"),
)
_TERM_HEADERS = (_NUMBER, "id_semester", "id_status_mahasiswa", "ips", "ipk", "sks_semester", "sks_total")
_EXIT_HEADERS = (_NUMBER, "id_jenis_keluar", "id_periode_keluar", "tanggal_keluar", "ipk")
_NEEDED = {  # written even where every cell is empty: the check then says what is missing
    *(_NUMBER, "kode_program_studi", "id_periode_masuk", "id_semester", "id_status_mahasiswa"),
    "id_jenis_keluar",
}
Row = dict[str, str]


@dataclass(frozen=True)
class FeederTables:
    """A register as Feeder has it.

    Parameters
    ----------
    students, terms, outcomes : list of dict
        Rows by Feeder's own field names, sorted; ``students`` with ``id_prodi`` beside.
    counts : dict of (str, str) to int
        (``id_prodi``, term) → students with an activity, as Feeder counts them itself; empty when it does
        not.
    programmes : dict of str to str
        ``id_prodi`` → programme code in PDDikti.
    """

    students: list[Row]
    terms: list[Row]
    outcomes: list[Row]
    counts: dict[tuple[str, str], int]
    programmes: dict[str, str]

    def without(self, numbers: Collection[str]) -> FeederTables:
        """The same without some student numbers."""
        students, terms, outcomes = (
            [row for row in rows if row[_NUMBER] not in numbers] for rows in self._tables
        )
        return FeederTables(students, terms, outcomes, self.counts, self.programmes)

    @property
    def _tables(self) -> tuple[list[Row], list[Row], list[Row]]:
        return self.students, self.terms, self.outcomes

    def sources(self) -> list[Source]:
        """The files of an import."""
        headers = (_STUDENT_HEADERS, _TERM_HEADERS, _EXIT_HEADERS)
        return [
            Source(table, NAMES[table], _csv(rows, wanted))
            for table, rows, wanted in zip(NAMES, self._tables, headers, strict=True)
            if rows
        ]


def tables_of(staging: Staging, cohorts: Cohorts | None) -> FeederTables:
    """Put together what the lists say of each student."""
    programmes = _by_key(staging, PROGRAMMES)
    students = _students(staging, programmes, cohorts)
    numbers = {row[REGISTRATION]: row[_NUMBER] for row in students}
    return FeederTables(
        sorted(students, key=lambda row: (row[_NUMBER], row[REGISTRATION])),
        _of_students(staging, TERMS, numbers, cohorts, "id_semester"),
        [
            row | {"id_jenis_keluar": row["id_jenis_keluar"] or row["nama_jenis_keluar"]}
            for row in _of_students(staging, EXITS, numbers, cohorts)
        ],
        {} if cohorts else _counts(staging),
        {key: row["kode_program_studi"] for (key,), row in programmes.items()},
    )


def _students(
    staging: Staging, programmes: Mapping[tuple[str, ...], Row], cohorts: Cohorts | None
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
        row["id_jenis_daftar"] = row.get("id_jenis_daftar") or row.get("nama_jenis_daftar", "")
        found.append(row)
    return found


def _of_students(
    staging: Staging, one: FeederList, numbers: Mapping[str, str], cohorts: Cohorts | None, *then: str
) -> list[Row]:
    """Rows of a list under the number that the student's registration has now."""
    rows = [
        row | {_NUMBER: numbers.get(row[REGISTRATION], row[_NUMBER])}
        for row in _by_key(staging, one).values()
        # Of everybody, a row of nobody is for the check to refuse; of some cohorts it is another cohort's.
        if cohorts is None or row[REGISTRATION] in numbers
    ]
    return sorted(rows, key=lambda row: (row[_NUMBER], *(row[name] for name in then), row[REGISTRATION]))


def _counts(staging: Staging) -> dict[tuple[str, str], int]:
    rows = [row for row in _named(staging, COUNTS) if any(row[name].isdigit() for name in COUNTED)]
    return {
        (row["id_prodi"], row["id_periode"]): sum(int(row[name]) for name in COUNTED if row[name].isdigit())
        for row in rows
    }


def _named(staging: Staging, one: FeederList) -> list[Row]:
    """Rows of a list that will do without, but for those of nobody, such as a line of totals."""
    return [row for row in staging.rows(one) if all(row[name] for name in one.key)]


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
