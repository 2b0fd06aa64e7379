"""The second university's grade cards: contradictions named, every mark as the clerk's cards say it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from sqlalchemy import select

from dashboard.cohorts.courses import LISTED, by_course, listed
from data import queries, schema
from data.engine.bulk import fetch
from data.files.mapping import load_mapping
from data.files.register_files import guess_table
from data.records.bottlenecks import BOTTLENECK_RATE, LEAST_ATTEMPTS
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from data.trust.scope import Scope
from data.trust.small_cells import THRESHOLD
from fusion.service.sources import Parts, read_rows
from tests.registers.second_university import files, khs, truth
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


def by_hand(cards) -> dict[str, tuple[int, int, int, int]]:
    """Course → attempts decided, of them failed; students who took it, and who failed it once at least.

    An internship without a letter and a proposal that waits decide nothing.
    """
    counted: dict[str, list] = {}
    for (nim, code, _), mark in cards.final.items():
        if mark.letter in khs.POINTS:
            row = counted.setdefault(code, [0, 0, set(), set()])
            row[0] += 1
            row[2].add(nim)
            if mark.letter == "E":
                row[1] += 1
                row[3].add(nim)
    return {code: (n, failed, len(took), len(lost)) for code, (n, failed, took, lost) in counted.items()}


def test_courses_are_counted_as_the_cards_say(loaded, cards):
    counts = queries.course_results(loaded[0], Scope.system())
    assert set(counts["program_code"]) == {"54231"}
    told = counts.set_index("course_code")[["attempts", "failed", "students", "failing"]]
    decided = told[told["attempts"] > 0]
    assert {row.Index: tuple(map(int, row[1:])) for row in decided.itertuples()} == by_hand(cards)
    code, _, newest = khs.RENAMED
    assert counts.set_index("course_code").loc[code, "course_name"] == newest


@pytest.fixture(scope="module")
def with_exits(loaded, everybody, tmp_path_factory):
    """The same store once the office's list of exits has come too."""
    store, *_, mapping = loaded
    path = tmp_path_factory.mktemp("exits") / "lulusan.csv"
    files.write_csv(files.outcomes(everybody, "text"), path)
    plan = plan_import([Source.from_path("outcomes", path)], mapping, store=store, today=TODAY)
    apply_import(store, plan, actor="biro", skip_bad=True)
    return store


def test_the_delayed_and_the_on_time_of_a_course_are_those_of_the_exits(with_exits, cards):
    """The eight semesters of both intakes are over: whoever is still there is late."""
    counts = queries.course_results(with_exits, Scope.system()).set_index("course_code")
    labels = truth().labels
    marks = [(nim, code, m.letter) for (nim, code, _), m in cards.final.items() if m.letter in khs.POINTS]
    seen = 0
    for code in by_hand(cards):
        for group, meant in (("delayed", ("delayed", "censored")), ("on_time", ("on_time",))):
            took = {nim for nim, of, _ in marks if of == code and labels[nim] in meant}
            lost = {nim for nim, of, letter in marks if of == code and letter == "E"} & took
            row = counts.loc[code]
            assert (row[group], row[f"{group}_failing"]) == (len(took), len(lost)), (code, group)
            seen += len(lost)
    assert seen > 50


def test_bottlenecks_are_the_courses_in_which_a_fifth_fails_and_tell_of_nobody_alone(loaded, cards):
    table = by_course(queries.course_results(loaded[0], Scope.system()))
    right = {
        code: failed / attempts
        for code, (attempts, failed, students, failing) in by_hand(cards).items()
        if attempts >= LEAST_ATTEMPTS
        and failed >= BOTTLENECK_RATE * attempts
        and THRESHOLD <= failing <= students - THRESHOLD
    }
    shown = listed(table, "54231")
    assert dict(zip(shown["course_code"], shown["rate"], strict=True)) == right
    assert 0 < len(right) <= LISTED
    assert listed(table, "0213").empty
