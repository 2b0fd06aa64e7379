"""What a process keeps in memory for verification: descriptor, background, calibrations; and how they are
learned from a register."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import pandas as pd

from data.engine.database import Store
from data.engine.progress import Progress
from data.verification import queries as reads
from data.verification.write import write_calibration
from vision.descriptor.describe_specimens import descriptor_in_use, id_of_descriptor
from vision.descriptor.descriptors import Descriptor
from vision.scans.pen import PenTrace
from vision.verification.forger_share import REGISTER_DOUBT, read_forgers
from vision.verification.ground import (
    FEWEST_WRITERS,
    Ground,
    WriterSet,
    background_of,
    crosswise,
    fit_calibrations,
    split_register,
)
from vision.verification.likelihood import Calibration
from vision.verification.reference_choice import SPOILING
from vision.verification.synthetic_ground import SyntheticSet, load_synthetic
from vision.verification.verify import CLASSIFIER_VERSION

MOST_BACKGROUND, MOST_HELD_OUT = 120, 160
PER_WRITER = 4
"""Specimens of one writer in the background."""
MOST_TRIED = 10


@dataclass(frozen=True)
class Tools:
    """Everything that a comparison needs beside the student's own references.

    Attributes
    ----------
    descriptor : Descriptor
    descriptor_id : str
    ground : Ground
    pens : dict of str to vision.scans.pen.PenTrace
        Strokes of the references that have been measured, by specimen.
    """

    descriptor: Descriptor
    descriptor_id: str
    ground: Ground
    pens: dict[str, PenTrace] = field(default_factory=dict, compare=False)

    @property
    def versions(self) -> dict[str, str]:
        """What is kept with every enrolment and calibration."""
        return {
            "descriptor_id": self.descriptor_id,
            "descriptor_sha256": self.descriptor.info.weights_sha256,
            "classifier_version": CLASSIFIER_VERSION,
        }


_KEPT: dict[str, tuple[tuple, Tools]] = {}
_LOCK = Lock()


def tools_for(store: Store, descriptor: Descriptor | None = None) -> Tools:
    """The tools in force for a store; made anew after a calibration or an erasure.

    Parameters
    ----------
    store : Store
    descriptor : Descriptor, optional
        The signature descriptor by default.
    """
    descriptor = descriptor or descriptor_in_use()
    descriptor_id = id_of_descriptor(descriptor)
    stored = reads.newest_calibration(store, descriptor_id, CLASSIFIER_VERSION)
    # An erased student's descriptors must not live on in the memory of a server.
    key = (descriptor_id, stored and stored.number, reads.erasures(store))
    with _LOCK:
        held = _KEPT.get(store.url)
        if held is None or held[0] != key:
            ground = _stored_ground(store, descriptor, stored) if stored else None
            if ground is None:
                ground = synthetic_set(store, descriptor).ground(descriptor.blocks)
            _KEPT.clear()  # one store at a time: a background takes tens of megabytes
            held = _KEPT[store.url] = (key, Tools(descriptor, descriptor_id, ground))
        return held[1]


def synthetic_set(store: Store, descriptor: Descriptor, progress: Progress | None = None) -> SyntheticSet:
    """The synthetic signers for a descriptor: shipped, or made once and kept beside the store."""
    folder = store.cache_folder / "verification"
    return load_synthetic(descriptor, id_of_descriptor(descriptor), folder, progress)


def calibrate(
    store: Store,
    *,
    actor: str,
    role: str = "system",
    progress: Progress | None = None,
    descriptor: Descriptor | None = None,
) -> Ground:
    """Learn background and calibrations from this register, if it has enough writers.

    Half of the students with at least four usable specimens make the background; each half is tried on the
    other's: first signatures are references, later ones genuine trials, and each other's the random
    forgeries. Skilled forgeries are laid between the two where known forgers stand
    (:class:`vision.verification.forger_share.Forgers`).

    Returns
    -------
    Ground
        In force from now on; from synthetic signers, and not stored, when there are too few writers.
    """
    descriptor = descriptor or descriptor_in_use()
    descriptor_id = id_of_descriptor(descriptor)
    synthetic = synthetic_set(store, descriptor, progress)
    known = reads.described(store, descriptor_id, SPOILING)
    sides = split_register(known, MOST_BACKGROUND, MOST_HELD_OUT)
    if min(map(len, sides)) < FEWEST_WRITERS:
        return tools_for(store, descriptor).ground
    halves = [_writer_sets(store, descriptor_id, known, side, MOST_TRIED) for side in sides]
    _, own = crosswise(*halves, descriptor.blocks, PER_WRITER)
    forgers = read_forgers()
    trials = pd.concat([own, forgers.placed(own)], ignore_index=True)
    calibrations = fit_calibrations(trials, "fitted", REGISTER_DOUBT, forgers.writers)
    content = {
        "students": len(sides[0]),
        "calibrations": {str(count): one.to_dict() for count, one in calibrations.items()},
        "trials": {name: trials[name].round(5).tolist() for name in trials},
    }
    versions = Tools(descriptor, descriptor_id, synthetic.ground(descriptor.blocks)).versions
    write_calibration(store, versions, content, actor=actor, role=role)
    return tools_for(store, descriptor).ground


def _stored_ground(store: Store, descriptor: Descriptor, stored: reads.StoredCalibration) -> Ground | None:
    """Background and calibrations of the register; None when too few of its background are left."""
    descriptor_id = id_of_descriptor(descriptor)
    known = reads.described(store, descriptor_id, SPOILING)
    chosen, _ = split_register(known, int(stored.content["students"]), 0)
    if len(chosen) < FEWEST_WRITERS:
        return None
    version = f"register-{stored.number}"
    calibrations = {
        int(count): Calibration(**{**one, "version": version})
        for count, one in stored.content["calibrations"].items()
    }
    background = _background(store, descriptor_id, known, chosen, descriptor)
    return Ground("register", version, background, calibrations, pd.DataFrame(stored.content["trials"]))


def _background(store, descriptor_id: str, known: pd.DataFrame, keys: list[str], descriptor: Descriptor):
    return background_of(_writer_sets(store, descriptor_id, known, keys, PER_WRITER), descriptor.blocks)


def _writer_sets(store: Store, descriptor_id: str, known: pd.DataFrame, keys: list[str], most: int):
    rows = known[known["student_key"].isin(keys)].groupby("student_key").head(most)
    ids, vectors = reads.descriptors(store, descriptor_id, list(rows["specimen_id"]))
    owner = rows.set_index("specimen_id").loc[ids, "student_key"].to_numpy()
    none = np.empty((0, vectors.shape[1]), np.float32)
    return [WriterSet(key, vectors[owner == key], none) for key in keys if (owner == key).any()]
