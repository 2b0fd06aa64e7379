"""The meeting pack and cohorts side by side over the second university, against its hand-made plan."""

from __future__ import annotations

import io

import openpyxl
import pytest

from dashboard.cohorts.view import compare as side_by_side
from dashboard.cohorts.view import overview as parts
from dashboard.cohorts.view.given import Given, cohorts_of, judged, told_of
from dashboard.cohorts.view.meeting import Asked, make
from dashboard.components.filters import GroupFilter
from dashboard.shell import caches, current_session, stores
from dashboard.shell.access import scope_for
from dashboard.shell.wording import NOT_YET, Words
from data.trust.accounts import Account
from data.trust.small_cells import MARK, THRESHOLD
from tests.registers.second_university.plan import KINDS, PLAN

HUSBANDRY, LAW = "54231", "74101"
EN = Words("en")


@pytest.fixture
def pack(university, monkeypatch):
    """A function that makes the workbook for a dean, and gives a sheet's rows below its heading."""
    monkeypatch.setattr(stores, "store", lambda: university)
    for kept in (stores._programs, caches._read, caches._made):
        kept.clear()

    def rows(form: str, key: str, program=None, compared=(), programs=None) -> list[tuple] | None:
        dean = scope_for(Account("dekan", "Dekan", "leadership", programs))
        asked = Asked(GroupFilter("late", program), tuple(compared), "sex", dean, "en")
        book = openpyxl.load_workbook(io.BytesIO(make(asked, form, "xlsx")))
        name = EN(f"meeting.sheet_{key}")
        if name not in book.sheetnames:
            return None
        return [row for row in book[name].iter_rows(min_row=6, values_only=True)]

    yield rows
    for kept in (stores._programs, caches._read, caches._made):
        kept.clear()


def planned(code: str, year: int) -> tuple[int, ...]:
    """Entered, on time, later, studying, left, outside: by the plan's hand-made line."""
    n = dict(zip(KINDS, PLAN[code][year], strict=True))
    left = n["expelled"] + n["resigned"] + n["lost"]
    outside = n["moved"] + n["died"]
    return sum(n.values()), n["on_time"], n["late"], n["over"] + n["within"], left, outside


def cohort(year: int) -> str:
    return EN.term(10 * year + 1)


def test_the_internal_form_is_the_plan(pack):
    told = pack("internal", "funnel", HUSBANDRY)
    assert told == [(cohort(year), *planned(HUSBANDRY, year)) for year in sorted(PLAN[HUSBANDRY])]
    rates = {row[0]: row[1:4] for row in pack("internal", "on_time", HUSBANDRY)}
    entered, on_time, _, _, _, outside = planned(HUSBANDRY, 2018)
    assert rates[cohort(2018)] == (entered - outside, on_time, pytest.approx(on_time / (entered - outside)))
    assert rates[cohort(2025)] == ("…", "…", "…")


def test_cohorts_stand_side_by_side_as_far_as_each_has_come(pack):
    rows = pack("internal", "compare", HUSBANDRY, (20211, 20241))
    told = {(row[0], row[1]): row[2:] for row in rows}
    entered, on_time, _, _, left, _ = planned(HUSBANDRY, 2021)
    assert told[cohort(2021), 8][0] == entered
    assert told[cohort(2021), 8][4] == pytest.approx(on_time / entered)
    assert told[cohort(2021), 8][5] == pytest.approx(left / entered)
    # The lists of 30 September 2026 reach the fourth term of those who entered in 2024.
    young = planned(HUSBANDRY, 2024)
    assert told[cohort(2024), 4][4:] == (0, pytest.approx(young[4] / young[0]))
    for term in range(5, 9):
        assert set(told[cohort(2024), term][1:]) == {NOT_YET}


def test_the_public_form_tells_of_no_few(pack):
    for program in (HUSBANDRY, None):
        for row in pack("public", "funnel", program):
            figures = row[1:]
            assert all(value == MARK or value == 0 or value >= THRESHOLD for value in figures)
            if MARK in figures:  # one alone would come out by subtraction from the entrants
                assert figures.count(MARK) >= 2, row
    whole = {row[0]: planned_of_all(int(row[0].split()[1][:4])) for row in pack("public", "funnel")}
    for row in pack("public", "funnel"):
        for value, right in zip(row[1:], whole[row[0]], strict=True):
            assert value in (MARK, right)


def planned_of_all(year: int) -> tuple[int, ...]:
    lines = [planned(code, year) for code in PLAN if year in PLAN[code]]
    return tuple(sum(column) for column in zip(*lines, strict=True))


def test_of_graduates_only_everybody_is_counted_also_after_the_last_has_gone(pack):
    rows = [row for row in pack("internal", "compare", LAW, (20181, 20191)) if row[0] == cohort(2018)]
    entered, on_time, *_ = planned(LAW, 2018)
    kept = [row[3] for row in rows]  # degrees count as still here; some waited unregistered for the ceremony
    assert kept[:4] == [1] * 4 and kept[6:] == [1] * 2
    assert rows[3][2] == entered and rows[3][6] == pytest.approx(on_time / entered)  # four normal terms
    assert {row[7] for row in rows} == {0}


@pytest.mark.parametrize("form", ["internal", "public"])
@pytest.mark.parametrize("program", [HUSBANDRY, LAW, None])
def test_who_is_still_here_reaches_as_far_as_the_cohorts_side_by_side(pack, program, form):
    cohorts = tuple(10 * year + 1 for year in (2017, 2018, 2021, 2023))
    drawn = {row[0]: row[2:] for row in pack(form, "retention", program, cohorts)}
    beside = {}
    for row in pack(form, "compare", program, cohorts):
        beside.setdefault(row[0], []).append(row[3])
    compared = [name for name in beside if name in drawn]
    assert len(compared) >= 2
    for name in compared:
        assert list(drawn[name]) == beside[name][:8], name


def test_a_head_of_one_programme_gets_no_other(pack):
    own = pack("internal", "funnel", programs=(HUSBANDRY,))
    assert own == pack("internal", "funnel", HUSBANDRY)
    assert pack("internal", "funnel", LAW, programs=(HUSBANDRY,)) is None


@pytest.mark.parametrize("program", [None, *sorted(PLAN)])
def test_the_page_hides_the_same_counts_in_its_charts_as_side_by_side(pack, program):
    dean = scope_for(Account("dekan", "Dekan", "leadership"))
    with current_session.as_reader(dean, "en"), stores.one_run():
        given = Given(GroupFilter("late", program))
        told, funnel = told_of(given), parts.funnel_chart(given).table
        chosen = cohorts_of(given)
        counted = judged(given, chosen)[0].values()
        rows = side_by_side._table(given, sorted(chosen)).to_dict("records")
    # What the store has counted and what is counted of students who are alike are the same.
    assert {name: told.values[name] for name in counted if name[0] != "all"} == {
        name: n for name, n in counted.items() if name[0] != "all"
    }
    told_today = funnel.set_index(EN("column.cohort"))
    counts = told_today.map(lambda cell: cell if isinstance(cell, int) else 0).to_numpy()
    assert not ((counts > 0) & (counts < THRESHOLD)).any()
    places = 0
    for row in rows:
        for state in ("on_time", "left"):
            by_term = (state, row["cohort_term"], row["term"])
            today = ("cohort", row["cohort_term"], state)
            if told.values.get(by_term) == told.values[today] and row[state] is not None:
                shown = told_today.loc[EN.term(row["cohort_term"]), EN(f"state_of.{state}")]
                assert (row[state] == MARK) == (shown == MARK), (program, by_term)
                places += 1
    assert places
