"""Undoing the last import: afterwards the store says what it said before.

What the import changed is restored from ``row_history``, what was new is deleted, and the versions that it
had put into the history go with it, as do the consents that it brought; the row in ``imports`` and the
audit log stay. Scores, notes, consents recorded by hand and enrolments are never undone, so an import on
which one of them rests is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, Select, Table, delete, func, select, union, update
from sqlalchemy.exc import IntegrityError

from data import schema
from data.engine.bulk import fetch, fetch_by_keys, update_frame
from data.engine.clock import now
from data.engine.database import Store
from data.engine.sealed_numbers import SealedNumber
from data.records.derived import refresh
from data.trust import audit
from data.trust.erase import delete_cached

KEYS = {  # tables with a history, children first; their keys
    "outcomes": ["student_key"],
    "course_attempts": ["student_key", "course_code", "term_id", "attempt"],
    "terms": ["student_key", "term_id"],
    "students": ["student_key"],
    "programs": ["program_code"],
}
OF_SPECIMENS = (
    schema.embeddings,
    schema.signature_descriptors,
    schema.specimen_findings,
    schema.specimen_strokes,
    schema.specimen_images,
)
OF_STUDENTS = tuple(name for name in KEYS if name != "programs")


class CannotUndo(ValueError):
    """An import that stays.

    Parameters
    ----------
    code : {"not_last", "scored", "used"}
        It is not the last that changed something; scores were computed since; other entries rest on it.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Undone:
    """What an undo did.

    Parameters
    ----------
    import_id : str
        The import.
    removed, restored : dict of str to int
        Table → rows deleted; rows that say again what they said before.
    """

    import_id: str
    removed: dict[str, int]
    restored: dict[str, int]


def last_import(store: Store) -> str | None:
    """The import that can be undone: the last that changed something, unless it was undone or outdated."""
    imports = schema.imports
    with store.reading() as connection:
        return connection.scalar(select(imports.c.import_id).where(imports.c.replaced.is_not(None)))


def undo_import(store: Store, import_id: str, *, actor: str, role: str) -> Undone:
    """Undo the last import in one transaction.

    Parameters
    ----------
    import_id : str
        The import meant; refused when another one has come since.
    actor, role : str
        For the audit log.

    Raises
    ------
    CannotUndo
        When it is not the last one, or something that is never undone rests on it. Nothing is changed then.
    """
    try:
        with store.writing() as connection:
            undo = _Undo(connection, import_id, _kept(store, connection, import_id))
            undone = undo.run(actor)
            detail = {"removed": undone.removed, "restored": undone.restored}
            audit.append_in(
                connection, actor=actor, role=role, action="undo import", object=import_id, detail=detail
            )
            delete_cached(store, set(undo.specimens))
    except IntegrityError:
        raise CannotUndo("used", f"import {import_id} stays: other entries rest on its rows") from None
    delete_cached(store, set(undo.specimens))
    return undone


def _kept(store: Store, connection: Connection, import_id: str) -> dict:
    imports = schema.imports
    sealed = connection.scalar(select(imports.c.replaced).where(imports.c.import_id == import_id))
    if sealed is None:
        raise CannotUndo("not_last", f"import_id must be the last import, got {import_id!r}")
    return json.loads(store.cipher.decrypt(sealed, f"import:{import_id}"))


