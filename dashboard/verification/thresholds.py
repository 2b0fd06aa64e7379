"""Error rates of the comparison as people read them: with intervals, and what a threshold costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.shell.wording import Words

RATES = ("far_skilled", "far_random", "missed_skilled", "frr", "inconclusive", "eer_skilled", "eer_random")
"""Shares; all others are in bits."""
BITS = ("cllr", "cllr_min")


def rate_table(rates: pd.DataFrame, laypeople: dict[str, float], words: Words) -> pd.DataFrame:
    """Every rate with its interval, and what laypeople reached in a study.

    Parameters
    ----------
    rates : DataFrame
        ``name, value, low, high`` of :class:`vision.verification.threshold_report.ThresholdReport`.
    laypeople : dict of str to float
        By the same names; shares.
    words : Words
    """
    rows = [
        (
            words(f"thresholds.rate_{row['name']}"),
            _shown(row["name"], row["value"], words),
            interval(row, words),
            words.percent(laypeople[row["name"]], 1) if row["name"] in laypeople else "",
        )
        for row in rates.to_dict("records")
    ]
    heads = ("column.metric", "column.value", "column.interval", "thresholds.laypeople")
    return pd.DataFrame(rows, columns=[words(head) for head in heads])


def interval(row: dict, words: Words) -> str:
    """The interval of a rate in words."""
    low, high = (_shown(row["name"], row[end], words) for end in ("low", "high"))
    return f"{low} – {high}"


def _shown(name: str, value: float, words: Words) -> str:
    return words.number(value, 2) if name in BITS else words.percent(value, 1)


def with_forged_share(workload: pd.DataFrame, measured_at: float, share: float) -> pd.DataFrame:
    """The workload for another assumed share of forged forms.

    Reviews and misses are linear in the share, so that nothing has to be measured again.

    Parameters
    ----------
    workload : DataFrame
        ``threshold``, ``reviews`` and ``missed`` per 1,000 forms.
    measured_at : float, 0 < measured_at < 1
        The share that it was made for.
    share : float, 0 to 1
    """
    caught = 1 - workload["missed"] / (1000 * measured_at)
    genuine = (workload["reviews"] / 1000 - measured_at * caught) / (1 - measured_at)
    return workload.assign(
        reviews=1000 * ((1 - share) * genuine + share * caught),
        missed=1000 * share * (1 - caught),
    )


def at_threshold(workload: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Reviews and misses per 1,000 forms at a threshold between those measured."""
    return tuple(
        float(np.interp(threshold, workload["threshold"], workload[name])) for name in ("reviews", "missed")
    )


def counts_table(counts: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Whose signatures stand behind the figures."""
    return pd.DataFrame(
        {
            words("thresholds.trials_of"): [words(f"thresholds.kind_{kind}") for kind in counts["kind"]],
            words("thresholds.whose"): [words(f"thresholds.whose_{source}") for source in counts["source"]],
            words("thresholds.writers"): counts["writers"],
            words("thresholds.trials"): counts["trials"],
        }
    )
