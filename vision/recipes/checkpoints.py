"""Checkpoints of a training run: tensors as safetensors, and a small state that names them, written last."""

import json
from dataclasses import asdict, dataclass, fields


@dataclass
class TrainingState:
    """How far a run is.

    Attributes
    ----------
    step : int
        Steps done.
    seconds : float
        Training time so far, resumed parts included.
    """

    step: int = 0
    seconds: float = 0.0


def save_checkpoint(folder, settings, encoder, head, optimizer, state):
    """Write a checkpoint; killed in the middle, the one before stays valid.

    Parameters
    ----------
    folder : pathlib.Path
    settings : dataclass
        Written down, so that a run is never resumed with others.
    encoder, head : torch.nn.Module
    optimizer : torch.optim.Optimizer
        Its moments are kept.
    state : TrainingState
    """
    from safetensors.torch import save_file

    tensors = {f"encoder.{k}": v.contiguous() for k, v in encoder.state_dict().items()}
    tensors |= {f"head.{k}": v.contiguous() for k, v in head.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"moment.{number}.{name}": value.contiguous() for name, value in moments.items()}
    name = f"checkpoint-{state.step}.safetensors"
    save_file(tensors, folder / name)
    partial = folder / "state.json.part"
    partial.write_text(json.dumps({"file": name, "settings": asdict(settings), **asdict(state)}))
    partial.replace(folder / "state.json")
    for old in folder.glob("checkpoint-*.safetensors"):
        if old.name != name:
            old.unlink()


def resume(folder, settings, encoder, head, optimizer, kind=TrainingState):
    """Load the last checkpoint into the given objects, if there is one.

    Parameters
    ----------
    folder, settings, encoder, head, optimizer
        See :func:`save_checkpoint`.
    kind : type
        `TrainingState`, or a dataclass that adds fields to it.

    Returns
    -------
    TrainingState
        Of the checkpoint, or of a new run; a `kind`.

    Raises
    ------
    ValueError
        When the folder holds a run with other settings; only `minutes` may differ.
    """
    from safetensors.torch import load_file

    path = folder / "state.json"
    if not path.exists():
        return kind()
    saved = json.loads(path.read_text())
    # A run may be given more minutes: the schedule follows the share of the time that is used.
    wanted = json.loads(json.dumps(asdict(settings)))
    if saved["settings"] | {"minutes": settings.minutes} != wanted:
        raise ValueError(
            f"{folder.name} holds a run with other settings, {saved['settings']}: use them or remove it"
        )
    tensors = load_file(folder / saved["file"])
    encoder.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("encoder.")})
    head.load_state_dict({k[5:]: v for k, v in tensors.items() if k.startswith("head.")})
    moments = {}
    for key, value in tensors.items():
        if key.startswith("moment."):
            _, number, name = key.split(".")
            moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return kind(**{field.name: saved[field.name] for field in fields(kind)})
