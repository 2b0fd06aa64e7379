"""Another key for a store: nothing is lost, nothing is left under the old one, a kill stops nothing."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import LargeBinary, select, update
from typer.testing import CliRunner

from data import queries, schema
from data.__main__ import app
from data.engine.cipher import Cipher, KeyProblem
from data.jobs import live
from data.keeping import rotation, tombstones
from data.keeping.restore import Target
from data.keeping.rotation import SEALED, CannotChange, change_key
from data.keeping.swapping import InUse
from data.records.imports import keep_for_undo
from data.settings import get_settings
from data.signatures.strokes import read_strokes
from data.store import UnderWay, key_facts, open_store, write_records
from data.trust import audit, erase
from data.trust.audit_chain import verify_chain
from data.trust.scope import Scope
from tests.conftest import small_register_frames
from tests.data.keeping.conftest import STROKES, finish_a_job
from tests.data.keeping.test_restore import content

SYSTEM = Scope.system()
NEW, NEXT = Cipher(bytes(range(32))), Cipher(bytes(range(1, 33)))


def place(store) -> tuple[str, Target]:
    url = store.engine.url.render_as_string(hide_password=False)
    return url, Target.of_settings(url, store.folder)


def put_key(folder, cipher: Cipher) -> None:
    (folder / "key").write_bytes(base64.b64encode(cipher.master))


def sealed(store) -> list[bytes]:
    with store.reading() as connection:
        return [bytes(one) for _, column, _ in SEALED for one in connection.scalars(select(column)) if one]


def test_every_sealed_column_of_the_schema_is_sealed_anew():
    """A new one must be added to the list: an unsealed binary column is named here, with why."""
    plain = {("explanations", "phi"), ("explanations", "inputs")}  # numbers that the model made
    binary = {
        (one.name, part.name)
        for one in schema.metadata.sorted_tables
        for part in one.columns
        if isinstance(part.type, LargeBinary)
    }
    assert binary - plain == {(one.name, column.name) for one, column, _ in SEALED}


def test_everything_opens_with_the_new_key_and_nothing_with_the_old(full):
    store, keys = full.store, full.keys
    with store.writing() as connection:
        keep_for_undo(
            connection, store.cipher, queries.imports(store)["import_id"].iloc[0], {"names": {"a": "b"}}
        )
    before, cipher = content(store), store.cipher
    held, (job,) = sealed(store), [one.name for one in (store.folder / "jobs").iterdir() if one.is_dir()]
    url, target = place(store)
    with pytest.raises(InUse):
        change_key(target, cipher, NEW, actor="test")
    store.close()
    done = change_key(target, cipher, NEW, actor="test")
    assert (done.rows, done.files) == (len(held), 2)
    with pytest.raises(KeyProblem, match="wrong key"):
        open_store(url, folder=store.folder)
    put_key(store.folder, NEW)
    changed = open_store(url, folder=store.folder)
    assert not set(sealed(changed)) & set(held)
    (specimen,) = queries.student_specimens(changed, SYSTEM, keys["S08"])["specimen_id"]
    assert queries.specimen_image(changed, specimen, SYSTEM) == b"ink 3"
    (drawn,) = queries.student_specimens(changed, SYSTEM, keys["S01"])["specimen_id"]
    assert queries.specimen_strokes(changed, drawn, SYSTEM) == read_strokes(STROKES)
    assert live.kept_files(changed, job) == [("found.csv", b"a,b\n1,2\n")]
    for raw in sealed(changed):
        with pytest.raises(KeyProblem):
            cipher.decrypt(raw, "image:x")
    mine = {one.name for one, _, _ in SEALED} | {"audit_log", "store_facts"}
    assert {name: rows for name, rows in content(changed).items() if name not in mine} == {
        name: rows for name, rows in before.items() if name not in mine
    }
    assert changed.cipher.fingerprint == NEW.fingerprint != cipher.fingerprint
    changed.close()


def test_the_log_goes_on_in_one_chain_and_the_old_key_can_rewrite_nothing_of_it(full):
    store, old = full.store, full.store.cipher
    url, target = place(store)
    store.close()
    done = change_key(target, old, NEW, actor="test")
    put_key(store.folder, NEW)
    changed = open_store(url, folder=store.folder)
    audit.append(changed, actor="ani", role="advisor", action="view student", object="0")
    report = verify_chain(changed)
    assert report.intact and report.last == done.entry + 1
    assert audit.entries(changed)["action"].tolist()[1:3] == ["change key", "begin key change"]
    # whoever has the old key alone can make entries of then, and not the ones that hold them
    from data.migrations.triggers import install_triggers
    from tests.data.trust.test_audit_chain import triggers_off

    former = changed.seal.__class__(old, changed.seal.path, changed.seal.store_id)
    log = schema.audit_log
    triggers_off(changed)
    with changed.writing() as connection:
        row = dict(connection.execute(select(log).where(log.c.entry == 2)).mappings().one())
        row["actor"] = "somebody else"
        row["hash"] = audit.keyed_hash(former, row, row["previous_hash"])
        connection.execute(update(log).where(log.c.entry == 2).values(actor=row["actor"], hash=row["hash"]))
        previous = row["hash"]
        for number in range(3, done.entry + 1):
            row = dict(connection.execute(select(log).where(log.c.entry == number)).mappings().one())
            row["previous_hash"] = previous
            previous = audit.keyed_hash(former, row, previous)
            values = {"previous_hash": row["previous_hash"], "hash": previous}
            connection.execute(update(log).where(log.c.entry == number).values(**values))
        install_triggers(connection)
    assert verify_chain(changed).broken_at == done.entry + 1
    changed.close()


def test_students_and_erasures_are_known_again_under_the_new_key(full):
    store, old = full.store, full.store.cipher
    number = "S99"
    gone = erase.erase_student(store, full.keys["S07"])
    tries, url = store.cipher.keyed("search", "x"), place(store)[0]
    key_of = store.cipher.student_key(number)
    _, target = place(store)
    store.close()
    for former, new in ((old, NEW), (NEW, NEXT)):  # twice: what is kept is kept further
        change_key(target, former, new, actor="test")
        put_key(store.folder, new)
    changed = open_store(url, folder=store.folder)
    assert changed.cipher.student_key(number) == key_of
    assert changed.cipher.keyed("search", "x") == tries
    (one,) = tombstones.buried(changed.seal, [tombstones.list_of(changed.seal)])
    assert one.erasure_id == gone.erasure_id and one.receipt["receipt"]["specimens"] == list(gone.specimens)
    assert verify_chain(changed).intact
    write_records(
        changed, small_register_frames()[0], source="again.csv", files={}, actor="t", synthetic=True
    )
    assert len(queries.student_specimens(changed, SYSTEM, full.keys["S08"])) == 1
    assert verify_chain(changed).intact and len(changed.cipher.kept.audit) == 2
    changed.close()


def test_a_broken_log_and_the_same_key_are_refused(full):
    store, old = full.store, full.store.cipher
    _, target = place(store)
    store.close()
    with pytest.raises(CannotChange, match="present one"):
        change_key(target, old, old, actor="test")
    with pytest.raises(KeyProblem, match="wrong key"):
        change_key(target, NEXT, NEW, actor="test")
    target.head.unlink()
    with pytest.raises(CannotChange, match="python -m data audit"):
        change_key(target, old, NEW, actor="test")
    assert key_facts(store.engine).changing is None
    store.close()


KILLED = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from data.engine.cipher import Cipher
    from data.keeping import rotation, tombstones
    from data.keeping.restore import Target
    from data.store import open_store
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
    rotation.BATCH = 1
    store = open_store(sys.argv[1], folder=Path(sys.argv[2]))
    store.close()
    exec(sys.argv[3])
    target = Target.of_settings(sys.argv[1], Path(sys.argv[2]))
    rotation.change_key(target, store.cipher, Cipher(bytes(range(32))), actor="test")
""")
MOMENTS = (
    "after(rotation._Change, 'begin')",
    "after(rotation._Change, '_anew', 2)",
    "after(rotation._Change, 'table', 2)",
    "after(rotation, '_replace')",
    "rotation._Change.end = killed",
    "after(rotation._Change, 'end')",
    "after(tombstones, 'seal_anew')",
)


