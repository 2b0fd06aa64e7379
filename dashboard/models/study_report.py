"""The report of a model after TRIPOD+AI and PROBAST as Markdown, in the reader's language.

Pure functions of what :mod:`fusion.service.reporting` counted and of the manifest. An item that cannot be
filled says so; none is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from dashboard.models.facts import by_cohort, estimate, fairness_table, figures_table
from dashboard.models.worth import choice_line, lists_table
from dashboard.shell.wording import Words
from fusion.model.examined import FUSED
from fusion.model.manifest import Manifest
from fusion.service.reporting import SampleSize, StudyReport

FIGURES = ("roc_auc", "roc_auc_within_programme", "pr_auc", "brier", "ece", "ece_folds", "slope", "intercept")
ENOUGH_PER_NUMBER = 10


def study_markdown(
    manifest: Manifest, counted: StudyReport, words: Words, *, synthetic: bool, institution: str = ""
) -> str:
    """The whole report.

    Parameters
    ----------
    manifest : Manifest
    counted : StudyReport
    words : Words
        The language.
    synthetic : bool
        Whether everybody in the store was invented.
    institution : str
        Printed when given.
    """
    parts = [
        f"# {words('study.title', version=manifest.version)}",
        f"**{words('study.synthetic')}**" if synthetic else "",
        words("study.institution", name=institution) if institution else "",
        words("study.lead"),
        _section("use", words, words("study.use_text"), words("study.unintended")),
        _section("flow", words, _flow(counted, manifest, words)),
        _section("outcome", words, _outcome(counted, words)),
        _section("size", words, _sizes(counted.sizes, words)),
        _section("predictors", words, _predictors(manifest, counted, words)),
        _section("validation", words, _validation(manifest, words)),
    ]
    for target in manifest.fitness:
        parts.append(f"## {words(f'target.{target}')}")
        parts += list(_target(manifest, target, words))
    parts += [
        _section("bias", words, _bias(manifest, counted, words)),
        _section("missing", words, _unfilled(words)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(name: str, words: Words, *texts: str) -> str:
    return "\n\n".join([f"## {words(f'study.{name}')}", *filter(None, texts)])


def _flow(counted: StudyReport, manifest: Manifest, words: Words) -> str:
    flow = counted.flow
    rows = [
        (words(f"study.flow_{name}"), words.number(getattr(flow, name)))
        for name in ("registered", "immature", "open_end", "usable", "without_terms", "cohorts")
    ]
    if manifest.trained_on.drawn_from is not None:
        rows.append((words("study.flow_drawn"), words.number(manifest.trained_on.students)))
    rows += [
        (words(f"study.label_{name}"), words.number(count)) for name, count in sorted(flow.labels.items())
    ]
    return _table((words("study.who"), words("column.students")), rows)


def _outcome(counted: StudyReport, words: Words) -> str:
    lines = [words("study.outcome_late"), words("study.outcome_dropout")]
    lines.append(words("study.outcome_calendar", month=words.month(counted.start_month)))
    lines += [
        words("study.outcome_left", target=words(f"target.{target}"), n=left)
        for target, left in counted.least_terms_left.items()
    ]
    return "\n".join(f"- {line}" for line in lines)


def _sizes(sizes: tuple[SampleSize, ...], words: Words) -> str:
    if not sizes:
        return words("study.not_recorded")
    rows = []
    for size in sizes:
        per = size.events_per_parameter
        needed = words.number(size.needed)
        rows.append(
            (
                words(f"target.{size.target}"),
                words.number(size.students),
                words.number(size.events),
                words.number(size.parameters),
                words.number(per, 1),
                needed,
            )
        )
    head = ("target", "students", "events", "parameters", "per_parameter", "needed")
    small = [s for s in sizes if s.needed is not None and s.students < s.needed]
    few = [s for s in sizes if (s.events_per_parameter or 0) < ENOUGH_PER_NUMBER]
    judged = words("study.size_small") if small or few else words("study.size_enough")
    return "\n\n".join(
        [_table([words(f"study.{name}") for name in head], rows), words("study.size_how"), judged]
    )


def _predictors(manifest: Manifest, counted: StudyReport, words: Words) -> str:
    names = ", ".join(words.named("feature", name) for name in manifest.record_features) or words(
        "study.not_recorded"
    )
    share = counted.assumed_known_at
    known = (
        words("study.known_none") if share is None else words("study.known", share=words.percent(share, 0))
    )
    return "\n\n".join([words("study.predictors_text", n=len(manifest.record_features)), names, known])


def _validation(manifest: Manifest, words: Words) -> str:
    found = manifest.assessment
    if found is None:
        return words("study.not_recorded")
    values = {"train": words.number(found.train_students), "test": words.number(found.test_students)}
    if found.simulated_date is None:
        return words("study.held_out", **values)
    return words("study.forward", day=words.day(found.simulated_date), **values)


def _target(manifest: Manifest, target: str, words: Words) -> Iterable[str]:
    if target not in manifest.bands or not manifest.arms(target):
        yield words("study.not_learned")
        return
    yield f"### {words('study.performance')}"
    yield _frame(figures_table(manifest, target, FIGURES, words))
    yield words("study.ece_note")
    yield f"### {words('study.by_cohort')}"
    yield _frame(by_cohort(manifest, target, words)) or words("study.not_recorded")
    yield words("study.by_cohort_note")
    yield f"### {words('study.by_group')}"
    yield _frame(fairness_table(manifest, target, words)) or words("study.not_recorded")
    yield f"### {words('worth.title')}"
    yield choice_line(manifest, target, words)
    yield _frame(lists_table(manifest, target, words)) or words("study.not_recorded")


def _bias(manifest: Manifest, counted: StudyReport, words: Words) -> str:
    """PROBAST's four domains, each with what this register gives rise to."""
    found = manifest.assessment
    auc = None
    if found is not None and manifest.fitness:
        auc = found.figure(next(iter(manifest.fitness)), FUSED, "roc_auc")
    lines = [
        words("study.bias_participants", n=words.number(counted.flow.open_end)),
        words("study.bias_predictors"),
        words("study.bias_outcome", n=words.number(counted.helped)),
        words("study.bias_analysis", auc=estimate(auc, words)),
    ]
    return "\n".join(f"- {line}" for line in lines)


def _unfilled(words: Words) -> str:
    items = ("registration", "protocol", "outside", "involvement", "blinding", "funding")
    return "\n".join(f"- {words(f'study.unfilled_{item}')}" for item in items)


def _frame(frame) -> str:
    return "" if frame.empty else _table(list(frame.columns), frame.astype(str).values.tolist())


def _table(head, rows) -> str:
    lines = ["| " + " | ".join(map(str, head)) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
