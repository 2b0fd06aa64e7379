"""Whether a model keeps its declared directions: every lever over its span, every feature, every reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.explanation.levers import LEVERS, possible
from fusion.explanation.whatif import changed_tables
from fusion.features.directions import DIRECTIONS, Direction, column_signs
from fusion.features.rows import Rows
from fusion.model.blend import RecordsModel
from fusion.model.peers import Peers, typical_peers
from fusion.model.risk_model import RiskModel

POINTS = 9  # values tried over a span
ROUNDING = 1e-6  # log-odds; single precision


@dataclass(frozen=True)
class Kept:
    """How many of the things looked at run against their direction, by name of lever or feature."""

    looked_at: dict[str, int]
    wrong: dict[str, int]

    @property
    def total(self) -> tuple[int, int]:
        """(wrong, looked at) over all names."""
        return sum(self.wrong.values()), sum(self.looked_at.values())


def lever_signs(model: RiskModel, rows: Rows, target: str, points: int = POINTS) -> Kept:
    """Move every lever of every row from its worst value to its best: the risk may never rise.

    Parameters
    ----------
    model : RiskModel
    rows : Rows
    target : {"late", "dropout"}
    points : int
        Values tried over each span, the present one among them.
    """
    looked_at, wrong = dict.fromkeys(LEVERS, 0), dict.fromkeys(LEVERS, 0)
    spans = [possible(row) for _, row in rows.table.iterrows()]
    for name, lever in LEVERS.items():
        who = np.array([n for n, span in enumerate(spans) if name in span and span[name][2] > span[name][1]])
        if not len(who):
            continue
        values = np.array([_over(spans[n][name], points)[:: lever.better] for n in who])
        part = rows.take(np.repeat(who, points))
        table = changed_tables(part.table, [{name: value} for value in values.ravel()])
        risk = model.frame(Rows(table, part.meta, part.signatures, part.position), target)["margin"]
        rises = np.diff(risk.to_numpy().reshape(len(who), points), axis=1) > ROUNDING
        looked_at[name], wrong[name] = len(who), int(rises.any(axis=1).sum())
    return Kept(looked_at, wrong)


def _over(span: tuple[float, float, float], points: int) -> np.ndarray:
    now, low, high = span
    return np.sort(np.r_[np.linspace(low, high, points - 1), now])


def feature_signs(
    model: RiskModel,
    rows: Rows,
    target: str,
    directions: Mapping[str, Direction] = DIRECTIONS,
    points: int = POINTS,
) -> Kept:
    """Move every feature with a direction, alone, over the values of ``rows``: the margin must keep it.

    Over the ends seen in training too; a missing value must lie between them. Missing ones are not moved.
    """
    matrix, records = model.encoder.matrix(rows.table), model.targets[target].records
    looked_at, wrong = {}, {}
    signs = column_signs(model.encoder, target, directions)
    for column in np.flatnonzero(signs):
        known = np.flatnonzero(~np.isnan(matrix[:, column]))
        if not len(known):
            continue
        grid = np.quantile(matrix[known, column], np.linspace(0, 1, points), method="inverted_cdf")
        grid = np.unique(np.r_[grid, _learnt_ends(records, int(column))])[:: signs[column]]
        tried = np.repeat(matrix[known], len(grid) + 1, axis=0)
        tried[:, column] = np.tile(np.r_[grid, np.nan], len(known))
        margin = records.margin(tried).reshape(len(known), -1)
        falls = (np.diff(margin[:, :-1], axis=1) < -ROUNDING).any(axis=1)
        gone = margin[:, -1]
        outside = (gone < margin[:, 0] - ROUNDING) | (gone > margin[:, -2] + ROUNDING)
        name = model.encoder.names[model.encoder.owners[column]]
        looked_at[name] = looked_at.get(name, 0) + len(known)
        wrong[name] = wrong.get(name, 0) + int((falls | outside).sum())
    return Kept(looked_at, wrong)


def _learnt_ends(records: RecordsModel, column: int) -> list[float]:
    """The least and the largest value of a column in training, where the model kept them."""
    return [] if records.line is None else [records.line.low[column], records.line.high[column]]


def reason_signs(
    model: RiskModel,
    rows: Rows,
    target: str,
    directions: Mapping[str, Direction] = DIRECTIONS,
    *,
    phi: np.ndarray | None = None,
    peers: Peers | None = None,
) -> Kept:
    """Hold every SHAP value of a feature with a direction against how the value stands beside the peers'.

    Parameters
    ----------
    model, rows, target, directions
        As above.
    phi : ndarray (n, f), optional
        Values per original feature to judge; default: those of the records model's score.
    peers : Peers, optional
        What is usual; default: the model's own, else that of ``rows``.
    """
    matrix, records = model.encoder.matrix(rows.table), model.targets[target].records
    signs = column_signs(model.encoder, target, directions)
    if phi is None:
        phi = model.encoder.group(records.shap_against_peers(matrix, rows.table)[0])
    peers = peers or records.peers or typical_peers(model.encoder, rows.table, signs)
    usual = peers.usual[peers.group_of(rows.table)]
    away = np.nan_to_num(matrix - usual)
    away[:, peers.shares] = 0.0  # no single value is usual
    worse = model.encoder.group(away * signs)
    worse[model.encoder.group(np.abs(away) * (signs == 0)) > 0] = (
        0.0  # a category's value without a direction
    )
    looked_at, wrong = {}, {}
    for place in np.unique(model.encoder.owners[signs != 0]):
        stands, adds = worse[:, place], phi[:, place]
        name = model.encoder.names[place]
        looked_at[name] = int((stands != 0).sum())
        wrong[name] = int((((stands > 0) & (adds < -ROUNDING)) | ((stands < 0) & (adds > ROUNDING))).sum())
    return Kept(looked_at, wrong)


def as_frame(found: dict[str, Kept]) -> pd.DataFrame:
    """``what``, ``name``, ``looked_at``, ``wrong``: one row per lever or feature."""
    rows = [
        (what, name, kept.looked_at[name], kept.wrong[name])
        for what, kept in found.items()
        for name in kept.looked_at
    ]
    return pd.DataFrame(rows, columns=["what", "name", "looked_at", "wrong"])
