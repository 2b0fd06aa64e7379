"""Streamlit's own words: drawn in the reader's language, and no field left with its English placeholder."""

import ast
from pathlib import Path

import pytest

import dashboard
from dashboard.components.reworded import PARTS, instead, reworded_style
from dashboard.shell.wording import Words

OWN = Path(dashboard.__file__).parent


def test_every_part_is_drawn_in_the_readers_words():
    style = reworded_style(Words("id"))
    for name, (place, size) in PARTS.items():
        assert instead(place, Words("id")(f"streamlit.{name}"), size) in style
        assert Words("id")(f"streamlit.{name}") != Words("en")(f"streamlit.{name}")


def test_a_text_cannot_leave_its_rule():
    said = instead(".a, .b:is(.c, .d)", 'a "b" </style> \\', "1rem")
    assert ".a::after, .b:is(.c, .d)::after" in said
    assert "</style>" not in said and 'content: "a \\"b\\" \\3c /style> \\\\"' in said


def left_english(source: str) -> list[int]:
    """Lines of fields in which nothing is chosen at first and Streamlit would say what to do."""
    found = []
    for call in ast.walk(ast.parse(source)):
        name = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        given = {one.arg: one.value for one in call.keywords} if name in ("multiselect", "selectbox") else {}
        empty = name == "multiselect" or (
            isinstance(given.get("index"), ast.Constant) and given["index"].value is None
        )
        if given and empty and "placeholder" not in given:
            found.append(call.lineno)
    return found


def test_no_field_without_a_choice_is_left_to_streamlits_words():
    found = {
        path.relative_to(OWN): left_english(path.read_text(encoding="utf-8")) for path in OWN.rglob("*.py")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('st.multiselect("a", b, key="c")', [1]),
        ('st.selectbox("a", b, index=None)', [1]),
        ('st.selectbox("a", b, key="c")', []),
        ('st.selectbox("a", b, index=None, placeholder=c)', []),
    ],
)
def test_planted_fields_are_found(source, lines):
    assert left_english(source) == lines
