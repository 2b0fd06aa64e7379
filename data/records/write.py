"""Writing records: one import is one transaction, and what a changed row said before is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Table, func, select

from data import schema
from data.calendar.clock import today_in
from data.calendar.term_calendar import GRADES_KNOWN_AFTER, term_end, terms_between
from data.columns import NORMAL_TERMS, REQUIRED_CREDITS
from data.consents.consent import append_decisions, forget_scores, outcome_refusals
from data.engine.bulk import (
    KEYS_PER_QUERY,
    all_columns,
    fetch,
    fetch_by_keys,
    insert_frame,
    update_frame,
)
from data.engine.clock import now
from data.engine.database import Store, cipher_of
from data.engine.progress import Progress
from data.keeping.rule import date_signatures
from data.records.derived import refresh
from data.records.diff import Difference, compare, compare_dated, compare_programs
from data.records.frames import (
    ATTEMPT,
    NUMBER,
    OF_PROGRAM,
    ImportResult,
    RecordFrames,
    blocks,
    refuse_repeats,
    typed,
    versions,
)
from data.records.history import History
from data.records.import_queries import reads_whole
from data.records.imports import ImportNote, finish_import, keep_for_undo, open_import
from data.trust.audit import note_in


def write_records(
    store: Store,
    frames: RecordFrames,
    *,
    source: str,
    files: dict,
    actor: str,
    synthetic: bool = False,
    student_keys: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Write one import in one transaction: everything or nothing.

    New rows are inserted, changed rows are updated and their old version goes to ``row_history``, equal rows
    are left alone; the same frames twice change no record. Every call leaves a row in ``imports``.

    Parameters
    ----------
    frames : RecordFrames
        The records; students of ``terms``, ``outcomes``, ``course_attempts`` and ``consents`` must be known
        or in ``students``.
    source, files, actor, synthetic
        See :class:`data.records.imports.ImportNote`.
    student_keys : dict, optional
        student_number → student_key for new students; by default a keyed hash of the number.
    progress : Progress, optional

    Raises
    ------
    ValueError
        When a column is unknown, a key is repeated or missing, or a student or programme is not known.
    """
    note = ImportNote(source, files, actor, synthetic)
    return write_import(store, frames, note, student_keys=student_keys, progress=progress)


