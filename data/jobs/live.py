"""What a running job says from second to second, and the files it works on.

They lie below ``jobs`` in the store's folder, which is for its owner only; uploads lie there encrypted, their
names too: those may say whose they are.
Progress and the wish to stop are files and not rows, because SQLite takes no second writer while an import
writes, and because a bar that moves three times a second should not be three commits.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.engine.database import Store
from data.engine.private_files import replace_private

ALIVE_SECONDS = 15  # a worker that has not been seen for so long is not there
OF_NOBODY = "of-nobody"  # the mark of kept files that hold nobody
KEPT_SECONDS = 24 * 3600  # uploads of a job that failed, for another try; results to fetch
LEAST_PACE = 5.0  # seconds: of a step that began more recently nobody can tell a pace
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class JobProgress:
    """How far a job has come: ``done`` of ``total`` in the step named ``step``.

    Parameters
    ----------
    done, total : int
    step : str
    left : float, optional
        Seconds that the rest of the step takes at the pace that it has had so far; None where it is too early
        to tell.
    """

    done: int
    total: int
    step: str
    left: float | None = None

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


def report(store: Store, job_id: str, progress: JobProgress) -> None:
    """Replace what the job said before; what it said first of a step stays beside it until the next step."""
    folder, said = _folder(store, job_id), _as_said(progress)
    first = _said(folder / "first")
    about = progress.step, progress.total
    if first is None or (first.step, first.total) != about or progress.done < first.done:
        replace_private(folder / "first", said)
    replace_private(folder / "progress", said)


def progress_of(store: Store, job_id: str) -> JobProgress | None:
    """What the job said last; None before its first word and after its end."""
    folder = _path(store, job_id)
    said, first = _said(folder / "progress"), _said(folder / "first")
    if said is None or first is None or first.step != said.step:
        return said
    try:
        spent = time.time() - (folder / "first").stat().st_mtime
    except FileNotFoundError:
        return said
    done = said.done - first.done
    if done <= 0 or spent < LEAST_PACE:
        return said
    return replace(said, left=spent / done * max(said.total - said.done, 0))


def _as_said(progress: JobProgress) -> bytes:
    told = {"done": progress.done, "total": progress.total, "step": progress.step}
    return json.dumps(told).encode()


def _said(path: Path) -> JobProgress | None:
    try:
        return JobProgress(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None


def ask_to_stop(store: Store, job_id: str) -> None:
    """Leave a marker that the job sees at its next step."""
    (_folder(store, job_id) / "stop").touch()


def asked_to_stop(store: Store, job_id: str) -> bool:
    """Whether the marker is there."""
    return (_path(store, job_id) / "stop").exists()


def clear(store: Store, job_id: str) -> None:
    """Remove progress and marker of a job that has ended."""
    shutil.rmtree(_path(store, job_id), ignore_errors=True)


def beat(store: Store) -> None:
    """Say that the worker is there."""
    (_home(store) / "worker").touch()


def worker_alive(store: Store) -> bool:
    """Whether a worker said so within :data:`ALIVE_SECONDS`."""
    try:
        seen = (store.folder / "jobs" / "worker").stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(time.time() - seen) < ALIVE_SECONDS  # a sign of life from the future: the clock was set back


def keep_files(store: Store, files: Sequence[tuple[str, bytes]], *, of_nobody: bool = False) -> str:
    """Keep files for a job, encrypted. Returns the id to read them by.

    Parameters
    ----------
    files : sequence of (str, bytes)
        Name and content.
    of_nobody : bool
        Whether they hold no row, name or scan of a student, so that they may outlast an erasure
        (:func:`drop_peoples_files`).
    """
    file_id = uuid.uuid4().hex
    names = json.dumps([name for name, _ in files]).encode()
    folder = _folder(store, file_id)
    for place, content in enumerate([content for _, content in files]):
        replace_private(folder / str(place), store.cipher.encrypt(content, f"job file:{file_id}:{place}"))
    if of_nobody:
        (folder / OF_NOBODY).touch()
    replace_private(folder / "names", store.cipher.encrypt(names, f"job file:{file_id}:names"))
    return file_id


def kept_files(store: Store, file_id: str) -> list[tuple[str, bytes]]:
    """The files of :func:`keep_files`.

    Raises
    ------
    FileNotFoundError
        When they were deleted.
    """
    folder = _path(store, file_id)
    names = json.loads(store.cipher.decrypt((folder / "names").read_bytes(), f"job file:{file_id}:names"))
    return [
        (name, store.cipher.decrypt((folder / str(place)).read_bytes(), f"job file:{file_id}:{place}"))
        for place, name in enumerate(names)
    ]


def files_are_kept(store: Store, file_id: str) -> bool:
    """Whether the files are still there."""
    return (_path(store, file_id) / "names").exists()


def drop_files(store: Store, file_id: str) -> None:
    """Delete the files."""
    shutil.rmtree(_path(store, file_id), ignore_errors=True)


def drop_peoples_files(store: Store, needed: Collection[str]) -> int:
    """Delete every kept file that may hold somebody. Returns how many folders went.

    A list of refused rows, or the files of an import that failed, may hold whom an erasure is about; which
    of them do would take opening and understanding them all.

    Parameters
    ----------
    needed : collection of str
        Ids of the files of open jobs: these stay.
    """
    home = store.folder / "jobs"
    if not home.is_dir():
        return 0
    theirs = [
        folder
        for folder in home.iterdir()
        if _ID.fullmatch(folder.name)
        and folder.name not in needed
        and (folder / "names").exists()
        and not (folder / OF_NOBODY).exists()
    ]
    for folder in theirs:
        shutil.rmtree(folder, ignore_errors=True)
    return len(theirs)


def sweep(store: Store, needed: Collection[str], older_than: float = KEPT_SECONDS) -> int:
    """Delete what nobody fetched or tried again. Returns how many folders went.

    Parameters
    ----------
    needed : collection of str
        Ids of open jobs and of their files: these stay.
    older_than : float
        Seconds.
    """
    old = [
        folder
        for folder in _home(store).iterdir()
        if _ID.fullmatch(folder.name)
        and folder.name not in needed
        and time.time() - folder.stat().st_mtime > older_than
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _home(store: Store) -> Path:
    home = store.folder / "jobs"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _path(store: Store, one: str) -> Path:
    if not _ID.fullmatch(one):
        raise ValueError(f"id must be 32 hexadecimal digits, got {one!r}")
    return store.folder / "jobs" / one


def _folder(store: Store, one: str) -> Path:
    _home(store)
    folder = _path(store, one)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
