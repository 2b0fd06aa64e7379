"""How a model's scores may be told: as counts of past students, or as places in the order only.

A sentence such as "of 100 past students about 34" needs two things: past students to count, and young cohorts
that are like them. Where either is missing the order of the students may still hold, and only that is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from fusion.model.manifest import Manifest

COUNTS, RANKS = "counts", "ranks"
DRIFT, UNCOUNTED = "drift", "uncounted"


@dataclass(frozen=True)
class Footing:
    """How the scores of a target may be told.

    Parameters
    ----------
    kind : {"counts", "ranks"}
    why : {"", "drift", "uncounted"}
        Why ranks only: an alarm of the watch stands, or at no as-of term are there past students enough to
        count.
    """

    kind: str = COUNTS
    why: str = ""

    @property
    def ranks(self) -> bool:
        """Whether only the order may be told."""
        return self.kind == RANKS


def footing(manifest: Manifest, target: str) -> Footing:
    """How the scores of ``target`` by a registered model may be told.

    A model from before this was recorded is taken to have counted.
    """
    if manifest.monitor is not None and not manifest.monitor.trusted:
        return Footing(RANKS, DRIFT)
    if manifest.counted is not None and not manifest.counted.get(target):
        return Footing(RANKS, UNCOUNTED)
    return Footing()
