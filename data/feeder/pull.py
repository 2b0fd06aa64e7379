"""A pull: the register of a PDDikti Neo Feeder into ours, by the checks and the writing of any import.

Killed at any moment it goes on: pages that were read wait sealed on disk, the register is written in one
transaction under an id that the pull chose when it began, and what follows can be done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date

import pandas as pd
from sqlalchemy import select

from data import schema
from data.engine.database import Store
from data.feeder.lists import LISTS, OF_GRADES, PEOPLE, Cohorts, FeederList
from data.feeder.protocol import FeederClient, FeederError, host_of
from data.feeder.reading import PAGE_ROWS, read_list
from data.feeder.reconcile import NOT_REPORTED, VANISHED, Reconciliation, reconcile, remember
from data.feeder.staging import Staging, alone, begun
from data.feeder.tables import FeederTables, newest_term, tables_of
from data.files.mapping import Mapping
from data.records.checks import collect, problems
from data.records.imports import records_written
from data.records.ingest import ImportPlan, apply_import, plan_import
from data.trust import audit
from data.trust.origin import refuse_in_demo

Progress = Callable[[int, int, str], None]  # done, total, what


@dataclass(frozen=True)
class Wanted:
    """What is asked of a Feeder.

    Parameters
    ----------
    cohorts : Cohorts or None
        Entry years; None for everybody.
    people : bool
        Whether GetBiodataMahasiswa is read for region, parents' education and income, and special needs. Its
        answers also carry national numbers and contacts, which are dropped on arrival.
    page_rows : int
        Rows asked for at a time.
    grades : bool
        Whether GetRiwayatNilaiMahasiswa is read: some fifty rows a student.
    """

    cohorts: Cohorts | None = None
    people: bool = False
    page_rows: int = PAGE_ROWS
    grades: bool = True

    @property
    def lists(self) -> tuple[FeederList, ...]:
        """What is read, in turn."""
        return (*LISTS, *((PEOPLE,) if self.people else ()), *(OF_GRADES if self.grades else ()))


@dataclass(frozen=True)
class Pulled:
    """What a pull found and did.

    Parameters
    ----------
    plan : ImportPlan
        The check of every row.
    import_id : str or None
        The import that was written; None when there was nothing to write, or nothing was to be.
    written : bool
        Whether the register says now what the check accepted.
    counts : dict
        Table → new, changed and same rows.
    read : dict of str to int
        Act → rows.
    resumed : bool
        Whether an earlier process had begun it.
    erased : int
        Students left out because they were erased here.
    without : tuple of str
        Acts that the service does not know and that will do without.
    reconciliation : Reconciliation
        Ours beside Feeder's, after the pull.
    """

    plan: ImportPlan
    import_id: str | None
    written: bool
    counts: dict[str, dict[str, int]]
    read: dict[str, int]
    resumed: bool
    erased: int
    without: tuple[str, ...]
    reconciliation: Reconciliation

    @property
    def changes(self) -> int:
        """Rows that are new or changed."""
        return sum(one["new"] + one["changed"] for one in self.counts.values())


def pull(
    store: Store,
    client: FeederClient,
    wanted: Wanted = Wanted(),
    *,
    actor: str,
    role: str = "system",
    mapping: Mapping | None = None,
    skip_bad: bool = False,
    dry_run: bool = False,
    today: date | None = None,
    progress: Progress = lambda done, total, what: None,
) -> Pulled:
    """Read a Feeder, check every row and write all of it or nothing.

    Parameters
    ----------
    client : FeederClient
        Whom to ask.
    wanted : Wanted
        What to ask for.
    actor, role : str
        Who pulls, for the log.
    mapping : Mapping, optional
        As for :func:`data.records.ingest.plan_import`.
    skip_bad : bool
        Write the good rows although others are refused.
    dry_run : bool
        Write nothing into the register.
    today : date, optional
        As for :func:`data.records.ingest.plan_import`.
    progress : callable
        Called with (rows read so far, 0, "asking feeder, N rows") before every request, then with the
        steps of the import.

    Raises
    ------
    data.feeder.protocol.FeederError
        When Feeder cannot be read as a whole; what was read waits for the next try.
    data.trust.origin.RealDataRefused
        When the store is a demo.
    """
    if not dry_run:
        refuse_in_demo(store)
    with alone(store):
        staging = begun(store, _question(client, wanted))
        without = _read(client, wanted, staging, progress)
        everything = tables_of(staging, wanted.cohorts)
        if not everything.students:
            staging.drop()
            raise FeederError("empty", "Feeder lists no student of these cohorts, so nothing was compared")
        gone = _erased(store, {row["nim"] for row in everything.students})
        tables = everything.without(gone)
        plan = plan_import(tables.sources(), mapping, store=store, today=today, progress=progress)
        plan = replace(plan, problems=collect([plan.problems, about_lists(tables)]))
        import_id, written, counts = None, False, plan.counts
        if not dry_run and not plan.unreadable and (plan.accepted or skip_bad):
            how = {"actor": actor, "role": role, "skip_bad": skip_bad, "progress": progress}
            import_id, counts = _written(store, staging, plan, **how)
            written = True
        progress(0, 0, "comparing with feeder")
        compared = reconcile(store, tables, _programmes(plan), wanted.cohorts)
        pulled = Pulled(
            plan,
            import_id,
            written,
            {name: one for name, one in counts.items() if name != "identities"},
            {one.act: len(staging.rows(one)) for one in wanted.lists},
            staging.resumed,
            len(gone),
            without,
            compared,
        )
        if not dry_run:
            _note(store, staging, client, pulled, actor, role)
        if written:
            remember(store, tables, wanted.cohorts)
        staging.drop()
    return pulled


def about_lists(tables: FeederTables) -> pd.DataFrame:
    """Rows of Feeder's lists that were left out, and codes that mean something else than expected."""
    found = [problems(act, "REC147", [None], messages=line) for act, line in tables.left]
    found += [problems(act, "REC146", [None], messages=line) for act, line in tables.codes.clashes]
    return collect(found)


