"""Instruments added later, on small registers; every expected figure is worked out in the comments."""

import pandas as pd
import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.model import MISSING, NOT_KNOWN, NOT_YET
from dashboard.reports.profile import load_profile
from dashboard.reports.table import compute_table
from data.calendar.cohorts import build_flow

NORMAL = {"D3": 6, "S1": 8, "S2": 4}


def people(*groups, **shared):
    """A flow; each group is ``(level, how many, entry term, exit type, exit date)``."""
    rows = []
    for at, (level, count, cohort, exit_type, exit_date) in enumerate(groups):
        for number in range(count):
            rows.append(
                {"student_key": f"{at}-{number}", "program_code": level, "cohort_term": cohort}
                | {"entry_type": "new", "exit_type": exit_type, "exit_date": exit_date}
                | {"observed_until": "2026-08-31", "degree_level": level, "normal_terms": NORMAL[level]}
                | shared
            )
    return build_flow(pd.DataFrame(rows))


def compute(profile, flow, level="S1", **options):
    levels = load_profile(profile, level if level in ("S1", "D3", "S2") else "").levels
    asked = level if levels else ""
    chosen = Selection(2025, level if levels else "", "Prodi", asked)
    return compute_table(load_profile(profile, asked), flow, chosen, **options)


def values(table, row):
    return {column.key: table.cell(row, column.key).value for column in table.columns}


def test_the_years_in_which_once_and_twice_the_normal_time_end():
    flow = people(("S1", 1, 20181, None, None), ("D3", 1, 20182, None, None), ("S2", 1, 20241, None, None))
    # S1: 8 terms from 20181 end with 20212, 16 with 20252; D3 from 20182: 20211, 20241; S2: 20252, 20272
    assert flow["normal_end_year"].tolist() == [2021, 2021, 2025]
    assert flow["double_end_year"].tolist() == [2025, 2024, 2027]


BACHELORS = (
    ("S1", 4, 20181, "graduated", "2026-07-15"),  # twice the time ends in TS: 4 of 5, none on time
    ("S1", 1, 20181, "resigned", "2020-07-15"),
    ("S1", 5, 20201, "graduated", "2024-07-15"),  # due in TS-2: 5 of 10
    ("S1", 5, 20201, None, None),
    ("S1", 8, 20211, "graduated", "2025-07-15"),  # due in TS-1: 8 of 10
    ("S1", 2, 20211, None, None),
    ("S1", 4, 20221, "graduated", "2026-07-15"),  # due in TS: 4 of 10
    ("S1", 6, 20221, None, None),
    ("S1", 8, 20231, None, None),
    ("S1", 8, 20241, None, None),
    ("S1", 4, 20251, None, None),
)


def test_monitoring_of_ban_pt():
    table = compute("banpt-monitoring", people(*BACHELORS))
    assert values(table, "TS") == {
        "new": 4,
        "graduates": 8,
        "due": 10,
        "on_time": 4,
        "due2": 5,
        "within2": 4,
    }
    found = {line.indicator.key: (line.value, line.score) for line in table.lines}
    # entrants 10, 8, 8, 4: falls of 20 %, 0, 50 %; on time 5 + 8 + 4 of 30; twice 4 of 5
    assert found["fall_new"] == pytest.approx(((0.2 + 0 + 0.5) / 3, 0))
    assert found["fall_graduates"] == (None, None)  # nobody graduated in TS-3: no fall to compute
    assert found["on_time_three"] == pytest.approx((17 / 30, 1))
    assert found["within_twice"] == pytest.approx((4 / 5, 1))
    assert table.cell("TS-1", "due2").state == NOT_KNOWN  # they would have entered in 2017


def test_the_common_criterion_of_the_lams():
    table = compute("lam-common", people(*BACHELORS))
    assert values(table, "once") == {"admitted": 10, "graduated": 4, "share": 0.4}
    assert values(table, "twice") == {"admitted": 5, "graduated": 4, "share": 0.8}
    diploma = people(("D3", 3, 20231, "graduated", "2026-07-15"), ("D3", 1, 20231, None, None))
    table = compute("lam-common", diploma, "D3")
    assert values(table, "once") == {"admitted": 4, "graduated": 3, "share": 0.75}
    assert table.cell("twice", "share").state == NOT_KNOWN


def test_iapt_by_level():
    flow = people(*BACHELORS, ("D3", 6, 20231, "graduated", "2026-07-15"), ("D3", 2, 20231, None, None))
    table = compute("iapt30-5c1", flow, "")
    # S1 in TS: 4 who entered in 2018 (16 terms) and 4 who entered in 2022 (8 terms, 1444 days)
    late = (pd.Timestamp("2026-07-15") - pd.Timestamp("2018-08-01")).days
    assert [table.cell("S1", f"graduates@{year}").value for year in ("TS-2", "TS-1", "TS")] == [5, 8, 8]
    assert table.cell("S1", "graduates@TS").value == 8 and table.cell("D3", "graduates@TS").value == 6
    assert table.cell("S1", "mean@TS").value == pytest.approx((4 * late + 4 * 1444) / 8 / 365.25)
    assert table.cell("S1", "terms@TS").value == pytest.approx((4 * 8 + 4 * 4) / 8)
    assert table.cell("D3", "mean@TS").value == pytest.approx(1079 / 365.25)
    assert table.cell("D3", "terms@TS").value == 3
    ratios = compute("iapt30-5c2", flow, "")
    assert values(ratios, "S1") == pytest.approx(
        {"due": 10, "on_time": 4, "PTW": 0.4, "due2": 5, "completed": 4, "PPS": 0.8}
    )
    assert ratios.cell("D3", "PTW").value == pytest.approx(6 / 8)
    assert (
        ratios.cell("D3", "due2").state == NOT_KNOWN
    )  # its oldest cohort is 2023, that of twice the time 2020
    assert ratios.cell("S3", "due").value == 0  # a level that nobody studies at


