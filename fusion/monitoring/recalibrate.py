"""Keep a served model's level true: when cohorts mature after training, their outcomes move its intercept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from fusion.features.assemble import training_set
from fusion.features.rows import Rows
from fusion.model.calibrate import step_to_share
from fusion.model.risk_model import RiskModel, TargetModel
from fusion.model.watched import Moved

LEAST_STUDENTS = 50
CLEAR = 1.96  # standard errors by which risk and outcome must differ before anything is moved


def recalibrate(
    model: RiskModel, rows: Rows, labels: pd.Series, *, use_signature: bool = True
) -> tuple[RiskModel, dict[str, Moved]]:
    """Move the calibration of each target to what newly matured cohorts came to.

    Every row counts, each at its fixed as-of term beside all who stood there: nobody's end chooses the row.

    Parameters
    ----------
    model : RiskModel
    rows : Rows
        Of students whose cohort matured after the model was trained.
    labels : Series
        Their labels by ``student_key``.
    use_signature : bool
        As the model is served.

    Returns
    -------
    RiskModel
        The same model, or one whose calibration differs by one step per target.
    dict of str to Moved
        By target; targets with fewer than 50 students are left out. A
        step of 0: expected and observed do not clearly differ (errors clustered by student).
    """
    targets, notes = dict(model.targets), {}
    for target, part in model.targets.items():
        known = training_set(rows, labels, target)
        students = pd.factorize(known.rows.students)[0]
        if not len(students) or students.max() + 1 < LEAST_STUDENTS:
            continue
        risk = model.risk(known.rows, target, use_signature=use_signature)
        left = np.bincount(students, weights=known.outcome - risk)
        observed = float(known.outcome.mean())
        clear = abs(left.sum()) > CLEAR * np.sqrt((left**2).sum())
        step = step_to_share(risk, observed) if clear else 0.0
        notes[target] = Moved(
            students=int(students.max() + 1),
            expected=round(float(risk.mean()), 4),
            observed=round(observed, 4),
            step=round(step, 4),
        )
        if step:
            targets[target] = _moved(part, step)
    return replace(model, targets=targets), notes


def at_level(model: RiskModel, level: Mapping[str, float]) -> RiskModel:
    """The model with ``level`` (target → log-odds) added to what it says."""
    moved = {
        target: _moved(part, level[target]) for target, part in model.targets.items() if level.get(target)
    }
    return replace(model, targets=model.targets | moved) if moved else model


def _moved(part: TargetModel, step: float) -> TargetModel:
    stage = part.signature
    if stage is not None:
        stage = replace(stage, calibrator=stage.calibrator.moved(step))
    return replace(part, calibrator=part.calibrator.moved(step), signature=stage)
