"""The second university's exits as they are, and with the words for graduated and dropped out exchanged."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from data import queries
from data.columns import DROPOUT_EXITS
from data.records.exit_sense import turned_exits
from fusion.service.sources import Parts, read_rows
from fusion.validation.doubts import EXITS_TURNED, doubts_of


def test_the_exits_of_the_second_university_are_in_their_place_and_exchanged_they_are_found(university):
    records = queries.records_until(university)
    assert turned_exits(records.students, records.terms, records.outcomes) is None
    kind = records.outcomes["exit_type"]
    left = kind.isin(DROPOUT_EXITS)
    turned = kind.mask(kind == "graduated", "resigned").mask(left, "graduated")
    told = turned_exits(records.students, records.terms, records.outcomes.assign(exit_type=turned))
    assert told is not None and told.share > 0.9


def test_they_are_found_part_by_part_as_well(university):
    def read(change):
        for _, part in Parts(university, 50).each():
            records = part.until()
            kind = records.outcomes["exit_type"]
            turned = kind.mask(kind == "graduated", "resigned").mask(kind.isin(DROPOUT_EXITS), "graduated")
            yield replace(records, outcomes=records.outcomes.assign(exit_type=turned)) if change else records

    assert len(Parts(university, 50)) > 3
    assert doubts_of(read(change=False)) == ()
    assert doubts_of(read(change=True)) == (EXITS_TURNED,)


def test_rows_of_both_systems_are_the_same_read_in_parts(university):
    whole, parts = read_rows(Parts(university)), read_rows(Parts(university, 70))
    pd.testing.assert_frame_equal(parts.table, whole.table)
    pd.testing.assert_frame_equal(parts.meta, whole.meta)
