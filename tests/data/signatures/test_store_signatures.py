"""Specimens, embeddings, quality, consent and erasure."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.consents.consent import record_consent
from data.engine.cipher import KeyProblem
from data.signatures.encoder_info import EncoderInfo
from data.store import (
    NewSpecimen,
    add_case_event,
    save_model,
    write_consents,
    write_embeddings,
    write_quality,
    write_scores,
    write_specimens,
)
from data.trust import audit, erase
from data.trust.scope import Scope

SYSTEM = Scope.system()
ANI = Scope("ani", "advisor", True, None, True, True)
ENCODER = EncoderInfo("resnet50", "1", "a" * 64, "drawn for a test", 4)


def specimen(number: str, data: bytes, day: int = 1, **changes) -> NewSpecimen:
    about = {"context": "enrollment", "file_format": "png", "width": 300, "height": 100, "dpi": 300}
    return NewSpecimen(number, data, date(2022, 9, day), **about | changes)


@pytest.fixture
def signed(small_register):
    """S07 signed twice, S08 once; S07 consents to the outcome model, S08 withdrew."""
    store, keys = small_register.store, small_register.keys
    given = [specimen("S07", b"ink 1"), specimen("S07", b"ink 2", 2), specimen("S08", b"ink 3")]
    write_specimens(store, given, source="scans.zip", actor="test")
    consents = pd.DataFrame(
        [("S07", True, "2022-09-01"), ("S08", True, "2022-09-01"), ("S08", False, "2023-01-01")],
        columns=["student_number", "granted", "recorded_at"],
    )
    write_consents(store, consents.assign(purpose="outcome_model"))
    ids = list(queries.specimen_table(store)["specimen_id"])
    write_embeddings(store, ENCODER, ids, np.arange(12, dtype="float32").reshape(3, 4))
    assert keys["S07"] < keys["S08"]
    return small_register


def test_a_specimen_is_read_back_byte_for_byte_and_lies_encrypted(signed):
    row = queries.student_specimens(signed.store, SYSTEM, signed.keys["S07"]).iloc[0]
    assert queries.specimen_image(signed.store, row["specimen_id"], Scope.system()) == b"ink 1"
    assert row["sha256"] == hashlib.sha256(b"ink 1").hexdigest()
    assert (row["width"], row["dpi"], row["captured_on"]) == (300, 300, pd.Timestamp("2022-09-01"))
    with signed.store.reading() as connection:
        for table in (schema.specimen_images, schema.embeddings):
            for sealed in connection.scalars(select(table.c.ciphertext)):
                assert b"ink" not in bytes(sealed)


def test_the_same_files_twice_add_nothing(signed):
    before = queries.counts(signed.store).set_index("table")["rows"].drop("imports")
    given = [specimen("S07", b"ink 1"), specimen("S07", b"ink 1"), specimen("S08", b"ink 3")]
    result = write_specimens(signed.store, given, source="scans.zip", actor="test")
    assert (result.new, result.same, result.unmatched) == (0, 3, ())
    assert queries.counts(signed.store).set_index("table")["rows"].drop("imports").equals(before)


def test_the_same_file_of_two_students_is_two_specimens(signed):
    result = write_specimens(signed.store, [specimen("S01", b"ink 1")], source="x", actor="test")
    assert result.new == 1


def test_files_of_unknown_students_are_named_and_left_out(signed):
    given = [specimen("X1", b"?"), specimen("X1", b"!"), specimen("S01", b"ink 9")]
    result = write_specimens(signed.store, given, source="x", actor="test")
    assert (result.new, result.unmatched) == (1, ("X1",))


def test_a_specimen_may_belong_to_an_import_that_is_open(signed):
    from data.store import new_import

    import_id = new_import(signed.store, source="all.zip", files={}, actor="test")
    seen = []
    result = write_specimens(
        signed.store,
        (specimen("S01", bytes([n])) for n in range(250)),
        import_id=import_id,
        actor="test",
        progress=lambda *step: seen.append(step),
        total=250,
    )
    assert (result.import_id, result.new) == (import_id, 250)
    assert seen == [(200, 250, "writing signatures"), (250, 250, "writing signatures")]
    log = queries.imports(signed.store).set_index("import_id")
    assert log.loc[import_id, "counts"] == {"signature_specimens": {"new": 250, "changed": 0, "same": 0}}


def test_an_interrupted_stream_keeps_whole_chunks_and_a_rerun_adds_the_rest(signed):
    def broken():
        for number in range(300):
            if number == 250:
                raise KeyboardInterrupt
            yield specimen("S01", number.to_bytes(2, "big"))

    with pytest.raises(KeyboardInterrupt):
        write_specimens(signed.store, broken(), source="x", actor="test")
    assert len(queries.student_specimens(signed.store, SYSTEM, signed.keys["S01"])) == 200
    again = (specimen("S01", number.to_bytes(2, "big")) for number in range(300))
    result = write_specimens(signed.store, again, source="x", actor="test")
    assert (result.new, result.same) == (100, 200)


def test_pixels_out_of_reach_are_not_given(signed):
    other = queries.student_specimens(signed.store, SYSTEM, signed.keys["S08"])["specimen_id"].iloc[0]
    with pytest.raises(LookupError, match="may be read"):
        queries.specimen_image(signed.store, other, ANI)
    own = queries.student_specimens(signed.store, ANI, signed.keys["S07"])["specimen_id"].iloc[0]
    assert queries.specimen_image(signed.store, own, ANI) == b"ink 1"


def test_embeddings_need_the_consent_for_their_purpose(signed):
    frame, vectors = queries.embeddings(signed.store, ENCODER.encoder_id, "outcome_model")
    assert frame["student_key"].unique().tolist() == [signed.keys["S07"]]
    assert vectors.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    frame, vectors = queries.embeddings(signed.store, ENCODER.encoder_id, "research")
    assert frame.empty
    assert vectors.shape == (0, 4)
    assert len(queries.specimen_table(signed.store, "outcome_model")) == 2
    assert len(queries.specimen_table(signed.store)) == 3


def test_only_new_specimens_wait_for_embedding(signed):
    assert queries.specimens_without_embedding(signed.store, ENCODER.encoder_id).empty
    assert len(queries.specimens_without_embedding(signed.store, "other@1")) == 3
    write_specimens(signed.store, [specimen("S01", b"new")], source="x", actor="test")
    assert len(queries.specimens_without_embedding(signed.store, ENCODER.encoder_id)) == 1


def test_embeddings_written_again_are_left_alone(signed):
    ids = list(queries.specimen_table(signed.store)["specimen_id"])
    assert write_embeddings(signed.store, ENCODER, ids, np.zeros((3, 4), dtype="float32")) == 0
    assert queries.embeddings(signed.store, ENCODER.encoder_id, "outcome_model")[1].sum() == 28


@pytest.mark.parametrize(
    ("encoder", "vectors", "message"),
    [
        (ENCODER, np.zeros((1, 3)), r"vectors must be \(1, 4\), got \(1, 3\)"),
        (ENCODER, np.full((1, 4), np.nan), "vectors must be finite"),
        (EncoderInfo("resnet50", "1", "b" * 64, "", 4), np.zeros((1, 4)), "known with other weights"),
    ],
)
def test_embeddings_that_cannot_be_right_are_refused(signed, encoder, vectors, message):
    ids = list(queries.specimen_table(signed.store)["specimen_id"])[:1]
    with pytest.raises(ValueError, match=message):
        write_embeddings(signed.store, encoder, ids, vectors)


def test_a_specimen_erased_meanwhile_gets_no_embedding(signed):
    assert write_embeddings(signed.store, ENCODER, ["gone"], np.zeros((1, 4), dtype="float32")) == 0


def test_quality_findings_are_kept_with_the_specimen(signed):
    own = queries.student_specimens(signed.store, SYSTEM, signed.keys["S08"])
    assert own["quality"].isna().all()
    found = [{"code": "SIG001", "status": "found", "value": 0.0, "reason": "blank"}]
    write_quality(signed.store, {own["specimen_id"].iloc[0]: found})
    assert queries.student_specimens(signed.store, SYSTEM, signed.keys["S08"])["quality"].iloc[0] == found


def test_another_key_cannot_read_images(signed, tmp_path):
    from dataclasses import replace

    from data.engine.cipher import Cipher

    stranger = replace(signed.store, cipher=Cipher(b"x" * 32))
    row = queries.specimen_table(signed.store).iloc[0]
    with pytest.raises(KeyProblem, match="cannot be decrypted"):
        queries.specimen_image(stranger, row["specimen_id"], Scope.system())


# --- consent ---------------------------------------------------------------------------------------------
def test_the_newest_consent_holds_and_repeating_it_adds_nothing(signed):
    now = queries.consents_now(signed.store, "outcome_model").set_index("student_key")["granted"]
    assert now.to_dict() == {signed.keys["S07"]: True, signed.keys["S08"]: False}
    assert record_consent(signed.store, signed.keys["S07"], "outcome_model", "granted", actor="ani") is False
    assert record_consent(signed.store, signed.keys["S07"], "outcome_model", "withdrawn", actor="ani") is True
    history = queries.consent_history(signed.store, ANI, signed.keys["S07"])
    assert history["granted"].tolist() == [True, False]
    assert queries.embeddings(signed.store, ENCODER.encoder_id, "outcome_model")[0].empty


def test_an_old_paper_that_comes_late_is_kept_and_does_not_undo_a_withdrawal(signed):
    old = {"student_number": ["S08"], "purpose": ["outcome_model"], "granted": [True]}
    late = pd.DataFrame(old | {"recorded_at": [datetime(2022, 10, 1)]})
    assert (write_consents(signed.store, late), write_consents(signed.store, late)) == (1, 0)
    now = queries.consents_now(signed.store, "outcome_model").set_index("student_key")["granted"]
    assert not now[signed.keys["S08"]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"purpose": ["fun"], "granted": [True]}, "purpose must be one of"),
        ({"purpose": ["research"], "granted": [None]}, "granted must be true or false"),
        (
            {"purpose": ["research"], "granted": [True], "student_number": ["X"]},
            "1 are not, the first in row 0",
        ),
    ],
)
def test_consents_that_break_a_rule_are_refused(small_register, row, message):
    with pytest.raises(ValueError, match=message):
        write_consents(small_register.store, pd.DataFrame({"student_number": ["S01"]} | row))


# --- erasure ---------------------------------------------------------------------------------------------
@pytest.fixture
def scored(signed):
    store, keys = signed.store, signed.keys
    save_model(store, "m1", "m1", {}, "served")
    about = {"as_of_term": 20221, "target": "late", "model_version": "m1", "risk_low": 0.1, "risk_high": 0.9}
    rows = [
        {"student_key": keys["S07"], "as_of_index": 1, "modality": "records", "risk": 0.3, "band": "low"},
        {"student_key": keys["S07"], "as_of_index": 2, "modality": "fused", "risk": 0.6, "band": "high"},
        {"student_key": keys["S08"], "as_of_index": 2, "modality": "fused", "risk": 0.4, "band": "moderate"},
    ]
    frame = pd.DataFrame(rows).assign(**about, margin=0.0)
    write_scores(store, frame, np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3))
    add_case_event(store, keys["S07"], "ani", "note", {"text": "called"})
    return signed


def rows_of(store, key) -> dict[str, int]:
    """Rows about a student in every table that has a student key, and of their specimens and scores."""
    found = {}
    with store.reading() as connection:
        for table in schema.metadata.sorted_tables:
            if "student_key" in table.c:
                found[table.name] = len(
                    connection.execute(select(table).where(table.c.student_key == key)).all()
                )
    return {name: count for name, count in found.items() if count}


def test_erasing_signatures_reaches_image_embedding_quality_scores_and_cache(scored):
    store, key = scored.store, scored.keys["S07"]
    ids = list(queries.student_specimens(store, SYSTEM, key)["specimen_id"])
    heat, other = store.cache_folder / "heat" / f"{ids[0]}.png", store.cache_folder / "heat" / "else.png"
    index = store.cache_folder / "indexes" / "all.npy"
    for path in (heat, other, index):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    receipt = erase.erase_student_signatures(store, key, actor="registrar", role="registry")
    assert receipt.deleted == {
        "explanations": 1, "risk_current": 1, "scores": 1, "embeddings": 2, "specimen_images": 2,
        "signature_specimens": 2,
    }  # fmt: skip
    assert receipt.specimens == tuple(sorted(ids))
    assert receipt.cached_files == 2
    assert receipt.storage_cleaned
    assert not heat.exists() and not index.exists() and other.exists()
    with store.reading() as connection:
        for table in (schema.specimen_images, schema.embeddings, schema.specimens):
            left = connection.scalars(select(table.c.specimen_id)).all()
            assert not set(left) & set(ids)
    assert rows_of(store, key)["consents"] == 1
    assert rows_of(store, key)["case_events"] == 1


def test_after_erasure_the_records_only_score_is_the_current_one(scored):
    erase.erase_student_signatures(scored.store, scored.keys["S07"])
    rows = queries.caseload(scored.store, ANI, "late", 10)
    assert rows["risk"].tolist() == [0.3]
    assert queries.cohort_cube(scored.store, SYSTEM, "late", 2)["students"].sum() == 1


def test_erasing_twice_finds_nothing_the_second_time(scored):
    first = erase.erase_student_signatures(scored.store, scored.keys["S07"])
    second = erase.erase_student_signatures(scored.store, scored.keys["S07"])
    assert first.found_anything
    assert not second.found_anything
    kept = erase.receipts(scored.store, scored.keys["S07"])
    assert [receipt.specimens for receipt in kept] == [(), first.specimens]


def test_an_erasure_completes_the_files_that_a_kill_left(scored):
    receipt = erase.erase_student_signatures(scored.store, scored.keys["S07"])
    left = scored.store.cache_folder / f"{receipt.specimens[1]}.png"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"x")
    assert erase.erase_student_signatures(scored.store, scored.keys["S07"]).cached_files == 1
    assert not left.exists()


def test_erased_files_do_not_come_back_with_the_next_import(scored):
    erase.erase_student_signatures(scored.store, scored.keys["S07"])
    given = [specimen("S07", b"ink 1"), specimen("S07", b"a new one", 9)]
    result = write_specimens(scored.store, given, source="scans.zip", actor="test")
    assert (result.new, result.same, result.erased) == (1, 0, 1)


def test_erasing_the_student_leaves_only_the_receipt(scored):
    store, key = scored.store, scored.keys["S07"]
    receipt = erase.erase_student(store, key)
    assert rows_of(store, key) == {"erasures": 1}
    assert receipt.deleted["row_history"] == 1
    assert queries.kpi_counts(store, SYSTEM)["students"] == 11
    assert queries.search_students(store, SYSTEM, "S07").empty


def test_withdrawing_the_outcome_model_keeps_the_specimens(scored):
    receipt = erase.withdraw_outcome_model(scored.store, scored.keys["S07"], actor="ani")
    assert receipt.deleted == {"explanations": 1, "risk_current": 1, "scores": 1}
    assert receipt.specimens == ()
    assert len(queries.student_specimens(scored.store, SYSTEM, scored.keys["S07"])) == 2


def test_an_erasure_is_in_the_audit_log_and_its_receipt_prints(scored):
    receipt = erase.erase_student_signatures(scored.store, scored.keys["S07"], actor="registrar")
    entry = audit.entries(scored.store, action="erase").iloc[0]
    assert (entry["actor"], entry["object"]) == ("registrar", scored.keys["S07"])
    text = receipt.as_text()
    assert "deleted       2 × signature_specimens" in text
    assert "S07" not in text


def test_retention_that_has_ended_is_found(signed):
    kept = specimen("S01", b"kept", retention_until=date(2026, 1, 1))
    write_specimens(signed.store, [kept], source="x", actor="test")
    assert erase.expired_specimens(signed.store, date(2026, 1, 1)) == []
    assert erase.expired_specimens(signed.store, date(2026, 1, 2)) == [signed.keys["S01"]]


def test_sqlite_leaves_no_erased_page_in_its_files(scored):
    if scored.store.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's files")
    key = scored.keys["S07"]
    with scored.store.reading() as connection:
        sealed = [
            bytes(blob)
            for blob in connection.scalars(
                select(schema.specimen_images.c.ciphertext)
                .join(
                    schema.specimens, schema.specimens.c.specimen_id == schema.specimen_images.c.specimen_id
                )
                .where(schema.specimens.c.student_key == key)
            )
        ]
    erase.erase_student_signatures(scored.store, key)
    stored = b"".join(path.read_bytes() for path in scored.store.folder.glob("tepat.db*"))
    assert len(sealed) == 2
    assert not any(blob in stored for blob in sealed)
