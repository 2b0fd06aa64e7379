"""Names, notes and file names on every page: whatever stands in them, Streamlit gets it as text.

Every message of every page is looked through, whatever widget it makes, so that a new page is held to it too.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from google.protobuf.message import Message
from sqlalchemy import update

from dashboard.shell.access import pages_for
from data import schema
from data.cases.events import add_case_event
from data.cases.saved_views import save_view
from data.columns import ROLES
from data.store import open_store, set_fact
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope
from tests.conftest import name_everybody

SEATS = sorted({(page.name, role) for role in ROLES for page in pages_for(role)})
LEFT_OPEN = "](http://h.example"  # a link or a picture that Markdown would obey
BROKEN = "\\]\\("  # escaped for Markdown, in a place that shows every sign
TAG = re.compile(r"(?<!\\)<a href")
TURNED = "\u202e"
# Fields of Streamlit's messages that are drawn as they are: no Markdown, so nothing to escape.
DRAWN_AS_IT_IS = {
    ("Selectbox", "options"),
    ("Selectbox", "raw_value"),
    ("MultiSelect", "options"),
    ("TextInput", "default"),
    ("TextArea", "default"),
    ("Text", "body"),
    ("Image", "alt"),
    ("ImageList", "alt"),
    ("PlotlyChart", "alt"),
    ("Dataframe", "alt"),
    ("ArrowData", "alt"),
}
KEYS = {"id", "element_id", "key", "form_id", "formId", "group_id", "user_key"}


def hostile(what: str) -> str:
    """A text that does something in every place that obeys it."""
    return f"![{what}](http://h.example/{what}.png) [{what}](http://h.example) **t** $x$ :smile: a{TURNED}b"


@pytest.fixture(scope="module")
def hostile_folder(small_university, tmp_path_factory) -> Path:
    """A copy of the small university in which everything that people write is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    small_university.store.close()
    for path in Path(small_university.store.folder).iterdir():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    store, me = open_store(folder=folder), small_university.advisor
    with store.writing() as connection:
        name_everybody(connection, hostile("name"))
        connection.execute(update(schema.programs).values(name=hostile("programme") + "<a href='http://h'>"))
        connection.execute(
            update(schema.students).values(admission_path=hostile("path")[:64], region="*r* $x$")
        )
        connection.execute(update(schema.imports).values(source=hostile("file")))
    set_fact(store, "institution", hostile("institution"))
    seats = [Account("advisor2", hostile("colleague"), "advisor"), Account(me, hostile("me"), "advisor")]
    write_accounts(store, seats)
    scope = Scope(me, "advisor", True, None, True, True)
    notes = (
        ("note", {"text": hostile("note")}),
        ("override", {"band": "low", "reason": hostile("reason")}),
        ("contact", {"how": hostile("how"), "due_on": "2030-01-31", "owner": "advisor2"}),
    )
    for kind, detail in notes:
        add_case_event(store, small_university.student, me, kind, detail, scope=scope)
    save_view(store, me, "caseload", hostile("view")[:40], {})
    store.close()
    return folder


@pytest.fixture
def hostile_store(hostile_folder, served):
    """The app on it."""
    store = open_store(folder=hostile_folder)
    served(store)
    yield store
    store.close()


def told(message: Message):
    """Every text of a message: type of the message it stands in, field, text."""
    for field, value in message.ListFields():
        several = value if field.is_repeated else [value]
        for one in several:
            if isinstance(one, Message):
                yield from told(one)
            elif isinstance(one, str):
                yield message.DESCRIPTOR.name, field.name, one


def messages(at):
    """The messages of a drawn page, blocks included."""
    waiting = [at._tree]
    while waiting:
        node = waiting.pop()
        waiting += list(getattr(node, "children", {}).values())
        if isinstance(getattr(node, "proto", None), Message):
            yield node.proto


def obeyed(kind: str, text: str) -> bool:
    """Whether Markdown, or HTML where a text is that, would do something."""
    return bool(TAG.search(text)) or (kind != "Html" and LEFT_OPEN in text)


def complaints(at) -> list[str]:
    """What on a page is obeyed, doubly escaped, or turned round."""
    found = []
    for message in messages(at):
        for kind, field, text in told(message):
            where = f"{kind}.{field}: {text[:160]!r}"
            if field in KEYS:
                continue
            if TURNED in text or "\\u202e" in text:
                found.append(f"turned: {where}")
            if kind == "PlotlyChart" and field in ("spec", "figure"):
                found += [
                    f"a tag in a chart: {one!r}" for one in _texts(json.loads(text)) if "<a href" in one
                ]
            elif (kind, field) in DRAWN_AS_IT_IS:
                if BROKEN in text:
                    found.append(f"doubly escaped: {where}")
            elif obeyed(kind, text):
                found.append(f"obeyed: {where}")
    for frame in (one.value for one in at.dataframe):
        cells = [*frame.columns, *frame.to_numpy().flat]
        found += [f"turned: {one!r}" for one in cells if TURNED in str(one)]
    return found


def _texts(part):
    if isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)
    elif isinstance(part, str):
        yield part


@pytest.mark.parametrize(("page", "role"), SEATS)
def test_no_page_obeys_what_people_wrote(hostile_store, small_university, page, role, screen):
    key = small_university.student if page in ("student", "verification", "enrolment") else None
    at = screen.drawn(page, screen.person(small_university, role), key=key)
    assert not at.exception and not at.error, screen.texts(at)
    assert complaints(at) == []


def test_the_student_page_shows_the_name_as_it_was_written(hostile_store, small_university, screen):
    from dashboard.shell.plain import plain

    at = screen.drawn("student", screen.person(small_university, "advisor"), key=small_university.student)
    assert at.title[0].value == plain(hostile("name"))


def test_the_search_for_a_student_obeys_no_name(hostile_store, small_university, screen):
    at = screen.drawn("verification", screen.person(small_university, "registry"))
    at.text_input(key="student-search").set_value("h.example").run()
    assert complaints(at) == []


def test_the_sign_in_obeys_no_name(hostile_store, screen):
    at = screen.drawn("sign_in", Account("x", "X", "auditor"))
    assert at.button(key="enter-advisor") and complaints(at) == []
