"""Charts of groups say which group a click or a row of the table means."""

import pandas as pd
import pytest

from dashboard.charts.bands import bands_by_group
from dashboard.charts.trends import funnel, rates
from dashboard.shell.wording import Words
from data.columns import BANDS

EN = Words("en")


def drawn(name: str):
    groups = ["Law", "Informatics", "Physics"]
    if name == "bands":
        counts = {group: dict.fromkeys(BANDS, 0) | {"low": 2, "high": n} for n, group in enumerate(groups, 1)}
        return bands_by_group(counts, "program", EN)
    if name == "rates":
        frame = pd.DataFrame({"program": groups, "rate": [0.5, 0.7, 0.6], "low": 0.4, "high": 0.8, "n": 20})
        return rates(frame, "program", EN)
    counts = {"entered": 10, "on_time": 4, "graduated": 5, "studying": 3, "left": 1, "outside": 1}
    return funnel(pd.DataFrame({"cohort": groups, **counts}), EN)


@pytest.mark.parametrize("name", ["bands", "rates", "funnel"])
def test_every_point_and_every_row_has_its_group(name):
    chart = drawn(name)
    assert sorted(chart.picks) == ["Informatics", "Law", "Physics"]
    assert chart.table.iloc[:, 0].tolist() == list(chart.picks[::-1])
    for trace in chart.sent.to_dict()["data"]:
        assert len(trace["y"]) == len(chart.picks)
        if "customdata" in trace:
            assert [said.partition("<br>")[0] for said in trace["customdata"]] == list(chart.picks)
