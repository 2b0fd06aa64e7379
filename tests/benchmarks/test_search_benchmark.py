"""What the search benchmark counts, by hand; and a small one that is really run."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import search
from benchmarks.__main__ import app, register


def test_recall_is_the_share_of_the_nearest_that_were_found():
    truth = np.array([[1, 2], [3, 4]])
    found = np.array([[1, 9], [4, 3]], dtype=object)
    assert search.recalls(found, truth) == {"recall_at_1": 0.5, "recall_at_10": 0.75}


def test_the_same_writers_are_drawn_every_time_and_half_of_the_questions_are_theirs(monkeypatch):
    monkeypatch.setattr(search, "PIECE", 400)
    drawn = search.Drawn(1_000, 16, 1)
    pieces = list(drawn.pieces())
    assert [start for start, _ in pieces] == [0, 400, 800] and sum(len(rows) for _, rows in pieces) == 1_000
    rows = np.concatenate([some for _, some in pieces])
    assert (rows == np.concatenate([some for _, some in drawn.pieces()])).all()
    apart = np.linalg.norm(drawn.queries(200)[:, None] - rows[None, :400], axis=2).min(axis=1)
    assert np.median(apart[::2]) < 0.9 * np.median(apart[1::2])


def test_a_small_search_is_measured_beside_faiss(tmp_path):
    register(["search"])
    asked = ["search", "--specimens", "3000", "--long-specimens", "600", "--long-numbers", "200"]
    asked += ["--queries", "64", "--rounds", "2", "--students", "300"]
    result = CliRunner().invoke(app, [*asked, "--json", str(tmp_path / "search.json")])
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "search.json").read_text())
    assert written["benchmark"] == "search" and set(written["rows"]) == {"3000 x 128", "600 x 200"}
    for row in written["rows"].values():
        assert row["recall_at_1"] == row["recall_at_10"] == 1
        for pair in row["pairs"].values():
            assert pair["low"] <= pair["high"] and pair["ours"] > 0 < pair["peer"]
    ways = {one["way"] for one in written["rows"]["3000 x 128"]["others"]}
    assert len(ways) == 2 and any("HNSW" in way for way in ways)
    assert written["signers"]["nearest_is_the_writers"] > 0.9
    assert written["one_hand"]["same_findings"] and written["one_hand"]["findings"] > 0


@pytest.mark.parametrize("limit", [-1.5, -3.0])
@pytest.mark.parametrize("count", [40, 700])
def test_the_pairs_found_are_those_that_scoring_every_pair_finds(count, limit):
    rows = search.planted_pairs(count, 24, planted=5, seed=3)
    found = search.close_pairs("same_hand", rows, rows, limit)
    scored = search.scored_in_full(rows, limit)
    assert {(2 * one, 2 * one + 1) for one in range(5)} <= {pair for pair, _ in scored}
    assert [(hit.first, hit.second) for hit in found] == [pair for pair, _ in scored]
    assert [hit.measure for hit in found] == pytest.approx([score for _, score in scored], abs=1e-5)
