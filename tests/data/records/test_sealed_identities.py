"""Names and student numbers: sealed in the database, searched and looked up as before, in older stores."""

from __future__ import annotations

import base64
import re
from contextlib import closing
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, Table, insert, inspect, select, update

from data import queries, schema
from data.consents.queries import without_consent
from data.engine import bulk, sealed_names
from data.engine.bulk import fetch
from data.engine.cipher import Cipher, KeyProblem
from data.engine.database import connect, writing
from data.engine.migrate import current_revision, migrate, upgrade
from data.keeping.restore import Target
from data.keeping.rotation import change_key
from data.records import name_search
from data.records.import_queries import known_records
from data.records.name_search import NameIndex, name_index, prepare_search, words_of
from data.store import RecordFrames, open_store, write_records
from data.trust import erase, undo
from data.trust.scope import Scope
from tests.conftest import locked, step_back
from tests.data.engine.test_sealed_texts import raw

SYSTEM, NEW = Scope.system(), Cipher(bytes(range(32)))
BEFORE, REVISION = "0026", "0027"
PEOPLE = {
    "2019-77-001": "Siti Nurhaliza Wijayakusuma",
    "2019-77-002": "Andréa Ó Gwyther",
    "2019-77-003": "Sitompul, Budi",
    "2020-88-001": "王小明",
    "2020-88-002": None,
}
TOLD = ("Nurhaliza", "Wijayakusuma", "Sitompul", "Gwyther", "2019-77", "77-003", "2020-88", "王小明")


def write(store, people: dict) -> str:
    students = pd.DataFrame({"student_number": list(people), "name": list(people.values())})
    about = {"program_code": "IF", "cohort_term": 20191, "degree_level": "S1"}
    note = {"source": "named.csv", "files": {}, "actor": "test", "synthetic": True}
    return write_records(store, RecordFrames(students=students.assign(**about)), **note).import_id


def found(store, text: str, scope: Scope = SYSTEM, limit: int = 20) -> list[str]:
    return queries.search_students(store, scope, text, limit)["student_number"].tolist()


def lies_in(engine) -> list[str]:
    everything = raw(engine)
    return [one for one in TOLD if one.encode() in everything or one.casefold().encode() in everything]


@pytest.fixture
def named(store):
    write(store, PEOPLE)
    return store


# --- written and read --------------------------------------------------------------------------------------
def test_no_name_number_or_word_of_one_lies_in_the_database_and_every_reader_finds_them(named):
    assert found(named, "sit") == ["2019-77-001", "2019-77-003"]
    assert lies_in(named.engine) == []
    key = queries.find_student(named, SYSTEM, "2019-77-002")
    assert queries.student(named, SYSTEM, key)["name"].tolist() == ["Andréa Ó Gwyther"]
    people = queries.identities(named, SYSTEM, queries.students(named, SYSTEM)["student_key"].tolist())
    told = dict(zip(people["student_number"], people["name"].astype(object), strict=True))
    assert {one: None if name != name else name for one, name in told.items()} == PEOPLE
    assert list(people) == ["student_key", "student_number", "name"]
    known = known_records(named, ["2020-88-001", "nobody"]).students
    assert known["name"].tolist() == ["王小明"] and "student_key" not in known
    assert queries.find_student(named, SYSTEM, "2019-77-00") is None


