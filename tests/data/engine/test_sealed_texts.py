"""What people wrote about students: sealed in the database, read by pages as before, in older stores too."""

from __future__ import annotations

import base64
import shutil
from contextlib import closing
from datetime import date, datetime

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text, update

from data import queries, schema
from data.engine import sealed_texts
from data.engine.cipher import Cipher, KeyProblem
from data.engine.database import connect, writing
from data.engine.migrate import _configuration, current_revision, migrate, newest_revision, upgrade
from data.keeping import backup, rows
from data.keeping.archive import Secret
from data.keeping.restore import Target, restore
from data.keeping.rotation import change_key
from data.migrations.triggers import install_triggers, unguarded_tables
from data.store import Store, add_case_event, open_store, withdraw_case_events
from data.trust import erase
from data.trust.audit_chain import verify_chain
from data.trust.scope import Scope
from data.verification import reviews
from tests.conftest import locked, step_back
from tests.data.trust.test_audit_chain import triggers_off
from tests.data.verification.test_opinions_taken_back import as_it_is, reader

SYSTEM, SITI, WAYAN = Scope.system(), reader("siti"), reader("wayan")
AT = datetime(2025, 3, 1, 8)
NEW = Cipher(bytes(range(32)))
WRITTEN = {  # table → the row of before
    "case_events": [
        {"student_key": "k", "kind": "note", "detail": {"text": "Ibunya sakit keras"}},
        {"student_key": "k", "kind": "override", "detail": {"band": "high", "reason": "Berutang banyak"}},
        {
            "student_key": "k",
            "kind": "intervention",
            "detail": {"what": "Konseling pernikahan", "due_on": "2025-03-09", "owner": "ani", "stays": True},
        },
        {"student_key": "k", "kind": "settled", "detail": {"event": 3, "by": 4}},
        {"student_key": "j", "kind": "note", "detail": {"text": "Tangannya gemetar"}},
    ],
    "reviews": [
        {"opinion": "cannot_tell", "reviewer": "siti", "reasons": "Garis ragu-ragu"},
        {"opinion": "cannot_tell", "reviewer": "tono", "reasons": ""},
    ],
    "duplicate_reviews": [
        {"opinion": "chance", "reviewer": "siti", "reasons": "Dua bersaudara"},
    ],
}
SAID = ("Ibunya", "Berutang", "pernikahan", "gemetar", "ragu-ragu", "bersaudara")
DETAILS = [
    {"event": 3, "by": 4},
    {"what": "Konseling pernikahan", "due_on": "2025-03-09", "owner": "ani", "stays": True},
    {"band": "high", "reason": "Berutang banyak"},
    {"text": "Ibunya sakit keras"},
]


def before(connection) -> str:
    return ScriptDirectory.from_config(_configuration(connection)).get_revision("0024").down_revision


@pytest.fixture
def old(empty_url):
    """A database of the revision before, with a case, opinions, and a review of a pair."""
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, before(connection))
        who = {"student_key": "k", "at": AT, "actor": "rina"}
        imported = {"import_id": "i", "started_at": AT, "actor": "a", "source": "s", "files": {}}
        program = {"program_code": "IF", "name": "Informatics", "degree_level": "S1", "normal_terms": 8}
        case = who | {"decision_id": "d", "questioned_sha256": "0", "file_format": "png", "width": 1}
        case |= {"height": 1, "descriptor_id": "d@1+0", "descriptor_sha256": "0" * 64, "findings": []}
        case |= {"classifier_version": "c-1", "calibration_version": "1", "outcome": "review"}
        rows = {
            "imports": [imported | {"counts": {}, "synthetic": False}],
            "programs": [program | {"required_credits": 144}],
            "students": [
                {"student_key": key, "program_code": "IF", "cohort_term": 20191, "import_id": "i"}
                for key in ("k", "j")
            ],
            "verification_decisions": [case | {"reason": "differs", "thresholds": {}, "reference_ids": []}],
            "case_events": [{"at": AT, "actor": "ani"} | one for one in WRITTEN["case_events"]],
            "reviews": [
                {"decision_id": "d", "student_key": "k", "at": AT, "kind": "opinion", "blind": True} | one
                for one in WRITTEN["reviews"]
            ],
            "duplicate_reviews": [
                {"kind": "same_hand", "student_key": "k", "second_student": "j", "at": AT} | one
                for one in WRITTEN["duplicate_reviews"]
            ],
        }
        for name, given in rows.items():
            for row in given:
                connection.execute(insert(as_it_is(connection, name)).values(**row))
    yield engine
    engine.dispose()


