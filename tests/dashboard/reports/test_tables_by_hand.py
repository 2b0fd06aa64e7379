"""Every profile on the register of 40 students; each expected figure was worked out by hand from the file."""

import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.model import CLOSED, EMPTY, MISSING, NOT_YET, OPEN, SUPPRESSED, Override
from dashboard.reports.profile import load_profile
from dashboard.reports.table import compute_table

DASH = None


@pytest.fixture
def compute(flow, active, ts2025):
    def run(profile_id, level="S1", **options):
        return compute_table(load_profile(profile_id, level), flow, ts2025, active=active, **options)

    return run


def column(table, key):
    return [table.cell(row.key, key).value for row in table.rows]


def states(table, key):
    return [table.cell(row.key, key).state for row in table.rows]


def test_table_8c_of_s1_equals_the_hand_count(compute):
    table = compute("iaps40-8c")
    assert column(table, "accepted") == [7, 7, 6, 4]
    graduated = [[table.cell(row.key, f"graduated@{year}").value for year in YEARS] for row in table.rows]
    assert graduated == [
        [DASH, DASH, DASH, 2, 1, 1, 0],
        [DASH, DASH, DASH, DASH, 2, 1, 1],
        [DASH, DASH, DASH, DASH, DASH, 3, 1],
        [DASH, DASH, DASH, DASH, DASH, DASH, 2],
    ]
    assert column(table, "total") == [4, 4, 4, 2]
    # days from 1 August of the entry year: 2019: 1444, 1444, 1633, 2178; 2020: 1444, 1444, 1638, 2000; …
    days = [6699 / 4, 6526 / 4, 6136 / 4, 2878 / 2]
    assert column(table, "mean") == pytest.approx([each / 365.25 for each in days])


YEARS = ("TS-6", "TS-5", "TS-4", "TS-3", "TS-2", "TS-1", "TS")


def test_scores_of_8c_equal_the_hand_count(compute):
    table = compute("iaps40-8c")
    found = {line.indicator.key: (line.value, line.score) for line in table.lines}
    assert found["MS"] == pytest.approx((22239 / 14 / 365.25, 4))
    assert found["MS_net"][0] == pytest.approx(
        (22239 / 365.25 - 1.5) / 14
    )  # three leave terms of half a year
    assert found["PTW"] == pytest.approx((2 / 4, 4))
    assert found["PTW_pooled"][0] == pytest.approx(9 / 24)
    assert found["PPS"] == pytest.approx((4 / 7, (80 * 4 / 7 - 24) / 11))
    assert found["MDO"] == pytest.approx((4 / 24, (180 - 400 * 4 / 24) / 39))


def test_8c_counts_whom_it_leaves_out_by_reason(compute):
    reasons = {(item.reason, item.detail): item.students for item in compute("iaps40-8c").exclusions}
    assert reasons == {
        ("entry_transfer", ""): ("s15", "s35"),
        ("entry_recognised_prior_learning", ""): ("s24",),
        ("graduated_in_closed_cell", "TS-5"): ("s23",),
    }


def test_an_unknown_entry_type_is_counted_and_said(compute):
    notices = {notice.code: notice.count for notice in compute("iaps40-8c").notices}
    assert notices["entry_type_missing"] == 1
    assert "ts_not_complete" not in notices


def test_the_students_behind_a_cell_are_the_right_ones(compute):
    table = compute("iaps40-8c")
    assert table.cell("TS-6", "graduated@TS-3").students == ("s09", "s10")
    assert table.cell("TS-3", "accepted").students == ("s31", "s32", "s33", "s34")


def test_table_8a_equals_the_hand_count(compute):
    table = compute("iaps40-8a")
    assert column(table, "graduates") == [4, 6, 4]
    assert column(table, "lowest") == [2.90, 2.75, 2.70]
    assert column(table, "mean") == pytest.approx([12.70 / 4, 18.20 / 6, 12.25 / 4])
    assert column(table, "highest") == [3.70, 3.45, 3.55]
    assert table.line("RIPK").value == pytest.approx(43.15 / 14)
    assert table.line("RIPK").score == pytest.approx((8 * 43.15 / 14 - 6) / 5)


