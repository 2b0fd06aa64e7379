"""The grade cards (KHS) of two intakes of the S1, as a clerk keeps them: a sheet an intake, and their truth.

Habits that contradict each other or the activity list, all of them on purpose: failed courses are taken
again in a later term; some marks were changed after a complaint, and both lines stand there; an internship of
Kampus Merdeka has credits and no letter; a course got another name with the newer intake but kept its code; a
thesis proposal waits for its mark; a line of totals ends each sheet; and the averages of the activity list
were never computed from these marks.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from .files import HOUSE, Table, term_words
from .people import Person, Term

INTAKES = (2021, 2022)
SKS = (3, 3, 2, 4, 3, 3, 2)
NAMES = (
    *("Biologi Umum", "Kimia Dasar", "Bahasa Indonesia", "Ilmu Nutrisi", "Anatomi Ternak"),
    *("Statistika", "Genetika", "Produksi Unggas", "Reproduksi", "Ekonomi Peternakan"),
)
RENAMED = ("PTK104", "Ilmu Nutrisi", "Nutrisi Ternak")  # code, name until the intake of 2021, and after
POINTS = {"A": "4", "AB": "3.5", "B": "3", "BC": "2.5", "C": "2", "D": "1", "E": "0"}
OFTEN = ("A", "AB", "AB", "B", "B", "BC", "C", "D")
ELECTIVE_FROM = 31
INTERNSHIP = ("MBKM01", "Magang Kampus Merdeka", 10)
PROPOSAL = ("PTK199", "Proposal Skripsi", 2)
HEADER = ("NIM", "Nama", "Semester", "Kode MK", "Nama MK", "SKS", "Sifat MK", "Kelas", "Nilai", "Tgl Input")
CHANGED = 3  # marks changed later, of each intake


@dataclass(frozen=True)
class Mark:
    """A line of a grade card."""

    nim: str
    term: int
    code: str
    name: str
    sks: int
    letter: str
    on: date


@dataclass
class GradeCards:
    """Sheet → lines as they stand there, and what they come to.

    Parameters
    ----------
    sheets : dict of str to list of Mark
        Totals apart.
    final : dict of (nim, code, term) to Mark
        The line that holds.
    first : dict of (nim, code, term) to Mark
        Of the changed marks, the earlier line.
    """

    sheets: dict[str, list[Mark]] = field(default_factory=dict)
    final: dict[tuple[str, str, int], Mark] = field(default_factory=dict)
    first: dict[tuple[str, str, int], Mark] = field(default_factory=dict)

    def tables(self, everybody: list[Person]) -> dict[str, Table]:
        """The sheets, each with its line of totals."""
        names = {p.nim: p.name for p in everybody}
        made = {}
        for sheet, lines in self.sheets.items():
            rows = [
                (
                    *(m.nim, names[m.nim], term_words(m.term), m.code, m.name, m.sks),
                    *("Pilihan" if _place(m.code) >= ELECTIVE_FROM else "Wajib", "A", m.letter),
                    f"{m.on:%d/%m/%Y}",
                )
                for m in lines
            ]
            rows.append(("JUMLAH SKS", "", "", "", "", sum(m.sks for m in lines), "", "", "", ""))
            made[sheet] = Table((HOUSE, "KARTU HASIL STUDI", sheet), HEADER, rows)
        return made

    def differing(self, everybody: list[Person]) -> set[tuple[str, int]]:
        """Students and terms of which the activity list says other credits or another average, by hand."""
        stated = {(p.nim, row.term): row for p in everybody for row in p.terms}
        by_term: dict[tuple[str, int], list[Mark]] = {}
        for mark in self.final.values():
            by_term.setdefault((mark.nim, mark.term), []).append(mark)
        return {
            place
            for place, marks in by_term.items()
            if place in stated and "T" not in {m.letter for m in marks} and _differs(stated[place], marks)
        }


def _differs(row: Term, marks: list[Mark]) -> bool:
    graded = [m for m in marks if m.letter in POINTS]
    taken = sum(m.sks for m in graded)
    passed = sum(m.sks for m in marks if m.letter != "E")
    if (taken, passed) != (row.taken, row.passed):
        return True
    average = Fraction(sum(Fraction(POINTS[m.letter]) * m.sks for m in graded)) / taken
    return row.gpa is not None and abs(Fraction(f"{row.gpa:.2f}") - average) > Fraction("0.0101")


def grade_cards(everybody: list[Person]) -> GradeCards:
    """The cards of the intakes, the same every time."""
    cards = GradeCards()
    for intake in INTAKES:
        lines: list[Mark] = []
        members = [p for p in everybody if p.programme.code == "54231" and p.cohort == intake]
        for place, one in enumerate(members):
            lines += _card(one, place, intake)
        cards.sheets[f"Angkatan {intake}"] = _with_changes(lines, cards)
    return cards


def _card(one: Person, place: int, intake: int) -> list[Mark]:
    chance, owed, nxt, lines = random.Random(one.nim), [], 1, []
    studied = [row for row in one.terms if row.taken]
    for row in studied:
        left, wanted = row.taken, list(owed)
        owed = []
        while left >= 2:
            code = wanted.pop(0) if wanted else 100 + nxt
            if code == 100 + nxt:
                nxt += 1
            sks = SKS[(code - 101) % len(SKS)]
            if sks > left:
                owed.append(code)
                break
            left -= sks
            letter = "E" if chance.random() < 0.12 else chance.choice(OFTEN)
            if letter == "E":
                owed.append(code)
            lines.append(_mark(one, row.term, code, letter, sks, intake))
        owed += wanted
        if place % 7 == 3 and row is studied[-1] and len(studied) > 4:
            on = lines[-1].on
            lines.append(Mark(one.nim, row.term, *INTERNSHIP, "Konversi", on))
        if place % 11 == 5 and row is studied[-1]:
            lines.append(Mark(one.nim, row.term, *PROPOSAL, "T", lines[-1].on))
    return lines


def _mark(one: Person, term: int, code: int, letter: str, sks: int, intake: int) -> Mark:
    name = f"{NAMES[(code - 101) % len(NAMES)]} {(code - 101) // len(NAMES) + 1}".removesuffix(" 1")
    if f"PTK{code}" == RENAMED[0]:
        name = RENAMED[1] if intake == INTAKES[0] else RENAMED[2]
    return Mark(one.nim, term, f"PTK{code}", name, sks, letter, _input_day(term))


def _input_day(term: int) -> date:
    """Typed in three weeks after the lectures end: 22 February and 22 August."""
    year, half = divmod(term, 10)
    return date(year + 1, 2 if half == 1 else 8, 22)


def _with_changes(lines: list[Mark], cards: GradeCards) -> list[Mark]:
    """Some failed marks with a second line below: changed to a C after a complaint, ninety days later."""
    left, found = CHANGED, []
    for mark in lines:
        key = (mark.nim, mark.code, mark.term)
        cards.final[key] = mark
        found.append(mark)
        later = mark.on + timedelta(days=90)
        if left and mark.letter == "E" and later < date(2026, 9, 1):
            changed = Mark(mark.nim, mark.term, mark.code, mark.name, mark.sks, "C", later)
            cards.first[key], cards.final[key] = mark, changed
            found.append(changed)
            left -= 1
    return found


def _place(code: str) -> int:
    digits = code.removeprefix("PTK")
    return int(digits) - 100 if digits.isdigit() else 0
