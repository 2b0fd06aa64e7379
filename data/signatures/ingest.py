"""Signature files → the store: every file is inspected before the first one is written."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from data.calendar import clock
from data.calendar.term_calendar import term_start
from data.engine.progress import Progress
from data.files.told import Told
from data.records.checks import collect, problems
from data.records.import_queries import entry_terms, specimen_hashes
from data.records.ingest import ImportPlan
from data.signatures.bare import bare
from data.signatures.files import IMAGE_SUFFIXES, Limits, SignatureFile, iter_signature_files
from data.signatures.names import AmbiguousName, NumberIndex
from data.signatures.specimens import ImageFacts, RefusedFile, inspect_image
from data.store import NewSpecimen, SpecimenResult, Store, new_import, write_specimens

AHEAD = 64  # files held while they are inspected
BEFORE_ENTRY = timedelta(days=366)  # forms of an admission are signed up to a year ahead; nothing before that
EARLY = timedelta(days=183)  # taken, and said
NO_DATE = date(1990, 1, 1)  # archives and discs without a date say 1970 or 1980; scans are younger
DATE_RULES = ("file", "entry")


@dataclass(frozen=True, slots=True)
class PlannedSpecimen:
    """One accepted file."""

    position: int
    name: str
    student_number: str
    captured_on: date
    context: str
    facts: ImageFacts
    stored: bool


@dataclass(frozen=True)
class SignaturePlan:
    """What an import of signature files would do; nothing is written yet.

    Parameters
    ----------
    source_name : str
        Name of the folder or archive.
    specimens : tuple of PlannedSpecimen
        Accepted files in the order of the source.
    problems : DataFrame
        Columns ``file, row, column, rule, value, severity, message``, without ``row``. Refused files
        are errors, unmatched ones warnings.
    read : int
        Files looked at.
    """

    source_name: str
    specimens: tuple[PlannedSpecimen, ...]
    problems: pd.DataFrame
    read: int

    @property
    def accepted(self) -> bool:
        """Whether no file was refused."""
        return not (self.problems["severity"] == "error").any()

    @property
    def unmatched(self) -> list[str]:
        """Names that fit no student, or more than one."""
        return self.problems.loc[self.problems["rule"].isin(["SPC101", "SPC102"]), "file"].tolist()

    @property
    def counts(self) -> dict[str, int]:
        """Specimens by what would happen to them."""
        stored = sum(specimen.stored for specimen in self.specimens)
        return {"new": len(self.specimens) - stored, "changed": 0, "same": stored}


class RefusedSignatures(ValueError):
    """An import of signature files that was not written; ``plan`` says why."""

    def __init__(self, message: str, plan: SignaturePlan):
        super().__init__(message)
        self.plan = plan


def plan_signatures(
    source,
    source_name: str,
    store: Store,
    *,
    records: ImportPlan | None = None,
    captured_on: date | str | None = None,
    today: date | None = None,
    limits: Limits = Limits(),
    progress: Progress | None = None,
) -> SignaturePlan:
    """Inspect every signature file and match it to a student.

    Parameters
    ----------
    source : path, bytes, or list of (str, bytes)
        See :func:`data.signatures.files.iter_signature_files`; read again by :func:`apply_signatures`.
    source_name : str
        Its name, without folders.
    store : Store
        Whose students the files may belong to.
    records : ImportPlan, optional
        Records that will be written first; their students count too.
    captured_on : date, "file" or "entry", optional
        Date of capture where neither name nor EXIF says it: a day, each file's own date, or the first day of
        the student's entry term. Without it such a file is refused.
    today : date, optional
        Captures after it are refused; by default the day on the institution's clock.
    limits : Limits
        What the source may hold.
    progress : Progress, optional
    """
    if isinstance(captured_on, str) and captured_on not in DATE_RULES:
        raise ValueError(f"captured_on must be a date or one of {', '.join(DATE_RULES)}, got {captured_on!r}")
    entries = _entries(store, records)
    rules = _Rules(NumberIndex(entries.index), entries, captured_on, today or clock.today(store))
    stored = specimen_hashes(store)
    taken, found, read = [], [], 0
    try:
        for file, inspected in _inspected(iter_signature_files(source, limits=limits)):
            read += 1
            try:
                taken.append(rules.take(file, inspected.result(), stored))
                found += [(file.name, code, reason) for code, reason in rules.said]
            except RefusedFile as refusal:
                found.append((file.name, refusal.code, refusal.reason))
            if progress is not None:
                progress(file.position + 1, file.total, "inspecting signatures")
    except RefusedFile as refusal:
        taken = []
        found = [(source_name, refusal.code, refusal.reason)]
    listed = collect([problems(name, code, [None], messages=reason) for name, code, reason in found])
    return SignaturePlan(source_name, tuple(taken), listed, read)


def _inspected(files: Iterator[SignatureFile]) -> Iterator[tuple[SignatureFile, Future[ImageFacts]]]:
    """Each file with its inspection, in order; some are decoded ahead, on every core."""
    waiting: deque[tuple[SignatureFile, Future[ImageFacts]]] = deque()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file in files:
            waiting.append((file, _inspect_in(pool, file)))
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        yield from waiting


def _inspect_in(pool: ThreadPoolExecutor, file: SignatureFile) -> Future[ImageFacts]:
    """Start an inspection; the bytes are read here, because an archive is read by one thread only."""
    try:
        if file.refused is not None:
            raise file.refused
        suffix = file.name[file.name.rfind(".") :].casefold() if "." in file.name else ""
        if suffix and suffix.isascii() and suffix[1:].isalpha() and suffix not in IMAGE_SUFFIXES:
            raise RefusedFile("SPC103", Told("no_image_kind", f"{suffix} is no image file", suffix=suffix))
        return pool.submit(inspect_image, file.read())
    except RefusedFile as refusal:
        future: Future[ImageFacts] = Future()
        future.set_exception(refusal)
        return future


@dataclass(frozen=True)
class _Rules:
    """How a file becomes a specimen."""

    numbers: NumberIndex
    entries: pd.Series
    captured_on: date | str | None
    today: date
    said: list[tuple[str, str]] = field(default_factory=list)  # warnings about the file taken last

    def take(self, file: SignatureFile, facts: ImageFacts, stored: set[tuple[str, str]]) -> PlannedSpecimen:
        """The specimen of a file, or the reason why there is none."""
        self.said.clear()
        try:
            said = self.numbers.read_name(file.name)
        except AmbiguousName as error:
            message = Told("two_students_in_name", f"the name {error}; rename the file")
            raise RefusedFile("SPC102", message) from error
        if said.student_number is None:
            words = "no student number in the name of the file or its folders"
            raise RefusedFile("SPC101", Told("no_number_in_name", words))
        entry = term_start(int(self.entries[said.student_number]))
        day = said.captured_on or self._camera_day(facts.taken_on, entry)
        if day is None:
            day = self._default_day(file, said.student_number)
            if day is not None and facts.taken_on is not None:
                clock = f"the camera's clock says {facts.taken_on.isoformat()}, which cannot be right"
                days = {"clock_day": facts.taken_on.isoformat(), "day": day.isoformat()}
                clock = Told("clock_replaced", f"{clock}; taken as of {day.isoformat()}", **days)
                self.said.append(("SPC105", clock))
        if day is None and facts.taken_on is not None:
            words = (
                f"the camera's clock says {facts.taken_on.isoformat()}, which cannot be right{_than(entry)}; "
                "put the date into the name, or say when by --captured-on"
            )
            days = {"clock_day": facts.taken_on.isoformat(), "entry_day": entry.isoformat()}
            raise RefusedFile("SPC013", Told("clock_wrong", words, **days))
        if day is None:
            words = "no date in the name; add one such as 2024-08-31, or say when by --captured-on"
            raise RefusedFile("SPC012", Told("no_day_in_name", words))
        if not self._possible(day, entry):
            words = f"captured on {day.isoformat()}, which cannot be right{_than(entry)}"
            days = {"day": day.isoformat(), "entry_day": entry.isoformat()}
            raise RefusedFile("SPC013", Told("captured_wrong", words, **days))
        if day < entry - EARLY:
            early = f"captured on {day.isoformat()}, long before the entry on {entry.isoformat()}; taken"
            days = {"day": day.isoformat(), "entry_day": entry.isoformat()}
            self.said.append(("SPC104", Told("captured_early", early, **days)))
        return PlannedSpecimen(
            file.position,
            file.name,
            said.student_number,
            day,
            said.context or "other",
            facts,
            (said.student_number, facts.sha256) in stored,
        )

    def _possible(self, day: date, entry: date) -> bool:
        return max(NO_DATE, entry - BEFORE_ENTRY) <= day <= self.today

    def _camera_day(self, day: date | None, entry: date) -> date | None:
        """The date of a camera's clock; None when it was never set: such clocks start on a 1 January."""
        if day is None or (day.month, day.day) == (1, 1) or not self._possible(day, entry):
            return None
        return day

    def _default_day(self, file: SignatureFile, number: str) -> date | None:
        if self.captured_on == "file":
            return file.modified if file.modified is None or file.modified > NO_DATE else None
        if isinstance(self.captured_on, str):  # "entry"
            return term_start(int(self.entries[number]))
        return self.captured_on


