"""The charts of the registry's pages say in figure, words and table what the frame says."""

from statistics import NormalDist

import pandas as pd
import pytest

from dashboard.charts.verification import det_curve, support_scale, workload
from dashboard.shell.wording import Words

EN, ID = Words("en"), Words("id")
CURVES = pd.DataFrame(
    [
        ("skilled", 1.0, 0.0),
        ("skilled", 0.1, 0.05),
        ("skilled", 0.02, 0.2),
        ("random", 0.01, 0.05),
        ("random", 0.0, 0.2),
    ],
    columns=["kind", "far", "frr"],
)


def test_a_det_curve_stands_on_normal_deviates_with_one_line_and_one_point_per_kind():
    chart = det_curve(CURVES, CURVES.iloc[[1, 3]], EN)
    skilled, point, random, _ = chart.figure.data
    assert list(skilled.x)[:2] == pytest.approx([NormalDist().inv_cdf(0.02), NormalDist().inv_cdf(0.1)])
    assert list(point.y) == pytest.approx([NormalDist().inv_cdf(0.05)])
    assert skilled.line.dash != random.line.dash
    assert chart.alt == (
        "Curves of false acceptance against false rejection for skilled forgeries, other people's "
        "signatures, 5 points."
    )


def test_the_table_of_a_det_curve_gives_the_false_acceptance_at_each_false_rejection():
    rows = det_curve(CURVES, CURVES.head(0), ID).table.values.tolist()
    assert ["pemalsuan terlatih", "5%", "10,0%"] in rows
    assert ["pemalsuan terlatih", "20%", "2,0%"] in rows
    assert ["tanda tangan orang lain", "10%", "1,0%"] in rows


def test_a_det_curve_of_nothing_is_drawn_too():
    chart = det_curve(CURVES.head(0), CURVES.head(0), EN)
    assert not chart.figure.data
    assert chart.table.empty


def test_the_workload_marks_the_threshold_chosen():
    frame = pd.DataFrame({"threshold": [-1.0, 0.0], "reviews": [12.0, 60.4], "missed": [3.0, 1.0]})
    chart = workload(frame, -1.0, EN)
    assert chart.figure.layout.shapes[0].x0 == -1.0
    assert [list(line.y) for line in chart.figure.data] == [[12.0, 60.4], [3.0, 1.0]]
    assert chart.table["sent to review"].tolist() == ["12.0", "60.4"]
    assert "reviews run from 12 to 60" in chart.alt


@pytest.mark.parametrize(("ratio", "reach"), [(-0.4, 1.5), (3.0, 1.5)])
def test_the_scale_of_support_always_reaches_the_comparison(ratio, reach):
    chart = support_scale(ratio, 1.0, reach, EN)
    low, high = chart.figure.layout.xaxis.range
    assert low < ratio < high
    assert [(zone.x0, zone.x1) for zone in chart.figure.layout.shapes][1] == (-1.0, 1.0)
    assert EN.signed(ratio, 2) in chart.alt
