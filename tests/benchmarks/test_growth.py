"""Exponents by hand, and the refusal of a command that fails."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app, register
from benchmarks.growth import Cost, cost_of, exponent, grown
from benchmarks.main_job import Place


def test_the_greatest_exponent_between_neighbouring_sizes():
    assert exponent([1_000, 10_000], [2.0, 20.0]) == 1.0
    assert exponent([1_000, 10_000, 100_000], [2.0, 2.0, 200.0]) == 2.0
    assert exponent([100, 400, 1_600], [8.0, 16.0, 16.0]) == 0.5


def test_a_step_keeps_its_figures():
    row = grown("train", [100, 1_000], [Cost(1.0, 200.0, 1.5), Cost(5.0, 400.0, 6.04)])
    assert row == {
        "step": "train",
        "time_exponent": 0.7,  # log10 of 5
        "memory_exponent": 0.3,  # log10 of 2
        "seconds": [1.0, 5.0],
        "megabytes": [200.0, 400.0],
        "wall_seconds": [1.5, 6.0],
    }
    alone = grown("train", [1_000], [Cost(5.0, 400.0, 6.0)])
    assert alone["time_exponent"] is alone["memory_exponent"] is None and alone["seconds"] == [5.0]


def test_a_command_costs_processor_time_and_memory_and_says_why_it_failed(tmp_path):
    cost = cost_of(["data", "--help"], Place(str(tmp_path)))
    assert cost.seconds > 0 and cost.megabytes > 10
    with pytest.raises(RuntimeError, match="no-such-command"):
        cost_of(["data", "no-such-command"], Place(str(tmp_path)))


@pytest.mark.parametrize("sizes", ["1000", "1000,100", "50,100", "200,200"])
def test_sizes_must_rise(sizes):
    register(["growth"])
    assert CliRunner().invoke(app, ["growth", "--sizes", sizes]).exit_code == 2


@pytest.mark.parametrize(
    "given",
    [
        ["--sizes", "100,200", "--folder", "new"],
        ["--sizes", "100,200", "--url", "sqlite://"],
        ["--sizes", "100,200", "--from", "score"],
        ["--sizes", "100", "--folder", "new", "--from", "nothing"],
    ],
)
def test_a_store_that_stays_is_of_one_size(given):
    register(["growth"])
    assert CliRunner().invoke(app, ["growth", *given]).exit_code == 2
