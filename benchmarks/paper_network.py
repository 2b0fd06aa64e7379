"""The paper's own network, trained here beside our descriptor, or why it was not."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import published
from benchmarks.signature_sets import SignatureSet

SIBLINGS = {
    "signet": ("signet-f",),
    "deepsign": ("signet-siamese", "mobilenet-transfer"),
    "identification": (),
}
"""Networks that a paper compares its own with, or a second form of it."""


def network_here(
    system: str,
    found: SignatureSet,
    train: SignatureSet | None,
    references: int,
    minutes: float,
    earlier: Path | None = None,
) -> dict:
    """The network's figures under ``reproduced``; None there and ``reproduced_reason`` without them.

    Parameters
    ----------
    system : str
        A key of `SIBLINGS`.
    found : SignatureSet
        The set that is tested.
    train : SignatureSet or None
        Another set to train on.
    references : int
    minutes : float
        Time for training; 0: not wanted.
    earlier : Path, optional
        Result of ``python -m benchmarks reproduced`` on the same sets, to take the figures from. Networks
        of `SIBLINGS` in it stand under ``reproduced_others``.
    """
    if earlier is not None:
        return _of_earlier(system, found.name, earlier)
    if not minutes:
        return {"reproduced": None, "reproduced_reason": "no time for its training was given (--minutes)"}
    from benchmarks.reproduced import reproduce

    try:
        return {"reproduced": reproduce(system, found, train, minutes=minutes, references=references)}
    except ValueError as problem:  # a set with too few writers can still be measured with our descriptor
        return {"reproduced": None, "reproduced_reason": str(problem)}


def _of_earlier(system: str, data: str, earlier: Path) -> dict:
    document = json.loads(earlier.read_text(encoding="utf-8"))
    systems = document.get("systems", {})
    if document.get("data") != data or system not in systems:
        raise ValueError(
            f"reproduced: {earlier.name} must hold {system} on {data}, got {', '.join(systems) or 'none'} on "
            f"{document.get('data')}"
        )
    others = {name: systems[name] for name in SIBLINGS[system] if name in systems}
    return {"reproduced": systems[system], "reproduced_others": others}


def network_rows(system: str, result: dict, references: int | None) -> list[published.Printed]:
    """Rows of the printed table for what was trained here."""
    figures = {system: result["reproduced"], **result.get("reproduced_others", {})}
    return [
        published.as_printed({**some, "data": result["data"]}, f"{name}, trained here", references)
        for name, some in figures.items()
        if some
    ]
