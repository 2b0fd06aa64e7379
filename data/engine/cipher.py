"""Encryption at rest of what the store seals, and the opaque student keys.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D). What a ciphertext belongs to is authenticated with
it, so that a row's ciphertext copied into another row does not decrypt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import shlex
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
KEPT_KEYS = "kept keys"  # what the sealed fact is bound to
_DRAFT = ".key-"
_ABANDONED = 60  # seconds after which nobody can still be about to name a draft


class KeyProblem(RuntimeError):
    """The store's key is missing, malformed or not the one that the store was written with."""


@dataclass(frozen=True)
class KeptKeys:
    """What outlives a change of the master key, as it must (:mod:`data.keeping.rotation`).

    Parameters
    ----------
    pseudonym : bytes
        What student keys and keyed hashes are made with: they stand in rows that a new key must still meet.
    audit : tuple of (int, bytes)
        Number of the last entry of the audit log that a former key proves, and that key; oldest first.
    """

    pseudonym: bytes = field(repr=False)
    audit: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Cipher:
    """Encrypts and decrypts with one 32-byte master key.

    Parameters
    ----------
    master : bytes
        The key, 32 bytes; never shown by ``repr``.
    kept : KeptKeys, optional
        Of a store whose master key was changed.
    """

    master: bytes = field(repr=False)
    kept: KeptKeys | None = field(default=None, repr=False)
    _aead: AESGCM = field(init=False, repr=False, compare=False)
    _pseudonym: bytes = field(init=False, repr=False, compare=False)
    _mark: bytes = field(init=False, repr=False, compare=False)
    _audit: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.master) != KEY_BYTES:
            raise KeyProblem(f"key must be {KEY_BYTES} bytes, got {len(self.master)}")
        mark = _derive(self.master, b"tepat student keys")
        object.__setattr__(self, "_aead", AESGCM(_derive(self.master, b"tepat specimens")))
        object.__setattr__(self, "_mark", mark)
        object.__setattr__(self, "_pseudonym", mark if self.kept is None else self.kept.pseudonym)
        object.__setattr__(self, "_audit", _derive(self.master, b"tepat audit log"))

    def with_kept(self, sealed: str | None) -> Cipher:
        """The same with what :meth:`sealed_kept` had kept; as it is where nothing was."""
        if sealed is None:
            return self
        told = json.loads(self.decrypt(base64.b64decode(sealed), KEPT_KEYS))
        audit = tuple((int(until), base64.b64decode(key)) for until, key in told["audit"])
        return Cipher(self.master, KeptKeys(base64.b64decode(told["pseudonym"]), audit))

    def sealed_kept(self) -> str | None:
        """What is kept of former keys, sealed with this one, as base64; None where nothing is."""
        if self.kept is None:
            return None
        audit = [[until, base64.b64encode(key).decode()] for until, key in self.kept.audit]
        told = {"pseudonym": base64.b64encode(self.kept.pseudonym).decode(), "audit": audit}
        return base64.b64encode(self.encrypt(json.dumps(told).encode(), KEPT_KEYS)).decode()

    def successor(self, master: bytes, last_entry: int) -> Cipher:
        """The cipher of the key that follows this one.

        Parameters
        ----------
        master : bytes
            The new key.
        last_entry : int
            The last entry of the audit log that this key proves.
        """
        audit = () if self.kept is None else self.kept.audit
        return Cipher(master, KeptKeys(self._pseudonym, (*audit, (last_entry, self._audit))))

    def encrypt(self, plain: bytes, belongs_to: str) -> bytes:
        """Nonce and ciphertext of ``plain``, bound to ``belongs_to`` (e.g. "image:<specimen_id>")."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, belongs_to.encode())

    def decrypt(self, sealed: bytes, belongs_to: str) -> bytes:
        """The plain bytes of :meth:`encrypt`.

        Raises
        ------
        KeyProblem
            When the key is another one, the bytes were altered, or they belong to something else.
        """
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], belongs_to.encode())
        except InvalidTag:
            kind = belongs_to.partition(":")[0]
            raise KeyProblem(
                f"stored {kind} cannot be decrypted: the key (TEPAT_KEY or the key file) is not the one it "
                "was written with, or the bytes were altered"
            ) from None

    def student_key(self, student_number: str) -> str:
        """The opaque 16-hex key of a student number: a keyed hash, so that nobody without the key can
        tell whether a number is in the store, and importing twice gives the same key."""
        return hmac.digest(self._pseudonym, student_number.encode(), hashlib.sha256).hex()[:16]

    def number_hash(self, student_number: str) -> str:
        """What a stored student number, which lies sealed, is looked up by; 64 hexadecimal digits."""
        return self.keyed("student number", student_number)

    def keyed(self, purpose: str, text: str) -> str:
        """A keyed hash of ``text``, 64 hexadecimal digits; another one for every purpose."""
        return hmac.digest(self._pseudonym, f"{purpose}\0{text}".encode(), hashlib.sha256).hex()

    def audit_mac(self, purpose: str, text: str, entry: int | None = None) -> str:
        """What proves that the audit log's ``text`` was written with this store's key, 64 hexadecimal digits.

        Parameters
        ----------
        purpose : {"entry", "head"}
            What the text is; a proof of one is none of the other.
        entry : int, optional
            Number of the entry: one of before a change of the key is proven by the key of then.
        """
        key = self._audit
        if self.kept is not None and entry is not None:
            for until, former in reversed(self.kept.audit):
                if entry <= until:
                    key = former
        return hmac.digest(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hex()

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart without revealing them."""
        return hmac.digest(self._mark, b"fingerprint", hashlib.sha256).hex()[:8]


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master)


