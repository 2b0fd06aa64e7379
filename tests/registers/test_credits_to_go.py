"""Credits recognised at entry, in the second university, whose totals hold them: what is missing for the
degree, and what the model reckons with, in a register that tells them so and in one that leaves them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.trust.scope import Scope
from fusion.features.build import build_features
from fusion.features.feature_list import RECORD_FEATURES

SYSTEM = Scope.system()


def test_credits_recognised_at_entry_are_not_counted_twice(university):
    records = queries.records_until(university)
    newest = records.terms.sort_values("term_id").groupby("student_key")["credits_cum"].last()
    recognised = records.students.set_index("student_key")["recognized_credits"].fillna(0)
    found = queries.standing(university, SYSTEM, limit=10_000).set_index("student_key")
    found = found[found["credits"].notna()]
    assert (recognised.reindex(found.index) > 0).sum() >= 3
    assert (found["credits"] == newest.reindex(found.index)).all()


@pytest.fixture(scope="module")
def records(university):
    """The register as it was known after four terms."""
    return queries.records_until(university, 4)


def test_the_model_reckons_with_the_credits_that_the_pages_say(university, records):
    features = build_features(records, 4)
    found = queries.standing(university, SYSTEM, limit=10_000).set_index("student_key")
    newest = found.index[found["terms_over"] == 4].intersection(features.index)
    recognised = features.loc[newest, "recognized_credits"].fillna(0)
    assert len(newest) > 20 and (recognised > 0).any()
    same = features.loc[newest, "credits_cum"].to_numpy(float)
    assert np.array_equal(same, found.loc[newest, "credits"].to_numpy(float), equal_nan=True)
    planned = found.loc[newest, "required_credits"] * 4 / found.loc[newest, "normal_terms"]
    pace = features.loc[newest, "credit_pace"]
    assert pace.to_numpy() == pytest.approx((found.loc[newest, "credits"] / planned).to_numpy(), nan_ok=True)


def test_totals_without_the_recognised_credits_give_the_same_features(records):
    whole = build_features(records, 4)
    recognised = records.students.set_index("student_key")["recognized_credits"].fillna(0)
    less = records.terms["student_key"].map(recognised).fillna(0).astype(float)
    assert (less > 0).any()
    apart = replace(records, terms=records.terms.assign(credits_cum=records.terms["credits_cum"] - less))
    none = replace(records, terms=records.terms.assign(credits_cum=np.nan))
    names = [feature.name for feature in RECORD_FEATURES if feature.group == "credits"]
    pd.testing.assert_frame_equal(build_features(apart, 4)[names], whole[names])
    moved = whole.index[whole["recognized_credits"] > 0]  # and where there is no total at all
    pd.testing.assert_frame_equal(build_features(none, 4).loc[moved, names], whole.loc[moved, names])
