"""The students, as the plan has them: who entered when, studied how, left on which day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from .names import ADDED_AT, ordinary_names
from .plan import (
    DROPPED,
    KINDS,
    LATE_DAYS,
    LATE_DAYS_OF,
    LEFT_DAYS,
    LISTED_ON,
    NO_ENTRY_TYPE,
    OLD_LISTED_ON,
    ON_LEAVE_NOW,
    ON_TIME_DAYS,
    ON_TIME_DAYS_OF,
    PLAN,
    PROGRAMMES,
    REENTRANTS,
    SEED,
    TRANSFERS_PER_COHORT,
    Programme,
)


@dataclass
class Term:
    """A row of the activity list; gpa None where nothing was graded."""

    term: int
    status: str
    gpa: float | None
    taken: int
    passed: int
    attended: float | None


@dataclass
class Person:
    """A registration: kind is the plan's word for how it ended, left the day, None while enrolled."""

    nim: str
    name: str
    programme: Programme
    cohort: int
    kind: str
    entered: date
    left: date | None
    advisor: str
    entry: str = "Peserta didik baru"
    credits_recognised: int = 0
    reentrant: bool = False
    on_leave: bool = False
    sex: str = "L"
    born: date = date(2000, 1, 1)
    path: str = "SNBT"
    band: int = 3
    province: str = "Jawa Tengah"
    national_number: str = ""
    mother: str = ""
    terms: list[Term] = field(default_factory=list)

    @property
    def listed_on(self) -> date:
        """The day of the list in which this student stands."""
        return OLD_LISTED_ON if self.programme.code == "0213" else LISTED_ON

    @property
    def gpa(self) -> float | None:
        """Cumulative GPA over graded terms, weighted by credits taken."""
        graded = [(t.gpa, t.taken) for t in self.terms if t.gpa is not None]
        return sum(g * c for g, c in graded) / sum(c for _, c in graded) if graded else None


def people(seed: int = SEED) -> list[Person]:
    """Everybody in the three programmes, in the order of their numbers."""
    rng = np.random.default_rng(seed)
    found: list[Person] = []
    names = iter(ordinary_names(rng, 500))
    for programme in PROGRAMMES:
        for cohort, counts in PLAN[programme.code].items():
            found += _cohort(programme, cohort, counts, names, rng)
    _mark(found, rng)
    for one in found:
        one.terms = _terms(one, rng)
    return found


def term_after(term: int) -> int:
    """The next odd or even term: 20241, 20242, 20251."""
    return term + 1 if term % 10 == 1 else term + 9


def _cohort(programme: Programme, cohort: int, counts: tuple[int, ...], names, rng) -> list[Person]:
    kinds = [kind for kind, n in zip(KINDS, counts, strict=True) for _ in range(n)]
    dealt = dict.fromkeys(KINDS, 0)
    made = []
    for kind in kinds:
        made.append((kind, _left(programme, cohort, kind, dealt[kind])))
        dealt[kind] += 1
    order = rng.permutation(len(made))
    return [
        _person(programme, cohort, place + 1, *made[index], next(names), rng)
        for place, index in enumerate(order)
    ]


def _left(programme: Programme, cohort: int, kind: str, turn: int) -> date | None:
    """The day of leaving: planned, never drawn, so that the boundary days are certain to occur."""
    if kind in ("over", "within"):
        return None
    if kind in ("on_time", "late"):
        usual, own = (ON_TIME_DAYS, ON_TIME_DAYS_OF) if kind == "on_time" else (LATE_DAYS, LATE_DAYS_OF)
        days = own.get((programme.code, cohort), usual)
        years, month, day = days[turn % len(days)]
        last = cohort + programme.normal_terms // 2
        if programme.code == "54231" and cohort == 2023:
            last -= 1  # the one who transferred in and finished after three years
        return date(last + years, month, day)
    years, month, day = LEFT_DAYS[kind][turn % len(LEFT_DAYS[kind])]
    return date(cohort + years, month, day)


def _number(programme: Programme, cohort: int, place: int) -> str:
    """Three ways of numbering in one house: letters first, a leading zero, dots."""
    year = cohort % 100
    if programme.level == "S1":
        return f"F1D{year:02d}{place * 7 % 1000:04d}"
    if programme.level == "D3":
        return f"00{year:02d}2130{place:02d}"
    return f"{year:02d}.M2.{place:04d}"


