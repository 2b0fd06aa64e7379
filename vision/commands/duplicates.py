"""``python -m vision duplicates``: one image under two names, one hand under several."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.cluster import Cluster
from data.commands.frame import ACTOR, Refusal
from vision.commands.shared import opened


def duplicates(
    expected: Annotated[float, typer.Option(help="Pairs of one hand that chance may bring.")] = 1.0,
    cluster: Cluster = "",
) -> None:
    """Search all described specimens; the findings replace those of the last search."""
    if expected <= 0:
        raise Refusal(f"--expected must be positive, got {expected}")
    from data.engine.spread import spread_over

    with opened() as (store, bars), spread_over(cluster) as spread:
        from vision.search.duplicate_search import search_duplicates

        found = search_duplicates(store, actor=ACTOR, expected=expected, progress=bars, spread=spread)
    for row in found.itertuples():
        pair = f"{row.first_student}  {row.second_student}"
        typer.echo(f"{row.kind:10}  {pair}  {row.measure:.3f}  by chance {row.expected_false:.2g}")
    typer.echo(f"{len(found)} pairs to look at")
