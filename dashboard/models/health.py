"""Whether the model in service needs somebody's eye, in one line. Pure functions of its manifest."""

from __future__ import annotations

from datetime import date, datetime

from dashboard.models.watch import trust
from data.columns import TARGETS
from fusion.model.examined import FUSED, RULE, Evaluation
from fusion.model.manifest import Manifest
from fusion.validation.fitness import judged_on_few

OLD_AFTER = 200  # days; a term and a half without a new scoring
AT = "precision_at_20"


def concerns(
    manifest: Manifest, scored_at: datetime | None, today: date, target: str = TARGETS[0]
) -> list[str]:
    """What a reader of the scores must know, as keys of the texts ``health.*``; nothing when all is well.

    Parameters
    ----------
    manifest : Manifest
        Of the model in service.
    scored_at : datetime or None
        When the newest score was made.
    today : date
    target : str
        Which risk.
    """
    said = [] if manifest.keeps_directions else ["train_again"]
    found = manifest.assessment
    if found is None:
        return [*said, "unexamined"]
    arms = manifest.arms(target)
    if arms and judged_on_few(arms.get(FUSED, Evaluation())):
        said.append("few_judged")
    model, rule = (found.figure(target, arm, AT) for arm in (FUSED, RULE))
    if model is not None and rule is not None and model.value <= rule.value:
        said.append("no_better_than_rule")
    cohorts = [row for row in found.cohorts if row.target == target]
    if cohorts and not max(cohorts, key=lambda row: row.cohort_term).trusted:
        said.append("drifted")
    if trust(manifest) == "untrusted":
        said.append("young_differ")
    if scored_at is None or (today - scored_at.date()).days > OLD_AFTER:
        said.append("old_scores")
    return said
