"""What a table sends to the browser has one kind of cell in each column."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from dashboard.components.table import _in_one_kind, _moments
from dashboard.shell.wording import Words
from data.trust.small_cells import MARK


def test_counts_beside_marks_are_texts_that_can_be_sent():
    frame = pd.DataFrame(
        {
            "n": pd.Series([1200, MARK, None], dtype=object),
            "mean": pd.Series([1.5, MARK, 2.0], dtype=object),
            "whole": [1, 2, 3],
            "yes": pd.Series([True, "x", False], dtype=object),
            "day": pd.Series([pd.Timestamp("2026-01-02"), None, None], dtype=object),
        }
    )
    told = _in_one_kind(frame, Words("id"))
    assert told["n"].tolist()[:2] == ["1.200", MARK] and pd.isna(told["n"][2])
    assert told["mean"].tolist() == ["1,50", MARK, "2"]
    assert told["whole"].tolist() == [1, 2, 3] and told["yes"].tolist() == [True, "x", False]
    pa.Table.from_pandas(told[["n", "mean", "whole", "day"]])  # raised, and was logged, before


def test_days_and_moments_are_found_among_columns_of_any_kind():
    day, hour = pd.Timestamp("2026-01-02"), pd.Timestamp("2026-01-02 13:05")
    frame = pd.DataFrame(
        {
            "text": pd.Series(["a", "b"], dtype="str"),
            "number": [1.5, None],
            "day": [day, pd.NaT],
            "moment": [hour, day],
            "date": pd.Series([day.date(), None], dtype=object),
            "mixed": pd.Series([day.date(), "x"], dtype=object),
            "nothing": pd.Series([None, None], dtype=object),
        }
    )
    words = Words("en")
    assert _moments(frame, words) == {"day": words.day, "moment": words.moment, "date": words.day}
