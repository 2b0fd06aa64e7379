"""Speaking with the web service of PDDikti Neo Feeder: tokens, acts, errors; nothing about what rows mean.

A request is a POST of JSON that names an act; the answer says ``error_code`` (0 is right), ``error_desc`` and
``data``. The password is sent for a token only, the token for everything else; neither is ever written
anywhere, and both are struck out of what the service says back.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds before a request is tried again
ERROR_TRIES = 2  # how often a request is tried again that the service answers with an error of its own
RENEWALS = 2  # tokens asked for on behalf of one request
REDIRECTS = 3
FIRST_PAUSES = 2  # pauses before a service that has never answered is given up: a wrong address stays wrong
CONNECT_SECONDS = 5.0  # an office's own network answers at once, or not at all
ANSWER_SECONDS = 120.0  # for a whole answer: pages of a busy Feeder take long
MAX_BYTES = 64 * 2**20
TOKEN_CODES = ("100", "106")  # "the token is missing, not valid or has expired"
_TOKEN_WORDS = re.compile(
    r"token.{0,40}(expired|invalid|tidak valid|tidak ada|kadaluarsa|kedaluwarsa)|invalid token", re.IGNORECASE
)
_DESCRIPTION = 200  # characters of what the service says that are repeated


class FeederError(RuntimeError):
    """The service could not be read.

    Parameters
    ----------
    code : str
        One of "address", "redirect", "certificate", "unreachable", "broken", "sign_in", "answer", "shifting",
        "empty", "busy", "endless".
    message : str
        What happened and what to do, without password, token or personal data.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class AnswerError(FeederError):
    """The service answered with an ``error_code`` other than 0."""


class _Passing(Exception):
    """A failure that may be gone at the next try."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def checked_address(text: str) -> str:
    """An address of a service: http or https, a host, no name or password in it.

    Raises
    ------
    FeederError
        Code "address".

    Examples
    --------
    >>> checked_address(" http://10.0.0.5:3003/ws/live2.php ")
    'http://10.0.0.5:3003/ws/live2.php'
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise FeederError("address", "the address must be like http://HOST:PORT/ws/live2.php")
    if "@" in parts.netloc:
        raise FeederError("address", "the address must not hold a name or a password")
    return text


def is_plain(url: str) -> bool:
    """Whether what is said to an address can be read on the way."""
    return urlsplit(url).scheme == "http"


def host_of(url: str) -> str:
    """Host and port of an address, for logs."""
    return urlsplit(url).netloc.rpartition("@")[2]


