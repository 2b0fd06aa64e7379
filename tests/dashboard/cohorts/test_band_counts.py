"""Counts of bands in two charts, a file and the figures above them: nothing of few by subtraction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dashboard.cohorts.band_counts import LEAST_WITH_REASONS, RISK, counts_of, hidden_bands
from data.columns import BANDS
from data.trust.small_cells import THRESHOLD, TOTAL


def frame_of(rows):
    return pd.DataFrame(rows, columns=["program", "cohort", "band", "students"])


# Of Law 3 at very high risk; no row of the cohorts is of few. The cohorts have 10 + 12 of the band, Art 19.
EXPOSED = frame_of(
    [
        *[("Law", "2023", "very_high", 3), ("Art", "2023", "very_high", 7), ("Art", "2024", "very_high", 12)],
        *[(p, c, band, 20) for p in ("Law", "Art") for c in ("2023", "2024") for band in BANDS[:3]],
    ]
)


def narrowed(frame, hidden) -> list[tuple]:
    """Counts of 1 to 4 of one chart that an attacker narrows to fewer than five values.

    The attacker knows that every cell of programme, cohort and band has nobody or more, every count of a row
    that is told, and the figures above the charts.
    """
    cells = frame.groupby(["program", "cohort", "band"])["students"].sum()
    table = cells.index.to_frame(index=False)
    known, values = _told(table, cells.to_numpy(), counts_of(frame), hidden)
    small = [(by, name, band, n) for by, name, band, n in _each(counts_of(frame)) if 0 < n < THRESHOLD]
    goals = [((table[by] == name) & (table["band"] == band)).to_numpy(float) for by, name, band, _ in small]
    widths = [_width(goal, known, values) for goal in goals]
    return [one for one, width in zip(small, widths, strict=True) if width < THRESHOLD - 1 - 1e-6]


def _each(counts):
    return [
        (by, name, band, n)
        for by, groups in counts.items()
        for name, bands in groups.items()
        for band, n in bands.items()
    ]


def _told(table, students, counts, hidden):
    """Which cells each figure that is told adds up, and the figure."""
    known, values = [], []
    for by, name in {(by, name) for by, name, _, _ in _each(counts)}:
        for part in (*BANDS, TOTAL, RISK):
            inside = (table[by] == name).to_numpy() & _within(table, part)
            n = int(students[inside].sum())
            reasons = part == RISK and by == "program" and n < LEAST_WITH_REASONS
            if part not in hidden[by][name] and not reasons:
                known.append(inside)
                values.append(n)
    for part in (TOTAL, RISK):
        inside = _within(table, part)
        if not 0 < students[inside].sum() < THRESHOLD:
            known.append(inside)
            values.append(int(students[inside].sum()))
    return known, values


def _within(table, part):
    parts = {TOTAL: BANDS, RISK: ("high", "very_high")}.get(part, (part,))
    return table["band"].isin(parts).to_numpy()


def _width(goal, known, values) -> float:
    ends = []
    for sign in (1.0, -1.0):
        rows = {"A_eq": np.array(known, float), "b_eq": values} if known else {}
        answer = linprog(sign * goal, bounds=(0, None), method="highs", **rows)
        ends.append(sign * answer.fun if answer.status == 0 else -sign * np.inf)
    return ends[1] - ends[0]


def test_what_the_other_chart_gives_away_is_hidden_too():
    counts = counts_of(EXPOSED)
    assert counts["program"]["Law"]["very_high"] == 3
    alone = {by: dict.fromkeys(groups, frozenset()) for by, groups in counts.items()}
    alone["program"]["Law"] = frozenset({"very_high", "high", RISK})  # what the row hides by itself
    assert ("program", "Law", "very_high", 3) in narrowed(EXPOSED, alone)
    hidden = hidden_bands(counts)
    assert "very_high" in hidden["program"]["Law"]
    assert narrowed(EXPOSED, hidden) == []


def test_counts_of_many_are_all_told():
    rows = [(p, c, band, 30) for p in ("Law", "Art") for c in ("2023", "2024") for band in BANDS]
    hidden = hidden_bands(counts_of(frame_of(rows)))
    assert not any(parts for groups in hidden.values() for parts in groups.values())


def test_a_group_of_few_is_hidden_with_its_zeros_and_nobody_at_all_is_no_error():
    rows = [*[("Law", "2023", band, 40) for band in BANDS], ("Art", "2024", "low", 2)]
    hidden = hidden_bands(counts_of(frame_of(rows)))
    assert {*BANDS, TOTAL} <= hidden["program"]["Art"] & hidden["cohort"]["2024"]
    assert hidden_bands(counts_of(frame_of([]))) == {"program": {}, "cohort": {}}


CELL = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 9, 15, 40])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=6, max_size=6))
def test_no_register_gives_few_away(cells):
    places = [(program, cohort) for program in ("A", "B", "C") for cohort in ("1", "2")]
    rows = [
        (*at, band, n)
        for at, row in zip(places, cells, strict=True)
        for band, n in zip(BANDS, row, strict=True)
    ]
    frame = frame_of(rows)
    assert narrowed(frame, hidden_bands(counts_of(frame))) == []


@pytest.mark.parametrize("program", ["Law", "Art"])
def test_one_programme_alone_is_judged_as_well(program):
    frame = EXPOSED[EXPOSED["program"] == program].reset_index(drop=True)
    assert narrowed(frame, hidden_bands(counts_of(frame))) == []
