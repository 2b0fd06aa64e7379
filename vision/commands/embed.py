"""``python -m vision embed``: quality findings and embeddings of every new specimen."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.cluster import Cluster
from vision.commands.shared import opened


def embed(
    encoder: Annotated[
        str, typer.Option(help="Encoder name or weights file; default: TEPAT_ENCODER, else the shipped one.")
    ] = "",
    cluster: Cluster = "",
) -> None:
    """Check new specimens, and embed those of students who consent to the outcome model.

    Interrupted, the same command goes on where it stopped.
    """
    from data.engine.spread import spread_over
    from data.settings import get_settings

    with opened() as (store, bars), spread_over(cluster) as spread:
        from vision.encoder.backbones import load_encoder
        from vision.encoder.embed_specimens import embed_pending
        from vision.threads import use_threads

        name, threads = encoder or get_settings().encoder or None, use_threads(get_settings().threads)
        loaded = load_encoder(name)
        count = embed_pending(store, loaded, bars, threads, name=name, spread=spread)
    typer.echo(f"{count} specimens embedded by {loaded.info.encoder_id}")
