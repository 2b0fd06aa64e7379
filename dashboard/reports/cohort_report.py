"""The cohort report for leadership: outcomes and retention by entry cohort, mature ones apart."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.reports import documents
from dashboard.reports.charts import grouped_bars
from dashboard.reports.provenance import Provenance
from dashboard.reports.words import figure, say
from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import PARTS, cohort_outcomes, observed_by_programme, retention
from data.trust.small_cells import MARK, THRESHOLD, CountSystem, hidden_counts

YEARS = 4


@dataclass(frozen=True)
class CohortTables:
    """Figures of the cohort report.

    Parameters
    ----------
    outcomes : DataFrame
        Index ``entry_year``; ``entrants``, :data:`data.calendar.cohorts.PARTS`, ``on_time_rate`` (0–1),
        ``mature``; hidden counts and what rests on them are null when ``external``.
    retained : DataFrame
        Index ``entry_year``, columns 1…4: share still studying or graduated after so many years (0–1), null
        where not yet observable.
    hidden : DataFrame
        Same shape: shares that would tell of fewer than five students, not to be printed.
    external : bool
    """

    outcomes: pd.DataFrame
    retained: pd.DataFrame
    hidden: pd.DataFrame
    external: bool


def cohort_tables(
    flow: pd.DataFrame,
    program_code: str = "",
    *,
    external: bool = False,
    calendar: AcademicCalendar = AcademicCalendar(),
) -> CohortTables:
    """Compute the cohort report.

    Parameters
    ----------
    flow : DataFrame
        From :func:`data.calendar.cohorts.build_flow`.
    program_code : str
        Empty: every programme together.
    external : bool
        Hide small cells with their complements.
    calendar : AcademicCalendar
        Must be the one that the flow was built with.
    """
    if program_code:
        flow = flow[flow["program_code"] == program_code]
    if flow.empty:
        years = pd.Index([], name="entry_year", dtype="int64")
        nobody = pd.DataFrame(index=years, columns=["entrants", *PARTS, "on_time_rate"], dtype=float)
        after = pd.DataFrame(index=years, columns=range(1, YEARS + 1), dtype=float)
        return CohortTables(nobody.assign(mature=False), after, after.astype(bool), external)
    snapshot = flow["program_code"].astype(object).map(observed_by_programme(flow))
    by_program = cohort_outcomes(flow, snapshot, calendar)
    counts = by_program.groupby("entry_year")[["entrants", *PARTS]].sum()
    mature = by_program.groupby("entry_year")["mature"].all()
    kept = retention(flow, snapshot, YEARS, calendar)
    sums = kept.groupby(["entry_year", "after_years"]).agg(
        entrants=("entrants", "sum"),
        deceased=("deceased", "sum"),
        kept=("retained", "sum"),
        mature=("mature", "all"),
    )
    left = sums["entrants"] - sums["deceased"]
    rate = (sums["kept"] / left.where(left > 0)).where(sums["mature"])
    few = (left - sums["kept"]).between(1, THRESHOLD - 1) | sums["kept"].between(1, THRESHOLD - 1)
    few = few & external & sums["mature"]
    if external:
        counts = _hide(counts)
    outcomes = counts.assign(on_time_rate=counts["on_time"] / counts["entrants"], mature=mature)
    retained = rate.where(~few)
    return CohortTables(outcomes, retained.unstack("after_years"), few.unstack("after_years"), external)


def _hide(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts as floats with the small ones, and what would give them away, set to null.

    The report prints no sums over cohorts, so none can be subtracted from.
    """
    values = {(str(year), name): int(counts.loc[year, name]) for year in counts.index for name in counts}
    sums = [
        {(str(year), "entrants"): -1.0} | {(str(year), name): 1.0 for name in PARTS} for year in counts.index
    ]
    hidden = hidden_counts(CountSystem(values, frozenset(values), tuple(sums)))
    shown = counts.astype(float)
    for year, name in hidden:
        shown.loc[int(year), name] = float("nan")
    return shown


