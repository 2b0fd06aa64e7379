"""Definitions in reports are words of the reader's language, never the keys and codes of a profile."""

import re

import pytest

from dashboard.reports.condition_words import condition_words, formula_words
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


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize(("name", "level"), EVERY)
def test_every_formula_of_every_instrument_is_told_with_its_headings(name, level, language):
    profile = load_profile(name, level)
    for part in (*profile.columns, *profile.indicators):
        if part.formula:
            said = formula_words(part.formula, profile, language)
            outside = re.sub(r"“[^”]*”", "", said)
            assert said.count("“") == said.count("”") >= 1
            assert not re.search(r"[a-z]_[a-z]|\[|\]|\*|@", outside), said
            assert language == "en" or not re.search(r"\d\.\d", outside), said


def test_a_formula_reads_as_the_table_is_headed():
    profile = load_profile("iaps51-8b", "S2")
    asked = "(short[TS-3] + long[TS-3]) / accepted[TS-3]"
    assert formula_words(asked, profile, "id") == (
        "(“Masa Studi (MS, tahun) · 1,5 ≤ MS ≤ 2,5” (TS-3) + “Masa Studi (MS, tahun) · 2,5 < MS ≤ 4” (TS-3))"
        " / “Jumlah Mahasiswa Diterima” (TS-3)"
    )
    assert formula_words("sum(accepted) - 0.5", profile, "id") == "jumlah(“Jumlah Mahasiswa Diterima”) − 0,5"
    with pytest.raises(KeyError):
        formula_words("nothing / accepted", profile, "en")


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
