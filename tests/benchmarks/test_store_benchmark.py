"""The benchmark of the store runs and reports what it says it reports."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.__main__ import benchmark_names
from benchmarks.store import main, register_frames, so_far


def test_the_store_benchmark_writes_its_figures(tmp_path, capsys):
    main(students=300, terms=2, scored=2, seed=1, json_file=tmp_path / "store.json", url="")
    result = json.loads((tmp_path / "store.json").read_text(encoding="utf-8"))
    assert result["rows"]["students"] == 300
    assert result["rows"]["terms"] == 600
    assert result["seconds"]["import_new"]["wall"] > 0
    assert {"p50", "p95", "cpu"} == set(result["milliseconds"]["caseload_advisor_50"])
    assert "300 students, 600 term rows" in capsys.readouterr().out


def test_the_young_have_had_fewer_terms():
    frames = so_far(register_frames(200, 12, np.random.default_rng(1)))
    cohorts = frames.students.set_index("student_number")["cohort_term"]
    had = frames.terms.groupby("student_number").size().groupby(cohorts).agg(["min", "max"])
    expected = {20171: 12, 20181: 12, 20191: 12, 20201: 10, 20211: 8, 20221: 6, 20231: 4, 20241: 2}
    assert had["min"].to_dict() == had["max"].to_dict() == expected


def test_benchmarks_are_found_by_their_main():
    names = benchmark_names()
    assert "store" in names
    assert "__main__" not in names
