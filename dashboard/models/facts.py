"""The manifest of a model as the few tables and sentences that the model page shows. Pure functions."""

from __future__ import annotations

import pandas as pd

from dashboard.shell.wording import Words
from data.columns import TARGETS

HEADLINE = (
    "roc_auc",
    "roc_auc_within_programme",
    "pr_auc",
    "base_rate",
    "brier",
    "ece",
    "slope",
    "intercept",
)
SHARES = ("base_rate", "precision_at_10", "recall_at_10", "precision_at_20", "recall_at_20")
AT_K = ("precision_at_10", "recall_at_10", "lift_at_10", "precision_at_20", "recall_at_20", "lift_at_20")
ARMS = {
    "fused": "fused",
    "records": "records",
    "logistic regression": "logistic",
    "on-track rule": "rule",
    "programme base rate": "base",
}
VERDICTS = {"adds": "adds", "adds nothing measurable": "nothing", "cannot tell (too few)": "few"}


def assessment(manifest: dict) -> dict:
    """How the method did on students it had not seen; empty when that was never examined."""
    return manifest.get("assessment") or {}


def estimate(triple: list | None, words: Words, digits: int = 3, percent: bool = False) -> str:
    """A value with its 95 % interval, as "0.81 (0.78 – 0.84)"."""
    if not triple or triple[0] is None:
        return words.number(None)
    write = (lambda v: words.percent(v, 0)) if percent else (lambda v: words.number(v, digits))
    value, low, high = triple
    return write(value) if low is None else f"{write(value)} ({write(low)} – {write(high)})"


def figures_table(manifest: dict, target: str, names: tuple[str, ...], words: Words) -> pd.DataFrame:
    """One row per measure, one column per arm, each with its interval."""
    arms = assessment(manifest).get("evaluations", {}).get(target, {})
    columns = {words("column.metric"): [words.named("metric", name) for name in names]}
    for arm, short in ARMS.items():
        if arm in arms:
            figures = arms[arm]["figures"]
            columns[words(f"arm.{short}")] = [
                estimate(figures.get(name), words, 3, name in SHARES) for name in names
            ]
    return pd.DataFrame(columns)


def verdict(manifest: dict, target: str) -> str:
    """Key of the sentence that says whether the signature added anything: adds, nothing, few or unknown."""
    said = assessment(manifest).get("ablations", {}).get(target, {}).get("verdict")
    return VERDICTS.get(said, "unknown")


def differences(manifest: dict, target: str) -> pd.DataFrame:
    """``metric, value, low, high``: fused less records on the same students; empty when never compared."""
    triples = assessment(manifest).get("ablations", {}).get(target, {}).get("differences", {})
    rows = [(name, *triple) for name, triple in triples.items() if triple and triple[0] is not None]
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def calibration(manifest: dict, target: str) -> pd.DataFrame:
    """``risk, observed, low, high, rows``: the reliability table of one target."""
    rows = [row for row in assessment(manifest).get("calibration", []) if row.get("target") == target]
    return pd.DataFrame(rows, columns=["target", "risk", "observed", "low", "high", "rows"])


def by_term(manifest: dict, target: str, figure: str = "roc_auc") -> pd.DataFrame:
    """``as_of_index, value, low, high, students``: one measure by terms completed."""
    rows = [
        row
        for row in assessment(manifest).get("by_as_of", [])
        if row.get("target") == target and row.get("figure") == figure
    ]
    columns = ["as_of_index", "value", "low", "high", "students"]
    return pd.DataFrame(rows, columns=["target", "figure", *columns])[columns]


RATES = ("fnr", "fpr", "selection", "precision", "calibration_gap")


def fairness_table(manifest: dict, target: str, words: Words) -> pd.DataFrame:
    """One row per group and one column per rate, with intervals; small groups keep only their name."""
    groups = assessment(manifest).get("fairness", {}).get(target, {}).get("table", [])
    hidden = words("model.suppressed")
    rows = []
    for row in groups:
        shown = {words("column.attribute"): words.named("attribute", row["attribute"])}
        shown[words("column.group")] = words.named("group", row["group"])
        shown[words("column.students")] = hidden if row["suppressed"] else words.number(row["students"])
        for rate in RATES:
            triple = [row.get(f"{rate}{end}") for end in ("", "_low", "_high")]
            shown[words(f"metric.{rate}")] = (
                hidden if row["suppressed"] else estimate(triple, words, percent=True)
            )
        rows.append(shown)
    return pd.DataFrame(rows)


def by_cohort(manifest: dict, target: str, words: Words) -> pd.DataFrame:
    """Mean risk against what came true, cohort by cohort, and whether the interval holds the risk."""
    cohorts = assessment(manifest).get("cohorts", [])
    return pd.DataFrame(
        [
            {
                words("column.cohort"): words.term(row["cohort_term"]),
                words("column.students"): words.number(row["students"]),
                words("axis.predicted"): words.percent(row["mean_risk"], 1),
                words("axis.observed"): estimate(
                    [row["observed"], row["low"], row["high"]], words, percent=True
                ),
                words("column.trusted"): words("unit.yes" if row["trusted"] else "unit.no"),
            }
            for row in cohorts
            if row.get("target") == target
        ]
    )


def precision_recall(manifest: dict, target: str) -> pd.DataFrame:
    """``arm, share, precision, recall``: lists of every length; empty for models that were not so judged."""
    rows = [row for row in assessment(manifest).get("precision_recall", []) if row.get("target") == target]
    return pd.DataFrame(rows, columns=["target", "arm", "share", "precision", "recall"]).drop(
        columns="target"
    )


def one_line(model, words: Words, target: str = TARGETS[0]) -> str:
    """Which model made the scores and how good it is, for the foot of a page."""
    if model is None:
        return words("app.unscored")
    arms = assessment(model.manifest).get("evaluations", {}).get(target, {})
    figure = arms.get("fused", {}).get("figures", {}).get("roc_auc")
    return words(
        "overview.model_line",
        version=model.version,
        metric=words("metric.roc_auc"),
        value=estimate(figure, words, 2),
        verdict=words(f"model.verdict_{verdict(model.manifest, target)}"),
    )
