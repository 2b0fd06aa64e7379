"""Outcomes of verification as an office gets them: on clean scans, telephones, copies, stamps, other pens.

A set of real writers stands for a register: half of the writers that are not tested make the background, and
each half is tried on the other's background for the calibration, by the functions that the program itself
uses; forgers are borrowed from the *other* sets (``vision.verification.forger_share``), never from the one
under test. Each tested writer's first signatures, clean, are the references; later ones, forgeries and
strangers' are brought in under every condition.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from tqdm import tqdm

from benchmarks.office_conditions import CONDITIONS, on_paper
from benchmarks.options import DataFolder, JsonFile
from benchmarks.report_file import write_result
from benchmarks.signature_sets import SignatureSet, read_scan, read_signature_set
from vision import metrics
from vision.descriptor.describe_specimens import descriptor_in_use
from vision.descriptor.descriptors import Descriptor
from vision.intervals import binomial_interval
from vision.scans.pen import PenTrace, pen_trace
from vision.scans.preprocess import to_gray, to_ink
from vision.verification.conditions import Compared, Reading, compare_scan
from vision.verification.forger_share import REGISTER_DOUBT, Forgers, read_forgers
from vision.verification.ground import Ground, WriterSet, background_of, crosswise, fit_calibrations
from vision.verification.synthetic_ground import SHIPPED, read_synthetic
from vision.verification.verify import fit_writer_model

REFERENCES = (3, 6, 10)
GENUINE, STRANGERS = 2, 1
PER_WRITER = 4
SEED = 14


@dataclass(frozen=True)
class Person:
    """A tested writer.

    Attributes
    ----------
    vectors : float32 (most references, d)
        Of the clean references.
    pens : tuple of PenTrace
    tests : tuple of (kind, index)
        Questioned signatures of the set.
    """

    writer: str
    vectors: np.ndarray
    pens: tuple[PenTrace, ...]
    tests: tuple[tuple[str, int], ...]


def main(
    data: DataFolder,
    writers: Annotated[int, typer.Option(min=24, help="The first so many writers.")] = 80,
    test: Annotated[int, typer.Option(min=2, help="Writers that are tested.")] = 30,
    each: Annotated[
        int, typer.Option(min=1, help="Genuine and as many forged signatures of each.")
    ] = GENUINE,
    condition: Annotated[
        list[str] | None, typer.Option(help="Only these conditions; all of them by default.")
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="Stop after so many, with whom was tested.")
    ] = 600.0,
    json_file: JsonFile = None,
) -> None:
    """Conditions × references × outcome rates, judged by the other sets' forgers."""
    started = time.perf_counter()
    conditions = known(condition or list(CONDITIONS))
    found = read_signature_set(data, writers)
    tool = descriptor_in_use()
    tested, others = deal(found, test)
    grounds = {
        "register": register_ground(found, tool, others, read_forgers().without(found.name)),
        "synthetic": synthetic_ground(tool, read_forgers().without(found.name)),
    }
    until = started + 60 * minutes
    trials = pd.DataFrame(_trials(found, tool, tested, each, grounds, conditions, until))
    rows = [*table(trials[trials["ground"] == "register"])]
    small = [*table(trials[trials["ground"] == "synthetic"])]
    for row in [*rows, *small]:
        typer.echo(_line(row))
    protocol = {
        "name": "office, leave one set out",
        "writers": len(np.unique(found.writers)),
        "tested": int(trials["writer"].nunique()),
        "background": len(others) // 2,
        "held_out": len(others),
        "genuine_each": each,
        "skilled_each": each,
        "strangers_each": STRANGERS,
        "conditions": conditions,
        "forgers_from": list(read_forgers().without(found.name).sources),
        "seed": SEED,
    }
    seconds = round(time.perf_counter() - started, 1)
    write_result(
        {
            "data": found.name,
            "protocol": protocol,
            "rows": rows,
            "without_a_register": small,
            "seconds": seconds,
        },
        json_file,
    )


def deal(found: SignatureSet, test: int) -> tuple[list[str], list[str]]:
    """Tested writers and the rest, by a fixed draw; at least twelve are left."""
    everyone = np.random.default_rng(SEED).permutation(np.unique(found.writers)).tolist()
    count = min(test, len(everyone) - 12)
    return everyone[:count], everyone[count:]


def register_ground(
    found: SignatureSet, tool: Descriptor, writers: Sequence[str], forgers: Forgers
) -> Ground:
    """Background and calibrations from a set's own genuine signatures and borrowed forgers."""
    half, most = len(writers) // 2, max(REFERENCES) + GENUINE
    sides = [_sets(found, tool, part, most) for part in (writers[:half], writers[half:])]
    background, own = crosswise(*sides, tool.blocks, PER_WRITER)
    trials = pd.concat([own, forgers.placed(own)], ignore_index=True)
    calibrations = fit_calibrations(trials, "office", REGISTER_DOUBT, forgers.writers, fewest=1)
    return Ground("register", "office", background, calibrations, trials)


def synthetic_ground(tool: Descriptor, forgers: Forgers) -> Ground:
    """What an office without enough writers has: shipped signers, and lines from the other sets."""
    made = read_synthetic(SHIPPED, tool.blocks)
    calibrations = forgers.calibrations("office-synthetic")
    return Ground("synthetic", "office", background_of(made.writers, tool.blocks), calibrations, made.trials)


def _sets(found: SignatureSet, tool: Descriptor, writers: Sequence[str], most: int) -> list[WriterSet]:
    none = np.empty((0, tool.info.dim), np.float32)
    return [
        WriterSet(one, tool.describe([_clean(found, row) for row in found.genuine_of(one)[:most]]), none)
        for one in writers
    ]


