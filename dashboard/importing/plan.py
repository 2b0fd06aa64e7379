"""An import from the page: which file holds what, what it would do, and doing it. No Streamlit here.

The rules are those of :mod:`data.records.ingest` and :mod:`data.signatures.ingest`; nothing is decided twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import date

import pandas as pd

from dashboard.importing.labels import heading_of
from dashboard.importing.sentences import said
from dashboard.shell.wording import Words
from data.columns import MAX_TERM_INDEX
from data.engine.progress import Progress
from data.files.mapping import Mapping, shipped_mappings
from data.files.reading import Reading
from data.files.register_files import REGISTER, guess_table, nearest_table
from data.files.returned import returned_csv
from data.files.tables import TableError
from data.records.checks import CHECKS, collect
from data.records.frames import told_counts
from data.records.imports import ImportNote, ensure_import, records_written
from data.records.ingest import (
    ImportPlan,
    Source,
    apply_import,
    plan_import,
    register_sources,
    remembered_mappings,
)
from data.signatures.files import IMAGE_SUFFIXES
from data.signatures.ingest import SignaturePlan, apply_signatures, plan_signatures
from data.store import Store

TABLES = ("students", "terms", "grades", "outcomes", "consents")
KINDS = (*TABLES, "register", "signatures", "skip")  # register: one file with whatever tables it holds

LISTED = ("severity", "file", "row", "column", "rule", "value", "message", "what_to_do")  # of a problem


@dataclass(frozen=True)
class UploadedFile:
    """A file as it came from the browser."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Lacking:
    """What a file would need to be read as a table.

    Parameters
    ----------
    table : str
        One of :data:`TABLES`.
    columns : tuple of str
        That the table cannot do without and no header gives.
    """

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PagePlan:
    """What an import from the page would do.

    Parameters
    ----------
    records : ImportPlan or None
        Of the tables.
    pictures : SignaturePlan or None
        Of the signature files.
    pixels : bytes or list of (str, bytes)
        The signature files again, to be read a second time when writing.
    """

    records: ImportPlan | None
    pictures: SignaturePlan | None
    pixels: object = None

    @property
    def problems(self) -> pd.DataFrame:
        """Every problem of every file, errors first."""
        listed = collect([plan.problems for plan in (self.records, self.pictures) if plan is not None])
        return listed.sort_values("severity", kind="stable", ignore_index=True)

    @property
    def errors(self) -> int:
        """How many problems stand in the way."""
        return int((self.problems["severity"] == "error").sum())

    @property
    def refused(self) -> int:
        """How many rows of tables, and files of signatures, leaving out the bad ones would leave out."""
        rows = 0 if self.records is None else sum(self.records.refused.values())
        if self.pictures is None:
            return rows
        found = self.pictures.problems
        return rows + int(found.loc[found["severity"] == "error", "file"].nunique())

    @property
    def usable(self) -> bool:
        """Whether leaving out the bad rows would help."""
        return self.records is None or not self.records.unreadable

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Table → new, changed and same rows."""
        counts = {} if self.records is None else told_counts(self.records.counts)
        return counts | ({} if self.pictures is None else {"signatures": self.pictures.counts})


def guess_kind(file: UploadedFile, remembered: Sequence[Mapping] = ()) -> str:
    """Which of :data:`KINDS` a file looks like; "skip" when it looks like none."""
    suffix = "." + file.name.rsplit(".", 1)[-1].lower()
    if suffix == ".zip" or suffix in IMAGE_SUFFIXES:
        return "signatures"
    try:
        return guess_table(file.name, file.data, remembered=remembered) or "skip"
    except TableError:
        return "skip"


def why_skipped(file: UploadedFile, remembered: Sequence[Mapping] = ()) -> Lacking | None:
    """What a file that :func:`guess_kind` calls "skip" lacks of the table that it comes nearest to.

    Returns
    -------
    Lacking or None
        None where it comes near no table, or is none.
    """
    try:
        match = nearest_table(file.name, file.data, remembered=remembered)
    except TableError:
        return None
    return None if match is None or not match.missing else Lacking(match.table, match.missing)


def layouts(store: Store) -> dict[str, Mapping]:
    """The mappings to choose from by name, the office's own first."""
    return {mapping.name: mapping for mapping in (*remembered_mappings(store), *shipped_mappings())}


