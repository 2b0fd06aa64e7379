"""Every way to tamper with the audit log is found; old logs stay what they are; many may write at once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from data import schema
from data.engine.clock import now
from data.engine.database import connect, writing
from data.engine.kept_head import Head
from data.engine.migrate import _configuration, upgrade
from data.store import KeyProblem, open_store
from data.trust import audit
from data.trust.audit_chain import verify_chain

LOG = schema.audit_log
ACTORS = ("ani", "budi", "citra")


def act(store, number: int, **changes) -> int:
    about = {"actor": ACTORS[number % 3], "role": "advisor", "action": "view student", "object": "0001"}
    return audit.append(store, **about | {"detail": {"number": number}} | changes)


@pytest.fixture
def logged(store):
    """Nine entries, of three people in turn."""
    for number in range(9):
        act(store, number)
    return store


def triggers_off(store, table: str = "audit_log") -> None:
    with store.writing() as connection:
        if store.engine.dialect.name == "sqlite":
            connection.execute(text(f"DROP TRIGGER tr_{table}_no_update"))
            connection.execute(text(f"DROP TRIGGER tr_{table}_no_delete"))
        else:
            connection.execute(text(f"DROP TRIGGER tr_{table}_guard ON {table}"))


def tamper(store, *statements) -> None:
    """What somebody does who may write to the database: off with the triggers, and on again."""
    from data.migrations.triggers import install_triggers

    triggers_off(store)
    with store.writing() as connection:
        for statement in statements:
            connection.execute(statement)
        install_triggers(connection)


def rewritten(store, keep, hash_of) -> None:
    """The whole log anew without some entries, numbered from one, every hash recomputed."""
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(LOG).order_by(LOG.c.entry)).mappings()]
    previous, fresh = audit.FIRST, []
    for number, row in enumerate(filter(keep, rows), 1):
        row = row | {"entry": number, "previous_hash": previous}
        previous = row["hash"] = hash_of(row, previous)
        fresh.append(row)
    tamper(store, delete(LOG), insert(LOG).values(fresh))


def test_an_untouched_log_is_proven_to_its_kept_head(logged):
    report = verify_chain(logged)
    assert report.intact
    assert (report.entries, report.last, report.kept_entry, report.after_kept) == (9, 9, 9, 0)
    assert logged.seal.kept() == Head(9, report.head)


def test_no_entry_holds_what_its_hash_was_made_with(logged):
    """The key stands in no table: its text and its bytes are looked for in every row of every table."""
    from base64 import b64encode

    master = logged.cipher.master
    with logged.reading() as connection:
        rows = [
            repr(row) for table in schema.metadata.sorted_tables for row in connection.execute(select(table))
        ]
    held = "".join(rows)
    assert rows and b64encode(master).decode() not in held and master.hex() not in held
    assert repr(master)[2:-1] not in held and repr(logged.cipher._audit)[2:-1] not in held


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        (update(LOG).where(LOG.c.entry == 2).values(actor="somebody"), 2),
        (update(LOG).where(LOG.c.entry == 3).values(detail={}), 3),
        (update(LOG).where(LOG.c.entry == 4).values(at=now().replace(year=2001)), 4),
        (delete(LOG).where(LOG.c.entry == 2), 3),
        (update(LOG).where(LOG.c.entry == 9).values(entry=12), 12),
    ],
    ids=["actor", "detail", "time", "removed", "last renumbered"],
)
def test_a_changed_removed_or_renumbered_entry_is_found(logged, statement, broken_at):
    tamper(logged, statement)
    report = verify_chain(logged)
    assert not report.intact
    assert report.broken_at == broken_at


def test_a_renumbered_log_is_found(logged):
    shift = update(LOG).where(LOG.c.entry > 4)
    tamper(logged, delete(LOG).where(LOG.c.entry == 4), shift.values(entry=LOG.c.entry + 100),
           update(LOG).where(LOG.c.entry > 100).values(entry=LOG.c.entry - 101))  # fmt: skip
    assert verify_chain(logged).broken_at == 4


def test_a_tail_that_was_cut_off_is_found(logged):
    tamper(logged, delete(LOG).where(LOG.c.entry > 6))
    report = verify_chain(logged)
    assert (report.broken_at, report.kept, report.entries) == (None, "lost", 6)
    assert not report.intact


def test_a_cut_tail_goes_on_showing_when_the_log_grows_again(logged, caplog):
    tamper(logged, delete(LOG).where(LOG.c.entry > 6))
    with caplog.at_level(logging.ERROR, logger="tepat.audit"):
        for number in range(6):  # past the number of the head that was kept
            act(logged, number)
    assert verify_chain(logged).kept == "lost"
    assert "disagree" in caplog.text


def test_a_log_that_was_emptied_is_found(logged):
    tamper(logged, delete(LOG))
    report = verify_chain(logged)
    assert (report.entries, report.broken_at, report.kept) == (0, None, "lost")
    act(logged, 1)
    assert not verify_chain(logged).intact


def test_a_chain_rewritten_without_one_persons_entries_is_found(logged):
    rewritten(logged, lambda row: row["actor"] != "budi", audit.plain_hash)
    report = verify_chain(logged)
    assert (report.broken_at, report.kept) == (1, "lost")


def test_a_chain_rewritten_after_a_true_beginning_is_found(logged):
    def hashed(row, previous):
        keyed = row["entry"] < 2
        return audit.keyed_hash(logged.seal, row, previous) if keyed else audit.plain_hash(row, previous)

    rewritten(logged, lambda row: row["actor"] != "budi", hashed)
    assert verify_chain(logged).broken_at == 2


def test_a_chain_rewritten_with_the_key_itself_misses_the_kept_head(logged):
    rewritten(logged, lambda row: row["actor"] != "budi", lambda *of: audit.keyed_hash(logged.seal, *of))
    report = verify_chain(logged)
    assert (report.broken_at, report.kept) == (None, "lost")


def test_a_chain_of_another_stores_key_is_not_this_ones(logged, tmp_path):
    other = open_store(folder=tmp_path / "other")
    rewritten(logged, lambda row: True, lambda *of: audit.keyed_hash(other.seal, *of))
    assert verify_chain(logged).broken_at == 1
    other.close()


@pytest.mark.parametrize("table", ["audit_log", "scores", "reports"])
def test_dropped_triggers_are_noticed_and_init_puts_them_back(logged, table, monkeypatch):
    triggers_off(logged, table)
    report = verify_chain(logged)
    assert report.unguarded == (table,)
    assert not report.intact
    from data.commands import init

    init._put_triggers_back(logged)
    assert verify_chain(logged).intact
    assert audit.entries(logged, action="restore triggers")["detail"].iloc[0] == {"tables": [table]}


WEAKENED = {
    "sqlite": [
        "DROP TRIGGER tr_audit_log_no_delete",
        "CREATE TRIGGER tr_audit_log_no_delete BEFORE DELETE ON audit_log WHEN 1 = 0\n"
        "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only: DELETE refused'); END",
        "DROP TRIGGER tr_scores_no_update",
        "CREATE TRIGGER tr_scores_no_update AFTER UPDATE ON scores BEGIN SELECT 1; END",
    ],
    "postgresql": [
        "ALTER TABLE audit_log DISABLE TRIGGER tr_audit_log_guard",
        "CREATE OR REPLACE FUNCTION tepat_guard_scores() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN OLD; END $$",
    ],
}


def test_triggers_that_were_weakened_are_noticed(logged):
    with logged.writing() as connection:
        for statement in WEAKENED[connection.dialect.name]:
            connection.execute(text(statement))
    assert verify_chain(logged).unguarded == ("audit_log", "scores")


# --- the head outside -------------------------------------------------------------------------------------
def test_a_head_file_that_was_removed_is_not_made_good_by_itself(logged, store_url):
    logged.seal.path.unlink()
    act(logged, 1)
    open_store(store_url, folder=logged.folder).close()
    assert verify_chain(logged).kept == "missing"


@pytest.mark.parametrize("wrong", ["{", "[]", None])
def test_a_head_file_that_was_altered_is_found(logged, wrong):
    path = logged.seal.path
    if wrong is None:
        held = json.loads(path.read_text())
        held[logged.seal.store_id] |= {"entry": 3}
        wrong = json.dumps(held)
    path.write_text(wrong)
    act(logged, 1)
    assert verify_chain(logged).kept == "forged"


def test_an_older_head_put_back_lets_nothing_pass_that_it_held(logged):
    """The file of the seventh entry in place of the ninth's: what it names must still be there."""
    path = logged.seal.path
    logged.seal.keep(Head(7, audit.entries(logged)["hash"].iloc[2]), anew=True)
    report = verify_chain(logged)
    assert (report.intact, report.after_kept) == (True, 2)
    tamper(logged, delete(LOG).where(LOG.c.entry > 6))
    assert verify_chain(logged).kept == "lost"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_is_accepted_as_it_stands_only_by_an_entry_that_says_why(logged):
    tamper(logged, delete(LOG).where(LOG.c.entry > 6))
    lost = logged.seal.kept()
    with pytest.raises(ValueError, match="must say why"):
        audit.accept(logged, actor="it", reason=" ")
    assert audit.accept(logged, actor="it", reason="restored from Sunday's backup") == 7
    report = verify_chain(logged)
    assert report.intact
    assert report.accepted == (7,)
    said = audit.entries(logged).iloc[0]
    assert said["detail"] == {
        "reason": "restored from Sunday's backup",
        "kept_before": f"entry 9 {lost.hash}",
    }


