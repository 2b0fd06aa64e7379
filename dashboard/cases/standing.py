"""Students past their normal time, and the credits-and-GPA rule, in words. Pure functions of frames.

The rows are those of ``queries.standing``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.cases.followups import who
from dashboard.shell.wording import Words
from fusion.validation.baselines import rule_levels

AWAY = {"C": "on_leave", "N": "inactive"}
OFF_TRACK = (1, 2, 3)


def is_past(row: dict) -> bool:
    """Whether the normal time of an enrolled student is over."""
    return row["terms_over"] >= row["normal_terms"]


def sentence(row: dict, words: Words) -> str:
    """How many credits are missing for the degree, and after how many terms."""
    values = {"terms": int(row["terms_over"]), "normal": int(row["normal_terms"])}
    if pd.isna(row["credits"]):
        return words("standing.sentence_unknown", **values)
    values |= {"required": int(row["required_credits"])}
    if not row["credits_to_go"]:
        return words("standing.sentence_all", **values)
    to_go, earned = int(row["credits_to_go"]), int(row["credits"])
    said = words("standing.sentence", to_go=to_go, earned=earned, **values)
    return said if row["recorded"] else f"{said} {unrecorded(row, words)}"


def unrecorded(row: dict, words: Words) -> str:
    """That the register holds no row of the student's in the newest completed term; empty otherwise."""
    if row["recorded"] or pd.isna(row["newest_told"]):
        return ""
    return words("standing.unrecorded", term=words.term(row["newest_told"]))


def away(row: dict, words: Words) -> str:
    """That the student was on leave or not registered in the newest term; empty otherwise.

    Where that term is not recorded, an earlier status says nothing of it.
    """
    kind = AWAY.get(row["status_last"]) if row["recorded"] else None
    return words(f"standing.{kind}", term=words.term(row["last_term"])) if kind else ""


def past_table(rows: pd.DataFrame, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """The group past its normal time, the fewest credits to go first; ``student_key`` and shown columns."""
    rows = rows.sort_values(["credits_to_go", "student_key"], na_position="last", kind="stable")
    return pd.DataFrame(
        {
            "student_key": rows["student_key"],
            words("column.student"): [who(row) for row in rows.to_dict("records")],
            words("column.to_go"): rows["credits_to_go"].astype("Int64"),
            words("column.terms_over"): [_terms(row) for row in rows.to_dict("records")],
            words("column.status"): [_status(row, words) for row in rows.to_dict("records")],
            words("column.dropout_risk"): _of_100(rows["dropout_risk"]),
            words("column.program"): [programs.get(code, code) for code in rows["program_code"]],
            words("column.cohort"): [words.term(term) for term in rows["cohort_term"]],
        }
    ).reset_index(drop=True)


def levels(rows: pd.DataFrame) -> np.ndarray:
    """Level of the credits-and-GPA rule of each student, 0…3; -1 where neither is recorded as of now.

    A figure of an earlier term says nothing of where somebody stands after a term that is not recorded.
    """
    studied = rows["terms_told"].clip(upper=rows["normal_terms"]) / rows["normal_terms"]
    planned = rows["required_credits"] * studied
    pace = (rows["credits"] / planned.where(planned > 0)).where(rows["credits_told"])
    return rule_levels(rows["gpa_cum"].where(rows["gpa_told"]).to_numpy(float), pace.to_numpy(float))


def rule_lead(rows: pd.DataFrame, words: Words) -> str:
    """How many of the students are off track by the rule, and of how many it can say nothing."""
    found = pd.Series(levels(rows))
    off, unknown = int(found.isin(OFF_TRACK).sum()), found.to_numpy() < 0
    gone = unknown & ~rows["recorded"].to_numpy(bool)
    told = [words("on_track.count", n=off, all=len(rows))] if not unknown.all() else []
    kinds = {"unrecorded": int(gone.sum()), "unknown": int((unknown & ~gone).sum())}
    return " ".join([*told, *(words(f"on_track.{kind}", n=n) for kind, n in kinds.items() if n)])


def level_name(level: int, words: Words) -> str:
    """A level of the credits-and-GPA rule in words."""
    return words("on_track.level_unknown" if level < 0 else f"on_track.level_{level}")


def rule_table(rows: pd.DataFrame, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """Students by the credits-and-GPA rule, the furthest off track first."""
    rows = rows.assign(level=levels(rows)).sort_values(
        ["level", "gpa_cum", "student_key"], ascending=[False, True, True], kind="stable"
    )
    return pd.DataFrame(
        {
            "student_key": rows["student_key"],
            words("column.student"): [who(row) for row in rows.to_dict("records")],
            words("column.on_track"): [level_name(level, words) for level in rows["level"]],
            words("column.gpa_cum"): rows["gpa_cum"].round(2),
            words("column.credits_cum"): rows["credits"].round().astype("Int64"),
            words("column.to_go"): rows["credits_to_go"].astype("Int64"),
            words("column.status"): [_status(row, words) for row in rows.to_dict("records")],
            words("column.program"): [programs.get(code, code) for code in rows["program_code"]],
            words("column.cohort"): [words.term(term) for term in rows["cohort_term"]],
        }
    ).reset_index(drop=True)


def _terms(row: dict) -> str:
    return f"{row['terms_over']} / {row['normal_terms']}"


def _status(row: dict, words: Words) -> str:
    status = row["status_last"]
    if isinstance(status, str) and not row["recorded"]:
        return words("standing.status_unrecorded")
    return words.named("status", status) if isinstance(status, str) else words.number(None)


def _of_100(risk: pd.Series) -> pd.Series:
    return (100 * risk.astype(float)).round().clip(1, 99).astype("Int64")
