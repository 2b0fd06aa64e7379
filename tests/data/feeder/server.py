"""A web service that answers like PDDikti Neo Feeder, its bad days included.

It speaks the protocol and knows nothing of this project: rows come from :mod:`tests.data.feeder.registers`.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "operator@kampus.example", "Rahasia-Feeder-7391"
_CONDITION = re.compile(r"(\w+)\s*(>=|<=|=)\s*'([^']*)'")
FAULTS = {
    "expired": "the token is no longer known",
    "error": "the database is busy: an error of Feeder's own",
    "echo": "an error that repeats what it was sent, as debugging services do",
    "html": "a web page with status 200, as a proxy gives",
    "half": "half of a JSON document",
    "hang up": "the connection ends in the middle",
    "busy": "HTTP 503",
    "late": "nothing for a while",
    "drip": "a byte now and then",
    "nothing": "an object without error_code",
    "rows": "data that is no list",
}


class FakeFeeder:
    """A running service.

    Parameters
    ----------
    rows : dict of str to list of dict
        Act → its rows, all fields as Feeder has them.
    token_uses : int
        After so many requests a token expires.
    most : int
        Rows that one answer holds at most, whatever was asked for.
    fixed : bool
        The rows never change: a list is sorted once.
    """

    def __init__(
        self,
        rows: dict[str, list[dict]],
        *,
        token_uses: int = 10**9,
        most: int = 10**9,
        fixed: bool = False,
    ):
        self.rows, self.token_uses, self.most = rows, token_uses, most
        self._sorted: dict[tuple, list[dict]] | None = {} if fixed else None
        self.tokens: dict[str, int] = {}
        self.asked: list[dict] = []
        self.faults: dict[str, list[str]] = defaultdict(list)  # act → what its next requests suffer
        self.always: dict[str, str] = {}  # act → what all its requests suffer
        self.before: dict[str, list] = defaultdict(list)  # act → functions called before its next requests
        self.unfiltered: set[str] = set()  # acts that know no filter
        self.patience = 1.0  # seconds of "late" and "drip"
        self.redirect = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/ws/live2.php"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def acts(self) -> list[str]:
        """What was asked for, in turn, tokens left out."""
        return [body["act"] for body in self.asked if body["act"] != "GetToken"]

    def answer(self, body: dict) -> dict:
        if body.get("act") == "GetToken":
            return self._token(body)
        token = body.get("token", "")
        self.tokens[token] = self.tokens.get(token, 0) - 1
        if self.tokens[token] < 0:
            return _error(100, "Invalid Token. Token tidak ada atau token sudah expired.")
        if body.get("act") not in self.rows:
            return _error(1, f"Method {body.get('act')} tidak ditemukan")
        if body.get("filter") and body["act"] in self.unfiltered:
            return _error(2, "column does not exist")
        rows = self._listed(body["act"], body.get("filter") or "", body.get("order") or "")
        first = int(body.get("offset") or 0)
        count = min(int(body.get("limit") or len(rows) or 1), self.most)
        return {"error_code": 0, "error_desc": "", "jumlah": len(rows), "data": rows[first : first + count]}

    def _listed(self, act: str, where: str, order: str) -> list[dict]:
        if self._sorted is not None and (act, where, order) in self._sorted:
            return self._sorted[act, where, order]
        rows = [row for row in self.rows[act] if _holds(row, where)]
        names = [name.strip() for name in order.split(",") if name.strip()]
        rows.sort(key=lambda row: [str(row.get(name) or "") for name in names])
        if self._sorted is not None:
            self._sorted[act, where, order] = rows
        return rows

    def _token(self, body: dict) -> dict:
        if (body.get("username"), body.get("password")) != (USER, PASSWORD):
            return _error(12, f"Username atau password salah: {body.get('password')}")
        token = uuid.uuid4().hex
        self.tokens[token] = self.token_uses
        return {"error_code": 0, "error_desc": "", "data": {"token": token}}


def _holds(row: dict, where: str) -> bool:
    compare = {">=": str.__ge__, "<=": str.__le__, "=": str.__eq__}
    return all(compare[sign](str(row[name]), value) for name, sign, value in _CONDITION.findall(where))


def _error(code: int, text: str) -> dict:
    return {"error_code": code, "error_desc": text, "data": []}


def _handler(feeder: FakeFeeder):  # noqa: C901 - a class of one answer per fault
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            feeder.asked.append(body)
            act = body.get("act", "")
            if feeder.before[act]:
                feeder.before[act].pop(0)()
            fault = feeder.faults[act].pop(0) if feeder.faults[act] else feeder.always.get(act)
            if feeder.redirect:
                return self._send(b"", 307, {"Location": feeder.redirect})
            getattr(self, f"_{(fault or 'well').replace(' ', '_')}")(body)

        def _well(self, body):
            self._send(json.dumps(feeder.answer(body)).encode())

        def _expired(self, body):
            feeder.tokens.clear()
            self._well(body)

        def _error(self, body):
            self._send(json.dumps(_error(1107, "SQLSTATE[57014]: query canceled")).encode())

        def _echo(self, body):
            self._send(json.dumps(_error(1107, f"gagal: {json.dumps(body)}")).encode())

        def _html(self, body):
            self._send(b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>")

        def _half(self, body):
            whole = json.dumps(feeder.answer(body)).encode()
            self._send(whole[: len(whole) // 2])

        def _hang_up(self, body):
            whole = json.dumps(feeder.answer(body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[: len(whole) // 2])
            self.close_connection = True

        def _busy(self, body):
            self._send(b"Service Unavailable", 503)

        def _late(self, body):
            time.sleep(feeder.patience)
            self._well(body)

        def _drip(self, body):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            until = time.monotonic() + 3 * feeder.patience
            try:
                while time.monotonic() < until:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(feeder.patience / 20)
            except OSError:
                return
            self.close_connection = True

        def _nothing(self, body):
            self._send(b'{"data": []}')

        def _rows(self, body):
            self._send(b'{"error_code": 0, "error_desc": "", "data": [1, 2]}')

        def _send(self, content: bytes, status: int = 200, headers: dict | None = None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Quiet."""

        def handle(self):
            try:
                super().handle()
            except OSError:  # the client was killed
                self.close_connection = True

    return Handler


@contextmanager
def served(rows: dict[str, list[dict]], **options):
    """A :class:`FakeFeeder` during the block."""
    feeder = FakeFeeder(rows, **options)
    try:
        yield feeder
    finally:
        feeder.close()
