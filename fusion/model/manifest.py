"""The manifest of a model: what it was made of, how good it was found, what became of it. One reader, one
writer.

The store keeps it as JSON (``models.manifest``), the model's folder as ``manifest.json``; everything else
sees a :class:`Manifest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from fusion.model.booster import TreeSettings
from fusion.model.examined import Evaluation, Examination
from fusion.model.older_manifests import renewed
from fusion.model.plain_json import Unreadable, from_plain, to_plain
from fusion.model.watched import Recalibrated, Watch

FORMAT = 5
"""1: trees alone. 2: with the line. 3: with peers, so that no fact counts against its plain direction.
4: the same files; arms, verdicts and signs as codes. 5: with the least risk that the past can bear."""
WITH_LINE, WITH_DIRECTIONS = 2, 3


@dataclass(frozen=True)
class Fitness:
    """What a register holds for learning one target, and why that is not enough.

    Parameters
    ----------
    target : {"late", "dropout"}
    students, events, cohorts : int
        Students of known outcome, those with the event, and their entry cohorts.
    reason : str
        Empty when the target may be learned; else "no_outcomes", "no_events", "only_events", "few_students"
        (the share is known too loosely), "few_cases" (no ranking could be told from chance) or "one_cohort".
    share_error, auc_error : float
        Half the widths of the two intervals; 1 where there is nothing to measure.
    needed : int
        Students of known outcome that would do if the share stayed the same; 0 when that cannot be said.
    """

    target: str
    students: int
    events: int
    cohorts: int
    reason: str = ""
    share_error: float = 1.0
    auc_error: float = 1.0
    needed: int = 0

    @property
    def fit(self) -> bool:
        """Whether a model of this target may be taught, served and scored."""
        return not self.reason

    def as_dict(self) -> dict:
        """For the store's fact: counts and the verdict."""
        return asdict(self)


@dataclass(frozen=True)
class TrainedOn:
    """What taught a model: students, how many of each label, how far the register reached, and what in it
    looked wrong (codes of :data:`fusion.validation.doubts.DOUBTS`).

    ``drawn_from``: of how many students of known outcome they were drawn by lot; None: they are all.
    """

    students: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    until: date | None = None
    drawn_from: int | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Served:
    """When a model went into service, by whom and why."""

    at: datetime
    actor: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """What a model says of itself.

    Parameters
    ----------
    version : str
        Its name in the registry.
    format : int
        Of the model, 1…:data:`FORMAT`; an older one keeps its own.
    code_version, data_hash : str
        SHA-256 of the code and of the data that made it.
    seed : int
    settings : TreeSettings or None
    encoder_id : str or None
        Of the signatures; None: records only.
    features, record_features : tuple of str
        Every feature, and those of the records.
    categories : dict of str to tuple of str
    bands : dict of str to tuple of float
        Target → rising edges of the bands of risk.
    tree_weight : dict of str to float
        Target → share of the trees beside the line; empty for format 1.
    signature_rounds : dict of str to int
    trained_on : TrainedOn
    assessment : Examination or None
        None when it was never examined.
    fitness : dict of str to Fitness
        Verdict on what the register can teach; empty for models of before there was a rule.
    monitor : Watch or None
    recalibrated : Recalibrated or None
    records_only : bool
        Whether it is served without signatures.
    counted : dict of str to tuple of int, or None
        Target → as-of terms at which past students could be counted for a range; None when that was not
        recorded.
    level : dict of str to float
        Target → log-odds by which its level was moved to cohorts that matured since training; a model whose
        level moved has a name of its own.
    served : tuple of Served
        The oldest first.
    files : dict of str to str
        Name → SHA-256.
    """

    version: str = ""
    format: int = FORMAT
    code_version: str = ""
    data_hash: str = ""
    seed: int = 0
    settings: TreeSettings | None = None
    encoder_id: str | None = None
    features: tuple[str, ...] = ()
    record_features: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bands: dict[str, tuple[float, ...]] = field(default_factory=dict)
    tree_weight: dict[str, float] = field(default_factory=dict)
    signature_rounds: dict[str, int] = field(default_factory=dict)
    trained_on: TrainedOn = field(default_factory=TrainedOn)
    assessment: Examination | None = None
    fitness: dict[str, Fitness] = field(default_factory=dict)
    monitor: Watch | None = None
    recalibrated: Recalibrated | None = None
    records_only: bool = False
    counted: dict[str, tuple[int, ...]] | None = None
    level: dict[str, float] = field(default_factory=dict)
    served: tuple[Served, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def keeps_directions(self) -> bool:
        """Whether no fact can count against its plain direction; false for models from before that rule."""
        return self.format >= WITH_DIRECTIONS

    @property
    def missing(self) -> tuple[str, ...]:
        """What it cannot say, as codes: models of an earlier version did not record it.

        ``line`` and ``directions`` (parts of the model itself), ``examination``, ``curve`` (precision and
        recall by length of the list), ``fitness``, ``until`` (how far its register reached), ``watch``.
        """
        lacks = {
            "line": self.format < WITH_LINE,
            "directions": not self.keeps_directions,
            "examination": self.assessment is None,
            "curve": self.assessment is not None and not self.assessment.precision_recall,
            "fitness": not self.fitness,
            "until": self.trained_on.until is None,
            "watch": self.monitor is None,
        }
        return tuple(code for code, lacking in lacks.items() if lacking)

    def arms(self, target: str) -> dict[str, Evaluation]:
        """Arm → figures of one target; empty when it was never examined."""
        return {} if self.assessment is None else self.assessment.evaluations.get(target, {})


def read_manifest(held: Mapping[str, Any]) -> Manifest:
    """A manifest of any format from the JSON that was kept.

    Parameters
    ----------
    held : mapping
        As the store or the model's folder holds it.

    Raises
    ------
    Unreadable
        When it was written by a newer version of the software, or a value is of the wrong kind.
    """
    made = held.get("format", FORMAT)
    if not isinstance(made, int) or made > FORMAT:
        raise Unreadable(f"format must be at most {FORMAT}, got {made!r}: made by a newer version")
    return from_plain(Manifest, renewed(held))


def write_manifest(manifest: Manifest) -> dict[str, Any]:
    """The JSON to keep of a manifest, in today's words; an older model keeps its format."""
    return to_plain(manifest)


__all__ = [
    "FORMAT",
    "Fitness",
    "Manifest",
    "Served",
    "TrainedOn",
    "Unreadable",
    "read_manifest",
    "write_manifest",
]
