"""One reader for every format of manifest that was ever kept, one writer for today's."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from math import isnan
from pathlib import Path

import pytest

from fusion.metrics import Estimate
from fusion.model.examined import ARMS, VERDICTS
from fusion.model.manifest import FORMAT, Manifest, Served, Unreadable, read_manifest, write_manifest
from fusion.model.watched import EXITS, OLD_OR_NEW, Moved
from fusion.service.cards import fairness_report, model_card
from fusion.validation.fitness import fitness_of, unfit

SAMPLES = Path(__file__).parent / "manifests"
OLDER = tuple(range(1, FORMAT))


def sample(number: int) -> dict:
    return json.loads((SAMPLES / f"format_{number}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("number", "missing"),
    [
        (1, ("line", "directions", "curve", "fitness", "until", "watch")),
        (2, ("directions", "fitness")),
        (3, ()),
        (4, ()),
    ],
)
def test_a_manifest_of_every_format_is_read_and_says_what_is_missing(number, missing):
    found = read_manifest(sample(number))
    assert found.format == number and found.missing == missing
    assert found.keeps_directions is (number >= 3)
    assert found.encoder_id == "sim@1" and found.files and found.trained_on.labels["dropout"] == 42


@pytest.mark.parametrize("number", OLDER)
def test_english_words_of_older_formats_become_codes(number):
    found = read_manifest(sample(number)).assessment
    for target in ("late", "dropout"):
        assert set(found.evaluations[target]) == set(ARMS)
        assert found.ablations[target].verdict in VERDICTS
    assert {point.arm for point in found.precision_recall} <= {"fused", "logistic"}


def test_each_word_has_its_code():
    assert [read_manifest(sample(n)).assessment.protocol for n in (1, 2, 3)] == [
        "held_out",
        "forward",
        "forward",
    ]
    verdicts = [read_manifest(sample(n)).assessment.ablations["late"].verdict for n in (1, 2, 3)]
    assert verdicts == ["few", "adds", "nothing"]
    raw, found = sample(3), read_manifest(sample(3))
    for word, code in (("logistic regression", "logistic"), ("on-track rule", "rule")):
        value, low, high = raw["assessment"]["evaluations"]["late"][word]["figures"]["roc_auc"]
        assert found.assessment.figure("late", code, "roc_auc") == Estimate(value, low, high)
    exits, embeddings, _ = found.monitor.signs
    assert (exits.kind, exits.seen, exits.expected, exits.alarm) == (EXITS, 30, 12, True)
    assert embeddings.name == OLD_OR_NEW and embeddings.seen is None
    assert found.recalibrated.targets["late"] == Moved(80, 0.3, 0.4, 0.44)


def test_flat_figures_become_estimates_and_what_was_null_is_told_apart():
    found = read_manifest(sample(3)).assessment
    shown, hidden = found.fairness["late"].table
    raw = sample(3)["assessment"]["fairness"]["late"]["table"][0]
    assert shown.rates["fnr"] == Estimate(raw["fnr"], raw["fnr_low"], raw["fnr_high"])
    assert hidden.suppressed and hidden.students is None and hidden.rates == {}
    assert found.lists["late"].lead_time[-1].first_alert is None
    assert set(found.sets[0].answers) == {"neither", "will not", "will", "either"}


@pytest.mark.parametrize("number", OLDER)
def test_an_older_manifest_written_again_says_the_same_and_keeps_its_format(number):
    found = read_manifest(sample(number))
    again = json.loads(json.dumps(write_manifest(found), allow_nan=False))
    assert again["format"] == number
    assert write_manifest(read_manifest(again)) == again
    assert model_card(read_manifest(again), synthetic=False) == model_card(found, synthetic=False)


@pytest.mark.parametrize("number", OLDER)
def test_cards_of_older_models_print_and_say_what_they_lack(number):
    found = read_manifest(sample(number))
    card = model_card(found, synthetic=False)
    assert "logistic regression" in card and "programme base rate" in card
    assert ("## What it does not tell" in card) is bool(found.missing)
    assert ("Train a new one" in card) is (number < 3)
    assert "| sex | L |" in fairness_report(found, synthetic=False)


def test_a_model_of_before_the_rule_is_judged_by_its_labels():
    verdicts = fitness_of(read_manifest(sample(2)))
    assert (verdicts["dropout"].events, verdicts["dropout"].students, verdicts["dropout"].cohorts) == (
        42,
        236,
        0,
    )
    assert unfit(read_manifest(sample(2))) == {}


def test_todays_manifest_survives_writing_and_reading():
    served = Served(datetime(2026, 1, 5, 8, tzinfo=UTC), "sari", "first")
    made = Manifest(version="risk-x", seed=3, bands={"late": (0.1, 0.2, 0.3)}, served=(served,))
    assert read_manifest(write_manifest(made)) == made
    assert made.format == FORMAT and made.keeps_directions
    assert read_manifest({}).missing[:2] == ("examination", "fitness")


def test_a_figure_that_does_not_exist_is_null_in_the_file():
    raw = sample(3)
    raw["assessment"]["ablations"]["late"] |= {
        "p_value": None,
        "differences": {"roc_auc": [None, None, None]},
    }
    found = read_manifest(raw)
    late = found.assessment.ablations["late"]
    assert isnan(late.p_value) and isnan(late.differences["roc_auc"].value)
    kept = write_manifest(found)["assessment"]["ablations"]["late"]
    assert kept["p_value"] is None and kept["differences"]["roc_auc"] == [None, None, None]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": FORMAT + 1}, "newer version"),
        ({"seed": "three"}, "seed must be int, got 'three'"),
        ({"seed": 1.5}, "seed must be int, got 1.5"),
        ({"bands": [0.1]}, "bands must be a dict"),
        ({"bands": {"late": ["low"]}}, r"bands\.late\[0\] must be float, got 'low'"),
        ({"trained_on": {"until": "yesterday"}}, "trained_on.until must be a date, got 'yesterday'"),
        ({"served": [{"actor": "sari", "reason": "x"}]}, r"served\[0\]\.at must be there"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_where_and_why(change, said):
    with pytest.raises(Unreadable, match=said):
        read_manifest(sample(3) | change)


def test_a_key_that_nobody_knows_is_left_out():
    assert read_manifest(sample(3) | {"colour": "green"}) == read_manifest(sample(3))


def test_the_day_up_to_which_a_register_reached_is_a_day():
    assert read_manifest(sample(3)).trained_on.until == date(2020, 8, 31)
