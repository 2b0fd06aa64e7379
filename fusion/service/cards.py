"""The model card and the fairness report as Markdown, from what a trained model recorded about itself."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, nan

from data.cases.trial_outcomes import HelpSince
from data.columns import BANDS
from data.trust.small_cells import MARK, THRESHOLD
from fusion.features.directions import DIRECTIONS, FREE, LOWERS, RAISES, Direction
from fusion.features.feature_list import FEATURES
from fusion.metrics import Estimate
from fusion.model.examined import BASE, EITHER, FUSED, MODEL, RULE, Audit, Examination
from fusion.model.manifest import Manifest
from fusion.model.watched import Watch
from fusion.validation.doubts import DOUBTS
from fusion.validation.fitness import fitness_of, missing_exits, unfit
from fusion.validation.report import (
    ARM_NAMES,
    PROTOCOL_NAMES,
    SHOWN,
    TARGET_NAMES,
    VERDICT_NAMES,
    fitness_text,
    sign_text,
)

NOTICE = (
    "There is no established evidence that a signature reveals ability or personality. The signature is "
    "auxiliary and experimental here; it is always shown apart, and the records alone can be served."
)
UNINTENDED = (
    "automatic decisions about a student; admission, discipline or funding; comparing contacted with "
    "not-contacted students as if that told whether contacts help; filling an accreditation table."
)
FAIRNESS_NAMES = {
    "fnr": "missed (FNR)",
    "fpr": "alarmed for nothing (FPR)",
    "selection": "listed",
    "calibration_gap": "risk less observed",
}


def model_card(
    manifest: Manifest, *, synthetic: bool, institution: str = "", help_given: HelpSince | None = None
) -> str:
    """What the model is, what it was taught by, how good it is on later cohorts, and where it ends.

    Parameters
    ----------
    manifest : Manifest
        Of the registry.
    synthetic : bool
        Whether the store holds synthetic demo data.
    institution : str
        Printed when given.
    help_given : HelpSince, optional
        How many exits came after a score of the model, and after help as well.
    """
    assessment = manifest.assessment
    parts = [
        f"# Model card: {manifest.version}",
        "**Synthetic demo data: nothing here is about real people.**" if synthetic else "",
        f"Institution: {institution}" if institution else "",
        "## What it is\n\nTwo calibrated risks per enrolled student and completed term: "
        + " and ".join(f"*{name}* ({text})" for name, text in TARGET_NAMES.items())
        + ". Shallow gradient-boosted trees and logistic regression on study records, averaged on the "
        "log-odds; a second stage on at most 16 numbers of a signature embedding for students who "
        "consented.\n\n" + NOTICE,
        "## Intended use\n\nTo rank an advisor's own students for a talk, with reasons. Not for: "
        + UNINTENDED,
        _origin(manifest),
        _unlearned(manifest),
        _bands(manifest),
    ]
    if assessment:
        parts += [_evaluation(assessment), _choices(assessment), _ablation(assessment)]
        parts += [_lists(assessment), _cohorts(assessment)]
    if manifest.monitor:
        parts.append(_monitor(manifest.monitor))
    parts += [_help(help_given), _limits(), _unsaid(manifest), _features(manifest)]
    return "\n\n".join(part for part in parts if part) + "\n"


def fairness_report(manifest: Manifest, *, synthetic: bool) -> str:
    """Errors and calibration by group on held-out students, small cells suppressed."""
    audits = manifest.assessment.fairness if manifest.assessment else {}
    parts = [
        f"# Fairness report: {manifest.version}",
        "**Synthetic demo data: nothing here is about real people.**" if synthetic else "",
        "Groups are audited and are not predictors. FPR and FNR are those of the list at capacity, made "
        "within each programme. Cells with fewer than five students, or fewer than five with or without the "
        "outcome, are suppressed, and further cells with them where they would follow from the totals. "
        "Intervals: 95 %, bootstrap over students. A gap is an observation about "
        "this register, not its cause.",
    ]
    for target, audit in audits.items():
        title = f"## {TARGET_NAMES[target].capitalize()}\n\nAs of {audit.as_of_index} completed terms, "
        parts.append(f"{title}{audit.share:.0%} of each programme listed.")
        parts.append(_table(["attribute", "group", "students", *FAIRNESS_NAMES.values()], _groups(audit)))
        parts.append("Largest differences between groups:")
        gaps = [
            [gap.attribute, FAIRNESS_NAMES[gap.figure], _interval(gap.estimate), gap.between]
            for gap in audit.gaps
        ]
        parts.append(_table(["attribute", "figure", "difference", "between"], gaps))
    if not audits:
        parts.append("No students with a known outcome were held out, so nothing could be audited.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _groups(audit: Audit) -> Iterable[list[str]]:
    for row in audit.table:
        if row.suppressed:
            yield [row.attribute, row.group, "fewer than can be shown", *["—"] * len(FAIRNESS_NAMES)]
            continue
        figures = [_interval(row.rates.get(name)) for name in FAIRNESS_NAMES]
        yield [row.attribute, row.group, str(row.students), *figures]


def _origin(manifest: Manifest) -> str:
    taught = manifest.trained_on
    labels = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(taught.labels.items()))
    drawn = "" if taught.drawn_from is None else f", drawn by lot of {taught.drawn_from}"
    settings = manifest.settings.as_dict() if manifest.settings else {}
    rows = [
        ["trained on", f"{taught.students} students of mature cohorts ({labels}){drawn}"],
        ["data (SHA-256)", manifest.data_hash],
        ["code (SHA-256)", manifest.code_version],
        ["seed", str(manifest.seed)],
        ["signature encoder", manifest.encoder_id or "none: records only"],
        ["trees", ", ".join(f"{name} {value:g}" for name, value in settings.items())],
        ["weight of the trees", ", ".join(f"{t}: {w:.2f}" for t, w in manifest.tree_weight.items())],
        ["signature trees", ", ".join(f"{t}: {n}" for t, n in manifest.signature_rounds.items())],
    ]
    return "## Where it comes from\n\n" + _table(["", ""], rows)


MISSING = {
    "dropout": "Nobody of known outcome dropped out: the register may list graduates only. What is learned "
    "from it holds for students who graduate sooner or later, and risks are too low for everybody else.",
    "on_time": "Nobody of known outcome graduated on time.",
    "delayed": "Nobody of known outcome was late: everybody graduated on time or left without a degree.",
}


def _unlearned(manifest: Manifest) -> str:
    """What the register could not teach, and the kinds of exit that it lacks."""
    lines = [
        f"*{TARGET_NAMES[target]}* is not scored: {fitness_text(found)} The credits-and-GPA rule is offered."
        for target, found in unfit(manifest).items()
    ]
    lines += [MISSING[kind] for kind in missing_exits(manifest.trained_on.labels)]
    lines += [DOUBTS.get(code, code) for code in manifest.trained_on.doubts]
    if any(found.fit and found.cohorts == 1 for found in fitness_of(manifest).values()):
        lines.append("All students entered together: nothing could be judged on a later cohort.")
    return "## What could not be learned\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _bands(manifest: Manifest) -> str:
    rows, silent = [], unfit(manifest)
    for target, edges in manifest.bands.items():
        if target in silent:
            continue
        ends = [0.0, *edges, 1.0]
        spans = [f"{low:.1%} to {high:.1%}" for low, high in zip(ends[:-1], ends[1:], strict=True)]
        rows.append([target, *spans])
    return "## Bands of risk\n\n" + _table(["target", *(band.replace("_", " ") for band in BANDS)], rows)


def _evaluation(assessment: Examination) -> str:
    day = f", known by {assessment.simulated_date}" if assessment.simulated_date else ""
    text = (
        f"## How good it is\n\nProtocol: {PROTOCOL_NAMES[assessment.protocol]}. "
        f"Taught by {assessment.train_students} students{day}; judged on {assessment.test_students} others, "
        "beside what it has to beat. Intervals: 95 %, bootstrap by cohort and programme."
    )
    for target, arms in assessment.evaluations.items():
        rows = [
            [name, *(_interval(e.figures.get(key)) for e in arms.values())] for key, name in SHOWN.items()
        ]
        names = [ARM_NAMES[arm] for arm in arms]
        text += f"\n\n### {TARGET_NAMES[target].capitalize()}\n\n" + _table(["", *names], rows)
        ours, *simple = (_at_ten(assessment, target, arm) for arm in (FUSED, RULE, BASE))
        if isfinite(ours) and ours <= max((bar for bar in simple if isfinite(bar)), default=0.0):
            text += "\n\n**Warning: at 10 % capacity the model does not beat the simplest baselines.**"
    return text


def _at_ten(assessment: Examination, target: str, arm: str) -> float:
    found = assessment.figure(target, arm, "precision_at_10")
    return nan if found is None else found.value


def _ablation(assessment: Examination) -> str:
    text = "## Do signatures add anything?"
    for target, found in assessment.ablations.items():
        gain = _interval(found.differences.get("roc_auc"), digits=4)
        text += (
            f"\n\n- *{target}*: on the same {found.students} students the verdict is "
            f"**{VERDICT_NAMES.get(found.verdict, found.verdict)}** (AUC fused less records {gain}; "
            f"permutation p {format(found.p_value, '.3f') if isfinite(found.p_value) else '—'})."
        )
        if found.reachable is not None and isfinite(found.reachable.high):
            text += f" At most {found.reachable.high:.4f} ROC-AUC can be there."
        if found.gives_away:
            text += f" The embedding gives away: {', '.join(found.gives_away)}."
    return text


def _lists(assessment: Examination) -> str:
    rows = []
    for target, found in assessment.lists.items():
        stayed = [row.stayed for row in found.stability]
        steady = f"{sum(stayed) / len(stayed):.0%}" if stayed else "—"
        rows.append([target, _plain(found.median_lead), steady, _plain(found.alerts_per_case)])
    head = ["target", "median lead time (terms)", "stays on the list from term to term", "alerts per case"]
    return "## The list at 20 % capacity\n\n" + _table(head, rows)


def _cohorts(assessment: Examination) -> str:
    rows = [
        [
            row.target,
            str(row.cohort_term),
            str(row.students),
            f"{row.mean_risk:.3f}",
            _interval(row.share),
            "yes" if row.trusted else "**no**",
        ]
        for row in assessment.cohorts
    ]
    head = ["target", "cohort", "students", "mean risk", "observed", "risk within the interval"]
    index = {row.as_of_index for row in assessment.cohorts}
    at = f"Everybody as of {min(index)} completed terms.\n\n" if len(index) == 1 and min(index) >= 0 else ""
    return "## Calibration by cohort\n\n" + at + _table(head, rows)


def _choices(assessment: Examination) -> str:
    """Which to use, by net benefit at the past share of the event."""
    lines = []
    for target, found in assessment.choices.items():
        gain = _interval(found.gain_over.get(found.best_simple), digits=4)
        use = {MODEL: "the model", EITHER: "either"}.get(found.use, ARM_NAMES.get(found.use, found.use))
        lines.append(
            f"- *{target}*: use **{use}** (net benefit of the model less that of the "
            f"{ARM_NAMES[found.best_simple]}, the better simple way, at a threshold of "
            f"{found.threshold:.0%}: {gain})."
        )
    return "## Which to use\n\n" + "\n".join(lines) if lines else ""


def _monitor(found: Watch) -> str:
    text = (
        f"## Drift\n\n{found.later} students of cohorts whose outcome is not known yet, beside the "
        f"{found.taught} that could teach by {found.taught_until}: " + _trust(found)
    )
    if found.alarms:
        rows = [[*sign_text(s), f"{s.value:.3f}", f"{s.limit:.3f}"] for s in found.alarms]
        text += "\n\n" + _table(["sign", "of", "value", "limit"], rows)
    if found.probes:
        rows = [
            [p.attribute, _interval(p.accuracy), f"{p.chance:.3f}", "yes" if p.predicts else "no"]
            for p in found.probes
        ]
        text += "\n\nWhat the embedding gives away (balanced accuracy of a linear probe):\n\n"
        text += _table(["attribute", "accuracy", "chance", "above chance"], rows)
    return text


def _trust(found: Watch) -> str:
    if not found.trusted:
        return "**counts cannot be trusted for them, so places in the order are told.**"
    return "no sign beyond its limit." if found.enough else "too few to tell."


def _help(found: HelpSince | None) -> str:
    """What help between score and outcome does to the labels that come after it."""
    told = ""
    if found is not None:
        helped = MARK if 0 < found.helped < THRESHOLD else str(found.helped)
        left = MARK if 0 < found.left < THRESHOLD else str(found.left)
        told = (
            f"Students who left after a score of this model: {left}; of those with a contact or an agreed "
            f"step logged between the first score and the exit: {helped} (fewer than five: {MARK}). "
        )
    return (
        "## Help between score and outcome\n\n" + told + "Labels of later cohorts come about with the help "
        "that the scores led to. Where help works, students of high risk do better than they were told to: "
        "calibration by cohort then looks worse than it is, and a model taught by such labels holds the "
        "records of helped students for safer than they are without help. Records cannot separate the two; "
        "whether help helps is answered by lots near the capacity line alone (docs/trial.md), and comparing "
        "contacted with other students is no answer."
    )


def _limits() -> str:
    return (
        "## Limits\n\nA risk describes past students with such records; it is no cause and no fate. "
        "Base rates move between cohorts: read the calibration by cohort and the drift alarms before "
        "trusting a figure. "
        "Accurate prediction alone has not been shown to raise graduation; talks may."
    )


UNSAID = {
    "line": "It has trees alone: models of that time had no logistic regression beside them.",
    "directions": "A fact may count against its plain direction: it was made before that was ruled out. "
    "Train a new one.",
    "examination": "It was never examined on later cohorts.",
    "curve": "Precision and recall were not kept for lists of every length.",
    "fitness": "Whether its register could teach it was not asked; the labels it kept are judged instead.",
    "until": "How far its register reached was not kept: drift is looked for from today's register.",
    "watch": "Nobody has looked yet whether young cohorts resemble those that taught it.",
}


def _unsaid(manifest: Manifest) -> str:
    """What a model of an earlier version did not record."""
    lines = [f"- {UNSAID[code]}" for code in manifest.missing]
    return "## What it does not tell\n\n" + "\n".join(lines) if lines else ""


def _features(manifest: Manifest) -> str:
    rows = [
        [
            FEATURES[name].label,
            FEATURES[name].group,
            "yes" if FEATURES[name].changeable else "no",
            _direction(name),
        ]
        for name in manifest.record_features
        if name in FEATURES
    ]
    return "## What it looks at\n\n" + _table(["feature", "group", "can still change", "more of it"], rows)


def _direction(name: str) -> str:
    """What more of a feature may do to either risk, in words."""
    direction = DIRECTIONS.get(name, Direction())
    if direction.raising or direction.lowering:
        never = f"{', '.join(direction.raising)} never lowers, {', '.join(direction.lowering)} never raises"
        return f"{never}; {direction.why}"
    words = {RAISES: "never lowers a risk", LOWERS: "never raises a risk", FREE: f"free: {direction.why}"}
    told = [words[direction.of(target)] for target in ("late", "dropout")]
    return told[0] if told[0] == told[1] else f"late: {told[0]}; dropout: {told[1]}"


def _interval(found: Estimate | None, digits: int = 3) -> str:
    if found is None or not isfinite(found.value):
        return "—"
    if not isfinite(found.low):
        return f"{found.value:.{digits}f}"
    return f"{found.value:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"


def _plain(value: float) -> str:
    return f"{value:.1f}" if isfinite(value) else "—"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
