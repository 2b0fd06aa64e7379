"""``python -m vision encoder-info``: which weights an encoder has."""

from __future__ import annotations

from typing import Annotated

import typer


def encoder_info(
    encoder: Annotated[
        str,
        typer.Argument(help="Encoder name or weights file; default: TEPAT_ENCODER, else the shipped one."),
    ] = "",
) -> None:
    """Print an encoder's name, version, source and hash of its weights, and its input."""
    from data.settings import get_settings
    from vision.encoder.backbones import encoder_names, load_encoder

    loaded = load_encoder(encoder or get_settings().encoder or None)
    info = loaded.info
    height, width = loaded.input_size
    lines = {
        "name": info.name,
        "version": info.version,
        "weights": info.weights_source,
        "sha256": info.weights_sha256,
        "vector": f"{info.dim} numbers",
        "input": f"{height} x {width} pixels, preprocessing {loaded.variant}",
        "other names": ", ".join(encoder_names()),
    }
    for name, value in lines.items():
        typer.echo(f"{name:12} {value}")
