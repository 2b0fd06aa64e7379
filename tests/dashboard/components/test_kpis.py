"""The small pictures under the figures: drawn once, and every value told in words."""

from __future__ import annotations

import pytest

from dashboard.charts import sparkline
from dashboard.components.kpis import Kpi
from dashboard.shell import current_session
from data.trust.scope import Scope
from data.trust.small_cells import MARK


def reading(language: str):
    return current_session.as_reader(Scope.nothing(), language)


@pytest.mark.parametrize(("language", "told"), [("en", "1,200; 7"), ("id", "1.200; 7")])
def test_every_value_is_told_and_what_is_hidden_by_its_mark(language, told):
    with reading(language):
        picture = Kpi("Here", "1207", bars=[1200, 7, None], bars_note="a bar: a cohort").picture
    assert f"{told}; {MARK}" in picture and "a bar: a cohort" in picture


def test_shares_are_told_as_such():
    with reading("en"):
        assert "50.0%; 62.5%" in Kpi("On time", "63%", line=[0.5, 0.625], shares=True).picture


@pytest.mark.parametrize("values", [None, [], [3]])
def test_fewer_than_two_values_are_no_picture(values):
    with reading("en"):
        assert Kpi("Here", "3", bars=values).picture is None


def test_a_figure_that_is_kept_is_drawn_once_and_others_for_themselves(monkeypatch):
    drawn = []
    monkeypatch.setattr(sparkline, "bars", lambda values, alt: drawn.append(values) or str(values))
    with reading("en"):
        kept, other = Kpi("Here", "3", bars=[1, 2]), Kpi("Here", "3", bars=[2, 1])
        assert [kept.picture, kept.picture, other.picture] == ["[1, 2]", "[1, 2]", "[2, 1]"]
    assert drawn == [[1, 2], [2, 1]]
