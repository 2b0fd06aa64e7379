"""The second university's registers in a store, for every test that reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data.files.mapping import load_mapping
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from tests.registers.second_university import write

READ_ON = date(2026, 10, 1)


@pytest.fixture(scope="session")
def university(tmp_path_factory):
    """The second university's registers, both systems of it; nobody taught a model there."""
    office = write(tmp_path_factory.mktemp("office"))
    store = open_store(folder=tmp_path_factory.mktemp("rekaan"))
    mapping = load_mapping(office.mapping)
    for files in (
        {"students": office.students, "terms": office.terms, "outcomes": office.outcomes},
        {"students": office.old_students, "terms": office.old_terms, "outcomes": office.old_outcomes},
    ):
        sources = [Source.from_path(table, Path(path)) for table, path in files.items()]
        plan = plan_import(sources, mapping, store=store, today=READ_ON)
        assert "REC150" not in set(plan.problems["rule"])  # nobody exchanged the exits
        apply_import(store, plan, actor="tester")
    yield store
    store.close()
