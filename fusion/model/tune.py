"""Hyper-parameters by Optuna, inside the training rows only, with a bounded number of trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.features.directions import column_signs
from fusion.features.encode import fit_encoder
from fusion.features.rows import TrainingSet
from fusion.model.blend import replace_missing, usual_values
from fusion.model.booster import TreeSettings, cross_fit
from fusion.model.peers import taught_matrix


@dataclass(frozen=True)
class Tuned:
    """The best settings and every trial: ``trial, loss, seconds`` and the settings."""

    settings: TreeSettings
    trials: pd.DataFrame


def tune_settings(
    training_sets: dict[str, TrainingSet], *, trials: int = 20, seed: int = 0, seconds: float | None = None
) -> Tuned:
    """Search tree settings by the grouped cross-validated log loss, summed over targets.

    Parameters
    ----------
    training_sets : dict of str to TrainingSet
        Training rows only; when this runs inside the training part of a split, the search is nested.
    trials : int
        The first trial is always the default, so that tuning never does worse on its own criterion.
    seed : int
        Seeds the sampler and the folds; the same seed gives the same settings unless ``seconds`` cuts it.
    seconds : float, optional
        Start no trial after so many seconds.
    """
    import optuna

    if trials < 1:
        raise ValueError(f"trials must be at least 1, got {trials}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = next(iter(training_sets.values())).rows
    encoder = fit_encoder(rows.table, students=rows.students)
    prepared = []
    for target, training_set in training_sets.items():
        rows, signs = training_set.rows, column_signs(encoder, target)
        matrix = taught_matrix(encoder, rows, signs)
        instead = usual_values(matrix, signs)
        matrix = matrix if instead is None else replace_missing(matrix, instead)
        prepared.append((matrix, np.asarray(training_set.outcome, float), rows.students, signs))

    def loss(trial: optuna.Trial) -> float:
        settings = _suggest(trial)
        total = 0.0
        for number, (matrix, outcome, students, signs) in enumerate(prepared):
            rng = np.random.default_rng([seed, 30, number])  # the same folds in every trial
            folds = cross_fit(matrix, outcome, students, settings, rng, signs=signs, folds=4)
            total += float(folds.loss.mean(axis=0).min()) if len(folds.loss) else 0.0
        return total

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    default = TreeSettings()
    names = ("depth", "learning_rate", "subsample", "columns", "child_weight", "l2")
    study.enqueue_trial({name: getattr(default, name) for name in names})
    study.optimize(loss, n_trials=trials, timeout=seconds)
    best = TreeSettings(**study.best_params)
    table = study.trials_dataframe(attrs=("number", "value", "duration", "params"))
    table["duration"] = table["duration"].dt.total_seconds()
    table.columns = [c.removeprefix("params_") for c in table.columns]
    return Tuned(best, table.rename(columns={"number": "trial", "value": "loss", "duration": "seconds"}))


def _suggest(trial) -> TreeSettings:
    return TreeSettings(
        depth=trial.suggest_int("depth", 2, 5),
        learning_rate=trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        subsample=trial.suggest_float("subsample", 0.5, 1.0),
        columns=trial.suggest_float("columns", 0.2, 1.0),
        child_weight=trial.suggest_float("child_weight", 1.0, 30.0, log=True),
        l2=trial.suggest_float("l2", 0.5, 30.0, log=True),
    )
