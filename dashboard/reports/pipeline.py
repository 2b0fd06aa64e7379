"""The reports, step by step, from the store to files: build, prepare, approve, print, prove.

Only this module and :mod:`dashboard.reports.pack`, which puts several together, touch the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import pandas as pd

from dashboard.reports import by_hand, describe
from dashboard.reports.approve import (
    Signer,
    Verification,
    approved_report,
    prepared_report,
    reopened,
    successor,
    verify,
)
from dashboard.reports.by_hand import FigureLine, figures_of
from dashboard.reports.conditions import Selection
from dashboard.reports.csv_long import to_csv
from dashboard.reports.language import PRINTED
from dashboard.reports.model import Override, ReportTable
from dashboard.reports.pdf import to_pdf
from dashboard.reports.profile import for_programmes, load_profile, profile_ids, profile_levels
from dashboard.reports.profile_checks import ProfileError
from dashboard.reports.provenance import (
    ReportProvenance,
    content_hash,
    file_hash,
    from_content,
    institution_of,
    local_time,
    to_content,
    today,
)
from dashboard.reports.suppress import Hiding, suppress, to_hide
from dashboard.reports.table import compute_table
from dashboard.reports.told import Disclosure
from dashboard.reports.xlsx import to_xlsx
from data import queries
from data.calendar import clock
from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import build_flow, observed_by_programme, snapshot_date
from data.calendar.setting import SETTINGS, academic_calendar
from data.engine.clock import now
from data.engine.database import Store
from data.feeder.reported import reported
from data.store import get_fact
from data.trust import reports_store
from data.trust.accounts import any_account
from data.trust.audit_chain import verify_chain
from data.trust.origin import INVENTED, MIXED
from data.trust.origin import origin as origin_of_store
from data.trust.reports_store import StoredDisclosure, StoredReport
from data.trust.scope import Scope

AUDIENCES = ("internal", "external")
"""``internal``: every cell, for assessors, marked confidential. ``external``: public, small cells hidden."""
TRIES = 5
"""Files of one programme that others may make public before this one must be asked for again."""


@dataclass(frozen=True)
class Register:
    """What reports are computed from, read once for one reader.

    Parameters
    ----------
    scope : Scope
        Whose rows these are; nothing of another programme is in ``flow`` and ``programs``.
    flow : DataFrame
        From :func:`data.calendar.cohorts.build_flow`.
    programs : DataFrame
    calendar : AcademicCalendar
    snapshot : date or None
        Last day on which all of it was observed (:func:`data.calendar.cohorts.snapshot_date`).
    today : date
        The day on the institution's clock when it was read.
    """

    scope: Scope
    flow: pd.DataFrame
    programs: pd.DataFrame
    calendar: AcademicCalendar
    snapshot: date | None
    today: date
    plain_tables: dict[tuple[str, str, int], ReportTable | None] = field(
        default_factory=dict, compare=False, repr=False
    )  # computed once for all files that are judged with them; None: the instrument has none for the level
    active: dict[tuple[str, int], pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)
    told_by_feeder: list[pd.DataFrame] = field(default_factory=list, compare=False, repr=False)  # at most one

    def observed_until(self, program_code: str = "") -> date | None:
        """The last day on which a programme was observed; of all where none is named or it has no student."""
        own = self.flow[self.flow["program_code"] == program_code]
        return self.snapshot if own.empty else snapshot_date(own)

    def last_full_year(self, program_code: str = "") -> int:
        """TS: the last academic year that the register of a programme reaches the end of."""
        return self._year_ended(self.observed_until(program_code) or self.snapshot)

    def newest_year(self) -> int:
        """The last academic year that has ended, by today's date or by that of the programme seen last."""
        newest = observed_by_programme(self.flow).max()
        return self._year_ended(self.today if pd.isna(newest) else max(self.today, newest.date()))

    def _year_ended(self, seen: date | None) -> int:
        if seen is None:
            raise ValueError("the register is empty: import students and outcomes first")
        year = seen.year
        while self.calendar.last_day(year) > seen:
            year -= 1
        return year


class FutureYear(ValueError):
    """A TS that has not ended."""


@dataclass(frozen=True)
class Request:
    """Which report.

    Parameters
    ----------
    profile_id : str
    program_code : str
        Empty: every programme together, where the instrument allows that.
    ts : int
    inputs : mapping of (row, column) to number
        Figures that the register does not hold.
    overrides : tuple of Override
    figures : tuple of FigureLine
        Lines of a file of figures; those of other reports are left aside.
    """

    profile_id: str
    program_code: str
    ts: int
    inputs: Mapping[tuple[str, str], float] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    figures: tuple[FigureLine, ...] = ()