def test_continuation_and_completion_of_the_ofs():
    flow = people(
        ("S1", 6, 20211, "graduated", "2025-08-16"),  # day 1476 after 1 August 2021
        ("S1", 1, 20211, None, None),
        ("S1", 1, 20211, "resigned", "2022-08-16"),  # day 380: no longer there
        ("S1", 2, 20211, "resigned", "2022-08-17"),  # a day later: continued, did not complete
    )
    table = compute("ofs-b3", flow)
    row = values(table, "TS-4")
    assert (row["entrants"], row["continuing"], row["continuation"]) == (10, 9, 0.9)
    assert (row["studying4"], row["qualified4"], row["completion"]) == (1, 6, 0.7)
    assert table.cell("TS-3", "completion").state == "empty_denominator"
    later = compute("ofs-b3", people(("S1", 4, 20211, None, None), ("S1", 3, 20231, None, None)))
    assert later.cell("TS-2", "continuation").value == 1 and later.cell("TS-2", "completion").state == NOT_YET


def test_criterion_4_of_nba():
    table = compute(
        "nba-4", people(*BACHELORS), inputs={(year, "intake"): 10 for year in ("TS-2", "TS-1", "TS")}
    )
    assert [table.cell(year, "index").value for year in ("TS-5", "TS-4", "TS-3")] == [0.5, 0.8, 0.4]
    assert table.line("success_index").value == pytest.approx(1.7 / 3)
    assert table.line("enrolment_ratio").value == pytest.approx(20 / 30)
    assert table.cell("TS-2", "index").state == NOT_YET


def test_student_data_of_lam_infokom(flow, active, ts2025):
    table = compute_table(load_profile("lam-infokom20-2a1", "S1"), flow, ts2025, active=active)
    rows = ("TS-3", "TS-2", "TS-1", "TS")
    # as table 2.a, transfers with the regular ones: s24 alone came by prior learning, and left in 2022/2023
    assert [table.cell(row, "new_regular").value for row in rows] == [5, 0, 3, 2]
    assert [table.cell(row, "active_regular").value for row in rows] == [22, 19, 17, 12]
    assert [table.cell(row, "active_rpl").value for row in rows] == [1, 0, 0, 0]
    assert table.cell("TS", "capacity").state == MISSING


def test_quality_measures_of_lam_emba():
    # entrants TS-3 (2022) to TS (2025): 10, 8, 8, 4; falls 0.2, 0, 0.5; mean 0.2333
    flow = people(*BACHELORS)
    active = pd.DataFrame({"student_key": [f"{at}-0" for at in range(11)], 2025: True})
    table = compute("lam-emba-metrics", flow, active=active)
    told = {line.indicator.key: (line.value, line.score) for line in table.lines}
    assert told["fall_new"] == (pytest.approx(0.7 / 3), 0)
    assert told["active_ts"] == (11, 0) and told["graduates_ts"] == (8, 0)  # 4 of 2018 and 4 of 2022
    # normal time ends in TS-4 with the cohort of 2018: none of 5 on time; TS-3: nobody entered in 2019; TS-2,
    # the cohort of 2020: 5 of 10; together 5 of 15
    assert values(table, "TS-4")["due"] == 5 and values(table, "TS-2")["on_time"] == 5
    assert told["on_time_three"] == (pytest.approx(5 / 15), 0)
    more = people(
        ("S1", 1, 20181, "resigned", "2020-07-15"),  # the register begins before TS-4
        ("S1", 20, 20201, "graduated", "2024-07-15"),
        ("S1", 20, 20221, "graduated", "2026-07-15"),
    )
    told = {line.indicator.key: line.score for line in compute("lam-emba-metrics", more).lines}
    assert told["graduates_ts"] == 1 and told["on_time_three"] == 1  # 20, and 20 of 21
    assert told["fall_new"] is None  # nobody entered in TS-2: no rate


def test_origins_of_lam_infokom_are_entered_and_what_is_left_is_shown():
    given = {("TS", "same"): 1, ("TS", "other"): 1, ("TS", "province"): 1, ("TS", "abroad"): 0}
    table = compute("lam-infokom20-2a2", people(*BACHELORS), inputs=given)
    assert values(table, "TS")["new"] == 4 and values(table, "TS")["unplaced"] == 1  # 4 - 1 - 1 - 1 - 0
    assert table.cell("TS-1", "unplaced").state == MISSING and values(table, "TS-1")["new"] == 8
