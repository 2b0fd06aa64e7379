"""The file of a backup: a header in the clear, then a compressed stream sealed in chunks.

Layout, all numbers big-endian::

    TEPATBK1                      8 bytes
    length of the header          4 bytes
    header                        JSON: format, backup, made_at, secret {kind, salt, n, r, p}, salt, check
    length of a chunk, a chunk    4 bytes and AES-256-GCM's ciphertext with its tag; as often as needed

The key of a file is derived (HKDF-SHA-256, RFC 5869) from the backup's secret, 32 bytes of a key or what
scrypt (RFC 7914) makes of a passphrase, and from 32 random bytes of the header, so no two files share one.
The nonce of a chunk is its place, with a mark on the last; what is authenticated with it is the hash of
everything before the first chunk. Chunks can therefore be neither altered, nor exchanged, repeated, left out
or cut off, nor put into another file (the construction called STREAM). ``check`` commits to the key, so that
a wrong one is told apart from a damaged file.

Within the chunks lies one zlib stream of frames: a letter, four bytes of length, the content. What the frames
mean says :mod:`data.keeping.backup`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from data.engine.cipher import KEY_BYTES, parse_key

MAGIC = b"TEPATBK1"
FORMAT = 1
CHUNK = 1 << 20  # bytes of the compressed stream that are sealed at a time
TAG = 16
MOST_HEADER = 1 << 16
MOST_FRAME = 1 << 30
SHORTEST = 12  # characters of a passphrase
COST = {"n": 1 << 17, "r": 8, "p": 1}  # of scrypt: 128 MiB and a third of a second
MOST_COST = {"n": 1 << 20, "r": 16, "p": 4}  # what a header may ask for: it is read before it is proven
MOST_MEMORY = 1 << 29  # bytes that it may ask for


class BadBackup(ValueError):
    """A file that is no backup, was altered or cut off, or was made with another secret."""


@dataclass(frozen=True)
class Secret:
    """What a backup is sealed with.

    Parameters
    ----------
    kind : {"key", "passphrase"}
        32 random bytes, or what somebody keeps in mind or in a safe.
    material : bytes
        The key, or the passphrase in UTF-8; never shown by ``repr``.
    """

    kind: str
    material: bytes = field(repr=False)

    @classmethod
    def of_key(cls, text: str, where: str) -> Secret:
        """A key of 32 bytes as base64."""
        return cls("key", parse_key(text, where))

    @classmethod
    def of_passphrase(cls, text: str) -> Secret:
        """A passphrase; white space around it does not count.

        Raises
        ------
        ValueError
            When it is shorter than :data:`SHORTEST` characters.
        """
        stripped = text.strip()
        if len(stripped) < SHORTEST:
            raise ValueError(f"the passphrase must have at least {SHORTEST} characters")
        return cls("passphrase", stripped.encode())

    def stretched(self, salt: bytes, cost: dict[str, int]) -> bytes:
        """32 bytes of key material."""
        if self.kind == "key":
            return self.material
        return Scrypt(salt=salt, length=KEY_BYTES, **cost).derive(self.material)


def sealed_small(plain: bytes, secret: Secret, purpose: str) -> dict:
    """A few bytes sealed with a secret of their own salt, as JSON holds them."""
    salt, nonce = os.urandom(KEY_BYTES), os.urandom(12)
    key = _derived(secret.stretched(salt, COST), salt, purpose.encode())
    sealed = nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())
    return {"salt": _text(salt), "cost": COST, "sealed": _text(sealed)}


def opened_small(told: dict, secret: Secret, purpose: str) -> bytes:
    """What :func:`sealed_small` had sealed.

    Raises
    ------
    BadBackup
        When the secret is another one.
    """
    salt, sealed = base64.b64decode(told["salt"]), base64.b64decode(told["sealed"])
    key = _derived(secret.stretched(salt, _bearable(told["cost"])), salt, purpose.encode())
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], purpose.encode())
    except InvalidTag:
        raise BadBackup(f"the passphrase is not the one that the {purpose} was wrapped with") from None


class Written(Protocol):
    """What takes bytes in their order."""

    def write(self, content: bytes, /) -> object:
        """Add to the end."""


class Writer:
    """Writes frames into a new file.

    Parameters
    ----------
    file : Written
        Empty, open for writing.
    secret : Secret
    about : dict
        What the header says beside what opens it; in the clear: nothing of people.
    """

    def __init__(self, file: Written, secret: Secret, about: dict) -> None:
        salt, own = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
        master = secret.stretched(salt, COST)
        cost = COST if secret.kind == "passphrase" else {}
        header = {"format": FORMAT, **about, "secret": {"kind": secret.kind, "salt": _text(salt), **cost}}
        header |= {"salt": _text(own), "check": _text(_derived(master, own, b"tepat backup check"))}
        content = json.dumps(header, sort_keys=True).encode()
        before = MAGIC + struct.pack(">I", len(content)) + content
        file.write(before)
        self._file, self._bound = file, hashlib.sha256(before).digest()
        self._aead = AESGCM(_derived(master, own, b"tepat backup"))
        self._zip, self._waiting, self._place = zlib.compressobj(1), bytearray(), 0

    def frame(self, letter: str, content: bytes) -> None:
        """Append a frame.

        Parameters
        ----------
        letter : str
            One character of ASCII.
        content : bytes
            Less than a gibibyte.
        """
        if len(content) > MOST_FRAME:
            raise ValueError(f"content must have at most {MOST_FRAME} bytes, got {len(content)}")
        self._take(self._zip.compress(letter.encode() + struct.pack(">I", len(content))))
        self._take(self._zip.compress(content))

    def told(self, letter: str, content: object) -> None:
        """Append a frame of JSON."""
        self.frame(letter, json.dumps(content, sort_keys=True).encode())

    def end(self) -> None:
        """Seal what is left, with the mark of the last chunk."""
        self._take(self._zip.flush())
        self._seal(bytes(self._waiting), last=True)

    def _take(self, more: bytes) -> None:
        self._waiting += more
        while len(self._waiting) > CHUNK:  # never the last one: that has its mark
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def _seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self._aead.encrypt(_nonce(self._place, last), plain, self._bound)
        self._file.write(struct.pack(">I", len(sealed)) + sealed)
        self._place += 1


class Reader:
    """Reads the frames of a file.

    Parameters
    ----------
    file : BinaryIO
        At its beginning.
    secret : Secret

    Raises
    ------
    BadBackup
        When it is no backup of this format, or the secret is another one.
    """

    def __init__(self, file: BinaryIO, secret: Secret) -> None:
        self.header, before = _header(file)
        how, own, salt = _how(self.header)
        if how["kind"] != secret.kind:
            raise BadBackup(f"the backup was sealed with a {how['kind']}, not with a {secret.kind}")
        master = secret.stretched(salt, _bearable(how) if secret.kind == "passphrase" else COST)
        check = _derived(master, own, b"tepat backup check")
        if not hmac.compare_digest(_text(check).encode(), str(self.header["check"]).encode()):
            raise BadBackup(f"the {secret.kind} is not the one that the backup was sealed with")
        self._file, self._bound = file, hashlib.sha256(before).digest()
        self._aead = AESGCM(_derived(master, own, b"tepat backup"))

    def frames(self) -> Iterator[tuple[str, bytes]]:
        """Every frame in its order; what follows the last one is an error.

        Raises
        ------
        BadBackup
            When anything was altered, exchanged or cut off: before the frame that it is in is given out.
        """
        stream = _Stream(self._chunks())
        while (letter := stream.take(1)) is not None:
            size = stream.take(4)
            (length,) = struct.unpack(">I", size) if size else (MOST_FRAME + 1,)
            if length > MOST_FRAME:
                raise BadBackup("the backup holds a frame that no backup has")
            content = stream.take(length)
            if content is None:
                raise BadBackup("the backup ends within a frame")
            yield letter.decode("latin-1"), content

    def _chunks(self) -> Iterator[bytes]:
        place, size = 0, self._file.read(4)
        while True:
            if len(size) != 4:
                raise BadBackup("the backup was cut off")
            (length,) = struct.unpack(">I", size)
            if not TAG <= length <= CHUNK + TAG:
                raise BadBackup("the backup was altered: a chunk has a length that none has")
            sealed, size = self._file.read(length), self._file.read(4)
            last = size == b""
            try:
                yield self._aead.decrypt(_nonce(place, last), sealed, self._bound)
            except InvalidTag:
                what = "cut off or altered" if last else "altered"
                raise BadBackup(f"the backup was {what}: chunk {place + 1} does not open") from None
            if last:
                return
            place += 1


class _Stream:
    """Bytes of the compressed stream, by number, never much more in memory than asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._zip, self._held = chunks, zlib.decompressobj(), bytearray()

    def take(self, number: int) -> bytes | None:
        """So many bytes; None at the end of the stream."""
        while len(self._held) < number:
            more = self._more()
            if more is None:
                return None
            self._held += more
        taken = bytes(self._held[:number])
        del self._held[:number]
        return taken

    def _more(self) -> bytes | None:
        source = self._zip.unconsumed_tail or next(self._chunks, None)
        if source is None:
            if not self._zip.eof:
                raise BadBackup("the backup ends within its compressed stream")
            return None
        try:
            return self._zip.decompress(source, CHUNK)
        except zlib.error:
            raise BadBackup("the backup holds a stream that does not unpack") from None


