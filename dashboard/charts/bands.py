"""Risk bands: how many students in each, one student's place on the scale, and the risk term by term."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from dashboard.charts.base import Chart, Sketch, label_above, percent_axis, quiet
from dashboard.charts.palette import BAND_COLORS, BAND_TEXT, HIDDEN, MUTED, translucent
from dashboard.shell.plain import in_chart
from dashboard.shell.wording import EMPTY, Words
from data.columns import BANDS
from data.trust.small_cells import MARK, TOTAL, hidden_of_group

AT_RISK = ("high", "very_high")
LETTER = 0.026  # width of a letter on the scale of risks of the narrowest phone
OVER = 0.08  # how far a name may reach over the ends of that scale
NAME_STEP, NAME_HEIGHT = 0.28, 17  # between two lines of names: on the axis, and in pixels
THIN = {"width": 1, "color": MUTED}


def bands_by_group(
    counts: Mapping[str, Mapping[str, int]],
    group: str,
    words: Words,
    hidden: Mapping[str, frozenset[str]] | None = None,
) -> Chart:
    """Shares of the four bands in each group as stacked bars, the group with most at risk on top.

    Parameters
    ----------
    counts : mapping
        Label → band → students, every band named.
    group : str
        What the labels are: ``column.<group>`` names their column.
    words : Words
        The reader's language.
    hidden : mapping, optional
        Label → bands and :data:`data.trust.small_cells.TOTAL` that are not told. Default: what each group
        hides by itself.
    """
    total = {name: sum(parts.values()) for name, parts in counts.items()}
    hidden = {
        name: hidden_of_group(parts) if hidden is None else hidden[name] for name, parts in counts.items()
    }
    share = {
        name: {  # what is sent to the browser can be read there, drawn or not
            band: 0.0 if {band, TOTAL} & hidden[name] or not total[name] else parts[band] / total[name]
            for band in BANDS
        }
        for name, parts in counts.items()
    }
    risky = {name: sum(parts[band] for band in AT_RISK) for name, parts in share.items()}
    order = sorted(counts, key=risky.__getitem__)
    sketch = Sketch()
    for band in BANDS:
        part, called = [share[name][band] for name in order], words(f"band.{band}")
        sketch.add_bar(
            y=list(range(len(order))),
            x=part,
            orientation="h",
            name=called,
            marker={"color": BAND_COLORS[band], "line": {"width": 0}},
            text=[words.percent(value) if value >= 0.07 else "" for value in part],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": BAND_TEXT[band]},
            customdata=[
                f"{in_chart(name)}<br>"
                + (MARK if band in hidden[name] else words.number(counts[name][band]))
                + f" · {called}"
                + ("" if {band, TOTAL} & hidden[name] else f" ({words.percent(value)})")
                for name, value in zip(order, part, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    if any(hidden.values()):
        rest = np.clip([1.0 - sum(share[name].values()) for name in order], 0, None).round(9)
        sketch.add_bar(
            y=list(range(len(order))),
            x=np.where([bool(hidden[name]) for name in order], rest, 0.0),
            orientation="h",
            name=words("state_of.hidden"),
            marker={"color": HIDDEN, "line": {"width": 0}},
            customdata=[in_chart(name) for name in order],
            hovertemplate="%{fullData.name}<br>%{customdata}<extra></extra>",
        )
    for row, name in enumerate(order):
        n = MARK if TOTAL in hidden[name] else words.number(total[name])
        label_above(sketch, row + 0.45, f"{in_chart(name)} · {n}")
    quiet(sketch, words, max(70 + 46 * len(order), 170), legend=True)  # below that the legend has no room
    sketch.update_layout(barmode="stack", bargap=0.5)
    sketch.update_xaxes(range=[0, 1], showgrid=False, **percent_axis(words))
    sketch.update_yaxes(visible=False, range=[-0.4, len(order) - 0.25])
    top = order[-1] if order else EMPTY

    def table() -> pd.DataFrame:
        names = {TOTAL: words("column.students")} | {band: words(f"band.{band}") for band in BANDS}
        rows = [
            [name, *(MARK if part in hidden[name] else told[part] for part in names)]
            for name in order[::-1]
            for told in [{**counts[name], TOTAL: total[name]}]
        ]
        return pd.DataFrame(rows, columns=[words(f"column.{group}"), *names.values()], dtype=object)

    alt = words("alt.bands", groups=len(order), top=top, share=words.percent(risky.get(top, 0.0)))
    return Chart(sketch, alt, table, picks=order)


def risk_scale(risk: float, low: float, high: float, edges: list[float], words: Words) -> Chart:
    """One student's risk and range (null: none) on the scale of bands, edges inner ones in 0–1 ascending."""
    bounds = [0.0, *edges, 1.0]
    sketch = Sketch()
    for band, (start, end) in zip(BANDS, pairwise(bounds), strict=True):
        sketch.add_shape(
            type="rect", x0=start, x1=end, y0=0.36, y1=0.64, fillcolor=BAND_COLORS[band], line={"width": 0}
        )
    lines = _band_names(sketch, bounds, [words(f"band.{band}") for band in BANDS])
    has_range = not (pd.isna(low) or pd.isna(high))
    if has_range:
        sketch.add_shape(
            type="line", x0=low, x1=high, y0=0.82, y1=0.82, line={"width": 3, "color": MUTED}, layer="above"
        )
        for end in (low, high):
            sketch.add_shape(type="line", x0=end, x1=end, y0=0.74, y1=0.9, line={"width": 2, "color": MUTED})
    sketch.add_scatter(
        x=[risk],
        y=[0.82],
        mode="markers",
        cliponaxis=False,  # near 0 and 100 a mark reaches over the end
        marker={"symbol": "diamond", "size": 15, "color": MUTED, "line": {"width": 2, "color": "white"}},
        hovertemplate=f"{words.percent(risk)}<extra></extra>",
    )
    quiet(sketch, words, 96 + NAME_HEIGHT * (lines - 1))
    # Room for the halves of "0%" and "100%" that reach over the ends, and for a name at an end.
    sketch.update_layout(margin={"l": 24, "r": 24, "t": 4, "b": 22})
    sketch.update_xaxes(range=[0, 1], showgrid=False, **percent_axis(words))
    sketch.update_yaxes(range=[-0.1 - NAME_STEP * (lines - 1), 1.05], visible=False)
    alt = words("alt.scale_alone", risk=words.of_100(risk))
    if has_range:
        ends = {"low": words.number(100 * low), "high": words.number(100 * high)}
        alt = words("alt.scale", risk=words.of_100(risk), **ends)

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {words("column.risk"): [risk], words("column.risk_low"): [low], words("column.risk_high"): [high]}
        )

    return Chart(sketch, alt, table)