def test_table_2a_says_what_the_register_lacks_and_fills_the_rest(compute):
    table = compute("iaps40-2a")
    assert states(table, "capacity")[:5] == [MISSING] * 5
    assert [item["field"] for item in table.profile.missing] == ["capacity", "applicants", "selected"]
    assert column(table, "new_regular") == [6, 4, 0, 3, 2, 15]
    assert column(table, "new_transfer") == [0, 1, 0, 0, 0, 1]
    assert column(table, "active_regular")[:5] == [20, 21, 18, 16, 11]
    assert column(table, "active_transfer")[:5] == [2, 2, 1, 1, 1]
    assert table.line("selectivity").state == MISSING


def test_typed_in_figures_fill_2a(compute):
    years = ("TS-4", "TS-3", "TS-2", "TS-1", "TS")
    typed = {(year, "applicants"): 100 for year in years} | {(year, "selected"): 40 for year in years}
    table = compute("iaps40-2a", inputs=typed)
    assert table.cell("total", "applicants").value == 500
    assert table.line("selectivity").value == pytest.approx(2.5)


def test_table_8d_equals_the_hand_count(compute):
    table = compute("iaps51-8d")
    assert column(table, "accepted") == [4, 7, 7, 6, 4, 28]
    assert column(table, "graduates") == [2, 4, 5, 4, 2, 17]
    assert column(table, "short") == [1, 4, 4, 4, 2, 15]
    assert column(table, "long") == [1, 0, 0, 0, 0, 1]
    assert table.line("outside").value == 1  # the early graduate of 2020


def test_lam_infokom_2a3_equals_the_hand_count(compute):
    table = compute("lam-infokom20-2a3")
    found = {row.key: [table.cell(row.key, each.key).value for each in table.columns] for row in table.rows}
    assert found == {
        "new": [0, 3, 2, 5],
        "active": [19, 17, 12, 48],
        "graduated": [4, 6, 4, 14],
        "left": [1, 1, 0, 2],
    }


def test_iku1_aee_equals_the_hand_count(compute):
    table = compute("iku1-aee")
    assert column(table, "students") == [19, 17, 12]
    assert column(table, "dropouts") == [1, 1, 0]
    assert column(table, "on_time") == [2, 3, 2]
    assert column(table, "aee") == pytest.approx([2 / 18, 3 / 16, 2 / 12])
    assert column(table, "reached") == pytest.approx([4 * 2 / 18, 4 * 3 / 16, 4 * 2 / 12])


def test_iku1_reaches_the_published_example(compute):
    """45 / (250 − 10 − 15) = 20 %, which is 80 % of the S1 ideal of 25 %."""
    figures = {"students": 250, "transfers": 10, "dropouts": 15, "long_leave": 0, "on_time": 45}
    by_hand = tuple(Override("TS", key, value, "published example", "test") for key, value in figures.items())
    table = compute("iku1-aee", overrides=by_hand)
    assert table.cell("TS", "aee").value == pytest.approx(0.20)
    assert table.cell("TS", "reached").value == pytest.approx(0.80)
    assert table.cell("TS", "students").computed == 12


def test_ipeds_graduation_rates_equal_the_hand_count(compute):
    table = compute("ipeds-gr", "")
    assert column(table, "initial") == [3, 4, 7, 7, 6]
    assert column(table, "deceased") == [0, 1, 1, 0, 0]
    assert column(table, "adjusted") == [3, 3, 6, 7, 6]
    assert column(table, "within100") == [1, 1, 2, 3, 3]
    assert column(table, "within150") == [1, 1, 4, 5, DASH]
    assert column(table, "within200") == [2, 2, DASH, DASH, DASH]
    assert states(table, "rate200") == [OPEN, OPEN, NOT_YET, NOT_YET, NOT_YET]
    assert column(table, "transferred") == [0, 1, 0, 1, 0]
    assert column(table, "rate100") == pytest.approx([1 / 3, 1 / 3, 2 / 6, 3 / 7, 3 / 6])


