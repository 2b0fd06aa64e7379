"""The review queue as people see it: whose turn it is, what opinions amount to, reasons in every language."""

import pandas as pd
import pytest

from dashboard.shell.wording import EMPTY, Words
from dashboard.verification.reviews import (
    may_settle,
    may_withdraw,
    next_case,
    progress_of,
    state_of,
    told_act,
    told_reasons,
)
from data.verification.reviews import REASON_CODES

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


def test_only_the_newest_opinion_that_stands_may_be_taken_back():
    given = opinions("same_writer", "same_writer").assign(reviewer=["siti", "tono"])
    assert not may_withdraw(given, "siti") and may_withdraw(given, "tono")
    given["kind"] = ["opinion", "withdrawn"]
    assert may_withdraw(given, "siti") and not may_withdraw(given, "tono")
    assert not may_withdraw(given.head(0), "siti")


def test_what_was_taken_back_counts_for_nothing():
    given = opinions("same_writer", "same_writer").assign(kind=["opinion", "withdrawn"])
    assert (progress_of(given), may_settle(given)) == ("one", ("ask_again",))


def test_each_act_of_a_case_is_told_in_both_languages():
    told = [told_act(kind, "cannot_tell", Words("en")) for kind in ("opinion", "withdrawn", "withdrawal")]
    assert told == ["I cannot tell", "I cannot tell (taken back)", "Took the opinion back"]
    assert told_act("withdrawal", "cannot_tell", Words("id")) == "Menarik kembali pendapat"
    assert told_act("settlement", "accept", Words("en")) == Words("en")("action_of.accept")


def test_the_state_of_a_case_is_the_readers_own():
    row = {"settled": False, "mine_to_do": False, "mine": True, "opinions": 2, "wanted": False}
    assert state_of(row) == "to_settle"
    assert state_of(row | {"opinions": 1}) == "waiting"
    assert state_of(row | {"wanted": True}) == "waiting"  # two differ: a third looks first
    assert state_of(row | {"mine_to_do": True}) == "for_me"
    assert state_of(row | {"settled": True}) == "settled"


def test_codes_of_reasons_are_told_in_each_language_and_typed_words_as_typed():
    assert told_reasons(["shape", "slant"], "slow line", Words("en")) == "Shape of letters, Slant. slow line"
    assert told_reasons(["shape", "slant"], "slow line", Words("id")) == "Bentuk huruf, Kemiringan. slow line"
    assert told_reasons([], "[sic] typed", Words("en")) == "[sic] typed"
    assert told_reasons(["slant"], "", Words("en")) == "Slant"
    assert told_reasons([], "", Words("en")) == EMPTY


def test_every_reason_has_words_in_both_languages():
    for words in (Words("en"), Words("id")):
        assert all(words.has(f"review.reason_{code}") for code in REASON_CODES)
