"""Drift, probes and the registry as the model page tells them. Pure functions of manifests."""

from __future__ import annotations

import pandas as pd

from dashboard.models.facts import assessment, estimate
from dashboard.shell.wording import Words
from data.columns import TARGETS

COMPARED = ("roc_auc", "brier", "ece", "precision_at_20")
LEAST_SIGNS = 8  # rows shown when fewer alarm


def trust(manifest: dict) -> str:
    """Key of the sentence about young cohorts: unwatched, few, trusted or untrusted."""
    monitor = manifest.get("monitor")
    if not monitor:
        return "unwatched"
    if not monitor["trusted"]:
        return "untrusted"
    return "trusted" if monitor.get("enough", True) else "few"


def signs_table(manifest: dict, words: Words) -> pd.DataFrame:
    """One row per sign of drift, alarms first; all alarms and a few of the quiet ones."""
    signs = (manifest.get("monitor") or {}).get("signs", [])
    alarms = sum(sign["alarm"] for sign in signs)
    return pd.DataFrame(
        [
            {
                words("model_watch.sign"): words.named("drift_kind", sign["kind"]),
                words("model_watch.of"): sign_name(sign, words),
                words("column.value"): words.number(sign["value"], 3),
                words("model_watch.limit"): words.number(sign["limit"], 3),
                words("model_watch.alarm"): words("unit.yes" if sign["alarm"] else "unit.no"),
            }
            for sign in signs[: max(alarms, LEAST_SIGNS)]
        ]
    )


def sign_name(sign: dict, words: Words) -> str:
    """What a sign looks at, in words."""
    if sign["kind"] in ("feature", "missingness"):
        return words.named("feature", sign["name"])
    if sign["kind"] == "early drop-out":
        seen, expected = (int(part.split()[0]) for part in sign["name"].split(", "))
        return words("model_watch.exits", seen=seen, expected=expected)
    return words.named("drift_name", sign["name"])


def probe_table(manifest: dict, words: Words) -> pd.DataFrame:
    """One row per attribute that the embedding was probed for."""
    return pd.DataFrame(
        [
            {
                words("column.attribute"): words.named("attribute", probe["attribute"]),
                words("column.students"): words.number(probe["students"]),
                words("model_watch.accuracy"): estimate(probe["accuracy"], words, percent=True),
                words("model_watch.chance"): words.percent(probe["chance"], 0),
                words("model_watch.gives_away"): words("unit.yes" if probe["predicts"] else "unit.no"),
            }
            for probe in (manifest.get("monitor") or {}).get("probes", [])
        ]
    )


def recalibrated(manifest: dict, target: str) -> dict | None:
    """``students, expected, observed, step`` of the last move of a target's level; None when never moved."""
    recalibrated = (manifest.get("recalibrated") or {}).get("targets", {}).get(target)
    return recalibrated if recalibrated and recalibrated["step"] else None


def registry_table(models: pd.DataFrame, words: Words, target: str = TARGETS[0]) -> pd.DataFrame:
    """One row per registered model, newest first, with the figures of its own examination.

    Parameters
    ----------
    models : DataFrame
        ``model_version, created_at, status, manifest`` (``data.queries.models``).
    words : Words
    target : {"late", "dropout"}
    """
    rows = []
    for model in models.sort_values("created_at", ascending=False).itertuples():
        arm = "records" if model.manifest.get("records_only") else "fused"
        arms = assessment(model.manifest).get("evaluations", {}).get(target, {})
        figures = arms.get(arm, {}).get("figures", {})
        last = (model.manifest.get("served") or [{}])[-1]
        row = {
            words("model.version"): model.model_version,
            words("column.status"): words.named("model_status", model.status),
            words("model.trained"): words.day(model.created_at),
        }
        for name in COMPARED:
            row[words(f"metric.{name}")] = estimate(
                figures.get(name), words, percent=name == "precision_at_20"
            )
        row[words("model_registry.decided_by")] = last.get("actor", words.number(None))
        row[words("column.reason")] = last.get("reason", words.number(None))
        rows.append(row)
    return pd.DataFrame(rows)


def candidates(models: pd.DataFrame, served: str) -> list[str]:
    """Versions that could be approved: every other one that is registered, newest first."""
    ordered = models.sort_values("created_at", ascending=False)["model_version"]
    return [version for version in ordered if version != served]
