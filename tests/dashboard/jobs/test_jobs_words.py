"""Jobs in words: steps, endings, durations, the history."""

from __future__ import annotations

from datetime import datetime

import pytest

from dashboard.jobs.words import (
    duration,
    duration_words,
    history_table,
    outcome_words,
    progress_words,
    rough_words,
    step_words,
)
from dashboard.shell.wording import Words
from data.jobs.live import JobProgress
from data.jobs.table import Job
from vision.search.duplicate_search import COMPARING_HANDS, COMPARING_IMAGES, READING

EN, ID = Words("en"), Words("id")


@pytest.mark.parametrize("words", [EN, ID])
def test_steps_and_endings_have_words_in_both_languages(words):
    assert step_words("scoring as of 3 terms", words) == words("job_step.scoring_as_of_n_terms", n=3)
    for step in (READING, COMPARING_IMAGES, COMPARING_HANDS):
        assert step_words(step, words) != step
    assert step_words("polishing the chrome", words) == "polishing the chrome"
    assert step_words(None, words) == ""
    line = progress_words(JobProgress(40, 1200, "embedding specimens"), words)
    assert line.startswith(words("job_step.embedding_specimens")) and words.number(1200) in line
    more = progress_words(JobProgress(40, 1200, "embedding specimens", left=130.0), words)
    assert more.startswith(line) and words("jobs.whole_minutes", m=3) in more
    for told in (JobProgress(1200, 1200, "x", left=0.0), JobProgress(1200, 1200, "x", left=3.0)):
        assert progress_words(told, words) == words("jobs.progress", step="x", done=1200, total=1200)
    assert progress_words(JobProgress(0, 0, "starting"), words) == words("job_step.starting")


AT = datetime(2026, 1, 5, 10, 0, 0)


def ended_job(kind="score", status="done", **about) -> Job:
    times = {"created_at": AT, "started_at": AT, "finished_at": AT.replace(minute=3, second=5)}
    return Job("0" * 32, kind, status, {}, "admin", "administrator", **times, **about)


def test_a_job_lasts_from_its_start_to_its_end_or_until_now():
    assert duration(ended_job()) == 185.0
    open_job = Job("0" * 32, "score", "running", {}, "a", "b", created_at=AT, started_at=AT)
    assert duration(open_job, AT.replace(second=9)) == 9.0
    assert duration(Job("0" * 32, "score", "waiting", {}, "a", "b", created_at=AT)) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (1.26, "1.3 s"), (59.0, "59 s"), (185, "3 min 5 s"), (7260, "2 h 1 min")],
)
def test_durations_are_written_in_the_largest_two_units(seconds, text):
    assert duration_words(seconds, EN) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "10 s"),
        (41, "50 s"),
        (90, "90 s"),
        (91, "2 min"),
        (5400, "90 min"),
        (5401, "1 h 40 min"),
        (7150, "2 h 0 min"),
    ],
)
def test_an_estimate_is_told_no_finer_than_it_can_be_known(seconds, text):
    assert rough_words(seconds, EN) == text


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (ended_job(result={"scores": 1200}), "1,200 new scores."),
        (ended_job("train", result={"model": "m1", "new": True, "served": False}), "Model m1 is a candidate"),
        (ended_job("train", result={"model": "m1", "new": True, "served": True}), "Model m1 is in service."),
        (
            ended_job(
                "import", result={"import_id": "i", "counts": {"terms": {"new": 1, "changed": 2, "same": 3}}}
            ),
            "1 row is new, 2 changed, 3 stayed as they were.",
        ),
        (
            ended_job("import", result={"counts": {"terms": {"new": 5}}, "refused": 2}),
            "5 rows are new, 0 changed, 0 stayed as they were. 2 rows that break a rule were left out",
        ),
        (
            ended_job("import", result={"counts": {"terms": {"new": 5}}, "refused": 1}),
            "5 rows are new, 0 changed, 0 stayed as they were. 1 row that breaks a rule was left out",
        ),
        (ended_job(status="failed", problem="no_model"), "No model is in service."),
        (ended_job(status="cancelled"), "Stopped by somebody"),
        (ended_job(status="running"), ""),
    ],
)
def test_an_outcome_is_a_sentence(job, text):
    assert outcome_words(job, EN).startswith(text)


def test_the_history_has_a_row_per_job_and_none_is_none():
    shown = history_table([ended_job(result={"scores": 1})], EN)
    assert shown.iloc[0][EN("column.duration")] == "3 min 5 s"
    assert shown.iloc[0][EN("column.job")] == EN("job_kind.score")
    assert history_table([], EN).empty
