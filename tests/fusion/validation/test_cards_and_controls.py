import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.cases.trial_outcomes import HelpSince
from fusion.explanation.overlay import explain_signature, margin_direction, signature_margin
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.monitoring.probe import probe
from fusion.pipeline import _manifest, _training_sets
from fusion.service.cards import fairness_report, model_card
from fusion.validation.assess import assess
from fusion.validation.controls import network_controls, noise_signatures, scan_facts


@pytest.fixture(scope="module")
def assessed(simulated):
    """A small model and the manifest it would be registered with."""
    settings = TreeSettings(rounds=25)
    labels = mature_labels(simulated.register)
    model = fit_model(_training_sets(simulated.rows, labels), 1, settings)
    found = assess(simulated.register, simulated.rows, seed=1, settings=settings, draws=30)
    manifest = _manifest("risk-card", model, simulated.rows, labels, found, "d" * 64, 1)
    return model, manifest


def test_the_card_tells_origin_figures_verdict_and_limits(assessed):
    _, manifest = assessed
    card = model_card(manifest, synthetic=True, institution="Universitas Contoh")
    for text in ("risk-card", "Synthetic demo data", "Universitas Contoh", "d" * 64, "sim@1"):
        assert text in card
    for arm in ("logistic regression", "on-track rule", "programme base rate"):
        assert arm in card
    for heading in ("Intended use", "How good it is", "Do signatures add anything?", "Limits"):
        assert f"## {heading}" in card
    assert "no established evidence" in card
    assert "Synthetic" not in model_card(manifest, synthetic=False)


def test_the_card_says_what_help_after_a_score_does_to_labels_and_tells_no_small_count(assessed):
    _, manifest = assessed
    card = model_card(manifest, synthetic=False, help_given=HelpSince(40, 12))
    assert "left after a score of this model: 40;" in card and "the exit: 12 (fewer" in card
    assert "docs/trial.md" in card
    small = model_card(manifest, synthetic=False, help_given=HelpSince(40, 3))
    assert "the exit: * (fewer" in small and "the exit: 3" not in small
    assert "left after a score" not in model_card(manifest, synthetic=False)
    for text in (card, fairness_report(manifest, synthetic=True)):
        assert not re.search(r"\beffects?\b", text, re.IGNORECASE)


def test_the_card_of_a_model_that_was_never_judged_still_prints(assessed):
    _, manifest = assessed
    card = model_card(replace(manifest, assessment=None), synthetic=False)
    assert "How good it is" not in card and "## Limits" in card


def test_the_fairness_report_lists_groups_and_gaps(assessed):
    _, manifest = assessed
    report = fairness_report(manifest, synthetic=True)
    assert "| sex | L |" in report and "missed (FNR)" in report
    assert "nothing could be audited" in fairness_report(replace(manifest, assessment=None), synthetic=False)


def test_noise_keeps_students_and_dates_and_is_one_direction_per_student(simulated):
    signatures = simulated.rows.signatures
    noise = noise_signatures(signatures, np.random.default_rng(0))
    assert (noise.keys == signatures.keys).all() and (noise.days == signatures.days).all()
    assert np.array_equal(noise.states[0], noise.states[1])  # two specimens of one student
    assert abs(np.corrcoef(noise.states.ravel(), signatures.states.ravel())[0, 1]) < 0.05


def test_scan_facts_hold_size_and_resolution_only():
    table = pd.DataFrame(
        {
            "student_key": ["a", "b", "c"],
            "captured_on": pd.to_datetime(["2020-08-01", "2020-08-02", "2021-01-05"]),
            "width": [300, 400, 500],
            "height": [100, 100, 100],
            "dpi": [300, None, 600],
        }
    )
    facts = scan_facts(table)
    assert facts.states.shape == (3, 5) and np.isfinite(facts.states).all()


def test_the_probe_finds_a_scanner_and_not_chance():
    rng = np.random.default_rng(0)
    scanner = rng.choice(["flatbed", "phone"], 300)
    embeddings = rng.normal(size=(300, 24)) + 1.5 * (scanner == "phone")[:, None] * (np.arange(24) < 4)
    table = pd.DataFrame({"scanner": scanner, "sex": rng.choice(["L", "P"], 300), "rare": ["x"] * 300})
    found = {p.attribute: p for p in probe(embeddings, table, rng)}
    assert set(found) == {"scanner", "sex"}
    assert found["scanner"].predicts and found["scanner"].accuracy.value > 0.8
    assert found["sex"].accuracy.value < 0.65 and found["sex"].chance == 0.5


