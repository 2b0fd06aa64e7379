"""Charts say in figure, words and table what the frame says."""

from itertools import combinations

import pandas as pd
import pytest

from dashboard.charts import bands, model, reasons, records, trends
from dashboard.charts.palette import BAND_COLORS, LOWERS, RAISES, SIGNATURE
from dashboard.shell.wording import EMPTY, NOT_YET, Words
from data.columns import BANDS
from data.trust.small_cells import MARK

EN, ID = Words("en"), Words("id")
CUBE = pd.DataFrame(
    [
        ("Law", "low", 80),
        ("Law", "very_high", 20),
        ("Arts", "low", 10),
        ("Arts", "high", 5),
        ("Arts", "very_high", 5),
    ],
    columns=["program", "band", "students"],
)
EDGES = [0.4, 0.6, 0.8]


def counted(cube: pd.DataFrame) -> dict[str, dict[str, int]]:
    return {
        name: {band: int(rows.loc[rows["band"] == band, "students"].sum()) for band in BANDS}
        for name, rows in cube.groupby("program")
    }


def test_bands_are_shares_in_band_colours_with_the_riskiest_group_on_top():
    chart = bands.bands_by_group(counted(CUBE), "program", EN)
    assert [trace.marker.color for trace in chart.figure.data] == [BAND_COLORS[band] for band in BANDS]
    assert [list(trace.x) for trace in chart.figure.data] == [[0.8, 0.5], [0, 0], [0, 0.25], [0.2, 0.25]]
    assert chart.table["Programme"].tolist() == ["Arts", "Law"]
    assert chart.table["Students"].tolist() == [20, 100]
    assert "Arts with 50%" in chart.alt


def test_bands_of_nobody_are_drawn_too():
    chart = bands.bands_by_group({}, "program", EN)
    assert chart.table.empty
    assert chart.alt


def test_the_scale_places_the_student_and_the_range():
    chart = bands.risk_scale(0.34, 0.27, 0.42, EDGES, ID)
    assert list(chart.figure.data[0].x) == [0.34]
    assert "34 dari 100, rentang 27 sampai 42" in chart.alt


@pytest.mark.parametrize("words", [EN, ID], ids=["en", "id"])
@pytest.mark.parametrize("edges", [EDGES, [0.03, 0.08, 0.14], [0.5, 0.9, 0.96], [0.3, 0.31, 0.32]])
def test_every_band_of_the_scale_has_its_name_beside_no_other_and_both_ends_are_told(edges, words):
    layout = bands.risk_scale(0.34, 0.27, 0.42, edges, words).figure.layout
    names = {one.text: one for one in layout.annotations}
    assert list(names) == [words(f"band.{band}") for band in BAND_COLORS]
    assert layout.xaxis.ticktext[-1] == words.percent(1.0) and layout.xaxis.range[1] == 1.0
    assert min(layout.margin.l, layout.margin.r) >= 20
    for one, other in combinations(names.values(), 2):
        apart = abs(one.x - other.x) >= bands.LETTER * (len(one.text) + len(other.text)) / 2 - 1e-9
        assert apart or one.y != other.y
        assert layout.yaxis.range[0] < one.y


def test_the_history_has_a_point_per_term_in_its_bands_colour():
    frame = pd.DataFrame(
        {
            "as_of_index": [1, 0],
            "risk": [0.7, 0.3],
            "risk_low": [0.6, 0.2],
            "risk_high": [0.8, 0.4],
            "band": ["high", "low"],
        }
    )
    chart = bands.risk_history(frame, EDGES, EN)
    line = chart.figure.data[-1]
    assert list(line.x) == [0, 1]
    assert list(line.y) == [0.3, 0.7]
    assert list(line.marker.color) == [BAND_COLORS["low"], BAND_COLORS["high"]]
    assert "from 30 to 70 of 100" in chart.alt


def contributions(n: int = 3) -> pd.DataFrame:
    rows = [
        ("GPA", "1.8", 0.5, "records"),
        ("Arrears", "", -0.3, "records"),
        ("Signature", "", 0.1, "signature"),
    ]
    rows += [(f"weak {i}", "", 0.01, "records") for i in range(n - 3)]
    return pd.DataFrame(rows, columns=["label", "shown", "phi", "modality"])


def test_the_waterfall_starts_at_the_base_and_ends_at_the_margin():
    chart = reasons.waterfall(contributions(), -1.0, EN)
    bar = chart.figure.data[0]
    assert list(bar.base) == pytest.approx([-1.0, -0.5, -0.8])
    assert bar.base[-1] + bar.x[-1] == pytest.approx(-1.0 + 0.5 - 0.3 + 0.1)
    assert list(bar.marker.color) == [RAISES, LOWERS, SIGNATURE]
    assert "The strongest is GPA, which raises the risk" in chart.alt


