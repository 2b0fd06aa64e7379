"""An attacker who knows every printed figure and every sum of the table must not get a small cell back.

The attack is written apart from the code it tries: an integer programme (scipy ``milp``) over its own reading
of the table, with equations typed in here and not taken from the profile.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from dashboard.reports.conditions import Selection
from dashboard.reports.model import FEW, SUPPRESSED, Override
from dashboard.reports.profile import load_profile
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table

YEARS = ("TS-6", "TS-5", "TS-4", "TS-3", "TS-2", "TS-1", "TS")


def recover(public, equations, target):
    """Smallest and largest integer that ``target`` can be, given the printed cells and the equations."""
    names = sorted({name for equation in equations for name in equation})
    low, high = np.zeros(len(names)), np.full(len(names), 10_000.0)
    for at, name in enumerate(names):
        if public.get(name) is not None:
            low[at] = high[at] = public[name]
    rows = np.array([[equation.get(name, 0) for name in names] for equation in equations], dtype=float)
    found = []
    for sign in (1, -1):
        goal = np.array([sign * (name == target) for name in names], dtype=float)
        answer = milp(goal, constraints=LinearConstraint(rows, 0, 0), integrality=1, bounds=Bounds(low, high))
        assert answer.success
        found.append(round(sign * answer.fun))
    return found


def equations_of_8c(table):
    """Row sums, and: admitted = graduated + the rest."""
    equations = []
    for row in table.profile.rows:
        open_cells = [
            f"graduated@{y}" for y in YEARS if (cell(table, row.key, f"graduated@{y}")).state != "closed"
        ]
        equations.append({(row.key, "total"): -1} | {(row.key, name): 1 for name in open_cells})
        equations.append({(row.key, "accepted"): -1, (row.key, "total"): 1, (row.key, "rest"): 1})
    diagonal = {(row, f"graduated@{YEARS[at + 3]}"): 1 for at, row in enumerate(YEARS[:4])}
    return [*equations, {("line", "on_time"): -1} | diagonal]


def printed_of_8c(public):
    """Every count that the public table prints, the pooled one below it included."""
    printed = {key: public.cell(*key).value for key in public.cells}
    return printed | {("line", "on_time"): public.line("on_time").value}


def cell(table, row, key):
    return table.cell(row, key)


def table_of(flow, counts):
    """Table 8.c with counts set by hand: {row: (rest, open cells…)}."""
    profile = load_profile("iaps40-8c", "S1")
    changes = []
    for row, (rest, *graduated) in counts.items():
        start = YEARS.index(row) + 3
        changes += [(row, f"graduated@{YEARS[start + at]}", n) for at, n in enumerate(graduated)]
        changes.append((row, "accepted", rest + sum(graduated)))
    overrides = tuple(Override(row, key, n, "attack", "test") for row, key, n in changes)
    return compute_table(profile, flow, Selection(2025, "none", "", "S1"), overrides=overrides)


counts = st.integers(0, 30)


@settings(max_examples=25, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "TS-6": st.tuples(counts, counts, counts, counts, counts),
            "TS-5": st.tuples(counts, counts, counts, counts),
            "TS-4": st.tuples(counts, counts, counts),
            "TS-3": st.tuples(counts, counts),
        }
    )
)
def test_no_small_count_of_8c_can_be_recovered_from_sums(flow, figures):
    table = table_of(flow, figures)
    public = suppress(table)
    printed = printed_of_8c(public)
    equations = equations_of_8c(table)
    secret = {key: table.cell(*key).value for key in table.cells}
    secret["line", "on_time"] = table.line("on_time").value
    secret |= {(row, "rest"): parts[0] for row, parts in figures.items()}
    for name in {name for equation in equations for name in equation}:
        if 0 < (secret[name] or 0) < 5:
            low, high = recover(printed, equations, name)
            assert high - low >= 4, f"{name} narrowed to {low}–{high}"


def test_no_small_count_of_a_table_with_both_totals_can_be_recovered(flow):
    profile = load_profile("iaps51-8d", "S1")
    figures = {
        "TS-7": (40, 30, 28, 2),
        "TS-6": (35, 20, 17, 3),
        "TS-5": (50, 44, 40, 4),
        "TS-4": (60, 30, 30, 0),
    }
    figures["TS-3"] = (20, 9, 9, 0)
    keys = ("accepted", "graduates", "short", "long")
    overrides = tuple(
        Override(row, key, n, "attack", "test")
        for row, numbers in figures.items()
        for key, n in zip(keys, numbers, strict=True)
    )
    table = compute_table(profile, flow, Selection(2025, "none", "", "S1"), overrides=overrides)
    public = suppress(table)
    rows = [row.key for row in profile.rows]
    equations = [{("total", key): -1} | {(row, key): 1 for row in rows} for key in keys]
    for row in [*rows, "total"]:
        equations.append({(row, "accepted"): -1, (row, "graduates"): 1, (row, "rest"): 1})
        equations.append({(row, "graduates"): -1, (row, "short"): 1, (row, "long"): 1, (row, "other"): 1})
    printed = {key: public.cell(*key).value for key in public.cells}
    for row in ("TS-7", "TS-6", "TS-5"):
        assert public.cell(row, "long").state == SUPPRESSED
        low, high = recover(printed, equations, (row, "long"))
        assert high - low >= 4, f"{row} narrowed to {low}–{high}"


def test_hiding_only_the_small_cells_would_have_been_broken(flow):
    """The attack has teeth: without complements it gets the cell back."""
    table = table_of(
        flow, {"TS-6": (20, 30, 3, 12, 9), "TS-5": (9, 9, 9, 9), "TS-4": (9, 9, 9), "TS-3": (9, 9)}
    )
    naive = {key: None if 0 < (cell.value or 0) < 5 else cell.value for key, cell in table.cells.items()}
    assert recover(naive, equations_of_8c(table), ("TS-6", "graduated@TS-2")) == [3, 3]
    safe = suppress(table)
    printed = printed_of_8c(safe)
    low, high = recover(printed, equations_of_8c(table), ("TS-6", "graduated@TS-2"))
    assert high - low >= 4


def test_a_pooled_sum_gives_no_hidden_cell_back_and_what_no_formula_ties_to_one_is_hidden(flow):
    """Graduates on time are the diagonal: with the rest of it they would give its hidden cell back."""
    table = table_of(
        flow, {"TS-6": (20, 3, 40, 12, 9), "TS-5": (9, 9, 9, 9), "TS-4": (9, 9, 9), "TS-3": (9, 9)}
    )
    public = suppress(table)
    assert public.cell("TS-6", "graduated@TS-3").state == SUPPRESSED
    low, high = recover(printed_of_8c(public), equations_of_8c(table), ("TS-6", "graduated@TS-3"))
    assert high - low >= 4
    naive = printed_of_8c(table) | {("TS-6", key): None for key in ("graduated@TS-3", "graduated@TS", "rest")}
    assert recover(naive, equations_of_8c(table), ("TS-6", "graduated@TS-3")) == [
        3,
        3,
    ]  # the attack has teeth
    assert {public.line(key).state for key in ("MS_net", "MDO")} == {SUPPRESSED}


def test_a_rate_over_a_hidden_count_is_hidden_with_its_score(flow, ts2025):
    public = suppress(compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025))
    for key in ("PTW", "PPS", "MS", "MDO", "MS_net"):
        assert (public.line(key).state, public.line(key).value, public.line(key).score) == (
            SUPPRESSED,
            None,
            None,
        )


def test_a_mean_of_fewer_than_five_is_hidden(flow, ts2025):
    public = suppress(compute_table(load_profile("iaps40-8a", "S1"), flow, ts2025))
    assert [public.cell(row, "mean").state for row in ("TS-2", "TS-1", "TS")] == [
        SUPPRESSED,
        "open",
        SUPPRESSED,
    ]
    assert public.line("RIPK").state == SUPPRESSED


def test_nothing_that_leaves_names_a_student_or_a_small_number(flow, ts2025):
    public = suppress(compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025))
    assert public.external
    assert not any(cell.students or cell.computed for cell in public.cells.values())
    assert not any(line.students for line in public.lines)
    assert all(item.students == () and item.count == FEW for item in public.exclusions)
    assert {notice.count for notice in public.notices} <= {FEW, 0}


def test_large_counts_and_zeros_stay(flow):
    table = table_of(
        flow, {"TS-6": (20, 30, 0, 12, 9), "TS-5": (9, 9, 9, 9), "TS-4": (9, 9, 9), "TS-3": (9, 9)}
    )
    public = suppress(table)
    for address, shown in public.cells.items():
        if address[1] != "mean":
            assert shown.value == table.cells[address].value


def test_a_threshold_below_two_is_refused(flow, ts2025):
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025)
    with pytest.raises(ValueError, match="threshold"):
        suppress(table, threshold=1)
    assert suppress(table, threshold=2).external


def test_below_the_table_a_number_is_told_from_five_on_and_nobody_is_told_too(flow, ts2025):
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025)
    left_out, note = table.exclusions[0], table.notices[0]
    numbers = (0, 1, 4, 5, 6)
    table = table.with_parts(
        exclusions=tuple(replace(left_out, count=number) for number in numbers),
        notices=(replace(note, code="no_outcome_row", count=6), replace(note, code="other", count=6)),
        counts={"counted": 60, "read": 60},
    )
    public = suppress(table)
    assert [item.count for item in public.exclusions] == [0, FEW, FEW, 5, 6]
    assert [item.count for item in public.notices] == [0, 6]
    assert any(cell.state == SUPPRESSED for cell in public.cells.values())
    assert public.counts == {"read": 60}  # how many were counted would give a hidden cell back


def test_a_mean_over_many_is_hidden_with_the_counts_that_it_rests_on(flow, ts2025):
    profile = load_profile("iaps40-8c", "S1")
    small = compute_table(profile, flow, ts2025)
    row, few, many = next(
        (row.key, few, many)
        for row in profile.rows
        for few, many in permutations([key for key in small_cells(small, row.key)], 2)
    )
    twins = flow[flow["student_key"] == small.cell(row, many).students[0]]
    copies = [twins.assign(student_key=f"twin{number}") for number in range(8)]
    table = compute_table(profile, pd.concat([flow, *copies], ignore_index=True), ts2025)
    assert len(table.cell(row, "mean").students) >= 9  # enough by themselves
    public = suppress(table)
    assert public.cell(row, few).state == SUPPRESSED
    assert public.cell(row, "mean").state == SUPPRESSED


def small_cells(table, row: str) -> list[str]:
    """Counts of graduates of a row that are between one and four."""
    cells = [key for at, key in table.cells if at == row and key.startswith("graduated@")]
    return [key for key in cells if 0 < (table.cell(row, key).value or 0) < 5]
