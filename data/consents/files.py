"""What a file says about consent → one decision per row: who, for what, yes or no, when, by which source.

A registrar's file gives an answer for the purposes that a row names, or an answer per purpose, with one date
or with the dates of the yes and of the withdrawal. It may be a file of its own or columns of the students
file. Whatever the row does not say is a problem, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from data.columns import CONSENT_PURPOSES, OF_CONSENT, YES
from data.consents.order import as_recorded, yes_beside_no
from data.files.register_files import ParsedTable
from data.files.text_table import header_key
from data.files.told import Told
from data.records.checks import collect, flag
from data.records.known import Known

EVENT_COLUMNS = ["student_number", "purpose", "decision", "decided_on", "source", "text_version", "row"]
_RESEARCH = ("penelitian", "riset", "research")
_OUTCOME = ("kelulusan", "graduation", "prediksi", "prediction")


@dataclass(frozen=True)
class ConsentRows:
    """The decisions of one file.

    Parameters
    ----------
    events : DataFrame
        :data:`EVENT_COLUMNS`; ``row`` is the row of the file. Only rows without a problem.
    problems : DataFrame
        As in :data:`data.records.checks.PROBLEM_COLUMNS`.
    """

    events: pd.DataFrame
    problems: pd.DataFrame


def has_consents(parsed: ParsedTable) -> bool:
    """Whether a table says anything about consent."""
    return parsed.table == "consents" or any(name.startswith(OF_CONSENT) for name in parsed.raw)


def read_consents(parsed: ParsedTable, refused: pd.Index, known: Known) -> ConsentRows:
    """The decisions of a file, and what its rows leave open or contradict.

    Parameters
    ----------
    parsed : ParsedTable
        Of the table "consents", or "students" with columns about consent.
    refused : Index
        Rows with a problem already: they are not looked at again.
    known : Known
        What is on record.
    """
    prefix = "" if parsed.table == "consents" else OF_CONSENT
    names = [name for name in parsed.values if name == "student_number" or name.startswith(prefix)]
    rows = parsed.values[names].drop(index=refused.intersection(parsed.values.index))
    plain = rows.rename(columns=lambda name: name.removeprefix(prefix) if prefix else name)
    reader = _Reader(set(plain.columns), prefix)
    numbers, cells = plain.index, plain.astype(object).where(plain.notna(), None).to_dict("records")
    for row, said in zip(numbers, cells, strict=True):
        reader.read(int(row), said)
    lacking = [
        flag(parsed, _rows_at(parsed, of_one["row"]), "REC002", column, message)
        for (column, message), of_one in _as_frame(reader.lacking).groupby(["column", "message"], sort=False)
    ]
    bad = {row for row, *_ in reader.lacking}
    events = pd.DataFrame([one for one in reader.events if one[-1] not in bad], columns=EVENT_COLUMNS)
    events["decided_on"] = pd.to_datetime(events["decided_on"]).astype("datetime64[us]")
    where = f"{prefix}decision" if f"{prefix}decision" in parsed.values else "student_number"
    contradicting = _rows_at(parsed, _contradictions(events))
    found = [*lacking, flag(parsed, contradicting, "CON001", where)]
    events = events[~events["row"].isin(contradicting.index[contradicting])]
    found.append(_ambiguous(parsed, f"{prefix}purpose"))
    beside = yes_beside_no(events, known.consents) | reader.both
    message = "the refusal or withdrawal on record or in this file holds; a new yes must say 'setuju kembali'"
    message = Told("no_holds", f"{message} (granted again)")
    found.append(flag(parsed, _rows_at(parsed, beside), "CON101", where, message))
    return ConsentRows(events.reset_index(drop=True), collect(found))


def frame_of(events: pd.DataFrame) -> pd.DataFrame:
    """The decisions as the store takes them, in the order in which they are to be recorded, each once."""
    ordered = as_recorded(events)
    return ordered.drop(columns="row").drop_duplicates(ignore_index=True)


@dataclass
class _Reader:
    """Reads row by row: ``events`` as tuples of :data:`EVENT_COLUMNS`, ``lacking`` as (row, column, why)."""

    columns: set[str]
    prefix: str
    events: list[tuple] = field(default_factory=list)
    lacking: list[tuple[int, str, str]] = field(default_factory=list)
    both: set[int] = field(default_factory=set)  # rows that say yes and have a date of withdrawal

    def read(self, row: int, said: dict) -> None:
        """One row of a file."""
        answers = list(self._answers(row, said))
        if not answers and self.prefix == "" and not (self.lacking and self.lacking[-1][0] == row):
            self._lacks(row, "decision", Told("no_answer", "the row says neither yes nor no"))
        for purpose, decision, day in answers:
            if decision == "granted" and said.get("withdrawn_on"):
                self.both.add(row)
            for kind, when, column in self._dated(decision, day, said):
                if when is None:
                    why = f"no date for {purpose}: {kind}"
                    self._lacks(row, column, Told("no_date", why, named_purpose=purpose, named_answer=kind))
                about = (said.get("source"), said.get("text_version"))
                self.events.append((said["student_number"], purpose, kind, when, *about, row))

    def _answers(self, row: int, said: dict) -> Iterator[tuple]:
        """(purpose, decision or None, date of its own or None) of everything that the row answers."""
        purposes = (said.get("purpose") or "").split(", ") if said.get("purpose") else []
        decision = said.get("decision")
        dates = any(said.get(name) for name in ("decided_on", "granted_on", "withdrawn_on"))
        apart = [one for one in CONSENT_PURPOSES if said.get(one) or said.get(f"{one}_on")]
        if decision and not purposes:
            why = "the row does not say for what; 'semua' (all) names every purpose"
            self._lacks(row, "purpose", Told("no_purpose", why))
        if purposes and not decision and ("decision" in self.columns or not dates):
            why = "the row names a purpose, but neither yes nor no"
            self._lacks(row, "decision", Told("purpose_no_answer", why))
        elif dates and not purposes and not decision and not apart:
            why = "the row has a date, but neither yes nor no"
            self._lacks(row, "decision", Told("date_no_answer", why))
        if decision or "decision" not in self.columns:
            yield from ((purpose, decision, None) for purpose in purposes)
        for purpose in apart:
            if not said.get(purpose) and purpose in self.columns:
                why = "the row has a date for this purpose, but neither yes nor no"
                self._lacks(row, purpose, Told("date_no_answer", why))
            else:
                yield purpose, said.get(purpose), said.get(f"{purpose}_on")

    def _dated(self, decision: str | None, own, said: dict) -> Iterator[tuple]:
        """(decision, date or None, column that should have it) of one answer: a withdrawal may stand beside
        the yes that it ends."""
        general, yes, withdrawn = (said.get(one) for one in ("decided_on", "granted_on", "withdrawn_on"))
        yes = own or yes
        if decision is None:  # the columns of dates say which it is
            if yes or not withdrawn:
                yield "granted", yes, self._first("granted_on", "decided_on")
        elif decision in YES:
            day = (general or yes) if decision == "renewed" else (yes or general)
            yield decision, day, self._first("granted_on", "decided_on")
        elif decision == "refused" and not withdrawn:
            yield decision, general or yes, self._first("decided_on", "granted_on")
        elif yes:
            yield "granted", yes, "granted_on"
        if withdrawn or decision == "withdrawn":
            yield "withdrawn", withdrawn or general, self._first("withdrawn_on", "decided_on", "decision")

    def _first(self, *names: str) -> str:
        return next((name for name in names if name in self.columns), names[0])

    def _lacks(self, row: int, column: str, why: str) -> None:
        self.lacking.append((row, f"{self.prefix}{column}", why))


def _as_frame(lacking: list[tuple[int, str, str]]) -> pd.DataFrame:
    columns = ["row", "column", "message"]
    return pd.DataFrame(lacking, columns=columns, dtype=object).drop_duplicates()


def _rows_at(parsed: ParsedTable, rows) -> pd.Series:
    return pd.Series(parsed.values.index.isin(list(rows)), parsed.values.index)


def _contradictions(events: pd.DataFrame) -> set[int]:
    """Rows that say yes and no of one day: not a withdrawal, which may follow a yes on the same day."""
    plain = events[events["decision"].isin(("granted", "refused"))].dropna(subset=["decided_on"])
    kinds = plain.groupby(["student_number", "purpose", "decided_on"])["decision"].transform("nunique")
    return set(plain.loc[kinds > 1, "row"])


def _ambiguous(parsed: ParsedTable, name: str) -> pd.DataFrame:
    """Words such as "penelitian kelulusan" that were read as research and might have meant the risk model."""
    if name not in parsed.raw:
        return collect([])
    doubtful = {
        cell: any(one in header_key(cell) for one in _RESEARCH)
        and any(one in header_key(cell) for one in _OUTCOME)
        for cell in parsed.raw[name].unique()
    }
    values = parsed.values[name].fillna("").str.split(", ")
    narrow = values.map(lambda named: "research" in named and "outcome_model" not in named)
    message = "taken as research; for the risk model write 'model hasil' (outcome model), or map the word"
    message = Told("narrower", message)
    return flag(parsed, parsed.raw[name].map(doubtful).astype(bool) & narrow, "CON102", name, message)