def _clean(found: SignatureSet, row: int) -> np.ndarray:
    return to_ink(on_paper(_scan(found, row), np.random.default_rng((SEED, row))))


def _scan(found: SignatureSet, row: int) -> np.ndarray:
    return to_gray(read_scan(found.paths[row]))


def _person(found: SignatureSet, tool: Descriptor, tested: Sequence[str], k: int, each: int) -> Person:
    writer, most = tested[k], max(REFERENCES)
    genuine = found.genuine_of(writer)
    inks = [_clean(found, row) for row in genuine[:most]]
    tests = [("genuine", row) for row in genuine[most : most + each]]
    tests += [("skilled", row) for row in found.forged_of(writer)[:each]]
    for step in range(1, STRANGERS + 1):
        tests.append(("random", found.genuine_of(tested[(k + step) % len(tested)])[most]))
    return Person(writer, tool.describe(inks), tuple(map(pen_trace, inks)), tuple(tests))


def known(conditions: list[str]) -> list[str]:
    """The same names, if each of them is a condition."""
    unknown = [one for one in conditions if one not in CONDITIONS]
    if unknown:
        raise typer.BadParameter(f"condition: one of {', '.join(CONDITIONS)}, got {', '.join(unknown)}")
    return conditions


def _trials(
    found: SignatureSet,
    tool: Descriptor,
    tested: Sequence[str],
    each: int,
    grounds: dict[str, Ground],
    conditions: Sequence[str],
    until: float,
):
    for k in tqdm(range(len(tested)), desc="tested writers", mininterval=5):
        if k > 1 and time.perf_counter() > until:
            return
        person = _person(found, tool, tested, k, each)
        models = {
            (name, count): fit_writer_model(person.vectors[:count], ground.background, person.writer)
            for name, ground in grounds.items()
            for count in REFERENCES
        }
        for condition in conditions:
            for kind, row in person.tests:
                yield from _one(found, tool, person, models, grounds, condition, kind, row)


def _one(found, tool, person: Person, models: dict, grounds, condition: str, kind: str, row: int):
    """Every ground and number of references for one questioned scan; what is described is described once."""
    rng = np.random.default_rng((SEED, row, list(CONDITIONS).index(condition)))
    other = _scan(found, int(found.genuine_of(np.unique(found.writers)[0])[-1]))
    pixels = as_read(CONDITIONS[condition](_scan(found, row), rng, other))
    reading, known = Reading.of(pixels), {}

    def describe(image: np.ndarray) -> np.ndarray:
        key = (image.shape, image.tobytes())
        if key not in known:
            known[key] = tool.describe([image])[0] * image.any()
        return known[key]

    for (name, count), model in models.items():
        calibration = grounds[name].calibration_for(count)
        compared = compare_scan(
            pixels, reading, describe=describe, model=model, references=count,
            calibration=calibration, reference_pens=person.pens[:count],
        )  # fmt: skip
        yield {
            "ground": name, "condition": condition, "references": count, "kind": kind, "writer":
            person.writer, **_answer(compared),
        }  # fmt: skip


def as_read(pixels: np.ndarray) -> np.ndarray:
    """Pixels as the decoder of files gives them: a negative turned round."""
    from data.signatures.gray_levels import light_on_dark

    return 255 - pixels if light_on_dark(pixels) else pixels


def _answer(compared: Compared) -> dict:
    judged = compared.verification
    decided = compared.reason == judged.code  # a finding leaves no ratio to speak of
    return {
        "outcome": compared.outcome,
        "reason": compared.reason,
        "log10_lr": judged.log10_lr if decided and judged.log10_lr is not None else 0.0,
    }


def table(trials: pd.DataFrame):
    """One row for each condition and number of references.

    Cllr counts every scan, those that a finding stopped as "no support"; ``cllr_min`` is what the best
    calibration of the same ratios would reach.
    """
    for (condition, references), rows in trials.groupby(["condition", "references"], sort=False):
        kinds = {kind: part for kind, part in rows.groupby("kind")}
        shares = {
            f"{kind}_{outcome}": round(float((kinds[kind]["outcome"] == outcome).mean()), 4)
            for kind, outcome in (
                ("genuine", "consistent"), ("genuine", "review"), ("skilled", "consistent"),
                ("skilled", "review"), ("random", "consistent"),
            )
        }  # fmt: skip
        told = {"genuine_consistent": "genuine", "genuine_review": "genuine", "skilled_consistent": "skilled"}
        between = {
            f"{name}_interval": [round(value, 4) for value in _interval(shares[name], len(kinds[kind]))]
            for name, kind in told.items()
        }
        ratios = [kinds[kind]["log10_lr"].to_numpy() * np.log(10) for kind in ("genuine", "skilled")]
        reasons = kinds["genuine"]["reason"].value_counts(normalize=True).round(3).to_dict()
        yield {
            "condition": condition,
            "references": int(references),
            **shares,
            **between,
            "cllr": round(metrics.cllr(*ratios), 4),
            "cllr_min": round(metrics.min_cllr(*ratios), 4),
            "genuine": len(kinds["genuine"]),
            "skilled": len(kinds["skilled"]),
            "random": len(kinds["random"]),
            "genuine_reasons": reasons,
        }


def _interval(share: float, trials: int) -> tuple[float, float]:
    found = binomial_interval(round(share * trials), trials)
    return found.low, found.high


def _line(row: dict) -> str:
    shares = "  ".join(
        f"{name} {100 * row[name]:3.0f}"
        for name in (
            "genuine_consistent",
            "genuine_review",
            "skilled_consistent",
            "skilled_review",
            "random_consistent",
        )  # fmt: skip
    )
    title = f"{row['condition']:15} {row['references']:2}"
    return f"{title}  {shares}  cllr {row['cllr']:.2f} / {row['cllr_min']:.2f}"
