import numpy as np
import pandas as pd
import pytest

from fusion.features.fuse import fit_reduction, mean_signatures, no_signatures

SPECIMENS = pd.DataFrame(
    {
        "student_key": ["b", "a", "a", "a"],
        "captured_on": pd.to_datetime(["2020-08-01", "2021-02-01", "2020-08-01", "2022-02-01"]),
    }
)
VECTORS = np.array([[0, 2.0], [0, 5.0], [3.0, 0], [4.0, 0]])


def test_a_students_signature_is_the_mean_of_unit_vectors_captured_by_the_date():
    signatures = mean_signatures(SPECIMENS, VECTORS)
    days = np.array(["2020-07-31", "2020-08-01", "2021-06-01", "2023-01-01"], dtype="datetime64[ns]")
    rows = signatures.rows(["a"] * 4, days)
    assert rows[0] == -1
    expected = [[1, 0], [0.5, 0.5], [2 / 3, 1 / 3]]
    assert np.allclose(signatures.states[rows[1:]], expected)


def test_a_student_without_a_specimen_has_none():
    day = np.array(["2030-01-01"], dtype="datetime64[ns]")
    assert mean_signatures(SPECIMENS, VECTORS).rows(["nobody"], day)[0] == -1
    assert no_signatures().rows(["a"], day)[0] == -1


def test_broken_vectors_are_refused():
    with pytest.raises(ValueError, match="match"):
        mean_signatures(SPECIMENS, VECTORS[:2])
    with pytest.raises(ValueError, match="finite"):
        mean_signatures(SPECIMENS, VECTORS * np.nan)


def test_components_are_standardised_and_at_most_sixteen():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(300, 40)) * np.linspace(3, 0.1, 40)
    reduction, taught = fit_reduction(embeddings, rng.normal(size=300), rng)
    assert reduction.components == 16 and taught.shape == (300, 16)
    z = reduction.apply(embeddings)
    assert np.allclose(z[:, 1:].std(axis=0), 1, atol=1e-3)
    assert np.allclose(z[:, 1:], taught[:, 1:], atol=1e-4)


def test_the_first_component_finds_a_planted_direction():
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(800, 30))
    trait = embeddings @ np.eye(30)[7]
    reduction, taught = fit_reduction(embeddings, 0.3 * trait + rng.normal(size=800), rng)
    assert np.corrcoef(reduction.apply(embeddings)[:, 0], trait)[0, 1] > 0.7
    assert np.corrcoef(taught[:, 0], trait)[0, 1] > 0.6


def test_on_noise_the_training_component_does_not_know_its_own_label():
    """Without cross-fitting the correlation would be about sqrt(64 / 400) = 0.4."""
    rng = np.random.default_rng(2)
    correlations = []
    for _ in range(10):
        label = rng.normal(size=400)
        _, taught = fit_reduction(rng.normal(size=(400, 64)), label, rng)
        correlations.append(np.corrcoef(taught[:, 0], label)[0, 1])
    assert abs(np.mean(correlations)) < 0.1


def test_fewer_than_eight_students_are_refused():
    with pytest.raises(ValueError, match="8"):
        fit_reduction(np.ones((5, 4)), np.ones(5), np.random.default_rng(0))
