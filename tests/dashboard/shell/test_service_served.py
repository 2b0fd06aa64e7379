"""The service as it is served: fuzzed by its own document, asked as its documentation asks."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth

from dashboard.shell.service.problems import CODES, MEDIA_TYPE
from dashboard.shell.service.routes import BASE, NEEDS, api
from data.store import open_store
from data.trust import audit
from data.trust.audit_chain import verify_chain
from data.trust.tokens import create_token

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = [
    block
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    if "curl " in block and "metrics" not in block
]
KINDS = ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain")
TEST = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@dataclass(frozen=True)
class Site:
    """A running app with the service turned on.

    Parameters
    ----------
    url : str
        Where it answers.
    folder : Path
        Its store.
    token : str
        May do everything.
    number : str
        Of a student who has agreed to everything.
    """

    url: str
    folder: Path
    token: str
    number: str


@pytest.fixture(scope="module")
def site(service, own_folder):
    """``python -m dashboard serve`` over the copy of the small university."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    more = {"TEPAT_FOLDER": str(own_folder), "DATABASE_URL": "", "TEPAT_API": "1", "TEPAT_API_MB": "1"}
    more |= {"TEPAT_API_PER_TOKEN": "1000000", "TEPAT_API_PER_ADDRESS": "1000000"}
    words = [sys.executable, "-m", "dashboard", "serve", "--no-worker", "--port", str(port)]
    token = create_token(
        service.store,
        "fuzz",
        ("verify", "predict", "scores", "identify", "cohorts", "metrics"),
        actor="kepala",
        role="administrator",
    )[1]
    with (own_folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            words, cwd=ROOT, env=os.environ | more, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://localhost:{port}"
            _up(f"{url}/health/live", server)
            yield Site(url, own_folder, token, service.number)
        finally:
            server.terminate()
            server.wait(20)


def _up(url: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert server.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)


DESCRIBED = schemathesis.openapi.from_dict(api().openapi())
OPERATIONS = [found.ok() for found in DESCRIBED.get_all_operations()]
MODES = pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)


def test_the_document_that_is_served_is_the_one_that_checks_requests(site):
    served = requests.get(f"{site.url}{BASE}/openapi.json", timeout=30).json()
    assert served["servers"] == [{"url": BASE}]
    assert {name: part for name, part in served.items() if name != "servers"} == api().openapi()


@MODES
@EACH
def test_no_request_that_can_be_made_breaks_it_or_is_answered_otherwise_than_described(operation, mode, site):
    """Requests as they are described, and as they are not: no server error, every answer by the document."""

    @settings(TEST, max_examples=30 if mode.is_positive else 90)  # many of these are wrong by headers alone
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case):
        assume(mode.is_positive or not is_put_right_on_the_way(case))
        headers = {} if spoils_its_headers(case) else {"Authorization": f"Bearer {site.token}"}
        how = {"headers": headers, "excluded_checks": [ignored_auth]}
        case.call_and_validate(base_url=f"{site.url}{BASE}", timeout=60, **how)

    asked()


def is_put_right_on_the_way(case) -> bool:
    """Whether a list in the address stands for what is wrong: ``offset=[0]`` is sent as ``offset=0``, and an
    empty list not at all, so that a right request arrives."""
    given = {**(case.query or {}), **(case.path_parameters or {})}
    return any(isinstance(value, list | dict) and len(value) < 2 for value in given.values())


@pytest.mark.parametrize(
    ("query", "right"),
    [({"offset": [0]}, True), ({"limit": []}, True), ({"offset": [0, 1]}, False), ({}, False)],
)
def test_a_list_of_one_is_sent_as_what_is_in_it(query, right):
    operation = next(found for found in OPERATIONS if found.path == "/cohorts")
    case = operation.Case(query=query)
    assert is_put_right_on_the_way(case) == right
    sent = case.as_transport_kwargs(base_url="http://localhost")["params"]
    plain = requests.Request("GET", "http://localhost/", params=sent).prepare().url
    assert (plain in ("http://localhost/", "http://localhost/?offset=0")) == (right or not query)


