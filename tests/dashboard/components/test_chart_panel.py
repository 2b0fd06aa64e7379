"""A click on a group in a chart, or a chosen row of its table, tells the page which group it was."""

import pytest

from dashboard.cohorts.view.picking import groups_of
from dashboard.components import chart_panel
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words

PICKS = ("Law", "Informatics", "Physics")  # from the bottom up; the table begins at the top


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ({"points": [{"point_index": 0, "curve_number": 3}]}, ["Law"]),
        ({"points": [{"point_index": 2}, {"point_index": 1}]}, ["Physics"]),
        ({"rows": [0], "columns": []}, ["Physics"]),
        ({"rows": [2], "columns": []}, ["Law"]),
        ({"points": []}, []),
        ({"rows": []}, []),
    ],
)
def test_a_choice_is_told_once_and_the_next_drawing_begins_anew(monkeypatch, selection, told):
    state, heard = {"w": {"selection": selection}}, []
    monkeypatch.setattr(chart_panel.st, "session_state", state)
    chart_panel._picked("w", PICKS, heard.append)
    assert heard == told
    assert state.get(Key.PICK_ROUND, 0) == len(told)


def test_a_group_is_known_by_its_name_in_the_readers_language():
    names = {"IF": "Informatics", "FI": "Physics", "FI2": "Physics"}
    for words in (Words("en"), Words("id")):
        groups = groups_of(names, [20231, 20241], words)
        assert groups["cohort"] == {words.term(20231): 20231, words.term(20241): 20241}
        assert groups["program"] == {"Informatics": "IF"}  # a shared name stands for neither