def test_equal_names_do_not_look_alike_and_the_same_file_changes_nothing(store):
    write(store, {"1": "Siti Aminah", "2": "Siti Aminah"})

    def stored() -> list[tuple]:
        with store.reading() as connection:
            table = schema.identities
            return connection.execute(select(table).order_by(table.c.student_key)).all()

    before = stored()
    assert len({cell for row in before for cell in row}) == 8
    write(store, {"1": "Siti Aminah", "2": "Siti Aminah"})
    assert stored() == before


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("SITI", ["2019-77-001"]),
        ("sIt", ["2019-77-001", "2019-77-003"]),
        ("budi sito", ["2019-77-003"]),
        ("siti gwyther", []),
        ("andréa", ["2019-77-002"]),
        ("andrea", []),  # as before: letters are compared as they are, whatever their case
        ("ÓG", []),
        ("ó", ["2019-77-002"]),
        ("王", ["2020-88-001"]),
        ("88", ["2020-88-001", "2020-88-002"]),
        ("2019 77 003", ["2019-77-003"]),
        ("%", []),
        ("", []),
        ("a b c d e f g", []),
    ],
)
def test_a_search_finds_beginnings_of_words_in_any_case(named, text, numbers):
    assert found(named, text) == numbers
    assert found(named, text, Scope("ani", "advisor", True, None, True, True)) == []
    assert found(named, text, Scope("rector", "leadership", False, None, False, True)) == []


WORDS = st.text("aAbBéÉßç0王-' ", max_size=12)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=12), WORDS)
def test_the_index_finds_whom_comparing_every_word_would_find(people, text):
    """The rule of the table of words that earlier versions kept, said in full for every student."""
    rows = [(f"k{place}", f"{number}{place:02d}", name) for place, (number, name) in enumerate(people)]
    index = NameIndex.of((key, number, words_of(f"{number} {name}")) for key, number, name in rows)
    wanted = [word for word in dict.fromkeys(re.findall(r"\w+", text.casefold()))]
    expected = [
        key
        for key, number, name in sorted(rows, key=lambda row: row[1])
        if wanted
        and all(
            any(word.startswith(one) for word in re.findall(r"\w+", f"{number} {name}".casefold()))
            for one in wanted
        )
    ]
    assert [index.keys[place] for place in index.matching(words_of(text))] == expected
    assert index.ordered(reversed([key for key, _, _ in rows])) == index.keys
    some = [key for key, _, _ in rows[::2]]
    among = [index.keys[place] for place in index.matching(words_of(text), [*some, "unknown"])]
    assert among == [key for key in expected if key in some]


def test_a_search_among_some_finds_of_them_whom_the_whole_search_finds(named):
    keys = queries.students(named, SYSTEM)["student_key"].tolist()
    number = queries.identities(named, SYSTEM, keys).set_index("student_key")["student_number"]
    for text in ("sit", "2019", "budi sito", "nobody", "", "  "):
        for some in (keys, keys[:2], keys[2:], []):
            among = queries.named_among(named, SYSTEM, text, some)
            assert [number[key] for key in among] == [
                one for one in found(named, text) if one in set(number[some])
            ]
    assert (
        queries.named_among(named, Scope("rector", "leadership", False, None, False, True), "sit", keys) == []
    )
    write(named, {"2021-99-001": "Sitorus"})
    new = queries.find_student(named, SYSTEM, "2021-99-001")
    assert queries.named_among(named, SYSTEM, "sito", [new]) == [new]  # known to the search at once


def test_lists_of_any_length_are_given_by_number(store, monkeypatch):
    numbers = [f"N{one * 37 % 1_000:03d}" for one in range(60)]
    write(store, {number: f"Siti {number}" for number in numbers})
    erase.pseudonymise(store, queries.find_student(store, SYSTEM, sorted(numbers)[2]))
    left = [number for number in sorted(numbers) if number != sorted(numbers)[2]]

    def listed() -> tuple:
        return (
            found(store, "siti", limit=500),
            found(store, "siti n", limit=7),
            without_consent(store, SYSTEM, "verification")["student_number"].tolist(),
            without_consent(store, SYSTEM, "verification", limit=7)["student_number"].tolist(),
        )

    whole = listed()
    assert whole == (left, left[:7], left, left[:7])
    monkeypatch.setattr(bulk, "NAMED_KEYS", 2)  # as with many more students
    monkeypatch.setattr(name_search, "PART", 4)
    monkeypatch.setattr(name_search, "FEW", 3)
    assert listed() == whole


