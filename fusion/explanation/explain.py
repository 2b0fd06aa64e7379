"""From stored SHAP values to reasons a person can read, the signature as one bar.

Nothing is recomputed: a page shows what was stored when the score was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.features.directions import DIRECTIONS, Direction
from fusion.features.feature_list import FEATURES, Feature
from fusion.model.risk_model import RiskModel

SIGNATURE = "signature"
OTHER = "another"  # what the encoder calls a value that no column stands for
NEARLY_ALL = 0.9  # share of peers from which on a value that they have too is no reason
NOT_BESIDE: tuple[bool, float | None, bool] = (False, None, True)  # where nothing is known of peers
OF_THE_GROUP = ("degree_level", "as_of_index", "terms_left")  # what peers are chosen by


@dataclass(frozen=True)
class Contribution:
    """What one original feature added to the log-odds.

    Parameters
    ----------
    name, label_key, label, group, modality, unit : str
        As in the feature registry; the signature is one entry named "signature".
    value : float, str or None
        What the feature was; None when it was not known, and for the signature.
    phi : float
        Log-odds; above 0 raises the risk.
    changeable : bool
        Whether it can still be influenced.
    shared : bool
        Whether nearly all peers have the same (:data:`NEARLY_ALL`), or peers are chosen by it: it belongs to
        the sum and says nothing of this student.
    usual : float or None
        The usual value among the peers, of a number; None where it is not known, and where too few of the
        level stood at that term, so that those of every level stand in.
    plain : bool
        False where most peers have no such value on record and the contribution runs against what the value
        says beside the middle of everybody: what moves the score is that it is recorded.
    """

    name: str
    label_key: str
    label: str
    group: str
    modality: str
    unit: str
    value: float | str | None
    phi: float
    changeable: bool
    shared: bool = False
    usual: float | None = None
    plain: bool = True

    @property
    def told(self) -> bool:
        """Whether it is a reason in words: a value on record that sets this student apart. The rest belongs
        to the sum, and a chart shows it."""
        known = self.plain and not (self.shared or self.value in (None, OTHER))
        return self.modality == "signature" or known


@dataclass(frozen=True)
class Explanation:
    """Why a score is what it is.

    ``base_value + sum of phi == margin`` (log-odds before calibration). Contributions are sorted by size.
    """

    target: str
    base_value: float
    margin: float
    contributions: tuple[Contribution, ...]

    @property
    def changeable(self) -> tuple[Contribution, ...]:
        """Those that raise the risk and can still be influenced, largest first."""
        return tuple(c for c in self.contributions if c.changeable and c.phi > 0)

    @property
    def signature(self) -> Contribution | None:
        """The signature's bar; None for a score from records."""
        return next((c for c in self.contributions if c.name == SIGNATURE), None)

    @property
    def unknown(self) -> tuple[Contribution, ...]:
        """Record features that were not known at the as-of date."""
        return tuple(c for c in self.contributions if c.value is None and c.modality == "records")

    def by_modality(self) -> dict[str, float]:
        """Sum of phi per modality."""
        sums: dict[str, float] = {}
        for c in self.contributions:
            sums[c.modality] = sums.get(c.modality, 0.0) + c.phi
        return sums

    def frame(self) -> pd.DataFrame:
        """One row per contribution, for charts and exports."""
        return pd.DataFrame([vars(c) for c in self.contributions])


def explain_score(
    model: RiskModel, target: str, phi: np.ndarray, inputs: np.ndarray, base_value: float, modality: str
) -> Explanation:
    """Group one stored explanation by original feature.

    Parameters
    ----------
    model : RiskModel
        The model that made the score (for names and category lists).
    target : {"late", "dropout"}
    phi, inputs : ndarray (f,)
        As stored, in the order of ``model.feature_names``.
    base_value : float
    modality : {"fused", "records"}
        Of the score; only a fused one has a signature bar.

    Raises
    ------
    ValueError
        When ``phi`` does not fit the model.
    """
    names = model.feature_names
    phi, inputs = np.asarray(phi, np.float32), np.asarray(inputs, np.float32)
    if phi.shape != (len(names),) or inputs.shape != (len(names),):
        raise ValueError(f"phi and inputs must have {len(names)} values, got {phi.shape} and {inputs.shape}")
    records = len(model.encoder.names)
    beside = _beside_peers(model, target, inputs[:records], phi[:records])
    parts = [
        _contribution(name, model.encoder.value(name, inputs[i]), float(phi[i]), beside.get(name, NOT_BESIDE))
        for i, name in enumerate(names[:records])
    ]
    if modality == "fused":
        parts.append(_contribution(SIGNATURE, None, float(phi[records:].sum(dtype=float))))
    parts.sort(key=lambda c: -abs(c.phi))
    margin = float(base_value + phi.sum(dtype=float))
    return Explanation(target, float(base_value), margin, tuple(parts))


