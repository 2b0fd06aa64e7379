"""The walk of a trial: planned, approved by a second person, drawn, offered by advisors, stopped."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from dashboard.shell.wording import Words
from data import queries, schema
from data.calendar.clock import today
from data.engine.bulk import fetch
from data.store import open_store
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope

EN, SYSTEM = Words("en"), Scope.system()
DEAN, SECOND = Account("dekan", "Dekan", "leadership"), Account("wadek", "Wakil", "leadership")


@pytest.fixture
def own(small_university, tmp_path, served):
    """A copy of the small university that the page writes to."""
    with small_university.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(small_university.store.folder, tmp_path / "site")
    store = open_store(folder=tmp_path / "site")
    served(store)
    yield store
    store.close()


def planned(page, title="Talks in autumn", sure=True):
    """Fill in the plan and register it: lists of programmes, the line after place 6."""
    page.selectbox(key="trial-lists").set_value("program").run()
    page.number_input(key="trial-capacity").set_value(6).run()
    next(one for one in page.text_input if one.key.startswith("trial-title-")).set_value(title)
    if sure:
        next(one for one in page.checkbox if one.key.startswith("trial-sure-")).check()
    register = next(one for one in page.button if one.label == page_words(page)("trial.register"))
    return register.click().run()


def page_words(page) -> Words:
    return Words(page.session_state["language"])


def step_button(page, step: str, trial_id: str):
    return next((one for one in page.button if one.key == f"trial-{step}-{trial_id}"), None)


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_trial_goes_from_plan_to_offers(own, screen, language):
    words = Words(language)
    page = screen.drawn("trial", DEAN, language)
    assert not page.exception and words("trial.none_title") in screen.texts(page)
    page = planned(page, sure=False)
    assert words("trial.needs_title") in [one.value for one in page.warning]
    assert queries.trials(own, SYSTEM) == []
    page = planned(page)
    assert not page.exception and words("trial.done_register") in screen.texts(page)
    (trial,) = queries.trials(own, SYSTEM)
    assert (trial.registered_by, trial.state) == ("dekan", "registered")
    assert trial.protocol.lists == "program" and trial.protocol.capacity == 6
    assert step_button(page, "approve", trial.trial_id) is None
    assert page.text_input(key="trial-title-1").value == "" and not page.checkbox(key="trial-sure-1").value
    assert words("trial.waits_for_another") in screen.texts(page)

    page = screen.drawn("trial", SECOND, language)
    step_button(page, "approve", trial.trial_id).click().run()
    assert queries.trials(own, SYSTEM)[0].approved_by == "wadek"
    page = screen.drawn("trial", DEAN, language)
    page = step_button(page, "draw", trial.trial_id).click().run()
    assert not page.exception and words("trial.done_draw") in screen.texts(page)
    (trial,) = queries.trials(own, SYSTEM)
    assert trial.drawn_into("offered") == trial.drawn_into("usual") > 0
    assert words("trial.state_drawn") in screen.texts(page)
    assert step_button(page, "read", trial.trial_id) is None

    lots = schema.trial_students
    with own.reading() as connection:
        drawn = connection.execute(select(lots.c.student_key, lots.c.arm)).all()
        numbers = set(fetch(connection, select(schema.identities))["student_number"])
        advisors = dict(
            tuple(row)
            for row in connection.execute(select(schema.students.c.student_key, schema.students.c.advisor))
        )
    shown = screen.texts(page)
    assert not [key for key, _ in drawn if key in shown] and not [one for one in numbers if one in shown]
    offered = next(key for key, arm in drawn if arm == "offered")
    usual = next(key for key, arm in drawn if arm == "usual")
    advisor = Account(advisors[offered], "Somebody", "advisor")
    page = screen.drawn("caseload", advisor, language)
    assert not page.exception and words("offers.lead") in screen.texts(page)
    page = screen.drawn("student", advisor, language, key=offered)
    line = words("offers.line", day="|").partition("|")[0]
    assert not page.exception and line in screen.texts(page)
    page = screen.drawn("student", Account(advisors[usual], "Somebody", "advisor"), language, key=usual)
    assert not page.exception and line not in screen.texts(page)
    acts = audit.entries(own)["action"].tolist()
    assert {"register trial", "approve trial", "draw trial"} <= set(acts)


def test_a_trial_is_stopped_with_a_reason(own, screen):
    page = planned(screen.drawn("trial", DEAN))
    (trial,) = queries.trials(own, SYSTEM)
    page.text_input(key="trial-reason-text").set_value("no **time**").run()
    step_button(page, "stop", trial.trial_id).click().run()
    (trial,) = queries.trials(own, SYSTEM)
    assert trial.state == "stopped"
    told = screen.texts(screen.drawn("trial", SECOND))
    assert EN("trial.state_stopped") in told and r"no \*\*time\*\*" in told


def test_the_planned_number_follows_the_calculator(own, screen):
    page = screen.drawn("trial", DEAN)
    assert page.number_input(key="trial-planned-2502").value == 2502
    page.text_input(key="trial-difference").set_value("10,0").run()
    assert page.number_input(key="trial-planned-588").value == 588
    page.text_input(key="trial-base").set_value("4").run()  # less than the fall
    assert not page.exception and "between 0.5 and 4" in page.error[0].value
    page.text_input(key="trial-difference").set_value("3.5").run()
    assert not page.error and any(one.key.startswith("trial-planned-") for one in page.number_input)


def test_a_refusal_is_said_in_words(own, screen, monkeypatch):
    page = planned(screen.drawn("trial", DEAN))
    (trial,) = queries.trials(own, SYSTEM)
    page = screen.drawn("trial", SECOND)
    from dashboard.cases import trials

    trials.take(own, SECOND, "approve", trial, on=today(own))  # meanwhile, elsewhere
    page = step_button(page, "approve", trial.trial_id).click().run()
    assert EN("trial.refused_decided") in [one.value for one in page.error]


def test_a_head_of_one_programme_plans_for_that_one_and_sees_no_other(own, screen):
    codes = sorted(queries.programs(own)["program_code"])
    planned(screen.drawn("trial", DEAN), title="Whole")
    head = Account("kaprodi", "Kaprodi", "leadership", (codes[0],))
    page = screen.drawn("trial", head)
    assert "Whole" not in screen.texts(page)
    assert len(page.selectbox(key="trial-program").options) == 1
    planned(page, title="Mine")
    mine = [one for one in queries.trials(own, SYSTEM) if one.protocol.title == "Mine"]
    assert mine[0].protocol.program_code == codes[0]


@pytest.mark.parametrize("language", ["en", "id"])
def test_leadership_finds_a_colleagues_trial_among_what_waits(own, screen, language):
    planned(screen.drawn("trial", DEAN, language), title="Talks for all")
    waits = screen.texts(screen.drawn("inbox", SECOND, language))
    assert Words(language)("inbox.title_trials") in waits
    assert Words(language)("inbox.title_trials") not in screen.texts(screen.drawn("inbox", DEAN, language))
