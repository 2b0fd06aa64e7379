"""A benchmark on real data: UCI 697 students, some of them given a real CEDAR signature *at random*.

No public set holds both records and signatures of the same people. Pairing two sets at random makes one in
which, by construction, a signature says nothing about its student: a system that finds that signatures
help has fooled itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from data import queries
from data.calendar.term_calendar import as_of_date
from data.columns import CONSENT_PURPOSES
from data.consents.consent import write_consents
from data.engine.database import Store
from data.engine.progress import Progress
from data.loaders.signature_folder import SignatureFile, as_specimens, list_signatures
from data.loaders.uci697 import read_uci697
from data.records.frames import RecordFrames
from data.records.write import write_records
from data.signatures.write import write_specimens
from data.store import get_fact, new_import, set_fact

STUDENTS_FILE = Path("students") / "uci697" / "data.csv"
SIGNATURES_FOLDER = Path("signatures") / "cedar"
PAIRING_SEED = 697
LABEL = "paired at random"
INSTITUTION = "Benchmark: UCI 697 students, CEDAR signatures paired at random"
FACT = "benchmark"
ACTOR = "command line"
CONSENT_TEXT = "benchmark"


class BenchmarkRefused(ValueError):
    """The store holds something else than this benchmark."""


@dataclass(frozen=True)
class BenchmarkResult:
    """What :func:`write_benchmark` left in the store: numbers of students, of those with a signature, of
    term rows and of writers."""

    students: int
    paired: int
    terms: int
    writers: int


def pair_at_random(
    student_numbers: pd.Series, files: list[SignatureFile], rng: np.random.Generator
) -> dict[SignatureFile, str]:
    """Give each file to a student of its own, drawn without replacement.

    Parameters
    ----------
    student_numbers : Series
        Candidates; when they are fewer than the files, some files go to nobody.
    files : list of SignatureFile
        One image per student, whoever wrote it.
    rng : Generator
        Draws the students and mixes the files.

    Returns
    -------
    dict
        File → student number, in the order of ``student_numbers``.
    """
    count = min(len(files), len(student_numbers))
    chosen = np.sort(rng.choice(len(student_numbers), size=count, replace=False))
    mixed = rng.permutation(len(files))[:count]
    numbers = student_numbers.to_numpy()
    return {files[int(file)]: str(numbers[place]) for file, place in zip(mixed, chosen, strict=True)}


def write_benchmark(
    store: Store, folder: Path, *, money_flags: bool = False, progress: Progress | None = None
) -> BenchmarkResult:
    """Import the real students, pair signatures with some, record the consents that the benchmark assumes.

    Called again on the same store and data it changes nothing.

    Parameters
    ----------
    store : Store
        Empty, or with this benchmark.
    folder : Path
        With ``students/uci697/data.csv`` and ``signatures/cedar/NNN/genuine_KK.png``.
    money_flags : bool
        See :func:`data.loaders.uci697.read_uci697`.
    progress : Progress, optional

    Raises
    ------
    BenchmarkRefused
        When the store holds other students.
    ValueError
        When a file is missing or is not what it should be.
    """
    folder = Path(folder)
    if not (folder / STUDENTS_FILE).is_file():
        raise ValueError(f"data folder must hold {STUDENTS_FILE.as_posix()}, got none")
    _claim(store)
    frames = read_uci697(folder / STUDENTS_FILE, money_flags=money_flags)
    files = list_signatures(folder / SIGNATURES_FOLDER, "genuine")
    owners = pair_at_random(
        frames.need("students")["student_number"], files, np.random.default_rng(PAIRING_SEED)
    )
    frames = _labelled(frames, owners)
    write_records(store, frames, source="UCI 697", files={}, actor=ACTOR, progress=progress)
    write_consents(store, _consents(frames.need("students")), actor="benchmark")
    import_id = get_fact(store, f"{FACT}_import") or new_import(
        store, source=f"CEDAR genuine signatures, {LABEL} (seed {PAIRING_SEED})", files={}, actor=ACTOR
    )
    set_fact(store, f"{FACT}_import", import_id)
    write_specimens(
        store,
        as_specimens(owners, _days_of_entry(frames.need("students"))),
        actor=ACTOR,
        import_id=import_id,
        progress=progress,
        total=len(owners),
    )
    writers = len({file.writer for file in owners})
    return BenchmarkResult(len(frames.need("students")), len(owners), len(frames.need("terms")), writers)


def _claim(store: Store) -> None:
    held = int(queries.counts(store).set_index("table").loc["students", "rows"])
    if held and not get_fact(store, FACT, False):
        raise BenchmarkRefused(
            f"store must be empty or hold this benchmark, got {held} other students; choose another folder"
        )
    for name, value in (
        (FACT, True),
        ("synthetic", False),
        ("institution", INSTITUTION),
        ("signatures", LABEL),
    ):
        set_fact(store, name, value)


def _labelled(frames: RecordFrames, owners: dict[SignatureFile, str]) -> RecordFrames:
    """Say at each student with a signature that it is somebody else's."""
    writer = {number: file.writer for file, number in owners.items()}
    students = frames.need("students").copy()
    students["extra"] = [
        {**extra, "signature": f"CEDAR writer {writer[number]}, {LABEL}"} if number in writer else extra
        for number, extra in zip(students["student_number"], students["extra"], strict=True)
    ]
    return RecordFrames(frames.programs, students, frames.terms, frames.outcomes)


def _days_of_entry(students: pd.DataFrame) -> dict[str, date]:
    days = {term: as_of_date(int(term), 0) for term in set(students["cohort_term"])}
    return dict(zip(students["student_number"], students["cohort_term"].map(days), strict=True))


def _consents(students: pd.DataFrame) -> pd.DataFrame:
    """Every purpose granted: what a benchmark on published data assumes, and recorded as that."""
    granted = pd.DataFrame({"purpose": CONSENT_PURPOSES, "granted": True, "text_version": CONSENT_TEXT})
    days = pd.to_datetime(pd.Series(_days_of_entry(students)))
    entered = days.rename("recorded_at").rename_axis("student_number").reset_index()
    return entered.merge(granted, how="cross").assign(recorded_by="benchmark")
