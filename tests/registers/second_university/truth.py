"""The right answers, by a rule stated by hand and applied to dates; nothing of the product takes part.

The rule: the academic year begins on 1 September. A student of a programme of n terms is on time when the
degree is dated before the (n + 1)th term begins. Leave does not stop the clock. Whoever is enrolled on the
day of the list is late once the (n + 1)th term has begun, and undecided before. Expelled, resigned and lost
are drop-outs, whenever they left; moved and died are neither on time nor late nor dropped out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from .consents import standing, words_of_consent
from .people import Person, people
from .plan import DROPPED, PREDICTION, RESEARCH, SEED, VERIFICATION
from .specimens import Specimen, specimens

ON_TIME, LATE, DROPOUT, UNDECIDED, NEITHER = "on_time", "delayed", "dropout", "censored", "neither"


@dataclass(frozen=True)
class Truth:
    """What an import must have understood; keys are student numbers as the office writes them."""

    names: dict[str, str]
    labels: dict[str, str]
    terms_studied: dict[str, int]
    counts: dict[tuple[str, int], Counter]
    term_rows: int
    past_normal_time: frozenset[str]
    on_leave: frozenset[str]
    reentrants: frozenset[str]
    without_entry_type: frozenset[str]
    transfers_in: frozenset[str]
    advised_by: dict[str, str]
    consenting: dict[str, frozenset[str]]
    refused_or_withdrawn: frozenset[str]
    specimens: dict[str, list[Specimen]]
    never_stored: frozenset[str] = field(repr=False, default=frozenset())

    def total(self, label: str, program: str | None = None) -> int:
        """Number of students with a label, of one programme or of all."""
        return sum(c[label] for (code, _), c in self.counts.items() if program in (None, code))


def normal_time_ends(one: Person) -> date:
    """First day that is too late: the day on which the term after the normal time begins."""
    years, half = divmod(one.programme.normal_terms, 2)
    return date(one.cohort + years, 9, 1) if half == 0 else date(one.cohort + years + 1, 3, 1)


def terms_studied(one: Person) -> int | None:
    """Terms from the entry to the exit, both counted; September to February is odd, March to August even."""
    if one.left is None:
        return None
    academic_year = one.left.year if one.left.month >= 9 else one.left.year - 1
    return 2 * (academic_year - one.cohort) + (2 if 3 <= one.left.month <= 8 else 1)


def label(one: Person) -> str:
    """The label of a student by the rule above, from dates alone and never from the plan's word."""
    if one.left is None:
        return LATE if one.listed_on >= normal_time_ends(one) else UNDECIDED
    if one.kind in ("on_time", "late"):
        return ON_TIME if one.left < normal_time_ends(one) else LATE
    return DROPOUT if one.kind in DROPPED else NEITHER


def truth(seed: int = SEED) -> Truth:
    """The table that the tests compare with."""
    everybody = people(seed)
    given = specimens(everybody, seed)
    words = words_of_consent(everybody, given, seed)
    counts: dict[tuple[str, int], Counter] = {}
    for one in everybody:
        counts.setdefault((one.programme.code, one.cohort), Counter())[label(one)] += 1
    consenting = {purpose: standing(words, purpose) for purpose in (VERIFICATION, PREDICTION, RESEARCH)}
    spoke = {w.nim for w in words if w.purpose == VERIFICATION}
    return Truth(
        names={p.nim: p.name for p in everybody},
        labels={p.nim: label(p) for p in everybody},
        terms_studied={p.nim: n for p in everybody if (n := terms_studied(p)) is not None},
        counts=counts,
        term_rows=sum(len(p.terms) for p in everybody),
        past_normal_time=_those(everybody, lambda p: p.left is None and label(p) == LATE),
        on_leave=_those(everybody, lambda p: p.on_leave),
        reentrants=_those(everybody, lambda p: p.reentrant),
        without_entry_type=_those(everybody, lambda p: p.entry == ""),
        transfers_in=_those(everybody, lambda p: p.entry == "Pindahan"),
        advised_by={p.nim: p.advisor for p in everybody},
        consenting=consenting,
        refused_or_withdrawn=frozenset(spoke - consenting[VERIFICATION]),
        specimens=given,
        never_stored=frozenset(p.national_number for p in everybody),
    )


def graduates_table(program: str, ts: int, back: int, seed: int = SEED) -> dict[tuple[str, str], int]:
    """BAN-PT's table of graduates by hand: cohorts TS-back … TS-back+3, academic years from 1 September.

    ``(row, "accepted")`` is who entered new (an empty entry type counts as new, transfers never);
    ``(row, "graduated@TS-k")`` who of them graduated in that year; ``(row, "total")`` until the end of TS.
    """
    table: dict[tuple[str, str], int] = {}
    new = [p for p in people(seed) if p.programme.code == program and p.entry != "Pindahan"]
    for behind in range(back, back - 4, -1):
        row, own = f"TS-{behind}", [p for p in new if p.cohort == ts - behind]
        graduates = [p.left for p in own if p.kind in ("on_time", "late")]
        table[row, "accepted"] = len(own)
        for year in range(ts - behind + 3, ts + 1):
            column = "graduated@TS" if year == ts else f"graduated@TS-{ts - year}"
            table[row, column] = sum(date(year, 9, 1) <= day < date(year + 1, 9, 1) for day in graduates)
        table[row, "total"] = sum(day < date(ts + 1, 9, 1) for day in graduates)
    return table


def _those(everybody: list[Person], of_whom) -> frozenset[str]:
    return frozenset(p.nim for p in everybody if of_whom(p))