def spoils_its_headers(case) -> bool:
    """Whether a request is wrong by its headers: a token put in would make it one that has to be answered."""
    part = case.meta.components.get(ParameterLocation.HEADER)
    return part is not None and part.mode.is_negative


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Bearer"}])
@EACH
def test_what_is_spoilt_of_a_request_stays_spoilt(operation, headers, site):
    """Which wrong requests are drawn depends on what else was loaded: this one is always among them."""
    case = operation.Case(headers=headers, query={"target": "late"} if operation.path == "/scores" else {})
    answer = case.call(base_url=f"{site.url}{BASE}", timeout=60)
    assert answer.status_code in (401, 429)


@EACH
def test_without_a_token_nothing_but_problems_come_back(operation, site):
    @TEST
    @given(case=operation.as_strategy())
    def asked(case):
        case.headers = {name: one for name, one in (case.headers or {}).items() if name != "Authorization"}
        answer = case.call(base_url=f"{site.url}{BASE}", timeout=60)
        assert answer.status_code in (401, 429), answer.text
        assert answer.headers["content-type"][0] == MEDIA_TYPE and answer.json()["code"] in CODES

    asked()


@pytest.mark.parametrize("path", [path for _, path in NEEDS] + ["/metrics", "/health", "/health/ready"])
def test_a_file_of_any_length_and_kind_is_answered_by_a_problem(site, path):
    for body in (b"", b"\x00" * 1000, b"{" * 5000, b"x" * (2 * 2**20)):
        for kind in KINDS:
            headers = {"Authorization": f"Bearer {site.token}", "Content-Type": kind}
            answer = requests.post(f"{site.url}{path}", data=body, headers=headers, timeout=30)
            assert 400 <= answer.status_code < 500, (body[:10], kind, answer.status_code, answer.text[:300])


def test_the_log_of_the_server_shows_no_mistake_and_the_audit_log_is_whole(site):
    log = (site.folder / "server.log").read_text(errors="replace")
    assert "Traceback" not in log
    assert site.token not in log and site.number not in log
    store = open_store(folder=site.folder)
    assert verify_chain(store).intact
    assert len(audit.entries(store, actor="token:fuzz")) > 20
    store.close()


def test_the_pages_go_on_beside_it_and_the_service_sets_no_cookie(site):
    page = requests.get(f"{site.url}/", timeout=30)
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
    headers = {"Authorization": f"Bearer {site.token}"}
    answer = requests.get(f"{site.url}{BASE}/cohorts", headers=headers, timeout=30)
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_alive_and_ready_are_two_questions(site):
    assert requests.get(f"{site.url}/health/live", timeout=10).json() == {"status": "ok"}
    ready = requests.get(f"{site.url}/health/ready", timeout=10)
    assert (ready.status_code, ready.json()) == (200, requests.get(f"{site.url}/health", timeout=10).json())


@pytest.fixture
def desk(site, tmp_path):
    """A folder with a signature in it, and a command line as the documentation has it."""
    from PIL import Image, ImageDraw

    scan = Image.new("L", (480, 192), 245)
    ImageDraw.Draw(scan).line([(30, 90), (120, 40), (240, 140), (430, 70)], fill=40, width=4)
    scan.save(tmp_path / "signature.png", dpi=(300, 300))

    def run(block: str) -> subprocess.CompletedProcess:
        env = os.environ | {"TOKEN": site.token, "NUMBER": site.number}
        command = block.replace("https://tepat.example.ac.id", site.url)
        return subprocess.run(
            ["bash", "-euc", command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_documentation_is_answered(desk, block):
    done = desk(block)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "code" not in said or said["code"] == "no_recipe", said


def test_the_documentation_has_an_example_of_every_address_and_names_every_code():
    shown = "\n".join(EXAMPLES)
    assert len(EXAMPLES) >= 5
    assert [path for _, path in NEEDS if path not in shown] == []
    assert [code for code in CODES if f"`{code}`" not in PAGE] == []
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", PAGE, re.MULTILINE))
    assert rows == {code: str(status) for code, (status, _) in CODES.items()}
