"""Text of people is text: nothing in it is obeyed, and what is seen is what was written."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.shell.plain import JOINER, in_chart, plain, shown, shown_table

SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def read(markdown: str) -> str:
    """What CommonMark shows of escaped signs, without the joiners."""
    text, at = "", 0
    while at < len(markdown):
        at += markdown[at] == "\\" and markdown[at + 1 : at + 2] in SIGNS
        text += markdown[at : at + 1]
        at += 1
    return text.replace(JOINER, "")


@given(
    st.text(alphabet=st.one_of(st.sampled_from(SIGNS + " abz09"), st.characters(exclude_categories=["C"])))
)
def test_what_is_seen_is_what_was_written(text):
    assert read(plain(text)) == " ".join(text.replace(JOINER, "").split())


@given(st.text(alphabet=SIGNS + "ab 1"))
def test_every_sign_that_markdown_reads_is_escaped(text):
    bare = plain(text).replace("\\\\", "")
    assert all(bare[at - 1] == "\\" for at, sign in enumerate(bare) if sign in SIGNS and sign != "\\")


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        (":smile:", ":" + JOINER),
        (":material/home:", ":" + JOINER),
        ("https://x.example", ":" + JOINER),
        ("www.x.example", "www" + JOINER),
        ("a@b.example", "a" + JOINER),
        ("a -> b", "-" + JOINER),
        ("a <= b", "<" + JOINER),
    ],
)
def test_what_streamlit_looks_for_in_finished_text_is_kept_apart(text, apart):
    assert apart in plain(text).replace("\\", "")


def test_a_name_on_several_lines_stands_on_one():
    assert plain("    Ani\n# Budi\u2028 Citra") == "Ani \\# Budi Citra"


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u202a", "\x00", "\x1b", "\x9b"])
def test_signs_that_turn_or_hide_text_are_seen(sign):
    assert shown(f"Ani{sign}Budi") == plain(f"Ani{sign}Budi") == "Ani\ufffdBudi"


@pytest.mark.parametrize("name", ["بُدي\u200f", "म\u200dन", "可儿", "O’Neil", "Nguyễn"])
def test_names_in_other_scripts_stay_as_they_are(name):
    assert shown(name) == plain(name) == in_chart(name) == name


def test_a_chart_shows_tags_as_they_were_written():
    assert (
        in_chart('<a href="http://x">A & B</a>\u202e') == '&lt;a href="http://x"&gt;A &amp; B&lt;/a&gt;\ufffd'
    )


def test_a_table_keeps_its_numbers_and_order():
    frame = pd.DataFrame({"na\u202eme": ["A\u202eB", None], "n": [1, 2]}, index=[5, 3])
    told = shown_table(frame)
    assert list(told.columns) == ["na\ufffdme", "n"] and list(told.index) == [5, 3]
    assert told.iloc[0, 0] == "A\ufffdB" and pd.isna(told.iloc[1, 0]) and told["n"].tolist() == [1, 2]
    assert frame.columns[0] == "na\u202eme"
