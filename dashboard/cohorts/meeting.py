"""The meeting pack: what an overview shows, as sheets of figures in the reader's language. Pure functions.

Two forms. The internal one has the figures of the page, every cell. In the public one no small count can be
worked out, also not by subtracting one sheet from another: all its counts are judged together
(:mod:`dashboard.cohorts.counted`), its shares are of everybody who entered, and sheets that cannot be judged
with the others are left out by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from dashboard.cohorts import compare, courses, prospects, summaries
from dashboard.cohorts.compare import NOT_YET
from dashboard.cohorts.counted import STATES, Counts, Reach, Told, reach_of
from dashboard.shell.wording import Words
from data.columns import BANDS
from data.trust.small_cells import MARK

TEXT, COUNT, SHARE, MEAN = "text", "0", "0.0%", "0.00"  # what a column holds
COHORTS, TERMS = 7, 8  # newest cohorts and terms of the retention sheet, as on the page
OF_A_COHORT = (2, 3)  # places among the row of figures: on time and drop-out, of one entry cohort
BY_PROGRAM = ("bands_program", "on_time_program", "why_program")


@dataclass(frozen=True)
class Sheet:
    """A table of the pack.

    Parameters
    ----------
    key : str
        Names it in code; its words are ``meeting.sheet_<key>``.
    title : str
    head : tuple of str
        Headings.
    forms : tuple of str
        What each column holds: :data:`TEXT`, :data:`COUNT`, :data:`SHARE` (0–1) or :data:`MEAN`.
    rows : tuple of tuple
        Numbers, texts (marks included), or None where nobody knows.
    note : str
        A sentence below the title.
    """

    key: str
    title: str
    head: tuple[str, ...]
    forms: tuple[str, ...]
    rows: tuple[tuple, ...]
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """What the overview shows, as frames.

    Parameters
    ----------
    kpis : list of tuple of str
        The row of figures: label, value, change, what stands beside it.
    names : mapping
        Programme code → name.
    cohorts, by_program : DataFrame
        :func:`dashboard.cohorts.summaries.outcomes` by entry cohort and by programme.
    progress, progress_of_program : DataFrame
        :func:`dashboard.cohorts.summaries.followed` of what is chosen, and of all its programme's cohorts.
    cube : DataFrame
        Students by band; no row where none may be told.
    reasons, reasons_by_program : DataFrame
        :mod:`dashboard.cohorts.reasons`.
    reason_name : callable
        A reason in words.
    courses : DataFrame
        :func:`dashboard.cohorts.courses.by_course` of the programme; no row without grades.
    incidence : mapping
        "mature" and "immature" → :func:`dashboard.cohorts.prospects.incidence`.
    scenarios : DataFrame
        :func:`dashboard.cohorts.prospects.scenarios`.
    attribute : str
        By which groups are formed.
    groups : DataFrame
        :func:`dashboard.cohorts.prospects.groups`, groups by their codes.
    group_name : callable
        A group's code in words.
    counts : Counts
        Of every cohort of the programme.
    compared : list of int
        Cohorts that stand side by side; empty: none.
    compared_terms : int
    seen : mapping
        :func:`dashboard.cohorts.compare.seen_cohorts`.
    reported : frozenset of str
        Programmes of which exits are recorded.
    load : tuple of (float or None, int)
        Students at risk per advisor, and how many advisors.
    several : bool
        Whether more than one programme is counted.
    """

    kpis: list[tuple[str, str, str, str]]
    names: Mapping[str, str]
    cohorts: pd.DataFrame
    by_program: pd.DataFrame
    progress: pd.DataFrame
    progress_of_program: pd.DataFrame
    cube: pd.DataFrame
    reasons: pd.DataFrame
    reasons_by_program: pd.DataFrame
    reason_name: Callable[[str], str]
    courses: pd.DataFrame
    incidence: Mapping[str, pd.DataFrame]
    scenarios: pd.DataFrame
    attribute: str
    groups: pd.DataFrame
    group_name: Callable[[str], str]
    counts: Counts
    compared: list[int]
    compared_terms: int
    seen: Mapping[int, compare.Seen]
    reported: frozenset[str]
    load: tuple[float | None, int]
    several: bool


def internal_sheets(shown: Shown, words: Words) -> list[Sheet]:
    """Every sheet with the figures of the page, all cells."""
    made = [
        _kpis(shown, words),
        _bands(shown.cube, "cohort_term", words.long_term, "bands", "cohort", words),
        _bands(shown.cube, "program_code", _named(shown), "bands_program", "program", words),
        _retention(shown, words),
        _rates(shown.cohorts, "cohort_term", words.long_term, "on_time", "cohort", words),
        _rates(shown.by_program, "program_code", _named(shown), "on_time_program", "program", words),
        _funnel(shown, words),
        _side_by_side(shown, _everything(shown), words),
        _reasons(shown, shown.reasons, words),
        _reasons_by_program(shown, words),
        _courses(shown, words, public=False),
        _incidence(shown, words),
        _scenarios(shown, words),
        _groups(shown, words),
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
        _public_bands(shown, told, words),
        _public_retention(shown, told, reach, words),
        _public_rates(shown, told, words),
        _public_funnel(shown, told, words),
        _side_by_side(shown, told, words),
        _public_reasons(shown, told, words),
        _courses(shown, words, public=True),
        _public_groups(shown, told, words),
    ]
    sheets = [sheet for sheet in made if sheet is not None and sheet.rows]
    there = {sheet.key for sheet in sheets}
    return sheets, [sheet.key for sheet in internal_sheets(shown, words) if sheet.key not in there]


def judged(shown: Shown) -> tuple[Told, dict[int, Reach]]:
    """What may be told of all counts of the public form together, and how far cohorts are followed."""
    counts, cohorts = shown.counts, shown.cohorts["cohort_term"].astype(int).tolist()
    counts.add_cohorts(cohorts)
    counts.add_ripe(cohorts)
    banded = sorted({int(cohort) for cohort in shown.cube["cohort_term"]})
    if banded:
        counts.add_bands(BANDS, banded)
    reach = reach_of(shown.progress)
    for cohort in _newest(reach):
        for term in reach[cohort].terms:
            if term <= TERMS:
                counts.add_term(cohort, term, reach[cohort].followed, "kept")
    telling = counts.add_groups(shown.groups["group"].tolist(), cohorts)
    if _of_reasons(shown):
        counts.add_reasons(_of_reasons(shown))
    if shown.compared:
        compare.add_side_by_side(counts, shown.compared, shown.seen, shown.compared_terms)
    return counts.public(telling), reach


def _newest(reach: Iterable[int]) -> list[int]:
    return sorted(reach)[-COHORTS:]


def _everything(shown: Shown) -> Told:
    if shown.compared:
        compare.add_side_by_side(shown.counts, shown.compared, shown.seen, shown.compared_terms)
    return shown.counts.everything()


def _sheet(
    key: str, words: Words, columns: list[tuple[str, str]], rows: Iterable[tuple], note: str = ""
) -> Sheet:
    """``columns``: heading and form of each."""
    return Sheet(
        key,
        words(f"meeting.sheet_{key}"),
        tuple(head for head, _ in columns),
        tuple(form for _, form in columns),
        tuple(tuple(row) for row in rows),
        note,
    )


def _named(shown: Shown) -> Callable[[str], str]:
    return lambda code: f"{code} {shown.names.get(code, '')}".strip()


def _number(value: object) -> object:
    """A figure of a frame as a cell: missing is None, counts are whole."""
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else float(value) if isinstance(value, float) else int(value)


# --- sheets that both forms have in their own way ---------------------------------------------------------
def _kpis(shown: Shown, words: Words) -> Sheet:
    heads = ("figure", "value", "change", "beside")
    ripe = _newest_ripe(shown)
    rows = []
    for at, (*figures, beside) in enumerate(shown.kpis):
        whose = words.long_term(ripe) if ripe is not None and at in OF_A_COHORT else ""
        # No plus first: a workbook would take it for the beginning of a formula.
        rows.append((*figures, " · ".join(filter(None, (whose, beside.removeprefix("+"))))))
    return _sheet("kpis", words, [(words(f"meeting.{head}"), TEXT) for head in heads], rows)


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
            rows.append((labels[place], value, words.long_term(cohort)))
    load, advisors = shown.load
    if at_risk in told.values and told.shown(at_risk) and load is not None:
        rows.append((labels[4], words.number(load, 1), words("meeting.advisors", n=advisors)))
    heads = ("figure", "value", "beside")
    return _sheet("kpis", words, [(words(f"meeting.{head}"), TEXT) for head in heads], rows, _of_all(words))


def _newest_ripe(shown: Shown) -> int | None:
    """The newest cohort of known outcome, which two of the figures are about."""
    ripe = shown.cohorts[shown.cohorts["mature"] & shown.cohorts["rate"].notna()]["cohort_term"]
    return int(ripe.iloc[-1]) if len(ripe) else None


def _written(count: int | str, words: Words) -> str:
    return count if isinstance(count, str) else words.number(count)


def _of_all(words: Words) -> str:
    return words("meeting.of_all")


def _bands(cube: pd.DataFrame, by: str, name: Callable, key: str, head: str, words: Words) -> Sheet:
    columns = [(words(f"column.{head}"), TEXT), *_band_columns(words)]
    if cube.empty:
        return _sheet(key, words, columns, ())
    wide = cube.pivot_table(index=by, columns="band", values="students", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=list(BANDS), fill_value=0).astype(int)
    rows = [(name(group), *row.tolist(), int(row.sum())) for group, row in wide.iterrows()]
    return _sheet(key, words, columns, rows)


def _band_columns(words: Words) -> list[tuple[str, str]]:
    return [*((words(f"band.{band}"), COUNT) for band in BANDS), (words("column.students"), COUNT)]


def _public_bands(shown: Shown, told: Told, words: Words) -> Sheet:
    cohorts = sorted({int(cohort) for cohort in shown.cube["cohort_term"]})
    rows = [
        (words.long_term(cohort), *(told.count(("band", cohort, one)) for one in (*BANDS, "students")))
        for cohort in cohorts
    ]
    return _sheet("bands", words, [(words("column.cohort"), TEXT), *_band_columns(words)], rows)


def _retention(shown: Shown, words: Words) -> Sheet:
    table = summaries.retention(shown.progress, COHORTS, TERMS)
    shares = {
        (int(row.cohort_term), int(row.terms_completed)): row.share for row in table.itertuples() if row.n
    }
    sizes = dict(zip(table["cohort_term"].astype(int), table["n"].astype(int), strict=True))
    rows = [
        (
            words.long_term(cohort),
            n,
            *(shares.get((cohort, term), _unseen(shown, cohort, term)) for term in range(1, TERMS + 1)),
        )
        for cohort, n in sizes.items()
    ]
    return _sheet("retention", words, _retention_columns(words), rows)


def _unseen(shown: Shown, cohort: int, term: int) -> str | None:
    """What stands for a term without a figure: not yet observed, or over and a programme has none."""
    return NOT_YET if term > shown.seen.get(cohort, compare.Seen()).closed else None


def _retention_columns(words: Words) -> list[tuple[str, str]]:
    terms = [(words("meeting.term", n=term), SHARE) for term in range(1, TERMS + 1)]
    return [(words("column.cohort"), TEXT), (words("compare.entered"), COUNT), *terms]


def _public_retention(shown: Shown, told: Told, reach: dict[int, Reach], words: Words) -> Sheet:
    rows = [
        (
            words.long_term(cohort),
            told.count(("followed", cohort)),
            *(
                told.share(("kept", cohort, term), ("followed", cohort))
                if term in reach[cohort].terms
                else _unseen(shown, cohort, term)
                for term in range(1, TERMS + 1)
            ),
        )
        for cohort in _newest(reach)
        if ("followed", cohort) in told.values
    ]
    return _sheet("retention", words, _retention_columns(words), rows)


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


def _rates(table: pd.DataFrame, by: str, name: Callable, key: str, head: str, words: Words) -> Sheet:
    figures = ("n", "on_time_n", "rate", "low", "high", "left_n", "left_rate")
    rows = [
        (name(row[by]), *(_number(row[figure]) if row["n"] else NOT_YET for figure in figures))
        for row in table.to_dict("records")
    ]
    return _sheet(key, words, _rate_columns(head, words), rows)


def _public_rate(told: Told, name: tuple) -> tuple:
    """n, on time and its rate with the interval; of all entrants."""
    whole, on_time = (*name, "entered"), (*name, "on_time")
    interval: tuple = (MARK, MARK)
    if told.shown(whole, on_time):
        low, high = summaries.wilson(pd.Series([told.values[on_time]]), pd.Series([told.values[whole]]))
        interval = (_number(float(low[0])), _number(float(high[0])))
    return told.count(whole), told.count(on_time), told.share(on_time, whole), *interval


def _public_rates(shown: Shown, told: Told, words: Words) -> Sheet:
    rows = []
    for cohort in shown.cohorts["cohort_term"].astype(int):
        whole, left = (("ripe", cohort, state) for state in ("entered", "left"))
        figures = (*_public_rate(told, ("ripe", cohort)), told.count(left), told.share(left, whole))
        rows.append((words.long_term(cohort), *(figures if told.values[whole] else [NOT_YET] * len(figures))))
    return _sheet("on_time", words, _rate_columns("cohort", words), rows, _of_all(words))


def _funnel_columns(words: Words) -> list[tuple[str, str]]:
    states = [(words(f"state_of.{state}"), COUNT) for state in STATES]
    return [(words("column.cohort"), TEXT), (words("column.entered"), COUNT), *states]


def _funnel(shown: Shown, words: Words) -> Sheet:
    table = shown.cohorts.assign(late=shown.cohorts["graduated"] - shown.cohorts["on_time"])
    rows = [
        (words.long_term(row["cohort_term"]), *(int(row[state]) for state in ("entered", *STATES)))
        for row in table.to_dict("records")
    ]
    return _sheet("funnel", words, _funnel_columns(words), rows)


def _public_funnel(shown: Shown, told: Told, words: Words) -> Sheet:
    rows = [
        (words.long_term(cohort), *(told.count(("cohort", cohort, state)) for state in ("entered", *STATES)))
        for cohort in shown.cohorts["cohort_term"].astype(int)
    ]
    return _sheet("funnel", words, _funnel_columns(words), rows)


def _side_by_side(shown: Shown, told: Told, words: Words) -> Sheet:
    forms = {name: SHARE for name in compare.MEASURES} | {"gpa": MEAN}
    columns = [
        (words("column.cohort"), TEXT),
        (words("compare.term"), COUNT),
        (words("compare.entered"), COUNT),
    ]
    columns += [(words(f"compare.{name}"), forms[name]) for name in compare.MEASURES]
    if not shown.compared:
        return _sheet("compare", words, columns, ())
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
            words.long_term(row["cohort_term"]),
            int(row["term"]),
            *(_number(row[name]) for name in ("entered", *compare.MEASURES)),
        )
        for row in table.to_dict("records")
    ]
    return _sheet("compare", words, columns, rows, words("compare.gpa_help"))


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
            _number(row["low"]),
            _number(row["high"]),
        )
        for row in table.to_dict("records")
    ]


def _reasons(shown: Shown, table: pd.DataFrame, words: Words) -> Sheet:
    note = words("meeting.why_note")
    return _sheet("why", words, _reason_columns(words), _reason_rows(shown, table, words), note)


def _reasons_by_program(shown: Shown, words: Words) -> Sheet:
    rows = [
        (_named(shown)(code), *row)
        for code, row in zip(
            shown.reasons_by_program["program_code"],
            _reason_rows(shown, shown.reasons_by_program, words),
            strict=True,
        )
    ]
    return _sheet("why_program", words, [(words("column.program"), TEXT), *_reason_columns(words)], rows)


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
            _named(shown)(row["program_code"]),
            courses.course_of(row),
            *(_number(row[name]) for name in figures),
            *(
                MARK if pd.isna(row[name]) else round(float(row[name]), 2)  # more would tell of how many
                for name in ("delayed_share", "on_time_share")
            ),
        )
        for row in table.to_dict("records")
    ]
    return _sheet("courses", words, columns, rows, words("courses.note"))


def _incidence(shown: Shown, words: Words) -> Sheet:
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
            *(_number(row[name]) for name in ("share", "low", "high")),
            int(row["at_risk"]),
        )
        for ripeness, table in shown.incidence.items()
        for row in table.to_dict("records")
    ]
    return _sheet("incidence", words, columns, rows)


def _scenarios(shown: Shown, words: Words) -> Sheet:
    columns = [
        (words("column.cohort"), TEXT),
        (words("column.n"), COUNT),
        (words("column.rate"), SHARE),
        (words("meeting.low"), SHARE),
        (words("meeting.high"), SHARE),
    ]
    rows = [
        (words.long_term(row["cohort_term"]), *(_number(row[name]) for name in ("n", "rate", "low", "high")))
        for row in shown.scenarios.to_dict("records")
    ]
    return _sheet("scenarios", words, columns, rows, words("overview.scenario_note"))


def _group_columns(shown: Shown, words: Words) -> list[tuple[str, str]]:
    return [(words(f"attribute.{shown.attribute}"), TEXT), *_rate_columns("cohort", words)[1:]]


def _groups(shown: Shown, words: Words) -> Sheet:
    figures = ("n", "on_time_n", "rate", "low", "high", "left_n", "left_rate")
    rows = [
        (shown.group_name(row["group"]), *(_number(row[name]) for name in figures))
        for row in shown.groups.to_dict("records")
    ]
    note = words("meeting.groups_note", fewest=prospects.FEWEST)
    return _sheet("groups", words, _group_columns(shown, words), rows, note)


def _public_groups(shown: Shown, told: Told, words: Words) -> Sheet:
    columns = _group_columns(shown, words)[:6]
    rows = [
        (shown.group_name(name), *_public_rate(told, ("group", name)))
        for name in sorted(shown.groups["group"])
    ]
    note = f"{words('meeting.groups_note', fewest=prospects.FEWEST)} {_of_all(words)}"
    return _sheet("groups", words, columns, rows, note)
