"""What a register could not teach, in the reader's language. Pure functions of manifests and counts."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.reports.provenance import local_time
from dashboard.shell.wording import Words
from data.columns import TARGETS
from fusion.model.manifest import Fitness, Manifest
from fusion.service.rule import Ruled
from fusion.validation.fitness import AUC_WITHIN, SHARE_WITHIN, fitness_of, missing_exits


def lacking(fitness: Fitness | Ruled, words: Words, zone: str = "", named: Callable[[str], str] = str) -> str:
    """Why no model speaks about a target, in a sentence or two; empty when one does.

    Parameters
    ----------
    fitness : Fitness or Ruled
    words : Words
    zone : str
        Whose day a decision is told by, as an IANA name; empty: UTC.
    named : callable
        The name of an account's owner.
    """
    if isinstance(fitness, Ruled):
        day = words.day(local_time(fitness.at, zone))
        return words("rule.served", day=day, actor=named(fitness.actor), reason=fitness.reason)
    if fitness.fit:
        return ""
    values = {"students": fitness.students, "events": fitness.events}
    if words.has(f"fitness.{fitness.target}_{fitness.reason}"):
        return words(f"fitness.{fitness.target}_{fitness.reason}", **values)
    parts = [words(f"fitness.{fitness.target}_few", **values)]
    if fitness.reason == "few_students":
        share, limit = (words.number(100 * value) for value in (fitness.share_error, SHARE_WITHIN))
        parts.append(words("fitness.few_students", share=share, limit=limit))
    else:
        auc, limit = words.number(fitness.auc_error, 2), words.number(AUC_WITHIN, 2)
        parts.append(words("fitness.few_cases", auc=auc, limit=limit))
    if fitness.needed:
        parts.append(words("fitness.needed", n=fitness.needed))
    return " ".join(parts)


def with_rule(
    fitness: Fitness | Ruled | None, words: Words, zone: str = "", named: Callable[[str], str] = str
) -> str:
    """The same with what is offered instead; for None, that no model is in service."""
    if isinstance(fitness, Ruled):
        return lacking(fitness, words, zone, named)
    why = words("fitness.no_model") if fitness is None else lacking(fitness, words)
    return f"{why} {words('fitness.rule')}"


def told(manifest: Manifest, words: Words) -> list[tuple[bool, str]]:
    """Lines about every target of a model, and about kinds of exit that its register lacks.

    Returns
    -------
    list of (bool, str)
        Whether the line is good news, and the line.
    """
    verdicts = [verdict(manifest, target, words) for target in TARGETS]
    return [line for line in verdicts if line] + [
        (False, line) for line in lacking_in_register(manifest, words)
    ]


def verdict(manifest: Manifest, target: str, words: Words) -> tuple[bool, str] | None:
    """Whether the register could teach a target, and the line that says so; None where nothing was found."""
    found = fitness_of(manifest).get(target)
    if found is None or (found.fit and not found.cohorts):  # a model of before there was a rule
        return None
    if not found.fit:
        return False, lacking(found, words)
    counts = {"students": found.students, "events": found.events, "cohorts": found.cohorts}
    return True, words("fitness.may", target=words(f"target.{target}"), **counts)


def lacking_in_register(manifest: Manifest, words: Words) -> list[str]:
    """What the register that a model learned from lacks, whatever the target."""
    learned = manifest.trained_on
    codes = [f"missing_{kind}" for kind in missing_exits(learned.labels)] + list(learned.doubts)
    return [words(f"fitness.{code}") for code in codes]
