"""Manifests of formats 1 to 3 in the shape of format 4: English words become codes, flat figures estimates.

What is in today's shape already stays as it is, so that an older model whose manifest was written again can
be read, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fusion.model.conformal import ANSWERS

ARMS = {"logistic regression": "logistic", "on-track rule": "rule", "programme base rate": "base"}
VERDICTS = {"adds nothing measurable": "nothing", "cannot tell (too few)": "few"}
PROTOCOLS = {"forward by cohort": "forward", "students held out at random": "held_out"}
RATES = ("fnr", "fpr", "selection", "precision", "mean_risk", "observed", "calibration_gap")
EXITS = re.compile(r"(-?\d+) seen, (-?\d+) expected")


def renewed(held: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest in today's shape; what it does not say stays unsaid."""
    made = dict(held)
    if made.get("assessment"):
        made["assessment"] = _examination(made["assessment"])
    if made.get("monitor"):
        signs = [_sign(sign) for sign in made["monitor"].get("signs", [])]
        made["monitor"] = {**made["monitor"], "signs": signs}
    return made


def _examination(held: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(held)
    if "protocol" in made:
        made["protocol"] = PROTOCOLS.get(made["protocol"], made["protocol"])
    made["evaluations"] = {
        target: {ARMS.get(arm, arm): figures for arm, figures in arms.items()}
        for target, arms in held.get("evaluations", {}).items()
    }
    made["ablations"] = {
        target: {**found, "verdict": VERDICTS.get(found.get("verdict", ""), found.get("verdict", ""))}
        for target, found in held.get("ablations", {}).items()
    }
    made["precision_recall"] = [
        {**row, "arm": ARMS.get(row["arm"], row["arm"])} for row in held.get("precision_recall", [])
    ]
    made["sets"] = [_with_answers(row) for row in held.get("sets", [])]
    made["fairness"] = {
        target: {**audit, "table": [_with_rates(row) for row in audit.get("table", [])]}
        for target, audit in held.get("fairness", {}).items()
    }
    return made


def _with_answers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"answers": {name: row[name] for name in ANSWERS if name in row}, **row}


def _with_rates(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = [] if row["suppressed"] else [name for name in RATES if name in row]
    rates = {name: [row[name], row.get(f"{name}_low"), row.get(f"{name}_high")] for name in flat}
    return {"rates": rates, **row}


def _sign(sign: Mapping[str, Any]) -> dict[str, Any]:
    if sign["name"] == "old or new":
        return {**sign, "name": "old_or_new"}
    if sign["kind"] != "early drop-out":
        return dict(sign)
    counted = EXITS.fullmatch(sign["name"])
    seen, expected = (int(number) for number in counted.groups()) if counted else (None, None)
    return {**sign, "kind": "exits", "name": "", "seen": seen, "expected": expected}
