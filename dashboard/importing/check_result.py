"""What a check of files has found, as far as the page shows it: the same from this process and from a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import pandas as pd

from dashboard.importing.plan import PagePlan
from data.files.reading import Guess
from data.records.checks import PROBLEM_COLUMNS
from data.records.course_results import GradeRules
from data.records.ingest import ImportPlan

FIRST = 5  # rows that are shown as read
FRAME_OF = {"grades": "course_attempts"}  # where the rows of a file go by another name


@dataclass(frozen=True)
class ReadTable:
    """One table as it was read.

    Parameters
    ----------
    table : str
        One of :data:`data.files.mapping.TABLES`.
    layout : str
        Title of the mapping.
    headers : dict of str to str
        Column → header of the file.
    left_out, unknown, elsewhere : tuple of str
        See :class:`data.files.matching.Match`.
    first : tuple of DataFrame
        The first rows of what would be written, as text; of a students file with columns about consent, those
        of the consents too.
    grade_rules : GradeRules or None
        Of grades: which attempt at a course counts, and what passes.
    """

    table: str
    layout: str
    headers: dict[str, str]
    left_out: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    first: tuple[pd.DataFrame, ...] = ()
    grade_rules: GradeRules | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check has found; nothing of it is needed to write the files.

    Parameters
    ----------
    problems : DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`, errors first.
    counts : dict
        Table → new, changed and same rows.
    usable : bool
        Whether leaving out the bad rows would help.
    tables : tuple of ReadTable
        Empty where a file cannot be used at all.
    guesses : tuple of (str, Guess)
        Table and what was decided in reading its file.
    without_figures : dict of str to tuple of int
        Student number → terms without average and credits, see :class:`data.records.ingest.ImportPlan`.
    headers : tuple of str
        Of all files that could be read.
    returned : dict of str to DataFrame
        Table → the rows that would be left out, in the file's own columns with row number and reasons.
    """

    problems: pd.DataFrame
    counts: dict[str, dict[str, int]]
    usable: bool
    tables: tuple[ReadTable, ...] = ()
    guesses: tuple[tuple[str, Guess], ...] = field(default=())
    without_figures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    returned: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many problems stand in the way."""
        return int((self.problems["severity"] == "error").sum())

    def to_json(self) -> bytes:
        """Everything as JSON; :func:`from_json` reads it back."""
        said = {
            "problems": _to_plain(self.problems),
            "counts": self.counts,
            "usable": self.usable,
            "tables": [
                {**asdict(replace(one, first=())), "first": [_to_plain(frame) for frame in one.first]}
                for one in self.tables
            ],
            "guesses": [[table, asdict(guess)] for table, guess in self.guesses],
            "without_figures": self.without_figures,
            "headers": self.headers,
            "returned": {table: _to_plain(rows) for table, rows in self.returned.items()},
        }
        return json.dumps(said, ensure_ascii=False).encode()


def result_of(plan: PagePlan) -> CheckResult:
    """What a plan says to the page."""
    records = plan.records
    shown = records is not None and not records.unreadable
    return CheckResult(
        plan.problems,
        plan.counts,
        plan.usable,
        _tables(records) if shown else (),
        tuple((table, guess) for table, found in records.guesses.items() for guess in found) if shown else (),
        records.without_figures if shown else {},
        () if records is None else tuple(dict.fromkeys(_headers(records))),
        dict(records.returned) if records is not None and plan.usable else {},
    )


def _headers(records: ImportPlan) -> Iterator[str]:
    for match in records.matches.values():
        yield from (*match.headers.values(), *match.left_out, *match.unknown, *match.elsewhere)


def from_json(data: bytes) -> CheckResult:
    """The result that :meth:`CheckResult.to_json` wrote."""
    said = json.loads(data)
    problems = _frame(said["problems"]).reindex(columns=list(PROBLEM_COLUMNS))
    rows = pd.to_numeric(problems["row"]).astype("Int64")
    tables = tuple(
        ReadTable(
            one["table"],
            one["layout"],
            one["headers"],
            *(tuple(one[name]) for name in ("left_out", "unknown", "elsewhere")),
            tuple(map(_frame, one["first"])),
            GradeRules(**one["grade_rules"]) if one.get("grade_rules") else None,
        )
        for one in said["tables"]
    )
    guesses = tuple((table, Guess(**guess)) for table, guess in said["guesses"])
    told = problems["told"].fillna("")
    return CheckResult(
        problems.assign(row=rows, told=told),
        said["counts"],
        said["usable"],
        tables,
        guesses,
        {number: tuple(terms) for number, terms in said.get("without_figures", {}).items()},
        tuple(said.get("headers", ())),
        {table: _frame(rows) for table, rows in said.get("returned", {}).items()},
    )


def _tables(records: ImportPlan) -> tuple[ReadTable, ...]:
    found = []
    for table, match in records.matches.items():
        frames = [getattr(records.frames, FRAME_OF.get(table, table))]
        if table == "students" and "consents" not in records.matches:  # its columns about consent
            frames.append(records.frames.consents)
        first = tuple(_first(frame) for frame in frames if frame is not None)
        headers = dict(match.headers)
        told = (tuple(match.left_out), tuple(match.unknown), tuple(match.elsewhere))
        rules = records.grade_rules if table == "grades" else None
        found.append(ReadTable(table, match.mapping.title, headers, *told, first, rules))
    return tuple(found)


def _first(frame: pd.DataFrame) -> pd.DataFrame:
    first = frame.head(FIRST)
    return first.astype("str").astype(object).where(first.notna(), None).reset_index(drop=True)


def _to_plain(frame: pd.DataFrame) -> dict:
    cells = frame.astype(object).where(frame.notna(), None)
    rows = [[int(cell) if hasattr(cell, "__index__") else cell for cell in row] for row in cells.to_numpy()]
    return {"columns": list(frame.columns), "rows": rows}


def _frame(plain: dict) -> pd.DataFrame:
    return pd.DataFrame(plain["rows"], columns=plain["columns"], dtype=object)