def _question(client: FeederClient, wanted: Wanted) -> dict:
    about = asdict(wanted)
    return about | {"url": client.url, "user": client.user}


def _read(client: FeederClient, wanted: Wanted, staging: Staging, progress: Progress) -> tuple[str, ...]:
    before, without = 0, []
    for one in wanted.lists:

        def heard(rows: int, before: int = before) -> None:
            progress(before + rows, 0, f"asking feeder, {before + rows} rows")

        how = {"term": newest_term(staging) if one.term else "", "page_rows": wanted.page_rows}
        if not read_list(client, one, staging, wanted.cohorts, heard=heard, **how):
            without.append(one.act)
        before += len(staging.rows(one))
    return tuple(without)


def _erased(store: Store, numbers: set[str]) -> set[str]:
    """Students who were erased or pseudonymised here: the next night must not bring them back."""
    table = schema.erasures
    with store.reading() as connection:
        keys = set(
            connection.scalars(select(table.c.student_key).where(table.c.kind.in_(("student", "identity"))))
        )
    return {number for number in numbers if store.cipher.student_key(number) in keys}


def _written(
    store: Store,
    staging: Staging,
    plan: ImportPlan,
    *,
    actor: str,
    role: str,
    skip_bad: bool,
    progress: Progress,
) -> tuple[str | None, dict]:
    """Write, unless an earlier process has, or nothing is new: a quiet night leaves no import behind."""
    earlier = records_written(store, staging.import_id)
    if earlier is not None:
        return staging.import_id, earlier
    if not any(one["new"] or one["changed"] for one in plan.counts.values()):
        return None, plan.counts
    how = {"actor": actor, "role": role, "skip_bad": skip_bad, "progress": progress}
    result = apply_import(store, plan, import_id=staging.import_id, **how)
    return result.import_id, result.counts


def _programmes(plan: ImportPlan) -> dict[str, str]:
    students = plan.frames.students
    if students is None:
        return {}
    return dict(zip(students["student_number"], students["program_code"], strict=True))


def _note(
    store: Store, staging: Staging, client: FeederClient, pulled: Pulled, actor: str, role: str
) -> None:
    """One entry per pull, however often it was killed; the import has its own, in its transaction."""
    if not audit.entries(store, object=staging.pull_id, action="pull feeder", limit=1).empty:
        return
    detail = {
        "host": host_of(client.url),
        "import": pulled.import_id,
        "counts": pulled.counts if pulled.written else {},
        "refused": sum(pulled.plan.refused.values()),
        "not_reported": pulled.reconciliation.number(NOT_REPORTED),
        "vanished": pulled.reconciliation.number(VANISHED),
    }
    audit.append(store, actor=actor, role=role, action="pull feeder", object=staging.pull_id, detail=detail)
