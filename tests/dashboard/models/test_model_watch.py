"""Drift, probes and the registry as the model page shows them, and the decision made there."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.charts.model import precision_recall
from dashboard.models import watch as model_watch
from dashboard.models.fitness_words import told
from dashboard.shell import access
from dashboard.shell.wording import Words
from data import queries
from data.store import save_model
from data.trust.accounts import Account
from fusion.metrics import Estimate
from fusion.model.manifest import Manifest, write_manifest
from fusion.model.watched import FEATURE, SIGN_KINDS, Moved, Probe, Recalibrated, Sign, Watch
from fusion.service.serving import Doubted, NotServable
from fusion.service.sources import load_model, registered_models, served_model

EN = Words("en")
MONITOR = Watch(
    taught_until=date(2024, 8, 31),
    taught=300,
    later=200,
    trusted=False,
    signs=(
        Sign("exits", "", 0.0004, 0.01, True, seen=30, expected=12),
        Sign("feature", "gpa_last", 0.1, 0.25, False),
        Sign("embeddings", "old_or_new", 0.52, 0.7, False),
    ),
    probes=(Probe("sex", 150, 2, Estimate(0.51, 0.44, 0.58), 0.5, False),),
)
WATCHED, NOTHING = Manifest(monitor=MONITOR), Manifest()


def test_the_four_sentences_about_young_cohorts():
    assert model_watch.trust(NOTHING) == "unwatched"
    assert model_watch.trust(WATCHED) == "untrusted"
    quiet = replace(MONITOR, trusted=True)
    assert model_watch.trust(Manifest(monitor=quiet)) == "trusted"
    assert model_watch.trust(Manifest(monitor=replace(quiet, enough=False))) == "few"


def test_signs_and_probes_are_told_in_words():
    signs = model_watch.signs_table(WATCHED, EN)
    assert signs.iloc[0].tolist() == ["Early drop-out", "30 seen, 12 expected", "0.000", "0.010", "yes"]
    assert signs.iloc[1, 1] == EN("feature.gpa_last") and signs.iloc[2, 1] == "Old or new, told apart"
    probes = model_watch.probe_table(WATCHED, EN)
    assert probes.iloc[0].tolist() == ["Sex", "150", "51% (44% – 58%)", "50%", "no"]
    assert model_watch.probe_table(NOTHING, EN).empty


def test_every_kind_of_sign_has_a_name_in_both_languages():
    assert all(words.has(f"drift_kind.{kind}") for kind in SIGN_KINDS for words in (EN, Words("id")))


def test_a_move_of_the_level_is_told_only_when_there_was_one():
    moved = Moved(80, 0.3, 0.4, 0.44)
    targets = {"late": moved, "dropout": replace(moved, step=0.0)}
    manifest = Manifest(recalibrated=Recalibrated(date(2025, 1, 1), targets))
    assert model_watch.recalibrated(manifest, "late") == moved
    assert model_watch.recalibrated(manifest, "dropout") is None
    assert model_watch.recalibrated(NOTHING, "late") is None


def test_the_registry_lists_models_newest_first_with_their_own_figures(store):
    figures = {"roc_auc": [0.8, 0.75, 0.85], "precision_at_20": [0.6, 0.5, 0.7]}
    judged = {"assessment": {"evaluations": {"late": {"fused": {"figures": figures}}}}}
    served = {"served": [{"at": "2025-01-01T08:00:00+00:00", "actor": "sari", "reason": "first"}]}
    save_model(store, "risk-old", "risk-old", judged | served, "served")
    save_model(store, "risk-new", "risk-new", {})
    models = registered_models(store)
    table = model_watch.registry_table(models, EN)
    assert table.iloc[:, 0].tolist() == ["risk-new", "risk-old"]
    assert table.iloc[1, 1] == "In service"
    assert table.iloc[1].tolist()[3:5] == ["0.800 (0.750 – 0.850)", "–"]
    assert table.iloc[1].tolist()[-2:] == ["sari", "first"]
    assert model_watch.candidates(models, "risk-old") == ["risk-new"]


def test_precision_and_recall_are_drawn_per_arm():
    frame = pd.DataFrame(
        {"arm": ["fused", "fused"], "share": [0.5, 1.0], "precision": [0.8, 0.4], "recall": [1.0, 1.0]}
    )
    chart = precision_recall(frame, {"fused": "Model"}, EN)
    assert list(chart.figure.data[0].x) == [1.0, 1.0] and chart.figure.data[0].name == "Model"
    assert chart.table.iloc[0].tolist() == ["Model", "50%", "80%", "100%"]


def test_only_the_administrator_decides_about_models():
    assert access.may("administrator", "decide model")
    assert not any(access.may(role, "decide model") for role in ("leadership", "advisor", "auditor"))


@pytest.fixture
def decided(university, screen):
    """The model page of the administrator with the decision opened."""

    def choose(act):
        at = screen.drawn("model", Account("administrator", "Somebody", "administrator"))
        at.button_group(key="model-act").select(act).run()
        return at

    return choose


def pressed(at):
    next(button for button in at.button if button.label == EN("model_registry.decide")).click().run()
    return at


def test_a_decision_needs_a_reason_and_a_confirmation(decided, university, screen):
    at = pressed(decided("records_only"))
    assert [warning.value for warning in at.warning] == [EN("model_registry.needs_reason")]
    shown = screen.texts(screen.drawn("model", screen.person(university, "leadership")))
    assert EN("model_registry.title") in shown and EN("model_watch.title") in shown
    assert EN("model_registry.needs_reason") not in shown


def test_a_decision_is_asked_for_as_a_job_and_the_present_model_stays_meanwhile(decided, monkeypatch):
    from dashboard.jobs import asking as jobs

    asked = []
    monkeypatch.setattr(jobs, "start", lambda store, person, kind, **more: asked.append((kind, more)) or "j1")
    at = decided("records_only")
    at.text_input(key="model-decision-text").set_value("  signatures add nothing ")
    at.checkbox(key="model-decision-sure").check()
    at = pressed(at)
    assert not at.exception
    assert asked == [("serve", {"act": "records_only", "reason": "signatures add nothing"})]


@pytest.mark.parametrize(
    ("act", "step", "more"),
    [
        ("approve", "approve", {"model": "risk-b"}),
        ("roll_back", "serve_again", {"model": "risk-b"}),
        ("records_only", "serve_records_only", {}),
    ],
)
def test_the_job_decides_in_the_name_of_whoever_asked_for_it(act, step, more, monkeypatch):
    from dashboard.jobs.asking import Task
    from dashboard.jobs.kinds import serve
    from fusion.service import registry

    calls = []

    def decide(store, *version, actor, role, reason, progress):
        progress(0, 10, "scoring as of 0 terms")
        calls.append((*version, actor, role, reason))
        return "risk-b"

    monkeypatch.setattr(registry, step, decide)
    job = SimpleNamespace(actor="sari", role="administrator", arguments={"act": act, "reason": "why", **more})
    told = []
    assert serve(Task(None, job, lambda *step: told.append(step))) == {"model": "risk-b"}
    assert calls == [(*more.values(), "sari", "administrator", "why")]
    assert told == [(0, 10, "scoring as of 0 terms")]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (LookupError("no model"), "model_gone"),
        (NotServable("too small"), "not_servable"),
        (Doubted("exchanged"), "doubted"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused_in_words(raised, code, monkeypatch):
    from dashboard.jobs.asking import Refused, Task
    from dashboard.jobs.kinds import serve
    from fusion.service import registry

    def decide(*_, **__):
        raise raised

    monkeypatch.setattr(registry, "approve", decide)
    arguments = {"act": "approve", "model": "risk-b", "reason": "why"}
    job = SimpleNamespace(actor="sari", role="administrator", arguments=arguments)
    with pytest.raises(Refused) as refusal:
        serve(Task(None, job, lambda *_: None))
    assert refusal.value.code == code and EN.has(f"job_problem.{code}")


def test_a_model_whose_register_looked_wrong_asks_for_a_look(decided, university, monkeypatch):
    from dashboard.jobs import asking as jobs

    served = served_model(university.store)
    taught = replace(served.manifest.trained_on, doubts=("exits_turned",))
    doubted = replace(served.manifest, version="risk-doubted", trained_on=taught, served=())
    save_model(university.store, "risk-doubted", served.folder, write_manifest(doubted))
    asked = []
    monkeypatch.setattr(jobs, "start", lambda store, person, kind, **more: asked.append((kind, more)) or "j1")
    at = decided("approve")
    assert any("risk-doubted" in warning.value for warning in at.warning)
    at.text_input(key="model-decision-text").set_value("the office looked")
    at.checkbox(key="model-decision-sure").check()
    at = pressed(at)
    assert EN("model_registry.needs_look") in [warning.value for warning in at.warning] and not asked
    at.checkbox(key="model-decision-looked").check()
    assert not pressed(at).exception
    wanted = {"act": "approve", "reason": "the office looked", "model": "risk-doubted", "confirmed": True}
    assert asked == [("serve", wanted)]
    assert (False, EN("fitness.exits_turned")) in told(doubted, EN)


def test_a_roll_back_without_an_earlier_model_says_so(decided):
    at = decided("roll_back")
    at.text_input(key="model-decision-text").set_value("as before")
    at.checkbox(key="model-decision-sure").check()
    assert [error.value for error in pressed(at).error] == [EN("model_registry.failed_roll_back")]


def test_routes_that_the_demo_renames_are_no_drift_and_the_record_keeps_its_word(small_university):
    said = queries.records_until(small_university.store).students["admission_path"]
    assert {"SNMPTN", "SNBP", "SBMPTN", "SNBT"} <= set(said)
    watch = served_model(small_university.store).manifest.monitor
    signs = {sign.name: sign for sign in watch.signs if sign.kind == FEATURE}
    assert signs["admission_path"].value < signs["admission_path"].limit
    assert not signs["admission_path"].alarm and not signs["funding_at_entry"].alarm
    learned = load_model(small_university.store).encoder.categories
    assert {"SNBP/SNMPTN", "SNBT/SBMPTN", "Mandiri"} == set(learned["admission_path"])
    assert not {"Bidikmisi", "KIP-Kuliah"} & set(learned["funding_at_entry"])
