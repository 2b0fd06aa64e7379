"""A backup holds all of the store's state of one moment; nobody reads it, or alters it unnoticed."""

from __future__ import annotations

import base64
import json
import threading

import pytest
from sqlalchemy import insert, select

from data import schema
from data.engine.cipher import Cipher
from data.keeping.archive import CHUNK, COST, MAGIC, BadBackup, Reader, Secret, Writer, read_header
from data.keeping.backup import LEFT_OUT, make_backup
from data.keeping.contents import Contents, unwrapped_key, verify
from data.trust import audit
from tests.data.keeping.conftest import SECRET


@pytest.fixture
def backed(full, tmp_path):
    """(store, file)"""
    file = tmp_path / "one.backup"
    make_backup(full.store, file, SECRET, actor="test")
    return full.store, file


def counts(store) -> dict[str, int]:
    with store.reading() as connection:
        return {
            one.name: len(connection.execute(select(one)).all())
            for one in schema.metadata.sorted_tables
            if one.name not in LEFT_OUT
        }


def test_a_backup_is_proven_without_being_restored(backed):
    store, file = backed
    found = verify(file, SECRET, store.cipher)
    assert found.whole and found.log == "proven" and not found.has_key
    held = {name: told["rows"] for name, told in found.tables.items()}
    assert held == counts(store) | {"audit_log": counts(store)["audit_log"] - 1}  # its own end comes after
    assert sum(path.startswith("models/risk-1/") for path in found.files) == 2
    assert sum(path.startswith("jobs/") for path in found.files) == 2  # the result and its name
    assert (file.stat().st_mode & 0o077) == 0


def test_both_ends_of_a_backup_are_written_down_and_the_first_is_in_it(backed):
    store, file = backed
    log = audit.entries(store).set_index("action")
    assert log.index[:2].tolist() == ["make backup", "begin backup"]
    assert verify(file, SECRET, store.cipher).about["head"][0] == log.loc["begin backup", "entry"]
    assert log.loc["make backup", "detail"]["missing"] == []


def test_nothing_of_anybody_can_be_read_in_the_file(backed):
    _, file = backed
    content = file.read_bytes()
    for clear in (b"S07", b"Student", b"Universitas", b"ani", b"naive", b"ink"):
        assert clear not in content.replace(b"names", b"")
    assert set(read_header(file)) == {"format", "backup", "made_at", "secret", "salt", "check"}


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (Secret.of_passphrase("another passphrase"), "not the one"),
        (Secret("key", bytes(32)), "sealed with a passphrase"),
    ],
)
def test_another_secret_opens_nothing(backed, secret, said):
    with pytest.raises(BadBackup, match=said):
        verify(backed[1], secret)


def test_a_passphrase_that_is_short_is_refused():
    with pytest.raises(ValueError, match="at least 12"):
        Secret.of_passphrase("  short one  ")


def test_a_log_is_linked_without_the_key_and_named_with_another(backed):
    assert verify(backed[1], SECRET).log == "linked"
    found = verify(backed[1], SECRET, Cipher(bytes(32)))
    assert found.log == "not the store's key" and not found.whole


# --- the file ---------------------------------------------------------------------------------------------
@pytest.fixture
def long_file(tmp_path):
    """A file of several chunks that do not compress."""
    import os

    file = tmp_path / "long"
    with file.open("wb") as opened:
        writer = Writer(opened, Secret("key", bytes(range(32))), {"backup": "0" * 32})
        for _ in range(4):
            writer.frame("D", os.urandom(CHUNK))
        writer.end()
    return file


def frames(file) -> list:
    from data.keeping.archive import Reader

    with file.open("rb") as opened:
        return list(Reader(opened, Secret("key", bytes(range(32)))).frames())


def chunks(content: bytes) -> tuple[bytes, list[bytes]]:
    start = len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4], "big")
    found, at = [], start
    while at < len(content):
        length = 4 + int.from_bytes(content[at : at + 4], "big")
        found.append(content[at : at + length])
        at += length
    return content[:start], found


