"""The manifest of a model as the few tables and sentences that the model page shows. Pure functions."""

from __future__ import annotations

from dataclasses import fields
from math import isfinite

import pandas as pd

from dashboard.shell.wording import Words
from data.columns import TARGETS
from fusion.metrics import Estimate
from fusion.model.examined import ARMS, FUSED, VERDICTS, Ablation, ListPoint, Reliability, TermFigure
from fusion.model.manifest import Manifest
from fusion.service.sources import RegisteredModel

HEADLINE = (
    "roc_auc",
    "roc_auc_within_programme",
    "pr_auc",
    "base_rate",
    "brier",
    "ece",
    "ece_folds",
    "slope",
    "intercept",
)
SHARES = ("base_rate", "precision_at_10", "recall_at_10", "precision_at_20", "recall_at_20")
AT_K = ("precision_at_10", "recall_at_10", "lift_at_10", "precision_at_20", "recall_at_20", "lift_at_20")


def estimate(found: Estimate | None, words: Words, digits: int = 3, percent: bool = False) -> str:
    """A value with its 95 % interval, as "0.81 (0.78 – 0.84)"."""
    if found is None or not isfinite(found.value):
        return words.number(None)
    write = (lambda v: words.percent(v, 0)) if percent else (lambda v: words.number(v, digits))
    if not isfinite(found.low):
        return write(found.value)
    return f"{write(found.value)} ({write(found.low)} – {write(found.high)})"


def figures_table(manifest: Manifest, target: str, names: tuple[str, ...], words: Words) -> pd.DataFrame:
    """One row per measure, one column per arm, each with its interval."""
    arms = manifest.arms(target)
    columns = {words("column.metric"): [words.named("metric", name) for name in names]}
    for arm in ARMS:
        if arm in arms:
            found = arms[arm].figures
            columns[words(f"arm.{arm}")] = [
                estimate(found.get(name), words, 3, name in SHARES) for name in names
            ]
    return pd.DataFrame(columns)


def ablation(manifest: Manifest, target: str) -> Ablation | None:
    """What signatures added on later cohorts; None when that was never compared."""
    return None if manifest.assessment is None else manifest.assessment.ablations.get(target)


def verdict(manifest: Manifest, target: str) -> str:
    """Key of the sentence that says whether the signature added anything: adds, nothing, few or unknown."""
    found = ablation(manifest, target)
    return found.verdict if found is not None and found.verdict in VERDICTS else "unknown"


def given_away(manifest: Manifest, target: str, words: Words) -> str:
    """What embeddings give away of the students compared, in words; empty where they give away nothing."""
    found = ablation(manifest, target)
    names = () if found is None else found.gives_away
    return ", ".join(words.named("attribute", name).lower() for name in names)


def differences(manifest: Manifest, target: str) -> pd.DataFrame:
    """``metric, value, low, high``: fused less records on the same students; empty when never compared."""
    found = ablation(manifest, target)
    rows = [] if found is None else [(name, e.value, e.low, e.high) for name, e in found.differences.items()]
    frame = pd.DataFrame(rows, columns=["metric", "value", "low", "high"])
    return frame[frame["value"].notna()].reset_index(drop=True)


def calibration(manifest: Manifest, target: str) -> pd.DataFrame:
    """``risk, observed, low, high, rows``: the reliability table of one target."""
    rows = manifest.assessment.calibration if manifest.assessment else ()
    return _frame(Reliability, [row for row in rows if row.target == target])


def by_term(manifest: Manifest, target: str, figure: str = "roc_auc") -> pd.DataFrame:
    """``as_of_index, value, low, high, students``: one measure by terms completed."""
    rows = manifest.assessment.by_as_of if manifest.assessment else ()
    frame = _frame(TermFigure, [row for row in rows if row.target == target and row.figure == figure])
    return frame[["as_of_index", "value", "low", "high", "students"]]


def _frame(kind: type, rows: list) -> pd.DataFrame:
    return pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(kind)])


RATES = ("fnr", "fpr", "selection", "precision", "calibration_gap")


def group_words(attribute: str, group: str, words: Words) -> str:
    """A group in the reader's language: a code by its meaning, a band of age, or that none is recorded."""
    family = attribute if words.has(f"{attribute}.{group}") else "group"
    return words.named(family, group)


def fairness_table(manifest: Manifest, target: str, words: Words) -> pd.DataFrame:
    """One row per group and one column per rate, with intervals; small groups keep only their name."""
    audit = manifest.assessment.fairness.get(target) if manifest.assessment else None
    found = audit.table if audit else ()
    hidden = words("model.suppressed")
    rows = []
    for row in found:
        shown = {words("column.attribute"): words.named("attribute", row.attribute)}
        shown[words("column.group")] = group_words(row.attribute, row.group, words)
        shown[words("column.students")] = hidden if row.suppressed else words.number(row.students)
        for rate in RATES:
            told = hidden if row.suppressed else estimate(row.rates.get(rate), words, percent=True)
            shown[words(f"metric.{rate}")] = told
        rows.append(shown)
    return pd.DataFrame(rows)


def by_cohort(manifest: Manifest, target: str, words: Words) -> pd.DataFrame:
    """Mean risk against what came true, cohort by cohort, and whether the interval holds the risk."""
    found = manifest.assessment.cohorts if manifest.assessment else ()
    return pd.DataFrame(
        [
            {
                words("column.cohort"): words.term(row.cohort_term),
                words("column.students"): words.number(row.students),
                words("axis.predicted"): words.percent(row.mean_risk, 1),
                words("axis.observed"): estimate(row.share, words, percent=True),
                words("column.trusted"): words("unit.yes" if row.trusted else "unit.no"),
            }
            for row in found
            if row.target == target
        ]
    )


def precision_recall(manifest: Manifest, target: str) -> pd.DataFrame:
    """``arm, share, precision, recall``: lists of every length; empty for models that were not so judged."""
    rows = manifest.assessment.precision_recall if manifest.assessment else ()
    return _frame(ListPoint, [row for row in rows if row.target == target]).drop(columns="target")


def one_line(model: RegisteredModel | None, words: Words, target: str = TARGETS[0]) -> str:
    """Which model made the scores and how good it is, for the foot of a page."""
    if model is None:
        return words("app.unscored")
    found = model.manifest.assessment
    return words(
        "overview.model_line",
        version=model.version,
        metric=words("metric.roc_auc"),
        value=estimate(found.figure(target, FUSED, "roc_auc") if found else None, words, 2),
        verdict=words(
            f"model.verdict_{verdict(model.manifest, target)}", what=given_away(model.manifest, target, words)
        ),
    )
