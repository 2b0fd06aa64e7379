"""The institution's own sign-in: the file that says who is who, what an answer must be, and the accounts."""

from __future__ import annotations

import pytest

from dashboard.shell.provider import (
    FRESH,
    SKEW,
    NotAnAnswer,
    Provider,
    ProviderMisconfigured,
    read_provider,
)
from dashboard.shell.provider_guard import ProviderGuard
from data.settings import Settings
from data.trust import audit, sessions
from data.trust.accounts import Account, any_account, verify_password, write_accounts
from data.trust.identities import Claimed, NotAdmitted, admit, allow_binding
from tests.conftest import run_apart

AT = 1_800_000_000.0
GOOD = {
    "iss": "https://sso.example",
    "sub": "42",
    "aud": "tepat",
    "nonce": "n1",
    "iat": AT,
    "exp": AT + 300,
    "preferred_username": "ani",
    "name": "Ani",
    "groups": ["staff", "tepat-dosen"],
    "prodi": ["IF"],
}
FILE = """
[provider]
name = "SSO Kampus"
metadata_url = "https://sso.example/.well-known/openid-configuration"
client_id = "tepat"
client_secret = "between us"
redirect_uri = "https://tepat.example/oauth2callback"
[claims]
role = "groups"
programs = "prodi"
[roles]
tepat-kepala = "administrator"
tepat-dosen = "advisor"
"""


def provider(**changed) -> Provider:
    usual = {"name": "SSO", "connection": None, "claims": {}, "roles": {}, "programs": None}
    usual["claims"] = {"account": "preferred_username", "name": "name", "role": "groups", "programs": "prodi"}
    usual["roles"] = {"tepat-kepala": "administrator", "tepat-dosen": "advisor"}
    return Provider(**usual | changed)


def read(claims: dict, **changed):
    return provider(**changed).read(GOOD | claims, "tepat", AT + 1)


# --- the file ----------------------------------------------------------------------------------------------
@pytest.fixture
def settings(tmp_path):
    def of(text: str | None = FILE, mode: int = 0o600, **more) -> Settings:
        if text is not None:
            (tmp_path / "oidc.toml").write_text(text)
            (tmp_path / "oidc.toml").chmod(mode)
        return Settings(folder=tmp_path, _env_file=None, **more)

    return of


def test_without_a_file_there_is_no_provider_and_a_named_one_must_be_there(settings, tmp_path):
    assert read_provider(settings(None)) is None
    with pytest.raises(ProviderMisconfigured, match="elsewhere.toml cannot be read"):
        read_provider(settings(None, oidc=tmp_path / "elsewhere.toml"))


def test_the_file_is_read_and_the_code_is_always_protected_by_pkce(settings):
    found = read_provider(settings())
    assert found.name == "SSO Kampus"
    assert found.claims == {
        "account": "preferred_username",
        "name": "name",
        "role": "groups",
        "programs": "prodi",
    }
    assert found.connection["client_kwargs"]["code_challenge_method"] == "S256"
    assert found.connection["server_metadata_url"] == "https://sso.example/.well-known/openid-configuration"


def test_the_secret_of_the_environment_counts_before_the_file(settings):
    found = read_provider(settings(oidc_client_secret="from outside"))
    assert found.connection["client_secret"] == "from outside"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("metadata_url", "metadata", "metadata is not known"),
        ('client_id = "tepat"', "", "client_id is missing"),
        ('client_secret = "between us"', "", "client_secret is missing"),
        ("https://sso", "http://sso", "metadata_url must begin with https"),
        ("https://tepat", "http://tepat", "redirect_uri must begin with https"),
        ("/oauth2callback", "/callback", "must end in /oauth2callback"),
        ('role = "groups"', "", "role must name the claim"),
        ('"advisor"', '"lecturer"', "lecturer is no role"),
        ("[roles]", "[rules]", "rules: is not known"),
        ('tepat-kepala = "administrator"\ntepat-dosen = "advisor"', "", "at least one value"),
        ("[claims]", "[claims", "cannot be read"),
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_place_and_without_the_secret(settings, old, new, said):
    assert old in FILE
    with pytest.raises(ProviderMisconfigured, match=said) as refused:
        read_provider(settings(FILE.replace(old, new)))
    assert "between us" not in str(refused.value)


def test_a_file_with_the_secret_is_its_owners_only(settings):
    with pytest.raises(ProviderMisconfigured, match="chmod 600"):
        read_provider(settings(mode=0o640))
    without = FILE.replace('client_secret = "between us"', "")
    assert read_provider(settings(without, mode=0o644, oidc_client_secret="from outside"))


