"""Putting a model into service: it is scored first, and readers see the old one's scores until it is.

Killed at any moment, the model in service and its scores are whole: scores of a model that is not served are
seen by nobody, and the change itself is one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from data.engine.database import Store
from data.engine.progress import Progress
from data.engine.spread import HERE, Spread
from data.store import save_model
from data.trust.audit import Entry
from fusion.model.manifest import Served, write_manifest
from fusion.service.scoring import score
from fusion.service.sources import load_model, served_model, the_model
from fusion.service.upkeep import levelled
from fusion.validation.doubts import DOUBTS, open_doubts
from fusion.validation.fitness import unfit

LEVEL_MOVED = "its level moved to cohorts that matured since training"


class NotServable(ValueError):
    """A model that must not be served: its register could teach none of its targets."""


class Doubted(ValueError):
    """A model whose register looked wrong, which nobody has confirmed."""


def put_into_service(
    store: Store,
    version: str,
    *,
    actor: str,
    reason: str,
    audit_entry: Entry | None = None,
    progress: Progress | None = None,
    keep_level: bool = True,
    confirmed: bool = False,
    spread: Spread = HERE,
) -> int:
    """Score a registered model, then serve it; who and why go into its manifest.

    A model that is in service already is scored, and nothing else changes. Where cohorts matured since
    training
    moved its level, the same model at that level goes into service (:func:`fusion.service.upkeep.levelled`).

    Parameters
    ----------
    store : Store
    version : str
    actor, reason : str
    audit_entry : data.trust.audit.Entry, optional
        What the audit log says of it, in the transaction that puts it into service.
    progress : Progress, optional
    keep_level : bool
        Look at the level first; not where that was done just now.
    confirmed : bool
        Somebody has looked at what looked wrong in the register that taught it, and it is right.
    spread : Spread
        Where to score.

    Returns
    -------
    int
        How many scores were new.

    Raises
    ------
    LookupError, fusion.model.model_files.ModelFileError
        When the model is missing or its files were changed.
    NotServable
        When none of its targets could be learned from its register (:mod:`fusion.validation.fitness`).
    Doubted
        When something in that register looked wrong (:mod:`fusion.validation.doubts`), it was never served,
        and nobody has confirmed it.
    """
    doubts = () if confirmed else open_doubts(the_model(store, version).manifest)
    if doubts:
        why = " ".join(DOUBTS.get(code, code) for code in doubts)
        raise Doubted(f"model {version} is not served without a confirmation: {why}")
    version = levelled(store, version) if keep_level else version
    model = load_model(store, version)
    silent = unfit(model.manifest)
    if not set(model.targets) - set(silent):
        why = ", ".join(f"{target}: {found.reason}" for target, found in silent.items())
        raise NotServable(f"model {version} must not be served: its register could not teach it ({why})")
    written = score(store, version, progress=progress, spread=spread)
    stored = the_model(store, version)  # scoring has noted what it saw
    if stored.status == "served":  # an attempt that was cut off had come this far
        return written
    entry = Served(datetime.now(UTC), actor, reason)
    manifest = replace(stored.manifest, served=(*stored.manifest.served, entry))
    save_model(store, version, stored.folder, write_manifest(manifest), "served", audit_entry)
    return written


def score_now(
    store: Store,
    version: str | None = None,
    *,
    progress: Progress | None = None,
    spread: Spread = HERE,
) -> int:
    """Score every enrolled student at every as-of term; returns how many scores are new.

    Parameters
    ----------
    store : Store
    version : str, optional
        Default: the model in service. Where its level moved, the same model at that level is scored and put
        into service in its place, and the audit log says so; a model that is named is scored as it is.
    progress : Progress, optional
    spread : Spread
        Where to score.

    Raises
    ------
    LookupError, fusion.model.model_files.ModelFileError
        As :func:`fusion.service.scoring.score`.
    """
    current = served_model(store)
    if version is not None or current is None:
        return score(store, version, progress=progress, spread=spread)
    name = levelled(store, current.version)
    if name == current.version:
        return score(store, name, progress=progress, spread=spread)
    level = the_model(store, name).manifest.level
    entry = Entry("scoring", "administrator", "model.level", name, {"was": current.version, "level": level})
    return put_into_service(
        store,
        name,
        actor="scoring",
        reason=LEVEL_MOVED,
        audit_entry=entry,
        progress=progress,
        keep_level=False,
        confirmed=True,  # it is in service
        spread=spread,
    )
