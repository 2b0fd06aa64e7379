"""The search through the store: each kind that was planted is found under its name, with its count."""

from __future__ import annotations

from datetime import date

import cv2
import pandas as pd
import pytest

from data import queries
from data.columns import DUPLICATE_KINDS
from data.engine.clock import now
from data.store import NewSpecimen, write_consents, write_specimens
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification.duplicates import duplicate_counts, duplicate_findings, newest_search, to_search
from tests.vision.search.test_turned_copies import scan_of, scanned_again
from vision.descriptor import describe_specimens
from vision.descriptor.describe_specimens import describe_pending, id_of_descriptor
from vision.descriptor.outlines import Outlines
from vision.search import duplicate_search, turned_copies
from vision.search.duplicate_search import search_duplicates

SYSTEM = Scope.system()
EACH = 4
STUDENTS = [f"S{number:02}" for number in range(1, 13)]


@pytest.fixture
def filed(small_register):
    """Twelve students of four signatures; one scan, two signings and one whole hand stand elsewhere too."""
    store = small_register.store
    drawn = [
        (number, scan_of(11, signing + EACH) if number == "S11" else scan_of(row, signing))
        for row, number in enumerate(STUDENTS)
        for signing in range(EACH)
    ]
    drawn += [("S05", scanned_again(scan_of(0), 5, 0.8))]
    drawn += [("S06", scan_of(1, signing)) for signing in (30, 31)]
    about = {"context": "enrollment", "file_format": "png", "width": 600, "height": 240, "dpi": 300}
    given = [
        NewSpecimen(number, cv2.imencode(".png", sheet)[1].tobytes(), date(2022, 9, 1 + place % 28), **about)
        for place, (number, sheet) in enumerate(drawn)
    ]
    write_specimens(store, given, source="scans", actor="test")
    agreed = [
        {"student_key": small_register.keys[number], "purpose": "verification", "granted": True}
        for number in STUDENTS
    ]
    write_consents(store, pd.DataFrame(agreed))
    return small_register


@pytest.fixture
def register(filed):
    """The same, described."""
    describe_pending(filed.store)
    return filed


def test_the_bar_covers_the_comparing_too_and_never_stands_at_its_end_meanwhile(register, monkeypatch):
    """While kinds are searched that take long, the step that is shown is theirs and is not done."""
    told: list[tuple[int, int, str]] = []
    meanwhile = {}
    for name in ("like_outlines", "fit_of"):
        compare = getattr(turned_copies, name)

        def before(*args, compare=compare, name=name):
            meanwhile.setdefault(name, []).append(told[-1])
            return compare(*args)

        monkeypatch.setattr(turned_copies, name, before)
    for name in ("same_hands", "foreign_specimens", "other_names"):
        search = getattr(duplicate_search, name)

        def noted(*args, search=search, name=name):
            meanwhile[name] = told[-1]
            return search(*args)

        monkeypatch.setattr(duplicate_search, name, noted)
    search_duplicates(register.store, actor="test", progress=lambda *step: told.append(step))
    assert meanwhile.pop("like_outlines") == [(0, 1, "comparing images")]
    pairs = meanwhile.pop("fit_of")
    assert pairs == [(done, len(pairs), "comparing images") for done in range(len(pairs))] and pairs
    assert meanwhile == {
        "same_hands": (0, 3, "comparing hands"),
        "foreign_specimens": (1, 3, "comparing hands"),
        "other_names": (2, 3, "comparing hands"),
    }


def test_every_kind_is_found_under_its_name_and_counted_alike_everywhere(register):
    store, keys = register.store, register.keys
    found = search_duplicates(store, actor="test", expected=0.1)
    pairs = {(row.kind, row.first_student, row.second_student) for row in found.itertuples()}
    assert ("same_image", *sorted((keys["S01"], keys["S05"]))) in pairs
    assert ("same_hand", *sorted((keys["S11"], keys["S12"]))) in pairs
    assert ("foreign_specimen", keys["S06"], keys["S02"]) in pairs
    assert len(pairs) == 3  # and nobody else's
    assert (found["expected_false"] <= 0.1).all() and found["expected_false"].is_monotonic_increasing
    content = newest_search(store)["content"]
    assert set(content) == set(DUPLICATE_KINDS)
    listed = duplicate_findings(store, SYSTEM)
    counts = duplicate_counts(store, SYSTEM)
    assert listed["kind"].value_counts().to_dict() == {kind: one for kind, (one, _) in counts.items()}
    assert {kind: content[kind]["found"] for kind in counts} == {
        kind: one for kind, (one, _) in counts.items()
    }
    assert content["same_hand"]["pairs"] == 12 * 11 // 2
    assert content["foreign_specimen"]["pairs"] == (12 * EACH + 3) * 11
    assert queries_verification.undescribed(store, id_of_descriptor(Outlines())).empty
    assert search_duplicates(store, actor="test", expected=0.1).equals(found)


class Killed(Exception):
    """Stands for a process that ends where it is."""


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_search_that_is_killed_goes_on_where_it_was_and_reads_nothing_twice(filed, monkeypatch):
    store, read, told = filed.store, [], []
    one_image = queries.specimen_image

    def noted(store, specimen_id, scope):
        read.append(specimen_id)
        return one_image(store, specimen_id, scope)

    def dies(done: int, total: int, what: str) -> None:
        if done >= 16:
            raise Killed

    monkeypatch.setattr(queries, "specimen_image", noted)
    monkeypatch.setattr(describe_specimens, "CHUNK", 8)
    count = len(queries.specimen_table(store, "verification"))
    with pytest.raises(Killed):
        describe_pending(store, dies)
    describe_pending(store, lambda *step: told.append(step))
    assert {total for _, total, _ in told} == {count - 16}
    assert len(read) == len(set(read)) == count
    read.clear()
    found = search_duplicates(store, actor="test", expected=0.1)
    assert not found.empty and len(read) == len(set(read)) < count  # like drawings alone, once each


def test_nobody_who_does_not_agree_is_searched(register):
    store, keys = register.store, register.keys
    made = [id_of_descriptor(one) for one in (describe_specimens.descriptor_in_use(), Outlines())]
    every = len(queries.specimen_table(store, "verification"))
    assert to_search(store, made) == (every, 0)
    assert to_search(store, [*made, "another@1"]) == (every, every)
    for number in ("S05", "S06", "S11"):
        write_consents(
            store,
            pd.DataFrame(
                [{"student_key": keys[number], "purpose": "verification", "granted": False, "at": now()}]
            ),
        )
    assert to_search(store, made)[0] < every - 3 * EACH
    found = search_duplicates(store, actor="test", expected=0.1)
    gone = {keys[number] for number in ("S05", "S06", "S11")}
    assert not gone & {*found["first_student"], *found["second_student"]}
