"""``python -m vision calibrate``: what scores mean, learned from this register or from synthetic signers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.bars import Bars
from data.commands.cluster import Cluster
from data.commands.frame import ACTOR, Refusal
from vision.commands.shared import opened


def calibrate(
    synthetic: Annotated[
        Path | None, typer.Option(help="Write described synthetic signers here instead; no store is used.")
    ] = None,
    forgers: Annotated[
        Path | None, typer.Option(help="Write fitted numbers about forgers here instead, from --set folders.")
    ] = None,
    set_folders: Annotated[
        list[Path] | None,
        typer.Option("--set", help="Folder of a set with known forgeries; may be repeated."),
    ] = None,
    cluster: Cluster = "",
) -> None:
    """Learn thresholds from held-out writers of the register and say what they cost.

    With ``--synthetic vision/weights/verification-synthetic.safetensors`` it makes the shipped signers, with
    ``--forgers vision/weights/forgers.json --set CEDAR --set HINDI`` the shipped numbers about forgers.
    """
    if (forgers is None) != (not set_folders):
        raise Refusal("--forgers needs at least one --set, and --set a file for --forgers")
    if forgers is not None:
        from vision.commands.forgers import make_forgers

        with Bars() as bars:
            made = make_forgers(set_folders, forgers, bars)
        typer.echo(f"forgers of {made.writers} writers: {', '.join(made.sources)}")
        return
    from vision.verification.threshold_report import threshold_report

    if synthetic is not None:
        ground = _synthetic(synthetic)
    else:
        from data.engine.spread import spread_over

        with opened() as (store, bars):
            from vision.descriptor.describe_specimens import describe_pending
            from vision.verification.verification_tools import calibrate as learn

            with spread_over(cluster) as spread:
                describe_pending(store, bars, spread=spread)
            ground = learn(store, actor=ACTOR, progress=bars)
    report = threshold_report(ground)
    typer.echo(f"{report.version}, genuine signatures: {report.source}")
    for row in report.rates.itertuples():
        typer.echo(f"{row.name:16} {row.value:.3f}  [{row.low:.3f}–{row.high:.3f}]")
    typer.echo(f"reviews per 1,000 genuine forms: {report.reviews_per_1000.value:.0f}")


def _synthetic(path: Path):
    from vision.descriptor.describe_specimens import descriptor_in_use, id_of_descriptor
    from vision.verification.synthetic_ground import make_synthetic, write_synthetic

    descriptor = descriptor_in_use()
    with Bars() as bars:
        made = make_synthetic(descriptor, id_of_descriptor(descriptor), bars)
    write_synthetic(made, path)
    return made.ground(descriptor.blocks)
