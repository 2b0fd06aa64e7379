"""A model as a folder: trees in UBJ, numbers in safetensors, the rest in JSON, each with its hash.

Nothing in it can run code, and a file that was changed after training is not loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from data.engine.drafts import forget_drafts
from fusion.features.encode import TableEncoder
from fusion.features.fuse import Reduction
from fusion.model.blend import RecordsModel
from fusion.model.booster import TreeSettings
from fusion.model.calibrate import Calibrator
from fusion.model.conformal import ConformalSets
from fusion.model.linear import ARRAYS, LinearPart
from fusion.model.manifest import FORMAT, Manifest, read_manifest, write_manifest
from fusion.model.peers import Peers
from fusion.model.risk_model import RiskModel, SignatureStage, TargetModel

MANIFEST = "manifest.json"
NEEDED = {"model.json", "arrays.safetensors"}  # in every model's folder, beside its trees
TREES_ONLY = {"weight": 1.0}  # models of format 1 had no line


class ModelFileError(ValueError):
    """A model folder that is incomplete or was changed."""


def save_model_folder(model: RiskModel, folder: Path) -> Manifest:
    """Write a model, all or nothing.

    Parameters
    ----------
    model : RiskModel
        Its manifest must hold a ``version``.
    folder : Path
        Must not exist yet, or hold the same model.

    Returns
    -------
    Manifest
        As written, with ``files``: name → SHA-256.

    Raises
    ------
    ModelFileError
        When the folder holds something else.
    """
    folder = Path(folder)
    files = _files(model)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = replace(model.manifest, format=FORMAT, files=hashes)
    if folder.exists():
        if _manifest_of(folder).files != hashes:
            raise ModelFileError(f"folder must be new, {folder.name} holds another model")
        return manifest
    forget_drafts(folder.parent, f".{folder.name}.", ".part")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, data in files.items():
        (draft / name).write_bytes(data)
    written = json.dumps(write_manifest(manifest), indent=1, sort_keys=True)
    (draft / MANIFEST).write_text(written, encoding="utf-8")
    draft.rename(folder)
    return manifest


def load_model_folder(folder: Path, expected_files: dict[str, str] | None = None) -> RiskModel:
    """Read a model after checking the hash of every file.

    Parameters
    ----------
    folder : Path
    expected_files : dict of str to str, optional
        File hashes as the registry recorded them; without it the folder's own manifest is trusted.

    Raises
    ------
    ModelFileError
        When a file is missing or differs from its hash.
    """
    folder = Path(folder)
    manifest = _manifest_of(folder)
    hashes = expected_files if expected_files is not None else manifest.files
    if lacking := NEEDED - set(hashes):
        raise ModelFileError(f"{folder.name}/{MANIFEST} must name {', '.join(sorted(lacking))}; it does not")
    contents = {}
    for name, expected in hashes.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ModelFileError(f"{folder.name}/{name} must exist; it does not")
        contents[name] = path.read_bytes()
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise ModelFileError(f"{folder.name}/{name} must have SHA-256 {expected}, got {found}")
    return _model(contents, manifest)


def _manifest_of(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelFileError(f"{folder.name}/{MANIFEST} must exist; it does not")
    try:
        return read_manifest(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as problem:  # no JSON, a value of the wrong kind, or made by a newer version
        raise ModelFileError(f"{folder.name}/{MANIFEST} cannot be read: {problem}") from None
    except (LookupError, TypeError, AttributeError) as problem:
        raise ModelFileError(f"{folder.name}/{MANIFEST} was changed: {type(problem).__name__}") from None


def _files(model: RiskModel) -> dict[str, bytes]:
    from safetensors.numpy import save

    files, arrays, targets = {}, {}, {}
    for name, target in model.targets.items():
        files[f"{name}.records.ubj"] = bytes(target.records.trees.save_raw("ubj"))
        arrays[f"{name}.bins"] = target.calibrator.bins
        about: dict = {"bands": list(target.bands), "signature": None} | _curve(target.calibrator)
        about["sets"] = asdict(target.sets)
        line = target.records.line
        about["records"] = {"weight": target.records.weight, "intercept": line.intercept if line else None}
        if line is not None:
            arrays[f"{name}.line"] = np.stack([getattr(line, part) for part in ARRAYS])
        peers = target.records.peers
        if peers is not None:
            about["peers"] = list(peers.names)
            arrays[f"{name}.peers"] = np.stack([peers.usual, peers.missing])
            arrays[f"{name}.shares"] = peers.shares
            if peers.blocks is not None:
                arrays[f"{name}.blocks"] = peers.blocks
        if target.records.instead is not None:
            arrays[f"{name}.instead"] = target.records.instead
        stage = target.signature
        if stage is not None:
            files[f"{name}.signature.ubj"] = bytes(stage.booster.save_raw("ubj"))
            arrays[f"{name}.signature.bins"] = stage.calibrator.bins
            arrays[f"{name}.reduction.mean"] = stage.reduction.mean
            arrays[f"{name}.reduction.weights"] = stage.reduction.weights
            about["signature"] = {"rounds": stage.rounds} | _curve(stage.calibrator)
        targets[name] = about
    files["arrays.safetensors"] = save({k: np.ascontiguousarray(v, np.float64) for k, v in arrays.items()})
    layout = {
        "features": list(model.encoder.names),
        "categories": {name: list(values) for name, values in model.encoder.categories.items()},
        "settings": asdict(model.settings),
        "targets": targets,
    }
    files["model.json"] = json.dumps(layout, indent=1, sort_keys=True).encode()
    return files


def _curve(calibrator: Calibrator) -> dict:
    """As kept; a level that was moved is the manifest's to keep."""
    return {"curve": [calibrator.slope, calibrator.intercept], "least": calibrator.least}


