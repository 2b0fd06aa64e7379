"""Time stamps of the audit log's head (RFC 3161): a service elsewhere signs what the head was, and when.

What is stamped is the line that the log of the service writes for a head, ``audit head 1234 9f…`` and a line
feed, so that OpenSSL can check a stamp without this program. The service learns its SHA-256 and nothing else.
Each answer lies beside the kept head, in ``audit-stamps/<store>/<entry>-<hash>.tsr``, as the service sent it.
Whoever has the key and the file of the head can write any log; a stamp of before can only be hidden, not made
anew, and copies of it may lie anywhere: it tells nothing of anybody.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import Connection, select

from data import schema
from data.engine.drafts import draft_of
from data.engine.kept_head import Head, HeadForged, Seal

FOLDER, ENDING = "audit-stamps", ".tsr"
STAMPING = "stamp audit head"
PROVEN, UNCHECKED, LOST, SUPERSEDED = "proven", "unchecked", "lost", "superseded"
UNTRUSTED, DAMAGED = "untrusted", "damaged"
MAX_BYTES = 256 * 1024  # an answer holds a few certificates
SECONDS = 30.0  # for a whole answer
CLOCKS = timedelta(hours=1)
"""By so much the service's clock and that of this machine may differ."""
_NAME = re.compile(r"([1-9][0-9]{0,17})-[0-9a-f]{16}" + re.escape(ENDING))
_KEPT = re.compile(r"entry (\d{1,18}) ")
_ASKED, _ANSWERED = "application/timestamp-query", "application/timestamp-reply"
_PARSING = (ValueError, TypeError, OverflowError, x509.InvalidVersion, VerificationError)
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class StampProblem(ValueError):
    """No stamp was made.

    Parameters
    ----------
    code : {"address", "authority", "down", "refused", "damaged", "imprint", "nonce", "untrusted", "head"}
        No address or one that cannot be; no certificates to check by; no answer; the service says no; an
        answer that is none; a stamp of something else; an answer to another request; a signature by somebody
        else; a log whose kept head is not in it.
    message : str
        What happened and what to do.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Stamp:
    """A stamp that lies beside the kept head.

    Parameters
    ----------
    entry : int
        Of which entry the hash was stamped.
    state : {"proven", "unchecked", "lost", "superseded", "untrusted", "damaged"}
        The log has that entry with that hash, and the stamp is signed; the same, and no certificates were
        given to prove the signature; the log has it not, so it was cut or rewritten; the same, and the log
        was restored or accepted after that moment; signed by nobody who is trusted; no stamp at all.
    at : datetime or None
        When, UTC, by the clock of the service.
    """

    entry: int
    state: str
    at: datetime | None = None

    @property
    def fine(self) -> bool:
        """Whether it takes nothing from the log."""
        return self.state in (PROVEN, UNCHECKED, SUPERSEDED)


def said_of(head: Head) -> bytes:
    """What is stamped of a head.

    Examples
    --------
    >>> said_of(Head(7, "ab" * 32))[:20]
    b'audit head 7 abababa'
    """
    return f"audit head {head.entry} {head.hash}\n".encode("ascii")


def authority(path: Path | None) -> list[x509.Certificate]:
    """The certificates that a stamp's signature must lead to; none without a file.

    Raises
    ------
    StampProblem
        Code "authority".
    """
    if path is None:
        return []
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise StampProblem(
            "authority", f"TEPAT_TSA_CA must be a file of certificates in PEM, {path} is none"
        ) from problem


def service_address(url: str) -> str:
    """The address of a time-stamping service: http or https, a host, no name or password in it.

    Raises
    ------
    StampProblem
        Code "address".
    """
    if not url.strip():
        said = "no time-stamping service is set: TEPAT_TSA must be its address, TEPAT_TSA_CA its certificates"
        raise StampProblem("address", said)
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable or "@" in url:
        raise StampProblem("address", "TEPAT_TSA must be like https://HOST/PATH, without a name or password")
    return url.strip()


def request_stamp(url: str, head: Head, trusted: Sequence[x509.Certificate]) -> tuple[bytes, datetime]:
    """Have a head stamped, and check what comes back before it counts.

    Parameters
    ----------
    url : str
        Of a time-stamping service, http or https.
    trusted : sequence of Certificate
        At least one.

    Returns
    -------
    (bytes, datetime)
        The service's answer, DER; and the moment in it, UTC.

    Raises
    ------
    StampProblem
    """
    if not trusted:
        said = (
            "TEPAT_TSA_CA must name the certificates of the time-stamping service: no stamp counts unchecked"
        )
        raise StampProblem("authority", said)
    wanted = said_of(head)
    asked = TimestampRequestBuilder().data(wanted).hash_algorithm(HashAlgorithm.SHA256).build()
    content = _answer(service_address(url), asked.as_bytes())
    answer = _decoded(content)
    if answer is None:
        raise StampProblem("damaged", "what the time-stamping service answered is no stamp")
    if answer.status != 0:
        told = "; ".join(answer.status_string)[:200] or f"status {answer.status}"
        raise StampProblem("refused", f"the time-stamping service made no stamp: {told!a}")
    if not _stamps(answer, wanted):
        raise StampProblem("imprint", "the service stamped something else than the head (wrong imprint)")
    if answer.tst_info.nonce != asked.nonce:
        raise StampProblem("nonce", "the service answered another request than ours (nonce mismatch)")
    if not _signed(answer, wanted, trusted):
        said = "the stamp is not signed by a certificate of TEPAT_TSA_CA, or not for time stamps (untrusted)"
        raise StampProblem("untrusted", said)
    return content, answer.tst_info.gen_time.astimezone(UTC)


def keep_stamp(seal: Seal, head: Head, content: bytes) -> Path:
    """Put a stamp beside the kept head. Returns where it lies."""
    file = _file(seal, head)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = draft_of(file)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(draft, file)
    return file


def check_stamps(
    connection: Connection, seal: Seal, trusted: Sequence[x509.Certificate], accepted: Sequence[int]
) -> tuple[Stamp, ...]:
    """Every stamp that lies beside the kept head, oldest entry first.

    Parameters
    ----------
    connection : Connection
        The snapshot of the log that they are compared with.
    trusted : sequence of Certificate
        Empty: signatures are not checked.
    accepted : sequence of int
        Entries by which somebody took the log as it stood.
    """
    log = schema.audit_log
    found = [(number, _read(file)) for number, file in _files(seal)]
    numbers = [number for number, _ in found]
    hashes: dict[int, str] = {}
    for start in range(0, len(numbers), 500):  # as many as SQLite takes in one statement, and fewer
        some = select(log.c.entry, log.c.hash).where(log.c.entry.in_(numbers[start : start + 500]))
        hashes |= {row.entry: row.hash for row in connection.execute(some)}
    taken = select(log.c.at, log.c.detail).where(log.c.entry.in_(list(accepted)))
    acts = connection.execute(taken).all() if trusted else []  # an unproven moment excuses nothing
    stamps = []
    for number, content in found:
        stamp = _checked_stamp(number, hashes.get(number), content, trusted)
        if stamp.state == LOST and any(_was_before(stamp, act.at, act.detail) for act in acts):
            stamp = replace(stamp, state=SUPERSEDED)
        stamps.append(stamp)
    return tuple(stamps)


def newest_head_kept(connection: Connection, seal: Seal) -> tuple[Head, bool]:
    """The head to stamp, and whether only the stamping of the one before it came since.

    Raises
    ------
    StampProblem
        Code "head", when what is kept is not in the log: a stamp would prove the wrong one.
    """
    log = schema.audit_log
    try:
        kept = seal.kept()
    except (HeadForged, OSError):
        kept = None
    columns = (log.c.entry, log.c.hash, log.c.action, log.c.previous_hash)
    newest = select(*columns).order_by(log.c.entry.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    there = None if kept is None else connection.scalar(select(log.c.hash).where(log.c.entry == kept.entry))
    if row is None or kept is None or there != kept.hash:
        raise StampProblem("head", "the kept head is not in the log: python -m data audit first")
    head = Head(row.entry, row.hash)
    return head, row.action == STAMPING and _file(seal, Head(head.entry - 1, row.previous_hash)).is_file()


def _place(seal: Seal) -> Path:
    return seal.path.with_name(FOLDER) / seal.store_id


def _file(seal: Seal, head: Head) -> Path:
    return _place(seal) / f"{head.entry}-{head.hash[:16]}{ENDING}"


def _files(seal: Seal) -> list[tuple[int, Path]]:
    named = [(_NAME.fullmatch(path.name), path) for path in _place(seal).glob(f"*{ENDING}")]
    return sorted((int(match[1]), path) for match, path in named if match is not None)


def _was_before(stamp: Stamp, at: datetime, detail: dict) -> bool:
    """Whether a stamp was made before somebody took the log as it stood: by its moment, and by its entry."""
    kept = _KEPT.match(str(detail.get("kept_before", "")))
    numbered = kept is None or stamp.entry <= int(kept[1])
    return numbered and stamp.at is not None and stamp.at.replace(tzinfo=None) <= at + CLOCKS


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES)
    except OSError:
        return b""


def _checked_stamp(
    number: int, digest: str | None, content: bytes, trusted: Sequence[x509.Certificate]
) -> Stamp:
    answer = _decoded(content)
    if answer is None or answer.status != 0:
        return Stamp(number, DAMAGED)
    at = answer.tst_info.gen_time.astimezone(UTC)
    if trusted and not _signed(answer, None, trusted):
        return Stamp(number, UNTRUSTED, at)
    if digest is None or not _stamps(answer, said_of(Head(number, digest))):
        return Stamp(number, LOST, at)
    return Stamp(number, PROVEN if trusted else UNCHECKED, at)


def _decoded(content: bytes) -> TimeStampResponse | None:
    """An answer, every part of it that is asked for read once; None when it is none."""
    try:
        answer = decode_timestamp_response(_in_order(content))
        if answer.status == 0:
            token = answer.tst_info
            _ = token.gen_time, token.nonce, token.message_imprint.message, answer.time_stamp_token()
            _ = answer.signed_data.signer_infos
    except _PARSING:
        return None
    return answer


def _in_order(content: bytes) -> bytes:
    """An answer with its certificates in the order that DER wants.

    Some services, those of OpenSSL among them, send them in another, and the reader refuses that. No
    signature covers their order.
    """
    start, end = _inside(content, 0, len(content))  # TimeStampResp
    start = _after(content, start, end)  # past its status
    if start >= end:
        return content  # a refusal
    for tag in (0x30, 0xA0, 0x30):  # ContentInfo, past its type; its content; SignedData
        inner, end = _inside(content, start, end, tag)
        start = _after(content, inner, end) if tag == 0x30 and content[inner] == 0x06 else inner
    while start < end and content[start] != 0xA0:
        start = _after(content, start, end)
    if start >= end:
        return content  # without certificates
    first, last = _inside(content, start, end)
    parts, place = [], first
    while place < last:
        following = _after(content, place, last)
        parts.append(content[place:following])
        place = following
    return content[:first] + b"".join(sorted(parts)) + content[last:]


def _inside(content: bytes, start: int, end: int, tag: int | None = None) -> tuple[int, int]:
    """Where the value of a DER element begins and ends.

    Raises
    ------
    ValueError
        When it is cut off, or another one than ``tag``.
    """
    if end - start < 2 or (tag is not None and content[start] != tag):
        raise ValueError("no such element")
    length, first = content[start + 1], start + 2
    if length & 0x80:
        first += length & 0x7F
        length = int.from_bytes(content[start + 2 : first])
    if first + length > end:
        raise ValueError("an element is cut off")
    return first, first + length


def _after(content: bytes, start: int, end: int) -> int:
    return _inside(content, start, end)[1]


def _stamps(answer: TimeStampResponse, wanted: bytes) -> bool:
    """Whether a stamp is of these bytes."""
    imprint = answer.tst_info.message_imprint
    return imprint.hash_algorithm == _SHA256 and imprint.message == hashlib.sha256(wanted).digest()


def _signed(answer: TimeStampResponse, wanted: bytes | None, trusted: Sequence[x509.Certificate]) -> bool:
    """Whether a stamp's signature leads to a trusted certificate that is for time stamps."""
    verifier = VerifierBuilder(roots=list(trusted)).build()
    imprint = answer.tst_info.message_imprint.message if wanted is None else hashlib.sha256(wanted).digest()
    try:
        return verifier.verify(answer, imprint)
    except _PARSING:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The service that is set is asked, and no other."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


def _answer(url: str, query: bytes) -> bytes:
    """What a service answers, at most :data:`MAX_BYTES` and within :data:`SECONDS`."""
    request = urllib.request.Request(url, query, {"Content-Type": _ASKED, "Accept": _ANSWERED})
    end = time.monotonic() + SECONDS
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            parts, held = [], 0
            while part := answer.read1(65536):
                parts.append(part)
                held += len(part)
                if held > MAX_BYTES or time.monotonic() > end:
                    raise StampProblem("damaged", "the time-stamping service sends too much or too slowly")
            kind = answer.headers.get_content_type()
    except urllib.error.HTTPError as problem:
        problem.close()
        raise StampProblem("down", f"the time-stamping service answered with HTTP {problem.code}") from None
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise StampProblem(
            "down", f"the time-stamping service does not answer ({type(reason).__name__}): try again later"
        ) from None
    if kind != _ANSWERED:
        raise StampProblem(
            "damaged", "what the time-stamping service answered is no stamp (wrong content type)"
        )
    return b"".join(parts)