# --- changed, undone, erased -------------------------------------------------------------------------------
def test_a_search_follows_imports_undo_and_erasure_and_opens_only_what_has_changed(named, monkeypatch):
    prepare_search(named)
    opened, real = [], Cipher.decrypt

    def counted(self, sealed, belongs_to):
        opened.append(belongs_to.partition(":")[0])
        return real(self, sealed, belongs_to)

    last = write(named, PEOPLE | {"2019-77-001": "Maria Nurhaliza"})
    monkeypatch.setattr(Cipher, "decrypt", counted)
    with named.reading() as connection:
        name_index(connection)
        name_index(connection)
    assert opened == ["identities.student_number", "identities.name"]
    assert found(named, "maria") == ["2019-77-001"] and found(named, "wijaya") == []
    undo.undo_import(named, last, actor="test", role="system")
    assert found(named, "maria") == [] and found(named, "wijaya") == ["2019-77-001"]
    erase.erase_student(named, queries.find_student(named, SYSTEM, "2019-77-003"))
    assert found(named, "sit") == ["2019-77-001"] and lies_in(named.engine) == []
    write(named, {"2019-77-009": "Sitompul Baru"})
    assert found(named, "sit") == ["2019-77-001", "2019-77-009"]


def test_an_undone_import_leaves_nothing_of_the_students_it_brought(named):
    last = write(named, {"2021-99-001": "Kusumawardhani"})
    assert found(named, "kusuma") == ["2021-99-001"]
    undo.undo_import(named, last, actor="test", role="system")
    assert found(named, "kusuma") == [] and queries.find_student(named, SYSTEM, "2021-99-001") is None


# --- the key -----------------------------------------------------------------------------------------------
def test_a_name_that_does_not_open_is_told_with_table_column_and_row(named):
    table = schema.identities
    mine, others = (queries.find_student(named, SYSTEM, one) for one in ("2019-77-001", "2019-77-002"))
    with named.writing() as connection:
        other = connection.scalar(select(table.c.name).where(table.c.student_key == others))
        connection.execute(update(table).where(table.c.student_key == mine).values(name=other))
    said = f"table identities, column name, row {mine} cannot be decrypted"
    with pytest.raises(KeyProblem, match=said):
        queries.student(named, SYSTEM, mine)
    with pytest.raises(KeyProblem, match=said):
        found(named, "siti")
    assert queries.student(named, SYSTEM, others)["name"].tolist() == ["Andréa Ó Gwyther"]
    with named.reading() as connection, pytest.raises(TypeError, match="student_key"):
        fetch(connection, select(table.c.name))


def test_another_key_seals_them_anew_and_numbers_are_found_by_it(named):
    store, former, folder = named, named.cipher, named.folder

    def stored(one) -> set[bytes]:
        with one.reading() as connection:
            rows = connection.execute(select(schema.identities.c.student_number, schema.identities.c.name))
            return {cell for row in rows for cell in row if cell is not None}

    before, url = stored(store), store.engine.url.render_as_string(hide_password=False)
    store.close()
    change_key(Target.of_settings(url, folder), former, NEW, actor="test")
    with pytest.raises(KeyProblem, match="wrong key"):
        open_store(url, folder=folder)
    (folder / "key").write_bytes(base64.b64encode(NEW.master))
    with closing(open_store(url, folder=folder)) as changed:
        assert not stored(changed) & before
        assert found(changed, "budi") == ["2019-77-003"]
        assert queries.find_student(changed, SYSTEM, "2019-77-003") is not None
        write(changed, PEOPLE)  # known again by their numbers
        assert len(queries.students(changed, SYSTEM)) == len(PEOPLE)


# --- a store of the version before -------------------------------------------------------------------------
def as_it_is(connection, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection)


def name_of(one: int) -> str | None:
    return None if one == 7 else f"Wijayakusuma Nurhaliza{one % 50}"


