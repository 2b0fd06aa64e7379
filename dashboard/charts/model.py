"""How good the model is: calibration, differences between modalities, quality by term."""

from __future__ import annotations

from math import floor, log10

import pandas as pd

from dashboard.charts.base import Chart, Sketch, label_above, percent_axis, quiet
from dashboard.charts.palette import ACCENT, MUTED
from dashboard.shell.wording import Words


def _bars(rows: pd.DataFrame, value: str) -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[value]).clip(lower=0),
        "arrayminus": (rows[value] - rows["low"]).clip(lower=0),
        "color": MUTED,
        "thickness": 1.6,
        "width": 4,
    }


def calibration(frame: pd.DataFrame, words: Words) -> Chart:
    """Predicted risk against observed share with intervals; the diagonal is perfect.

    Parameters
    ----------
    frame : DataFrame
        ``risk``, ``observed``, ``low``, ``high`` in 0–1, ``rows`` (how many in the group).
    """
    sketch = Sketch()
    sketch.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": MUTED, "dash": "dot", "width": 1.5}, hoverinfo="skip"
    )
    sketch.add_scatter(
        x=frame["risk"],
        y=frame["observed"],
        error_y=_bars(frame, "observed"),
        mode="lines+markers",
        line={"color": ACCENT, "width": 1.5},
        marker={"size": 9},
        customdata=[
            f"{words.percent(risk)} → {words.percent(observed)}, n = {words.number(n)}"
            for risk, observed, n in zip(frame["risk"], frame["observed"], frame["rows"], strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    quiet(sketch, words, 340)
    sketch.update_xaxes(title={"text": words("axis.predicted")}, range=[-0.02, 1.02], **percent_axis(words))
    sketch.update_yaxes(title={"text": words("axis.observed")}, range=[-0.02, 1.02], **percent_axis(words))

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("axis.predicted"): [words.percent(v, 1) for v in frame["risk"]],
                words("axis.observed"): [words.percent(v, 1) for v in frame["observed"]],
                words("column.interval"): [
                    f"{words.percent(low, 1)} – {words.percent(high, 1)}"
                    for low, high in zip(frame["low"], frame["high"], strict=True)
                ],
                words("column.n"): frame["rows"],
            }
        )

    return Chart(sketch, words("alt.calibration", n=len(frame)), table)


def differences(frame: pd.DataFrame, words: Words) -> Chart:
    """What the signature adds to each measure, with its interval; left of the line is worse.

    Parameters
    ----------
    frame : DataFrame
        ``metric`` (keys), ``value``, ``low``, ``high``: fused less records.
    """
    rows = frame.iloc[::-1].reset_index(drop=True)
    # A lower Brier score is better: turned round, so that right is better in every row.
    turned = rows["metric"].isin(("brier", "ece"))
    rows.loc[turned, ["value", "low", "high"]] = -rows.loc[turned, ["value", "high", "low"]].to_numpy()
    names = [words.named("metric", name) for name in rows["metric"]]
    sketch = Sketch()
    sketch.add_scatter(
        x=rows["value"],
        y=list(range(len(rows))),
        mode="markers",
        marker={"size": 10, "color": ACCENT},
        error_x=_bars(rows, "value"),
        customdata=[
            f"{name}: {words.signed(value, 3)}" for name, value in zip(names, rows["value"], strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    for row, (name, value, low, high) in enumerate(
        zip(names, rows["value"], rows["low"], rows["high"], strict=True)
    ):
        shown = f"{words.signed(value, 3)} ({words.signed(low, 3)} – {words.signed(high, 3)})"
        label_above(sketch, row + 0.42, f"{name} · <b>{shown}</b>")
        line = {"color": MUTED, "width": 1.5}  # beside the marks, not through the names between them
        sketch.add_shape(type="line", x0=0, x1=0, y0=row - 0.38, y1=row + 0.22, line=line)
    quiet(sketch, words, 56 + 48 * max(len(rows), 1))
    widest = float(rows[["low", "high"]].abs().max().max()) if len(rows) else 0.0
    reach = 1.15 * widest if widest > 0 else 1.0
    sketch.update_xaxes(range=[-reach, reach], **_signed_axis(reach, words))
    sketch.update_yaxes(visible=False, range=[-0.5, len(rows) - 0.2])

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.metric"): names[::-1],
                words("column.difference"): [words.signed(v, 3) for v in rows["value"][::-1]],
                words("column.interval"): [
                    f"{words.signed(low, 3)} – {words.signed(high, 3)}"
                    for low, high in zip(rows["low"][::-1], rows["high"][::-1], strict=True)
                ],
            }
        )

    return Chart(sketch, words("alt.forest", n=len(rows)), table)


def _signed_axis(reach: float, words: Words) -> dict:
    """Ticks of an axis of differences from minus to plus ``reach``, at most three on each side of zero."""
    power = 10.0 ** floor(log10(reach))
    step = next(one * power for one in (0.2, 0.5, 1.0, 2.0, 5.0) if reach / (one * power) < 4)
    most = floor(reach / step)
    ticks = [step * count for count in range(-most, most + 1)]
    digits = max(0, -floor(log10(step) + 1e-9))
    return {"tickvals": ticks, "ticktext": [words.signed(tick, digits) for tick in ticks]}


def precision_recall(frame: pd.DataFrame, names: dict[str, str], words: Words) -> Chart:
    """Precision against recall as the list grows, one line per arm.

    Parameters
    ----------
    frame : DataFrame
        ``arm``, ``share`` (length of the list), ``precision``, ``recall``, all shares 0–1.
    names : dict of str to str
        Arm → its name in words, in the order of drawing.
    """
    sketch = Sketch()
    for (arm, name), color, dash in zip(names.items(), (ACCENT, MUTED), ("solid", "dot"), strict=False):
        rows = frame[frame["arm"] == arm].sort_values("share")
        sketch.add_scatter(
            x=rows["recall"],
            y=rows["precision"],
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2, "dash": dash},
            marker={"size": 6},
            customdata=[
                f"{name}, {words.percent(share)}: {words.percent(recall)} → {words.percent(precision)}"
                for share, recall, precision in zip(
                    rows["share"], rows["recall"], rows["precision"], strict=True
                )
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    quiet(sketch, words, 340)
    sketch.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0})
    sketch.update_xaxes(title={"text": words("axis.recall")}, range=[-0.02, 1.02], **percent_axis(words))
    sketch.update_yaxes(title={"text": words("axis.precision")}, range=[-0.02, 1.02], **percent_axis(words))

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.name"): frame["arm"].map(names),
                words("column.share"): [words.percent(v) for v in frame["share"]],
                words("axis.precision"): [words.percent(v) for v in frame["precision"]],
                words("axis.recall"): [words.percent(v) for v in frame["recall"]],
            }
        )

    return Chart(sketch, words("alt.precision_recall", n=len(frame)), table)


