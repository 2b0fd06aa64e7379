"""The second university's grade cards: contradictions named, every mark as the clerk's cards say it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.engine.bulk import fetch
from data.files.mapping import load_mapping
from data.files.register_files import guess_table
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from fusion.service.sources import Parts, read_rows
from tests.registers.second_university import files, khs
from tests.registers.second_university.people import people

TODAY = date(2026, 9, 30)


@pytest.fixture(scope="module")
def everybody():
    return [p for p in people() if p.programme.code != "0213"]


@pytest.fixture(scope="module")
def cards(everybody):
    return khs.grade_cards(everybody)


@pytest.fixture(scope="module")
def loaded(everybody, cards, tmp_path_factory, sqlite_template):
    """A store with the office's students and terms, and the check of the grade cards, written."""
    folder = tmp_path_factory.mktemp("khs")
    (folder / "tepat.db").write_bytes(sqlite_template.read_bytes())
    files.write_xlsx({"Mahasiswa": files.students(everybody)}, folder / "mahasiswa.xlsx")
    files.write_csv(files.terms(everybody), folder / "aktivitas.csv")
    files.write_xlsx(cards.tables(everybody), folder / "khs.xlsx")
    mapping = load_mapping(files.MAPPING.encode())
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    given = [Source.from_path("students", folder / "mahasiswa.xlsx")]
    given.append(Source.from_path("terms", folder / "aktivitas.csv"))
    plan = plan_import(given, mapping, store=store, today=TODAY)
    assert plan.accepted, plan.errors
    apply_import(store, plan, actor="biro")
    grades = Source.from_path("grades", folder / "khs.xlsx")
    check = plan_import([grades], mapping, store=store, today=TODAY)
    result = apply_import(store, check, actor="biro", skip_bad=True)
    yield store, check, result, grades, mapping
    store.close()


def attempts(store) -> pd.DataFrame:
    table, identity = schema.course_attempts, schema.identities
    statement = select(identity.c.student_number, table).join(
        identity, identity.c.student_key == table.c.student_key
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def marks_of(rows: pd.DataFrame) -> dict:
    return {
        (row.student_number, row.course_code, row.term_id): (row.grade, row.credits, row.result)
        for row in rows.itertuples()
    }


def test_the_cards_have_what_they_are_made_for(cards):
    marks = list(cards.final.values())
    assert len(marks) > 900 and len(cards.first) == 2 * khs.CHANGED
    assert {"E", "T", "Konversi"} <= {m.letter for m in marks}
    taken = pd.Series([(m.nim, m.code) for m in marks]).value_counts()
    assert (taken > 1).sum() > 30


def test_a_workbook_of_cards_is_recognised(loaded):
    assert guess_table("khs.xlsx", loaded[3].data) == "grades"


def test_only_the_lines_of_totals_are_refused(loaded, cards):
    _, check, result, *_ = loaded
    totals = check.errors[check.errors["rule"] == "REC021"]
    assert totals["value"].tolist() == ["JUMLAH SKS"] * 2
    assert [name.split("(")[1] for name in totals["file"]] == ["Angkatan 2021)", "Angkatan 2022)"]
    lines = [len(lines) for lines in cards.sheets.values()]
    assert totals["row"].tolist() == [n + 5 for n in lines]  # three titles, the header, the lines
    places = zip(check.errors["file"], check.errors["row"], strict=True)
    assert set(places) == set(zip(totals["file"], totals["row"], strict=True))
    assert check.read["grades"] == sum(lines) + 2
    assert result.counts["course_attempts"] == check.counts["course_attempts"]


def test_every_mark_is_the_one_that_holds(loaded, cards):
    results = {"T": "open", "Konversi": "transferred"}
    right = {
        (m.nim, m.code, m.term): (m.letter.upper(), m.sks, results.get(m.letter, "graded"))
        for m in cards.final.values()
    }
    assert marks_of(attempts(loaded[0])) == right


def test_changed_marks_and_the_two_names_are_told(loaded, cards):
    warnings = loaded[1].warnings
    assert (warnings["rule"] == "REC142").sum() == 2 * len(cards.first)
    named = warnings[warnings["rule"] == "REC144"]
    code, old, new = khs.RENAMED
    assert len(named) == 1
    assert all(part in named["message"].iloc[0] for part in (repr(old), repr(new)))
    assert {"REC006", "REC140", "REC143"}.isdisjoint(warnings["rule"])


def test_what_the_activity_list_says_otherwise_is_named_and_stays(loaded, cards, everybody):
    store, check, *_ = loaded
    warned = check.warnings[check.warnings["rule"] == "REC145"]
    assert len(warned) == len(cards.differing(everybody)) > 50
    stated = {(p.nim, row.term): row for p in everybody for row in p.terms}
    numbers = attempts(store).drop_duplicates("student_key").set_index("student_key")["student_number"]
    terms = queries.records_until(store).terms
    for row in terms[terms["student_key"].isin(numbers.index)].itertuples():
        told = stated[numbers[row.student_key], row.term_id]
        assert (row.credits_attempted, row.credits_passed) == (told.taken, told.passed)


def test_a_mark_changed_later_is_the_earlier_one_as_of_before(loaded, cards):
    store = loaded[0]
    numbers = attempts(store).drop_duplicates("student_key").set_index("student_key")["student_number"]
    seen = 0
    for index in range(1, 9):
        known = queries.records_until(store, index).attempts
        known = known.assign(student_number=known["student_key"].map(numbers))
        cutoffs = queries.records_until(store, index).students.set_index("student_key")["as_of"]
        days = dict(zip(numbers, cutoffs.reindex(numbers.index), strict=True))
        told = marks_of(known)
        for key, first in cards.first.items():
            last = cards.final[key]
            if first.on <= days[key[0]].date() < last.on:
                assert told[key][0] == first.letter
                seen += 1
            elif days[key[0]].date() >= last.on:
                assert told[key][0] == last.letter
    assert seen >= 4


def test_the_same_cards_again_change_nothing(loaded):
    store, _, _, grades, mapping = loaded
    again = plan_import([grades], mapping, store=store, today=TODAY)
    counts = again.counts["course_attempts"]
    assert (counts["new"], counts["changed"]) == (0, 0)
    result = apply_import(store, again, actor="biro", skip_bad=True)
    assert result.counts["course_attempts"] == counts


def test_what_grades_tell_of_plan_and_bottlenecks_is_the_same_read_in_parts(loaded):
    store = loaded[0]
    students = len(queries.people(store).students)
    whole, parts = read_rows(Parts(store)), read_rows(Parts(store, students // 5))
    pd.testing.assert_frame_equal(parts.table, whole.table)
    assert whole.table["plan_passed"].notna().any()
