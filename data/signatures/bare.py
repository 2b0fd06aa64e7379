"""A picture without what its file tells beside it: place, day, owner and device of whoever took it.

What is kept of a signature is what its comparison needs: the pixels as they came, which way up they stand,
their resolution and the colour profile. A camera's notes say where somebody was. They are cut out without
decoding the pixels; a file out of which they cannot be cut is kept as a new picture of the same pixels.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image

from data.signatures.chunks import MOST_NOTES
from data.signatures.specimens import BROKEN_IMAGE, RefusedFile, read_image

_PNG, _JPEG, _RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF"
_TIFF = {b"II*\x00": "<", b"MM\x00*": ">"}
_SAID = (ExifTags.Base.Orientation, ExifTags.Base.XResolution, ExifTags.Base.YResolution)
_SAID += (ExifTags.Base.ResolutionUnit,)
"""What of EXIF changes how a picture is read."""
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"bKGD")
    + (b"pHYs",)
)
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"))
_WEBP_NOTES = {b"EXIF": 0x08, b"XMP ": 0x04}  # flags of VP8X
_TIFF_KEPT = frozenset(
    (*range(254, 260), 262, 263, 266, 273, 274, *range(277, 285), *range(290, 294), 296, 301)
    + (*range(317, 326), *range(332, 343), 347, *range(512, 522), *range(529, 533), 34675)
)
_SUB_DIRECTORIES = frozenset((330, 34665, 34853, 40965))
_MOST_DIRECTORIES = 8  # below one entry
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value by the type of its TIFF field."""


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
        ``data`` itself where it holds nothing but the picture. Else a file that is read as the same pixels in
        the same resolution: of the same format, or a PNG where the notes could not be cut out.

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
        try:
            told, same = read_image(cut)
        except RefusedFile:
            pass
        else:
            if (told.dpi, told.file_format) == (facts.dpi, facts.file_format) and np.array_equal(
                same, pixels
            ):
                return cut
    return _drawn(pixels, facts.dpi)


def _drawn(pixels: np.ndarray, dpi: int | None) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **({"dpi": (dpi, dpi)} if dpi else {}))
    return file.getvalue()


def _cut(data: bytes) -> bytes:
    if data.startswith(_PNG):
        return _of_png(data)
    if data.startswith(_JPEG):
        return _of_jpeg(data)
    if data[:4] == _RIFF and data[8:12] == b"WEBP":
        return _of_webp(data)
    if data[:4] in _TIFF:
        return _of_tiff(data, _TIFF[data[:4]])
    if data[:2] == b"BM":
        return data
    raise _Odd


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
    parts, noted, at = [_PNG], False, len(_PNG)
    for kind, chunk in _png_chunks(data):
        at += len(chunk)
        if kind in _PNG_KEPT:
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


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + size + 12 > len(data):
            raise _Odd
        yield kind, data[at : at + size + 12]
        at += size + 12


def _of_jpeg(data: bytes) -> bytes:
    head, parts, noted, at = [_JPEG], [], False, len(_JPEG)
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fills up to the marker
            at += 1
        if data[at] != 0xFF:
            raise _Odd
        marker = data[at + 1]
        if marker == 0xD9:  # the end: what stands behind it is another picture, or a note
            parts.append(b"\xff\xd9")
            noted |= at + 2 != len(data)
            break
        if marker in (0x00, 0x01, 0xD8, *range(0xD0, 0xD8)):
            raise _Odd
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            raise _Odd
        if _is_note(marker, data[at + 4 : end]):
            noted = True
        else:
            if marker == 0xDA:
                end = _end_of_scan(data, end)
            (head if marker == 0xE0 and not parts else parts).append(data[at:end])
        at = end
    if not noted:
        return data
    said = b"Exif\x00\x00" + exif if (exif := _said(data)) else b""
    exif_segment = b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said if said else b""
    return b"".join((*head, exif_segment, *parts))


