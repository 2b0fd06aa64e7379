"""What a table sends to the browser has one kind of cell in each column."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from dashboard.components.table import _in_one_kind
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
