"""Tables of figures as plain text for a terminal."""

from __future__ import annotations

from math import isfinite

from fusion.model.examined import (
    ADDS,
    BASE,
    FEW,
    FORWARD,
    FUSED,
    HELD_OUT,
    LOGISTIC,
    NOTHING,
    RECORDS,
    RULE,
    STANDS_FOR,
    Ablation,
)
from fusion.model.manifest import Fitness
from fusion.model.watched import EXITS, OLD_OR_NEW, Sign, Watch
from fusion.validation.assess import Assessment
from fusion.validation.fitness import AUC_WITHIN, SHARE_WITHIN

SHOWN = {
    "roc_auc": "AUC",
    "roc_auc_within_programme": "AUC within programme",
    "pr_auc": "PR-AUC",
    "brier": "Brier",
    "ece": "ECE, pooled",
    "ece_folds": "ECE, mean of five parts",
    "slope": "slope",
    "precision_at_10": "precision at 10 %",
    "precision_at_20": "precision at 20 %",
}
ARM_NAMES = {
    FUSED: "fused",
    RECORDS: "records",
    LOGISTIC: "logistic regression",
    RULE: "on-track rule",
    BASE: "programme base rate",
}
VERDICT_NAMES = {
    ADDS: "adds",
    STANDS_FOR: "seems to add, but may stand for what it gives away",
    NOTHING: "adds nothing measurable",
    FEW: "cannot tell (too few)",
}
PROTOCOL_NAMES = {FORWARD: "forward by cohort", HELD_OUT: "students held out at random"}
KIND_NAMES = {EXITS: "early drop-out"}
TARGET_NAMES = {"late": "not graduating within the normal terms", "dropout": "dropping out"}


LACKING = {
    "late": {
        "no_outcomes": "No student's normal time is over yet: lateness cannot be learned",
        "no_events": "Everybody of known outcome graduated on time: lateness cannot be learned from it",
        "only_events": "Nobody of known outcome graduated on time: lateness cannot be learned from it",
        "one_cohort": "All {students} students of known outcome entered together: lateness could not be "
        "judged on a later cohort",
    },
    "dropout": {
        "no_outcomes": "No student's normal time is over yet: drop-out cannot be learned",
        "no_events": "Only graduates in this register, not one drop-out among {students} students of known "
        "outcome: drop-out cannot be learned from it",
        "only_events": "Only drop-outs in this register: drop-out cannot be learned from it",
        "one_cohort": "All {students} students of known outcome entered together: drop-out could not be "
        "judged on a later cohort",
    },
}
TOO_FEW = {
    "late": "Too few students of known outcome to learn lateness from, {events} of {students} late or gone",
    "dropout": "Too few students of known outcome to learn drop-out from, {events} of {students} gone",
}
WIDE = {
    "few_students": "their share would be known to ±{share:.0f} points, and ±{most:.0f} is the most allowed",
    "few_cases": "a useful ranking could not be told from chance (AUC ±{auc:.2f}, at most ±{limit:.2f})",
}


