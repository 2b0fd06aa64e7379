"""Figures of leadership, each worked out by hand."""

import pandas as pd
import pytest

from dashboard.cohorts import summaries

PROGRAMS = pd.DataFrame({"program_code": ["IF", "MI"], "normal_terms": [8, 6]})
#        programme cohort state         terms students
FLOW = pd.DataFrame(
    [
        ("IF", 20191, "graduated", 8, 40),
        ("IF", 20191, "graduated", 9, 20),
        ("IF", 20191, "graduated", -1, 2),  # when is not known: not counted as on time
        ("IF", 20191, "resigned", 3, 18),
        ("IF", 20191, "transferred", 2, 5),
        ("IF", 20191, "deceased", 4, 1),
        ("IF", 20221, "enrolled", -1, 50),
        ("IF", 20221, "expelled", 1, 10),
        ("MI", 20221, "graduated", 6, 30),
        ("MI", 20221, "enrolled", -1, 10),
    ],
    columns=["program_code", "cohort_term", "state", "terms_to_exit", "students"],
)


def test_outcomes_by_cohort_count_everybody_and_rate_the_mature():
    # The last completed term is 20242: IF 2019 has had 12 terms, IF 2022 6 of 8, MI 2022 6 of 6.
    table = summaries.outcomes(FLOW, PROGRAMS, "cohort_term", 20242).set_index("cohort_term")
    old, new = table.loc[20191], table.loc[20221]
    assert (old["entered"], old["outside"], old["graduated"], old["on_time"], old["left"]) == (
        86,
        6,
        62,
        40,
        18,
    )
    assert old["rate"] == pytest.approx(40 / 80)
    assert old["left_rate"] == pytest.approx(18 / 80)
    assert old["mature"]
    # Only MI can be judged in the newer cohort, and the group as a whole is not mature.
    assert (new["n"], new["rate"], new["studying"]) == (40, pytest.approx(30 / 40), 60)
    assert not new["mature"]


def test_a_group_without_a_mature_cohort_has_no_rate():
    table = summaries.outcomes(FLOW[FLOW["cohort_term"] == 20221], PROGRAMS, "program_code", 20232)
    assert table["rate"].isna().all()
    assert table["low"].isna().all()


def test_the_wilson_interval_is_the_published_one():
    # 40 of 80: centre 0.5, half width 1.96·√(0.25/80 + 1.96²/4/80²)/(1 + 1.96²/80) = 0.1070
    low, high = summaries.wilson(pd.Series([40, 0]), pd.Series([80, 0]))
    assert low[0] == pytest.approx(0.3930, abs=5e-4)
    assert high[0] == pytest.approx(0.6070, abs=5e-4)
    assert pd.isna(low[1])


def test_the_last_completed_term_is_the_furthest_of_any_cohort():
    progress = pd.DataFrame({"cohort_term": [20221, 20231], "term_index": [5, 4]})
    assert summaries.last_completed_term(progress) == 20242
    assert summaries.last_completed_term(progress.head(0)) is None


def test_retention_starts_at_entry_and_shows_only_terms_that_all_programmes_reached():
    progress = pd.DataFrame(
        [(20231, 1, 60, 57), (20231, 1, 40, 39), (20231, 2, 60, 50)],
        columns=["cohort_term", "term_index", "entrants", "retained"],
    )
    table = summaries.retention(progress)
    assert table[["terms_completed", "share", "n"]].to_numpy().tolist() == [[0, 1.0, 100], [1, 0.96, 100]]


def test_a_cohort_is_followed_after_the_last_of_it_has_gone():
    columns = ["program_code", "cohort_term", "term_index", "entrants", "retained", "gpa_mean", "gpa_rows"]
    progress = pd.DataFrame(
        [
            *(("IF", 20221, term, 50, 50 - term, 3.0, 40) for term in range(1, 6)),
            *(("MI", 20221, term, 20, 20, 3.0, 20) for term in range(1, 4)),  # all gone after three
            *(("MI", 20231, term, 10, 10, 3.0, 10) for term in range(1, 4)),
        ],
        columns=columns,
    )
    flow = pd.DataFrame(
        [
            ("IF", 20221, "enrolled", -1, 50),
            ("MI", 20221, "graduated", 3, 12),
            ("MI", 20221, "graduated", 4, 5),  # unregistered in its fourth term, and then a degree
            ("MI", 20221, "resigned", 2, 3),
            ("MI", 20231, "enrolled", -1, 10),
        ],
        columns=["program_code", "cohort_term", "state", "terms_to_exit", "students"],
    )
    told = summaries.followed(progress, flow, 20242)
    assert told.columns.tolist() == columns and told.dtypes.equals(progress.dtypes)
    more = told.iloc[len(progress) :]
    # MI's own lists end with the third term of those of 2023, which is the fifth of the cohort of 2022.
    figures = more[["program_code", "cohort_term", "term_index", "entrants", "retained"]]
    assert figures.to_numpy().tolist() == [["MI", 20221, 4, 20, 12], ["MI", 20221, 5, 20, 17]]
    table = summaries.retention(told)
    assert table.loc[table["cohort_term"] == 20221, "terms_completed"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table.loc[table["terms_completed"] == 5, "share"].tolist() == [(45 + 17) / 70]
    earlier = summaries.followed(progress, flow, 20232).iloc[len(progress) :]
    assert earlier["term_index"].tolist() == [4]
    assert summaries.followed(progress.head(0), flow, None).empty


def test_retention_keeps_the_newest_cohorts():
    progress = pd.DataFrame(
        {"cohort_term": [20201, 20211, 20221], "term_index": 1, "entrants": 10, "retained": 9}
    )
    assert summaries.retention(progress, cohorts=2)["cohort_term"].unique().tolist() == [20211, 20221]


def test_at_risk_counts_the_two_upper_bands():
    cube = pd.DataFrame({"band": ["low", "high", "very_high", "moderate"], "students": [50, 7, 3, 10]})
    assert summaries.at_risk(cube) == (10, 70)
    assert summaries.at_risk(cube.head(0)) == (0, 0)


def test_the_load_is_counted_per_advisor_over_groups():
    load = pd.DataFrame({"advisor": ["ani", "budi", "ani"], "at_risk": [3, 4, 2]})
    assert summaries.load_per_advisor(load) == [5, 4]


def test_chosen_narrows_by_programme_and_cohort():
    assert len(summaries.chosen(FLOW, None, None)) == 10
    assert len(summaries.chosen(FLOW, "MI", None)) == 2
    assert len(summaries.chosen(FLOW, "IF", 20221)) == 2
