"""A walk over everything that the served app has: every role, page, route, export, job and media address,
with one's own cookie, none, a wrong one, one that has run out, and one of another programme.

Pages, roles, jobs and routes come from the program's own lists, exports and media from what the pages send:
whatever is added is walked too. A leak is the number, key or name of a student whom the account may not see,
or an answer to somebody who may not have it.
"""

from __future__ import annotations

import io
import re
import shutil
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
import pypdf
import pytest
from sqlalchemy import func, select, update
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.jobs import asking
from dashboard.jobs import kinds as jobs_kinds
from dashboard.jobs.asking import KINDS, Task
from dashboard.shell.access import PAGES, pages_for, scope_for
from dashboard.shell.wording import Words
from data import queries, schema
from data.columns import ROLES
from data.engine.bulk import fetch
from data.engine.clock import now
from data.jobs import table
from data.store import open_store
from data.trust import sessions
from data.trust.accounts import Account, find_account, list_accounts, write_accounts
from data.trust.scoping import visible
from tests.browser.test_strangers import asked, cookie_in, sent, stream

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN, ID = Words("en"), Words("id")
BY_KEY = ("audit",)  # pages that tell of students by an opaque key, as docs/security.md says
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPEN = re.compile(  # what anybody may fetch: the program itself, and whether it lives
    r"/health(/live|/ready)?|/session|/_stcore/(health|script-health-check|host-config|agent/.*|component/.*|"
    r"bidi-components/.*)|/component/.*|/app/static/.*|/static/.*|/_stcore/stream|/.*\{.*path.*\}|/|/auth/.*|"
    r"/oauth2callback|/favicon.*|/manifest.*"
)


@dataclass(frozen=True)
class Place:
    """A served copy of the demo with accounts that are confined to a programme.

    Parameters
    ----------
    url : str
    folder : pathlib.Path
    accounts : dict of str to Account
        One or more of every role.
    theirs : dict of str to set of str
        Account → keys of the students that it may see.
    everybody : DataFrame
        ``student_key, student_number, name`` of all students.
    """

    url: str
    folder: object
    accounts: dict[str, Account]
    theirs: dict[str, set[str]]
    everybody: pd.DataFrame

    def found(self, said: bytes, allowed: set[str], *, keys: bool = True) -> list[str]:
        """Keys of students who are named in some bytes though they may not be.

        Parameters
        ----------
        keys : bool
            Whether an opaque key names somebody: not in the audit log, which tells of students by it.
        """
        others = self.everybody[~self.everybody["student_key"].isin(allowed)]
        return [
            row.student_key
            for row in others.itertuples()
            if row.student_number.encode() in said or (keys and row.student_key.encode() in said)
        ]


@pytest.fixture(scope="module")
def place(demo_folder, tmp_path_factory, steps):
    """The demo of all these tests, copied, with confined accounts and a finished job of every programme."""
    folder = tmp_path_factory.mktemp("walk") / "store"
    shutil.copytree(demo_folder, folder)
    store = open_store(folder=folder)
    with store.reading() as connection:
        students, identities = schema.students, schema.identities
        programme = connection.scalar(select(func.min(students.c.program_code)))
        joined = identities.join(students, students.c.student_key == identities.c.student_key)
        rows = select(identities.c.student_key, identities.c.student_number).select_from(joined)
        everybody = fetch(connection, rows)
    confined = ("registry", "leadership", "accreditation")
    write_accounts(store, [Account(f"only.{role}", f"Only {role}", role, (programme,)) for role in confined])
    busy = queries.caseload(store, scope_for(Account("adm", "", "registry")), "late", 500)["advisor"]
    chosen = {f"only.{role}" for role in confined} | {busy.value_counts().index[0]}
    for role in ROLES:
        chosen |= {one.account for one in list_accounts(store, role)[:1]} if role != "advisor" else set()
    accounts = {name: find_account(store, name) for name in sorted(chosen)}
    theirs = {name: keys_of(store, account) for name, account in accounts.items()}
    made = finished_job(store)
    assert made["reach"] is None
    with steps.serving(folder) as url:
        yield Place(url, folder, accounts, theirs, everybody)
    store.close()


def keys_of(store, account: Account) -> set[str]:
    """The students whom an account may see one by one."""
    with store.reading() as connection:
        return set(
            connection.scalars(select(schema.students.c.student_key).where(*visible(scope_for(account))))
        )


def finished_job(store) -> dict:
    """A job of every programme's report, done for somebody who reaches them all."""
    someone = next(one for one in list_accounts(store, "accreditation") if one.program_codes is None)
    asking.start(store, someone, "reports", profile="abet-public", audience="internal")
    job = table.take(store, "walk")
    made = jobs_kinds.reports(Task(store, job, lambda *_: None))
    table.finish(store, job, "done", result=made)
    return made


