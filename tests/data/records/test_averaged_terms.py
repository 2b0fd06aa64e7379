"""Without cumulative averages the one that the model reckons with is shown, and called a mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.charts.records import term_timeline
from dashboard.shell.wording import Words
from data.records.told_terms import averaged
from fusion.features.term_grid import grid_features

ID = Words("id")


def terms(*rows: tuple, cumulative=None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["term_id", "term_index", "status", "gpa_term", "credits_attempted"])
    return frame.assign(gpa_cum=cumulative, credits_passed=frame["credits_attempted"])


# A leave without an average, a short term after the second that replaces its average, a term of waiting.
STUDY = terms(
    (20231, 1, "A", 3.0, 20),
    (20232, 2, "A", 2.0, 18),
    (20233, 2, "A", 2.6, 4),
    (20241, 3, "C", None, None),
    (20242, 4, "A", 3.4, 20),
    (20251, 5, "U", 0.0, 0),
)


@pytest.mark.parametrize("last", range(1, 6))
def test_the_mean_is_the_figure_that_the_model_is_given(last):
    known = STUDY[STUDY["term_index"] <= last]
    rows = known.assign(student_key="s", slot=known["term_index"])
    values = (
        *("gpa_term", "gpa_cum", "credits_attempted", "credits_passed", "courses_failed", "courses_repeated"),
        *("attendance_rate", "tuition_arrears_days", "credits_cum"),
    )
    asked = grid_features(rows, pd.Index(["s"]), last, values)["gpa_cum"].iloc[0]
    assert averaged(known)["gpa_cum"].iloc[-1] == pytest.approx(asked)


def test_it_is_worked_out_term_by_term_in_any_order():
    shown = averaged(STUDY.iloc[::-1])
    assert shown.index.tolist() == STUDY.index[::-1].tolist() and shown["gpa_cum_is_mean"].all()
    assert shown["gpa_cum"].iloc[::-1].round(3).tolist() == [3.0, 2.5, 2.8, 2.8, 3.0, 3.0]


@pytest.mark.parametrize("cumulative", [[3.0, None, None, None, None, None], [3.0, 2.5, 2.5, 2.5, 2.7, 2.7]])
def test_what_the_register_states_stays_as_it_is(cumulative):
    frame = STUDY.assign(gpa_cum=np.array(cumulative, float))
    shown = averaged(frame)
    assert not shown.pop("gpa_cum_is_mean").any()
    pd.testing.assert_frame_equal(shown, frame)


def test_without_any_average_there_is_none():
    frame = STUDY.assign(gpa_term=np.nan)
    shown = averaged(frame)
    assert shown["gpa_cum"].isna().all() and not shown["gpa_cum_is_mean"].any()
    assert averaged(STUDY.iloc[:0]).empty


def test_the_chart_and_its_table_name_the_mean_and_no_line_that_is_not_there():
    chart = term_timeline(averaged(STUDY), ID)
    names = [trace.name for trace in chart.figure.data]
    assert names == ["IPK (rata-rata IPS)", "IPS", "SKS diambil", "SKS lulus"]
    assert chart.table["IPK (rata-rata IPS)"].notna().all() and "IPK" not in chart.table
    bare = STUDY.assign(gpa_term=np.nan, credits_attempted=np.nan)
    names = [trace.name for trace in term_timeline(averaged(bare), ID).figure.data]
    assert names == ["SKS lulus"]
