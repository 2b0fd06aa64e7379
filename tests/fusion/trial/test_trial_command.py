"""``python -m fusion trial``: the calculator, the list, and the lots worked out again."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from functools import partial

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from data import schema
from data.cases import trials
from data.trust.scope import Scope
from fusion.__main__ import app
from fusion.commands import trial as commands
from fusion.trial.lottery import draw_lots
from tests.data.cases.conftest import DRAWN_ON, crowd, protocol_of, replaced_protocol, triggers_off

__all__ = ["crowd"]  # a fixture of the tests of data, used here as it is
WHOLE = Scope("dekan", "leadership", False, None, False, False)


@pytest.fixture
def drawn(crowd, monkeypatch):  # noqa: F811
    """A trial with its lots drawn by the lottery, and the command line on its store."""

    @contextmanager
    def opened():
        yield crowd.store

    monkeypatch.setattr(commands, "opened_store", opened)
    by = {"role": "leadership", "today": DRAWN_ON}
    trial = trials.register_trial(crowd.store, WHOLE, protocol_of(), actor="dekan", **by)
    trials.approve_trial(crowd.store, WHOLE, trial.trial_id, trial.protocol_sha256, actor="wadek", **by)
    lottery = partial(draw_lots, block=4)
    made = trials.draw_lots(crowd.store, WHOLE, trial.trial_id, lottery, actor="dekan", **by)
    assert (made.offered, made.usual) == (12, 12)
    return trial.trial_id


def run(*words: str):
    return CliRunner().invoke(app, ["trial", *words])


def test_the_calculator_needs_no_store():
    said = run("power", "--base-rate", "0.3", "--difference", "0.05", "--students", "600")
    assert said.exit_code == 0
    assert said.stdout.startswith(
        "2502 students, both groups together, find a fall from 30.0% to 25.0% in 80%"
    )
    assert "600 students find that fall in 28% of trials" in said.stdout


def test_a_fall_below_nothing_is_refused_in_one_line():
    said = run("power", "--base-rate", "0.05", "--difference", "0.2")
    assert said.exit_code == 2 and "difference must be 0 to base_rate" in said.stderr


def test_the_list_names_no_student(drawn):
    said = run("list").stdout
    assert f"{drawn}  drawn  24 of 40 drawn" in said and "ani" not in said


def test_lots_are_worked_out_again_and_a_change_of_the_secret_shows(drawn, crowd):  # noqa: F811
    said = run("check", drawn)
    assert said.exit_code == 0 and "the lots of 24 students are those" in said.stdout
    forged = crowd.store.cipher.encrypt(b"x" * 32, f"trial:{drawn}")
    with crowd.store.writing() as connection:
        triggers_off(connection, "trial_seeds")
        connection.execute(update(schema.trial_seeds).values(ciphertext=forged))
    said = run("check", drawn)
    assert said.exit_code == 2 and "not the registered one" in said.stderr
    assert run("check", "0" * 32).exit_code == 2


def test_a_protocol_that_was_changed_with_its_digest_shows(drawn, crowd):  # noqa: F811
    replaced_protocol(crowd.store, drawn, outcome="inactive")
    said = run("check", drawn)
    assert said.exit_code == 1
    assert "is not the one that was registered and approved" in said.stdout


def test_a_title_of_before_is_printed_as_text(drawn, crowd):  # noqa: F811
    replaced_protocol(crowd.store, drawn, title="Talks\x1b[2J\n\u202eall")
    said = run("list").stdout
    assert "Talks\ufffd[2J \ufffdall" in said and len(said.splitlines()) == 1


def test_the_days_of_the_example_fit_its_calendar():
    assert protocol_of().read_on == date(2025, 3, 3)