def test_this_machine_itself_may_be_spoken_to_without_tls(settings):
    local = FILE.replace("https://sso.example", "http://localhost:9").replace(
        "https://tepat", "http://127.0.0.1"
    )
    with pytest.raises(ProviderMisconfigured):
        read_provider(settings(local))  # 127.0.0.1.example is not this machine
    assert read_provider(settings(local.replace("http://127.0.0.1.example", "http://127.0.0.1:8")))


# --- an answer ---------------------------------------------------------------------------------------------
def test_an_answer_says_who_it_is_and_what_they_are_here():
    assert read({}) == Claimed("https://sso.example", "42", "n1", "ani", "Ani", "advisor", ("IF",))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": []},
        {"aud": ["another", "third"]},
        {"aud": ["tepat", "another"]},  # of several, the authorised party must be named
        {"aud": ["tepat", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"sub": None},
        {"sub": 42},
        {"iss": None},
        {"iat": None},
        {"iat": True},
        {"exp": "soon"},
        {"iat": AT - FRESH - SKEW},
        {"iat": AT + SKEW + 2},
        {"exp": AT - SKEW},
    ],
)
def test_what_is_no_fresh_answer_to_this_program_is_not_taken(claims):
    with pytest.raises(NotAnAnswer):
        read(claims)


def test_of_several_audiences_the_authorised_party_counts():
    assert read({"aud": ["tepat", "another"], "azp": "tepat"}).subject == "42"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("tepat-dosen", "advisor"),
        (["tepat-dosen", "tepat-kepala"], "administrator"),  # the first line of the file
        (["administrator"], None),  # the name of a role is no value of the mapping
        (["TEPAT-DOSEN"], None),
        ([], None),
        (None, None),
        ({"tepat-dosen": True}, None),
        ([["tepat-dosen"]], None),
        (7, None),
    ],
)
def test_a_role_follows_from_the_mapping_and_from_nothing_else(groups, role):
    assert read({"groups": groups}).role == role


@pytest.mark.parametrize(
    ("programs", "claim", "reached"),
    [
        (None, ["IF", "MI"], ("IF", "MI")),
        (None, None, ()),  # a limit that is not told is no programme, not every one
        (None, ["*"], ("*",)),  # a code like any other: only the file opens every programme
        ({"Teknik": ("IF", "MI")}, "Teknik", ("IF", "MI")),
        ({"Teknik": ("IF",), "Rektorat": "*"}, ["Teknik", "Rektorat"], None),
        ({"Teknik": ("IF",)}, ["Hukum"], ()),
    ],
)
def test_programmes_follow_from_the_claim_and_none_of_it_is_none_of_them(programs, claim, reached):
    assert read({"prodi": claim}, programs=programs).program_codes == reached


@pytest.mark.parametrize(
    ("proof", "account"),
    [
        ({"email_verified": True}, "ani@x.ac.id"),
        ({"email_verified": "true"}, "ani@x.ac.id"),  # as some providers write it
        ({"email_verified": False}, ""),
        ({"email_verified": "false"}, ""),
        ({"email_verified": 1}, ""),
        ({}, ""),
    ],
)
def test_a_mail_address_that_the_provider_has_not_proven_names_no_account(proof, account):
    claims = {"account": "email", "name": "name", "role": "groups"}
    told = GOOD | {"email": "ani@x.ac.id"} | proof
    assert provider(claims=claims).read(told, "tepat", AT + 1).account == account


def test_whoever_was_bound_before_stays_so_whatever_becomes_of_the_proof(store):
    admit(store, claimed("1", account="ani@x.ac.id"), "10.0.0.7")
    assert admit(store, claimed("2", account=""), "10.0.0.7").account == "ani@x.ac.id"
    assert refused(store, claimed("3", account="", subject="43")) == "bad_name"


def test_without_a_claim_of_programmes_in_the_file_they_are_not_limited():
    claims = {"account": "preferred_username", "name": "name", "role": "groups"}
    assert provider(claims=claims).read(GOOD, "tepat", AT + 1).program_codes is None


# --- accounts ----------------------------------------------------------------------------------------------
def claimed(answer: str, **changed) -> Claimed:
    usual = {"issuer": "i", "subject": "42", "account": "ani", "display_name": "Ani", "role": "advisor"}
    return Claimed(answer=answer, **usual | {"program_codes": ("IF",)} | changed)


def refused(store, answer: Claimed) -> str:
    with pytest.raises(NotAdmitted) as refusal:
        admit(store, answer, "10.0.0.7")
    return refusal.value.code


def test_the_first_sign_in_makes_the_account_and_binds_it_and_both_are_written_down(store):
    account = admit(store, claimed("1"), "10.0.0.7")
    assert account == any_account(store, "ani") == Account("ani", "Ani", "advisor", ("IF",))
    assert list(audit.entries(store)["action"]) == ["bind account", "write account"]


