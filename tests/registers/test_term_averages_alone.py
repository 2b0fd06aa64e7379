"""The second university's activity list without its column of cumulative averages: the means that pages
show, worked out from the plan's own people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest

from data import queries
from data.calendar.term_calendar import terms_between
from data.files.mapping import load_mapping
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from data.trust.scope import Scope
from tests.registers.second_university import files
from tests.registers.second_university.people import people

READ_ON = date(2026, 10, 1)
LEADERSHIP = Scope("dekan", "leadership", False, None, False, False)
OLD_SYSTEM = "0213"


@pytest.fixture(scope="module")
def everybody() -> list:
    """Those whom the new system holds."""
    return [one for one in people() if one.programme.code != OLD_SYSTEM]


@pytest.fixture(scope="module")
def told(everybody, tmp_path_factory):
    """What became of each cohort, term by term, in a store with term averages only."""
    folder = tmp_path_factory.mktemp("kantor")
    terms = files.terms(everybody)
    place = terms.header.index("IPK")

    def without(row: tuple) -> tuple:
        return row[:place] + row[place + 1 :]

    bare = replace(terms, header=without(terms.header), rows=[without(row) for row in terms.rows])
    (folder / "pemetaan.toml").write_text(files.MAPPING, encoding="utf-8")
    files.write_xlsx({"Mahasiswa": files.students(everybody)}, folder / "students.xlsx")
    files.write_csv(bare, folder / "terms.csv")
    files.write_xlsx({"Status akhir": files.outcomes(everybody, "mixed")}, folder / "outcomes.xlsx")
    names = {"students": "xlsx", "terms": "csv", "outcomes": "xlsx"}
    sources = [Source.from_path(name, folder / f"{name}.{kind}") for name, kind in names.items()]
    store = open_store(folder=tmp_path_factory.mktemp("rekaan"))
    plan = plan_import(sources, load_mapping(folder / "pemetaan.toml"), store=store, today=READ_ON)
    assert "REC150" not in set(plan.problems["rule"])  # nobody exchanged the exits
    apply_import(store, plan, actor="tester")
    yield queries.retention(store, LEADERSHIP)
    store.close()


def test_each_cohort_has_the_mean_of_its_students_means_so_far(everybody, told):
    asked = defaultdict(list)
    for one in everybody:
        first, averages = min(row.term for row in one.terms) if one.terms else 0, []
        for row in sorted(one.terms, key=lambda row: row.term):
            averages += [] if row.gpa is None else [row.gpa]
            if averages:
                at = one.programme.code, one.cohort, terms_between(first, row.term) + 1
                asked[at].append(sum(averages) / len(averages))
    shown = {
        (row.program_code, row.cohort_term // 10, row.term_index): (row.gpa_rows, row.gpa_mean)
        for row in told.itertuples()
        if row.gpa_rows
    }
    assert len(shown) > 50
    assert {at: n for at, (n, _) in shown.items()} == {at: len(means) for at, means in asked.items()}
    for at, (n, mean) in shown.items():
        assert mean == pytest.approx(sum(asked[at]) / n, abs=0.005), at
