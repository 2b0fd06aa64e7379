"""A small invented university, trained and scored once per session, and pages drawn without a browser."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image, ImageDraw
from plotly.io import to_json
from streamlit.testing.v1 import AppTest

from dashboard.charts.base import Sent, Sketch
from data.trust.accounts import Account


@dataclass(frozen=True)
class SmallUniversity:
    """An open store with records, specimens, embeddings, a served model and scores.

    Parameters
    ----------
    store : data.store.Store
        Nobody writes to it.
    advisor : str
        An account with students.
    student : str
        Key of one of that advisor's students with a score.
    stranger : str
        Key of a student of somebody else.
    """

    store: object
    advisor: str
    student: str
    stranger: str


@pytest.fixture(autouse=True)
def every_chart_is_checked(monkeypatch):
    """Pages hand their charts to Plotly unchecked; whatever a test draws passes Plotly's check unchanged."""
    drawn = Sketch.spec

    def spec(sketch: Sketch) -> dict:
        quick = drawn(sketch)
        checked = go.Figure(quick)
        assert json.loads(to_json(Sent(quick), validate=False)) == json.loads(checked.to_json())
        return quick

    monkeypatch.setattr(Sketch, "spec", spec)


@pytest.fixture(autouse=True)
def nothing_is_drawn_ahead(monkeypatch):
    """A thread of one test must not go on in the next."""
    from dashboard.components import ahead

    monkeypatch.setattr(ahead, "_begun", lambda key, work: None)


@pytest.fixture(autouse=True)
def whom_a_test_names_is_signed_in(monkeypatch):
    """Most tests draw a page for somebody without a sign-in: ``st.session_state["person"]``.

    There is no browser: no cookie, no address.
    """
    import streamlit as st

    from dashboard.shell import current_session
    from dashboard.shell.sessions import LOCAL

    monkeypatch.setattr(current_session, "cookie", lambda: None)
    monkeypatch.setattr(current_session, "address", lambda: LOCAL)
    asked = current_session.person
    monkeypatch.setattr(current_session, "person", lambda: st.session_state.get("person") or asked())


def quick_scan(specimen) -> bytes:
    """A scan in a hundredth of the pen model's time: one stroke on paper, different for each specimen."""
    rng = np.random.default_rng(specimen.drawing_seed)
    scan = Image.new("L", (240, 96), 245)
    points = [(int(x), int(y)) for x, y in zip(range(20, 220, 20), rng.integers(20, 76, 10), strict=True)]
    ImageDraw.Draw(scan).line(points, fill=40, width=3)
    buffer = io.BytesIO()
    scan.save(buffer, "PNG", dpi=(300, 300))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def small_university(tmp_path_factory, sqlite_template) -> SmallUniversity:
    from data import queries
    from data.signatures.encoder_info import EncoderInfo
    from data.store import open_store, write_embeddings, write_quality
    from data.synthetic.demo import write_demo
    from data.trust.scope import Scope
    from fusion.pipeline import train

    folder = tmp_path_factory.mktemp("university")
    shutil.copy(sqlite_template, folder / "tepat.db")
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    write_demo(store, students=220, seed=4, draw=quick_scan)  # enough drop-outs to learn from
    ids = queries.specimen_table(store)["specimen_id"].tolist()
    info = EncoderInfo("noise", "1", "0" * 64, "random numbers for a test", 16)
    vectors = np.random.default_rng(5).normal(size=(len(ids), 16)).astype(np.float32)
    write_embeddings(store, info, ids, vectors)
    blurred = {"code": "SIG004", "title": "Blurred", "status": "found", "value": 9.0, "reason": "soft edges"}
    write_quality(store, {one: [blurred] for one in ids[:3]})
    train(store, draws=20)  # the first model scores everybody and goes into service
    listed = queries.caseload(store, Scope.system(), "late", 200)
    advisor = listed.iloc[0]["advisor"]
    strangers = listed[listed["advisor"] != advisor]
    yield SmallUniversity(store, advisor, listed.iloc[0]["student_key"], strangers.iloc[0]["student_key"])
    store.close()


def _page(name, account, language, address):
    """The script that AppTest runs: one page for one person, as the router would draw it."""
    import streamlit as st

    from dashboard.components.layout import guarded

    st.session_state["language"] = language
    st.session_state["person"] = account
    for name_in_address, value in address.items():
        if value:
            st.query_params[{"key": "s", "view": "v"}.get(name_in_address, name_in_address)] = value
    guarded(name)()


def drawn(name: str, account: Account, language: str = "en", **address: str | None) -> AppTest:
    """One page for one person; ``address`` is what stands behind the question mark, ``key`` the student."""
    at = AppTest.from_function(
        _page,
        default_timeout=60,
        kwargs={"name": name, "account": account, "language": language, "address": address},
    )
    return at.run()


def texts(at: AppTest) -> str:
    """Everything that the page says in words."""
    parts = [
        *at.title,
        *at.header,
        *at.subheader,
        *at.markdown,
        *at.caption,
        *at.error,
        *at.success,
        *at.info,
        *at.warning,
    ]
    return "\n".join(str(part.value) for part in parts)


def person(university, role: str) -> Account:
    """Somebody of a role; as an advisor, one who has students."""
    return Account(university.advisor if role == "advisor" else role, "Somebody", role)


@pytest.fixture(scope="session")
def screen() -> SimpleNamespace:
    """How to draw a page and read it, for the tests (they have no package to import it from)."""
    return SimpleNamespace(drawn=drawn, texts=texts, person=person)


@pytest.fixture
def served(monkeypatch):
    """A function that makes the app read the given store."""
    from dashboard.shell import caches, stores

    def serve(store):
        monkeypatch.setattr(stores, "store", lambda: store)
        caches._read.clear()
        caches._made.clear()

    return serve


@pytest.fixture
def university(small_university, served):
    """The app on the small university."""
    served(small_university.store)
    return small_university


@pytest.fixture(scope="module", autouse=True)
def quick_ground():
    """Invented signers of random numbers in the place of drawn ones, with trials that overlap a little."""
    from vision.descriptor.describe_specimens import id_of_descriptor
    from vision.verification import verification_tools
    from vision.verification.ground import WriterSet
    from vision.verification.synthetic_ground import SyntheticSet

    def made(_store, descriptor, _progress=None):
        rng = np.random.default_rng(8)
        genuine = rng.normal(size=(40, 1, descriptor.info.dim)) + 0.5 * rng.normal(
            size=(40, 3, descriptor.info.dim)
        )
        writers = [
            WriterSet(f"synthetic-{k}", own.astype(np.float32), np.empty((0, own.shape[1]), np.float32))
            for k, own in enumerate(genuine)
        ]
        middles = {"genuine": 1.0, "skilled": -0.2, "random": -1.0}
        rows = [
            (references, kind, writer, score)
            for references in (3, 4, 5, 6)
            for kind, middle in middles.items()
            for writer in range(40)
            for score in rng.normal(middle, 0.4, 3)
        ]
        trials = pd.DataFrame(rows, columns=["references", "kind", "writer", "score"])
        return SyntheticSet(id_of_descriptor(descriptor), tuple(writers), trials)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification_tools, "synthetic_set", made)
        yield
