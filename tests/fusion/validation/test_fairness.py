import numpy as np
import pandas as pd
import pytest

from fusion.validation.fairness import attributes, audit, point_rates


def population(rng, count=600, favour=0.0):
    """Two groups of equal risk; the score of group P is lowered by ``favour``."""
    sex = rng.choice(["L", "P"], count)
    truth = rng.beta(2, 3, count)
    risks = pd.DataFrame(
        {
            "student_key": [f"s{n}" for n in range(count)],
            "as_of_index": 2,
            "program_code": "IF",
            "outcome": (rng.random(count) < truth).astype(float),
            "fused": np.clip(truth - favour * (sex == "P"), 0.01, 0.99),
        }
    )
    students = pd.DataFrame(
        {"student_key": risks["student_key"], "cohort_term": 20201, "sex": sex, "birth_year": 2002}
    )
    return risks, students


def test_rates_agree_with_fairlearn():
    rng = np.random.default_rng(0)
    risks, students = population(rng)
    result = audit(risks, students, "late", rng, draws=20)
    rank = risks["fused"].rank(ascending=False, method="first")
    listed = (rank <= 120).astype(int)
    by_group = point_rates(risks["outcome"], listed, students["sex"])
    ours = result.table[result.table["attribute"] == "sex"].set_index("group")
    for figure in ("fnr", "fpr", "selection", "precision"):
        assert ours[figure].to_numpy(float) == pytest.approx(by_group[figure].to_numpy(float))


def test_a_favoured_group_shows_as_a_gap_and_an_even_one_does_not():
    rng = np.random.default_rng(1)
    fair = audit(*population(rng, 1500), "late", rng, draws=200)
    biased = audit(*population(rng, 1500, favour=0.25), "late", rng, draws=200)

    def gap(result, figure):
        rows = result.gaps[(result.gaps["attribute"] == "sex") & (result.gaps["figure"] == figure)]
        return rows.iloc[0]

    assert gap(biased, "selection")["low"] > 0.1
    assert gap(biased, "calibration_gap")["gap"] == pytest.approx(0.25, abs=0.08)
    assert gap(fair, "selection")["gap"] < 0.1


def test_small_cells_are_suppressed_and_show_nothing():
    rng = np.random.default_rng(2)
    risks, students = population(rng, 300)
    students.loc[:3, "sex"] = None  # four students without a record
    table = audit(risks, students, "late", rng, draws=20).table
    hidden = table[(table["attribute"] == "sex") & (table["group"] == "not recorded")].iloc[0]
    assert hidden["suppressed"] and pd.isna(hidden["fnr"]) and pd.isna(hidden["students"])
    # One hidden cell alone would follow from the total of 300: the smaller of the two others goes with it.
    assert table[table["attribute"] == "sex"]["suppressed"].sum() == 2
    assert audit(risks, students, "late", rng, draws=20).audit().table[0].attribute == "sex"


def test_age_is_audited_in_bands_of_age_at_entry():
    students = pd.DataFrame(
        {"student_key": list("abcde"), "cohort_term": 20201, "birth_year": [2002, 2001, 1998, 1980, None]}
    )
    bands = attributes(students)["age_band"].tolist()
    assert bands == ["up to 18", "19–20", "21–24", "25 and older", "not recorded"]


def test_nobody_to_audit_gives_empty_tables():
    risks, students = population(np.random.default_rng(3), 20)
    result = audit(risks.iloc[:0], students, "late", np.random.default_rng(0), draws=5)
    assert result.table["students"].sum() == 0 and result.gaps.empty
