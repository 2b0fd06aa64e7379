"""Error rates with their intervals, and the price of a threshold for any assumed share of forgeries."""

import pandas as pd
import pytest

from dashboard.shell.wording import Words
from dashboard.verification.thresholds import at_threshold, counts_table, rate_table, with_forged_share

ID = Words("id")


def test_a_rate_is_shown_with_its_interval_and_what_laypeople_reached():
    rates = pd.DataFrame(
        [("frr", 0.035, 0.02, 0.06), ("cllr", 0.3456, 0.3, 0.4)], columns=["name", "value", "low", "high"]
    )
    table = rate_table(rates, {"frr": 0.26}, ID)
    assert table.values.tolist() == [
        [ID("thresholds.rate_frr"), "3,5%", "2,0% – 6,0%", "26,0%"],
        [ID("thresholds.rate_cllr"), "0,35", "0,30 – 0,40", ""],
    ]


def test_the_workload_follows_the_assumed_share_without_measuring_again():
    """4 % of genuine and 60 % of forged forms are reviewed; first for 1 % forged, then for 10 %."""
    measured = pd.DataFrame({"threshold": [1.0], "reviews": [0.99 * 40 + 0.01 * 600], "missed": [4.0]})
    moved = with_forged_share(measured, 0.01, 0.1).iloc[0]
    assert moved["reviews"] == pytest.approx(0.9 * 40 + 0.1 * 600)
    assert moved["missed"] == pytest.approx(0.1 * 400)


def test_between_two_thresholds_the_price_is_interpolated():
    work = pd.DataFrame({"threshold": [0.0, 1.0], "reviews": [100.0, 20.0], "missed": [1.0, 5.0]})
    assert at_threshold(work, 0.25) == pytest.approx((80.0, 2.0))


def test_it_is_said_whose_signatures_stand_behind_the_figures():
    counts = pd.DataFrame({"kind": ["skilled"], "source": ["synthetic"], "writers": [60], "trials": [240]})
    assert counts_table(counts, ID).iloc[0].tolist() == [
        ID("thresholds.kind_skilled"),
        ID("thresholds.whose_synthetic"),
        60,
        240,
    ]
