"""``python -m data feeder pull`` as an office runs it: what it takes, what it says, and killed ten times."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from data import schema
from data.__main__ import app
from data.settings import get_settings
from data.store import open_store
from data.trust import audit
from tests.data.feeder import registers
from tests.data.feeder.server import PASSWORD, USER, served
from tests.data.feeder.test_pull import assert_equal, register

ROOT = Path(__file__).parents[3]


@pytest.fixture
def office(tmp_path, sqlite_template, monkeypatch):
    """An empty store that the environment names, with the password there as a worker has it."""
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("TEPAT_FEEDER_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    open_store().close()  # makes the key
    yield tmp_path
    get_settings.cache_clear()


def run(feeder, *arguments):
    line = ["feeder", "pull", "--url", feeder.url, "--user", USER, *map(str, arguments)]
    return CliRunner().invoke(app, line)


def opened(folder: Path):
    return open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)


def test_a_dry_run_then_a_pull_then_a_quiet_one(office):
    with served(registers.rows_of(registers.invented(40))) as feeder:
        dry = run(feeder, "--dry-run")
        assert dry.exit_code == 0, dry.output
        assert "students          40 new" in dry.output and "dry run: nothing was written" in dry.output
        assert "note: http: password and records travel readable" in dry.output
        first = run(feeder, "--report", office / "report")
        assert first.exit_code == 0, first.output
        written = first.output.split("written:")[1]
        assert "students          40 new" in written
        assert "GetListMahasiswa                          40 rows" in first.output
        assert "programmes and terms agree" in first.output
        again = run(feeder)
    assert "written: nothing, all is as it was" in again.output
    assert sorted(path.name for path in (office / "report").iterdir()) == [
        "not-in-feeder.csv",
        "reconciliation.csv",
    ]


def test_the_address_and_the_account_may_stand_in_the_environment(office, monkeypatch):
    with served(registers.rows_of(registers.invented(8))) as feeder:
        monkeypatch.setenv("TEPAT_FEEDER_URL", feeder.url)
        monkeypatch.setenv("TEPAT_FEEDER_USER", USER)
        get_settings.cache_clear()
        done = CliRunner().invoke(app, ["feeder", "pull", "--cohorts", "2018-2019"])
    assert done.exit_code == 0, done.output
    assert "id_periode >= '20181' and id_periode <= '20193'" in {body.get("filter") for body in feeder.asked}


def test_wrong_use_is_said_before_anything_is_asked(office, monkeypatch):
    with served({}) as feeder:
        for arguments, said in (
            (["feeder", "pull"], "give --url and --user"),
            (["feeder", "pull", "--url", feeder.url, "--user", "a", "--cohorts", "19-20"], "must be years"),
            (["feeder", "pull", "--url", "feeder.local", "--user", "a"], "must be like http"),
            (["feeder", "pull", "--url", f"http://a:{PASSWORD}@h/ws", "--user", "a"], "must not hold"),
        ):
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == 2, done.output
            assert said in done.output and PASSWORD not in done.output
        monkeypatch.delenv("TEPAT_FEEDER_PASSWORD")
        get_settings.cache_clear()
        nobody = run(feeder)
        assert (nobody.exit_code, "set TEPAT_FEEDER_PASSWORD" in nobody.output) == (2, True)
    assert feeder.asked == []


def test_there_is_no_option_for_the_password():
    shown = CliRunner().invoke(app, ["feeder", "pull", "--help"], env={"COLUMNS": "200"})
    options = {word for word in shown.output.split() if word.startswith("--")}
    assert "--user" in options
    assert not [option for option in options if "pass" in option or "token" in option]


def test_the_password_is_asked_for_where_somebody_sits(office, monkeypatch):
    monkeypatch.delenv("TEPAT_FEEDER_PASSWORD")
    get_settings.cache_clear()
    monkeypatch.setattr("data.commands.feeder._is_attended", lambda: True)
    with served(registers.rows_of(registers.invented(4))) as feeder:
        line = ["feeder", "pull", "--url", feeder.url, "--user", USER]
        done = CliRunner().invoke(app, line, input=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "Password of the Feeder account" in done.output and PASSWORD not in done.output


def test_refused_rows_end_with_1_and_come_back_as_a_file(office):
    rows = registers.rows_of(registers.invented(20))
    rows["GetAktivitasKuliahMahasiswa"][0]["id_status_mahasiswa"] = "?"
    with served(rows) as feeder:
        done = run(feeder, "--report", "out")
        assert done.exit_code == 1
        assert "REC005 feeder-terms.csv" in done.output and "refused: nothing was written" in done.output
        assert (office / "out" / "refused-rows.xlsx").exists()
        assert run(feeder, "--skip-bad").exit_code == 0


def test_a_feeder_that_cannot_be_read_ends_with_4_and_a_wrong_password_with_2(office, monkeypatch):
    with served(registers.rows_of(registers.invented(4))) as feeder:
        feeder.always["GetListMahasiswa"] = "error"
        broken = run(feeder)
        assert broken.exit_code == 4, broken.output
        assert "GetListMahasiswa: the service says error 1107" in broken.output
        assert "goes on where this one stopped" in broken.output
        monkeypatch.setenv("TEPAT_FEEDER_PASSWORD", "bukan-ini")
        get_settings.cache_clear()
        refused = run(feeder)
    assert refused.exit_code == 2
    assert "refuses the name or the password" in refused.output and "bukan-ini" not in refused.output


def process(office: Path, feeder, *arguments: str) -> subprocess.Popen:
    line = [sys.executable, "-m", "data", "feeder", "pull", "--url", feeder.url, "--user", USER, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    out = (office / "log.txt").open("ab")
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)


@pytest.mark.slow
def test_killed_ten_times_it_ends_with_an_equal_register_and_nothing_was_ever_half_written(
    office, tmp_path_factory, sqlite_template
):
    students = registers.invented(120)
    rows = registers.rows_of(students)
    pages = sum(1 + len(rows[act]) // 19 for act in ("GetAktivitasKuliahMahasiswa", "GetListMahasiswa"))
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    shutil.copy(sqlite_template, undisturbed / "tepat.db")
    opened(undisturbed).close()  # makes the key
    rng, kills, sizes = random.Random(5), 0, set()
    with served(rows) as feeder:
        for turn in range(10):
            before, late = len(feeder.asked), turn >= 7
            enough = rng.randint(2, max(3, pages // 8))
            child = process(office, feeder, "--page", "20")
            while child.poll() is None:
                asked = feeder.acts()
                if len(feeder.asked) - before >= enough and (not late or "GetRekapJumlahMahasiswa" in asked):
                    time.sleep(rng.uniform(0, 2.5 if late else 0.05))
                    break
                time.sleep(0.005)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            child.wait()
            store = opened(office)
            with store.reading() as connection:
                counts = [
                    connection.scalar(select(func.count()).select_from(table))
                    for table in (schema.students, schema.terms, schema.outcomes)
                ]
            store.close()
            sizes.add(tuple(counts))
        last = process(office, feeder, "--page", "20")
        assert last.wait(120) == 0, (office / "log.txt").read_text(encoding="utf-8")[-2000:]
        whole = (120, len(rows["GetAktivitasKuliahMahasiswa"]), len(rows["GetListMahasiswaLulusDO"]))
        assert kills >= 8
        assert sizes <= {(0, 0, 0), whole}
        others = {**os.environ, "TEPAT_FOLDER": str(undisturbed)}
        line = [sys.executable, "-m", "data", "feeder", "pull", "--url", feeder.url, "--user", USER]
        subprocess.run(line, cwd=ROOT, env=others, check=True, capture_output=True)
    killed, calm = opened(office), opened(undisturbed)
    assert_equal(register(killed), register(calm))
    with killed.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.imports)) == 1
    pulls = audit.entries(killed, action="pull feeder")
    assert len(pulls[pulls["detail"].map(lambda detail: detail["import"] is not None)]) == 1
    assert len(audit.entries(killed, action="import files")) == 1
    assert sorted(path.name for path in (office / "feeder").iterdir()) == ["asked", "lock", "seen"]
    killed.close()
    calm.close()


def test_the_password_is_in_no_process_list_no_file_and_no_row(office):
    with served(registers.rows_of(registers.invented(60))) as feeder:
        feeder.always["GetAktivitasKuliahMahasiswa"] = "late"
        child = process(office, feeder, "--page", "20")
        while "GetAktivitasKuliahMahasiswa" not in feeder.acts() and child.poll() is None:
            time.sleep(0.01)
        line = Path(f"/proc/{child.pid}/cmdline").read_bytes()
        in_the_middle = [path.read_bytes() for path in office.rglob("*") if path.is_file()]
        child.send_signal(signal.SIGKILL)
        child.wait()
        feeder.always.clear()
        assert process(office, feeder, "--page", "20").wait(120) == 0
        tokens = [token.encode() for token in feeder.tokens]
    assert b"feeder" in line and len(in_the_middle) > 3 and len(tokens) >= 2
    files = [path.read_bytes() for path in office.rglob("*") if path.is_file()]
    for content in (line, *in_the_middle, *files):
        assert PASSWORD.encode() not in content
        assert not [token for token in tokens if token in content]
    store = opened(office)
    with store.reading() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert PASSWORD not in str(row) and USER not in str(row)
    store.close()


def test_a_mapping_that_is_remembered_serves_the_next_pull(office):
    (office / "kampus.toml").write_text(
        'extends = "pddikti"\n[students.values.program_code]\n"55201" = "IF"\n', encoding="utf-8"
    )
    with served(registers.rows_of(registers.invented(20))) as feeder:
        first = run(feeder, "--mapping", "kampus.toml", "--remember")
        assert first.exit_code == 0, first.output
        again = run(feeder)
        assert "written: nothing, all is as it was" in again.output, again.output
        assert run(feeder, "--mapping", "nowhere.toml").exit_code == 2
