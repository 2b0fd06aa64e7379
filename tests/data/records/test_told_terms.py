"""Where rows of terms have no figures, the grades tell them: to pages, lists, counts and features alike."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from data import queries
from data.records.course_queries import change_grade_rules
from data.records.ingest import Source, apply_import, plan_import
from data.trust.erase import erase_student
from data.trust.scope import Scope
from data.trust.undo import last_import, undo_import

TODAY = date(2026, 3, 20)
STUDENTS = """NIM;Nama Mahasiswa;Kode Prodi;Jenjang;Angkatan;Status Awal;Dosen PA
0117200001;Ani;55201;S1;20241;Peserta didik baru;rina
0117200002;Budi;55201;S1;20241;Peserta didik baru;rina
0117200003;Cici;55201;S1;20241;Peserta didik baru;tono
"""
TERMS = """NIM;Kode Semester;Status;IPK;SKS Total
0117200001;20241;Aktif;;
0117200001;20242;Aktif;;
0117200002;20241;Aktif;;
0117200002;20242;Aktif;;
0117200003;20241;Aktif;3,00;6
"""
GRADES = """NIM;Semester;Kode MK;Nama MK;SKS;Nilai Indeks
0117200001;20241;IF101;Kalkulus;4;0
0117200001;20241;IF102;Algoritma;3;3,75
0117200001;20242;IF101;Kalkulus;4;3
0117200002;20241;IF101;Kalkulus;4;3,5
0117200002;20241;IF102;Algoritma;3;2
0117200002;20242;IF101;Kalkulus;4;1
0117200003;20241;IF101;Kalkulus;4;2
"""
# Ani: 3 × 3.75 of 7 credits, then 4 × 3 + 3 × 3.75 of 7. Budi: 4 × 3.5 + 3 × 2 of 7, then the same by the
# best attempt, 4 × 1 + 3 × 2 of 7 by the last one. Cici's 3.00 is stated, whatever one grade would say.
AVERAGES = {"Ani": [1.61, 3.32], "Budi": [2.86, 2.86], "Cici": [3.0]}
CREDITS = {"Ani": 7, "Budi": 7, "Cici": 6}
SYSTEM = Scope.system()


def load(store, **texts):
    sources = [Source(name, f"{name}.csv", text.encode()) for name, text in texts.items()]
    plan = plan_import(sources, store=store, today=TODAY)
    assert plan.accepted, plan.errors.to_string()
    return apply_import(store, plan, actor="biro")


@pytest.fixture
def graded(store):
    load(store, students=STUDENTS, terms=TERMS, grades=GRADES)
    return store


def means(store, scope=SYSTEM) -> list[float]:
    found = queries.retention(store, scope).set_index("term_index")["gpa_mean"]
    return [round(mean, 3) for mean in found]


def on_pages(store) -> dict[str, list[float]]:
    """Cumulative averages by name, as the page of each student shows them."""
    names = queries.standing(store, SYSTEM).set_index("name")["student_key"]
    return {name: list(queries.term_rows(store, SYSTEM, key)["gpa_cum"]) for name, key in names.items()}


def in_features(store) -> dict[str, list[float]]:
    names = queries.standing(store, SYSTEM).set_index("student_key")["name"]
    rows = queries.records_until(store).terms
    return {name: list(rows[rows["student_key"] == key]["gpa_cum"]) for key, name in names.items()}


def test_pages_features_lists_and_counts_say_the_same(graded):
    assert on_pages(graded) == in_features(graded) == AVERAGES
    listed = queries.standing(graded, SYSTEM).set_index("name")
    assert listed["gpa_cum"].round(2).to_dict() == {name: own[-1] for name, own in AVERAGES.items()}
    assert listed["credits"].to_dict() == CREDITS
    assert listed["credits_to_go"].to_dict() == {name: 144 - own for name, own in CREDITS.items()}
    assert means(graded) == [2.49, 3.09]  # (1.61 + 2.86 + 3.00) / 3, (3.32 + 2.86) / 2


def test_an_advisors_own_counts_have_the_averages_of_own_students(graded):
    rina = Scope("rina", "advisor", True, None, True, True)
    assert means(graded, rina) == [2.235, 3.09]


def test_another_rule_of_counting_is_followed_by_the_counts_at_once(graded):
    change_grade_rules(graded, {"counts": "last"}, actor="biro")
    assert on_pages(graded)["Budi"] == in_features(graded)["Budi"] == [2.86, 1.43]
    assert means(graded) == [2.49, 2.375]


def test_grades_that_come_later_or_go_again_are_followed(store):
    load(store, students=STUDENTS, terms=TERMS)
    assert means(store)[0] == 3.0 and pd.isna(means(store)[1])
    load(store, grades=GRADES)
    assert means(store) == [2.49, 3.09]
    undo_import(store, last_import(store), actor="biro", role="registry")
    assert means(store)[0] == 3.0 and pd.isna(means(store)[1])


def test_an_erased_student_is_gone_from_the_averages(graded):
    ani = queries.standing(graded, SYSTEM).set_index("name").at["Ani", "student_key"]
    erase_student(graded, ani, actor="biro")
    assert means(graded) == [2.93, 2.86]