def test_frames_come_back_in_their_order(long_file):
    assert [(letter, len(content)) for letter, content in frames(long_file)] == [("D", CHUNK)] * 4
    assert len(chunks(long_file.read_bytes())[1]) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:-1],  # cut off at a chunk
        lambda parts: parts[:2],
        lambda parts: [],
        lambda parts: [parts[1], parts[0], *parts[2:]],
        lambda parts: [parts[0], *parts],
        lambda parts: [*parts, parts[-1]],
        lambda parts: [parts[0], *parts[2:]],
        lambda parts: [*parts[:-1], parts[-1][:-1]],
        lambda parts: [parts[0][:9] + bytes([parts[0][9] ^ 1]) + parts[0][10:], *parts[1:]],
        lambda parts: [b"\xff\xff\xff\xff" + parts[0][4:], *parts[1:]],
    ],
)
def test_chunks_that_were_altered_moved_repeated_or_cut_off_are_noticed(long_file, change):
    before, parts = chunks(long_file.read_bytes())
    long_file.write_bytes(before + b"".join(change(parts)))
    with pytest.raises(BadBackup):
        frames(long_file)


def test_every_byte_of_the_header_counts(long_file):
    content = long_file.read_bytes()
    begin = len(chunks(content)[0])
    for place in range(begin):
        long_file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises((BadBackup, ValueError)):
            frames(long_file)


def test_a_header_cannot_ask_for_endless_work(backed):
    _, file = backed
    content = file.read_bytes()
    before, parts = chunks(content)
    header = json.loads(before[len(MAGIC) + 4 :])
    header["secret"]["n"] = 1 << 40
    told = json.dumps(header).encode()
    file.write_bytes(MAGIC + len(told).to_bytes(4, "big") + told + b"".join(parts))
    with pytest.raises(BadBackup, match="more work"):
        verify(file, SECRET)


def with_secret(before: bytes, **changed) -> bytes:
    header = json.loads(before[len(MAGIC) + 4 :])
    header["secret"] |= changed
    told = json.dumps(header).encode()
    return MAGIC + len(told).to_bytes(4, "big") + told


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        ({"n": 100_000}, "power of two"),
        ({"n": 1}, "power of two"),
        ({"n": True}, "more work"),
        ({"n": 1 << 20, "r": 16, "p": 4}, "more work"),
        ({"n": 1 << 20, "r": 8, "p": 1}, "more work"),
        ({"n": "many"}, "more work"),
        ({"r": 0}, "more work"),
        ({"n": 1 << 16, "r": 1}, "more work"),
        ({"kind": ["passphrase"]}, "cannot be read"),
        ({"salt": 7}, "cannot be read"),
    ],
)
def test_what_a_header_asks_for_is_judged_before_anything_is_done_and_the_file_is_named(
    long_file, tmp_path, monkeypatch, cost, said
):
    def worked(*_):
        raise AssertionError("the secret was stretched")

    monkeypatch.setattr(Secret, "stretched", worked)
    before, parts = chunks(long_file.read_bytes())
    file = tmp_path / "hostile.backup"
    file.write_bytes(with_secret(before, **{"kind": "passphrase", **COST, **cost}) + b"".join(parts))
    for read in (read_header, lambda file: verify(file, SECRET)):
        with pytest.raises(BadBackup, match=said) as refused:
            read(file)
        assert str(refused.value).startswith("hostile.backup: ")


@pytest.mark.parametrize("header", [b"[" * 60_000, b'{"a":' * 10_000, b"[]", b"9" * 9_000])
def test_a_header_that_is_no_header_is_refused_by_name(tmp_path, header):
    file = tmp_path / "hostile.backup"
    file.write_bytes(MAGIC + len(header).to_bytes(4, "big") + header)
    for read in (read_header, lambda file: verify(file, SECRET)):
        with pytest.raises(BadBackup, match=r"^hostile\.backup: the header of the backup cannot be read"):
            read(file)


