"""Formulas whose results a workbook does not hold: programs that write files do not calculate."""

from __future__ import annotations

import zipfile
from xml.etree.ElementTree import iterparse

_CELL = "}c"
_CHUNK = 2**20


def unanswered_formulas(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """Cells of a sheet that hold a formula and no result: ``{"C2": "=B2*2"}``.

    Parameters
    ----------
    archive : zipfile.ZipFile
        The workbook.
    part : str
        Path of the sheet inside it.
    """
    if not _holds(archive, part, b"<f"):
        return {}
    found: dict[str, str] = {}
    with archive.open(part) as stream:
        for _, element in iterparse(stream):
            if element.tag.endswith("}row"):
                element.clear()
            if not element.tag.endswith(_CELL):
                continue
            children = {child.tag.rpartition("}")[2]: child for child in element}
            formula, value = children.get("f"), children.get("v")
            empty = value is None or (not value.text and element.get("t") != "str")
            if formula is not None and empty and element.get("r"):
                found[element.get("r")] = "=" + (formula.text or "…")
            element.clear()
    return found


def _holds(archive: zipfile.ZipFile, part: str, text: bytes) -> bool:
    with archive.open(part) as stream:
        before = b""
        while chunk := stream.read(_CHUNK):
            if text in before + chunk:
                return True
            before = chunk[-len(text) :]
    return False
