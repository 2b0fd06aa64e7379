"""Which counts of risk bands an overview tells: its charts and its file judged together.

Bands stand by programme and by entry cohort, of the same students. Each row alone may be safe, and a count of
few come out all the same: what the cohorts have of a band less what the other programmes have of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data.columns import BANDS
from data.trust.small_cells import THRESHOLD, TOTAL, Address, CountSystem, hidden_counts

BY = ("program", "cohort")
AT_RISK = ("high", "very_high")
RISK = "at_risk"  # both of these together
LEAST_WITH_REASONS = 10  # students at risk of a programme whose number stands beside its reasons
Hidden = Mapping[str, Mapping[str, frozenset[str]]]


def counts_of(frame: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Grouping → name of a group → band → students.

    Parameters
    ----------
    frame : DataFrame
        ``program`` and ``cohort`` (labels), ``band``, ``students``; rows of one cell are added up.
    """
    band, students = frame["band"].tolist(), frame["students"].tolist()
    found = {}
    for by in BY:
        groups: dict[str, dict[str, int]] = {}
        for name, one, n in zip(frame[by].tolist(), band, students, strict=True):
            if isinstance(name, str):
                groups.setdefault(name, dict.fromkeys(BANDS, 0))[one] += int(n)
        found[by] = {name: groups[name] for name in sorted(groups)}
    return found


def hidden_bands(counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Hidden:
    """What is not told of each group: bands, :data:`data.trust.small_cells.TOTAL`, :data:`RISK`.

    Of what is told no count of 1 to 4 can be narrowed to fewer than five values, whoever adds the groups of
    one chart and takes them from those of the other, or from the figures above the charts.

    Parameters
    ----------
    counts : mapping
        As :func:`counts_of` gives them.
    """
    system, whole_groups = _system(counts)
    try:
        hidden = hidden_counts(system, also=whole_groups)
    except ValueError:  # a count of few comes out of the figures above the charts alone
        hidden = frozenset(system.printed)
    return {
        by: {
            name: frozenset(part for part in (*BANDS, TOTAL, RISK) if (_group(by, name), part) in hidden)
            for name in groups
        }
        for by, groups in counts.items()
    }


def _system(counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> tuple[CountSystem, set[Address]]:
    values: dict[Address, int] = {}
    sums: list[dict[Address, float]] = []
    small: set[Address] = set()
    fixed: set[Address] = set()
    for by, groups in counts.items():
        for name, bands in groups.items():
            at = _group(by, name)
            risky = sum(bands[band] for band in AT_RISK)
            parts = {**bands, TOTAL: sum(bands.values())}
            sums.append({(at, band): -1.0 for band in bands} | {(at, TOTAL): 1.0})
            if by == "cohort" or risky >= LEAST_WITH_REASONS:
                parts[RISK] = risky
                sums.append({(at, band): -1.0 for band in AT_RISK} | {(at, RISK): 1.0})
            if by != "cohort" and RISK in parts:
                fixed.add((at, RISK))
            values |= {(at, part): n for part, n in parts.items()}
            if 0 < parts[TOTAL] < THRESHOLD:
                small |= {(at, part) for part in parts}  # with its zeros, which would tell of every one
    for band in BANDS:
        sums.append(
            {(_group(by, name), band): 1.0 if by == BY[0] else -1.0 for by in counts for name in counts[by]}
        )
    for part in (TOTAL, RISK):
        rows = {(_group("cohort", name), part): -1.0 for name in counts["cohort"]}
        whole = sum(values[address] for address in rows)
        if rows and not 0 < whole < THRESHOLD:
            values["", part] = whole
            fixed.add(("", part))
            sums.append(rows | {("", part): 1.0})
    return CountSystem(values, frozenset(values), tuple(sums), frozenset(fixed)), small


def _group(by: str, name: str) -> str:
    return f"{by}: {name}"