def read_register(store: Store, scope: Scope) -> Register:
    """Read the flow of every programme that ``scope`` may count."""
    calendar = academic_calendar(get_fact(store, SETTINGS, {}))
    flow = build_flow(queries.student_flow(store, scope), queries.leave_terms(store, scope), calendar)
    programs, seen = queries.programs(store, scope), snapshot_date(flow)
    return Register(scope, flow, programs, calendar, seen, clock.today(store))


def build(store: Store, register: Register, request: Request) -> tuple[ReportTable, ReportProvenance]:
    """Compute a report, not yet prepared.

    Raises
    ------
    KeyError
        When the programme is unknown or out of the reader's reach.
    PermissionError
        When every programme together is asked for by an account that is confined to some.
    FutureYear
        When TS is a year that has not ended.
    dashboard.reports.model.FiguresRefused
        When a figure by hand has no cell, or contradicts its row.
    dashboard.reports.profile.ProfileError
        When the profile is unknown, or the instrument has no table for the programme's level.
    """
    if not request.program_code and register.scope.program_codes is not None:
        raise PermissionError("program_code must be named: this account does not reach every programme")
    newest = register.newest_year()
    if request.ts > newest:
        raise FutureYear(
            f"ts must be at most {newest}, the last academic year that has ended, got {request.ts}"
        )
    table = _computed(store, register, request)
    return table, replace(origin(store, register), content_sha256=content_hash(to_content(table)))


def _computed(store: Store, register: Register, request: Request) -> ReportTable:
    name, level = _program(register.programs, request.program_code)
    selection = Selection(request.ts, request.program_code, name, level)
    profile, known = _profile_for(register, request.profile_id, request.program_code)
    told, corrected = figures_of(request.figures, profile, request.program_code, request.ts)
    active = None
    if "active_year" in str(profile.source):
        active = _active_years(store, register, request)
    return compute_table(
        profile,
        _with_reported(store, register) if "pddikti" in str(profile.source) else register.flow,
        selection,
        active=active,
        snapshot=register.observed_until(request.program_code),
        inputs=known | told | dict(request.inputs),
        overrides=(*corrected, *request.overrides),
        calendar=register.calendar,
    )


def _active_years(store: Store, register: Register, request: Request) -> pd.DataFrame:
    """Who was registered in which year, read once for all tables of a programme and TS."""
    key = (request.program_code, request.ts)
    if key not in register.active:
        years = range(request.ts - 8, request.ts + 1)
        register.active[key] = reports_store.active_years(store, register.scope, years, request.program_code)
    return register.active[key]


def _with_reported(store: Store, register: Register) -> pd.DataFrame:
    """The flow with what PDDikti had of each student when it was last asked."""
    if not register.told_by_feeder:
        register.told_by_feeder.append(reported(store, register.flow))
    return register.flow.merge(register.told_by_feeder[0], on="student_key", how="left", validate="1:1")


def _profile_for(register: Register, profile_id: str, code: str):
    """A profile for a programme, and the figures of its cells that the list of programmes tells."""
    level = _program(register.programs, code)[1]
    profile = load_profile(profile_id, level if asks_level(profile_id) else "")
    listed = register.programs
    if code:
        listed = listed[listed["program_code"] == code]
    columns = listed[["program_code", "name", "degree_level"]]
    return for_programmes(profile, columns.itertuples(index=False, name=None))


def blank_figures(register: Register, profile_id: str, code: str, ts: int) -> bytes:
    """A file to fill in with the figures of a report; see :func:`dashboard.reports.by_hand.blank_figures`.

    Raises
    ------
    KeyError
        When the programme is unknown or out of the reader's reach.
    dashboard.reports.profile.ProfileError
        When the profile is unknown, or the instrument has no table for the programme's level.
    """
    return by_hand.blank_figures(_profile_for(register, profile_id, code)[0], code, ts)


def asks_level(profile_id: str) -> bool:
    """Whether an instrument's table depends on the level, so that it needs one programme."""
    return bool(profile_levels(profile_id))


def _program(programs: pd.DataFrame, code: str) -> tuple[str, str]:
    if not code:
        return "", ""
    rows = programs[programs["program_code"] == code]
    if rows.empty:
        raise KeyError(f"program_code must be one of {sorted(programs['program_code'])}, got {code!r}")
    return rows.iloc[0]["name"], rows.iloc[0]["degree_level"]


