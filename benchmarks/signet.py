"""System 4 (Hafemann et al. 2017): features, then one classifier per writer; and writers never trained on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import published
from benchmarks.independent import Described, independent_trials
from benchmarks.options import DataFolder, DescriptorName, InkName, JsonFile, Minutes, Reproduced
from benchmarks.paper_network import network_here, network_rows
from benchmarks.protocols import usable_writers, verification_figures
from benchmarks.report_file import write_result
from benchmarks.signature_sets import describe_set, read_signature_set
from benchmarks.verification import COLUMNS, as_json, line, measure
from vision.descriptor.descriptors import load_descriptor

JUDGED = 120
"""Writers judged as never trained on, all rounds together; at least one round of everybody."""


def main(
    data: DataFolder,
    references: Annotated[int, typer.Option(min=2, help="Genuine references per writer.")] = 12,
    splits: Annotated[int, typer.Option(min=1, help="Random splits.")] = 10,
    train_data: Annotated[
        Path | None, typer.Option(help="Another set to learn from, for writers never trained on.")
    ] = None,
    descriptor: DescriptorName = "signature",
    ink: InkName = "grey",
    minutes: Minutes = 5.0,
    reproduced: Reproduced = None,
    json_file: JsonFile = None,
) -> None:
    """Writer-dependent verification against skilled forgeries, thresholds per writer and global."""
    started = time.perf_counter()
    found = read_signature_set(data)
    other = None if train_data is None else read_signature_set(train_data)
    result = measure(found, descriptor, references, splits, ink)
    result["writer_independent"] = writer_independent(found, descriptor, references, splits, ink, other)
    result |= network_here("signet", found, other, references, minutes, reproduced)
    result["seconds"] = round(time.perf_counter() - started, 1)
    typer.echo(line(result))
    rows = [published.as_printed(result, result["descriptor"], references)]
    independent = {**result["writer_independent"], "data": found.name}
    rows.append(published.as_printed(independent, f"{result['descriptor']}, trained on others", references))
    rows += network_rows("signet", result, references)
    published.show("Hafemann et al. 2017, and here", published.SIGNET, rows, COLUMNS)
    write_result(result, json_file)


def writer_independent(found, descriptor: str, references: int, splits: int, ink: str, other=None) -> dict:
    """Figures when everything that is learned comes from other writers, as plain numbers.

    Parameters
    ----------
    found : SignatureSet
    descriptor : str
    references : int
    splits : int
        Times that all writers are dealt anew into those learned from and those judged; fewer for many.
    ink : {"grey", "binary"}
    other : SignatureSet, optional
        Learn from these writers; five folds of the set's own by default.
    """
    tool = load_descriptor(descriptor)
    here = Described(found, describe_set(found, tool, ink), tool.blocks)
    writers, skipped = usable_writers(found, references)
    splits = max(1, min(splits, JUDGED // len(writers)))
    train = seen = None
    if other is not None:
        train = Described(other, describe_set(other, tool, ink), tool.blocks)
        seen, _ = usable_writers(other, 2)
    trials = independent_trials(here, writers, references, splits, train, seen)
    return {
        "protocol": {
            "name": "writer-independent: learned from other writers only",
            "learned_from": found.name if other is None else other.name,
            "references": references,
            "splits": splits,
            "writers": len(writers),
            "skipped_writers": skipped,
        },
        **as_json(verification_figures(trials)),
    }