def chosen_files(files: Sequence[UploadedFile], kinds: Sequence[str]) -> dict[str, list[UploadedFile]]:
    """Files by kind, without those left out.

    Raises
    ------
    ValueError
        When two files are said to hold the same table.
    """
    by_kind: dict[str, list[UploadedFile]] = {}
    for file, kind in zip(files, kinds, strict=True):
        if kind != "skip":
            by_kind.setdefault(kind, []).append(file)
    twice = [kind for kind in (*TABLES, "register") if len(by_kind.get(kind, ())) > 1]
    if "register" in by_kind:
        twice += [kind for kind in REGISTER if kind in by_kind]
    if twice:
        raise ValueError(f"kinds must name each table once, got {', '.join(twice)} twice")
    return by_kind


def make_plan(
    store: Store,
    files: dict[str, list[UploadedFile]],
    mapping: Mapping | None,
    captured_on: date | str | None = None,
    progress: Progress | None = None,
    reading: Dict[str, Reading] | None = None,
) -> PagePlan:
    """Read and check everything; write nothing.

    Parameters
    ----------
    files : dict
        From :func:`chosen_files`.
    mapping : Mapping or None
        None detects file by file.
    captured_on : date, "file", "entry" or None
        As for :func:`data.signatures.ingest.plan_signatures`.
    reading : mapping of str to Reading, optional
        Table → how its file is to be read.
    """
    told = reading or {}
    sources = [
        Source(kind, files[kind][0].name, files[kind][0].data, told.get(kind, Reading()))
        for kind in TABLES
        if kind in files
    ]
    if "register" in files:
        how = told.get("register", Reading())
        sources = [*_register(store, files["register"][0], mapping, how), *sources]
    records = plan_import(sources, mapping, store=store, progress=progress) if sources else None
    scans = files.get("signatures")
    if not scans or (records is not None and records.unreadable):
        return PagePlan(records, None)
    pixels, name = _pixels(scans)
    pictures = plan_signatures(
        pixels, name, store, records=records, captured_on=captured_on, progress=progress
    )
    return PagePlan(records, pictures, pixels)


def _register(store: Store, file: UploadedFile, mapping: Mapping | None, reading: Reading) -> list[Source]:
    """The tables of one file; its students alone where none is complete: the check says what lacks."""
    whole = Source("students", file.name, file.data, reading)
    try:
        return register_sources(store, whole, mapping)
    except TableError:
        return [whole]


def _pixels(scans: list[UploadedFile]) -> tuple[object, str]:
    if len(scans) == 1 and scans[0].name.lower().endswith(".zip"):
        return scans[0].data, scans[0].name
    return [(file.name, file.data) for file in scans], scans[0].name


def write_plan(
    store: Store,
    plan: PagePlan,
    *,
    actor: str,
    role: str,
    skip_bad: bool,
    import_id: str | None = None,
    progress: Progress | None = None,
) -> dict[str, dict[str, int]]:
    """Write a plan, records first, with its entry in the audit log. Returns the counts by table.

    Parameters
    ----------
    import_id : str, optional
        The id that the import gets. When it has its records already, because a job was killed after them,
        they are not written again.

    Raises
    ------
    data.trust.origin.RealDataRefused
        When the store is a demo.
    """
    how = {"actor": actor, "role": role, "skip_bad": skip_bad, "progress": progress}
    planned = {} if plan.pictures is None else {"signatures": plan.pictures.counts}
    import_id, counts = import_id or uuid.uuid4().hex, {}
    if plan.records is not None:
        counts = records_written(store, import_id)
        if counts is None:
            counts = dict(
                apply_import(store, plan.records, import_id=import_id, planned=planned, **how).counts
            )
        counts = told_counts(counts)
    if plan.pictures is not None:
        about = {"import_id": import_id, "role": role, "planned": planned}
        ensure_import(store, ImportNote(plan.pictures.source_name, {}, actor, **about))
        written = apply_signatures(store, plan.pictures, plan.pixels, import_id=import_id, **how)
        same = plan.pictures.counts["same"] + written.same
        counts["signatures"] = {"new": written.new, "changed": 0, "same": same}
    return counts


