"""Specimens of the store → descriptors for verification. Only new ones; killed and started again, nothing
doubles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pandas as pd

from data import queries
from data.engine.database import Store
from data.signatures.findings import Finding
from data.store import write_quality
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification.write import write_descriptors
from vision.descriptor.descriptors import Descriptor, load_descriptor
from vision.encoder.embed_specimens import KnownCopies
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.scans.quality import check_pixels

CHUNK = 64
"""Specimens per transaction: what a kill can cost."""

Progress = Callable[[int, int], None]


@lru_cache(maxsize=1)
def descriptor_in_use() -> Descriptor:
    """The signature descriptor, loaded once per process."""
    return load_descriptor("signature")


def id_of_descriptor(descriptor: Descriptor) -> str:
    """Name, version and the beginning of the hash: other code or weights make another descriptor."""
    info = descriptor.info
    return f"{info.encoder_id}+{info.weights_sha256[:8]}"


def describe_pending(
    store: Store, progress: Progress | None = None, *, descriptor: Descriptor | None = None, threads: int = 2
) -> int:
    """Check and describe every specimen of consenting students that the descriptor has not described yet.

    Parameters
    ----------
    store : Store
    progress : callable, optional
        Receives (done, total) after each chunk.
    descriptor : Descriptor, optional
        The signature descriptor by default.
    threads : int
        Threads that decode and check; at least 1.

    Returns
    -------
    int
        Specimens described now.
    """
    descriptor = descriptor or descriptor_in_use()
    pending = queries_verification.undescribed(store, id_of_descriptor(descriptor))
    return describe_specimens(store, descriptor, pending, progress, threads)


def describe_specimens(
    store: Store,
    descriptor: Descriptor,
    pending: pd.DataFrame,
    progress: Progress | None = None,
    threads: int = 1,
) -> int:
    """Describe the given specimens, and check those that no check has seen.

    Parameters
    ----------
    pending : DataFrame
        ``specimen_id`` and ``checked``.
    """
    if pending.empty:
        return 0
    known = None if pending["checked"].all() else KnownCopies.of(queries.specimen_table(store))
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for start in range(0, len(pending), CHUNK):
            chunk = pending.iloc[start : start + CHUNK]
            ids = list(chunk["specimen_id"])
            files = [queries.specimen_image(store, one, Scope.system()) for one in ids]
            read = list(pool.map(_read, files, ~chunk["checked"]))
            fresh = {one: found for one, (_, found) in zip(ids, read, strict=True) if found is not None}
            if fresh:
                write_quality(store, known.mark_copies(fresh))
            write_descriptors(store, id_of_descriptor(descriptor), ids, _vectors(descriptor, read))
            if progress:
                progress(start + len(chunk), len(pending))
    return len(pending)


def _vectors(descriptor: Descriptor, read: Sequence[tuple]) -> np.ndarray:
    return descriptor.describe([ink for ink, _ in read])


def _read(data: bytes, unchecked: bool) -> tuple[np.ndarray, list[Finding] | None]:
    pixels = decode_image(data)
    return to_ink(pixels), check_pixels(pixels) if unchecked else None