def raw(engine) -> bytes:
    """Every byte of the database that lies on disk."""
    if engine.dialect.name == "sqlite":
        file = engine.url.database
        found = b""
        for end in ("", "-wal", "-journal"):
            try:
                with open(file + end, "rb") as opened:
                    found += opened.read()
            except FileNotFoundError:
                continue
        return found
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        files = connection.scalars(
            text(
                "SELECT pg_read_binary_file(pg_relation_filepath(oid::regclass)) FROM pg_class"
                " WHERE relkind IN ('r', 't', 'i') AND relfilenode <> 0"
            )
        )
        return b"".join(bytes(one) for one in files)


def said_in(engine) -> list[str]:
    everything = raw(engine)
    return [word for word in SAID if word.encode() in everything]


def test_a_store_of_before_is_sealed_in_place_and_reads_the_same(old, empty_url, tmp_path):
    locked(old, tmp_path)
    assert said_in(old) == list(SAID)  # the search finds what stands there
    old.dispose()
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert said_in(store.engine) == []
        assert queries.case_events(store, SYSTEM, "k")["detail"].tolist() == DETAILS
        assert queries.case_events(store, SYSTEM, "j")["detail"].tolist() == [{"text": "Tangannya gemetar"}]
        assert reviews.opinions(store, SYSTEM, "d")["reasons"].tolist() == ["Garis ragu-ragu", ""]
        pairs, name = schema.duplicate_reviews, "duplicate_reviews"
        with store.reading() as connection:
            ((number, sealed),) = connection.execute(select(pairs.c.review_id, pairs.c.sealed)).all()
            assert unguarded_tables(connection) == []
        assert sealed_texts.opened(store.cipher, name, number, sealed) == {"reasons": "Dua bersaudara"}
        assert verify_chain(store).intact


def test_what_is_written_from_now_on_is_sealed_too(old, empty_url, tmp_path):
    locked(old, tmp_path)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        step = {"what": "Utang ke rentenir", "due_on": date(2025, 4, 1), "owner": "ani"}
        made = add_case_event(store, "k", "ani", "intervention", step)
        add_case_event(store, "k", "ani", "outcome", {"text": "Sudah lunas", "result": "reached"})
        reviews.withdraw_opinion(store, reader("tono"), "d", "Salah orang")
        reviews.give_opinion(store, WAYAN, "d", "another_writer", "Lengkungnya lain", ["shape"])
        newest = queries.case_events(store, SYSTEM, "k")
        assert newest["detail"].tolist()[-len(DETAILS) - 1] == {**step, "due_on": "2025-04-01", "stays": True}
        assert made == 6 and newest["event_id"].tolist() == [8, 7, 6, 4, 3, 2, 1]
        assert queries.followups_due(store, SYSTEM, date(2026, 1, 1)).empty  # the step is settled
        withdraw_case_events(store, [7], "ani")
        (due,) = queries.followups_due(store, SYSTEM, date(2026, 1, 1)).to_dict("records")
        assert (due["detail"]["what"], due["due_on"], due["owner"]) == (step["what"], "2025-04-01", "ani")
        told = reviews.opinions(store, SYSTEM, "d")["reasons"].tolist()
        assert told == ["Garis ragu-ragu", "", "Salah orang", "Lengkungnya lain"]
        everything = raw(store.engine)
        for word in ("rentenir", "lunas", "Salah", "Lengkungnya", *SAID):
            assert word.encode() not in everything


