"""What the overview shows, put together from cubes."""

from __future__ import annotations

from functools import partial

import pandas as pd

from dashboard import app_state, exports, model_facts, summaries
from dashboard.charts.bands import bands_by_group
from dashboard.charts.base import Chart
from dashboard.charts.trends import funnel, rates, retention
from dashboard.components.filters import GroupFilter
from dashboard.components.kpis import Kpi
from dashboard.glossary import linked
from dashboard.wording import Words
from data import queries
from data.columns import BANDS

TERMS = {  # part of the page → what the glossary explains about it
    "retention": "retention",
    "outcome": "mature",
    "funnel": "cohort",
    "incidence": "incidence",
    "scenario": "scenario",
    "groups": "gap",
}
COLUMN = {"cohort": "cohort_term", "program": "program_code"}


def kpis(flow, cohorts: pd.DataFrame, cube, chosen: GroupFilter) -> list[Kpi]:
    """Students now, at risk, on time, dropped out, load per advisor; ``cohorts`` from :func:`by_cohort`."""
    words = app_state.words()
    risky, scored = summaries.at_risk(cube)
    before, _ = summaries.at_risk(narrowed(queries.previous_cube, chosen, chosen.target))
    load = summaries.load_per_advisor(narrowed(queries.advisor_load, chosen, chosen.target))
    studying = flow[flow["state"] == "enrolled"]
    at_risk_now = cube[cube["band"].isin(summaries.AT_RISK)]
    return [
        Kpi(
            words("overview.kpi_active"),
            words.number(int(studying["students"].sum())),
            words("overview.kpi_active_help"),
            bars=summaries.by_cohort(studying),
        ),
        Kpi(
            words("overview.kpi_at_risk"),
            f"{words.number(risky)} ({words.percent(risky / scored if scored else None)})",
            words("overview.kpi_at_risk_help"),
            delta=words.signed(risky - before),
            delta_note=words("overview.kpi_vs_previous"),
            good="down",
            bars=summaries.by_cohort(at_risk_now),
        ),
        *_mature(cohorts),
        Kpi(
            words("overview.kpi_load"),
            words.number(risky / len(load) if load else None, 1),
            words("overview.kpi_load_help"),
            note=words("overview.kpi_load_note", n=len(load), most=max(load)) if load else "",
            bars=load,
        ),
    ]


def by_cohort(flow: pd.DataFrame, programs: pd.DataFrame, last_term: int, about: tuple) -> pd.DataFrame:
    """Where each entry cohort stands (:func:`dashboard.summaries.outcomes`), worked out once."""
    make = partial(summaries.outcomes, flow, programs, "cohort_term", last_term)
    return app_state.kept("by-cohort", about, make)


def _mature(table: pd.DataFrame) -> list[Kpi]:
    """On-time and drop-out share of the newest cohort of known outcome, against the one before."""
    words = app_state.words()
    ripe = table[table["mature"] & table["rate"].notna()]
    note = f"{int(ripe.iloc[-1]['cohort_term']) // 10}" if len(ripe) else None
    return [
        Kpi(
            words(f"overview.kpi_{name}"),
            words.percent(ripe.iloc[-1][column] if len(ripe) else None),
            words(f"overview.kpi_{name}_help"),
            delta=_step(ripe[column]),
            delta_note=None if note is None else words("overview.kpi_entered", year=note),
            good=good,
            line=ripe[column].tolist(),
            shares=True,
        )
        for name, column, good in (("on_time", "rate", "up"), ("dropout", "left_rate", "down"))
    ]


def narrowed(query, chosen: GroupFilter, *arguments) -> pd.DataFrame:
    """What a query counts, for the programme and cohort that the page was narrowed to."""
    return summaries.chosen(app_state.remember(query, *arguments), chosen.program_code, chosen.cohort_term)


def _step(values: pd.Series) -> str | None:
    words = app_state.words()
    if len(values) < 2:
        return None
    return words.signed(100 * (values.iloc[-1] - values.iloc[-2]), 1)


def bands_chart(cube: pd.DataFrame, by: str) -> Chart:
    """Bands by programme or by entry cohort."""
    words = app_state.words()
    labels = cube[COLUMN[by]].map(_names(by))
    frame = pd.DataFrame({by: labels, "band": cube["band"], "students": cube["students"]})
    return bands_by_group(frame, by, words)


def outcomes_chart(flow, programs: pd.DataFrame, last_term: int, cohorts: pd.DataFrame, by: str) -> Chart:
    """On-time rates by entry cohort or by programme; groups that cannot be judged yet are left out."""
    table = cohorts if by == "cohort" else summaries.outcomes(flow, programs, COLUMN[by], last_term)
    table = table.assign(**{by: table[COLUMN[by]].map(_names(by))})
    return rates(table.dropna(subset=["rate"]), by, app_state.words())


def retention_chart(progress: pd.DataFrame) -> Chart:
    """Who stayed, cohort by cohort."""
    return retention(summaries.retention(progress), app_state.words())


def funnel_chart(table: pd.DataFrame) -> Chart:
    """Where every entry cohort of :func:`by_cohort` stands today."""
    words = app_state.words()
    return funnel(table.assign(cohort=table["cohort_term"].map(words.term)), words)


def not_observable(table: pd.DataFrame) -> str:
    """Which cohorts of :func:`by_cohort` cannot be judged yet, in words; empty when all can."""
    words = app_state.words()
    waiting = [words.term(cohort) for cohort in table.loc[table["rate"].isna(), "cohort_term"]]
    if not waiting:
        return ""
    span = waiting[0] if len(waiting) == 1 else f"{waiting[0]} – {waiting[-1]}"
    return words("overview.immature", cohorts=span)


def _names(by: str):
    return app_state.words().term if by == "cohort" else app_state.programs().get


def export_frame(cube: pd.DataFrame, words: Words) -> pd.DataFrame:
    """One row per programme and cohort: counts by band with small cells hidden.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    names = app_state.programs()
    counts = (
        cube.pivot_table(
            index=["program_code", "cohort_term"], columns="band", values="students", aggfunc="sum"
        )
        .reindex(columns=list(BANDS))
        .fillna(0)
        .astype(int)
        .reset_index()
    )
    counts["students"] = counts[list(BANDS)].sum(axis=1)
    safe = exports.hide_small_cells(counts, list(BANDS), "students", words)
    safe["program_code"] = [f"{code} {names.get(code, '')}".strip() for code in safe["program_code"]]
    headings = {band: words(f"band.{band}") for band in BANDS}
    headings |= {name: words(f"column.{name}") for name in ("program_code", "cohort_term", "students")}
    return safe.rename(columns=headings)


def model_line() -> str:
    """Which model made the scores, in one line."""
    return model_facts.one_line(app_state.served_model(), app_state.words())


def titled(part: str) -> tuple[str, str]:
    """Heading and help of a part of the page."""
    words = app_state.words()
    help = words(f"overview.{part}_help")
    return words(f"overview.{part}_title"), linked(help, TERMS[part], words) if part in TERMS else help
