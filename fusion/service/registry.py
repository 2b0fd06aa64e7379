"""Candidate → compared with the served model → approved with a reason → served → rolled back if need be.

Every step is written to the audit log with who did it and why. Models are compared by their recipe on the
same forward split: both learn from the past part of today's register and are judged on the same later
students, because two models that were trained on everything can no longer be judged on anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.engine.database import Store
from data.engine.progress import Progress
from data.store import save_model
from data.trust.audit import Entry
from fusion import metrics
from fusion.features.rows import Rows
from fusion.metrics import Estimate
from fusion.model.fit import fit_model
from fusion.model.manifest import write_manifest
from fusion.service.serving import put_into_service
from fusion.service.sources import (
    Parts,
    find_model,
    load_model,
    read_rows,
    registered_models,
    served_model,
    the_model,
)
from fusion.validation.assess import split_training_sets
from fusion.validation.doubts import open_doubts
from fusion.validation.evaluate import clusters, few_figures

APPROVE = "model.approve"  # in the audit log
RECORDS_ONLY = "-records"  # suffix of the variant that leaves signatures out
COMPARED = ("roc_auc", "pr_auc", "brier", "ece", "precision_at_10", "precision_at_20")


@dataclass(frozen=True)
class Comparison:
    """A candidate beside the served model on the same later students.

    Parameters
    ----------
    candidate, served : str
        Versions.
    table : DataFrame
        ``target, figure`` and ``candidate``, ``served``, ``difference`` (candidate less served) with
        ``difference_low`` and ``difference_high``.
    """

    candidate: str
    served: str
    table: pd.DataFrame


def compare_models(store: Store, candidate: str, *, draws: int = 400) -> Comparison:
    """Judge a candidate's recipe and the served one's on the same forward split, paired.

    Raises
    ------
    LookupError
        When either model is missing, no student's outcome is known, or they have no target in common.
    """
    models = {"candidate": load_model(store, candidate), "served": load_model(store)}
    register = Parts(store)
    records = register.people
    common = tuple(target for target in models["served"].targets if target in models["candidate"].targets)
    if not common:
        raise LookupError("the two models have no target in common, so they cannot be compared")
    risks, rows, outcomes = {}, {}, {}
    for role, model in models.items():
        manifest = model.manifest
        everything = read_rows(register, manifest.encoder_id)
        found = split_training_sets(records, everything, common, manifest.seed)
        if found is None:
            raise LookupError("no student's outcome is known, so models cannot be compared")
        _, _, training_sets, tests = found
        again = fit_model(training_sets, manifest.seed, model.settings)
        for target, test in tests.items():
            use = not manifest.records_only
            risks[role, target] = again.risk(test.rows, target, use_signature=use)
            rows[target], outcomes[target] = test.rows, test.outcome
    parts = [
        _paired(target, rows[target], outcomes[target], risks, np.random.default_rng(0), draws)
        for target in rows
    ]
    return Comparison(candidate, models["served"].version, pd.concat(parts, ignore_index=True))


def _paired(target: str, rows: Rows, outcome, risks, rng, draws: int) -> pd.DataFrame:
    weight = metrics.bootstrap_weights(clusters(rows)[0], draws, rng)
    values = {role: _figures(outcome, risks[role, target], weight) for role in ("candidate", "served")}
    lines = []
    for figure in COMPARED:
        gap: Estimate = metrics.estimate(values["candidate"][figure] - values["served"][figure])
        lines.append(
            (
                target,
                figure,
                values["candidate"][figure][0],
                values["served"][figure][0],
                gap.value,
                gap.low,
                gap.high,
            )
        )
    columns = ["target", "figure", "candidate", "served", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(lines, columns=columns)


def _figures(outcome, risk, weight) -> dict[str, np.ndarray]:
    return few_figures(outcome, risk, weight) | {"ece": metrics.calibration_error(outcome, risk, weight)}


def approve(
    store: Store,
    version: str,
    *,
    actor: str,
    role: str,
    reason: str,
    confirmed: bool = False,
    progress: Progress | None = None,
) -> str:
    """Score a candidate, then serve it; who and why go into its manifest and the audit log. Its version.

    Raises
    ------
    ValueError
        Without a reason, when its register could not teach it
        (:class:`fusion.service.serving.NotServable`), or looked wrong and ``confirmed`` does not say that it
        is right (:class:`fusion.service.serving.Doubted`).
    LookupError, fusion.model.model_files.ModelFileError
        When the model is missing or its files were changed.
    """
    return _serve(store, version, (actor, role, reason), APPROVE, progress, confirmed)


def roll_back(store: Store, *, actor: str, role: str, reason: str, progress: Progress | None = None) -> str:
    """Serve the model that was served before the present one; returns its version.

    It is scored first: terms may have come since it was in service.

    Raises
    ------
    LookupError
        When no earlier model was ever served.
    """
    return _serve(store, earlier_model(store), (actor, role, reason), "model.roll_back", progress)


def earlier_model(store: Store) -> str:
    """The version that :func:`roll_back` would serve.

    Raises
    ------
    LookupError
        When no earlier model was ever served.
    """
    current = served_model(store)
    earlier = [
        (max(entry.at for entry in model.manifest.served), model.version)
        for model in registered_models(store)
        if model.manifest.served and (current is None or model.version != current.version)
    ]
    if not earlier:
        raise LookupError("no earlier model was served; there is nothing to roll back to")
    return max(earlier)[1]


def serve_again(
    store: Store, version: str, *, actor: str, role: str, reason: str, progress: Progress | None = None
) -> str:
    """:func:`roll_back` to a model named beforehand: repeated after a kill it does not go back once more."""
    return _serve(store, version, (actor, role, reason), "model.roll_back", progress)


def serve_records_only(
    store: Store, *, actor: str, role: str, reason: str, progress: Progress | None = None
) -> str:
    """Serve the present model without signatures, under a name of its own; returns that name.

    Scores belong to a named model and are never rewritten, so leaving signatures out makes a new name that
    shares the files. It is scored before it is served.
    """
    current = served_model(store)
    if current is None:
        raise LookupError("no model is served; train one first")
    if current.manifest.records_only:
        return current.version
    version = f"{current.version}{RECORDS_ONLY}"
    _check_reason(reason)
    known = find_model(store, version)  # it may have been in service before
    served = () if known is None else known.manifest.served
    manifest = replace(current.manifest, version=version, records_only=True, served=served)
    save_model(store, version, current.folder, write_manifest(manifest), "candidate")
    return _serve(store, version, (actor, role, reason), "model.records_only", progress, confirmed=True)


def _serve(
    store: Store,
    version: str,
    who: tuple[str, str, str],
    action: str,
    progress: Progress | None,
    confirmed: bool = False,
) -> str:
    actor, role, reason = who
    _check_reason(reason)
    noted: dict = {"reason": reason}
    doubts = open_doubts(the_model(store, version).manifest) if action == APPROVE else ()
    if confirmed and doubts:
        noted["looked_at"] = list(doubts)
    entry = Entry(actor, role, action, version, noted)
    about = {"actor": actor, "reason": reason.strip(), "audit_entry": entry, "confirmed": confirmed}
    put_into_service(store, version, **about, progress=progress)
    current = served_model(store)
    return version if current is None else current.version


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ValueError("reason must say why, got nothing")
