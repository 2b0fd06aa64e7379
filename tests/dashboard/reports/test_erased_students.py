"""Of a student who was erased the tables that became public keep a stand-in, and no key."""

import json

import pytest
from sqlalchemy import select

from dashboard.reports import pipeline
from data import schema
from data.trust import reports_store
from data.trust.erase import erase_student
from data.trust.scope import Scope

SYSTEM = Scope.system()


@pytest.fixture
def public(small_register):
    """The store, its register, and two instruments of which a public file was made."""
    store = small_register.store
    register = pipeline.read_register(store, SYSTEM)
    for name in ("abet-public", "aunqa-81"):
        table, _ = pipeline.build(store, register, pipeline.Request(name, "IF", 2023))
        pipeline.public(store, register, table)
    return store, register


def contents(store):
    with store.reading() as connection:
        return list(connection.scalars(select(schema.report_disclosures.c.content)))


def sets(content):
    return {(cell["row"], cell["column"]): set(cell["students"]) for cell in content["cells"]}


def test_no_key_of_an_erased_student_stays_and_the_sets_keep_their_overlaps(public):
    store, register = public
    before = contents(store)
    in_both = set.union(*sets(before[0]).values()) & set.union(*sets(before[1]).values())
    key = sorted(in_both)[0]
    erase_student(store, key)
    after = contents(store)
    assert key in json.dumps(before) and key not in json.dumps(after)
    new = {one for content in after for members in sets(content).values() for one in members}
    old = {one for content in before for members in sets(content).values() for one in members}
    (stand_in,) = new - old  # one for all tables
    assert old - new == {key} and store.cipher.student_key("x") not in new
    for then, now in zip(before, after, strict=True):
        for address, members in sets(then).items():
            assert {stand_in if one == key else one for one in members} == sets(now)[address]
        assert {k: v for k, v in now.items() if k not in ("cells", "lines", "exclusions")} == {
            k: v for k, v in then.items() if k not in ("cells", "lines", "exclusions")
        }


def test_a_student_who_is_in_no_table_changes_none(public):
    store, _ = public
    with store.writing() as connection:
        assert reports_store.forget_in_disclosures(connection, "%_nobody") == 0
