"""Small pictures under figures: where their points lie, and that words carry every value."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

import pytest

from dashboard.charts.sparkline import HEIGHT, MARGIN, WIDTH, bars, line

NAME = "On time: 40%; 60%; 50%"


def drawing(html: str) -> ElementTree.Element:
    """The SVG that the piece of HTML uses as its mask."""
    style = ElementTree.fromstring(html).get("style")
    return ElementTree.fromstring(unquote(re.search(r"data:image/svg\+xml,([^)]+)\)", style).group(1)))


def path_of(html: str) -> str:
    return next(node.get("d") for node in drawing(html) if node.get("id") == "line")


def test_a_line_runs_from_edge_to_edge_between_its_lowest_and_highest_value():
    numbers = [float(one) for one in re.findall(r"[\d.]+", path_of(line([0.4, 0.6, 0.5], NAME)))]
    low, high = HEIGHT - MARGIN, MARGIN
    assert numbers == [MARGIN, low, WIDTH / 2, high, WIDTH - MARGIN, HEIGHT / 2]


def test_a_line_of_equal_values_is_level():
    heights = re.findall(r"[\d.]+ ([\d.]+)", path_of(line([3, 3, 3], NAME)))
    assert len(heights) == 3
    assert len(set(heights)) == 1


def test_bars_are_as_high_as_their_values():
    heights = [float(bar.get("height")) for bar in drawing(bars([10, 5, 0], NAME))]
    assert heights == [HEIGHT, HEIGHT / 2, 0]


@pytest.mark.parametrize("draw", [line, bars])
def test_a_screen_reader_hears_the_values(draw):
    root = ElementTree.fromstring(draw([1, 2], 'On time "2019": <40%>'))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'On time "2019": <40%>'


@pytest.mark.parametrize(("draw", "values"), [(line, [1.0]), (line, []), (bars, []), (bars, [1, -1])])
def test_values_that_cannot_be_drawn_are_refused(draw, values):
    with pytest.raises(ValueError, match="values must be"):
        draw(values, NAME)
