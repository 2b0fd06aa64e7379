"""What the overview shows of what is counted (:mod:`dashboard.cohorts.view.given`): charts and lines."""

from __future__ import annotations

from functools import partial

import pandas as pd

from dashboard.charts.bands import bands_by_group
from dashboard.charts.base import Chart
from dashboard.charts.trends import funnel, incidence, rates, retention
from dashboard.cohorts import prospects, summaries
from dashboard.cohorts.view.given import Given, seen_of
from dashboard.components.kpis import Kpi
from dashboard.models import facts as model_facts
from dashboard.reports.language import program_label
from dashboard.shell import caches, current_session, exports, stores
from dashboard.shell.glossary import linked
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
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
BY, RIPENESS = ("program", "cohort"), ("mature", "immature")


def panels(given: Given) -> dict[str, dict]:
    """The charts that are always there: what :func:`dashboard.components.chart_panel.chart_panel` needs."""
    drawn = {
        "bands": (bands_chart, BY),
        "retention": (retention_chart, ()),
        "outcomes": (outcomes_chart, BY[::-1]),
        "funnel": (funnel_chart, ()),
        "incidence": (incidence_chart, RIPENESS),
    }
    return {
        key: {"chart": partial(draw, given), "key": key, "choices": choices, "about": given.about}
        for key, (draw, choices) in drawn.items()
    }


def kpis(given: Given) -> list[Kpi]:
    """Students now, at risk, on time, dropped out, load per advisor."""
    return caches.made_once("kpis", given.about, partial(_kpis, given))


def _kpis(given: Given) -> list[Kpi]:
    words, flow, cube = current_session.words(), given.flow, given.cube
    risky, scored = summaries.at_risk(cube)
    before, past = summaries.at_risk(given.of_risk(queries.previous_cube))
    load = summaries.load_per_advisor(given.of_risk(queries.advisor_load))
    shown = f"{words.number(risky)} ({words.percent(risky / scored if scored else None)})"
    studying = flow[flow["state"] == "enrolled"]
    return [
        Kpi(
            words("overview.kpi_active"),
            words.number(int(studying["students"].sum())),
            words("overview.kpi_active_help"),
            bars=studying.groupby("cohort_term")["students"].sum().sort_index().tolist(),
            bars_note=words("overview.bars_by_cohort"),
        ),
        Kpi(
            words("overview.kpi_at_risk"),
            words.number(None) if given.silent else shown,
            f"{words('overview.kpi_at_risk_help')} {words('standing.kpi_help')}",
            delta=None if given.silent else words.signed(risky - before),
            delta_note=None if given.silent else words("overview.kpi_vs_previous"),
            good="down",
            note=_beside(given),
            bars=[n for n, _ in summaries.at_risk_by_cohort(cube)],
            bars_note=words("overview.bars_by_cohort"),
        ),
        *_mature(given),
        Kpi(
            words("overview.kpi_load"),
            words.number(risky / len(load) if load else None, 1),
            words("overview.kpi_load_help"),
            note=words("overview.kpi_load_note", n=len(load), most=max(load)) if load else "",
            bars=load,
            bars_note=words("overview.bars_by_advisor"),
        ),
    ]


def _beside(given: Given) -> str:
    """What stands beside the students at risk: that no model speaks, and who is past the normal time."""
    words = current_session.words()
    ranks = given.silent and not stores.unlearned(given.chosen.target)[0]
    parts = [words("place.kpi" if ranks else "overview.unlearned")] if given.silent else []
    return " · ".join([*parts, words("standing.kpi", n=given.past)] if given.past else parts)


def _mature(given: Given) -> list[Kpi]:
    """On-time and drop-out share of the newest cohort of known outcome, against the one before."""
    words, ripe = current_session.words(), summaries.ripe(given.cohorts)
    unknown = "" if given.reported or len(ripe) else words("overview.kpi_unknown")
    year = f"{int(ripe.iloc[-1]['cohort_term']) // 10}" if len(ripe) else None
    if len(ripe) == 1:  # nothing to compare it with
        unknown = words.term(ripe.iloc[-1]["cohort_term"])
    return [
        Kpi(
            words(f"overview.kpi_{name}"),
            words.percent(ripe.iloc[-1][column] if len(ripe) else None),
            words(f"overview.kpi_{name}_help"),
            delta=_step(ripe[column]),
            delta_note=words("overview.kpi_entered", year=year) if len(ripe) > 1 else None,
            good=good,
            line=ripe[column].tolist(),
            shares=True,
            note=unknown,
        )
        for name, column, good in (("on_time", "rate", "up"), ("dropout", "left_rate", "down"))
    ]


