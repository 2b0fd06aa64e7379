"""What a register could not teach, in the reader's language. Pure functions of manifests and counts."""

from __future__ import annotations

from dashboard.shell.wording import Words
from data.columns import TARGETS
from fusion.model.manifest import Fitness, Manifest
from fusion.validation.fitness import AUC_WITHIN, SHARE_WITHIN, fitness_of, missing_exits


def lacking(found: Fitness, words: Words) -> str:
    """Why a target has no model, in a sentence or two; empty when it has one."""
    if found.fit:
        return ""
    values = {"students": found.students, "events": found.events}
    if words.has(f"fitness.{found.target}_{found.reason}"):
        return words(f"fitness.{found.target}_{found.reason}", **values)
    parts = [words(f"fitness.{found.target}_few", **values)]
    if found.reason == "few_students":
        share, limit = (words.number(100 * value) for value in (found.share_error, SHARE_WITHIN))
        parts.append(words("fitness.few_students", share=share, limit=limit))
    else:
        auc, limit = words.number(found.auc_error, 2), words.number(AUC_WITHIN, 2)
        parts.append(words("fitness.few_cases", auc=auc, limit=limit))
    if found.needed:
        parts.append(words("fitness.needed", n=found.needed))
    return " ".join(parts)


def with_rule(found: Fitness | None, words: Words) -> str:
    """The same with what is offered instead; for None, that no model is in service."""
    why = words("fitness.no_model") if found is None else lacking(found, words)
    return f"{why} {words('fitness.rule')}"


def told(manifest: Manifest, words: Words) -> list[tuple[bool, str]]:
    """Lines about every target of a model, and about kinds of exit that its register lacks.

    Returns
    -------
    list of (bool, str)
        Whether the line is good news, and the line.
    """
    lines = []
    verdicts = fitness_of(manifest)
    for target in TARGETS:
        found = verdicts.get(target)
        if found is None or (found.fit and not found.cohorts):  # a model of before there was a rule
            continue
        if found.fit:
            name = words(f"target.{target}")
            counts = {"students": found.students, "events": found.events, "cohorts": found.cohorts}
            lines.append((True, words("fitness.may", target=name, **counts)))
        else:
            lines.append((False, lacking(found, words)))
    labels = manifest.trained_on.labels
    return lines + [(False, words(f"fitness.missing_{kind}")) for kind in missing_exits(labels)]
