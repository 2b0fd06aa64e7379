"""What else an embedding gives away: sex, programme, year of entry, file format.

If a signature's embedding predicts these, an apparent gain of signatures may be a detour around records that
were left out on purpose, or the mark of a scanner.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusion.metrics import bootstrap_weights, estimate
from fusion.model.watched import Probe

LEAST_STUDENTS = 60
LEAST_OF_CLASS = 10
CLEARLY = 2.9  # standard errors; one in 500 by chance, one in 60 among eight attributes


def probe(
    embeddings: np.ndarray, attributes: pd.DataFrame, rng: np.random.Generator, draws: int = 200
) -> list[Probe]:
    """Probe every attribute.

    Parameters
    ----------
    embeddings : ndarray (n, d)
        One per student.
    attributes : DataFrame, n rows
        One column per attribute; missing rows are left out; classes of fewer than 10 students too.
    rng : Generator
    draws : int
        Bootstrap draws over students.

    Returns
    -------
    list of Probe
        Attributes with fewer than two classes or 60 students are left out.
    """
    found = []
    for name in attributes.columns:
        values = attributes[name].to_numpy(object)
        counts = pd.Series(values).dropna().astype(str).value_counts()
        common = set(counts.index[counts >= LEAST_OF_CLASS])
        keep = np.array([value is not None and str(value) in common for value in values])
        if keep.sum() >= LEAST_STUDENTS and len(common) >= 2:
            found.append(_probe_one(name, embeddings[keep], values[keep].astype(str), rng, draws))
    return found


def given_away(embeddings: np.ndarray, attributes: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    """The attributes that embeddings predict so clearly that chance is no explanation, however many are
    probed.

    An attribute counts when its balanced accuracy stands :data:`CLEARLY` standard errors above chance.

    Parameters
    ----------
    embeddings, attributes, rng
        As for :func:`probe`.
    """
    found = []
    for one in probe(embeddings, attributes, rng):
        error = (one.accuracy.high - one.accuracy.low) / (2 * 1.96)
        if one.accuracy.value - one.chance > CLEARLY * max(error, 1e-6):
            found.append(one.attribute)
    return found


def _probe_one(name: str, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, draws: int) -> Probe:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seed = int(rng.integers(2**31))
    chain = make_pipeline(
        PCA(min(40, x.shape[1], len(x) // 4), random_state=seed),
        StandardScaler(),
        LogisticRegression(C=0.1, class_weight="balanced", max_iter=500),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    right = (cross_val_predict(chain, x, y, cv=folds) == y).astype(float)
    weight = bootstrap_weights(np.arange(len(y)), draws, rng)
    classes = np.unique(y)
    recalls = [
        (weight[:, y == c] @ right[y == c]) / np.maximum(weight[:, y == c].sum(axis=1), 1e-9) for c in classes
    ]
    accuracy = estimate(np.mean(recalls, axis=0))
    chance = 1 / len(classes)
    return Probe(name, len(y), len(classes), accuracy, chance, bool(accuracy.low > chance))