def test_an_upgrade_that_was_cut_off_leaves_the_store_as_it_was_and_begins_again(
    old, empty_url, tmp_path, monkeypatch
):
    locked(old, tmp_path)
    calls, real = [], sealed_texts.seal

    def cut_off(*given):
        calls.append(given)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sealed_texts, "seal", cut_off)
    with pytest.raises(KeyboardInterrupt):
        open_store(empty_url, folder=tmp_path)
    assert current_revision(old) < "0024" and said_in(old) == list(SAID)
    monkeypatch.undo()
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert current_revision(store.engine) == newest_revision() and said_in(store.engine) == []
        assert queries.case_events(store, SYSTEM, "k")["detail"].tolist() == DETAILS


def test_many_rows_are_sealed_a_part_at_a_time(old, empty_url, tmp_path):
    locked(old, tmp_path)
    with writing(old) as connection:
        events = as_it_is(connection, "case_events")
        many = [
            {
                "student_key": "j",
                "at": AT,
                "actor": "ani",
                "kind": "note",
                "detail": {"text": f"gemetar {one}"},
            }
            for one in range(4_100)
        ]
        connection.execute(insert(events), many)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        told = queries.case_events(store, SYSTEM, "j")["detail"].tolist()
        assert [one["text"] for one in told[:-1]] == [f"gemetar {one}" for one in reversed(range(4_100))]
        assert said_in(store.engine) == []


def test_without_the_key_or_with_a_wrong_one_nothing_is_upgraded(old, empty_url, tmp_path):
    with pytest.raises(RuntimeError, match="only be sealed or opened with the store's key"):
        migrate(old)
    locked(old, tmp_path)
    (tmp_path / "key").write_bytes(base64.b64encode(NEW.master))
    with pytest.raises(KeyProblem, match="wrong key"):
        open_store(empty_url, folder=tmp_path)
    assert current_revision(old) < "0024" and said_in(old) == list(SAID)


def test_an_older_software_finds_the_texts_again(old, tmp_path):
    seal = locked(old, tmp_path)
    migrate(old, seal)
    with writing(old, "migrate") as connection:
        step_back(connection, before(connection), seal)
        for name, rows in WRITTEN.items():
            table = as_it_is(connection, name)
            assert "sealed" not in table.c
            told = table.c.detail if name == "case_events" else table.c.reasons
            found = list(connection.scalars(select(told).order_by(*table.primary_key)))
            assert found == [row.get("detail", row.get("reasons")) for row in rows]


@pytest.mark.parametrize(
    ("table", "number", "sealed"),
    [
        ("case_events", 1, lambda raw, _: raw[:-1] + bytes([raw[-1] ^ 1])),
        ("case_events", 2, lambda _, other: other),  # that of another row
        ("reviews", 1, lambda raw, _: raw[:20]),
    ],
)
def test_a_seal_that_does_not_open_is_told_with_table_column_and_row(
    old, empty_url, tmp_path, table, number, sealed
):
    locked(old, tmp_path)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        named = schema.metadata.tables[table]
        (key,) = named.primary_key
        triggers_off(store, table)
        with store.writing() as connection:
            mine = connection.scalar(select(named.c.sealed).where(key == number))
            other = connection.scalar(
                select(named.c.sealed).where(key != number, named.c.sealed.is_not(None))
            )
            changed = sealed(bytes(mine), other)
            connection.execute(update(named).where(key == number).values(sealed=changed))
            install_triggers(connection)
        with pytest.raises(
            KeyProblem, match=f"table {table}, column sealed, row {number} cannot be decrypted"
        ):
            if table == "reviews":
                reviews.opinions(store, SYSTEM, "d")
            else:
                queries.case_events(store, SYSTEM, "k")
        assert len(queries.case_events(store, SYSTEM, "j")) == 1  # others are read


