"""What a layout of headers is called: in the reader's language, or as an office calls its own."""

from __future__ import annotations

import pytest

from dashboard.importing.labels import layout_of
from dashboard.shell.wording import Words
from data.files.mapping import shipped_mappings


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_layout_that_ships_has_a_name_in_both_languages(language):
    words = Words(language)
    named = {one.name: layout_of(words, one.title) for one in shipped_mappings()}
    assert named == {name: words(f"layout.{name}") for name in named}
    assert (named["siakad"], language) in {("SIAKAD export", "en"), ("Ekspor SIAKAD", "id")}


def test_an_office_s_own_layout_keeps_its_title():
    assert layout_of(Words("id"), "Unduhan BAAK") == "Unduhan BAAK"
