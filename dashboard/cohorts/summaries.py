"""Cubes of counts → the few rows that a leadership page shows. Pure functions of frames; no single student.

A cohort is fixed at entry. Transfers out and deaths are counted but stand outside rates. A rate exists only
for a cohort that is *mature*: whose normal time has passed by the last completed term.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.calendar.study_time import within_normal_time
from data.calendar.term_calendar import ordinal, term_after, terms_between
from data.columns import DROPOUT_EXITS, OTHER_EXITS

OUTSIDE = ("transferred", "deceased", *OTHER_EXITS)  # neither a degree nor a drop-out
AT_RISK = ("high", "very_high")
Z95 = 1.959963984540054
_APART = 1000  # more than a cohort has terms: cohort and term as one number


def wilson(successes: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """95 % Wilson score interval of a proportion, row by row; no value where ``n`` is 0.

    E. B. Wilson, "Probable inference", JASA 22 (1927) 209–212.
    """
    of, successes = n.to_numpy(float, na_value=np.nan), successes.to_numpy(float, na_value=np.nan)
    of = np.where(of > 0, of, np.nan)
    share = successes / of
    centre = (share + Z95**2 / (2 * of)) / (1 + Z95**2 / of)
    half = Z95 / (1 + Z95**2 / of) * np.sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2))
    ends = (np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1))
    return pd.Series(ends[0], n.index), pd.Series(ends[1], n.index)


def last_completed_term(progress: pd.DataFrame, closed: int | None = None) -> int | None:
    """The newest term that the register has reached for any cohort and that is closed; None without rows.

    Parameters
    ----------
    progress : DataFrame
        ``queries.retention``.
    closed : int, optional
        ``queries.last_closed_term``: later terms may still bring graduates who are in time.
    """
    furthest = progress.groupby("cohort_term")["term_index"].max()
    newest = max(
        (term_after(int(cohort), int(index) - 1) for cohort, index in furthest.items()), default=None
    )
    return newest if newest is None or closed is None else min(newest, closed)


def followed(progress: pd.DataFrame, flow: pd.DataFrame, closed: int | None) -> pd.DataFrame:
    """What became of each entry cohort, also after the last of them has gone.

    The register holds no term of a cohort of a programme that nobody is left of; that nobody is registered
    then is known all the same, for as many terms as the programme has completed.

    Parameters
    ----------
    progress : DataFrame
        ``queries.retention``.
    flow : DataFrame
        ``queries.flow_counts``, or any frame with ``program_code``, ``cohort_term``, ``state``,
        ``terms_to_exit`` and ``students``.
    closed : int or None
        ``queries.last_closed_term``.

    Returns
    -------
    DataFrame
        The same columns, with rows of nobody registered: ``retained`` are those who graduated in an earlier
        term; columns of which nothing follows are missing there.
    """
    if progress.empty:
        return progress
    keys = ["program_code", "cohort_term"]
    enrolled = set(flow.loc[flow["state"] == "enrolled", keys].itertuples(index=False, name=None))
    lasts = {code: last_completed_term(rows, closed) for code, rows in progress.groupby("program_code")}
    degrees = flow[(flow["state"] == "graduated") & (flow["terms_to_exit"] >= 0)]
    degrees = {cohort: rows for cohort, rows in degrees.groupby(keys)[["terms_to_exit", "students"]]}
    reached = progress.groupby(keys).agg(term=("term_index", "max"), entrants=("entrants", "max"))
    rows = []
    for at, held, entrants in reached.itertuples(name=None):
        last = lasts[at[0]]
        if at in enrolled or last is None:
            continue
        for term in range(int(held) + 1, terms_between(int(at[1]), last) + 2):
            own = degrees.get(at)
            done = 0 if own is None else int(own.loc[own["terms_to_exit"] < term, "students"].sum())
            row = dict(zip(keys, at, strict=True)) | {"term_index": term, "entrants": entrants}
            row |= dict.fromkeys(("active", "on_leave", "inactive", "gpa_rows"), 0)
            rows.append(row | {"graduated": done, "retained": done, "rate": done / entrants})
    if not rows:
        return progress
    more = pd.DataFrame(rows).reindex(columns=progress.columns)
    return pd.concat([progress, more.astype(progress.dtypes)], ignore_index=True)


def reported(flow: pd.DataFrame) -> frozenset[str]:
    """Programmes of which any exit is recorded: of the others nobody has told who finished."""
    return frozenset(flow.loc[flow["state"] != "enrolled", "program_code"])


def outcomes(
    flow: pd.DataFrame,
    programs: pd.DataFrame,
    by: str,
    last_term: int | None,
    told: frozenset[str] | None = None,
) -> pd.DataFrame:
    """Where each group of entrants stands.

    Parameters
    ----------
    flow : DataFrame
        ``program_code``, ``cohort_term``, ``state``, ``terms_to_exit`` (−1 unknown), ``students``.
    programs : DataFrame
        ``program_code``, ``normal_terms``.
    by : {"cohort_term", "program_code"}
        What to group by; only mature cohorts enter ``rate``.
    last_term : int or None
        The last completed term, ``YYYYT``; None while the register holds no term.
    told : frozenset of str, optional
        Programmes whose exits are recorded (default: :func:`reported` of this flow); cohorts of others have
        no rate, as nobody knows it.

    Returns
    -------
    DataFrame
        One row per group: ``entered``, ``outside`` (transferred, died or gone otherwise), ``on_time``,
        ``graduated`` (also later), ``left``, ``studying``; of mature cohorts ``n``, ``on_time_n``,
        ``left_n``; ``rate``, ``low``, ``high`` (graduated on time,
        Wilson), ``left_rate``; ``mature`` whether all of the group is.
    """
    n, state = flow["students"].to_numpy(), flow["state"].to_numpy(object)
    graduated = state == "graduated"
    normal, passed = normal_terms(flow, programs), terms_passed(flow, last_term)
    on_time = graduated & within_normal_time(flow["terms_to_exit"], normal)
    inside, left = ~np.isin(state, OUTSIDE), np.isin(state, DROPOUT_EXITS)
    known = np.isin(flow["program_code"].to_numpy(object), list(reported(flow) if told is None else told))
    mature = (passed >= normal) & known
    counted = {
        "entered": np.ones(len(flow), bool),
        "outside": ~inside,
        "on_time": on_time,
        "graduated": graduated,
        "left": left,
        "studying": state == "enrolled",
        "n": mature & inside,
        "on_time_n": mature & on_time,
        "left_n": mature & left,
        "unripe": ~mature,
    }
    codes, names = pd.factorize(flow[by], sort=True)
    sums = {
        column: np.bincount(codes, np.where(which, n, 0), len(names)).astype(int)
        for column, which in counted.items()
    }
    unripe, of = sums.pop("unripe"), np.where(sums["n"] > 0, sums["n"], np.nan)
    low, high = wilson(pd.Series(sums["on_time_n"]), pd.Series(sums["n"]))
    shares = {"rate": sums["on_time_n"] / of, "low": low, "high": high, "left_rate": sums["left_n"] / of}
    return pd.DataFrame({by: names, **sums, **shares, "mature": unripe == 0})


def normal_terms(flow: pd.DataFrame, programs: pd.DataFrame) -> np.ndarray:
    """Normal terms of each row's programme, float (n,)."""
    known = dict(zip(programs["program_code"], programs["normal_terms"], strict=True))
    return np.array([known.get(code, np.nan) for code in flow["program_code"].to_numpy(object)], float)