def _calibrator(about: dict, bins: np.ndarray) -> Calibrator:
    slope, intercept = about["curve"]
    return Calibrator(slope, intercept, bins, about.get("least", 0.0))


def _model(contents: dict[str, bytes], manifest: Manifest) -> RiskModel:
    from safetensors.numpy import load

    layout, arrays = json.loads(contents["model.json"]), load(contents["arrays.safetensors"])
    targets = {}
    for name, about in layout["targets"].items():
        stage = None
        if about["signature"]:
            stage = SignatureStage(
                Reduction(arrays[f"{name}.reduction.mean"], arrays[f"{name}.reduction.weights"]),
                _booster(contents[f"{name}.signature.ubj"]),
                _calibrator(about["signature"], arrays[f"{name}.signature.bins"]),
                about["signature"]["rounds"],
            )
        targets[name] = TargetModel(
            name,
            _records(
                _booster(contents[f"{name}.records.ubj"]),
                about.get("records", TREES_ONLY),
                arrays.get(f"{name}.line"),
                arrays.get(f"{name}.instead"),
                _peers(name, about, arrays),
            ),
            _calibrator(about, arrays[f"{name}.bins"]),
            stage,
            tuple(about["bands"]),
            ConformalSets(**about["sets"]),
        )
    categories = {name: tuple(values) for name, values in layout["categories"].items()}
    encoder = TableEncoder(tuple(layout["features"]), categories)
    return RiskModel(encoder, targets, TreeSettings(**layout["settings"]), manifest)


def _records(trees, about: dict, arrays: np.ndarray | None, instead, peers: Peers | None) -> RecordsModel:
    line = None if arrays is None else LinearPart(about["intercept"], *arrays)
    return RecordsModel(trees, line, about["weight"], instead, peers)


def _peers(name: str, about: dict, arrays: dict[str, np.ndarray]) -> Peers | None:
    if "peers" not in about:
        return None
    usual, missing = arrays[f"{name}.peers"]
    blocks = arrays.get(f"{name}.blocks")
    return Peers(
        tuple(about["peers"]),
        usual,
        missing,
        arrays[f"{name}.shares"] > 0,
        None if blocks is None else blocks.astype(int),
    )


def _booster(data: bytes):
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(data))
    return booster
