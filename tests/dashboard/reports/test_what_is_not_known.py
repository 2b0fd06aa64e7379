"""What a register does not hold is said, and never printed as a zero."""

import tomllib

import pandas as pd
import pytest

from dashboard.reports import pipeline
from dashboard.reports.cohort_report import cohort_tables
from dashboard.reports.conditions import Selection
from dashboard.reports.describe import header_pairs, warning_lines
from dashboard.reports.model import EMPTY, NOT_KNOWN, NOT_YET, OPEN
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from dashboard.reports.words import FILE, say
from data.calendar.cohorts import build_flow, snapshot_date
from data.store import RecordFrames, write_records
from data.trust.scope import Scope

FRESH, STALE, SILENT = "55201", "57401", "61201"


def person(key, program=FRESH, cohort=20191, **facts):
    base = {"student_key": key, "program_code": program, "cohort_term": cohort, "entry_type": "new"}
    base |= {"exit_type": None, "exit_date": None, "exit_term": None, "gpa_final": None}
    return base | {"observed_until": "2026-08-31", "degree_level": "S1", "normal_terms": 8} | facts


def a_register():
    """Ten a year, 2019–2022, four of each graduated on 15 July of the fourth year: in 55201, observed until
    August 2026, and in 57401, observed until August 2023."""
    rows = []
    for program, until in ((FRESH, "2026-08-31"), (STALE, "2023-08-31")):
        for year in range(2019, 2023):
            for number in range(10):
                done = f"{year + 4}-07-15" if number < 4 and f"{year + 4}-07-15" <= until else None
                facts = {"exit_type": "graduated" if done else None, "exit_date": done}
                rows.append(
                    person(
                        f"{program}-{year}-{number}", program, 10 * year + 1, observed_until=until, **facts
                    )
                )
    return pd.DataFrame(rows)


def compute(profile, flow, program=FRESH, ts=2025, level="S1", **options):
    return compute_table(
        load_profile(profile, level), flow, Selection(ts, program, "Prodi", level), **options
    )


def codes(table):
    return {notice.code: notice for notice in table.notices}


def test_a_programme_seen_last_in_2023_has_no_zeros_for_2025():
    flow = build_flow(a_register())
    table = compute("iaps40-8c", flow, STALE)
    assert str(table.snapshot) == "2023-08-31"
    assert table.cell("TS-6", "graduated@TS").state == NOT_YET
    assert table.cell("TS-6", "graduated@TS-3").value == 4  # the year that its register reaches
    assert {table.line(key).state for key in ("MS", "PTW", "PPS", "MDO")} == {NOT_YET}
    assert codes(table)["ts_not_complete"].detail == "2026-08-31"
    fresh = compute("iaps40-8c", flow, FRESH)
    assert fresh.cell("TS-6", "graduated@TS").value == 0
    assert fresh.line("PPS").value == pytest.approx(4 / 10)


def test_all_programmes_together_are_known_until_the_one_seen_first_in_which_somebody_studies():
    rows = a_register()
    table = compute("abet-public", build_flow(rows), "", level="")
    assert str(table.snapshot) == "2023-08-31"
    assert table.cell("TS-3", "new").value == 20 and table.cell("TS-2", "graduates").state == NOT_YET
    assert codes(table)["stale_programs"].detail == "2023-08-31 (57401)"
    closed = rows.assign(exit_type=rows["exit_type"].where(rows["program_code"] == FRESH, "graduated"))
    closed["exit_date"] = closed["exit_date"].where(
        closed["exit_type"].isna() | closed["exit_date"].notna(), "2023-07-15"
    )
    assert str(snapshot_date(build_flow(closed))) == "2026-08-31"
    assert "stale_programs" not in codes(compute("abet-public", build_flow(closed), "", level=""))


def test_a_rate_of_the_cohort_report_is_mature_by_its_own_programme():
    tables = cohort_tables(build_flow(a_register()), STALE)
    assert tables.outcomes["mature"].to_dict() == {2019: True, 2020: False, 2021: False, 2022: False}
    both = cohort_tables(build_flow(a_register()))
    assert both.outcomes["mature"].to_dict() == {2019: True, 2020: False, 2021: False, 2022: False}


def test_years_before_the_register_begins_are_not_known():
    table = compute("iaps51-8d", build_flow(a_register()))  # rows TS-7…TS-3: 2018…2022
    found = {row.key: table.cell(row.key, "accepted") for row in table.rows}
    assert (found["TS-7"].value, found["TS-7"].state) == (None, NOT_KNOWN)
    assert [found[key].value for key in ("TS-6", "TS-5", "TS-4", "TS-3")] == [10, 10, 10, 10]
    assert found["total"].state == NOT_KNOWN
    assert (codes(table)["before_register"].count, codes(table)["before_register"].detail) == (4, "2019/2020")
    graduates = compute("iaps40-8a", build_flow(a_register()), ts=2020)
    assert graduates.cell("TS-2", "graduates").state == NOT_KNOWN
    assert graduates.cell("TS", "graduates").value == 0
    assert codes(graduates)["register_young"].detail == "2019/2020"
    assert "register_young" not in codes(compute("iaps40-8a", build_flow(a_register())))


