"""The risk model: per target, records model, signature trees, a calibration for either, and band edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.columns import BANDS
from fusion.features.encode import TableEncoder
from fusion.features.fuse import COMPONENTS, Reduction
from fusion.features.rows import Rows
from fusion.model.blend import RecordsModel
from fusion.model.booster import SIGNATURE_TREES, TreeSettings, tree_margin, tree_shap
from fusion.model.calibrate import Calibrator
from fusion.model.conformal import ConformalSets
from fusion.model.manifest import Manifest

if TYPE_CHECKING:
    import xgboost

BAND_QUANTILES = (0.5, 0.75, 0.9)  # of past students: half are low, a tenth very high
STEPS = 200  # edges are rounded to one part of so many
UTMOST = (1 / 3, 2 / 3, 0.9)
"""Risks from which on nobody is "low", "moderate", "high": where "unlikely" ends, and where "likely" and
"very likely" begin, in M. D. Mastrandrea et al., Guidance Note for Lead Authors of the IPCC Fifth Assessment
Report on Consistent Treatment of Uncertainties (2010), table 1."""
LEAST_SIGNED = 60  # students with a signature below which no signature trees are grown


@dataclass(frozen=True)
class SignatureStage:
    """Reduction, trees and calibration for students who have a signature."""

    reduction: Reduction
    booster: xgboost.Booster
    calibrator: Calibrator
    rounds: int

    def matrix(self, embeddings: np.ndarray, as_of: np.ndarray) -> np.ndarray:
        """Components, then the as-of index, float32 (n, k + 1)."""
        return np.column_stack([self.reduction.apply(embeddings), as_of]).astype(np.float32)

    def matrix_of(self, components: np.ndarray, as_of_index: int) -> np.ndarray:
        """The same from components (n, k) at one as-of index."""
        return np.column_stack([components, np.full(len(components), as_of_index)]).astype(np.float32)


@dataclass(frozen=True)
class TargetModel:
    """Everything needed to score one target.

    Parameters
    ----------
    target : {"late", "dropout"}
    records : RecordsModel
        Trees and line on records, used for everybody.
    calibrator : Calibrator
        Of the records margin.
    signature : SignatureStage or None
        None when too few students had a signature.
    bands : tuple of float
        Three rising risk edges between low, moderate, high and very high.
    sets : ConformalSets
        Thresholds of the answers with a promised error rate.
    out_of_fold : ndarray (n,), optional
        Records margin of every row that taught, from a fit without its student; for examinations, never kept.
    """

    target: str
    records: RecordsModel
    calibrator: Calibrator
    signature: SignatureStage | None
    bands: tuple[float, float, float]
    sets: ConformalSets
    out_of_fold: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Scores:
    """Scores of n rows for one target.

    ``frame`` has modality, margin, risk, risk_low, risk_high and band; ``phi`` and ``inputs`` are float32
    (n, f) in the order of :attr:`RiskModel.feature_names`; ``base_values`` is (n,).
    ``base_values + phi.sum(axis=1)`` equals the margin.
    """

    frame: pd.DataFrame
    phi: np.ndarray
    inputs: np.ndarray
    base_values: np.ndarray


@dataclass(frozen=True)
class RiskModel:
    """A trained model: pure, without a store.

    Parameters
    ----------
    encoder : TableEncoder
        Category lists.
    targets : dict of str to TargetModel
    settings : TreeSettings
    manifest : Manifest
        Version, data hash, code version, seed, metrics, encoder of the signatures.
    """

    encoder: TableEncoder
    targets: dict[str, TargetModel]
    settings: TreeSettings = field(default_factory=TreeSettings)
    manifest: Manifest = field(default_factory=Manifest)

    @property
    def version(self) -> str:
        """Name of the model in the registry."""
        return self.manifest.version

    @property
    def components(self) -> int:
        """Number of signature components stored per row (the most over targets)."""
        stages = [t.signature.reduction.components for t in self.targets.values() if t.signature]
        return max(stages, default=0)

    @property
    def feature_names(self) -> list[str]:
        """Original record features, then the signature components: the order of ``phi`` and ``inputs``."""
        return [*self.encoder.names, *(f"signature_{n:02d}" for n in range(self.components))]

    @property
    def keeps_directions(self) -> bool:
        """Whether no fact can count against its plain direction; false for models from before that rule."""
        return all(target.records.peers is not None for target in self.targets.values())

    def margins(self, rows: Rows, target: str) -> tuple[np.ndarray, np.ndarray]:
        """Records margin and what the signature adds (0 without one), each (n,)."""
        model = self.targets[target]
        base = model.records.margin(self.encoder.matrix(rows.table))
        added = np.zeros(len(rows))
        if model.signature is not None and rows.signed.any():
            signed = rows.signed
            matrix = model.signature.matrix(rows.signatures.states[rows.position[signed]], rows.as_of[signed])
            added[signed] = tree_margin(model.signature.booster, matrix)
        return base, added

    def risk(self, rows: Rows, target: str, *, use_signature: bool = True) -> np.ndarray:
        """Calibrated risk per row, (n,)."""
        model, (base, added) = self.targets[target], self.margins(rows, target)
        risk = model.calibrator.risk(base)
        if use_signature and model.signature is not None:
            signed = rows.signed
            risk[signed] = model.signature.calibrator.risk((base + added)[signed])
        return risk

    def score(self, rows: Rows, target: str, *, use_signature: bool = True) -> Scores:
        """Risk, range, band and exact SHAP values of every row.

        Parameters
        ----------
        rows : Rows
        target : {"late", "dropout"}
        use_signature : bool
            False serves records only.
        """
        model = self.targets[target]
        if not use_signature or model.signature is None:
            rows = rows.unsigned()
        phi, base_values = self._shap(rows, model)
        margin = base_values + phi.sum(axis=1, dtype=float)
        return Scores(self._told(rows, model, margin), phi, self._inputs(rows, model), base_values)

    def frame(self, rows: Rows, target: str) -> pd.DataFrame:
        """The ``frame`` of :meth:`score` without the SHAP values, for scores that nobody asks reasons of."""
        base, added = self.margins(rows, target)
        model = self.targets[target]
        return self._told(rows if model.signature is not None else rows.unsigned(), model, base + added)

    def _told(self, rows: Rows, model: TargetModel, margin: np.ndarray) -> pd.DataFrame:
        risk = model.calibrator.risk(margin)
        low, high = model.calibrator.interval(risk, rows.as_of)
        signed = rows.signed
        if model.signature is not None and signed.any():
            curve = model.signature.calibrator
            risk[signed] = curve.risk(margin[signed])
            low[signed], high[signed] = curve.interval(risk[signed], rows.as_of[signed])
        return pd.DataFrame(
            {
                "modality": np.where(signed, "fused", "records"),
                "margin": margin,
                "risk": risk,
                "risk_low": low,
                "risk_high": high,
                "band": band_of(risk, model.bands),
            }
        )

    def _shap(self, rows: Rows, model: TargetModel) -> tuple[np.ndarray, np.ndarray]:
        values, base_values = model.records.shap_against_peers(self.encoder.matrix(rows.table), rows.table)
        records = self.encoder.group(values)
        phi = np.zeros((len(rows), len(self.feature_names)), np.float32)
        phi[:, : records.shape[1]] = records
        signed, stage = rows.signed, model.signature
        if stage is not None and signed.any():
            matrix = stage.matrix(rows.signatures.states[rows.position[signed]], rows.as_of[signed])
            values, base = tree_shap(stage.booster, matrix)
            start = records.shape[1]
            phi[signed, start : start + stage.reduction.components] = values[:, :-1]
            base_values[signed] += base + values[:, -1]  # peers are at the same as-of term
        return phi, base_values

    def _inputs(self, rows: Rows, model: TargetModel) -> np.ndarray:
        inputs = np.full((len(rows), len(self.feature_names)), np.nan, np.float32)
        records = self.encoder.inputs(rows.table)
        inputs[:, : records.shape[1]] = records
        signed = rows.signed
        if model.signature is not None and signed.any():
            z = model.signature.reduction.apply(rows.signatures.states[rows.position[signed]])
            inputs[signed, records.shape[1] : records.shape[1] + z.shape[1]] = z
        return inputs


def band_of(risk: np.ndarray, edges) -> np.ndarray:
    """Name of the band of each risk; an edge belongs to the higher band."""
    return np.asarray(BANDS, dtype=object)[np.searchsorted(np.asarray(edges), risk, side="right")]


def band_edges(risk: np.ndarray) -> tuple[float, float, float]:
    """Quantiles of the risk of past students, made strictly rising and rounded to half a percent.

    Quantiles say who is ahead of whom; a word says how much as well. Where most are at next to no risk, they
    alone would call 2 of 100 high: nobody below the mean of all is in "high", nor below half of it in
    "moderate". Where an outcome is common, they alone would call 49 of 100 low: nobody above the mean of all
    is in "low", and every band ends at :data:`UTMOST`, however many lie beyond.

    Where many share one risk, edges would coincide: they are set apart by half a percent. The lowest risk of
    all lies in the lowest band that may hold it. A risk of 0 is always in "low", a risk of 1 in "very high".
    """
    steps = np.round(np.quantile(risk, BAND_QUANTILES) * STEPS).astype(int)
    for number in (1, 2):
        steps[number] = max(steps[number], steps[number - 1] + 1)
    lowest = int(np.floor(np.min(risk) * STEPS + 1e-9))
    mean = int(np.ceil(np.mean(risk) * STEPS - 1e-9))
    utmost = [int(np.floor(most * STEPS)) for most in UTMOST]
    home = next((number for number, most in enumerate(utmost) if lowest < most), len(utmost))
    steps[0] = min(steps[0], mean)
    for number, least in enumerate(((mean + 1) // 2, mean, 0)):
        beyond = lowest + 1 if number == home else 1
        above = steps[number - 1] + 1 if number else 1
        steps[number] = min(max(steps[number], least, beyond, above), utmost[number])
    low, middle, high = (float(step) / STEPS for step in steps)
    return low, middle, high


__all__ = [
    "COMPONENTS",
    "LEAST_SIGNED",
    "SIGNATURE_TREES",
    "RiskModel",
    "Scores",
    "SignatureStage",
    "TargetModel",
    "band_edges",
    "band_of",
]
