"""Real lists, net benefit and which to use, as the model page tells them. Pure functions of manifests."""

from __future__ import annotations

import pandas as pd

from dashboard.models.facts import estimate
from dashboard.shell.wording import Words
from fusion.model.examined import ARMS, EVERYBODY, Choice
from fusion.model.manifest import Manifest


def choice(manifest: Manifest, target: str) -> Choice | None:
    """Which to use for a target; None for models from before that was judged."""
    return None if manifest.assessment is None else manifest.assessment.choices.get(target)


def choice_line(manifest: Manifest, target: str, words: Words) -> str:
    """Which to use, in a sentence."""
    found = choice(manifest, target)
    if found is None:
        return words("worth.none")
    return words(
        f"worth.use_{found.use}",
        threshold=words.percent(found.threshold, 0),
        best=words(f"arm.{found.best_simple}"),
        gain=estimate(found.gain_over.get(found.best_simple), words),
    )


def lists_table(manifest: Manifest, target: str, words: Words) -> pd.DataFrame:
    """One row per as-of term and way of choosing: how many lists, precision, recall and lift."""
    rows = manifest.assessment.worth if manifest.assessment else ()
    mine = sorted(
        (row for row in rows if row.target == target), key=lambda row: (row.as_of_index, ARMS.index(row.arm))
    )
    return pd.DataFrame(
        [
            {
                words("axis.terms_completed"): words.number(row.as_of_index),
                words("worth.way"): words(f"arm.{row.arm}"),
                words("worth.lists"): words.number(row.lists),
                words("worth.precision"): estimate(row.precision, words, percent=True),
                words("worth.recall"): estimate(row.recall, words, percent=True),
                words("worth.lift"): estimate(row.lift, words, 2),
            }
            for row in mine
        ]
    )


def curve(manifest: Manifest, target: str) -> pd.DataFrame:
    """``arm, threshold, net_benefit``: the decision curve, the arms in the order of drawing."""
    rows = manifest.assessment.decision if manifest.assessment else ()
    order = (*ARMS, EVERYBODY)
    mine = sorted(
        (row for row in rows if row.target == target), key=lambda row: (order.index(row.arm), row.threshold)
    )
    return pd.DataFrame(
        [(row.arm, row.threshold, row.net_benefit) for row in mine],
        columns=["arm", "threshold", "net_benefit"],
    )
