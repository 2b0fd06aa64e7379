"""Enrolment through the store: choose a student's references, describe them, keep the choice and versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data import queries
from data.engine.database import Store
from data.engine.progress import Progress
from data.trust.scope import Scope
from data.verification import queries as reads
from data.verification.write import NoConsent, write_enrolment
from vision.descriptor.describe_specimens import describe_pending, describe_specimens
from vision.descriptor.descriptors import Descriptor
from vision.verification.reference_choice import choose_references
from vision.verification.verification_tools import Tools, tools_for
from vision.verification.verify import CLASSIFIER_VERSION, FEWEST_REFERENCES, decisive_limit, fit_writer_model

_ALL = Scope.system()


@dataclass(frozen=True)
class Enrolment:
    """A student's references, as they were enrolled.

    Attributes
    ----------
    enrolment_id : int
    student_key : str
    references : tuple of str
        Specimen ids, oldest first.
    left_out : dict of str to tuple of str
        Specimen id → why it is no reference: codes of findings, ``other_medium``, ``not_witnessed``,
        ``not_chosen``, ``too_many``.
    unlike : tuple of str
        References that the others say another hand wrote: look at them.
    advice : tuple of str
        ``none``, ``too_few`` or ``few`` references.
    versions : dict
        ``descriptor_id, descriptor_sha256, classifier_version``.
    """

    enrolment_id: int
    student_key: str
    references: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]
    unlike: tuple[str, ...]
    advice: tuple[str, ...]
    versions: dict[str, str]


def enrol(
    store: Store,
    student_key: str,
    *,
    actor: str,
    specimen_ids: Sequence[str] | None = None,
    role: str = "system",
    descriptor: Descriptor | None = None,
) -> Enrolment:
    """Enrol a student: choose references, describe what is not described yet, store the enrolment.

    Parameters
    ----------
    specimen_ids : sequence of str, optional
        The officer's choice; by default what :func:`vision.verification.reference_choice.choose_references`
        chooses.

    Raises
    ------
    ValueError
        When the student has no usable specimen, or a chosen one is not the student's.
    data.verification.write.NoConsent
        When the student has not agreed to verification.
    """
    tools = tools_for(store, descriptor)
    need_consent(store, student_key)
    describe_specimens(store, tools.descriptor, reads.undescribed(store, tools.descriptor_id, student_key))
    specimens = queries.student_specimens(store, _ALL, student_key)
    choice = choose_references(specimens, specimen_ids)
    ids, vectors = reads.descriptors(store, tools.descriptor_id, choice.references)
    if not ids:
        raise ValueError("the student must have a usable specimen to be enrolled, got none")
    number = write_enrolment(store, student_key, tools.versions, ids, choice.left_out, actor=actor, role=role)
    unlike = _unlike(tools, student_key, ids, vectors)
    return Enrolment(number, student_key, tuple(ids), choice.left_out, unlike, choice.advice, tools.versions)


def enrol_all(
    store: Store, scope: Scope, *, actor: str, role: str = "system", progress: Progress | None = None
) -> dict[str, int]:
    """Enrol every consenting student who has specimens and is not enrolled. ``{"enrolled", "left_out"}``."""
    describe_pending(store, progress)
    tools = tools_for(store)
    known = reads.described(store, tools.descriptor_id)
    done = set(reads.enrolments(store, _ALL)["student_key"])
    wanted = set(queries.students(store, scope)["student_key"]) - done
    keys = [key for key in known["student_key"].unique() if key in wanted]
    return _enrol_each(store, keys, actor, role, progress)


def re_enrol(
    store: Store, *, actor: str, role: str = "system", progress: Progress | None = None
) -> dict[str, int]:
    """Enrol again, with the same references, whoever was enrolled under another descriptor or classifier.

    Returns
    -------
    dict
        ``{"enrolled", "left_out"}``: students.
    """
    tools = tools_for(store)
    held = reads.enrolments(store, _ALL)
    other_method = held["classifier_version"] != CLASSIFIER_VERSION
    old = held[(held["descriptor_id"] != tools.descriptor_id) | other_method]
    wanted = dict(zip(old["student_key"], old["reference_ids"], strict=True))
    return _enrol_each(store, list(wanted), actor, role, progress, wanted)


def _enrol_each(store, keys: list[str], actor, role, progress, wanted: dict | None = None) -> dict[str, int]:
    left_out = 0
    for place, key in enumerate(keys, start=1):
        try:
            enrol(store, key, actor=actor, role=role, specimen_ids=(wanted or {}).get(key))
        except (ValueError, NoConsent):  # nothing usable, or withdrawn meanwhile: the others go on
            left_out += 1
        if progress:
            progress(place, len(keys), "enrolling students")
    return {"enrolled": len(keys) - left_out, "left_out": left_out}


def need_consent(store: Store, student_key: str) -> None:
    """Raise LookupError without such a student, NoConsent without the student's agreement."""
    agreed = reads.consents(store, student_key)
    if agreed is None:
        raise LookupError(f"no student {student_key!r}")
    if not agreed:
        raise NoConsent("the student has not agreed to the verification of signatures")


def _unlike(tools: Tools, key: str, ids: list[str], vectors: np.ndarray) -> tuple[str, ...]:
    """References whose held-out score lies where other hands' scores lie."""
    if len(ids) < FEWEST_REFERENCES:
        return ()
    model = fit_writer_model(vectors, tools.ground.background, key)
    centre = model.background.settings.centring * model.held_out.mean()
    calibration = tools.ground.calibration_for(len(ids))
    ratios = calibration.log10_lr(model.held_out - centre)
    return tuple(one for one, ratio in zip(ids, ratios, strict=True) if ratio <= -decisive_limit(calibration))
