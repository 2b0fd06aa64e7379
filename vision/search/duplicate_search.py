"""Duplicates over a whole register: one image under two names, one hand under several.

How often chance brings strangers so close is extrapolated from this register's own pairs
(:class:`vision.search.duplicates.Tail`), times the pairs that were compared, and stands beside every finding.
A finding is a reason to look, nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data import queries
from data.engine.database import Store
from data.engine.progress import Progress, Steps
from data.engine.spread import HERE, Spread
from data.trust.scope import Scope
from data.verification import queries as reads
from data.verification.write import replace_duplicates
from vision.descriptor.describe_specimens import describe_pending, id_of_descriptor
from vision.descriptor.descriptors import Descriptor
from vision.descriptor.outlines import Outlines
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.search.duplicates import Duplicate
from vision.search.hand_style import style_of
from vision.search.one_hand import (
    FEWEST_PAIRS,
    Alike,
    Register,
    foreign_specimens,
    other_names,
    same_hands,
    told_apart,
)
from vision.search.register_scale import filed_hands, register_scale
from vision.search.turned_copies import OutlineChance, same_images, stranger_pairs
from vision.verification.verification_tools import Tools, tools_for

COLUMNS = ["kind", "first_student", "second_student", "first_specimen", "second_specimen"]
COLUMNS += ["measure", "expected_false"]
MOST_FINDINGS = 500
"""Of one kind; the strongest are kept."""
READING = "reading specimens to compare"
COMPARING_IMAGES = "comparing images"
COMPARING_HANDS = "comparing hands"
KINDS_OF_HAND = 3  # searched one after the other, and each takes about as long
CHUNK = 200
EXACT_SPECIMENS = 5_000
"""Above, descriptors are projected to fewer numbers at random: 100,000 of them would not fit into memory."""
PROJECTED = 1_024
"""Numbers after the projection; distances keep a relative error of 2 % (Johnson and Lindenstrauss 1984)."""


@dataclass(frozen=True)
class _Filed:
    """A register in memory, and what its rows are called in the store."""

    register: Register
    students: np.ndarray
    specimens: np.ndarray


def search_duplicates(
    store: Store,
    *,
    actor: str,
    role: str = "system",
    expected: float = 1.0,
    progress: Progress | None = None,
    descriptor: Descriptor | None = None,
    spread: Spread = HERE,
) -> pd.DataFrame:
    """Search the register of consenting students and put the findings in the place of the last search's.

    Parameters
    ----------
    expected : float
        Pairs of strangers that chance may bring into the list of each kind of one hand.
    spread : Spread
        Where specimens that are new are described; they are compared in this process.

    Returns
    -------
    DataFrame
        ``kind`` (one of :data:`data.columns.DUPLICATE_KINDS`), ``first_student, second_student,
        first_specimen, second_specimen, measure`` (see :class:`vision.search.duplicates.Duplicate`),
        ``expected_false`` (pairs as close that chance alone would give), the least expected first. Pairs of
        the first two kinds are not repeated under the others. Of ``foreign_specimen`` the first student is
        the one on whose file the specimen is, the second the one whose hand it resembles.
    """
    if not expected > 0:
        raise ValueError(f"expected: must be positive, got {expected}")
    tools = tools_for(store, descriptor)
    describe_pending(store, progress, descriptor=Outlines(), spread=spread)
    images, content = _same_images(store, progress or (lambda done, total, what, /: None))
    filed = _read_register(store, tools, progress)
    hands, about = _one_hand(filed, expected, images, Steps(progress, KINDS_OF_HAND))
    found = pd.DataFrame([*images, *hands], columns=COLUMNS).sort_values("expected_false", kind="stable")
    replace_duplicates(store, tools.descriptor_id, content | about, found, actor=actor, role=role)
    return found.reset_index(drop=True)


def _same_images(store: Store, progress: Progress) -> tuple[list[tuple], dict]:
    progress(0, 1, COMPARING_IMAGES)
    outlined = id_of_descriptor(Outlines())
    known = reads.described(store, outlined)
    ids, outlines = reads.descriptors(store, outlined, list(known["specimen_id"]))
    inked = np.flatnonzero(outlines.any(axis=1)) if ids else np.empty(0, int)
    ids, outlines = [ids[row] for row in inked], outlines[inked]
    owners = known.set_index("specimen_id").loc[ids, "student_key"].to_numpy()
    pairs = stranger_pairs(np.unique(owners, return_counts=True)[1])
    about = {"specimens": len(ids), "pairs": pairs, "found": 0}
    if pairs < FEWEST_PAIRS:
        return [], {"same_image": about}
    chance = OutlineChance.of(outlines, owners)

    def ink(row: int) -> np.ndarray:
        return to_ink(decode_image(queries.specimen_image(store, ids[row], Scope.system())))

    hits = same_images(outlines, owners, ink, lambda done, total: progress(done, total, COMPARING_IMAGES))
    rows = []
    for hit in hits[:MOST_FINDINGS]:
        one, other = sorted((hit.first, hit.second), key=lambda place: owners[place])
        expected = chance.expected(outlines[one], outlines[other])
        rows.append(("same_image", owners[one], owners[other], ids[one], ids[other], hit.measure, expected))
    return rows, {"same_image": about | {"found": len(hits)}}


def _read_register(store: Store, tools: Tools, progress: Progress | None) -> _Filed:
    """Read some students at a time, so that only what is compared is ever held together."""
    groups = filed_hands(store, tools)
    space = register_scale(store, tools, groups)
    project = None
    if sum(map(len, groups)) > EXACT_SPECIMENS:
        draws = np.random.default_rng(0).standard_normal((len(space.centre), PROJECTED), dtype=np.float32)
        project = draws / np.float32(np.sqrt(PROJECTED))
    students, specimens, owners, vectors, styles = [], [], [], [], []
    for start in range(0, len(groups), CHUNK):
        part = groups.iloc[start : start + CHUNK]
        ids, read = reads.descriptors(store, tools.descriptor_id, [one for each in part for one in each])
        placed = dict(zip(ids, space.place(read) if ids else [], strict=True))
        for key, wanted in part.items():
            there = [one for one in wanted if one in placed]
            if not there:
                continue
            own = np.array([placed[one] for one in there], np.float32)
            style = style_of(own.mean(axis=0, keepdims=True), tools.descriptor.blocks)
            styles.append(None if style is None else style[0])
            vectors.append(own if project is None else own @ project)
            owners += [len(students)] * len(there)
            specimens += there
            students.append(key)
        if progress:
            progress(start + len(part), len(groups), READING)
    width = len(space.centre) if project is None else PROJECTED
    every = np.concatenate(vectors) if vectors else np.empty((0, width), np.float32)
    means = np.array([own.mean(axis=0) for own in vectors], np.float32).reshape(len(vectors), width)
    style = None if not styles or styles[0] is None else np.array(styles, np.float32)
    register = Register(np.array(owners, int), every, means, style)
    return _Filed(register, np.array(students, object), np.array(specimens, object))


def _one_hand(filed: _Filed, expected: float, images: list[tuple], step: Steps) -> tuple[list[tuple], dict]:
    """Rows of the three kinds, and what is told about each search; every search is a step of its own."""
    register, place = filed.register, {key: row for row, key in enumerate(filed.students)}
    pictured = {frozenset(place.get(key, -1) for key in row[1:3]) for row in images}
    step(COMPARING_HANDS)
    alike = same_hands(register, expected)
    step(COMPARING_HANDS)
    hands, foreign = told_apart(register, alike, foreign_specimens(register, expected, pictured))
    listed = pictured | {frozenset((hit.first, hit.second)) for hit in hands.hits}
    listed |= {frozenset((int(register.owners[hit.first]), hit.second)) for hit in foreign.hits}
    step(COMPARING_HANDS)
    named = other_names(register, expected, listed)
    shown = np.searchsorted(register.owners, np.arange(len(filed.students)))

    def of_students(hit: Duplicate) -> tuple:
        return hit.first, hit.second, shown[hit.first], shown[hit.second]

    def of_specimen(hit: Duplicate) -> tuple:
        theirs = np.flatnonzero(register.owners == hit.second)
        apart = np.linalg.norm(register.vectors[theirs] - register.vectors[hit.first], axis=1)
        return register.owners[hit.first], hit.second, hit.first, theirs[apart.argmin()]

    rows, about = [], {}
    searches: list[tuple[str, Alike, Callable[[Duplicate], tuple]]] = [
        ("same_hand", hands, of_students),
        ("foreign_specimen", foreign, of_specimen),
        ("other_name", named, of_students),
    ]
    for kind, alike, places in searches:
        counted = {"students": len(filed.students), "specimens": len(filed.specimens), "pairs": alike.pairs}
        about[kind] = counted | {"expected": expected, "found": len(alike.hits)}
        for hit in alike.hits[:MOST_FINDINGS]:
            first, second, one, other = places(hit)
            keys = filed.students[first], filed.students[second]
            ids = filed.specimens[one], filed.specimens[other]
            rows.append((kind, *keys, *ids, hit.measure, alike.expected(hit)))
    return rows, about