def test_another_key_seals_them_anew_and_they_read_the_same(old, empty_url, tmp_path):
    locked(old, tmp_path)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        former = store.cipher
    old.dispose()
    change_key(Target.of_settings(empty_url, tmp_path), former, NEW, actor="test")
    (tmp_path / "key").write_bytes(base64.b64encode(NEW.master))
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert queries.case_events(store, SYSTEM, "k")["detail"].tolist() == DETAILS
        assert reviews.opinions(store, SYSTEM, "d")["reasons"].tolist() == ["Garis ragu-ragu", ""]
        add_case_event(store, "k", "ani", "note", {"text": "Ibunya sembuh"})
        assert said_in(store.engine) == []
        with store.reading() as connection:
            rows = connection.execute(
                select(schema.case_events.c.event_id, schema.case_events.c.sealed)
            ).all()
            assert unguarded_tables(connection) == []
        for number, sealed in rows:
            if sealed is not None:
                with pytest.raises(KeyProblem):
                    sealed_texts.opened(former, "case_events", number, sealed)


def test_only_what_is_shown_is_opened(old, empty_url, tmp_path, monkeypatch):
    locked(old, tmp_path)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        opened, real = [], Cipher.decrypt

        def counted(self, sealed, belongs_to):
            opened.append(belongs_to)
            return real(self, sealed, belongs_to)

        monkeypatch.setattr(Cipher, "decrypt", counted)
        queries.case_events(store, SYSTEM, "j")
        assert opened == ["case_events:5"]
        queries.last_events(store, SYSTEM), queries.quiet_students(store, SYSTEM, date(2025, 3, 2))
        assert opened == ["case_events:5"]


def test_an_erasure_takes_the_seals_with_their_rows(old, empty_url, tmp_path):
    locked(old, tmp_path)
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        with store.reading() as connection:
            events = schema.case_events
            gone = connection.scalars(select(events.c.sealed).where(events.c.student_key == "k")).all()
        erase.erase_student(store, "k")
        everything = raw(store.engine)
        if store.engine.dialect.name == "sqlite":
            assert not [one for one in gone if one and bytes(one) in everything]
        assert queries.case_events(store, SYSTEM, "k").empty
        assert len(queries.case_events(store, SYSTEM, "j")) == 1


def test_a_backup_of_the_version_before_is_sealed_when_it_comes_back(old, tmp_path, monkeypatch):
    seal = locked(old, tmp_path)
    store = Store(old, seal.cipher, "", tmp_path, seal)
    with old.connect() as connection:
        revision = before(connection)
        there = set(inspect(connection).get_table_names())
        as_then = {name: as_it_is(connection, name) for name in schema.metadata.tables if name in there}
    kept = [one for one in backup.ordered_tables() if one.name in there]  # what is newer nobody kept then
    monkeypatch.setattr(backup, "ordered_tables", lambda: kept)
    monkeypatch.setattr(backup, "newest_revision", lambda: revision)
    monkeypatch.setattr(backup, "shape_of", lambda one: rows.shape_of(as_then[one.name]))
    secret, file, folder = (
        Secret.of_passphrase("twelve words and more"),
        tmp_path / "b.tepat",
        tmp_path / "new",
    )
    backup.make_backup(store, file, secret, actor="test")
    folder.mkdir()
    shutil.copy(tmp_path / "key", folder / "key")
    url = f"sqlite:///{folder / 'tepat.db'}"
    restore(file, secret, seal.cipher, Target.of_settings(url, folder), actor="test")
    with closing(open_store(url, folder=folder, create=False)) as restored:
        assert queries.case_events(restored, SYSTEM, "k")["detail"].tolist() == DETAILS
        assert reviews.opinions(restored, SYSTEM, "d")["reasons"].tolist() == ["Garis ragu-ragu", ""]
        assert said_in(restored.engine) == [] and verify_chain(restored).intact
