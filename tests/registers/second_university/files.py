"""The office's files, as it hands them over: letterheads, its own headers, two systems, three formats."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from .consents import Word
from .people import Person

HOUSE = "UNIVERSITAS REKAAN NUSANTARA"
MONTHS = ("Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember").split()
EXIT_WORDS = {
    "on_time": "Lulus",
    "late": "Lulus",
    "expelled": "Dikeluarkan",
    "resigned": "Mengundurkan diri",
    "lost": "Hilang",
    "moved": "Mutasi",
    "died": "Wafat",
}
STUDENT_HEADER = (
    "NIM",
    "Nama Mahasiswa",
    "Kode Prodi",
    "Program Studi",
    "Jenjang",
    "Semester Masuk",
    "Tanggal Masuk",
    "Status Awal",
    "SKS Diakui",
    "Jalur Masuk",
    "Golongan UKT",
    "Jenis Kelamin",
    "Tanggal Lahir",
    "Provinsi",
    "Dosen PA",
    "NIK",
    "Nama Ibu Kandung",
)
# The office's own headers, for the page Data or a mapping file; everything else is SIAKAD's usual word.
MAPPING = """\
# Pemetaan kolom Universitas Rekaan Nusantara
extends = "siakad"

[terms.columns]
credits_attempted = "SKS Diambil"
credits_passed = "SKS Lulus"
attendance_rate = "Hadir (persen)"

[terms.scale]
"Hadir (persen)" = 0.01
"""


@dataclass(frozen=True)
class Table:
    """Titles above the header, header, rows; cells are str, numbers or dates, as a spreadsheet has them."""

    titles: tuple[str, ...]
    header: tuple[str, ...]
    rows: list[tuple]


def words_of(day) -> str:
    """3 September 2018."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def term_words(term: int) -> str:
    """2018/2019 Ganjil."""
    year, half = divmod(term, 10)
    return f"{year}/{year + 1} {'Ganjil' if half == 1 else 'Genap'}"


def comma(number: float | None) -> str:
    """A number as this country writes it; empty where there is none."""
    return "" if number is None else f"{number:.2f}".replace(".", ",")


def students(everybody: list[Person]) -> Table:
    """The list of students with its private columns; entry in words, and the day of it beside."""
    rows = [
        (
            p.nim,
            p.name,
            p.programme.code,
            p.programme.name,
            p.programme.level,
            term_words(p.cohort * 10 + 1),
            words_of(p.entered),
            p.entry,
            p.credits_recognised or "",
            p.path,
            p.band,
            p.sex,
            f"{p.born:%d/%m/%Y}",
            p.province,
            p.advisor,
            p.national_number,
            p.mother,
        )
        for p in everybody
    ]
    return Table((HOUSE, "Biro Administrasi Akademik", "DAFTAR MAHASISWA", ""), STUDENT_HEADER, rows)


def old_students(everybody: list[Person]) -> Table:
    """The switched-off system's list: the year alone, fewer columns, other words."""
    header = ("NIM", "Nama", "Kode Prodi", "Prodi", "Jenjang", "Angkatan", "Status Awal", "L/P", "Dosen PA")
    rows = [
        (p.nim, p.name, p.programme.code, p.programme.name, "D3", str(p.cohort), p.entry, p.sex, p.advisor)
        for p in everybody
    ]
    return Table((), header, rows)


def terms(everybody: list[Person]) -> Table:
    """The activity list: GPA 0,00 printed for leave, decimal comma, credits so far."""
    header = (
        "NIM",
        "Semester",
        "Status",
        "IPS",
        "IPK",
        "SKS Diambil",
        "SKS Lulus",
        "SKS Kumulatif",
        "Hadir (persen)",
    )
    rows = []
    for one in everybody:
        total, points, graded = one.credits_recognised, 0.0, 0
        for row in one.terms:
            total += row.passed
            if row.gpa is not None:
                points, graded = points + row.gpa * row.taken, graded + row.taken
            rows.append(
                (
                    one.nim,
                    term_words(row.term),
                    row.status,
                    "0,00" if row.gpa is None else comma(row.gpa),
                    comma(points / graded if graded else None),
                    row.taken,
                    row.passed,
                    total,
                    comma(row.attended and 100 * row.attended),
                )
            )
    return Table((HOUSE, "AKTIVITAS KULIAH MAHASISWA", "Dicetak: 30 September 2026"), header, rows)


