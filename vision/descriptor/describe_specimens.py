"""Specimens of the store → descriptors for verification, and outlines for the search for copies. Only new
ones; killed and started again, nothing doubles.

To open a scan and find its ink takes longer than to outline it. So whatever is described is outlined with it,
and a search for copies finds its outlines there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from data.engine.database import Store
from data.engine.progress import Progress
from data.engine.spread import HERE, Spread
from data.verification import queries as queries_verification
from data.verification.write import write_descriptors
from vision.descriptor.descriptors import Descriptor, load_descriptor
from vision.descriptor.outlines import Outlines
from vision.scans.specimens import each_specimen

CHUNK = 64
"""Specimens per transaction: what a kill can cost."""


@lru_cache(maxsize=1)
def descriptor_in_use() -> Descriptor:
    """The signature descriptor, loaded once per process."""
    return load_descriptor("signature")


def id_of_descriptor(descriptor: Descriptor) -> str:
    """Name, version and the beginning of the hash: other code or weights make another descriptor."""
    info = descriptor.info
    return f"{info.encoder_id}+{info.weights_sha256[:8]}"


@dataclass(frozen=True)
class Describing:
    """Ink images → descriptors, side by side: a :class:`vision.scans.specimens.Maker`."""

    descriptors: tuple[Descriptor, ...]

    def of_ink(self, ink: np.ndarray) -> np.ndarray:
        """The ink image itself."""
        return ink

    def together(self, kept: list[np.ndarray]) -> np.ndarray:
        """Descriptors, float32 (n, d): those of the first, of the second, …"""
        return np.hstack([one.describe(kept) for one in self.descriptors])


def describe_pending(
    store: Store,
    progress: Progress | None = None,
    *,
    descriptor: Descriptor | None = None,
    threads: int = 2,
    spread: Spread = HERE,
) -> int:
    """Check, describe and outline every specimen of consenting students that the descriptor has not described
    yet.

    Parameters
    ----------
    store : Store
    progress : Progress, optional
        Told after each chunk.
    descriptor : Descriptor, optional
        The signature descriptor by default.
    threads : int
        Threads that decode and check; at least 1.
    spread : Spread
        Where to describe.

    Returns
    -------
    int
        Specimens described now.
    """
    descriptor = descriptor or descriptor_in_use()
    pending = queries_verification.undescribed(store, id_of_descriptor(descriptor))
    return describe_specimens(store, descriptor, pending, progress, threads, spread)


def describe_specimens(
    store: Store,
    descriptor: Descriptor,
    pending: pd.DataFrame,
    progress: Progress | None = None,
    threads: int = 1,
    spread: Spread = HERE,
) -> int:
    """Describe and outline the given specimens, and check those that no check has seen.

    Parameters
    ----------
    pending : DataFrame
        ``specimen_id`` and ``checked``.
    """
    outlines = Outlines()
    # Outlines first: a kill between two writes leaves nothing that is described and not outlined.
    together = {id_of_descriptor(one): one for one in (outlines, descriptor)}

    def write(ids: list[str], vectors: np.ndarray) -> None:
        parts = np.split(vectors, [outlines.info.dim], axis=1)  # of outlines alone nothing is left
        for descriptor_id, part in zip(together, parts, strict=False):
            write_descriptors(store, descriptor_id, ids, part)

    damaged = each_specimen(
        store,
        pending.assign(check=~pending["checked"], wanted=True),
        Describing(tuple(together.values())),
        write,
        what="describing specimens",
        chunk=CHUNK,
        threads=threads,
        progress=progress,
        spread=spread,
    )
    return len(pending) - len(damaged)
