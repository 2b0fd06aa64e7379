"""Entry cohorts side by side: one line each on the axis of study terms."""

from __future__ import annotations

import pandas as pd

from dashboard.charts.base import Chart, Sketch, percent_axis, quiet
from dashboard.charts.palette import SIDES
from dashboard.shell.wording import EMPTY, Words

DASHES, SYMBOLS = ("solid", "dash", "dot", "dashdot"), ("circle", "diamond", "square", "triangle-up")
FALLING = ("kept", "active")  # shares that begin at the whole
MEAN = "gpa"  # the one measure that is no share


def side_by_side_chart(frame: pd.DataFrame, measure: str, words: Words) -> Chart:
    """One measure of some cohorts, term by term; what is hidden or not yet observed leaves a gap.

    Parameters
    ----------
    frame : DataFrame
        ``cohort_term``, ``term`` and the measure: numbers (shares in 0–1, means in 0–4), or a text that says
        why there is none, or None.
    measure : str
        A column; named by ``compare.<measure>``.
    words : Words
    """
    sketch, cohorts = Sketch(), frame["cohort_term"].unique().tolist()
    known = pd.to_numeric(frame[measure], errors="coerce").astype(float)
    told = []
    for place, cohort in enumerate(cohorts):
        mine = frame["cohort_term"] == cohort
        values = [None if value != value else value for value in known[mine].tolist()]
        name = words.term(cohort)
        sketch.add_scatter(
            x=frame.loc[mine, "term"].astype(int),
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": SIDES[place], "width": 2.4, "dash": DASHES[place]},
            marker={"size": 8, "symbol": SYMBOLS[place]},
            customdata=[written(value, measure, words) for value in values],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
        told.append(_newest(name, frame.loc[mine, "term"].tolist(), values, measure, words))
    quiet(sketch, words, 330, legend=True)
    sketch.update_layout(legend={"y": -0.24, "yanchor": "top"}, margin={"t": 10})
    if measure == MEAN:
        sketch.update_yaxes(title={"text": words("compare.gpa")})
    else:
        axis = percent_axis(words)
        axis["tickvals"] = [round(0.1 * step, 1) for step in range(11)]
        axis["ticktext"] = [words.percent(tick) for tick in axis["tickvals"]]
        sketch.update_yaxes(range=_reach(known.dropna(), measure), **axis)
    last = int(frame["term"].max()) if len(frame) else 1
    sketch.update_xaxes(
        title={"text": words("compare.term")}, dtick=1, showgrid=False, range=[0.7, last + 0.3]
    )

    def table() -> pd.DataFrame:
        shown = frame.assign(said=[written(value, measure, words) for value in frame[measure]])
        wide = shown.pivot(index="cohort_term", columns="term", values="said").loc[cohorts]
        wide.index = [words.term(cohort) for cohort in wide.index]
        wide.columns = [str(column) for column in wide.columns]
        return wide.rename_axis(words("column.cohort")).reset_index()

    alt = words("compare.alt", measure=words(f"compare.{measure}"), cohorts="; ".join(told))
    return Chart(sketch, alt, table)


def _reach(known: pd.Series, measure: str) -> list[float]:
    """From where to where the axis of a share runs: what falls begins at the top, what rises at zero."""
    if measure in FALLING:
        lowest = float(known.min()) if len(known) else 0.0
        return [max(0.0, lowest // 0.1 * 0.1 - 0.02), 1.02]
    highest = float(known.max()) if len(known) else 0.0
    return [-0.02, min(highest // 0.1 * 0.1 + 0.22, 1.02)]


def written(value: object, measure: str, words: Words) -> str:
    """A value as a table shows it; a mark stays as it is, and what nobody knows is a dash."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return EMPTY
    return words.number(value, 2) if measure == MEAN else words.percent(value, 1)


def _newest(name: str, terms: list, values: list, measure: str, words: Words) -> str:
    """A cohort's newest value in words."""
    known = [(term, value) for term, value in zip(terms, values, strict=True) if value is not None]
    if not known:
        return words("compare.alt_none", cohort=name)
    term, value = known[-1]
    return words("compare.alt_one", cohort=name, term=int(term), value=written(value, measure, words))
