"""May a target be learned from this register at all? Asked before anything is taught, per target.

The rule, in one place. A target is learned only when

1. the share of the event is known to within ±10 points: the 95 % Wilson interval of the share among all
   students of known outcome is at most 0.20 wide (E. B. Wilson, JASA 22 (1927) 209–212). R. D. Riley et al.,
   "Calculating the sample size required for developing a clinical prediction model", BMJ 368 (2020) m441,
   begin with the same demand at ±5 points; ±10 is what a sentence such as "about 34 of 100" can bear;
2. a useful ranking could be told from chance: the 95 % interval of a ROC-AUC of 0.70 with so many students
   with and without the event is at most 0.30 wide, so that it ends above 0.55 (J. A. Hanley and B. J. McNeil,
   "The meaning and use of the area under a ROC curve", Radiology 143 (1982) 29–36);
3. the students come from at least two entry cohorts: one to learn from, one to be judged on.

Near an even share the first demand asks for 93 students, the second for 24 of either kind; with a rare event
the second asks for 15 or more of it. Nothing can be learned of an event that never happened, or always did.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import numpy as np

from data.columns import POSITIVE, TARGETS
from fusion.features.rows import TrainingSet
from fusion.model.examined import Evaluation
from fusion.model.manifest import Fitness, Manifest

Z95 = 1.959963984540054
SHARE_WITHIN = 0.10  # half the width of the interval of the share
AUC_WITHIN = 0.15  # half the width of the interval of a ROC-AUC …
AUC_ASSUMED = 0.70  # … of this size: what study records usually give
LEAST_COHORTS = 2
FACT = "fitness"  # fact of the store: target → what the last training found
MOST_STUDENTS = 100_000  # beyond it "how many would do" is not worth saying


def share_error(events: int, students: int) -> float:
    """Half the width of the 95 % Wilson interval of ``events / students``; 1 without students."""
    if students <= 0:
        return 1.0
    share = events / students
    inner = share * (1 - share) / students + Z95**2 / (4 * students**2)
    return Z95 * sqrt(inner) / (1 + Z95**2 / students)


def auc_error(events: int, others: int, auc: float = AUC_ASSUMED) -> float:
    """Half the width of the 95 % interval of a ROC-AUC (Hanley and McNeil 1982); 1 when one kind is missing.

    Parameters
    ----------
    events, others : int
        Students with and without the event.
    auc : float
        The area assumed, 0.5…1.
    """
    if min(events, others) <= 0:
        return 1.0
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (events - 1) * (first - auc**2) + (others - 1) * (second - auc**2)
    return min(1.0, Z95 * sqrt(spread / (events * others)))


def weigh(target: str, students: int, events: int, cohorts: int, *, one_cohort: bool = False) -> Fitness:
    """The rule at the head of this module, applied to counts.

    Parameters
    ----------
    target : str
    students, events, cohorts : int
    one_cohort : bool
        Take a register that cannot tell its cohorts apart; its model is then judged on students held out at
        random.
    """
    share, auc = share_error(events, students), auc_error(events, students - events)
    reasons = (
        (students == 0, "no_outcomes"),
        (events == 0, "no_events"),
        (events == students, "only_events"),
        (share > SHARE_WITHIN, "few_students"),
        (auc > AUC_WITHIN, "few_cases"),
        (cohorts < LEAST_COHORTS and not one_cohort, "one_cohort"),
    )
    reason = next((name for fails, name in reasons if fails), "")
    needed = _needed(events / students) if reason in ("few_students", "few_cases") else 0
    return Fitness(target, students, events, cohorts, reason, round(share, 4), round(auc, 4), needed)


def weigh_training_set(target: str, part: TrainingSet, *, one_cohort: bool = False) -> Fitness:
    """The same for the rows that would teach: a student counts once."""
    if not len(part.rows):
        return weigh(target, 0, 0, 0)
    each = part.rows.meta.assign(event=np.asarray(part.outcome)).drop_duplicates("student_key")
    cohorts = each["cohort_term"].nunique()
    return weigh(target, len(each), int(each["event"].sum()), cohorts, one_cohort=one_cohort)


def fitness_of(manifest: Manifest) -> dict[str, Fitness]:
    """The verdict on every target of a registered model.

    A model that was trained before there was a rule is judged by the labels that it recorded; its cohorts are
    0, as it does not say of how many they were.
    """
    if manifest.fitness:
        return manifest.fitness
    labels = manifest.trained_on.labels
    if not labels:  # nothing is known of what taught it
        return {}
    return {
        target: weigh(target, sum(labels.values()), _events(labels, target), 0, one_cohort=True)
        for target in manifest.bands
    }


def unfit(manifest: Manifest) -> dict[str, Fitness]:
    """The targets of a registered model that it must not speak about."""
    found = fitness_of(manifest)
    return {target: found[target] for target in TARGETS if target in found and not found[target].fit}


def verdict(manifest: Manifest | None, fact: Mapping | None, target: str) -> Fitness | None:
    """What is known about a target: by the model in service, else by the last training that found too little.

    Parameters
    ----------
    manifest : Manifest or None
        Of the model in service.
    fact : dict or None
        The store's fact :data:`FACT`.
    """
    if manifest is not None:
        return fitness_of(manifest).get(target)
    about = (fact or {}).get(target)
    return Fitness(**about) if about else None


def judged_on_few(evaluation: Evaluation) -> bool:
    """Whether an examination saw too few students to tell a useful ranking from chance.

    Parameters
    ----------
    evaluation : Evaluation
        Of one arm. Its events count rows; that many students are taken for them in proportion.
    """
    if not evaluation.rows:
        return True
    events = round(evaluation.events * evaluation.students / evaluation.rows)
    return auc_error(events, evaluation.students - events) > AUC_WITHIN


def missing_exits(labels: Mapping[str, int]) -> list[str]:
    """Kinds of ending that no student of known outcome has: "dropout", "on_time", "delayed".

    A register that lists graduates only knows nothing of those who left; what is learned from it holds for
    graduates only.
    """
    if not sum(labels.values()):
        return []
    return [kind for kind in ("dropout", "on_time", "delayed") if not labels.get(kind)]


def _events(labels: Mapping[str, int], target: str) -> int:
    return sum(int(labels.get(name, 0)) for name in POSITIVE[target])


def _needed(share: float) -> int:
    """The fewest students of this share of events for which both intervals are narrow enough."""
    low, high = 1, MOST_STUDENTS
    if not _would_do(high, share):
        return 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _would_do(middle, share) else (middle + 1, high)
    return low


def _would_do(students: int, share: float) -> bool:
    events = round(share * students)
    return (
        share_error(events, students) <= SHARE_WITHIN and auc_error(events, students - events) <= AUC_WITHIN
    )
