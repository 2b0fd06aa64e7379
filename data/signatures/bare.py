"""A picture without what its file tells beside it: place, day, owner and device of whoever took it.

What is kept of a signature is what its comparison needs: the pixels, which way up they stand, and their
resolution. A camera's notes say where somebody was. A PNG or JPEG that holds nothing else stays as it is; of
one that does, the notes are cut out without decoding the pixels. Of any other format, and of a file out of
which they cannot be cut, a new picture of the same pixels is kept.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from PIL import ExifTags, Image

from data.signatures.chunks import end_of_scan
from data.signatures.specimens import BROKEN_IMAGE, RefusedFile, read_image

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_SAID = (ExifTags.Base.Orientation, ExifTags.Base.XResolution, ExifTags.Base.YResolution)
_SAID += (ExifTags.Base.ResolutionUnit,)
"""What of EXIF changes how a picture is read."""
_LENGTHS = {b"IHDR": 13, b"pHYs": 9, b"IEND": 0}
"""Chunks of a PNG that have one length; more of them would be a note."""
_PALETTE, _CLEAR = 3, 256  # the kind of a PNG with colours in a table; the most that tRNS can say
_JFIF, _ADOBE = b"JFIF\x00", b"Adobe"
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12  # without a small second picture, and without more
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDD})  # coding, scans, tables, restarts


class _Odd(ValueError):
    """A file that is not built as its format says."""


def bare(data: bytes) -> bytes:
    """The same picture without notes.

    Parameters
    ----------
    data : bytes
        A file that :func:`data.signatures.specimens.inspect_image` accepts.

    Returns
    -------
    bytes
        ``data`` itself where it is a PNG or a JPEG that holds nothing but the picture. Else a file that is
        read as the same pixels in the same resolution: of the same format, or a PNG.

    Raises
    ------
    data.signatures.specimens.RefusedFile
        When it is none of those files.
    """
    try:
        cut = _cut(data)
    except BROKEN_IMAGE:
        cut = None
    if cut == data:
        return data
    facts, pixels = read_image(data)
    if cut is not None:
        with suppress(RefusedFile):
            told, same = read_image(cut)
            if told.dpi == facts.dpi and np.array_equal(same, pixels):
                return cut
    return _drawn(pixels, facts.dpi)


def _drawn(pixels: np.ndarray, dpi: int | None) -> bytes:
    """The pixels as PNG, in one bit each where they are black and white."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    if image.mode == "L" and not np.any((pixels > 0) & (pixels < 255)):
        image = image.convert("1")
    image.save(file, "PNG", **({"dpi": (dpi, dpi)} if dpi else {}))
    return file.getvalue()


def _cut(data: bytes) -> bytes | None:
    """The file without notes; None where its format has places for more than can be looked through."""
    if data.startswith(_PNG):
        return _of_png(data)
    if data.startswith(_JPEG):
        return _of_jpeg(data)
    return None


def _said(data: bytes) -> bytes:
    """EXIF of a file cut down to :data:`_SAID`, without its mark; empty where it says none of them."""
    with Image.open(io.BytesIO(data)) as image:
        exif, kept = image.getexif(), Image.Exif()
        for tag in _SAID:
            if tag in exif:
                kept[tag] = exif[tag]
    if not set(kept) - {ExifTags.Base.ResolutionUnit}:
        return b""
    return kept.tobytes().removeprefix(b"Exif\x00\x00")


def _of_png(data: bytes) -> bytes:
    parts, noted, at, coloured = [_PNG], False, len(_PNG), False
    for kind, chunk in _png_chunks(data):
        at += len(chunk)
        if kind == b"IHDR":
            coloured = chunk[17] == _PALETTE
        if _belongs(kind, len(chunk) - 12, coloured):
            parts.append(chunk)
        else:
            noted = True
        if kind == b"IEND":
            break
    if not noted and at == len(data):
        return data
    if said := _said(data):
        body = b"eXIf" + said
        chunk = struct.pack(">I", len(said)) + body + struct.pack(">I", zlib.crc32(body))
        parts.insert(2, chunk)  # behind IHDR
    return b"".join(parts)


def _belongs(kind: bytes, size: int, coloured: bool) -> bool:
    """Whether a PNG's chunk is of the picture, and has room for nothing else."""
    if kind in _LENGTHS:
        return size == _LENGTHS[kind]
    if kind == b"PLTE":
        return coloured
    return kind == b"IDAT" or (kind == b"tRNS" and size <= (_CLEAR if coloured else 6))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + size + 12 > len(data):
            raise _Odd
        yield kind, data[at : at + size + 12]
        at += size + 12


def _of_jpeg(data: bytes) -> bytes:
    head, parts, at = b"", [], len(_JPEG)
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fills up to the marker
            at += 1
        if data[at] != 0xFF:
            raise _Odd
        marker = data[at + 1]
        if marker == 0xD9:  # the end: what stands behind it is another picture, or a note
            parts.append(b"\xff\xd9")
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0x00, 0x01, *range(0xD0, 0xD9)) or end > len(data) or end < at + 4:
            raise _Odd
        body = data[at + 4 : end]
        if marker == 0xE0 and body.startswith(_JFIF) and not head and len(body) >= _JFIF_LENGTH:
            head = _segment(0xE0, body[: _JFIF_LENGTH - 2] + bytes(2))
        elif marker == 0xEE and body.startswith(_ADOBE):
            parts.append(_segment(0xEE, body[:_ADOBE_LENGTH]))
        elif marker in _FRAMES:
            end = end_of_scan(data, at + 2) if marker == 0xDA else end
            parts.append(data[at:end])
        at = end
    if (whole := _JPEG + head + b"".join(parts)) == data:
        return data
    said = b"Exif\x00\x00" + exif if (exif := _said(data)) else b""
    return b"".join((_JPEG, head, _segment(0xE1, said) if said else b"", *parts)) if said else whole


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
