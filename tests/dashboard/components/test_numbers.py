"""Decimal numbers that a person chooses or types: shown as the language writes them, read either way."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.kpis import Kpi, _looks
from dashboard.reports.language import NumberError, read_number, short_number
from dashboard.shell.wording import Words


@pytest.mark.parametrize(
    ("text", "low", "high", "value"),
    [
        ("0,35", 0, 1, 0.35),
        ("0.35", 0, 1, 0.35),
        (" 12 ", 1, 99, 12.0),
        ("−2,5", -15, 15, -2.5),
        ("+3", None, None, 3.0),
        ("1.234,5", None, None, 1234.5),
        ("1,234.5", None, None, 1234.5),
        ("1 234,5", None, None, 1234.5),
        ("1.234.567", None, None, 1234567.0),
        ("1,234", 0, 99, 1.234),
        ("1.234", 100, None, 1234.0),
        ("0.123", None, None, 0.123),
        ("1.2345", None, None, 1.2345),
    ],
)
@pytest.mark.parametrize("language", ["en", "id"])
def test_a_comma_and_a_point_are_both_read(text, low, high, value, language):
    assert read_number(text, language, low, high) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "none"),
        ("tiga", "none"),
        ("3 persen", "none"),
        ("nan", "none"),
        ("1e3", "none"),
        ("1,2,3", "none"),
        ("12.34.567,8", "none"),
        (",5", "none"),
        ("100", "range"),
        ("0,2", "range"),
    ],
)
def test_what_is_no_such_number_is_refused_and_says_why(text, why):
    with pytest.raises(NumberError) as refused:
        read_number(text, "id", 0.5, 99)
    assert refused.value.why == why


def test_one_sign_before_three_digits_is_asked_about_where_both_readings_are_right():
    with pytest.raises(NumberError) as refused:
        read_number("1.234", "id", 0)
    assert refused.value.why == "two"
    assert refused.value.said == {"text": "1.234", "one": "1234", "other": "1,2340"}


def test_a_number_is_written_with_the_decimals_that_it_has():
    assert [short_number(one, "id", 1) for one in (30.0, 0.25, -2.5, 1e6)] == [
        "30,0",
        "0,25",
        "−2,5",
        "1.000.000,0",
    ]
    for value in (0.5, 33.3, 1234.5, -7.25):
        assert read_number(short_number(value, "id"), "id") == value


def _fields(language):
    import streamlit as st

    from dashboard.components.numbers import decimal_field, decimal_slider

    st.session_state.setdefault("language", language)
    st.text(repr(decimal_field("A", 0.5, 99.0, 30.0, key="a")))
    st.text(repr(decimal_slider("B", 1.248, 3.9, 2.0, 0.05, digits=2, key="b", unit="°")))


def drawn(language: str) -> AppTest:
    return AppTest.from_function(_fields, kwargs={"language": language}).run()


def test_fields_are_shown_in_the_language_and_keep_what_was_typed_when_it_changes():
    page = drawn("id")
    field, slider = page.text_input(key="a"), page.select_slider(key="b")
    assert field.value == "30,0"
    assert slider.options[:3] == ["1,25°", "1,30°", "1,35°"] and slider.options[-1] == "3,90°"
    assert [one.value for one in page.text] == ["30.0", "2.0"]
    field.set_value("33.25").run()
    assert page.text_input(key="a").value == "33,25" and page.text[0].value == "33.25"
    page.session_state["language"] = "en"
    page.run()
    assert page.text_input(key="a").value == "33.25" and page.text[0].value == "33.25"


@pytest.mark.parametrize(("text", "said"), [("tiga puluh", "2,5"), ("100", "0,5"), ("", "2,5")])
def test_a_wrong_number_is_said_and_kept_to_be_mended(text, said):
    page = drawn("id")
    page.text_input(key="a").set_value(text).run()
    assert page.text[0].value == "None" and not page.exception
    (error,) = page.error
    assert said in error.value and text in error.value
    assert page.text_input(key="a").value == text


@pytest.mark.parametrize("language", ["en", "id"])
def test_there_is_one_minus_sign_and_none_before_a_zero(language):
    words = Words(language)
    for value, digits in ((-0.004, 2), (-0.0, 0), (-0.4, 0), (-0.0004, 3)):
        assert "−" not in words.number(value, digits) and "-" not in words.number(value, digits)
        assert words.signed(value, digits) == words.number(0, digits)
        assert words.percent(value / 100, digits) == f"{words.number(0, digits)}%"
    assert words.signed(-2) == "−2" and words.percent(-0.04) == "−4%"


@pytest.mark.parametrize(
    ("delta", "good", "looks"),
    [
        ("−2", "down", ("down", "green")),
        ("−2", "up", ("down", "red")),
        ("+2", "up", ("up", "green")),
        ("+2", "none", ("up", "gray")),
        ("0.0", "up", ("off", "gray")),
        (None, "up", ("off", "gray")),
    ],
)
def test_a_figures_arrow_and_colour_follow_its_sign(delta, good, looks):
    assert tuple(_looks(Kpi("a", "1", delta=delta, good=good)).values()) == looks
