"""Every moment is told on the institution's clock: one day for one moment, wherever it stands."""

from __future__ import annotations

import ast
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.cases.followups import as_table as steps_table
from dashboard.jobs.words import history_table
from dashboard.models.fitness_words import lacking
from dashboard.reports.provenance import provenance_of
from dashboard.shell import current_session, exports, stores
from dashboard.shell.audit_words import audit_table, chain_words
from dashboard.shell.wording import Words
from data import queries
from data.calendar.setting import change_settings
from data.jobs.table import Job
from data.trust.audit_chain import ChainReport
from data.trust.time_stamps import Stamp
from fusion.service.rule import Ruled

ROOT = Path(__file__).resolve().parents[3]
NIGHT = datetime(2026, 11, 29, 17, 30)  # UTC: half an hour into 30 November where the clock is 7 hours ahead
ZONE, CLOCK = "Asia/Jakarta", "WIB"
WORDS = [Words("en"), Words("id")]


@pytest.fixture
def place(monkeypatch):
    """A session in a place whose settings name its clock; the browser's own is another."""
    monkeypatch.setattr(stores, "time_zone", lambda: ZONE)
    monkeypatch.setattr(current_session.st, "context", SimpleNamespace(timezone="America/Lima"))
    monkeypatch.setattr(current_session, "words", lambda: WORDS[0])


def test_the_settings_name_the_clock_and_the_browser_only_where_they_do_not(place, monkeypatch, store):
    assert current_session.zone_name() == ZONE
    assert current_session.day(NIGHT) == current_session.day(pd.Timestamp(NIGHT)) == "30 Nov 2026"
    assert (
        current_session.moment(NIGHT) == "30 Nov 2026 00:30 WIB"
        and current_session.hour(NIGHT) == "00:30 WIB"
    )
    assert current_session.on_clock("column.when") == "When (WIB)"
    assert current_session.here(pd.Series([NIGHT])).tolist() == [pd.Timestamp("2026-11-30 00:30")]
    assert current_session.stored(date(2026, 11, 30)) == datetime(2026, 11, 29, 17)
    assert current_session.day(None) == current_session.day(pd.NaT) == "–"
    monkeypatch.setattr(stores, "time_zone", lambda: "")
    assert current_session.moment(NIGHT) == "29 Nov 2026 12:30 UTC-05"


def test_the_store_tells_the_clock_of_its_settings_with_its_state(store):
    assert queries.store_state(store).time_zone == ""
    change_settings(store, {"time_zone": ZONE}, actor="command line")
    assert queries.store_state(store).time_zone == ZONE
    assert provenance_of(store, "America/Lima").time_zone == ZONE


def test_files_of_a_page_are_made_on_its_clock_where_no_setting_says_it(store):
    assert provenance_of(store, ZONE).time_zone == ZONE and provenance_of(store).time_zone == ""


@pytest.mark.parametrize("words", WORDS, ids=["en", "id"])
def test_every_table_tells_a_moment_near_midnight_by_the_same_day_and_names_the_clock(words):
    when = words("column.on_clock", column=words("column.when"), clock=CLOCK)
    entry = {"entry": 1, "at": pd.Timestamp(NIGHT), "actor": "dean", "role": "leadership"}
    entry |= {"action": "end_session", "object": "dean", "detail": {"started": "2026-11-29T17:30Z"}}
    told = audit_table(pd.DataFrame([entry]), words, {"dean": "Prof. Sari"}, ZONE).iloc[0]
    assert told[when] == pd.Timestamp("2026-11-30 00:30")
    assert f"{words.day('2026-11-30')} 00:30 WIB" in told[words("column.detail")]
    jobs = history_table([job()], words, str, ZONE)
    assert jobs[when].tolist() == [pd.Timestamp("2026-11-30 00:30")]
    stamps = (Stamp(1, "proven", NIGHT.replace(tzinfo=current_session.UTC)),)
    newest = chain_words(ChainReport(9, None, "ab", stamps=stamps), words, ZONE)[-1]
    assert f"{words.day('2026-11-30')} 00:30 WIB" in newest and "UTC" not in newest
    ruled = Ruled(target="late", at=NIGHT.isoformat(), actor="dean", reason="few")
    assert words.day("2026-11-30") in lacking(ruled, words, ZONE, {"dean": "Prof. Sari"}.get)
    assert "Prof. Sari" in lacking(ruled, words, ZONE, {"dean": "Prof. Sari"}.get)


