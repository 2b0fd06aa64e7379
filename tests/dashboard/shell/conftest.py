"""The service over a copy of the small university, in one process; tokens to ask it with."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.shell.service.routes import BASE, service_routes
from data import queries
from data.columns import CONSENT_PURPOSES
from data.consents.consent import record_consent
from data.settings import get_settings
from data.store import open_store
from data.trust.scope import Scope
from data.trust.tokens import SCOPES, create_token

ALL = Scope.system()


def stroke(seed: int = 0, size: tuple[int, int] = (480, 192)) -> bytes:
    """A scan with a few strokes of ink."""
    rng = np.random.default_rng(seed)
    scan = Image.new("L", size, 245)
    xs = np.linspace(30, size[0] - 30, 60)
    ys = size[1] / 2 + 30 * np.sin(xs / (14 + seed)) + rng.normal(0, 2, 60)
    ImageDraw.Draw(scan).line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=40, width=4)
    buffer = io.BytesIO()
    scan.save(buffer, "PNG", dpi=(300, 300))
    return buffer.getvalue()


@dataclass
class Service:
    """The service and what a test needs to know of its store.

    Parameters
    ----------
    store : data.store.Store
    client : TestClient
    number, key, program : str
        A student who has agreed to everything and has signatures, and their programme.
    """

    store: object
    client: TestClient
    number: str
    key: str
    program: str
    made: int = 0
    secrets: dict = field(default_factory=dict)

    def token(self, *scopes: str, programs=None, days: int = 30) -> str:
        """A new token with these scopes; all of them where none is named."""
        self.made += 1
        name = f"test-{self.made}"
        about = {"program_codes": programs, "days": days, "actor": "kepala", "role": "administrator"}
        secret = create_token(self.store, name, scopes or SCOPES, **about)[1]
        self.secrets[secret] = name
        return secret

    def get(self, path: str, token: str | None = None, **query):
        """GET below the service."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.get(f"{BASE}{path}", params=query, headers=headers)

    def send(self, path: str, token: str | None, image: bytes | None = None, **fields):
        """POST a signature."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        files = {"image": ("s.png", stroke() if image is None else image, "image/png")}
        data = {"student_number": self.number} | fields
        return self.client.post(f"{BASE}{path}", data=data, files=files, headers=headers)


@pytest.fixture(scope="module")
def own_folder(small_university, tmp_path_factory):
    """A copy of the small university that tests may write to."""
    folder = tmp_path_factory.mktemp("service") / "site"
    with small_university.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(small_university.store.folder, folder)
    return folder


@pytest.fixture(scope="module")
def service(own_folder):
    """The service on that copy."""
    from dashboard.shell import stores

    patched = pytest.MonkeyPatch()
    patched.setenv("TEPAT_FOLDER", str(own_folder))
    patched.setenv("DATABASE_URL", "")
    patched.setenv("TEPAT_API", "1")
    patched.setenv("TEPAT_API_MB", "1")
    patched.setenv("TEPAT_API_PER_TOKEN", "100000")
    patched.setenv("TEPAT_API_PER_ADDRESS", "100000")
    get_settings.cache_clear()
    store = open_store(folder=own_folder)
    patched.setattr(stores, "store", lambda: store)
    patched.setattr("dashboard.shell.service.gate.FAILURES_PER_MINUTE", 100_000)
    key = much_signed(store)
    for purpose in CONSENT_PURPOSES:
        record_consent(store, key, purpose, "renewed", source="form", actor="test")
    about = queries.student(store, ALL, key).iloc[0]
    app = Starlette(routes=service_routes())
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(store, client, about["student_number"], key, about["program_code"])
    store.close()
    patched.undo()
    get_settings.cache_clear()


def much_signed(store) -> str:
    """Of those at risk, the student with the most signatures."""
    signed = queries.specimen_table(store)["student_key"].value_counts()
    listed = queries.caseload(store, ALL, "late", 500)["student_key"]
    return signed[signed.index.isin(listed)].index[0]
