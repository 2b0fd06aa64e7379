"""Steps that are due as a calendar file (iCalendar, RFC 5545): how many on which day, and nobody's name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from dashboard.shell.wording import Words

FOLD = 75  # octets of a line, without its end


def calendar_file(days: Iterable[date], account: str, link: str, words: Words, at: datetime) -> bytes:
    """An all-day event for each day on which steps are due.

    An event keeps its identity from file to file, so that a calendar that takes a newer file has no day
    twice. It holds no text of a step, which may name somebody.

    Parameters
    ----------
    days : iterable of date
        The day of each step.
    account : str
        Whose steps; only a hash of it goes into the file.
    link : str
        Where the steps are listed; empty: no link.
    words : Words
    at : datetime
        UTC, when the file is made.
    """
    whose = hashlib.sha256(account.encode()).hexdigest()[:16]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tepat//Steps due//EN", "CALSCALE:GREGORIAN"]
    for day, steps in sorted(Counter(days).items()):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{day:%Y%m%d}-{whose}@tepat",
            f"DTSTAMP:{at.replace(tzinfo=UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(words.count('steps_due', steps))}",
            *([f"URL:{link}"] if link else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A long line in parts, each after the first with a space before it; no character is torn."""
    parts, now, size = [], "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > FOLD:
            parts.append(now)
            now, size = " ", 1
        now, size = now + sign, size + octets
    return "\r\n".join([*parts, now])