def _band_names(sketch: Sketch, bounds: list[float], names: list[str]) -> int:
    """Write each band's name below it, on a further line where the others leave no room; how many lines."""
    ends: list[float] = []  # where the last name of each line ends
    for name, (start, end) in zip(names, pairwise(bounds), strict=True):
        half = LETTER * len(name) / 2
        x = min(max((start + end) / 2, half - OVER), 1 + OVER - half)
        line = next((n for n, taken in enumerate(ends) if taken <= x - half), len(ends))
        ends[line : line + 1] = [x + half]
        y = 0.1 - NAME_STEP * line
        sketch.add_annotation(x=x, y=y, text=name, font={"size": 12})
        if line:  # which stripe it belongs to
            sketch.add_shape(
                type="line", x0=(start + end) / 2, x1=(start + end) / 2, y0=y + 0.13, y1=0.36, line=THIN
            )
    return len(ends)


def risk_history(frame: pd.DataFrame, edges: list[float], words: Words) -> Chart:
    """The risk after each completed term with its range, over the bands as faint stripes.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``as_of_index`` (terms completed), ``risk``, ``risk_low``, ``risk_high`` in 0–1 (the ends null
        where there is no range: the shade is as narrow as the line there), ``band``.
    edges : list of float
        The three inner edges of the bands.
    """
    rows = frame.sort_values("as_of_index").astype({"risk_low": float, "risk_high": float})
    x = rows["as_of_index"].astype(int).tolist()
    ends = [rows[name].fillna(rows["risk"]).tolist() for name in ("risk_high", "risk_low")]
    sketch = Sketch()
    for band, (start, end) in zip(BANDS, pairwise([0.0, *edges, 1.0]), strict=True):
        sketch.add_hrect(
            y0=start, y1=end, fillcolor=translucent(BAND_COLORS[band], 0.13), line={"width": 0}, layer="below"
        )
    sketch.add_scatter(
        x=x + x[::-1],
        y=ends[0] + ends[1][::-1],
        fill="toself",
        fillcolor=translucent("#8794a1", 0.28),
        line={"width": 0},
        hoverinfo="skip",
        mode="lines",
    )
    sketch.add_scatter(
        x=x,
        y=rows["risk"],
        mode="lines+markers",
        cliponaxis=False,
        line={"color": MUTED, "width": 2},
        marker={
            "size": 10,
            "color": [BAND_COLORS[band] for band in rows["band"]],
            "line": {"width": 1.5, "color": MUTED},
        },
        customdata=[
            f"{words.of_100(r)}{_span(low, high, words)} · {words(f'band.{band}')}"
            for r, low, high, band in rows[["risk", "risk_low", "risk_high", "band"]].itertuples(index=False)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    quiet(sketch, words, 250)
    sketch.update_xaxes(
        title={"text": words("axis.terms_completed")},
        tickmode="array",
        tickvals=x,
        showgrid=False,
        range=[min(x, default=0) - 0.3, max(x, default=1) + 0.3],
    )
    sketch.update_yaxes(range=[0, 1], showgrid=False, **percent_axis(words))
    first, last = (rows.iloc[0]["risk"], rows.iloc[-1]["risk"]) if len(rows) else (None, None)
    alt = words("alt.history", n=len(rows), first=words.of_100(first), last=words.of_100(last))

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.as_of_index"): x,
                words("column.risk"): rows["risk"].round(3).tolist(),
                words("column.risk_low"): rows["risk_low"].round(3).tolist(),
                words("column.risk_high"): rows["risk_high"].round(3).tolist(),
                words("column.band"): [words(f"band.{band}") for band in rows["band"]],
            }
        )

    return Chart(sketch, alt, table)


def _span(low: float, high: float, words: Words) -> str:
    """A range in brackets; nothing where there is none."""
    return "" if pd.isna(low) else f" ({words.number(100 * low)}–{words.number(100 * high)})"
