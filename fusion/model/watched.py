"""What the watch over a model in service found, as it is kept: signs of drift, probes, moves of its level."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from fusion.metrics import Estimate

FEATURE, MISSINGNESS, EMBEDDINGS, EXITS, SCORES = "feature", "missingness", "embeddings", "exits", "scores"
SIGN_KINDS = (FEATURE, MISSINGNESS, EMBEDDINGS, EXITS, SCORES)
OLD_OR_NEW = "old_or_new"  # what the sign of the embeddings asks


@dataclass(frozen=True)
class Sign:
    """One thing looked at.

    Parameters
    ----------
    kind : str
        One of :data:`SIGN_KINDS`.
    name : str
        Of the feature, or what was asked.
    value, limit : float
    alarm : bool
    seen, expected : int or None
        Drop-outs of the young cohorts, of the kind "exits".
    """

    kind: str
    name: str
    value: float
    limit: float
    alarm: bool
    seen: int | None = None
    expected: int | None = None


@dataclass(frozen=True)
class Probe:
    """How well a linear classifier names an attribute from the embedding.

    Parameters
    ----------
    attribute : str
    students, classes : int
    accuracy : Estimate
        Balanced accuracy out of fold (mean share of each class named right).
    chance : float
        1 / classes.
    predicts : bool
        Whether the whole interval lies above chance.
    """

    attribute: str
    students: int
    classes: int
    accuracy: Estimate
    chance: float
    predicts: bool


@dataclass(frozen=True)
class Watch:
    """Young cohorts beside those that taught the model.

    Parameters
    ----------
    taught_until : date or None
        Up to when the register reached when the model was trained.
    taught, later : int
        Students of either side.
    enough : bool
        Whether there are students enough on both sides to tell.
    trusted : bool
        Whether no sign alarms.
    signs : tuple of Sign
        Alarms first.
    probes : tuple of Probe
    """

    taught_until: date | None = None
    taught: int = 0
    later: int = 0
    enough: bool = True
    trusted: bool = True
    signs: tuple[Sign, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def alarms(self) -> tuple[Sign, ...]:
        """The signs beyond their limit."""
        return tuple(sign for sign in self.signs if sign.alarm)


@dataclass(frozen=True)
class Moved:
    """What newly matured cohorts came to, and by how much (log-odds) the level was moved; 0: not at all."""

    students: int
    expected: float
    observed: float
    step: float


@dataclass(frozen=True)
class Recalibrated:
    """The last look at the level: up to which day, and what was done per target."""

    until: date | None = None
    targets: dict[str, Moved] = field(default_factory=dict)
