"""What an examination of a model found, as it is kept: figures on later cohorts, no row of a student.

Arms, verdicts and protocols are codes; what they are called stands in :mod:`fusion.validation.report` and in
the dashboard's locales.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from math import nan

from fusion.metrics import Estimate
from fusion.model.booster import TreeSettings

FUSED, RECORDS, LOGISTIC, RULE, BASE = "fused", "records", "logistic", "rule", "base"
ARMS = (FUSED, RECORDS, LOGISTIC, RULE, BASE)
"""The model, the model on records alone, logistic regression, the credits-and-GPA rule, the base rate."""
ADDS, NOTHING, FEW = "adds", "nothing", "few"
STANDS_FOR = "stands_for"
VERDICTS = (ADDS, STANDS_FOR, NOTHING, FEW)
"""Whether signatures add anything: they do; they seem to, but also give away what else is recorded or barred;
nothing measurable; or it cannot be told."""
EVERYBODY = "everybody"
"""In a decision curve: a talk with everybody."""
MODEL, EITHER = "model", "either"
"""Which to use: the model; or either, as no difference can be told. Else the arm of a simple way."""
FORWARD, HELD_OUT = "forward", "held_out"
"""Judged on later cohorts, or on students held out at random where no cohort can be."""


@dataclass(frozen=True)
class Evaluation:
    """Figures of one risk on one set of rows.

    Parameters
    ----------
    rows, students, events : int
        Size of the set; events counts rows.
    clustered_by : str
        What the bootstrap draws.
    figures : dict of str to Estimate
        ``roc_auc``, ``roc_auc_within_programme``, ``pr_auc``, ``brier``, ``ece`` (over all rows),
        ``ece_folds`` (the mean over five parts of the students), ``slope``, ``intercept``, and
        ``precision_at_10``, ``recall_at_10``, ``lift_at_10`` … per capacity.
    """

    rows: int = 0
    students: int = 0
    events: int = 0
    clustered_by: str = ""
    figures: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Ablation:
    """The same students scored by records, by signature and by both.

    Parameters
    ----------
    target : {"late", "dropout"}
    students, rows : int
        Test students and rows that have a signature.
    arms : dict of str to dict of str to Estimate
        ``records``, ``signature``, ``fused`` → figures.
    differences : dict of str to Estimate
        Fused less records, paired: ``roc_auc``, ``pr_auc``, ``brier``, ``precision_at_10``, ``…_20``.
    p_value : float
        Share of permutations of signatures within programme × intake that do as well (b + 1) / (m + 1); NaN
        where nothing was compared.
    verdict : str
        One of :data:`VERDICTS`.
    gives_away : tuple of str
        Attributes that embeddings of the compared students predict better than chance.
    reachable : Estimate or None
        AUC gain of the records margin with a line on the signature, both weighed on the test students out of
        fold: an upper reading of what there is to gain.
    """

    target: str = ""
    students: int = 0
    rows: int = 0
    arms: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    differences: dict[str, Estimate] = field(default_factory=dict)
    p_value: float = nan
    verdict: str = ""
    gives_away: tuple[str, ...] = ()
    reachable: Estimate | None = None


@dataclass(frozen=True)
class TermFigure:
    """One figure of the fused arm at one as-of term, with its 95 % interval."""

    target: str
    as_of_index: int
    students: int
    events: int
    figure: str
    value: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True)
class Reliability:
    """One tenth of the rows by risk: mean risk, observed share with its interval, rows."""

    target: str
    risk: float
    observed: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class ListPoint:
    """Precision and recall of an arm's list of one length (a share of the rows, 0…1)."""

    target: str
    arm: str
    share: float
    precision: float = nan
    recall: float = nan


@dataclass(frozen=True)
class ListWorth:
    """An arm's real lists (one advisor's, at one as-of term) taken together, term by term.

    Parameters
    ----------
    arm : str
    as_of_index : int
    lists, students, events : int
        Lists, the students they are taken from, and how many of those met the outcome.
    precision, recall, lift : Estimate
        Of those listed; lift is precision over the share among all.
    target : str
    """

    arm: str
    as_of_index: int
    lists: int
    students: int
    events: int
    precision: Estimate
    recall: Estimate
    lift: Estimate
    target: str = ""


@dataclass(frozen=True)
class DecisionPoint:
    """Net benefit of an arm, or of a talk with :data:`EVERYBODY`, at one threshold of risk."""

    arm: str
    threshold: float
    net_benefit: float
    target: str = ""


