"""Harder tests than one forward split: cohort by cohort, with a gap of one, and on programmes never seen.

Each gives who may teach, as it was known on the day before the judged became known, and who judges. Nobody
stands on both sides; two registrations of one person count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from fusion import metrics
from fusion.features.assemble import training_set
from fusion.features.rows import Rows
from fusion.features.splits import mature_labels, maturity
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.validation import baselines

ROLLING, GAP, PROGRAMME = "rolling", "gap", "programme"
LEAST = 40  # students on either side


@dataclass(frozen=True)
class Trial:
    """One test: who teaches, with the labels known on a day, and who judges.

    Parameters
    ----------
    protocol : {"rolling", "gap", "programme"}
    name : str
        The cohort or programme judged.
    until : date
        Day up to which the training part was known.
    train_labels : Series
        Label by ``student_key``.
    test : ndarray of str
    """

    protocol: str
    name: str
    until: date
    train_labels: pd.Series
    test: np.ndarray


def trials(records, same_person: Mapping[str, str] | None = None) -> Iterator[Trial]:
    """Every trial that a register allows.

    Parameters
    ----------
    records : Records
    same_person : mapping of str to str, optional
        Student key → person, of people who are registered more than once: none of their registrations teaches
        when another judges.
    """
    final, ripe = mature_labels(records), maturity(records)
    about = records.students.set_index("student_key")
    cohort = about["cohort_term"].reindex(final.index)
    for judged in sorted(cohort.unique())[1:]:
        test = final.index[(cohort == judged).to_numpy()]
        day = (ripe.reindex(test).min() - pd.Timedelta(days=1)).date()
        for protocol in (ROLLING, GAP):
            known = mature_labels(records, seen_on=day)
            known = known[~known.index.isin(test)]
            if protocol == GAP:
                entered = about["cohort_term"].reindex(known.index)
                newest = entered[entered < judged].max()
                known = known[(entered < newest).to_numpy()]
            yield from _enough(protocol, str(judged), day, known, test, same_person)
    split = sorted(cohort.unique())
    if len(split) < 2:
        return
    cut = split[int(len(split) * 0.65)]
    later = final.index[(cohort >= cut).to_numpy()]
    day = (ripe.reindex(later).min() - pd.Timedelta(days=1)).date()
    known = mature_labels(records, seen_on=day)
    known = known[~known.index.isin(later)]
    programme = about["program_code"]
    for code in sorted(programme.unique()):
        mine = programme.reindex(known.index) == code
        test = later[(programme.reindex(later) == code).to_numpy()]
        yield from _enough(PROGRAMME, str(code), day, known[~mine.to_numpy()], test, same_person)


def _enough(protocol, name, day, known, test, same_person) -> Iterator[Trial]:
    if same_person:
        judged = {same_person[key] for key in test if key in same_person}
        known = known[[same_person.get(key) not in judged or key not in same_person for key in known.index]]
    if min(len(known), len(test)) >= LEAST and known.nunique() > 1:
        yield Trial(protocol, name, day, known, test.to_numpy(object))


def judge(
    records,
    rows: Rows,
    target: str,
    *,
    seed: int = 0,
    settings: TreeSettings | None = None,
    same_person: Mapping[str, str] | None = None,
    draws: int = 200,
) -> pd.DataFrame:
    """ROC-AUC and Brier score of the model and of the simpler ways in every trial.

    Returns
    -------
    DataFrame
        ``protocol, name, until, taught, judged, arm, roc_auc, roc_auc_low, roc_auc_high, brier, net_benefit``
        (at the share of the event among those who taught).
    """
    final, parts = mature_labels(records), []
    for trial in trials(records, same_person):
        train = training_set(
            rows.of_students(trial.train_labels.index), trial.train_labels, target, trial.until
        )
        test = training_set(rows.of_students(trial.test), final, target)
        if not len(train.rows) or not len(test.rows) or not np.ptp(train.outcome) or not np.ptp(test.outcome):
            continue
        model = fit_model({target: train}, seed, settings)
        risks = {
            "model": model.risk(test.rows, target),
            "logistic": baselines.logistic_regression(train, test.rows, model.encoder),
            "rule": baselines.on_track_rule(train, test.rows),
            "base": baselines.base_rate(train, test.rows),
        }
        share = float(np.clip(train.outcome.mean(), 0.05, 0.5))
        rng = np.random.default_rng([seed, 5])
        weight = metrics.bootstrap_weights(test.rows.students, draws, rng)
        for arm, risk in risks.items():
            auc = metrics.estimate(metrics.roc_auc(test.outcome, risk, weight))
            listed = risk >= share
            gain = test.outcome * listed - (1 - test.outcome) * listed * share / (1 - share)
            parts.append(
                {
                    "protocol": trial.protocol,
                    "name": trial.name,
                    "until": trial.until,
                    "taught": len(trial.train_labels),
                    "judged": len(np.unique(test.rows.students)),
                    "arm": arm,
                    "roc_auc": auc.value,
                    "roc_auc_low": auc.low,
                    "roc_auc_high": auc.high,
                    "brier": float(metrics.brier(test.outcome, risk, np.ones((1, len(risk))))[0]),
                    "net_benefit": float(gain.mean()),
                }
            )
    return pd.DataFrame(parts)
