"""Pages of a pull that has not ended, sealed on disk: a pull that was killed goes on after the last of them.

They lie below ``feeder`` in the store's folder, which is for its owner only, encrypted with the store's key
and bound to their pull, list and place. They go when their pull has ended, or are too old to go on from.
"""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from data.engine.cipher import KeyProblem
from data.engine.database import Store
from data.engine.private_files import replace_private
from data.feeder.lists import FeederList
from data.feeder.protocol import FeederError

KEPT_SECONDS = 12 * 3600  # pages older than this do not belong to the same state of the register
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Page:
    """Rows of one answer that were not on the page before.

    Parameters
    ----------
    rows : list of dict
        In the order of the list's key.
    last : bool
        Whether the list ends with it.
    """

    rows: list[dict[str, str]]
    last: bool

    @cached_property
    def letters(self) -> int:
        """Characters of all its cells."""
        return sum(len(cell) for row in self.rows for cell in row.values())


@dataclass
class Staging:
    """The pages of one pull.

    Parameters
    ----------
    store : Store
        Whose folder and key.
    pull_id : str
        32 hexadecimal digits.
    import_id : str
        The import that the pull writes.
    resumed : bool
        Whether an earlier process had begun it.
    """

    store: Store
    pull_id: str
    import_id: str
    resumed: bool = False
    _pages: dict[str, list[Page]] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """Where its pages lie."""
        return _home(self.store) / self.pull_id

    def pages(self, one: FeederList) -> list[Page]:
        """The pages of a list so far; one that cannot be opened, and what follows it, count as never read."""
        if one.act not in self._pages:
            found: list[Page] = []
            while (page := self._opened(one, len(found))) is not None:
                found.append(page)
            self._pages[one.act] = found
        return self._pages[one.act]

    def size(self) -> tuple[int, int]:
        """Rows and characters of all lists so far."""
        pages = [page for found in self._pages.values() for page in found]
        return sum(len(page.rows) for page in pages), sum(page.letters for page in pages)

    def add(self, one: FeederList, page: Page) -> None:
        """Keep the next page of a list."""
        place = len(self.pages(one))
        content = zlib.compress(json.dumps([page.rows, page.last]).encode())
        sealed = self.store.cipher.encrypt(content, self._name(one, place))
        replace_private(self._path(one, place), sealed, alone=True)  # one pull at a time
        self._pages[one.act].append(page)

    def forget(self, one: FeederList) -> None:
        """Begin a list anew."""
        for place in range(len(self.pages(one))):
            self._path(one, place).unlink(missing_ok=True)
        self._pages[one.act] = []

    def rows(self, one: FeederList) -> list[dict[str, str]]:
        """Every row of a list that was read so far."""
        return [row for page in self.pages(one) for row in page.rows]

    def drop(self) -> None:
        """Delete every page."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, one: FeederList, place: int) -> Path:
        return self.folder / f"{one.act}.{place:06d}"

    def _name(self, one: FeederList, place: int) -> str:
        return f"feeder page:{self.pull_id}:{one.act}:{place}"

    def _opened(self, one: FeederList, place: int) -> Page | None:
        try:
            sealed = self._path(one, place).read_bytes()
            rows, last = json.loads(
                zlib.decompress(self.store.cipher.decrypt(sealed, self._name(one, place)))
            )
        except (FileNotFoundError, KeyProblem):
            return None
        return Page(rows, last)


def begun(store: Store, asked: dict) -> Staging:
    """The pull that was begun with the same question and not ended, or a new one.

    Parameters
    ----------
    asked : dict
        JSON of what is asked for, without password.
    """
    sweep(store)
    for folder in _folders(store):
        about = _opened_about(store, folder)
        if about is not None and about["asked"] == asked:
            return Staging(store, folder.name, about["import_id"], resumed=True)
    sweep(store, 0)  # another question: nobody goes on from these
    new = Staging(store, uuid.uuid4().hex, uuid.uuid4().hex)
    new.folder.mkdir(mode=0o700)
    about = json.dumps({"asked": asked, "import_id": new.import_id}).encode()
    replace_private(
        new.folder / "about", store.cipher.encrypt(about, f"feeder pull:{new.pull_id}"), alone=True
    )
    return new


def sweep(store: Store, older_than: float = KEPT_SECONDS) -> int:
    """Delete the pages of pulls that began longer ago. Returns how many pulls went.

    Parameters
    ----------
    older_than : float
        Seconds.
    """
    old = [one for one in _folders(store) if abs(time.time() - _began(one)) >= older_than]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """Be the only pull of a store.

    Raises
    ------
    data.feeder.protocol.FeederError
        Code "busy", when another process pulls.
    """
    try:
        with FileLock(_home(store) / "lock", timeout=0):
            yield
    except Timeout:
        raise FeederError("busy", "another pull is at work; wait for it, or stop it") from None


def kept(store: Store, name: str) -> dict:
    """A sealed note of :func:`keep`; empty when there is none or it cannot be opened."""
    try:
        sealed = (_home(store) / name).read_bytes()
        return json.loads(zlib.decompress(store.cipher.decrypt(sealed, f"feeder note:{name}")))
    except (FileNotFoundError, KeyProblem):
        return {}


def keep(store: Store, name: str, note: dict) -> None:
    """Keep a note between pulls, sealed."""
    content = zlib.compress(json.dumps(note).encode())
    replace_private(_home(store) / name, store.cipher.encrypt(content, f"feeder note:{name}"), alone=True)


def _home(store: Store) -> Path:
    home = store.folder / "feeder"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _folders(store: Store) -> list[Path]:
    if not (store.folder / "feeder").is_dir():
        return []
    return sorted(one for one in (store.folder / "feeder").iterdir() if _ID.fullmatch(one.name))


def _began(folder: Path) -> float:
    about = folder / "about"
    return about.stat().st_mtime if about.exists() else 0.0  # killed before its first word: nothing to keep


def _opened_about(store: Store, folder: Path) -> dict | None:
    try:
        sealed = (folder / "about").read_bytes()
        return json.loads(store.cipher.decrypt(sealed, f"feeder pull:{folder.name}"))
    except (FileNotFoundError, KeyProblem):
        return None
