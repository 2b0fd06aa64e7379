"""Waits after failed sign-ins: for the pair at once, for an address later, for an account hardly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from data import schema
from data.store import open_store
from data.trust import throttle
from data.trust.throttle import RULES, Rule

START = datetime(2026, 3, 2, 8)
HOME, AWAY = "192.0.2.7", "198.51.100.9"
NONE = timedelta(0)


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def tried(store, times: int, name: str = "ani", address: str = HOME, at: datetime = START):
    """So many wrong tries at one moment; what the last one met."""
    return [throttle.charge(store, name, address, at) for _ in range(times)][-1]


def test_five_tries_are_free_and_the_sixth_waits(store):
    assert tried(store, 4).next_wait == NONE
    assert tried(store, 1) == throttle.Charge(NONE, seconds(15))
    assert tried(store, 1).held == seconds(15)
    assert not tried(store, 1, at=START + seconds(14.9)).allowed
    assert tried(store, 1, at=START + seconds(15)).allowed


def test_fifteen_tries_in_ten_seconds_are_five(store):
    met = [throttle.charge(store, "ani", HOME, START + seconds(i * 0.66)) for i in range(15)]
    assert [one.allowed for one in met] == [True] * 5 + [False] * 10


def test_the_wait_doubles_to_five_minutes(store):
    at, waits = START, []
    tried(store, 4)
    for _ in range(7):
        met = tried(store, 1, at=at)
        assert met.allowed
        waits.append(met.next_wait.total_seconds())
        at += met.next_wait
    assert waits == [15, 30, 60, 120, 240, 300, 300]


def test_a_try_that_waits_does_not_make_the_wait_longer(store):
    tried(store, 5)
    tried(store, 50, at=START + seconds(10))
    assert tried(store, 1, at=START + seconds(15)).allowed


def test_a_right_password_begins_anew_for_the_pair(store):
    tried(store, 5)
    throttle.forgive(store, "ani", HOME, START)
    assert tried(store, 4).next_wait == NONE


def test_a_stranger_elsewhere_does_not_keep_the_owner_out(store):
    at = START
    for _ in range(40):
        met = tried(store, 1, address=AWAY, at=at)
        at += met.next_wait or seconds(1)
    assert not tried(store, 1, address=AWAY, at=at - seconds(1)).allowed
    assert tried(store, 1, at=at).allowed


def from_many_addresses(store, times: int, at: datetime = START) -> None:
    for i in range(times):
        throttle.charge(store, "ani", f"203.0.{i // 200}.{i % 200}", at)


def test_an_account_tried_from_a_hundred_addresses_waits_a_little(store):
    from_many_addresses(store, 100)
    fresh = tried(store, 1, address="198.51.100.200")
    assert NONE < fresh.held <= seconds(60)
    assert tried(store, 1, address="198.51.100.200", at=START + seconds(60)).allowed


def test_whoever_signed_in_from_here_before_is_not_held_by_strangers(store):
    tried(store, 1)
    throttle.forgive(store, "ani", HOME, START)
    from_many_addresses(store, 110)
    for i in range(60):
        throttle.charge(store, f"name{i}", HOME, START)  # others behind the same address
    assert tried(store, 1, name="budi").held > NONE
    assert tried(store, 1).allowed
    late = START + throttle.KNOWN
    from_many_addresses(store, 110, late)
    assert not tried(store, 1, at=late).allowed  # the address is forgotten


def test_an_address_that_tries_many_names_waits(store):
    for i in range(50):
        assert throttle.charge(store, f"name{i}", HOME, START).allowed
    assert not tried(store, 1, name="another").allowed
    assert tried(store, 1, name="another", address=AWAY).allowed


def test_a_right_password_does_not_clear_the_address_of_a_sprayer(store):
    for i in range(49):
        throttle.charge(store, f"name{i}", HOME, START)
    throttle.charge(store, "own", HOME, START)
    throttle.forgive(store, "own", HOME, START)
    throttle.charge(store, "next", HOME, START)
    assert not tried(store, 1, name="victim").allowed


def test_unknown_names_meet_the_same_waits_as_known_ones(people_and_nobody):
    store, names = people_and_nobody
    assert len({tuple(throttle.charge(store, name, AWAY, START) for _ in range(8)) for name in names}) == 1


@pytest.fixture
def people_and_nobody(store):
    from data.trust.accounts import Account, write_accounts

    write_accounts(store, [Account("ani", "Ani", "advisor", password="seven quiet otters")])
    return store, ("ani", "nobody")


def test_many_at_once_are_counted_one_by_one(store):
    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: throttle.charge(store, "ani", HOME, START).allowed, range(24)))
    assert sum(met) == 5


def test_another_process_knows_the_wait(store, store_url):
    tried(store, 5)
    elsewhere = open_store(store_url, folder=store.folder)
    assert not tried(elsewhere, 1).allowed
    elsewhere.close()


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),  # one /64 belongs to one client
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.7", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_addresses_of_one_client_count_together(store, one, two, same):
    tried(store, 5, address=one)
    assert tried(store, 1, address=two).allowed is not same


def test_names_and_addresses_are_not_kept_and_old_tries_go(store):
    tried(store, 5, name="my password typed too early")
    with store.reading() as connection:
        rows = connection.execute(select(schema.sign_in_tries)).all()
    assert len(rows) == 3
    assert "typed" not in repr(rows)
    assert HOME not in repr(rows)
    tried(store, 1, name="b", address=AWAY, at=START + throttle.FORGOTTEN + seconds(1))
    with store.reading() as connection:
        assert len(connection.execute(select(schema.sign_in_tries)).all()) == 3


@given(failures=st.integers(0, 10_000), rule=st.sampled_from(list(RULES.values())))
def test_a_wait_never_shrinks_with_failures_and_never_passes_its_longest(failures: int, rule: Rule):
    wait = rule.wait(failures)
    assert rule.wait(failures + 1) >= wait
    assert wait <= rule.longest
    assert (wait == NONE) == (failures < rule.free)


@given(failures=st.integers(0, 500), passed=st.timedeltas(-timedelta(days=1), timedelta(days=9)))
def test_time_forgives_and_a_clock_set_back_does_not(failures, passed):
    left = RULES["pair"].left(failures, passed)
    assert 0 <= left <= failures
    if passed < timedelta(hours=1):
        assert left == failures
    assert RULES["account"].left(100, throttle.FORGOTTEN) == 0
