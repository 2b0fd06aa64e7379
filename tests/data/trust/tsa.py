"""A time-stamping service on loopback: OpenSSL signs, with certificates made for the test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
"""


@dataclass
class Tsa:
    """A service, and what it is to answer.

    Parameters
    ----------
    folder : pathlib.Path
        Of its certificates: ``ca.pem`` is what to trust.
    answer : callable
        Request → status, content type, body; by default a stamp.
    """

    folder: Path
    url: str = ""
    answer: Callable[[bytes], tuple[int, str, bytes]] | None = None
    asked: list[bytes] = field(default_factory=list)

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def stamped(self, query: bytes) -> bytes:
        """What the service answers to a query, DER."""
        (self.folder / "query").write_bytes(query)
        words = ["-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(["openssl", "ts", *words], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()

    def query(self, said: bytes, *more: str) -> bytes:
        """A query of OpenSSL's own for some bytes."""
        (self.folder / "said").write_bytes(said)
        words = ["-query", "-data", "said", "-sha256", "-cert", "-out", "other-query", *more]
        subprocess.run(["openssl", "ts", *words], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "other-query").read_bytes()

    def agrees(self, said: bytes, answer: Path) -> bool:
        """Whether OpenSSL, too, finds that a stamp is of some bytes."""
        (self.folder / "said").write_bytes(said)
        words = ["-verify", "-data", "said", "-in", str(answer), "-CAfile", "ca.pem"]
        return not subprocess.run(["openssl", "ts", *words], cwd=self.folder, capture_output=True).returncode


def certified(folder: Path, *, for_stamps: bool = True, expired: bool = False) -> None:
    """An authority and a certificate of a service, which was valid until now or is valid for a year."""
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime.now(UTC) - timedelta(days=2)
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("An authority", "A TSA")]
    for place, name in enumerate(("ca", "tsa")):
        made = x509.CertificateBuilder().subject_name(names[place]).issuer_name(names[0])
        made = made.public_key(keys[place].public_key()).serial_number(x509.random_serial_number())
        days = 1 if expired and place else 365
        made = made.not_valid_before(start).not_valid_after(start + timedelta(days=days))
        made = made.add_extension(x509.BasicConstraints(place == 0, None), critical=True)
        usages = {"digital_signature": place == 1, "key_cert_sign": place == 0, "crl_sign": place == 0}
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        usages |= dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        made = made.add_extension(x509.KeyUsage(**usages), critical=True)
        if place:
            use = ExtendedKeyUsageOID.TIME_STAMPING if for_stamps else ExtendedKeyUsageOID.CODE_SIGNING
            made = made.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
        pem = made.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (folder / f"{name}.pem").write_bytes(pem)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tsa.key").write_bytes(keys[1].private_bytes(*form))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))


@contextmanager
def served(folder: Path, **about: bool) -> Iterator[Tsa]:
    """A service on loopback, until the block ends."""
    certified(folder, **about)
    tsa = Tsa(folder)

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            tsa.asked.append(query)
            if tsa.answer is None:
                status, kind, body = 200, "application/timestamp-reply", tsa.stamped(query)
            else:
                status, kind, body = tsa.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    tsa.url = f"http://127.0.0.1:{server.server_port}/tsr"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tsa
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