@dataclass(frozen=True)
class Choice:
    """Which to use, by net benefit (:func:`fusion.validation.worth.choose`).

    Parameters
    ----------
    threshold : float
        The share of past students who met the outcome.
    best_simple : str
        The better of the credits-and-GPA rule and the base rate.
    use : str
        :data:`MODEL`, :data:`EITHER`, or the arm of the simple way.
    net_benefit, gain_over : dict of str to Estimate
        Arm → its net benefit, and the model's less it.
    """

    threshold: float = 0.0
    best_simple: str = RULE
    use: str = EITHER
    net_benefit: dict[str, Estimate] = field(default_factory=dict)
    gain_over: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class CohortRisk:
    """Mean risk of a cohort against its observed share; ``trusted``: the interval holds the mean risk.

    ``as_of_index`` is the one as-of term at which it was judged; -1 in models that took each student's last.
    """

    target: str
    cohort_term: int
    as_of_index: int = -1
    students: int = 0
    mean_risk: float = nan
    observed: float = nan
    low: float = nan
    high: float = nan
    trusted: bool = True

    @property
    def share(self) -> Estimate:
        """The observed share with its interval."""
        return Estimate(self.observed, self.low, self.high)


@dataclass(frozen=True)
class SetCoverage:
    """How often the conformal sets of a programme ("" all) held the truth, and the share of each answer."""

    target: str
    program_code: str
    rows: int
    covered: float = nan
    answers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FirstAlert:
    """Cases that were first on the list at an as-of term (None: never), and their share of all cases."""

    first_alert: float | None
    cases: int
    share_of_cases: float


@dataclass(frozen=True)
class Stability:
    """Share of a term's list that was on the list a term earlier, among students scored both times."""

    as_of_index: int
    stayed: float
    students: int


@dataclass(frozen=True)
class ListFigures:
    """How the list of the ``share`` with the highest risk behaves over the terms; see
    :class:`fusion.validation.lists.ListReport`."""

    share: float = 0.2
    lead_time: tuple[FirstAlert, ...] = ()
    median_lead: float = nan
    stability: tuple[Stability, ...] = ()
    alerts_per_case: float = nan


@dataclass(frozen=True)
class GroupRates:
    """Errors of one group; without counts and rates where the group is small (``suppressed``)."""

    attribute: str
    group: str
    suppressed: bool
    students: int | None = None
    events: int | None = None
    rates: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """The largest difference of a figure between two groups of an attribute."""

    attribute: str
    figure: str
    gap: float
    low: float
    high: float
    between: str

    @property
    def estimate(self) -> Estimate:
        """The difference with its interval."""
        return Estimate(self.gap, self.low, self.high)


@dataclass(frozen=True)
class Audit:
    """Errors by group at one as-of term, of the list of the ``share`` with the highest risk."""

    target: str = ""
    as_of_index: int = 0
    share: float = 0.0
    table: tuple[GroupRates, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Examination:
    """How a method did on students it had not seen; everything per target.

    Parameters
    ----------
    protocol : {"forward", "held_out"}
    simulated_date : date or None
        Day up to which the training part was known.
    train_students, test_students : int
    settings : TreeSettings or None
        What the trees were grown with.
    evaluations : dict of str to dict of str to Evaluation
        Target → arm (:data:`ARMS`) → figures.
    ablations, lists, fairness : dict
        Per target.
    by_as_of, calibration, precision_recall, cohorts, sets, worth, decision : tuple
        Rows of every target.
    choices : dict of str to Choice
        Target → which to use; empty for models from before that was judged.
    """

    protocol: str = FORWARD
    simulated_date: date | None = None
    train_students: int = 0
    test_students: int = 0
    settings: TreeSettings | None = None
    evaluations: dict[str, dict[str, Evaluation]] = field(default_factory=dict)
    ablations: dict[str, Ablation] = field(default_factory=dict)
    by_as_of: tuple[TermFigure, ...] = ()
    calibration: tuple[Reliability, ...] = ()
    precision_recall: tuple[ListPoint, ...] = ()
    cohorts: tuple[CohortRisk, ...] = ()
    lists: dict[str, ListFigures] = field(default_factory=dict)
    sets: tuple[SetCoverage, ...] = ()
    fairness: dict[str, Audit] = field(default_factory=dict)
    worth: tuple[ListWorth, ...] = ()
    decision: tuple[DecisionPoint, ...] = ()
    choices: dict[str, Choice] = field(default_factory=dict)

    def figure(self, target: str, arm: str, name: str) -> Estimate | None:
        """One figure of one arm; None where it was not measured."""
        evaluation = self.evaluations.get(target, {}).get(arm)
        return None if evaluation is None else evaluation.figures.get(name)
