"""A folder of backups and its index; the commands from an office's side."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap

import pytest
from typer.testing import CliRunner

from data import queries
from data.__main__ import app
from data.keeping import shelf, tombstones
from data.keeping.archive import BadBackup
from data.keeping.contents import verify
from data.keeping.shelf import INDEX, back_up, read_index
from data.settings import get_settings
from data.store import open_store, write_accounts, write_records
from data.trust import audit, erase
from data.trust.accounts import Account
from data.trust.audit_chain import verify_chain
from tests.conftest import small_register_frames
from tests.data.keeping.conftest import SECRET, fill


@pytest.fixture
def sqlite_store(tmp_path):
    """The small register, filled, in a folder of its own."""
    store = open_store(f"sqlite:///{tmp_path / 'store' / 'tepat.db'}", folder=tmp_path / "store")
    write_records(store, small_register_frames()[0], source="r.csv", files={}, actor="test", synthetic=True)
    fill(store)
    yield store
    store.close()


def test_so_many_backups_stay_and_what_is_not_listed_is_left_alone(sqlite_store, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "somebody's.backup").write_bytes(b"not ours")
    (folder / "killed.backup.part").write_bytes(b"half")
    gone = []
    for _ in range(4):
        made, went = back_up(sqlite_store, folder, SECRET, actor="test", keep=2)
        gone += went
    there = {path.name for path in folder.glob("*.backup")}
    listed = read_index(folder)
    assert len(gone) == 2 and len(listed) == 2 and listed[-1].file == made.file.name
    assert there == {one.file for one in listed} | {"somebody's.backup"}
    assert not list(folder.glob("*.part"))
    assert [verify(folder / one.file, SECRET, sqlite_store.cipher).log for one in listed] == ["proven"] * 2
    with pytest.raises(ValueError, match="at least 1"):
        back_up(sqlite_store, folder, SECRET, actor="test", keep=0)


KILLED = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from data.keeping import archive, backup, shelf
    from data.store import open_store
    archive.COST["n"] = 1 << 10
    def killed(*_, **__):
        os._exit(9)
    store = open_store(folder=Path(sys.argv[1]))
    exec(sys.argv[3])
    words = archive.Secret.of_passphrase("twelve words and more")
    shelf.back_up(store, Path(sys.argv[2]), words, actor="test")
""")


def killed(store, place, at: str) -> None:
    command = [sys.executable, "-c", KILLED, str(store.folder), str(place), at]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DATABASE_URL": ""}
    assert subprocess.run(command, env=environment).returncode == 9


@pytest.mark.parametrize(
    "at",
    [
        "backup.sync_folder = killed",
        "shelf.verify = killed",
        "shelf._let_go = killed",
        "shelf._write = killed",
    ],
)
def test_a_backup_killed_when_it_was_whole_is_listed_by_the_next_one_and_let_go_in_its_turn(
    sqlite_store, tmp_path, at
):
    folder = tmp_path / "shelf"
    folder.mkdir()
    first, _ = back_up(sqlite_store, folder, SECRET, actor="test")
    killed(sqlite_store, folder, at)
    (left,) = {path.name for path in folder.glob("*.backup")} - {first.file.name}
    assert [one.file for one in read_index(folder)] == [first.file.name]
    second, gone = back_up(sqlite_store, folder, SECRET, actor="test", keep=2)
    assert gone == [first.file.name]
    listed = read_index(folder)
    assert [one.file for one in listed] == [left, second.file.name]
    taken_up = verify(folder / left, SECRET, sqlite_store.cipher)
    rows = sum(one["rows"] for one in taken_up.tables.values())
    digest = hashlib.sha256((folder / left).read_bytes()).hexdigest()
    told = (taken_up.about["backup"], taken_up.about["made_at"], digest, rows, taken_up.about["head"][0])
    assert (listed[0].backup_id, listed[0].made_at, listed[0].sha256, listed[0].rows, listed[0].entry) == told
    assert listed[0].size == (folder / left).stat().st_size and listed[0].files == len(taken_up.files) > 0
    _, gone = back_up(sqlite_store, folder, SECRET, actor="test", keep=1)
    assert gone == [left, second.file.name]
    there = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    assert there == {INDEX, read_index(folder)[0].file}


