"""A restore brings back every row on either database, or changes nothing; who was erased stays erased."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from data import queries, schema
from data.engine.cipher import Cipher
from data.engine.database import connect, reading
from data.keeping import tombstones
from data.keeping.backup import LEFT_OUT, list_beside, make_backup
from data.keeping.restore import CannotRestore, Target, finish, restore
from data.keeping.rows import counter_of, lines_of, shape_of
from data.keeping.swapping import InUse, Journal
from data.store import NewSpecimen, UnderWay, open_store, write_specimens
from data.trust import audit, erase
from data.trust.audit_chain import verify_chain
from data.trust.scope import Scope
from tests.data.keeping.conftest import SECRET

SYSTEM = Scope.system()
GROWS = {"audit_log"}


def content(store, without=frozenset()) -> dict[str, list[bytes]]:
    """Table → its rows as sorted lines; numbered ones by their number."""
    with store.reading() as connection:
        return {
            one.name: sorted(lines_of(connection, one.name, shape_of(one)), key=in_order)
            for one in schema.metadata.sorted_tables
            if one.name not in LEFT_OUT | without
        }


def in_order(line: bytes) -> tuple[int, bytes]:
    first = line[1:].partition(b",")[0]
    return (int(first) if first.isdigit() else 0), line


def counters(store) -> dict[str, int | None]:
    with store.reading() as connection:
        tables = [one for one in schema.metadata.sorted_tables if one.name not in LEFT_OUT | GROWS]
        return {one.name: counter_of(connection, one) for one in tables}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for one in ("models", "jobs", "feeder")
        for path in (folder / one).rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def target_of(url: str, folder: Path) -> Target:
    return Target.of_settings(url, folder)


def bring_key(store, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(store.folder / "key", folder / "key")


def back(store, name: str = "one.backup") -> Path:
    file = store.folder / "backups" / name
    file.parent.mkdir(exist_ok=True)
    make_backup(store, file, SECRET, actor="test")
    list_beside(store, file)
    return file


# --- every row --------------------------------------------------------------------------------------------
def test_every_row_and_file_comes_back_on_either_database(full, target_url, tmp_path):
    store, folder = full.store, tmp_path / "target"
    with store.writing() as connection:  # a number that was given and erased is not given again
        connection.execute(insert(schema.duplicate_searches).values(**SEARCH | {"search_id": 41}))
        connection.execute(schema.duplicate_searches.delete())
    file = back(store)
    before, of_log = content(store, GROWS), content(store)["audit_log"]
    bring_key(store, folder)
    done = restore(file, SECRET, store.cipher, target_of(target_url, folder), actor="test")
    restored = open_store(target_url, folder=folder, create=False)
    try:
        assert content(restored, GROWS) == before
        log = audit.entries(restored)
        assert log["action"].tolist()[:2] == ["accept audit log", "restore backup"]
        # all but the entry that came after the state, then the two that tell of the restore
        assert content(restored)["audit_log"][: len(of_log) - 1] == of_log[:-1]
        assert len(log) == len(of_log) - 1 + 2
        assert counters(restored) == counters(store)
        if store.engine.dialect.name == "sqlite":  # PostgreSQL counts no number that was given by hand
            assert counters(restored)["duplicate_searches"] == 41
        report = verify_chain(restored)
        assert report.intact and report.accepted == (done.entry,)
        there = files(store.folder)
        assert files(folder) == there and len(there) == 4
        (specimen,) = queries.student_specimens(restored, SYSTEM, full.keys["S08"])["specimen_id"]
        assert queries.specimen_image(restored, specimen, SYSTEM) == b"ink 3"
        audit.append(restored, actor="ani", role="advisor", action="view student", object="0")
        assert verify_chain(restored).intact
        assert leftovers(folder) == []
    finally:
        restored.close()


SEARCH = {"at": audit.now(), "actor": "a", "descriptor_id": "d", "content": {}}


def leftovers(folder: Path) -> list[str]:
    found = [path.name for path in folder.iterdir() if "restore" in path.name]
    return [name for name in found if name != "restore.lock"]


def test_a_database_beside_is_gone_after_a_restore(full, target_url, tmp_path):
    bring_key(full.store, tmp_path / "target")
    target = target_of(target_url, tmp_path / "target")
    restore(back(full.store), SECRET, full.store.cipher, target, actor="test")
    engine = connect(target_url)
    if engine.dialect.name == "postgresql":
        with reading(engine) as connection:
            found = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tepat%'"))
            assert found.all() == []
    engine.dispose()


# --- what is there already --------------------------------------------------------------------------------
def test_a_store_that_is_there_stays_unless_told(full, tmp_path):
    store = full.store
    file = back(store)
    url, folder = store.engine.url.render_as_string(hide_password=False), store.folder
    target = target_of(url, folder)
    audit.append(store, actor="ani", role="advisor", action="view student", object="0")
    (folder / "models" / "later").mkdir()
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache" / "map").write_bytes(b"x")
    before = content(store)
    store.close()
    with pytest.raises(CannotRestore, match="--replace"):
        restore(file, SECRET, store.cipher, target, actor="test")
    again = open_store(url, folder=folder)
    assert content(again) == before
    with pytest.raises(InUse, match="in use"):
        restore(file, SECRET, store.cipher, target, actor="test", replace=True)
    again.close()
    done = restore(file, SECRET, store.cipher, target, actor="test", replace=True)
    assert done.present_was_read and done.erased_again == ()
    restored = open_store(url, folder=folder)
    report = verify_chain(restored)
    assert report.intact and report.accepted == (done.entry,)
    told = audit.entries(restored, action="restore backup").iloc[0]["detail"]
    assert told["replaced"] and told["kept_before"].startswith("entry ")
    assert not (folder / "models" / "later").exists() and not (folder / "cache").exists()
    restored.close()


def test_a_wrong_key_or_secret_and_a_damaged_file_change_nothing(full, tmp_path):
    store, folder = full.store, tmp_path / "target"
    file = back(store)
    target = target_of(f"sqlite:///{folder / 'tepat.db'}", folder)
    with pytest.raises(CannotRestore, match="wrong key.*put that one there"):
        restore(file, SECRET, Cipher(bytes(32)), target, actor="test")
    damaged = bytearray(file.read_bytes())
    damaged[-40] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(ValueError, match="altered"):
        restore(file, SECRET, store.cipher, target, actor="test")
    assert [path.name for path in folder.iterdir()] == ["restore.lock"]


def test_a_damaged_store_is_replaced_by_its_backup(full, tmp_path):
    store, folder = full.store, tmp_path / "target"
    file = back(store)
    bring_key(store, folder)
    (folder / "tepat.db").write_bytes(b"no database any more" * 500)
    target = target_of(f"sqlite:///{folder / 'tepat.db'}", folder)
    done = restore(file, SECRET, store.cipher, target, actor="test", replace=True)
    assert done.present_was_read is False
    restored = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    assert content(restored, GROWS) == content(store, GROWS)
    restored.close()


# --- erased students --------------------------------------------------------------------------------------
def of_student(store, key: str) -> int:
    rows = content(store, {"erasures", "audit_log"})
    return sum(key.encode() in line for lines in rows.values() for line in lines)


@pytest.mark.parametrize("told_by", ["the store", "the list beside the head", "the list beside the backup"])
def test_an_erased_student_stays_erased_after_an_older_backup(full, tmp_path, told_by):
    store, folder = full.store, tmp_path / "target"
    key, other = full.keys["S07"], full.keys["S08"]
    file = back(store)
    more = NewSpecimen(
        "S08", b"ink 4", queries.specimen_table(store)["captured_on"].iloc[0], "exam", "png", 9, 9, 9
    )
    if told_by != "the store":
        write_specimens(store, [more], source="later.zip", actor="test", synthetic=True)
    whole, part = erase.erase_student(store, key), erase.erase_student_signatures(store, other)
    newer = back(store, "two.backup")
    url = f"sqlite:///{folder / 'tepat.db'}"
    bring_key(store, folder)
    if told_by == "the store":
        for name in (file.parent, store.folder):
            (name / tombstones.FILE).unlink()
        restore(newer, SECRET, store.cipher, target_of(url, folder), actor="test")
        (folder / tombstones.FILE).unlink(missing_ok=True)
    elif told_by == "the list beside the head":
        (file.parent / tombstones.FILE).unlink()
        shutil.copy(store.folder / tombstones.FILE, folder / tombstones.FILE)
    done = restore(file, SECRET, store.cipher, target_of(url, folder), actor="test", replace=True)
    assert {one.erasure_id for one in done.erased_again} == {whole.erasure_id, part.erasure_id}
    restored = open_store(url, folder=folder)
    assert of_student(restored, key) == 0
    assert queries.student_specimens(restored, SYSTEM, other).empty
    assert erase.receipts(restored, other)[0].at == part.at
    told = audit.entries(restored, action="restore backup").iloc[0]["detail"]
    assert set(told["erased_again"]) == {whole.erasure_id, part.erasure_id}
    assert verify_chain(restored).intact
    assert {one.erasure_id for one in tombstones.buried(restored.seal, [folder / tombstones.FILE])} == {
        whole.erasure_id,
        part.erasure_id,
    }
    assert not list((folder / "jobs").glob("*/*"))  # files of then may say what was erased
    if told_by != "the store":  # a file that came after the backup and was erased since
        said = write_specimens(restored, [more], source="again.zip", actor="test", synthetic=True)
        assert (said.new, said.erased) == (0, 1)
    restored.close()


def test_an_erasure_that_the_backup_knows_is_not_repeated(full, tmp_path):
    store, folder = full.store, tmp_path / "target"
    erase.erase_student_signatures(store, full.keys["S07"])
    more = NewSpecimen(
        "S07", b"given later", queries.specimen_table(store)["captured_on"].iloc[0], "exam", "png", 9, 9, 9
    )
    write_specimens(store, [more], source="later.zip", actor="test", synthetic=True)
    file = back(store)
    bring_key(store, folder)
    url = f"sqlite:///{folder / 'tepat.db'}"
    done = restore(file, SECRET, store.cipher, target_of(url, folder), actor="test")
    assert done.erased_again == ()
    restored = open_store(url, folder=folder)
    assert len(queries.student_specimens(restored, SYSTEM, full.keys["S07"])) == 1
    restored.close()


def test_the_list_of_erasures_says_nothing_of_anybody_and_believes_nobody_without_the_key(full):
    store, key = full.store, full.keys["S07"]
    erase.erase_student(store, key)
    path = tombstones.list_of(store.seal)
    said = path.read_text()
    assert key not in said and "S07" not in said and (path.stat().st_mode & 0o077) == 0
    (one,) = tombstones.buried(store.seal, [path])
    assert one.who == tombstones.who_is(store.cipher, key)
    other = tombstones.who_is(store.cipher, full.keys["S01"])
    path.write_text(said.replace(one.who, other))
    assert tombstones.buried(store.seal, [path]) == []
    path.write_text(said[:-9])
    with pytest.raises(ValueError, match="damaged"):
        tombstones.buried(store.seal, [path])


def test_an_erasure_happens_although_the_list_cannot_be_written_and_the_next_backup_lists_it(full, caplog):
    store = full.store
    path = tombstones.list_of(store.seal)
    path.mkdir()
    receipt = erase.erase_student(store, full.keys["S07"])
    assert of_student(store, full.keys["S07"]) == 0
    assert "not put on the list" in caplog.text
    path.rmdir()
    back(store)
    assert [one.erasure_id for one in tombstones.buried(store.seal, [path])] == [receipt.erasure_id]


# --- killed -----------------------------------------------------------------------------------------------
KILLED = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from data.keeping import archive, backup, restore, swapping
    from data.keeping.archive import COST, Secret
    from data.store import open_store
    COST["n"] = 1 << 10
    SECRET = Secret.of_passphrase("twelve words and more")
    def killed(*_, **__):
        os._exit(9)
    def after(module, name, times=1):
        real, calls = getattr(module, name), []
        def wrapped(*args, **more):
            done = real(*args, **more)
            calls.append(1)
            if len(calls) == times:
                os._exit(9)
            return done
        setattr(module, name, wrapped)
    folder, file, at = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    url = sys.argv[4]
    store = open_store(url, folder=folder)
    key = store.cipher
    exec(at)
    if sys.argv[5] == "backup":
        backup.make_backup(store, file, SECRET, actor="test")
    else:
        store.close()
        target = restore.Target.of_settings(url, folder)
        restore.restore(file, SECRET, key, target, actor="test", replace=True)
""")
BEFORE_THE_JOURNAL = (
    "after(restore, 'put_lines', 2)",
    "after(restore.erase, 'erase_again')",
    "after(swapping, 'settle')",
    "swapping.Journal.write = killed",
)
AFTER_IT = (
    "after(swapping.Journal, 'write')",
    "swapping._swap_file = swapping._swap_schema = killed",
    "after(swapping, '_swap_file'); after(swapping, '_swap_schema')",
    "after(swapping, 'swap')",
    "after(swapping.shutil, 'rmtree')",
    "after(restore, '_keep_head')",
)


