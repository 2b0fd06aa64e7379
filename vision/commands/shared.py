"""What commands on the store share: it is open, and numerical libraries use the threads of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.commands.bars import Bars
from data.commands.frame import opened_store

if TYPE_CHECKING:
    from data.store import Store


@contextmanager
def opened() -> Iterator[tuple[Store, Bars]]:
    """The store that the environment names, and its progress bars."""
    from data.settings import get_settings

    with opened_store() as store, Bars() as bars:
        from vision.threads import use_threads  # loads PyTorch: not for a store that does not open

        use_threads(get_settings().threads)
        yield store, bars
