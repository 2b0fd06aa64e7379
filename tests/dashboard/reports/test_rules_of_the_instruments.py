"""Rules of single instruments on small registers; every expected figure is worked out in the comments."""

import io

import openpyxl
import pandas as pd
import pytest

from dashboard.reports import describe
from dashboard.reports.conditions import Selection
from dashboard.reports.profile import for_programmes, load_profile
from dashboard.reports.provenance import ReportProvenance, from_content, to_content
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from dashboard.reports.xlsx import to_xlsx
from data.calendar.cohorts import build_flow

NORMAL = {"D3": 6, "D4": 8, "S1": 8, "S2": 4, "S3": 6}


def people(level, *groups, **shared):
    """A flow; each group is ``(how many, entry term, exit type, exit date)``."""
    rows = []
    for at, (count, cohort, exit_type, exit_date) in enumerate(groups):
        for number in range(count):
            rows.append(
                {"student_key": f"{at}-{number}", "program_code": "P", "cohort_term": cohort}
                | {"entry_type": "new", "exit_type": exit_type, "exit_date": exit_date}
                | {"observed_until": "2026-08-31", "degree_level": level, "normal_terms": NORMAL[level]}
                | shared
            )
    return build_flow(pd.DataFrame(rows))


def compute(profile, flow, level="S1", ts=2025, **options):
    asked = level if load_profile(profile, level).levels else ""
    return compute_table(load_profile(profile, asked), flow, Selection(ts, "P", "Prodi", level), **options)


def lines(table):
    return {line.indicator.key: (line.value, line.score) for line in table.lines}


def live_formulas(table):
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, ReportProvenance(), "en")))
    return " ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)


def test_ninety_who_finished_in_six_terms_score_0_by_days_and_4_by_terms():
    # 1 August 2021 to 25 July 2024 are 1089 days: 2.981 years, under the limit of 3; six terms are 3 years
    groups = [(30, year, "graduated", f"{year // 10 + 3}-07-25") for year in (20211, 20221, 20231)]
    table = compute("iaps40-8c", people("D3", *groups), "D3")
    found = lines(table)
    assert found["MS"] == pytest.approx((1089 / 365.25, 0), abs=0.002)
    assert found["MS_terms"] == pytest.approx((3.0, 4.0))
    said = {language: describe.warning_lines(table, language) for language in ("id", "en")}
    assert any("MS: skor 0,00, tetapi 4,00 menurut varian" in line for line in said["id"])
    assert any("MS: score 0.00, but 4.00 by the variant" in line for line in said["en"])


def test_scores_that_agree_do_not_warn_and_hidden_ones_are_not_told():
    # 1444 days: 3.954 years; eight terms: 4 years; both score 4
    flow = people(
        "S1", *[(30, year, "graduated", f"{year // 10 + 4}-07-15") for year in (20191, 20201, 20211)]
    )
    assert not [
        line for line in describe.warning_lines(compute("iaps40-8c", flow), "en") if "variant" in line
    ]
    few = people("D3", (3, 20211, "graduated", "2024-07-25"), (30, 20221, "graduated", "2025-07-25"))
    table = compute("iaps40-8c", few, "D3")
    assert [line for line in describe.warning_lines(table, "en") if "variant" in line]
    assert not [line for line in describe.warning_lines(suppress(table), "en") if "variant" in line]


def test_graduates_of_closed_cells_enter_labelled_variants_alone():
    # TS-3 = 2022: 10 admitted, 2 graduated in TS-1 (a closed cell), 3 in TS; TS-6 = 2019: 8, 1 early, 4 later
    flow = people(
        "S1",
        (2, 20221, "graduated", "2025-07-15"),
        (3, 20221, "graduated", "2026-07-15"),
        (5, 20221, None, None),
        (1, 20191, "graduated", "2022-07-15"),
        (4, 20191, "graduated", "2023-07-15"),
        (3, 20191, "resigned", "2020-07-15"),
    )
    found = lines(compute("iaps40-8c", flow))
    assert found["PTW"] == pytest.approx((3 / 10, 1 + 6 * 0.3))
    assert found["PTW_early"] == pytest.approx((5 / 10, 4))
    assert found["PPS"] == pytest.approx((4 / 8, (80 * 0.5 - 24) / 11))
    assert found["PPS_early"] == pytest.approx((5 / 8, (80 * 0.625 - 24) / 11))
    # days: 1079 twice, 1444 three times; 1079 once, 1444 four times
    assert found["MS_early"][0] == pytest.approx((3 * 1079 + 7 * 1444) / 10 / 365.25)