def origin(store: Store, register: Register) -> ReportProvenance:
    """Where the figures of any report come from: institution, imports, row counts, calendar, signatories.

    Raises
    ------
    ValueError
        When invented people and imported records stand side by side: no figure would be anybody's.
    """
    whose = origin_of_store(store)
    if whose == MIXED:
        raise ValueError(
            "store must hold either invented people or an institution's own records when a report is made, "
            "got both; import the records into a store of their own"
        )
    listed, settings = queries.imports(store), get_fact(store, SETTINGS, {})
    finished = listed[listed["finished_at"].notna() & listed["undone_at"].isna()]
    calendar = {
        "start_month": register.calendar.start_month,
        "graduation_date": register.calendar.graduation_date,
    }
    if register.calendar.closing_months is not None:
        calendar["closing_months"] = list(register.calendar.closing_months)
    zone = settings.get("time_zone", "")
    return ReportProvenance(
        institution=institution_of(store),
        imports=tuple(
            (row.import_id, f"{local_time(row.finished_at.isoformat(), zone):%Y-%m-%d}", row.source)
            for row in finished.itertuples()
        ),
        row_counts=reports_store.register_counts(store, register.scope),
        calendar=calendar,
        synthetic=whose == INVENTED or bool(finished["synthetic"].any()),
        signatories=settings.get("signatories", {}),
        signatory_numbers=settings.get("signatory_numbers", {}),
        place=settings.get("place", ""),
        time_zone=zone,
        made_on=today(zone),
    )


def prepare(
    store: Store, table: ReportTable, provenance: ReportProvenance, *, actor: str, role: str, zone: str = ""
) -> StoredReport:
    """Store a computed report as prepared: its figures no longer follow the data.

    Parameters
    ----------
    zone : str
        Whose clock its files tell where the settings of the reports name none, such as that of the browser in
        which it is prepared; an IANA name, empty: UTC.
    """
    chosen = table.selection
    version = reports_store.next_version(store, table.profile.id, chosen.program_code, chosen.ts)
    report = prepared_report(
        table,
        provenance if provenance.time_zone else replace(provenance, time_zone=zone),
        _signer(store, actor, role),
        report_id=reports_store.new_report_id(),
        version=version,
        at=now(),
    )
    reports_store.save_prepared(store, report, role)
    return report


def name_of(store: Store, account: str) -> str:
    """What an account is called, a closed one too; empty where there is none."""
    found = any_account(store, account)
    return found.display_name if found else ""


def _signer(store: Store, account: str, role: str) -> Signer:
    """An account as it signs today."""
    return Signer(account, name_of(store, account), role)


