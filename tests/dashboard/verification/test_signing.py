"""Signing on the screen as the registry does it: drawn, seen, confirmed, kept; and what becomes of it."""

from __future__ import annotations

import json
import shutil
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from dashboard.shell.wording import Words
from dashboard.verification.view import signing as view
from data import queries
from data.calendar.clock import today
from data.signatures.strokes import read_strokes
from data.store import open_store
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope
from vision.scans.drawn import as_scan
from vision.scans.signing import keep_drawn

EN, SYSTEM = Words("en"), Scope.system()
RINA = Account("rina", "Rina", "registry")


def payload(turn: float = 0.0, pointer: str = "pen") -> str:
    """Loops of somebody's, about 400 units wide."""
    k = np.arange(160)
    x, y = 140 + 2.6 * k + 22 * np.sin(k / 5 + turn), 120 + 60 * np.cos(k / 5) * np.cos(k / 60 + turn)
    points = np.column_stack([x, y, 8.0 * k, 0.5 + 0.3 * np.sin(k / 9)]).tolist()
    return json.dumps({"width": 720, "height": 240, "strokes": [{"pointer": pointer, "points": points}]})


@pytest.fixture
def office(small_university, tmp_path, served):
    """A copy of the small university that may be written to; a student who agrees to verification."""
    shutil.copytree(small_university.store.folder, tmp_path / "office")
    store = open_store(f"sqlite:///{tmp_path / 'office' / 'tepat.db'}", folder=tmp_path / "office")
    served(store)
    specimens = queries.specimen_table(store, "verification")
    key = specimens.groupby("student_key").size().idxmax()
    number = queries.student(store, SYSTEM, key).iloc[0]["student_number"]
    yield SimpleNamespace(store=store, key=key, number=number)
    store.close()


@pytest.fixture
def drawn_on(monkeypatch):
    """What the browser sends in this test."""
    sent = {"text": None}
    monkeypatch.setattr(view, "signing_pad", lambda key: sent["text"] if key.endswith("-0") else None)
    return sent


def of_screen(office):
    rows = queries.student_specimens(office.store, SYSTEM, office.key)
    return rows[rows["medium"] == "screen"]


def opened(screen, office):
    at = screen.drawn("enrolment", RINA, key=office.key)
    return at.toggle(key="signing-open").set_value(True).run()


def test_what_is_drawn_is_shown_and_kept_once_it_is_confirmed(office, screen, drawn_on):
    drawn_on["text"] = payload()
    at = opened(screen, office)
    assert not at.exception and of_screen(office).empty
    assert EN("signing.unproven") in screen.texts(at)
    at.selectbox(key="signing-context").set_value("exam").run()
    at.button(key="signing-keep").click().run()
    assert not at.exception and EN("signing.kept") in [one.value for one in at.success]
    (row,) = of_screen(office).to_dict("records")
    assert (row["context"], row["captured_on"].date(), row["dpi"]) == ("exam", today(office.store), 300)
    drawn = read_strokes(payload())
    assert queries.specimen_strokes(office.store, row["specimen_id"], SYSTEM) == drawn
    assert queries.specimen_image(office.store, row["specimen_id"], SYSTEM) == as_scan(drawn)
    assert not [one for one in at.button if one.key == "signing-keep"]  # the sheet begins anew


def test_the_log_says_who_had_whom_sign_and_nothing_of_the_strokes(office, screen, drawn_on):
    drawn_on["text"] = payload(pointer="touch")
    before = len(audit.entries(office.store))
    opened(screen, office).button(key="signing-keep").click().run()
    written = audit.entries(office.store).head(len(audit.entries(office.store)) - before)
    (entry,) = written[written["action"] == "sign on screen"].to_dict("records")
    assert (entry["actor"], entry["role"], entry["object"]) == ("rina", "registry", office.key)
    specimen = of_screen(office)["specimen_id"].item()
    assert entry["detail"] == {"specimen": specimen, "pointers": ["touch"], "strokes": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "unreadable"), (payload().replace("720", "NaN"), "unreadable"), ("[" * 90_000, "unreadable"),
        (" " * 2**21, "too_large"), (payload().replace("8.0", "800000.0", 1), "too_long"),
        ('{"width": 720, "height": 240, "strokes": []}', "too_little"),
    ],
)  # fmt: skip
def test_what_is_no_signature_is_refused_in_words_and_nothing_is_kept(office, screen, drawn_on, text, said):
    drawn_on["text"] = text
    at = opened(screen, office)
    assert [one.value for one in at.error] == [EN(f"signing.refused_{said}")] and not at.exception
    assert not [one for one in at.button if one.key == "signing-keep"]
    assert of_screen(office).empty


def test_what_one_student_drew_is_not_offered_for_the_next(office, screen, monkeypatch):
    other = next(key for key in queries.specimen_table(office.store)["student_key"] if key != office.key)
    sheets = []

    def remembered(key: str) -> str:
        sheets.append(key)
        return payload()

    monkeypatch.setattr(view, "signing_pad", remembered)
    for key in (office.key, other):
        opened(screen, SimpleNamespace(key=key))
    assert len(set(sheets)) == 2 and office.key in sheets[0] and other in sheets[-1]


def test_the_sheet_itself_is_mounted_and_empty(office, screen):
    at = opened(screen, office)
    assert not at.exception and not at.error
    assert EN("signing.otherwise") in screen.texts(at)
    assert not [one for one in at.button if one.key == "signing-keep"]


def keep(office, turn: float) -> str:
    told = {"context": "enrollment", "captured_on": date(2024, 9, 2), "actor": "rina", "role": "registry"}
    drawn = read_strokes(payload(turn))
    return keep_drawn(office.store, office.key, office.number, drawn, **told, synthetic=True)


def test_beside_paper_it_cannot_be_chosen_and_the_page_says_why(office, screen):
    one = keep(office, 0.3)
    at = screen.drawn("enrolment", RINA, key=office.key)
    assert at.toggle(key=f"use-{one}").disabled and not at.toggle(key=f"use-{one}").value
    assert EN("enrolment.left_out_other_medium") in screen.texts(at)
    assert EN("signature.on_screen") in screen.texts(at)


def test_the_list_of_signatures_says_what_each_was_signed_on(office, screen):
    keep(office, 0.4)
    at = screen.drawn("signatures", RINA)
    shown = at.dataframe[0].value
    assert set(shown["medium"]) == {EN("medium.paper"), EN("medium.screen")}
