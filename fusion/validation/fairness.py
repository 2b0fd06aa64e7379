"""Errors and chances by group: who is missed, who is alarmed for nothing, and whether a risk means the same.

Groups are audited here and are not predictors. A group with few students, or few with or without the outcome,
is suppressed by the rule of :mod:`data.trust.small_cells`: a rate of four students says nothing about a group
and something about the four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.trust.small_cells import hidden_groups
from fusion.metrics import Estimate, bootstrap_weights
from fusion.model.examined import Audit, Gap, GroupRates
from fusion.validation.kept import rows_of

ATTRIBUTES = ("sex", "age_band", "funding_at_entry", "entry_type", "program_code")
AGE_EDGES, AGE_NAMES = (0, 19, 21, 25, 200), ("up to 18", "19–20", "21–24", "25 and older")
FIRST_YEAR = 2  # completed terms
FIGURES = ("fnr", "fpr", "selection", "precision", "mean_risk", "observed", "calibration_gap")


@dataclass(frozen=True)
class Fairness:
    """Audit of one risk at one as-of term.

    Parameters
    ----------
    target : str
    as_of_index : int
    share : float
        Capacity, 0…1: the share of each programme's students that is listed.
    table : DataFrame
        ``attribute, group, students, events`` and, per figure of :data:`FIGURES`, its value with ``_low`` and
        ``_high``; all null where ``suppressed``.
    gaps : DataFrame
        ``attribute, figure, gap, low, high, between``: the largest difference between groups shown.
    """

    target: str
    as_of_index: int
    share: float
    table: pd.DataFrame
    gaps: pd.DataFrame

    def audit(self) -> Audit:
        """As a manifest keeps it; suppressed cells stay empty."""
        groups = []
        for row in self.table.round(4).astype(object).to_dict("records"):
            about = (row["attribute"], row["group"], bool(row["suppressed"]))
            if row["suppressed"]:
                groups.append(GroupRates(*about))
                continue
            ends = {name: [float(row[f"{name}{end}"]) for end in ("", "_low", "_high")] for name in FIGURES}
            rates = {name: Estimate(*three) for name, three in ends.items()}
            groups.append(GroupRates(*about, int(row["students"]), int(row["events"]), rates))
        return Audit(self.target, self.as_of_index, self.share, tuple(groups), rows_of(Gap, self.gaps))


def attributes(students: pd.DataFrame) -> pd.DataFrame:
    """The audited attributes per student, as text; "not recorded" where missing.

    Parameters
    ----------
    students : DataFrame
        ``student_key, cohort_term`` and whatever attributes the register has.
    """
    table = pd.DataFrame(index=pd.Index(students["student_key"], name="student_key"))
    for name in ATTRIBUTES:
        if name == "age_band":
            born = pd.to_numeric(students.get("birth_year"), errors="coerce")
            if born is None or np.isscalar(born):
                continue
            age = students["cohort_term"] // 10 - born
            values = pd.cut(age, AGE_EDGES, labels=AGE_NAMES, right=False).astype(object)
        elif name in students:
            values = students[name].astype(object)
        else:
            continue
        table[name] = pd.Series(values).where(pd.Series(values).notna(), "not recorded").to_numpy()
    return table


def audit(
    risks: pd.DataFrame,
    students: pd.DataFrame,
    target: str,
    rng: np.random.Generator,
    *,
    as_of_index: int | None = None,
    share: float = 0.2,
    draws: int = 300,
    column: str = "fused",
) -> Fairness:
    """Figures by group on students whose outcome is known.

    Parameters
    ----------
    risks : DataFrame
        ``student_key, as_of_index, program_code, outcome`` and the risk ``column``, of held-out students.
    students : DataFrame
        Register rows with the attributes.
    target : {"late", "dropout"}
    rng : Generator
    as_of_index : int, optional
        Default: of those that at least half of the students reached the nearest to the end of the first year,
        when something can still be done.
    share : float
        Capacity.
    draws : int
        Bootstrap draws (students).
    column : str
        Arm.
    """
    if as_of_index is None:
        as_of_index = _usual_index(risks)
    now = risks[risks["as_of_index"] == as_of_index].drop_duplicates("student_key").reset_index(drop=True)
    rank = now.groupby("program_code")[column].rank(ascending=False, method="first")
    listed = (rank <= np.ceil(share * now.groupby("program_code")[column].transform("size"))).to_numpy(float)
    groups = attributes(students).reindex(now["student_key"])
    weight = bootstrap_weights(np.arange(len(now)), draws, rng)
    outcome, risk = now["outcome"].to_numpy(float), now[column].to_numpy(float)
    rows, gaps = [], []
    for attribute in groups.columns:
        labels = groups[attribute].to_numpy(object)
        shown: dict[str, dict[str, np.ndarray]] = {}
        hidden = hidden_cells(labels, outcome)
        for group in sorted(set(labels), key=str):
            mine = labels == group
            row = {"attribute": attribute, "group": str(group), "suppressed": group in hidden}
            if group not in hidden:
                row |= {"students": int(mine.sum()), "events": int(outcome[mine].sum())}
                shown[str(group)] = group_figures(outcome, listed, risk, mine, weight)
                row |= _with_intervals(shown[str(group)])
            rows.append(row)
        gaps += _largest_gaps(attribute, shown)
    columns = ["attribute", "group", "students", "events", "suppressed"]
    columns += [f"{figure}{end}" for figure in FIGURES for end in ("", "_low", "_high")]
    gap_columns = ["attribute", "figure", "gap", "low", "high", "between"]
    return Fairness(
        target,
        int(as_of_index),
        share,
        pd.DataFrame(rows, columns=columns).astype({"students": "Int64", "events": "Int64"}),
        pd.DataFrame(gaps, columns=gap_columns),
    )


def group_figures(outcome, listed, risk, mine, weight) -> dict[str, np.ndarray]:
    """The figures of one group for every weighting; the rates agree with fairlearn's ``MetricFrame``."""
    w = weight[:, mine]
    y, chosen, p = outcome[mine], listed[mine], risk[mine]
    observed, mean_risk = _share(w @ y, w.sum(axis=1)), _share(w @ p, w.sum(axis=1))
    return {
        "fnr": _share(w @ (y * (1 - chosen)), w @ y),
        "fpr": _share(w @ ((1 - y) * chosen), w @ (1 - y)),
        "selection": _share(w @ chosen, w.sum(axis=1)),
        "precision": _share(w @ (y * chosen), w @ chosen),
        "mean_risk": mean_risk,
        "observed": observed,
        "calibration_gap": mean_risk - observed,
    }


