"""The meeting pack: what an overview shows, as sheets of figures in the reader's language. Pure functions.

Two forms. The internal one has the figures of the page, every cell. In the public one no small count can be
worked out, also not by subtracting one sheet from another: all its counts are judged together
(:mod:`dashboard.cohorts.counted`), its shares are of everybody who entered, and sheets that cannot be judged
with the others are left out by name.
"""

from __future__ import annotations

import pandas as pd

from dashboard.cohorts import compare, courses
from dashboard.cohorts import meeting_cohorts as sheets_of
from dashboard.cohorts.counted import Reach, Told, reach_of
from dashboard.cohorts.meeting_shape import (
    COUNT,
    SHARE,
    TERMS,
    TEXT,
    Sheet,
    Shown,
    made_sheet,
    named,
    newest,
    number,
    of_all,
)
from dashboard.shell.wording import Words
from data.columns import BANDS
from data.trust.small_cells import MARK

OF_A_COHORT = (2, 3)  # places among the row of figures: on time and drop-out, of one entry cohort
BY_PROGRAM = ("bands_program", "on_time_program", "why_program")


def internal_sheets(shown: Shown, words: Words) -> list[Sheet]:
    """Every sheet with the figures of the page, all cells."""
    made = [
        _kpis(shown, words),
        sheets_of.bands(shown.cube, "cohort_term", words.term, "bands", "cohort", words),
        sheets_of.bands(shown.cube, "program_code", named(shown), "bands_program", "program", words),
        sheets_of.retention(shown, words),
        sheets_of.rates(shown.cohorts, "cohort_term", words.term, "on_time", "cohort", words),
        sheets_of.rates(shown.by_program, "program_code", named(shown), "on_time_program", "program", words),
        sheets_of.funnel(shown, words),
        sheets_of.side_by_side(shown, _everything(shown), words),
        _reasons(shown, shown.reasons, words),
        _reasons_by_program(shown, words),
        _courses(shown, words, public=False),
        sheets_of.incidence(shown, words),
        sheets_of.scenarios(shown, words),
        sheets_of.groups(shown, words),
    ]
    single = () if shown.several else BY_PROGRAM
    return [sheet for sheet in made if sheet.rows and sheet.key not in single]


def public_sheets(shown: Shown, words: Words) -> tuple[list[Sheet], list[str]]:
    """The sheets that may be given out, and the keys of those that are left out.

    Returns
    -------
    (sheets, left_out)
        ``left_out`` names only what the internal form of the same page has.
    """
    told, reach = judged(shown)
    made = [
        _public_kpis(shown, told, words),
        sheets_of.public_bands(shown, told, words),
        sheets_of.public_retention(shown, told, reach, words),
        sheets_of.public_rates(shown, told, words),
        sheets_of.public_funnel(shown, told, words),
        sheets_of.side_by_side(shown, told, words),
        _public_reasons(shown, told, words),
        _courses(shown, words, public=True),
        sheets_of.public_groups(shown, told, words),
    ]
    sheets = [sheet for sheet in made if sheet is not None and sheet.rows]
    there = {sheet.key for sheet in sheets}
    return sheets, [sheet.key for sheet in internal_sheets(shown, words) if sheet.key not in there]


def judged(shown: Shown) -> tuple[Told, dict[int, Reach]]:
    """What may be told of all counts of the public form together, and how far cohorts are followed.

    What the page hides is hidden here too, so that it never hides more than what is given out.
    """
    counts, cohorts = shown.counts, shown.cohorts["cohort_term"].astype(int).tolist()
    counts.add_cohorts(cohorts)
    counts.add_ripe(cohorts)
    banded = sorted({int(cohort) for cohort in shown.cube["cohort_term"]})
    if banded:
        counts.add_bands(BANDS, banded)
    reach = reach_of(shown.progress)
    for cohort in newest(reach):
        for term in reach[cohort].terms:
            if term <= TERMS:
                counts.add_term(cohort, term, reach[cohort].followed, "kept")
    telling = counts.add_groups(shown.groups["group"].tolist(), cohorts)
    if _of_reasons(shown):
        counts.add_reasons(_of_reasons(shown))
    if shown.compared:
        compare.add_side_by_side(counts, shown.compared, shown.seen, shown.compared_terms)
    return counts.public(telling | (shown.hidden_on_page & counts.values().keys())), reach


def _everything(shown: Shown) -> Told:
    if shown.compared:
        compare.add_side_by_side(shown.counts, shown.compared, shown.seen, shown.compared_terms)
    return shown.counts.everything()


def _kpis(shown: Shown, words: Words) -> Sheet:
    heads = ("figure", "value", "change", "beside")
    ripe = shown.newest_told
    rows = []
    for at, (*figures, beside) in enumerate(shown.kpis):
        whose = words.term(ripe) if ripe is not None and at in OF_A_COHORT else ""
        told = [beside.removeprefix("+")]  # no plus first: a workbook would take it for a formula's beginning
        told = told if whose in told else [whose, *told]  # the page names the cohort itself where it is alone
        rows.append((*figures, " · ".join(filter(None, told))))
    return made_sheet("kpis", words, [(words(f"meeting.{head}"), TEXT) for head in heads], rows)


