"""SHAP values as a waterfall: from the typical student to this one, one bar per reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.charts.base import Chart, Sketch, label_above, quiet
from dashboard.charts.palette import LOWERS, MUTED, RAISES, SIGNATURE
from dashboard.shell.plain import in_chart
from dashboard.shell.wording import EMPTY, Words


def waterfall(frame: pd.DataFrame, base: float, words: Words, *, top: int = 9) -> Chart:
    """The strongest reasons one below the other; everything weaker is added up in one last bar.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per reason: ``label`` (in words), ``shown`` (the student's value in words), ``phi`` (SHAP
        value in log-odds; positive raises the risk), ``modality`` ("records" or "signature"), and where known
        ``changeable``: those that are come first.
    base : float
        The score's base value in log-odds: the typical student at the same point of study.
    top : int
        How many reasons get a bar of their own; the signature always has one.
    """
    rows = frame.reindex(frame["phi"].abs().sort_values(ascending=False, kind="stable").index)
    own = (np.arange(len(rows)) < top) | (rows["modality"] == "signature").to_numpy()
    rest, rows = rows[~own], rows[own]
    if "changeable" in rows:  # what nobody can change never leads
        rows = rows.sort_values("changeable", ascending=False, kind="stable")
    labels = [
        f"{in_chart(label)} <b>{in_chart(shown)}</b>" if shown else in_chart(label)
        for label, shown in zip(rows["label"], rows["shown"], strict=True)
    ]
    values = rows["phi"].tolist()
    colors = [_color(phi, kind) for phi, kind in zip(rows["phi"], rows["modality"], strict=True)]
    if len(rest):
        labels.append(words("reasons.rest", n=len(rest)))
        values.append(float(rest["phi"].sum()))
        colors.append(_color(values[-1], "records"))
    starts = [base]
    for value in values:
        starts.append(starts[-1] + value)
    sketch = Sketch()
    sketch.add_bar(
        y=list(range(len(values))),
        x=values,
        base=starts[:-1],
        orientation="h",
        marker={"color": colors, "line": {"width": 0}},
        text=[words.signed(value, 2) for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"{label}: {words.signed(v, 2)}" for label, v in zip(labels, values, strict=True)],
    )
    for step, x in enumerate(starts[1:-1]):  # from bar to bar, but not through the name between them
        line = {"width": 1, "color": MUTED, "dash": "dot"}
        sketch.add_shape(type="line", x0=x, x1=x, y0=step + 0.22, y1=step + 0.41, line=line)
    for step, label in enumerate(labels):
        label_above(sketch, step - 0.4, label)
    _ends(sketch, starts, words)
    span = max(starts) - min(starts) or 1.0
    quiet(sketch, words, 92 + 45 * len(values))
    sketch.update_layout(bargap=0.56, margin={"l": 4, "r": 4, "t": 30, "b": 30})
    sketch.update_yaxes(visible=False, range=[len(values) - 0.4, -0.75])
    sketch.update_xaxes(
        range=[min(starts) - 0.17 * span, max(starts) + 0.17 * span], showticklabels=False, showgrid=False
    )
    strongest = rows.loc[rows["phi"].abs().idxmax()] if len(rows) else None
    alt = words(
        "alt.reasons",
        n=len(values),
        label=EMPTY if strongest is None else strongest["label"],
        direction=words("reasons.raises" if strongest is None or strongest["phi"] > 0 else "reasons.lowers"),
    )

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.reason"): frame["label"],
                words("column.value"): frame["shown"],
                words("column.phi"): frame["phi"].round(3) + 0.0,  # no zero with a minus
            }
        )

    return Chart(sketch, alt, table)


def _ends(sketch: Sketch, starts: list[float], words: Words) -> None:
    """Where the typical student stands (top) and where this one does (bottom)."""
    last = len(starts) - 2
    for x, key, y, anchor in ((starts[0], "base", 1.0, "bottom"), (starts[-1], "end", 0.0, "top")):
        span = (-0.75, -0.62) if key == "base" else (last + 0.3, last + 0.6)
        sketch.add_shape(type="line", x0=x, x1=x, y0=span[0], y1=span[1], line={"width": 2, "color": MUTED})
        sketch.add_annotation(
            x=x,
            yref="paper",
            y=y,
            yanchor=anchor,
            text=words(f"reasons.{key}"),
            font={"size": 12},
        )


def _color(phi: float, modality: str) -> str:
    if modality == "signature":
        return SIGNATURE
    return RAISES if phi > 0 else LOWERS
