"""The tables of one submission: which are prepared and approved, and all of them as one ZIP with an index.

A pack holds a folder for each instrument, ``index.pdf`` in each language, and ``SHA256SUMS``, which
``sha256sum -c`` checks.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from dashboard.reports import describe, documents, pipeline
from dashboard.reports.approve import reopened
from dashboard.reports.language import PRINTED
from dashboard.reports.model import ReportTable
from dashboard.reports.profile import (
    is_of_field,
    load_profile,
    profile_about,
    profile_ids,
    profile_levels,
)
from dashboard.reports.provenance import ReportProvenance, file_hash
from dashboard.reports.words import say
from data.engine.database import Store
from data.engine.progress import Progress, Steps
from data.trust import reports_store
from data.trust.scope import Scope

MISSING, WAITING, APPROVED, WITHDRAWN, ALTERED = "missing", "waiting", "approved", "withdrawn", "altered"
STANDINGS = (MISSING, WAITING, APPROVED, WITHDRAWN, ALTERED)
SUMS = "SHA256SUMS"
_DAY = (2000, 1, 1, 0, 0, 0)  # fixed: the same tables must give the same bytes


class PackRefused(ValueError):
    """A pack of approved tables in which one is not approved, or was altered."""


@dataclass(frozen=True)
class Standing:
    """How far the table of an instrument is for a programme and TS.

    Parameters
    ----------
    profile_id : str
    state : str
        One of :data:`STANDINGS`; of the newest version.
    report_id, prepared_by, approved_by : str
        Empty where there is none.
    version : int
        0 where none was prepared.
    """

    profile_id: str
    state: str
    report_id: str = ""
    version: int = 0
    prepared_by: str = ""
    approved_by: str = ""


@dataclass(frozen=True)
class Packed:
    """A pack and what is in it: the tables, and how many of them are approved."""

    data: bytes
    tables: int
    approved: int


def instruments(register: pipeline.Register, program_code: str) -> tuple[str, ...]:
    """The profiles that have a table for a programme's level; without a programme those that need none.

    Raises
    ------
    KeyError
        When the programme is unknown or out of reach.
    """
    if not program_code:
        return tuple(name for name in profile_ids() if not profile_levels(name))
    levels = register.programs.set_index("program_code")["degree_level"]
    if program_code not in levels.index:
        raise KeyError(f"program_code must be one of {sorted(levels.index)}, got {program_code!r}")
    level = levels[program_code]
    return tuple(name for name in profile_ids() if level in (profile_levels(name) or (level,)))


def proposed(known: Iterable[str], program_code: str, profile_id: str) -> tuple[str, ...]:
    """The tables that a submission of a programme is likely to need, the others being its office's choice.

    Parameters
    ----------
    known : iterable of str
        :func:`instruments`.
    program_code : str
    profile_id : str
        A table of the instrument that the office is looking at.

    Returns
    -------
    tuple of str
        Those of the instrument of the programme's own field, where one ships; else those of the instrument
        looked at. Nothing of another field or another country.
    """
    listed = tuple(known)
    own = tuple(name for name in listed if is_of_field(name, program_code))
    looked_at = profile_about(profile_id)["instrument"]
    return own or tuple(name for name in listed if profile_about(name)["instrument"] == looked_at)


def standings(
    store: Store, scope: Scope, program_code: str, ts: int, profiles: Iterable[str]
) -> list[Standing]:
    """The newest version of each table, proved."""
    listed = reports_store.report_list(store, scope)
    listed = listed[(listed["program_code"].fillna("") == program_code) & (listed["ts_year"] == ts)]
    newest = listed.sort_values("version").drop_duplicates("profile", keep="last").set_index("profile")
    return [
        _standing(store, scope, name, newest.loc[name]) if name in newest.index else Standing(name, MISSING)
        for name in profiles
    ]


def _standing(store: Store, scope: Scope, name: str, row) -> Standing:
    proof = pipeline.prove(store, scope, row["report_id"])
    state = WAITING if row["status"] == "prepared" else APPROVED
    state = ALTERED if not proof.intact else WITHDRAWN if proof.withdrawn else state
    return Standing(
        name,
        state,
        row["report_id"],
        int(row["version"]),
        row["prepared_by"],
        row["approved_by"] if state == APPROVED else "",
    )


def prepare_all(
    store: Store,
    register: pipeline.Register,
    program_code: str,
    ts: int,
    profiles: Iterable[str],
    *,
    actor: str,
    role: str,
    zone: str = "",
    progress: Progress | None = None,
) -> int:
    """Prepare the tables that have no version yet; one that has, perhaps with figures by hand, stays.

    Parameters
    ----------
    zone : str
        As in :func:`dashboard.reports.pipeline.prepare`.

    Returns
    -------
    int
        How many were prepared.
    """
    asked = standings(store, register.scope, program_code, ts, profiles)
    missing = [one.profile_id for one in asked if one.state == MISSING]
    step = Steps(progress, len(missing))
    for name in missing:
        step("preparing tables")
        table, origin = pipeline.build(store, register, pipeline.Request(name, program_code, ts))
        pipeline.prepare(store, table, origin, actor=actor, role=role, zone=zone)
    return len(missing)


def approve_all(
    store: Store,
    register: pipeline.Register,
    program_code: str,
    ts: int,
    profiles: Iterable[str],
    *,
    actor: str,
    role: str,
    zone: str = "",
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Approve every table that waits and was prepared by somebody else.

    Parameters
    ----------
    zone : str
        As in :func:`dashboard.reports.pipeline.approve`.

    Returns
    -------
    (int, int)
        How many were approved, and how many wait for another person because ``actor`` prepared them.
    """
    asked = standings(store, register.scope, program_code, ts, profiles)
    waiting = [one for one in asked if one.state == WAITING]
    theirs = [one for one in waiting if not reports_store.same_account(one.prepared_by, actor)]
    step = Steps(progress, len(theirs))
    for one in theirs:
        step("approving tables")
        who = {"actor": actor, "role": role, "zone": zone}
        pipeline.approve(store, register.scope, one.report_id, **who, register=register)
    return len(theirs), len(waiting) - len(theirs)


