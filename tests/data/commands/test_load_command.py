"""``python -m data load`` as an office runs it, killed at any moment included."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from data import schema
from data.__main__ import app
from data.engine.bulk import fetch
from data.engine.clock import now
from data.records.advice import ADVICE
from data.records.import_queries import known_records, specimen_hashes
from data.settings import get_settings
from data.store import open_store

SAMPLES = Path(__file__).parents[2] / "samples"
ROOT = Path(__file__).parents[3]
TABLES = {f"--{table}": str(SAMPLES / f"siakad_{table}.csv") for table in ("students", "terms", "outcomes")}
ALL = [text for pair in TABLES.items() for text in pair] + ["--signatures", str(SAMPLES / "signatures.zip")]


@pytest.fixture
def load(store_url, tmp_path, monkeypatch):
    """Run the command on an empty store and return its result."""
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store_url)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["load", *map(str, arguments)])
    get_settings.cache_clear()


def contents(url: str, folder: Path) -> dict[str, pd.DataFrame]:
    """Everything a register says, without the ids of imports."""
    store = open_store(url, folder=folder)
    try:
        with store.reading() as connection:
            numbers = fetch(connection, select(schema.identities))["student_number"]
        known = known_records(store, numbers)
        frames = {"programs": known.programs, "students": known.students}
        frames |= {"terms": known.terms, "outcomes": known.outcomes}
        keys = {"programs": ["program_code"], "terms": ["student_number", "term_id"]}
        plain = {
            name: frame.drop(columns="import_id", errors="ignore")
            .sort_values(keys.get(name, ["student_number"]))
            .reset_index(drop=True)
            for name, frame in frames.items()
        }
        with store.reading() as connection:
            history = fetch(connection, select(schema.row_history.c.row_key))
        plain["history"] = history
        plain["specimens"] = pd.DataFrame(sorted(specimen_hashes(store)))
        return plain
    finally:
        store.close()


def test_everything_is_loaded_by_one_command_and_a_second_time_changes_nothing(load):
    first = load(*ALL)
    assert first.exit_code == 0, first.output
    assert "students: 30 rows, 0 refused; SIAKAD export; 12 columns understood" in first.output
    assert "never stored: NIK" in first.output
    assert "signatures: 12 files, 12 of 6 students taken" in first.output
    written = first.output.split("written:")[1]
    assert [line.split()[:3] for line in written.splitlines() if line.startswith("  ")] == [
        ["programs", "3", "new"],
        ["students", "30", "new"],
        ["terms", "184", "new"],
        ["outcomes", "21", "new"],
        ["signatures", "12", "new"],
    ]
    second = load(*ALL)
    assert second.exit_code == 0, second.output
    assert {line.split()[1] for line in second.output.split("written:")[1].splitlines() if line} == {"0"}


def test_a_dry_run_says_what_would_happen_and_writes_nothing(load, store_url, tmp_path):
    result = load(*ALL, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "dry run: nothing was written" in result.output
    assert "written:" not in result.output
    assert contents(store_url, tmp_path)["students"].empty


def test_consents_are_loaded_by_a_file_checked_first_and_twice_change_nothing(load, tmp_path):
    file = tmp_path / "persetujuan.csv"
    file.write_text(
        "NIM;Nama Mahasiswa;Keperluan;Status;Tanggal Persetujuan;Tanggal Pencabutan;Bukti\n"
        "0117200001;Adi Contoh;verifikasi tanda tangan;setuju;01/09/2020;;F-1\n"
        "0142210002;;semua;dicabut;01/09/2021;05/02/2022;S-2\n",
        encoding="utf-8",
    )
    dry = load(*ALL, "--consents", file, "--dry-run")
    assert (dry.exit_code, "consents           7 new" in dry.output) == (0, True), dry.output
    first = load(*ALL, "--consents", file)
    assert first.exit_code == 0, first.output
    assert "consents           7 new" in first.output.split("written:")[1]
    again = load("--consents", file)
    assert "consents           0 new         0 changed         7 same" in again.output.split("written:")[1]
    file.write_text("NIM;Keperluan;Status;Tanggal\n0117200001;riset;setuju;01/09/2098\n", encoding="utf-8")
    refused = load("--consents", file)
    assert refused.exit_code == 1
    assert "error   REC014 persetujuan.csv row 2 Tanggal '01/09/2098': after today" in refused.output


def test_refused_rows_are_listed_and_nothing_is_written(load, store_url, tmp_path):
    bad = ["--students", TABLES["--students"], "--terms", SAMPLES / "bad_terms.csv"]
    result = load(*bad, "--problems", "all.csv")
    assert result.exit_code == 1
    assert "error   REC004 bad_terms.csv row 3 IPS '4,75': must be between 0 and 4" in result.output
    assert "refused: nothing was written; --skip-bad imports the rest" in result.output
    assert contents(store_url, tmp_path)["students"].empty
    problems = pd.read_csv(tmp_path / "all.csv", sep=";", encoding="utf-8-sig", dtype=str)
    assert set(problems["severity"]) == {"error", "warning"}
    assert problems.loc[0, ["file", "row", "column", "rule", "value"]].tolist() == [
        "bad_terms.csv", "3", "IPS", "REC004", "4,75",
    ]  # fmt: skip
    assert problems["what_to_do"].tolist() == [ADVICE[rule] for rule in problems["rule"]]


def test_what_there_is_to_mend_is_summed_up_by_cause_before_every_cell_is_listed(load, tmp_path):
    """Thirty cells of one mistake are one thing to mend, as on the page, with its count and what to do."""
    students = ["NIM;Nama;Kode Prodi;Jenjang;Tahun Masuk;Jenis Kelamin"]
    students += [
        f"02110{place:04d};Orang {place};55201;S1;20211;{'X' if place == 7 else 'L'}" for place in range(30)
    ]
    terms = ["NIM;Semester;Status;IPS;SKS Diambil;SKS Lulus"]
    terms += [f"02110{place:04d};20211;A;{'345' if place > 9 else '3,45'};20;20" for place in range(30)]
    (tmp_path / "mahasiswa.csv").write_text("\n".join(students), encoding="utf-8")
    (tmp_path / "semester.csv").write_text("\n".join(terms), encoding="utf-8")
    result = load("--students", tmp_path / "mahasiswa.csv", "--terms", tmp_path / "semester.csv")
    assert result.exit_code == 1
    summary, cells = result.output.split("every cell:")
    told = summary[summary.index("to mend:") :].splitlines()
    assert told[0] == "to mend: 2 mistakes, in 22 cells"
    assert told[1] == "  20 rows: A number is outside its range (REC004)"
    assert told[2].startswith("    such as semester.csv row 12 IPS '345': must be between 0 and 4")
    assert told[3] == f"    what to do: {ADVICE['REC004']}"
    assert told[4] == "  1 row: A value is not one of those allowed (REC005)"
    assert "say with --set what this word or code means" in told[6]  # the page's step is an option here
    assert "(REC012)" in told[7]  # what follows from another mistake stands last and is not counted
    assert cells.count("error   REC004") == 20
    assert "step 2" not in summary


def test_skipped_rows_come_back_as_a_file_and_the_rest_is_written(load, store_url, tmp_path):
    bad = ["--students", TABLES["--students"], "--terms", SAMPLES / "bad_terms.csv"]
    result = load(*bad, "--skip-bad", "--bad-rows", tmp_path / "back.csv")
    assert result.exit_code == 0, result.output
    assert len((tmp_path / "back.csv").read_text(encoding="utf-8-sig").splitlines()) == 11
    assert len(contents(store_url, tmp_path)["terms"]) == 2
    assert load(*bad, "--skip-bad").exit_code == 0
    assert (tmp_path / "refused-rows.xlsx").exists()


def test_a_refused_signature_stops_the_records_as_well(load, store_url, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "0117200001_2021-01-01.png").write_bytes(b"text")
    (folder / "0117200099_2021-01-01.png").write_bytes((SAMPLES / "make_samples.py").read_bytes())
    result = load("--students", TABLES["--students"], "--signatures", folder)
    assert result.exit_code == 1
    assert "SPC005 0117200001_2021-01-01.png: the contents are no image" in result.output
    assert contents(store_url, tmp_path)["students"].empty


def test_wrong_use_is_told_apart_from_refused_files(load, tmp_path):
    assert load().exit_code == 2
    assert load("--students", tmp_path / "missing.csv").exit_code == 2
    assert load(*ALL, "--mapping", "nobody").exit_code == 2
    assert load(*ALL, "--captured-on", "yesterday").exit_code == 2
    (tmp_path / "s.csv").write_text("NIM\n")
    overwritten = load("--students", tmp_path / "s.csv", "--bad-rows", tmp_path / "s.csv")
    assert overwritten.exit_code == 2
    assert (tmp_path / "s.csv").read_text() == "NIM\n"


def test_a_mapping_is_used_and_remembered(load, tmp_path):
    (tmp_path / "ours.toml").write_text('extends = "siakad"\n[students.columns]\nprogram_code = "Unit"\n')
    (tmp_path / "s.csv").write_text("NIM;Unit;Jenjang;Angkatan\n001;55;S1;2023\n")
    assert load("--students", tmp_path / "s.csv").exit_code == 1
    mapped = load("--students", tmp_path / "s.csv", "--mapping", tmp_path / "ours.toml", "--remember")
    assert mapped.exit_code == 0, mapped.output
    again = load("--students", tmp_path / "s.csv")
    assert again.exit_code == 0
    assert "students: 1 rows, 0 refused; ours; 4 columns understood" in again.output


def run(url: str, folder: Path, kill_after: float | None = None) -> int:
    """Run the command in a process of its own; kill it after some seconds."""
    environment = os.environ | {"DATABASE_URL": url, "TEPAT_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "data", "load", *ALL]
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if kill_after is not None:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    return process.wait()


@pytest.mark.slow
def test_killed_at_any_moment_and_started_again_nothing_is_lost_or_doubled(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    start = time.monotonic()
    assert run(f"sqlite:///{whole / 'tepat.db'}", whole) == 0
    seconds = time.monotonic() - start
    expected = contents(f"sqlite:///{whole / 'tepat.db'}", whole)
    assert len(expected["specimens"]) == 12

    torn = tmp_path / "torn"
    torn.mkdir()
    url = f"sqlite:///{torn / 'tepat.db'}"
    for share in (0.6, 0.85, 0.95):  # before, while and after the records are written
        run(url, torn, kill_after=share * seconds)
    assert run(url, torn) == 0
    found = contents(url, torn)
    assert set(found) == set(expected)
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame)
    assert now().date() + timedelta(days=1) >= found["terms"]["known_at"].max().date()
