"""The benchmark of the store runs and reports what it says it reports."""

from __future__ import annotations

import json

from benchmarks.__main__ import benchmark_names
from benchmarks.store import main


def test_the_store_benchmark_writes_its_figures(tmp_path, capsys):
    main(students=300, terms=3, scored=2, seed=1, json_file=tmp_path / "store.json", url="")
    result = json.loads((tmp_path / "store.json").read_text(encoding="utf-8"))
    assert result["rows"]["students"] == 300
    assert result["rows"]["terms"] == 900
    assert result["seconds"]["import_new"]["wall"] > 0
    assert {"p50", "p95", "cpu"} == set(result["milliseconds"]["caseload_advisor_50"])
    assert "300 students, 900 term rows" in capsys.readouterr().out


def test_benchmarks_are_found_by_their_main():
    names = benchmark_names()
    assert "store" in names
    assert "__main__" not in names
