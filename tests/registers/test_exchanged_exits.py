"""The second university's exits as they are, and with the words for graduated and dropped out exchanged."""

from __future__ import annotations

from data import queries
from data.columns import DROPOUT_EXITS
from data.records.exit_sense import turned_exits


def test_the_exits_of_the_second_university_are_in_their_place_and_exchanged_they_are_found(university):
    records = queries.records_until(university)
    assert turned_exits(records.students, records.terms, records.outcomes) is None
    kind = records.outcomes["exit_type"]
    left = kind.isin(DROPOUT_EXITS)
    turned = kind.mask(kind == "graduated", "resigned").mask(left, "graduated")
    told = turned_exits(records.students, records.terms, records.outcomes.assign(exit_type=turned))
    assert told is not None and told.share > 0.9
