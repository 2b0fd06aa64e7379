"""Whole cohorts that graduate in August of their fourth year, told by dates only: in time, everywhere."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard.cohorts.summaries import last_completed_term, outcomes
from dashboard.reports.cohort_report import cohort_tables
from dashboard.reports.pipeline import Request, build, read_register
from data import queries
from data.records.ingest import Source, apply_import, plan_import
from data.trust.scope import Scope
from fusion.features.splits import forward_split, labels, mature_labels

READ_ON = date(2023, 8, 31)
DAYS = {2014: "20/08/2018", 2018: "20/08/2022", 2019: "31/08/2023"}  # the last on the day of reading
EACH = 60


@pytest.fixture
def register(store):
    numbers = {f"{entry}{number:03d}": entry for entry in DAYS for number in range(EACH)}
    files = {
        "students": "NIM;Kode Prodi;Jenjang;Angkatan;Status Awal\n"
        + "".join(f"{nim};55201;S1;{entry};Peserta didik baru\n" for nim, entry in numbers.items()),
        "outcomes": "NIM;Jenis Keluar;Tanggal Keluar;Tanggal Data\n"
        + "".join(f"{nim};Lulus;{DAYS[entry]};31/08/2023\n" for nim, entry in numbers.items()),
        "terms": "NIM;Kode Semester;Status;IPS;SKS\n"
        + "".join(
            f"{nim};{entry + step // 2}{step % 2 + 1};Aktif;3,00;20\n"
            for nim, entry in numbers.items()
            for step in range(8)
        ),
    }
    sources = [Source(table, f"{table}.csv", text.encode()) for table, text in files.items()]
    plan = plan_import(sources, store=store, today=READ_ON)
    assert "REC150" not in set(plan.problems["rule"])  # nobody exchanged the exits
    assert plan.accepted and not set(plan.problems["rule"]) & {"REC105", "REC106"}
    apply_import(store, plan, actor="tester")
    return store


def test_labels_and_what_a_model_is_taught(register):
    records = queries.records_until(register)
    assert labels(records).value_counts().to_dict() == {"on_time": 3 * EACH}
    assert len(mature_labels(records)) == 3 * EACH
    split = forward_split(records)
    assert (split.simulated_date, len(split.train), len(split.test)) == (date(2022, 8, 31), 2 * EACH, EACH)
    assert set(split.train_labels) == {"on_time"}
    day_before = labels(records, date(2022, 8, 30))
    assert day_before.value_counts().to_dict() == {"censored": 2 * EACH, "on_time": EACH}


def test_the_overview(register):
    scope = Scope.system()
    last = last_completed_term(queries.retention(register, scope), queries.last_closed_term(register, scope))
    table = outcomes(queries.flow_counts(register, scope), queries.programs(register), "cohort_term", last)
    assert table["on_time_n"].tolist() == [EACH] * 3
    assert table["rate"].tolist() == [1] * 3 and table["mature"].all()


@pytest.mark.parametrize(
    ("profile", "ts", "cells"),
    [
        ("iku1-aee", 2022, {("TS", "on_time"): EACH, ("TS-1", "on_time"): EACH}),
        ("ipeds-gr", 2022, {("TS-4", "within100"): EACH, ("TS-4", "rate100"): 1}),
        ("ipeds-om", 2022, {("first_time", "award4"): EACH, ("first_time", "left8"): 0}),
        ("aunqa-81", 2022, {("TS-4", "done4"): EACH, ("TS-4", "done5"): 0, ("TS-3", "done4"): EACH}),
        ("iaps40-8c", 2021, {}),
    ],
)
def test_the_reports(register, profile, ts, cells):
    table, _ = build(register, read_register(register, Scope.system()), Request(profile, "55201", ts))
    for key, value in cells.items():
        assert table.cells[key].value == value, key
    if profile == "iaps40-8c":
        assert next(line.value for line in table.lines if line.indicator.key == "PTW") == 1


def test_the_cohort_report(register):
    tables = cohort_tables(read_register(register, Scope.system()).flow)
    assert tables.outcomes["on_time"].tolist() == [EACH] * 3
    assert tables.outcomes["on_time_rate"].tolist() == [1] * 3
    assert tables.outcomes["mature"].all()
