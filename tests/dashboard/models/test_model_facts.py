"""A manifest as the model page tells it."""

from types import SimpleNamespace

import pytest

from dashboard.models import facts as model_facts
from dashboard.shell.wording import Words
from fusion.model.examined import ARMS, VERDICTS
from fusion.model.manifest import Manifest, read_manifest
from fusion.validation.fairness import AGE_NAMES

EN = Words("en")
MANIFEST = read_manifest(
    {
        "assessment": {
            "evaluations": {
                "late": {
                    "fused": {
                        "figures": {"roc_auc": [0.81, 0.78, 0.84], "precision_at_10": [0.5, None, None]}
                    },
                    "records": {"figures": {"roc_auc": [0.80, 0.77, 0.83]}},
                }
            },
            "ablations": {
                "late": {
                    "verdict": "adds nothing measurable",
                    "differences": {"roc_auc": [0.01, -0.02, 0.04], "pr_auc": [None, None, None]},
                }
            },
            "calibration": [
                {"target": "late", "risk": 0.2, "observed": 0.3, "low": 0.1, "high": 0.5, "rows": 40},
                {"target": "dropout", "risk": 0.1, "observed": 0.1, "low": 0.0, "high": 0.2, "rows": 40},
            ],
            "by_as_of": [
                {
                    "target": "late",
                    "as_of_index": 1,
                    "students": 40,
                    "events": 9,
                    "figure": "roc_auc",
                    "value": 0.7,
                    "low": 0.6,
                    "high": 0.8,
                }
            ],
        }
    }
)
NOTHING = Manifest()


def test_figures_stand_beside_the_simple_rules_with_intervals():
    table = model_facts.figures_table(MANIFEST, "late", ("roc_auc", "precision_at_10"), EN)
    assert table.to_dict("list") == {
        "Measure": ["ROC-AUC", "Precision, top 10%"],
        "Records + signature": ["0.810 (0.780 – 0.840)", "50%"],
        "Records": ["0.800 (0.770 – 0.830)", "–"],
    }


def test_the_verdict_is_one_of_four():
    assert model_facts.verdict(MANIFEST, "late") == "nothing"
    assert model_facts.verdict(MANIFEST, "dropout") == "unknown"
    assert model_facts.verdict(NOTHING, "late") == "unknown"
    for key in (*VERDICTS, "unknown"):
        assert EN.has(f"model.verdict_{key}")


def test_every_arm_has_a_name_in_both_languages():
    assert all(words.has(f"arm.{arm}") for arm in ARMS for words in (EN, Words("id")))


def test_differences_without_a_value_are_left_out():
    assert model_facts.differences(MANIFEST, "late").to_numpy().tolist() == [["roc_auc", 0.01, -0.02, 0.04]]


def test_tables_are_of_one_target():
    assert model_facts.calibration(MANIFEST, "late")["risk"].tolist() == [0.2]
    assert model_facts.by_term(MANIFEST, "late")["value"].tolist() == [0.7]
    assert model_facts.by_term(MANIFEST, "dropout").empty
    assert model_facts.calibration(NOTHING, "late").empty


def test_the_line_at_the_foot_names_version_quality_and_verdict():
    line = model_facts.one_line(SimpleNamespace(version="risk-1", manifest=MANIFEST), EN)
    assert "risk-1" in line
    assert "0.81 (0.78 – 0.84)" in line
    assert "adds nothing measurable" in line
    assert model_facts.one_line(None, EN) == EN("app.unscored")


def test_groups_stand_with_their_rates_and_small_ones_are_hidden():
    row = {"attribute": "sex", "group": "L", "students": 40, "suppressed": False}
    row |= {
        f"{rate}{end}": value
        for rate in model_facts.RATES
        for end, value in (("", 0.2), ("_low", 0.1), ("_high", 0.3))
    }
    small = {"attribute": "sex", "group": "P", "students": None, "suppressed": True}
    manifest = read_manifest({"assessment": {"fairness": {"late": {"table": [row, small]}}}})
    table = model_facts.fairness_table(manifest, "late", EN)
    assert table["Group"].tolist() == ["Men", "Women"]
    assert table["Missed cases"].tolist() == ["20% (10% – 30%)", "hidden"]
    assert table["Students"].tolist() == ["40", "hidden"]
    assert model_facts.fairness_table(NOTHING, "late", EN).empty


def test_cohorts_say_whether_their_risks_held():
    rows = [
        {
            "target": "late",
            "cohort_term": 20211,
            "students": 80,
            "mean_risk": 0.4,
            "observed": 0.5,
            "low": 0.39,
            "high": 0.61,
            "trusted": True,
        },
        {
            "target": "dropout",
            "cohort_term": 20211,
            "students": 80,
            "mean_risk": 0.1,
            "observed": 0.3,
            "low": 0.2,
            "high": 0.4,
            "trusted": False,
        },
    ]
    table = model_facts.by_cohort(read_manifest({"assessment": {"cohorts": rows}}), "late", EN)
    assert table.iloc[0].tolist() == ["Odd 2021/22", "80", "40.0%", "50% (39% – 61%)", "yes"]
    assert len(table) == 1


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_group_that_is_not_the_registers_own_word_has_words(language):
    words = Words(language)
    told = {name: model_facts.group_words("age_band", name, words) for name in (*AGE_NAMES, "not recorded")}
    told |= {name: model_facts.group_words("entry_type", name, words) for name in ("new", "transfer")}
    same = {name for name, one in told.items() if one == name and not name[0].isdigit()}
    assert same == (set(told) - {"19–20", "21–24", "25 and older"} if language == "en" else set())
