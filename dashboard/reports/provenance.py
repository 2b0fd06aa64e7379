"""Where a report comes from, and the hash that proves what it said."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.reports.conditions import Selection
from dashboard.reports.model import Cell, Exclusion, Line, Override, ReportTable
from dashboard.reports.profile import build_profile
from data.calendar.cohorts import Notice
from data.calendar.setting import SETTINGS
from data.engine.clock import now
from data.settings import software_version
from data.store import Store, get_fact
from data.trust.origin import is_synthetic

SIGNATORIES = ("preparing_team", "head_of_programme", "university_leader")
FORMAT = 1  # of the frozen content


@dataclass(frozen=True)
class Provenance:
    """What every file that leaves the app says about its origin.

    Parameters
    ----------
    institution : str
        Empty where the store does not name one.
    synthetic : bool
        Whether the store holds generated people; every page then says so.
    software : str
        Name and version of what made the file.
    time_zone : str
        IANA name of the place's time, such as Asia/Jakarta; empty: UTC.
    made_on : str
        Day on which the file is made, ISO 8601; empty where a file bears none.
    """

    institution: str = ""
    synthetic: bool = False
    software: str = field(default_factory=lambda: f"Tepat {software_version()}")
    time_zone: str = ""
    made_on: str = ""

    @property
    def made(self) -> datetime | None:
        """When a file says that it was made, on the clock of the place; None where that is not known."""
        return local_time(self.made_on, self.time_zone) if self.made_on else None


def local_time(moment: str, zone: str) -> datetime:
    """A moment of the store (ISO 8601, UTC) on the clock of a place; a day without a time stays that day."""
    when = datetime.fromisoformat(moment)
    if "T" not in moment:
        return when
    return when.replace(tzinfo=UTC).astimezone(ZoneInfo(zone) if zone else UTC)


def provenance_of(store: Store, zone: str = "") -> Provenance:
    """What a file about the people of a store says about its origin.

    Parameters
    ----------
    store : Store
    zone : str
        Whose clock it tells where the settings name none, as an IANA name; empty: UTC.
    """
    zone = get_fact(store, SETTINGS, {}).get("time_zone") or zone
    return Provenance(
        institution_of(store),
        is_synthetic(store),
        time_zone=zone,
        made_on=today(zone),
    )


LABELLED = " (synthetic demo data)"  # behind the name in demos of earlier versions, in English alone


def institution_of(store: Store) -> str:
    """The name of the institution; empty where the store does not know it. That people are invented is said
    beside it, in the reader's language."""
    return (get_fact(store, "institution", "") or "").removesuffix(LABELLED)


def today(zone: str) -> str:
    """The day on the clock of a place, ISO 8601."""
    return local_time(now().isoformat(), zone).date().isoformat()


@dataclass(frozen=True, kw_only=True)
class ReportProvenance(Provenance):
    """What the files of a report say further: the sources of its figures, who stands for it, its seal.

    Parameters
    ----------
    imports : tuple of (str, str, str)
        Import number, date, file names; the sources of the figures.
    row_counts : dict
        Rows of the store by table.
    calendar : dict
        ``start_month`` and ``graduation_date``.
    signatories : dict
        Names for the signature block, by role (:data:`SIGNATORIES`).
    prepared_by, prepared_at, approved_by, approved_at : str
        Accounts; empty until it has happened; times are ISO 8601, UTC.
    prepared_name, prepared_role, approved_name, approved_role : str
        What the accounts were called and their roles at that moment, as files print them; empty in reports of
        earlier versions.
    report_id, report_version, status
        Of the stored report; status is draft, prepared or approved.
    content_sha256 : str
        :func:`content_hash` of the frozen content.
    place : str
        Where the report is signed, as printed before the date.
    signatory_numbers : dict
        Staff numbers (NIP, NIDN) for the signature block, by role, as printed.
    replaces : str
        The version whose approval was withdrawn for this one, and why.
    seal : str
        :func:`dashboard.reports.approve.seal` of a stored version, which the audit log holds too; empty for a
        draft. It is made of all the rest, so it is no part of what is frozen.
    """

    imports: tuple[tuple[str, str, str], ...] = ()
    row_counts: dict[str, int] = field(default_factory=dict)
    calendar: dict[str, Any] = field(default_factory=dict)
    signatories: dict[str, str] = field(default_factory=dict)
    prepared_by: str = ""
    prepared_at: str = ""
    approved_by: str = ""
    approved_at: str = ""
    report_id: str = ""
    report_version: int = 0
    status: str = "draft"
    content_sha256: str = ""
    replaces: str = ""
    place: str = ""
    signatory_numbers: dict[str, str] = field(default_factory=dict)
    prepared_name: str = ""
    prepared_role: str = ""
    approved_name: str = ""
    approved_role: str = ""
    seal: str = ""

    @property
    def made(self) -> datetime | None:
        """When it was approved, else prepared; of a draft the day on which it is made."""
        moment = self.approved_at or self.prepared_at or self.made_on
        return local_time(moment, self.time_zone) if moment else None

    def to_json(self) -> dict:
        """What is frozen, as a dictionary that JSON can hold: everything but the seal over it."""
        told = asdict(self) | {"imports": [list(entry) for entry in self.imports]}
        del told["seal"]
        return told

    @classmethod
    def from_json(cls, stored: dict) -> ReportProvenance:
        """Back from :meth:`to_json`."""
        known = {part.name for part in fields(cls)} - {"seal"}
        kept = {name: value for name, value in stored.items() if name in known}
        return cls(**kept | {"imports": tuple(tuple(entry) for entry in stored.get("imports", ()))})


