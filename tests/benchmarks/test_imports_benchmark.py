"""The files of the benchmark are a register that is taken without a refused row, block after block."""

from __future__ import annotations

import pandas as pd

from benchmarks import imports
from benchmarks.imports import TABLES, write_files
from data.records.ingest import Source, apply_import, plan_import


def test_files_of_several_blocks_are_one_register_that_is_taken_whole(store, tmp_path, monkeypatch):
    monkeypatch.setattr(imports, "BLOCK", 150)
    files = {name: tmp_path / f"{name}.csv" for name in TABLES}
    rows = write_files(files, 250, 1)
    assert {name: len(pd.read_csv(path)) for name, path in files.items()} == rows
    assert rows["students"] == rows["outcomes"] == 250
    plan = plan_import([Source.from_path(name, path) for name, path in files.items()], store=store)
    assert plan.accepted and plan.counts["students"] == {"new": 250, "changed": 0, "same": 0}
    apply_import(store, plan, actor="test", synthetic=True)
    again = plan_import([Source.from_path(name, path) for name, path in files.items()], store=store)
    assert {name: counts["same"] for name, counts in again.counts.items() if name in rows} == rows
