"""Charts for print: drawn by matplotlib without a browser or a screen, as SVG with a text alternative."""

from __future__ import annotations

import io
import math
import textwrap
from dataclasses import dataclass

from dashboard.reports.model import MARKS, NOT_YET, OPEN, SUPPRESSED, ReportTable
from dashboard.reports.words import figure, say

COLOURS = ("#2f5d8a", "#e0a030", "#6b8e5a", "#a05a7a")  # told apart in grey and by colour-blind readers
LETTERS = 64  # of upright labels that stand side by side in the width of a chart
NAME_LINES = 3  # of a group's name along the axis
HATCHES = ("", "//", "..", "xx")


@dataclass(frozen=True)
class Chart:
    """A drawn chart.

    Parameters
    ----------
    title : str
    svg : str
        The picture as text.
    alt : str
        What it shows, for readers who cannot see it: title and every figure.
    """

    title: str
    svg: str
    alt: str


def grouped_bars(
    title: str,
    groups: list[str],
    series: dict[str, list[float | None]],
    language: str,
    *,
    form: str = "0",
    marks: dict[str, list[str]] | None = None,
) -> Chart:
    """Bars side by side; a figure that is not known leaves a gap with a mark.

    Parameters
    ----------
    groups : list of str
        Names along the axis.
    series : dict
        Name → one figure or None for each group.
    form : str
        Number format of the labels: ``0``, ``0.00`` or ``0.0%``.
    marks : dict, optional
        Name → what stands where a figure is missing, such as the mark of one that cannot be observed yet.
    """
    for name, values in series.items():
        if len(values) != len(groups):
            raise ValueError(f"series {name!r} must have {len(groups)} figures, got {len(values)}")
    picture = _figure()
    axes = picture.subplots()
    width = 0.8 / max(1, len(series))
    labels = {
        name: [
            mark if value is None else figure(value, form, language)
            for value, mark in zip(values, (marks or {}).get(name, [""] * len(values)), strict=True)
        ]
        for name, values in series.items()
    }
    longest = max((len(label) for shown in labels.values() for label in shown), default=0)
    dense = len(groups) * len(series) * longest > LETTERS  # all of a chart turn together
    for at, (name, values) in enumerate(series.items()):
        places = [group + (at - (len(series) - 1) / 2) * width for group in range(len(groups))]
        heights = [value or 0 for value in values]
        bars = axes.bar(
            places, heights, width * 0.94, label=name, color=COLOURS[at % 4], hatch=HATCHES[at % 4]
        )
        axes.bar_label(bars, labels[name], fontsize=7 if dense else 8, padding=1, rotation=90 if dense else 0)
    wide = 18 if len(groups) < 6 else max(10, 90 // len(groups))  # letters that stand side by side
    size = 9 if len(groups) < 8 else max(6, 64 // len(groups))  # no name runs into the next one
    axes.set_xticks(range(len(groups)), [below_its_bars(name, wide) for name in groups], fontsize=size)
    axes.tick_params(axis="y", labelsize=8)
    _number_axis(axes, form, language)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.15)
    if not any(value for values in series.values() for value in values):
        axes.set_ylim(0, 1)  # nothing but zeros: no axis that runs below them
    if _within_the_whole(form, series):
        _share_axis(axes, 0.0, max(axes.get_ylim()[1], 0.01))
    columns = max(1, min(len(series), 3))
    picture.legend(
        fontsize=8, frameon=False, ncols=columns, loc="outside upper center"
    )  # clear of the labels
    told = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{group} {label or figure(None, form, language)}"
            for group, label in zip(groups, shown, strict=True)
        )
        for name, shown in labels.items()
    )
    return Chart(title, _svg(picture), f"{say(language, 'chart_alt', title=title)}. {told}")


DASHES, MARKERS = ("-", "--", ":", "-."), "oDs^vPX"


