"""Writing models and scores; the tables that pages read are rebuilt in the same transaction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from data import schema
from data.columns import BANDS, TARGETS
from data.engine.bulk import among, fetch, insert_frame
from data.engine.clock import now
from data.engine.database import Store
from data.records.derived import NEWEST, rebuild_risk
from data.trust.audit import Entry, note_in

SCORE_KEY = ["student_key", "as_of_index", "target", "model_version"]


def save_model(
    store: Store,
    version: str,
    folder: str | Path,
    manifest: dict,
    status: str = "candidate",
    entry: Entry | None = None,
) -> None:
    """Register a trained model, or replace the manifest of one that is registered.

    Parameters
    ----------
    version : str
        Its name, unique.
    folder : str or Path
        Its folder's name below the models folder; of a path the last part is kept.
    manifest : dict
        JSON: data hash, code version, metrics, feature names, band edges.
    status : {"candidate", "served", "retired"}
        "served" retires the model that was served.
    entry : data.trust.audit.Entry, optional
        What the audit log says of it, in the same transaction.
    """
    models = schema.models
    row = {"folder": Path(folder).name, "manifest": json.loads(json.dumps(manifest, allow_nan=False))}
    with store.writing() as connection:
        done = connection.execute(update(models).where(models.c.model_version == version).values(**row))
        if done.rowcount == 0:
            row |= {"model_version": version, "created_at": now(), "status": "candidate"}
            connection.execute(insert(models).values(**row))
        _set_status(connection, version, status)
        note_in(connection, entry)


def serve_model(store: Store, version: str) -> None:
    """Make ``version`` the model whose scores the pages show, and retire the one that was.

    Raises
    ------
    ValueError
        When no such model is registered.
    """
    with store.writing() as connection:
        _set_status(connection, version, "served")


def write_scores(
    store: Store,
    scores: pd.DataFrame,
    phi: np.ndarray,
    inputs: np.ndarray,
    base_values: np.ndarray,
    *,
    rebuild: bool = True,
) -> int:
    """Append scores and their explanations, and rebuild what the pages read; one transaction.

    A score that is stored (same student, as-of index, target and model) is left alone, so that scoring can
    be repeated after a kill.

    Parameters
    ----------
    scores : DataFrame, n rows
        ``student_key, as_of_index, as_of_term, target, model_version, modality, risk, risk_low, risk_high,
        margin, band``; ``scored_at`` is now unless given.
    phi : ndarray, (n, features), float32
        SHAP values, log-odds, in the order of the model's features.
    inputs : ndarray, (n, features), float32
        The feature values they explain.
    base_values : ndarray, (n,)
        Expected margin of the model.
    rebuild : bool
        Whether what the pages read is rebuilt now; who writes part by part does so at the end, by
        :func:`show_scores`.

    Returns
    -------
    int
        How many scores are new.

    Raises
    ------
    ValueError
        When lengths disagree, a target or band is unknown, or a score is repeated.
    """
    scores = scores.reset_index(drop=True)
    phi, inputs, base_values = _checked(scores, phi, inputs, base_values)
    with store.writing() as connection:
        fresh = _not_stored(connection, scores)
        new = scores[fresh].assign(scored_at=scores.get("scored_at", pd.Timestamp(now())))
        last = connection.scalar(select(func.coalesce(func.max(schema.scores.c.score_id), 0)))
        insert_frame(connection, schema.scores, new)
        statement = select(schema.scores.c.score_id, *(schema.scores.c[name] for name in SCORE_KEY))
        written = fetch(connection, statement.where(schema.scores.c.score_id > last))
        numbered = new[SCORE_KEY].assign(row=np.flatnonzero(fresh)).merge(written, on=SCORE_KEY)
        _insert_explanations(connection, numbered, phi, inputs, base_values)
        versions = scores["model_version"].unique()
        for version in versions if len(new) and rebuild else ():
            rebuild_risk(connection, version)
    return len(new)


def show_scores(store: Store, model_version: str) -> None:
    """Rebuild what the pages read where it does not count every score of a model yet; one transaction."""
    cube, scores = schema.risk_cube, schema.scores
    with store.writing() as connection:
        counted = connection.scalar(
            select(func.coalesce(func.sum(cube.c.students), 0)).where(
                cube.c.model_version == model_version, cube.c.as_of_index != NEWEST
            )
        )
        written = connection.scalar(
            select(func.count()).select_from(scores).where(scores.c.model_version == model_version)
        )
        if counted != written:
            rebuild_risk(connection, model_version)


def _checked(scores: pd.DataFrame, phi, inputs, base_values):
    phi, inputs = (np.ascontiguousarray(values, dtype="<f4") for values in (phi, inputs))
    base_values = np.asarray(base_values, dtype="float64")
    for name, values in (("phi", phi), ("inputs", inputs), ("base_values", base_values)):
        if len(values) != len(scores):
            raise ValueError(f"{name} must have one row per score, {len(scores)}, got {len(values)}")
    for name, allowed in (("target", TARGETS), ("band", BANDS)):
        strange = set(scores[name]) - set(allowed)
        if strange:
            raise ValueError(f"scores.{name} must be one of {allowed}, got {sorted(strange)}")
    if scores.duplicated(SCORE_KEY).any():
        raise ValueError(f"scores must be unique by {', '.join(SCORE_KEY)}")
    return phi, inputs, base_values


def _not_stored(connection: Connection, scores: pd.DataFrame) -> np.ndarray:
    table = schema.scores
    conditions = [
        table.c[name].in_(scores[name].unique().tolist())
        for name in ("model_version", "as_of_index", "target")
    ]
    keys = scores["student_key"].unique().tolist()
    statement = select(*(table.c[name] for name in SCORE_KEY)).where(
        among(connection, table.c.student_key, keys), *conditions
    )
    stored = fetch(connection, statement).assign(stored=True)
    merged = scores[SCORE_KEY].merge(stored, on=SCORE_KEY, how="left")
    return merged["stored"].isna().to_numpy()


def _insert_explanations(connection: Connection, numbered: pd.DataFrame, phi, inputs, base_values) -> None:
    rows = numbered["row"].to_numpy()
    insert_frame(
        connection,
        schema.explanations,
        pd.DataFrame(
            {
                "score_id": numbered["score_id"],
                "base_value": base_values[rows],
                "phi": [phi[row].tobytes() for row in rows],
                "inputs": [inputs[row].tobytes() for row in rows],
            }
        ),
    )


def _set_status(connection: Connection, version: str, status: str) -> None:
    models = schema.models
    this = models.c.model_version == version
    was = connection.scalar(select(models.c.status).where(this))
    if was is None:
        raise ValueError(f"model_version must be a registered model, got {version!r}")
    if was == status:
        return  # pages show the same model's scores as before
    if status == "served":
        served = models.c.status == "served"
        connection.execute(update(models).where(served).values(status="retired"))
    connection.execute(update(models).where(this).values(status=status))
    rebuild_risk(connection)
