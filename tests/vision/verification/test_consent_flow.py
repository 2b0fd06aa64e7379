"""A real register from its files to a comparison, with what the commands offer and nothing of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from data import queries
from data.__main__ import app as data_app
from data.settings import get_settings
from data.store import get_fact, open_store
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from vision.__main__ import app as vision_app

SAMPLES = Path(__file__).parents[2] / "samples"
AGREES, WITHDREW, NEVER = "0117200001", "0142210002", "0331220003"
SYSTEM = Scope.system()


@pytest.fixture
def office(store_url, tmp_path, monkeypatch):
    """An empty store that the commands use; ``run(app, *words)``."""
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store_url)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield lambda app, *words: CliRunner().invoke(app, [str(word) for word in words])
    get_settings.cache_clear()


@pytest.fixture
def consents(tmp_path) -> Path:
    """What a registrar keeps: one agrees to everything, one took it back (by an earlier date)."""
    file = tmp_path / "persetujuan.csv"
    file.write_text(
        "NIM;Keperluan;Status;Tanggal Persetujuan;Tanggal Pencabutan;Bukti\n"
        f"{AGREES};semua;setuju;01/09/2020;;F-1\n"
        f"{WITHDREW};semua;dicabut;01/09/2021;30/08/2021;S-2\n",
        encoding="utf-8",
    )
    return file


def test_register_consents_and_scans_lead_to_a_comparison(office, consents, store_url, tmp_path):
    tables = [
        word
        for table in ("students", "terms", "outcomes")
        for word in (f"--{table}", SAMPLES / f"siakad_{table}.csv")
    ]
    loaded = office(data_app, "load", *tables, "--signatures", SAMPLES / "signatures.zip")
    assert loaded.exit_code == 0, loaded.output
    before = office(vision_app, "enrol", "--student", AGREES)
    assert before.exit_code == 2
    assert "has not agreed to the verification of signatures" in before.output

    assert office(data_app, "load", "--consents", consents).exit_code == 0
    embedded = office(vision_app, "embed")
    assert "2 specimens embedded" in embedded.output, embedded.output
    enrolled = office(vision_app, "enrol", "--student", AGREES)
    assert "2 references" in enrolled.output, enrolled.output
    for number in (WITHDREW, NEVER):
        assert office(vision_app, "enrol", "--student", number).exit_code == 2
    scan = tmp_path / "form.png"
    store = open_store(store_url, folder=tmp_path)
    assert not get_fact(store, "synthetic")
    key = queries.find_student(store, SYSTEM, AGREES)
    specimen = queries.student_specimens(store, SYSTEM, key).iloc[0]["specimen_id"]
    scan.write_bytes(queries.specimen_image(store, specimen, Scope.system()))
    compared = office(vision_app, "verify", scan, "--student", AGREES)
    assert compared.exit_code == 0, compared.output
    assert "against 2 references" in compared.output

    withdrawn = office(data_app, "consent", "withdraw", "--student", AGREES, "--purpose", "semua", "--yes")
    assert withdrawn.exit_code == 0, withdrawn.output
    assert office(vision_app, "verify", scan, "--student", AGREES).exit_code == 2
    assert office(vision_app, "enrol", "--student", AGREES).exit_code == 2
    assert queries_verification.enrolments(store, SYSTEM).empty
    assert queries_verification.enrolments(store, SYSTEM, history=True)["student_key"].tolist() == [key]
    assert len(queries_verification.decisions(store, SYSTEM, key=key)) == 1  # what was decided stays
    encoder = queries.encoders(store)["encoder_id"].item()
    assert queries.embeddings(store, encoder, "outcome_model")[0].empty
    assert len(queries.student_specimens(store, SYSTEM, key)) == 2  # stored until it is erased

    again = office(data_app, "consent", "grant", "--student", AGREES, "--purpose", "verification", "--again")
    assert again.exit_code == 0
    assert queries_verification.enrolments(store, SYSTEM)["student_key"].tolist() == [key]
    assert office(vision_app, "verify", scan, "--student", AGREES).exit_code == 0
    store.close()
