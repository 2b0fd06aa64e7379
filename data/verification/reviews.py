"""People's opinions on a signature that the method did not find consistent. Append-only, and blind.

Two people say what they see before either knows the score or the other's opinion; whoever ran the comparison
has seen the score and may give at most one of the two. Only somebody who has given an opinion can settle.
Whoever gave an opinion may take it back as long as it is the newest of an open case; what they say after that
counts as said by somebody who knows the score.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, and_, case, func, or_, select, true

from data import schema
from data.engine.bulk import TEXT, fetch
from data.engine.cipher import Cipher
from data.engine.clock import now
from data.engine.database import Store
from data.engine.sealed_texts import COLUMN, insert_sealed, opened
from data.trust import audit
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.queries import decisions, given_by, is_settled, taken_back

OPINIONS = ("same_writer", "cannot_tell", "another_writer")
ACTIONS = ("ask_again", "accept", "refer")
"""How a case ends: the student signs again, the signature is accepted, or the case is referred."""
NEEDED = {"ask_again": 1, "accept": 2, "refer": 2}
"""Opinions before an action; asking for another signature is the first thing to do."""
MOST_OPINIONS = 3
"""Two, and a third where they differ."""
REASON_CODES = ("shape", "proportions", "slant", "joins", "line_quality", "pressure", "flourish", "image")
"""What an opinion on a signature may rest on, a closed list; more stands in the text."""
_ACTS = {  # kind of a row → what the audit log calls it
    "opinion": "review signature",
    "withdrawal": "take back opinion",
    "settlement": "settle signature",
}
DUPLICATE_OPINIONS = ("chance", "same_origin", "cannot_tell")
TAKEN_BACK = "taken_back"  # in the place of an opinion on a pair: it waits for one again


class Refused(ValueError):
    """An opinion or settlement against the rules; ``code`` names the rule in the locales."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def review_queue(store: Store, scope: Scope, *, settled: bool = False, limit: int = 200) -> pd.DataFrame:
    """Cases for review, the oldest first, as :func:`data.verification.queries.decisions` gives them, and
    ``mine_to_do``: whether this reader's opinion is still wanted."""
    found = decisions(store, scope, outcome="review", settled=settled, oldest_first=not settled, limit=limit)
    open_to = found["wanted"] & ~found["mine"]
    ran = found["actor"] == scope.account  # has seen the score: may be one of the two, not both
    knew = ran | found["withdrew"]
    refused = (ran & (found["opinions"] > 1)) | (knew & (found["known"] > 0))
    return found.assign(mine_to_do=open_to & ~refused)


def opinions(store: Store, scope: Scope, decision_id: str) -> pd.DataFrame:
    """``review_id, at, reviewer, kind, opinion, reason_codes, reasons, blind``, the oldest first.

    ``kind`` is ``opinion``, ``withdrawn`` (an opinion that was taken back later), ``withdrawal`` (that act;
    its ``opinion`` is the one taken back) or ``settlement``.
    Other people's only after the reader's own, or once the case is settled.
    """
    table, cases, owner = schema.reviews, schema.verification_decisions, schema.students
    open_to_me = or_(table.c.reviewer == scope.account, is_settled(cases), given_by(cases, scope.account))
    names = ("review_id", "at", "reviewer", "kind", "opinion", "reason_codes", COLUMN, "blind")
    gone = and_(table.c.kind == "opinion", taken_back(table))
    told = case((gone, "withdrawn"), else_=table.c.kind).label("kind")
    columns = [told if name == "kind" else table.c[name] for name in names]
    statement = (
        select(*columns)
        .join(cases, cases.c.decision_id == table.c.decision_id)
        .join(owner, owner.c.student_key == cases.c.student_key)
        .where(table.c.decision_id == decision_id, *visible(scope))
        .where(true() if scope.role == "system" else open_to_me)
        .order_by(table.c.review_id)
    )
    with store.reading() as connection:
        found = fetch(connection, statement).rename(columns={COLUMN: "reasons"})
    told = [
        opened(store.cipher, table.name, number, sealed).get("reasons", "")
        for number, sealed in zip(found["review_id"], found["reasons"], strict=True)
    ]
    return found.assign(reasons=pd.array(told, dtype=TEXT))


