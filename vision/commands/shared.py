"""What commands on the store share: it is open, numerical libraries use the threads of the settings, and one
image has a place to cut out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import Refusal, opened_store

if TYPE_CHECKING:
    from data.store import Store
    from vision.scans.form_finder import Place

Crop = Annotated[
    str, typer.Option(help="Where the signature stands on one image: x,y,w,h in pixels. Else it is found.")
]
Turn = Annotated[float, typer.Option(help="Degrees clockwise to turn one image by.")]


@contextmanager
def opened() -> Iterator[tuple[Store, Bars]]:
    """The store that the environment names, and its progress bars."""
    from data.settings import get_settings

    with opened_store() as store, Bars() as bars:
        from vision.threads import use_threads  # loads PyTorch: not for a store that does not open

        use_threads(get_settings().threads)
        yield store, bars


def cut_out(path: Path, crop: str, turn: float) -> Place | None:
    """The place that ``--crop`` names, once the file and ``--turn`` can be what they are said to be.

    Raises
    ------
    Refusal
        When there is no such file or folder, or the options make no sense.
    """
    if not path.exists():
        raise Refusal(f"{path.name}: no such file or folder")
    if not -360 <= turn <= 360:  # also what is no number
        raise Refusal(f"--turn must be -360 to 360 degrees, got {turn}")
    from vision.scans.form_finder import Place

    try:
        return Place.read(crop) if crop else None
    except ValueError as problem:
        raise Refusal(f"--{problem}") from problem
