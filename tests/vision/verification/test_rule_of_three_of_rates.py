"""A rate without one error seen is bounded by how many writers were tried."""

import numpy as np
import pandas as pd
import pytest

from vision.intervals import rule_of_three
from vision.verification.ground import Ground, fit_calibrations
from vision.verification.threshold_report import threshold_report

WRITERS = 30


def test_a_rate_of_zero_has_an_upper_end_by_the_rule_of_three():
    rng = np.random.default_rng(0)
    middles = {"genuine": 1.0, "skilled": -0.5, "random": -9.0}
    rows = [
        (3, kind, writer, score)
        for kind, middle in middles.items()
        for writer in range(WRITERS)
        for score in rng.normal(middle, 0.5, 2)
    ]
    trials = pd.DataFrame(rows, columns=["references", "kind", "writer", "score"])
    ground = Ground("synthetic", "test", None, fit_calibrations(trials, "test"), trials)
    rates = threshold_report(ground).rates.set_index("name")
    assert rates.loc["far_random"].tolist() == pytest.approx([0.0, 0.0, rule_of_three(WRITERS)])
    assert rates.at["missed_skilled", "high"] > rates.at["missed_skilled", "value"] > 0
