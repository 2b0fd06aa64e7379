"""The public student sets as tables for the early-warning benchmark: features by setting, label, group.

The sets are not part of the project; a folder with ``uci697/data.csv`` and ``oulad/*.csv`` is given by the
user. Both are CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.loaders import uci697_codes

UCI_CATEGORIES = (
    "Marital status",
    "Application mode",
    "Course",
    "Previous qualification",
    "Nacionality",
    "Mother's qualification",
    "Father's qualification",
    "Mother's occupation",
    "Father's occupation",
)
MONEY = ["Debtor", "Tuition fees up to date"]
MACRO = ["Unemployment rate", "Inflation rate", "GDP"]  # they name the entry year, so not in a forward split
LAST_TRAINING_YEAR = 2014
DEMOGRAPHIC = ["gender", "region", "imd_band", "age_band", "disability"]


@dataclass(frozen=True)
class Task:
    """One prediction problem.

    Parameters
    ----------
    task, setting : str
        What is predicted, and what is known.
    table : DataFrame
        Features.
    outcome, group : ndarray (n,)
        0 or 1; whose rows belong together.
    references : dict
        Published or measured figures on the same protocol: figure → value.
    train : ndarray of bool (n,) or None
        Rows that teach in a forward split; None: cross-validation.
    """

    task: str
    setting: str
    table: pd.DataFrame
    outcome: np.ndarray
    group: np.ndarray
    references: dict
    train: np.ndarray | None = None


def uci_tasks(folder: Path) -> Iterator[Task]:
    """Drop-out, not graduating and delay in UCI 697, by how much is known; then forward in time."""
    raw = pd.read_csv(folder / "uci697" / "data.csv", sep=";", encoding="utf-8-sig")
    raw.columns = [column.strip() for column in raw.columns]
    target, years = raw.pop("Target"), _entry_years(raw)
    for column in UCI_CATEGORIES:  # the code lists are partly ordered, so the number is offered as well
        raw[f"{column} code"] = raw[column]
        raw[column] = raw[column].astype(str).astype(object)
    first, second = ([c for c in raw if f"{n} sem" in c] for n in ("1st", "2nd"))
    settings = {
        "day one": raw.drop(columns=[*first, *second, *MONEY]),
        "day one + money flags": raw.drop(columns=[*first, *second]),
        "after 1st semester": raw.drop(columns=second),
        "after 2nd semester": raw,
    }
    group = np.arange(len(raw))
    dropout, late = (target == "Dropout").to_numpy(float), (target != "Graduate").to_numpy(float)
    for (setting, table), reference in zip(settings.items(), _UCI_DROPOUT, strict=True):
        yield Task("UCI 697: dropout", setting, table, dropout, group, reference)
    for (setting, table), auc in zip(settings.items(), (0.783, 0.817, 0.911, 0.931), strict=True):
        yield Task("UCI 697: not graduate", setting, table, late, group, {"auc": auc})
    stayed = (target != "Dropout").to_numpy()
    for setting, auc in (("day one", 0.760), ("after 2nd semester", 0.894)):
        table = settings[setting][stayed].reset_index(drop=True)
        yield Task("UCI 697: delayed", setting, table, late[stayed], group[stayed], {"auc": auc})
    past = years <= LAST_TRAINING_YEAR
    for setting, auc in (("day one", 0.724), ("after 1st semester", 0.865), ("after 2nd semester", 0.890)):
        forward = f"{setting}, entry up to 2014 → from 2015"
        table = settings[setting].drop(columns=MACRO)
        yield Task("UCI 697: dropout", forward, table, dropout, group, {"auc": auc}, past)


_UCI_DROPOUT = (
    {"auc": 0.780, "brier": 0.171, "ece": 0.033},
    {"auc": 0.828, "brier": 0.145, "ece": 0.029},
    {"auc": 0.906, "brier": 0.103, "ece": 0.028},
    {"auc": 0.922, "brier": 0.093, "ece": 0.026},
)


def _entry_years(raw: pd.DataFrame) -> np.ndarray:
    keys = raw[MACRO].round(2).itertuples(index=False, name=None)
    return np.array([uci697_codes.ENTRY_YEARS[tuple(map(float, key))] for key in keys])


def oulad_tasks(folder: Path) -> Iterator[Task]:
    """Fail or withdrawal in OULAD, from registration facts and from assessments by day 30, 60 and 90."""
    folder = folder / "oulad"
    keys = ["code_module", "code_presentation", "id_student"]
    info = pd.read_csv(folder / "studentInfo.csv")
    info = info.merge(pd.read_csv(folder / "studentRegistration.csv"), on=keys, how="left")
    outcome = info["final_result"].isin(["Fail", "Withdrawn"]).to_numpy(float)
    group = info["id_student"].to_numpy()
    facts = info.drop(columns=["id_student", "final_result", "date_unregistration", "date_registration"])
    for column in ("code_module", "code_presentation", *DEMOGRAPHIC, "highest_education"):
        facts[column] = facts[column].astype(object).where(facts[column].notna(), None)
    yield Task("OULAD: fail or withdrawn", "registration facts", facts, outcome, group, {"auc": 0.673})
    plain = facts.drop(columns=DEMOGRAPHIC)
    yield Task("OULAD: fail or withdrawn", "without demography", plain, outcome, group, {"auc": 0.654})
    facts = facts.assign(date_registration=info["date_registration"])
    for day, auc in ((30, 0.764), (60, 0.825), (90, 0.848)):
        left = info["date_unregistration"].to_numpy()
        here = ~(left <= day)
        table = facts.join(_assessed(folder, info[keys], day))[here].reset_index(drop=True)
        setting = f"assessments by day {day}, still registered"
        yield Task("OULAD: fail or withdrawn", setting, table, outcome[here], group[here], {"auc": auc})
    yield from _oulad_forward(folder, info, facts, outcome, group)


DAYS = (14, 28, 56, 90)


def _oulad_forward(folder: Path, info: pd.DataFrame, facts: pd.DataFrame, outcome, group) -> Iterator[Task]:
    """The presentations of 2013 teach, those of 2014 judge, by what was known on a day of the course.

    Whoever registered in both years only teaches: one person is not on both sides. The presentation itself
    is no feature here, as no later one was seen.
    """
    past = info["code_presentation"].str.startswith("2013").to_numpy()
    again = np.isin(group, group[past]) & ~past
    facts = facts.drop(columns="code_presentation")
    keys = ["code_module", "code_presentation", "id_student"]
    for day in DAYS:
        here = ~(info["date_unregistration"].to_numpy() <= day) & ~again
        table = facts.join(_assessed(folder, info[keys], day))[here].reset_index(drop=True)
        setting = f"presentations of 2013 → 2014, by day {day}"
        yield Task("OULAD: fail or withdrawn", setting, table, outcome[here], group[here], {}, past[here])


def _assessed(folder: Path, registrations: pd.DataFrame, day: int) -> pd.DataFrame:
    """What was due, handed in and scored by a day, per registration."""
    due = pd.read_csv(folder / "assessments.csv", na_values="?").dropna(subset="date")
    due = due[due["date"] <= day]
    done = pd.read_csv(folder / "studentAssessment.csv", na_values="?")
    done = done[done["date_submitted"] <= day].merge(due, on="id_assessment")
    done = done.sort_values("date")
    keys = ["code_module", "code_presentation", "id_student"]
    done["late"] = done["date_submitted"] - done["date"]
    done["points"] = done["score"] * done["weight"]
    by = done.groupby(keys)
    table = by.agg(
        handed_in=("score", "size"),
        score_mean=("score", "mean"),
        score_last=("score", "last"),
        score_lowest=("score", "min"),
        late_mean=("late", "mean"),
        late_last=("late", "last"),
        points=("points", "sum"),
        weight=("weight", "sum"),
        banked=("is_banked", "sum"),
    )
    table["weighted_score"] = table["points"] / table["weight"].where(table["weight"] > 0)
    joined = registrations.merge(table.reset_index(), on=keys, how="left")
    planned = due.groupby(keys[:2]).agg(due=("weight", "size"), due_weight=("weight", "sum"))
    joined = joined.merge(planned.reset_index(), on=keys[:2], how="left")
    joined["handed_in"] = joined["handed_in"].fillna(0)
    joined["missing"] = joined["due"] - joined["handed_in"]
    joined["share_handed_in"] = joined["handed_in"] / joined["due"]
    return joined.drop(columns=keys)
