"""The benchmark of spread scoring runs, and finds both ways equal."""

from __future__ import annotations

import json

import pytest

from benchmarks.spread import main


@pytest.mark.slow
def test_the_spread_benchmark_writes_its_figures(tmp_path, capsys):
    main(students=260, workers=1, repeats=1, chunk=50, seed=1, json_file=tmp_path / "spread.json")
    result = json.loads((tmp_path / "spread.json").read_text(encoding="utf-8"))
    assert result["largest_difference"] == 0.0 and result["chunk_rows"] == 50
    assert result["seconds"]["local"]["median"] > 0 and result["seconds"]["workers"]["median"] > 0
    assert "per million scores" in capsys.readouterr().out