def write_import(
    store: Store,
    frames: RecordFrames,
    note: ImportNote,
    *,
    student_keys: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """As :func:`write_records`, under an id of the caller's: a job that was killed finds its own import."""
    with store.writing() as connection:
        open_import(connection, note)
        writer = _Writer(connection, note.import_id, progress)
        if frames.programs is not None:
            writer.programs(frames.programs)
        if frames.students is not None:
            writer.students(frames.students, partial(_key_of, store, student_keys or {}))
        if frames.terms is not None:
            writer.terms(frames.terms)
        if frames.course_attempts is not None:
            writer.course_attempts(frames.course_attempts)
        if frames.outcomes is not None:
            writer.outcomes(frames.outcomes)
            date_signatures(connection, sorted(writer.touched))  # who has left has other dates now
        withdrawn = writer.consents(frames.consents, note.actor) if frames.consents is not None else []
        result = ImportResult(writer.import_id, writer.counts)
        if writer.touched:
            refresh(connection, writer.touched, writer.left)
        if writer.wrote:
            keep_for_undo(connection, store.cipher, result.import_id, writer.replaced)
        finish_import(connection, result.import_id, result.counts)
        note_in(connection, note.entry(result.counts))
    forget_scores(store, withdrawn, note.actor)
    return result


def _key_of(store: Store, given: dict[str, str], number: str) -> str:
    return given.get(number) or store.cipher.student_key(number)


class _Writer:
    """The tables of one import, in the order that foreign keys need."""

    def __init__(self, connection: Connection, import_id: str, progress: Progress | None) -> None:
        self.connection = connection
        self.cipher = cipher_of(connection)
        self.import_id = import_id
        self.progress = progress
        self.counts: dict[str, dict[str, int]] = {}
        self.keys: dict[str, str] = {}  # student_number → student_key
        self.touched: set[str] = set()  # students of whom any row is new or changed
        self.left: set[tuple[str, int]] = set()  # cohorts (programme and entry term) that students left
        self.wrote = False  # whether there is anything to undo
        self.replaced = {
            "names": {},
            "birth_years": {},
            "programs": [],
        }  # what an undo needs beside the history
        self.at = now()
        self.day = today_in(connection)

    def programs(self, frame: pd.DataFrame) -> None:
        incoming = typed(frame, schema.programs)
        refuse_repeats(incoming, ["program_code"], "programs")
        stored = fetch(self.connection, all_columns(schema.programs))
        self._apply(schema.programs, ["program_code"], compare(incoming, stored, ["program_code"]))

    def students(self, frame: pd.DataFrame, key_of) -> None:
        incoming = typed(frame, schema.students, also=(NUMBER, "name", *OF_PROGRAM))
        refuse_repeats(incoming, [NUMBER], "students")
        self._programs_of(incoming)
        keys = self._known_keys(incoming[NUMBER])
        incoming["student_key"] = [keys.get(number) or key_of(number) for number in incoming[NUMBER]]
        rows = incoming.drop(columns=[NUMBER, "name", *OF_PROGRAM], errors="ignore")
        self._inblocks(schema.students, ["student_key"], rows, partial(compare, key=["student_key"]))
        self._identities(incoming)

    def terms(self, frame: pd.DataFrame) -> None:
        incoming = self._with_keys(typed(frame, schema.terms, also=(NUMBER,)), "terms")
        if "term_index" not in incoming or incoming["term_index"].isna().any():
            derived = self._term_indexes(incoming)
            incoming["term_index"] = incoming.get("term_index", derived).fillna(derived).astype("int64")
        self._dated(schema.terms, ["student_key", "term_id"], incoming)

    def course_attempts(self, frame: pd.DataFrame) -> None:
        incoming = self._with_keys(typed(frame, schema.course_attempts, also=(NUMBER,)), "course_attempts")
        for version in versions(incoming, ATTEMPT):
            self._dated(schema.course_attempts, ATTEMPT, version)

    def outcomes(self, frame: pd.DataFrame) -> None:
        incoming = self._with_keys(typed(frame, schema.outcomes, also=(NUMBER,)), "outcomes")
        if "observed_until" not in incoming:
            incoming["observed_until"] = pd.Series(pd.NaT, index=incoming.index, dtype="datetime64[us]")
        incoming["observed_until"] = incoming["observed_until"].fillna(self._reach(incoming))
        refuse_repeats(incoming, ["student_key"], "outcomes")
        compared = partial(
            compare_dated,
            key=["student_key"],
            dated="observed_until",
            today=self.day,
            later_is_news=True,
        )
        self._inblocks(schema.outcomes, ["student_key"], incoming, compared)

    def consents(self, frame: pd.DataFrame, actor: str) -> list[str]:
        """Append the decisions that are not on record. Returns who said no to the outcome model now."""
        incoming = self._with_keys(typed(frame, schema.consents, also=(NUMBER,)), "consents")
        fresh = append_decisions(self.connection, incoming, actor, self.at, self.import_id)
        self.wrote |= bool(len(fresh))
        self._count("consents", {"new": len(fresh), "changed": 0, "same": len(incoming) - len(fresh)})
        return outcome_refusals(fresh)

    def _dated(self, table: Table, key: list[str], incoming: pd.DataFrame) -> None:
        refuse_repeats(incoming, key, table.name)
        if "known_at" not in incoming:
            incoming["known_at"] = pd.Series(pd.NaT, index=incoming.index, dtype="datetime64[us]")
        booked = {term: _booked(term) for term in incoming["term_id"].unique()}
        compared = partial(compare_dated, key=key, dated="known_at", today=self.day, default=booked)
        self._inblocks(table, key, incoming, compared)

    def _inblocks(self, table: Table, key: list[str], incoming: pd.DataFrame, compared) -> None:
        """Compare and write some thousand students at a time: memory does not grow with the register."""
        done = 0
        for block in blocks(incoming):
            self._apply(table, key, compared(block, self._stored(table, block)))
            done += len(block)
            if self.progress:
                self.progress(done, len(incoming), "writing rows")

    def _apply(self, table: Table, key: list[str], difference: Difference) -> None:
        history = History(self.connection, table, key, self.import_id, self.at)
        late = history.not_yet_kept(difference.older)
        history.keep(late)
        history.keep(difference.replaced)
        self.wrote |= any(len(rows) for rows in (late, difference.new, difference.changed))
        marked = {} if table is schema.programs else {"import_id": self.import_id}
        update_frame(self.connection, table, key, difference.changed.assign(**marked))
        ordered = difference.new.sort_values(key)  # inserting in key order keeps the index pages together
        insert_frame(self.connection, table, ordered.assign(**marked))
        self._count(table.name, difference.counts)
        if table is schema.programs:
            self.replaced["programs"] += difference.new["program_code"].tolist()
        if "student_key" in table.c:
            self.touched.update(difference.new["student_key"], difference.changed["student_key"])
        if table is schema.students:
            before, after = (
                list(zip(rows["program_code"], rows["cohort_term"].tolist(), strict=True))
                for rows in (difference.replaced, difference.changed)
            )
            self.left.update(old for old, new in zip(before, after, strict=True) if old != new)
            self.replaced["birth_years"] |= _other_years(difference)

    def _count(self, name: str, counts: dict[str, int]) -> None:
        earlier = self.counts.get(name, {})
        self.counts[name] = {kind: earlier.get(kind, 0) + number for kind, number in counts.items()}

    def _stored(self, table: Table, block: pd.DataFrame) -> pd.DataFrame:
        """The stored rows of the students in ``block`` (and perhaps of some between them)."""
        students, column = np.sort(block["student_key"].unique().astype(object)), table.c.student_key
        if len(students) > KEYS_PER_QUERY:
            ends = (students[0], students[-1])
            between = select(func.count()).where(schema.students.c.student_key.between(*ends))
            # Reading some rows too many costs less than naming each student.
            if self.connection.execute(between).scalar_one() <= 4 * len(students):
                return fetch(self.connection, all_columns(table).where(column.between(*ends)))
        return fetch_by_keys(self.connection, all_columns(table), column, students.tolist())

    def _known_keys(self, numbers: pd.Series) -> dict[str, str]:
        """student_number → student_key of those ``numbers`` that are stored; each is looked up once."""
        wanted = [number for number in numbers.unique() if number not in self.keys]
        identities = schema.identities
        statement = select(identities.c.student_number, identities.c.student_key)
        if reads_whole(self.connection, len(wanted)):
            found = fetch(self.connection, statement)
        else:
            hashes = [self.cipher.number_hash(number) for number in wanted]
            found = fetch_by_keys(self.connection, statement, identities.c.number_hash, hashes)
        self.keys |= dict(zip(found[NUMBER], found["student_key"], strict=True))
        return self.keys

    def _with_keys(self, incoming: pd.DataFrame, table: str) -> pd.DataFrame:
        keys = incoming[NUMBER].map(self._known_keys(incoming[NUMBER]))
        if keys.isna().any():
            count = int(incoming.loc[keys.isna(), NUMBER].nunique())
            raise ValueError(
                f"{table}: every student_number must be a known student; {count} are not, the first in row "
                f"{int(keys.isna().idxmax())}"
            )
        return incoming.drop(columns=[NUMBER]).assign(student_key=keys.astype("str"))

    def _programs_of(self, students: pd.DataFrame) -> None:
        """Make the programmes that students name and nobody described; give the others their new names."""
        stored = fetch(self.connection, all_columns(schema.programs))
        told = compare_programs(students, stored)
        self._note_levels(told, students)
        missing = students[~students["program_code"].isin(stored["program_code"])]
        missing = missing.drop_duplicates("program_code")
        made = self._made_of(missing) if len(missing) else told.new
        self._apply(schema.programs, ["program_code"], replace(told, new=made))

    def _note_levels(self, told: Difference, students: pd.DataFrame) -> None:
        """Students of a programme of another level stand elsewhere in their studies."""
        levels = zip(told.changed["degree_level"], told.replaced["degree_level"], strict=True)
        other = told.changed.loc[[new != old for new, old in levels], "program_code"]
        theirs = students.loc[students["program_code"].isin(other), NUMBER]
        self.touched.update(key for key in theirs.map(self._known_keys(theirs)).dropna())

    def _made_of(self, missing: pd.DataFrame) -> pd.DataFrame:
        """New programmes from what their students' rows say: the degree level must be told."""
        levels = missing.get("degree_level", pd.Series(index=missing.index, dtype="str"))
        if levels.isna().any():
            codes = sorted(missing.loc[levels.isna(), "program_code"])
            raise ValueError(
                f"students: program_code must be a known programme or come with a degree_level, got {codes}"
            )
        names = missing.get("program_name", missing["program_code"]).fillna(missing["program_code"])
        made = {"program_code": missing["program_code"], "name": names, "degree_level": levels}
        for name, usual in (("normal_terms", NORMAL_TERMS), ("required_credits", REQUIRED_CREDITS)):
            own = pd.to_numeric(missing[name]) if name in missing else pd.Series(index=missing.index)
            made[name] = own.fillna(levels.map(usual)).astype("int64")
        return pd.DataFrame(made)

    def _identities(self, students: pd.DataFrame) -> None:
        columns = [name for name in ("student_key", NUMBER, "name") if name in students]
        for block in blocks(students[columns]):
            hashes = [self.cipher.number_hash(number) for number in block[NUMBER]]
            block = block.assign(number_hash=pd.array(hashes, dtype="str"))
            difference = compare(block, self._stored(schema.identities, block), ["student_key"])
            # No history: an old name would be identity outside the identity table.
            update_frame(self.connection, schema.identities, ["student_key"], difference.changed)
            insert_frame(self.connection, schema.identities, difference.new.sort_values("student_key"))
            self.replaced["names"] |= _names(difference.replaced)
            self.wrote |= bool(len(difference.replaced))
            self._count("identities", difference.counts)
        self.keys |= dict(zip(students[NUMBER], students["student_key"], strict=True))

    def _term_indexes(self, incoming: pd.DataFrame) -> pd.Series:
        """Regular terms since entry, the entry term being 1."""
        parts = [self._stored(schema.students, block) for block in blocks(incoming[["student_key"]])]
        cohorts = pd.concat(parts).drop_duplicates("student_key").set_index("student_key")["cohort_term"]
        pairs = zip(incoming["student_key"].map(cohorts), incoming["term_id"], strict=True)
        return pd.Series([terms_between(int(first), int(term)) + 1 for first, term in pairs])

    def _reach(self, outcomes: pd.DataFrame) -> pd.Timestamp:
        """How far the register reaches: for outcomes that do not say until when students were observed."""
        latest = self.connection.scalar(select(func.max(schema.terms.c.known_at)))
        if latest is None and "exit_date" in outcomes:
            latest = outcomes["exit_date"].max()
        return pd.Timestamp(self.day) if latest is None or pd.isna(latest) else pd.Timestamp(latest)


def _booked(term_id: int) -> date:
    return term_end(int(term_id)) + GRADES_KNOWN_AFTER


def _other_years(difference: Difference) -> dict[str, int | None]:
    """Years of birth that are replaced by another one, by student; the history does not hold them."""
    if "birth_year" not in difference.changed:
        return {}
    old, new = (rows["birth_year"].to_numpy("float64") for rows in (difference.replaced, difference.changed))
    other = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    keys = difference.replaced["student_key"].to_numpy()[other]
    return {key: None if np.isnan(year) else int(year) for key, year in zip(keys, old[other], strict=True)}


def _names(identities: pd.DataFrame) -> dict[str, str | None]:
    names = identities["name"].astype(object).where(identities["name"].notna(), None)
    return dict(zip(identities["student_key"], names, strict=True))
