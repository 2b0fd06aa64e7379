"""Duplicates over a whole register: one image under two names, one hand under several.

How often chance brings strangers so close is extrapolated from this register's own pairs (:class:`Tail`), and
stands beside every finding. A finding is a reason to look, nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data import queries
from data.engine.database import Store
from data.engine.progress import Progress
from data.signatures.findings import fingerprint_of, read_findings
from data.trust.scope import Scope
from data.verification import queries as reads
from data.verification.duplicates import fingerprints
from data.verification.write import replace_duplicates
from vision.descriptor.common_scale import DescriptorSpace
from vision.descriptor.descriptors import Descriptor
from vision.scans.fingerprint import image_distance
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.search.duplicates import MOST_BITS, Tail, pairs_within, same_images
from vision.verification.reference_choice import SPOILING
from vision.verification.verification_tools import tools_for

COLUMNS = ["kind", "first_student", "second_student", "first_specimen", "second_specimen"]
COLUMNS += ["measure", "expected_false"]
MOST_FINDINGS = 500
SEARCHING = "searching for duplicates"
SAMPLED = 20_000
"""Pairs of strangers that a tail is fitted to."""
CHUNK = 200
EXACT_STUDENTS = 4_000
"""Above, means are projected to fewer numbers at random: 100,000 of them would not fit into memory."""
PROJECTED = 1_024
"""Numbers after the projection; distances keep a relative error of 2 % (Johnson and Lindenstrauss 1984)."""


@dataclass(frozen=True)
class _Means:
    """Mean placed descriptor of each student, and one specimen to show."""

    students: np.ndarray
    vectors: np.ndarray
    shown: np.ndarray


def search_duplicates(
    store: Store,
    *,
    actor: str,
    role: str = "system",
    expected: float = 1.0,
    progress: Progress | None = None,
    descriptor: Descriptor | None = None,
) -> pd.DataFrame:
    """Search the register of consenting students and put the findings in the place of the last search's.

    Parameters
    ----------
    expected : float
        Pairs of strangers that chance may bring into the list of one hand.

    Returns
    -------
    DataFrame
        ``kind`` (same_image, same_hand), ``first_student, second_student, first_specimen, second_specimen,
        measure`` (correlation, or distance), ``expected_false`` (pairs as close that chance alone would
        give), the least expected first.
    """
    if not expected > 0:
        raise ValueError(f"expected: must be positive, got {expected}")
    tools = tools_for(store, descriptor)
    images, about_images = _same_images(store, progress)
    means = _student_means(store, tools.descriptor_id, tools.ground.background.space, progress)
    hands, about_hands = _same_hands(means, expected)
    found = pd.DataFrame([*images, *hands], columns=COLUMNS).sort_values("expected_false", kind="stable")
    content = {"same_image": about_images, "same_hand": about_hands}
    replace_duplicates(store, tools.descriptor_id, content, found, actor=actor, role=role)
    return found.reset_index(drop=True)


def _same_images(store: Store, progress: Progress | None) -> tuple[list[tuple], dict]:
    rows = fingerprints(store)
    rows["print"] = [fingerprint_of(read_findings(quality)) for quality in rows["quality"]]
    rows = rows.dropna(subset=["print"]).reset_index(drop=True)
    prints, owners = rows["print"].tolist(), rows["student_key"].to_numpy()
    pairs = _stranger_pairs(owners)
    about = {"specimens": len(rows), "pairs": pairs, "found": 0}
    if pairs < 10:
        return [], about
    tail = Tail.fit(_sampled_bits(prints, owners), logarithmic=False)

    def ink(row: int) -> np.ndarray:
        return to_ink(decode_image(queries.specimen_image(store, rows["specimen_id"][row], Scope.system())))

    hits = same_images(prints, owners, ink, MOST_BITS)[:MOST_FINDINGS]
    if progress:
        progress(1, 2, SEARCHING)
    found = []
    for hit in hits:
        bits = image_distance(prints[hit.first], prints[hit.second])
        chance = tail.expected(pairs, bits)
        found.append(_row("same_image", rows, hit.first, hit.second, hit.measure, chance))
    return found, about | {"found": len(found)}


def _same_hands(means: _Means, expected: float) -> tuple[list[tuple], dict]:
    count = len(means.students)
    pairs = count * (count - 1) // 2
    about = {"students": count, "pairs": pairs, "expected": expected, "limit": None, "found": 0}
    if pairs < 10:
        return [], about
    tail = Tail.fit(_sampled_distances(means.vectors), logarithmic=True)
    limit = tail.limit(pairs, expected)
    hits = pairs_within(means.vectors, limit)[:MOST_FINDINGS]
    rows = pd.DataFrame({"student_key": means.students, "specimen_id": means.shown})
    found = [
        _row("same_hand", rows, hit.first, hit.second, hit.measure, tail.expected(pairs, hit.measure))
        for hit in hits
    ]
    return found, about | {"limit": limit, "found": len(found)}


def _row(kind: str, rows: pd.DataFrame, first: int, second: int, measure: float, chance: float) -> tuple:
    one, other = sorted((first, second), key=lambda place: rows["student_key"][place])
    keys, specimens = rows["student_key"], rows["specimen_id"]
    return kind, keys[one], keys[other], specimens[one], specimens[other], measure, chance


def _student_means(
    store: Store, descriptor_id: str, space: DescriptorSpace, progress: Progress | None
) -> _Means:
    """Read some students at a time, so that only their means are ever held together."""
    known = reads.described(store, descriptor_id, SPOILING[:-1])  # a copy is one hand's work too
    groups = known.groupby("student_key", sort=True)["specimen_id"].agg(list)
    project = None
    if len(groups) > EXACT_STUDENTS:
        draws = np.random.default_rng(0).standard_normal((len(space.centre), PROJECTED), dtype=np.float32)
        project = draws / np.float32(np.sqrt(PROJECTED))
    vectors, students, shown = [], [], []
    for start in range(0, len(groups), CHUNK):
        part = groups.iloc[start : start + CHUNK]
        ids, read = reads.descriptors(store, descriptor_id, [one for each in part for one in each])
        placed = dict(zip(ids, space.place(read) if ids else [], strict=True))
        for key, specimens in part.items():
            there = [one for one in specimens if one in placed]
            if there:
                mean = np.mean([placed[one] for one in there], axis=0)
                vectors.append(mean if project is None else mean @ project)
                students.append(key)
                shown.append(there[0])
        if progress:
            progress(len(groups) + start + len(part), 2 * len(groups), SEARCHING)
    return _Means(np.array(students, dtype=object), np.array(vectors, np.float32), np.array(shown, object))


def _sampled_distances(vectors: np.ndarray) -> np.ndarray:
    first, second = _sampled_pairs(len(vectors))
    parts = [
        np.linalg.norm(vectors[first[start : start + 1_000]] - vectors[second[start : start + 1_000]], axis=1)
        for start in range(0, len(first), 1_000)
    ]
    return np.concatenate(parts)


def _sampled_bits(prints: list[str], owners: np.ndarray) -> np.ndarray:
    words = np.frombuffer(bytes.fromhex("".join(prints)), np.uint64).reshape(len(prints), -1)
    first, second = _sampled_pairs(len(prints))
    strangers = owners[first] != owners[second]
    return np.bitwise_count(words[first] ^ words[second]).sum(axis=1)[strangers]


def _sampled_pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different places: all of them when they are few, else a sample that is always the same."""
    if count * (count - 1) // 2 <= SAMPLED:
        return np.triu_indices(count, 1)
    rng = np.random.default_rng(0)
    first = rng.integers(0, count, SAMPLED)
    return first, (first + rng.integers(1, count, SAMPLED)) % count


def _stranger_pairs(owners: np.ndarray) -> int:
    """Pairs of specimens of different students."""
    counts = np.unique(owners, return_counts=True)[1].astype(np.int64)
    return int((counts.sum() ** 2 - (counts**2).sum()) // 2)