def lines(
    title: str,
    places: list[str],
    series: dict[str, list[float | None]],
    language: str,
    *,
    form: str = "0.0%",
    axis: str = "",
) -> Chart:
    """Lines over places that follow one another; a figure that is not known leaves a gap.

    Parameters
    ----------
    places : list of str
        Names along the axis.
    series : dict
        Name → one figure or None for each place.
    form : str
        Number format: ``0``, ``0.00`` or ``0.0%``.
    axis : str
        What the places are.
    """
    for name, values in series.items():
        if len(values) != len(places):
            raise ValueError(f"series {name!r} must have {len(places)} figures, got {len(values)}")
    picture = _figure()
    axes = picture.subplots()
    for at, (name, values) in enumerate(series.items()):
        heights = [float("nan") if value is None else value for value in values]
        look = {"color": COLOURS[at % 4], "linestyle": DASHES[at % 4 if at < 4 else (at + 1) % 4]}
        axes.plot(range(len(places)), heights, label=name, marker=MARKERS[at % 7], markersize=5, **look)
    axes.set_xticks(range(len(places)), places, fontsize=9)
    axes.set_xlabel(axis, fontsize=9)
    axes.tick_params(axis="y", labelsize=8)
    _number_axis(axes, form, language)
    if _within_the_whole(form, series):
        _share_axis(axes, *_reach([value for values in series.values() for value in values]))
    axes.spines[["top", "right"]].set_visible(False)
    picture.legend(fontsize=8, frameon=False, ncols=max(1, min(len(series), 4)), loc="outside upper center")
    told = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{place} {figure(value, form, language)}" for place, value in zip(places, values, strict=True)
        )
        for name, values in series.items()
    )
    return Chart(title, _svg(picture), f"{say(language, 'chart_alt', title=title)}. {told}")


def below_its_bars(name: str, wide: int = 18) -> str:
    """A group's name in at most three lines, as more would take the bars' room; ``alt`` has the whole.

    ``wide``: letters of a line.
    """
    parts = textwrap.wrap(name, wide) or [""]
    if len(parts) > NAME_LINES:
        parts[NAME_LINES - 1 :] = [parts[NAME_LINES - 1][: wide - 1] + "…"]
    return "\n".join(parts)


def _number_axis(axes, form: str, language: str) -> None:
    """The axis in the reader's numbers: whole ones for counts, percentages for shares."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    steps = [1, 2, 5, 10] if form == "0" else [1, 2, 2.5, 5, 10]
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=form == "0", steps=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: figure(value, form, language)))


def _within_the_whole(form: str, series: dict[str, list[float | None]]) -> bool:
    """Whether these are shares, from nobody to all; a ratio may lie above one."""
    known = [value for values in series.values() for value in values if value is not None]
    return form.endswith("%") and all(0 <= value <= 1 for value in known)


def _reach(values: list[float | None]) -> tuple[float, float]:
    """From where to where an axis of shares runs: whole tenths, at least two of them, within 0–1."""
    known = [value for value in values if value is not None] or [0.0, 1.0]
    low = max(math.floor(10 * min(known) - 0.2), 0)
    high = min(math.ceil(10 * max(known) + 0.2), 10)
    low = min(low, max(high - 2, 0))
    return low / 10, max(high, low + 2) / 10


def _share_axis(axes, low: float, high: float) -> None:
    """No tick below nobody or above all; a little room beyond the ends for what stands there."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, min(high, 1.0))
    axes.set_yticks([tick for tick in ticks if low - 1e-9 <= tick <= min(high, 1.0) + 1e-9])
    axes.set_ylim(low - 0.02 * (high - low) * (low > 0), high + 0.03 * (high - low))


def table_charts(table: ReportTable, language: str) -> list[Chart]:
    """The chart that a profile asks for (``chart``: column keys); none of rows with mere zeros."""
    wanted = table.profile.source.get("chart", [])
    columns = [column for column in table.columns if column.key in wanted]
    if not columns or not any(
        table.cell(row.key, c.key).state == OPEN for row in table.profile.rows for c in columns
    ):
        return []
    rows = [
        row
        for row in table.profile.rows
        if any(table.cell(row.key, c.key).value is not None for c in columns)
        or any(table.cell(row.key, c.key).state in (NOT_YET, SUPPRESSED) for c in columns)
    ]
    columns = [
        column for column in columns if any(table.cell(row.key, column.key).value is not None for row in rows)
    ]
    groups = [row.label[language] for row in rows]
    series = {
        " ".join(filter(None, (column.group_label.get(language, ""), column.label[language]))): [
            table.cell(row.key, column.key).value for row in rows
        ]
        for column in columns
    }
    marks = {
        name: [MARKS.get(table.cell(row.key, column.key).state, "") for row in rows]
        for name, column in zip(series, columns, strict=True)
    }
    if not any(figures for values in series.values() for figures in values) and not any(
        mark for shown in marks.values() for mark in shown
    ):
        return []
    title = say(language, "chart_title", title=table.profile.title[language])
    return [grouped_bars(title, groups, series, language, form=columns[0].format, marks=marks)]


def _figure():
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "tepat"  # the same chart must give the same bytes
    return Figure(figsize=(7.2, 2.9), layout="constrained")


def _svg(picture) -> str:
    buffer = io.StringIO()
    picture.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
