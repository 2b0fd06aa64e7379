"""The review queue as people see it: whose turn it is, what opinions amount to, reasons in every language."""

import pandas as pd
import pytest

from dashboard.shell.wording import Words
from dashboard.verification.reviews import (
    may_settle,
    next_case,
    pack_reasons,
    progress_of,
    state_of,
    told_reasons,
)

QUEUE = pd.DataFrame({"decision_id": ["a", "b", "c"], "mine_to_do": [False, True, True], "settled": False})


def opinions(*given: str, blind: bool = True) -> pd.DataFrame:
    return pd.DataFrame({"kind": "opinion", "opinion": list(given), "blind": blind})


def test_the_oldest_case_that_waits_for_the_reader_comes_first():
    assert next_case(QUEUE)["decision_id"] == "b"
    assert next_case(QUEUE.head(1)) is None


def test_a_case_put_off_comes_after_the_others_and_in_turn():
    assert next_case(QUEUE, passed=["b"])["decision_id"] == "c"
    assert next_case(QUEUE, passed=["c", "b"])["decision_id"] == "c"


def test_a_case_asked_for_is_opened_even_if_it_waits_for_others():
    assert next_case(QUEUE, "a")["decision_id"] == "a"
    assert next_case(QUEUE, "unknown")["decision_id"] == "b"


@pytest.mark.parametrize(
    ("given", "progress", "actions"),
    [
        (("same_writer",), "one", ("ask_again",)),
        (("same_writer", "same_writer"), "agree", ("ask_again", "accept", "refer")),
        (("same_writer", "another_writer"), "differ", ("ask_again",)),
        (("same_writer", "another_writer", "cannot_tell"), "third", ("ask_again", "accept", "refer")),
    ],
)
def test_two_that_differ_wait_for_a_third(given, progress, actions):
    assert progress_of(opinions(*given)) == progress
    assert may_settle(opinions(*given)) == actions


def test_without_a_blind_opinion_only_another_signature_can_be_asked_for():
    assert may_settle(opinions("same_writer", "same_writer", blind=False)) == ("ask_again",)


def test_the_state_of_a_case_is_the_readers_own():
    row = {"settled": False, "mine_to_do": False, "mine": True, "opinions": 2}
    assert state_of(row) == "to_settle"
    assert state_of(row | {"opinions": 1}) == "waiting"
    assert state_of(row | {"mine_to_do": True}) == "for_me"
    assert state_of(row | {"settled": True}) == "settled"


def test_reasons_are_stored_as_codes_and_told_in_each_language():
    stored = pack_reasons(["slant", "shape"], " slow line ")
    assert stored == "[shape+slant] slow line"
    assert told_reasons(stored, Words("en")) == "Shape of letters, Slant. slow line"
    assert told_reasons(stored, Words("id")) == "Bentuk huruf, Kemiringan. slow line"
    assert told_reasons("typed before there were codes", Words("en")) == "typed before there were codes"
    assert pack_reasons([], "  ") == ""


def test_an_unknown_reason_is_refused():
    with pytest.raises(ValueError, match="codes must be of shape, .* got mood"):
        pack_reasons(["mood"], "")
