"""How far work has come: steps that count themselves, one name for many steps, and bars in the terminal."""

from __future__ import annotations

import pytest

from data.commands.bars import Bars
from data.engine.progress import Steps, renamed


def test_steps_say_what_begins_and_never_pass_their_total():
    told = []
    say = Steps(lambda *step: told.append(step), 2)
    for what in ("reading", "writing", "one more", "and more"):
        say(what)
    assert told == [(0, 2, "reading"), (1, 2, "writing"), (2, 2, "one more"), (2, 2, "and more")]


def test_steps_that_nobody_watches_are_counted_in_silence():
    say = Steps(None, 1)
    say("reading")
    assert say.done == 1


def test_steps_whose_names_must_not_be_shown_go_by_one():
    told = []
    renamed(lambda *step: told.append(step), "checking files")(1, 3, "reading the file of Ani")
    assert told == [(1, 3, "checking files")]


def test_bars_show_a_bar_per_piece_of_work_and_finish_it(capsys):
    with Bars() as bars:
        assert capsys.readouterr().err == ""  # nothing before the first word
        bars(10, 40, "writing rows")
        bars(40, 40, "writing rows")
        bars(0, 7, "reading the register")
        bars(1, 7, "learning")
    shown = capsys.readouterr().err
    assert "writing rows: 100%" in shown and "40/40" in shown
    assert "learning: 100%" in shown and "7/7" in shown


def test_the_next_work_of_the_same_size_begins_a_bar_of_its_own(capsys):
    with Bars() as bars:
        bars(40, 40, "first")
        bars(1, 40, "second")
    shown = capsys.readouterr().err
    assert "first: 100%" in shown and "second: 100%" in shown


def test_a_bar_is_left_where_it_was_when_work_fails(capsys):
    with pytest.raises(ValueError, match="stopped"), Bars() as bars:
        bars(1, 7, "learning")
        raise ValueError("stopped")
    assert "100%" not in capsys.readouterr().err
