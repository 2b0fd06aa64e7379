"""What a public table hides, on a table small enough to be worked out by hand: two rows, seven columns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.model import NOT_YET, SUPPRESSED, Cell, Line, Override, ReportTable
from dashboard.reports.profile_parts import Column, Indicator, Profile, Row
from dashboard.reports.suppress import Hiding, rounded, suppress, to_hide
from dashboard.reports.told import Disclosure

COLUMNS = (
    Column("n", {}, "measure", total=True),
    Column("part", {}, "measure"),
    Column("gpa", {}, "measure", aggregate="mean:gpa_final", format="0.00"),
    Column("years", {}, "measure", aggregate="mean:study_years", format="0.0"),
    Column("least", {}, "measure", aggregate="min:gpa_final", format="0.00"),
    Column("rate", {}, "formula", formula="part / n", format="0.0%"),
    Column("twice", {}, "formula", formula="rate * 2", format="0.00"),
    Column("both", {}, "formula", formula="n + part", format="0"),
)
INDICATORS = (
    Indicator("counted", {}, format="0"),
    Indicator("mean", {}, aggregate="mean:gpa_final"),
    Indicator("best", {}, aggregate="max:gpa_final"),
    Indicator("whole", {}, formula="sum(n)", format="0"),
    Indicator("share", {}, formula="sum(part) / sum(n)", format="0.0%"),
    Indicator("of_share", {}, formula="share * 2"),
    Indicator("of_whole", {}, formula="whole / 3"),
)
PROFILE = Profile(
    *("p", "1", "an instrument", "1", "S1", ("S1",), "", {}, {}, (), (), ()),
    rows=(Row("a", {}), Row("b", {})),
    columns=COLUMNS,
    indicators=INDICATORS,
    constants={},
    notes=(),
    missing=(),
    parts=(),
    total_label={},
    source={},
)
FORMULAS = {column.key: column.formula for column in COLUMNS}


def people(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"s{number:03d}" for number in range(first, last + 1))


def table(cells: dict, lines: dict | None = None, **parts) -> ReportTable:
    """Cells and lines as (value, students)."""
    made = {}
    for (row, key), (value, students) in cells.items():
        formula = "sum(n)" if row == "total" else FORMULAS[key]
        kind = "formula" if formula else "measure"
        made[row, key] = Cell(row, key, kind, value, formula=formula, students=students, computed=value)
    told = tuple(
        Line(one, *(lines or {})[one.key][:1], "open", 4.0, (lines or {})[one.key][1])
        for one in INDICATORS
        if one.key in (lines or {})
    )
    selection = Selection(2025, "P", "A programme", "S1")
    return ReportTable(PROFILE, selection, None, made, told, (), (), **parts)


def hidden_cells(public: ReportTable) -> set:
    return {address for address, cell in public.cells.items() if cell.state == SUPPRESSED}


def hidden_lines(public: ReportTable) -> set:
    gone = {line.indicator.key for line in public.lines if line.state == SUPPRESSED}
    assert all(line.value is None and line.score is None for line in public.lines if line.state == SUPPRESSED)
    return gone


FULL = table(
    {
        ("a", "n"): (20, people(1, 20)),
        ("a", "part"): (9, people(1, 9)),
        ("a", "gpa"): (3.14159, people(1, 5)),
        ("a", "years"): (4.26, people(10, 15)),
        ("a", "least"): (2.5, people(1, 20)),
        ("a", "rate"): (0.45678, ()),
        ("a", "twice"): (0.91356, ()),
        ("a", "both"): (29, ()),
        ("b", "n"): (30, people(21, 50)),
        ("b", "part"): (10, people(21, 30)),
        ("b", "gpa"): (3.0, people(21, 24)),
        ("b", "rate"): (0.33333, ()),
        ("b", "twice"): (0.66666, ()),
        ("total", "n"): (50, ()),
    },
    {
        "counted": (12, people(1, 12)),
        "mean": (3.14159, people(1, 5)),
        "best": (4.0, people(1, 50)),
        "whole": (50, ()),
        "share": (0.38123, ()),
        "of_share": (0.76246, ()),
        "of_whole": (16.66666, ()),
    },
)


COUNTS = {
    ("a", "n"): (20, people(1, 20)),
    ("a", "part"): (9, people(1, 9)),
    ("b", "n"): (30, people(21, 50)),
    ("b", "part"): (10, people(21, 30)),
}


@pytest.mark.parametrize(
    ("value", "number_format", "printed"),
    [
        (3.14159, "0.00", 3.14),
        (2.71, "0", 3.0),
        (0.45678, "0.0%", 0.457),
        (0.45678, "0%", 0.46),
        (0.45678, "0.00%", 0.4568),
        (12.5551, "0.000", 12.555),
    ],
)
def test_a_number_keeps_the_digits_that_its_format_prints(value, number_format, printed):
    assert rounded(value, number_format) == pytest.approx(printed, abs=1e-12)


def test_where_no_count_is_hidden_only_means_of_few_and_extremes_are():
    public = suppress(FULL, hidden=frozenset())
    assert hidden_cells(public) == {("a", "least"), ("b", "gpa")}  # one student's figure; four students
    assert public.cell("a", "gpa").value == 3.14 and public.cell("a", "years").value == 4.3  # five, six
    assert public.cell("a", "rate").value == 0.457 and public.cell("a", "n").value == 20
    assert all(cell.students == () and cell.computed is None for cell in public.cells.values())


def test_below_the_threshold_asked_for_a_mean_is_of_few():
    assert ("a", "gpa") in hidden_cells(suppress(FULL, threshold=6, hidden=frozenset()))
    assert ("b", "gpa") not in hidden_cells(suppress(FULL, threshold=4, hidden=frozenset()))


def test_with_a_count_go_the_means_about_its_students_and_the_rates_that_read_it():
    public = suppress(FULL, hidden=frozenset({("a", "part")}))
    gone = {("a", "part"), ("a", "gpa"), ("a", "rate"), ("a", "twice"), ("a", "least"), ("b", "gpa")}
    assert hidden_cells(public) == gone  # the mean of years is about others
    assert all(public.cells[address].value is None for address in gone)
    assert public.cell("a", "both").value == 29  # a sum: judged with the counts, not here
    assert public.cell("b", "rate").value == 0.333  # another row


def test_a_hidden_count_that_names_nobody_takes_every_mean_of_its_row_along():
    unnamed = table({**told(FULL), ("a", "part"): (9, ())})
    public = suppress(unnamed, hidden=frozenset({("a", "part")}))
    assert {("a", "gpa"), ("a", "years")} <= hidden_cells(public)
    assert ("b", "years") not in public.cells and public.cell("b", "rate").state == "open"


def test_a_hidden_row_of_totals_stands_for_itself():
    public = suppress(FULL, hidden=frozenset({("total", "n")}))
    assert ("total", "n") in hidden_cells(public)
    assert ("a", "rate") not in hidden_cells(public) and ("a", "gpa") not in hidden_cells(public)


def test_lines_where_no_cell_is_hidden():
    calm = table(COUNTS, lines(FULL))
    public = suppress(calm, hidden=frozenset())
    assert hidden_lines(public) == {"best"}
    values = {line.indicator.key: line.value for line in public.lines if line.value is not None}
    assert values == {
        "counted": 12,
        "mean": 3.14,
        "whole": 50,
        "share": 0.381,
        "of_share": 0.76,
        "of_whole": 16.67,
    }
    assert all(line.students == () for line in public.lines)
    assert public.line("mean").score == 4.0


def test_a_line_that_is_a_mean_of_four_is_hidden_and_one_of_five_is_not():
    few = table(COUNTS, {"mean": (3.1, people(1, 4))})
    assert hidden_lines(suppress(few, hidden=frozenset())) == {"mean"}
    assert hidden_lines(suppress(few, threshold=4, hidden=frozenset())) == set()


def test_a_mean_of_many_stays_and_what_cannot_be_told_yet_says_so():
    public = suppress(table(COUNTS, {"mean": (3.14159, people(1, 12))}), hidden=frozenset())
    assert public.line("mean").value == 3.14
    waiting = table({**COUNTS, ("a", "gpa"): (None, ())}, {"mean": (None, ())})
    later = waiting.with_parts(
        cells={
            at: replace(cell, state=NOT_YET) if at[1] == "gpa" else cell for at, cell in waiting.cells.items()
        },
        lines=tuple(replace(line, state=NOT_YET, score=None) for line in waiting.lines),
    )
    public = suppress(later, hidden=frozenset())
    assert public.cell("a", "gpa").state == public.line("mean").state == NOT_YET  # of nobody is not of few


@pytest.mark.parametrize(
    ("hidden", "gone"),
    [
        ({("line", "counted")}, {"counted", "best"}),
        ({("line", "whole")}, {"whole", "of_whole", "best"}),  # and what is worked out from it
        ({("a", "n")}, {"counted", "mean", "best", "share", "of_share"}),  # the sum was judged with the cells
        (
            {("a", "part"), ("line", "whole")},
            {"counted", "mean", "best", "share", "of_share", "whole", "of_whole"},
        ),
    ],
)
def test_lines_follow_what_they_rest_on(hidden, gone):
    assert hidden_lines(suppress(table(COUNTS, lines(FULL)), hidden=frozenset(hidden))) == gone


def test_a_figure_by_hand_is_hidden_with_its_cell():
    change = Override("a", "part", 9, "a list was found", "test")
    by_hand = table(told(FULL), overrides=(change,), counts={"counted": 50, "read": 60, "few": 4})
    assert suppress(by_hand, hidden=frozenset()).overrides[0].value == 9
    public = suppress(by_hand, hidden=frozenset({("a", "part")}))
    assert public.overrides[0].value is None
    assert public.counts == {"read": 60, "few": -1}
    calm = table({("a", "n"): (20, people(1, 20))}, counts={"counted": 50, "one": 1, "five": 5, "none": 0})
    assert suppress(calm, hidden=frozenset()).counts == {"counted": 50, "one": -1, "five": 5, "none": 0}


def test_a_mean_that_another_file_turns_into_one_students_figure_is_hidden():
    out = table({("a", "gpa"): (3.0, people(1, 5))})
    own = table({("b", "gpa"): (3.1, people(1, 6)), ("b", "years"): (4.1, people(1, 6))})
    assert to_hide(own, [Disclosure(out)]).addresses == {("b", "gpa")}  # six times less five: the sixth
    assert to_hide(own, [Disclosure(out, frozenset({("a", "gpa")}))]).addresses == frozenset()
    assert to_hide(own).addresses == frozenset()
    other = table({("a", "years"): (4.0, people(1, 5))})
    assert to_hide(own, [Disclosure(other)]).addresses == {("b", "years")}
    far = table({("a", "gpa"): (3.0, people(1, 12))})
    assert to_hide(own, [Disclosure(far)]).addresses == frozenset()  # the other six: enough


def test_the_mean_that_tells_is_found_among_many():
    out = [
        Disclosure(table({("a", "gpa"): (3.0, students)}))
        for students in (people(1, 5), people(11, 30), people(31, 50))
    ]
    own = table({("a", "gpa"): (3.2, people(60, 80)), ("b", "gpa"): (3.1, people(1, 6))})
    assert to_hide(own, out).addresses == {("b", "gpa")}


def test_what_two_files_that_are_out_tell_together_hides_nothing_new():
    out = [Disclosure(table({("a", "gpa"): (3.0, students)})) for students in (people(1, 5), people(1, 6))]
    own = table({("a", "gpa"): (3.2, people(60, 80)), ("b", "gpa"): (3.1, people(40, 59))})
    assert to_hide(own, out).addresses == frozenset()


def test_of_two_means_of_one_table_one_is_hidden():
    own = table({("a", "gpa"): (3.1, people(1, 6)), ("b", "gpa"): (3.0, people(1, 5))})
    assert len(to_hide(own).addresses) == 1


def test_what_is_out_stays_out_and_what_is_new_is_hidden():
    out = [Disclosure(table({("a", "n"): (10, people(1, 10))}))]
    own = table({("b", "n"): (7, people(1, 7))})
    assert to_hide(own).addresses == frozenset()
    assert to_hide(own, out) == Hiding(frozenset({("b", "n")}))  # ten less seven are three
    larger = table({("b", "n"): (5, people(1, 5))})
    assert to_hide(larger, out).addresses == frozenset()
    both = [*out, Disclosure(table({("a", "n"): (7, people(1, 7))}))]
    told_already = to_hide(table({("b", "n"): (30, people(31, 60))}), both)
    assert told_already == Hiding(frozenset(), 1)


def test_a_small_count_of_a_table_to_come_is_kept_secret_now():
    own = table(
        {
            ("a", "n"): (12, people(1, 12)),
            ("b", "n"): (15, people(10, 24)),
            ("a", "part"): (24, people(1, 24)),  # 12 + 15 - 24 are in both: 3
        }
    )
    assert to_hide(own).addresses == frozenset()
    later = table({("b", "part"): (3, people(10, 12))})
    assert len(to_hide(own, to_come=[later]).addresses) == 1
    assert to_hide(own, to_come=[table({("b", "part"): (40, people(1, 40))})]).addresses == frozenset()


def told(given: ReportTable) -> dict:
    return {address: (cell.value, cell.students) for address, cell in given.cells.items()}


def lines(given: ReportTable) -> dict:
    return {line.indicator.key: (line.value, line.students) for line in given.lines}
