"""What a comparison came to: the outcome, how strongly it is supported, and what to do next."""

from __future__ import annotations

import streamlit as st

from dashboard.charts.verification import support_scale
from dashboard.components.chart_panel import QUIET
from dashboard.shell import current_session
from dashboard.shell.wording import Words
from dashboard.verification.comparison import support_words

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
        st.caption(words("verification.support_help"))
        if limits.get("source") == "synthetic":
            st.caption(f":material/info: {words('verification.unproven', needed=_needed())}")
    if steps:
        next_steps(decision)
    st.caption(words("signature.footer"))


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
