"""One student's register, term by term."""

from __future__ import annotations

import pandas as pd

from dashboard.charts.base import Chart, Sketch, quiet
from dashboard.charts.palette import ACCENT, MUTED, translucent
from dashboard.shell.wording import Words

NO_COURSES = ("C", "N")  # leave and inactive: terms without courses by design


def term_timeline(frame: pd.DataFrame, words: Words) -> Chart:
    """Term and cumulative grade-point average above, credits passed of those attempted below.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of ``terms``: ``term_id``, ``status``, ``gpa_term``, ``gpa_cum``, ``credits_attempted``,
        ``credits_passed``; empty cells stay gaps, and what is empty throughout is left out. With
        ``gpa_cum_is_mean``: whether the cumulative average is the mean of the terms
        (:func:`data.records.told_terms.averaged`).
    """
    rows = frame.sort_values("term_id").reset_index(drop=True)
    x = list(range(len(rows)))
    sketch = Sketch()
    sketch.update_layout(
        yaxis={"domain": [0.455, 1.0]},
        xaxis2={"anchor": "y2", "matches": "x"},
        yaxis2={"anchor": "x2", "domain": [0.0, 0.395]},
    )
    dotted = {"mode": "lines", "line": {"color": MUTED, "width": 2, "dash": "dot"}}
    strong = {"mode": "lines+markers", "line": {"color": ACCENT, "width": 2.4}, "marker": {"size": 8}}
    behind = {"marker": {"color": translucent(MUTED, 0.35)}, "xaxis": "x2", "yaxis": "y2"}
    before = {"marker": {"color": ACCENT}, "width": 0.42, "xaxis": "x2", "yaxis": "y2"}
    drawn = (
        ("gpa_cum", sketch.add_scatter, dotted),
        ("gpa_term", sketch.add_scatter, strong),
        ("credits_attempted", sketch.add_bar, behind),
        ("credits_passed", sketch.add_bar, before),
    )
    for name, add, look in drawn:
        if rows[name].notna().any():  # the legend would name a line that is not there
            add(x=x, y=rows[name], name=heading(name, rows, words), **look)
    for place, status in enumerate(rows["status"]):
        if status in NO_COURSES:
            sketch.add_vrect(
                x0=place - 0.5, x1=place + 0.5, fillcolor=translucent(MUTED, 0.16), line={"width": 0}
            )
            sketch.add_annotation(
                x=place,
                y=1,
                yref="paper",
                text=words(f"status.{status}"),
                yanchor="top",
                font={"size": 11},
            )
    quiet(sketch, words, 340, legend=True)
    names = [words.term(term) for term in rows["term_id"]]
    sketch.update_xaxes(showgrid=False)
    sketch.update_layout(
        barmode="overlay",
        margin={"t": 46},
        yaxis={"range": [0, 4.15], "dtick": 1, "title": {"text": words("axis.gpa")}},
        yaxis2={"title": {"text": words("axis.credits")}},
        xaxis={"showticklabels": False},
        xaxis2={"tickvals": x, "ticktext": [name.replace(" ", "<br>") for name in names]},
    )
    known = rows["gpa_cum"].dropna()
    alt = words(
        "alt.timeline", n=len(rows), gpa=words.number(None if known.empty else float(known.iloc[-1]), 2)
    )
    return Chart(sketch, alt, lambda: term_table(rows.assign(term=names), words))


def term_table(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The register's rows with headings and statuses in the reader's language; ``term`` holds term names."""
    columns = (
        "gpa_term gpa_cum credits_attempted credits_passed credits_cum courses_failed attendance_rate "
        "tuition_arrears_days"
    ).split()
    shown = {
        words("column.term"): rows["term"],
        words("column.status"): [words(f"status.{s}") for s in rows["status"]],
    }
    shown |= {heading(name, rows, words): rows[name] for name in columns if name in rows}
    return pd.DataFrame(shown)


def heading(name: str, terms: pd.DataFrame, words: Words) -> str:
    """Heading of a column of ``terms``; a cumulative average that is the mean of the terms is called so."""
    return words(f"column.{'gpa_cum_mean' if name == 'gpa_cum' and of_means(terms) else name}")


def of_means(terms: pd.DataFrame) -> bool:
    """Whether the cumulative average of these rows is the mean of the terms."""
    return "gpa_cum_is_mean" in terms and bool(terms["gpa_cum_is_mean"].any())