class FeederClient:
    """A service, and somebody who may ask it.

    Parameters
    ----------
    url : str
        See :func:`checked_address`.
    user, password : str
        Of an account of that Feeder.
    ca : str, optional
        File with the certificate that signed the service's; by default the ones that ship with ``requests``.
        Certificates are always checked.
    seconds : float
        After which an answer that is not complete is given up.
    pauses : sequence of float
        Seconds before the second, third, … try of a request.
    sleep : callable
        Waits; replaced by tests.
    tell : callable
        Gets a line before the first request, and one before each that is tried again.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        *,
        ca: str | None = None,
        seconds: float = ANSWER_SECONDS,
        pauses: tuple[float, ...] = PAUSES,
        sleep: Callable[[float], None] = time.sleep,
        tell: Callable[[str], None] = lambda said: None,
    ):
        self.url = checked_address(url)
        self.user, self._password, self._token = user, password, ""
        self._seconds, self._pauses, self._sleep, self._tell = seconds, pauses, sleep, tell
        self._asked = self._answered = False
        self._session = requests.Session()
        self._session.trust_env = False  # no netrc, no proxy that would read along
        self._session.verify = ca or True

    def close(self) -> None:
        """Close the connection and forget the token."""
        self._session.close()
        self._token = ""

    def __enter__(self) -> FeederClient:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def rows(
        self,
        act: str,
        *,
        where: str = "",
        order: str = "",
        limit: int = 0,
        offset: int = 0,
        tries: int = ERROR_TRIES,
    ) -> list[dict]:
        """The rows of one request.

        Parameters
        ----------
        act : str
            Such as "GetProdi".
        where, order : str
            ``filter`` and ``order`` of the protocol.
        limit, offset : int
            At most so many rows, after so many; limit 0 leaves it to the service.
        tries : int
            How often it is asked again when it answers with an error of its own.

        Raises
        ------
        AnswerError
            When the service keeps answering with an error.
        FeederError
            When it cannot be reached, refuses the account or gives no answer that can be read.
        """
        body = {"act": act, "filter": where, "order": order, "limit": limit or "", "offset": offset}
        renewed = failed = 0
        while True:
            if not self._token:
                self._sign_in()
            answer = self._answer({**body, "token": self._token})
            code, said = _code(answer), self._said(answer)
            if code == "0":
                return _rows_of(answer, act)
            if code in TOKEN_CODES or _TOKEN_WORDS.search(said):
                self._token = ""
                renewed += 1
                if renewed > RENEWALS:
                    raise FeederError("sign_in", f"{act}: the service takes none of its own tokens: {said}")
                continue
            failed += 1
            if failed > tries:
                place = f" after row {offset:,}" if offset else ""
                raise AnswerError("answer", f"{act}{place}: the service says error {code}: {said}")
            self._sleep(self._pauses[min(failed, len(self._pauses)) - 1] if self._pauses else 0)

    def _sign_in(self) -> None:
        answer = self._answer({"act": "GetToken", "username": self.user, "password": self._password})
        if _code(answer) != "0":
            said = self._said(answer)
            raise FeederError("sign_in", f"the service refuses the name or the password: {said}")
        data = answer.get("data")
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise FeederError("broken", "GetToken: the answer holds no token")
        self._token = token

    def _answer(self, body: dict) -> dict:
        if not self._asked:
            self._tell(f"asking the Feeder at {urlsplit(self.url).netloc}")
            self._asked = True
        tries = 0
        while True:
            try:
                return self._once(body)
            except _Passing as problem:
                tries += 1
                pauses = self._pauses if self._answered else self._pauses[:FIRST_PAUSES]
                if tries > len(pauses):
                    told = f"{body['act']}: {problem} ({tries} tries)"
                    raise FeederError(problem.code, f"{told}{self._advice(problem)}") from None
                pause = pauses[tries - 1]
                again = f"trying again in {pause:g} s, {tries + 1} of {len(pauses) + 1}"
                self._tell(f"{body['act']}: {problem}; {again}")
                self._sleep(pause)

    def _advice(self, problem: _Passing) -> str:
        """What to do about a service that has not answered once."""
        if self._answered or problem.code != "unreachable":
            return ""
        return "; see that Neo Feeder runs, and that --url names its machine and port"

    def _once(self, body: dict) -> dict:
        for _ in range(REDIRECTS + 1):
            status, headers, content = self._posted(body)
            self._answered = True
            if status not in (301, 302, 303, 307, 308):
                break
            self.url = self._redirected(headers.get("Location", ""))
        else:
            raise FeederError("redirect", "the service sends from one address to the next without end")
        if status == 429 or status >= 500:
            raise _Passing("unreachable", f"the service answers with HTTP {status}")
        if status != 200:
            raise FeederError("address", f"HTTP {status}: there is no Feeder web service at this address")
        return _document(content)

    def _posted(self, body: dict) -> tuple[int, dict, bytes]:
        until = time.monotonic() + self._seconds
        # The cause is not chained: a library's exception may hold the request, and with it the password.
        try:
            with self._session.post(
                self.url,
                json=body,
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code, dict(answer.headers), _read(answer, until)
        except requests.exceptions.SSLError:
            raise FeederError(
                "certificate",
                "the service's certificate is not one that this machine trusts; name the file of your own "
                "certificate authority (TEPAT_FEEDER_CA)",
            ) from None
        except OSError as problem:
            # requests' exceptions are OSErrors too; a file that is missing is a plain one
            if not isinstance(problem, requests.RequestException):
                raise FeederError(
                    "certificate", "the file that TEPAT_FEEDER_CA names cannot be read"
                ) from None
            if isinstance(problem, requests.ConnectTimeout):
                within = min(CONNECT_SECONDS, self._seconds)
                raise _Passing("unreachable", f"no connection within {within:g} s") from None
            if isinstance(problem, requests.Timeout):
                raise _Passing("unreachable", f"no whole answer within {self._seconds:g} s") from None
            raise _Passing("unreachable", "the service cannot be reached, or hung up") from None
        except HTTPError:
            raise _Passing("unreachable", "the answer broke off or came too slowly") from None

    def _redirected(self, location: str) -> str:
        here, there = urlsplit(self.url), urlsplit(urljoin(self.url, location))
        same_door = (there.scheme, there.port) == (here.scheme, here.port)
        to_tls = here.scheme == "http" and there.scheme == "https"
        if (
            not location
            or there.hostname != here.hostname
            or not (same_door or to_tls)
            or "@" in there.netloc
        ):
            raise FeederError(
                "redirect",
                "the service sends on to another address; passwords are not taken there: give the address "
                "that is meant",
            )
        return there.geturl()

    def _said(self, answer: dict) -> str:
        """What the service says of an error, without what nobody may read."""
        said = " ".join(str(answer.get("error_desc") or "no reason given").split())
        for secret in filter(None, (self._password, self._token)):
            said = said.replace(secret, "***")
        return said[:_DESCRIPTION]


def _read(answer: requests.Response, until: float) -> bytes:
    parts, size = [], 0
    while part := answer.raw.read1(65_536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES:
            raise _Passing("broken", f"an answer of more than {MAX_BYTES:,} bytes; take smaller pages")
        if time.monotonic() > until:
            raise _Passing("unreachable", "the answer comes too slowly")
    expected = answer.headers.get("Content-Length", "")
    if expected.isdecimal() and not answer.headers.get("Content-Encoding") and int(expected) != size:
        raise _Passing("unreachable", "the answer broke off")
    return b"".join(parts)


def _document(content: bytes) -> dict:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        page = content.lstrip()[:1] == b"<"
        raise _Passing(
            "broken", "the answer is a web page" if page else "the answer is not whole JSON"
        ) from None
    if not isinstance(document, dict) or "error_code" not in document:
        raise _Passing("broken", "the answer is no answer of a Feeder: error_code is missing")
    return document


def _code(answer: dict) -> str:
    return str(answer["error_code"]).strip()


def _rows_of(answer: dict, act: str) -> list[dict]:
    rows = answer.get("data")
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FeederError("broken", f"{act}: data is no list of rows")
    return rows
