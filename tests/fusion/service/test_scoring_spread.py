"""Scoring on a cluster: the scores and explanations of the local run, also when a worker is killed."""

from __future__ import annotations

import os
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from data import queries
from data.commands import frame
from data.engine.spread import HERE, spread_over
from data.settings import get_settings
from data.store import open_store
from data.trust.scope import Scope
from fusion import pipeline
from fusion.__main__ import app
from fusion.features.assemble import training_set
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.service import scoring, serving
from fusion.service.sources import served_model
from tests.fusion.conftest import simulate
from tests.fusion.test_pipeline import QUICK, all_scores, fill

SMALL_CHUNK = 10


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a store of 260 students, many of them with signatures, a model, and no scores yet."""
    folder = tmp_path_factory.mktemp("spread")
    store = open_store(folder=folder)
    fill(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "score", lambda *_, **__: 0)
        pipeline.train(store, **QUICK)
    store.close()
    return folder


@pytest.fixture(scope="module")
def cluster():
    """Three workers of this machine."""
    with spread_over("local:3") as opened:
        yield opened


@pytest.fixture
def unscored(trained, tmp_path, monkeypatch):
    """Gives copies of the store without scores, one after the other."""
    monkeypatch.setattr(scoring, "CHUNK", SMALL_CHUNK)
    opened = []

    def another():
        folder = tmp_path / f"copy{len(opened)}"
        shutil.copytree(trained, folder)
        opened.append(open_store(folder=folder))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


def told(store):
    """All scores of the model in service, with their explanations, in one order."""
    scores = all_scores(store, served_model(store).version)
    scores = scores.sort_values(["target", "as_of_index", "student_key"], ignore_index=True)
    kept = [queries.explanation(store, Scope.system(), one) for one in scores["score_id"]]
    numbers = [np.concatenate([[one.base_value], one.phi, one.inputs]) for one in kept]
    return scores.drop(columns=["score_id", "scored_at"], errors="ignore"), np.array(numbers)


class KillsOne:
    """A cluster that loses a worker once some chunks are done."""

    def __init__(self, cluster):
        self.cluster, self.killed = cluster, None

    def over(self, function, chunks, shared):
        """As the cluster's; the worker killed is one that is at work."""
        for number, pair in enumerate(self.cluster.over(function, chunks, shared)):
            if number == 2:
                self.killed = self._kill()
            yield pair

    def _kill(self) -> int:
        pids = self.cluster.client.run(os.getpid)
        busy = [place for place, tasks in self.cluster.client.processing().items() if tasks]
        pid = pids[(busy or list(pids))[0]]
        os.kill(pid, signal.SIGKILL)
        return pid


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_ends_with_the_scores_and_explanations_of_the_local_run(
    unscored, cluster
):
    here, losing = unscored(), unscored()
    count = pipeline.score(here, spread=HERE)
    assert count > 20 * SMALL_CHUNK
    scores, numbers = told(here)
    assert set(scores["modality"]) == {"fused", "records"}
    kills = KillsOne(cluster)
    assert pipeline.score(losing, spread=kills) == count
    assert kills.killed not in cluster.client.run(os.getpid).values()
    again, their_numbers = told(losing)
    pd.testing.assert_frame_equal(again, scores, check_exact=True)
    np.testing.assert_array_equal(their_numbers, numbers)
    assert served_model(losing).manifest.monitor == served_model(here).manifest.monitor
    assert pipeline.score(losing, spread=cluster) == 0


@pytest.mark.slow
def test_folds_fitted_on_a_cluster_make_the_model_of_the_local_training(cluster):
    simulated = simulate(400, 3)
    labels = mature_labels(simulated.register)
    sets = {"late": training_set(simulated.rows, labels, "late")}
    here = fit_model(sets, 2, TreeSettings(rounds=30))
    losing = KillsOne(cluster)
    there = fit_model(sets, 2, TreeSettings(rounds=30), spread=losing)
    assert losing.killed is not None and here.targets["late"].signature is not None
    ours, theirs = (model.score(simulated.rows, "late") for model in (here, there))
    pd.testing.assert_frame_equal(theirs.frame, ours.frame, check_exact=True)
    np.testing.assert_array_equal(theirs.phi, ours.phi)
    np.testing.assert_array_equal(there.targets["late"].out_of_fold, here.targets["late"].out_of_fold)


@pytest.mark.slow
def test_the_command_scores_on_processes_of_this_machine(trained, tmp_path, monkeypatch):
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path / "copy"))
    monkeypatch.setenv("DATABASE_URL", "")
    get_settings.cache_clear()
    result = CliRunner().invoke(app, ["score", "--cluster", "local:1"])
    get_settings.cache_clear()
    assert result.exit_code == frame.DONE, result.output
    assert " new scores, each with its explanation" in result.stdout


def test_what_leaves_this_process_says_of_nobody_whose_it_is(unscored):
    sent = []

    class Watched:
        """Works here and keeps what a worker would get."""

        def over(self, function, chunks, shared):
            """See :meth:`data.engine.spread.Spread.over`."""
            for kept, asked in chunks:
                sent.append(asked)
                yield kept, function(shared, asked)

    store = unscored()
    pipeline.score(store, spread=Watched())
    keys = set(queries.students(store, Scope.system())["student_key"])
    assert len(keys) > 100 and len(sent) > 20
    for rows, target in sent:
        assert target in ("late", "dropout") and len(rows) <= SMALL_CHUNK
        texts = [*rows.meta.select_dtypes("object").to_numpy().ravel(), *rows.signatures.keys]
        texts += list(rows.table.select_dtypes("object").to_numpy().ravel())
        assert not keys & set(map(str, texts))
        assert len(rows.signatures.states) == rows.signed.sum()
