"""Embedding the store: only new specimens, in chunks that survive a kill, with findings and copies."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from data import queries
from data.consents.consent import record_consent
from data.signatures.encoder_info import EncoderInfo
from data.store import NewSpecimen, write_consents, write_specimens
from data.synthetic import signatures
from data.trust.scope import Scope
from vision.encoder import embed_specimens as pipeline
from vision.encoder.backbones import Encoder
from vision.encoder.embed import embed_images
from vision.encoder.embed_specimens import embed_pending
from vision.scans.images import decode_image


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(3)
    module = nn.Sequential(nn.Conv2d(3, 5, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    info = EncoderInfo("tiny", "1", "0" * 64, "made by a test", 5)
    return Encoder(info, lambda: module, "resnet50", (32, 80), (0.1,) * 3, (0.2,) * 3, ink_bright=True)


def files(count):
    rng = np.random.default_rng(11)
    writer = signatures.make_writer(rng, "cursive")
    return [signatures.specimen_png(writer, rng) for _ in range(count)]


@pytest.fixture
def small_register(small_register):
    """S07 and S08 agree to the outcome model."""
    agreed = pd.DataFrame({"student_number": ["S07", "S08"], "purpose": "outcome_model", "granted": True})
    write_consents(small_register.store, agreed)
    return small_register


def put(store, number, images):
    specimens = [
        NewSpecimen(number, data, date(2024, 9, 1), "enrollment", "png", 600, 240, 300) for data in images
    ]
    write_specimens(store, specimens, source="test", actor="test")


def stored(store, encoder):
    table = queries.specimen_table(store)
    pending = queries.specimens_without_embedding(store, encoder.info.encoder_id)
    return table, pending


def test_every_specimen_is_embedded_once_and_checked(small_register, encoder):
    store = small_register.store
    put(store, "S07", files(3))
    assert embed_pending(store, encoder) == 3
    assert embed_pending(store, encoder) == 0
    put(store, "S08", files(5)[3:])
    seen = []
    assert embed_pending(store, encoder, lambda *step: seen.append(step[:2])) == 2
    assert seen == [(2, 2)]
    table, pending = stored(store, encoder)
    assert len(table) == 5 and pending.empty
    assert all(
        [row["code"] for row in found] == [f"SIG{k:03d}" for k in range(1, 12)] for found in table["quality"]
    )


def test_without_consent_a_specimen_is_checked_but_not_embedded(small_register, encoder):
    store, key = small_register.store, small_register.keys["S07"]
    put(store, "S07", files(1))
    put(store, "S01", files(2)[1:])
    record_consent(store, key, "outcome_model", "withdrawn", actor="rina")
    assert embed_pending(store, encoder) == 0
    table, pending = stored(store, encoder)
    assert len(pending) == 2 and table["quality"].notna().all()
    record_consent(store, key, "outcome_model", "renewed", actor="rina")
    assert embed_pending(store, encoder) == 1
    read, _ = queries.embeddings(store, encoder.info.encoder_id, "outcome_model")
    assert read["student_key"].tolist() == [key]


def test_stored_vectors_are_those_of_the_images(small_register, encoder):
    store = small_register.store
    put(store, "S07", files(2))
    embed_pending(store, encoder)
    rows, vectors = queries.embeddings(store, encoder.info.encoder_id, "outcome_model")
    images = [decode_image(queries.specimen_image(store, key, Scope.system())) for key in rows["specimen_id"]]
    np.testing.assert_allclose(vectors, embed_images(encoder, images), rtol=1e-5, atol=1e-6)


def test_killed_between_chunks_nothing_is_lost_or_doubled(small_register, encoder, monkeypatch):
    store = small_register.store
    put(store, "S07", files(5))
    monkeypatch.setattr(pipeline, "CHUNK", 2)
    real, calls = pipeline.write_embeddings, []

    def dies_at_the_second(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(pipeline, "write_embeddings", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        embed_pending(store, encoder)
    monkeypatch.setattr(pipeline, "write_embeddings", real)
    _, pending = stored(store, encoder)
    assert len(pending) == 3
    assert embed_pending(store, encoder) == 3
    _, pending = stored(store, encoder)
    assert pending.empty


def test_one_image_under_two_names_is_marked_on_both_also_in_a_later_run(small_register, encoder):
    store = small_register.store
    images = files(3)
    put(store, "S07", images[:2])
    embed_pending(store, encoder)
    put(store, "S08", [images[0], images[2]])
    embed_pending(store, encoder)
    table, _ = stored(store, encoder)
    copied = {row.specimen_id for row in table.itertuples() if row.quality[9]["status"] == "found"}
    shared = set(table.loc[table["sha256"].duplicated(keep=False), "specimen_id"])
    assert len(shared) == 2 and copied == shared


def test_bytes_that_are_no_image_are_named():
    with pytest.raises(ValueError, match="data must be an image file, got 4 bytes"):
        decode_image(b"text")


def test_signatures_without_consent_leave_nothing_to_read_once_they_are_checked(small_register, encoder):
    from dashboard.jobs.next_steps import open_steps

    store = small_register.store
    put(store, "S07", files(2))
    put(store, "S09", files(1))  # has not agreed to the outcome model
    assert open_steps(store)[0] == "embed"
    assert embed_pending(store, encoder) == 2
    assert "embed" not in open_steps(store)
    put(store, "S09", files(2)[1:])
    assert open_steps(store)[0] == "embed"  # its quality is still to be checked
    assert embed_pending(store, encoder) == 0
    assert "embed" not in open_steps(store)
