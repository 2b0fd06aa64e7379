"""Notes beside the pixels of an image file: how many there are, counted before a decoder reads each of them.

A PNG may hold hundreds of thousands of texts and a JPEG as many comments, each of a few bytes. Reading one
costs as much as decoding thousands of pixels.
"""

from __future__ import annotations

import re
import struct

MOST_NOTES = 1000
"""Chunks of a PNG, segments of a JPEG or tags of a TIFF; scanners and cameras write fewer than a hundred."""
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_TIFF = {b"II": "<", b"MM": ">"}  # byte orders
_LEAST_PIXELS = 256
"""Bytes from which a piece of the pixels is one: smaller pieces cost what notes cost."""
_SCAN, _END = 0xDA, 0xD9  # behind the one a JPEG holds pixels, with the other it ends
_BARE = frozenset({0x00, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)})  # markers without a length
MOST_SCANS = 100
"""Passes over the pixels of a JPEG: a progressive one has about ten, and each costs what a picture costs."""
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # among coded pixels: one that ends them
_STRAY = 64
"""Bytes between two segments that cost what one of them costs."""


def too_many_notes(data: bytes) -> bool:
    """Whether an image file holds more than :data:`MOST_NOTES` chunks, segments or tags beside its pixels.

    Parameters
    ----------
    data : bytes
        Any file; one of another kind than PNG, JPEG and TIFF holds none.
    """
    if data.startswith(_PNG):
        return _past_most_chunks(data)
    if data.startswith(_JPEG):
        return _past_most_segments(data)
    return data[:2] in _TIFF and _tags(data) > MOST_NOTES


def _past_most_chunks(data: bytes) -> bool:
    at, notes = len(_PNG), 0
    while at + 8 <= len(data) and notes <= MOST_NOTES:
        size, kind = struct.unpack_from(">I4s", data, at)
        notes += kind != b"IDAT" or size < _LEAST_PIXELS
        at = len(data) if kind == b"IEND" else at + size + 12
    return notes > MOST_NOTES


def _past_most_segments(data: bytes) -> bool:
    at, notes, scans = len(_JPEG), 0, 0
    while notes <= MOST_NOTES and scans <= MOST_SCANS:
        found = data.find(b"\xff", at)
        marker = data[found + 1 : found + 2]
        if found < 0 or not marker or marker[0] == _END:
            break
        if marker[0] == _SCAN:
            scans += 1
            at = end_of_scan(data, found + 2)
            continue
        notes += 1 + (found - at) // _STRAY
        if marker == b"\xff":  # fills up to the next marker
            at = found + 1
        elif marker[0] in _BARE:
            at = found + 2
        else:
            at = found + 2 + int.from_bytes(data[found + 2 : found + 4], "big")
    return notes > MOST_NOTES or scans > MOST_SCANS


def end_of_scan(data: bytes, at: int) -> int:
    """Where the coded pixels behind a JPEG's marker of a scan end: at the next marker that is no restart.

    Parameters
    ----------
    data : bytes
    at : int
        Behind the marker.

    Returns
    -------
    int
        The length of ``data`` where they do not end.
    """
    found = _MARKER.search(data, at + int.from_bytes(data[at : at + 2], "big"))
    return found.start() if found else len(data)


def _tags(data: bytes) -> int:
    order, big = _TIFF[data[:2]], 43 in data[2:4]
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "L"), data, 8 if big else 4)
        return struct.unpack_from(order + ("Q" if big else "H"), data, start)[0]
    except (struct.error, OverflowError):  # it points beyond the file
        return 0