def net_benefit(frame: pd.DataFrame, names: dict[str, str], words: Words) -> Chart:
    """Net benefit against the threshold of risk, one line per way of choosing.

    Parameters
    ----------
    frame : DataFrame
        ``arm``, ``threshold`` in 0–1, ``net_benefit`` per student.
    names : dict of str to str
        Arm → its name in words, in the order of drawing; the first is the model.
    """
    sketch = Sketch()
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    for number, (arm, name) in enumerate(names.items()):
        rows = frame[frame["arm"] == arm]
        sketch.add_scatter(
            x=rows["threshold"],
            y=rows["net_benefit"],
            name=name,
            mode="lines",
            line={
                "color": ACCENT if number == 0 else MUTED,
                "width": 3 if number == 0 else 1.5,
                "dash": dashes[number % len(dashes)],
            },
            customdata=[
                f"{name}, {words.percent(threshold)}: {words.number(benefit, 3)}"
                for threshold, benefit in zip(rows["threshold"], rows["net_benefit"], strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    quiet(sketch, words, 340)
    sketch.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.18, "x": 0})
    sketch.update_xaxes(title={"text": words("worth.threshold")}, **percent_axis(words))
    low = min(-0.05, float(frame.loc[frame["arm"] == next(iter(names), ""), "net_benefit"].min()))
    sketch.update_yaxes(title={"text": words("worth.net_benefit")}, range=[low, None])

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("worth.way"): frame["arm"].map(names),
                words("worth.threshold"): [words.percent(v) for v in frame["threshold"]],
                words("worth.net_benefit"): [words.number(v, 3) for v in frame["net_benefit"]],
            }
        )

    return Chart(sketch, words("alt.net_benefit", n=len(names)), table)


def by_term(frame: pd.DataFrame, metric: str, words: Words) -> Chart:
    """One measure after each completed term, with intervals.

    Parameters
    ----------
    frame : DataFrame
        ``as_of_index``, ``value``, ``low``, ``high``, ``students``.
    metric : str
        The measure's name in words.
    """
    rows = frame.sort_values("as_of_index")
    sketch = Sketch()
    sketch.add_scatter(
        x=rows["as_of_index"],
        y=rows["value"],
        error_y=_bars(rows, "value"),
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        marker={"size": 9},
        customdata=[
            f"{words.number(value, 3)}, n = {words.number(n)}"
            for value, n in zip(rows["value"], rows["students"], strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    quiet(sketch, words, 340)
    sketch.update_xaxes(title={"text": words("axis.terms_completed")}, dtick=1, showgrid=False)
    sketch.update_yaxes(title={"text": metric}, range=[0.4, 1.01])

    def table() -> pd.DataFrame:
        return pd.DataFrame(
            {
                words("column.as_of_index"): rows["as_of_index"],
                metric: [words.number(v, 3) for v in rows["value"]],
                words("column.interval"): [
                    f"{words.number(low, 3)} – {words.number(high, 3)}"
                    for low, high in zip(rows["low"], rows["high"], strict=True)
                ],
                words("column.students"): rows["students"],
            }
        )

    return Chart(sketch, words("alt.by_term", metric=metric, n=len(rows)), table)
