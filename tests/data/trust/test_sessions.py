"""Sessions in the store: how long they last, what ends them, and tickets that become cookies once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data import schema
from data.engine.clock import now
from data.settings import get_settings
from data.store import open_store, set_fact
from data.trust import sessions
from data.trust.accounts import Account, change_password, find_account, write_accounts

SECRET = "seven quiet otters"
ANI = Account("ani", "Ani W.", "advisor", ("IF",), password=SECRET)
HOURS, MINUTES = timedelta(hours=8), timedelta(minutes=30)
MOMENT = timedelta(seconds=20)  # either side of a limit: longer than a test takes


@pytest.fixture
def people(store):
    write_accounts(store, [ANI, Account("budi", "Budi", "registry", password=SECRET)])
    return store


def begun(store, name: str = "ani", way: str = "password") -> tuple[str, str]:
    return sessions.begin(store, find_account(store, name), way)


def moved(store, session_id: str, **columns) -> None:
    table = schema.sessions
    with store.writing("accounts") as connection:
        connection.execute(update(table).where(table.c.session_id == session_id).values(**columns))


def test_a_session_is_found_as_the_account_stands_now(people):
    session_id, _ = begun(people)
    write_accounts(people, [Account("ani", "Ani Wijaya", "advisor", ("IF",))])
    found = sessions.find(people, session_id)
    assert found.account == Account("ani", "Ani Wijaya", "advisor", ("IF",))
    assert sessions.find(people, "0" * 32) is None


def test_a_ticket_becomes_a_cookie_once(people):
    session_id, ticket = begun(people)
    cookie = sessions.redeem(people, ticket)
    assert sessions.find_by_cookie(people, cookie).session_id == session_id
    assert sessions.redeem(people, ticket) is None
    assert sessions.redeem(people, cookie) is None
    for stranger in ("", None, ticket, session_id, cookie + "x"):
        assert sessions.find_by_cookie(people, stranger) is None


def test_one_ticket_asked_for_at_once_makes_one_cookie(people):
    _, ticket = begun(people)
    with ThreadPoolExecutor(4) as pool:
        cookies = list(pool.map(lambda _: sessions.redeem(people, ticket), range(8)))
    assert sum(cookie is not None for cookie in cookies) == 1


@pytest.mark.parametrize(("late", "redeemed"), [(-MOMENT, True), (MOMENT, False)])
def test_a_ticket_holds_for_a_minute(people, late, redeemed):
    session_id, ticket = begun(people)
    moved(people, session_id, ticket_until=now() - late)
    assert (sessions.redeem(people, ticket) is not None) is redeemed


def test_a_new_cookie_ends_the_session_of_the_one_before(people):
    first, ticket = begun(people)
    before = sessions.redeem(people, ticket)
    second, ticket = begun(people, "budi")
    assert sessions.redeem(people, "junk", before) is None
    assert sessions.find(people, first) is not None
    after = sessions.redeem(people, ticket, before)
    assert sessions.find(people, first) is None
    assert sessions.find_by_cookie(people, after).session_id == second


@pytest.mark.parametrize(
    ("column", "limit"), [("started_at", HOURS), ("seen_at", MINUTES)], ids=["absolute", "idle"]
)
def test_a_session_lasts_to_its_limit_and_not_beyond(people, column, limit):
    session_id, ticket = begun(people)
    cookie = sessions.redeem(people, ticket)
    moved(people, session_id, **{column: now() - limit + MOMENT})
    assert sessions.find(people, session_id) is not None
    assert sessions.find_by_cookie(people, cookie) is not None
    moved(people, session_id, **{column: now() - limit})
    assert sessions.find(people, session_id) is None
    assert sessions.find_by_cookie(people, cookie) is None
    assert sessions.sessions_of(people, "ani") == []


def test_a_sign_of_life_keeps_a_session_from_idling_and_not_from_ageing(people):
    session_id, _ = begun(people)
    moved(people, session_id, seen_at=now() - MINUTES)
    assert sessions.find(people, session_id, alive_at=now() - MINUTES + MOMENT) is not None
    assert sessions.find(people, session_id, alive_at=now() - MINUTES) is None
    moved(people, session_id, seen_at=now() - MINUTES + MOMENT)
    sessions.touch(people, session_id)
    assert now() - sessions.find(people, session_id).seen_at < MOMENT
    moved(people, session_id, started_at=now() - HOURS)
    assert sessions.find(people, session_id, alive_at=now()) is None


def test_the_limits_are_settings(people, monkeypatch):
    session_id, _ = begun(people)
    moved(people, session_id, started_at=now() - timedelta(hours=9), seen_at=now() - timedelta(minutes=40))
    monkeypatch.setenv("TEPAT_SESSION_HOURS", "10")
    monkeypatch.setenv("TEPAT_IDLE_MINUTES", "60")
    get_settings.cache_clear()
    assert sessions.find(people, session_id) is not None
    monkeypatch.undo()
    get_settings.cache_clear()
    assert sessions.find(people, session_id) is None


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (Account("ani", "Ani W.", "advisor", ("IF",), active=False), True),
        (Account("ani", "Ani W.", "registry", ("IF",)), True),
        (Account("ani", "Ani W.", "advisor", ("MI",)), True),
        (Account("ani", "Ani W.", "advisor"), True),
        (Account("ani", "Ani W.", "advisor", ("IF",), password="nine loud herons"), True),
        (Account("ani", "Ani Wijaya", "advisor", ("IF",)), False),
        (Account("budi", "Budi", "auditor"), False),
    ],
)
def test_a_change_of_the_account_ends_its_sessions(people, change, ends):
    session_id, ticket = begun(people)
    cookie = sessions.redeem(people, ticket)
    write_accounts(people, [change])
    write_accounts(people, [Account("ani", "Ani W.", "advisor", ("IF",))])  # changed back: still out
    assert (sessions.find(people, session_id) is None) is ends
    assert (sessions.find_by_cookie(people, cookie) is None) is ends


@pytest.mark.parametrize("change", [{"role": "auditor"}, {"active": False}, {"program_codes": ["MI"]}])
def test_a_change_behind_the_programs_back_ends_them_too(people, change):
    session_id, _ = begun(people)
    with people.writing() as connection:
        ani = schema.accounts.c.account == "ani"
        connection.execute(update(schema.accounts).where(ani).values(**change))
    assert sessions.find(people, session_id) is None


def test_a_new_password_ends_the_other_sessions(people):
    mine, other = begun(people)[0], begun(people)[0]
    budis = begun(people, "budi")[0]
    assert change_password(people, "ani", "nine loud herons", keep=mine) == 1
    assert [sessions.find(people, one) is None for one in (mine, other, budis)] == [False, True, False]


def test_ending_one_session_and_all_of_them(people):
    one, two, three = (begun(people)[0] for _ in range(3))
    listed = [session.session_id for session in sessions.sessions_of(people, "ani")]
    assert set(listed) == {one, two, three}
    sessions.end(people, one)
    assert sessions.end_all(people, "ani", keep=three) == 1
    assert [sessions.find(people, each) is None for each in (one, two, three)] == [True, True, False]
    assert sessions.end_all(people, "ani") == 1


def test_a_seat_ends_when_the_store_is_no_longer_all_invented(people):
    set_fact(people, "synthetic", True)
    seat, _ = begun(people, way="seat")
    entered, _ = begun(people)
    assert sessions.find(people, seat).way == "seat"
    set_fact(people, "synthetic", False)
    assert sessions.find(people, seat) is None
    assert sessions.find(people, entered) is not None
    with pytest.raises(ValueError, match="way must be one of"):
        begun(people, way="window")


def test_another_process_knows_the_session_and_its_end(people, store_url):
    session_id, ticket = begun(people)
    elsewhere = open_store(store_url, folder=people.folder)
    cookie = sessions.redeem(elsewhere, ticket)
    assert sessions.find(elsewhere, session_id) is not None
    sessions.end_by_cookie(people, cookie)
    assert sessions.find(elsewhere, session_id) is None
    elsewhere.close()


def test_only_hashes_are_kept_and_old_rows_go(people):
    session_id, ticket = begun(people)
    cookie = sessions.redeem(people, ticket)
    begun(people)
    with people.reading() as connection:
        rows = connection.execute(select(schema.sessions)).all()
    assert cookie not in repr(rows)
    assert ticket not in repr(rows)
    moved(people, session_id, started_at=now() - HOURS - MOMENT)
    begun(people, "budi")
    with people.reading() as connection:
        left = connection.scalars(select(schema.sessions.c.session_id)).all()
    assert session_id not in left
    assert len(left) == 2