def killed(store, file: Path, at: str, what: str) -> int:
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, str(store.folder), str(file), at, url, what]
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


@pytest.mark.parametrize(
    "at", ["after(backup, '_table', 3)", "os.replace = killed", "after(backup, 'sync_folder')"]
)
def test_a_killed_backup_leaves_a_whole_file_or_none(full, tmp_path, at):
    file = tmp_path / "b" / "one.backup"
    file.parent.mkdir()
    if full.store.engine.dialect.name == "postgresql" and "table" not in at:
        pytest.skip("what happens to a file does not depend on the database")
    assert killed(full.store, file, at, "backup") == 9
    if file.exists():
        from data.keeping.contents import verify

        assert verify(file, SECRET, full.store.cipher).whole
    assert audit.entries(full.store)["action"].iloc[0] == "begin backup"
    file.unlink(missing_ok=True)
    make_backup(full.store, file, SECRET, actor="test")
    assert [path.name for path in file.parent.iterdir()] == ["one.backup"]
    assert verify_chain(full.store).intact


@pytest.mark.parametrize("at", BEFORE_THE_JOURNAL)
def test_a_restore_killed_before_its_journal_leaves_the_store_as_it_was(full, at):
    store = full.store
    file = back(store)
    erase.erase_student(store, full.keys["S07"])
    before, there = content(store), files(store.folder)
    url, folder = store.engine.url.render_as_string(hide_password=False), store.folder
    store.close()
    assert killed(store, file, at, "restore") == 9
    again = open_store(url, folder=folder)
    assert content(again) == before and files(folder) == there
    assert verify_chain(again).intact
    again.close()
    target = target_of(url, folder)
    assert finish(target, store.cipher) is False
    assert leftovers(folder) == []
    assert len(restore(file, SECRET, store.cipher, target, actor="test", replace=True).erased_again) == 1


@pytest.mark.parametrize("at", AFTER_IT)
def test_a_restore_killed_after_its_journal_is_finished_and_opened_by_nobody_before(full, at):
    store = full.store
    file = back(store)
    wanted = content(store, GROWS)
    audit.append(store, actor="ani", role="advisor", action="view student", object="0")
    url, folder = store.engine.url.render_as_string(hide_password=False), store.folder
    store.close()
    assert killed(store, file, at, "restore") == 9
    target = target_of(url, folder)
    if Journal.read(folder) is not None:
        with pytest.raises(UnderWay, match="--finish"):
            open_store(url, folder=folder)
        with pytest.raises(CannotRestore, match="--finish"):
            restore(file, SECRET, store.cipher, target, actor="test", replace=True)
        assert finish(target, store.cipher) is True
    restored = open_store(url, folder=folder)
    assert content(restored, GROWS) == wanted
    report = verify_chain(restored)
    assert report.intact and len(report.accepted) == 1
    assert leftovers(folder) == []
    restored.close()