def terms_passed(flow: pd.DataFrame, last_term: int | None) -> np.ndarray:
    """Terms that each row's cohort has had by the last completed one, int (n,); 0 while there is none."""
    if last_term is None:
        return np.zeros(len(flow), int)
    cohorts, place = np.unique(flow["cohort_term"].to_numpy(int), return_inverse=True)
    passed = [ordinal(last_term) - ordinal(cohort) + 1 for cohort in cohorts.tolist()]
    return np.array(passed, int)[place]


def retention(progress: pd.DataFrame, cohorts: int = 7, longest: int = 8) -> pd.DataFrame:
    """Share of each cohort's entrants still registered or graduated, term by term.

    Parameters
    ----------
    progress : DataFrame
        :func:`followed`: ``cohort_term``, ``term_index``, ``entrants``, ``retained``.
    cohorts, longest : int
        How many of the newest cohorts, and up to which term.

    Returns
    -------
    DataFrame
        ``cohort_term``, ``terms_completed`` (0 at entry), ``share`` in 0–1, ``n`` (entrants).
    """
    cohort, term = (progress[name].to_numpy(int) for name in ("cohort_term", "term_index"))
    rows = np.isin(cohort, np.unique(cohort)[-cohorts:]) & (term <= longest)
    cells, at = np.unique(cohort[rows] * _APART + term[rows], return_inverse=True)
    entrants, kept = (
        _sums(progress[name].to_numpy()[rows], at, len(cells)) for name in ("entrants", "retained")
    )
    _, first, own = np.unique(cells // _APART, return_index=True, return_inverse=True)
    whole = np.maximum.reduceat(entrants, first)[own] if len(cells) else entrants
    told = entrants == whole  # terms that every programme of the cohort has reached
    cohort, term, n = cells[told] // _APART, cells[told] % _APART, entrants[told]
    entry = np.unique(cohort, return_index=True)[1]
    table = {
        "cohort_term": np.append(cohort[entry], cohort),
        "terms_completed": np.append(np.zeros(len(entry), int), term),
        "share": np.append(np.ones(len(entry)), kept[told] / n),
        "n": np.append(n[entry], n),
    }
    order = np.lexsort((table["terms_completed"], table["cohort_term"]))
    return pd.DataFrame({name: column[order] for name, column in table.items()})


def _sums(values: np.ndarray, at: np.ndarray, length: int) -> np.ndarray:
    """The sum of each cell; counts stay whole numbers."""
    return np.bincount(at, values, length).astype(values.dtype)


def at_risk(cube: pd.DataFrame) -> tuple[int, int]:
    """Students in the bands high and very high, and all students of the cube."""
    total = int(cube["students"].sum())
    return int(cube.loc[cube["band"].isin(AT_RISK), "students"].sum()), total


def load_per_advisor(load: pd.DataFrame) -> list[int]:
    """Students at risk of each advisor, the most loaded first.

    Parameters
    ----------
    load : DataFrame
        ``queries.advisor_load``: ``advisor``, ``at_risk``.
    """
    whose, _ = pd.factorize(load["advisor"])
    n = load["at_risk"].to_numpy()
    return sorted(np.bincount(whose[whose >= 0], n[whose >= 0]).astype(int).tolist(), reverse=True)


def at_risk_by_cohort(cube: pd.DataFrame) -> dict[int, tuple[int, int]]:
    """:func:`at_risk` of each entry cohort, the oldest first."""
    cohorts, at = np.unique(cube["cohort_term"].to_numpy(int), return_inverse=True)
    n, risky = cube["students"].to_numpy(), cube["band"].isin(AT_RISK).to_numpy()
    found, whole = np.bincount(at[risky], n[risky], len(cohorts)), np.bincount(at, n, len(cohorts))
    pairs = zip(found.astype(int).tolist(), whole.astype(int).tolist(), strict=True)
    return dict(zip(cohorts.tolist(), pairs, strict=True))


class Cut:
    """A cube that is looked at programme by programme and cohort by cohort: where each has its rows is found
    once, and texts are plain objects, which are taken and compared in a fraction of the time.

    Parameters
    ----------
    cube : DataFrame
        ``program_code``, ``cohort_term`` and whatever is counted.
    """

    def __init__(self, cube: pd.DataFrame) -> None:
        texts = [name for name in cube if pd.api.types.is_string_dtype(cube[name].dtype)]
        self.whole = cube.astype(dict.fromkeys(texts, object))
        self._programs = _places(self.whole["program_code"])
        self._cohorts = _places(self.whole["cohort_term"])

    def chosen(self, program: str | None, cohort: int | None) -> pd.DataFrame:
        """The rows of one programme and one entry cohort; None means every one."""
        if program is None and cohort is None:
            return self.whole.copy(deep=False)
        nowhere = np.empty(0, np.intp)
        if cohort is None:
            return self.whole.take(self._programs.get(program, nowhere))
        places = self._cohorts.get(cohort, nowhere)
        if program is not None:
            places = np.intersect1d(places, self._programs.get(program, nowhere), assume_unique=True)
        return self.whole.take(places)


def _places(column: pd.Series) -> dict:
    """Value → the places at which it stands, in order."""
    codes, values = pd.factorize(column)
    order = np.argsort(codes, kind="stable")
    order = order[np.searchsorted(codes[order], 0) :]  # what is missing belongs nowhere
    starts = np.searchsorted(codes[order], np.arange(1, len(values)))
    return dict(zip(values.tolist(), np.split(order, starts), strict=True)) if len(values) else {}


def chosen(frame: pd.DataFrame, program: str | None, cohort: int | None) -> pd.DataFrame:
    """The rows of one programme and one entry cohort; None means every one."""
    if cohort is not None:  # first: numbers are compared faster than texts, and few rows are left of them
        frame = frame[frame["cohort_term"] == cohort]
    if program is not None:
        frame = frame[frame["program_code"] == program]
    return frame