def _person(programme, cohort, place, kind, left, name, rng) -> Person:
    older = {"S1": 18, "D3": 18, "S2": 25}[programme.level]
    born = date(cohort - older - int(rng.integers(0, 3)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    return Person(
        nim=_number(programme, cohort, place),
        name=name,
        programme=programme,
        cohort=cohort,
        kind=kind,
        entered=date(cohort, 9, int(rng.integers(1, 15))),
        left=left,
        advisor=programme.advisors[place % len(programme.advisors)],
        sex="LP"[int(rng.integers(0, 2))],
        born=born,
        path=("SNBP", "SNBT", "Mandiri")[int(rng.integers(0, 3))],
        band=int(rng.integers(1, 9)),
        province=("Jawa Tengah", "Jawa Timur", "DI Yogyakarta", "Bali")[int(rng.integers(0, 4))],
        national_number="99" + "".join(str(d) for d in rng.integers(0, 10, 14)),
        mother="Ibunda " + name.split()[0],
    )


def _mark(found: list[Person], rng) -> None:
    """Deal the traits that the plan counts: scripts, transfers, leave, re-entry, an empty cell."""
    husbandry = [p for p in found if p.programme.level == "S1"]
    free = list(husbandry)
    for cohort, kind, name in ADDED_AT:
        one = next(p for p in free if (p.cohort, p.kind) == (cohort, kind))
        one.name = name
        free.remove(one)
    for cohort in PLAN["54231"]:
        same = [p for p in husbandry if p.cohort == cohort]
        early = [p for p in same if cohort == 2023 and p.kind == "on_time"]
        for one in [*early, *(p for p in reversed(same) if p not in early)][:TRANSFERS_PER_COHORT]:
            one.entry, one.credits_recognised = "Pindahan", 40
    for one in [p for p in husbandry if p.entry != "Pindahan"][11::31][:NO_ENTRY_TYPE]:
        one.entry = ""
    slow = [p for p in husbandry if p.kind in ("late", "over") and p.cohort <= 2021]
    for one in slow[2::4][:REENTRANTS]:
        one.reentrant = True
    still = [
        p for p in husbandry if p.kind in ("over", "within") and not p.reentrant and 2021 <= p.cohort <= 2024
    ]
    for one in still[3::11][:ON_LEAVE_NOW]:
        one.on_leave = True


# Mean term GPA and share of credits passed by kind of ending, with wide overlap: records tell something.
_LEVEL = {"on_time": (3.35, 0.98), "late": (2.95, 0.88), "over": (2.75, 0.78), "within": (3.1, 0.92)}
_DROPPED_LEVEL = (2.2, 0.6)


def _terms(one: Person, rng) -> list[Term]:
    """Rows from the entry to the exit; the ceremony of September brings no new row."""
    level, share = _LEVEL.get(one.kind, _DROPPED_LEVEL if one.kind in DROPPED else (3.0, 0.9))
    own = float(np.clip(rng.normal(level, 0.3), 1.2, 3.9))
    last = one.programme.last_term
    if one.left is not None:
        waits = one.kind in ("on_time", "late") and one.left.month == 9
        last = min(last, _term_of(one.left) - 9 if waits else _term_of(one.left))
    rows, term, index = [], one.cohort * 10 + 1, 0
    while term <= last:
        index += 1
        rows.append(_term(one, term, index, own, share, rng))
        term = term_after(term)
    if one.on_leave:
        rows[-1] = Term(rows[-1].term, "Cuti", None, 0, 0, None)
    if rows and one.kind == "lost":
        rows[-1] = Term(rows[-1].term, "Non-Aktif", None, 0, 0, None)
    return rows


def _term(one: Person, term: int, index: int, own: float, share: float, rng) -> Term:
    if one.reentrant and index in (5, 6):
        return Term(term, "Non-Aktif", None, 0, 0, None)
    if one.kind in ("late", "over") and not one.reentrant and index == 4 and rng.random() < 0.3:
        return Term(term, "Cuti", None, 0, 0, None)
    taken = int(rng.integers(18, 23)) if index <= one.programme.normal_terms - 2 else int(rng.integers(4, 12))
    passed = int(round(taken * float(np.clip(rng.normal(share, 0.08), 0.2, 1.0))))
    gpa = float(np.clip(rng.normal(own, 0.25), 0.5, 4.0))
    attended = float(np.clip(rng.normal(0.55 + 0.1 * own, 0.06), 0.4, 1.0))
    return Term(term, "Aktif", round(gpa, 2), taken, passed, round(attended, 3))


def _term_of(day: date) -> int:
    """The term that a day falls in, by this office's calendar."""
    year = day.year if day.month >= 9 else day.year - 1
    return year * 10 + (2 if 3 <= day.month <= 8 else 1)