def cohort_report(
    tables: CohortTables,
    provenance: Provenance,
    language: str,
    *,
    program: str = "",
    snapshot: str = "",
    scenarios: pd.DataFrame | None = None,
) -> bytes:
    """The report as a PDF.

    Parameters
    ----------
    tables : CohortTables
    provenance : Provenance
    language : {"id", "en"}
    program, snapshot : str
        As printed.
    scenarios : DataFrame, optional
        Index entry year; ``low, mid, high``: forecast shares on time, 0–1, of immature cohorts.
    """
    blocks = [
        documents.facts(
            [
                (say(language, "institution"), provenance.institution or "—"),
                (say(language, "program"), program or say(language, "all_programs")),
                (say(language, "snapshot"), snapshot or "—"),
            ]
        ),
        documents.note(say(language, "cohort_lead")),
    ]
    if tables.outcomes.empty:
        blocks.append(documents.text(say(language, "no_cohorts")))
    for state, title in ((True, "mature_cohorts"), (False, "immature_cohorts")):
        part = tables.outcomes[tables.outcomes["mature"] == state]
        if not part.empty:
            blocks += [documents.heading(say(language, title)), _outcome_table(part, language)]
    mature = tables.outcomes[tables.outcomes["mature"]]
    if mature["on_time_rate"].notna().any():
        blocks.append(documents.chart(_on_time_chart(mature, language)))
    if not tables.retained.empty:
        blocks += [
            documents.heading(say(language, "retention_title")),
            _retention_table(tables, language),
        ]
    if scenarios is not None and not scenarios.empty:
        blocks += _scenario_blocks(scenarios, language)
    banner = say(language, "external" if tables.external else "internal")
    return documents.document(
        say(language, "leadership_title"), blocks, provenance, language, footer=banner, landscape=True
    )


def _outcome_table(part: pd.DataFrame, language: str) -> dict:
    names = ("entrants", *PARTS)
    head = [say(language, "cohort"), *(say(language, name) for name in names), say(language, "on_time_rate")]
    rows = []
    for year, row in part.iterrows():
        cells = [MARK if pd.isna(row[name]) else figure(int(row[name]), "0", language) for name in names]
        rate = "…" if not row["mature"] else MARK if pd.isna(row["on_time_rate"]) else ""
        cells.append(rate or figure(row["on_time_rate"], "0.0%", language))
        rows.append([f"{year}/{year + 1}", *cells])
    return documents.table(head, rows, widths=[1.3, *[1] * (len(head) - 1)])


def _on_time_chart(mature: pd.DataFrame, language: str):
    rates = [None if pd.isna(rate) else float(rate) for rate in mature["on_time_rate"]]
    title = say(language, "on_time_rate")
    hidden = {title: [MARK if rate is None else "" for rate in rates]}
    groups = [f"{year}/{year + 1}" for year in mature.index]
    return grouped_bars(title, groups, {title: rates}, language, form="0.0%", marks=hidden)


def _retention_table(tables: CohortTables, language: str) -> dict:
    head = [say(language, "cohort"), *(say(language, "after_year", n=k) for k in tables.retained.columns)]
    rows = []
    for year, row in tables.retained.iterrows():
        cells = [
            MARK if tables.hidden.loc[year, k] else "…" if pd.isna(rate) else figure(rate, "0.0%", language)
            for k, rate in row.items()
        ]
        rows.append([f"{year}/{year + 1}", *cells])
    return documents.table(head, rows)


def _scenario_blocks(scenarios: pd.DataFrame, language: str) -> list[dict]:
    head = [say(language, "cohort"), *(say(language, f"scenario_{name}") for name in ("low", "mid", "high"))]
    rows = [
        [f"{year}/{year + 1}", *(figure(row[name], "0.0%", language) for name in ("low", "mid", "high"))]
        for year, row in scenarios.iterrows()
    ]
    title = say(language, "scenario_title")
    return [
        documents.heading(title),
        documents.note(say(language, "scenario_note")),
        documents.table(head, rows),
    ]