def test_half_a_backup_of_any_name_is_cleared_away_by_the_next_one(sqlite_store, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    killed(sqlite_store, folder / "one.bak", "backup._table = killed")
    assert (folder / "one.bak.part").exists()
    made, _ = back_up(sqlite_store, folder, SECRET, actor="test")
    assert not list(folder.glob("*.part")) and [one.file for one in read_index(folder)] == [made.file.name]


@pytest.mark.parametrize("name", ["", "../precious", "precious", "gone.backup", "\ud800"])
def test_a_note_of_a_killed_backup_deletes_and_lists_nothing_that_is_none(sqlite_store, tmp_path, name):
    folder = tmp_path / "shelf"
    folder.mkdir()
    for precious in (tmp_path / "precious", folder / "precious"):
        precious.write_text("x")
    (folder / shelf.NOTE).write_bytes(name.encode("utf-8", "surrogatepass"))
    made, gone = back_up(sqlite_store, folder, SECRET, actor="test", keep=1)
    assert gone == [] and [one.file for one in read_index(folder)] == [made.file.name]
    assert (tmp_path / "precious").exists() and (folder / "precious").exists()
    assert not (folder / shelf.NOTE).exists()


def test_after_an_erasure_nothing_of_the_student_is_in_the_index_or_beside_it(sqlite_store, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    key = next(k for k in queries.specimen_table(sqlite_store)["student_key"])
    back_up(sqlite_store, folder, SECRET, actor="test")
    receipt = erase.erase_student(sqlite_store, key)
    back_up(sqlite_store, folder, SECRET, actor="test")
    clear = [path.read_text() for path in (folder / INDEX, folder / tombstones.FILE)]
    for said in clear:
        for trace in (key, "S07", "Student", *receipt.specimens):
            assert trace not in said
    assert set(json.loads(clear[0])[0]) == set(shelf.Listed.__dataclass_fields__)
    assert receipt.erasure_id in clear[1]


def test_a_backup_that_does_not_open_again_is_not_listed_and_lets_none_go(
    sqlite_store, tmp_path, monkeypatch
):
    folder = tmp_path / "shelf"
    folder.mkdir()
    back_up(sqlite_store, folder, SECRET, actor="test", keep=1)
    (before,) = read_index(folder)

    def damaged(*_):
        raise BadBackup("it was altered")

    monkeypatch.setattr(shelf, "verify", damaged)
    with pytest.raises(BadBackup):
        back_up(sqlite_store, folder, SECRET, actor="test", keep=1)
    assert read_index(folder) == [before]
    assert [path.name for path in folder.glob("*.backup")] == [before.file]


def test_a_broken_log_is_backed_up_as_it_is_and_said(sqlite_store, tmp_path):
    from sqlalchemy import text

    with sqlite_store.writing() as connection:
        connection.execute(text("DROP TRIGGER tr_audit_log_no_update"))
        connection.execute(text("UPDATE audit_log SET actor = 'nobody' WHERE entry = 1"))
    with pytest.raises(ValueError, match="broken at entry 1"):
        back_up(sqlite_store, tmp_path / "one.backup", SECRET, actor="test")
    found = verify(tmp_path / "one.backup", SECRET, sqlite_store.cipher)
    assert (found.log, found.broken_at, found.whole) == ("broken", 1, False)


@pytest.mark.parametrize("content", ["{", "[1]", '[{"file": "x"}]'])
def test_a_damaged_index_is_not_written_over(sqlite_store, tmp_path, content):
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(ValueError, match="move it away"):
        back_up(sqlite_store, tmp_path, SECRET, actor="test", keep=1)
    assert (tmp_path / INDEX).read_text() == content


def test_an_index_cannot_name_a_file_elsewhere(sqlite_store, tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    back_up(sqlite_store, folder, SECRET, actor="test")
    (tmp_path / "precious").write_text("x")
    told = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps([told[0] | {"file": "../precious"}, *told]))
    back_up(sqlite_store, folder, SECRET, actor="test", keep=1)
    assert (tmp_path / "precious").exists()


# --- the commands -----------------------------------------------------------------------------------------
@pytest.fixture
def office(tmp_path, monkeypatch):
    """An office's machine: a store, a folder for backups, a passphrase in a file."""
    monkeypatch.chdir(tmp_path)
    for name in ("TEPAT_KEY", "TEPAT_KEY_FILE", "TEPAT_KEY_COMMAND", "TEPAT_AUDIT_HEAD"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "words").write_text("twelve words and more\n")

    def say(folder: str = "store", **more: str) -> None:
        monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path / folder))
        monkeypatch.setenv("DATABASE_URL", "")
        monkeypatch.setenv("TEPAT_BACKUP_PASSPHRASE_FILE", str(tmp_path / "words"))
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    say()
    store = open_store()
    write_records(store, small_register_frames()[0], source="r.csv", files={}, actor="test", synthetic=True)
    write_accounts(store, [Account("ani", "Ani", "advisor")])
    store.close()
    yield say
    get_settings.cache_clear()