def give_opinion(
    store: Store, scope: Scope, decision_id: str, opinion: str, reasons: str, codes: Sequence[str] = ()
) -> int:
    """Append the opinion of ``scope.account``. Returns its number.

    Parameters
    ----------
    store : Store
    scope : Scope
    decision_id : str
    opinion : str
        One of :data:`OPINIONS`.
    reasons : str
        What was seen, as typed; may be empty where there are codes.
    codes : sequence of str
        What was looked at, of :data:`REASON_CODES`; kept in the order of that list.

    Raises
    ------
    Refused
        ``unknown_opinion``, ``unknown_reason``, ``no_reasons``, ``not_for_review``, ``settled``, ``given``
        (one each), ``enough`` (nobody else is needed) or ``not_blind`` (ran it, and another opinion stands
        already).
    LookupError
        When there is no such case in reach of ``scope``.
    """
    if opinion not in OPINIONS:
        raise Refused("unknown_opinion", f"opinion must be one of {', '.join(OPINIONS)}, got {opinion!r}")
    unknown = sorted(set(codes) - set(REASON_CODES))
    if unknown:
        raise Refused("unknown_reason", f"codes must be of {REASON_CODES}, got {', '.join(unknown)}")
    if not codes:
        _need_reasons(reasons)
    with store.writing() as connection:
        case = _open_case(connection, scope, decision_id)
        given = _given(connection, decision_id)
        if scope.account in set(given["reviewer"]):
            raise Refused("given", f"{scope.account} has given an opinion on this case")
        turn = 1 + _withdrawals(connection, decision_id, scope.account)
        alike = len(given) == 2 and given["opinion"].nunique() == 1
        if alike or len(given) >= MOST_OPINIONS:
            raise Refused("enough", f"the case has {len(given)} opinions and needs no other")
        knew = case["actor"] == scope.account or turn > 1
        if knew and len(given) and not given["blind"].all():
            raise Refused("not_blind", "one opinion must come from somebody who does not know the score")
        return _append(
            connection,
            store.cipher,
            scope,
            case,
            "opinion",
            opinion,
            reasons,
            codes,
            blind=not knew,
            turn=turn,
        )


def settle(store: Store, scope: Scope, decision_id: str, action: str, reasons: str) -> int:
    """End a case. Returns the number of the row.

    Raises
    ------
    Refused
        ``unknown_action``, ``no_reasons``, ``not_for_review``, ``settled``, ``too_few`` (opinions, see
        :data:`NEEDED`), ``all_knew`` (no blind opinion) or ``no_opinion`` (own one missing).
    LookupError
        When there is no such case in reach of ``scope``.
    """
    if action not in ACTIONS:
        raise Refused("unknown_action", f"action must be one of {', '.join(ACTIONS)}, got {action!r}")
    _need_reasons(reasons)
    with store.writing() as connection:
        case = _open_case(connection, scope, decision_id)
        given = _given(connection, decision_id)
        if scope.account not in set(given["reviewer"]):
            raise Refused("no_opinion", "whoever settles a case must have given an opinion on it")
        if len(given) < NEEDED[action]:
            raise Refused("too_few", f"{action} needs {NEEDED[action]} opinions, the case has {len(given)}")
        if NEEDED[action] > 1 and not given["blind"].any():
            raise Refused("all_knew", "one opinion must come from somebody who did not know the score")
        return _append(connection, store.cipher, scope, case, "settlement", action, reasons, blind=False)


def withdraw_opinion(store: Store, scope: Scope, decision_id: str, reasons: str) -> int:
    """Append that ``scope.account`` takes its opinion back; the opinion stays. Returns the row's number.

    Raises
    ------
    Refused
        ``no_reasons``, ``not_for_review``, ``settled``, ``nothing_given`` (no opinion that stands) or
        ``followed`` (somebody gave theirs after it, and it stands).
    LookupError
        When there is no such case in reach of ``scope``.
    """
    _need_reasons(reasons)
    with store.writing() as connection:
        case = _open_case(connection, scope, decision_id)
        given = _given(connection, decision_id)
        mine = given[given["reviewer"] == scope.account]
        if mine.empty:
            raise Refused("nothing_given", f"{scope.account} has no opinion on this case to take back")
        if given["reviewer"].iloc[-1] != scope.account:
            raise Refused("followed", f"an opinion was given after that of {scope.account}")
        opinion, turn = mine["opinion"].iloc[0], int(mine["turn"].iloc[0])
        return _append(
            connection, store.cipher, scope, case, "withdrawal", opinion, reasons, blind=False, turn=turn
        )


def review_duplicate(store: Store, scope: Scope, finding_id: int, opinion: str, reasons: str) -> int:
    """Append what somebody found about a pair of students. Returns its number.

    Raises
    ------
    Refused
        ``unknown_opinion`` or ``no_reasons``.
    LookupError
        When there is no such finding in reach of ``scope``.
    """
    if opinion not in DUPLICATE_OPINIONS:
        raise Refused(
            "unknown_opinion", f"opinion must be one of {', '.join(DUPLICATE_OPINIONS)}, got {opinion!r}"
        )
    _need_reasons(reasons)
    table, owner, other = schema.duplicate_findings, schema.students, schema.students.alias()
    statement = (
        select(table)
        .join(owner, owner.c.student_key == table.c.first_student)
        .join(other, other.c.student_key == table.c.second_student)
        .where(table.c.finding_id == finding_id, *visible(scope), *visible(scope, other))
    )
    with store.writing() as connection:
        pair = connection.execute(statement).mappings().one_or_none()
        if pair is None:
            raise LookupError(f"no duplicate finding {finding_id!r} that may be reviewed")
        row = {"kind": pair["kind"], "student_key": pair["first_student"], "at": now()}
        row |= {"second_student": pair["second_student"], "reviewer": scope.account}
        table, told = schema.duplicate_reviews, {"reasons": reasons.strip()}
        number = insert_sealed(connection, store.cipher, table, {**row, "opinion": opinion}, told)
        about = {"kind": pair["kind"], "opinion": opinion}
        _audit(connection, scope, "review duplicate", pair["first_student"], about)
    return number