def test_a_programme_without_any_outcome_row_says_so(store):
    students = pd.DataFrame(
        [
            {"student_number": f"{program}{n}", "name": f"Nama {n}", "program_code": program}
            for program in (FRESH, SILENT)
            for n in range(3)
        ]
    ).assign(cohort_term=20211, entry_type="new")
    programs = pd.DataFrame({"program_code": [FRESH, SILENT], "name": ["A", "B"]}).assign(
        degree_level="S1", normal_terms=8, required_credits=144
    )
    terms = pd.DataFrame(
        [
            {"student_number": number, "term_id": term, "term_index": at + 1, "known_at": pd.Timestamp(known)}
            for number in students["student_number"]
            for at, (term, known) in enumerate([(20211, "2022-03-03"), (20212, "2022-08-31")])
            if number.startswith(SILENT) or at == 0
        ]
    ).assign(status="A")
    outcomes = pd.DataFrame(
        {
            "student_number": [f"{FRESH}0"],
            "exit_type": ["resigned"],
            "exit_date": [pd.Timestamp("2026-02-01")],
        }
        | {"terms_to_exit": [9], "gpa_final": [None], "observed_until": [pd.Timestamp("2026-08-31")]}
    )
    frames = RecordFrames(programs, students, terms, outcomes, None)
    write_records(store, frames, source="x.csv", files={}, actor="registry")
    register = pipeline.read_register(store, Scope.system())
    assert str(register.observed_until(SILENT)) == "2022-08-31"
    assert register.last_full_year(SILENT) == 2021 and register.last_full_year(FRESH) == 2025
    table, _ = pipeline.build(store, register, pipeline.Request("abet-public", SILENT, 2021))
    assert codes(table)["no_outcomes_at_all"].detail == SILENT
    assert codes(table)["no_outcome_row"].count == 3
    told, _ = pipeline.build(store, register, pipeline.Request("abet-public", FRESH, 2025))
    assert "no_outcomes_at_all" not in codes(told) and codes(told)["no_outcome_row"].count == 2
    assert codes(suppress(told))["no_outcome_row"].count == 0  # the number would tell who left


def test_every_warning_that_there_are_words_for_can_come():
    """No words for what never happens: each code is met once, and no code lacks words."""
    rows = [
        person("a", exit_type="graduated", exit_date="2023-07-15"),  # no grade point average
        person("b", entry_type=None),
        person("c", exit_type="resigned"),  # no date, no term
        person("d", exit_type="graduated", exit_term=20222),  # a term, no date
        person("e", exit_type="graduated", exit_date="2018-07-15", gpa_final=3.0),
        person("f", observed_until=None),
        person("g", SILENT, observed_until=None),
    ]
    flow = build_flow(pd.DataFrame(rows).assign(has_outcome=[True] * 5 + [False] * 2))
    stale = build_flow(a_register())
    asked = {"in_pddikti": "yes", "exit_in_pddikti": "no", "unreported_years": [()] * len(flow)}
    asked["asked_on"] = ["2026-09-20", *[None] * (len(flow) - 1)]  # one entry year of all
    nobody = pd.DataFrame({"student_key": []})
    met = {}
    for table in (
        compute("iaps40-8c", flow),
        compute("iaps40-8c", flow, ts=2026),
        compute("iaps51-8d", flow),
        compute("iaps40-8a", flow, ts=2022),
        compute("iaps40-2a", flow, SILENT),
        compute("iaps40-2a", flow, "none"),
        compute("abet-public", stale, "", level=""),
        compute("pddikti-unreported", flow, active=nobody),
        compute("pddikti-unreported", flow.assign(**asked), active=nobody),
    ):
        met |= codes(table)
    words = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for language in ("id", "en"):
        assert {f"note_{code}" for code in met} == {key for key in words[language] if key.startswith("note_")}
    assert met["gpa_final_missing"].count == 2 and met["entry_type_missing"].count == 1
    assert met["exit_without_date"].count == 1 and met["exit_date_from_term"].count == 1


def test_a_dash_is_still_a_dash_and_a_zero_still_a_zero():
    rows = a_register()
    flow = build_flow(rows[rows["program_code"] == FRESH])
    table = compute("iaps40-8c", flow)
    assert (table.cell("TS-6", "graduated@TS").value, table.cell("TS-6", "graduated@TS").state) == (0, OPEN)
    assert compute("iaps40-8c", flow, "none").cell("TS-6", "mean").state == EMPTY


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "31 August 2023; exits after that day which are on record are counted"),
        ("id", "31 Agustus 2023; yang keluar sesudahnya dan sudah tercatat ikut dihitung"),
    ],
)
def test_beside_exits_after_the_last_day_observed_the_line_says_that_they_are_counted(language, said):
    rows = a_register()
    line = dict(header_pairs(compute("iaps40-8c", build_flow(rows), STALE), ReportProvenance(), language))
    assert line[say(language, "snapshot")] == said.split(";")[0]
    staying = rows.index[(rows["program_code"] == STALE) & rows["exit_type"].isna()][:6]
    late = rows.copy()
    late.loc[staying, "exit_type"], late.loc[staying, "exit_date"] = "graduated", "2023-10-20"
    table = compute("iaps40-8c", build_flow(late), STALE)
    assert codes(table)["later_exits"].count == 6
    assert dict(header_pairs(table, ReportProvenance(), language))[say(language, "snapshot")] == said
    assert any(say(language, "note_later_exits") in line for line in warning_lines(table, language))
