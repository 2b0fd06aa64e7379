"""A category's value that the model never learned counts for nothing, in trees and line."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fusion.features.encode import fit_encoder
from fusion.model.blend import fit_records
from fusion.model.booster import TreeSettings
from fusion.model.peers import typical_peers

PATHS = {"test": 0.5, "report": 0.3, "own": 0.15, None: 0.05}
EFFECT = {"test": 2.0, "report": -2.0, "own": -1.5, None: -2.0}


@pytest.fixture(scope="module")
def learned():
    """A model of 4,000 students whose admission path and faculty both move the outcome."""
    rng = np.random.default_rng(3)
    n = 4000
    path = rng.choice(np.array(list(PATHS), dtype=object), n, p=list(PATHS.values()))
    funding = rng.choice(np.array(["grant", "own means"], dtype=object), n)
    gpa = rng.normal(3, 0.5, n)
    margin = np.array([EFFECT[p] for p in path]) + (funding == "grant") * 1.5 - 2 * (gpa - 3) - 1
    outcome = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(float)
    table = pd.DataFrame({"admission_path": path, "funding_at_entry": funding, "gpa_cum": gpa})
    encoder = fit_encoder(table)
    signs = np.zeros(len(encoder.columns), int)
    settings = TreeSettings(rounds=60)
    matrix = encoder.matrix(table)
    records, _ = fit_records(matrix, outcome, np.arange(n), settings, rng, signs)
    assert records.line is not None and 0.2 < records.weight < 0.8
    return encoder, replace(records, peers=typical_peers(encoder, table, signs)), table


def _with(table, **values):
    return table.assign(**{name: np.full(len(table), value, object) for name, value in values.items()})


def test_an_unlisted_value_has_the_mean_of_all_values_in_their_shares(learned):
    encoder, records, table = learned
    some = table.head(200)
    shares = table["admission_path"].value_counts(normalize=True, dropna=False)
    expected = sum(
        share * records.margin(encoder.matrix(_with(some, admission_path=None if pd.isna(value) else value)))
        for value, share in shares.items()
    )
    found = records.margin(encoder.matrix(_with(some, admission_path="renamed")))
    assert np.abs(found - expected).max() < 1e-5
    unlike = [records.margin(encoder.matrix(_with(some, admission_path=value))) for value in ("own", None)]
    assert all(np.abs(found - other).mean() > 0.5 for other in unlike)


def test_the_line_adds_nothing_for_an_unlisted_value(learned):
    encoder, records, table = learned
    line = replace(records, weight=0.0)
    values, base = line.shap(encoder.matrix(_with(table.head(50), admission_path="renamed")))
    place = encoder.names.index("admission_path")
    assert np.abs(encoder.group(values)[:, place]).max() < 1e-5
    assert base == pytest.approx(line.line.intercept)


def test_an_unlisted_value_is_hardly_a_reason_and_the_reasons_still_sum_to_the_margin(learned):
    encoder, records, table = learned
    new = _with(table.head(300), admission_path="renamed", funding_at_entry="another fund")
    matrix = encoder.matrix(new)
    values, base = records.shap_against_peers(matrix, new)
    assert np.abs(base + values.sum(axis=1) - records.margin(matrix)).max() < 1e-4
    phi = encoder.group(values)
    listed = encoder.group(records.shap_against_peers(encoder.matrix(table), table)[0])
    for name in ("admission_path", "funding_at_entry"):
        place = encoder.names.index(name)
        assert np.abs(phi[:, place]).max() < 0.05 < np.abs(listed[:, place]).mean()


def test_a_cohort_of_renamed_paths_stays_at_its_level(learned):
    encoder, records, table = learned
    level = records.margin(encoder.matrix(table)).mean()
    renamed = records.margin(encoder.matrix(_with(table, admission_path="renamed"))).mean()
    both = _with(table, admission_path="renamed", funding_at_entry="another fund")
    assert abs(renamed - level) < 0.05
    assert abs(records.margin(encoder.matrix(both)).mean() - level) < 0.05


def test_rows_with_listed_values_are_left_alone_and_order_is_kept(learned):
    encoder, records, table = learned
    some = table.head(40)
    path = some["admission_path"].to_numpy(object).copy()
    path[::3] = "renamed"
    alone = records.margin(encoder.matrix(some))
    mixed = records.margin(encoder.matrix(some.assign(admission_path=path)))
    untouched = np.arange(40) % 3 != 0
    assert np.allclose(alone[untouched], mixed[untouched], atol=1e-6)
    each = [
        records.margin(encoder.matrix(_with(some.iloc[[i]], admission_path="renamed")))[0] for i in (0, 3)
    ]
    assert np.allclose(mixed[[0, 3]], each, atol=1e-6)
