"""What falls due by the rule of retention, and carrying it out with receipts.

Signatures and questioned images go when their date has passed; who has left is pseudonymised or erased when
the rule says so. Every student is one transaction of its own with a receipt (:mod:`data.trust.erase`), so a
run that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from data import schema
from data.engine.bulk import fetch
from data.engine.database import Store
from data.engine.progress import Progress
from data.keeping.rule import ERASE, KEEP, Rule, date_signatures, left_on, rule_in, write_rule
from data.trust import audit, erase
from data.trust.erase import Receipt

_STEP = "deleting what has fallen due"
SIGNATURES, QUESTIONED, RECORDS = "signatures", "questioned", "records"


@dataclass(frozen=True)
class Due:
    """What has fallen due.

    Parameters
    ----------
    on : datetime.date
        What was to be kept until a day before it.
    rule : Rule
    specimens : dict
        Student key → ids of their signatures.
    questioned : int
        Questioned images; the decisions about them stay.
    records : tuple of str
        Keys of students who have left.
    """

    on: date
    rule: Rule
    specimens: dict[str, tuple[str, ...]]
    questioned: int
    records: tuple[str, ...]

    @property
    def signatures(self) -> int:
        """How many signatures."""
        return sum(map(len, self.specimens.values()))

    @property
    def anything(self) -> bool:
        """Whether there is anything."""
        return bool(self.specimens or self.questioned or self.records)


def rule_of(store: Store) -> Rule:
    """The rule in force."""
    with store.reading() as connection:
        return rule_in(connection)


def decide(store: Store, rule: Rule, *, actor: str, role: str = "system") -> int:
    """Set the rule, and every date by it. Returns how many signatures have another date now."""
    with store.writing() as connection:
        before = rule_in(connection)
        moved = write_rule(connection, rule)
        told = rule.told() | {"before": before.told(), "moved": moved}
        about = {"action": "set retention", "object": "store", "detail": told}
        audit.append_in(connection, actor=actor, role=role, **about)
    return moved


def redate(store: Store) -> int:
    """Set every date by the rule. Returns how many changed."""
    with store.writing() as connection:
        return date_signatures(connection)


def due(store: Store, on: date) -> Due:
    """What was to be kept until a day before ``on``."""
    table, images = schema.specimens, schema.questioned_images
    with store.reading() as connection:
        rule = rule_in(connection)
        expired = select(table.c.student_key, table.c.specimen_id).where(table.c.retention_until < on)
        specimens: dict[str, tuple[str, ...]] = {}
        for key, one in connection.execute(expired.order_by(table.c.student_key, table.c.specimen_id)):
            specimens[key] = (*specimens.get(key, ()), one)
        gone = select(images.c.decision_id).where(images.c.retention_until < on)
        questioned = len(connection.scalars(gone).all())
        left = [key for key, until in _left(connection, rule) if until < on]
    return Due(on, rule, specimens, questioned, tuple(left))


def calendar(store: Store) -> list[tuple[date, dict[str, int]]]:
    """How much falls due when: the first day of a month → kind → how many, in order.

    Kinds are :data:`SIGNATURES`, :data:`QUESTIONED` and :data:`RECORDS`, the latter in students.
    """
    counts: Counter = Counter()
    with store.reading() as connection:
        for kind, column in (
            (SIGNATURES, schema.specimens.c.retention_until),
            (QUESTIONED, schema.questioned_images.c.retention_until),
        ):
            days = connection.scalars(select(column).where(column.is_not(None)))
            counts.update((day.replace(day=1), kind) for day in days)
        left = _left(connection, rule_in(connection))
        counts.update((until.replace(day=1), RECORDS) for _, until in left)
    months: dict[date, dict[str, int]] = {}
    for (month, kind), number in counts.items():
        months.setdefault(month, {})[kind] = number
    return sorted(months.items())


def carry_out(
    store: Store, on: date, *, actor: str, role: str = "system", progress: Progress | None = None
) -> tuple[list[Receipt], int]:
    """Delete what :func:`due` names. Returns the receipts, and how many questioned images went."""
    what = due(store, on)
    about = {"actor": actor, "role": role}
    if not what.anything:
        return [], 0
    told = {"signatures": what.signatures, "questioned": what.questioned, "records": len(what.records)}
    audit.append(store, **about, action="carry out retention", object=on.isoformat(), detail=told)
    total, receipts = len(what.specimens) + len(what.records), []
    go = erase.erase_student if what.rule.records == ERASE else erase.pseudonymise
    steps = [(key, lambda key=key: go(store, key, **about)) for key in what.records]
    whole = set(what.records) if what.rule.records == ERASE else set()
    steps += [
        (key, lambda key=key, ids=ids: erase.erase_specimens(store, key, ids, **about))
        for key, ids in what.specimens.items()
        if key not in whole
    ]
    for place, (_, step) in enumerate(steps):
        if progress is not None:
            progress(place, total, _STEP)
        receipts.append(step())
    gone = erase.erase_questioned(store, on, **about)
    return receipts, gone


def _left(connection: Connection, rule: Rule) -> list[tuple[str, date]]:
    """Who has left and what is still to be done for them, with the last day on which it need not be."""
    if rule.records == KEEP:
        return []
    students, outcome, identity = schema.students, schema.outcomes, schema.identities
    wanted = (
        select(students.c.student_key, outcome.c.exit_type, outcome.c.exit_date, outcome.c.observed_until)
        .join(outcome, outcome.c.student_key == students.c.student_key)
        .where(outcome.c.exit_type.is_not(None))
        .order_by(students.c.student_key)
    )
    if rule.records != ERASE:  # whoever has no name and number any more is done
        wanted = wanted.join(identity, identity.c.student_key == students.c.student_key)
    frame = fetch(connection, wanted)
    pairs = zip(frame["student_key"], left_on(frame), strict=True)
    until = [(key, rule.records_until(left)) for key, left in pairs if left is not None]
    return [(key, day) for key, day in until if day is not None]