def test_weak_reasons_are_added_up_in_the_last_bar_and_none_is_lost():
    chart = reasons.waterfall(contributions(8), 0.0, EN, top=3)
    bar = chart.figure.data[0]
    assert len(bar.x) == 4
    assert sum(bar.x) == pytest.approx(contributions(8)["phi"].sum())
    assert len(chart.table) == 8


def test_the_signature_has_its_bar_however_weak_it_is():
    frame = contributions(8).assign(phi=lambda rows: rows["phi"].where(rows["modality"] == "records", 0.001))
    bar = reasons.waterfall(frame, 0.0, EN, top=3).figure.data[0]
    assert SIGNATURE in bar.marker.color
    assert sum(bar.x) == pytest.approx(frame["phi"].sum())


def test_a_waterfall_without_reasons_is_drawn_too():
    assert reasons.waterfall(contributions().head(0), 0.0, EN).alt


def test_retention_draws_a_line_per_cohort_and_writes_a_wide_table():
    frame = pd.DataFrame(
        {"cohort_term": [20231, 20231, 20241], "terms_completed": [0, 1, 0], "share": [1.0, 0.91, 1.0]}
    )
    chart = trends.retention(frame, EN)
    assert [trace.name for trace in chart.figure.data] == ["Odd 2023/24", "Odd 2024/25"]
    assert chart.table.iloc[0].tolist() == ["Odd 2023/24", "100%", "91%"]
    assert chart.table.iloc[1].tolist() == ["Odd 2024/25", "100%", NOT_YET]  # the term is still to come
    gap = trends.retention(pd.concat([frame.drop(index=0), frame.tail(1).assign(terms_completed=1)]), EN)
    assert gap.table.iloc[0].tolist() == ["Odd 2023/24", EMPTY, "91%"]  # the register does not tell
    assert "lowest value 91%" in chart.alt


def test_what_is_hidden_of_a_cohort_is_bridged_by_what_is_told_of_it_alone():
    frame = pd.DataFrame(
        {
            "cohort_term": 20231,
            "terms_completed": [0, 1, 2, 3],
            "share": [1.0, None, None, 0.8],
            "hidden": [False, True, True, False],
        }
    )
    chart = trends.retention(frame, EN)
    bridge, line = chart.figure.data
    assert (list(bridge.x), list(bridge.y), bridge.line.dash) == ([0, 3], [1.0, 0.8], "dot")
    assert bridge.showlegend is False and bridge.hoverinfo == "skip"
    assert line.line.color == bridge.line.color and line.name == "Odd 2023/24"
    assert chart.table.iloc[0].tolist() == ["Odd 2023/24", "100%", "*", "*", "80%"]


def test_rates_have_intervals_and_open_marks_where_immature():
    frame = pd.DataFrame(
        {
            "cohort": ["2019", "2020"],
            "rate": [0.5, 0.6],
            "low": [0.4, 0.5],
            "high": [0.6, 0.7],
            "n": [80, 70],
            "mature": [True, False],
        }
    )
    chart = trends.rates(frame, "cohort", EN)
    dots = chart.figure.data[0]
    assert list(dots.x) == [0.6, 0.5]  # drawn from below
    assert dots.marker.color[0] == "rgba(0,0,0,0)"
    assert list(dots.error_x.array) == pytest.approx([0.1, 0.1])
    assert chart.table["95% interval"].tolist() == ["40.0% – 60.0%", "50.0% – 70.0%"]


def test_the_funnels_parts_add_up_to_everybody_who_entered():
    frame = pd.DataFrame(
        {
            "cohort": ["2019"],
            "entered": [100],
            "on_time": [40],
            "graduated": [60],
            "studying": [10],
            "left": [25],
            "outside": [5],
        }
    )
    chart = trends.funnel(frame, EN)
    assert sum(trace.x[0] for trace in chart.figure.data) == pytest.approx(1.0)
    assert chart.table.iloc[0].tolist() == ["2019", 100, 40, 20, 10, 25, 5]


def test_the_timeline_keeps_gaps_and_names_leave():
    frame = pd.DataFrame(
        {
            "term_id": [20231, 20232],
            "status": ["A", "C"],
            "gpa_term": [3.1, None],
            "gpa_cum": [3.1, None],
            "credits_attempted": [20, 0],
            "credits_passed": [18, 0],
        }
    )
    chart = records.term_timeline(frame, ID)
    assert any(note.text == "Cuti" for note in chart.figure.layout.annotations)
    assert pd.isna(chart.figure.data[1].y[1])
    assert chart.table["Status"].tolist() == ["Aktif", "Cuti"]
    assert "IPK sekarang 3,10" in chart.alt


def test_differences_point_right_when_better():
    frame = pd.DataFrame(
        [("roc_auc", 0.02, -0.01, 0.05), ("brier", -0.01, -0.03, 0.01)],
        columns=["metric", "value", "low", "high"],
    )
    chart = model.differences(frame, EN)
    assert list(chart.figure.data[0].x) == [0.01, 0.02]  # drawn from below: Brier turned round, then AUC
    assert chart.table["95% interval"].tolist() == ["−0.010 – +0.050", "−0.010 – +0.030"]


