"""Whose hand may this be? The students on file whose signatures lie nearest to one whose writer is unknown.

Somebody is always nearest, also where the writer is not on file. So beside each student stands how many
strangers' specimens chance alone would bring as near, extrapolated from this register's own strangers
(:class:`vision.search.duplicates.Tail`), times the specimens that were searched. It is a reason to compare
the signature with that student's references, and no identification.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data import queries
from data.engine.database import Store
from data.engine.progress import Progress
from data.signatures.findings import ROTATED, found_codes
from data.signatures.specimens import RefusedFile
from data.trust.scope import Scope
from data.verification import queries as reads
from data.verification.write import note_search_for_a_hand
from vision.descriptor.describe_specimens import describe_pending
from vision.descriptor.descriptors import Descriptor
from vision.scans.form_finder import Place
from vision.scans.images import as_crop
from vision.search.coding import SAMPLED, Coding
from vision.search.duplicates import Rows, Tail, compared, scores_between, stranger_scores
from vision.search.nearest import SpecimenIndex
from vision.search.one_hand import FEWEST_PAIRS
from vision.search.register_scale import evenly, filed_hands, register_scale
from vision.verification.conditions import Reading, spoiling_reason
from vision.verification.verification_tools import Tools, tools_for

CHUNK = 200
STRANGERS = 400
"""Students of whom one specimen says how far strangers lie from each other."""
MOST_COMPARED = 500
"""Specimens whose whole descriptors are opened for one question."""
READING = "reading the register"
_UNKNOWN = -1


@dataclass(frozen=True)
class Likeness:
    """A student on file, by the specimen that lies nearest to the signature.

    Attributes
    ----------
    student_key, specimen_id : str
    distance : float
        On the common scale; specimens of two writers lie about √2 apart.
    expected : float or None
        Strangers' specimens as near that chance would bring among all that were searched; None where the
        register has too few students to say.
    """

    student_key: str
    specimen_id: str
    distance: float
    expected: float | None


@dataclass(frozen=True)
class Likenesses:
    """What a search for a hand found.

    Attributes
    ----------
    likest : tuple of Likeness
        The nearest student first.
    students, specimens : int
        That were searched.
    proven : bool
        Whether no other student has a nearer specimen. False: only the likeliest specimens were compared in
        full, and one that its code made look farther may lie nearer.
    aslant : bool
        Whether the signature runs aslant: so some people sign, else the sheet lies on its side and should be
        turned.
    """

    likest: tuple[Likeness, ...]
    students: int
    specimens: int
    proven: bool
    aslant: bool = False


@dataclass(frozen=True)
class _Chance:
    """How near strangers' specimens lie to each other in a register."""

    strangers: Rows
    tail: Tail

    @classmethod
    def of(cls, vectors: np.ndarray, owners: np.ndarray) -> _Chance | None:
        """From one specimen of each of several students; None where they are too few."""
        count = len(vectors)
        if count * (count - 1) // 2 < FEWEST_PAIRS:
            return None
        rows = compared(vectors, owners, vectors, owners)
        return cls(rows, Tail.fit(stranger_scores(rows, rows)))

    def expected(self, query: np.ndarray, likest: np.ndarray, owners: np.ndarray, pairs: int) -> np.ndarray:
        """Strangers' specimens, of so many, as near to the query as each of the likest is."""
        others, whose, places = self.strangers.vectors, self.strangers.owners, np.arange(len(likest))
        asked = compared(query[None], [_UNKNOWN], others, whose)
        near = compared(likest, owners, others, whose)
        scores = scores_between(asked, np.zeros_like(places), near, places)
        return np.array([self.tail.expected(pairs, score) for score in scores])