def test_a_head_that_cannot_be_kept_does_not_undo_what_was_done(logged, caplog):
    path = logged.seal.path
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.ERROR, logger="tepat.audit"):
        number = act(logged, 1)
    assert audit.newest_entry(logged) == number
    assert "disagree" in caplog.text


def test_the_head_may_lie_where_a_setting_says(store_url, tmp_path, monkeypatch):
    from data.settings import get_settings

    monkeypatch.setenv("TEPAT_AUDIT_HEAD", str(tmp_path / "elsewhere" / "heads.json"))
    get_settings.cache_clear()
    try:
        store = open_store(store_url, folder=tmp_path)
        act(store, 1)
        assert store.seal.kept().entry == 1
        assert (tmp_path / "elsewhere" / "heads.json").is_file()
        assert not (tmp_path / "audit-head.json").exists()
        store.close()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


def test_two_stores_keep_their_heads_in_one_file(logged, tmp_path):
    other = open_store(f"sqlite:///{tmp_path / 'second.db'}", folder=tmp_path)
    act(other, 1)
    assert (logged.seal.kept().entry, other.seal.kept().entry) == (9, 1)
    assert verify_chain(other).intact and verify_chain(logged).intact
    other.close()


def test_every_head_is_a_line_of_the_log(store, caplog):
    with caplog.at_level(logging.INFO, logger="tepat.audit"):
        act(store, 1)
    assert caplog.messages == [f"audit head 1 {verify_chain(store).head}"]


