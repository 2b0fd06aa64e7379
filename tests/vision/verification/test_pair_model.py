"""Writers never seen in training: a planted stiffness and a planted likeness are found, noise is not."""

from __future__ import annotations

import numpy as np
import pytest

from vision import metrics
from vision.verification.pair_model import Likeness, fit_pair_model, stiffness_direction


def collection(writers=24, seed=0, dim=40, stiff=1.0):
    """Writers around centres; forgeries lie near the centre, a step along the first axis away."""
    rng = np.random.default_rng(seed)
    rows, who, forged = [], [], []
    for writer in range(writers):
        centre = rng.normal(size=dim) / np.sqrt(dim)
        for k in range(16):
            point = centre + 0.25 * rng.normal(size=dim) / np.sqrt(dim)
            if k >= 8:
                point[0] -= stiff
                point += 0.25 * rng.normal(size=dim) / np.sqrt(dim)
            rows.append(point)
            who.append(writer)
            forged.append(k >= 8)
    return np.array(rows, np.float32), np.array(who), np.array(forged)


def auc_of(model, data, references=4):
    placed, writers, forged = data
    genuine, fakes = [], []
    for writer in np.unique(writers):
        own = np.flatnonzero((writers == writer) & ~forged)
        fake = np.flatnonzero((writers == writer) & forged)
        genuine.append(model.score(placed[own[:references]], placed[own[references:]]))
        fakes.append(model.score(placed[own[:references]], placed[fake]))
    return metrics.auc(np.concatenate(genuine), np.concatenate(fakes))


def test_likeness_of_a_signature_with_itself_is_one_and_of_strangers_near_zero():
    placed, writers, forged = collection()
    likeness = Likeness.given(placed[writers >= 12])
    some = placed[(writers < 12) & ~forged]
    between = likeness.between(some, some)
    assert np.diag(between) == pytest.approx(np.ones(len(some)), abs=1e-6)
    assert np.abs(between).max() <= 1 + 1e-6
    same = np.kron(np.eye(12), np.ones((8, 8))).astype(bool) & ~np.eye(96, dtype=bool)
    assert between[same].mean() > 0.5 > 0.2 > abs(between[~same & ~np.eye(96, dtype=bool)].mean())


def test_likeness_does_not_depend_on_what_else_is_compared():
    placed, _, _ = collection()
    likeness = Likeness.given(placed[:100])
    assert likeness.between(placed[200:201], placed[300:301])[0, 0] == pytest.approx(
        likeness.between(placed[200:210], placed[300:310])[0, 0], abs=1e-6
    )


def test_the_planted_direction_is_found():
    direction = stiffness_direction(*collection())
    assert abs(direction[0]) / np.linalg.norm(direction) > 0.9
    assert direction[0] > 0  # genuine signatures lie higher


def test_new_writers_are_told_from_their_forgers():
    model = fit_pair_model(*collection(), references=4, rng=np.random.default_rng(0))
    assert auc_of(model, collection(seed=9)) > 0.98


def test_forgeries_that_are_like_the_genuine_are_not_told_apart():
    none = collection(stiff=0.0)
    none[0][none[2]] = none[0][~none[2]] + 0.0
    model = fit_pair_model(*none, references=4, rng=np.random.default_rng(0))
    placed, writers, forged = collection(seed=9, stiff=0.0)
    shuffled = np.random.default_rng(1).permutation
    for writer in np.unique(writers):  # forged or not is drawn by lot
        own = np.flatnonzero(writers == writer)
        placed[own] = placed[shuffled(own)]
    assert 0.3 < auc_of(model, (placed, writers, forged)) < 0.7


def test_one_reference_is_enough_for_a_score():
    model = fit_pair_model(*collection(), references=1, rng=np.random.default_rng(0))
    assert auc_of(model, collection(seed=9), references=1) > 0.95


def test_across_collections_the_direction_is_left_out():
    model = fit_pair_model(*collection(), references=4, rng=np.random.default_rng(0), with_direction=False)
    assert model.direction is None and model.weights[3] == 0


def test_training_without_forgeries_is_refused():
    placed, writers, _ = collection()
    with pytest.raises(ValueError, match="forged: need genuine and forged"):
        stiffness_direction(placed, writers, np.zeros(len(writers), bool))
    with pytest.raises(ValueError, match="background: need at least 2"):
        Likeness.given(placed[:1])