class Hands:
    """The hands of a register, read once to be asked many times.

    Codes of the descriptors are held in memory. Whole descriptors stay sealed in the store and are opened for
    each comparison, so that nobody is found who has been erased or no longer agrees.

    Parameters
    ----------
    store : Store
    tools : Tools
    groups : Series of list of str
        Described specimens of each student, by key.
    progress : Progress, optional
    """

    def __init__(self, store: Store, tools: Tools, groups: pd.Series, progress: Progress | None = None):
        self._store, self._tools = store, tools
        self._space = register_scale(store, tools, groups)
        self._numbers = {key: number for number, key in enumerate(groups.index)}
        first = groups.str[0]
        self._chance = self._chance_in(first.iloc[evenly(len(groups), STRANGERS)])
        _, learned = self._read(first.iloc[evenly(len(groups), SAMPLED)].tolist())
        coding = Coding.fit(learned if len(learned) else self._space.centre[None])
        self._index = SpecimenIndex(coding, self._read, most=MOST_COMPARED)
        students = set()
        for start in range(0, len(groups), CHUNK):
            part = groups.iloc[start : start + CHUNK]
            owner = {one: key for key, each in part.items() for one in each}
            ids, placed = self._read(list(owner))
            owners = [owner[one] for one in ids]
            self._index.add(ids, owners, placed)
            students |= set(owners)
            if progress:
                progress(start + len(part), len(groups), READING)
        self.students, self.specimens = len(students), len(self._index)

    @classmethod
    def of(
        cls,
        store: Store,
        scope: Scope,
        *,
        progress: Progress | None = None,
        descriptor: Descriptor | None = None,
    ) -> Hands:
        """Of the students in ``scope`` who agree to verification; specimens that are new are described
        first."""
        describe_pending(store, progress, descriptor=descriptor)
        tools = tools_for(store, descriptor)
        keys = set(queries.students(store, scope)["student_key"])
        return cls(store, tools, filed_hands(store, tools, keys), progress)

    def likest(
        self,
        data: bytes,
        *,
        actor: str,
        role: str = "system",
        best: int = 5,
        crop: Place | None = None,
        turn: float = 0.0,
    ) -> Likenesses:
        """The students whose specimens lie nearest to a signature, which is written down in the audit log.

        The file is not kept.

        Parameters
        ----------
        data : bytes
            An image file. Of a page only the piece with the signature is compared.
        best : int
            Students to name.
        crop, turn : optional
            As in :func:`vision.verification.verification_pipeline.verify`.

        Raises
        ------
        data.signatures.specimens.RefusedFile
            When the file is no image that is taken, or the scan cannot be compared.
        """
        piece = as_crop(data, crop, turn)
        reading = Reading.of(piece.pixels, of_page=piece.of_page)
        reason = spoiling_reason(reading.findings, frozenset({ROTATED}))  # some people sign so
        if reason is not None:
            raise RefusedFile(reason, f"the scan cannot be compared: {reason.replace('_', ' ')}")
        # As the store would give it back: its descriptors are kept in float16.
        described = self._tools.descriptor.describe([reading.ink]).astype(np.float16)
        aslant = ROTATED in found_codes(reading.findings)
        found = replace(self._named(self._space.place(described)[0], best), aslant=aslant)
        note_search_for_a_hand(
            self._store,
            hashlib.sha256(data).hexdigest(),
            [one.student_key for one in found.likest],
            {"students": found.students, "specimens": found.specimens},
            actor=actor,
            role=role,
        )
        return found

    def _named(self, query: np.ndarray, best: int) -> Likenesses:
        near = self._index.nearest_owners(query[None], best)
        there = [place for place, one in enumerate(near.specimens[0]) if one is not None]
        expected = self._expected(query, near.specimens[0][there].tolist(), near.owners[0][there].tolist())
        likest = tuple(
            Likeness(near.owners[0][place], near.specimens[0][place], float(near.distances[0][place]), chance)
            for place, chance in zip(there, expected, strict=True)
        )
        return Likenesses(likest, self.students, self.specimens, bool(near.proven[0]))

    def _expected(self, query: np.ndarray, specimens: list[str], owners: list[str]) -> list[float | None]:
        ids, likest = self._read(specimens)
        if self._chance is None or ids != specimens:  # erased at this moment: nothing is said of chance
            return [None] * len(specimens)
        numbers = np.array([self._numbers[key] for key in owners])
        return self._chance.expected(query, likest, numbers, self.specimens).tolist()

    def _chance_in(self, sampled: pd.Series) -> _Chance | None:
        ids, vectors = self._read(sampled.tolist())
        number = {one: self._numbers[key] for key, one in sampled.items()}
        return _Chance.of(vectors, np.array([number[one] for one in ids], int))

    def _read(self, specimens) -> tuple[list[str], np.ndarray]:
        """Those that are there and whose student agrees, and their placed descriptors."""
        ids, read = reads.descriptors(self._store, self._tools.descriptor_id, specimens)
        return ids, self._space.place(read) if ids else np.empty((0, len(self._space.centre)), np.float32)
