"""How well signatures are told apart, and where one comparison stands: DET curve, workload, support."""

from __future__ import annotations

from functools import partial
from statistics import NormalDist

import pandas as pd

from dashboard.charts.base import Chart, Sketch, quiet
from dashboard.charts.palette import ACCENT, LOWERS, MUTED, RAISES, translucent
from dashboard.shell.wording import Words

KINDS = ("skilled", "random")
KIND_LOOK = {"skilled": (RAISES, "solid", "circle"), "random": (ACCENT, "dash", "diamond")}
_TICKS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
_MARKED = (0.001, 0.01, 0.05, 0.2, 0.4)  # few enough for a phone
_FLOOR = 0.0005
_DEVIATE = NormalDist().inv_cdf


def det_curve(curves: pd.DataFrame, points: pd.DataFrame, words: Words) -> Chart:
    """False acceptance against false rejection on normal-deviate axes, skilled and random forgeries apart.

    Parameters
    ----------
    curves : DataFrame
        ``kind`` ("skilled" or "random"), ``far``, ``frr`` in 0–1.
    points : DataFrame
        The same columns: where the threshold in use stands on each curve; may be empty.
    words : Words
    """
    sketch = Sketch()
    for kind in KINDS:
        colour, dash, mark = KIND_LOOK[kind]
        curve = curves[curves["kind"] == kind].sort_values("far")
        if curve.empty:
            continue
        name = words(f"verification.kind_{kind}")
        sketch.add_scatter(
            x=[_deviate(far) for far in curve["far"]],
            y=[_deviate(frr) for frr in curve["frr"]],
            customdata=[
                (words.percent(far, 1), words.percent(frr, 1)) for far, frr in curve[["far", "frr"]].values
            ],
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="FAR %{customdata[0]} · FRR %{customdata[1]}<extra></extra>",
        )
        here = points[points["kind"] == kind]
        sketch.add_scatter(
            x=[_deviate(far) for far in here["far"]],
            y=[_deviate(frr) for frr in here["frr"]],
            mode="markers",
            marker={"symbol": mark, "size": 13, "color": colour, "line": {"width": 2, "color": "white"}},
            showlegend=False,
            hoverinfo="skip",
        )
    quiet(sketch, words, 380, legend=True)
    ticks = {
        "tickvals": [_deviate(tick) for tick in _MARKED],
        "ticktext": [words.percent(tick, 1 if tick < 0.01 else 0) for tick in _MARKED],
        "range": [_deviate(_FLOOR) - 0.12, _deviate(0.5)],  # room for a mark at no error at all
    }
    sketch.update_xaxes(title={"text": words("verification.axis_far")}, **ticks)
    sketch.update_yaxes(title={"text": words("verification.axis_frr")}, **ticks)
    kinds = ", ".join(words(f"verification.kind_{kind}") for kind in KINDS if kind in set(curves["kind"]))
    return Chart(sketch, words("alt.det", kinds=kinds, n=len(curves)), partial(_det_table, curves, words))


def _deviate(rate: float) -> float:
    return _DEVIATE(min(max(float(rate), _FLOOR), 1 - _FLOOR))


def _det_table(curves: pd.DataFrame, words: Words) -> pd.DataFrame:
    """At a few rates of false rejection: what is falsely accepted at most."""
    rows = []
    for kind in KINDS:
        curve = curves[curves["kind"] == kind]
        for wanted in _TICKS[2:]:
            reached = curve[curve["frr"] <= wanted]
            if len(reached):
                rows.append((words(f"verification.kind_{kind}"), wanted, float(reached["far"].min())))
    return pd.DataFrame(
        [(kind, words.percent(frr), words.percent(far, 1)) for kind, frr, far in rows],
        columns=[
            words("verification.kind"),
            words("verification.axis_frr"),
            words("verification.axis_far"),
        ],
    )


def workload(frame: pd.DataFrame, chosen: float, words: Words) -> Chart:
    """What each threshold costs in reviews and misses, of 1,000 forms; a line marks the one chosen.

    Parameters
    ----------
    frame : DataFrame
        ``threshold`` (log10 likelihood ratio), ``reviews`` and ``missed`` per 1,000 forms.
    chosen : float
        The threshold on the slider.
    words : Words
    """
    sketch = Sketch()
    looks = {"reviews": (LOWERS, "solid"), "missed": (RAISES, "dash")}
    for name, (colour, dash) in looks.items():
        sketch.add_scatter(
            x=frame["threshold"],
            y=frame[name],
            mode="lines",
            name=words(f"verification.per_1000_{name}"),
            line={"color": colour, "dash": dash, "width": 2.5},
            customdata=[words.number(value, 1) for value in frame[name]],
            hovertemplate="%{fullData.name}: %{customdata}<extra></extra>",
        )
    sketch.add_vline(x=chosen, line={"color": MUTED, "width": 2, "dash": "dot"})
    quiet(sketch, words, 320, legend=True)
    sketch.update_xaxes(title={"text": words("verification.axis_threshold")})
    sketch.update_yaxes(title={"text": words("verification.axis_per_1000")}, rangemode="tozero")

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("verification.axis_threshold"): [words.signed(v, 2) for v in frame["threshold"]],
                **{
                    words(f"verification.per_1000_{name}"): [words.number(v, 1) for v in frame[name]]
                    for name in looks
                },
            }
        )

    least, most = (words.number(value, 0) for value in (frame["reviews"].min(), frame["reviews"].max()))
    return Chart(sketch, words("alt.workload", n=len(frame), least=least, most=most), table)


def support_scale(log10_lr: float, decisive: float, reach: float, words: Words) -> Chart:
    """Where one comparison stands between "another writer" and "the same writer".

    Parameters
    ----------
    log10_lr : float
        Base-10 logarithm of the likelihood ratio.
    decisive : float
        |log10 LR| from which an outcome is given.
    reach : float
        Ends of the scale: the largest ratio that the calibration can support.
    words : Words
    """
    reach = max(reach, decisive, abs(log10_lr)) * 1.08
    sketch = Sketch()
    zones = (
        ("review", -reach, -decisive, RAISES),
        ("inconclusive", -decisive, decisive, MUTED),
        ("consistent", decisive, reach, LOWERS),
    )
    places = {"review": (-reach, "left"), "inconclusive": (0, "center"), "consistent": (reach, "right")}
    for name, start, end, colour in zones:
        place, anchor = places[name]
        sketch.add_shape(
            type="rect",
            x0=start,
            x1=end,
            y0=0.34,
            y1=0.62,
            fillcolor=translucent(colour, 0.55),
            line={"width": 0},
        )
        sketch.add_annotation(
            x=place,
            xanchor=anchor,
            y=0.02,
            text=words(f"verification.outcome_{name}"),
            yanchor="bottom",
            font={"size": 12},
        )
    sketch.add_scatter(
        x=[log10_lr],
        y=[0.8],
        mode="markers",
        marker={"symbol": "diamond", "size": 15, "color": MUTED, "line": {"width": 2, "color": "white"}},
        hoverinfo="skip",
    )
    quiet(sketch, words, 84)
    sketch.update_xaxes(visible=False, range=[-reach, reach])
    sketch.update_yaxes(visible=False, range=[0, 1])

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("verification.axis_threshold"): [words.signed(log10_lr, 2)],
                words("verification.decisive"): [words.number(decisive, 2)],
            }
        )

    alt = words("alt.support", value=words.signed(log10_lr, 2), limit=words.number(decisive, 2))
    return Chart(sketch, alt, table)
