"""The first days of work in a demo: once, under the seats' accounts, and in no store with real people."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from dashboard.jobs.demo_work import SECOND, STEPS, NotADemo, add_demo_work
from dashboard.shell.access import demo_seats, scope_for
from data import queries
from data.calendar.clock import today
from data.store import open_store
from data.synthetic.demo import write_demo
from data.trust import reports_store
from data.trust.accounts import find_account
from data.trust.scope import Scope
from data.verification.queries import decisions, enrolments

SYSTEM = Scope.system()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, sqlite_template):
    """A demo of few students with signatures that can be told apart; nobody has a score."""
    folder = tmp_path_factory.mktemp("drawn")
    shutil.copy(sqlite_template, folder / "tepat.db")
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    write_demo(store, students=60, seed=2)
    yield store
    store.close()


@pytest.fixture
def scored(small_university, tmp_path, monkeypatch):
    """A scored demo in which nobody has logged anything; its scans are noise, so nobody is enrolled."""
    shutil.copytree(small_university.store.folder, tmp_path / "demo")
    with closing(sqlite3.connect(tmp_path / "demo" / "tepat.db")) as database:  # other tests may have logged
        guards = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'case_events'"
        ).fetchall()
        for (name,) in guards:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("DELETE FROM case_events")
        database.commit()
    store = open_store(f"sqlite:///{tmp_path / 'demo' / 'tepat.db'}", folder=tmp_path / "demo")
    nobody = {"enrolled": 0, "left_out": 0}
    monkeypatch.setattr("vision.verification.verification_pipeline.enrol_all", lambda *_, **__: nobody)
    yield store
    store.close()


def test_one_programme_is_enrolled_and_two_signatures_wait_for_the_second_seat(drawn):
    left = add_demo_work(drawn, None)
    code = queries.programs(drawn)["program_code"].iloc[0]
    programme = queries.students(drawn, SYSTEM).set_index("student_key")["program_code"]
    held = enrolments(drawn, SYSTEM)
    assert left.enrolled == len(held) > 0 and set(programme[held["student_key"]]) == {code}

    second = find_account(drawn, SECOND.account)
    assert second in demo_seats(drawn)["registry"]
    waiting = decisions(drawn, scope_for(second), outcome="review", settled=False)
    assert left.reviews == 2 == len(waiting) and waiting["wanted"].all()
    assert sorted(waiting["opinions"]) == [0, 1]

    again = add_demo_work(drawn, None)
    assert (again.enrolled, again.reviews) == (0, 0)
    assert demo_seats(drawn)["registry"].count(second) == 1


def test_every_advisor_has_steps_and_a_report_waits_for_approval_once(scored):
    left = add_demo_work(scored, None)
    steps = [_steps_of(scored, seat) for seat in demo_seats(scored)["advisor"]]
    assert left.steps == sum(steps) > 0
    due = queries.followups_due(scored, SYSTEM, today(scored) + timedelta(days=3))
    assert len(due) == left.steps and set(due["kind"]) == {"contact", "intervention"}
    listed = reports_store.report_list(scored, SYSTEM)
    assert left.reports == 1 and listed["status"].tolist() == ["prepared"]
    assert listed["prepared_by"].tolist() == ["accreditation"]

    again = add_demo_work(scored, None)
    assert (again.steps, again.reports) == (0, 0)


def _steps_of(store, seat) -> int:
    return len(queries.caseload(store, scope_for(seat), "late", limit=len(STEPS)))


def test_real_people_get_no_invented_work(store):
    with pytest.raises(NotADemo):
        add_demo_work(store, None)
    assert find_account(store, SECOND.account) is None and enrolments(store, SYSTEM).empty
