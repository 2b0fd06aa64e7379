"""The command line about models in service, on a store with a served model and a candidate."""

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.registers import make_register
from data import queries
from data.settings import get_settings
from data.store import RecordFrames, open_store, write_records
from data.trust import audit
from fusion import pipeline
from fusion.__main__ import app
from fusion.model.booster import TreeSettings


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    """Folder of a store with two models, and their versions: the served one, then the candidate."""
    folder = tmp_path_factory.mktemp("commands")
    store = open_store(folder=folder)
    register = make_register(200, np.random.default_rng(9), signed=0)
    frames = RecordFrames(
        programs=register.programs.assign(name=register.programs["program_code"]),
        **{
            name: getattr(register, name).rename(columns={"student_key": "student_number"})
            for name in ("students", "terms", "outcomes")
        },
    )
    write_records(store, frames, source="simulated.csv", files={}, actor="test", synthetic=True)
    versions = [
        pipeline.train(store, settings=TreeSettings(rounds=rounds), draws=20).model.version
        for rounds in (12, 3)
    ]
    store.close()
    return folder, *versions


@pytest.fixture
def run(trained_folder, monkeypatch):
    """Runs ``python -m fusion …`` in this process; gives exit code and output."""
    monkeypatch.setenv("TEPAT_FOLDER", str(trained_folder[0]))
    monkeypatch.setenv("DATABASE_URL", "")
    get_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(app, list(words))
    get_settings.cache_clear()


def served(folder):
    store = open_store(folder=folder)
    try:
        return queries.served_model(store), audit.entries(store)
    finally:
        store.close()


def test_the_card_and_the_fairness_report_are_written_by_one_command(run, tmp_path, trained_folder):
    result = run("card", "--out", str(tmp_path / "cards"))
    assert result.exit_code == 0, result.output
    card = (tmp_path / "cards" / "model-card.md").read_text(encoding="utf-8")
    report = (tmp_path / "cards" / "fairness-report.md").read_text(encoding="utf-8")
    assert trained_folder[1] in card and "too few to tell" in card
    assert trained_folder[1] in report and "| sex | L |" in report


def test_a_candidate_is_compared_approved_and_rolled_back(run, trained_folder):
    folder, first, second = trained_folder
    versus = run("versus", second)
    assert versus.exit_code == 0 and "late roc_auc" in versus.output and second in versus.output
    approved = run("approve", second, "--reason", "fewer trees", "--actor", "sari")
    assert approved.exit_code == 0, approved.output
    model, log = served(folder)
    assert model.version == second
    assert (log.iloc[0]["actor"], log.iloc[0]["action"]) == ("sari", "model.approve")
    back = run("roll-back", "--reason", "advisors asked")
    assert back.exit_code == 0 and first in back.output
    assert served(folder)[0].version == first


def test_a_model_is_served_without_signatures_under_a_name_of_its_own(run, trained_folder):
    folder, first, _ = trained_folder
    done = run("records-only", "--reason", "signatures add nothing")
    assert done.exit_code == 0 and f"{first}-records" in done.output
    scored = run("score")
    assert scored.exit_code == 0 and "new scores" in scored.output
    assert run("roll-back", "--reason", "as before").exit_code == 0
    assert served(folder)[0].version == first


def test_drift_is_told_in_words(run, trained_folder):
    result = run("drift", "--model", trained_folder[2])
    assert result.exit_code == 0, result.output
    assert "Young cohorts" in result.output and "too few students to tell" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "risk-none", "--reason", "why not"),
        ("approve", "", "--reason", "why not"),
        ("versus", "risk-none"),
        ("card", "--model", "risk-none"),
        ("drift", "--model", "risk-none"),
    ],
)
def test_an_unknown_model_is_named_in_an_error_and_nothing_happens(run, trained_folder, words):
    result = run(*words)
    assert result.exit_code == 2 and "error: no model" in result.output
    assert served(trained_folder[0])[0].version == trained_folder[1]


@pytest.mark.parametrize("command", ["train", "evaluate", "compare"])
def test_a_store_with_nothing_to_learn_from_is_refused_with_an_exit_code_of_its_own(
    tmp_path, monkeypatch, command
):
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    get_settings.cache_clear()
    store = open_store(folder=tmp_path)
    register = make_register(20, np.random.default_rng(9), signed=0)
    students = register.students.rename(columns={"student_key": "student_number"})
    programs = register.programs.assign(name=register.programs["program_code"])
    frames = RecordFrames(programs=programs, students=students)
    write_records(store, frames, source="x", files={}, actor="test", synthetic=True)
    store.close()
    result = CliRunner().invoke(app, [command, *(["--serve"] if command == "train" else [])])
    get_settings.cache_clear()
    assert result.exit_code == 3 and isinstance(result.exception, SystemExit)
    assert "nothing can be learned from this register yet" in result.output
    assert "no term and no outcome" in result.output and "credits-and-GPA rule" in result.output


def test_controls_need_signatures_and_a_reason_is_asked_for(run, trained_folder):
    assert "nothing to control" in run("controls").output
    assert run("approve", trained_folder[2], "--reason", "  ").exit_code == 2
    assert run("approve", trained_folder[2]).exit_code == 2
