"""Cohorts over time: who stayed, who finished on time, and with what certainty."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from dashboard.charts.base import Chart, Sketch, label_above, percent_axis, quiet
from dashboard.charts.palette import ACCENT, COHORTS, HIDDEN, MUTED, translucent
from dashboard.shell.plain import in_chart
from dashboard.shell.wording import EMPTY, NOT_YET, Words
from data.calendar.term_calendar import ordinal
from data.trust.small_cells import MARK

STATES_LEFT = "#a3312a"


def retention(frame: pd.DataFrame, words: Words) -> Chart:
    """Share of each cohort still studying or graduated after n terms; the newest cohorts stand out.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``cohort_term``, ``terms_completed`` and ``share`` in 0–1; only observable cells. Optional:
        ``hidden``, where the share is missing because it would tell of few.
    """
    cohorts = sorted(frame["cohort_term"].unique())
    sketch = Sketch()
    for place, cohort in enumerate(cohorts):
        rows = frame[frame["cohort_term"] == cohort].sort_values("terms_completed")
        newest = place == len(cohorts) - 1
        color = _cohort_color(place, len(cohorts))
        if "hidden" in rows and rows["hidden"].any():  # made of what is told alone
            told = rows[rows["share"].notna()]
            sketch.add_scatter(
                x=told["terms_completed"],
                y=told["share"],
                mode="lines",
                line={"color": color, "width": 1.2, "dash": "dot"},
                hoverinfo="skip",
                showlegend=False,
            )
        sketch.add_scatter(
            x=rows["terms_completed"],
            y=rows["share"],
            name=words.term(cohort),
            mode="lines+markers",
            line={"color": color, "width": 3 if newest else 1.8},
            marker={"size": 7 if newest else 4},
            customdata=[words.percent(share, 1) for share in rows["share"]],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
    quiet(sketch, words, 330, legend=True)
    sketch.update_layout(legend={"y": -0.24, "yanchor": "top"}, margin={"t": 10})
    lowest = float(frame["share"].min()) if len(frame) else 1.0
    floor = max(0.0, (lowest // 0.1) * 0.1 - 0.02)
    axis = percent_axis(words)
    axis["tickvals"] = [round(0.1 * step, 1) for step in range(11)]
    axis["ticktext"] = [words.percent(tick) for tick in axis["tickvals"]]
    sketch.update_yaxes(range=[floor, 1.02], **axis)
    sketch.update_xaxes(title={"text": words("axis.terms_completed")}, dtick=1, showgrid=False)

    def table() -> pd.DataFrame:
        wide = frame.pivot(index="cohort_term", columns="terms_completed", values="share")
        rows = wide.map(words.percent)
        reached = max((_place(one) for one in frame[["cohort_term", "terms_completed"]].values), default=0)
        for cohort, term in product(wide.index, wide.columns):
            if _place((cohort, term)) > reached:
                rows.loc[cohort, term] = NOT_YET
        for one in frame[frame["hidden"]].itertuples() if "hidden" in frame else ():
            rows.loc[one.cohort_term, one.terms_completed] = MARK
        rows.index = [words.term(cohort) for cohort in rows.index]
        rows.columns = [str(column) for column in rows.columns]
        return rows.rename_axis(words("column.cohort")).reset_index()

    alt = words("alt.retention", n=len(cohorts), low=words.percent(lowest))
    return Chart(sketch, alt, table)


def _place(cell) -> int:
    """Which regular term a cell of the table speaks of."""
    cohort, completed = cell
    return ordinal(int(cohort)) + int(completed)


CAUSES = {"graduated": ACCENT, "dropout": STATES_LEFT}


def incidence(frame: pd.DataFrame, words: Words) -> Chart:
    """Share of a cohort that has graduated, and that has dropped out, by the end of each term, with bands.

    Parameters
    ----------
    frame : DataFrame
        ``cause`` (graduated or dropout), ``term``, ``share``, ``low``, ``high`` in 0–1, ``at_risk``.
    """
    sketch = Sketch()
    for cause, color in CAUSES.items():
        rows = frame[frame["cause"] == cause].sort_values("term")
        x = rows["term"].tolist()
        sketch.add_scatter(
            x=x + x[::-1],
            y=rows["high"].tolist() + rows["low"].tolist()[::-1],
            fill="toself",
            fillcolor=translucent(color, 0.18),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
        )
        sketch.add_scatter(
            x=x,
            y=rows["share"],
            name=words(f"cause.{cause}"),
            mode="lines+markers",
            line={
                "color": color,
                "width": 2.4,
                "shape": "hv",
                "dash": "solid" if cause == "graduated" else "dot",
            },
            marker={"size": 6, "symbol": "circle" if cause == "graduated" else "diamond"},
            customdata=[words.percent(share, 1) for share in rows["share"]],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
    quiet(sketch, words, 330, legend=True)
    sketch.update_layout(legend={"y": -0.24, "yanchor": "top"}, margin={"t": 10})
    sketch.update_yaxes(range=[0, 1.02], **percent_axis(words))
    sketch.update_xaxes(title={"text": words("axis.terms_completed")}, dtick=1, showgrid=False)

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.outcome"): [words(f"cause.{cause}") for cause in frame["cause"]],
                words("column.as_of_index"): frame["term"],
                words("column.share"): [words.percent(share, 1) for share in frame["share"]],
                words("column.interval"): [
                    f"{words.percent(low, 1)} – {words.percent(high, 1)}"
                    for low, high in zip(frame["low"], frame["high"], strict=True)
                ],
                words("column.still_seen"): frame["at_risk"],
            }
        )

    last = {cause: frame.loc[frame["cause"] == cause, "share"].max() for cause in CAUSES}
    alt = words(
        "alt.incidence",
        graduated=words.percent(last["graduated"]),
        dropout=words.percent(last["dropout"]),
    )
    return Chart(sketch, alt, table)


def _cohort_color(place: int, n: int) -> str:
    return COHORTS[max(0, len(COHORTS) - n + place)] if n else MUTED


def rates(frame: pd.DataFrame, group: str, words: Words) -> Chart:
    """One rate per group as a dot with its 95 % interval; hollow where the cohort is not yet mature.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``group`` (labels, in drawing order), ``rate``, ``low``, ``high`` in 0–1, ``n`` (students
        behind the rate) and optionally ``mature`` (bool).
    """
    names = frame[group].tolist()[::-1]
    rate, low, high = (frame[name].to_numpy(float)[::-1] for name in ("rate", "low", "high"))
    mature = frame["mature"].tolist()[::-1] if "mature" in frame else [True] * len(names)
    told = [words.number(n) for n in frame["n"].tolist()[::-1]]
    sketch = Sketch()
    sketch.add_scatter(
        x=rate,
        y=list(range(len(names))),
        mode="markers",
        marker={
            "size": 11,
            "color": [ACCENT if done else "rgba(0,0,0,0)" for done in mature],
            "line": {"width": 2, "color": ACCENT},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": np.clip(high - rate, 0, None),
            "arrayminus": np.clip(rate - low, 0, None),
            "color": MUTED,
            "thickness": 1.6,
            "width": 4,
        },
        customdata=[
            f"{in_chart(name)}<br>{words.percent(one, 1)} "
            f"({words.percent(least, 1)} – {words.percent(most, 1)}), n = {n}"
            for name, one, least, most, n in zip(
                names, rate.tolist(), low.tolist(), high.tolist(), told, strict=True
            )
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    for row, (name, one, n) in enumerate(zip(names, rate.tolist(), told, strict=True)):
        label_above(sketch, row + 0.42, f"{in_chart(name)} · <b>{words.percent(one)}</b> · n = {n}")
    quiet(sketch, words, 48 + 46 * max(len(names), 1))
    sketch.update_xaxes(range=[-0.01, 1.01], **percent_axis(words))
    sketch.update_yaxes(visible=False, range=[-0.5, len(names) - 0.2])
    known = ~np.isnan(rate)
    # of several that are highest the first, which stands last here
    best = len(rate) - 1 - int(np.nanargmax(rate[::-1])) if known.any() else None
    alt = words(
        "alt.rates",
        groups=len(names),
        top=EMPTY if best is None else names[best],
        share=words.percent(None if best is None else float(rate[best])),
    )

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words(f"column.{group}"): frame[group],
                words("column.rate"): [words.percent(v, 1) for v in frame["rate"]],
                words("column.interval"): [
                    f"{words.percent(low, 1)} – {words.percent(high, 1)}"
                    for low, high in zip(frame["low"], frame["high"], strict=True)
                ],
                words("column.n"): frame["n"],
            }
        )

    return Chart(sketch, alt, table, picks=names)


STATES = {
    "on_time": "#2f6f9f",
    "late": "#7aa6c6",
    "studying": "#c3ced8",
    "left": STATES_LEFT,
    "outside": "#8a8f98",
}


def funnel(frame: pd.DataFrame, words: Words) -> Chart:
    """Where each entry cohort stands: graduated on time, later, still studying, left, moved on.

    Parameters
    ----------
    frame : DataFrame
        ``cohort`` (labels, oldest first), ``entered``, ``on_time``, ``graduated`` (both), ``studying``,
        ``left``, ``outside`` (transferred or died): counts that add up to ``entered``. Optional: ``hidden``,
        a set of the names among these that would tell of few; "late" for those who graduated later.
    """
    rows = frame.assign(late=frame["graduated"] - frame["on_time"]).iloc[::-1].reset_index(drop=True)
    total = rows["entered"].where(rows["entered"] > 0)
    sketch = Sketch()
    hidden = rows["hidden"] if "hidden" in rows else pd.Series([frozenset()] * len(rows), dtype=object)
    shares = {
        state: (rows[state] / total).fillna(0).mask([bool({state, "entered"} & few) for few in hidden], 0.0)
        for state in STATES
    }
    for state, color in STATES.items():
        share = shares[state]
        sketch.add_bar(
            y=list(range(len(rows))),
            x=share,
            orientation="h",
            name=words(f"state_of.{state}"),
            marker={"color": color, "line": {"width": 0}},
            customdata=[  # what is sent to the browser can be read there, drawn or not
                f"{in_chart(name)}<br>"
                + (MARK if {state, "entered"} & few else f"{words.number(n)} ({words.percent(part)})")
                for name, n, part, few in zip(rows["cohort"], rows[state], share, hidden, strict=True)
            ],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
    if hidden.map(bool).any():
        rest = (total > 0).astype(float) - sum(shares.values())
        sketch.add_bar(
            y=list(range(len(rows))),
            x=rest.clip(lower=0).round(9),
            orientation="h",
            name=words("state_of.hidden"),
            marker={"color": HIDDEN, "line": {"width": 0}},
            customdata=[in_chart(name) for name in rows["cohort"]],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
    for row, (name, n, few) in enumerate(zip(rows["cohort"], rows["entered"], hidden, strict=True)):
        label_above(sketch, row + 0.45, f"{in_chart(name)} · {MARK if 'entered' in few else words.number(n)}")
    quiet(sketch, words, max(84 + 40 * len(rows), 210), legend=True)  # below that the legend has no room
    sketch.update_layout(barmode="stack", bargap=0.54)
    sketch.update_xaxes(range=[0, 1], showgrid=False, **percent_axis(words))
    sketch.update_yaxes(visible=False, range=[-0.4, len(rows) - 0.25])

    def table() -> pd.DataFrame:
        def told(state: str) -> list[int | str]:
            counts = zip(rows[state], hidden, strict=True)
            return [MARK if {state, "entered"} & few else int(n) for n, few in counts][::-1]

        states = {words(f"state_of.{state}"): told(state) for state in STATES}
        return pd.DataFrame(
            {words("column.cohort"): frame["cohort"], words("column.entered"): told("entered"), **states}
        )

    alt = words("alt.funnel", n=len(frame))
    return Chart(sketch, alt, table, picks=rows["cohort"].tolist())