def run(*words: str, answer: str = ""):
    return CliRunner().invoke(app, list(words), input=answer)


def test_a_backup_by_command_is_verified_and_restored_on_another_machine(office, tmp_path):
    made = run("backup", str(tmp_path / "shelf"), "--keep", "14")
    assert made.exit_code == 0, made.output
    assert "is not in the backup" in made.stderr and "opened again" in made.stdout
    (file,) = (tmp_path / "shelf").glob("*.backup")
    seen = run("verify", str(file), "--tables")
    assert seen.exit_code == 0 and "proven with the store's key" in seen.output
    assert "identities" in seen.output and "S07" not in seen.output

    office("other")
    (tmp_path / "other").mkdir()
    assert "not proven, the store's key is not here" in run("verify", str(file)).output
    refused = run("restore", str(file))
    assert refused.exit_code == 2 and "the store's key is needed" in refused.stderr
    shutil.copy(tmp_path / "store" / "key", tmp_path / "other" / "key")
    back = run("restore", str(file))
    assert back.exit_code == 0, back.output
    assert "read back as they were noted" in back.output
    store = open_store()
    assert len(queries.counts(store)) and verify_chain(store).intact
    assert audit.entries(store, action="restore backup")["object"].iloc[0] in back.output
    store.close()
    again = run("restore", str(file))
    assert again.exit_code == 2 and "--replace" in again.stderr
    assert run("restore", str(file), "--replace", answer="n\n").exit_code == 1
    assert run("restore", str(file), "--replace", "--yes").exit_code == 0
    assert run("restore", "--finish").output == "no restore was cut off here\n"


def test_the_key_comes_along_wrapped_where_that_is_asked_for(office, tmp_path):
    (tmp_path / "wrap").write_text("in an envelope in the safe\n")
    wrap = ("--wrap-passphrase-file", str(tmp_path / "wrap"))
    assert run("backup", str(tmp_path / "one.backup"), "--with-key", *wrap).exit_code == 0
    office("other")
    back = run("restore", str(tmp_path / "one.backup"), "--key-from-backup", *wrap)
    assert back.exit_code == 0, back.output
    assert (tmp_path / "other" / "key").stat().st_mode & 0o077 == 0
    store = open_store()
    assert store.cipher.master == base64.b64decode((tmp_path / "store" / "key").read_bytes())
    store.close()


def test_a_key_of_its_own_seals_backups_too(office, tmp_path, monkeypatch):
    monkeypatch.delenv("TEPAT_BACKUP_PASSPHRASE_FILE")
    (tmp_path / "backup-key").write_bytes(base64.b64encode(bytes(range(32))))
    office_key = ("--key-file", str(tmp_path / "backup-key"))
    get_settings.cache_clear()
    assert run("backup", str(tmp_path / "one.backup"), *office_key).exit_code == 0
    assert run("verify", str(tmp_path / "one.backup"), *office_key).exit_code == 0
    refused = run("verify", str(tmp_path / "one.backup"), "--passphrase-file", str(tmp_path / "words"))
    assert refused.exit_code == 2 and "sealed with a key" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup", "words"), "there is a file 'words' already"),
        (("backup", "nowhere/one.backup"), "there is no folder"),
        (("backup", "one.backup", "--keep", "3"), "name the folder"),
        (("backup", "shelf", "--key-file", "words", "--passphrase-file", "words"), "not both"),
        (("backup", "shelf", "--key-file", "words"), "it is not base64"),
        (("backup", "shelf", "--passphrase-file", "short"), "at least 12 characters"),
        (("verify", "words"), "no backup of this program"),
        (("restore", "words"), "no backup of this program"),
        (("restore",), "give the backup, or --finish"),
    ],
)
def test_what_cannot_be_is_one_line(office, tmp_path, words, said):
    (tmp_path / "short").write_text("short")
    result = run(*words)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1 and said in result.stderr, result.output


def test_without_a_terminal_a_backup_says_where_its_secret_can_come_from(office, monkeypatch, tmp_path):
    monkeypatch.delenv("TEPAT_BACKUP_PASSPHRASE_FILE")
    get_settings.cache_clear()
    result = run("backup", str(tmp_path / "shelf"))
    assert result.exit_code == 2 and "TEPAT_BACKUP_KEY_FILE" in result.stderr
    assert not list((tmp_path / "shelf").glob("*.backup*"))