def read_header(path: Path) -> dict:
    """What a file says of itself in the clear; nothing of it is proven.

    Raises
    ------
    BadBackup
        When it is no backup of this format, or asks for more work than any backup needs; the message names
        the file.
    """
    with path.open("rb") as file, named(path):
        header = _header(file)[0]
        how, _, _ = _how(header)
        if how["kind"] == "passphrase":
            _bearable(how)
        return header


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Put the name of a file before what :class:`BadBackup` says of it."""
    try:
        yield
    except BadBackup as problem:
        raise BadBackup(f"{path.name}: {problem}") from None


def _header(file: BinaryIO) -> tuple[dict, bytes]:
    begin = file.read(len(MAGIC) + 4)
    if begin[: len(MAGIC)] != MAGIC or len(begin) != len(MAGIC) + 4:
        raise BadBackup("the file is no backup of this program")
    (length,) = struct.unpack(">I", begin[len(MAGIC) :])
    content = file.read(min(length, MOST_HEADER))
    try:
        header = json.loads(content)
        made = header["format"], header["backup"], header["secret"]["kind"], header["salt"], header["check"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadBackup("the header of the backup cannot be read") from None
    if made[0] != FORMAT:
        raise BadBackup(f"the backup has format {str(made[0])[:20]}, this version reads format {FORMAT}")
    return header, begin + content


def _how(header: dict) -> tuple[dict, bytes, bytes]:
    """How the secret becomes the key: what the header says, its salt, the file's."""
    try:
        how = header["secret"]
        if how["kind"] not in ("key", "passphrase"):
            raise ValueError("an unknown kind")
        return how, base64.b64decode(header["salt"]), base64.b64decode(how["salt"])
    except (ValueError, KeyError, TypeError):
        raise BadBackup("the header of the backup cannot be read") from None


def _bearable(cost: dict[str, int]) -> dict[str, int]:
    for name, most in MOST_COST.items():
        if type(cost.get(name)) is not int or not 0 < cost[name] <= most:
            raise BadBackup("the header of the backup asks for more work than any backup needs")
    n, r, p = (cost[name] for name in ("n", "r", "p"))
    if n < 2 or n & (n - 1):
        raise BadBackup(f"the header of the backup asks scrypt for n = {n:,}, which is no power of two")
    if n >= 1 << (16 * r) or 128 * r * n > MOST_MEMORY:  # the first is a rule of scrypt
        raise BadBackup("the header of the backup asks for more work than any backup needs")
    return {name: cost[name] for name in MOST_COST}


def _derived(master: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(master)


def _nonce(place: int, last: bool) -> bytes:
    return bytes([last]) + place.to_bytes(11, "big")


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