def _is_note(marker: int, body: bytes) -> bool:
    """Whether a JPEG's segment tells something beside the picture."""
    if marker == 0xFE:
        return True
    if not 0xE0 <= marker <= 0xEF:
        return False
    kept = {0xE0: b"JFIF\x00", 0xE2: b"ICC_PROFILE\x00", 0xEE: b"Adobe"}
    return marker not in kept or not body.startswith(kept[marker])


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the coded pixels end: at the next marker that is no restart."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0x00 and not 0xD0 <= data[at + 1] <= 0xD7:
            if data[at + 1] != 0xFF:
                return at
            at -= 1  # a fill byte: look at the next
        at += 2


def _of_webp(data: bytes) -> bytes:
    parts, noted, at, end = [], 0, 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _Odd
    while at + 8 <= end:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunk = data[at : at + 8 + size + size % 2]
        at += 8 + size + size % 2
        if kind in _WEBP_KEPT:
            parts.append(chunk)
        else:
            noted |= _WEBP_NOTES.get(kind, 0x80)
    if not noted and end == len(data):
        return data
    said = _said(data)
    if parts and parts[0][:4] == b"VP8X":
        flags = parts[0][8] & ~0x0C | (0x08 if said else 0)
        parts[0] = parts[0][:8] + bytes([flags]) + parts[0][9:]
        if said:
            body = said + b"\x00" * (len(said) % 2)
            parts.append(b"EXIF" + struct.pack("<I", len(said)) + body)
    body = b"WEBP" + b"".join(parts)
    return _RIFF + struct.pack("<I", len(body)) + body


def _of_tiff(data: bytes, order: str) -> bytes:
    """Tags that are no part of the picture leave the directory, and what they held is overwritten."""
    tiff, (start,) = _Tiff(data, order), struct.unpack_from(order + "I", data, 4)
    fields = tiff.fields(start)
    if all(tag in _TIFF_KEPT for tag, _ in fields):
        return data
    for tag, at in fields:
        if tag not in _TIFF_KEPT:
            for place in tiff.directories(at) if tag in _SUB_DIRECTORIES else ():
                tiff.wipe_directory(place)
            tiff.wipe_values(at)
    kept = b"".join(data[at : at + 12] for tag, at in fields if tag in _TIFF_KEPT)
    struct.pack_into(order + "H", tiff.made, start, len(kept) // 12)
    rest = 12 * len(fields) + 4  # of the directory, and where the next one would begin
    tiff.made[start + 2 : start + 2 + rest] = kept.ljust(rest, b"\x00")
    return bytes(tiff.made)


class _Tiff:
    """A TIFF file and what is made of it.

    Parameters
    ----------
    data : bytes
    order : {"<", ">"}
        Of its bytes.
    """

    def __init__(self, data: bytes, order: str):
        self.data, self.order, self.made = data, order, bytearray(data)
        self._left = 2 * len(data)  # bytes still to overwrite: entries may all point at the same

    def fields(self, start: int) -> list[tuple[int, int]]:
        """Tag and place of each entry of a directory."""
        (count,) = struct.unpack_from(self.order + "H", self.data, start)
        if count > MOST_NOTES:
            raise _Odd
        places = [start + 2 + 12 * place for place in range(count)]
        return [(struct.unpack_from(self.order + "HHII", self.data, at)[0], at) for at in places]

    def directories(self, at: int) -> tuple[int, ...]:
        """Where the directories begin that an entry points at."""
        _, _, count, value = struct.unpack_from(self.order + "HHII", self.data, at)
        if count > _MOST_DIRECTORIES:
            raise _Odd
        return (value,) if count == 1 else struct.unpack_from(f"{self.order}{count}I", self.data, value)

    def wipe_directory(self, start: int) -> None:
        """Overwrite a directory and what its entries hold."""
        for tag, at in self.fields(start):
            if tag not in _SUB_DIRECTORIES:
                self.wipe_values(at)
            self.made[at : at + 12] = bytes(12)

    def wipe_values(self, at: int) -> None:
        """Overwrite what an entry holds elsewhere in the file."""
        _, kind, count, value = struct.unpack_from(self.order + "HHII", self.data, at)
        size = _WIDTHS.get(kind, 1) * count
        if size > 4:
            self._left -= size
            if value + size > len(self.data) or self._left < 0:
                raise _Odd
            self.made[value : value + size] = bytes(size)
