"""Files of a register → the store: read, check, show what would happen, then write all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from data.calendar import clock
from data.calendar.setting import MAPPINGS, NAME
from data.engine.progress import Progress, Steps
from data.engine.texts import distinct
from data.files.choices import OWN, Choice, with_choices
from data.files.code_lists import code_list
from data.files.mapping import BY_TERM, TABLES, Mapping, mapping_from_dict, mapping_to_dict
from data.files.matching import Match
from data.files.reading import Guess
from data.files.register_files import (
    REGISTER,
    ParsedTable,
    Source,
    match_source,
    read_source,
    tables_of,
)
from data.files.returned import returned_rows
from data.files.text_files import TableError
from data.records.assembly import assemble, grades_of
from data.records.checks import PROBLEM_COLUMNS, collect, no_problems, problems
from data.records.course_results import GradeRules
from data.records.frames import ImportResult, RecordFrames
from data.records.grade_checks import check_against_terms
from data.records.import_queries import known_records
from data.records.imports import ImportNote
from data.records.known import Known
from data.records.own_terms import as_in_file, assumed, place
from data.records.preview import preview_counts
from data.records.row_checks import check_tables, refused_rows
from data.records.rows_of_nobody import said_for_all
from data.records.write import write_import
from data.store import Store, get_fact, set_fact

LOOKED_AT = 1_000  # rows read to know what a file's columns are
CANNOT_BE_USED = ("REC001", "REC019", "REC030")  # rules of a file that skipping rows does not help


@dataclass(frozen=True)
class ImportPlan:
    """What an import would do; nothing is written yet.

    Parameters
    ----------
    frames : RecordFrames
        The rows without an error, completed.
    problems : DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`; every bad row of every file. ``row`` is the
        number that a spreadsheet shows, missing when the whole file is meant.
    counts : dict
        Table → {"new", "changed", "same"}: what ``frames`` would do to the store.
    read, refused : dict of str to int
        Table → rows in the file; rows with an error.
    matches : dict of str to Match
        Table → the mapping chosen, header by column, and headers left out.
    guesses : dict of str to tuple of Guess
        Table → what was decided in reading its file: sheets, encoding, order of dates, scale.
    without_figures : dict of str to tuple of int
        Student number → terms without average and credits, see
        :class:`data.files.register_files.ParsedTable`.
    grade_rules : GradeRules
        How several attempts at a course are counted.
    returned : dict of str to DataFrame
        Table → its refused rows in the original columns, with row number and reasons.
    files : dict
        File name → {"sha256", "rows"}.
    unreadable : bool
        Whether a file cannot be used at all, so that skipping rows does not help.
    """

    frames: RecordFrames
    problems: pd.DataFrame
    counts: dict[str, dict[str, int]]
    read: dict[str, int]
    refused: dict[str, int]
    matches: dict[str, Match]
    returned: dict[str, pd.DataFrame]
    files: dict[str, dict] = field(default_factory=dict)
    unreadable: bool = False
    guesses: dict[str, tuple[Guess, ...]] = field(default_factory=dict)
    without_figures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    grade_rules: GradeRules = GradeRules()

    @property
    def errors(self) -> pd.DataFrame:
        """The problems that stand in the way."""
        return self.problems[self.problems["severity"] == "error"]

    @property
    def warnings(self) -> pd.DataFrame:
        """The problems that do not."""
        return self.problems[self.problems["severity"] == "warning"]

    @property
    def accepted(self) -> bool:
        """Whether every row of every file is accepted."""
        return self.errors.empty


class RefusedImport(ValueError):
    """An import that was not written; ``plan`` says why."""

    def __init__(self, message: str, plan: ImportPlan):
        super().__init__(message)
        self.plan = plan


def plan_import(
    sources: Sequence[Source],
    mapping: Mapping | None = None,
    *,
    store: Store | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> ImportPlan:
    """Read and check files, and compare them with the store.

    Parameters
    ----------
    sources : sequence of Source
        At most one file per table.
    mapping : Mapping, optional
        By default the best of the remembered and the shipped ones, file by file.
    store : Store, optional
        Without one every row is new and every student must be in the files.
    today : date, optional
        Later dates are in the future; by default the day on the institution's clock.
    progress : Progress, optional

    Returns
    -------
    ImportPlan

    Raises
    ------
    ValueError
        When two sources hold the same table.
    """
    names = [source.table for source in sources]
    if len(set(names)) != len(names):
        raise ValueError(f"sources must hold different tables, got {', '.join(names)}")
    today = today or (date.today() if store is None else clock.today(store))
    steps = Steps(progress, len(sources) + 3)
    remembered = remembered_mappings(store) if store is not None else ()
    tables: dict[str, ParsedTable] = {}
    found = [no_problems()]
    for source in sorted(sources, key=lambda source: list(TABLES).index(source.table)):
        steps(f"reading {source.name}")
        try:
            tables[source.table] = read_source(source, mapping=mapping, remembered=remembered)
        except TableError as error:
            found.append(problems(source.name, "REC019", [None], messages=str(error)))
    tables = _told_apart(_read_together(tables, sources))
    steps("comparing with the store")
    known = Known() if store is None else known_records(store, _numbers(tables))
    steps("checking every row")
    tables = place(tables, known)
    found = collect([*found, check_tables(tables, known, today)])
    found = collect([found, *(assumed(tables[name]) for name in BY_TERM if name in tables)])
    found = collect([found, _beside_terms(tables, found, known, today)])
    steps("preparing")
    plan = _plan(sources, tables, found, known, today)
    steps("done")
    return plan


def _beside_terms(
    tables: dict[str, ParsedTable], found: pd.DataFrame, known: Known, today: date
) -> pd.DataFrame:
    """Where the terms say otherwise than the grades of the import and the store together."""
    whole = {name: tables[name] for name in BY_TERM if name in tables and not tables[name].match.missing}
    if not whole:
        return no_problems()
    grades = whole.get("grades")
    incoming = None if grades is None else grades_of(grades, refused_rows(found, grades.file), today)
    return check_against_terms(whole.get("terms"), grades, incoming, known)


def _read_together(tables: dict[str, ParsedTable], sources: Sequence[Source]) -> dict[str, ParsedTable]:
    """Tables of one file: a header is not understood only where none of them understands it."""
    hashes = {source.table: (source.sha256, source.reading.sheets) for source in sources}
    unknown: dict[tuple, set[str]] = {}
    for name, parsed in tables.items():
        left = set(parsed.match.unknown)
        unknown[hashes[name]] = unknown.get(hashes[name], left) & left
    told: set[tuple[tuple, str]] = set()
    read: dict[tuple, set[str]] = {}
    for name, parsed in tables.items():
        read.setdefault(hashes[name], set()).update(parsed.match.headers.values())
    together = {}
    for name, parsed in tables.items():
        kept = tuple(
            header
            for header in parsed.match.unknown
            if header in unknown[hashes[name]] and (hashes[name], header) not in told
        )
        told |= {(hashes[name], header) for header in kept}
        elsewhere = tuple(one for one in parsed.match.elsewhere if one not in read[hashes[name]])
        together[name] = replace(parsed, match=replace(parsed.match, unknown=kept, elsewhere=elsewhere))
    return together


def _told_apart(tables: dict[str, ParsedTable]) -> dict[str, ParsedTable]:
    """Tables of one workbook get its sheets' names: row 5 of one is not row 5 of the other."""
    shared = Counter(parsed.file for parsed in tables.values())
    told = {
        name: replace(parsed, file=f"{parsed.file} ({parsed.text.sheet or name})")
        if shared[parsed.file] > 1
        else parsed
        for name, parsed in tables.items()
    }
    return {name: _without_read_sheets(name, parsed, tables) for name, parsed in told.items()}


def _without_read_sheets(name: str, parsed: ParsedTable, tables: dict[str, ParsedTable]) -> ParsedTable:
    """A sheet that another table of the same workbook has read was not left."""
    read = {
        sheet
        for other, table in tables.items()
        if other != name and table.text.name == parsed.text.name
        for sheet in table.text.sheets
    }
    left = tuple((sheet, why) for sheet, why in parsed.text.left if sheet not in read)
    return replace(parsed, text=replace(parsed.text, left=left))


def _plan(sources, tables, found, known, today) -> ImportPlan:
    refused = {name: refused_rows(found, parsed.file) for name, parsed in tables.items()}
    unreadable = bool(found["rule"].isin(CANNOT_BE_USED).any())
    shown = as_in_file(found, tables)
    frames = RecordFrames() if unreadable else assemble(tables, refused, known, today)
    hashes = {source.table: source.sha256 for source in sources}
    told = said_for_all(shown, tables, [source.table for source in sources])
    return ImportPlan(
        frames=frames,
        problems=_as_shown(told, tables),
        counts=preview_counts(frames, known, today),
        read={name: len(parsed.raw) for name, parsed in tables.items()},
        refused={name: len(rows) for name, rows in refused.items()},
        matches={name: parsed.match for name, parsed in tables.items()},
        returned={
            name: returned_rows(parsed, shown) for name, parsed in tables.items() if len(refused[name])
        },
        files={
            parsed.file: {"sha256": hashes[name], "rows": len(parsed.raw)} for name, parsed in tables.items()
        },
        unreadable=unreadable,
        guesses={name: parsed.guesses for name, parsed in tables.items()},
        without_figures=tables["terms"].without_figures if "terms" in tables else {},
        grade_rules=known.grade_rules,
    )


def register_sources(
    store: Store | None,
    whole: Source,
    mapping: Mapping | None = None,
    choices: Sequence[Choice] = (),
    codes: Sequence[Source] = (),
) -> list[Source]:
    """A file with a row per student as a source for each table of which it has the needed columns.

    Raises
    ------
    data.files.text_files.TableError
        When it is no table, or holds none of the tables: the message says what each lacks.
    """
    remembered = remembered_mappings(store) if store is not None else ()
    each = [replace(whole, table=table) for table in REGISTER]
    if choices or codes:
        mapping = chosen_mapping(store, each, mapping, choices, codes)
    held = tables_of(whole.name, whole.data, mapping=mapping, remembered=remembered, reading=whole.reading)
    if not held:
        matches = [match_source(one, mapping=mapping, remembered=remembered, limit=100)[1] for one in each]
        lacking = "; ".join(f"{match.table}: {', '.join(match.missing) or 'a date'}" for match in matches)
        raise TableError(f"{whole.name}: no table is complete; missing are {lacking}")
    return [one for one in each if one.table in held]


def chosen_mapping(
    store: Store | None,
    sources: Sequence[Source],
    mapping: Mapping | None = None,
    choices: Sequence[Choice] = (),
    codes: Sequence[Source] = (),
) -> Mapping:
    """The mapping of an import with what a person chose, and with the institution's own lists of codes.

    Raises
    ------
    data.files.mapping.MappingError
        When a choice fits no file of the import.
    data.files.text_files.TableError
        When a file is no table, or a list of codes none.
    """
    remembered = remembered_mappings(store) if store is not None else ()
    matches = [
        match_source(one, mapping=mapping, remembered=remembered, limit=LOOKED_AT)[1] for one in sources
    ]
    listed = [one for source in codes for one in code_list(source.name, source.data, matches)]
    return with_choices(matches, [*listed, *choices])


def _as_shown(found: pd.DataFrame, tables: dict[str, ParsedTable]) -> pd.DataFrame:
    """Problems with the row numbers that a spreadsheet program shows, and the sheet beside the file."""
    found = found.copy()
    for parsed in tables.values():
        if len(parsed.text.sheets) < 2:
            continue
        mine = (found["file"] == parsed.file) & found["row"].notna()
        places = [parsed.text.place(row) for row in found.loc[mine, "row"]]
        found.loc[mine, "row"] = pd.array([row for _, row in places], dtype="Int64")
        found.loc[mine, "file"] = [f"{parsed.text.name} ({sheet})" for sheet, _ in places]
    return found


def apply_import(
    store: Store,
    plan: ImportPlan,
    *,
    actor: str,
    skip_bad: bool = False,
    synthetic: bool = False,
    import_id: str | None = None,
    role: str | None = None,
    planned: dict | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Write a plan in one transaction, with its entry in the audit log.

    Parameters
    ----------
    store : Store
        The store the plan was made for.
    plan : ImportPlan
        From :func:`plan_import`.
    actor : str
        Account, or "command line".
    skip_bad : bool
        Write the good rows although others are refused; those are in ``plan.returned``.
    synthetic : bool
        Whether the files are invented data.
    import_id : str, optional
        The import's id; by default a new one.
    role, planned
        For the audit log, see :class:`data.records.imports.ImportNote`.
    progress : Progress, optional

    Raises
    ------
    RefusedImport
        When a row is refused and ``skip_bad`` is not set, or a file cannot be used at all.
    """
    if plan.unreadable:
        raise RefusedImport("a file cannot be used at all; nothing was written", plan)
    if not plan.accepted and not skip_bad:
        rows = sum(plan.refused.values())
        raise RefusedImport(f"{rows} rows were refused; nothing was written", plan)
    note = ImportNote(", ".join(plan.files), plan.files, actor, synthetic, role=role, planned=planned or {})
    return write_import(
        store,
        plan.frames,
        note if import_id is None else replace(note, import_id=import_id),
        progress=progress,
    )


def remember_mapping(store: Store, mapping: Mapping) -> None:
    """Prefer a mapping in every later import of this store's institution.

    Choices made by hand add up: the columns of students stay known when those of terms are chosen in a later
    import. Any other mapping takes the place of the one of its name.
    """
    known = remembered_mappings(store)
    kept = [mapping_to_dict(other) for other in known if other.name != mapping.name]
    for before in known:
        if before.name == mapping.name == OWN:
            silent = {table: part for table, part in before.tables.items() if not _by_hand(mapping, table)}
            mapping = replace(mapping, tables={**mapping.tables, **silent})
    everything = get_fact(store, MAPPINGS) or {}
    institution = get_fact(store, NAME) or ""
    set_fact(store, MAPPINGS, {**everything, institution: [mapping_to_dict(mapping), *kept]})


def _by_hand(mapping: Mapping, table: str) -> bool:
    """Whether somebody chose anything of a table."""
    part = mapping.table(table)
    return bool(part.chosen or part.fixed or part.meanings or part.zero)


def remembered_mappings(store: Store) -> tuple[Mapping, ...]:
    """The mappings remembered for this store's institution, the newest first."""
    everything = get_fact(store, MAPPINGS) or {}
    kept = everything.get(get_fact(store, NAME) or "", [])
    return tuple(mapping_from_dict(raw) for raw in kept)


def problems_for_people(found: pd.DataFrame) -> pd.DataFrame:
    """Problems by rule for a summary: columns ``rule, severity, file, rows, first_row, message``."""
    grouped = found.groupby(["rule", "severity", "file"], sort=False)
    return grouped.agg(
        rows=("row", "size"), first_row=("row", "min"), message=("message", "first")
    ).reset_index()


def _numbers(tables: dict[str, ParsedTable]) -> set[str]:
    numbers: set[str] = set()
    for parsed in tables.values():
        if "student_number" in parsed.values:
            numbers |= distinct(parsed.values["student_number"])
    return numbers


__all__ = [
    "PROBLEM_COLUMNS",
    "ImportPlan",
    "RefusedImport",
    "Source",
    "apply_import",
    "plan_import",
    "problems_for_people",
    "remember_mapping",
    "remembered_mappings",
]