@dataclass(frozen=True)
class OtherEncoder:
    """Stands for an encoder that did not make the model's embeddings."""

    @property
    def info(self):
        return type("Info", (), {"encoder_id": "other@2"})


def test_the_signature_margin_follows_embeddings_as_at_scoring_time(assessed, simulated):
    model, _ = assessed
    row = simulated.rows.take(np.flatnonzero(simulated.rows.as_of == 2)[:1])
    state = simulated.rows.signatures.states[row.position]
    unit = state / np.linalg.norm(state)
    margin = signature_margin(model, "late", 2)
    assert margin(unit) == pytest.approx(margin(7 * unit), abs=1e-6)


def test_the_map_of_another_encoder_is_refused(assessed):
    model, manifest = assessed
    named = type(model)(model.encoder, model.targets, model.settings, manifest)
    with pytest.raises(ValueError, match="sim@1"):
        explain_signature(named, OtherEncoder(), np.zeros((4, 4), np.uint8), "late", 2)


@dataclass(frozen=True)
class TrainedEncoder:
    """Stands for the encoder that made the model's embeddings."""

    @property
    def info(self):
        return type("Info", (), {"encoder_id": "sim@1"})


def covered(moves, embeddings):
    """What covering a signature's ink came to."""
    return SimpleNamespace(moves=moves, embeddings=embeddings)


def test_ink_that_moves_no_score_has_no_map_and_other_ink_is_followed_through_the_trees(
    assessed, simulated, monkeypatch
):
    from vision.encoder import heat_maps

    model, manifest = assessed
    named = type(model)(model.encoder, model.targets, model.settings, manifest)
    row = simulated.rows.take(np.flatnonzero(simulated.rows.as_of == 2)[:1])
    state = simulated.rows.signatures.states[row.position]
    near = state + np.random.default_rng(0).normal(0, 0.1, (20, state.shape[1]))
    embeddings, asked = np.vstack([state, near]), []

    def occlude(encoder, image, gain):
        worth = gain(embeddings)
        asked.append(worth)
        return covered(len(asked) > 1, embeddings)

    monkeypatch.setattr(heat_maps, "occlude", occlude)
    monkeypatch.setattr(heat_maps, "checked_maps", lambda encoder, image, direction, found: [direction])
    monkeypatch.setattr(heat_maps, "best_first", lambda maps: maps)
    image = np.zeros((4, 4), np.uint8)
    assert explain_signature(named, TrainedEncoder(), image, "late", 2) == []
    np.testing.assert_allclose(asked[0], signature_margin(named, "late", 2)(embeddings))
    led = explain_signature(named, TrainedEncoder(), image, "late", 2)
    wanted = margin_direction(named, "late", 2, embeddings)
    assert len(led) == wanted.any()
    if led:
        np.testing.assert_array_equal(led[0], wanted)


def test_blank_paper_and_an_untrained_network_replace_the_embeddings(monkeypatch):
    """With stand-ins for the network: blank paper has no ink to embed, shuffled weights see the same ink."""
    from vision.encoder import embed
    from vision.encoder import heat_maps as gradcam
    from vision.scans import images

    scan = np.full((20, 40), 240, np.uint8)
    scan[5:9, 5:30] = 20
    monkeypatch.setattr(images, "decode_image", lambda data: scan)
    monkeypatch.setattr(embed, "prepare_image", lambda encoder, image: 255 - image)
    monkeypatch.setattr(
        embed, "embed_prepared", lambda encoder, inks: np.stack([inks.std(axis=(1, 2)), inks[:, 0, 0]], 1)
    )
    monkeypatch.setattr(gradcam, "shuffled_encoder", lambda encoder, rng: encoder)
    table = pd.DataFrame(
        {
            "specimen_id": ["s1", "s2", "s3"],
            "student_key": ["a", "a", "b"],
            "captured_on": pd.to_datetime(["2020-08-01", "2021-08-01", "2020-08-01"]),
        }
    )
    found = network_controls(TrainedEncoder(), table, lambda key: b"", np.random.default_rng(0))
    assert set(found) == {"blank paper", "untrained network"}
    assert found["blank paper"].keys.tolist() == ["a", "b"]  # the first specimen of each
    assert (found["blank paper"].states[:, 0] == 0).all()
    assert (found["untrained network"].states[:, 0] > 0).all()


def test_embeddings_that_are_all_the_same_are_no_reason_to_fail(simulated):
    signatures = simulated.rows.signatures
    same = replace(signatures, states=np.ones_like(signatures.states))
    rows = replace(simulated.rows, signatures=same)
    found = assess(simulated.register, rows, seed=1, settings=TreeSettings(rounds=10), draws=20)
    assert all(ablation.verdict != "adds" for ablation in found.ablations.values())
