"""The preprocessing variants side by side: what each keeps of a scan, and what it gives away.

A collection's genuine and forged scans may differ in their paper; a variant that keeps the paper lets any
model cheat. So for each variant it is measured how well genuine and forged are told apart by the paper alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.protocols import usable_writers, verification_figures, writer_dependent_trials
from benchmarks.report_file import write_result
from benchmarks.signature_sets import SignatureSet, read_scan, read_signature_set
from vision import metrics
from vision.descriptor.descriptors import load_descriptor
from vision.scans.preprocess import VARIANTS, fit_ink, to_ink
from vision.verification.writer_dependent import ClassifierSettings

BOX = (128, 256)
DESCRIPTOR = "covariance"


@dataclass(frozen=True)
class Kept:
    """What a variant leaves of one scan.

    Attributes
    ----------
    ink : float
        Share of the image above 0.
    pieces : int
        Connected parts of ink: specks and broken strokes raise it.
    levels : int
        Different levels in the ink.
    width : float
        Mean stroke width in pixels of the scan; NaN when ink covers most of the image, or none.
    paper : float
        Median of the image, 0 to 255: what is left of the paper's tone.
    """

    ink: float
    pieces: int
    levels: int
    width: float
    paper: float


def main(
    data: Annotated[Path, typer.Option(help="Raw scans, one folder per writer.")],
    clean_data: Annotated[Path | None, typer.Option(help="The same writers, cleaned by somebody.")] = None,
    verification_data: Annotated[
        list[Path] | None, typer.Option(help="A set to verify on with each variant; may be repeated.")
    ] = None,
    writers: Annotated[int, typer.Option(min=2, help="Of that set, the first so many writers.")] = 12,
    references: Annotated[int, typer.Option(min=2, help="Genuine references per writer.")] = 12,
    splits: Annotated[int, typer.Option(min=1, help="Random splits.")] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """What each preprocessing variant keeps of raw scans, and the error rates it leads to."""
    started = time.perf_counter()
    found = read_signature_set(data)
    clean = None if clean_data is None else read_signature_set(clean_data)
    judged = [read_signature_set(folder, writers) for folder in verification_data or []]
    rows = []
    for variant in VARIANTS:
        row = {"variant": variant, **on_raw(found, variant)}
        if clean is not None:
            row["overlap_with_clean"] = overlap(found, clean, variant)
        row["verification"] = {one.name: errors(one, variant, references, splits) for one in judged}
        rows.append(row)
        typer.echo(line(row))
    write_result(
        {
            "data": found.name,
            "descriptor": DESCRIPTOR,
            "protocol": {
                "scans": len(found.paths),
                "verification": f"writer-dependent, {references} references, {splits} splits, "
                f"first {writers} writers of each set",
            },
            "rows": rows,
            "seconds": round(time.perf_counter() - started, 1),
        },
        json_file,
    )


def on_raw(found: SignatureSet, variant: str) -> dict:
    """Means over the scans of a set, and how well paper alone tells genuine from forged (0.5: not at all)."""
    started = time.perf_counter()
    inks = [to_ink(read_scan(path), variant) for path in found.paths]
    milliseconds = 1000 * (time.perf_counter() - started) / len(inks)
    kept = [kept_of(ink) for ink in inks]
    widths = [one.width for one in kept if not np.isnan(one.width)]
    return {
        "ink_share": round(float(np.mean([one.ink for one in kept])), 4),
        "pieces": round(float(np.mean([one.pieces for one in kept])), 1),
        "levels": round(float(np.mean([one.levels for one in kept])), 1),
        "stroke_width": round(float(np.mean(widths)), 2) if widths else None,
        "told_by_paper": told_apart(found, np.array([one.paper for one in kept])),
        "told_by_levels": told_apart(found, np.array([float(one.levels) for one in kept])),
        "milliseconds": round(milliseconds, 1),
    }


def kept_of(ink: np.ndarray) -> Kept:
    """Measure one ink image (uint8, bright on 0)."""
    mask = (ink > 0).astype(np.uint8)
    area = int(mask.sum())
    pieces = cv2.connectedComponents(mask, connectivity=8)[0] - 1
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    # The mean distance to the edge inside a stroke is a quarter of its width; where most is "ink", there are
    # no strokes.
    width = 4 * float(depth[mask > 0].mean()) if 0 < 2 * area < mask.size else float("nan")
    levels = len(np.unique(ink[mask > 0]))
    return Kept(area / mask.size, int(pieces), levels, width, float(np.median(ink)))


def told_apart(found: SignatureSet, trait: np.ndarray) -> float:
    """Mean over writers of the AUC with which one number tells genuine from forged, whichever way round."""
    values = []
    for writer in np.unique(found.writers):
        genuine, forged = found.genuine_of(writer), found.forged_of(writer)
        if len(genuine) and len(forged):
            area = metrics.auc(trait[genuine], trait[forged])
            values.append(max(area, 1 - area))
    return round(float(np.mean(values)), 4) if values else float("nan")


def overlap(found: SignatureSet, clean: SignatureSet, variant: str) -> float:
    """Mean intersection over union of raw and cleaned ink of the same signature, both fitted into one box.

    Signatures are matched by writer, kind and place in the order of the files' names.
    """
    shares = []
    for writer in np.unique(found.writers):
        for kind in ("genuine_of", "forged_of"):
            for row, other in zip(getattr(found, kind)(writer), getattr(clean, kind)(writer), strict=False):
                paths = (found.paths[row], clean.paths[other])
                first, second = (fit_ink(to_ink(read_scan(path), variant), BOX) > 64 for path in paths)
                union = int((first | second).sum())
                shares.append(int((first & second).sum()) / union if union else 1.0)
    return round(float(np.mean(shares)), 4) if shares else float("nan")


def errors(found: SignatureSet, variant: str, references: int, splits: int) -> dict:
    """Equal error rates of the training-free descriptor after a variant, with intervals by writer."""
    tool = load_descriptor(DESCRIPTOR)
    usable, _ = usable_writers(found, references)
    descriptors = tool.describe([to_ink(read_scan(path), variant) for path in found.paths])
    trials = writer_dependent_trials(
        found, descriptors, tool.blocks, usable, references, splits, ClassifierSettings()
    )
    figures = verification_figures(trials)
    return {name: figures[name].to_dict() for name in ("eer_user", "eer_global", "auc")}


def line(row: dict) -> str:
    """One row of the printed table."""
    parts = [f"{name} {row[name]}" for name in ("ink_share", "pieces", "levels", "stroke_width")]
    parts += [f"{name} {row[name]:.3f}" for name in ("told_by_paper", "told_by_levels")]
    if "overlap_with_clean" in row:
        parts.append(f"overlap {row['overlap_with_clean']:.3f}")
    for name, figures in row["verification"].items():
        parts.append(f"{name} EER {100 * figures['eer_user']['value']:.2f} %")
    return f"{row['variant']:16} " + "  ".join(parts)
