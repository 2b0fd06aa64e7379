"""The page of programs: a token is shown once, reaches no further than its maker, and is ended."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from dashboard.shell import access
from dashboard.shell.wording import Words
from data import queries, schema
from data.store import open_store
from data.trust import audit, tokens
from data.trust.accounts import Account

ADMIN = Account("kepala", "Kepala", "administrator")


@pytest.fixture
def own(small_university, tmp_path, served):
    """A copy of the small university that the page writes to."""
    with small_university.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(small_university.store.folder, tmp_path / "site")
    store = open_store(folder=tmp_path / "site")
    served(store)
    yield store
    store.close()


def made(page, name: str, scopes: list[str], programs: list[str] | None = None):
    page.text_input(key="token-name").set_value(name)
    page.multiselect(key="token-scopes").set_value(scopes)
    page.multiselect(key="token-programs").set_value(programs or [])
    return page.button[0].click().run()


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_token_is_shown_once_and_kept_as_a_hash(own, screen, language):
    words = Words(language)
    page = screen.drawn("tokens", ADMIN, language)
    assert not page.exception and words("tokens.title") in screen.texts(page)
    page = made(page, "siakad", ["scores", "identify"])
    assert not page.exception
    secret = page.code[0].value
    found = tokens.find_token(own, secret)
    assert (found.name, found.scopes, found.created_by) == ("siakad", ("scores", "identify"), "kepala")
    again = page.run()
    assert not again.code and secret not in screen.texts(again)
    with own.reading() as connection:
        assert secret not in str(connection.execute(select(schema.api_tokens)).all())
    assert audit.entries(own, action="create token").iloc[0]["actor"] == "kepala"


def test_a_token_is_ended_from_the_page(own, screen):
    tokens.create_token(own, "siakad", ["scores"], actor="kepala", role="administrator")
    page = screen.drawn("tokens", ADMIN)
    page.selectbox(key="end-token-name").set_value("siakad").run()
    page.button(key="end-token").click().run()
    assert not page.exception
    assert tokens.list_tokens(own)[0].state() == "revoked"
    assert audit.entries(own, action="revoke token").iloc[0]["actor"] == "kepala"


def test_nobody_gives_a_program_more_programmes_than_they_have(own, screen):
    codes = sorted(queries.programs(own)["program_code"])
    dean = Account("dekan", "Dekan", "administrator", (codes[0],))
    page = made(screen.drawn("tokens", dean), "siakad", ["scores"])
    assert Words("en")("tokens.reach") in [one.value for one in page.error]
    assert tokens.list_tokens(own) == []
    page = made(page, "siakad", ["scores"], [codes[0]])
    assert tokens.list_tokens(own)[0].program_codes == (codes[0],)
    assert access.may_give_token(dean, (codes[0],)) and not access.may_give_token(dean, tuple(codes))
    assert not access.may_give_token(Account("a", "A", "registry"), (codes[0],))


def test_what_cannot_be_is_said_and_nothing_is_made(own, screen):
    words = Words("en")
    tries = (("", ["scores"], "lacking"), ("a", [], "lacking"), ("a b", ["scores"], "refused"))
    for name, scopes, said in tries:
        page = made(screen.drawn("tokens", ADMIN), name, scopes)
        assert words(f"tokens.{said}") in [one.value for one in page.error]
    assert tokens.list_tokens(own) == []