def test_ipeds_outcome_measures_equal_the_hand_count(compute):
    table = compute("ipeds-om", "")
    assert column(table, "adjusted") == [3, 1, 4]
    assert [column(table, key) for key in ("award4", "award6", "award8")] == [[1, 1, 2], [1, 1, 2], [2, 1, 3]]
    assert column(table, "enrolled8") == [0, 0, 0]
    assert column(table, "left8") == [1, 0, 1]  # s03
    assert column(table, "rate8")[:2] == pytest.approx([2 / 3, 1])


def test_aun_qa_81_equals_the_hand_count_and_marks_immature_cohorts(compute):
    table = compute("aunqa-81", "")
    assert column(table, "size") == [6, 5, 0, 3, 2]
    assert column(table, "done3") == [0, 0, 0, DASH, DASH]
    assert column(table, "done4") == [3, 2, DASH, DASH, DASH]
    assert column(table, "done5") == [1, DASH, DASH, DASH, DASH]
    assert column(table, "out1") == [0, 0, 0, 1, DASH]
    assert column(table, "out2") == [1, 1, 0, 0, DASH]
    assert column(table, "out4") == [0, 0, DASH, DASH, DASH]
    assert states(table, "p_done3") == [OPEN, OPEN, EMPTY, NOT_YET, NOT_YET]
    assert column(table, "p_done4")[:2] == pytest.approx([3 / 6, 2 / 5])


def test_abet_public_table_equals_the_hand_count(compute):
    table = compute("abet-public", "")
    assert column(table, "new") == [6, 5, 0, 3, 2]
    assert column(table, "enrolled") == [22, 24, 19, 17, 12]
    assert column(table, "graduates") == [2, 4, 4, 6, 4]


@pytest.mark.parametrize(
    ("level", "first_open"),
    [
        ("D3", {"TS-4": "TS-2", "TS-3": "TS-1", "TS-2": "TS"}),
        ("S1", {"TS-6": "TS-3", "TS-5": "TS-2", "TS-4": "TS-1", "TS-3": "TS"}),
        ("D4", {"TS-6": "TS-3", "TS-5": "TS-2", "TS-4": "TS-1", "TS-3": "TS"}),
        ("S2", {"TS-3": "TS-2", "TS-2": "TS-1", "TS-1": "TS"}),
        ("S3", {"TS-6": "TS-4", "TS-5": "TS-3", "TS-4": "TS-2", "TS-3": "TS-1", "TS-2": "TS"}),
    ],
)
def test_each_level_of_8c_opens_its_cells_where_the_instrument_does(flow, level, first_open):
    table = compute_table(load_profile("iaps40-8c", level), flow, Selection(2025, "55201", "", level))
    assert [row.key for row in table.rows] == list(first_open)
    for row, opens in first_open.items():
        columns = [each for each in table.columns if each.group == "graduated"]
        shown = [each.key.split("@")[1] for each in columns if table.cell(row, each.key).state != CLOSED]
        assert shown[0] == opens and shown[-1] == "TS"


def test_a_ts_that_the_register_has_not_reached_is_not_computed(flow, active):
    later = Selection(2026, "55201", "Informatika", "S1")
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, later, active=active)
    assert table.cell("TS-6", "graduated@TS").state == NOT_YET
    assert table.line("PTW").state == NOT_YET and table.line("PTW").score is None
    assert "ts_not_complete" in {notice.code for notice in table.notices}


def test_an_earlier_ts_does_not_see_what_came_later(flow, active):
    earlier = Selection(2023, "55201", "Informatika", "S1")
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, earlier, active=active)
    assert table.cell("TS-4", "total").value == 3  # cohort 2019 up to July 2024: s09, s10, s11


def test_a_programme_without_students_prints_dashes_and_no_zero_rates(flow):
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, Selection(2025, "none", "", "S1"))
    assert column(table, "accepted") == [0, 0, 0, 0]
    assert states(table, "mean") == [EMPTY] * 4
    assert {line.state for line in table.lines if line.indicator.scored} == {EMPTY}
    assert SUPPRESSED not in states(table, "accepted")
