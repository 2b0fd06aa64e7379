"""``python -m vision calibrate --forgers OUT --set DIR``: fitted numbers about forgers, from sets that hold
some."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.engine.progress import Progress

INKS = {"grey": "tepat", "binary": "tepat_binary"}
MOST_WRITERS, MOST_GENUINE, MOST_FORGED = 66, 16, 8
"""Of each set; every source weighs the same, so more would change little."""


def make_forgers(folders: list[Path], out: Path, progress: Progress | None = None):
    """Describe the sets, grey and with binary ink, and write what was fitted.

    Parameters
    ----------
    folders : list of Path
        Each with one folder per writer, ``genuine_*`` and ``forged_*`` images in it.
    out : Path
        JSON file.
    progress : Progress, optional
        Told after each writer.

    Returns
    -------
    vision.verification.forger_share.Forgers
    """
    from vision.descriptor.describe_specimens import descriptor_in_use, id_of_descriptor
    from vision.verification.forger_share import fit_forgers, write_forgers
    from vision.verification.synthetic_ground import SHIPPED, described_by, make_synthetic, read_synthetic
    from vision.verification.verify import CLASSIFIER_VERSION

    descriptor = descriptor_in_use()
    descriptor_id = id_of_descriptor(descriptor)
    sets = {}
    for folder in folders:
        for ink, variant in INKS.items():
            described = _described(folder, descriptor, variant, progress)
            before = sets.get(f"{folder.name} grey")
            if before and all(
                np.array_equal(a.genuine, b.genuine) for a, b in zip(before, described, strict=True)
            ):
                continue  # a set whose scans are black and white already
            sets[f"{folder.name} {ink}"] = described
    shipped = described_by(SHIPPED) == descriptor_id
    made = (
        read_synthetic(SHIPPED, descriptor.blocks) if shipped else make_synthetic(descriptor, descriptor_id)
    )
    found = fit_forgers(sets, made.writers, descriptor.blocks, descriptor_id, CLASSIFIER_VERSION)
    write_forgers(found, out)
    return found


def _described(folder: Path, descriptor, variant: str, progress: Progress | None):
    from vision.scans.preprocess import to_ink
    from vision.scans.signature_folders import read_scan, read_signature_set
    from vision.verification.ground import WriterSet

    found = read_signature_set(folder, MOST_WRITERS)

    def vectors(rows) -> np.ndarray:
        return descriptor.describe([to_ink(read_scan(found.paths[row]), variant) for row in rows])

    described, writers = [], np.unique(found.writers)
    for writer in writers:
        genuine = vectors(found.genuine_of(writer)[:MOST_GENUINE])
        forged = vectors(found.forged_of(writer)[:MOST_FORGED])
        described.append(WriterSet(f"{found.name}-{writer}", genuine, forged))
        if progress:
            progress(len(described), len(writers), f"{found.name} {variant}")
    return described