def fitness_text(found: Fitness) -> str:
    """Why a target cannot be learned, as a sentence; empty when it can be."""
    if found.fit:
        return ""
    values = {"students": f"{found.students:,}", "events": f"{found.events:,}"}
    fixed = LACKING[found.target].get(found.reason)
    if fixed:
        return fixed.format(**values) + "."
    why = WIDE[found.reason].format(
        share=100 * found.share_error, most=100 * SHARE_WITHIN, auc=found.auc_error, limit=AUC_WITHIN
    )
    needed = f" About {found.needed:,} such students would do." if found.needed else ""
    return f"{TOO_FEW[found.target].format(**values)}; {why}.{needed}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns aligned by their widest cell, the first to the left."""
    widths = [max(len(str(line[i])) for line in [header, *rows]) for i in range(len(header))]

    def line(cells) -> str:
        return "  ".join(
            str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def assessment_text(assessment: Assessment) -> str:
    """Every arm beside the baselines, per target, with 95 % intervals."""
    when = f", known by {assessment.simulated_date}" if assessment.simulated_date else ""
    parts = [
        f"Protocol: {PROTOCOL_NAMES[assessment.protocol]}; trained on {assessment.train_students} "
        f"students{when}; judged on {assessment.test_students} others. Intervals: 95 %, bootstrap."
    ]
    for target, part in assessment.targets.items():
        arms = part.evaluations
        size = next(iter(arms.values()))
        parts.append(
            f"\n{TARGET_NAMES[target].capitalize()} ({size.students} students, {size.rows} rows, "
            f"{size.events} of them events; drawn by {size.clustered_by})"
        )
        figures = [
            [name, *(e.figures[key].text() if key in e.figures else "—" for e in arms.values())]
            for key, name in SHOWN.items()
        ]
        parts.append(table(["", *(ARM_NAMES[arm] for arm in arms)], figures))
    return "\n".join(parts)


def ablation_text(ablation: Ablation) -> str:
    """Records / signature / fused on the same students, the paired differences, and the verdict."""
    title = (
        f"Do signatures add anything to {TARGET_NAMES[ablation.target]}? "
        f"The same {ablation.students} students with a signature ({ablation.rows} rows)"
    )
    names = {k: SHOWN[k] for k in ("roc_auc", "pr_auc", "brier", "precision_at_10", "precision_at_20")}
    if not ablation.arms:
        return f"{title}\nVerdict: the signature: {VERDICT_NAMES[ablation.verdict]}"
    rows = [[arm, *(figures[key].text(4) for key in names)] for arm, figures in ablation.arms.items()]
    rows.append(["fused less records", *(ablation.differences[key].text(4) for key in names)])
    return "\n".join(
        [
            title,
            table(["", *names.values()], rows),
            f"Permutation of signatures within programme × intake: p = {ablation.p_value:.3f}",
            *_beside(ablation),
            f"Verdict: the signature: {VERDICT_NAMES[ablation.verdict]}",
        ]
    )


def _beside(ablation: Ablation) -> list[str]:
    """What the embedding could add at most, and what it gives away."""
    told = []
    if ablation.reachable is not None and isfinite(ablation.reachable.high):
        told.append(f"ROC-AUC that the embedding could add at most: {ablation.reachable.high:.4f}")
    if ablation.gives_away:
        told.append(f"The embedding gives away: {', '.join(ablation.gives_away)}")
    return told


def sign_text(sign: Sign) -> tuple[str, str]:
    """What a sign of drift is and what it looked at, in words."""
    kind, name = KIND_NAMES.get(sign.kind, sign.kind), sign.name
    if sign.kind == EXITS:
        name = f"{sign.seen} seen, {sign.expected} expected"
    return kind, "old or new" if name == OLD_OR_NEW else name


def monitor_text(found: Watch, shown: int = 12) -> str:
    """Whether calibration can be trusted for the young cohorts, every alarm, and what embeddings give away.

    Parameters
    ----------
    found : Watch
    shown : int
        Signs listed; alarms come first and are all listed.
    """
    verdict = (
        ("no sign that their risks are off" if found.enough else "too few students to tell")
        if found.trusted
        else f"{len(found.alarms)} sign(s) beyond their limit: read their risks as ranks only"
    )
    parts = [
        f"Young cohorts ({found.later} students) beside those that taught the model ({found.taught}, "
        f"outcomes known by {found.taught_until}): {verdict}."
    ]
    rows = [
        [": ".join(sign_text(s)), f"{s.value:.3f}", f"{s.limit:.3f}", "ALARM" if s.alarm else ""]
        for s in found.signs[: max(shown, len(found.alarms))]
    ]
    if rows:
        parts.append(table(["sign", "value", "limit", ""], rows))
    for probe in found.probes:
        gives = "gives away" if probe.predicts else "does not tell"
        accuracy = probe.accuracy
        parts.append(
            f"The embedding {gives} {probe.attribute}: balanced accuracy {accuracy.value:.3f} "
            f"({accuracy.low:.3f} to {accuracy.high:.3f}), chance {probe.chance:.3f}, "
            f"{probe.students} students"
        )
    return "\n".join(parts)
