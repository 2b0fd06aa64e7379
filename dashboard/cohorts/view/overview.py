"""What the overview shows of what is counted (:mod:`dashboard.cohorts.view.given`): charts and lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from dashboard.charts.bands import bands_by_group
from dashboard.charts.base import Chart
from dashboard.charts.trends import funnel, incidence, rates, retention
from dashboard.cohorts import prospects, summaries
from dashboard.cohorts.band_counts import BY, RISK, Hidden, counts_of, hidden_bands
from dashboard.cohorts.counted import STATES
from dashboard.cohorts.view.given import Given, told_of
from dashboard.components.kpis import Kpi
from dashboard.models import facts as model_facts
from dashboard.shell import caches, current_session, stores
from dashboard.shell.glossary import linked
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data import queries
from data.columns import BANDS
from data.trust.small_cells import MARK, THRESHOLD, TOTAL

TERMS = {  # part of the page → what the glossary explains about it
    "retention": "retention",
    "outcome": "mature",
    "funnel": "cohort",
    "incidence": "incidence",
    "scenario": "scenario",
    "groups": "gap",
}
COLUMN = {"cohort": "cohort_term", "program": "program_code"}
RIPENESS = ("mature", "immature")
COUNTED = ("entered", "on_time")  # counts of a cohort that its on-time rate would give away


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
    now, then = _few(risky, scored), _few(before, past)
    shown = f"{words.number(risky)} ({words.percent(risky / scored if scored else None)})"
    studying = flow[flow["state"] == "enrolled"]
    here = int(studying["students"].sum())
    most = max(load, default=0)
    compared = not given.silent and not now and not then
    return [
        Kpi(
            words("overview.kpi_active"),
            MARK if _few(here) else words.number(here),
            words("overview.kpi_active_help"),
            bars=_here_by_cohort(given, studying),
            bars_note=words("overview.bars_by_cohort"),
        ),
        Kpi(
            words("overview.kpi_at_risk"),
            words.number(None) if given.silent else MARK if now else shown,
            f"{words('overview.kpi_at_risk_help')} {words('standing.kpi_help')}",
            delta=words.signed(risky - before) if compared else None,
            delta_note=words("overview.kpi_vs_previous") if compared else None,
            good="down",
            note=_beside(given),
            bars=_risky_by_cohort(given),
            bars_note=words("overview.bars_by_cohort"),
        ),
        *_mature(given),
        Kpi(
            words("overview.kpi_load"),
            MARK if now and load else words.number(risky / len(load) if load else None, 1),
            words("overview.kpi_load_help"),
            note=words("overview.kpi_load_note", n=len(load), most=MARK if _few(most) else most)
            if load
            else "",
            bars=[None if _few(one) else one for one in load],
            bars_note=words("overview.bars_by_advisor"),
        ),
    ]


def _few(part: int, whole: int | None = None) -> bool:
    """Whether a count, or what it leaves of its whole, is of few and not told."""
    return any(0 < n < THRESHOLD for n in (part, 0 if whole is None else whole - part))


def _risky_by_cohort(given: Given) -> list[int | None]:
    """Who is at risk of each entry cohort, as far as bands and file do not give it away as few."""
    term, hidden = current_session.words().term, hidden_of(given)["cohort"]
    each = summaries.at_risk_by_cohort(given.cube)
    return [None if _few(*n) or RISK in hidden[term(cohort)] else n[0] for cohort, n in each.items()]


def _here_by_cohort(given: Given, studying: pd.DataFrame) -> list[int | None]:
    """Who studies of each entry cohort, as far as the page tells it elsewhere."""
    told, each = told_of(given), studying.groupby("cohort_term")["students"].sum().sort_index()
    return [int(n) if told.shown(("cohort", int(cohort), "studying")) else None for cohort, n in each.items()]


def _beside(given: Given) -> str:
    """What stands beside the students at risk: that no model speaks, and who is past the normal time."""
    words = current_session.words()
    ranks = given.silent and not stores.unlearned(given.chosen.target)[0]
    parts = [words("place.kpi" if ranks else "overview.unlearned")] if given.silent else []
    return " · ".join([*parts, words("standing.kpi", n=given.past)] if given.past else parts)


def _mature(given: Given) -> list[Kpi]:
    """On-time and drop-out share of the newest cohort of known outcome, against the one before."""
    words, ripe = current_session.words(), ripe_and_told(given)
    unknown = ""
    if ripe.empty:
        there = (given.cohorts["mature"] & given.cohorts["rate"].notna()).any()
        unknown = words("overview.kpi_few") if there else ""
        unknown = unknown if given.reported else words("overview.kpi_unknown")
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


def ripe_and_told(given: Given) -> pd.DataFrame:
    """Cohorts of known outcome whose rates tell of no few, the oldest first."""
    table = given.cohorts
    gone = [_few(*row) for row in zip(table["left_n"].tolist(), table["n"].tolist(), strict=True)]
    few = _rates_of_few(given, table, "cohort") | pd.Series(gone, table.index, dtype=bool)
    return table[table["mature"] & table["rate"].notna() & ~few]


def _step(values: pd.Series) -> str | None:
    words = current_session.words()
    if len(values) < 2:
        return None
    return words.signed(100 * (values.iloc[-1] - values.iloc[-2]), 1)


def bands_chart(given: Given, by: str) -> Chart:
    """Bands by programme or by entry cohort."""
    return bands_by_group(_bands(given)[by], by, current_session.words(), hidden_of(given)[by])


def _labelled(given: Given) -> pd.DataFrame:
    cube = given.cube
    labels = {by: cube[COLUMN[by]].map(_names(by)) for by in BY}
    return pd.DataFrame({**labels, "band": cube["band"], "students": cube["students"]})


def hidden_of(given: Given) -> Hidden:
    """What the bands by programme, those by cohort and the file of both do not tell."""
    return caches.made_once("bands-told", given.about, lambda: hidden_bands(_bands(given)))


def _bands(given: Given) -> dict[str, dict[str, dict[str, int]]]:
    """Students of each band by programme and by cohort (:func:`dashboard.cohorts.band_counts.counts_of`)."""
    return caches.made_once("bands-counted", given.about, lambda: counts_of(_labelled(given)))


def outcomes_chart(given: Given, by: str) -> Chart:
    """On-time rates by entry cohort or by programme; groups that cannot be judged yet are left out."""
    table = given.cohorts if by == "cohort" else given.outcomes(COLUMN[by])
    table = table[~_rates_of_few(given, table, by)]
    table = table.assign(**{by: table[COLUMN[by]].map(_names(by))})
    return rates(table.dropna(subset=["rate"]), by, current_session.words())


def _rates_of_few(given: Given, table: pd.DataFrame, by: str) -> pd.Series:
    """Of which groups the on-time rate would tell of few, or a count that the page hides."""
    told = told_of(given) if by == "cohort" else None
    groups = zip(*(table[name].tolist() for name in (COLUMN[by], "on_time_n", "n")), strict=True)
    few = [
        _few(on_time, n)
        or (told is not None and not told.shown(*(("cohort", group, one) for one in COUNTED)))
        for group, on_time, n in groups
    ]
    return pd.Series(few, table.index, dtype=bool)


def outcome_notes(given: Given) -> tuple[str, str]:
    """What stands under the rates: of which cohorts they are missing or in part, and of which programmes no
    exit is recorded; each in words, empty where there is none."""

    def make() -> tuple[str, str]:
        notes = (partly_ripe(given), not_observable(given), rates_left(given))
        return " ".join(filter(None, notes)), not_reported(given)

    return caches.made_once("outcome-notes", given.about, make)


def rates_left(given: Given) -> str:
    """Of which cohorts no rate is told because it would tell of few, in words; empty where of none."""
    words, table = current_session.words(), given.cohorts
    hidden = table["rate"].notna() & _rates_of_few(given, table, "cohort")
    cohorts = ", ".join(map(words.term, table.loc[hidden, "cohort_term"]))
    return words("overview.rates_left", cohorts=cohorts) if cohorts else ""


def retention_chart(given: Given) -> Chart:
    """Who stayed, cohort by cohort; a share that would tell of few is left out."""
    table, hidden = _retention(given)
    return retention(table.assign(share=table["share"].mask(hidden), hidden=hidden), current_session.words())


def gaps_left(given: Given) -> str:
    """Why lines of who is still here have gaps, in words; empty where they have none."""
    return caches.made_once("gaps-left", given.about, partial(_gaps_left, given))


def _gaps_left(given: Given) -> str:
    return current_session.words()("overview.gaps_left") if _retention(given)[1].any() else ""


def _retention(given: Given) -> tuple[pd.DataFrame, pd.Series]:
    """Who stayed, and which of the shares are not told."""

    def make() -> tuple[pd.DataFrame, pd.Series]:
        table, told = summaries.retention(given.progress), told_of(given)
        cells = zip(table["cohort_term"].tolist(), table["terms_completed"].tolist(), strict=True)
        shown = [told.shown(("kept", cohort, term), ("followed", cohort)) for cohort, term in cells]
        return table, ~pd.Series(shown, table.index, dtype=bool)

    return caches.made_once("retention-told", given.about, make)


def funnel_chart(given: Given) -> Chart:
    """Where every entry cohort stands today."""
    words, table, told = current_session.words(), given.cohorts, told_of(given)
    hidden = [
        frozenset(state for state in ("entered", *STATES) if not told.shown(("cohort", int(cohort), state)))
        for cohort in table["cohort_term"]
    ]
    return funnel(table.assign(cohort=table["cohort_term"].map(words.term), hidden=hidden), words)


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


def export_frame(given: Given) -> Callable[[], pd.DataFrame]:
    """What makes the file of the bands: a row for each programme and for each entry cohort, as in the charts.

    No programme by cohort: with the charts that would give few away. It is made when no session is at hand,
    of what is looked up now.
    """
    return partial(_as_file, _bands(given), hidden_of(given), current_session.words())


def _as_file(counts: dict[str, dict[str, dict[str, int]]], hidden: Hidden, words: Words) -> pd.DataFrame:
    parts = [*BANDS, TOTAL]
    headings = [words("column.by"), words("column.group"), *(words(f"band.{band}") for band in BANDS)]
    rows = []
    for by, groups in counts.items():
        for name, bands in groups.items():
            told = {**bands, TOTAL: sum(bands.values())}
            cells = [MARK if part in hidden[by][name] else told[part] for part in parts]
            rows.append([words(f"column.{by}"), name, *cells])
    return pd.DataFrame(rows, columns=[*headings, words("column.students")], dtype=object)


def model_line() -> str:
    """Which model made the scores, in one line."""
    return model_facts.one_line(stores.served_model(), current_session.words())


def titled(part: str) -> dict[str, str]:
    """Heading and help of a part of the page."""
    words = current_session.words()
    help = words(f"overview.{part}_help")
    help = linked(help, TERMS[part], words) if part in TERMS else help
    return {"title": words(f"overview.{part}_title"), "help": help}