def in_words(problems: pd.DataFrame, words: Words, headers: Collection[str] = ()) -> pd.DataFrame:
    """Problems as a list shows them, in the reader's language: their weight, what is wrong, and what to do.

    What is wrong is said with the labels of the page (:mod:`dashboard.importing.sentences`). Where a check
    told no more than its rule, or only a sentence in English, the name of the rule stands in its place in
    another language.

    Parameters
    ----------
    problems : pandas.DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`.
    words : Words
    headers : collection of str
        Of the files: a column that none of them names is shown by its label.
    """
    known = frozenset(headers)
    sentences = {told: said(words, told) for told in problems["told"].unique()}
    messages = [
        sentences[row.told] or (row.message if words.language == "en" else words(f"check_rule.{row.rule}"))
        for row in problems.itertuples()
    ]
    return problems.assign(
        severity=[words.named("severity", weight) for weight in problems["severity"]],
        file=[_file(words, file) for file in problems["file"]],
        column=[heading_of(words, column, known) for column in problems["column"]],
        message=messages,
        what_to_do=[words(f"check_advice.{rule}") for rule in problems["rule"]],
    )


def _file(words: Words, file: str) -> str:
    """A file's name; what it was read as is told in the reader's language where that stands behind it."""
    name, _, table = file.removesuffix(")").rpartition(" (")
    return f"{name} ({words(f'data.kind_{table}')})" if name and table in TABLES else file


def problem_list(problems: pd.DataFrame, words: Words, headers: Collection[str] = ()) -> bytes:
    """Every problem in the reader's language, as a CSV that spreadsheet programs open safely.

    Parameters
    ----------
    problems, words, headers
        As for :func:`in_words`.

    Returns
    -------
    bytes
        The columns of the screen; where only English says what is wrong with the very cell, that too.
    """
    told = in_words(problems, words, headers)[list(LISTED)]
    titles = problems["rule"].map({code: check.title for code, check in CHECKS.items()})
    english = (problems["message"] != titles) & problems["told"].map(lambda one: said(words, one) is None)
    if words.language != "en" and any(english):
        told = told.assign(detail=problems["message"].where(english, ""))
    headings = {name: words(f"column.{name}") for name in told}
    plain = told.astype("str").replace({"<NA>": "", "nan": ""})
    return returned_csv(plain.rename(columns=headings))


def without_figures(told: Dict[str, Sequence[int]], words: Words) -> pd.DataFrame:
    """Students whose terms have neither average nor credits, a row each.

    Parameters
    ----------
    told : mapping of str to sequence of int
        Student number → terms as ``YYYYT``, or by the student's own semester number.
    words : Words

    Returns
    -------
    pandas.DataFrame of str
        Number of the student, how many terms, and which.
    """

    def named(term: int) -> str:
        return words("reading.own_term", n=str(term)) if term <= MAX_TERM_INDEX else words.term(term)

    rows = [(number, str(len(terms)), ", ".join(map(named, terms))) for number, terms in told.items()]
    headings = [words("column.student_number"), words("data.kind_terms"), words("reading.without_which")]
    return pd.DataFrame(rows, columns=headings, dtype="str")
