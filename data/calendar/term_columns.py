"""Columns of terms → columns of dates and indexes; each distinct term is computed once."""

from __future__ import annotations

import pandas as pd

from data.calendar.term_calendar import term_end, term_start, terms_between


def lookup(keys: pd.Series, table: pd.Series) -> pd.Series:
    """``table``, whose index is unique, at each key; the index of ``keys``, missing where there is none."""
    return table.reindex(pd.Index(keys)).set_axis(keys.index)


def by_value(series: pd.Series, function, dtype: str) -> pd.Series:
    """``function`` of each distinct value, spread over the series; missing stays missing."""
    table = {value: function(int(value)) for value in series.dropna().unique()}
    return series.map(table).astype(dtype)


def starts(terms: pd.Series) -> pd.Series:
    """First days of terms."""
    return by_value(terms, term_start, "datetime64[s]")


def ends(terms: pd.Series) -> pd.Series:
    """Last days of terms."""
    return by_value(terms, term_end, "datetime64[s]")


def calendar_index(cohort: pd.Series, term: pd.Series) -> pd.Series:
    """Index of a term by the calendar, 1 for the entry term; missing where either is."""
    pairs = pd.MultiIndex.from_arrays([cohort.fillna(0), term.fillna(0)])
    table = {
        pair: terms_between(int(pair[0]), int(pair[1])) + 1 for pair in pairs.unique() if pair[0] and pair[1]
    }
    return pd.Series([table.get(pair) for pair in pairs], index=term.index, dtype="Int64")