def approve(
    store: Store,
    scope: Scope,
    report_id: str,
    *,
    actor: str,
    role: str,
    zone: str = "",
    register: Register | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[StoredReport, dict[str, bytes]]:
    """Approve a prepared report and freeze it with the hashes of its files.

    Parameters
    ----------
    zone : str
        As in :func:`prepare`; for a version that was prepared without a clock.
    register : Register, optional
        As read for ``scope``, where several are approved one after the other.
    progress : callable, optional
        Told how many of how many files are printed, which is what takes the time.

    Raises
    ------
    KeyError
        When there is no such report in reach of ``scope``.
    data.trust.reports_store.ApprovalRefused
        When the approver prepared it, or it is not waiting for approval.
    """
    report = reports_store.stored_report(store, scope, report_id)
    if report.status != "prepared" or reports_store.same_account(report.prepared_by, actor):
        code, why = (
            ("not_waiting", "is not waiting for approval")
            if report.status != "prepared"
            else ("own", "was prepared by the same person")
        )
        raise reports_store.ApprovalRefused(f"report {report_id} {why}", code)
    report = _with_names(store, report, zone)
    approved = approved_report(report, _signer(store, actor, role), at=now())
    register = register or read_register(store, scope)
    files = print_files(store, register, *reopened(approved), progress=progress)
    approved = replace(approved, files={name: file_hash(data) for name, data in files.items()})
    reports_store.save_approval(store, approved, role)
    return approved, files


def _with_names(store: Store, report: StoredReport, zone: str) -> StoredReport:
    """A prepared version with what an earlier program left out: its preparer's name, a clock."""
    proof = ReportProvenance.from_json(report.provenance)
    if proof.prepared_name and proof.time_zone:
        return report
    name = proof.prepared_name or name_of(store, proof.prepared_by)
    told = replace(proof, prepared_name=name, time_zone=proof.time_zone or zone)
    return replace(report, provenance=told.to_json())


def hiding(store: Store, register: Register, table: ReportTable) -> Hiding:
    """What the public file of a table hides: as when one was made of the same figures, else judged with every
    public file about its students and the instruments that may follow.

    Parameters
    ----------
    store : Store
    register : Register
        Of a reader who reaches the programme.
    table : ReportTable
        The full one.
    """
    return _judged(store, register, table, content_hash(to_content(table)))[0]


def _judged(store: Store, register: Register, table: ReportTable, digest: str) -> tuple[Hiding, set[str]]:
    """What to hide of a table with that :func:`content_hash`, and the disclosures that it was judged with."""
    chosen = table.selection
    made = reports_store.disclosures(store, register.scope, chosen.program_code)
    for one in made:
        if one.content_sha256 == digest:
            return Hiding(frozenset(one.hidden)), {one.content_sha256 for one in made}
    out = [Disclosure(from_content(one.content), frozenset(one.hidden)) for one in made]
    to_come = list(_others(store, register, table)) if chosen.program_code else []
    return to_hide(table, out, to_come), {one.content_sha256 for one in made}


def _others(store: Store, register: Register, table: ReportTable) -> Iterable[ReportTable]:
    """The other instruments' tables of the same programme and TS."""
    chosen = table.selection
    for profile_id in profile_ids():
        key = (profile_id, chosen.program_code, chosen.ts)
        if profile_id == table.profile.id:
            continue
        if key not in register.plain_tables:
            try:
                register.plain_tables[key] = _computed(store, register, Request(*key))
            except ProfileError:
                register.plain_tables[key] = None
        if (other := register.plain_tables[key]) is not None:
            yield other


def public(store: Store, register: Register, table: ReportTable) -> ReportTable:
    """The table fit for a public file that is about to be made; the store remembers what it told.

    Parameters
    ----------
    store : Store
    register : Register
        Of a reader who reaches the programme.
    table : ReportTable
        The full one.

    Returns
    -------
    ReportTable
        See :func:`dashboard.reports.suppress.suppress`; the same figures always hide the same.
    """
    content = to_content(table)
    digest = content_hash(content)
    for _ in range(TRIES):
        found, judged_with = _judged(store, register, table, digest)
        made = StoredDisclosure(digest, content, tuple(found.addresses))
        try:
            reports_store.save_disclosure(store, register.scope, made, judged_with, now())
        except reports_store.Overtaken:
            continue
        return suppress(table, hidden=found.addresses)
    raise reports_store.Overtaken("other public files of the programme are being made: try again")


def preview(store: Store, register: Register, table: ReportTable) -> ReportTable:
    """The table as a public file would print it now; nothing is made public by looking."""
    return suppress(table, hidden=hiding(store, register, table).addresses)


def print_files(
    store: Store,
    register: Register,
    table: ReportTable,
    provenance: ReportProvenance,
    *,
    languages: Iterable[str] = PRINTED,
    audiences: Iterable[str] = AUDIENCES,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, bytes]:
    """File name → content: XLSX and PDF in each language, CSV once, for each audience.

    ``progress`` is told how many files of how many are printed.
    """
    files, languages, audiences = {}, tuple(languages), tuple(audiences)
    told = partial(progress or _untold, total=len(audiences) * (2 * len(languages) + 1))
    for audience in audiences:
        told(len(files))
        shown = public(store, register, table) if audience == "external" else table
        for language in languages:
            stem = describe.file_stem(shown, provenance, language)
            files[f"{stem}.xlsx"] = to_xlsx(shown, provenance, language)
            told(len(files))
            files[f"{stem}.pdf"] = to_pdf(shown, provenance, language)
            told(len(files))
        files[f"{describe.file_stem(shown, provenance, '')}.csv"] = to_csv(shown, provenance)
    return files


def _untold(_done: int, total: int) -> None:
    """Nobody waits for it."""


def withdraw(
    store: Store, scope: Scope, report_id: str, *, reason: str, actor: str, role: str
) -> StoredReport:
    """Withdraw the approval of a report, with a reason: it stays frozen, and a new version with its figures
    waits for an approval of its own.

    Raises
    ------
    KeyError
        When there is no such report in reach of ``scope``.
    data.trust.reports_store.ApprovalRefused
        When it is not approved, or was withdrawn before.
    ValueError
        When the reason is empty.
    """
    report = reports_store.stored_report(store, scope, report_id)
    version = reports_store.next_version(store, report.profile, report.program_code, report.ts_year)
    fresh = successor(
        report,
        _signer(store, actor, role),
        report_id=reports_store.new_report_id(),
        version=version,
        at=now(),
        reason=reason,
    )
    reports_store.save_withdrawal(store, report, fresh, reason, role)
    return fresh


def prove(
    store: Store, scope: Scope, report_id: str, file: bytes | None = None, *, whole_log: bool = False
) -> Verification:
    """Whether a stored report in reach of ``scope``, and a file that claims to be it, are what was sealed and
    logged.

    Parameters
    ----------
    whole_log : bool
        Recompute the chain of the whole audit log as well.

    Raises
    ------
    KeyError
        When neither the store nor the log knows the report, or it is out of reach.
    """
    logged = reports_store.logged_step(store, report_id)
    try:
        found = verify(reports_store.stored_report(store, scope, report_id), logged, file)
    except KeyError:
        if logged is None or scope.program_codes is not None:
            raise
        found = Verification(("row_deleted",), logged.withdrawn)
    if whole_log and not verify_chain(store).whole:
        found = replace(found, problems=(*found.problems, "log_broken"))
    return found