def recap(everybody: list[Person]) -> Table:
    """The faculty's recap, a row each: a leave is written as an average of 0, a term without registration is
    left empty, and so is all that has not come yet."""
    most = max(len(one.terms) for one in everybody)
    header = (
        "NIM",
        *(f"IP Smt {n}" for n in range(1, most + 1)),
        *(f"SKS Smt {n}" for n in range(1, most + 1)),
    )
    rows = []
    for one in everybody:
        averages = ["0" if row.status == "Cuti" else comma(row.gpa) for row in one.terms]
        credits = [row.taken or "" for row in one.terms]
        ahead = [""] * (most - len(one.terms))
        rows.append((one.nim, *averages, *ahead, *credits, *ahead))
    return Table((HOUSE, "REKAP INDEKS PRESTASI PER SEMESTER"), header, rows)


def outcomes(everybody: list[Person], dates: str) -> Table:
    """Everybody's last state, never an exit term.

    Dates are "mixed" (true ones beside words), "text", "exchanged": typed as month/day/year and opened by
    a program that puts the day first, which made a date of what can be one and left the rest as text, or
    "slips": typed as month/day/year, with a day in every fortieth that no month has (31 June, 30 February).
    """
    header = ("NIM", "Nama", "Jenis Keluar", "Tanggal Keluar", "IPK Akhir", "No Seri Ijazah", "Tanggal Data")
    rows = []
    for index, one in enumerate(everybody):
        day = one.left or ""
        if one.left and (dates == "text" or index % 3 == 0):
            day = words_of(one.left) if index % 2 else f"{one.left:%d/%m/%Y}"
        if one.left and dates == "exchanged":
            day = f"{one.left:%m/%d/%Y}"
            if one.left.day <= 12:
                day = one.left.replace(month=one.left.day, day=one.left.month)
        if one.left and dates == "slips":
            slip = (f"31/06/{one.left:%Y}", f"30/02/{one.left:%Y}")[index % 2]
            day = slip if index % 40 == 7 else f"{one.left:%m/%d/%Y}"
        rows.append(
            (
                one.nim,
                one.name,
                EXIT_WORDS.get(one.kind, ""),
                day,
                comma(one.gpa) if one.kind in ("on_time", "late") else "",
                f"IJZ-{index:05d}" if one.kind in ("on_time", "late") else "",
                f"{one.listed_on:%d/%m/%Y}",
            )
        )
    return Table((HOUSE, "STATUS AKHIR MAHASISWA"), header, rows)


def intake_2026() -> Table:
    """A list that comes later: two students of the new intake, of whom nothing else is known yet."""
    header = (
        "NIM",
        "Nama Mahasiswa",
        "Kode Prodi",
        "Program Studi",
        "Jenjang",
        "Semester Masuk",
        "Status Awal",
    )
    rows = [
        (nim, name, "54231", "Peternakan", "S1", "2026/2027 Ganjil", "Peserta didik baru")
        for nim, name in (("F1D260007", "Ketut Larasati"), ("F1D260014", "O'Brien ꦮꦶꦗꦪ"))
    ]
    return Table((HOUSE, "MAHASISWA BARU 2026/2027"), header, rows)


def consents(words: list[Word]) -> Table:
    """The counter's list of consents: one line a word, in no order."""
    header = ("NIM", "Nama", "Tanggal", "Keperluan", "Status")
    rows = [(w.nim, w.name, f"{w.on:%d/%m/%Y}", w.purpose, w.status) for w in words]
    return Table((), header, rows)


def write_csv(table: Table, path: Path, encoding: str = "utf-8-sig") -> None:
    """Semicolons, titles as lines of their own, Windows line ends: what the office's program saves."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([[title] for title in table.titles])
    writer.writerow(table.header)
    writer.writerows(table.rows)
    path.write_bytes(text.getvalue().encode(encoding))


def write_xlsx(sheets: dict[str, Table], path: Path, hidden: tuple[str, ...] = ()) -> None:
    """A workbook, numbers of students as text, true dates as dates."""
    book = Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for title in table.titles:
            sheet.append([title])
        sheet.append(list(table.header))
        for row in table.rows:
            sheet.append(["" if cell is None else cell for cell in row])
        for cells in sheet.iter_rows(min_row=len(table.titles) + 2, max_col=1):
            cells[0].number_format = "@"
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    book.save(path)
