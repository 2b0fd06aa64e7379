"""Whether the model in service needs somebody's eye, in one line. Pure functions of its manifest."""

from __future__ import annotations

from datetime import date, datetime

from dashboard.models.facts import assessment
from dashboard.models.watch import trust
from data.columns import TARGETS
from fusion.validation.fitness import judged_on_few

OLD_AFTER = 200  # days; a term and a half without a new scoring
KEEPS_DIRECTIONS = 3  # format of the first models in which no fact counts against its plain direction
AT = "precision_at_20"


def concerns(manifest: dict, scored_at: datetime | None, today: date, target: str = TARGETS[0]) -> list[str]:
    """What a reader of the scores must know, as keys of the texts ``health.*``; nothing when all is well.

    Parameters
    ----------
    manifest : dict
        Of the model in service.
    scored_at : datetime or None
        When the newest score was made.
    today : date
    target : str
        Which risk.
    """
    said = ["train_again"] if manifest.get("format", KEEPS_DIRECTIONS) < KEEPS_DIRECTIONS else []
    assessed = assessment(manifest)
    if not assessed:
        return [*said, "unexamined"]
    arms = assessed.get("evaluations", {}).get(target, {})
    if arms and judged_on_few(arms.get("fused", {})):
        said.append("few_judged")
    model, rule = (_value(arms, arm, AT) for arm in ("fused", "on-track rule"))
    if model is not None and rule is not None and model <= rule:
        said.append("no_better_than_rule")
    cohorts = [row for row in assessed.get("cohorts", []) if row.get("target") == target]
    if cohorts and not max(cohorts, key=lambda row: row["cohort_term"])["trusted"]:
        said.append("drifted")
    if trust(manifest) == "untrusted":
        said.append("young_differ")
    if scored_at is None or (today - scored_at.date()).days > OLD_AFTER:
        said.append("old_scores")
    return said


def _value(arms: dict, arm: str, figure: str) -> float | None:
    triple = arms.get(arm, {}).get("figures", {}).get(figure)
    return triple[0] if triple else None