def take_back_duplicate(store: Store, scope: Scope, review_id: int) -> None:
    """Take back what ``scope.account`` found about a pair, before anybody has found something else: the pair
    waits for an opinion again. What was said stays on record.

    Raises
    ------
    Refused
        ``nothing_given`` (no such opinion of this account) or ``followed`` (another came after it, or it was
        taken back before).
    """
    table = schema.duplicate_reviews
    own = select(table).where(table.c.review_id == review_id, table.c.reviewer == scope.account)
    with store.writing() as connection:
        given = connection.execute(own.where(table.c.opinion != TAKEN_BACK)).mappings().one_or_none()
        if given is None:
            raise Refused("nothing_given", f"{scope.account} has no opinion {review_id} on a pair")
        pair = {name: given[name] for name in ("kind", "student_key", "second_student")}
        two = (pair["student_key"], pair["second_student"])  # a later search may name them the other way
        of_pair = (
            table.c.kind == pair["kind"],
            table.c.student_key.in_(two),
            table.c.second_student.in_(two),
        )
        if connection.scalar(select(func.max(table.c.review_id)).where(*of_pair)) != review_id:
            raise Refused("followed", f"something came after the opinion {review_id}")
        row = {**pair, "at": now(), "reviewer": scope.account, "opinion": TAKEN_BACK}
        insert_sealed(connection, store.cipher, table, row, {})
        about = {"kind": given["kind"], "opinion": given["opinion"]}
        _audit(connection, scope, "take back pair", given["student_key"], about)


def _open_case(connection: Connection, scope: Scope, decision_id: str) -> dict:
    table, owner = schema.verification_decisions, schema.students
    statement = (
        select(table.c.decision_id, table.c.student_key, table.c.actor, table.c.outcome)
        .add_columns(is_settled(table).label("settled"))
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.decision_id == decision_id, *visible(scope))
    )
    case = connection.execute(statement).mappings().one_or_none()
    if case is None:
        raise LookupError(f"no decision {decision_id!r} that may be reviewed")
    if case["outcome"] != "review":
        raise Refused("not_for_review", f"only outcome review is reviewed, got {case['outcome']!r}")
    if case["settled"]:
        raise Refused("settled", "the case is settled")
    return dict(case)


def _need_reasons(reasons: str) -> None:
    if not reasons.strip():
        raise Refused("no_reasons", "reasons must say what was seen, got none")


def _given(connection: Connection, decision_id: str) -> pd.DataFrame:
    table = schema.reviews
    columns = (table.c.reviewer, table.c.opinion, table.c.blind, table.c.turn)
    standing = (table.c.decision_id == decision_id, table.c.kind == "opinion", ~taken_back(table))
    return fetch(connection, select(*columns).where(*standing).order_by(table.c.review_id))


def _withdrawals(connection: Connection, decision_id: str, account: str) -> int:
    table = schema.reviews
    own = (table.c.decision_id == decision_id, table.c.reviewer == account, table.c.kind == "withdrawal")
    return len(connection.scalars(select(table.c.review_id).where(*own)).all())


def _append(
    connection: Connection,
    cipher: Cipher,
    scope: Scope,
    case: dict,
    kind: str,
    opinion: str,
    reasons: str,
    codes: Sequence[str] = (),
    *,
    blind: bool,
    turn: int = 1,
) -> int:
    row = {"decision_id": case["decision_id"], "student_key": case["student_key"], "at": now()}
    row |= {"reviewer": scope.account, "kind": kind, "opinion": opinion, "blind": blind, "turn": turn}
    row |= {"reason_codes": [code for code in REASON_CODES if code in codes]}
    told = {"reasons": reasons.strip()} if reasons.strip() else {}
    number = insert_sealed(connection, cipher, schema.reviews, row, told)
    detail = {"decision": case["decision_id"], "opinion": opinion}
    if kind == "opinion":
        detail["score_seen"] = not blind
    _audit(connection, scope, _ACTS[kind], case["student_key"], detail)
    return number


def _audit(connection: Connection, scope: Scope, action: str, key: str, detail: dict) -> None:
    audit.append_in(
        connection, actor=scope.account, role=scope.role, action=action, object=key, detail=detail
    )
