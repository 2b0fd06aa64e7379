"""A trial on the page: which steps are open to whom, and what is said of it. No Streamlit here."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from dashboard.cases.standing import who
from dashboard.shell.access import may, scope_for
from dashboard.shell.wording import Words
from data.cases import trials
from data.cases.trial_protocol import Protocol
from data.cases.trial_queries import Trial
from data.store import Store
from data.trust.accounts import Account
from data.trust.reports_store import same_account
from data.trust.small_cells import MARK, THRESHOLD

STEPS = ("approve", "draw", "read", "stop")
MANY, COARSE = 100, 5  # students of a group under which rounded shares are told in steps of so many points


def open_steps(trial: Trial, person: Account, on: date) -> list[str]:
    """The steps of :data:`STEPS` that somebody can take on a day, as far as is known before asking."""
    protocol, state = trial.protocol, trial.state
    drawing = protocol.draw_from <= on <= protocol.draw_until
    can = {
        "approve": state == "registered"
        and on <= protocol.draw_until
        and not same_account(trial.registered_by, person.account),
        "draw": state in ("approved", "drawn") and drawing and trial.drawn < protocol.planned,
        "read": state in ("drawn", "stopped") and trial.drawn > 0 and on >= protocol.read_on,
        "stop": state in ("registered", "approved", "drawn") and on < protocol.read_on,
    }
    return [step for step in STEPS if can[step] and may(person.role, f"{step} trial")]


def register(store: Store, person: Account, protocol: Protocol, on: date | None = None) -> Trial:
    """Register a protocol in somebody's name.

    Raises
    ------
    PermissionError
        When the role may not, or the account does not reach the programme.
    ValueError
        When the protocol cannot be carried out.
    """
    _need(person, "register")
    by = {"actor": person.account, "role": person.role}
    return trials.register_trial(store, scope_for(person), protocol, **by, today=on)


def take(
    store: Store, person: Account, step: str, trial: Trial, *, reason: str = "", on: date | None = None
) -> Any:
    """Take a step of :data:`STEPS` in somebody's name.

    Parameters
    ----------
    trial : Trial
        As it was shown: an approval is of the protocol that was read.
    reason : str
        Why a trial is stopped.

    Returns
    -------
    object
        What the step gives: :class:`data.cases.trials.Drawn`, the kept result, or None.

    Raises
    ------
    PermissionError
        When the role may not.
    data.cases.trials.TrialRefused
        When the trial does not allow the step now.
    LookupError
        When the account does not reach the trial.
    """
    _need(person, step)
    by = {"actor": person.account, "role": person.role}
    scope, number = scope_for(person), trial.trial_id
    if step == "approve":
        return trials.approve_trial(store, scope, number, trial.protocol.digest(), **by, today=on)
    if step == "draw":
        from fusion.trial.lottery import draw_lots

        lottery = partial(draw_lots, block=trial.protocol.block)
        return trials.draw_lots(store, scope, number, lottery, **by, today=on)
    if step == "read":
        from fusion.trial.analysis import analyse

        return trials.read_result(store, scope, number, analyse, **by, today=on)
    return trials.stop_trial(store, scope, number, reason, **by)


def _need(person: Account, step: str) -> None:
    if not may(person.role, f"{step} trial"):
        raise PermissionError(f"role {person.role!r} may not {step} a trial")


def protocol_table(protocol: Protocol, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """What was registered, a line for each part."""
    one = protocol
    code = one.program_code
    program = words("trial.every_program") if code is None else f"{code} {programs.get(code, '')}"
    outcome = words(f"trial.outcome_{one.outcome}", n=one.outcome_terms)
    rows = {
        "who": words(
            "trial.who_is",
            n=2 * one.window,
            capacity=one.capacity,
            list=words(f"trial.lists_{one.lists}"),
            target=words(f"target.{one.target}").lower(),
        ),
        "program": program.strip(),
        "lots": words("trial.lots_are", block=one.block),
        "outcome": outcome,
        "expected": words(
            "trial.expected_is",
            base=words.percent(one.base_rate, 1),
            points=words.number(100 * one.difference, 1),
        ),
        "planned": words("trial.planned_is", n=one.planned, power=words.percent(one.power)),
        "drawing": words("trial.from_until", first=words.day(one.draw_from), last=words.day(one.draw_until)),
        "offering": words.count("days", one.offer_days),
        "reading": words.day(one.read_on),
        "analysis": words("trial.analysis_is"),
        "stop": words("trial.stop_is"),
        "seed": one.seed_sha256,
    }
    parts = {
        words("trial.part"): [words(f"trial.{name}") for name in rows],
        words("trial.told"): [*rows.values()],
    }
    return pd.DataFrame(parts)


def recruitment(trial: Trial, words: Words) -> str:
    """How many were drawn of those planned, and into which group, small counts hidden."""
    offered, usual = (trial.drawn_into(arm) for arm in ("offered", "usual"))
    counts = {"offered": count_words(offered, words), "usual": count_words(usual, words)}
    drawn = count_words(trial.drawn, words)
    return words("trial.recruited", drawn=drawn, planned=trial.protocol.planned, draws=trial.draws, **counts)


def count_words(count: int, words: Words) -> str:
    """A count of students, a mark where it is too small to be told."""
    return MARK if 0 < count < THRESHOLD else words.number(count)


def result_lines(trial: Trial, words: Words) -> list[str]:
    """The result in sentences; counts of fewer than five are not told, nor what follows from them.

    Where fewer than five of a group were erased since, numbers are those drawn, in tens, and shares are
    rounded: how many were drawn is known, and the exact figures would tell how many of them are gone.
    """
    result = trial.result
    if result is None:
        return []
    counts, figures = result["counts"], result["figures"]
    cells = [n for one in counts.values() for n in (one["events"], one["students"] - one["events"])]
    if any(0 < cell < THRESHOLD for cell in cells):
        return [words("trial.result_small")]
    few_erased = any(0 < one["erased"] < THRESHOLD for one in counts.values())
    sizes = {arm: one["students"] + (one["erased"] if few_erased else 0) for arm, one in counts.items()}
    step = (COARSE if min(sizes.values()) < MANY else 1) if few_erased else 0.1
    digits = 1 if step < 1 else 0
    told = {
        **{arm: words.percent(_in_steps(100 * figures[arm], step) / 100, digits) for arm in counts},
        "n": round(sizes["offered"], -1) if few_erased else sizes["offered"],
        "m": round(sizes["usual"], -1) if few_erased else sizes["usual"],
        "points": words.signed(_in_steps(100 * figures["value"], step), digits),
        "low": words.signed(_in_steps(100 * figures["low"], step), digits),
        "high": words.signed(_in_steps(100 * figures["high"], step), digits),
    }
    verdict = "fewer" if figures["high"] < 0 else "more" if figures["low"] > 0 else "open"
    sentence = "trial.result_about" if few_erased else "trial.result"
    lines = [words(sentence, **told), words(f"trial.verdict_{verdict}")]
    lines.append(_helped(counts, max(step, 1), words))
    erased = sum(one["erased"] for one in counts.values())
    if erased:
        lines.append(words("trial.erased", n=count_words(erased, words)))
    return lines


def _in_steps(points: float, step: float) -> float:
    """Percentage points rounded to the nearest multiple of ``step``."""
    return step * round(points / step)


def _helped(counts: dict[str, dict[str, int]], step: float, words: Words) -> str:
    """How many of each group had help logged: the groups are compared as drawn whatever stands here."""
    shares = {}
    for arm, one in counts.items():
        helped, all_of_them = one["helped"], one["students"]
        hidden = 0 < helped < THRESHOLD or 0 < all_of_them - helped < THRESHOLD
        shares[arm] = MARK if hidden else words.percent(_in_steps(100 * helped / all_of_them, step) / 100)
    return words("trial.helped", **shares)


def offers_table(rows: pd.DataFrame, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """Whom an advisor is to offer help, as it is shown; ``student_key`` stays for opening."""
    return pd.DataFrame(
        {
            "student_key": rows["student_key"],
            words("column.student"): [who(row) for row in rows.to_dict("records")],
            words("column.offer_until"): [words.day(day) for day in rows["offer_until"]],
            words("column.contacted"): [
                words.day(day) if pd.notna(day) else "" for day in rows["contacted_at"]
            ],
            words("column.program"): [programs.get(code, code) for code in rows["program_code"]],
            words("column.cohort"): [words.term(term) for term in rows["cohort_term"]],
        }
    )
