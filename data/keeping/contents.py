"""Reading a backup: every frame in its order, every table and file compared with what was noted of it.

:func:`verify` does nothing else; :mod:`data.keeping.restore` puts the same rows and files into a store.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from data.engine.cipher import Cipher
from data.engine.progress import Progress
from data.keeping.archive import BadBackup, Reader, Secret, named
from data.keeping.backup import FEEDER, JOBS, MODELS
from data.keeping.rows import KINDS, Tally, read_cells
from data.store import KEY_FACTS, KeyFacts
from data.trust.audit import FIRST
from data.trust.audit_chain import Walk

FACTS, LOG = "store_facts", "audit_log"
_STEP = "reading the backup"


@dataclass(frozen=True)
class TableBegins:
    """A table follows.

    Parameters
    ----------
    name : str
    shape : list of (str, str)
        Columns and kinds (:data:`data.keeping.rows.KINDS`).
    counted_by : str or None
        The column that it numbers its rows by.
    """

    name: str
    shape: list[tuple[str, str]]
    counted_by: str | None


@dataclass(frozen=True)
class TableEnds:
    """A table is over: what was noted of it, and was found."""

    name: str
    told: dict[str, Any]


@dataclass
class Contents:
    """A backup that is being read.

    Parameters
    ----------
    path : pathlib.Path
        Its file.
    secret : Secret
        What it was sealed with.
    on_table, on_rows, on_end, on_file : callable
        Told of every part in its order; a file comes as path and parts of its bytes.

    Raises
    ------
    BadBackup
        When anything is not as it was written.
    """

    path: Path
    secret: Secret
    on_table: Callable[[TableBegins], None] = lambda _: None
    on_rows: Callable[[TableBegins, list[bytes]], None] = lambda *_: None
    on_end: Callable[[TableEnds], None] = lambda _: None
    on_file: Callable[[str, Iterator[bytes]], object] = lambda _, parts: [None for _ in parts]
    about: dict[str, Any] = field(default_factory=dict)
    wrapped: dict[str, Any] | None = None
    tables: dict[str, dict] = field(default_factory=dict)
    files: dict[str, dict] = field(default_factory=dict)

    def read(self, progress: Progress | None = None) -> Contents:
        """Read all of it."""
        with self.path.open("rb") as file:
            with named(self.path):
                reader = Reader(file, self.secret)
            size = self.path.stat().st_size
            frames = reader.frames()
            self.about = _json("H", *_next(frames, "its first words"))
            if self.about.get("backup") != reader.header["backup"]:
                raise BadBackup("the header and the contents are of two backups")
            for letter, content in frames:
                if progress is not None:
                    progress(min(file.tell(), size), size, _STEP)
                if letter == "K":
                    self.wrapped = json.loads(content)
                elif letter == "T":
                    self._table(json.loads(content), frames)
                elif letter == "F":
                    self._file(json.loads(content)["file"], frames)
                elif letter == "E":
                    return self._ended(json.loads(content), frames)
                else:
                    raise BadBackup(f"the backup holds a frame {letter!r} where none belongs")
        raise BadBackup("the backup has no end")

    def _table(self, told: dict, frames: Iterator) -> None:
        begins = TableBegins(told["table"], [tuple(part) for part in told["columns"]], told["counted_by"])
        if any(kind not in KINDS for _, kind in begins.shape) or begins.name in self.tables:
            raise BadBackup(f"the backup describes table {begins.name!r} in a way that none has")
        self.on_table(begins)
        tally = Tally()
        for letter, content in frames:
            if letter == "R":
                lines = content.split(b"\n")
                for line in lines:
                    tally.add(line)
                self.on_rows(begins, lines)
                continue
            noted = _json("t", letter, content)
            found = tally.told()
            if any(found[name] != noted[name] for name in found):
                raise BadBackup(
                    f"table {begins.name!r}: {found['rows']} rows were found, not the {noted['rows']} noted"
                )
            self.tables[begins.name] = noted
            return self.on_end(TableEnds(begins.name, noted))
        raise BadBackup("the backup ends within a table")

    def _file(self, path: str, frames: Iterator) -> None:
        if not is_inside(path) or path in self.files:
            raise BadBackup("the backup holds a file with a path that none of its files has")
        digest, noted, size = hashlib.sha256(), {}, 0

        def parts() -> Iterator[bytes]:
            nonlocal size
            for letter, content in frames:
                if letter != "D":
                    noted.update(_json("f", letter, content))
                    return
                digest.update(content)
                size += len(content)
                yield content

        self.on_file(path, parts())
        if noted != {"bytes": size, "sha256": digest.hexdigest()}:
            raise BadBackup(f"file {path!r} is not as it was noted")
        self.files[path] = noted

    def _ended(self, told: dict, frames: Iterator) -> Contents:
        if told != {"tables": self.tables, "files": self.files} or next(frames, None) is not None:
            raise BadBackup("the backup does not hold what its end says")
        return self


@dataclass(frozen=True)
class Verified:
    """What :func:`verify` found in a backup that is as it was written.

    Parameters
    ----------
    about : dict
        What the backup says of itself.
    tables, files : dict
        Table or path → what was noted of it and found.
    has_key : bool
        Whether the store's key is in it, wrapped.
    log : {"proven", "linked", "broken", "not the store's key"}
        The audit log: every entry proven with the store's key; every entry linked to the one before, and no
        key at hand to prove more; an entry that does not continue the chain; the key at hand is another one.
    broken_at : int or None
        The first entry that does not continue the chain; 0 when the last one is not the head that was noted.
    """

    about: dict[str, Any]
    tables: dict[str, dict]
    files: dict[str, dict]
    has_key: bool
    log: str
    broken_at: int | None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong, as far as could be seen."""
        return self.log in ("proven", "linked")