def point_rates(outcome, listed, groups) -> pd.DataFrame:
    """FNR, FPR, selection rate and precision by group with fairlearn, without intervals."""
    from fairlearn.metrics import (
        MetricFrame,
        false_negative_rate,
        false_positive_rate,
        selection_rate,
    )
    from sklearn.metrics import precision_score

    def precision(y_true, y_pred) -> float:
        return precision_score(y_true, y_pred, zero_division=np.nan)

    figures = {
        "fnr": false_negative_rate,
        "fpr": false_positive_rate,
        "selection": selection_rate,
        "precision": precision,
    }
    frame = MetricFrame(metrics=figures, y_true=outcome, y_pred=listed, sensitive_features=groups)
    return frame.by_group


def _usual_index(risks: pd.DataFrame) -> int:
    sizes = risks.groupby("as_of_index")["student_key"].nunique()
    if sizes.empty:
        return 0
    most: list[int] = sizes.index[sizes >= sizes.max() / 2].tolist()
    return min(most, key=lambda index: (abs(index - FIRST_YEAR), index))


def hidden_cells(labels: np.ndarray, outcome: np.ndarray) -> frozenset:
    """Groups that are not shown: those with few students who had the outcome or few who had not, and others
    where these would follow from the totals."""
    sizes = {}
    for group in set(labels):
        mine = outcome[labels == group]
        sizes[group] = {"with": int(mine.sum()), "without": len(mine) - int(mine.sum())}
    return hidden_groups(sizes)


def _with_intervals(figures: dict[str, np.ndarray]) -> dict[str, float]:
    out = {}
    for name, values in figures.items():
        draws = values[1:][np.isfinite(values[1:])]
        low, high = np.percentile(draws, [2.5, 97.5]) if len(draws) else (np.nan, np.nan)
        out |= {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return out


def _largest_gaps(attribute: str, shown: dict[str, dict[str, np.ndarray]]) -> list[dict]:
    """Between the two groups that differ most, with the bootstrap interval of that pair."""
    rows = []
    if len(shown) < 2:
        return rows
    for figure in ("fnr", "fpr", "selection", "calibration_gap"):
        values = {g: f[figure][0] for g, f in shown.items() if np.isfinite(f[figure][0])}
        if len(values) < 2:
            continue
        top, bottom = max(values, key=lambda g: values[g]), min(values, key=lambda g: values[g])
        difference = shown[top][figure] - shown[bottom][figure]
        low, high = np.nanpercentile(difference[1:], [2.5, 97.5])
        rows.append(
            {
                "attribute": attribute,
                "figure": figure,
                "gap": float(difference[0]),
                "low": float(low),
                "high": float(high),
                "between": f"{top} and {bottom}",
            }
        )
    return rows


def _share(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    return np.divide(over, under, out=np.full(len(under), np.nan), where=under > 0)
