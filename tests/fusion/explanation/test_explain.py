from dataclasses import replace

import numpy as np
import pytest

from fusion.explanation.explain import (
    cohort_summary,
    explain_score,
    force_of_change,
    sentence,
)
from fusion.explanation.overlay import margin_direction
from fusion.features.assemble import training_set
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings, tree_margin
from fusion.model.fit import fit_model


@pytest.fixture(scope="module")
def planted(make_simulated):
    """A model in which the signature matters, its rows and their scores."""
    sample = make_simulated(900, 21, link=1.2)
    rows = training_set(sample.rows, mature_labels(sample.register), "late")
    model = fit_model({"late": rows}, seed=1, settings=TreeSettings(rounds=80))
    return sample, model, rows.rows, model.score(rows.rows, "late")


def explain(planted, row):
    _, model, _, scores = planted
    return explain_score(model, "late", scores.phi[row], scores.inputs[row], scores.base_values[row], "fused")


def test_the_signature_is_one_bar_and_the_bars_sum_to_the_margin(planted):
    explanation = explain(planted, 5)
    names = [c.name for c in explanation.contributions]
    assert names.count("signature") == 1 and not any(name.startswith("signature_") for name in names)
    total = explanation.base_value + sum(c.phi for c in explanation.contributions)
    assert total == pytest.approx(explanation.margin, abs=1e-5)
    assert explanation.margin == pytest.approx(planted[3].frame["margin"][5], abs=1e-5)
    assert sum(explanation.by_modality().values()) + explanation.base_value == pytest.approx(total, abs=1e-5)
    sizes = [abs(c.phi) for c in explanation.contributions]
    assert sizes == sorted(sizes, reverse=True)


def test_categories_are_one_bar_with_their_name(planted):
    _, _, rows, _ = planted
    row = int(np.flatnonzero(rows.as_of == 3)[0])
    values = {c.name: c.value for c in explain(planted, row).contributions}
    assert values["program_code"] == rows.table["program_code"][row]
    assert values["gpa_cum"] == pytest.approx(rows.table["gpa_cum"][row], abs=1e-5)


def test_changeable_reasons_raise_the_risk(planted):
    explanation = explain(planted, 5)
    assert all(c.changeable and c.phi > 0 for c in explanation.changeable)
    assert all(c.value is None and c.modality == "records" for c in explanation.unknown)


def test_a_score_from_records_has_no_signature_bar(planted):
    _, model, rows, _ = planted
    scores = model.score(rows.take(np.arange(1)), "late", use_signature=False)
    explanation = explain_score(
        model, "late", scores.phi[0], scores.inputs[0], scores.base_values[0], "records"
    )
    assert explanation.signature is None


def test_the_direction_raises_the_signatures_margin(planted):
    """Moving an embedding along its direction raises the signature's margin; against it, lowers it."""
    _, model, rows, _ = planted
    stage, rng, steps = model.targets["late"].signature, np.random.default_rng(4), []
    for row in range(0, len(rows), 40):
        state, as_of = rows.signatures.states[rows.position[row]], int(rows.as_of[row])
        covered = state + 0.2 * np.linalg.norm(state) / np.sqrt(len(state)) * rng.normal(
            size=(30, len(state))
        )
        direction = margin_direction(model, "late", as_of, np.vstack([state, covered]))
        if not direction.any():
            continue
        assert abs(direction @ state) <= 1e-3 * np.linalg.norm(direction) * np.linalg.norm(state)
        unit = state / np.linalg.norm(state)
        along = 0.2 * direction / np.linalg.norm(direction)
        moved = np.stack([unit - along, unit + along])
        down, up = tree_margin(stage.booster, stage.matrix(moved, np.full(2, as_of)))
        steps.append(up - down)
    assert len(steps) > 5 and np.mean(steps) > 0 and np.mean(np.array(steps) >= 0) > 0.8


def test_a_model_of_records_alone_has_no_direction(planted):
    _, model, _, _ = planted
    alone = replace(model, targets={"late": replace(model.targets["late"], signature=None)})
    with pytest.raises(ValueError, match="has no signature stage for 'late'"):
        margin_direction(alone, "late", 0, np.ones((3, 33)))


def test_phi_of_another_model_is_refused(planted):
    with pytest.raises(ValueError, match="must have"):
        explain_score(planted[1], "late", np.zeros(3), np.zeros(3), 0.0, "fused")


def test_the_force_of_change_is_the_difference_of_contributions(planted):
    _, _, rows, _ = planted
    student = rows.students[5]
    first, second = np.flatnonzero(rows.students == student)[:2]
    before, now = explain(planted, first), explain(planted, second)
    table = force_of_change(before, now)
    assert table["change"].sum() == pytest.approx(
        now.margin - now.base_value - before.margin + before.base_value, abs=1e-4
    )
    assert table["change"].abs().is_monotonic_decreasing


def test_the_cohort_summary_counts_the_signature_once(planted):
    _, model, _, scores = planted
    table = cohort_summary(model, scores.phi)
    assert table["name"].tolist().count("signature") == 1
    row = table.set_index("name").loc["signature", "mean_abs_phi"]
    records = len(model.encoder.names)
    assert row == pytest.approx(np.abs(scores.phi[:, records:].sum(axis=1)).mean(), rel=1e-4)
    assert cohort_summary(model, scores.phi[:0])["mean_abs_phi"].eq(0).all()


def test_the_sentence_tells_lateness_as_how_many_finish_in_time():
    late = sentence("late", 0.66, 0.58, 0.73, 4)
    assert (late.of, late.about, late.low, late.high) == (100, 34, 27, 42)
    dropout = sentence("dropout", 0.12, 0.08, 0.2)
    assert (dropout.about, dropout.low, dropout.high) == (12, 8, 20)


@pytest.mark.parametrize(
    ("target", "risk", "low", "high", "told"),
    [("dropout", 0.002, 0.0, 0.004, (0, 1, 1)), ("late", 0.998, 0.996, 1.0, (0, 1, 1))],
)
def test_a_range_holds_the_number_that_it_is_told_of(target, risk, low, high, told):
    """The number is never 0 of 100, so "about 1, range 0 to 0" once stood there."""
    found = sentence(target, risk, low, high)
    assert (found.low, found.about, found.high) == told
