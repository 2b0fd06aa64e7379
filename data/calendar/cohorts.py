"""Student flow, computed once: who entered when, who left how and when, and what can be known by now.

Everything here is a pure function of frames. The rules that keep a flow table honest:

* a cohort is fixed **at entry** (``cohort_term``) and never rebuilt from graduates;
* study time in years comes from dates, elapsed and elapsed minus approved leave; in terms, and on time, from
  the exit term (:mod:`data.calendar.study_time`);
* a rate is *mature* only when the observation reaches the closing day of the last term of its horizon;
* a programme is observed until its own last day, not until that of the programme seen last;
* an exit without a usable date, an unknown entry type, a student without an outcome row are counted and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.calendar.academic_year import AcademicCalendar
from data.calendar.study_time import deadlines, each, study_time, within_normal_time
from data.calendar.term_calendar import term_end, term_on, term_start
from data.columns import DROPOUT_EXITS, ENTRY_TYPES, NORMAL_TERMS, OTHER_EXITS

DAYS_PER_YEAR = 365.25
YEARS_PER_LEAVE_TERM = 0.5  # a leave is granted by regular term
NEVER = 9999  # academic year of an exit that has not happened; sorts after every real year
DAYS_OF_NEVER = 10**6  # days to an exit that has not happened
UNKNOWN = "unknown"
PARTS = ("on_time", "late", "dropped_out", "transferred", "deceased", "other_exit", "enrolled")
AUGUST = 8


@dataclass(frozen=True)
class Notice:
    """Something a reader of the table must know, with the number of students it concerns.

    Parameters
    ----------
    code : str
        Stable name, e.g. ``entry_type_missing``; the words live with the reader's language.
    count : int
        Students concerned, >= 0.
    detail : str
        A name or a year where the code alone does not say enough.
    """

    code: str
    count: int
    detail: str = ""


def build_flow(
    rows: pd.DataFrame, leave: pd.DataFrame | None = None, calendar: AcademicCalendar = AcademicCalendar()
) -> pd.DataFrame:
    """One row per student with everything that a flow table may ask about.

    Parameters
    ----------
    rows : DataFrame
        One row per registration: ``student_key, program_code, cohort_term, entry_type, exit_type, exit_date,
        terms_to_exit, observed_until`` and, where known, ``normal_terms, degree_level, exit_term,
        gpa_final, has_outcome`` (without it, a row without ``observed_until`` is one without an outcome).
    leave : DataFrame, optional
        ``student_key, term_id``: the regular terms of approved leave.
    calendar : AcademicCalendar
        Boundary of the academic year, and to which term an exit belongs.

    Returns
    -------
    DataFrame
        Sorted by ``student_key``. Adds ``entry_year, entry_term`` (1 odd, 2 even), ``entry_date, exit_year``
        (9999 while enrolled, null for an exit without a date), ``years_to_exit`` (``exit_year - entry_year``,
        null while enrolled), ``augusts_to_exit`` (31 Augusts from the entry year to the exit, the one that
        follows it included; 9999 while enrolled), ``study_years`` and ``study_years_net`` (years from the
        first day of the entry term to the exit date, null without a usable one), ``study_years_terms`` (half
        a year for each regular term until exit), ``leave_years`` (academic year of every regular term of
        leave) and ``leave_terms`` (their number), ``exit_terms`` (regular terms until exit),
        ``study_year_at_exit`` (1, 2, …), ``normal_ratio`` (``exit_terms / normal_terms``),
        ``normal_end_year`` and ``double_end_year`` (academic years in which once and twice the normal time
        end), ``days_to_exit`` (from the first day of the entry term; 10**6 while enrolled),
        ``exit_date_derived`` (from the exit term, or the last day of it), and flags ``undated_exit``,
        ``exit_before_entry``, ``no_outcome``.

    Raises
    ------
    ValueError
        When a needed column is missing or a student has two rows.
    """
    _require(rows, ("student_key", "program_code", "cohort_term", "entry_type", "exit_type", "exit_date"))
    if rows["student_key"].duplicated().any():
        twice = rows.loc[rows["student_key"].duplicated(), "student_key"].iloc[0]
        raise ValueError(f"rows must have one row per student_key, got two for {twice!r}")
    flow = _with_optional(rows).sort_values("student_key", kind="stable", ignore_index=True)
    flow["entry_type"] = flow["entry_type"].where(flow["entry_type"].isin(ENTRY_TYPES), UNKNOWN)
    flow["exit_type"] = flow["exit_type"].astype(object).where(flow["exit_type"].notna(), "enrolled")
    starts = {term: pd.Timestamp(term_start(term)) for term in flow["cohort_term"].unique()}
    flow["entry_date"] = pd.to_datetime(flow["cohort_term"].map(starts))
    flow["entry_year"] = (flow["cohort_term"] // 10).astype("int64")
    flow["entry_term"] = (flow["cohort_term"] % 10).astype("int64")
    gone = flow["exit_type"].where(flow["exit_type"] != "enrolled")
    exits = study_time(flow.assign(exit_type=gone), calendar.study)
    _date_exits(flow, exits, calendar)
    _measure_study_time(flow, exits, leave)
    for name in ("entry_type", "exit_type", "program_code", "degree_level"):
        flow[name] = flow[name].astype("category")
    return flow


def _require(frame: pd.DataFrame, names) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(f"rows must have the columns {', '.join(names)}; missing: {', '.join(missing)}")


def _with_optional(rows: pd.DataFrame) -> pd.DataFrame:
    flow = rows.copy()
    for name in ("terms_to_exit", "exit_term", "gpa_final"):
        flow[name] = pd.to_numeric(flow[name]) if name in flow else np.nan
    for name in ("exit_date", "observed_until"):
        flow[name] = pd.to_datetime(flow[name]) if name in flow else pd.NaT
    if "degree_level" not in flow:
        flow["degree_level"] = UNKNOWN
    if "normal_terms" not in flow:
        flow["normal_terms"] = flow["degree_level"].map(NORMAL_TERMS).fillna(NORMAL_TERMS["S1"])
    return flow


def _date_exits(flow: pd.DataFrame, exits: pd.DataFrame, calendar: AcademicCalendar) -> None:
    gone = flow["exit_type"] != "enrolled"
    last_day = each(exits["exit_term"], term_end)
    flow["exit_date_derived"] = gone & (
        (flow["exit_date"].isna() & exits["exit_date"].notna()) | (exits["exit_date"] == last_day)
    )
    flow["exit_date"] = exits["exit_date"]
    flow["undated_exit"] = gone & flow["exit_date"].isna()
    flow["exit_before_entry"] = flow["exit_date"] < flow["entry_date"]
    told = flow["has_outcome"].astype(bool) if "has_outcome" in flow else flow["observed_until"].notna()
    flow["no_outcome"] = ~told
    dated = calendar.year_of(flow["exit_date"])
    early = (dated < flow["entry_year"]) & ~flow["exit_before_entry"]  # gone before the year of entry turned
    dated = dated.mask(early, flow["entry_year"])
    flow["years_to_exit"] = dated - flow["entry_year"]
    flow["exit_year"] = dated.where(gone, NEVER)
    turned = flow["exit_date"].dt.year + (flow["exit_date"].dt.month > AUGUST)
    flow["augusts_to_exit"] = (turned - flow["entry_year"]).astype("float64").where(gone, NEVER)


def _measure_study_time(flow: pd.DataFrame, exits: pd.DataFrame, leave: pd.DataFrame | None) -> None:
    elapsed = (flow["exit_date"] - flow["entry_date"]).dt.days / DAYS_PER_YEAR
    flow["study_years"] = elapsed.where(~flow["exit_before_entry"])
    flow["leave_years"] = _leave_years(flow, leave)
    flow["leave_terms"] = flow["leave_years"].map(len).astype("int64")
    net = flow["study_years"] - YEARS_PER_LEAVE_TERM * flow["leave_terms"]
    flow["study_years_net"] = net.clip(lower=0)
    flow["exit_terms"] = exits["terms"].astype("float64")
    flow["study_years_terms"] = (flow["exit_terms"] / 2).where(flow["exit_terms"] > 0)
    flow["study_year_at_exit"] = np.ceil(flow["exit_terms"] / 2).clip(lower=1)
    flow["normal_ratio"] = flow["exit_terms"] / flow["normal_terms"]
    flow["normal_end_year"] = _year_of_last_term(flow, 1)
    flow["double_end_year"] = _year_of_last_term(flow, 2)
    gone = flow["exit_type"] != "enrolled"
    flow["days_to_exit"] = (flow["exit_date"] - flow["entry_date"]).dt.days.where(gone, DAYS_OF_NEVER)


def _year_of_last_term(flow: pd.DataFrame, times: int) -> pd.Series:
    """Academic year of the last term of so many times the normal study time."""
    last = 2 * flow["entry_year"] + (flow["entry_term"] == 2) + times * flow["normal_terms"] - 1
    return (last // 2).astype("int64")


def _leave_years(flow: pd.DataFrame, leave: pd.DataFrame | None) -> pd.Series:
    if leave is None or leave.empty:
        return pd.Series([()] * len(flow), index=flow.index, dtype=object)
    regular = leave[leave["term_id"] % 10 != 3].drop_duplicates(["student_key", "term_id"])
    years: dict[str, tuple[int, ...]] = {}
    for key, year in zip(regular["student_key"].tolist(), (regular["term_id"] // 10).tolist(), strict=True):
        years[key] = (*years.get(key, ()), year)
    return pd.Series(
        [years.get(key, ()) for key in flow["student_key"].tolist()], index=flow.index, dtype=object
    )


def observed_by_programme(flow: pd.DataFrame) -> pd.Series:
    """Programme code → last day on which that programme was observed (datetime64; null: no row says so)."""
    return flow.groupby("program_code", observed=True)["observed_until"].max()


def snapshot_date(flow: pd.DataFrame) -> date | None:
    """The last day on which everything in ``flow`` was observed; ``None`` when no row says so.

    Of several programmes the one seen first decides: until then all of them are known. One in which nobody
    studies any more hides nothing and does not count, unless there is no other.
    """
    days = observed_by_programme(flow).dropna()
    studying = flow.loc[flow["exit_type"] == "enrolled", "program_code"].unique()
    still = days[days.index.isin(studying)]
    last = still.min() if len(still) else days.max()
    return None if pd.isna(last) else last.date()


def exits_after(flow: pd.DataFrame, day: date) -> int:
    """How many exits of a flow lie after a day: on record already, though not everything of then is."""
    return int((flow["exit_date"] > pd.Timestamp(day)).sum())


def flow_notices(flow: pd.DataFrame) -> tuple[Notice, ...]:
    """What is open or doubtful in a flow, each with the number of students; empty when nothing is."""
    counts = {
        "entry_type_missing": (flow["entry_type"] == UNKNOWN).sum(),
        "exit_without_date": flow["undated_exit"].sum(),
        "exit_date_from_term": flow["exit_date_derived"].sum(),
        "exit_before_entry": flow["exit_before_entry"].sum(),
        "no_outcome_row": flow["no_outcome"].sum(),
    }
    return tuple(Notice(code, int(n)) for code, n in counts.items() if n)


def is_mature(entry_date, horizon_years, snapshot, calendar=AcademicCalendar()) -> np.ndarray:
    """Whether the observation reaches the closing day of the last term of a horizon after entry.

    Parameters
    ----------
    entry_date : array-like of datetime
    horizon_years : float or array-like
        Years after entry, >= 0.
    snapshot : date, array-like of datetime, or None
        Last day observed, of all or of each; ``None`` or null: not mature.
    calendar : AcademicCalendar
        Tells when a term closes.
    """
    entry = pd.DatetimeIndex(np.atleast_1d(np.asarray(entry_date, dtype="datetime64[ns]")))
    if snapshot is None:
        return np.zeros(len(entry), dtype=bool)
    years = np.broadcast_to(np.asarray(horizon_years, dtype=float), len(entry))
    first = each(pd.Series(entry), lambda day: term_on(day.date()), "int64")
    ends = deadlines(first, np.ceil(years / YEARS_PER_LEAVE_TERM).astype(int), calendar.study)
    seen = np.broadcast_to(np.asarray(snapshot, dtype="datetime64[ns]"), len(entry))
    return ends.to_numpy() <= seen


def graduation_by_year(flow: pd.DataFrame) -> pd.DataFrame:
    """Graduates by programme, entry cohort and academic year of graduation.

    Returns
    -------
    DataFrame
        ``program_code, entry_year, exit_year, graduates, mean_study_years, mean_study_years_net``.
    """
    graduates = flow[(flow["exit_type"] == "graduated") & ~flow["undated_exit"]]
    keys = ["program_code", "entry_year", "exit_year"]
    return graduates.groupby(keys, observed=True, as_index=False).agg(
        graduates=("student_key", "size"),
        mean_study_years=("study_years", "mean"),
        mean_study_years_net=("study_years_net", "mean"),
    )


def retention(
    flow: pd.DataFrame,
    snapshot: date | pd.Series | None,
    years: int = 4,
    calendar: AcademicCalendar = AcademicCalendar(),
) -> pd.DataFrame:
    """Share of each cohort still studying, or graduated, ``k`` years after entry.

    Gone after ``k`` years is who studied at most ``2 k`` terms: an exit in August belongs to the year that
    ends. Death leaves the denominator (it is no drop-out); a transfer, drop-out or other exit stays in it.
    An exit without a usable date counts as gone from the first year on: the rate is never flattered by a gap
    in the register.

    Returns
    -------
    DataFrame
        ``program_code, entry_year, after_years`` (1…years), ``entrants`` (students of the cohort),
        ``deceased``, ``retained``, ``rate`` (0–1; null when immature or nobody is left in the denominator),
        ``mature``.
    """
    pieces = []
    lost = flow["exit_type"].isin((*DROPOUT_EXITS, *OTHER_EXITS, "transferred"))
    left_after = (flow["exit_terms"] / 2).fillna(0).where(flow["exit_type"] != "enrolled", np.inf)
    for k in range(1, years + 1):
        gone = left_after <= k
        part = pd.DataFrame(
            {
                "program_code": flow["program_code"],
                "entry_year": flow["entry_year"],
                "deceased": (flow["exit_type"] == "deceased") & gone,
                "lost": lost & gone,
                "mature": is_mature(flow["entry_date"], k, snapshot, calendar),
            }
        )
        grouped = part.groupby(["program_code", "entry_year"], observed=True)
        table = grouped.agg(deceased=("deceased", "sum"), lost=("lost", "sum"), mature=("mature", "all"))
        table.insert(0, "entrants", grouped.size())
        pieces.append(table.reset_index().assign(after_years=k))
    table = pd.concat(pieces, ignore_index=True)
    left = table["entrants"] - table["deceased"]
    table["retained"] = left - table["lost"]
    table["rate"] = (table["retained"] / left.where(left > 0)).where(table["mature"])
    order = [
        "program_code",
        "entry_year",
        "after_years",
        "entrants",
        "deceased",
        "retained",
        "rate",
        "mature",
    ]
    return table[order].sort_values(order[:3], ignore_index=True)


def cohort_outcomes(
    flow: pd.DataFrame, snapshot: date | pd.Series | None, calendar: AcademicCalendar = AcademicCalendar()
) -> pd.DataFrame:
    """How each entry cohort stands: on time, late, dropped out, transferred, deceased, gone
    otherwise, still enrolled.

    Returns
    -------
    DataFrame
        ``program_code, entry_year, entrants, on_time, late, dropped_out, transferred, deceased,
        other_exit, enrolled`` (the seven parts add up to ``entrants``) and ``mature``: the observation
        reaches the normal time of every student in the cohort.
    """
    graduated = flow["exit_type"] == "graduated"
    on_time = graduated & within_normal_time(flow["exit_terms"], flow["normal_terms"])
    part = pd.DataFrame(
        {
            "program_code": flow["program_code"],
            "entry_year": flow["entry_year"],
            "on_time": on_time,
            "late": graduated & ~on_time,
            "dropped_out": flow["exit_type"].isin(DROPOUT_EXITS),
            "transferred": flow["exit_type"] == "transferred",
            "deceased": flow["exit_type"] == "deceased",
            "other_exit": flow["exit_type"].isin(OTHER_EXITS),
            "enrolled": flow["exit_type"] == "enrolled",
            "mature": is_mature(flow["entry_date"], flow["normal_terms"] / 2, snapshot, calendar),
        }
    )
    grouped = part.groupby(["program_code", "entry_year"], observed=True)
    sums = grouped[list(PARTS)].sum()
    sums.insert(0, "entrants", grouped.size())
    sums["mature"] = grouped["mature"].all()
    return sums.reset_index()
