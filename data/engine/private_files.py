"""Files that only their owner may read, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_private(path: Path, content: bytes, *, alone: bool = False) -> None:
    """Write a file under another name, then put it in the place of ``path``; a kill leaves old or new.

    Parameters
    ----------
    path : pathlib.Path
    content : bytes
    alone : bool
        Whether nobody else writes the file at a time: what a kill leaves is then written over.
    """
    draft = path.with_name(f".{path.name}.{'draft' if alone else os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
