"""What the score would be had the last term gone otherwise. Associations of the past, not promised effects.

A lever moves one thing that a student and an advisor can influence, together with every feature that follows
from it by arithmetic (fewer failed courses also lower the total). The signature, entry facts and everything
older than the last term stay as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from fusion.model import RiskModel
from fusion.rows import Rows

STEPS = 4  # settings tried per lever between the present value and its best
MOST_LEVERS = 3  # levers moved together in the search for the smallest change
NOTE = "association in past records, not the effect of an intervention"


@dataclass(frozen=True)
class Lever:
    """Something changeable.

    Parameters
    ----------
    name : str
        Feature that is set.
    low, high : float
        Possible range.
    better : {-1, 1}
        Direction that is usually wished for.
    follow : callable
        ``follow(row, old, new)`` changes the features that depend on it, in place.
    """

    name: str
    low: float
    high: float
    better: int
    follow: Callable[[dict, float, float], None]


def _attendance(row: dict, old: float, new: float) -> None:
    step, terms = new - old, max(row["as_of_index"], 1.0)
    row["attendance_mean"] += step / terms
    row["attendance_change"] += step


def _arrears(row: dict, old: float, new: float) -> None:
    row["arrears_terms"] += float(new > 0) - float(old > 0)


def _failed(row: dict, old: float, new: float) -> None:
    row["failed_total"] += new - old


def _gpa(row: dict, old: float, new: float) -> None:
    step, terms = new - old, max(row["as_of_index"], 1.0)
    row["gpa_cum"] += step / terms
    row["gpa_change"] += step
    row["gpa_lowest"] = np.nanmin([row["gpa_lowest"], new]) if step < 0 else row["gpa_lowest"]
    if terms > 1:
        row["gpa_trend"] += step * 6.0 / (terms * (terms + 1.0))  # weight of the last point of a slope


def _credits(row: dict, old: float, new: float) -> None:
    step = new - old
    row["credits_cum"] += step
    planned = (row["credits_cum"] - step) / row["credit_pace"] if row["credit_pace"] else np.nan
    row["credit_pace"] += step / planned if planned else 0.0
    row["credits_needed"] = max(row["credits_needed"] - step / max(row["terms_left"], 1.0), 0.0)
    taken = old / row["pass_ratio_last"] if row["pass_ratio_last"] else row["load_mean"]
    if taken:
        row["pass_ratio_last"] = min(new / taken, 1.0)
        row["pass_ratio"] = min(row["pass_ratio"] + step / (taken * max(row["as_of_index"], 1.0)), 1.0)


LEVERS = {
    lever.name: lever
    for lever in (
        Lever("attendance_last", 0.0, 1.0, 1, _attendance),
        Lever("arrears_last", 0.0, 2000.0, -1, _arrears),
        Lever("failed_last", 0.0, 20.0, -1, _failed),
        Lever("gpa_last", 0.0, 4.0, 1, _gpa),
        Lever("credits_last", 0.0, 24.0, 1, _credits),
    )
}


@dataclass(frozen=True)
class WhatIf:
    """A changed score.

    Parameters
    ----------
    changes : dict of str to float
        Lever → value.
    risk, low, high : float
        Of the changed row.
    band : str
    before : float
        Risk as it is.
    note : str
        What the numbers are not.
    """

    changes: dict[str, float]
    risk: float
    low: float
    high: float
    band: str
    before: float
    note: str = NOTE


def possible(row: pd.Series) -> dict[str, tuple[float, float, float]]:
    """Levers of one feature row whose present value is known: name → (present, low, high)."""
    found = {}
    for name, lever in LEVERS.items():
        value = row.get(name, np.nan)
        if value is None or np.isnan(value):
            continue
        high = lever.high
        if name == "credits_last":
            ratio = row.get("pass_ratio_last", np.nan)
            high = value / ratio if ratio and ratio > 0 else row.get("load_mean", value)
            high = float(np.nanmax([high, value]))
        found[name] = (float(value), lever.low, high)
    return found


def what_if(model: RiskModel, row: Rows, target: str, changes: dict[str, float]) -> WhatIf:
    """Score one row as it would be with other values of the levers.

    Parameters
    ----------
    model : RiskModel
    row : Rows
        Exactly one.
    target : {"late", "dropout"}
    changes : dict of str to float
        Lever → value.

    Raises
    ------
    ValueError
        For something that is not a lever, a value out of its possible range, or not one row.
    """
    _check(row, changes)
    changed = score_changes(model, row, target, [{}, changes])
    after = changed.iloc[1]
    return WhatIf(
        dict(changes), after["risk"], after["risk_low"], after["risk_high"], after["band"], changed["risk"][0]
    )


def score_changes(model: RiskModel, row: Rows, target: str, many: list[dict[str, float]]) -> pd.DataFrame:
    """Score many sets of changes of one row at once: the columns of ``Scores.frame``."""
    table = row.table.iloc[np.zeros(len(many), int)].reset_index(drop=True)
    records = table.to_dict("records")
    for record, changes in zip(records, many, strict=True):
        for name, value in changes.items():
            old, record[name] = record[name], float(value)
            LEVERS[name].follow(record, old, float(value))
    changed = pd.DataFrame(records, columns=table.columns).astype(table.dtypes.to_dict())
    spread = row.take(np.zeros(len(many), int))
    return model.score(Rows(changed, spread.meta, row.signatures, spread.position), target).frame


def smallest_change(model: RiskModel, row: Rows, target: str, cut_off: float) -> WhatIf | None:
    """The fewest levers, moved the least, that bring the risk below a cut-off.

    Parameters
    ----------
    model, row, target
        As for :func:`what_if`.
    cut_off : float
        Risk to get below, for example a band edge.

    Returns
    -------
    WhatIf or None
        None when no combination of up to :data:`MOST_LEVERS` levers does; without any change when the risk is
        below already.
    """
    _check(row, {})
    steps = _better_values(row.table.iloc[0])
    for count in range(min(MOST_LEVERS, len(steps)) + 1):
        options, costs = [], []
        for names in combinations(steps, count):
            for picks in product(*(range(len(steps[name])) for name in names)):
                options.append({n: steps[n][p] for n, p in zip(names, picks, strict=True)})
                costs.append(sum((p + 1) / STEPS for p in picks))
        scored = score_changes(model, row, target, options)
        enough = np.flatnonzero((scored["risk"] < cut_off).to_numpy())
        if len(enough):
            best = min(enough, key=lambda i: (costs[i], scored["risk"][i]))
            return what_if(model, row, target, options[best])
    return None


def _better_values(row: pd.Series) -> dict[str, list[float]]:
    """Per lever the values from a little better than now to the best possible one."""
    steps = {}
    for name, (now, low, high) in possible(row).items():
        best = high if LEVERS[name].better > 0 else low
        values = [now + (best - now) * step / STEPS for step in range(1, STEPS + 1)]
        if name == "failed_last":
            values = sorted({float(np.floor(v)) for v in values}, reverse=True)
        values = [v for v in values if v != now]
        if values:
            steps[name] = values
    return steps


def _check(row: Rows, changes: dict[str, float]) -> None:
    if len(row) != 1:
        raise ValueError(f"row must be exactly one, got {len(row)}")
    ranges = possible(row.table.iloc[0])
    for name, value in changes.items():
        if name not in LEVERS:
            raise ValueError(f"changes must be of {tuple(LEVERS)}, got {name!r}")
        if name not in ranges:
            raise ValueError(f"{name} must be known to be changed; it is missing for this student")
        low, high = ranges[name][1:]
        if not low <= value <= high:
            raise ValueError(f"{name} must lie in {low:g}…{high:g}, got {value:g}")
