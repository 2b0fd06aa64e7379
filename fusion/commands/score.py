"""``python -m fusion score``: every enrolled student at every as-of term."""

from __future__ import annotations

import typer

from data.commands.bars import Bars
from data.commands.cluster import Cluster
from data.commands.frame import note_invented, opened_store
from fusion.commands.shared import Served


def score(model: Served = "", cluster: Cluster = "") -> None:
    """Score every enrolled student at every as-of term up to now; a broken run is completed by the next."""
    from data.engine.spread import spread_over
    from fusion.pipeline import score as run

    with opened_store() as store:
        with spread_over(cluster) as spread, Bars() as bars:
            written = run(store, model or None, progress=bars, spread=spread)
        typer.echo(f"{written} new scores, each with its explanation")
        note_invented(store)