def run_of(wire, page: str, query: str = "", seconds: float = 90) -> tuple[bytes, list]:
    """Everything that a page sends, and its download buttons, each with the number of its tab."""
    wire.send(BackMsg(rerun_script={"query_string": query, "page_name": page}).SerializeToString())
    said, buttons, tab, end = b"", [], "", time.monotonic() + seconds
    while time.monotonic() < end:
        data = wire.recv(timeout=seconds)
        said += data
        answer = ForwardMsg.FromString(data)
        if answer.WhichOneof("type") == "new_session":
            tab = answer.new_session.initialize.session_id
        if answer.WhichOneof("type") == "delta":
            element = answer.delta.new_element
            if element.WhichOneof("type") == "download_button":
                buttons.append((tab, element.download_button))
        if answer.WhichOneof("type") == "script_finished" and answer.script_finished == (
            ForwardMsg.FINISHED_SUCCESSFULLY
        ):
            return said, buttons
    raise TimeoutError(f"{page} did not end")


def address_of(wire, tab: str, button, seconds: float = 120) -> str:
    """Where the file of a button lies, once it is made."""
    if not button.deferred_file_id:
        return button.url
    request = {
        "request_id": button.id,
        "session_id": tab,
        "deferred_file": {"file_id": button.deferred_file_id},
    }
    wire.send(BackMsg(backend_operation_request=request).SerializeToString())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ForwardMsg.FromString(wire.recv(timeout=seconds))
        if answer.WhichOneof("type") == "backend_operation_response":
            made = answer.backend_operation_response
            assert made.WhichOneof("payload") == "deferred_file", made
            return made.deferred_file.url
    raise TimeoutError(f"{button.label} was not made")


def words_in(content: bytes) -> bytes:
    """What a file says, be it a table, a workbook, an archive of such, or a document."""
    if content.startswith(b"%PDF"):
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).encode()
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"\n".join(words_in(archive.read(name)) for name in archive.namelist())
    return content


def fetched(url: str, address: str, cookie: str | None) -> tuple[int, bytes]:
    """Status and content of a file at an address."""
    import http.client
    from urllib.parse import urlsplit

    wire = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    wire.request("GET", address, headers={} if cookie is None else {"Cookie": f"tepat_session={cookie}"})
    answer = wire.getresponse()
    found = answer.status, answer.read()
    wire.close()
    return found


def old_cookie(place: Place, account: str, how: str) -> str:
    """A cookie of a session that is over: "ended", "old", or "closed" with its account's role."""
    cookie = cookie_in(place, account)
    store = open_store(folder=place.folder)
    session = sessions.find_by_cookie(store, cookie)
    if how == "ended":
        sessions.end(store, session.session_id)
    else:
        rows = schema.sessions
        back = now() - timedelta(hours=9)
        values = {"started_at": back, "seen_at": back} if how == "old" else {"role": "nobody"}
        with store.writing("accounts") as connection:
            connection.execute(update(rows).where(rows.c.session_id == session.session_id).values(**values))
    store.close()
    return cookie


def strangers(place: Place, account: str) -> dict[str, str | None]:
    """What somebody may bring who is not that account."""
    other = next(name for name in place.accounts if name != account)
    return {
        "none": None,
        "empty": "",
        "wrong": "x" * 43,
        "ended": old_cookie(place, account, "ended"),
        "old": old_cookie(place, account, "old"),
        "of a role of before": old_cookie(place, account, "closed"),
        "another's": cookie_in(place, other),
    }


def test_no_page_shows_a_student_to_whoever_has_no_cookie_that_counts(place, capsys):
    account, walked, leaks = next(iter(place.accounts)), 0, []
    inside = place.everybody["student_key"].iloc[0]
    brought = strangers(place, account)
    del brought["another's"]
    for kind, cookie in brought.items():
        with stream(place.url, cookie=cookie) as wire:
            for page in ("", *PAGES):
                said, buttons = run_of(wire, page, f"s={inside}")
                walked += 1
                known = place.found(said.replace(f"s={inside}".encode(), b""), set())
                leaks += [(kind, page)] if known or buttons or b"sign-out" in said else []
                assert any(words("app.tagline").encode() in said for words in (EN, ID)), (kind, page)
    told(capsys, f"{walked} pages without a cookie that counts: {len(leaks)} leaks")
    assert leaks == []


def test_no_page_and_no_export_goes_beyond_what_an_account_may_see(place, capsys):
    counted, leaks = Counter(), []
    assert {one.role for one in place.accounts.values()} == set(ROLES)
    for name, account in place.accounts.items():
        allowed, cookie, brought = place.theirs[name], cookie_in(place, name), strangers(place, name)
        others = [key for key in place.everybody["student_key"] if key not in allowed]
        asked_for = [sorted(allowed)[0]] if allowed else []
        asked_for += others[:1]
        own = [entry.name for entry in pages_for(account.role)]
        with stream(place.url, cookie=cookie) as wire:
            for page in PAGES:
                shown = page if page in own else own[0]
                for key in asked_for if page in own else asked_for[-1:]:
                    said, buttons = run_of(wire, page, f"s={key}")
                    counted["pages"] += 1
                    echo = re.sub(rb"s=[0-9a-f]{16}", b"", said)
                    found = place.found(echo, allowed, keys=shown not in BY_KEY)
                    # The address names the student who was asked for; nothing else may.
                    leaks += [
                        (name, page, one) for one in found if one != key or echo.count(key.encode()) > 2
                    ]
                    if page in own and key == asked_for[0]:
                        leaks += exported(place, wire, name, page, cookie, buttons, brought, counted)
    told(capsys, f"{dict(counted)} of {len(place.accounts)} accounts: {len(leaks)} leaks")
    assert counted["exports"] > 20 and counted["refused"] > 100
    assert leaks == [], Counter(leak[:2] for leak in leaks)


