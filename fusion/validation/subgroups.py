"""Is a risk wrong for some group? Single attributes and pairs of them, with the number of looks accounted
for.

Looked at where something can still be done: the as-of terms up to the end of the second year. Groups that
are too
small to be shown are not tested, and a group that would give a small one away by difference is none either.
Holm's procedure keeps the chance of one false finding among all looks at 5 % (S. Holm, "A simple sequentially
rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979) 65–70).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from fusion.validation.fairness import attributes, hidden_cells

EARLY = (1, 2, 3, 4)  # completed terms
SURE = 0.05


def search(
    risks: pd.DataFrame, students: pd.DataFrame, *, column: str = "fused", pairs: bool = True
) -> pd.DataFrame:
    """Groups whose mean risk misses what came true.

    Parameters
    ----------
    risks : DataFrame
        ``student_key, as_of_index, outcome`` and the risk ``column``, of students held out.
    students : DataFrame
        Register rows with the attributes.
    column : str
        Arm.
    pairs : bool
        Whether intersections of two attributes are looked at too.

    Returns
    -------
    DataFrame
        ``attribute`` ("sex", or "sex × funding_at_entry"), ``group``, ``students, mean_risk, observed,
        p, adjusted, found``; the smallest p first. Only groups that may be shown.
    """
    early = risks[risks["as_of_index"].isin(EARLY)]
    table = attributes(students).reindex(early["student_key"]).astype(str)
    looks = [(name,) for name in table.columns]
    looks += list(combinations(table.columns, 2)) if pairs else []
    rows = []
    for names in looks:
        label = table[list(names)].agg(" × ".join, axis=1).to_numpy(object)
        for group, found in _groups(early, label, column):
            rows.append((" × ".join(names), group, *found))
    columns = ["attribute", "group", "students", "mean_risk", "observed", "p"]
    frame = pd.DataFrame(rows, columns=columns).sort_values("p", ignore_index=True)
    frame["adjusted"] = holm(frame["p"].to_numpy(float))
    return frame.assign(found=frame["adjusted"] <= SURE)


def _groups(early: pd.DataFrame, label: np.ndarray, column: str):
    """Each group that may be shown, with its figures; errors are clustered by student."""
    from scipy.stats import norm

    each = early.assign(label=label).drop_duplicates("student_key")
    hidden = hidden_cells(each["label"].to_numpy(object), each["outcome"].to_numpy(float))
    for group in sorted(set(label) - set(hidden)):
        mine = early[label == group]
        left = (mine["outcome"] - mine[column]).groupby(mine["student_key"]).sum()
        error = float(np.sqrt((left**2).sum()))
        p = float(2 * norm.sf(abs(left.sum()) / error)) if error > 0 else 1.0
        yield group, (len(left), float(mine[column].mean()), float(mine["outcome"].mean()), p)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p of every test, in the order given."""
    order = np.argsort(p, kind="stable")
    factor = len(p) - np.arange(len(p))
    steps = np.minimum(np.maximum.accumulate(p[order] * factor), 1.0) if len(p) else p
    adjusted = np.empty(len(p))
    adjusted[order] = steps
    return adjusted
