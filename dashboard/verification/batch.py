"""What a folder of questioned signatures came to, as people read it: whose, what, and the files left over."""

from __future__ import annotations

import pandas as pd

from dashboard.shell.people import named
from dashboard.shell.wording import EMPTY, Words

OUTCOMES = ("review", "inconclusive", "consistent")
PROBLEM = "problem"
SHOWN = ("file", "student", "outcome", "reason", "support")


def counted(results: pd.DataFrame) -> dict[str, int]:
    """Files by outcome, and those that were not compared."""
    counts = {name: int((results["outcome"] == name).sum()) for name in OUTCOMES}
    return counts | {PROBLEM: int(results["problem"].notna().sum())}


def chosen(results: pd.DataFrame, what: str | None) -> pd.DataFrame:
    """The rows of one outcome, of the files not compared (:data:`PROBLEM`), or all."""
    if what is None:
        return results
    mask = results["problem"].notna() if what == PROBLEM else results["outcome"] == what
    return results[mask]


def as_table(results: pd.DataFrame, people: pd.DataFrame, words: Words) -> pd.DataFrame:
    """One row per file in the reader's words.

    Parameters
    ----------
    results : DataFrame
        From :func:`dashboard.jobs.signatures.folder_result`.
    people : DataFrame
        ``student_key, student_number, name`` of those who may be named.
    words : Words
    """
    known = people.set_index("student_key").to_dict("index")
    rows = [_row(row, known, words) for row in results.to_dict("records")]
    return pd.DataFrame(rows, columns=list(SHOWN))


def _row(row: dict, known: dict, words: Words) -> tuple:
    from vision.verification.likelihood import verbal_key

    if isinstance(row["problem"], str):
        why = words.named("refused", row["problem"])
        return row["file"], EMPTY, words("batch.not_compared"), why, EMPTY
    ratio = row["log10_lr"]
    support = EMPTY if ratio is None or ratio != ratio else words(f"verification.support_{verbal_key(ratio)}")
    key = row["student_key"]
    return (
        row["file"],
        named({"student_key": key} | known.get(key, {})),
        words(f"verification.outcome_{row['outcome']}"),
        words.named("verification_reason", row["reason"]),
        support,
    )