def exported(
    place: Place, wire, name: str, page: str, cookie: str, buttons: list, brought: dict, counted: Counter
) -> list:
    """Fetch what the buttons offer, as oneself and as everybody else."""
    leaks = []
    for tab, button in buttons:
        address = address_of(wire, tab, button)
        status, content = fetched(place.url, address, cookie)
        assert status == 200, (name, button.label)
        counted["exports"] += 1
        known = place.found(words_in(content), place.theirs[name], keys=page not in BY_KEY)
        leaks += [(name, page, button.label, one) for one in known]
        for kind, other in brought.items():
            counted["refused"] += 1
            if fetched(place.url, address, other)[0] != 404:
                leaks.append((name, button.label, kind))
    return leaks


def test_no_route_tells_a_stranger_anything_of_anybody(place, capsys):
    from dashboard.shell.server import application

    account, walked, leaks = "admin", 0, []
    account = next(name for name, one in place.accounts.items() if one.role == "administrator")
    brought = {kind: cookie for kind, cookie in strangers(place, account).items()}
    paths = sorted({path for path in routes_of(application()) if path})
    assert {"/health", "/session"} <= set(paths) and len(paths) > 8
    for path in paths:
        filled = re.sub(r"\{[^}]*\}", "x", path)
        for method in METHODS:
            for kind, cookie in brought.items():
                if (method, filled) == ("DELETE", "/session"):
                    continue  # ends the session that is brought
                status, said = answered(place.url, method, filled, cookie)
                walked += 1
                if place.found(said, set()) or status >= 500:
                    leaks.append((method, path, kind, status))
                if not OPEN.fullmatch(path) and method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
                    assert status in (403, 404, 405), (method, path, kind, status)
    told(capsys, f"{walked} requests on {len(paths)} routes: {len(leaks)} leaks")
    assert leaks == []


def answered(url: str, method: str, path: str, cookie: str | None) -> tuple[int, bytes]:
    import http.client
    from urllib.parse import urlsplit

    wire = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    wire.request(method, path, headers={} if cookie is None else {"Cookie": f"tepat_session={cookie}"})
    answer = wire.getresponse()
    found = answer.status, answer.read()
    wire.close()
    return found


def routes_of(app) -> list[str]:
    """The paths of the app's own routes and of Streamlit's, as the server mounts them."""
    from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

    class Nobody:
        def __getattr__(self, name):
            return Nobody()

        def __call__(self, *_, **__):
            return Nobody()

    streamlit = create_streamlit_routes(Nobody())
    return [getattr(route, "path", "") for route in (*app._user_routes, *streamlit)]


def test_no_job_is_started_stopped_repeated_or_fetched_by_whoever_may_not(place, capsys):
    store = open_store(folder=place.folder)
    walked, leaks = 0, []
    for account in place.accounts.values():
        for kind in KINDS:
            walked += 1
            may = asking.may_start(account, kind)
            assert not may or kind in asking.kinds_for(account.role)
            if may:
                continue
            before = len(table.open_jobs(store))
            with pytest.raises(PermissionError):
                asking.start(store, account, kind)
            leaks += [(account.account, kind)] if len(table.open_jobs(store)) != before else []
        for job in table.recent(store, list(KINDS)):
            walked += 1
            if account.program_codes is not None and asking.may_fetch(account, job) and job.result:
                leaks.append((account.account, "fetch", job.job_id))
            if account.program_codes is not None and job.actor != account.account:
                for act in (asking.stop, asking.again):
                    with pytest.raises(PermissionError):
                        act(store, account, job)
    store.close()
    told(capsys, f"{walked} jobs of {len(place.accounts)} accounts: {len(leaks)} leaks")
    assert leaks == []


def test_no_file_is_taken_for_a_tab_of_somebody_else(place, capsys):
    account = next(name for name, one in place.accounts.items() if one.role == "registry")
    cookie = cookie_in(place, account)
    with stream(place.url, cookie=cookie) as wire:
        said, _ = run_of(wire, "")
        tab = re.search(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", said)[0].decode()
        found = {
            (kind, method): sent(place.url, method, tab, other or "")
            for kind, other in strangers(place, account).items()
            for method in ("PUT", "DELETE", "POST")
        }
    told(capsys, f"{len(found)} files for another's tab: {sum(one != 403 for one in found.values())} taken")
    assert set(found.values()) == {403}
    assert asked(place.url, "GET", "/health")[0] == 200


def told(capsys, text: str) -> None:
    """Print a count, also of a test that passes."""
    with capsys.disabled():
        print(f"\n  walk: {text}")
