"""Texts among texts, beside what pandas says."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from data.engine.texts import distinct, one_of

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["nan", "None", "", "é", "0"])))


@given(TEXTS, TEXTS)
def test_it_says_what_pandas_says_of_texts_and_missing_is_none_of_them(column, values):
    series = pd.Series(column, dtype="str", index=range(7, 7 + len(column)))
    expected = [text is not None and text in {one for one in values if one is not None} for text in column]
    for given_values in (pd.Series(values, dtype="str"), values, set(values)):
        found = one_of(series, given_values)
        assert found.dtype == bool and found.tolist() == expected
    assert one_of(pd.Index(series), pd.Index(values, dtype="str")).tolist() == expected
    assert distinct(series) == {text for text in column if text is not None}


def test_parts_of_a_column_and_empty_ones():
    joined = pd.concat([pd.Series(["a", None]), pd.Series(["b"])], ignore_index=True)
    assert one_of(joined, ["b"]).tolist() == [False, False, True]
    assert one_of(joined[:0], ["b"]).tolist() == []
    assert one_of(joined.astype(object), pd.Series([], dtype="str")).tolist() == [False] * 3
    assert np.array_equal(one_of(pd.Series([None, None], dtype=object), ["a"]), [False, False])