@pytest.mark.parametrize("at", MOMENTS)
def test_a_change_that_was_killed_goes_on_and_ends(full, at):
    store, old = full.store, full.store.cipher
    erase.erase_student_signatures(store, full.keys["S07"])  # which drops the files that jobs kept
    finish_a_job(store, "2" * 32)
    url, target = place(store)
    store.close()
    command = [sys.executable, "-c", KILLED, url, str(store.folder), at]
    assert subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode == 9
    done = key_facts(store.engine).fits(NEW)
    store.close()
    with pytest.raises(KeyProblem if done else UnderWay):
        open_store(url, folder=store.folder)
    if not done:
        with pytest.raises(CannotChange, match="another new key"):
            change_key(target, old, NEXT, actor="test")
    change_key(target, old, NEW, actor="test")
    put_key(store.folder, NEW)
    changed = open_store(url, folder=store.folder)
    (specimen,) = queries.student_specimens(changed, SYSTEM, full.keys["S08"])["specimen_id"]
    assert queries.specimen_image(changed, specimen, SYSTEM) == b"ink 3"
    for _, column, prefix in SEALED:
        with changed.reading() as connection:
            table = column.table
            rows = connection.execute(select(list(table.primary_key.columns)[0], column)).all()
        for name, raw in rows:
            if raw is not None:
                changed.cipher.decrypt(bytes(raw), f"{prefix}:{name}")
    assert verify_chain(changed).intact
    (one,) = tombstones.buried(changed.seal, [tombstones.list_of(changed.seal)])
    assert one.receipt is not None
    changed.close()


