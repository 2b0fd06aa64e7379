"""What the score would be had the last term gone otherwise: associations of the past, nothing promised."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from data.records.course_results import GradeRules
from fusion.explanation.levers import LEVERS, USUAL, applied, possible
from fusion.features.rows import Rows
from fusion.model.risk_model import RiskModel

STEPS = 4  # settings tried per lever between the present value and its best
MOST_LEVERS = 3  # levers moved together in the search for the smallest change
NOTE = "association in past records, not what an intervention would bring about"


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


def what_if(
    model: RiskModel, row: Rows, target: str, changes: dict[str, float], rules: GradeRules = USUAL
) -> WhatIf:
    """Score one row as it would be with other values of the levers.

    Parameters
    ----------
    model : RiskModel
    row : Rows
        Exactly one.
    target : {"late", "dropout"}
    changes : dict of str to float
        Lever → value.
    rules : GradeRules
        Of the institution.

    Raises
    ------
    ValueError
        For something that is not a lever, a value out of its possible range, values that are not possible
        together, or not one row.
    """
    _check(row, changes, rules)
    changed = score_changes(model, row, target, [{}, changes], rules)
    after = changed.iloc[1]
    return WhatIf(
        dict(changes), after["risk"], after["risk_low"], after["risk_high"], after["band"], changed["risk"][0]
    )


def score_changes(
    model: RiskModel, row: Rows, target: str, many: list[dict[str, float]], rules: GradeRules = USUAL
) -> pd.DataFrame:
    """Score many sets of changes of one row at once: the columns of ``Scores.frame``."""
    spread = row.take(np.zeros(len(many), int))
    changed = changed_tables(spread.table, many, rules)
    return model.frame(Rows(changed, spread.meta, row.signatures, spread.position), target)


def changed_tables(
    table: pd.DataFrame, many: list[dict[str, float]], rules: GradeRules = USUAL
) -> pd.DataFrame:
    """The feature rows after one set of changes each, with all that follows."""
    rows = table.to_dict("records")
    records = [applied(row, changes, rules) for row, changes in zip(rows, many, strict=True)]
    return pd.DataFrame(records, columns=table.columns).astype(table.dtypes.to_dict())


def moved(row: Rows, changes: dict[str, float], rules: GradeRules = USUAL) -> dict[str, tuple[float, float]]:
    """What moves along with the levers: feature → (value now, value then), in the order of the features."""
    now = row.table.iloc[0].to_dict()
    then = applied(dict(now), changes, rules)
    return {
        name: (float(now[name]), float(then[name]))
        for name in now
        if name not in changes
        and isinstance(now[name], float)
        and not np.isclose(now[name], then[name], atol=1e-9, equal_nan=True)
    }


def smallest_change(
    model: RiskModel, row: Rows, target: str, cut_off: float, rules: GradeRules = USUAL
) -> WhatIf | None:
    """The fewest levers, moved the least, that bring the risk below a cut-off.

    Parameters
    ----------
    model, row, target, rules
        As for :func:`what_if`.
    cut_off : float
        Risk to get below, for example a band edge.

    Returns
    -------
    WhatIf or None
        None when no combination of up to :data:`MOST_LEVERS` levers does; without any change when the risk is
        below already.
    """
    _check(row, {}, rules)
    steps, record = _better_values(row.table.iloc[0]), row.table.iloc[0].to_dict()
    for count in range(min(MOST_LEVERS, len(steps)) + 1):
        options, costs = [], []
        for names in combinations(steps, count):
            for picks in product(*(range(len(steps[name])) for name in names)):
                option = {n: steps[n][p] for n, p in zip(names, picks, strict=True)}
                if not _apart(record, option, rules):
                    options.append(option)
                    costs.append(sum((p + 1) / STEPS for p in picks))
        if not options:
            continue
        scored = score_changes(model, row, target, options, rules)
        enough = np.flatnonzero((scored["risk"] < cut_off).to_numpy())
        if len(enough):
            best = min(enough, key=lambda i: (costs[i], scored["risk"][i]))
            return what_if(model, row, target, options[best], rules)
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


def _apart(record: dict, changes: dict[str, float], rules: GradeRules) -> list[str]:
    """Levers whose value is not possible together with the others'."""
    then = applied(dict(record), changes, rules)
    return [name for name, value in changes.items() if abs(then[name] - value) > 1e-6]


def _check(row: Rows, changes: dict[str, float], rules: GradeRules) -> None:
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
    apart = _apart(row.table.iloc[0].to_dict(), changes, rules)
    if apart:
        raise ValueError(f"{', '.join(apart)} must be possible together with the other changes")