@pytest.mark.parametrize("content", [b"", b"TEPATBK1", b"nothing of the kind" * 9, MAGIC + b"\0\0\0\2{}"])
def test_a_file_that_is_no_backup_is_named_as_such(tmp_path, content):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(BadBackup):
        read_header(tmp_path / "f")


@pytest.mark.parametrize(
    "path", ["../key", "models/../../key", "/etc/passwd", "key", "models/a/..", "models//a", "jobs/./a", ""]
)
def test_a_backup_puts_no_file_outside_of_its_folders(tmp_path, path):
    file = tmp_path / "f"
    with file.open("wb") as opened:
        writer = Writer(opened, SECRET, {"backup": "0" * 32})
        writer.told("H", {"backup": "0" * 32, "head": [0, audit.FIRST]})
        writer.told("F", {"file": path})
        writer.told("f", {"bytes": 0, "sha256": ""})
        writer.told("E", {"tables": {}, "files": {}})
        writer.end()
    with pytest.raises(BadBackup, match="path"):
        Contents(file, SECRET).read()


# --- while the store is worked with -----------------------------------------------------------------------
def test_a_backup_holds_one_state_while_somebody_writes(full, tmp_path, monkeypatch):
    """Each note comes with an entry in the log, in one transaction: a backup must hold as many of both."""
    store, stop = full.store, threading.Event()
    key = full.keys["S07"]

    def notes() -> None:
        while not stop.is_set():
            with store.writing() as connection:
                about = {"student_key": key, "at": audit.now(), "actor": "ani", "kind": "note", "detail": {}}
                connection.execute(insert(schema.case_events).values(**about))
                audit.append_in(connection, actor="ani", role="advisor", action="write note", object=key)

    writer = threading.Thread(target=notes)
    writer.start()
    try:
        for number in range(5):
            file = tmp_path / f"{number}.backup"
            make_backup(store, file, SECRET, actor="test")
            entries, events = [], []
            Contents(
                file,
                SECRET,
                on_rows=lambda table, lines, entries=entries, events=events: (
                    entries.extend(line for line in lines if b"write note" in line)
                    if table.name == "audit_log"
                    else events.extend(lines)
                    if table.name == "case_events"
                    else None
                ),
            ).read()
            assert len(events) == len(entries) + 1
            assert verify(file, SECRET, store.cipher).log == "proven"
    finally:
        stop.set()
        writer.join()


def test_the_key_is_in_a_backup_only_wrapped(full, tmp_path):
    wrap = Secret.of_passphrase("kept in the safe, in an envelope")
    make_backup(full.store, tmp_path / "w.backup", SECRET, actor="test", wrap=wrap)
    contents = Contents(tmp_path / "w.backup", SECRET).read()
    assert unwrapped_key(contents.wrapped, wrap) == full.store.cipher.master
    with pytest.raises(BadBackup, match="passphrase"):
        unwrapped_key(contents.wrapped, SECRET)
    assert audit.entries(full.store, action="begin backup").iloc[0]["detail"]["key"] is True


@pytest.mark.parametrize("asked", [True, False])
def test_nothing_that_a_backup_holds_is_the_stores_key(full, tmp_path, asked):
    """Its bytes and its text are looked for in everything that whoever can open the backup can read."""
    wrap = Secret.of_passphrase("kept in the safe, in an envelope") if asked else None
    make_backup(full.store, tmp_path / "b.backup", SECRET, actor="test", wrap=wrap)
    with (tmp_path / "b.backup").open("rb") as file:
        frames = list(Reader(file, SECRET).frames())
    held, master = b"".join(content for _, content in frames), full.store.cipher.master
    assert len(held) > 10_000 and ("K" in {letter for letter, _ in frames}) is asked
    for trace in (master, base64.b64encode(master).rstrip(b"="), master.hex().encode()):
        assert trace not in held
    if not asked:
        assert Contents(tmp_path / "b.backup", SECRET).read().wrapped is None


def test_a_file_that_is_there_is_not_written_over(backed):
    store, file = backed
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        make_backup(store, file, SECRET, actor="test")
    assert file.read_bytes() == before