def test_calibration_and_quality_by_term_carry_their_numbers():
    frame = pd.DataFrame({"risk": [0.2], "observed": [0.25], "low": [0.1], "high": [0.4], "rows": [40]})
    assert model.calibration(frame, EN).table.iloc[0].tolist() == ["20.0%", "25.0%", "10.0% – 40.0%", 40]
    frame = pd.DataFrame({"as_of_index": [1], "value": [0.8], "low": [0.7], "high": [0.9], "students": [40]})
    assert model.by_term(frame, "ROC-AUC", EN).table.iloc[0].tolist() == [1, "0.800", "0.700 – 0.900", 40]


@pytest.mark.parametrize("words", [EN, ID])
def test_every_chart_leaves_background_and_text_colour_to_the_theme(words):
    figure = bands.bands_by_group(counted(CUBE), "program", words).figure
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None


def crossed(figure) -> list[str]:
    """Names above rows that a line or a bar touches; heights are in pixels and the same at any width."""
    letters = 15  # pixels from the top of a line of text to its foot
    top, bottom = figure.layout.margin.t, figure.layout.margin.b
    span = abs(figure.layout.yaxis.range[1] - figure.layout.yaxis.range[0])
    half = letters / 2 * span / (figure.layout.height - top - bottom)
    names = [one for one in figure.layout.annotations if one.xref == "paper" and one.x == 0]
    bands = [(min(one.y0, one.y1), max(one.y0, one.y1)) for one in figure.layout.shapes if one.type == "line"]
    thick = (1 - (figure.layout.bargap or 0)) / 2
    bands += [(y - thick, y + thick) for trace in figure.data if trace.type == "bar" for y in trace.y]
    assert names
    return [one.text for one in names for low, high in bands if low < one.y + half and high > one.y - half]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_name_of_a_reason_is_crossed_by_a_line_or_a_bar(n, sign):
    frame = contributions(max(n, 3)).head(n)
    frame = frame.assign(phi=sign * frame["phi"], label="A long name that fills the width of a phone")
    assert crossed(reasons.waterfall(frame, 0.5, ID).figure) == []


@pytest.mark.parametrize("n", [1, 2, 5])
def test_no_name_of_a_measure_is_crossed_by_the_line_of_no_difference(n):
    rows = [(f"m{row}", 0.01, -0.02, 0.04) for row in range(n)]
    frame = pd.DataFrame(rows, columns=["metric", "value", "low", "high"])
    chart = model.differences(frame, EN)
    assert crossed(chart.figure) == []
    assert sum(shape.x0 == 0 for shape in chart.figure.layout.shapes) == n


def test_a_line_through_a_name_is_found():
    figure = reasons.waterfall(contributions(), 0.5, EN).figure
    figure.add_shape(type="line", x0=0, x1=0, y0=0.24, y1=0.84)
    assert crossed(figure) == ["Arrears"]


def test_bands_of_few_are_neither_drawn_nor_sent():
    rows = [("Law", "low", 40), ("Law", "moderate", 3), ("Law", "very_high", 9), ("Art", "high", 4)]
    chart = bands.bands_by_group(counted(pd.DataFrame(rows, columns=CUBE.columns)), "program", EN)
    table = chart.table.set_index("Programme")
    assert table.loc["Art"].tolist() == [MARK] * 5
    assert table.loc["Law", ["Moderate", "Students"]].tolist() == [MARK, 52]
    assert (table.loc["Law"] == MARK).sum() == 2  # and one more, from which it would come out
    bars = {trace.name: trace for trace in chart.figure.data}
    places = {name: place for place, name in enumerate(chart.picks)}
    hidden = table.columns[table.loc["Law"] == MARK]
    for name in hidden:
        assert bars[name].x[places["Law"]] == 0 and MARK in bars[name].customdata[places["Law"]]
    sent = str(chart.sent.to_dict())
    assert "<br>40 " in sent and "<br>3 " not in sent and "<br>4 " not in sent


def test_what_a_funnel_hides_is_not_sent_either():
    counts = {"entered": 20, "on_time": 11, "graduated": 14, "studying": 2, "left": 4, "outside": 0}
    hidden = frozenset({"late", "studying", "left"})
    chart = trends.funnel(pd.DataFrame([{"cohort": "Odd 2019/20", **counts, "hidden": hidden}]), EN)
    sent = {trace.name: trace.customdata[0] for trace in chart.figure.data}
    for state in hidden:
        assert sent[EN(f"state_of.{state}")] == f"Odd 2019/20<br>{MARK}"
    assert sent[EN("state_of.on_time")] == "Odd 2019/20<br>11 (55%)"
