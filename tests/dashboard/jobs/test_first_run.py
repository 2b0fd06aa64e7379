"""From an empty store to colleagues at work: every step with its state, and who waits behind whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from dashboard.jobs import asking as jobs
from dashboard.jobs import worker_child
from dashboard.jobs.first_run import FIRST_STEPS, first_steps
from dashboard.jobs.words import waiting_words
from dashboard.shell.wording import Words
from data import queries
from data.jobs import table
from data.records.frames import RecordFrames
from data.store import save_model, write_records
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope

EN, ID = Words("en"), Words("id")
ADMIN, LEADER = Account("administrator", "A", "administrator"), Account("rector", "R", "leadership")
REGISTRY = Account("petugas", "P", "registry")
PASSWORD = "rumah gadang 7 lantai"


def states(store) -> dict[str, str]:
    return {step.name: step.state for step in first_steps(store)}


def test_an_empty_store_has_steps_to_take_and_says_what_waits_for_it(store, served, screen):
    served(store)
    expected = ("open", "open", "later", "later", "later", "open")
    assert states(store) == dict(zip(FIRST_STEPS, expected, strict=True))
    for words in (EN, ID):
        for page in ("overview", "jobs", "model"):
            at = screen.drawn(page, ADMIN, words.language)
            told = screen.texts(at)
            assert not at.exception and words("begin.title", done=0, all=6) in told
            assert words("steps.import_help") in told and words("begin.accounts_help") in told
            assert not [one for one in at.button if str(one.key).startswith("step-")]  # nothing to train on


def test_after_an_import_training_has_its_button_for_an_administrator_and_for_nobody_else(
    small_register, served, screen
):
    store = small_register.store
    served(store)
    assert states(store)["import"] == "done" and states(store)["train"] == "open"
    assert states(store)["score"] == "later"
    assert states(store)["embed"] == "none"  # no signature came with it: nothing was read
    assert EN("begin.state_none") in screen.texts(screen.drawn("jobs", REGISTRY))
    steps = {step.name: step.n for step in first_steps(store)}
    counted = queries.kpi_counts(store, Scope.system())
    assert steps["import"] == counted["students"]
    assert steps["train"] == counted["students"] - counted["enrolled"]
    assert [one.key for one in screen.drawn("jobs", ADMIN).button if "step-" in str(one.key)] == [
        "step-jobs-train"
    ]
    others = screen.drawn("jobs", REGISTRY)
    assert not [one for one in others.button if "step-" in str(one.key)]
    assert EN("begin.administrator") in screen.texts(others)


def test_a_register_without_any_exit_lacks_part_of_its_import(store, served, screen):
    students = {
        "student_number": ["1", "2"],
        "program_code": "IF",
        "cohort_term": 20231,
        "degree_level": "S1",
    }
    write_records(store, RecordFrames(students=pd.DataFrame(students)), source="t", files={}, actor="t")
    served(store)
    assert states(store)["import"] == "open" and states(store)["train"] == "later"
    at = screen.drawn("jobs", ADMIN)
    assert EN("begin.import_exits", students="2 students") in screen.texts(at)
    assert not [one for one in at.button if str(one.key).startswith("step-")]
    exits = {"student_number": ["1"], "exit_type": ["resigned"], "observed_until": ["2024-08-31"]}
    write_records(store, RecordFrames(outcomes=pd.DataFrame(exits)), source="t", files={}, actor="t")
    assert states(store)["import"] == "done" and states(store)["train"] == "open"


def test_a_step_behind_a_job_of_another_role_says_behind_how_many_and_what_is_done_now(
    small_register, served, screen
):
    store = small_register.store
    served(store)
    jobs.start(store, REGISTRY, "duplicates")
    running = table.take(store, "a")
    at = screen.drawn("jobs", ADMIN)
    at.button(key="step-jobs-train").click().run()
    assert states(store)["train"] == "under_way"
    told = screen.texts(at)
    assert EN("jobs.behind", jobs="1 job") in told and EN("job_kind.duplicates") in told
    assert REGISTRY.account not in told
    (mine,) = (job for job in table.open_jobs(store) if job.kind == "train")
    assert [job.job_id for job in table.ahead_of(store, mine.job_id)] == [running.job_id]
    assert table.ahead_of(store, running.job_id) == table.ahead_of(store, "none") == []


def test_work_of_tonight_is_not_before_anybody(store):
    tonight = (datetime.now(UTC) + timedelta(hours=5)).replace(tzinfo=None).isoformat()
    about = {"actor": "a", "role": "administrator"}
    table.enqueue(store, "retention", {"not_before": tonight}, **about)
    wanted = table.enqueue(store, "score", {}, **about)
    assert table.ahead_of(store, wanted) == []
    assert waiting_words([], EN, str) == EN("job_status.waiting")
    ahead = [table.find(store, wanted)]
    assert waiting_words(ahead * 2, EN, str) == "waiting behind 2 jobs"
    begun = replace(ahead[0], status="running", started_at=datetime(2026, 1, 2, 3, 4))
    assert waiting_words([begun], ID, lambda moment: f"{moment:%H.%M}").endswith("sejak 03.04")


def test_a_training_that_found_too_little_stays_open_and_says_what_is_missing(small_register, served, screen):
    store = small_register.store
    served(store)
    jobs.start(store, ADMIN, "train")
    worker_child.do(store, table.take(store, "a"))
    assert states(store)["train"] == "failed"
    told = screen.texts(screen.drawn("jobs", ADMIN))
    assert EN("job_problem.not_trainable") in told and "2 of 7" in told


def test_the_list_goes_when_a_model_is_in_service_and_a_colleague_can_sign_in(small_register, served, screen):
    store = small_register.store
    served(store)
    save_model(store, "m1", "m1", {}, "served")
    write_accounts(store, [Account("kepala", "K", "administrator", password=PASSWORD)])
    assert states(store)["accounts"] == "open" and states(store)["train"] == "done"
    write_accounts(store, [Account("petugas", "P", "registry", password=PASSWORD)])
    assert first_steps(store) == []
    assert EN("steps.title") in " ".join(str(one.value) for one in screen.drawn("jobs", ADMIN).markdown)
