"""Drift, probes and the registry as the model page tells them. Pure functions of manifests."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from dashboard.models.facts import estimate
from dashboard.reports.provenance import local_time
from dashboard.shell.wording import Words
from data.columns import TARGETS
from fusion.model.examined import FUSED, RECORDS
from fusion.model.manifest import Manifest
from fusion.model.watched import EXITS, FEATURE, MISSINGNESS, Moved, Sign, Watch
from fusion.service.sources import RegisteredModel

COMPARED = ("roc_auc", "brier", "ece", "precision_at_20")
LEAST_SIGNS = 8  # rows shown when fewer alarm


def trust(manifest: Manifest) -> str:
    """Key of the sentence about young cohorts: unwatched, few, trusted or untrusted."""
    found = manifest.monitor
    if found is None:
        return "unwatched"
    if not found.trusted:
        return "untrusted"
    return "trusted" if found.enough else "few"


def signs_table(manifest: Manifest, words: Words) -> pd.DataFrame:
    """One row per sign of drift, alarms first; all alarms and a few of the quiet ones."""
    found = manifest.monitor or Watch()
    return pd.DataFrame(
        [
            {
                words("model_watch.sign"): words.named("drift_kind", sign.kind),
                words("model_watch.of"): sign_name(sign, words),
                words("column.value"): words.number(sign.value, 3),
                words("model_watch.limit"): words.number(sign.limit, 3),
                words("model_watch.alarm"): words("unit.yes" if sign.alarm else "unit.no"),
            }
            for sign in found.signs[: max(len(found.alarms), LEAST_SIGNS)]
        ]
    )


def sign_name(sign: Sign, words: Words) -> str:
    """What a sign looks at, in words."""
    if sign.kind in (FEATURE, MISSINGNESS):
        return words.named("feature", sign.name)
    if sign.kind == EXITS:
        return words("model_watch.exits", seen=sign.seen, expected=sign.expected)
    return words.named("drift_name", sign.name)


def probe_table(manifest: Manifest, words: Words) -> pd.DataFrame:
    """One row per attribute that the embedding was probed for."""
    return pd.DataFrame(
        [
            {
                words("column.attribute"): words.named("attribute", probe.attribute),
                words("column.students"): words.number(probe.students),
                words("model_watch.accuracy"): estimate(probe.accuracy, words, percent=True),
                words("model_watch.chance"): words.percent(probe.chance, 0),
                words("model_watch.gives_away"): words("unit.yes" if probe.predicts else "unit.no"),
            }
            for probe in (manifest.monitor or Watch()).probes
        ]
    )


def recalibrated(manifest: Manifest, target: str) -> Moved | None:
    """The last move of a target's level; None when never moved."""
    found = manifest.recalibrated.targets.get(target) if manifest.recalibrated else None
    return found if found is not None and found.step else None


def registry_table(
    models: list[RegisteredModel],
    words: Words,
    target: str = TARGETS[0],
    zone: str = "",
    named: Callable[[str], str] = str,
) -> pd.DataFrame:
    """One row per registered model with the figures of its own examination.

    Parameters
    ----------
    models : list of RegisteredModel
        The newest first (:func:`fusion.service.sources.registered_models`).
    words : Words
    target : {"late", "dropout"}
    zone : str
        Whose days are told, as an IANA name; empty: UTC.
    named : callable
        The name of an account's owner.
    """
    rows = []
    for model in models:
        manifest = model.manifest
        arm = RECORDS if manifest.records_only else FUSED
        row = {
            words("model.version"): model.version,
            words("column.status"): words.named("model_status", model.status),
            words("model.trained"): words.day(local_time(model.created_at.isoformat(), zone)),
        }
        for name in COMPARED:
            figure = manifest.assessment.figure(target, arm, name) if manifest.assessment else None
            row[words(f"metric.{name}")] = estimate(figure, words, percent=name == "precision_at_20")
        last = manifest.served[-1] if manifest.served else None
        row[words("model_registry.decided_by")] = named(last.actor) if last else words.number(None)
        row[words("column.reason")] = last.reason if last else words.number(None)
        rows.append(row)
    return pd.DataFrame(rows)


def candidates(models: list[RegisteredModel], served: str | None) -> list[str]:
    """Versions that could be approved: every other one that is registered, in the same order."""
    return [model.version for model in models if model.version != served]