def _step(values: pd.Series) -> str | None:
    words = current_session.words()
    if len(values) < 2:
        return None
    return words.signed(100 * (values.iloc[-1] - values.iloc[-2]), 1)


def bands_chart(given: Given, by: str) -> Chart:
    """Bands by programme or by entry cohort."""
    words, cube = current_session.words(), given.cube
    labels = cube[COLUMN[by]].map(_names(by))
    frame = pd.DataFrame({by: labels, "band": cube["band"], "students": cube["students"]})
    return bands_by_group(frame, by, words)


def outcomes_chart(given: Given, by: str) -> Chart:
    """On-time rates by entry cohort or by programme; groups that cannot be judged yet are left out."""
    table = given.cohorts if by == "cohort" else given.outcomes(COLUMN[by])
    table = table.assign(**{by: table[COLUMN[by]].map(_names(by))})
    return rates(table.dropna(subset=["rate"]), by, current_session.words())


def retention_chart(given: Given) -> Chart:
    """Who stayed, cohort by cohort."""
    closed = {cohort: seen.closed for cohort, seen in seen_of(given).items()}
    return retention(summaries.retention(given.progress), closed, current_session.words())


def funnel_chart(given: Given) -> Chart:
    """Where every entry cohort stands today."""
    words, table = current_session.words(), given.cohorts
    return funnel(table.assign(cohort=table["cohort_term"].map(words.term)), words)


def incidence_chart(given: Given, ripeness: str) -> Chart:
    """What the mature or the immature cohorts came to by each term."""
    ripe = ripeness == "mature"
    table = prospects.incidence(given.flow, given.programs, given.last, mature=ripe)
    return incidence(table, current_session.words())


def partly_ripe(given: Given) -> str:
    """Of which cohorts only some programmes are counted yet, in words; empty when of none."""
    words, table = current_session.words(), given.cohorts
    partly = table.loc[table["rate"].notna() & ~table["mature"], "cohort_term"]
    return words("overview.partly_ripe", cohorts=", ".join(map(words.term, partly))) if len(partly) else ""


def not_observable(given: Given) -> str:
    """Which cohorts cannot be judged yet, in words; empty when all can."""
    words, table = current_session.words(), given.cohorts
    waiting = [words.term(cohort) for cohort in table.loc[table["rate"].isna(), "cohort_term"]]
    if not waiting:
        return ""
    span = waiting[0] if len(waiting) == 1 else f"{waiting[0]} – {waiting[-1]}"
    return words("overview.immature", cohorts=span)


def not_reported(given: Given) -> str:
    """Programmes of which no exit at all is recorded, in words; empty when there is none."""
    words, names = current_session.words(), stores.programs()
    without = sorted(set(given.flow["program_code"]) - given.reported)
    if not without:
        return ""
    told = ", ".join(plain(names.get(code, code)) for code in without)
    return words("overview.outcomes_unknown", programs=told)


def _names(by: str):
    return current_session.words().term if by == "cohort" else stores.programs().get


def export_frame(cube: pd.DataFrame, words: Words) -> pd.DataFrame:
    """One row per programme and cohort: counts by band with small cells hidden.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    names = stores.programs()
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
    safe = exports.hide_small_cells(counts, list(BANDS), "students")
    safe["program_code"] = [program_label(code, names.get(code, "")) for code in safe["program_code"]]
    headings = {band: words(f"band.{band}") for band in BANDS}
    headings |= {name: words(f"column.{name}") for name in ("program_code", "cohort_term", "students")}
    return safe.rename(columns=headings)


def model_line() -> str:
    """Which model made the scores, in one line."""
    return model_facts.one_line(stores.served_model(), current_session.words())


def titled(part: str) -> dict[str, str]:
    """Heading and help of a part of the page."""
    words = current_session.words()
    help = words(f"overview.{part}_help")
    help = linked(help, TERMS[part], words) if part in TERMS else help
    return {"title": words(f"overview.{part}_title"), "help": help}
