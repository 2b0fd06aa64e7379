"""The steps between store and model, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks.registers import make_register
from data import queries
from data.signatures.write import NewSpecimen
from data.store import (
    EncoderInfo,
    RecordFrames,
    get_fact,
    save_model,
    write_consents,
    write_embeddings,
    write_records,
    write_specimens,
)
from data.trust import audit
from data.trust.scope import Scope
from fusion import pipeline
from fusion.explanation.explain import explain_score
from fusion.explanation.overlay import signature_margin
from fusion.features.splits import drawn_by_lot, mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.manifest import write_manifest
from fusion.model.model_files import ModelFileError
from fusion.service import registry, scoring
from fusion.service.cards import model_card
from fusion.service.serving import Doubted, NotServable
from fusion.service.sources import served_model
from fusion.validation.fitness import weigh

SMALL = TreeSettings(rounds=30)
QUICK = {"settings": SMALL, "draws": 20}
ENCODER = EncoderInfo("sim", "1", "0" * 64, "simulated", 33)


def fill(store, count=260, signed=0.7):
    """A simulated register with embeddings in the store; returns the register."""
    register = make_register(count, np.random.default_rng(5), dim=32, signed=signed)
    write_register(store, register)
    if signed:
        _sign(store, register)
    return register


def write_register(store, register) -> None:
    number = dict.fromkeys(register.students["student_key"])
    frames = RecordFrames(
        programs=register.programs.assign(name=register.programs["program_code"]),
        **{
            name: getattr(register, name).rename(columns={"student_key": "student_number"})
            for name in ("students", "terms", "outcomes")
        },
    )
    write_records(
        store,
        frames,
        source="simulated.csv",
        files={},
        actor="test",
        synthetic=True,
        student_keys={key: key for key in number},
    )


def _sign(store, register):
    first = register.specimens.drop_duplicates("student_key")
    specimens = [
        NewSpecimen(key, f"image of {key}".encode(), day.date(), "enrollment", "png", 10, 10)
        for key, day in zip(first["student_key"], first["captured_on"], strict=True)
    ]
    write_specimens(store, specimens, source="signatures.zip", actor="test")
    consent = pd.DataFrame({"student_key": first["student_key"], "purpose": "outcome_model", "granted": True})
    consent.loc[consent.index[:10], "granted"] = False
    consent = consent.assign(text_version="1", recorded_by="test")
    write_consents(store, consent)
    listed = queries.specimens_without_embedding(store, "sim@1")
    place = dict(zip(first["student_key"], first.index, strict=True))
    vectors = register.vectors[[place[key] for key in listed["student_key"]]]
    write_embeddings(store, ENCODER, list(listed["specimen_id"]), vectors)


@pytest.fixture
def filled(store):
    fill(store)
    return store


def all_scores(store, version):
    return pd.concat([queries.scores(store, version, target) for target in ("late", "dropout")])


def test_from_register_to_scores_with_explanations(filled):
    trained = pipeline.train(filled, **QUICK)
    assert trained.new and trained.served  # the first model of a store is served
    assert trained.model.manifest.encoder_id == "sim@1"
    assert trained.model.manifest.monitor.taught == len(mature_labels(queries.records_until(filled)))
    written = trained.scores  # and it is scored before it is served
    assert pipeline.score(filled) == 0
    watched = served_model(filled).manifest.monitor
    assert watched.signs and watched.trusted in (True, False)
    scores = all_scores(filled, trained.model.version)
    assert len(scores) == written > 0
    gone = queries.outcomes(filled).dropna(subset="exit_type")["student_key"]
    assert not scores["student_key"].isin(set(gone)).any()
    consenting = queries.consents_now(filled, "outcome_model").query("granted")["student_key"]
    fused = scores.loc[scores["modality"] == "fused", "student_key"]
    assert len(fused) and set(fused) <= set(consenting)
    row = scores[scores["modality"] == "fused"].iloc[0]
    stored = queries.explanation(filled, Scope.system(), row["score_id"])
    model = pipeline.load_model(filled)
    explanation = explain_score(
        model, row["target"], stored.phi, stored.inputs, stored.base_value, row["modality"]
    )
    assert explanation.margin == pytest.approx(row["margin"], abs=1e-5)
    as_of = int(stored.score["as_of_index"])
    margin = signature_margin(model, row["target"], as_of)(np.eye(33, dtype=np.float32)[:3])
    assert margin.shape == (3,) and np.isfinite(margin).all()


def test_training_and_scoring_again_changes_nothing(filled):
    first = pipeline.train(filled, **QUICK)
    pipeline.score(filled)
    before = all_scores(filled, first.model.version)
    again = pipeline.train(filled, **QUICK)
    assert not again.new and again.model.version == first.model.version
    assert pipeline.score(filled) == 0
    pd.testing.assert_frame_equal(before, all_scores(filled, first.model.version))
    other = pipeline.train(filled, **QUICK, seed=1)
    assert other.new and not other.served and other.model.version != first.model.version
    assert queries.served_model(filled).version == first.model.version


def test_a_withdrawn_consent_takes_the_signature_out_of_every_score_at_once(filled):
    version = pipeline.train(filled, **QUICK).model.version
    pipeline.score(filled)
    before = all_scores(filled, version)
    key = before.loc[before["modality"] == "fused", "student_key"].iloc[0]
    refusal = {"student_key": [key], "purpose": ["outcome_model"], "granted": [False]}
    write_consents(filled, pd.DataFrame(refusal))
    after = all_scores(filled, version).query("student_key == @key")
    assert "fused" not in set(after["modality"])  # what a page could show is gone before the next scoring
    assert key not in set(queries.caseload(filled, Scope.system(), "late", 500)["student_key"])
    assert pipeline.score(filled) > 0
    again = all_scores(filled, version)
    assert set(again.query("student_key == @key")["modality"]) == {"records"}
    assert len(again) == len(before)
    others = ["student_key", "as_of_index", "target", "margin"]
    same = before.query("student_key != @key")[others].merge(again[others], how="inner")
    assert len(same) == len(before.query("student_key != @key"))


def test_a_register_without_embeddings_is_scored_from_records(store):
    fill(store, 200, signed=0)
    trained = pipeline.train(store, **QUICK)
    assert trained.model.manifest.encoder_id is None
    assert trained.scores > 0
    assert set(all_scores(store, trained.model.version)["modality"]) == {"records"}


def test_a_model_file_changed_after_training_stops_the_scoring(filled):
    trained = pipeline.train(filled, **QUICK)
    path = filled.models_folder / trained.model.version / "model.json"
    path.write_text(path.read_text().replace('"slope"', '"slop"') + " ")
    with pytest.raises(ModelFileError, match="SHA-256"):
        pipeline.score(filled)


def test_twelve_students_teach_nothing_and_no_model_goes_into_service(small_register):
    store = small_register.store
    with pytest.raises(LookupError, match="no model"):
        pipeline.score(store)
    with pytest.raises(pipeline.NotTrainable, match="Too few students") as refusal:
        pipeline.train(store, serve=True, **QUICK)
    # S01, S02, S03, S06, S09, S10, S11 are of mature cohorts and not censored; S03 and S11 left
    found = refusal.value.fitness["dropout"]
    assert (found.students, found.events, found.reason) == (7, 2, "few_students")
    assert queries.served_model(store) is None and queries.models(store).empty
    assert get_fact(store, "fitness")["late"]["reason"] == "few_students"


def test_an_empty_store_is_refused_in_words(store):
    for step in (pipeline.train, pipeline.evaluate):
        with pytest.raises(pipeline.NotTrainable, match="no term and no outcome"):
            step(store)


def test_students_without_terms_and_outcomes_teach_nothing(store):
    programs = pd.DataFrame([("IF", "Informatics", "S1", 8, 144)])
    programs.columns = ["program_code", "name", "degree_level", "normal_terms", "required_credits"]
    students = pd.DataFrame({"student_number": ["1", "2"], "program_code": "IF", "cohort_term": 20191})
    frames = RecordFrames(programs=programs, students=students)
    write_records(store, frames, source="students.csv", files={}, actor="test", synthetic=False)
    for step in (pipeline.train, pipeline.evaluate):
        with pytest.raises(pipeline.NotTrainable, match="no term and no outcome"):
            step(store)


def test_a_model_cut_off_while_it_is_scored_leaves_the_one_in_service_and_its_scores(store, monkeypatch):
    fill(store, 200, signed=0)
    first = pipeline.train(store, **QUICK).model.version
    before = queries.caseload(store, Scope.system(), "late", 500)
    assert len(before) >= 10
    written, whole = [], scoring.write_scores

    def cut_off(*arguments, **further):
        written.append(whole(*arguments, **further))
        if len(written) == 2:
            raise KeyboardInterrupt  # two of nine as-of terms are written
        return written[-1]

    monkeypatch.setattr(scoring, "write_scores", cut_off)
    who = {"actor": "sari", "role": "administrator", "reason": "a try"}
    with pytest.raises(KeyboardInterrupt):
        registry.serve_records_only(store, **who)
    assert sum(written) > 0 and queries.served_model(store).version == first
    pd.testing.assert_frame_equal(queries.caseload(store, Scope.system(), "late", 500), before)
    monkeypatch.setattr(scoring, "write_scores", whole)
    version = registry.serve_records_only(store, **who)
    assert queries.served_model(store).version == version != first
    after = queries.caseload(store, Scope.system(), "late", 500)
    assert after["student_key"].tolist() == before["student_key"].tolist()
    assert set(after["model_version"]) == {version}
    assert len(all_scores(store, version)) == len(all_scores(store, first))
    assert [note.actor for note in served_model(store).manifest.served] == ["sari"]


def test_rolling_back_scores_what_came_while_another_model_was_in_service(store):
    fill(store, 200, signed=0)
    first = pipeline.train(store, **QUICK).model.version
    who = {"actor": "sari", "role": "administrator"}
    registry.serve_records_only(store, reason="a try", **who)
    newest = queries.students(store, Scope.system()).sort_values("cohort_term").iloc[-1]
    row = {"student_number": ["late comer"], "program_code": newest["program_code"]}
    frame = pd.DataFrame(row | {"cohort_term": int(newest["cohort_term"])})
    frames = RecordFrames(students=frame)
    about = {"files": {}, "actor": "test", "synthetic": True, "student_keys": {"late comer": "f" * 16}}
    write_records(store, frames, source="x", **about)
    assert registry.roll_back(store, reason="as before", **who) == first
    assert "f" * 16 in set(queries.caseload(store, Scope.system(), "late", 500)["student_key"])


def _register_again(store, version: str, fitness: dict) -> None:
    """The served model under another name, with another verdict on its register."""
    served = served_model(store)
    manifest = write_manifest(replace(served.manifest, version=version, fitness=fitness))
    save_model(store, version, served.folder, manifest)


def test_a_model_whose_register_was_too_small_is_neither_served_nor_scored(store):
    fill(store, 200, signed=0)
    trained = pipeline.train(store, **QUICK)
    too_small = {name: weigh(name, 13, 7, 2) for name in ("late", "dropout")}
    _register_again(store, "risk-old", too_small)
    with pytest.raises(NotServable, match="few_students"):
        registry.approve(store, "risk-old", actor="a", role="administrator", reason="why not")
    assert queries.served_model(store).version == trained.model.version
    _register_again(store, "risk-one", {**too_small, "late": weigh("late", 400, 200, 3)})
    registry.approve(store, "risk-one", actor="a", role="administrator", reason="late only")
    assert set(all_scores(store, "risk-one")["target"]) == {"late"}


def test_graduates_only_teach_lateness_and_no_drop_out(store):
    register = make_register(260, np.random.default_rng(5), dim=32, signed=0)
    left = register.outcomes["exit_type"].isin(("expelled", "resigned", "discontinued"))
    stayed = set(register.outcomes.loc[~left, "student_key"])
    register = replace(
        register,
        students=register.students[register.students["student_key"].isin(stayed)],
        terms=register.terms[register.terms["student_key"].isin(stayed)],
        outcomes=register.outcomes[~left],
    )
    write_register(store, register)
    trained = pipeline.train(store, **QUICK)
    assert list(trained.model.targets) == ["late"] and trained.served
    assert trained.fitness["dropout"].reason == "no_events"
    assert set(all_scores(store, trained.model.version)["target"]) == {"late"}
    assert "dropout" not in served_model(store).manifest.assessment.evaluations
    assert "graduates only" in model_card(trained.model.manifest, synthetic=True)


def test_a_model_of_exchanged_exits_is_served_only_after_a_confirmation(store):
    register = make_register(200, np.random.default_rng(5), dim=32, signed=0)
    kind = register.outcomes["exit_type"]
    left = kind.isin(("expelled", "resigned", "discontinued"))
    turned = kind.mask(kind == "graduated", "resigned").mask(left, "graduated")
    write_register(store, replace(register, outcomes=register.outcomes.assign(exit_type=turned)))
    trained = pipeline.train(store, **QUICK)
    version, manifest = trained.model.version, trained.model.manifest
    assert not trained.served and trained.doubts == manifest.trained_on.doubts == ("exits_turned",)
    assert served_model(store) is None and "look exchanged" in model_card(manifest, synthetic=True)
    who = {"actor": "sari", "role": "administrator", "reason": "they are right"}
    with pytest.raises(Doubted, match="look exchanged"):
        registry.approve(store, version, **who)
    assert served_model(store) is None
    registry.approve(store, version, confirmed=True, **who)
    assert served_model(store).version == version
    registry.serve_records_only(store, **who)  # whoever serves it was asked
    registry.roll_back(store, **who)
    assert served_model(store).version == version
    entry = audit.entries(store, action="model.approve").iloc[0]
    assert entry["detail"]["looked_at"] == ["exits_turned"]


@pytest.mark.slow
def test_scoring_killed_at_random_moments_loses_and_doubles_nothing(tmp_path):
    from data.store import open_store

    store = open_store(folder=tmp_path)
    fill(store)
    first = pipeline.train(store, **QUICK).model.version
    environment = {**os.environ, "TEPAT_FOLDER": str(tmp_path), "DATABASE_URL": ""}
    chance = random.Random(7)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "fusion", "records-only", "--reason", "a try"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=chance.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        served = queries.served_model(store).version  # the old or the new one, never one without its scores
        assert len(all_scores(store, served)) == len(all_scores(store, first))
        assert not queries.caseload(store, Scope.system(), "late", 10).empty
    version = registry.serve_records_only(store, actor="a", role="administrator", reason="a try")
    scores = all_scores(store, version)
    assert not scores.duplicated(["student_key", "as_of_index", "target"]).any()
    assert pipeline.score(store) == 0
    fresh = open_store(folder=tmp_path / "fresh")
    fill(fresh)
    assert pipeline.train(fresh, **QUICK).scores == len(scores)
    store.close()
    fresh.close()


def test_the_command_line_prints_the_verdict(tmp_path, monkeypatch):
    from data.settings import get_settings
    from data.store import open_store

    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    get_settings.cache_clear()
    store = open_store(folder=tmp_path)
    fill(store)
    store.close()
    from fusion.__main__ import app

    result = CliRunner().invoke(app, ["compare", "--json", str(tmp_path / "figures.json")])
    get_settings.cache_clear()
    assert result.exit_code == 0, result.output
    assert "fused less records" in result.output and "Verdict: the signature:" in result.output
    assert (tmp_path / "figures.json").stat().st_size > 1000


def test_of_many_students_so_many_are_drawn_by_lot_and_the_model_says_so(store):
    register = fill(store, signed=0.0)
    known = mature_labels(queries.records_until(store)).index
    trained = pipeline.train(store, most_students=len(known) - 30, **QUICK)
    taught = trained.model.manifest.trained_on
    assert (taught.students, taught.drawn_from) == (len(known) - 30, len(known))
    assert sum(taught.labels.values()) == taught.students
    assert f"drawn by lot of {len(known)}" in model_card(trained.model.manifest, synthetic=True)
    again = pipeline.train(store, most_students=len(known) - 30, **QUICK)
    assert not again.new and again.model.version == trained.model.version
    enrolled = set(register.outcomes.loc[register.outcomes["exit_type"].isna(), "student_key"])
    scored = queries.scores(store, trained.model.version, "dropout")["student_key"]
    assert len(enrolled) == scored.nunique()  # nobody leaves the register by a draw


def test_a_draw_keeps_whole_students_and_only_those_of_known_outcome(store):
    fill(store, signed=0.0)
    records = queries.records_until(store)
    known = set(mature_labels(records).index)
    drawn = drawn_by_lot(records, 50, seed=3)
    chosen = set(drawn.students["student_key"])
    assert len(chosen) == 50 and chosen <= known
    for table in (drawn.terms, drawn.outcomes):
        assert set(table["student_key"]) <= chosen
    terms = records.terms[records.terms["student_key"].isin(chosen)]
    assert len(drawn.terms) == len(terms)
    assert drawn_by_lot(records, 50, seed=3).students.equals(drawn.students)
    assert set(drawn_by_lot(records, 50, seed=4).students["student_key"]) != chosen
    assert drawn_by_lot(records, len(known), seed=3) is records
