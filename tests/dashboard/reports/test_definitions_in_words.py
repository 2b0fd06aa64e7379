"""Definitions in reports are words of the reader's language, never the keys and codes of a profile."""

import re

import pytest

from dashboard.reports.condition_words import condition_words
from dashboard.reports.profile import load_profile, profile_ids, profile_levels
from data.columns import ENTRY_TYPES, EXIT_TYPES

EVERY = [(name, level) for name in profile_ids() for level in (profile_levels(name) or ("",))]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize(("name", "level"), EVERY)
def test_every_condition_of_every_instrument_is_told_in_words(name, level, language):
    profile = load_profile(name, level)
    for part in (*profile.rows, *profile.columns, *profile.indicators):
        said = condition_words(part.where, profile, language)
        assert bool(said) == bool(part.where)
        assert not re.search(r"[a-z]_[a-z]|[=<>≤≥∈{}]", said), said


@pytest.mark.parametrize("code", [*ENTRY_TYPES, *EXIT_TYPES])
def test_every_entry_and_exit_has_a_word(code):
    profile = load_profile("abet-public")
    said = [condition_words({"exit_type": [code]}, profile, language) for language in ("id", "en")]
    assert said[0] != said[1]


def test_a_condition_reads_like_a_sentence():
    profile = load_profile("iaps40-8c", "S1")
    asked = {"entry_year": "row", "exit_type": ["graduated"], "exit_year": {"le": "ts"}}
    assert condition_words(asked, profile, "en") == (
        "Year of entry: the row's year; Exit: graduated; Year of exit: at most TS"
    )
    assert condition_words({"study_years": {"ge": 3.5, "le": 6}}, profile, "id") == (
        "Masa studi menurut hari (tahun): sedikitnya 3,50 · paling banyak 6"
    )