class _Undo:
    """The steps, in the order that foreign keys need."""

    def __init__(self, connection: Connection, import_id: str, kept: dict):
        self.connection, self.import_id, self.kept = connection, import_id, kept
        self.specimens: list[str] = []
        self.removed: dict[str, int] = {}
        self.restored: dict[str, int] = {}

    def run(self, actor: str) -> Undone:
        self._refuse_scored()
        touched = list(self.connection.scalars(self._touched())) + self._of_other_levels()
        before = self._cohorts()
        imports = schema.imports
        marks = {"undone_at": now(), "undone_by": actor, "replaced": None}
        self.connection.execute(update(imports).where(imports.c.import_id == self.import_id).values(**marks))
        self._remove_consents()
        self._remove_specimens()
        for name in reversed(KEYS):
            self._restore(schema.metadata.tables[name], KEYS[name])
        self._restore_names()
        self._restore_years()
        self._remove_consents_of_new()
        self._remove_new()
        history = schema.row_history
        self.connection.execute(delete(history).where(history.c.replaced_by == self.import_id))
        if touched:
            refresh(self.connection, touched, before)
        return Undone(self.import_id, self.removed, self.restored)

    def _mine(self, table: Table):
        return table.c.import_id == self.import_id

    def _touched(self) -> Select:
        """Students of whom the import wrote any row."""
        history = schema.row_history
        tables = [schema.metadata.tables[name] for name in OF_STUDENTS]
        written = [select(table.c.student_key).where(self._mine(table)) for table in tables]
        kept = history.c.student_key.is_not(None) & (history.c.replaced_by == self.import_id)
        found = union(*written, select(history.c.student_key).where(kept)).subquery()
        return select(found.c.student_key)

    def _of_other_levels(self) -> list[str]:
        """Students of programmes to which the import gave another degree level."""
        history, programs, students = schema.row_history, schema.programs, schema.students
        mine = (history.c.table_name == "programs") & (history.c.replaced_by == self.import_id)
        before = dict(
            map(tuple, self.connection.execute(select(history.c.row_key, history.c.payload).where(mine)))
        )
        now_held = select(programs.c.program_code, programs.c.degree_level)
        held = dict(map(tuple, self.connection.execute(now_held.where(programs.c.program_code.in_(before)))))
        codes = [code for code, level in held.items() if before[code].get("degree_level") != level]
        theirs = select(students.c.student_key).where(students.c.program_code.in_(codes))
        return list(self.connection.scalars(theirs)) if codes else []

    def _cohorts(self) -> set[tuple[str, int]]:
        """Cohorts that students whose row the import wrote stand in now."""
        students = schema.students
        groups = select(students.c.program_code, students.c.cohort_term).where(self._mine(students))
        return set(map(tuple, self.connection.execute(groups.distinct())))

    def _refuse_scored(self) -> None:
        scores, imports, specimens = schema.scores, schema.imports, schema.specimens
        began = select(imports.c.started_at).where(imports.c.import_id == self.import_id).scalar_subquery()
        signed = select(specimens.c.student_key).where(self._mine(specimens))
        by_records = scores.c.student_key.in_(self._touched())
        by_signature = (scores.c.modality == "fused") & scores.c.student_key.in_(signed)
        since = select(func.count()).select_from(scores).where(scores.c.scored_at >= began)
        found = self.connection.scalar(since.where(by_records | by_signature))
        if found:
            raise CannotUndo("scored", f"import {self.import_id} stays: {found} scores rest on it")

    def _remove_consents(self) -> None:
        """Take back each yes of the import, unless something was done on the strength of it.

        A no that came with it stays: only its student's express new yes ends a refusal or a withdrawal.
        """
        consents, imports, scores = schema.consents, schema.imports, schema.scores
        began = select(imports.c.started_at).where(imports.c.import_id == self.import_id).scalar_subquery()
        agreed = select(consents.c.student_key).where(self._mine(consents), consents.c.granted)
        compared = agreed.where(consents.c.purpose == "verification")
        for table in (schema.enrolments, schema.verification_decisions):
            since = select(func.count()).select_from(table).where(table.c.at >= began)
            if self.connection.scalar(since.where(table.c.student_key.in_(compared))):
                raise CannotUndo(
                    "used", f"import {self.import_id} stays: signatures were compared by its consents"
                )
        fused = (scores.c.modality == "fused") & (scores.c.scored_at >= began)
        scored = agreed.where(consents.c.purpose == "outcome_model")
        found = select(func.count()).select_from(scores).where(fused, scores.c.student_key.in_(scored))
        said = schema.signature_predictions
        asked = select(func.count()).select_from(said).where(said.c.at >= began)
        told = (found, asked.where(said.c.student_key.in_(scored)))
        count = sum(self.connection.scalar(number) or 0 for number in told)
        if count:
            raise CannotUndo("scored", f"import {self.import_id} stays: {count} scores rest on its consents")
        self._remove(consents, consents.c.granted)

    def _remove_consents_of_new(self) -> None:
        """Students whom the import brought go with all that it said of them."""
        consents, students = schema.consents, schema.students
        new = select(students.c.student_key).where(self._mine(students))
        self._remove(consents, consents.c.student_key.in_(new))

    def _restore(self, table: Table, key: list[str]) -> None:
        """Give changed rows their version from before the import; their import_id becomes the earlier one."""
        history = schema.row_history
        statement = select(history.c.student_key, history.c.payload)
        mine = (history.c.table_name == table.name) & (history.c.replaced_by == self.import_id)
        rows = fetch(self.connection, statement.where(mine))
        # An incoming version that was older than the stored one went into the history without an import_id.
        # A version that came with the import itself, and was replaced in it, is nothing to go back to.
        stored = [
            table.name == "programs" or payload.get("import_id", self.import_id) != self.import_id
            for payload in rows["payload"]
        ]
        rows = rows[stored]
        if rows.empty:
            return
        names = [column.name for column in table.columns if not isinstance(column.type, SealedNumber)]
        names = [name for name in names if name != "student_key"]
        values = {
            name: pd.Series([said.get(name) for said in rows["payload"]], dtype=object) for name in names
        }
        if "student_key" in table.c:
            values["student_key"] = rows["student_key"].reset_index(drop=True)
        update_frame(self.connection, table, key, pd.DataFrame(values))
        self.restored[table.name] = len(rows)

    def _restore_names(self) -> None:
        names = self.kept.get("names", {})
        identities = schema.identities
        known = fetch_by_keys(
            self.connection,
            select(identities.c.student_key),
            identities.c.student_key,
            list(names),
        )
        if known.empty:
            return
        known["name"] = pd.Series([names[key] for key in known["student_key"]], dtype=object)
        update_frame(self.connection, identities, ["student_key"], known)

    def _restore_years(self) -> None:
        years, students = self.kept.get("birth_years", {}), schema.students
        known = select(students.c.student_key)
        found = fetch_by_keys(self.connection, known, students.c.student_key, list(years))
        found["birth_year"] = pd.Series([years[key] for key in found["student_key"]], dtype="float64")
        update_frame(self.connection, students, ["student_key"], found)

    def _remove_specimens(self) -> None:
        specimens = schema.specimens
        theirs = select(specimens.c.specimen_id).where(self._mine(specimens))
        self.specimens = list(self.connection.scalars(theirs))
        self._refuse_enrolled()
        for table in OF_SPECIMENS:
            self.connection.execute(delete(table).where(table.c.specimen_id.in_(theirs)))
        pairs = schema.duplicate_findings
        either = pairs.c.first_specimen.in_(theirs) | pairs.c.second_specimen.in_(theirs)
        self.connection.execute(delete(pairs).where(either))
        self._remove(specimens)

    def _refuse_enrolled(self) -> None:
        enrolments, specimens = schema.enrolments, schema.specimens
        signed = select(specimens.c.student_key).where(self._mine(specimens))
        lists = self.connection.scalars(
            select(enrolments.c.reference_ids).where(enrolments.c.student_key.in_(signed))
        )
        if not set(self.specimens).isdisjoint(one for references in lists for one in references):
            raise CannotUndo("used", f"import {self.import_id} stays: students are enrolled by its specimens")

    def _remove_new(self) -> None:
        """Once changed rows have their earlier import again, what is left under this one was new."""
        students, identities, programs = schema.students, schema.identities, schema.programs
        for name in OF_STUDENTS:
            if name == "students":
                made = select(students.c.student_key).where(self._mine(students))
                self.connection.execute(delete(identities).where(identities.c.student_key.in_(made)))
            self._remove(schema.metadata.tables[name])
        made = self.kept.get("programs", [])
        for code in made:
            self.connection.execute(delete(programs).where(programs.c.program_code == code))
        if made:
            self.removed["programs"] = len(made)

    def _remove(self, table: Table, *which) -> None:
        removed = self.connection.execute(delete(table).where(self._mine(table), *which)).rowcount
        if removed:
            self.removed[table.name] = self.removed.get(table.name, 0) + removed