def test_an_answer_opens_one_session_only(store):
    admit(store, claimed("1"), "10.0.0.7")
    assert refused(store, claimed("1")) == "used"
    admit(store, claimed("2"), "10.0.0.7")
    assert refused(store, claimed("1")) == refused(store, claimed("2")) == "used"


def test_a_person_is_known_by_the_subject_and_not_by_a_name(store):
    admit(store, claimed("1"), "10.0.0.7")
    assert admit(store, claimed("2", account="ani.new"), "10.0.0.7").account == "ani"
    assert refused(store, claimed("3", subject="43")) == "name_taken"
    assert refused(store, claimed("4", issuer="j")) == "name_taken"
    assert refused(store, claimed("5", subject="44", account="ANI")) == "name_taken"
    assert refused(store, claimed("6", subject="45", account="a:b")) == "bad_name"
    assert refused(store, claimed("7", subject="46", account="")) == "bad_name"


def test_role_and_programmes_are_the_providers_to_say_and_a_change_signs_out(store):
    account = admit(store, claimed("1"), "10.0.0.7")
    number, _ = sessions.begin(store, account, "provider")
    assert sessions.find(store, number).account.role == "advisor"
    changed = admit(store, claimed("2", role="registry", program_codes=None), "10.0.0.7")
    assert (changed.role, changed.program_codes) == ("registry", None)
    assert sessions.find(store, number) is None
    assert audit.entries(store, action="write account").iloc[0]["detail"]["before"]["role"] == "advisor"


def test_whoever_loses_the_claim_is_out_everywhere_and_gets_in_again_with_it(store):
    account = admit(store, claimed("1"), "10.0.0.7")
    number, _ = sessions.begin(store, account, "provider")
    assert refused(store, claimed("2", role=None)) == "no_role"
    assert sessions.find(store, number) is None
    entry = audit.entries(store, action="sign_in_failed").iloc[0]
    assert (entry["actor"], entry["detail"]["why"]) == ("ani", "no_role")
    assert admit(store, claimed("3"), "10.0.0.7").role == "advisor"


def test_nobody_without_a_role_gets_an_account(store):
    assert refused(store, claimed("1", role=None)) == "no_role"
    assert any_account(store, "ani") is None
    assert audit.entries(store, action="sign_in_failed").iloc[0]["actor"] == audit.NOBODY


def test_an_account_that_was_closed_here_stays_closed(store):
    admit(store, claimed("1"), "10.0.0.7")
    write_accounts(store, [Account("ani", "Ani", "advisor", ("IF",), active=False)])
    assert refused(store, claimed("2")) == "closed"


def test_an_account_with_a_password_is_taken_over_only_where_that_was_allowed(store):
    secret = "seven quiet otters"
    write_accounts(store, [Account("ani", "Bu Ani", "advisor", password=secret)])
    assert refused(store, claimed("1")) == "name_taken"
    assert verify_password(store, "ani", secret) is not None
    assert allow_binding(store, "ani", audit.Entry("a", "system", "allow binding", "ani")) is True
    assert verify_password(store, "ani", secret) is not None  # until somebody comes
    assert admit(store, claimed("2"), "10.0.0.7").display_name == "Bu Ani"
    assert verify_password(store, "ani", secret) is None
    assert allow_binding(store, "ani", audit.Entry("a", "system", "allow binding", "ani")) is False
    with pytest.raises(LookupError):
        allow_binding(store, "nobody", audit.Entry("a", "system", "allow binding", "nobody"))


def test_no_name_and_no_subject_of_the_provider_is_kept(store):
    from sqlalchemy import select

    from data import schema

    told = {"subject": "subject-of-it", "issuer": "https://issuer.of.it"}
    admit(store, claimed("nonce-of-it", **told), "10.0.0.7")
    with store.reading() as connection:
        tables = (schema.external_identities, schema.provider_answers, schema.audit_log)
        kept = "".join(str(connection.execute(select(table)).all()) for table in tables)
    assert all(one not in kept for one in (*told.values(), "nonce-of-it")) and "ani" in kept


# --- passwords turned off ----------------------------------------------------------------------------------
def test_where_local_accounts_are_off_no_password_opens_anything_and_old_sessions_end(store, monkeypatch):
    from dashboard.shell.signing_in import sign_in
    from data.settings import get_settings

    secret = "seven quiet otters"
    write_accounts(store, [Account("ani", "Ani", "advisor", password=secret)])
    account = sign_in(store, "ani", secret, "10.0.0.7").account
    by_password, _ = sessions.begin(store, account, "password")
    by_provider, _ = sessions.begin(store, account, "provider")
    monkeypatch.setattr(get_settings(), "local_accounts", False)
    assert sign_in(store, "ani", secret, "10.0.0.7").account is None
    assert sessions.find(store, by_password) is None
    assert sessions.find(store, by_provider) is not None