@pytest.fixture
def old(empty_url, tmp_path):
    """A database of the revision before and its key, with 6,000 students and the words of their names."""
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, BEFORE)
        imported = {"started_at": datetime(2025, 3, 1, 8), "actor": "a", "source": "s", "files": {}}
        row = {"import_id": "1", "counts": {}, "synthetic": False, **imported}
        connection.execute(insert(as_it_is(connection, "imports")).values(**row))
        program = {"program_code": "IF", "name": "Informatics", "degree_level": "S1", "normal_terms": 8}
        connection.execute(insert(as_it_is(connection, "programs")).values(**program, required_credits=144))
        keys = [f"{one:05d}" for one in range(6_000)]
        about = {"program_code": "IF", "cohort_term": 20191, "import_id": "1"}
        connection.execute(
            insert(as_it_is(connection, "students")), [about | {"student_key": key} for key in keys]
        )
        rows = [
            {"student_key": key, "student_number": f"2019-77-{9_999 - int(key)}", "name": name_of(int(key))}
            for key in keys
        ]
        connection.execute(insert(as_it_is(connection, "identities")), rows)
        words = [
            {"student_key": row["student_key"], "word": word}
            for row in rows
            for word in words_of(f"{row['student_number']} {row['name'] or ''}")
        ]
        connection.execute(insert(as_it_is(connection, "identity_words")), words)
    yield engine, locked(engine, tmp_path)
    engine.dispose()


def test_a_store_of_before_is_sealed_in_place_and_searched_as_before(old, empty_url, tmp_path):
    engine, _ = old
    there = lies_in(engine)
    assert {"Nurhaliza", "Wijayakusuma", "2019-77"} <= set(there)  # these bytes are found where they stand
    engine.dispose()
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert lies_in(store.engine) == [] and "identity_words" not in inspect(store.engine).get_table_names()
        assert found(store, "wijaya nurhaliza3", limit=2) == ["2019-77-4010", "2019-77-4011"]
        assert queries.find_student(store, SYSTEM, "2019-77-9992") == "00007"
        people = queries.identities(store, SYSTEM, ["00007", "00123", "05999"]).set_index("student_key")
        assert people["student_number"].tolist() == ["2019-77-9992", "2019-77-9876", "2019-77-4000"]
        assert pd.isna(people["name"]["00007"]) and people["name"]["05999"] == name_of(5_999)
        assert len(queries.students(store, SYSTEM)) == 6_000
        write(store, {"2019-77-9992": "Sitompul"})  # known by its number
        assert found(store, "sitompul") == ["2019-77-9992"] and len(queries.students(store, SYSTEM)) == 6_000


def test_an_upgrade_that_was_cut_off_leaves_the_names_as_they_were_and_begins_again(
    old, empty_url, tmp_path, monkeypatch
):
    engine, _ = old
    calls, real = [], sealed_names.seal_names

    def cut_off(*given):
        calls.append(given)
        if len(calls) == 4:  # in the second part
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sealed_names, "seal_names", cut_off)
    with pytest.raises(KeyboardInterrupt):
        open_store(empty_url, folder=tmp_path)
    assert current_revision(engine) == BEFORE and "identity_words" in inspect(engine).get_table_names()
    monkeypatch.undo()
    with closing(open_store(empty_url, folder=tmp_path)) as store:
        assert lies_in(store.engine) == [] and len(found(store, "wijaya", limit=500)) == 500


def test_without_the_key_nothing_is_upgraded_and_an_older_software_finds_names_and_words(old):
    engine, seal = old
    with pytest.raises(RuntimeError, match="only be sealed or opened with the store's key"):
        migrate(engine)
    assert current_revision(engine) == BEFORE

    def stands() -> dict[str, set]:
        with writing(engine) as connection:
            tables = [as_it_is(connection, name) for name in ("identities", "identity_words")]
            return {one.name: set(connection.execute(select(one)).tuples()) for one in tables}

    before = stands()
    migrate(engine, seal)
    assert current_revision(engine) >= REVISION
    with writing(engine, "migrate") as connection:
        step_back(connection, BEFORE, seal)
    assert stands() == before and len(before["identities"]) == 6_000
