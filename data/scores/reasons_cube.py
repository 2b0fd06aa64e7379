"""How often each reason raises the risk of those at risk, counted by programme; nobody singly.

Not by cohort: two ways to divide the same students would tell, by subtraction, of groups that are too small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sqlalchemy import select

from data import schema
from data.engine.bulk import fetch
from data.engine.database import Store
from data.scores.standing import still_open
from data.trust.scope import Scope
from data.trust.scoping import aggregable

AT_RISK = ("high", "very_high")
GROUP = "program_code"
ALL = ""  # in the column ``reason``: everybody who was counted


def reasons_of_risk(
    store: Store, scope: Scope, target: str, tell: Callable[[np.ndarray, np.ndarray], pd.DataFrame]
) -> pd.DataFrame:
    """Students in the bands high and very high, by programme and what raises their risk.

    Parameters
    ----------
    target : {"late", "dropout"}
        Which risk.
    tell : callable
        From SHAP values and inputs, float32 arrays of shape (students, features), to a frame of bool: one row
        per student, one column per reason. It never learns who the students are.

    Returns
    -------
    DataFrame
        ``program_code, reason, students``; the reason :data:`ALL` counts every student.
    """
    table, why = schema.risk_current, schema.explanations
    columns = (table.c.program_code, why.c.phi, why.c.inputs)
    with store.reading() as connection:
        wanted = (table.c.target == target, table.c.band.in_(AT_RISK), *aggregable(scope, table))
        statement = (
            select(*columns)
            .join(why, why.c.score_id == table.c.score_id)
            .where(*wanted, *still_open(connection, table, target))
        )
        found = fetch(connection, statement)
    if found.empty:
        return pd.DataFrame(columns=[GROUP, "reason", "students"])
    phi, inputs = (
        np.stack([np.frombuffer(value, dtype="<f4") for value in found[name]]) for name in ("phi", "inputs")
    )
    told = tell(phi, inputs).assign(**{ALL: True}).astype(int)
    counted = told.groupby(found[GROUP].to_numpy()).sum()
    counted.index.name, counted.columns.name = GROUP, "reason"
    return counted.stack().rename("students").reset_index()
