"""The second university itself: its rule applied to dates gives back the plan that was written by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date
from types import SimpleNamespace

import pytest

from tests.registers.second_university.consents import Word, standing, words_of_consent
from tests.registers.second_university.people import people
from tests.registers.second_university.plan import ACCOUNTING, CONSENTS, HUSBANDRY, KINDS, LAW, PLAN, STANDING
from tests.registers.second_university.specimens import FAULTY_OF_EACH, specimens
from tests.registers.second_university.truth import label, terms_studied, truth

LABEL_OF = {
    "on_time": "on_time",
    "late": "delayed",
    "over": "delayed",
    "within": "censored",
    "expelled": "dropout",
    "resigned": "dropout",
    "lost": "dropout",
    "moved": "neither",
    "died": "neither",
}


def one(programme, cohort, left, kind="late", listed_on=date(2026, 9, 30)):
    """A student as the rule sees one."""
    return SimpleNamespace(programme=programme, cohort=cohort, left=left, kind=kind, listed_on=listed_on)


@pytest.mark.parametrize(
    ("programme", "cohort", "left", "terms", "right"),
    [
        # By hand: S1 of September 2018 has its eighth term from March to August 2022.
        (HUSBANDRY, 2018, date(2022, 8, 31), 8, "on_time"),
        (HUSBANDRY, 2018, date(2022, 9, 1), 9, "delayed"),
        (HUSBANDRY, 2018, date(2022, 8, 1), 8, "on_time"),
        (HUSBANDRY, 2018, date(2022, 2, 18), 7, "on_time"),
        (HUSBANDRY, 2018, date(2023, 2, 20), 9, "delayed"),
        (ACCOUNTING, 2019, date(2022, 8, 31), 6, "on_time"),
        (ACCOUNTING, 2019, date(2022, 9, 1), 7, "delayed"),
        (LAW, 2023, date(2025, 8, 31), 4, "on_time"),
        (LAW, 2023, date(2025, 9, 10), 5, "delayed"),
    ],
)
def test_the_rule_on_days_worked_out_by_hand(programme, cohort, left, terms, right):
    student = one(programme, cohort, left, "on_time")
    assert (terms_studied(student), label(student)) == (terms, right)


def test_whoever_is_enrolled_is_late_from_the_day_the_ninth_term_begins():
    assert label(one(HUSBANDRY, 2022, None, "over", date(2026, 9, 1))) == "delayed"
    assert label(one(HUSBANDRY, 2022, None, "over", date(2026, 8, 31))) == "censored"


def test_the_labels_by_date_are_the_plan():
    right = truth()
    planned = {(code, cohort): Counter() for code, cohorts in PLAN.items() for cohort in cohorts}
    for code, cohorts in PLAN.items():
        for cohort, counts in cohorts.items():
            for kind, n in zip(KINDS, counts, strict=True):
                planned[code, cohort][LABEL_OF[kind]] += n
    assert {key: +c for key, c in right.counts.items()} == {key: +c for key, c in planned.items()}
    assert len(right.labels) == 402
    # Added up on paper from the table of the plan.
    assert (right.total("on_time"), right.total("delayed"), right.total("dropout")) == (140, 95, 45)
    assert right.total("dropout", "74101") == 0
    assert len(right.past_normal_time) == 32


def test_the_traits_that_the_office_has():
    everybody, right = people(), truth()
    assert (len(right.on_leave), len(right.reentrants), len(right.without_entry_type)) == (6, 10, 9)
    assert len(right.transfers_in) == 16
    days = Counter((p.left.month, p.left.day) for p in everybody if p.kind in ("on_time", "late"))
    august = sum(n for (month, _), n in days.items() if month == 8)
    assert days[8, 31] >= 40 and august > sum(days.values()) / 2
    assert sum(n for (month, day), n in days.items() if month == 9 and day <= 15) >= 20
    assert len({p.nim for p in everybody}) == len(everybody)
    assert any(p.nim.startswith("00") for p in everybody) and any(p.nim.startswith("F1D") for p in everybody)
    scripts = "".join(right.names.values())
    for letter in "ꦱ王مสЛ’'*_[$☺\uf0b7":
        assert letter in scripts
    for student in everybody:
        assert all(student.entered.year * 10 + 1 <= row.term for row in student.terms)


def test_the_last_word_of_consent_counts_and_a_withdrawal_wins_its_day():
    first, later = date(2024, 9, 3), date(2025, 3, 22)
    words = [
        Word("a", "", later, "x", "dicabut"),
        Word("a", "", first, "x", "setuju"),
        Word("b", "", first, "x", "dicabut"),
        Word("b", "", first, "x", "setuju"),
        Word("c", "", first, "x", "setuju"),
        Word("d", "", first, "x", "menolak"),
        Word("e", "", first, "y", "setuju"),
        Word("f", "", first, "x", "dicabut"),
        Word("f", "", later, "x", "setuju"),
        Word("g", "", first, "x", "menolak"),
        Word("g", "", later, "x", "setuju kembali"),
    ]
    assert standing(words, "x") == {"c", "g"}
    right = truth()
    for purpose, shares in CONSENTS.items():
        assert len(right.consenting[purpose]) == sum(shares.get(deed, 0) for deed in STANDING)
    everybody = people()
    assert words_of_consent(everybody, specimens(everybody)) == words_of_consent(
        everybody, specimens(everybody)
    )


def test_three_to_seven_specimens_each_between_entry_and_exit():
    students = {p.nim: p for p in people()}
    given = truth().specimens
    assert len(given) == 120
    assert all(3 <= len(own) <= 7 for own in given.values())
    for nim, own in given.items():
        student = students[nim]
        assert all(student.entered <= s.on and (not student.left or s.on < student.left) for s in own)
    faults = Counter(s.fault for own in given.values() for s in own if s.fault)
    assert faults == FAULTY_OF_EACH
    paths = [s.path for own in given.values() for s in own]
    assert len(set(paths)) == len(paths)
