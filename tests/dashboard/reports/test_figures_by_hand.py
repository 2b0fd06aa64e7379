"""Figures set by hand: refused where they cannot be, listed wherever printed, kept with their report."""

import io
import math

import openpyxl
import pytest

from dashboard.reports.by_hand import figures_of, read_figures
from dashboard.reports.csv_long import to_long
from dashboard.reports.model import FiguresRefused, Override
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance, from_content, to_content
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from dashboard.reports.xlsx import to_xlsx
from dashboard.reports.xlsx_sheets import override_lines

HEAD = "profile,program_code,ts,row,column,value,reason,by,second_reason\n"


@pytest.fixture
def compute(flow, active, ts2025):
    def run(*changes, profile="iaps40-8c", **options):
        made = tuple(Override(*each) for each in changes)
        return compute_table(
            load_profile(profile, "S1"), flow, ts2025, active=active, overrides=made, **options
        )

    return run


def test_every_override_is_listed_in_external_files_too(compute):
    changes = [
        ("TS-3", "accepted", 40, "found in the archive", "siti"),
        ("TS-6", "graduated@TS-3", 3, "moved", "siti"),
    ]
    table = compute(*changes)
    assert override_lines(table, "en") == [
        "TS-3 / accepted: Value of the register 4 → New value 40; found in the archive (siti)",
        "TS-6 / graduated@TS-3: Value of the register 2 → New value 3; moved (siti)",
    ]
    hidden = suppress(table)  # 40 may be shown, 3 may not, and neither may what the register said
    assert override_lines(hidden, "en") == [
        "TS-3 / accepted: New value 40; found in the archive (siti)",
        "TS-6 / graduated@TS-3: New value *; moved (siti)",
    ]
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(hidden, ReportProvenance(), "en")))
    said = [cell.value for row in book["Provenance"].iter_rows() for cell in row]
    assert "TS-3 / accepted: New value 40; found in the archive (siti)" in said
    marked = to_long(hidden, ReportProvenance()).query("overridden")
    assert set(zip(marked["row"], marked["column"], strict=True)) == {
        (row, column) for row, column, *_ in changes
    }


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_figure_that_is_none_is_refused(compute, value):
    with pytest.raises(FiguresRefused, match="TS-3/accepted must be a number >= 0"):
        Override("TS-3", "accepted", value, "why", "siti")
    with pytest.raises(FiguresRefused, match="TS/applicants must be a number >= 0"):
        compute(profile="iaps40-2a", inputs={("TS", "applicants"): value})


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        ("TS-9", "accepted", "no cell TS-9/accepted"),
        ("TS-3", "admitted", "no cell TS-3/admitted"),
        ("TS-3", "total", "computed from others"),
        ("TS-3", "graduated@TS-3", "closed"),
    ],
)
def test_a_cell_that_does_not_exist_or_is_not_open_is_refused(compute, row, column, said):
    with pytest.raises(FiguresRefused, match=said):
        compute((row, column, 5, "why", "siti"))


def test_more_graduates_than_admitted_need_a_second_reason(compute):
    change = ("TS-3", "graduated@TS", 9, "typed", "siti")  # 4 were admitted
    with pytest.raises(FiguresRefused, match=r"row TS-3: total are 9, more than accepted 4"):
        compute(change)
    table = compute((*change, "five came back from another campus"))
    assert table.line("PTW").value == pytest.approx(9 / 4)
    assert override_lines(table, "en")[0].endswith("typed; five came back from another campus (siti)")
    assert from_content(to_content(table)).overrides == table.overrides


def test_a_figure_by_hand_never_makes_a_count_negative(flow, ts2025):
    with pytest.raises(FiguresRefused, match="first_time/adjusted negative: -6"):
        compute_table(load_profile("ipeds-om"), flow, ts2025, inputs={("first_time", "other_exclusions"): 9})


def test_a_file_of_figures_stays_with_programme_and_year():
    told = HEAD + (
        "iaps40-2a,55201,2025,TS,capacity,120,,,\n"
        "iaps40-2a,55201,2024,TS,capacity,110,,,\n"
        "iaps40-2a,57401,2025,TS,capacity,60,,,\n"
        "iaps40-2a,55201,2025,TS,new_regular,31,one more in the archive,siti,\n"
    )
    lines, profile = read_figures(told.encode()), load_profile("iaps40-2a", "S1")
    inputs, overrides = figures_of(lines, profile, "55201", 2025)
    assert inputs == {("TS", "capacity"): 120}
    assert overrides == (Override("TS", "new_regular", 31, "one more in the archive", "siti"),)
    assert figures_of(lines, profile, "55201", 2024) == ({("TS", "capacity"): 110}, ())
    assert figures_of(lines, profile, "55201", 2023) == ({}, ())
    assert read_figures(told.replace(",", ";").encode("utf-8-sig")) == lines


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("iaps40-2a,55201,2025,TS,capacity,many,,,", "line 2: value must be a number, got 'many'"),
        ("iaps40-2a,55201,2025,TS,capacity,-5,,,", "line 2: the figure of TS/capacity must be a number >= 0"),
        (
            "iaps40-2a,55201,2025,TS,capacity,nan,,,",
            "line 2: the figure of TS/capacity must be a number >= 0",
        ),
        ("iaps40-2a,55201,TS,TS,capacity,5,,,", "line 2: ts must be a year"),
        ("iaps40-2a,55201,2025,TS,places,5,why,siti,", "line 2: iaps40-2a has no column 'places'"),
        ("iaps40-2a,55201,2025,TS,new_regular,5,,,", "line 2: a correction must have a reason"),
        (
            "iaps40-2a,55201,2025,TS,capacity,5,,,\niaps40-2a,55201,2025,TS,capacity,6,,,",
            "line 3: .* line 2 too",
        ),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_its_place(line, said):
    with pytest.raises(FiguresRefused, match=said):
        figures_of(read_figures((HEAD + line).encode()), load_profile("iaps40-2a", "S1"), "55201", 2025)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"profile,row\n", "missing program_code"),
        (HEAD.replace("by", "who").encode(), "'who'"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_is_none_is_refused(data, said):
    with pytest.raises(FiguresRefused, match=said):
        read_figures(data)
