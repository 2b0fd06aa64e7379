"""``python -m data demo``: an invented university in the store that the environment names."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from data.commands.frame import opened_store


def demo(
    students: Annotated[int, typer.Option(min=1, help="Students ever registered.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same university.")] = 1,
    signatures: Annotated[bool, typer.Option(help="Draw and store signatures as well.")] = True,
    signature_link: Annotated[
        float, typer.Option(min=0, max=1, help="Correlation of the lean of the handwriting with engagement.")
    ] = 0.15,
    jobs: Annotated[int, typer.Option(min=0, help="Processes that draw; 0: one per core.")] = 0,
) -> None:
    """Invent a university (synthetic demo data) and write it into the store.

    Interrupted, the same command again completes it.
    """
    from data.commands.bars import Bars
    from data.synthetic.demo import write_demo

    with opened_store(may_make=True) as store, Bars() as bars:
        result = write_demo(
            store,
            students=students,
            seed=seed,
            signatures=signatures,
            signature_link=signature_link,
            jobs=jobs or len(os.sched_getaffinity(0)),
            progress=bars,
        )
    typer.echo(
        f"synthetic demo data in {store.url}: {result.students} students, {result.terms} terms, "
        f"{result.advisors} advisors, {result.specimens} specimens ({result.drawn} drawn now)"
    )