def test_how_study_time_is_counted_stands_in_the_definitions_of_both_languages():
    table = compute("iaps40-8c", people("S1", (6, 20191, "graduated", "2023-07-15")))
    told = {tongue: [row[1] for row in describe.definition_rows(table, tongue)] for tongue in ("id", "en")}
    assert any("from 1 August" in words and "1 February" in words for words in told["en"])
    assert any("dari 1 Agustus" in words and "1 Februari" in words for words in told["id"])
    assert any("half a year for each regular term" in words for words in told["en"])


def test_the_provenance_counts_the_students_of_the_table():
    # 30 of the rows TS-6…TS-3, 40 of younger cohorts and older ones that the table has no row for
    groups = [
        (10, 20191, None, None),
        (20, 20221, None, None),
        (25, 20231, None, None),
        (15, 20171, None, None),
    ]
    table = compute("iaps40-8c", people("S1", *groups))
    assert table.counts == {"students": 70, "counted": 30}
    pairs = dict(describe.provenance_pairs(table, ReportProvenance(), "en"))
    assert "students selected 70; counted in the table 30" in pairs["Row counts"]
    hidden = suppress(compute("iaps40-8c", people("S1", (10, 20191, None, None), (3, 20221, None, None))))
    assert "counted" not in hidden.counts  # less the cohorts that are shown it would be the hidden one


def test_8d_of_a_bachelor_assesses_two_ratios():
    # TS-3 = 2022: 4 of 10 within 3.5–6 years by days, 7 by terms; TS-6 = 2019: 6 and 1 of 8
    flow = people(
        "S1",
        (3, 20221, "graduated", "2026-01-10"),  # 1 August 2022 to 10 January 2026: 1258 days, 3.44 years
        (4, 20221, "graduated", "2026-07-15"),
        (3, 20221, None, None),
        (6, 20191, "graduated", "2023-07-15"),
        (1, 20191, "graduated", "2026-01-10"),  # 6.44 years
        (1, 20191, None, None),
        (9, 20181, None, None),
    )
    table = compute("iaps51-8d", flow)
    assert [table.cell("TS-3", key).value for key in ("accepted", "graduates", "short", "long")] == [
        10,
        7,
        4,
        0,
    ]
    found = lines(table)
    assert found["PK1MTK"] == pytest.approx((4 / 10, 0))
    assert found["short_terms"][0] == 7 and found["PK1MTK_terms"] == pytest.approx((7 / 10, 1))
    assert found["PK2MTK"] == pytest.approx((7 / 8, 1))
    assert found["PK2MTK_band"] == pytest.approx((1 / 8, 0))
    assert sum("variant" in line for line in describe.warning_lines(table, "en")) == 2


def test_8b_of_a_master_has_its_own_rows_bands_and_thresholds():
    # TS-1 = 2024: 6 of 10 in 1.95 years; TS-3 = 2022: 5 in 1.95, 4 in 3.45 years, 1 still there
    flow = people(
        "S2",
        (6, 20241, "graduated", "2026-07-15"),
        (4, 20241, None, None),
        (5, 20221, "graduated", "2024-07-15"),
        (4, 20221, "graduated", "2026-01-10"),
        (1, 20221, None, None),
    )
    table = compute("iaps51-8b", flow, "S2")
    assert [row.key for row in table.profile.rows] == ["TS-3", "TS-2", "TS-1"]
    assert [table.cell("TS-3", key).value for key in ("short", "long")] == [5, 4]
    assert lines(table)["PK1MTK"] == pytest.approx((0.6, 1))
    assert lines(table)["PK2MTK"] == pytest.approx((0.9, 1))
    assert lines(table)["PK2MTK_band"] == pytest.approx((0.4, 0))


def test_graduation_rates_take_the_fall_cohort():
    # 2021: 4 entered in August, 3 of them in time; 2 entered in February, both graduated
    flow = people(
        "S1",
        (3, 20211, "graduated", "2025-08-20"),
        (1, 20211, None, None),
        (2, 20212, "graduated", "2025-07-15"),
    )
    table = compute("ipeds-gr", flow)
    assert [table.cell("TS-4", key).value for key in ("initial", "within100", "rate100")] == [4, 3, 0.75]
    assert [(item.reason, item.count) for item in table.exclusions] == [("entry_term", 2)]


