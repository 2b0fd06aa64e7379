"""What a cluster makes of specimens: that of the local run, though a worker is killed."""

from __future__ import annotations

import copy
import os
import shutil
import signal
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.engine.spread import HERE, NoCluster, spread_over
from data.store import NewSpecimen, open_store, write_consents, write_specimens
from data.synthetic import signatures
from data.verification import queries as reads
from vision.descriptor import describe_specimens
from vision.descriptor.describe_specimens import describe_pending, descriptor_in_use, id_of_descriptor
from vision.descriptor.outlines import Outlines
from vision.encoder import embed_specimens
from vision.encoder.backbones import load_encoder
from vision.encoder.embed_specimens import Embedding, embed_pending

COUNT = 10
pytestmark = pytest.mark.slow


@pytest.fixture
def two_stores(small_register, tmp_path_factory, monkeypatch):
    """The same ten specimens of two students in two stores; one of a student who did not agree."""
    store, rng = small_register.store, np.random.default_rng(11)
    agreed = [
        {"student_number": number, "purpose": purpose, "granted": True}
        for number in ("S07", "S08")
        for purpose in ("outcome_model", "verification")
    ]
    write_consents(store, pd.DataFrame(agreed))
    writer = signatures.make_writer(rng, "cursive")
    scans = [signatures.specimen_png(writer, rng) for _ in range(COUNT)]
    scans[7] = scans[2]  # one image under two names: findings of one chunk change those of another
    numbers = ["S07"] * 5 + ["S08"] * 4 + ["S01"]
    specimens = [
        NewSpecimen(number, data, date(2024, 9, 1), "enrollment", "png", 600, 240, 300)
        for number, data in zip(numbers, scans, strict=True)
    ]
    write_specimens(store, specimens, source="test", actor="test")
    folder = tmp_path_factory.mktemp("again")
    shutil.copytree(store.folder, folder, dirs_exist_ok=True)
    monkeypatch.setattr(embed_specimens, "CHUNK", 2)
    monkeypatch.setattr(describe_specimens, "CHUNK", 2)
    other = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    yield store, other
    other.close()


class KillsOne:
    """A cluster that loses a worker once a chunk is done."""

    def __init__(self, cluster):
        self.cluster, self.killed = cluster, None

    def over(self, function, chunks, shared):
        """As the cluster's; the worker killed is one that is at work."""
        for number, pair in enumerate(self.cluster.over(function, chunks, shared)):
            if number == 0:
                pids = self.cluster.client.run(os.getpid)
                busy = [place for place, tasks in self.cluster.client.processing().items() if tasks]
                self.killed = pids[(busy or list(pids))[0]]
                os.kill(self.killed, signal.SIGKILL)
            yield pair


def told(store):
    """Findings, vectors and descriptors, each by the specimen."""
    table = queries.specimen_table(store).sort_values("specimen_id")
    assert table["quality"].notna().all()
    found = dict(zip(table["specimen_id"], table["quality"], strict=True))
    rows, vectors = queries.embeddings(store, load_encoder().info.encoder_id, "outcome_model")
    made = [pd.DataFrame(vectors, index=rows["specimen_id"]).sort_index()]
    for descriptor in (descriptor_in_use(), Outlines()):
        known = reads.described(store, id_of_descriptor(descriptor))
        ids, numbers = reads.descriptors(store, id_of_descriptor(descriptor), list(known["specimen_id"]))
        made.append(pd.DataFrame(numbers, index=ids).sort_index())
    return found, made


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_cluster_that_loses_a_worker_makes_what_this_process_makes(two_stores):
    here, there = two_stores
    with spread_over("local:2") as cluster:
        losing = KillsOne(cluster)
        for store, way, ways in ((here, HERE, HERE), (there, losing, cluster)):
            assert embed_pending(store, load_encoder(), spread=way) == COUNT - 1
            assert describe_pending(store, spread=ways) == COUNT - 1
            assert describe_pending(store, descriptor=Outlines(), spread=ways) == 0
        assert losing.killed not in cluster.client.run(os.getpid).values()
    found, made = told(here)
    again, their = told(there)
    assert again == found
    assert sum(rows[9]["status"] == "found" for rows in found.values()) == 2
    for ours, theirs in zip(made, their, strict=True):
        assert len(ours) == COUNT - 1
        pd.testing.assert_frame_equal(theirs, ours, check_exact=False, rtol=0, atol=1e-5)


def test_a_worker_with_other_weights_embeds_nothing():
    sent = copy.copy(Embedding(load_encoder()))  # without the network, as a worker gets it
    assert sent._here is None
    assert sent.encoder.info == load_encoder().info
    sent.info = replace(sent.info, weights_sha256="0" * 64)
    with pytest.raises(NoCluster, match="other weights than tepat-resnet50"):
        sent.of_ink(np.zeros((40, 80), np.uint8))
