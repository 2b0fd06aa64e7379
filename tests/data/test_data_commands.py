"""``python -m data``: the commands around the store, as an office runs them."""

from __future__ import annotations

import stat

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from data.__main__ import app
from data.settings import get_settings


@pytest.fixture
def run(small_register, store_url, monkeypatch):
    """Runs a command on the store of the small register."""
    monkeypatch.setenv("TEPAT_FOLDER", str(small_register.store.folder))
    monkeypatch.setenv("DATABASE_URL", store_url)
    get_settings.cache_clear()
    yield lambda *words, **options: CliRunner().invoke(app, list(words), **options)
    get_settings.cache_clear()


def test_init_and_status_say_what_the_store_holds(run):
    assert run("init", "--institution", "Universitas Contoh").exit_code == 0
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    for part in ("Universitas Contoh", "students", "12", "revision.csv by test", "none is served"):
        assert part in shown.output


def test_erase_asks_first_and_prints_a_receipt(run, small_register, tmp_path):
    refused = run("erase", "--student", "S07", input="n\n")
    assert refused.exit_code == 1
    file = tmp_path / "receipt.txt"
    done = run("erase", "--student", "S07", "--everything", "--yes", "--receipt", str(file))
    assert done.exit_code == 0, done.output
    assert "deleted       3 × terms" in done.output
    assert small_register.keys["S07"] in file.read_text(encoding="utf-8")
    again = run("erase", "--student", small_register.keys["S07"], "--yes")
    assert again.exit_code == 0, again.output
    assert run("erase", "--student", "S99", "--yes").exit_code == 2


def test_erase_of_expired_specimens_may_find_nothing(run):
    done = run("erase", "--expired", "--yes")
    assert (done.exit_code, done.output.strip()) == (0, "nothing to erase")
    assert run("erase").exit_code == 2


def test_the_key_is_copied_for_the_owner_only_and_never_printed(run, small_register, tmp_path):
    copy = tmp_path / "copy"
    done = run("key", "--copy-to", str(copy))
    assert done.exit_code == 0, done.output
    secret = (small_register.store.folder / "key").read_text()
    assert copy.read_text() == secret
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert secret.strip() not in done.output
    assert run("key", "--copy-to", str(copy)).exit_code == 2


def test_an_account_is_made_with_a_password_that_is_asked_for(run, small_register):
    from data.accounts import verify_password

    secret = "a long enough secret"
    done = run("account", "dewi", "--role", "registry", "--program", "IF", input=f"{secret}\n{secret}\n")
    assert done.exit_code == 0, done.output
    assert verify_password(small_register.store, "dewi", secret).program_codes == ("IF",)
    short = run("account", "dewi", "--password", input="short\nshort\n")
    assert (short.exit_code, "at least 12 characters" in short.output) == (2, True)


def test_audit_tells_an_altered_log(run, small_register):
    assert "intact: 0 entries" in run("audit").output
    run("account", "dewi", "--role", "registry", "--no-password")
    assert "intact: 1 entries" in run("audit").output
    with small_register.store.writing() as connection:
        sqlite = connection.dialect.name == "sqlite"
        trigger = "tr_audit_log_no_update" if sqlite else "tr_audit_log_guard ON audit_log"
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE audit_log SET actor = 'nobody'"))
    altered = run("audit")
    assert (altered.exit_code, "entry 1 does not continue" in altered.output) == (1, True)


def test_a_missing_key_is_one_plain_line(run, small_register):
    (small_register.store.folder / "key").unlink()
    done = run("status")
    assert done.exit_code == 2
    assert done.output.startswith("error: the key file 'key' is not in the store's folder")
