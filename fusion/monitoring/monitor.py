"""Is the model in service still about the students it scores? Looked at after training and every scoring.

Cohorts whose outcome the model learned from are compared with those that came after, by signs that are known
before any outcome is (:mod:`fusion.monitoring.drift`); and the embeddings are probed for what they should not
give away.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from fusion.features.rows import Rows
from fusion.features.splits import mature_labels
from fusion.metrics import Estimate
from fusion.model.booster import logit
from fusion.model.competing import durations
from fusion.model.risk_model import RiskModel
from fusion.model.watched import Probe, Watch
from fusion.monitoring.drift import LEAST_ROWS, embeddings_of, watch
from fusion.monitoring.probe import probe

SAMPLE = 4000  # students looked at on either side; more would change no sign
PROBED = ("sex", "program_code", "cohort_term", "entry_type")
FILE_FACTS = ("file_format", "dpi")  # what tells one scanner from another


def sides(records, taught_until: date, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Students of the cohorts that could teach on a day, and those that came after; at most ``SAMPLE`` each.

    Parameters
    ----------
    records : Records
    taught_until : date
        Up to when the register reached when the model was trained.
    rng : Generator
        Draws the samples.
    """
    taught = mature_labels(records, seen_on=taught_until).index.to_numpy(object)
    keys = records.students["student_key"]
    later = np.sort(keys[~keys.isin(taught)].to_numpy(object))  # numpy compares objects pair by pair
    return _sampled(taught, rng), _sampled(later, rng)


def _sampled(keys: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return keys if len(keys) <= SAMPLE else np.sort(rng.choice(keys, SAMPLE, replace=False))


def look(
    records,
    rows: Rows,
    taught_until: date,
    rng: np.random.Generator,
    specimens: pd.DataFrame | None = None,
    model: RiskModel | None = None,
) -> Watch:
    """Every sign of drift and every probe, rounded, for the manifest.

    Parameters
    ----------
    records : Records
    rows : Rows
        At least the rows of :func:`sides`.
    taught_until : date
    rng : Generator
    specimens : DataFrame, optional
        ``student_key, file_format, dpi``: lets the probe look for the scanner.
    model : RiskModel, optional
        The one that is watched: says which shifts of features move its level.

    Returns
    -------
    Watch
    """
    old, new = sides(records, taught_until, np.random.default_rng(0))
    flow = records.outcomes.merge(
        records.students[["student_key", "program_code", "cohort_term"]], on="student_key"
    )
    # A register may know that somebody left, not after how many terms: such rows say nothing of when.
    dated = flow["exit_type"].isna() | flow["terms_to_exit"].notna()
    ends = durations(flow[dated & flow["student_key"].isin({*old, *new})], records.calendar)
    earlier, later = (ends[ends["student_key"].isin(set(keys))] for keys in (old, new))
    level = None if model is None else partial(_log_odds, model)
    drift = watch(rows.of_students(old), rows.of_students(new), earlier, later, rng, level)
    probes = _probes(rows.of_students([*old, *new]), records.students, specimens, rng)
    return Watch(
        taught_until=taught_until,
        taught=len(old),
        later=len(new),
        enough=min(len(old), len(new)) >= LEAST_ROWS,
        trusted=drift.trusted,
        signs=tuple(
            replace(sign, value=round(sign.value, 4), limit=round(sign.limit, 4)) for sign in drift.ordered
        ),
        probes=tuple(_kept(found) for found in probes),
    )


def _log_odds(model: RiskModel, rows: Rows) -> list[np.ndarray]:
    return [logit(np.clip(model.risk(rows, target), 1e-6, 1 - 1e-6)) for target in model.targets]


def _probes(rows: Rows, students: pd.DataFrame, specimens: pd.DataFrame | None, rng) -> list[Probe]:
    keys, vectors = embeddings_of(rows)
    if not len(keys):
        return []
    table = students.set_index("student_key").reindex(keys)
    table = table[[name for name in PROBED if name in table]]
    if specimens is not None and len(specimens):
        first = specimens.drop_duplicates("student_key").set_index("student_key").reindex(keys)
        table = table.assign(**{name: first[name] for name in FILE_FACTS if name in first})
    return probe(vectors, table.astype(object).where(table.notna(), None).reset_index(drop=True), rng)


def _kept(found: Probe) -> Probe:
    accuracy = [round(float(v), 4) for v in (found.accuracy.value, found.accuracy.low, found.accuracy.high)]
    return replace(found, accuracy=Estimate(*accuracy), chance=round(found.chance, 4))
