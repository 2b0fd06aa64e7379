"""Which kind of heat map says where the ink acts: fidelity of every candidate on synthetic signers.

Per signer a questioned signature, every second one a skilled forgery, and the direction towards three
references. Fidelity is the rank correlation with covering the ink piece by piece; the page shows a map from
``vision.encoder.heat_maps.LEAST_FIDELITY`` on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result
from data.synthetic import signatures
from vision.encoder.backbones import SHIPPED, SHIPPED_FINE, load_encoder
from vision.encoder.embed import embed_prepared, prepare_image
from vision.encoder.heat_maps import (
    CANDIDATES,
    GRAD_CAM,
    LEAST_FIDELITY,
    heatmap_along,
    occlude,
    similarity_direction,
)

REFERENCES = 3
MEASURED = ((GRAD_CAM, "layer4"), (GRAD_CAM, "layer3"), *CANDIDATES)


def main(
    signers: Annotated[int, typer.Option(min=4, help="Synthetic signers.")] = 60,
    encoder: Annotated[list[str] | None, typer.Option(help="Encoders; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 99,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Fidelity of heat maps by method and layer."""
    rows = []
    for name in encoder or [SHIPPED, SHIPPED_FINE]:
        for (method, layer), values in fidelities(name, signers, seed).items():
            low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
            rows.append(
                {
                    "encoder": load_encoder(name).info.encoder_id,
                    "method": method,
                    "layer": layer,
                    "median": round(float(median), 3),
                    "quartiles": [round(float(low), 3), round(float(high), 3)],
                    "shown": round(float(np.mean(np.asarray(values) >= LEAST_FIDELITY)), 3),
                }
            )
            line = "{encoder:36} {method:10} {layer:7} median {median:5.2f}  shown {shown:.0%}"
            typer.echo(line.format(**rows[-1]))
    result = {
        "benchmark": "heat_maps",
        "command": f"python -m benchmarks heat-maps --signers {signers} --seed {seed}",
        "data": f"{signers} synthetic signers, {REFERENCES} references, every second questioned one forged",
        "protocol": f"Spearman's correlation with occlusion; shown from {LEAST_FIDELITY}",
        "rows": rows,
    }
    write_result(result, json_file)


def fidelities(name: str, signers: int, seed: int) -> dict[tuple[str, str], list[float]]:
    """Fidelity of each signer's map by (method, layer).

    Parameters
    ----------
    name : str
        An encoder.
    signers, seed : int
    """
    encoder, found = load_encoder(name), {candidate: [] for candidate in MEASURED}
    for number in range(signers):
        rng = np.random.default_rng((seed, number))
        writer = signatures.make_writer(rng)
        forger = signatures.make_forger(writer, rng)
        kinds = ["genuine"] * REFERENCES + ["genuine" if number % 2 else "skilled"]
        *references, questioned = (
            signatures.render_scan(signatures.perform(writer, rng, kind, forger), rng) for kind in kinds
        )
        inks = np.stack([prepare_image(encoder, scan) for scan in references])
        direction = similarity_direction(embed_prepared(encoder, inks))
        covered = occlude(encoder, questioned, direction)
        for method, layer in MEASURED:
            heat = heatmap_along(encoder, questioned, direction, layer, method)
            found[method, layer].append(covered.fidelity(heat))
    return found
