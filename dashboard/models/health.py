"""Whether the model in service needs somebody's eye, in one line. Pure functions of its manifest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from dashboard.models.facts import estimate
from dashboard.models.fitness_words import lacking_in_register, verdict
from dashboard.models.watch import trust
from dashboard.shell.wording import Words
from data.columns import TARGETS
from fusion.model.examined import BASE, EITHER, FUSED, LOGISTIC, RULE, Choice, Evaluation
from fusion.model.manifest import Manifest
from fusion.validation.fitness import judged_on_few, unfit
from fusion.validation.footing import UNCOUNTED, footing

OLD_AFTER = 200  # days; a term and a half without a new scoring
AT = "precision_at_20"
OF_ALL = ("train_again", "unexamined", "young_differ", "old_scores")  # said once, whatever the target


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
    said += _which(manifest, target)
    cohorts = [row for row in found.cohorts if row.target == target]
    if cohorts and not max(cohorts, key=lambda row: row.cohort_term).trusted:
        said.append("drifted")
    if footing(manifest, target).why == UNCOUNTED:
        said.append("uncounted")
    if trust(manifest) == "untrusted":
        said.append("young_differ")
    if scored_at is None or (today - scored_at.date()).days > OLD_AFTER:
        said.append("old_scores")
    return said


def _which(manifest: Manifest, target: str) -> list[str]:
    """Which to use, the model or something simpler."""
    found = manifest.assessment
    choice = found.choices.get(target) if found else None
    if choice is None:  # examined before net benefit was: by the list of a fifth
        model, rule = (found.figure(target, arm, AT) for arm in (FUSED, RULE)) if found else (None, None)
        worse = model is not None and rule is not None and model.value <= rule.value
        return ["no_better_than_rule"] if worse else []
    said = {RULE: ["use_rule"], BASE: ["use_base"], EITHER: ["either"]}.get(choice.use, [])
    line = choice.gain_over.get(LOGISTIC)
    return said + (["line_better"] if line is not None and line.high < 0 else [])


@dataclass(frozen=True)
class Health:
    """Everything that a reader must know of the model in service, in sentences; nothing when all is well.

    Parameters
    ----------
    general : list of str
        Whatever the target.
    of_target : dict of str to list of str
        Target → what is to be known of it, each with its name.
    """

    general: list[str]
    of_target: dict[str, list[str]]


def health_of(
    manifest: Manifest,
    scored_at: datetime | None,
    today: date,
    ruled: Collection[str],
    words: Words,
) -> Health:
    """What a reader must know of the model in service.

    Parameters
    ----------
    manifest, scored_at, today
        As for :func:`concerns`.
    ruled : collection of str
        The targets for which the credits-and-GPA rule is served.
    words : Words
    """
    general, of_target = [], {}
    for target in TARGETS:
        of_target[target] = []
        judged = verdict(manifest, target, words)
        if judged is not None and not judged[0]:
            of_target[target].append(judged[1])
        if target in unfit(manifest) or (manifest.bands and target not in manifest.bands):
            continue
        said = concerns(manifest, scored_at, today, target)
        general += [name for name in said if name in OF_ALL and name not in general]
        mine = (
            [words("health.rule_served")]
            if target in ruled
            else [_line(name, manifest, target, words) for name in said if name not in OF_ALL]
        )
        if mine:
            of_target[target].insert(0, f"{words(f'target.{target}')}: {' '.join(mine)}")
    told = [words(f"health.{name}") for name in general] + lacking_in_register(manifest, words)
    return Health(told, of_target)


def _line(name: str, manifest: Manifest, target: str, words: Words) -> str:
    if name not in ("use_rule", "use_base", "either"):
        return words(f"health.{name}")
    choice: Choice = manifest.assessment.choices[target]  # type: ignore[union-attr]
    gain = choice.gain_over.get(choice.best_simple)
    values = {"gain": estimate(gain, words, 3), "best": words(f"arm.{choice.best_simple}")}
    return words(f"health.{name}", threshold=words.percent(choice.threshold, 0), **values)
