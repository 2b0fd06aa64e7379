"""A code tells how far it may lie from its descriptor, and never lies farther."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.search.coding import CODED, Coding


def least_and_most(coding: Coding, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between what two limits the distances of pairs lie, as their codes tell."""
    one, other = coding.encode(first), coding.encode(second)
    steps = np.linalg.norm(one.codes.astype(np.float64) - other.codes, axis=1) * coding.step
    doubt = one.errors.astype(np.float64) + other.errors
    return steps - doubt, steps + doubt


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([1, 7, CODED, CODED + 1, 400]),
    st.integers(1, 300),
    st.floats(1e-3, 1e3),
    st.floats(0, 50),
    st.integers(0, 10_000),
)
def test_a_distance_of_codes_is_never_wrong_by_more_than_they_tell(numbers, learned, scale, far, seed):
    rng = np.random.default_rng(seed)
    spread = scale * (1 + np.arange(numbers)) ** -rng.uniform(0, 1.5)
    rows = (rng.normal(size=(learned, numbers)) * spread + far * scale).astype(np.float32)
    coding = Coding.fit(rows)
    first, second = ((rng.standard_t(3, (30, numbers)) * spread).astype(np.float32) for _ in range(2))
    second[:5] = first[:5]
    apart = np.linalg.norm(first.astype(np.float64) - second, axis=1)
    least, most = least_and_most(coding, first, second)
    assert (least <= apart * (1 + 1e-5) + 1e-9).all()
    if numbers <= CODED:
        assert (apart <= most * (1 + 1e-5) + 1e-9).all()


def test_a_short_descriptor_loses_less_than_a_step_in_each_number():
    rows = np.random.default_rng(0).normal(size=(500, 60)).astype(np.float32)
    coding = Coding.fit(rows)
    coded = coding.encode(rows)
    assert coded.codes.shape == (500, 64) and not coded.codes[:, 60:].any() and coding.rest is None
    assert np.median(coded.errors) < coding.step * np.sqrt(60) / 3
    assert (coded.squares == (coded.codes.astype(int) ** 2).sum(axis=1)).all()


def test_directions_are_those_in_which_descriptors_differ_and_the_rest_is_told():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 1_000))  # they differ in five directions
    coding = Coding.fit(rows)
    assert coding.directions.shape == (1_000, 5) and coding.width == 32
    assert coding.directions.T @ coding.directions == pytest.approx(np.eye(5), abs=1e-5)
    turned, _ = coding.turned(rows)
    assert np.linalg.norm(turned[0] - turned[1]) == pytest.approx(np.linalg.norm(rows[0] - rows[1]), rel=1e-3)


@pytest.mark.parametrize("rows", [np.zeros((4, 3)), np.ones((1, 300)), np.zeros((2, 300))])
def test_descriptors_that_do_not_differ_can_be_coded(rows):
    coding = Coding.fit(rows)
    assert coding.step > 0 and (coding.encode(rows).codes == 0).all()


@pytest.mark.parametrize("rows", [np.empty((0, 3)), np.empty((3, 0)), np.ones(3), np.full((2, 2), np.inf)])
def test_what_is_no_set_of_descriptors_teaches_nothing(rows):
    with pytest.raises(ValueError, match="rows: need shape"):
        Coding.fit(rows)