def verify(
    path: Path, secret: Secret, key: Cipher | None = None, progress: Progress | None = None
) -> Verified:
    """Open everything in a backup and compare it with what was noted of it; nothing is restored.

    Parameters
    ----------
    key : Cipher, optional
        The store's, as far as it is at hand: it proves the audit log.

    Raises
    ------
    BadBackup
        When it was altered or cut off, or the secret is another one.
    """
    log = LogReader(key)
    contents = Contents(path, secret, on_rows=log.rows).read(progress)
    said, broken = log.said(contents.about["head"])
    return Verified(
        contents.about, contents.tables, contents.files, contents.wrapped is not None, said, broken
    )


class LogReader:
    """Proves the audit log of a backup as its rows go by.

    Parameters
    ----------
    key : Cipher or None
        The store's key.
    """

    def __init__(self, key: Cipher | None) -> None:
        self.key, self.facts = key, KeyFacts(None)
        self._walk: Walk | None = None
        self._fits: bool | None = None
        self._last, self._broken = (0, FIRST), None

    def rows(self, begins: TableBegins, lines: list[bytes]) -> None:
        """Take some rows of any table."""
        if begins.name == FACTS:
            cells = [read_cells(begins.shape, line) for line in lines]
            values = {cell["name"]: cell["value"] for cell in cells}
            self.facts = KeyFacts(*(values.get(name) for name in KEY_FACTS))
        elif begins.name == LOG:
            for line in lines:
                self._entry(read_cells(begins.shape, line))

    def said(self, head: list) -> tuple[str, int | None]:
        """How the log stands, and where it is broken; see :class:`Verified`."""
        self._begin()
        if self._walk is not None and self._broken is None:
            self._broken = self._walk.report().broken_at
        if self._broken is None and list(self._last) != list(head):
            self._broken = 0
        if self._broken is not None:
            return "broken", self._broken
        if self._walk is not None:
            return "proven", None
        return ("linked" if self.key is None else "not the store's key"), None

    def _entry(self, row: dict) -> None:
        self._begin()
        if self._broken is not None:
            return
        goes_on = self._walk.goes_on(row) if self._walk else row["previous_hash"] == self._last[1]
        if not goes_on:
            self._broken = row["entry"]
        self._last = (row["entry"], row["hash"])

    def _begin(self) -> None:
        if self._fits is not None:
            return
        cipher = None if self.key is None else self.facts.unlocked(self.key.master)
        self._fits = cipher is not None
        if cipher is not None:
            self._walk = Walk(self.facts.seal(cipher, Path("nowhere")), None)


def unwrapped_key(told: dict, passphrase: Secret) -> bytes:
    """The store's key that a backup holds wrapped.

    Raises
    ------
    BadBackup
        When the passphrase is another one.
    """
    from data.keeping.archive import opened_small
    from data.keeping.backup import WRAPPED

    return opened_small(told, passphrase, WRAPPED)


def key_as_text(master: bytes) -> bytes:
    """A key as its file holds it."""
    return base64.b64encode(master) + b"\n"


def is_inside(path: str) -> bool:
    """Whether a path is one that a backup may hold: below the folders of backups, going nowhere up."""
    parts = PurePosixPath(path).parts
    plain = not any(part in ("..", ".") or "\\" in part or "\0" in part for part in parts)
    return plain and path.startswith((MODELS, JOBS, FEEDER)) and path == "/".join(parts)


def _next(frames: Iterator[tuple[str, bytes]], what: str) -> tuple[str, bytes]:
    found = next(frames, None)
    if found is None:
        raise BadBackup(f"the backup lacks {what}")
    return found


def _json(wanted: str, letter: str, content: bytes) -> dict:
    if letter != wanted:
        raise BadBackup(f"the backup holds a frame {letter!r} where {wanted!r} belongs")
    return json.loads(content)
