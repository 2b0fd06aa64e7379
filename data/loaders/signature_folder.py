"""A folder of signatures in the common layout: ``NNN/genuine_KK.png`` and ``NNN/forged_KK.png``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.signatures.bare import bare
from data.signatures.specimens import inspect_image
from data.signatures.write import NewSpecimen

KINDS = ("genuine", "forged")
_WRITER = re.compile(r"\d{3,4}")
_FILE = re.compile(r"(genuine|forged)_(\d{2,3})\.png")


@dataclass(frozen=True)
class SignatureFile:
    """One file of the folder.

    Attributes
    ----------
    writer : str
        Number of the writer whose signature it is or imitates.
    kind : {"genuine", "forged"}
        Whether the writer signed.
    number : int
        Running number within writer and kind.
    path : Path
        The file.
    """

    writer: str
    kind: str
    number: int
    path: Path


def list_signatures(folder: Path | str, kind: str | None = None) -> list[SignatureFile]:
    """Every signature of a folder, by writer, kind and number; other files are passed over.

    Parameters
    ----------
    folder : path
        With one folder per writer. Links are not followed.
    kind : {"genuine", "forged"}, optional
        Only these.

    Raises
    ------
    ValueError
        When ``kind`` is unknown, or the folder is missing or holds no signature of the layout.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"folder must be a folder of signatures, got {folder.name!r}")
    found = []
    for inside in folder.iterdir():
        if inside.is_symlink() or not inside.is_dir() or not _WRITER.fullmatch(inside.name):
            continue
        for path in inside.iterdir():
            match = _FILE.fullmatch(path.name)
            if match and not path.is_symlink() and kind in (None, match[1]):
                found.append(SignatureFile(inside.name, match[1], int(match[2]), path))
    if not found:
        raise ValueError(f"folder must hold files such as 001/genuine_01.png, got none in {folder.name!r}")
    return sorted(found, key=lambda one: (one.writer, KINDS.index(one.kind), one.number))


def as_specimens(
    owners: Mapping[SignatureFile, str], captured_on: Mapping[str, date], context: str = "enrollment"
) -> Iterator[NewSpecimen]:
    """Read files as specimens of students.

    Parameters
    ----------
    owners : mapping
        File → student number.
    captured_on : mapping
        Student number → day of signing.
    context : str
        One of :data:`data.columns.SPECIMEN_CONTEXTS`.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When a file is no acceptable image.
    """
    for file, student_number in owners.items():
        content = file.path.read_bytes()
        facts = inspect_image(content)
        yield NewSpecimen(
            student_number=student_number,
            data=bare(content),
            sha256=facts.sha256,
            captured_on=captured_on[student_number],
            context=context,
            file_format=facts.file_format,
            width=facts.width,
            height=facts.height,
            dpi=facts.dpi,
        )
