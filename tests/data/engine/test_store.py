"""Opening a store: key, migration, two processes at once."""

from __future__ import annotations

import stat
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import inspect, select, text

from data import queries, schema
from data.engine.cipher import KeyProblem
from data.engine.clock import now
from data.engine.database import connect, insert_numbered, writing
from data.engine.migrate import current_revision, newest_revision, upgrade
from data.schema import metadata
from data.store import NoStore, get_fact, open_store, set_fact
from data.trust.scope import Scope
from tests.conftest import locked


def test_an_opened_store_has_every_table_of_the_schema(store):
    tables = set(inspect(store.engine).get_table_names())
    assert set(metadata.tables) <= tables


def test_the_migrations_make_exactly_the_schema(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_store_of_the_first_revision_is_upgraded_with_its_data(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'tepat.db'}")
    with writing(engine, "migrate") as connection:
        upgrade(connection, "0001")
        connection.execute(
            text("INSERT INTO imports VALUES ('i', '2024-01-01', NULL, 'a', 's', '{}', '{}', 0)")
        )
        connection.execute(text("INSERT INTO programs VALUES ('IF', 'Informatics', 'S1', 8, 144)"))
        columns = "student_key, program_code, cohort_term, import_id"
        connection.execute(text(f"INSERT INTO students ({columns}) VALUES ('k', 'IF', 20191, 'i')"))  # noqa: S608
        connection.execute(text("INSERT INTO identities VALUES ('k', '123', 'Siti Aminah')"))
    locked(engine, tmp_path)
    engine.dispose()
    store = open_store(folder=tmp_path)
    assert current_revision(store.engine) == newest_revision()
    assert queries.search_students(store, Scope.system(), "amin")["student_key"].tolist() == ["k"]
    store.close()


def test_a_fact_is_read_back_and_can_be_changed(store):
    assert get_fact(store, "institution") is None
    set_fact(store, "institution", "Universitas Contoh")
    set_fact(store, "institution", {"name": "Universitas Contoh", "since": 1960})
    assert get_fact(store, "institution") == {"name": "Universitas Contoh", "since": 1960}


def test_the_key_file_is_readable_by_its_owner_only(store):
    mode = stat.S_IMODE((store.folder / "key").stat().st_mode)
    assert mode == 0o600


def test_a_store_opened_again_decrypts_what_it_encrypted(store, store_url):
    sealed = store.cipher.encrypt(b"ink", "image:1")
    again = open_store(store_url, folder=store.folder)
    assert again.cipher.decrypt(sealed, "image:1") == b"ink"
    again.close()


def test_ciphertext_moved_to_another_row_does_not_decrypt(store):
    sealed = store.cipher.encrypt(b"ink", "image:1")
    with pytest.raises(KeyProblem, match="stored image cannot be decrypted"):
        store.cipher.decrypt(sealed, "image:2")


def test_a_wrong_key_is_named_as_such(store, store_url, tmp_path):
    other = tmp_path / "elsewhere"
    open_store(folder=other).close()
    with pytest.raises(KeyProblem, match="wrong key: the key file in 'elsewhere'"):
        open_store(store_url, folder=other)


def test_a_lost_key_is_not_replaced_by_a_new_one(store, store_url):
    (store.folder / "key").unlink()
    with pytest.raises(KeyProblem, match="not in the store's folder"):
        open_store(store_url, folder=store.folder)
    assert not (store.folder / "key").exists()


def test_a_key_that_is_not_base64_of_32_bytes_is_refused(store, store_url):
    (store.folder / "key").write_text("c2hvcnQ=\n")
    with pytest.raises(KeyProblem, match="got 5 bytes"):
        open_store(store_url, folder=store.folder)


def test_two_processes_may_open_a_new_store_at_once(tmp_path):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from data.store import open_store
        print(open_store(folder=Path(sys.argv[1])).cipher.fingerprint)
    """)
    command = [sys.executable, "-c", program, str(tmp_path / "new")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(answers)) == 1


def test_a_store_of_a_newer_version_is_refused(store, store_url):
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RuntimeError, match="revision 9999"):
        open_store(store_url, folder=store.folder)


def test_an_empty_database_of_a_server_is_no_store_and_stays_empty(postgresql_server, tmp_path):
    with pytest.raises(NoStore, match="no store in postgresql.*data init"):
        open_store(postgresql_server, folder=tmp_path, create=False, upgrade=True)
    engine = connect(postgresql_server)
    assert current_revision(engine) is None and not list(tmp_path.iterdir())
    engine.dispose()


def test_a_url_of_another_database_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must name PostgreSQL or a SQLite file"):
        open_store("sqlite:///:memory:", folder=tmp_path)


def test_a_setting_that_is_set_but_empty_is_as_one_that_is_not_set(monkeypatch):
    from data.settings import Settings

    for name in ("TEPAT_FOLDER", "DATABASE_URL", "TEPAT_KEY"):
        monkeypatch.delenv(name, raising=False)
    unset = Settings()
    for name in ("TEPAT_FOLDER", "DATABASE_URL", "TEPAT_KEY"):
        monkeypatch.setenv(name, "")
    assert Settings() == unset and unset.folder.is_absolute()


def test_a_new_row_tells_its_number_and_the_next_row_has_the_next(store):
    row = {"at": now(), "actor": "test", "descriptor_id": "d", "content": {}}
    with store.writing() as connection:
        numbers = [insert_numbered(connection, schema.duplicate_searches, row) for _ in range(3)]
        stored = connection.scalars(select(schema.duplicate_searches.c.search_id)).all()
    assert numbers == sorted(stored) == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_the_limit_of_a_column_is_told_where_it_has_one():
    assert schema.longest(schema.identities.c.student_number) == 64
    with pytest.raises(TypeError, match="no limit of characters"):
        schema.longest(schema.students.c.cohort_term)
