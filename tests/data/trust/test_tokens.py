"""Tokens: made once, kept as a hash, limited in what, where and how long, and ended at once."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from data import schema
from data.__main__ import app
from data.engine.clock import now
from data.settings import get_settings
from data.trust import audit, tokens
from data.trust.tokens import create_token, find_token, list_tokens, revoke_token, used

WHO = {"actor": "kepala", "role": "administrator"}


def test_a_token_has_256_random_bits_and_is_kept_as_a_hash_only(small_register):
    store = small_register.store
    token, secret = create_token(store, "siakad", ["scores"], **WHO)
    bare = secret.removeprefix(tokens.PREFIX)
    assert len(bare) == 43 and re.fullmatch(r"[A-Za-z0-9_-]+", bare)
    with store.reading() as connection:
        row = connection.execute(select(schema.api_tokens)).mappings().one()
        log = str(connection.execute(select(schema.audit_log)).all())
    assert row["token_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert bare not in str(dict(row)) + log + repr(token)
    assert find_token(store, secret) == token
    entry = audit.entries(store, action="create token").iloc[0]
    assert (entry["actor"], entry["object"]) == ("kepala", "token:siakad")
    assert entry["detail"] == {"scopes": ["scores"], "program_codes": None, "days": tokens.DEFAULT_DAYS}


def test_a_token_ends_by_itself_after_90_days_and_no_later_than_a_year(small_register):
    store = small_register.store
    usual, _ = create_token(store, "a", ["scores"], **WHO)
    assert usual.expires_at - usual.created_at == timedelta(days=90)
    assert usual.state(usual.expires_at - timedelta(seconds=1)) == "valid"
    assert usual.state(usual.expires_at) == "expired"
    for days in (0, 366, -1):
        with pytest.raises(ValueError, match="1 to 365"):
            create_token(store, "b", ["scores"], days=days, **WHO)


@pytest.mark.parametrize(
    ("name", "scopes", "codes", "said"),
    [
        ("", ["scores"], None, "name"),
        ("a b", ["scores"], None, "name"),
        ("x" * 61, ["scores"], None, "name"),
        ("a", [], None, "at least one scope"),
        ("a", ["everything"], None, "everything"),
        ("a", ["scores"], ["XX"], "no programme XX"),
    ],
)
def test_what_a_token_may_not_be_is_refused_and_nothing_is_made(small_register, name, scopes, codes, said):
    with pytest.raises(ValueError, match=said):
        create_token(small_register.store, name, scopes, program_codes=codes, **WHO)
    assert list_tokens(small_register.store) == []


def test_a_name_is_used_once_even_after_the_token_was_revoked(small_register):
    store = small_register.store
    create_token(store, "siakad", ["scores"], **WHO)
    revoke_token(store, "siakad", **WHO)
    for name in ("siakad", "SIAKAD"):
        with pytest.raises(ValueError, match="another name"):
            create_token(store, name, ["scores"], **WHO)


def test_a_revoked_token_is_known_as_such_and_revoking_is_written_down_once(small_register):
    store = small_register.store
    _, secret = create_token(store, "siakad", ["scores"], program_codes=["IF"], **WHO)
    assert revoke_token(store, "siakad", **WHO) is True
    assert revoke_token(store, "siakad", **WHO) is False
    assert find_token(store, secret).state() == "revoked"
    assert find_token(store, secret).program_codes == ("IF",)
    assert len(audit.entries(store, action="revoke token")) == 1
    with pytest.raises(LookupError):
        revoke_token(store, "nobody", **WHO)


@pytest.mark.parametrize("text", ["", "tepat_", "tepat_x", "x" * 500, "tepat_é", "tepat_\x00"])
def test_what_is_no_token_finds_none(small_register, text):
    assert find_token(small_register.store, text) is None


def test_the_last_use_is_known_to_the_minute(small_register):
    store = small_register.store
    token, secret = create_token(store, "siakad", ["scores"], **WHO)
    used(store, token)
    noted = find_token(store, secret)
    assert now() - noted.last_used_at < timedelta(seconds=30)
    used(store, noted)
    assert find_token(store, secret) == noted


@pytest.fixture
def run(small_register, store_url, monkeypatch):
    monkeypatch.setenv("TEPAT_FOLDER", str(small_register.store.folder))
    monkeypatch.setenv("DATABASE_URL", store_url)
    get_settings.cache_clear()
    yield lambda *words: CliRunner().invoke(app, ["token", *words])
    get_settings.cache_clear()


def test_the_command_prints_the_token_once_and_nothing_else_on_standard_output(run, small_register):
    made = run(
        "create", "siakad", "--scope", "scores", "--scope", "cohorts", "--program", "IF", "--days", "7"
    )
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    found = find_token(small_register.store, secret)
    assert (found.scopes, found.program_codes, found.created_by) == (
        ("scores", "cohorts"),
        ("IF",),
        "command line",
    )
    assert secret not in made.stderr
    listed = run("list")
    assert secret not in listed.output
    assert "token 'siakad': scores, cohorts; programmes IF, valid, until" in listed.stdout
    assert run("revoke", "siakad").exit_code == 0
    assert run("revoke", "siakad").exit_code == 1
    assert "revoked" in run("list").stdout
