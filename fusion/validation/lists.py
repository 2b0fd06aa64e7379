"""The list an advisor works from: how early it names a student, how steady it is, what a case costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.model.examined import FirstAlert, ListFigures, Stability
from fusion.validation.kept import rows_of


@dataclass(frozen=True)
class ListReport:
    """How a list of the ``share`` of students with the highest risk behaves over the terms.

    Parameters
    ----------
    share : float
        Capacity, 0…1.
    lead_time : DataFrame
        ``first_alert`` (as-of index, null: never), ``cases``, ``share_of_cases``: when the students who met
        the outcome were first on the list.
    median_lead : float
        Terms between first alert and the last as-of term at which the case was still enrolled; NaN without.
    stability : DataFrame
        ``as_of_index``, ``stayed`` (share of the list that was on the list a term earlier, among students
        scored both times), ``students``.
    alerts_per_case : float
        Students ever listed per student listed who met the outcome.
    """

    share: float
    lead_time: pd.DataFrame
    median_lead: float
    stability: pd.DataFrame
    alerts_per_case: float

    def figures(self) -> ListFigures:
        """As a manifest keeps it, rounded."""
        return ListFigures(
            self.share,
            rows_of(FirstAlert, self.lead_time),
            round(float(self.median_lead), 4),
            rows_of(Stability, self.stability),
            round(float(self.alerts_per_case), 4),
        )


def on_list(risks: pd.DataFrame, share: float, column: str = "fused") -> pd.Series:
    """Whether each row is among the ``share`` with the highest risk of its cohort at its as-of term.

    Lists are made per cohort, because an advisor sees one cohort at one as-of term at a time.
    """
    groups = risks.groupby(["cohort_term", "as_of_index"])[column]
    rank = groups.rank(ascending=False, method="first")
    return rank <= np.ceil(share * groups.transform("size"))


def examine_lists(risks: pd.DataFrame, share: float = 0.2, column: str = "fused") -> ListReport:
    """Lead time, stability and cost of the list.

    Parameters
    ----------
    risks : DataFrame
        ``student_key, cohort_term, as_of_index, outcome`` and the risk ``column``
        (:attr:`fusion.validation.assess.TargetAssessment.risks`).
    share : float
        Capacity, 0…1.
    column : str
        Arm.
    """
    table = risks.assign(listed=on_list(risks, share, column)).sort_values(["student_key", "as_of_index"])
    cases = table[table["outcome"] == 1]
    last = cases.groupby("student_key")["as_of_index"].max()
    first = cases[cases["listed"]].groupby("student_key")["as_of_index"].min().reindex(last.index)
    counts = first.value_counts(dropna=False).sort_index()
    lead_time = pd.DataFrame(
        {
            "first_alert": counts.index.to_numpy(),
            "cases": counts.to_numpy(),
            "share_of_cases": counts.to_numpy() / max(len(last), 1),
        }
    )
    listed = table.loc[table["listed"], "student_key"].nunique()
    found = cases.loc[cases["listed"], "student_key"].nunique()
    return ListReport(
        share,
        lead_time,
        float((last - first).median()) if len(last) else float("nan"),
        _stability(table),
        listed / found if found else float("nan"),
    )


def _stability(table: pd.DataFrame) -> pd.DataFrame:
    earlier = table[["student_key", "as_of_index", "listed"]].assign(as_of_index=table["as_of_index"] + 1)
    both = table.merge(earlier, on=["student_key", "as_of_index"], suffixes=("", "_before"))
    now = both[both["listed"]].groupby("as_of_index")["listed_before"].agg(["mean", "size"])
    return pd.DataFrame(
        {
            "as_of_index": now.index.to_numpy(),
            "stayed": now["mean"].to_numpy(),
            "students": now["size"].to_numpy(),
        }
    )
