"""A register of 79 students, graduation dates only, with every report cell worked out by other code.

``office/expected.csv`` holds 1,087 values of eight profiles, ``office/expected_terms.csv`` what the register
says of each student in terms. Neither was made with this software.
"""

from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from dashboard.reports.pipeline import Request, build, read_register
from data import queries, schema
from data.calendar.labels import label_outcomes
from data.engine.bulk import fetch
from data.records.ingest import Source, apply_import, plan_import
from data.trust.scope import Scope

OFFICE = Path(__file__).parent / "office"
FILES = {"students": "mahasiswa.csv", "terms": "aktivitas.csv", "outcomes": "lulusan.csv"}
READ_ON = date(2026, 9, 15)


@pytest.fixture
def office(store):
    sources = [Source.from_path(table, OFFICE / name) for table, name in FILES.items()]
    plan = plan_import(sources, store=store, today=READ_ON)
    assert "REC150" not in set(plan.problems["rule"])  # nobody exchanged the exits
    assert plan.accepted
    apply_import(store, plan, actor="tester")
    return store


@pytest.fixture(scope="module")
def expected():
    return pd.read_csv(
        OFFICE / "expected.csv", dtype={"program_code": str, "row": str}, keep_default_na=False
    )


def figure(table, part: str, row: str, column: str):
    if part == "cell":
        return table.cells[row, column].value
    line = next(line for line in table.lines if line.indicator.key == column)
    return line.value if part == "indicator" else line.score


def test_every_cell_of_every_profile_is_right(office, expected):
    register, wrong = read_register(office, Scope.system()), []
    for (profile, program, ts), cells in expected.groupby(["profile", "program_code", "ts"]):
        table, _ = build(office, register, Request(profile, program, int(ts)))
        for cell in cells.itertuples():
            found = figure(table, cell.part, cell.row, cell.column)
            if found is None or abs(float(found) - float(cell.value)) > 1e-6:
                wrong.append((profile, program, ts, cell.part, cell.row, cell.column, cell.value, found))
    assert len(expected) == 1087
    assert not wrong, Counter(line[0] for line in wrong)


def test_terms_and_labels_of_every_student_are_right(office):
    told = pd.read_csv(OFFICE / "expected_terms.csv", dtype={"NIM": str}).set_index("NIM")
    records = queries.records_until(office)
    labels = label_outcomes(records.students, records.programs, records.outcomes).set_index("student_key")
    numbers = queries.student_flow(office, Scope.system()).set_index("student_key")["terms_to_exit"]
    numbers_of = schema.identities
    with office.reading() as connection:
        keys = fetch(connection, select(numbers_of.c.student_number, numbers_of.c.student_key))
    keys = keys.set_index("student_number")["student_key"].reindex(told.index)
    left = told["terms"].notna()
    assert numbers.reindex(keys[left]).tolist() == told.loc[left, "terms"].tolist()
    assert numbers.reindex(keys[~left]).isna().all()
    graduated = told["x"] == "G"
    assert labels.loc[keys[graduated], "label"].tolist() == told.loc[graduated, "label"].tolist()
    assert len(labels) == len(told) == 79
