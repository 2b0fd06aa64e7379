"""The parts of the threshold page: rates with intervals, the price of a threshold, whose figures they are."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.charts.verification import det_curve, workload
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.kpis import Kpi, kpi_row
from dashboard.components.layout import section
from dashboard.components.numbers import decimal_slider
from dashboard.components.table import draw_table
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.shell import caches, current_session, stores
from dashboard.shell.access import may
from dashboard.shell.session_keys import Key
from dashboard.verification.thresholds import (
    at_threshold,
    counts_table,
    interval,
    rate_table,
    with_forged_share,
)
from dashboard.verification.view.outcome import lowered

SHOWN_ABOVE = ("far_skilled", "far_random", "frr", "inconclusive")


def report():
    """The :class:`vision.verification.threshold_report.ThresholdReport` in force, measured once per
    calibration."""
    from vision.verification.verification_tools import tools_for

    return caches.read_once(_measured, tools_for(stores.store()).ground.version)


def _measured(store, _scope, _version):
    from vision.verification.verification_pipeline import thresholds

    return thresholds(store)


def figures(report) -> None:
    """The four rates that matter most, and reviews per 1,000 forms."""
    words = current_session.words()
    rates = report.rates.set_index("name", drop=False)
    kpis = [
        Kpi(
            words(f"thresholds.rate_{name}"),
            words.percent(rates.at[name, "value"], 1),
            words(f"thresholds.rate_{name}_help"),
            note=interval(rates.loc[name].to_dict(), words),
        )
        for name in SHOWN_ABOVE
    ]
    reviews = report.reviews_per_1000
    kpis.append(
        Kpi(
            words("thresholds.reviews"),
            words.number(reviews.value, 0),
            words("thresholds.reviews_help"),
            note=f"{words.number(reviews.low)} – {words.number(reviews.high)}",
        )
    )
    kpi_row(kpis)


def curve(report) -> None:
    """The DET curve with the thresholds in use."""
    words = current_session.words()
    chart = partial(det_curve, report.curves, report.points, words)
    title, help = words("thresholds.det_title"), words("thresholds.det_help")
    chart_panel(chart, "det", title, help, about=(report.version,))


def table(report) -> None:
    """Every rate with its interval, laypeople beside."""
    from vision.verification.threshold_report import LAYPEOPLE

    words = current_session.words()
    section(words("thresholds.table_title"), words("thresholds.table_help"))
    rows = rate_table(report.rates, LAYPEOPLE, words)
    narrow = {words("column.metric"): st.column_config.TextColumn(width=190)}  # a phone shows the values too
    draw_table(rows, column_config=narrow, alt=words("thresholds.table_title"))
    st.caption(words("thresholds.kam"))
    export_bar(rows, "thresholds", about_people=False, version=report.version)


def price(report) -> None:
    """Reviews and misses of 1,000 forms for a threshold that the reader tries."""
    words = current_session.words()
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = decimal_slider(
            words("thresholds.try"),
            float(report.workload["threshold"].min()),
            float(report.workload["threshold"].max()),
            round(report.decisive, 2),
            0.05,
            digits=2,
            key="threshold",
            help=words("thresholds.try_help", value=words.number(report.decisive, 2)),
        )
    with right:
        forged = st.slider(
            words("thresholds.forged"), 1, 100, 10, 1, key="forged", help=words("thresholds.forged_help")
        )
    work = with_forged_share(report.workload, report.forged_share, forged / 1000)
    reviews, missed = at_threshold(work, chosen)
    st.markdown(
        words(
            "thresholds.price",
            reviews=words.number(reviews),
            missed=words.number(missed, 1),
            forged=forged,
        )
    )
    chart = partial(workload, work, chosen, words)
    title, help = words("thresholds.price_title"), words("thresholds.price_help")
    chart_panel(chart, "workload", title, help, about=(report.version, chosen, forged))


def origin(report) -> None:
    """Whose signatures stand behind the figures; an administrator may measure them on this register."""
    words, person = current_session.words(), current_session.person()
    section(words("thresholds.origin_title"))
    st.markdown(words(f"thresholds.source_{report.source}", version=report.version, times=lowered(words)))
    draw_table(counts_table(report.counts, words), alt=words("thresholds.origin_title"))
    if not may(person.role, "run calibrate"):
        return
    if not any_open(follow("calibrate", Key.CALIBRATE_JOB)):
        label = words("thresholds.calibrate")
        st.button(label, icon=":material/tune:", key="calibrate", on_click=_start)
    st.caption(words("job_help.calibrate"))


def _start() -> None:
    job_id = jobs.start(stores.store(), current_session.person(), "calibrate")
    st.session_state[Key.CALIBRATE_JOB] = job_id