def job() -> Job:
    left = dict.fromkeys(Job.__dataclass_fields__)
    said = {"job_id": "ab" * 16, "kind": "score", "status": "done", "created_at": NIGHT, "actor": "dean"}
    return Job(**left | said | {"arguments": {}, "result": {"scores": 1}, "attempts": 1})


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_audit_pages_file_has_the_times_of_the_page(kind):
    import io

    words = WORDS[0]
    entry = {"entry": 1, "at": pd.Timestamp(NIGHT), "actor": "dean", "role": "leadership"}
    frame = pd.DataFrame([entry | {"action": "sign_out", "object": "leadership", "detail": {}}])
    table = audit_table(frame, words, {}, ZONE)
    about = exports.TableProvenance(words=words, role="auditor", data_version="1", time_zone=ZONE)
    content = exports.to_bytes(table, kind, about)
    read = pd.read_csv if kind == "csv" else pd.read_excel
    rows = read(io.BytesIO(content)) if kind == "csv" else read(io.BytesIO(content), skiprows=2)
    assert pd.to_datetime(rows["When (WIB)"]).tolist() == [pd.Timestamp("2026-11-30 00:30")]


def test_the_audit_pages_csv_tells_times_to_the_second():
    words = WORDS[0]
    entry = {"entry": 1, "at": pd.Timestamp("2026-11-29 17:30:07.123456"), "actor": "dean"}
    entry |= {"role": "leadership", "action": "sign_out", "object": "leadership", "detail": {}}
    table = audit_table(pd.DataFrame([entry]), words, {}, ZONE)
    about = exports.TableProvenance(words=words, role="auditor", data_version="1", time_zone=ZONE)
    heading, row = exports.to_bytes(table, "csv", about).decode("utf-8-sig").splitlines()
    assert "When (WIB)" in heading and "2026-11-30 00:30:07," in row


def test_a_file_is_named_by_the_day_of_the_place():
    assert (
        exports.file_name("audit", "csv", synthetic=False, on=date(2026, 11, 30))
        == "tepat_audit_20261130.csv"
    )


def test_steps_are_told_by_the_day_of_the_frame_that_the_page_has_moved(place):
    due = {"due_on": "2026-12-01", "student_key": "ab12cd34ef56", "kind": "note", "detail": {}, "owner": "a"}
    rows = pd.DataFrame([due | {"at": NIGHT}])
    shown = steps_table(rows.assign(at=current_session.here(rows["at"])), {}, WORDS[0])
    assert shown["When"].tolist() == ["30 Nov 2026"]


MOMENTS = {"at", "prepared_at", "approved_at", "started_at", "finished_at", "created_at", "registered_at"}
MOMENTS |= {"expires_at", "recorded_at", "last_used_at", "last_sign_in", "scored_at", "begins_at", "seen_at"}
# Hours of the server, which say so.
MACHINE = ("jobs/view/job_start.py", "cases/view/inbox_parts.py", "components/layout.py")

MOVED = ("cases/view/followup_list.py", "students/view/pdf.py")  # rows come to them already on the clock


def shown_raw(source: str) -> list[int]:
    """Lines on which a moment of the store is written as it is stored, or a day is the machine's."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name in ("date.today", "datetime.now"):
            found.append(call.lineno)
        if name not in ("words.day", "words.moment") or not call.args:
            continue
        of = call.args[0]
        last = (
            of.slice.value if isinstance(of, ast.Subscript) and isinstance(of.slice, ast.Constant) else None
        )
        last = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else last
        if last in MOMENTS:
            found.append(call.lineno)
    return found


def test_no_page_writes_a_moment_as_the_store_has_it():
    files = [*ROOT.glob("dashboard/pages/*.py"), *ROOT.glob("dashboard/*/view/*.py")]
    files += ROOT.glob("dashboard/components/*.py")
    assert len(files) > 80
    named = {path.relative_to(ROOT / "dashboard").as_posix(): path for path in files}
    mine = {name: path for name, path in named.items() if not name.startswith((*MACHINE, *MOVED))}
    raw = {name: shown_raw(path.read_text(encoding="utf-8")) for name, path in mine.items()}
    assert {name: lines for name, lines in raw.items() if lines} == {}
