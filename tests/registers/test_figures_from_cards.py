"""The activity list of the second university without its figures: everybody reads what the cards tell.

What is right is worked out from the clerk's cards in fractions, course by course, by no code of ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from data import queries
from data.files.mapping import load_mapping
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from data.trust.scope import Scope
from tests.registers.second_university import files, khs
from tests.registers.second_university.people import people

TODAY = date(2026, 9, 30)
SYSTEM = Scope.system()
FIGURES = ("IPS", "IPK", "SKS Diambil", "SKS Lulus", "SKS Kumulatif")


@pytest.fixture(scope="module")
def everybody():
    return [p for p in people() if p.programme.code == "54231" and p.cohort in khs.INTAKES]


@pytest.fixture(scope="module")
def cards(everybody):
    return khs.grade_cards(everybody)


@pytest.fixture(scope="module")
def loaded(everybody, cards, tmp_path_factory, sqlite_template):
    folder = tmp_path_factory.mktemp("cards")
    (folder / "tepat.db").write_bytes(sqlite_template.read_bytes())
    files.write_xlsx({"Mahasiswa": files.students(everybody)}, folder / "mahasiswa.xlsx")
    listed = files.terms(everybody)
    kept = [at for at, name in enumerate(listed.header) if name not in FIGURES]
    bare = replace(
        listed,
        header=tuple(listed.header[at] for at in kept),
        rows=[tuple(row[at] for at in kept) for row in listed.rows],
    )
    files.write_csv(bare, folder / "aktivitas.csv")
    files.write_xlsx(cards.tables(everybody), folder / "khs.xlsx")
    mapping = load_mapping(files.MAPPING.encode())
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    named = {"students": "mahasiswa.xlsx", "terms": "aktivitas.csv", "grades": "khs.xlsx"}
    sources = [Source.from_path(table, folder / name) for table, name in named.items()]
    plan = plan_import(sources, mapping, store=store, today=TODAY)
    assert "REC150" not in set(plan.problems["rule"])  # nobody exchanged the exits
    apply_import(store, plan, actor="biro", skip_bad=True)  # lines of totals are refused
    yield store
    store.close()


def _so_far(marks: list[khs.Mark], term: int) -> tuple[float | None, int]:
    """Average and credits by the end of a term: every course once, by its best mark."""
    points: dict[str, tuple[Fraction, int]] = {}
    earned: dict[str, int] = {}
    for mark in (mark for mark in marks if mark.term <= term):
        if mark.letter in khs.POINTS:
            best = max(points.get(mark.code, (Fraction(0), 0))[0], Fraction(khs.POINTS[mark.letter]))
            points[mark.code] = (best, mark.sks)
        if mark.letter == "Konversi" or Fraction(khs.POINTS.get(mark.letter, "0")) >= 1:
            earned[mark.code] = mark.sks
    graded = sum(sks for _, sks in points.values())
    average = float(sum(best * sks for best, sks in points.values()) / graded) if graded else None
    return average, sum(earned.values())


@pytest.fixture(scope="module")
def right(everybody, cards):
    """Student number → term with a mark → average and credits so far."""
    found = {}
    for one in everybody:
        mine = [mark for (nim, _, _), mark in cards.final.items() if nim == one.nim]
        found[one.nim] = {term: _so_far(mine, term) for term in sorted({mark.term for mark in mine})}
    return found


def test_the_list_of_students_says_what_the_cards_come_to(loaded, right, everybody):
    listed = queries.standing(loaded, SYSTEM, limit=10_000)
    recognised = {one.nim: one.credits_recognised or 0 for one in everybody}  # no card holds these
    assert len(listed) > 20 and any(recognised[number] for number in listed["student_number"])
    for row in listed.itertuples():
        average, credits = list(right[row.student_number].values())[-1]
        assert row.gpa_cum == pytest.approx(average, abs=0.0051), row.student_number
        assert row.credits == credits + recognised[row.student_number], row.student_number


def test_pages_and_features_say_it_term_by_term(loaded, right):
    listed = queries.standing(loaded, SYSTEM, limit=10_000)
    terms = queries.records_until(loaded).terms.set_index(["student_key", "term_id"])
    for row in listed.itertuples():
        page = queries.term_rows(loaded, SYSTEM, row.student_key).set_index("term_id")
        for term, (average, credits) in right[row.student_number].items():
            for told in (page.loc[term], terms.loc[(row.student_key, term)]):
                assert (told["gpa_cum"], told["credits_cum"]) == (pytest.approx(average, abs=0.0051), credits)


def test_the_mean_of_a_cohort_is_that_of_its_students(loaded, right, everybody):
    counted = queries.retention(loaded, SYSTEM).set_index(["cohort_term", "term_index"])["gpa_mean"]
    compared = 0
    for intake in khs.INTAKES:
        entry = 10 * intake + 1
        members = [right[one.nim] for one in everybody if one.cohort == intake]
        for index in range(1, 9):
            term = 10 * (intake + (index - 1) // 2) + 1 + (index - 1) % 2
            averages = [terms[term][0] for terms in members if term in terms and terms[term][0] is not None]
            if averages:
                mean = sum(averages) / len(averages)
                assert counted[entry, index] == pytest.approx(mean, abs=0.0051), (entry, index)
                compared += 1
    assert compared >= 12
