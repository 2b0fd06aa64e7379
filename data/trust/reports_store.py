"""Stored accreditation reports: prepared, approved by somebody else, then frozen; and what reports read.

A version that was prepared keeps its content; a change of data makes the next version. Preparing and
approving write their audit entry in the same transaction, with the report's seal, so that a report altered
behind the trigger's back disagrees with the hash-chained log.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Integer, Text, case, cast, func, insert, select, update

from data import schema
from data.columns import REGISTERED
from data.engine.bulk import fetch
from data.engine.database import Store
from data.trust import audit
from data.trust.scope import Scope
from data.trust.scoping import aggregable, within_programs

COUNTED = (schema.students, schema.terms, schema.outcomes)


class ApprovalRefused(PermissionError):
    """An approval that breaks a rule: by the preparer, or of a report that is not waiting for one.

    Parameters
    ----------
    text : str
        Why, for the command line.
    code : {"not_waiting", "own", "content", "not_approved"}
        The same for the pages, which say it in the reader's language.
    """

    def __init__(self, text: str, code: str):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class StoredReport:
    """A row of ``reports``.

    Parameters
    ----------
    report_id : str
    profile, profile_version : str
    program_code : str
        Empty: every programme together.
    ts_year, version : int
        TS, and the number of this version (1, 2, …) for profile, programme and TS.
    status : {"prepared", "approved"}
    prepared_by, approved_by : str
        Accounts; ``approved_by`` is empty before.
    prepared_at, approved_at : datetime or None
        UTC.
    sha256 : str
        The seal over content and provenance.
    content, provenance : dict
        As frozen.
    files : dict
        Exported file → SHA-256.
    """

    report_id: str
    profile: str
    profile_version: str
    program_code: str
    ts_year: int
    version: int
    status: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str
    approved_at: datetime | None
    sha256: str
    content: dict[str, Any]
    provenance: dict[str, Any]
    files: dict[str, str]


def next_version(store: Store, profile: str, program_code: str, ts_year: int) -> int:
    """The number that the next version of a report will get."""
    with store.reading() as connection:
        return _next_version(connection, profile, program_code, ts_year)


def _next_version(connection: Connection, profile: str, program_code: str, ts_year: int) -> int:
    table = schema.reports
    newest = select(func.max(table.c.version)).where(
        table.c.profile == profile, table.c.program_code == program_code, table.c.ts_year == ts_year
    )
    return (connection.scalar(newest) or 0) + 1


def new_report_id() -> str:
    """A number for a report: 12 hex characters."""
    return uuid4().hex[:12]


def save_prepared(store: Store, report: StoredReport, role: str) -> None:
    """Store a prepared report with its audit entry.

    Raises
    ------
    ValueError
        When its version is not the next one: somebody else prepared one meanwhile.
    """
    with store.writing() as connection:
        _insert_prepared(connection, report)
        _log(connection, report, report.prepared_by, role, "prepare report")


def _insert_prepared(connection: Connection, report: StoredReport) -> None:
    due = _next_version(connection, report.profile, report.program_code, report.ts_year)
    if report.version != due:
        raise ValueError(f"version of the report must be {due}, got {report.version}: prepare it again")
    row = {name: getattr(report, name) for name in StoredReport.__dataclass_fields__}
    row |= {"approved_by": None, "approved_at": None, "status": "prepared"}
    connection.execute(insert(schema.reports).values(**row))


def save_approval(store: Store, report: StoredReport, role: str) -> None:
    """Freeze a report as approved, with its audit entry.

    Raises
    ------
    ApprovalRefused
        When the approver prepared it, when it is not waiting for approval, or its content is another.
    """
    table = schema.reports
    with store.writing() as connection:
        found = (
            connection.execute(select(table).where(table.c.report_id == report.report_id)).mappings().first()
        )
        if found is None or found["status"] != "prepared":
            raise ApprovalRefused(f"report {report.report_id} is not waiting for approval", "not_waiting")
        if same_account(found["prepared_by"], report.approved_by):
            raise ApprovalRefused(
                "a report must be approved by another person than the one who prepared it", "own"
            )
        if found["content"] != report.content:
            raise ApprovalRefused(
                f"report {report.report_id} has another content than the one to approve", "content"
            )
        values = {
            name: getattr(report, name)
            for name in ("approved_by", "approved_at", "sha256", "provenance", "files")
        }
        connection.execute(
            update(table).where(table.c.report_id == report.report_id).values(status="approved", **values)
        )
        _log(connection, report, report.approved_by, role, "approve report", {"files": report.files})


def save_withdrawal(
    store: Store, report: StoredReport, successor: StoredReport, reason: str, role: str
) -> None:
    """Withdraw the approval of a report: it stays as it is, its successor waits for an approval of its own.

    Raises
    ------
    ApprovalRefused
        When it is not approved, or its approval was withdrawn before.
    ValueError
        When no reason is given, or the successor's version is not the next one.
    """
    if not reason.strip():
        raise ValueError("reason of the withdrawal must not be empty")
    table = schema.reports
    with store.writing() as connection:
        status = connection.scalar(select(table.c.status).where(table.c.report_id == report.report_id))
        if status != "approved" or _withdrawn(connection, report.report_id):
            raise ApprovalRefused(f"report {report.report_id} has no approval to withdraw", "not_approved")
        _insert_prepared(connection, successor)
        detail = {"reason": reason.strip(), "successor": successor.report_id}
        _log(connection, report, successor.prepared_by, role, "withdraw report", detail)
        _log(connection, successor, successor.prepared_by, role, "prepare report")


def same_account(one: str, other: str) -> bool:
    """Whether two names are one account: names are one regardless of case."""
    return one.casefold() == other.casefold()


def _log(
    connection: Connection, report: StoredReport, actor: str, role: str, action: str, more: dict | None = None
) -> None:
    detail = {"profile": report.profile, "version": report.version, "sha256": report.sha256}
    detail |= {"program_code": report.program_code, "ts_year": report.ts_year} | (more or {})
    audit.append_in(connection, actor=actor, role=role, action=action, object=report.report_id, detail=detail)


def stored_report(store: Store, scope: Scope, report_id: str) -> StoredReport:
    """A stored report.

    Raises
    ------
    KeyError
        When there is none of that number, or its programme is out of ``scope``; an account that is confined
        to programmes does not reach a report of every programme together.
    """
    table = schema.reports
    wanted = select(table).where(table.c.report_id == report_id, *within_programs(scope, table))
    with store.reading() as connection:
        row = connection.execute(wanted).mappings().first()
    if row is None:
        raise KeyError(f"no report has the number {report_id!r}")
    kept = {name: row[name] for name in StoredReport.__dataclass_fields__}
    return StoredReport(**kept | {"approved_by": row["approved_by"] or "", "files": row["files"] or {}})


def report_list(store: Store, scope: Scope, profile: str | None = None) -> pd.DataFrame:
    """Stored reports in reach of ``scope`` (see :func:`stored_report`), newest first: the columns of
    ``reports`` without content, provenance and files."""
    table = schema.reports
    columns = [c for c in table.columns if c.name not in ("content", "provenance", "files")]
    statement = select(*columns).where(*within_programs(scope, table))
    statement = statement.order_by(table.c.prepared_at.desc(), table.c.report_id)
    if profile:
        statement = statement.where(table.c.profile == profile)
    with store.reading() as connection:
        return fetch(connection, statement)


@dataclass(frozen=True)
class LoggedStep:
    """What the audit log says of the newest step of a report.

    Parameters
    ----------
    action : str
        ``prepare report`` or ``approve report``.
    actor : str
    detail : dict
        Seal, profile, version, programme, TS; of an approval the file map.
    withdrawn : str
        Reason of the withdrawal of the approval; empty where there was none.
    """

    action: str
    actor: str
    detail: dict[str, Any]
    withdrawn: str = ""


STEPS = {"prepared": "prepare report", "approved": "approve report"}


def logged_step(store: Store, report_id: str) -> LoggedStep | None:
    """The newest step of a report in the audit log; ``None`` when the log knows nothing of it."""
    found = audit.entries(store, object=report_id)
    steps = found[found["action"].isin(STEPS.values())]
    if steps.empty:
        return None
    withdrawals = found[found["action"] == "withdraw report"]
    reason = "" if withdrawals.empty else withdrawals.iloc[0]["detail"]["reason"]
    newest = steps.iloc[0]
    return LoggedStep(newest["action"], newest["actor"], newest["detail"], reason)


def _withdrawn(connection: Connection, report_id: str) -> bool:
    log = schema.audit_log
    wanted = select(log.c.entry).where(log.c.object == report_id, log.c.action == "withdraw report").limit(1)
    return connection.scalar(wanted) is not None


def known_reports(store: Store) -> list[str]:
    """Every report that the store holds or the audit log tells of, sorted by number."""
    log, table = schema.audit_log, schema.reports
    with store.reading() as connection:
        held = set(connection.scalars(select(table.c.report_id)))
        told = connection.scalars(select(log.c.object).where(log.c.action.in_(STEPS.values())).distinct())
        return sorted(held | set(told))


def active_years(store: Store, scope: Scope, years: Collection[int], program_code: str = "") -> pd.DataFrame:
    """Academic years with at least one regular term of active study (A, G or M), of the students that
    ``scope`` may count.

    Parameters
    ----------
    store : Store
    scope : Scope
    years : collection of int
    program_code : str
        Only of this programme; of all where empty.

    Returns
    -------
    DataFrame
        ``student_key``, and for each year a column of that name, bool; no row for who never studied.
    """
    terms, students = schema.terms, schema.students
    places = {year: place for place, year in enumerate(sorted(years))}
    # a student has a term once: the sum holds, in two bits for each year, of how many terms of two
    bits = {10 * year + part: 1 << 2 * place for year, place in places.items() for part in (1, 2)}
    active = func.sum(case(bits, value=terms.c.term_id))
    statement = select(terms.c.student_key, cast(active, Integer).label("active"))
    statement = statement.where(terms.c.term_id.in_(list(bits)), terms.c.status.in_(REGISTERED))
    reach = aggregable(scope, students)
    if program_code:
        reach = [*reach, students.c.program_code == program_code]
    if reach:
        statement = statement.join(students, students.c.student_key == terms.c.student_key).where(*reach)
    with store.reading() as connection:
        rows = fetch(connection, statement.group_by(terms.c.student_key).order_by(terms.c.student_key))
    found = rows.pop("active").to_numpy(dtype=np.int64)
    for year, place in places.items():
        rows[year] = (found >> 2 * place) & 3 > 0
    return rows


def register_counts(store: Store, scope: Scope) -> dict[str, int]:
    """Rows of the tables that reports are made from, of the students that ``scope`` may count."""
    students = schema.students
    reach, found = aggregable(scope, students), {}
    with store.reading() as connection:
        for table in COUNTED:
            rows = select(func.count()).select_from(table)
            if reach and table is not students:
                rows = rows.join(students, students.c.student_key == table.c.student_key)
            found[table.name] = connection.scalar(rows.where(*reach))
    return found


class Overtaken(RuntimeError):
    """Another public file of the programme was made meanwhile: what to hide must be judged again."""


@dataclass(frozen=True)
class StoredDisclosure:
    """A row of ``report_disclosures``.

    Parameters
    ----------
    content_sha256 : str
        Of the full table.
    content : dict
        The full table, as reports are frozen.
    hidden : tuple of (row, column)
        Figures that the public file does not show.
    """

    content_sha256: str
    content: dict[str, Any]
    hidden: tuple[tuple[str, str], ...]


def disclosures(store: Store, scope: Scope, program_code: str) -> list[StoredDisclosure]:
    """The tables about a programme's students of which a public file was made, oldest first.

    Parameters
    ----------
    store : Store
    scope : Scope
        Must reach the programme. Tables of every programme together come with them, since they tell of its
        students too: they serve to decide what to hide and are shown to nobody.
    program_code : str
        Empty: every programme together.

    Raises
    ------
    KeyError
        When the programme is out of reach.
    """
    _within_reach(scope, program_code)
    table = schema.report_disclosures
    wanted = select(table.c.content_sha256, table.c.content, table.c.hidden)
    wanted = wanted.where(table.c.program_code.in_(sorted({program_code, ""}))).order_by(table.c.disclosure)
    with store.reading() as connection:
        return [
            StoredDisclosure(row.content_sha256, row.content, tuple((r, c) for r, c in row.hidden))
            for row in connection.execute(wanted)
        ]


def save_disclosure(
    store: Store, scope: Scope, made: StoredDisclosure, judged_with: Collection[str], at: datetime
) -> None:
    """Note that a public file of a table is made; once for each content.

    Parameters
    ----------
    store : Store
    scope : Scope
        Must reach the programme.
    made : StoredDisclosure
    judged_with : collection of str
        ``content_sha256`` of the disclosures that decided what to hide.
    at : datetime
        UTC.

    Raises
    ------
    Overtaken
        When another one was made since.
    KeyError
        When the programme is out of reach.
    """
    chosen = made.content["selection"]
    _within_reach(scope, chosen["program_code"])
    table = schema.report_disclosures
    related = select(table.c.content_sha256).where(table.c.program_code.in_((chosen["program_code"], "")))
    with store.writing() as connection:
        known = set(connection.scalars(related))
        if made.content_sha256 in known:
            return
        if not known <= set(judged_with):
            raise Overtaken(f"another public file of {chosen['program_code'] or 'all programmes'} was made")
        connection.execute(
            insert(table).values(
                content_sha256=made.content_sha256,
                profile=made.content["profile"]["id"],
                program_code=chosen["program_code"],
                ts_year=chosen["ts"],
                content=made.content,
                hidden=[list(address) for address in sorted(made.hidden)],
                first_made_at=at,
            )
        )


def forget_in_disclosures(connection: Connection, key: str) -> int:
    """Put a stand-in for an erased student into the tables that became public; how many tables held the key.

    Whom a public count was about must stay known as a set, or a later file could tell by a difference what
    that one hid. So the same stand-in, drawn by chance and kept nowhere else, takes the key's place in every
    table: the sets keep their overlaps, and nothing leads from them to the student. The seal of the content
    is that of the figures as they were told, and stays.

    Parameters
    ----------
    connection : Connection
        Of the transaction that erases.
    key : str
        Student key.
    """
    table = schema.report_disclosures
    held = select(table.c.disclosure, table.c.content)
    held = held.where(cast(table.c.content, Text).contains(key, autoescape=True))
    rows = connection.execute(held).all()
    stand_in = f"erased-{uuid4().hex}"
    for disclosure, content in rows:
        connection.execute(
            update(table)
            .where(table.c.disclosure == disclosure)
            .values(content=_with_stand_in(content, key, stand_in))
        )
    return len(rows)


def _with_stand_in(content: Any, key: str, stand_in: str) -> Any:
    """The content with every list of students that names ``key`` naming the stand-in, in order."""
    if isinstance(content, dict):
        return {name: _with_stand_in(part, key, stand_in) for name, part in content.items()}
    if isinstance(content, list):
        if key in content:  # sorted anew: the place of a key among others would narrow it down
            return sorted(stand_in if one == key else one for one in content)
        return [_with_stand_in(part, key, stand_in) for part in content]
    return content


def _within_reach(scope: Scope, program_code: str) -> None:
    if scope.program_codes is not None and program_code not in scope.program_codes:
        raise KeyError(f"programme {program_code!r} is out of reach")
