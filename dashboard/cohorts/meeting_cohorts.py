"""Sheets of the meeting pack about cohorts and groups: who is at risk, stayed, finished, left."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from dashboard.cohorts import compare, prospects, summaries
from dashboard.cohorts.counted import STATES, Reach, Told
from dashboard.cohorts.meeting_shape import (
    COHORTS,
    COUNT,
    MEAN,
    SHARE,
    TERMS,
    TEXT,
    Sheet,
    Shown,
    made_sheet,
    newest,
    number,
    of_all,
)
from dashboard.shell.wording import NOT_YET, Words
from data.columns import BANDS
from data.trust.small_cells import MARK


def bands(cube: pd.DataFrame, by: str, name: Callable, key: str, head: str, words: Words) -> Sheet:
    """Students by band of risk, by cohort or programme; internal."""
    columns = [(words(f"column.{head}"), TEXT), *_band_columns(words)]
    if cube.empty:
        return made_sheet(key, words, columns, ())
    wide = cube.pivot_table(index=by, columns="band", values="students", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=list(BANDS), fill_value=0).astype(int)
    rows = [(name(group), *row.tolist(), int(row.sum())) for group, row in wide.iterrows()]
    return made_sheet(key, words, columns, rows)


def _band_columns(words: Words) -> list[tuple[str, str]]:
    return [*((words(f"band.{band}"), COUNT) for band in BANDS), (words("column.students"), COUNT)]


def public_bands(shown: Shown, told: Told, words: Words) -> Sheet:
    """Students by band of risk and entry cohort, as far as it may be told."""
    cohorts = sorted({int(cohort) for cohort in shown.cube["cohort_term"]})
    rows = [
        (words.term(cohort), *(told.count(("band", cohort, one)) for one in (*BANDS, "students")))
        for cohort in cohorts
    ]
    return made_sheet("bands", words, [(words("column.cohort"), TEXT), *_band_columns(words)], rows)


def retention(shown: Shown, words: Words) -> Sheet:
    """Who of each cohort is still here, term by term; internal."""
    table = summaries.retention(shown.progress, COHORTS, TERMS)
    shares = {
        (int(row.cohort_term), int(row.terms_completed)): row.share for row in table.itertuples() if row.n
    }
    sizes = dict(zip(table["cohort_term"].astype(int), table["n"].astype(int), strict=True))
    rows = [
        (
            words.term(cohort),
            n,
            *(shares.get((cohort, term), _unseen(shown, cohort, term)) for term in range(1, TERMS + 1)),
        )
        for cohort, n in sizes.items()
    ]
    return made_sheet("retention", words, _retention_columns(words), rows)


def _unseen(shown: Shown, cohort: int, term: int) -> str | None:
    """What stands for a term without a figure: not yet observed, or over and a programme has none."""
    return NOT_YET if term > shown.seen.get(cohort, compare.Seen()).closed else None


def _retention_columns(words: Words) -> list[tuple[str, str]]:
    terms = [(words("meeting.term", n=term), SHARE) for term in range(1, TERMS + 1)]
    return [(words("column.cohort"), TEXT), (words("compare.entered"), COUNT), *terms]


def public_retention(shown: Shown, told: Told, reach: dict[int, Reach], words: Words) -> Sheet:
    """Who of each cohort is still here, as far as it may be told."""
    rows = [
        (
            words.term(cohort),
            told.count(("followed", cohort)),
            *(
                told.share(("kept", cohort, term), ("followed", cohort))
                if term in reach[cohort].terms
                else _unseen(shown, cohort, term)
                for term in range(1, TERMS + 1)
            ),
        )
        for cohort in newest(reach)
        if ("followed", cohort) in told.values
    ]
    return made_sheet("retention", words, _retention_columns(words), rows)


def _rate_columns(head: str, words: Words) -> list[tuple[str, str]]:
    return [
        (words(f"column.{head}"), TEXT),
        (words("column.n"), COUNT),
        (words("meeting.on_time_n"), COUNT),
        (words("column.rate"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
        (words("meeting.left_n"), COUNT),
        (words("meeting.left_rate"), SHARE),
    ]


def rates(table: pd.DataFrame, by: str, name: Callable, key: str, head: str, words: Words) -> Sheet:
    """On time and left, by cohort or programme, with intervals; internal."""
    figures = ("n", "on_time_n", "rate", "low", "high", "left_n", "left_rate")
    rows = [
        (name(row[by]), *(number(row[figure]) if row["n"] else NOT_YET for figure in figures))
        for row in table.to_dict("records")
    ]
    return made_sheet(key, words, _rate_columns(head, words), rows)


def _public_rate(told: Told, name: tuple) -> tuple:
    """n, on time and its rate with the interval; of all entrants."""
    whole, on_time = (*name, "entered"), (*name, "on_time")
    interval: tuple = (MARK, MARK)
    if told.shown(whole, on_time):
        low, high = summaries.wilson(pd.Series([told.values[on_time]]), pd.Series([told.values[whole]]))
        interval = (number(float(low[0])), number(float(high[0])))
    return told.count(whole), told.count(on_time), told.share(on_time, whole), *interval


def public_rates(shown: Shown, told: Told, words: Words) -> Sheet:
    """On time and left by entry cohort, of all entrants, as far as it may be told."""
    rows = []
    for cohort in shown.cohorts["cohort_term"].astype(int):
        whole, left = (("ripe", cohort, state) for state in ("entered", "left"))
        figures = (*_public_rate(told, ("ripe", cohort)), told.count(left), told.share(left, whole))
        rows.append((words.term(cohort), *(figures if told.values[whole] else [NOT_YET] * len(figures))))
    return made_sheet("on_time", words, _rate_columns("cohort", words), rows, of_all(words))


def _funnel_columns(words: Words) -> list[tuple[str, str]]:
    states = [(words(f"state_of.{state}"), COUNT) for state in STATES]
    return [(words("column.cohort"), TEXT), (words("column.entered"), COUNT), *states]


def funnel(shown: Shown, words: Words) -> Sheet:
    """Where each cohort stands; internal."""
    table = shown.cohorts.assign(late=shown.cohorts["graduated"] - shown.cohorts["on_time"])
    rows = [
        (words.term(row["cohort_term"]), *(int(row[state]) for state in ("entered", *STATES)))
        for row in table.to_dict("records")
    ]
    return made_sheet("funnel", words, _funnel_columns(words), rows)


def public_funnel(shown: Shown, told: Told, words: Words) -> Sheet:
    """Where each cohort stands, as far as it may be told."""
    rows = [
        (words.term(cohort), *(told.count(("cohort", cohort, state)) for state in ("entered", *STATES)))
        for cohort in shown.cohorts["cohort_term"].astype(int)
    ]
    return made_sheet("funnel", words, _funnel_columns(words), rows)


def side_by_side(shown: Shown, told: Told, words: Words) -> Sheet:
    """The cohorts compared, term by term, by what is told of them."""
    forms = {name: SHARE for name in compare.MEASURES} | {"gpa": MEAN}
    columns = [
        (words("column.cohort"), TEXT),
        (words("compare.term"), COUNT),
        (words("compare.entered"), COUNT),
    ]
    columns += [(words(f"compare.{name}"), forms[name]) for name in compare.MEASURES]
    if not shown.compared:
        return made_sheet("compare", words, columns, ())
    table = compare.side_by_side(
        shown.counts,
        told,
        shown.compared,
        shown.progress_of_program,
        shown.seen,
        shown.compared_terms,
        shown.reported,
    )
    rows = [
        (
            words.term(row["cohort_term"]),
            int(row["term"]),
            *(number(row[name]) for name in ("entered", *compare.MEASURES)),
        )
        for row in table.to_dict("records")
    ]
    return made_sheet("compare", words, columns, rows, words("compare.gpa_help"))


def incidence(shown: Shown, words: Words) -> Sheet:
    """Degrees and drop-out over time; internal."""
    columns = [
        (words("column.cohort"), TEXT),
        (words("column.outcome"), TEXT),
        (words("column.as_of_index"), COUNT),
        (words("column.share"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
        (words("column.still_seen"), COUNT),
    ]
    rows = [
        (
            words(f"choice.{ripeness}"),
            words(f"cause.{row['cause']}"),
            int(row["term"]),
            *(number(row[name]) for name in ("share", "low", "high")),
            int(row["at_risk"]),
        )
        for ripeness, table in shown.incidence.items()
        for row in table.to_dict("records")
    ]
    return made_sheet("incidence", words, columns, rows)


def scenarios(shown: Shown, words: Words) -> Sheet:
    """What cohorts under way may come to; internal."""
    columns = [
        (words("column.cohort"), TEXT),
        (words("column.n"), COUNT),
        (words("column.rate"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
    ]
    rows = [
        (words.term(row["cohort_term"]), *(number(row[name]) for name in ("n", "rate", "low", "high")))
        for row in shown.scenarios.to_dict("records")
    ]
    return made_sheet("scenarios", words, columns, rows, words("meeting.scenarios_note"))


def _group_columns(shown: Shown, words: Words) -> list[tuple[str, str]]:
    return [(words(f"attribute.{shown.attribute}"), TEXT), *_rate_columns("cohort", words)[1:]]


def groups(shown: Shown, words: Words) -> Sheet:
    """Rates of groups; internal."""
    figures = ("n", "on_time_n", "rate", "low", "high", "left_n", "left_rate")
    rows = [
        (shown.group_name(row["group"]), *(number(row[name]) for name in figures))
        for row in shown.groups.to_dict("records")
    ]
    note = words("meeting.groups_note", fewest=prospects.FEWEST)
    return made_sheet("groups", words, _group_columns(shown, words), rows, note)


def public_groups(shown: Shown, told: Told, words: Words) -> Sheet:
    """Rates of groups, of all entrants, as far as they may be told."""
    columns = _group_columns(shown, words)[:6]
    rows = [
        (shown.group_name(name), *_public_rate(told, ("group", name)))
        for name in sorted(shown.groups["group"])
    ]
    note = f"{words('meeting.groups_note', fewest=prospects.FEWEST)} {of_all(words)}"
    return made_sheet("groups", words, columns, rows, note)
