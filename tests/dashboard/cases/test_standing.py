"""Students past their normal time and the credits-and-GPA rule, in words; rows worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.cases import caseload, standing
from dashboard.cases.digest import build
from dashboard.shell.wording import Words

EN, ID = Words("en"), Words("id")
ROW = {
    "student_key": "k1",
    "program_code": "IF",
    "cohort_term": 20211,
    "normal_terms": 8,
    "required_credits": 144,
    "terms_over": 10,
    "credits": 132.0,
    "credits_to_go": 12.0,
    "gpa_cum": 2.5,
    "status_last": "A",
    "last_term": 20252.0,
    "terms_told": 10,
    "newest_told": 20252.0,
    "recorded": True,
    "credits_told": True,
    "gpa_told": True,
    "dropout_risk": float("nan"),
    "dropout_band": None,
}


def test_the_sentence_says_how_many_credits_are_missing():
    assert standing.sentence(ROW, EN) == (
        "Past normal time: **12 credits to go** (132 of 144), 10 terms since entry where 8 are normal."
    )
    assert "kurang 12 SKS" in standing.sentence(ROW, ID)
    whole = {**ROW, "credits": 150.0, "credits_to_go": 0.0}
    assert "all 144 credits earned" in standing.sentence(whole, EN)
    unknown = {**ROW, "credits": float("nan"), "credits_to_go": float("nan")}
    assert "not recorded" in standing.sentence(unknown, EN)


@pytest.mark.parametrize(("over", "past"), [(7, False), (8, True), (9, True)])
def test_past_is_who_has_all_normal_terms_behind_them(over, past):
    assert standing.is_past({**ROW, "terms_over": over}) is past


def test_leave_and_no_registration_are_said_and_study_is_not():
    assert standing.away({**ROW, "status_last": "C"}, EN) == "On leave in Even 2025/26."
    assert standing.away({**ROW, "status_last": "N"}, EN) == "Not registered in Even 2025/26."
    assert standing.away(ROW, EN) == "" and standing.away({**ROW, "status_last": None}, EN) == ""


def test_the_group_shows_the_nearest_to_the_degree_first_and_no_late_risk():
    rows = pd.DataFrame(
        [
            ROW,
            {**ROW, "student_key": "k2", "credits": 140.0, "credits_to_go": 4.0, "dropout_risk": 0.304},
            {**ROW, "student_key": "k3", "credits": float("nan"), "credits_to_go": float("nan")},
        ]
    )
    table = standing.past_table(rows, {"IF": "Informatics"}, EN)
    assert table["student_key"].tolist() == ["k2", "k1", "k3"]
    assert table["Credits to go"].tolist() == [4, 12, pd.NA]
    assert table["Drop-out risk of 100"].tolist() == [30, pd.NA, pd.NA]
    assert table["Terms"].tolist() == ["10 / 8"] * 3
    assert not {"Risk of 100", "Band", "Change"} & set(table.columns)


def test_the_rule_lists_the_furthest_off_track_first_and_gives_no_band():
    early = {**ROW, "terms_over": 4, "terms_told": 4}  # half of the plan: 72 credits
    rows = pd.DataFrame(
        [
            {**early, "student_key": "on", "gpa_cum": 3.2, "credits": 72.0},
            {**early, "student_key": "one", "gpa_cum": 2.5, "credits": 70.0},  # 97 % of the plan
            {**early, "student_key": "both", "gpa_cum": 2.5, "credits": 60.0},  # 83 %
            {**early, "student_key": "far", "gpa_cum": 1.9, "credits": 72.0},
            {**early, "student_key": "none", "gpa_cum": float("nan"), "credits": float("nan")},
        ]
    )
    assert standing.levels(rows).tolist() == [0, 1, 2, 3, -1]
    table = standing.rule_table(rows, {}, EN)
    assert table["student_key"].tolist() == ["far", "both", "one", "on", "none"]
    assert table["Credits and GPA"].iloc[0].startswith("3") and "Band" not in table


def test_who_has_no_figures_is_not_said_to_be_on_track():
    early = {**ROW, "terms_over": 4, "terms_told": 4}
    far = {**early, "student_key": "far", "gpa_cum": 1.9, "credits": 72.0}
    none = {**early, "student_key": "none", "gpa_cum": float("nan"), "credits": float("nan")}
    assert standing.rule_lead(pd.DataFrame([far]), EN) == "1 of 1 student is not on track (levels 1 to 3)."
    assert standing.rule_lead(pd.DataFrame([far, none, none]), EN) == (
        "1 of 3 students is not on track (levels 1 to 3). Of 2 students neither GPA nor credits in total are "
        "recorded: whether they are on track is not known."
    )
    only = standing.rule_lead(pd.DataFrame([none] * 15), ID)
    assert only.startswith("Dari 15 mahasiswa tidak tercatat") and "0 dari" not in only


def unrecorded(**figures):
    """A student of whom the newest completed term, the second, has no row."""
    gone = {"last_term": 20251.0, "recorded": False, "credits_told": False, "gpa_told": False}
    return {**ROW, "terms_over": 2, "terms_told": 2, "student_key": "gone", **gone, **figures}


def test_a_term_that_is_not_recorded_is_no_state_of_the_student():
    """After one term of 21 credits the plan of two terms would say 58 %, far off track; nobody knows."""
    rows = pd.DataFrame([unrecorded(credits=21.0, gpa_cum=1.9), unrecorded(credits=36.0, gpa_cum=3.4)])
    assert standing.levels(rows).tolist() == [-1, -1]
    table = standing.rule_table(rows, {}, EN)
    assert table["Credits and GPA"].tolist() == table["Status"].tolist() == ["Not recorded"] * 2
    assert standing.rule_lead(rows, EN) == (
        "Of 2 students the newest completed term is not recorded: whether they are on track is not known."
    )
    assert standing.rule_lead(rows, ID) == (
        "Semester terakhir yang selesai dari 2 mahasiswa tidak tercatat: apakah mereka sesuai rencana tidak "
        "diketahui."
    )


def test_a_figure_counts_for_the_rule_only_as_of_the_newest_completed_term():
    row = {**ROW, "terms_over": 4, "terms_told": 4, "credits": 40.0, "gpa_cum": 2.5}  # 56 % of the plan
    known = [(True, True, 3), (False, True, 1), (True, False, 3), (False, False, -1)]
    rows = pd.DataFrame([{**row, "credits_told": paced, "gpa_told": graded} for paced, graded, _ in known])
    assert standing.levels(rows).tolist() == [level for *_, level in known]


def test_the_plan_reaches_as_far_as_the_register_does():
    """An outcome read in a later month ends a term of which no row of anybody has come yet."""
    row = {**ROW, "terms_over": 4, "terms_told": 3, "credits": 54.0, "gpa_cum": 3.2}
    assert standing.levels(pd.DataFrame([row])).tolist() == [0]


def test_past_the_normal_time_a_missing_row_is_said_beside_the_credits():
    row = {**ROW, "recorded": False, "status_last": "C", "last_term": 20251.0}
    assert standing.sentence(row, EN).endswith("Even 2025/26 is not recorded: what is missing may be less.")
    assert standing.sentence(row, ID).endswith("tidak tercatat: yang kurang mungkin lebih sedikit.")
    assert standing.away(row, EN) == ""  # on leave before; of the newest term nothing is known
    assert "not recorded" not in standing.sentence(ROW, EN)


def listed(**changes):
    rows = pd.DataFrame(
        {
            "student_key": ["a", "b"],
            "risk": [0.8, 0.7],
            "previous_risk": [0.4, 0.4],
            "band": ["very_high", "high"],
            "previous_band": ["high", "moderate"],
            "as_of_term": [20251, 20252],
            "program_code": "IF",
            "cohort_term": 20231,
            "scored_at": pd.Timestamp("2026-11-25"),
        }
    )
    return rows.assign(**changes)


def test_what_moved_up_to_an_older_term_is_no_news_and_says_of_when_it_is():
    ordered = caseload.ordered(listed(), newest=20252)
    assert ordered[["student_key", "moved"]].values.tolist() == [["b", "new"], ["a", "older"]]
    table = caseload.as_table(ordered, {}, EN)
    assert table["moved"].tolist() == ["▲ New", "As of Odd 2025/26"]
    assert table["change"].tolist()[0] == 30 and pd.isna(table["change"].tolist()[1])
    assert caseload.ordered(listed(), newest=20251)["moved"].tolist() == ["worse", "new"]


def test_a_digest_never_tells_of_an_older_term_as_new():
    nobody = pd.DataFrame({"student_key": [], "at": pd.Series([], dtype="datetime64[us]")})
    due = pd.DataFrame({"due_on": []})
    today = pd.Timestamp("2026-11-28").date()
    week = build(listed(), nobody, [], due, today, newest=20252)
    assert week.new["student_key"].tolist() == ["b"] and week.worse.empty and week.changed == 1
    assert build(listed(), nobody, [], due, today, newest=20261).empty
