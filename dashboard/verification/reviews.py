"""The review queue as people see it: which case is next, what state it is in, what was noted."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.shell.people import named
from dashboard.shell.wording import EMPTY, Words
from data.verification.reviews import NEEDED, REASON_CODES

STATES = ("for_me", "to_settle", "waiting", "settled")


def told_reasons(codes: Sequence[str], text: str, words: Words) -> str:
    """The reasons of an opinion in the reader's language; what was typed stays as it was typed."""
    named_codes = ", ".join(words(f"review.reason_{code}") for code in codes if code in REASON_CODES)
    return ". ".join(part for part in (named_codes, text) if part) or EMPTY


def told_act(kind: str, opinion: str, words: Words) -> str:
    """What a row of :func:`data.verification.reviews.opinions` says, in the reader's language."""
    if kind == "withdrawal":
        return words("review.withdrawal")
    told = words.named("action_of" if kind == "settlement" else "opinion", opinion)
    return words("review.withdrawn", opinion=told) if kind == "withdrawn" else told


def may_withdraw(opinions: pd.DataFrame, account: str) -> bool:
    """Whether the newest opinion that stands in an open case is this account's: that one it may take back."""
    standing = opinions.loc[opinions["kind"] == "opinion", "reviewer"]
    return len(standing) > 0 and standing.iloc[-1] == account


def state_of(case: dict) -> str:
    """One of :data:`STATES`, for the reader of the row."""
    if case["settled"]:
        return "settled"
    if case["mine_to_do"]:
        return "for_me"
    ready = case["opinions"] >= NEEDED["accept"] and not case["wanted"]  # a third opinion may be wanted
    return "to_settle" if case["mine"] and ready else "waiting"


def next_case(queue: pd.DataFrame, wanted: str | None = None, passed: Sequence[str] = ()) -> dict | None:
    """The case asked for if it is in the queue, else the oldest that waits for the reader; None if none does.

    Parameters
    ----------
    queue : DataFrame
        From :func:`data.verification.reviews.review_queue`, the oldest first.
    wanted : str, optional
        A case's id.
    passed : sequence of str
        Put off in this session, in this order: they come last.
    """
    if wanted is not None:
        chosen = queue[queue["decision_id"] == wanted]
        if len(chosen):
            return chosen.iloc[0].to_dict()
    mine = queue[queue["mine_to_do"]]
    turns = {one: turn for turn, one in enumerate(passed, start=1)}
    order = mine["decision_id"].map(turns).fillna(0).sort_values(kind="stable").index
    return mine.loc[order[0]].to_dict() if len(mine) else None


def progress_of(opinions: pd.DataFrame) -> str:
    """How far two opinions have come: ``one``, ``agree``, ``differ`` (a third is needed) or ``third``."""
    given = opinions[opinions["kind"] == "opinion"]["opinion"].tolist()
    if len(given) < 2:
        return "one"
    if len(given) > 2:
        return "third"
    return "agree" if given[0] == given[1] else "differ"


def may_settle(opinions: pd.DataFrame) -> tuple[str, ...]:
    """The actions that so many opinions allow: asking for another signature first, the others after two
    that agree, or after a third."""
    count = int((opinions["kind"] == "opinion").sum())
    blind = bool(opinions.loc[opinions["kind"] == "opinion", "blind"].any())
    open_question = progress_of(opinions) == "differ"
    return tuple(
        action
        for action, needed in NEEDED.items()
        if count >= needed and (needed == 1 or (blind and not open_question))
    )


def queue_table(queue: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The queue as listed and exported: who, when, state, opinions so far."""
    rows = queue.to_dict("records")
    return pd.DataFrame(
        {
            "student": [named(row) for row in rows],
            "when": pd.to_datetime(queue["at"]),
            "state": [words(f"review.state_{state_of(row)}") for row in rows],
            "opinions": queue["opinions"].astype(int),
            "case": queue["decision_id"].str[:8],
        }
    )