def parse_key(text: str, where: str) -> bytes:
    """The 32 bytes of a base64 key.

    Parameters
    ----------
    text : str
        Base64, standard or URL-safe, white space around it allowed.
    where : str
        What the text was read from; named in errors, the text itself never is.
    """
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise KeyProblem(f"{where} must hold base64 of {KEY_BYTES} bytes; it is not base64") from None
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"{where} must hold base64 of {KEY_BYTES} bytes, got {len(key)} bytes")
    return key


def read_or_create_key(path: Path, *, may_create: bool) -> bytes:
    """The key in a file; made with mode 0600 when there is none and ``may_create``.

    Two processes that create it at once end with the same key: the file appears whole, by a hard link that
    only one of them can make.
    """
    if not path.exists():
        if not may_create:
            raise KeyProblem(
                f"the key file {path.name!r} is not in the store's folder, or not where TEPAT_KEY_FILE says; "
                "the store was encrypted with a key, put it back"
            )
        _create_key_file(path)
    _remove_drafts(path)
    return parse_key(path.read_text(encoding="ascii", errors="replace"), f"key file {path.name!r}")


def key_from_command(command: str, where: str = "TEPAT_KEY_COMMAND") -> bytes:
    """The key that a command prints, e.g. one that asks a key management service.

    Parameters
    ----------
    where : str
        What named the command; named in errors.
    command : str
        Words as in a shell, but no shell runs them. It has half a minute; what it writes to standard error
        goes where ours goes.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=30, check=True)
    except subprocess.CalledProcessError as problem:
        raise KeyProblem(f"{where} ended with exit code {problem.returncode}") from None
    except subprocess.TimeoutExpired:
        raise KeyProblem(f"{where} printed no key within 30 seconds") from None
    except (OSError, ValueError) as problem:
        raise KeyProblem(f"{where} cannot be run: {type(problem).__name__}") from None
    return parse_key(done.stdout.decode("ascii", "replace"), f"what {where} prints")


def _create_key_file(path: Path) -> None:
    """Killed at any moment it leaves the whole file or none, and no second copy of the key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # A file without a name: it is gone when the process is, unless it was given one.
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except (AttributeError, OSError):  # not Linux, or a file system without such files
        _create_by_draft(path)
        return
    with os.fdopen(handle, "wb") as file:
        _write_new_key(file)
        folder = os.open(path.parent, os.O_RDONLY)
        try:  # given a folder, Python calls linkat, which follows the link to the nameless file
            os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder, follow_symlinks=True)
            os.fsync(folder)
        except FileExistsError:
            pass  # another process was first; its key holds
        finally:
            os.close(folder)


def _create_by_draft(path: Path) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT)  # mkstemp makes it mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            _write_new_key(file)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key holds
    finally:
        os.unlink(draft)


def _write_new_key(file) -> None:
    file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _remove_drafts(path: Path) -> None:
    """Remove what a kill during the making of the key has left, here or in an earlier version."""
    for draft in path.parent.glob(f"{_DRAFT}*"):
        with suppress(OSError):  # somebody else removed it, or the folder is read-only
            if time.time() - draft.stat().st_mtime > _ABANDONED:
                draft.unlink()
