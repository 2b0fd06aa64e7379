"""``python -m data account`` changes what is named and nothing else."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from data.__main__ import app
from data.settings import get_settings
from data.trust import audit, sessions
from data.trust.accounts import Account, any_account, find_account, verify_password, write_accounts

SECRET = "seven quiet otters"
DEAN = Account("dean", "Prof. Sari", "leadership", ("IF",), password=SECRET)


@pytest.fixture
def run(small_register, store_url, monkeypatch):
    """Runs the command on the store of the small register, where the dean sees one programme."""
    monkeypatch.setenv("TEPAT_FOLDER", str(small_register.store.folder))
    monkeypatch.setenv("DATABASE_URL", store_url)
    get_settings.cache_clear()
    write_accounts(small_register.store, [DEAN])
    yield lambda *words, **options: CliRunner().invoke(app, ["account", *words], **options)
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (("--role", "leadership", "--no-password"), {}),
        (("--role", "auditor"), {"role": "auditor"}),
        (("--display-name", "Sari"), {"display_name": "Sari"}),
        (("--no-active",), {"active": False}),
        (("--active",), {}),
        (("--program", "MI"), {"program_codes": ("MI",)}),
        (("--program", "IF", "--program", "MI"), {"program_codes": ("IF", "MI")}),
        (("--every-program",), {"program_codes": None}),
        ((), {}),
    ],
)
def test_only_what_is_named_changes(run, small_register, words, changed):
    done = run("dean", *words)
    assert done.exit_code == 0, done.output
    found = any_account(small_register.store, "dean")
    expected = {"display_name": "Prof. Sari", "role": "leadership", "program_codes": ("IF",), "active": True}
    assert {name: getattr(found, name) for name in expected} == expected | changed
    reopened = write_accounts(small_register.store, [Account("dean", "x", "leadership")])
    assert reopened == 1
    assert verify_password(small_register.store, "dean", SECRET) is not None  # the password stayed


def test_a_closed_account_stays_closed_until_it_is_named(run, small_register):
    run("dean", "--no-active")
    run("dean", "--role", "auditor")
    assert find_account(small_register.store, "dean") is None
    done = run("dean", "--active")
    assert (done.exit_code, find_account(small_register.store, "dean").role) == (0, "auditor")


def test_before_and_after_are_shown_and_written_down(run, small_register):
    shown = run("dean", "--role", "auditor").stdout.splitlines()  # a log may stand on the other
    assert shown == [
        "before  account 'dean' (Prof. Sari): leadership, programmes IF, active",
        "after   account 'dean' (Prof. Sari): auditor, programmes IF, active",
    ]
    detail = audit.entries(small_register.store).iloc[0]["detail"]
    assert (detail["before"]["role"], detail["role"], detail["new_password"]) == (
        "leadership",
        "auditor",
        False,
    )
    entries = len(audit.entries(small_register.store))
    assert run("dean", "--role", "auditor").output.startswith("nothing to change: account 'dean'")
    assert len(audit.entries(small_register.store)) == entries


def test_a_new_account_needs_a_role_and_is_asked_for_a_password(run, small_register):
    assert run("budi").exit_code == 2
    assert any_account(small_register.store, "budi") is None
    done = run("budi", "--role", "registry", input=f"{SECRET}\n{SECRET}\n")
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    assert verify_password(small_register.store, "budi", SECRET).display_name == "budi"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--program", "IF", "--every-program"), "exclude each other"),
        (("--role", "king"), "role must be one of"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(run, small_register, words, said):
    done = run("dean", *words)
    assert (done.exit_code, said in done.output) == (2, True)
    assert any_account(small_register.store, "dean") == Account("dean", "Prof. Sari", "leadership", ("IF",))


def test_a_programme_that_the_store_does_not_have_is_noted(run):
    assert "no programme XX yet" in run("dean", "--program", "XX").output


def test_a_new_password_that_is_weak_is_refused(run, small_register):
    done = run("dean", "--password", input="password1234\npassword1234\n")
    assert (done.exit_code, "tried first" in done.output) == (2, True)
    assert verify_password(small_register.store, "dean", SECRET) is not None


@pytest.mark.parametrize(
    ("words", "ended"),
    [
        (("--no-active",), True),
        (("--role", "auditor"), True),
        (("--program", "MI"), True),
        (("--every-program",), True),
        (("--display-name", "Sari"), False),
    ],
)
def test_what_changes_the_reach_of_an_account_ends_its_sessions(run, small_register, words, ended):
    store = small_register.store
    session, _ticket = sessions.begin(store, find_account(store, "dean"))
    assert run("dean", *words).exit_code == 0
    assert (sessions.find(store, session) is None) is ended


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "--role", "king"), "--role must be one of leadership, advisor"),
        (("a:b", "--role", "advisor"), "account must be 1-80 letters"),
        (("DEAN", "--role", "advisor"), "'DEAN' differs from 'dean' by case alone"),
    ],
)
def test_what_cannot_be_is_refused_before_a_password_is_asked(run, words, said):
    done = run(*words, input="never asked\n")
    assert done.exit_code == 2 and "Password" not in done.output
    assert said in done.output and "('" not in done.output


def test_the_institutions_sign_in_may_take_an_account_once_that_is_allowed(run, small_register):
    store = small_register.store
    said = run("dean", "--provider")
    assert said.exit_code == 0 and "the next sign-in through the provider" in said.output
    assert audit.entries(store, action="allow binding").iloc[0]["object"] == "dean"
    assert verify_password(store, "dean", SECRET) is not None  # until somebody has come
    assert "nothing to change" in run("dean", "--provider").output
    for words in (("nobody", "--role", "auditor"), ("dean", "--role", "auditor")):
        refused = run(*words, "--provider")
        assert refused.exit_code == 2 and "no other change" in refused.output, refused.output
    assert find_account(store, "dean").role == "leadership"
