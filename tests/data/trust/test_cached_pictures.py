"""A kill right after the commit of an erasure or an undo leaves no cached picture of what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from data import queries
from data.store import NewSpecimen, write_specimens
from data.trust import erase, undo


@pytest.fixture
def signed(small_register):
    """The small register, and a cached picture of the specimen that an import has brought."""
    given = [NewSpecimen("S07", b"ink 1", date(2022, 9, 1), "enrollment", "png", 300, 100, 300)]
    write_specimens(small_register.store, given, source="scans.zip", actor="test", synthetic=True)
    return small_register


def cached(store, name: str) -> Path:
    file = store.cache_folder / "maps" / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a picture")
    return file


@contextmanager
def at_the_last_commit(store, look) -> Iterator[list]:
    """What a look says at each commit: from then on a kill cannot take the act back."""
    said = []

    def note(_connection) -> None:
        said.append(look())

    event.listen(store.engine, "commit", note)
    yield said
    event.remove(store.engine, "commit", note)


ACTS = (
    erase.erase_student,
    erase.erase_student_signatures,
    erase.pseudonymise,
    lambda store, key: erase.erase_specimens(store, key, list(queries.specimen_table(store)["specimen_id"])),
)


@pytest.mark.parametrize("act", ACTS)
def test_an_erasure_has_taken_the_pictures_before_it_can_no_longer_be_taken_back(signed, act):
    store, key = signed.store, signed.keys["S07"]
    (specimen,) = queries.specimen_table(store)["specimen_id"]
    files = [cached(store, specimen), cached(store, key)]
    with at_the_last_commit(store, lambda: [file.exists() for file in files]) as said:
        receipt = act(store, key)
    assert said[-1] == [False, False] and receipt.cached_files == 2


def test_a_picture_that_a_page_draws_during_the_erasure_goes_too(signed):
    store, key = signed.store, signed.keys["S07"]
    with at_the_last_commit(store, lambda: cached(store, key)):
        erase.erase_student(store, key)
    assert not (store.cache_folder / "maps" / f"{key}.png").exists()


def test_an_undo_has_taken_the_pictures_before_it_can_no_longer_be_taken_back(signed):
    store = signed.store
    (specimen,) = queries.specimen_table(store)["specimen_id"]
    file = cached(store, specimen)
    with at_the_last_commit(store, file.exists) as said:
        undo.undo_import(store, undo.last_import(store), actor="registry", role="registry")
    assert said[-1] is False and not file.exists()
    assert specimen not in set(queries.specimen_table(store)["specimen_id"])
