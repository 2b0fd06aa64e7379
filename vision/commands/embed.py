"""``python -m vision embed``: quality findings and embeddings of every new specimen."""

from __future__ import annotations

from typing import Annotated

import typer


def embed(
    encoder: Annotated[
        str, typer.Option(help="Encoder name or weights file; default: TEPAT_ENCODER, else the shipped one.")
    ] = "",
) -> None:
    """Check new specimens, and embed those of students who consent to the outcome model.

    Interrupted, the same command goes on where it stopped.
    """
    from tqdm import tqdm

    from data.settings import get_settings
    from data.store import open_store
    from vision.encoder.backbones import NoWeights, load_encoder
    from vision.encoder.embed_specimens import embed_pending
    from vision.threads import use_threads

    threads = use_threads(get_settings().threads)
    try:
        loaded = load_encoder(encoder or get_settings().encoder or None)
    except (NoWeights, ValueError) as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    store = open_store()
    with tqdm(desc="specimens", unit="", mininterval=0.5) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            count = embed_pending(store, loaded, show, threads)
        finally:
            store.close()
    typer.echo(f"{count} specimens embedded by {loaded.info.encoder_id}")
