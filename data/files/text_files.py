"""Bytes → text: what encoding a file is in, and what is no text at all."""

from __future__ import annotations

import re
from dataclasses import dataclass


class TableError(ValueError):
    """A file that cannot be read as a table at all; the message says why and what to do."""


def refuse_other_formats(source: bytes, name: str) -> None:
    """Raise :class:`TableError` for formats that offices send under a table's name."""
    start = source[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if source[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise TableError(
            f"{name}: an old .xls or a workbook with a password; save it as .xlsx without a password, or CSV"
        )
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta", b"<style")):
        raise TableError(
            f"{name}: a web page under a spreadsheet's name; open it in a spreadsheet program, save as .xlsx"
        )
    if source[:5] == b"%PDF-":
        raise TableError(f"{name}: a PDF, not a table; export the table as CSV or .xlsx")


@dataclass(frozen=True)
class Decoded:
    """A file as text.

    Parameters
    ----------
    text : str
        The text. A byte that is no UTF-8 in a file that otherwise is stands in it as one of U+DC80–U+DCFF;
        :func:`repaired` puts the Windows letter in its place.
    encoding : str
        Name of the encoding.
    odd : int
        How many such bytes there are.
    proven : bool
        Whether the bytes leave no other reading; a file in a Windows encoding could be in several.
    """

    text: str
    encoding: str
    odd: int = 0
    proven: bool = True


def decode(source: bytes, name: str = "", encoding: str = "") -> Decoded:
    """Text of a file in the encoding that the office names, else in the one that its bytes show.

    A byte order mark decides, then UTF-8 (a few bytes of another encoding do not make the whole file that
    other encoding), UTF-16 by its zeros, and Windows-1252 last.

    Raises
    ------
    TableError
        When the bytes are no text of that encoding, or no text at all.
    """
    if encoding:
        return Decoded(_decode_as(source, encoding, name), encoding)
    for mark, known in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if source.startswith(mark) and known != "utf-8-sig":
            return Decoded(_decode_as(source, known, name), known)
    zeros_even, zeros_odd = source[0:4000:2].count(0), source[1:4000:2].count(0)
    if zeros_odd > 4 * zeros_even + 8:
        return Decoded(_decode_as(source, "utf-16-le", name), "utf-16-le")
    if zeros_even > 4 * zeros_odd + 8:
        return Decoded(_decode_as(source, "utf-16-be", name), "utf-16-be")
    if b"\x00" in source:
        raise TableError(f"{name}: holds zero bytes, so it is no text file; export the table as CSV or .xlsx")
    utf8 = "utf-8-sig" if source.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        return Decoded(source.decode(utf8), utf8)
    except UnicodeDecodeError:
        text = source.decode(utf8, "surrogateescape")
    odd = len(_ODD.findall(text))
    if utf8 == "utf-8-sig" or len(_BEYOND_ASCII.findall(text)) - odd >= odd:
        return Decoded(text, utf8, odd)
    return Decoded(_decode_as(source, "cp1252", name), "cp1252", proven=False)


def repaired(text: str) -> str:
    """Text whose bytes of no UTF-8 are read as Windows-1252."""
    return _ODD.sub(lambda found: bytes([ord(found[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def is_odd(text: str) -> bool:
    """Whether a byte that is no UTF-8 stands in a text."""
    return _ODD.search(text) is not None


_ODD = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


def _decode_as(source: bytes, encoding: str, name: str) -> str:
    try:
        return source.decode(encoding)
    except (UnicodeError, LookupError) as error:
        at = getattr(error, "start", 0)
        row = source.count(b"\n", 0, at) + 1
        raise TableError(
            f"{name}: line {row}, byte {at} is not {encoding} text; save the file as CSV UTF-8, or name its "
            "encoding by --set encoding=NAME"
        ) from error
