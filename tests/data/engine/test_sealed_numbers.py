"""Years of birth: sealed in their rows and out of the history, read and compared as before."""

from __future__ import annotations

import base64
from contextlib import closing
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import LargeBinary, insert, select, update

from data import queries, schema
from data.engine.bulk import fetch
from data.engine.cipher import Cipher, KeyProblem
from data.engine.database import connect, writing
from data.engine.migrate import _configuration, current_revision, migrate, upgrade
from data.engine.sealed_numbers import open_cell
from data.keeping.restore import Target
from data.keeping.rotation import change_key
from data.migrations.triggers import unguarded_tables
from data.records.import_queries import known_records
from data.records.imports import keep_for_undo
from data.store import RecordFrames, open_store, write_records
from data.trust import erase, undo
from data.trust.scope import Scope
from tests.conftest import locked, step_back
from tests.data.engine.test_sealed_texts import raw
from tests.data.verification.test_opinions_taken_back import as_it_is

SYSTEM = Scope.system()
AT = datetime(2025, 3, 1, 8)
NEW = Cipher(bytes(range(32)))
BORN = {"S01": 2001, "S02": 1999, "S07": 2003}


def told(**years) -> RecordFrames:
    students = pd.DataFrame({"student_number": list(years), "birth_year": list(years.values())})
    about = {"program_code": "IF", "cohort_term": [20221 if one == "S07" else 20191 for one in years]}
    return RecordFrames(students=students.assign(**about))


def write(store, **years) -> str:
    about = {"source": "born.csv", "files": {}, "actor": "test", "synthetic": True}
    return write_records(store, told(**years), **about).import_id


def years_of(store) -> dict[str, int]:
    """Student key → year, of those who have one, as the register reads it."""
    frame = queries.students(store, SYSTEM).dropna(subset="birth_year")
    return dict(zip(frame["student_key"], frame["birth_year"].astype(int), strict=True))


def stored(store) -> list[bytes]:
    with store.reading() as connection:
        column = schema.students.c.birth_year
        return [bytes(one) for one in connection.scalars(select(column).where(column.is_not(None)))]


def test_every_reader_finds_what_was_written_and_the_database_does_not_hold_it(small_register):
    store, keys = small_register.store, small_register.keys
    write(store, **BORN)
    assert years_of(store) == {keys[number]: year for number, year in BORN.items()}
    assert queries.student(store, SYSTEM, keys["S07"])["birth_year"].tolist() == [2003]
    assert np.isnan(queries.student(store, SYSTEM, keys["S08"])["birth_year"].iloc[0])
    pupils = queries.records_until(store).students.set_index("student_key")["birth_year"]
    assert pupils[keys["S02"]] == 1999 and pupils.dtype == "float64"
    known = known_records(store, ["S01", "S08"]).students
    assert known.set_index("student_number")["birth_year"].to_dict()["S01"] == 2001
    assert "student_key" not in known
    sealed = stored(store)
    assert len(set(sealed)) == 3 and {len(one) for one in sealed} == {12 + 4 + 16}
    assert not [one for one in sealed for year in BORN.values() if b"%d" % year in one]


def test_the_same_file_changes_nothing_and_another_year_is_undone(small_register):
    store, keys = small_register.store, small_register.keys
    write(store, **BORN)
    before = stored(store)
    write(store, **BORN)
    assert stored(store) == before  # nothing was written anew
    last = write(store, S01=1987, S02=1999, S07=None, S08=2002)
    assert years_of(store) == {keys["S01"]: 1987, keys["S02"]: 1999, keys["S08"]: 2002}
    with store.reading() as connection:
        assert not [
            one for one in connection.scalars(select(schema.row_history.c.payload)) if "birth_year" in one
        ]
    undo.undo_import(store, last, actor="test", role="system")
    assert years_of(store) == {keys[number]: year for number, year in BORN.items()}


def test_an_erased_year_is_gone(small_register):
    store, keys = small_register.store, small_register.keys
    write(store, **BORN)
    erase.erase_student(store, keys["S01"])
    assert len(stored(store)) == 2 and keys["S01"] not in years_of(store)


