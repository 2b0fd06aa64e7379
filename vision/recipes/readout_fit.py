"""Fit the shipped encoder's readout on synthetic scans: projections of its stages, centre and scale.

Nothing here looks at who signed: the channels' principal directions and the numbers' spread over many
writers, genuine and forged, are all that is learned.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.synthetic import signatures
from vision.encoder.backbones import load_encoder
from vision.encoder.embed import embed_prepared, to_tensor
from vision.encoder.readout import StageReadout
from vision.encoder.readout_layout import AVERAGED, CO_VARYING, FINE, PREFIX
from vision.encoder.weights_files import read_weights, recipe_of
from vision.scans.augment import vary_ink
from vision.scans.preprocess import fit_ink, to_ink

WRITERS = 150
"""Synthetic writers, other ones than those the network was trained on."""

GENUINE, FORGED = 6, 4
"""Signatures of each writer and of the writer's forger."""

_SEED = 11
_BATCH = 16


def synthetic_inks(shape, writers=WRITERS, seed=_SEED):
    """Scans of synthetic signatures as the encoder sees scans; every second one is varied as in training.

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    writers : int
    seed : int

    Returns
    -------
    ndarray of uint8, shape (writers * (GENUINE + FORGED), height, width)
    """
    inks = []
    for number in range(writers):
        rng = np.random.default_rng((seed, number))
        writer = signatures.make_writer(rng)
        forger = signatures.make_forger(writer, rng)
        for kind in ("genuine",) * GENUINE + ("skilled",) * FORGED:
            scan = signatures.render_scan(signatures.perform(writer, rng, kind, forger), rng)
            ink = fit_ink(to_ink(scan), shape)
            inks.append(vary_ink(ink, rng) if rng.random() < 0.5 else ink)
    return np.stack(inks)


def add_readout(path, writers=WRITERS, seed=_SEED):
    """Fit a readout to a weights file and write it into the file; a second one where it states a fine input.

    Parameters
    ----------
    path : pathlib.Path
        A .safetensors file of a ResNet-50 with a description of its input; the projection that was used in
        training only is taken out, which makes room.
    writers : int
    seed : int
    """
    from safetensors.torch import save_file

    encoder = load_encoder(str(path))
    tensors, metadata = read_weights(Path(path))
    kept = {key: v for key, v in tensors.items() if not key.startswith(("fc.", PREFIX, FINE))}
    for variant in ("", FINE):
        if recipe := recipe_of(metadata, variant):
            sized = replace(encoder, input_size=(recipe["height"], recipe["width"]))
            fitted = fit_readout(sized, synthetic_inks(sized.input_size, writers, seed))
            kept |= {f"{variant}{PREFIX}{key}": value for key, value in fitted.items()}
    partial = Path(path).with_suffix(".part")
    save_file(kept, partial, metadata=metadata)
    partial.replace(path)


def fit_readout(encoder, inks):
    """Tensors of a readout for an encoder without one.

    Parameters
    ----------
    encoder : Encoder
        A ResNet.
    inks : ndarray of uint8, shape (n, h, w)
        Of `encoder.input_size`; at least 2 images per number of the readout's largest projection.

    Returns
    -------
    dict of str to Tensor
        Projections in float16, centres and scale in float32.
    """
    import torch

    projections = _projections(encoder, inks)
    module = StageReadout(encoder.module, projections, encoder.mean[0], encoder.spread[0])
    reader = encoder.with_module(module)
    vectors = np.concatenate([embed_prepared(reader, part) for part in _parts(inks)]).astype(np.float64)
    scale = 1 / np.maximum(vectors.std(axis=0), 1e-6)
    return projections | {
        "centre": torch.from_numpy(vectors.mean(axis=0).astype(np.float32)),
        "scale": torch.from_numpy(scale.astype(np.float32)),
    }


def _projections(encoder, inks):
    """Principal directions of every stage's channels, scaled so that the kept ones have variance 1 on
    average."""
    import torch

    channels = CO_VARYING | AVERAGED
    sums = {name: [0, 0.0, 0.0] for name in channels}
    stages = StageReadout.stages
    for part in _parts(inks):
        with torch.inference_mode():
            maps = stages(encoder.module, to_tensor(encoder, part))
        for name, values in maps.items():
            values = values.mean((2, 3), keepdim=True) if name in AVERAGED else values
            rows = values.double().permute(0, 2, 3, 1).flatten(0, 2)
            found = sums[name]
            found[0] += len(rows)
            found[1] = found[1] + rows.sum(0)
            found[2] = found[2] + rows.mT @ rows
    tensors = {}
    for name, (count, total, products) in sums.items():
        centre = total / count
        values, vectors = torch.linalg.eigh(products / count - torch.outer(centre, centre))
        kept, width = slice(-channels[name], None), values[-channels[name] :].mean().sqrt()
        tensors[f"{name}.centre"] = centre.float()
        tensors[f"{name}.basis"] = (vectors[:, kept] / width).half().contiguous()
    return tensors


def _parts(inks):
    return np.array_split(inks, max(1, -(-len(inks) // _BATCH)))