# --- the command ------------------------------------------------------------------------------------------
@pytest.fixture
def office(tmp_path, monkeypatch):
    """A folder with a store and a key file; the settings name it."""

    def say(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    monkeypatch.chdir(tmp_path)
    for name in ("TEPAT_KEY", "TEPAT_KEY_FILE", "TEPAT_KEY_COMMAND", "TEPAT_NEW_KEY"):
        monkeypatch.delenv(name, raising=False)
    say(TEPAT_FOLDER=str(tmp_path / "store"), DATABASE_URL="")
    open_store().close()
    yield say
    get_settings.cache_clear()


def run(*words: str):
    return CliRunner().invoke(app, ["rotate-key", *words])


def test_the_command_makes_a_key_puts_it_in_place_and_keeps_the_former_one(office, tmp_path):
    folder = tmp_path / "store"
    former = (folder / "key").read_bytes()
    result = run("--yes")
    assert result.exit_code == 0, result.output
    assert (folder / "key").read_bytes() != former
    (aside,) = folder.glob("key.before-*")
    assert aside.read_bytes() == former and (aside.stat().st_mode & 0o077) == 0
    assert not (folder / "key.new").exists()
    assert former.decode().strip() not in result.output
    store = open_store()
    assert verify_chain(store).intact
    store.close()


@pytest.mark.parametrize("source", ["--to-file", "--to-command", "TEPAT_NEW_KEY"])
def test_the_new_key_comes_from_a_file_a_command_or_the_environment(office, tmp_path, source):
    new = base64.b64encode(NEW.master).decode()
    former = (tmp_path / "store" / "key").read_text().strip()
    office(TEPAT_KEY=former)
    (tmp_path / "store" / "key").unlink()
    assert "name the new one by" in run("--yes").output
    (tmp_path / "new").write_text(new)
    words = {"--to-file": [str(tmp_path / "new")], "--to-command": [f"echo {new}"]}.get(source)
    if words is None:
        office(TEPAT_NEW_KEY=new)
    result = run("--yes", *([source, *words] if words else []))
    assert result.exit_code == 0 and new not in result.output, result.output
    assert open_refused().startswith("error: wrong key: TEPAT_KEY")
    office(TEPAT_KEY=new)
    store = open_store()
    assert store.cipher.fingerprint == NEW.fingerprint
    store.close()


def open_refused() -> str:
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    return result.stderr


def test_a_key_that_was_not_put_in_place_is_by_the_same_command(office, tmp_path, monkeypatch):
    folder = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr(
            rotation, "put_in_place", lambda *_: (_ for _ in ()).throw(ValueError("cut off just here"))
        )
        assert run("--yes").exit_code == 2
    assert "finish a change of the key" in open_refused()
    result = run()
    assert result.exit_code == 0, result.output
    store = open_store()
    assert verify_chain(store).intact and not (folder / "key.new").exists()
    store.close()


def test_while_the_key_changes_every_command_is_refused_in_one_line(office):
    store = open_store()
    from data.store import check_of, set_fact

    set_fact(store, "key_changing", check_of(NEW))
    store.close()
    assert "python -m data rotate-key" in open_refused()
    from data.engine.health import StoreUnavailable, served_version

    with pytest.raises(StoreUnavailable, match="UnderWay"):
        served_version()
