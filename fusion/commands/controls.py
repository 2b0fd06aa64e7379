"""``python -m fusion controls``: what the verdict on signatures says where there is nothing to find."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import Refusal, opened_store


def controls(
    seed: Annotated[int, typer.Option(min=0)] = 0,
    networks: Annotated[bool, typer.Option(help="Also blank paper and an untrained network.")] = False,
) -> None:
    """Negative controls: the verdict with noise, swapped signatures, and scan facts in place of ink.

    With --networks every specimen is embedded twice more: its paper without ink, and its ink by the same
    network with shuffled weights.
    """
    from data import queries
    from fusion.service.sources import PURPOSE, Parts, read_rows
    from fusion.validation.controls import run_controls
    from fusion.validation.report import ablation_text

    with opened_store() as store:
        register = Parts(store)
        rows = read_rows(register)
        if not rows.signed.any():
            typer.echo("no consenting student has an embedded specimen; there is nothing to control")
            return
        specimens = queries.specimen_table(store, PURPOSE)
        further = _network_controls(store, specimens, rows.signatures.encoder_id, seed) if networks else {}
        found = run_controls(register.people, rows, specimens, seed=seed, further=further)
    for name, ablations in found.items():
        for ablation in ablations.values():
            typer.echo(f"\nControl: {name}\n{ablation_text(ablation)}")


def _network_controls(store, specimens, encoder_id: str, seed: int) -> dict:
    import numpy as np

    from data import queries
    from data.settings import get_settings
    from data.trust.scope import Scope
    from fusion.validation.controls import network_controls
    from vision.encoder.backbones import load_encoder

    encoder = load_encoder(get_settings().encoder or None)
    if encoder.info.encoder_id != encoder_id:
        raise Refusal(f"these controls need the encoder {encoder_id}, not {encoder.info.encoder_id}")
    rng = np.random.default_rng([seed, 71])
    return network_controls(
        encoder, specimens, lambda key: queries.specimen_image(store, key, Scope.system()), rng
    )