# --- around Streamlit's routes -----------------------------------------------------------------------------
def answered(path: str, query: str, status: int, *headers, scheme="http", fetch="same-origin"):
    """Status and headers of what the guard makes of an answer."""

    async def app(scope, receive, send):
        raw = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"Authentication error"})

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "scheme": scheme}
    scope |= {"headers": [(b"host", b"x"), (b"sec-fetch-site", fetch.encode())], "server": ("x", 80)}
    sent = []

    async def send(message):
        sent.append(message)

    run_apart(ProviderGuard(app, 3600)(scope, None, send))
    return sent[0]["status"], [(name.decode(), value.decode()) for name, value in sent[0]["headers"]], sent[1]


IDENTITY = ("set-cookie", "_streamlit_user=abc; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax")
GONE = ("set-cookie", '_streamlit_user=""; Max-Age=0; Path=/; SameSite=lax')


@pytest.mark.parametrize(
    ("path", "query", "status", "headers", "to"),
    [
        ("/auth/login", "provider=x", 302, [("location", "https://sso")], "https://sso"),
        ("/auth/login", "provider=x", 400, [], "/?sign_in=unreachable"),
        ("/oauth2callback", "code=c&state=s", 302, [("location", "/"), IDENTITY], "/?sign_in=done"),
        ("/oauth2callback", "code=c&state=s", 302, [("location", "/")], "/?sign_in=failed"),
        ("/oauth2callback", "code=c&state=s", 302, [("location", "/"), GONE], "/?sign_in=failed"),
        ("/oauth2callback", "error=access_denied&state=s", 302, [("location", "/")], "/?sign_in=denied"),
        ("/oauth2callback", "error=server_error", 302, [("location", "/")], "/?sign_in=failed"),
        ("/oauth2callback", "", 302, [("location", "/")], "/"),  # back from the provider's sign-out
        ("/elsewhere", "error=x", 302, [("location", "/")], "/"),
    ],
)
def test_what_went_wrong_stands_in_the_address(path, query, status, headers, to):
    code, told, _ = answered(path, query, status, *headers)
    assert (code, dict(told)["location"]) == (302, to)


def test_the_identity_lies_in_the_browser_no_longer_than_a_session_and_behind_tls_goes_over_tls_only():
    _, told, _ = answered("/oauth2callback", "code=c&state=s", 302, ("location", "/"), IDENTITY)
    assert "Max-Age=3600" in dict(told)["set-cookie"] and "Secure" not in dict(told)["set-cookie"]
    _, told, _ = answered(
        "/oauth2callback", "code=c&state=s", 302, ("location", "/"), IDENTITY, scheme="https"
    )
    assert dict(told)["set-cookie"].endswith("; Secure")


def test_leaving_by_the_provider_takes_the_cookie_of_the_session_away_unless_another_site_asks():
    for fetch, gone in (("same-origin", True), ("cross-site", False)):
        _, told, _ = answered("/auth/logout", "", 302, ("location", "/"), GONE, fetch=fetch)
        assert any(value.startswith('tepat_session=""') for _, value in told) is gone


def test_without_the_section_provider_streamlits_own_secrets_count(settings, monkeypatch):
    import streamlit as st

    from dashboard.shell import server

    found = read_provider(settings(FILE[FILE.index("[claims]") :]))
    assert found.connection is None and found.roles["tepat-dosen"] == "advisor"
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "theirs"}})
    assert server._of_streamlit(found) == "theirs"
    monkeypatch.setattr(st, "secrets", {})
    with pytest.raises(ProviderMisconfigured, match="section auth"):
        server._of_streamlit(found)


def test_what_streamlit_is_told_stays_in_memory_and_processes_share_the_key_of_its_cookies(
    store, settings, monkeypatch
):
    from dashboard.shell import server, stores
    from dashboard.shell.sessions import Serving

    monkeypatch.setattr(stores, "store", lambda: store)
    monkeypatch.setattr(server, "get_settings", settings)
    monkeypatch.setattr(Serving, "provider", None)
    monkeypatch.setattr(Serving, "client_id", "")
    monkeypatch.setenv("STREAMLIT_SERVER_COOKIE_SECRET", "")
    told = server._provider_secrets()["auth"]
    assert told == server._provider_secrets()["auth"]
    assert len(told["cookie_secret"]) == 64 and Serving.client_id == "tepat"
    assert "between us" not in repr(Serving.provider)


def test_no_way_in_at_all_refuses_the_start(settings, monkeypatch):
    from dashboard.shell import server

    monkeypatch.setattr(server, "get_settings", lambda: settings(None, local_accounts=False))
    with pytest.raises(ProviderMisconfigured, match="TEPAT_LOCAL_ACCOUNTS"):
        server._provider_secrets()