def test_outcome_measures_fix_the_status_at_31_august():
    # cohort 2017, status at 31 August 2021, 2023, 2025. In year 4 on its last day; one day after year 6;
    # a February entrant in year 9 (16 terms): still enrolled after 8 years; one transferred, one gone
    flow = people(
        "S1",
        (1, 20171, "graduated", "2021-08-31"),
        (1, 20171, "graduated", "2023-09-01"),
        (1, 20172, "graduated", "2025-11-20"),
        (1, 20171, "transferred", "2019-02-01"),
        (1, 20172, "resigned", "2019-02-01"),
        (1, 20171, "deceased", "2020-02-01"),
        (1, 20171, None, None),
    )
    table = compute("ipeds-om", flow)
    row = {column.key: table.cell("first_time", column.key).value for column in table.columns}
    assert row | {"other_exclusions": None, "rate8": None} == {
        "cohort": 7,
        "deceased": 1,
        "other_exclusions": None,
        "adjusted": 6,
        "award4": 1,
        "award6": 1,
        "award8": 2,
        "enrolled8": 2,
        "elsewhere": 1,
        "left8": 1,
        "rate8": None,
    }
    assert row["rate8"] == pytest.approx(2 / 6)
    assert all(value is None or value >= 0 for value in row.values())


def test_an_outcome_is_open_when_its_31_august_has_been_seen():
    flow = people("S1", (2, 20171, None, None), (1, 20172, None, None), observed_until="2025-08-31")
    assert compute("ipeds-om", flow, ts=2025).cell("first_time", "enrolled8").value == 3
    early = people("S1", (2, 20171, None, None), observed_until="2025-08-30")
    table = compute("ipeds-om", early, ts=2025)
    assert table.cell("first_time", "enrolled8").state == "not_yet_observable"
    assert table.cell("first_time", "award6").value == 0


def test_mean_time_to_graduation_of_aun_qa(flow, active, ts2025):
    table = compute_table(load_profile("aunqa-81", ""), flow, ts2025, active=active)
    # cohort 2021: 1444, 1444, 1444 and 1804 days; younger cohorts wait until the slow have graduated too
    assert table.cell("TS-4", "mean_time").value == pytest.approx(6136 / 4 / 365.25)
    assert table.cell("TS-3", "mean_time").state == "not_yet_observable"
    # graduated in 2025/2026: 2000, 1804, 1439 and 1439 days
    assert table.line("mean_time_ts").value == pytest.approx(6682 / 4 / 365.25)


def test_the_ideal_of_a_four_year_diploma_is_that_of_a_bachelor():
    assert load_profile("iku1-aee", "D4").constants["ideal"] == 0.25
    # 2 of 8 students of TS graduated in time: 25 %, all of the ideal
    flow = people("D4", (2, 20221, "graduated", "2026-07-15"), (6, 20231, None, None))
    table = compute("iku1-aee", flow, "D4")
    assert (table.cell("TS", "aee").value, table.cell("TS", "reached").value) == (0.25, 1.0)


def test_the_rate_of_the_institution_is_the_mean_attainment_of_its_programmes():
    # A (S1): 2 of 10 in time: 20 %, 0.8 of the ideal; B (D3): 3 of (12 − 2): 30 %, 0.3/0.33 of it; C: nobody
    groups = {
        "A": ("S1", [(2, 20221, "graduated", "2026-07-15"), (8, 20231, None, None)]),
        "B": (
            "D3",
            [
                (3, 20231, "graduated", "2026-07-15"),
                (2, 20241, "resigned", "2026-02-01"),
                (7, 20251, None, None),
            ],
        ),
    }
    flows = [
        people(level, *rows).assign(program_code=code, student_key=lambda f, c=code: c + f["student_key"])
        for code, (level, rows) in groups.items()
    ]
    flow = pd.concat(flows, ignore_index=True)
    programmes = [("A", "Alpha", "S1"), ("B", "Beta", "D3"), ("C", "Gamma", "S1")]
    profile, known = for_programmes(load_profile("iku1-aee-pt"), programmes)
    assert known == {("A", "ideal"): 0.25, ("B", "ideal"): 0.33, ("C", "ideal"): 0.25}
    table = compute_table(profile, flow, Selection(2025), inputs=known)
    assert [table.cell(code, "aee").value for code in "ABC"] == pytest.approx([0.2, 0.3, None])
    assert table.line("AEE_PT").value == pytest.approx((0.8 + 0.3 / 0.33) / 2)
    again = from_content(to_content(table))
    assert again == table and [row.label["id"] for row in again.rows][0] == "A Alpha (S1)"
    assert "AVERAGE(" in live_formulas(table)
