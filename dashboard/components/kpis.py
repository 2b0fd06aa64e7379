"""The row of figures at the top of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from dashboard.charts import sparkline
from dashboard.shell import current_session
from dashboard.shell.wording import Words
from data.trust.small_cells import MARK


@dataclass(frozen=True)
class Kpi:
    """One figure.

    Parameters
    ----------
    label, value : str
        As shown.
    help : str
        What exactly is counted.
    delta : str or None
        Difference as shown, with its sign.
    delta_note : str or None
        Against what.
    good : {"up", "down", "none"}
        Which direction is welcome; decides the colour of the difference.
    line : sequence of float or None
        Earlier values for a small line.
    bars : sequence of float or None, or None
        Parts for small bars; None where a part is not told.
    bars_note : str
        What a bar stands for, said under the bars: without it they would be read as a course over time.
    shares : bool
        Whether these are shares in 0–1 rather than counts.
    note : str
        A quiet line under the figure.
    """

    label: str
    value: str
    help: str = ""
    delta: str | None = None
    delta_note: str | None = None
    good: str = "none"
    line: Sequence[float] | None = None
    bars: Sequence[float | None] | None = None
    bars_note: str = ""
    shares: bool = False
    note: str = ""

    @cached_property
    def picture(self) -> str | None:
        """The small picture under the figure, its values in words beside it for screen readers.

        Drawn when it is first asked for, in the language of whoever asks, which is that of the label: figures
        that a page keeps (:func:`dashboard.shell.caches.made_once`) keep it, and it has hundreds of values.
        """
        values = self.line if self.bars is None else self.bars
        if values is None or len(values) < 2:
            return None
        words = current_session.words()
        told = "; ".join(_written(one, self.shares, words) for one in values)
        alt = words("alt.sparkline", label=self.label, values=told)
        alt = f"{alt}. {self.bars_note}" if self.bars_note else alt
        if self.bars is not None:
            return sparkline.bars(list(self.bars), alt)
        return sparkline.line(list(self.line or ()), alt)


ARROWS = {"+": "up", "−": "down"}


def _looks(kpi: Kpi) -> dict[str, str]:
    """Arrow and colour of a difference: Streamlit tells them from a hyphen, which is no minus sign."""
    arrow = ARROWS.get((kpi.delta or "")[:1], "off")
    if arrow == "off" or kpi.good == "none":
        return {"delta_arrow": arrow, "delta_color": "gray"}
    return {"delta_arrow": arrow, "delta_color": "green" if arrow == kpi.good else "red"}


def kpi_row(kpis: Sequence[Kpi], key: str = "kpis") -> None:
    """Draw the figures as equal cards that wrap on narrow screens.

    Parameters
    ----------
    kpis : sequence of Kpi
        In order of reading.
    key : str
        Unique on the page.
    """
    grid = st.grid(len(kpis), min_column_width=150, gap="small", key=key)
    for place, kpi in enumerate(kpis):
        with grid.container(
            border=True,
            height="stretch",
            gap="small",
            vertical_alignment="distribute",
            key=f"{key}-{place}",
        ):
            st.metric(
                kpi.label,
                kpi.value,
                delta=kpi.delta,
                **_looks(kpi),
                delta_description=kpi.delta_note,
                help=kpi.help or None,
            )
            if kpi.note:
                st.caption(kpi.note)
            if kpi.picture:
                st.html(kpi.picture)
                if kpi.bars_note and kpi.bars is not None:
                    st.caption(kpi.bars_note)


def _written(value: float | None, share: bool, words: Words) -> str:
    if value is None:
        return MARK
    return words.percent(value, 1) if share else words.number(value)
