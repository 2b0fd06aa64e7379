"""What is fixed before anybody is drawn: whom the lots are for, which outcome counts, how it is analysed.

A protocol is written once and never changed. Its SHA-256 is what another person approves; the SHA-256 of the
secret that the lots are made with stands in it, so that the secret cannot be chosen afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import term_after
from data.columns import TARGETS
from data.engine.shown_text import is_one_line
from data.scores.standing import newest_over

LISTS = ("advisor", "program")  # whose list has the capacity line
OUTCOMES = ("left", "inactive")
"""left: resigned, expelled or discontinued by the end of the last term; inactive: neither registered in the
last term nor graduated by its end."""
ANALYSIS = (
    "Everybody drawn is counted as drawn, whatever was done (intention to treat): share with the outcome of "
    "those offered help less that of the others, with Newcombe's hybrid score interval, 95 %, two-sided."
)
STOP = (
    "Drawing ends when the planned number is in, on the last day of drawing, or when leadership stops it. "
    "Outcomes are looked at once, on or after the date of reading, and not before."
)
LEAST_PLANNED, MOST_CAPACITY, MOST_TERMS, MOST_BLOCK, LONGEST_TITLE = 40, 500, 8, 20, 120


@dataclass(frozen=True)
class Protocol:
    """A trial as it is registered.

    Parameters
    ----------
    title : str
        What it is called, one line of 1–120 characters that are seen; nothing about a person.
    program_code : str or None
        The programme whose students are drawn; None: every programme.
    target : {"late", "dropout"}
        By which risk the lists are ordered.
    lists : {"advisor", "program"}
        Whose lists have the capacity line.
    capacity : int
        How many of a list are offered help in any case: where the line is, 1–500.
    window : int
        How many above and how many below the line take part, 1 to ``capacity``.
    block : int
        Neighbours on a list of whom half are offered help: an even number, 2–20.
    outcome : {"left", "inactive"}
        See :data:`OUTCOMES`.
    outcome_terms : int
        Regular terms after the score's until the outcome is counted, 1–8.
    base_rate : float
        Expected share with the outcome among those not offered help, between 0 and 1.
    difference : float
        Smallest reduction of that share that would be worth the talks, above 0 and at most ``base_rate``.
    planned : int
        Students to draw, both groups together, at least 40.
    power : float
        Chance of finding ``difference`` with ``planned`` students, 0–1, as worked out before.
    draw_from, draw_until : date
        First and last day on which lots may be drawn.
    offer_days : int
        Days after a draw within which the help is to be offered, 1–365.
    read_on : date
        First day on which the outcomes may be looked at.
    seed_sha256 : str
        SHA-256 of the sealed secret, 64 hexadecimal digits; filled in on registering.
    analysis, stop : str
        Fixed: :data:`ANALYSIS`, :data:`STOP`.
    """

    title: str
    program_code: str | None
    target: str
    lists: str
    capacity: int
    window: int
    block: int
    outcome: str
    outcome_terms: int
    base_rate: float
    difference: float
    planned: int
    power: float
    draw_from: date
    draw_until: date
    offer_days: int
    read_on: date
    seed_sha256: str = ""
    analysis: str = ANALYSIS
    stop: str = STOP

    def as_dict(self) -> dict[str, Any]:
        """As JSON; days as ISO dates."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Protocol:
        """From :meth:`as_dict`."""
        given: dict[str, Any] = {one.name: told[one.name] for one in fields(cls)}
        for name in ("draw_from", "draw_until", "read_on"):
            given[name] = date.fromisoformat(given[name])
        return cls(**given)

    def digest(self) -> str:
        """SHA-256 of the protocol, 64 hexadecimal digits: what an approver has seen."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def earliest_reading(draw_until: date, outcome_terms: int, calendar: StudyCalendar) -> date:
    """The first day on which the outcome of somebody drawn on the last day can be known."""
    return calendar.closing_day(term_after(newest_over(1, draw_until), outcome_terms))


def check_protocol(protocol: Protocol, today: date, calendar: StudyCalendar) -> None:
    """Refuse a protocol that cannot be carried out.

    Raises
    ------
    ValueError
        With the field, the rule and the value.
    """
    one, title = protocol, protocol.title.strip()
    rules: list[tuple[bool, str, object]] = [
        (1 <= len(title) <= LONGEST_TITLE, f"title must have 1 to {LONGEST_TITLE} characters", len(title)),
        (is_one_line(title), "title must be one line without signs that are not seen", ascii(title)),
        (one.target in TARGETS, f"target must be one of {', '.join(TARGETS)}", one.target),
        (one.lists in LISTS, f"lists must be one of {', '.join(LISTS)}", one.lists),
        (1 <= one.capacity <= MOST_CAPACITY, f"capacity must be 1 to {MOST_CAPACITY}", one.capacity),
        (1 <= one.window <= one.capacity, "window must be 1 to the capacity", one.window),
        (
            2 <= one.block <= MOST_BLOCK and one.block % 2 == 0,
            f"block must be an even number, 2 to {MOST_BLOCK}",
            one.block,
        ),
        (one.outcome in OUTCOMES, f"outcome must be one of {', '.join(OUTCOMES)}", one.outcome),
        (1 <= one.outcome_terms <= MOST_TERMS, f"outcome_terms must be 1 to {MOST_TERMS}", one.outcome_terms),
        (0 < one.base_rate < 1, "base_rate must lie between 0 and 1", one.base_rate),
        (
            0 < one.difference <= one.base_rate,
            "difference must be above 0, at most base_rate",
            one.difference,
        ),
        (one.planned >= LEAST_PLANNED, f"planned must be at least {LEAST_PLANNED}", one.planned),
        (0 < one.power < 1, "power must lie between 0 and 1", one.power),
        (today <= one.draw_until, "draw_until must not lie before today", one.draw_until),
        (one.draw_from <= one.draw_until, "draw_from must not lie after draw_until", one.draw_from),
        (1 <= one.offer_days <= 365, "offer_days must be 1 to 365", one.offer_days),
        (one.analysis == ANALYSIS and one.stop == STOP, "analysis and stop must be the fixed ones", "others"),
    ]
    for holds, rule, given in rules:
        if not holds:
            raise ValueError(f"{rule}, got {given}")
    first = earliest_reading(one.draw_until, one.outcome_terms, calendar)
    if one.read_on < first:
        raise ValueError(
            f"read_on must be {first} or later: before, the outcome of the last drawn is not known, "
            f"got {one.read_on}"
        )