def to_content(table: ReportTable) -> dict:
    """A table as the dictionary that is frozen: everything needed to print it again, profile included."""
    return {
        "format": FORMAT,
        "profile": table.profile.source,
        "level": table.profile.level,
        "selection": asdict(table.selection),
        "snapshot": table.snapshot.isoformat() if table.snapshot else None,
        "cells": [vars(cell) | {"students": list(cell.students)} for cell in table.cells.values()],
        "lines": [
            {
                "key": line.indicator.key,
                "value": line.value,
                "state": line.state,
                "score": line.score,
                "students": list(line.students),
            }
            for line in table.lines
        ],
        "exclusions": [vars(item) | {"students": list(item.students)} for item in table.exclusions],
        "notices": [asdict(notice) for notice in table.notices],
        "overrides": [asdict(change) for change in table.overrides],
        "counts": dict(table.counts),
        "external": table.external,
    }


def from_content(content: dict) -> ReportTable:
    """The table that was frozen.

    Raises
    ------
    ValueError
        When the content has a format that this version does not know.
    """
    if content.get("format") != FORMAT:
        raise ValueError(f"format of a frozen report must be {FORMAT}, got {content.get('format')!r}")
    profile = build_profile(content["profile"], content["level"])
    indicators = {indicator.key: indicator for indicator in profile.indicators}
    cells = [Cell(**cell | {"students": tuple(cell["students"])}) for cell in content["cells"]]
    return ReportTable(
        profile=profile,
        selection=Selection(**content["selection"]),
        snapshot=date.fromisoformat(content["snapshot"]) if content["snapshot"] else None,
        cells={(cell.row, cell.column): cell for cell in cells},
        lines=tuple(
            Line(
                indicators[line["key"]], line["value"], line["state"], line["score"], tuple(line["students"])
            )
            for line in content["lines"]
        ),
        exclusions=tuple(
            Exclusion(**item | {"students": tuple(item["students"])}) for item in content["exclusions"]
        ),
        notices=tuple(Notice(**notice) for notice in content["notices"]),
        overrides=tuple(Override(**change) for change in content["overrides"]),
        counts=content["counts"],
        external=content["external"],
    )


def canonical(content: dict) -> bytes:
    """Content as bytes that do not depend on key order or spacing.

    A float is written with 12 significant digits: what a JSON column gives back may differ beyond.
    """

    def plain(value):
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            if set(map(type, value)) == {str}:  # keys of students, thousands of them
                return value
            return [plain(part) for part in value]
        if isinstance(value, float):
            return int(value) if value.is_integer() else f"{value:.12g}"
        return value

    return json.dumps(plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def content_hash(content: dict) -> str:
    """SHA-256 of :func:`canonical` content, in hex."""
    return hashlib.sha256(canonical(content)).hexdigest()


def file_hash(data: bytes) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(data).hexdigest()
