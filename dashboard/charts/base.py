"""What every chart has: a figure, a sentence for those who cannot see it, and the numbers as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
from plotly.basedatatypes import BaseFigure

from dashboard.charts.palette import GRID
from dashboard.shell.wording import Words


class Sketch:
    """Traces and layout as plain dictionaries, handed over as they are.

    Plotly's check of every value costs more than all the rest of drawing. Here the tests do it: whatever
    chart they draw must pass the check and come out of it unchanged. The methods are named as a figure's.
    """

    def __init__(self) -> None:
        self._traces: list[dict] = []
        self._layout: dict = {"shapes": [], "annotations": [], "xaxis": {}, "yaxis": {}}

    def add_bar(self, **settings) -> None:
        """A trace of bars."""
        self._traces.append({"type": "bar", **settings})

    def add_scatter(self, **settings) -> None:
        """A trace of points or lines."""
        self._traces.append({"type": "scatter", **settings})

    def add_shape(self, **settings) -> None:
        """A line or rectangle."""
        self._layout["shapes"].append(settings)

    def add_hrect(self, y0: float, y1: float, **settings) -> None:
        """A stripe over the whole width."""
        self.add_shape(type="rect", xref="x domain", x0=0, x1=1, y0=y0, y1=y1, **settings)

    def add_vrect(self, x0: float, x1: float, **settings) -> None:
        """A stripe over the whole height."""
        self.add_shape(type="rect", yref="paper", x0=x0, x1=x1, y0=0, y1=1, **settings)

    def add_vline(self, x: float, line: dict) -> None:
        """A line over the whole height."""
        self.add_shape(type="line", yref="y domain", x0=x, x1=x, y0=0, y1=1, line=line)

    def add_annotation(self, **settings) -> None:
        """A note; without an arrow."""
        self._layout["annotations"].append({"showarrow": False, **settings})

    def update_layout(self, **settings) -> None:
        """Set parts of the layout; dictionaries are merged."""
        _merge(self._layout, settings)

    def update_xaxes(self, **settings) -> None:
        """Set parts of every x axis."""
        self._update_axes("xaxis", settings)

    def update_yaxes(self, **settings) -> None:
        """Set parts of every y axis."""
        self._update_axes("yaxis", settings)

    def spec(self) -> dict:
        """Traces and layout as plain values, unchecked."""
        layout = {name: part for name, part in self._layout.items() if part not in ([], {})}
        return {"data": [_plain(trace) for trace in self._traces], "layout": layout}

    def _update_axes(self, prefix: str, settings: dict) -> None:
        for name, axis in self._layout.items():
            if name.startswith(prefix):
                _merge(axis, settings)


@lru_cache(maxsize=4)
def _template(name: str) -> dict:
    """What Plotly puts into every figure of a process; in the app, marks that the theme replaces."""
    return pio.templates[name].to_plotly_json()


def _plain(part):
    """Series and arrays as lists, whatever they are in."""
    if isinstance(part, dict):
        return {name: _plain(value) for name, value in part.items()}
    return part.tolist() if hasattr(part, "tolist") else part


def _merge(into: dict, settings: dict) -> None:
    for name, value in settings.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, dict) else value


class Chart:
    """A drawn chart.

    Parameters
    ----------
    sketch : Sketch
        Transparent background and no fixed text colour, so that light and dark themes both fit.
    alt : str
        One or two sentences that say what the chart shows, for screen readers.
    table : DataFrame or callable
        The same numbers with headings in the reader's language; a callable is asked when somebody looks.
    picks : sequence of str
        The group that each point of every trace stands for, where a click may choose one; the rows of the
        table then stand the other way round.
    """

    def __init__(
        self,
        sketch: Sketch,
        alt: str,
        table: pd.DataFrame | Callable[[], pd.DataFrame],
        picks: Sequence[str] = (),
    ) -> None:
        self.alt = alt
        self.picks = tuple(picks)
        self.sent = Sent(sketch.spec())
        self._table = table

    @property
    def table(self) -> pd.DataFrame:
        """The numbers behind the drawing."""
        if callable(self._table):
            self._table = self._table()
        return self._table

    @property
    def figure(self) -> go.Figure:
        """The drawing as Plotly's own object, checked; pages do without it and hand over :attr:`sent`."""
        return go.Figure(self.sent.to_dict())


class Sent(BaseFigure):
    """All that Streamlit asks of a figure: what to send to the browser.

    Plotly's own figure copies, checks and packs every value, which costs more than the rest of a chart.
    """

    def __init__(self, spec: dict) -> None:  # the base class would do all of that
        layout = {**spec["layout"], "template": _template(pio.templates.default)}
        vars(self)["spec"] = {**spec, "layout": layout}

    def to_dict(self) -> dict:
        """Traces and layout as plain values."""
        return vars(self)["spec"]


def quiet(sketch: Sketch, words: Words, height: int, *, legend: bool = False) -> Sketch:
    """Take away what only decorates: backgrounds, mode bar room, zero lines, heavy grids."""
    sketch.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 34 if legend else 10, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        separators=words.separators,
        hoverlabel={"align": "left"},
        dragmode=False,
        bargap=0.32,
    )
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": True}
    sketch.update_xaxes(title={"standoff": 8}, **axis)
    sketch.update_yaxes(title={"standoff": 8}, **axis)
    return sketch


def percent_axis(words: Words) -> dict:
    """Tick settings of an axis of shares in 0–1."""
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    return {"tickvals": ticks, "ticktext": [words.percent(tick) for tick in ticks]}


def label_above(sketch: Sketch, row: float, text: str) -> None:
    """A row's name above its bar instead of beside it: long names then fit a phone as well."""
    sketch.add_annotation(xref="paper", x=0, xanchor="left", y=row, yanchor="middle", text=text, align="left")
