"""Students not yet reported to PDDikti: by hand on six students, and on the second university."""

import shutil
from datetime import date

import pandas as pd
import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.describe import warning_lines
from dashboard.reports.model import MISSING, NOT_KNOWN
from dashboard.reports.pipeline import Request, build, public, read_register
from dashboard.reports.profile import load_profile
from dashboard.reports.table import compute_table
from data.calendar.cohorts import build_flow
from data.feeder.lists import Cohorts
from data.feeder.protocol import FeederClient
from data.feeder.pull import Wanted, pull
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from data.trust.scope import Scope
from tests.dashboard.reports.conftest import active_table
from tests.data.feeder import registers
from tests.data.feeder.server import PASSWORD, USER, served
from tests.registers.second_university.people import people

TODAY = date(2026, 9, 30)
PROFILE = "pddikti-unreported"
STUDYING = ("Aktif", "Kampus Merdeka")


def told(**changes) -> pd.DataFrame:
    """Six entrants of 2023 and 2024; c and f are unknown there, d's exit too, b's activity of 2025 too."""
    rows = pd.DataFrame(
        {
            "student_key": list("abcdef"),
            "program_code": "55201",
            "cohort_term": [20231, 20231, 20231, 20241, 20241, 20241],
            "entry_type": "new",
            "exit_type": [None, None, None, "resigned", "resigned", None],
            "exit_date": [None, None, None, "2026-02-10", "2026-02-10", None],
            "observed_until": "2026-08-31",
            "degree_level": "S1",
            "normal_terms": 8,
        }
    )
    told = {
        "asked_on": ["2026-09-20"] * 6,
        "in_pddikti": ["yes", "yes", "no", "yes", "yes", "no"],
        "exit_in_pddikti": [None, None, None, "no", "yes", None],
        "unreported_years": [(), (2025,), (2023, 2024, 2025), (), (), (2024, 2025)],
    }
    return build_flow(rows).assign(**(told | changes))


def computed(flow: pd.DataFrame):
    years = [(key, year) for key in "abcdef" for year in (2023, 2024, 2025) if year > 2023 or key in "abc"]
    return compute_table(load_profile(PROFILE), flow, Selection(2025, "55201"), active=active_table(years))


def figures(table, row: str) -> list:
    return [table.cell(row, column.key).value for column in table.columns]


def test_by_hand():
    table = computed(told())
    assert figures(table, "TS-2") == [3, 1, 3, 1, 0, 0]  # a, b, c came; c is unknown there
    assert figures(table, "TS-1") == [3, 1, 6, 2, 0, 0]  # f is unknown, and so is what c and f did
    assert figures(table, "TS") == [0, 0, 6, 3, 2, 1]  # b, c, f; d's exit
    assert table.cell("TS-3", "new_missing").state == NOT_KNOWN == table.cell("total", "new_missing").state
    assert "20 September 2026" in " ".join(warning_lines(table, "en"))


def test_where_no_pull_was_ever_made_nothing_is_zero():
    nothing = told().drop(columns=["asked_on", "in_pddikti", "exit_in_pddikti", "unreported_years"])
    for flow in (nothing, told(asked_on=None)):
        table = computed(flow)
        for row in ("TS-2", "TS-1", "TS"):
            for column in ("new_missing", "active_missing", "exits_missing"):
                cell = table.cell(row, column)
                assert (cell.value, cell.state) == (None, MISSING)
        assert table.cell("TS-2", "new").value == 3
        assert "never been read" in " ".join(warning_lines(table, "en"))
        assert "belum pernah dibaca" in " ".join(warning_lines(table, "id"))


def test_an_entry_year_that_was_never_asked_for_is_not_known():
    table = computed(told(asked_on=["2026-09-20"] * 3 + [None] * 3))
    assert table.cell("TS-2", "new_missing").value == 1
    assert table.cell("TS-1", "new_missing").state == MISSING  # d, e, f
    assert table.cell("TS", "active_missing").state == MISSING
    assert any("never asked" in line and line.endswith(": 3") for line in warning_lines(table, "en"))


@pytest.fixture
def office(tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    students, contents = registers.second_university()
    sources = [Source(table, f"{table}.csv", content) for table, content in contents.items()]
    apply_import(store, plan_import(sources, store=store, today=TODAY), actor="biro", skip_bad=True)
    yield store, students
    store.close()


def asked(store, rows, cohorts=None):
    with served(rows) as feeder, FeederClient(feeder.url, USER, PASSWORD, pauses=(0.0, 0.0)) as client:
        pull(store, client, Wanted(cohorts, grades=False), actor="biro", today=TODAY)


def made(store):
    register = read_register(store, Scope.system())
    return register, build(store, register, Request(PROFILE, "54231", 2025))[0]


def test_the_second_university_after_a_pull(office):
    store, students = office
    everybody = [one for one in people() if one.programme.code == "54231"]
    unknown = {one.nim for one in everybody[::3]}
    rows = registers.rows_of([one for one in students if one["nim"] not in unknown])
    late = {one.nim for one in everybody if one.cohort == 2024}
    rows["GetAktivitasKuliahMahasiswa"] = [
        row
        for row in rows["GetAktivitasKuliahMahasiswa"]
        if not (row["nim"] in late and row["id_semester"] == "20252")
    ]
    gone = {one.nim for one in everybody if one.cohort == 2020}
    (exits,) = (act for act in rows if "LulusDO" in act and "List" in act)
    rows[exits] = [row for row in rows[exits] if row["nim"] not in gone]
    del rows["GetRekapJumlahMahasiswa"]
    _, before = made(store)
    assert before.cell("TS", "new_missing").state == MISSING
    asked(store, rows)
    register, table = made(store)
    years = {f"TS-{back}" if back else "TS": 2025 - back for back in range(7)}
    for row, year in years.items():
        mine = [one for one in everybody if one.cohort == year]
        assert table.cell(row, "new").value == len(mine)
        assert table.cell(row, "new_missing").value == sum(one.nim in unknown for one in mine)
        active = [
            one for one in everybody if year in {t.term // 10 for t in one.terms if t.status in STUDYING}
        ]
        lacking = [
            one
            for one in active
            if one.nim in unknown
            or (
                one.nim in late
                and any(t.term == 20252 == 10 * year + 2 and t.status in STUDYING for t in one.terms)
            )
        ]
        assert table.cell(row, "active").value == len(active)
        assert table.cell(row, "active_missing").value == len(lacking)
    span = (date(2019, 9, 1), date(2026, 8, 31))
    left = [one for one in everybody if one.left is not None and span[0] <= one.left <= span[1]]
    assert table.cell("total", "exits").value == len(left)
    lost = sum(one.nim in unknown | gone for one in left)
    assert table.cell("total", "exits_missing").value == lost > 20
    shown = public(store, register, table)
    few = [cell for cell in shown.cells.values() if cell.kind == "measure" and cell.value in (1, 2, 3, 4)]
    assert not few


def test_entry_years_that_a_pull_left_out_stay_unknown(office):
    store, students = office
    asked(store, registers.rows_of(students), Cohorts(2023, 2025))
    _, table = made(store)
    assert [table.cell(row, "new_missing").value for row in ("TS-2", "TS-1", "TS")] == [0, 0, 0]
    assert table.cell("TS-3", "new_missing").state == MISSING
    assert table.cell("TS-1", "active_missing").state == MISSING  # older students studied beside them
