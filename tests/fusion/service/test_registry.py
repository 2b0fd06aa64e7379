from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from benchmarks.registers import make_register
from data import queries
from data.store import RecordFrames, open_store, write_records
from data.trust import audit, audit_chain
from fusion import pipeline
from fusion.model.booster import TreeSettings
from fusion.model.watched import Moved
from fusion.service import registry, rule, sources, upkeep
from fusion.service.sources import served_model

QUICK = {"draws": 20}


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    """A store with a served model and a candidate grown with other settings."""
    store = open_store(folder=tmp_path_factory.mktemp("registry"))
    register = make_register(200, np.random.default_rng(8), signed=0)
    frames = RecordFrames(
        programs=register.programs.assign(name=register.programs["program_code"]),
        **{
            name: getattr(register, name).rename(columns={"student_key": "student_number"})
            for name in ("students", "terms", "outcomes")
        },
    )
    write_records(store, frames, source="simulated.csv", files={}, actor="test", synthetic=True)
    first = pipeline.train(store, settings=TreeSettings(rounds=20), **QUICK).model.version
    second = pipeline.train(store, settings=TreeSettings(rounds=3), **QUICK).model.version
    yield store, first, second
    store.close()


def test_a_candidate_is_compared_served_with_a_reason_and_rolled_back(two_models):
    store, first, second = two_models
    who = {"actor": "sari", "role": "administrator"}
    comparison = registry.compare_models(store, second, draws=30)
    assert (comparison.candidate, comparison.served) == (second, first)
    row = comparison.table.query("target == 'late' and figure == 'roc_auc'").iloc[0]
    assert row["difference"] == pytest.approx(row["candidate"] - row["served"])
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    with pytest.raises(ValueError, match="reason"):
        registry.approve(store, second, reason="  ", **who)
    assert queries.served_model(store).version == first
    registry.approve(store, second, reason="fewer trees, equal figures", **who)
    assert queries.served_model(store).version == second
    assert registry.roll_back(store, reason="advisors asked", **who) == first
    assert queries.served_model(store).version == first
    notes = served_model(store).manifest.served
    assert (notes[-1].actor, notes[-1].reason) == ("sari", "advisors asked")
    assert audit_chain.verify_chain(store).entries >= 2


def test_records_only_has_a_name_of_its_own_and_the_same_files(two_models):
    store, first, _ = two_models
    who = {"actor": "sari", "role": "administrator"}
    version = registry.serve_records_only(store, reason="signatures add nothing", **who)
    assert version == served_model(store).manifest.version
    assert version.endswith("-records")
    assert pipeline.score(store) == 0  # it was scored before it was served
    assert set(queries.scores(store, version, "late")["modality"]) == {"records"}
    assert registry.serve_records_only(store, reason="again", **who) == version
    assert registry.roll_back(store, reason="try signatures again", **who) in version


def test_a_manifest_is_read_again_only_when_what_is_stored_has_changed(monkeypatch):
    read = []
    monkeypatch.setattr(sources, "_read_before", {})
    monkeypatch.setattr(sources, "read_manifest", lambda held: read.append(held["note"]) or dict(held))
    rows = [("a", "x"), ("b", "y"), ("a", "x"), ("a", "changed"), ("a", "changed"), ("a", "x")]
    stored = [
        queries.StoredModel(name, date(2026, 1, 1), "candidate", "f", {"note": note}) for name, note in rows
    ]
    told = [sources._registered(one).manifest["note"] for one in stored]
    assert told == [note for _, note in rows]
    assert read == ["x", "y", "changed", "x"]
    for n in range(2 * sources.MOST_READ):
        sources._registered(replace(stored[0], version=f"v{n}"))
    assert len(sources._read_before) == sources.MOST_READ


def test_an_unknown_model_is_not_approved(two_models):
    with pytest.raises(LookupError, match="no model"):
        registry.approve(two_models[0], "risk-none", actor="a", role="administrator", reason="why not")


def test_a_level_that_moved_has_a_name_of_its_own_and_scores_every_term(two_models, monkeypatch):
    """Rows of different as-of terms under one name stand at one level; the old name keeps what it said."""
    store, first, _ = two_models
    who = {"actor": "sari", "role": "administrator"}
    registry.approve(store, first, reason="begin here", **who)
    found = served_model(store).manifest
    earlier = replace(found.trained_on, until=date(2014, 1, 1))  # the newest cohorts matured since
    upkeep.note_in_manifest(store, first, trained_on=earlier)
    before = queries.scores(store, first, "late")
    moved = {"late": Moved(60, 0.3, 0.5, 0.85)}
    monkeypatch.setattr(upkeep, "recalibrate", lambda model, *_, **__: (model, moved))
    assert pipeline.score(store) > 0
    now = served_model(store)
    assert now.version == upkeep.levelled_name(first, {"late": 0.85}) != first
    assert now.manifest.level == {"late": 0.85} and now.manifest.recalibrated.targets == moved
    after = queries.scores(store, now.version, "late")
    both = before.merge(after, on=["student_key", "as_of_index"], suffixes=("", "_after"))
    assert len(both) == len(before) == len(after)
    odds = np.log(both["risk"] / (1 - both["risk"]))
    odds_after = np.log(both["risk_after"] / (1 - both["risk_after"]))
    assert np.allclose(odds_after - odds, 0.85, atol=1e-6)
    assert queries.scores(store, first, "late")["risk"].tolist() == before["risk"].tolist()
    entry = audit.entries(store, action="model.level").iloc[0]
    assert entry["object"] == now.version and entry["detail"]["was"] == first
    still = {"late": Moved(60, 0.5, 0.5, 0.0)}
    monkeypatch.setattr(upkeep, "recalibrate", lambda model, *_, **__: (model, still))
    assert pipeline.score(store) == 0 and served_model(store).version == now.version
    assert registry.roll_back(store, reason="the old level again", **who) == first


def test_the_rule_is_served_by_command_and_audited(two_models):
    store = two_models[0]
    who = {"actor": "sari", "role": "administrator"}
    with pytest.raises(ValueError, match="reason"):
        rule.serve_rule(store, "late", on=True, reason=" ", **who)
    with pytest.raises(ValueError, match="target"):
        rule.serve_rule(store, "early", on=True, reason="x", **who)
    state = queries.store_state(store).version
    assert rule.serve_rule(store, "late", on=True, reason="no better", **who)
    assert not rule.serve_rule(store, "late", on=True, reason="again", **who)
    assert queries.store_state(store).version != state  # what pages keep is made anew
    assert rule.ruled(store)["late"].actor == "sari" and set(rule.ruled(store)) == {"late"}
    assert audit.entries(store, action="model.rule").iloc[0]["detail"] == {"on": True, "reason": "no better"}
    assert rule.serve_rule(store, "late", on=False, reason="trained anew", **who) and not rule.ruled(store)
