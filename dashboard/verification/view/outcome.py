"""What a comparison came to: the outcome, how strongly it is supported, and what to do next."""

from __future__ import annotations

import streamlit as st

from dashboard.charts.verification import support_scale
from dashboard.components.chart_panel import QUIET
from dashboard.shell import caches, current_session, stores
from dashboard.shell.wording import Words
from dashboard.verification.comparison import support_words
from data.signatures.findings import read_findings

COMPARED = ("agrees", "differs", "unclear", "weak_calibration")
"""Reasons that rest on the ratio; for all others it would say more than is known."""
LOOK = {
    "consistent": ("blue", ":material/check_circle:"),
    "inconclusive": ("gray", ":material/help:"),
    "review": ("orange", ":material/visibility:"),
}


def outcome_badge(outcome: str) -> None:
    """The outcome as a badge: consistent, inconclusive or review, with what that means behind it."""
    words = current_session.words()
    colour, icon = LOOK[outcome]
    st.badge(
        words(f"verification.outcome_{outcome}"),
        icon=icon,
        color=colour,
        help=words(f"verification.outcome_{outcome}_help"),
    )


def outcome_panel(decision: dict, *, key: str, steps: bool = True) -> None:
    """Outcome, reason, likelihood ratio in words and on its scale, next steps.

    Parameters
    ----------
    decision : dict
        ``outcome, reason`` (codes), ``log10_lr`` (or None), ``thresholds`` (dict), ``reference_ids``,
        ``calibration_version``, ``findings``.
    key : str
        Unique on the page.
    steps : bool
        Whether to say what to do next.
    """
    words = current_session.words()
    with st.container(horizontal=True, vertical_alignment="center"):
        outcome_badge(decision["outcome"])
        st.caption(words("verification.against", n=len(decision["reference_ids"])), width="content")
    st.markdown(f"**{words.named('verification_reason', decision['reason'])}**")
    ratio = decision["log10_lr"]
    if ratio is not None and decision["reason"] in COMPARED:
        st.markdown(support_words(ratio, words))
        limits = decision["thresholds"]
        scale = support_scale(ratio, limits["decisive"], limits["cap"], words)
        st.plotly_chart(scale.sent, key=f"support-{key}", config=QUIET, alt=scale.alt)
        limit = words.number(10 ** limits["decisive"], 1)
        st.caption(f"{words('verification.ranges', limit=limit)} {words('verification.support_help')}")
        if limits.get("source") == "synthetic":
            said = words("verification.unproven", needed=_needed(), times=lowered(words), limit=limit)
            st.caption(f":material/info: {said}")
        _rates(decision)
    if steps:
        next_steps(decision)
    st.caption(words("signature.footer"))


def lowered(words: Words) -> str:
    """By how much a ratio is divided where nobody of the register stands behind it."""
    from vision.verification.forger_share import SYNTHETIC_DOUBT

    return words.number(10**SYNTHETIC_DOUBT)


def _rates(decision: dict) -> None:
    """What this many references cost in errors, while the calibration of the decision is in force."""
    from vision.verification.conditions import was_mended
    from vision.verification.verification_tools import tools_for

    words = current_session.words()
    version, count = tools_for(stores.store()).ground.version, len(decision["reference_ids"])
    if version != decision["calibration_version"]:
        return
    rates = caches.read_once(_measured, version, count)
    if rates is None:
        return
    shown = {
        "genuine": rates.consistent, "reviewed": rates.review, "passed": rates.passed,
    }  # fmt: skip
    fills = {name: f"{words.percent(one.value, 1)} ({_between(one)})" for name, one in shown.items()}
    st.caption(words("verification.rates", n=rates.references, writers=rates.writers, **fills))
    if was_mended(read_findings(decision["findings"])):
        st.caption(words("verification.rates_mended"))


def _between(figure) -> str:
    words = current_session.words()
    return f"{words.percent(figure.low, 1)}–{words.percent(figure.high, 1)}"


def _measured(store, _scope, _version, count: int):
    from vision.verification.threshold_report import rates_at
    from vision.verification.verification_tools import tools_for

    return rates_at(tools_for(store).ground, count)


def _needed() -> int:
    from vision.verification.ground import FEWEST_WRITERS

    return FEWEST_WRITERS


def advice(decision: dict, words: Words) -> list[str]:
    """The next steps: those of the reason where it has its own, else those of the outcome."""
    own = f"verification.next_{decision['reason']}"
    return words(own if words.has(own) else f"verification.next_{decision['outcome']}").split("\n")


def next_steps(decision: dict) -> None:
    """What an officer does now."""
    words = current_session.words()
    st.markdown(f"**{words('verification.next_title')}**")
    steps = advice(decision, words)
    st.markdown("\n".join(f"1. {step}" for step in steps))
