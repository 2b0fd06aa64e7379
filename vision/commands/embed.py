"""``python -m vision embed``: quality findings and embeddings of every new specimen."""

from __future__ import annotations

from typing import Annotated

import typer

from vision.commands.shared import opened


def embed(
    encoder: Annotated[
        str, typer.Option(help="Encoder name or weights file; default: TEPAT_ENCODER, else the shipped one.")
    ] = "",
) -> None:
    """Check new specimens, and embed those of students who consent to the outcome model.

    Interrupted, the same command goes on where it stopped.
    """
    from data.settings import get_settings

    with opened() as (store, bars):
        from vision.encoder.backbones import load_encoder
        from vision.encoder.embed_specimens import embed_pending
        from vision.threads import use_threads

        loaded = load_encoder(encoder or get_settings().encoder or None)
        count = embed_pending(store, loaded, bars, use_threads(get_settings().threads))
    typer.echo(f"{count} specimens embedded by {loaded.info.encoder_id}")
