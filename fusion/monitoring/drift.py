"""Has the world moved since training? Answered before the outcomes of the new cohorts are known.

Four signs are looked at: the features (population stability index and missingness), the embeddings (can a
classifier tell old from new?), the scores, and the one part of the outcome that is known early: how many
students of the young cohorts have already dropped out, against how many the model expected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fusion.features.rows import Rows
from fusion.model.watched import EMBEDDINGS, EXITS, FEATURE, MISSINGNESS, OLD_OR_NEW, SCORES, Sign

Level = Callable[[Rows], list[np.ndarray]]  # rows → log-odds, one array per target
LEVEL_LIMIT = 0.1  # log-odds; a move of the mean risk by about 2 points of 100
PSI_LIMIT = 0.25  # the customary bound between a moderate and a large shift
MISSING_LIMIT = 0.15  # absolute change of a feature's missing share
DOMAIN_LIMIT = 0.70  # AUC of the old-or-new classifier, lower bound of its interval
ALARM_P = 0.03  # of the early-exit test
LEAST_ROWS = 50
LEAST_EXITS = 20  # drop-outs of the old side below which students are told apart by the term alone
FIRST_YEAR = 2  # completed terms
STRATA = 5  # groups of students who are as likely to leave


@dataclass(frozen=True)
class Drift:
    """Every sign, and whether calibration can be trusted for the new cohorts."""

    signs: tuple[Sign, ...]

    @property
    def alarms(self) -> tuple[Sign, ...]:
        """The signs beyond their limit."""
        return tuple(sign for sign in self.signs if sign.alarm)

    @property
    def trusted(self) -> bool:
        """False when any sign alarms: recalibrate, or treat risks of new cohorts as ranks only."""
        return not self.alarms

    @property
    def ordered(self) -> tuple[Sign, ...]:
        """Every sign, alarms first, then the largest value."""

        def rank(sign: Sign) -> tuple[bool, float]:
            return sign.alarm, sign.value if np.isfinite(sign.value) else -np.inf

        return tuple(sorted(self.signs, key=rank, reverse=True))


def psi(old: np.ndarray, new: np.ndarray, bins: int = 10) -> float:
    """Population stability index over the deciles of ``old``; missing values are a bin of their own.

    ``Σ (q - p) ln(q / p)`` over the shares p of old and q of new, each share at least 1/10,000. Below 0.1 is
    customarily called stable, above 0.25 a large shift. 0 when either side is empty.
    """
    old, new = np.asarray(old, float), np.asarray(new, float)
    if not len(old) or not len(new):
        return 0.0
    seen = old[~np.isnan(old)]
    edges = np.unique(np.quantile(seen, np.linspace(0, 1, bins + 1)[1:-1])) if len(seen) else np.zeros(0)
    shares = []
    for values in (old, new):
        place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
        shares.append(np.bincount(place.astype(int), minlength=len(edges) + 2) / len(values))
    p, q = (np.maximum(share, 1e-4) for share in shares)
    return float(((q - p) * np.log(q / p)).sum())


def psi_limit(bins: int, old: int, new: int) -> float:
    """The customary bound, or what small samples reach by chance once in a thousand if that is more.

    Without a shift, PSI divided by ``1/old + 1/new`` is distributed as chi-squared with ``bins - 1`` degrees
    of freedom.
    """
    from scipy.stats import chi2

    chance = float(chi2.ppf(0.999, max(bins - 1, 1))) * (1 / max(old, 1) + 1 / max(new, 1))
    return max(PSI_LIMIT, chance)


def category_psi(old, new) -> float:
    """Population stability index of a category."""
    names = {name: code for code, name in enumerate(sorted({str(v) for v in [*old, *new]}))}
    p, q = (
        np.maximum(
            np.bincount([names[str(v)] for v in values], minlength=len(names)) / max(len(values), 1), 1e-4
        )
        for values in (old, new)
    )
    return float(((q - p) * np.log(q / p)).sum()) if len(old) and len(new) else 0.0


def feature_signs(old: Rows, new: Rows, level: Level | None = None) -> list[Sign]:
    """PSI and change of missingness per feature, at the same as-of terms and programmes on both sides.

    With ``level`` a shift alarms only where it moves what the model says: by at least :data:`LEVEL_LIMIT`,
    were the new rows given the old ones' values of that feature. A list of names that was renewed, say, moves
    no level where the model hardly listens to it; it stays a sign, without an alarm.
    """
    common = set(_cells(old)) & set(_cells(new))
    old, new = (rows.take(_cells(rows).isin(common).to_numpy()) for rows in (old, new))
    if min(len(old), len(new)) < LEAST_ROWS:
        return []
    people = [len(np.unique(rows.students)) for rows in (old, new)]
    old = _same_mix(old, new)
    signs = []
    for name in old.table.columns:
        if name in ("as_of_index", "terms_left"):
            continue
        a, b = old.table[name], new.table[name]
        number = pd.api.types.is_numeric_dtype(a)
        value = psi(a.to_numpy(float), b.to_numpy(float)) if number else category_psi(a, b)
        limit = psi_limit(10 if number else max(a.nunique(), b.nunique()), *people)
        change = float(abs(a.isna().mean() - b.isna().mean()))
        far, lost = value > limit, change > MISSING_LIMIT
        matters = (far or lost) and (level is None or level_moved(old, new, name, level) >= LEVEL_LIMIT)
        signs.append(Sign(FEATURE, name, value, limit, far and matters))
        if lost:
            signs.append(Sign(MISSINGNESS, name, change, MISSING_LIMIT, matters))
    return signs


def level_moved(old: Rows, new: Rows, name: str, level: Level) -> float:
    """By how much one feature's shift moves the mean log-odds of the new rows, in absolute value.

    Parameters
    ----------
    old, new : Rows
        Of the same mix of as-of terms and programmes.
    name : str
        The feature: the new rows are given the values of old rows, in the order of their cells.
    level : callable
        Rows → log-odds of each, one array per target.
    """
    here, there = (
        np.argsort(_cells(rows).to_numpy(object).astype(str), kind="stable") for rows in (old, new)
    )
    taken = here[np.linspace(0, len(here) - 1, len(there)).astype(int)]
    given = old.table[name].iloc[np.random.default_rng(0).permutation(taken)].to_numpy()
    table = new.table.copy()
    table[name] = pd.Series(given, index=table.index).astype(old.table[name].dtype)
    before = replace(new, table=table)
    pairs = zip(level(new), level(before), strict=True)
    return float(max((abs(np.mean(now) - np.mean(then)) for now, then in pairs), default=0.0))


def _same_mix(old: Rows, new: Rows) -> Rows:
    """Old rows repeated or dropped so that their as-of terms and programmes come in the new proportions.

    Programmes of three years are known sooner than those of four, so their shares differ without any drift.
    """
    here, there = (_cells(rows) for rows in (old, new))
    parts = []
    for cell, share in there.value_counts(normalize=True, sort=False).items():
        mine = np.flatnonzero(here == cell)
        wanted = int(round(share * len(old))) if len(mine) else 0
        parts.append(mine[np.linspace(0, len(mine) - 1, wanted).astype(int)] if wanted else mine[:0])
    return old.take(np.concatenate(parts))


def _cells(rows: Rows) -> pd.Series:
    return rows.meta["as_of_index"].astype(str) + "|" + rows.meta["program_code"].astype(str)


def domain_sign(old: np.ndarray, new: np.ndarray, rng: np.random.Generator) -> Sign | None:
    """Whether a classifier can tell old embeddings from new ones (other scanner, other form, other pen).

    Parameters
    ----------
    old, new : ndarray (n, d)
        One embedding per student.
    rng : Generator

    Returns
    -------
    Sign or None
        AUC out of fold; the alarm looks at its lower 95 % bound. None with too few embeddings.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from fusion.metrics import bootstrap_weights, estimate, roc_auc

    if min(len(old), len(new)) < LEAST_ROWS:
        return None
    x, y = np.vstack([old, new]), np.r_[np.zeros(len(old)), np.ones(len(new))]
    chain = make_pipeline(
        PCA(min(20, x.shape[1], len(x) // 5), random_state=int(rng.integers(2**31))),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=500),
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=int(rng.integers(2**31)))
    risk = cross_val_predict(chain, x, y, cv=folds, method="predict_proba")[:, 1]
    auc = estimate(roc_auc(y, risk, bootstrap_weights(np.arange(len(y)), 200, rng)))
    return Sign(EMBEDDINGS, OLD_OR_NEW, auc.value, DOMAIN_LIMIT, auc.low > DOMAIN_LIMIT)


def hazard_rows(rows: Rows, ends: pd.DataFrame) -> pd.DataFrame:
    """Every term that a student might have dropped out in, as far as that was seen.

    Parameters
    ----------
    rows : Rows
        Rows of every as-of term.
    ends : DataFrame
        ``student_key, term, cause`` (:func:`fusion.model.competing.durations`).

    Returns
    -------
    DataFrame
        ``position`` (of the row), ``student_key``, ``term`` (the one after the row's as-of term), ``event``
        (1: dropped out in it). Terms that were not seen to their end are left out.
    """
    ends = ends.set_index("student_key")
    mine = ends.reindex(rows.students)
    term, last = rows.as_of + 1, mine["term"].to_numpy(float)
    event = (mine["cause"] == "dropout").to_numpy() & (last == term)
    seen = np.nan_to_num(last, nan=0) >= term
    frame = pd.DataFrame({"student_key": rows.students, "term": term, "event": event.astype(float)})
    return frame.assign(position=np.arange(len(rows)))[seen].reset_index(drop=True)


def alike(old: Rows, new: Rows, old_ends: pd.DataFrame, new_ends: pd.DataFrame) -> list[pd.DataFrame]:
    """Both sides' :func:`hazard_rows` with a ``stratum``: the term, and how likely such a student leaves in
    it.

    How likely is learned from the old side alone, by a line on what the rows hold as numbers; of the old side
    itself out of fold, so that nobody's own exit says where they stand.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sides = [(old, hazard_rows(old, old_ends)), (new, hazard_rows(new, new_ends))]
    names = [name for name in old.table if pd.api.types.is_numeric_dtype(old.table[name])]
    x, z = (rows.table[names].iloc[frame["position"]].to_numpy(float) for rows, frame in sides)
    (_, mine), (_, theirs) = sides
    chance = [np.zeros(len(mine)), np.zeros(len(theirs))]
    students = mine["student_key"].nunique()
    if names and mine["event"].sum() >= LEAST_EXITS and students >= LEAST_ROWS and len(theirs):
        chain = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=500),
        )
        about = {"groups": mine["student_key"], "cv": GroupKFold(4), "method": "decision_function"}
        chance[0] = cross_val_predict(chain, x, mine["event"], **about)
        chance[1] = chain.fit(x, mine["event"]).decision_function(z)
    edges = np.quantile(chance[0], np.linspace(0, 1, STRATA + 1)[1:-1]) if len(mine) else np.zeros(0)
    return [
        frame.assign(stratum=frame["term"] * (STRATA + 1) + np.searchsorted(edges, values))
        for (_, frame), values in zip(sides, chance, strict=True)
    ]


def early_exit_sign(old: pd.DataFrame, new: pd.DataFrame) -> Sign | None:
    """Whether young cohorts drop out faster or slower than students like them did by the same term.

    Parameters
    ----------
    old, new : DataFrame
        ``student_key, event, stratum`` (:func:`alike`).

    Returns
    -------
    Sign or None
        Two-sided p of the log-rank test on drop-out, stratified by term and likeness, as ``value``; the alarm
        is at or below the limit. None without drop-outs or with too few students. D. R. Cox, "Regression
        models and life-tables", JRSS B 34 (1972) 187–220, section 7, gives the test within strata.
    """
    from scipy.stats import norm

    if min(old["student_key"].nunique(), new["student_key"].nunique()) < LEAST_ROWS:
        return None
    counts = [frame.groupby("stratum")["event"].agg(["sum", "size"]) for frame in (old, new)]
    both = counts[0].join(counts[1], how="inner", lsuffix="_old", rsuffix="_new")
    n, m = both["size_new"].to_numpy(float), both["size_old"].to_numpy(float)
    events, all_of = (both["sum_new"] + both["sum_old"]).to_numpy(), n + m
    expected = events * n / all_of
    variance = events * n * m * (all_of - events) / (all_of**2 * np.maximum(all_of - 1, 1))
    if variance.sum() <= 0:
        return None
    observed, awaited = float(both["sum_new"].sum()), float(expected.sum())
    p = float(2 * norm.sf(abs(observed - awaited) / np.sqrt(variance.sum())))
    return Sign(EXITS, "", p, ALARM_P, p <= ALARM_P, seen=round(observed), expected=round(awaited))


def score_sign(old: np.ndarray, new: np.ndarray, name: str = "risk") -> Sign | None:
    """PSI of the scores of one as-of term."""
    if min(len(old), len(new)) < LEAST_ROWS:
        return None
    value, limit = psi(old, new), psi_limit(10, len(old), len(new))
    return Sign(SCORES, name, value, limit, value > limit)


def calibration_by_cohort(risks: pd.DataFrame, column: str = "fused") -> pd.DataFrame:
    """Mean risk against observed share per cohort, with the Jeffreys interval of the share.

    All are judged at one as-of term, the same for every student of every cohort: a student's last row would
    not do, as who leaves early has an early last row, so that the choice of the row already tells the end.

    Parameters
    ----------
    risks : DataFrame
        ``student_key, cohort_term, as_of_index, outcome`` and the risk ``column``.

    Returns
    -------
    DataFrame
        ``cohort_term, as_of_index, students, mean_risk, observed, low, high, trusted``. ``trusted``: the
        interval holds the mean risk.
    """
    from scipy.stats import beta

    index = judged_at(risks)
    rows = []
    for cohort, group in risks[risks["as_of_index"] == index].groupby("cohort_term"):
        events, size = group["outcome"].sum(), len(group)
        low, high = beta.ppf([0.025, 0.975], events + 0.5, size - events + 0.5)
        mean = group[column].mean()
        rows.append((cohort, index, size, mean, events / size, low, high, bool(low <= mean <= high)))
    columns = ["cohort_term", "as_of_index", "students", "mean_risk", "observed", "low", "high", "trusted"]
    return pd.DataFrame(rows, columns=columns)


def judged_at(risks: pd.DataFrame) -> int:
    """The as-of term at which cohorts are judged: of those that most cohorts have, the nearest to the end of
    the first year (:data:`FIRST_YEAR`)."""
    cohorts = risks.groupby("as_of_index")["cohort_term"].nunique()
    if cohorts.empty:
        return FIRST_YEAR
    most = cohorts.index[cohorts == cohorts.max()]
    terms: list[int] = most.tolist()
    return min(terms, key=lambda index: (abs(index - FIRST_YEAR), index))


def watch(
    old: Rows,
    new: Rows,
    old_ends: pd.DataFrame,
    new_ends: pd.DataFrame,
    rng: np.random.Generator,
    level: Level | None = None,
) -> Drift:
    """Every sign together.

    Parameters
    ----------
    old, new : Rows
        Rows of the training cohorts, and of the cohorts now scored.
    old_ends, new_ends : DataFrame
        Their durations (:func:`fusion.model.competing.durations`).
    rng : Generator
    level : callable, optional
        What the model in service says of rows (:func:`level_moved`).
    """
    signs = feature_signs(old, new, level)
    embedded = domain_sign(embeddings_of(old)[1], embeddings_of(new)[1], rng)
    exits = early_exit_sign(*alike(old, new, old_ends, new_ends))
    return Drift(tuple(signs + [sign for sign in (embedded, exits) if sign is not None]))


def embeddings_of(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Students who have a signature, and the newest embedding of each."""
    positions = pd.Series(rows.position[rows.signed]).groupby(rows.students[rows.signed]).max()
    return positions.index.to_numpy(object), rows.signatures.states[positions.to_numpy(int)]
