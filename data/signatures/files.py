"""Walking a folder or a zip of signature files without following anything that leads outside.

An archive is measured by its directory before a byte is unpacked, and each file is read up to its stated
size at most, so that a bomb costs nothing.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath

from data.signatures.specimens import MAX_FILE_BYTES, RefusedFile

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp")
_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_ARCHIVE_SUFFIXES = (".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz")
_MAX_NAME = 1_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, IndexError)


@dataclass(frozen=True)
class Limits:
    """What one folder or archive may hold.

    Parameters
    ----------
    files : int
        Number of files.
    total_bytes : int
        Bytes of all files, unpacked.
    file_bytes : int
        Bytes of one file, unpacked.
    ratio : int
        How many times its packed size a file above ``ratio_from`` bytes, or the archive, may unpack to.
    ratio_from : int
        Small files may be packed as tightly as they like: white paper is.
    """

    files: int = 1_000_000
    total_bytes: int = 256 * 2**30
    file_bytes: int = MAX_FILE_BYTES
    ratio: int = 200
    ratio_from: int = 8 * 2**20


@dataclass(frozen=True)
class SignatureFile:
    """One file of a folder or archive, not yet read.

    Parameters
    ----------
    name : str
        Path inside the folder or archive, with ``/``.
    position, total : int
        Where it stands among all files, from 0.
    read : callable
        Returns the bytes, or raises :class:`data.signatures.specimens.RefusedFile`; only while iterating.
    modified : date or None
        Date of the file, where known.
    refused : RefusedFile or None
        Why it will not be read at all.
    """

    name: str
    position: int = 0
    total: int = 0
    read: Callable[[], bytes] = field(default=bytes, repr=False)
    modified: date | None = None
    refused: RefusedFile | None = None


def iter_signature_files(source, *, limits: Limits = Limits()) -> Iterator[SignatureFile]:
    """Every file of a folder, a zip, or an upload, in the order of their names.

    Parameters
    ----------
    source : path, bytes, or iterable of (str, bytes)
        A folder or a zip file; the bytes of a zip; or files with their names, as a page receives them, zips
        among them too: what lies in ``scans.zip`` is named ``scans.zip/…``.
    limits : Limits
        What is accepted.

    Yields
    ------
    SignatureFile
        Clutter of operating systems (``.DS_Store``, ``Thumbs.db``) is passed over in silence; everything else
        comes, refused or not.

    Raises
    ------
    RefusedFile
        When the source as a whole is refused: no folder and no zip, too many files, a bomb.
    """
    if isinstance(source, bytes):
        yield from _iter_zip(io.BytesIO(source), len(source), limits)
    elif isinstance(source, (str, Path)):
        path = Path(source)
        if path.is_dir():
            yield from _iter_folder(path, limits)
        elif path.is_file():
            with path.open("rb") as file:
                yield from _iter_zip(file, path.stat().st_size, limits)
        else:
            raise RefusedFile("SPC014", f"{path.name}: no such folder or file")
    else:
        yield from _iter_pairs(source, limits)


def _is_clutter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.casefold() in _CLUTTER or part.startswith(".") and part != ".." for part in parts)


def _name_refusal(name: str) -> RefusedFile | None:
    """Why a name is not safe to use at all."""
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return RefusedFile("SPC003", "an absolute path; names inside an archive must be relative")
    if ".." in re.split(r"[/\\]", name):
        return RefusedFile("SPC003", "the path climbs out of the archive with '..'")
    if len(name) > _MAX_NAME or any(ord(char) < 32 for char in name):
        return RefusedFile("SPC003", "a path too long, or with control characters")
    if name.casefold().endswith(_ARCHIVE_SUFFIXES):
        return RefusedFile("SPC009", "an archive inside; unpack it first")
    return None


def _size_refusal(size: int, limits: Limits) -> RefusedFile | None:
    if size > limits.file_bytes:
        return RefusedFile("SPC010", f"{size:,} bytes; at most {limits.file_bytes:,} are taken")
    return None


def _refuse_whole(count: int, total: int, limits: Limits) -> None:
    if count > limits.files:
        raise RefusedFile("SPC001", f"{count:,} files; at most {limits.files:,} are taken at once")
    if total > limits.total_bytes:
        raise RefusedFile("SPC001", f"{total:,} bytes in all; at most {limits.total_bytes:,} are taken")


def _iter_zip(file, packed: int, limits: Limits) -> Iterator[SignatureFile]:
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN_ZIP as error:
        raise RefusedFile("SPC014", f"not a zip archive, or a damaged one ({error})") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        total = sum(entry.file_size for entry in entries)
        _refuse_whole(len(entries), total, limits)
        if total > limits.ratio_from and total > limits.ratio * max(packed, 1):
            times = total // max(packed, 1)
            raise RefusedFile("SPC001", f"it would unpack to {times:,} times its size, like a zip bomb")
        entries = sorted(
            (entry for entry in entries if not _is_clutter(entry.filename)), key=lambda entry: entry.filename
        )
        for position, entry in enumerate(entries):
            yield SignatureFile(
                entry.filename.replace("\\", "/"),
                position,
                len(entries),
                _reader(archive, entry, limits),
                _entry_date(entry),
                _entry_refusal(entry, limits),
            )


def _entry_refusal(entry: zipfile.ZipInfo, limits: Limits) -> RefusedFile | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return RefusedFile("SPC002", "a symbolic link; put the file itself into the archive")
    if kind not in (0, stat.S_IFREG):
        return RefusedFile("SPC002", "a special file, not an image")
    if refusal := _name_refusal(entry.orig_filename):
        return refusal
    if entry.flag_bits & 0x1:
        return RefusedFile("SPC008", "encrypted; pack it without a password")
    if entry.compress_type not in _METHODS:
        return RefusedFile("SPC014", "packed by a method other than deflate; pack it as a plain zip")
    if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * max(entry.compress_size, 1):
        return RefusedFile("SPC001", "it would unpack to far more than its size, like a zip bomb")
    return _size_refusal(entry.file_size, limits)


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(entry) as stream:
                data = stream.read(limits.file_bytes + 1)
        except (*_BROKEN_ZIP, RuntimeError) as error:
            raise RefusedFile("SPC006", f"damaged in the archive ({error}); pack it again") from error
        if refusal := _size_refusal(len(data), limits):
            raise refusal
        return data

    return read


def _entry_date(entry: zipfile.ZipInfo) -> date | None:
    try:
        return date(*entry.date_time[:3])
    except ValueError:
        return None


def _iter_folder(folder: Path, limits: Limits) -> Iterator[SignatureFile]:
    paths = []
    total = 0
    for parent, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in (*files, *links):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            if not _is_clutter(relative):
                paths.append((relative, path))
                total += path.lstat().st_size
        _refuse_whole(len(paths), total, limits)
    paths.sort()
    for position, (name, path) in enumerate(paths):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            refusal = RefusedFile("SPC002", "a symbolic link; put the file itself into the folder")
        elif not stat.S_ISREG(status.st_mode):
            refusal = RefusedFile("SPC002", "a special file, not an image")
        else:
            refusal = _name_refusal(name) or _size_refusal(status.st_size, limits)
        modified = date.fromtimestamp(status.st_mtime)
        yield SignatureFile(name, position, len(paths), _file_reader(path), modified, refusal)


def _file_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            # a link put in the file's place after the check would still be refused
            with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
                return file.read()
        except OSError as error:
            raise RefusedFile("SPC006", f"cannot be read: {error.strerror}") from error

    return read


def _iter_pairs(pairs: Iterable[tuple[str, bytes]], limits: Limits) -> Iterator[SignatureFile]:
    files = sorted((name, data) for name, data in pairs if not _is_clutter(name))
    _refuse_whole(len(files), sum(len(data) for _, data in files), limits)
    sizes = [_entries_in(data) if _is_zip(name) else 1 for name, data in files]
    total, position = sum(sizes), 0
    _refuse_whole(total, 0, limits)
    for (name, data), size in zip(files, sizes, strict=True):
        try:
            if _is_zip(name):
                for file in _iter_zip(io.BytesIO(data), len(data), limits):
                    at = position + file.position
                    yield replace(file, name=f"{name}/{file.name}", position=at, total=total)
            else:
                refusal = _name_refusal(name) or _size_refusal(len(data), limits)
                yield SignatureFile(name, position, total, lambda held=data: held, refused=refusal)
        except RefusedFile as refusal:  # one damaged archive among others: the others go on
            yield SignatureFile(name, position, total, refused=refusal)
        position += size


def _is_zip(name: str) -> bool:
    return name.casefold().endswith(".zip")


def _entries_in(data: bytes) -> int:
    """How many files an archive holds; 1, for the refusal that stands in its place, when it cannot be read
    or is empty."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            named = [entry for entry in archive.infolist() if not entry.is_dir()]
            return max(1, sum(not _is_clutter(entry.filename) for entry in named))
    except _BROKEN_ZIP:
        return 1