def _public_kpis(shown: Shown, told: Told, words: Words) -> Sheet:
    labels, cohort = [label for label, *_ in shown.kpis], _newest_ripe(shown)
    studying, scored, at_risk = ("all", "studying"), ("all", "scored"), ("all", "at_risk")
    rows = [(labels[0], _written(told.count(studying), words), "")]
    if at_risk in told.values:
        share = told.share(at_risk, scored)
        beside = words("meeting.of_scored", share=share if isinstance(share, str) else words.percent(share))
        rows.append((labels[1], _written(told.count(at_risk), words), beside))
    for place, state in zip(OF_A_COHORT, ("on_time", "left"), strict=True):
        if cohort is not None:
            share = told.share(("ripe", cohort, state), ("ripe", cohort, "entered"))
            value = share if isinstance(share, str) else words.percent(share, 1)
            rows.append((labels[place], value, words.term(cohort)))
    load, advisors = shown.load
    if at_risk in told.values and told.shown(at_risk) and load is not None:
        rows.append((labels[4], words.number(load, 1), words("meeting.advisors", n=advisors)))
    heads = ("figure", "value", "beside")
    return made_sheet(
        "kpis", words, [(words(f"meeting.{head}"), TEXT) for head in heads], rows, of_all(words)
    )


def _newest_ripe(shown: Shown) -> int | None:
    """The newest cohort of known outcome, which two of the figures are about."""
    ripe = shown.cohorts[shown.cohorts["mature"] & shown.cohorts["rate"].notna()]["cohort_term"]
    return int(ripe.iloc[-1]) if len(ripe) else None


def _written(count: int | str, words: Words) -> str:
    return count if isinstance(count, str) else words.number(count)


def _reason_columns(words: Words) -> list[tuple[str, str]]:
    return [
        (words("column.reason"), TEXT),
        (words("column.n"), COUNT),
        (words("column.rate"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
    ]


def _reason_rows(shown: Shown, table: pd.DataFrame, words: Words) -> list[tuple]:
    return [
        (
            shown.reason_name(row["reason"]),
            int(row["n"]),
            words("why.nearly") if pd.isna(row["rate"]) else float(row["rate"]),
            number(row["low"]),
            number(row["high"]),
        )
        for row in table.to_dict("records")
    ]


def _reasons(shown: Shown, table: pd.DataFrame, words: Words) -> Sheet:
    note = words("meeting.why_note")
    return made_sheet("why", words, _reason_columns(words), _reason_rows(shown, table, words), note)


def _reasons_by_program(shown: Shown, words: Words) -> Sheet:
    rows = [
        (named(shown)(code), *row)
        for code, row in zip(
            shown.reasons_by_program["program_code"],
            _reason_rows(shown, shown.reasons_by_program, words),
            strict=True,
        )
    ]
    return made_sheet("why_program", words, [(words("column.program"), TEXT), *_reason_columns(words)], rows)


def _of_reasons(shown: Shown) -> list[str]:
    """The programmes whose students at risk the reasons are about."""
    return sorted(set(shown.reasons_by_program["program_code"])) if len(shown.reasons) else []


def _public_reasons(shown: Shown, told: Told, words: Words) -> Sheet | None:
    """The reasons, if how many students they are about may be told beside the other sheets.

    Which of them have a reason is tied to nothing else that is told, and fewer than five on either side are
    never told of a programme (:func:`dashboard.cohorts.reasons.commonest`).
    """
    about = ("reasons", "students")
    if about not in told.values or not told.shown(about):
        return None
    if told.values[about] != int(shown.reasons["n"].iloc[0]):
        return None
    return _reasons(shown, shown.reasons, words)


def _courses(shown: Shown, words: Words, *, public: bool) -> Sheet:
    """The bottleneck courses; in public by the page's own rule, and without how many took a course, which
    others could be subtracted from."""
    table = shown.courses
    if len(table):
        narrow = table[table["narrow"] & (table["told"] | (not public))]
        table = courses.listed(table, None) if public else narrow
    columns = [
        (words("column.program"), TEXT),
        (words("column.course"), TEXT),
        (words("column.attempts"), COUNT),
        *([] if public else [(words("column.students"), COUNT)]),
        (words("column.failed_share"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
        (words("column.delayed_share"), SHARE),
        (words("column.on_time_share"), SHARE),
    ]
    figures = ("attempts", *(() if public else ("students",)), "rate", "low", "high")
    rows = [
        (
            named(shown)(row["program_code"]),
            courses.course_of(row),
            *(number(row[name]) for name in figures),
            *(
                MARK if pd.isna(row[name]) else round(float(row[name]), 2)  # more would tell of how many
                for name in ("delayed_share", "on_time_share")
            ),
        )
        for row in table.to_dict("records")
    ]
    return made_sheet("courses", words, columns, rows, words("courses.note"))