def _than(entry: date) -> str:
    return f": the student entered on {entry.isoformat()}"


def _entries(store: Store, records: ImportPlan | None) -> pd.Series:
    stored = entry_terms(store)
    if records is None or records.frames.students is None:
        return stored
    coming = records.frames.students.set_index("student_number")["cohort_term"].astype("int64")
    return pd.concat([coming, stored[~stored.index.isin(coming.index)]])


def apply_signatures(
    store: Store,
    plan: SignaturePlan,
    source,
    *,
    actor: str,
    import_id: str | None = None,
    skip_bad: bool = False,
    synthetic: bool = False,
    role: str | None = None,
    progress: Progress | None = None,
) -> SpecimenResult:
    """Write the accepted files, some hundred at a time.

    Started again after an interruption it writes what is missing and nothing twice.

    Parameters
    ----------
    store : Store
        The store the plan was made for; its students must be written by now.
    plan : SignaturePlan
        From :func:`plan_signatures`.
    source
        The same folder, archive or files again.
    actor : str
        Account, or "command line".
    import_id : str, optional
        The import of records they came with.
    skip_bad : bool
        Write the accepted files although others are refused.
    role : str, optional
        The actor's, for the audit log. An import that is opened here has its entry in that transaction; one
        that is given has its entry already.

    Raises
    ------
    RefusedSignatures
        When a file is refused and ``skip_bad`` is not set, or a file changed after it was inspected.
    """
    if not plan.accepted and not skip_bad:
        count = int((plan.problems["severity"] == "error").sum())
        raise RefusedSignatures(f"{count} signature files were refused; no signature was written", plan)
    wanted = {specimen.position: specimen for specimen in plan.specimens if not specimen.stored}
    if import_id is None:
        about = {"synthetic": synthetic, "role": role, "planned": {"signatures": plan.counts}}
        import_id = new_import(store, source=plan.source_name, files={}, actor=actor, **about)
    return write_specimens(
        store,
        _specimens(plan, source, wanted),
        actor=actor,
        import_id=import_id,
        progress=progress,
        total=len(wanted),
    )


def _specimens(plan: SignaturePlan, source, wanted: dict[int, PlannedSpecimen]) -> Iterator[NewSpecimen]:
    for file in iter_signature_files(source) if wanted else ():
        planned = wanted.get(file.position)
        if planned is None:
            continue
        data = file.read()
        if file.name != planned.name or hashlib.sha256(data).hexdigest() != planned.facts.sha256:
            raise RefusedSignatures(f"{file.name} changed after it was inspected; start again", plan)
        yield NewSpecimen(
            student_number=planned.student_number,
            data=bare(data),
            sha256=planned.facts.sha256,
            captured_on=planned.captured_on,
            context=planned.context,
            file_format=planned.facts.file_format,
            width=planned.facts.width,
            height=planned.facts.height,
            dpi=planned.facts.dpi,
        )


def specimens_per_student(plan: SignaturePlan) -> pd.Series:
    """How many students have how many accepted files: index number of files, values students."""
    per_student = Counter(specimen.student_number for specimen in plan.specimens)
    return pd.Series(Counter(per_student.values()), dtype="int64").sort_index()
