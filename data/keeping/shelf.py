"""A folder of backups: how many stay, and an index of them that says nothing of anybody.

The index is ``backups.json``: file, number, moment, size and SHA-256 of each, and how many rows and files it
holds. What is in the folder and not in the index is nobody's to delete. While one is made its name stands in
a note beside: one that a kill left whole and unlisted is opened, and listed, by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from data.engine.clock import now
from data.engine.database import Store
from data.engine.progress import Progress
from data.keeping.archive import BadBackup, Secret
from data.keeping.backup import PART, Backup, list_beside, make_backup, sync_folder
from data.keeping.contents import verify

INDEX = "backups.json"
ENDING = ".backup"
NOTE = ".backups.making"
"""Holds the name of a backup that is being made and not listed yet."""


@dataclass(frozen=True)
class Listed:
    """A backup of the index.

    Parameters
    ----------
    file : str
        Its name in the folder.
    backup_id, made_at, size, sha256, rows, files, entry
        As in :class:`data.keeping.backup.Backup`.
    """

    file: str
    backup_id: str
    made_at: str
    size: int
    sha256: str
    rows: int
    files: int
    entry: int

    @classmethod
    def of(cls, made: Backup) -> Listed:
        """What the index says of a backup."""
        told = {name: getattr(made, name) for name in cls.__dataclass_fields__ if name != "file"}
        return cls(made.file.name, **told)


def back_up(
    store: Store,
    place: Path,
    secret: Secret,
    *,
    actor: str,
    keep: int | None = None,
    wrap: Secret | None = None,
    progress: Progress | None = None,
) -> tuple[Backup, list[str]]:
    """Make a backup in a folder or under a file's name, open it again, list it, and let the oldest go.

    Parameters
    ----------
    place : pathlib.Path
        A folder, or the new file.
    keep : int, optional
        How many backups of the index stay, at least 1; by default all.

    Returns
    -------
    (Backup, list of str)
        The backup, and the names of the files that went.

    Raises
    ------
    ValueError
        When another backup is being made there.
    """
    if keep is not None and keep < 1:
        raise ValueError(f"keep must be at least 1, got {keep}")
    folder = place if place.is_dir() else place.parent
    with _alone(folder):
        for one in folder.glob(f"*{ENDING}{PART}"):  # of one that was killed: it held this lock
            one.unlink()
        _take_up(folder, secret, store, progress)
        file = folder / _name() if place.is_dir() else place
        with _noted(file):
            made = make_backup(store, file, secret, actor=actor, wrap=wrap, progress=progress)
            try:
                found = verify(file, secret, store.cipher, progress)
            except BaseException:
                file.unlink()
                raise
            if not found.whole:  # the store's own log is broken: the backup shows it as it is
                raise ValueError(
                    f"{file.name} was made, but the audit log in it is broken at entry {found.broken_at}: "
                    "python -m data audit"
                )
            list_beside(store, file)
            listed = [*(one for one in read_index(folder) if one.file != file.name), Listed.of(made)]
            gone = _let_go(folder, listed, keep)
            _write(folder, [one for one in listed if one.file not in gone])
    return made, gone


def read_index(folder: Path) -> list[Listed]:
    """The backups of a folder that are still there, oldest first.

    Raises
    ------
    ValueError
        When the index cannot be read.
    """
    try:
        told = json.loads((folder / INDEX).read_text(encoding="ascii"))
        listed = [Listed(**one) for one in told]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise ValueError(f"{INDEX} is not an index of backups, or was damaged: move it away") from None
    return [one for one in listed if (folder / one.file).is_file() and Path(one.file).name == one.file]


@contextmanager
def _noted(file: Path) -> Iterator[None]:
    """Note which backup is being made; only a kill leaves the note."""
    note = file.with_name(NOTE)
    _put(note, file.name)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def _take_up(folder: Path, secret: Secret, store: Store, progress: Progress | None) -> None:
    """List a backup that a kill left unlisted. One that this secret does not open stays as it lies."""
    note = folder / NOTE
    try:
        name = note.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return
    file, listed = folder / name, read_index(folder)
    if name and name == file.name:
        file.with_name(name + PART).unlink(missing_ok=True)  # whatever it ends in
    if name == file.name and file.is_file() and name not in {one.file for one in listed}:
        try:
            found = verify(file, secret, store.cipher, progress)
        except BadBackup:
            found = None
        if found is not None and found.whole:
            about = found.about
            rows = sum(told["rows"] for told in found.tables.values())
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            told = (about["backup"], about["made_at"], file.stat().st_size, digest, rows, len(found.files))
            _write(folder, [*listed, Listed(name, *told, about["head"][0])])
    note.unlink()


def _let_go(folder: Path, listed: list[Listed], keep: int | None) -> list[str]:
    gone = [one.file for one in listed[:-keep]] if keep is not None else []
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    return gone


def _name() -> str:
    """By the moment; two of one second are told apart by the file system's refusal."""
    return f"tepat-{now():%Y%m%dT%H%M%S%f}Z{ENDING}"


def _write(folder: Path, listed: list[Listed]) -> None:
    draft = folder / f".{INDEX}"
    _put(draft, json.dumps([asdict(one) for one in listed], indent=1))
    draft.replace(folder / INDEX)
    sync_folder(folder)


def _put(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".backups.lock", timeout=0, mode=0o600)
    try:
        with lock:
            yield
    except Timeout:
        raise ValueError(f"another backup is being made in {folder.name}; wait for it") from None
