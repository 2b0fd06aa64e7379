"""Bottleneck courses: shares with their interval, and nothing of fewer than five students."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.cohorts.courses import by_course, listed
from data.records.bottlenecks import COUNTS


def counts(*rows) -> pd.DataFrame:
    """Programme, course, then the counts."""
    frame = pd.DataFrame(rows, columns=["program_code", "course_code", *COUNTS])
    return frame.assign(course_name=frame["course_code"])


#          attempts failed students failing delayed (failing) on time (failing)
TABLE = counts(
    ("P", "narrow", 40, 10, 36, 9, 20, 8, 15, 0),
    ("P", "wide", 40, 4, 40, 4, 20, 4, 15, 0),
    ("P", "all", 30, 6, 30, 26, 20, 20, 10, 6),
    ("Q", "few", 12, 6, 12, 6, 6, 3, 6, 3),
)


def test_shares_have_a_wilson_interval_and_the_highest_comes_first():
    table = by_course(TABLE)
    assert table["course_code"].tolist() == ["few", "narrow", "all", "wide"]
    narrow = table.set_index("course_code").loc["narrow"]
    assert narrow["rate"] == 0.25
    # Wilson by hand: centre (0.25 + 0.04802) / 1.09604, half width 0.13012.
    assert (narrow["low"], narrow["high"]) == (
        pytest.approx(0.1419, abs=1e-3),
        pytest.approx(0.4019, abs=1e-3),
    )


def test_small_parts_are_hidden_whichever_side_they_are_on():
    table = by_course(TABLE).set_index("course_code")
    # four failed it; four did not; the groups of delayed and on time are small in parts
    assert table["told"].to_dict() == {"few": True, "narrow": True, "all": False, "wide": False}
    assert table.loc["narrow", "delayed_share"] == 8 / 20
    assert pd.isna(table.loc["narrow", "on_time_share"])  # nobody of them failed: it would tell of everybody
    assert table.loc["few", ["delayed_share", "on_time_share"]].isna().all()


def test_only_bottlenecks_that_may_be_told_are_listed():
    table = by_course(TABLE)
    assert listed(table, None)["course_code"].tolist() == ["narrow"]  # "few": fewer than twenty attempts
    assert listed(table, "Q").empty
