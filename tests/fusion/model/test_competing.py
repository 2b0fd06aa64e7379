import numpy as np
import pandas as pd
import pytest

from fusion.model.competing import cumulative_incidence, durations


def flow(rows):
    columns = ["student_key", "cohort_term", "exit_type", "terms_to_exit", "observed_until"]
    frame = pd.DataFrame(rows, columns=columns).assign(program_code="IF")
    frame["observed_until"] = pd.to_datetime(frame["observed_until"])
    return frame


def test_a_student_is_seen_to_the_last_booked_term_or_to_the_exit():
    seen = durations(
        flow(
            [
                ("a", 20201, "graduated", 8, "2024-12-31"),
                ("b", 20201, "resigned", 3, "2024-12-31"),
                ("c", 20201, "transferred", 2, "2024-12-31"),
                ("d", 20201, None, None, "2021-03-02"),  # term 1 ended 31 January, closed on 3 March
                ("e", 20201, None, None, "2021-03-03"),
                ("f", 20201, None, None, "2020-09-01"),
            ]
        )
    )
    assert seen["cause"].tolist() == ["graduated", "dropout", "other", "", "", ""]
    assert seen["term"].tolist() == [8, 3, 2, 0, 1, 0]


def test_incidence_of_ten_students_is_that_worked_out_by_hand():
    # Term 1: 10 at risk, 1 drops out. Term 2: 2 were last seen in term 1, 7 at risk, 1 drops out.
    rows = [("a", 1, "dropout"), ("b", 1, ""), ("c", 1, ""), ("d", 2, "dropout")]
    rows += [(f"g{n}", 3, "graduated") for n in range(6)]
    seen = pd.DataFrame(rows, columns=["student_key", "term", "cause"])
    table = cumulative_incidence(seen, np.random.default_rng(0), last_term=3, draws=50)
    dropout = table[table["cause"] == "dropout"].set_index("term")["share"]
    assert dropout[1] == pytest.approx(0.1)
    assert dropout[2] == pytest.approx(0.1 + 0.9 / 7)
    assert dropout[3] == pytest.approx(0.1 + 0.9 / 7)
    graduated = table[table["cause"] == "graduated"].set_index("term")["share"]
    assert graduated[3] == pytest.approx(0.9 * 6 / 7)
    assert graduated[3] + dropout[3] == pytest.approx(1)


def test_without_censoring_it_is_the_plain_share():
    rng = np.random.default_rng(1)
    seen = pd.DataFrame({"term": rng.integers(1, 9, 400), "cause": rng.choice(["graduated", "dropout"], 400)})
    table = cumulative_incidence(seen, rng, last_term=8)
    for cause in ("graduated", "dropout"):
        end = table[(table["cause"] == cause) & (table["term"] == 8)]["share"].iloc[0]
        assert end == pytest.approx((seen["cause"] == cause).mean())
    assert ((table["low"] <= table["share"] + 1e-9) & (table["share"] <= table["high"] + 1e-9)).all()


def test_counting_known_ends_only_would_overstate_drop_out_and_this_does_not():
    rng = np.random.default_rng(2)
    drops = rng.random(20_000) < 0.3
    term = np.where(drops, rng.integers(1, 5, 20_000), 8)
    watched = rng.integers(1, 11, 20_000)
    cause = np.where(watched >= term, np.where(drops, "dropout", "graduated"), "")
    seen = pd.DataFrame({"term": np.minimum(term, watched), "cause": cause})
    table = cumulative_incidence(seen, rng, last_term=8, draws=20)
    at_end = table[(table["cause"] == "dropout") & (table["term"] == 8)]["share"].iloc[0]
    naive = (cause == "dropout").sum() / (cause != "").sum()
    assert at_end == pytest.approx(0.3, abs=0.02)
    assert naive > 0.45


def test_terms_with_too_few_students_and_empty_cohorts_are_not_estimated():
    seen = pd.DataFrame({"term": [1, 1, 1, 4, 4, 4], "cause": ["", "", "", "dropout", "", ""]})
    table = cumulative_incidence(seen, np.random.default_rng(0), last_term=4, draws=20)
    assert table.query("term == 1")["share"].notna().all()
    assert table.query("term == 4")["share"].isna().all()
    assert cumulative_incidence(seen.iloc[:0], np.random.default_rng(0)).empty


def test_a_row_may_stand_for_several_students():
    each = pd.DataFrame({"term": [1] * 3 + [2] * 9, "cause": ["dropout"] * 3 + ["graduated"] * 7 + [""] * 2})
    counted = each.groupby(["term", "cause"]).size().reset_index(name="students")
    tables = [cumulative_incidence(one, np.random.default_rng(4), draws=30) for one in (each, counted)]
    pd.testing.assert_frame_equal(*tables)


def test_an_exit_without_a_number_of_terms_is_refused():
    with pytest.raises(ValueError, match="terms_to_exit"):
        durations(flow([("a", 20201, "resigned", None, "2024-12-31")]))