def _beside_peers(
    model: RiskModel, target: str, inputs: np.ndarray, phi: np.ndarray
) -> dict[str, tuple[bool, float | None, bool]]:
    """Of every feature whether nearly all peers have the same, the usual value among them, and whether it
    goes the plain way; empty for models from before there were peers.

    A contribution is what a value adds beside the mean over the peers' own: where nearly all have the same
    value, it is next to what few others have, and not what sets this student apart. Only categories without a
    direction can have one all the same; of anything else a value that is usual adds nothing.
    """
    encoder, peers = model.encoder, model.targets[target].records.peers
    if peers is None:
        return {}
    at = {name: encoder.value(name, code) for name, code in zip(encoder.names, inputs, strict=True)}
    group = peers.group_at(at.get("as_of_index"), at.get("degree_level"))
    found = {}
    for position, (name, code) in enumerate(zip(encoder.names, inputs, strict=True)):
        columns = np.flatnonzero(encoder.owners == position)
        if name in encoder.categories:
            share = peers.share_with(group, columns, None if np.isnan(code) else int(code))
            found[name] = (name in OF_THE_GROUP or share >= NEARLY_ALL, None, True)
        else:
            usual = float(peers.usual[group, columns[0]])
            middle = _middle(model, target, columns[0]) if np.isnan(usual) else np.nan
            sign = DIRECTIONS.get(name, Direction()).of(target)
            plain = not (code - middle) * sign * phi[position] < 0  # NaN: nothing to hold it against
            told = peers.of_one_level(group) and not np.isnan(usual)
            found[name] = (name in OF_THE_GROUP, usual if told else None, plain)
    return found


def _middle(model: RiskModel, target: str, column: int) -> float:
    """The median of a column among everybody who taught; NaN where it is not kept."""
    instead = model.targets[target].records.instead
    return np.nan if instead is None else float(instead[column])


def _contribution(
    name: str, value: float | str | None, phi: float, beside: tuple[bool, float | None, bool] = NOT_BESIDE
) -> Contribution:
    if name == SIGNATURE:
        feature = Feature(SIGNATURE, "signature", "signature", modality="signature")
    else:
        feature = FEATURES.get(name) or Feature(name, "other", name.replace("_", " "))
    return Contribution(
        name,
        feature.label_key,
        feature.label,
        feature.group,
        feature.modality,
        feature.unit,
        value,
        phi,
        feature.changeable,
        *beside,
    )


def force_of_change(before: Explanation, now: Explanation) -> pd.DataFrame:
    """What moved the log-odds since an earlier score: name, label, before, now, change; largest first.

    Both must be of one target and one model, otherwise their base values differ for other reasons.
    """
    if before.target != now.target:
        raise ValueError(f"explanations must be of one target, got {before.target!r} and {now.target!r}")
    old = {c.name: c for c in before.contributions}
    table = pd.DataFrame(
        [
            (
                c.name,
                c.label_key,
                c.label,
                old[c.name].value if c.name in old else None,
                c.value,
                c.phi - (old[c.name].phi if c.name in old else 0.0),
            )
            for c in now.contributions
        ],
        columns=["name", "label_key", "label", "before", "now", "change"],
    )
    return table.reindex(table["change"].abs().sort_values(ascending=False).index).reset_index(drop=True)


@dataclass(frozen=True)
class Sentence:
    """The numbers of "of 100 past students like this, about 34 …; range 27–42" for the page to word."""

    target: str
    of: int
    about: int
    low: int | None
    high: int | None
    terms_left: int | None


def sentence(
    target: str, risk: float, low: float | None, high: float | None, terms_left: int | None = None
) -> Sentence:
    """Round a risk and its range to counts of 100; "late" is told as how many did finish in time.

    Ends that are missing (None, NaN) stay so: nobody was counted. The risk itself is never told as 0 or 100,
    which no model can promise; the ends of a range are shares and may be.
    """
    if target == "late":
        risk, low, high = 1 - risk, None if high is None else 1 - high, None if low is None else 1 - low
    least, most = (None if end is None or end != end else round(100 * end) for end in (low, high))
    about = min(max(round(100 * risk), 1), 99)
    if least is not None and most is not None:  # a range holds the number that it is about
        least, most = min(least, about), max(most, about)
    return Sentence(target, 100, about, least, most, terms_left)


def cohort_summary(model: RiskModel, phi: np.ndarray) -> pd.DataFrame:
    """Mean absolute contribution per original feature over many scores, the signature as one.

    Parameters
    ----------
    model : RiskModel
    phi : ndarray (n, f)

    Returns
    -------
    DataFrame
        name, label, group, modality, changeable, mean_abs_phi; largest first.
    """
    records = len(model.encoder.names)
    phi = np.asarray(phi, float).reshape(-1, len(model.feature_names))
    sums = np.column_stack([phi[:, :records], phi[:, records:].sum(axis=1)])
    rows = []
    for number, name in enumerate([*model.encoder.names, SIGNATURE]):
        c = _contribution(name, None, float(np.abs(sums[:, number]).mean()) if len(sums) else 0.0)
        rows.append((c.name, c.label_key, c.label, c.group, c.modality, c.changeable, c.phi))
    columns = ["name", "label_key", "label", "group", "modality", "changeable", "mean_abs_phi"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("mean_abs_phi", ascending=False, ignore_index=True)
