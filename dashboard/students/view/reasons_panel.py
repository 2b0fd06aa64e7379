"""Why the score is what it is: the waterfall, and what can still change apart from what cannot."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts.reasons import waterfall
from dashboard.components.chart_panel import chart_panel
from dashboard.shell import current_session, stores
from dashboard.shell.glossary import linked
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from dashboard.students.reasons import WEIGHTY, inside, not_recorded, reasons_frame
from fusion.explanation.explain import Explanation

LISTED = 4


def reasons_panel(explanation: Explanation, about: tuple) -> None:
    """Draw the reasons of one score: the waterfall, and the strongest of each kind in words.

    Parameters
    ----------
    explanation : Explanation
    about : tuple
        What names the score: its chart is drawn once.
    """
    words = current_session.words()
    frame = reasons_frame(explanation, stores.programs(), words)
    base = explanation.base_value
    if not stores.model().keeps_directions:
        st.warning(words("reasons.train_again"), icon=":material/history:")
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        chart_panel(
            partial(waterfall, frame, base, words),
            "reasons",
            words("student.reasons_title"),
            linked(words("student.reasons_help"), "reasons", words),
            about=about,
        )
    with right:
        st.caption(words("reasons.legend"))
        reasons = frame.to_dict("records")
        records = [reason for reason in reasons if reason["modality"] == "records" and reason["told"]]
        for changeable, title in ((True, "changeable"), (False, "fixed")):
            st.markdown(
                f"**{words(f'student.{title}')}**",
                help=linked(words(f"student.{title}_help"), "changeable", words),
            )
            _list([reason for reason in records if reason["changeable"] == changeable])
        signature = [reason for reason in reasons if reason["modality"] == "signature"]
        if signature:
            st.markdown(f"**{words('reasons.signature')}**", help=words("signature.honesty"))
            _list(signature, floor=0.0)
        gaps = gaps_line(explanation, frame, words)
        if gaps:
            st.caption(gaps)


def gaps_line(explanation: Explanation, frame: pd.DataFrame, words: Words) -> str:
    """What is not recorded, and whether that moves the score; empty where nothing is missing.

    Where whole terms have no row, credits and courses look fewer than they may be: that is said first.
    """
    values = {c.name: c.value for c in explanation.contributions}
    gone, over = (values.get(name) for name in ("terms_missing", "as_of_index"))
    whole = isinstance(gone, float) and isinstance(over, float) and gone >= 1
    missing = not_recorded(explanation, words)
    unknown = (frame["shown"] == words("unit.missing")) & (frame["phi"].abs() >= WEIGHTY)
    return " ".join(
        [
            *([words("student.terms_missing", n=int(gone), of=int(over))] if whole else []),
            *([words("student.missing", names=", ".join(map(inside, missing)))] if missing else []),
            *([words("student.gaps_move")] if unknown.any() else []),
        ]
    )


def _list(rows: list[dict], floor: float = WEIGHTY) -> None:
    words = current_session.words()
    weighty = sorted((row for row in rows if abs(row["phi"]) >= floor), key=lambda row: -abs(row["phi"]))
    if weighty:
        lines = [reason_line(row, words) for row in weighty[:LISTED]]
        st.markdown("\n\n".join(lines))  # one element: each costs the page a message
    else:
        st.caption(words("student.nothing_here"))


def reason_line(row: dict, words: Words) -> str:
    """A reason with an arrow for the way it moves the score; in words, where it moves it by next to nothing.

    Parameters
    ----------
    row : dict
        ``label, shown, phi, usual`` of :func:`dashboard.students.reasons.reasons_frame`.
    """
    value = f" **{plain(row['shown'])}**" if row["shown"] else ""
    told = f"{plain(row['label'])}{value}"
    if abs(row["phi"]) < WEIGHTY:
        return f":material/remove: {told}: {words('reasons.no_effect')}"
    if row.get("usual"):
        told += f" · {words('reasons.usual', value=plain(row['usual']))}"
    color, arrow = ("orange", "arrow_upward") if row["phi"] > 0 else ("blue", "arrow_downward")
    return f":{color}[:material/{arrow}:] {told}"
