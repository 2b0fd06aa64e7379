"""Training: everything that learns from outcomes, and only from the rows it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from data.engine.spread import HERE, Spread
from fusion.features.directions import DIRECTIONS, Direction, column_signs
from fusion.features.encode import TableEncoder, fit_encoder
from fusion.features.fuse import Reduction, fit_reduction
from fusion.features.rows import Rows, TrainingSet
from fusion.model.blend import fit_records
from fusion.model.booster import (
    SIGNATURE_TREES,
    TOKEN_RATE,
    TOKEN_ROUNDS,
    TreeSettings,
    cross_fit,
    fit_trees,
    logit,
    sigmoid,
)
from fusion.model.calibrate import fit_calibrator
from fusion.model.conformal import fit_conformal
from fusion.model.manifest import Manifest
from fusion.model.peers import taught_matrix, typical_peers
from fusion.model.risk_model import LEAST_SIGNED, RiskModel, SignatureStage, TargetModel, band_edges

LEAST_ROUNDS = 50  # signature trees of a comparison, whatever they seem to be worth


def fit_model(
    training_sets: dict[str, TrainingSet],
    seed: int = 0,
    settings: TreeSettings | None = None,
    *,
    encoder: TableEncoder | None = None,
    manifest: Manifest | None = None,
    directions: Mapping[str, Direction] = DIRECTIONS,
    spread: Spread = HERE,
) -> RiskModel:
    """Train every target.

    Parameters
    ----------
    training_sets : dict of str to TrainingSet
        Training rows per target; the category lists come from the first one.
    seed : int
        All randomness; the same seed, rows and threads give the same model.
    settings : TreeSettings, optional
        Record trees.
    encoder : TableEncoder, optional
        Category lists to use instead of learning them.
    manifest : Manifest, optional
        Kept with the model.
    directions : mapping of str to Direction
        Which way each feature may move the risk; features not named are free.
    spread : Spread
        Where the folds are fitted, with as many threads as they would be here.
    """
    settings = settings or TreeSettings()
    if encoder is None:
        rows = next(iter(training_sets.values())).rows
        encoder = fit_encoder(rows.table, students=rows.students)
    targets = {}
    for number, (target, training_set) in enumerate(training_sets.items()):
        rng = np.random.default_rng([seed, number])
        signs = column_signs(encoder, target, directions)
        targets[target] = fit_target(target, training_set, encoder, settings, rng, signs, spread)
    return RiskModel(encoder, targets, settings, manifest or Manifest())


def fit_target(
    target: str,
    training_set: TrainingSet,
    encoder: TableEncoder,
    settings: TreeSettings,
    rng: np.random.Generator,
    signs: np.ndarray,
    spread: Spread = HERE,
) -> TargetModel:
    """Trees and line on every row's records, signature trees on the signed rows, calibration out of fold.

    ``signs`` (columns,) is what :func:`fusion.features.directions.column_signs` gives.
    """
    rows, outcome = training_set.rows, np.asarray(training_set.outcome, float)
    if not len(rows):
        raise ValueError(f"rows must hold at least one student with a known outcome for {target!r}, got none")
    matrix = taught_matrix(encoder, rows, signs)
    records, margin = fit_records(matrix, outcome, rows.students, settings, rng, signs, spread)
    records = replace(records, peers=typical_peers(encoder, rows.table, signs))
    calibrator = fit_calibrator(margin, outcome, rows.as_of)
    stage, fused = fit_signature(rows, outcome, margin, rng, spread=spread)
    risk = calibrator.risk(margin)
    if stage is not None:
        risk[rows.signed] = stage.calibrator.risk(fused[rows.signed])
    return TargetModel(
        target=target,
        records=records,
        calibrator=calibrator,
        signature=stage,
        bands=band_edges(risk),
        sets=fit_conformal(risk, outcome, rows.meta["program_code"]),
        out_of_fold=margin,
    )


def fit_signature(
    rows: Rows,
    outcome: np.ndarray,
    start: np.ndarray,
    rng: np.random.Generator,
    *,
    shrink: bool = True,
    spread: Spread = HERE,
) -> tuple[SignatureStage | None, np.ndarray]:
    """Reduction, trees and calibration on the rows that have a signature.

    Parameters
    ----------
    rows : Rows
    outcome, start : ndarray (n,)
        Outcome, and the margin from which the signature trees go on (out of fold).
    rng : Generator
    shrink : bool
        Keep next to nothing of trees that do not pay out of fold, as is right for serving. A comparison must
        not: it would judge the shrinkage.
    spread : Spread
        Where the folds are fitted.

    Returns
    -------
    SignatureStage or None
        None with fewer than :data:`LEAST_SIGNED` signed students or one class among them.
    ndarray (n,)
        Fused margins out of fold; ``start`` where there is no signature.
    """
    signed, fused = rows.take(rows.signed), np.asarray(start, float).copy()
    outcome, start = outcome[rows.signed], start[rows.signed]
    codes, unique = np.unique(signed.students.astype(str), return_inverse=True)[::-1]
    if len(unique) < LEAST_SIGNED or not np.ptp(outcome):
        return None, fused
    reduction, components = _reduce(signed, outcome, start, codes, rng)
    matrix = np.column_stack([components, signed.as_of]).astype(np.float32)
    signs = np.zeros(matrix.shape[1], int)
    signs[0] = 1  # the supervised component is turned so that more of it means more risk
    folds = cross_fit(
        matrix,
        outcome,
        signed.students,
        SIGNATURE_TREES,
        rng,
        start=start,
        signs=signs,
        folds=4,
        spread=spread,
    )
    rounds = folds.best_rounds() if shrink else max(folds.best_rounds(), LEAST_ROUNDS)
    trees, margin = replace(SIGNATURE_TREES, rounds=rounds), folds.margin(rounds)
    if shrink and not folds.pays(rounds, outcome, signed.students):
        trees = replace(SIGNATURE_TREES, rounds=TOKEN_ROUNDS, learning_rate=TOKEN_RATE)
        slower = TOKEN_RATE / SIGNATURE_TREES.learning_rate
        margin = start + slower * (folds.margin(TOKEN_ROUNDS) - start)
    booster = fit_trees(matrix, outcome, trees, int(rng.integers(2**31)), start=start, signs=signs)
    calibrator = fit_calibrator(margin, outcome, signed.as_of)
    fused[rows.signed] = margin
    return SignatureStage(reduction, booster, calibrator, trees.rounds), fused


def _reduce(
    signed: Rows, outcome: np.ndarray, start: np.ndarray, codes: np.ndarray, rng: np.random.Generator
) -> tuple[Reduction, np.ndarray]:
    """One embedding and one residual per student for the fit; one row of components per feature row."""
    count = codes.max() + 1
    times = np.bincount(codes, minlength=count)
    residual = np.bincount(codes, weights=outcome - sigmoid(start), minlength=count) / times
    newest = np.full(count, -1)
    np.maximum.at(newest, codes, signed.position)  # states of a student rise with time
    states = signed.signatures.states
    reduction, taught = fit_reduction(states[newest], residual, rng)
    components = reduction.apply(states[signed.position])
    # The supervised number of a training student must not come from a direction that student helped to find.
    own = reduction.apply(states[newest])[:, 0]
    components[:, 0] += (taught[:, 0] - own)[codes]
    return reduction, components


def base_margin(outcome: np.ndarray, as_of: np.ndarray) -> np.ndarray:
    """Log-odds of the base rate at each as-of term: where a signature-only model starts."""
    start = np.zeros(len(outcome))
    for index in np.unique(as_of):
        mine = as_of == index
        start[mine] = logit((outcome[mine].sum() + 0.5) / (mine.sum() + 1.0))
    return start