def submission_pack(
    store: Store,
    register: pipeline.Register,
    program_code: str,
    ts: int,
    profiles: Sequence[str],
    *,
    signed: bool,
    audience: str = pipeline.AUDIENCES[0],
    languages: Collection[str] = PRINTED,
    progress: Progress | None = None,
) -> Packed:
    """The tables of a programme and TS as one ZIP.

    Parameters
    ----------
    profiles : sequence of str
        Of :func:`instruments`.
    signed : bool
        Only approved tables; otherwise the newest version of each, or a draft.
    audience : {"internal", "external"}
    languages : collection of {"id", "en"}

    Raises
    ------
    PackRefused
        When ``signed`` and a table is not approved or was altered; when there is no table.
    """
    asked = standings(store, register.scope, program_code, ts, profiles)
    if not asked:
        raise PackRefused("a submission pack must hold at least one table, got none")
    if wrong := [one for one in asked if signed and one.state != APPROVED]:
        told = ", ".join(f"{one.profile_id} ({one.state})" for one in wrong)
        raise PackRefused(f"every table of a signed pack must be approved and unaltered; not so: {told}")
    made: dict[str, bytes] = {}
    tables: list[tuple[ReportTable, ReportProvenance, bool]] = []
    step = Steps(progress, len(asked))
    for one in asked:
        step("writing reports")
        table, origin, frozen = _table(store, register, one, program_code, ts)
        files = pipeline.print_files(
            store, register, table, origin, languages=languages, audiences=(audience,)
        )
        same = frozen is None or {file_hash(data) for data in files.values()} <= set(frozen.values())
        tables.append((table, origin, same))
        made |= {f"{one.profile_id}/{name}": data for name, data in files.items()}
    for language in languages:
        made[f"index_{language}.pdf"] = _index(tables, audience, language)
    sums = "".join(f"{file_hash(made[name])}  {name}\n" for name in sorted(made))
    return Packed(
        _zipped(made | {SUMS: sums.encode()}),
        len(tables),
        sum(origin.status == "approved" for _, origin, _ in tables),
    )


def pack_name(program_code: str, ts: int, audience: str, synthetic: bool) -> str:
    """Name of a pack."""
    stem = f"pack_{program_code or 'all'}_TS{ts}_{audience}"
    return f"{stem}{'_synthetic' if synthetic else ''}.zip"


def _table(store: Store, register: pipeline.Register, one: Standing, program_code: str, ts: int):
    """``(table, provenance, hashes of the files when it was approved)``; a draft where none is fit."""
    if one.state in (WAITING, APPROVED):
        report = reports_store.stored_report(store, register.scope, one.report_id)
        return *reopened(report), (report.files if one.state == APPROVED else None)
    table, origin = pipeline.build(store, register, pipeline.Request(one.profile_id, program_code, ts))
    return table, origin, None


def _index(
    tables: Sequence[tuple[ReportTable, ReportProvenance, bool]], audience: str, language: str
) -> bytes:
    first, origin, _ = tables[0]
    pairs = describe.header_pairs(first, origin, language)
    pairs = [pair for pair in pairs if pair[0] != say(language, "status")]
    approved = sum(origin.status == "approved" for _, origin, _ in tables)
    told = say(language, "pack_counts", tables=len(tables), approved=approved)
    heads = [say(language, key) for key in ("pack_table", "pack_folder", "status", "pack_seal")]
    rows = []
    for table, proof, same in tables:
        status = say(language, f"status_{proof.status}")
        who = describe.approved_words(proof, language) or describe.prepared_words(proof, language)
        number = f"{proof.report_id} v{proof.report_version}" if proof.report_id else ""
        seal = " · ".join(filter(None, (number, describe.checksum_words(proof, language))))
        notes = [] if same else [say(language, "pack_printed_anew")]
        state = " · ".join(filter(None, (status, who, *notes)))
        rows.append([describe.title(table, language), table.profile.id, state, seal])
    shown = first.with_parts(external=audience == "external")
    confidential = describe.audience_banner(shown, language)
    return documents.document(
        say(language, "pack_title"),
        [
            documents.facts([*pairs, (say(language, "pack_holds"), told)]),
            documents.note(confidential),
            documents.table(heads, rows, right=[False] * 4, widths=[3, 1.3, 2.4, 2], size=8),
            documents.text(say(language, "pack_sums")),
            documents.text(say(language, "pack_check_official")),
        ],
        replace(origin, signatories={}),
        language,
        footer=confidential,
        landscape=True,
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DAY), files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def instrument_name(profile_id: str, language: str) -> str:
    """An instrument's name with the number and title of its table."""
    profile = load_profile(profile_id, next(iter(profile_levels(profile_id)), ""))
    return f"{profile.instrument} {profile.number} · {profile.title[language]}"
