"""Drafts of files: what is written under another name first, and what a kill leaves of that."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path


def forget_drafts(folder: Path, before: str, after: str) -> None:
    """Delete drafts of processes that are gone.

    Parameters
    ----------
    folder : pathlib.Path
        Where they lie; it need not be there.
    before, after : str
        What stands before and after the number of the process in their names.
    """
    if not folder.is_dir():
        return
    form = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    for path in folder.iterdir():
        match = form.fullmatch(path.name)
        if match is not None and not _runs(int(match[1])):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of somebody else
        return True
    return True
