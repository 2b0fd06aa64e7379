"""The model card and the fairness report as Markdown, from what a trained model recorded about itself."""

from __future__ import annotations

from collections.abc import Iterable

from data.columns import BANDS
from fusion.features.directions import DIRECTIONS, FREE, LOWERS, RAISES, Direction
from fusion.features.feature_list import FEATURES
from fusion.validation.fitness import fitness_of, missing_exits, unfit
from fusion.validation.report import SHOWN, TARGET_NAMES, fitness_text

NOTICE = (
    "There is no established evidence that a signature reveals ability or personality. The signature is "
    "auxiliary and experimental here; it is always shown apart, and the records alone can be served."
)
UNINTENDED = (
    "automatic decisions about a student; admission, discipline or funding; comparing contacted with "
    "not-contacted students as if that were an effect; filling an accreditation table."
)
FAIRNESS_NAMES = {
    "fnr": "missed (FNR)",
    "fpr": "alarmed for nothing (FPR)",
    "selection": "listed",
    "calibration_gap": "risk less observed",
}


def model_card(manifest: dict, *, synthetic: bool, institution: str = "") -> str:
    """What the model is, what it was taught by, how good it is on later cohorts, and where it ends.

    Parameters
    ----------
    manifest : dict
        Of the registry.
    synthetic : bool
        Whether the store holds synthetic demo data.
    institution : str
        Printed when given.
    """
    assessment = manifest.get("assessment")
    parts = [
        f"# Model card: {manifest['version']}",
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
        parts += [_evaluation(assessment), _ablation(assessment), _lists(assessment), _cohorts(assessment)]
    if manifest.get("monitor"):
        parts.append(_monitor(manifest["monitor"]))
    parts += [_limits(), _features(manifest)]
    return "\n\n".join(part for part in parts if part) + "\n"


def fairness_report(manifest: dict, *, synthetic: bool) -> str:
    """Errors and calibration by group on held-out students, small cells suppressed."""
    audits = (manifest.get("assessment") or {}).get("fairness", {})
    parts = [
        f"# Fairness report: {manifest['version']}",
        "**Synthetic demo data: nothing here is about real people.**" if synthetic else "",
        "Groups are audited and are not predictors. FPR and FNR are those of the list at capacity, made "
        "within each programme. Cells with fewer than five students, or fewer than five with or without the "
        "outcome, are suppressed, and further cells with them where they would follow from the totals. "
        "Intervals: 95 %, bootstrap over students. A gap is an observation about "
        "this register, not its cause.",
    ]
    for target, audit in audits.items():
        title = f"## {TARGET_NAMES[target].capitalize()}\n\nAs of {audit['as_of_index']} completed terms, "
        parts.append(f"{title}{audit['share']:.0%} of each programme listed.")
        parts.append(_table(["attribute", "group", "students", *FAIRNESS_NAMES.values()], _groups(audit)))
        parts.append("Largest differences between groups:")
        gaps = [
            [
                g["attribute"],
                FAIRNESS_NAMES[g["figure"]],
                _interval([g["gap"], g["low"], g["high"]]),
                g["between"],
            ]
            for g in audit["gaps"]
        ]
        parts.append(_table(["attribute", "figure", "difference", "between"], gaps))
    if not audits:
        parts.append("No students with a known outcome were held out, so nothing could be audited.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _groups(audit: dict) -> Iterable[list[str]]:
    for row in audit["table"]:
        if row["suppressed"]:
            yield [row["attribute"], row["group"], "fewer than can be shown", *["—"] * len(FAIRNESS_NAMES)]
            continue
        figures = [_interval([row[k], row[f"{k}_low"], row[f"{k}_high"]]) for k in FAIRNESS_NAMES]
        yield [row["attribute"], row["group"], str(int(row["students"])), *figures]


def _origin(manifest: dict) -> str:
    taught = manifest["trained_on"]
    labels = ", ".join(
        f"{count} {name.replace('_', ' ')}" for name, count in sorted(taught["labels"].items())
    )
    rows = [
        ["trained on", f"{taught['students']} students of mature cohorts ({labels})"],
        ["data (SHA-256)", manifest["data_hash"]],
        ["code (SHA-256)", manifest["code_version"]],
        ["seed", str(manifest["seed"])],
        ["signature encoder", manifest["encoder_id"] or "none: records only"],
        ["trees", ", ".join(f"{name} {value:g}" for name, value in manifest["settings"].items())],
        [
            "weight of the trees",
            ", ".join(f"{t}: {w:.2f}" for t, w in manifest.get("tree_weight", {}).items()),
        ],
        ["signature trees", ", ".join(f"{t}: {n}" for t, n in manifest["signature_rounds"].items())],
    ]
    return "## Where it comes from\n\n" + _table(["", ""], rows)


MISSING = {
    "dropout": "Nobody of known outcome dropped out: the register may list graduates only. What is learned "
    "from it holds for students who graduate sooner or later, and risks are too low for everybody else.",
    "on_time": "Nobody of known outcome graduated on time.",
    "delayed": "Nobody of known outcome was late: everybody graduated on time or left without a degree.",
}


def _unlearned(manifest: dict) -> str:
    """What the register could not teach, and the kinds of exit that it lacks."""
    lines = [
        f"*{TARGET_NAMES[target]}* is not scored: {fitness_text(found)} The credits-and-GPA rule is offered."
        for target, found in unfit(manifest).items()
    ]
    lines += [MISSING[kind] for kind in missing_exits(manifest["trained_on"]["labels"])]
    if any(found.fit and found.cohorts == 1 for found in fitness_of(manifest).values()):
        lines.append("All students entered together: nothing could be judged on a later cohort.")
    return "## What could not be learned\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _bands(manifest: dict) -> str:
    rows, silent = [], unfit(manifest)
    for target, edges in manifest["bands"].items():
        if target in silent:
            continue
        ends = [0.0, *edges, 1.0]
        spans = [f"{low:.1%} to {high:.1%}" for low, high in zip(ends[:-1], ends[1:], strict=True)]
        rows.append([target, *spans])
    return "## Bands of risk\n\n" + _table(["target", *(band.replace("_", " ") for band in BANDS)], rows)


def _evaluation(assessment: dict) -> str:
    day = f", known by {assessment['simulated_date']}" if assessment["simulated_date"] else ""
    text = (
        f"## How good it is\n\nProtocol: {assessment['protocol']}. Taught by {assessment['train_students']} "
        f"students{day}; judged on {assessment['test_students']} others, beside what it has to beat. "
        "Intervals: 95 %, bootstrap by cohort and programme."
    )
    for target, arms in assessment["evaluations"].items():
        rows = [
            [name, *(_interval(e["figures"].get(key)) for e in arms.values())] for key, name in SHOWN.items()
        ]
        text += f"\n\n### {TARGET_NAMES[target].capitalize()}\n\n" + _table(["", *arms], rows)
        ours = arms["fused"]["figures"].get("precision_at_10")
        bar = max(
            (arms[b]["figures"]["precision_at_10"][0] or 0 for b in ("on-track rule", "programme base rate")),
            default=0,
        )
        if ours and ours[0] is not None and ours[0] <= bar:
            text += "\n\n**Warning: at 10 % capacity the model does not beat the simplest baselines.**"
    return text


def _ablation(assessment: dict) -> str:
    text = "## Do signatures add anything?"
    for target, found in assessment["ablations"].items():
        gain = _interval((found["differences"] or {}).get("roc_auc"), digits=4)
        text += (
            f"\n\n- *{target}*: on the same {found['students']} students the verdict is "
            f"**{found['verdict']}** (AUC fused less records {gain}; permutation p "
            f"{'—' if found['p_value'] is None else format(found['p_value'], '.3f')})."
        )
    return text


def _lists(assessment: dict) -> str:
    rows = []
    for target, report in assessment["lists"].items():
        stayed = [row["stayed"] for row in report["stability"]]
        steady = f"{sum(stayed) / len(stayed):.0%}" if stayed else "—"
        rows.append([target, _plain(report["median_lead"]), steady, _plain(report["alerts_per_case"])])
    head = ["target", "median lead time (terms)", "stays on the list from term to term", "alerts per case"]
    return "## The list at 20 % capacity\n\n" + _table(head, rows)


def _cohorts(assessment: dict) -> str:
    rows = [
        [
            row["target"],
            str(row["cohort_term"]),
            str(row["students"]),
            f"{row['mean_risk']:.3f}",
            _interval([row["observed"], row["low"], row["high"]]),
            "yes" if row["trusted"] else "**no**",
        ]
        for row in assessment["cohorts"]
    ]
    head = ["target", "cohort", "students", "mean risk", "observed", "risk within the interval"]
    return "## Calibration by cohort\n\n" + _table(head, rows)


def _monitor(found: dict) -> str:
    alarms = [sign for sign in found["signs"] if sign["alarm"]]
    text = (
        f"## Drift\n\n{found['later']} students of cohorts whose outcome is not known yet, beside the "
        f"{found['taught']} that could teach by {found['taught_until']}: " + _trust(found)
    )
    if alarms:
        rows = [[s["kind"], s["name"], f"{s['value']:.3f}", f"{s['limit']:.3f}"] for s in alarms]
        text += "\n\n" + _table(["sign", "of", "value", "limit"], rows)
    if found["probes"]:
        rows = [
            [p["attribute"], _interval(p["accuracy"]), f"{p['chance']:.3f}", "yes" if p["predicts"] else "no"]
            for p in found["probes"]
        ]
        text += "\n\nWhat the embedding gives away (balanced accuracy of a linear probe):\n\n"
        text += _table(["attribute", "accuracy", "chance", "above chance"], rows)
    return text


def _trust(found: dict) -> str:
    if not found["trusted"]:
        return "**calibration cannot be trusted for them.**"
    return "no sign beyond its limit." if found["enough"] else "too few to tell."


def _limits() -> str:
    return (
        "## Limits\n\nA risk describes past students with such records; it is no cause and no fate. "
        "Base rates move between cohorts: read the calibration by cohort and the drift alarms before "
        "trusting a figure. "
        "Accurate prediction alone has not been shown to raise graduation; talks may."
    )


def _features(manifest: dict) -> str:
    rows = [
        [
            FEATURES[name].label,
            FEATURES[name].group,
            "yes" if FEATURES[name].changeable else "no",
            _direction(name),
        ]
        for name in manifest["record_features"]
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


def _interval(values, digits: int = 3) -> str:
    if not values or values[0] is None:
        return "—"
    if values[1] is None:
        return f"{values[0]:.{digits}f}"
    return f"{values[0]:.{digits}f} ({values[1]:.{digits}f} to {values[2]:.{digits}f})"


def _plain(value) -> str:
    return "—" if value is None else f"{value:.1f}"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
