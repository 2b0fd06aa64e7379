"""Ratios of two ways, by hand; and a pair that is really run."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from benchmarks import speed
from benchmarks.__main__ import app, register


def test_a_ratio_is_of_medians_and_its_spread_of_the_rounds(monkeypatch):
    now = [0.0]
    spent = iter([9.0, 9.0, 1.0, 2.0, 2.0, 2.0, 4.0, 5.0])  # the first turn of each is not counted

    def passes(done: int):
        def call() -> int:
            now[0] += next(spent)
            return done

        return call

    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    told = speed.compared(speed.Pair(passes(8), passes(4), ("a", "b"), "things/s"), 3)
    # ours: 8, 4 and 2 a second; the peer's: 2, 2 and 0.8
    assert told == {
        "ratio": 2.0,
        "low": 2.0,
        "high": 4.0,
        "ours": 4.0,
        "peer": 2.0,
        "unit": "things/s",
        "ways": ["a", "b"],
    }


def test_enrolling_writers_is_compared_with_a_machine_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "LENGTH", 50)
    register(["speed"])
    asked = ["speed", "--only", "classifiers", "--writers", "3", "--rounds", "2"]
    result = CliRunner().invoke(app, [*asked, "--json", str(tmp_path / "speed.json")])
    assert result.exit_code == 0, result.output
    written = json.loads((tmp_path / "speed.json").read_text())
    pair = written["pairs"]["classifiers"]
    assert pair["low"] <= pair["high"] and pair["ours"] > 0 < pair["peer"] and pair["target"] == 3.5
    assert written["benchmark"] == "speed"


def test_a_pair_that_there_is_not_is_refused():
    register(["speed"])
    assert CliRunner().invoke(app, ["speed", "--only", "nothing"]).exit_code == 2


@pytest.mark.parametrize("maker", [speed.network, speed.explanations])
def test_both_ways_of_a_pair_do_what_they_say(maker, monkeypatch):
    monkeypatch.setattr(speed, "IMAGES", 8)
    given = (1,) if maker is speed.network else (1_000, 100, 1)
    with maker(*given) as pair:
        assert pair.ours() == (speed.IMAGES if maker is speed.network else 1_000)
        assert pair.peer() == (speed.IMAGES if maker is speed.network else 100)
