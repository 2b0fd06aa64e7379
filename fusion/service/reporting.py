"""What a report after TRIPOD+AI and PROBAST asks for, counted from the store and the manifest.

G. S. Collins et al., "TRIPOD+AI statement", BMJ 385 (2024) e078378; R. F. Wolff et al., "PROBAST", Annals of
Internal Medicine 170 (2019) 51–58; sample size: R. D. Riley et al., BMJ 368 (2020) m441. What cannot be
counted stays None, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import pandas as pd

from data import queries
from data.calendar.term_calendar import GRADES_KNOWN_AFTER, term_end
from data.columns import LEAST_TERMS_LEFT, TARGETS
from data.engine.database import Store
from data.trust.scope import Scope
from fusion.features.splits import labels, mature_labels, maturity
from fusion.model.manifest import Manifest
from fusion.service.sources import Parts

SHRINKAGE = 0.9  # of the model's effects, that the sample should allow
MODEST = 0.15  # share of the most that R² of Cox and Snell can reach, when nothing better is known


@dataclass(frozen=True)
class Flow:
    """From the register to those who could teach: students.

    ``registered = immature + open_end + usable``; ``immature``: of cohorts whose normal time is not over;
    ``open_end``: mature, but what became of them is not known or no exit that counts (transfer, death).
    ``without_terms``: of the usable, those without a single term row.
    """

    registered: int
    immature: int
    open_end: int
    usable: int
    without_terms: int
    cohorts: int
    labels: dict[str, int]


@dataclass(frozen=True)
class SampleSize:
    """Students of known outcome against the numbers that a target's model estimates.

    ``needed`` is the size at which effects shrink by no more than a tenth (Riley's second criterion, with
    Nagelkerke's R² taken as 0.15); None where the share of the event does not allow it to be worked out.
    """

    target: str
    students: int
    events: int
    parameters: int
    needed: int | None

    @property
    def events_per_parameter(self) -> float | None:
        """Students of the rarer outcome per number estimated."""
        rarer = min(self.events, self.students - self.events)
        return rarer / self.parameters if self.parameters else None


@dataclass(frozen=True)
class StudyReport:
    """Everything that a report prints besides the manifest.

    Parameters
    ----------
    flow : Flow
    sizes : tuple of SampleSize
    assumed_known_at : float or None
        Share of term rows that are said to have been known on the very day on which the calendar would have
        them booked: most likely assumed by the import. None without term rows.
    start_month : int
        Month in which the academic year starts, by which an exit belongs to a term.
    least_terms_left : dict of str to int
        Target → terms that must be left for it to be a risk.
    helped : int
        Students with a logged contact or step: help given between score and outcome changes the outcome.
    """

    flow: Flow
    sizes: tuple[SampleSize, ...]
    assumed_known_at: float | None
    start_month: int
    least_terms_left: dict[str, int]
    helped: int


def study_report(store: Store, manifest: Manifest) -> StudyReport:
    """Count what the report of a registered model needs from the store as it is now.

    Parameters
    ----------
    store : Store
    manifest : Manifest
        Of the model that the report is about.
    """
    register = Parts(store)
    records = register.people
    every, usable = labels(records), mature_labels(records)
    cohort = records.students.set_index("student_key")["cohort_term"]
    limit = pd.to_datetime(records.outcomes["observed_until"]).max()
    ripe = (maturity(records).reindex(every.index) <= limit).to_numpy()
    taught, assumed = set(), []
    for _, part in register.each():
        terms = part.until(fill=False).terms
        taught |= set(terms["student_key"])
        assumed.append((assumed_share(terms), len(terms)))
    flow = Flow(
        registered=len(every),
        immature=int((~ripe).sum()),
        open_end=int(ripe.sum()) - len(usable),
        usable=len(usable),
        without_terms=len(set(usable.index) - taught),
        cohorts=int(cohort.reindex(usable.index).nunique()),
        labels={str(name): int(count) for name, count in usable.value_counts().items()},
    )
    helped = queries.last_events(store, Scope.system())
    return StudyReport(
        flow=flow,
        sizes=tuple(_size(manifest, target) for target in TARGETS if target in manifest.fitness),
        assumed_known_at=_together(assumed),
        start_month=records.calendar.start_month,
        least_terms_left=dict(LEAST_TERMS_LEFT),
        helped=int(helped["student_key"].nunique()),
    )


def assumed_share(terms: pd.DataFrame) -> float | None:
    """Share of term rows, 0…1, known on the very day on which an import without dates has grades booked."""
    if terms.empty or "known_at" not in terms:
        return None
    days = {
        term: pd.Timestamp(term_end(int(term)) + GRADES_KNOWN_AFTER) for term in terms["term_id"].unique()
    }
    same = pd.to_datetime(terms["known_at"]).dt.normalize() == terms["term_id"].map(days)
    return float(same.mean())


def _together(shares: list[tuple[float | None, int]]) -> float | None:
    """The share among all rows, of the shares of parts with so many rows."""
    known = [(share, rows) for share, rows in shares if share is not None]
    rows = sum(count for _, count in known)
    return sum(share * count for share, count in known) / rows if rows else None


def needed_size(parameters: int, share: float) -> int | None:
    """Students at which a model of so many numbers shrinks its effects by no more than a tenth.

    Riley's second criterion: ``n = p / ((S - 1) ln(1 - R² / S))`` with S = 0.9 and R² of Cox and Snell at
    0.15 of the most that a share of the event allows, ``1 - exp(2 (φ ln φ + (1 - φ) ln (1 - φ)))``.
    """
    if not 0 < share < 1 or not parameters:
        return None
    most = 1 - exp(2 * (share * log(share) + (1 - share) * log(1 - share)))
    explained = MODEST * most
    return round(parameters / ((SHRINKAGE - 1) * log(1 - explained / SHRINKAGE)))


def _size(manifest: Manifest, target: str) -> SampleSize:
    found = manifest.fitness[target]
    parameters = sum(len(manifest.categories.get(name, ())) or 1 for name in manifest.record_features)
    share = found.events / found.students if found.students else 0.0
    return SampleSize(target, found.students, found.events, parameters, needed_size(parameters, share))