def test_what_is_rolled_back_leaves_no_head_and_no_gap(store):
    class Stop(Exception):
        pass

    about = {"actor": "ani", "role": "advisor", "action": "view student", "object": "1"}
    with pytest.raises(Stop), store.writing() as connection:
        audit.append_in(connection, **about)
        raise Stop
    assert store.seal.kept().entry == 0
    assert act(store, 1) == 1
    assert verify_chain(store).intact


def test_an_entry_needs_a_transaction_of_the_store(store):
    with pytest.raises(RuntimeError, match="Store.writing only"), writing(store.engine) as connection:
        audit.append_in(connection, actor="a", role="r", action="x", object="y")


# --- many at once -----------------------------------------------------------------------------------------
def test_threads_make_one_chain(store):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: act(store, number), range(24)))
    report = verify_chain(store)
    assert report.intact
    assert (report.entries, report.after_kept) == (24, 0)


def test_processes_make_one_chain_and_keep_its_last_head(store, store_url):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from data.store import open_store
        from data.trust import audit
        store = open_store(sys.argv[1], folder=Path(sys.argv[2]))
        for number in range(15):
            audit.append(store, actor=sys.argv[3], role="advisor", action="view", object=str(number))
    """)
    command = [sys.executable, "-c", program, store_url, str(store.folder)]
    started = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in ACTORS]
    said = [process.communicate(timeout=120)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    report = verify_chain(store)
    assert report.intact
    assert (report.entries, report.after_kept) == (45, 0)


# --- logs of earlier versions -----------------------------------------------------------------------------
def entries_of_before(connection, count: int = 4) -> None:
    previous, table = audit.FIRST, LOG
    for number in range(1, count + 1):
        row = {"entry": number * 2, "at": now(), "actor": "rina", "role": "registry", "object": "x"}
        row |= {"action": "view student", "detail": {"number": number}, "previous_hash": previous}
        previous = row["hash"] = audit.plain_hash(row, previous)
        connection.execute(insert(table).values(**row))


@pytest.fixture
def older(tmp_path):
    """A store of the version before, with four entries without a key; its folder."""
    url = f"sqlite:///{tmp_path / 'tepat.db'}"
    store = open_store(url, folder=tmp_path)
    store.close()
    store.seal.path.unlink()
    engine = connect(url)
    with writing(engine, "migrate") as connection:
        command.downgrade(_configuration(connection), "0011")
        entries_of_before(connection)
    engine.dispose()
    return tmp_path


def test_a_log_of_before_is_sealed_as_what_it_is(older):
    store = open_store(folder=older)
    assert verify_chain(store).entries == 5
    act(store, 1)
    report = verify_chain(store)
    assert report.intact
    assert (report.entries, report.earlier, report.kept_entry) == (6, 4, 10)
    sealing = audit.entries(store, action=audit.SEALING)
    assert sealing["entry"].tolist() == [9]
    assert sealing["detail"].iloc[0]["entries"] == 4
    open_store(folder=older).close()
    assert verify_chain(store).entries == 6
    store.close()


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        (update(LOG).where(LOG.c.entry == 4).values(actor="somebody"), 4),
        (delete(LOG).where(LOG.c.entry == 2), 4),
        (update(LOG).where(LOG.c.entry == 4).values(entry=5), 9),
        (delete(LOG).where(LOG.c.entry == 9), 10),
        (delete(LOG).where(LOG.c.entry > 8), 2),
    ],
    ids=["changed", "removed", "renumbered", "seal removed", "all but the earlier ones"],
)
def test_what_was_sealed_can_no_longer_change(older, statement, broken_at):
    store = open_store(folder=older)
    act(store, 1)
    tamper(store, statement)
    assert verify_chain(store).broken_at == broken_at
    store.close()


def test_a_store_of_before_is_not_touched_with_a_wrong_key(older):
    (older / "key").write_text("A" * 43 + "=\n")
    with pytest.raises(KeyProblem, match="wrong key"):
        open_store(folder=older)
    engine = connect(f"sqlite:///{older / 'tepat.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0011"
    engine.dispose()


def test_entries_without_a_store_key_cannot_be_upgraded(older):
    engine = connect(f"sqlite:///{older / 'tepat.db'}")
    with pytest.raises(RuntimeError, match="only be upgraded with the store's key"):
        with writing(engine, "migrate") as connection:
            upgrade(connection)
    engine.dispose()


def test_an_entry_of_before_cannot_be_put_into_a_keyed_log(logged):
    with logged.writing() as connection:
        row = {"at": now(), "actor": "x", "role": "y", "action": "z", "object": "o", "detail": {}}
        previous = connection.scalar(select(LOG.c.hash).where(LOG.c.entry == 9))
        row |= {"entry": 10, "previous_hash": previous}
        connection.execute(insert(LOG).values(**row, hash=audit.plain_hash(row, previous)))
    assert verify_chain(logged).broken_at == 10


def test_the_log_refuses_changes_by_itself(logged):
    with pytest.raises(DBAPIError, match="append-only"), logged.writing() as connection:
        connection.execute(delete(LOG))
