"""The caseload on a narrow screen: each card says what its row says, as text that nobody obeys."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.plain import plain
from dashboard.shell.wording import Words


def _drawn(rows, several, with_page):
    """The script that AppTest runs: a list, with or without a page of a student in the menu."""
    import streamlit as st

    from dashboard.cases.view.caseload_table import caseload_table
    from dashboard.shell.session_keys import Key

    page = st.Page(lambda: None, title="S", url_path="student")
    st.session_state[Key.PAGES] = {"student": page} if with_page else {}
    st.navigation([st.Page(lambda: None, title="C", default=True), page], position="hidden")
    caseload_table(rows, "list", several=several)


ROWS = pd.DataFrame(
    {
        "student_key": ["a" * 12, "b" * 12],
        "moved": ["▲ new", "same"],
        "student": ["Siti *Rahma*", "[Budi](http://h.example)"],
        "student_number": ["001", "002"],
        "band": [["High"], ["Low"]],
        "risk": [63, 12],
        "change": [4.0, None],
        "last": ["Talked on 2 Nov 2026", None],
        "reasons": ["GPA of the last term 1.9", "–"],
        "program": ["Fisika", "Fisika"],
        "cohort": ["Odd 2024/25", "Odd 2025/26"],
    }
)


def drawn(several=False, with_page=True) -> AppTest:
    kwargs = {"rows": ROWS, "several": several, "with_page": with_page}
    return AppTest.from_function(_drawn, default_timeout=60, kwargs=kwargs).run()


def test_each_row_has_a_card_with_what_matters_first():
    at, words = drawn(), Words("en")
    assert not at.exception
    links = [one.proto for one in at.get("page_link")]
    assert [one.label for one in links] == [plain(name) for name in ROWS["student"]]
    assert not any("](http" in one.label for one in links)
    assert [one.query_string for one in links] == [f"s={key}" for key in ROWS["student_key"]]
    first, second = (str(one.value).replace("\\", "") for one in at.markdown)
    assert first.splitlines()[0].strip() == f"**High · {words('column.risk_of_100')}: 63**"
    assert [line.strip() for line in first.splitlines()[1:]] == [
        "▲ new",
        "Talked on 2 Nov 2026",
        "GPA of the last term 1.9",
        "Fisika · Odd 2024/25",
    ]
    assert "Talked" not in second and len(at.dataframe) == 1


@pytest.mark.parametrize(("several", "with_page"), [(True, True), (False, False)])
def test_there_are_no_cards_where_rows_are_chosen_or_no_student_can_be_opened(several, with_page):
    at = drawn(several, with_page)
    assert not at.exception
    assert len(at.dataframe) == 1 and not at.get("page_link") and not at.markdown