def test_a_year_that_does_not_open_is_told_with_table_column_and_row(small_register):
    store, keys = small_register.store, small_register.keys
    write(store, **BORN)
    table = schema.students
    with store.writing() as connection:
        other = connection.scalar(select(table.c.birth_year).where(table.c.student_key == keys["S02"]))
        mine = table.c.student_key == keys["S01"]
        connection.execute(update(table).where(mine).values(birth_year=other))
    with pytest.raises(KeyProblem, match=f"table students, column birth_year, row {keys['S01']} cannot be"):
        queries.students(store, SYSTEM)
    assert queries.student(store, SYSTEM, keys["S02"])["birth_year"].tolist() == [1999]
    with store.reading() as connection, pytest.raises(TypeError, match="student_key"):
        fetch(connection, select(table.c.birth_year))


def test_another_key_seals_them_anew(small_register):
    store, former, keys = small_register.store, small_register.store.cipher, small_register.keys
    write(store, **BORN)
    before, folder = stored(store), store.folder
    url = store.engine.url.render_as_string(hide_password=False)
    store.close()
    change_key(Target.of_settings(url, folder), former, NEW, actor="test")
    (folder / "key").write_bytes(base64.b64encode(NEW.master))
    with closing(open_store(url, folder=folder)) as changed:
        assert not set(stored(changed)) & set(before)
        assert years_of(changed) == {keys[number]: year for number, year in BORN.items()}


# --- a store of the version before -------------------------------------------------------------------------
def before(connection) -> str:
    return ScriptDirectory.from_config(_configuration(connection)).get_revision("0025").down_revision


@pytest.fixture
def old(empty_url, tmp_path):
    """A database of the revision before and its key: 6,000 students; the newest import changed one's year."""
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, before(connection))
    seal = locked(engine, tmp_path)
    with writing(engine) as connection:
        imported = {"started_at": AT, "actor": "a", "source": "s", "files": {}, "counts": {}}
        for one in ("1", "2"):
            connection.execute(
                insert(as_it_is(connection, "imports")).values(import_id=one, synthetic=False, **imported)
            )
        program = {"program_code": "IF", "name": "Informatics", "degree_level": "S1", "normal_terms": 8}
        connection.execute(insert(as_it_is(connection, "programs")).values(**program, required_credits=144))
        about = {"program_code": "IF", "cohort_term": 20191, "sex": "L", "import_id": "1"}
        rows = [about | {"student_key": f"{one:05d}", "birth_year": 1950 + one % 60} for one in range(6_000)]
        rows[7] |= {"birth_year": None}
        rows[9] |= {"import_id": "2"}
        connection.execute(insert(as_it_is(connection, "students")), rows)
        said = {"program_code": "IF", "cohort_term": 20191, "sex": "L", "birth_year": 1987, "import_id": "1"}
        row = {"table_name": "students", "student_key": "00009", "row_key": "", "replaced_by": "2"}
        history = as_it_is(connection, "row_history")
        connection.execute(insert(history).values(payload=said, replaced_at=AT, **row))
        keep_for_undo(connection, seal.cipher, "2", {"names": {}, "programs": []})
    yield engine, seal
    engine.dispose()


def test_a_store_of_before_is_sealed_in_place_and_its_last_import_can_be_undone(old, empty_url, tmp_path):
    engine, _ = old
    assert b'"birth_year": 1987' in raw(engine)
    engine.dispose()
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert b'"birth_year": 1987' not in raw(store.engine)
        assert len(stored(store)) == 5_999
        years = years_of(store)
        assert "00007" not in years and years["00009"] == 1959 and years["05999"] == 1950 + 5_999 % 60
        with store.reading() as connection:
            assert unguarded_tables(connection) == []
        undo.undo_import(store, "2", actor="test", role="system")
        assert years_of(store) == years | {"00009": 1987}


def test_without_the_key_nothing_is_upgraded_and_an_older_software_finds_the_years(old):
    engine, seal = old
    with pytest.raises(RuntimeError, match="only be sealed or opened with the store's key"):
        migrate(engine)
    assert current_revision(engine) < "0025"
    migrate(engine, seal)
    with writing(engine, "migrate") as connection:
        step_back(connection, before(connection), seal)
        table = as_it_is(connection, "students")
        found = dict(connection.execute(select(table.c.student_key, table.c.birth_year)).tuples().all())
    assert found["00007"] is None and found["00009"] == 1959 and len(found) == 6_000
    assert not isinstance(table.c.birth_year.type, LargeBinary)


def test_plain_text_in_a_sealed_cell_is_refused_like_bytes_that_do_not_open():
    with pytest.raises(KeyProblem, match="table identities, column name, row s1 cannot be decrypted"):
        open_cell(NEW, "identities.name", "s1", "Siti Aminah")
