"""Drafts of files: what is written under another name first, and what a kill leaves of that."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from filelock import FileLock


def replace_json(path: Path, content: dict) -> None:
    """Replace a file that is written under ``<its name>.lock``, which the caller holds; of mode 0600.

    There is one name for its draft, so that what a kill leaves of it the next one writes over, or
    :func:`sweep` deletes.
    """
    draft = draft_of(path)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sweep(path: Path) -> None:
    """Delete what a kill has left of a file that was being replaced (:func:`replace_json`)."""
    draft = draft_of(path)
    if draft.exists():
        # Unless somebody is writing it just now, or the disk can only be read.
        with suppress(OSError), FileLock(f"{path}.lock", timeout=0, mode=0o600):
            draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Under which name a file is written before it takes its place."""
    return path.with_name(f".{path.name}-draft")


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
