"""Bytes → text: what encoding a file is in, and what is no text at all."""

from __future__ import annotations


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


def decode(source: bytes, name: str = "") -> tuple[str, str]:
    """Text of a file and the encoding found: by byte order mark, else UTF-8, UTF-16 by its zeros, cp1252."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if source.startswith(mark):
            return _decode_as(source, encoding, name), encoding
    zeros_even, zeros_odd = source[0:4000:2].count(0), source[1:4000:2].count(0)
    if zeros_odd > 4 * zeros_even + 8:
        return _decode_as(source, "utf-16-le", name), "utf-16-le"
    if zeros_even > 4 * zeros_odd + 8:
        return _decode_as(source, "utf-16-be", name), "utf-16-be"
    if b"\x00" in source:
        raise TableError(f"{name}: holds zero bytes, so it is no text file; export the table as CSV or .xlsx")
    try:
        return source.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _decode_as(source, "cp1252", name), "cp1252"


def _decode_as(source: bytes, encoding: str, name: str) -> str:
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(
            f"{name}: byte {error.start} is not {encoding} text; save the file as CSV UTF-8"
        ) from error
