"""``python -m data``: the commands around the store, as an office runs them."""

from __future__ import annotations

import stat
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from data.__main__ import app
from data.settings import get_settings
from data.trust import audit


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


@pytest.mark.parametrize("package", ["data", "vision", "fusion", "dashboard"])
def test_every_command_listed_is_there_and_one_without_a_module_is_an_error(package):
    """A command that was listed and missing used to be left out without a word."""
    main = import_module(f"{package}.__main__")
    groups = {group.name for group in main.app.registered_groups}
    assert {command.name for command in main.app.registered_commands} | groups == set(main.COMMANDS)
    source = Path(main.__file__).read_text(encoding="utf-8")
    assert 'COMMANDS = ("' in source
    planted = source.replace('COMMANDS = ("', 'COMMANDS = ("nowhere", "', 1)
    with pytest.raises(ModuleNotFoundError, match=r"commands\.nowhere"):
        exec(compile(planted, main.__file__, "exec"), {"__name__": "planted"})  # noqa: S102


def test_consent_is_shown_granted_withdrawn_and_given_again(run):
    student = ("--student", "S07")
    done = run("consent", "grant", *student, "--purpose", "semua", "--on", "2024-09-01", "--source", "form 7")
    assert (done.exit_code, done.output.count("recorded")) == (0, 3), done.output
    again = run("consent", "grant", *student, "--purpose", "verifikasi")
    assert (again.exit_code, "nothing changed" in again.output) == (0, True)
    assert run("consent", "withdraw", *student, "--purpose", "research", input="n\n").exit_code == 1
    gone = run("consent", "withdraw", *student, "--purpose", "research", "--on", "2024-08-01", "--yes")
    assert gone.exit_code == 0, gone.output
    refused = run("consent", "grant", *student, "--purpose", "all")
    assert refused.exit_code == 1
    assert "the student said no to research on 2024-08-01" in refused.output
    shown = run("consent", "show", *student)
    assert "research       withdrawn on 2024-08-01" in shown.output
    assert "verification   granted on 2024-09-01 (form 7)" in shown.output
    assert "history: 4 decisions" in shown.output
    assert run("consent", "grant", *student, "--purpose", "research", "--again").exit_code == 0
    assert "research       renewed on" in run("consent", "show", *student).output


def test_those_without_consent_are_listed(run):
    run("consent", "grant", "--student", "S07", "--purpose", "verification")
    listed = run("consent", "missing", "--program", "IF")
    assert listed.exit_code == 0
    numbers = [line.split("\t")[0] for line in listed.stdout.splitlines()]
    assert numbers == ["S01", "S02", "S03", "S04", "S05", "S06", "S08"]
    assert "7 students without consent to verification" in listed.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("grant", "--student", "S99", "--purpose", "research"), "--student must be the number or key"),
        (("grant", "--student", "S07", "--purpose", "fun"), "--purpose must be among"),
        (("grant", "--student", "S07", "--purpose", "research", "--on", "01/09/2024"), "--on must be a date"),
        (("grant", "--student", "S07", "--purpose", "research", "--on", "2999-01-01"), "lie in the future"),
        (("missing", "--purpose", "fun"), "--purpose must be among"),
    ],
)
def test_wrong_use_of_consent_is_one_line_and_exit_code_2(run, words, message):
    done = run("consent", *words)
    assert done.exit_code == 2
    assert message in done.output and "Traceback" not in done.output


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
    from data.trust.accounts import verify_password

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


def test_audit_prints_what_it_checked_and_a_cut_log_is_accepted_by_an_entry_only(run, small_register):
    store = small_register.store
    for _ in range(3):
        audit.append(store, actor="ani", role="advisor", action="view student", object="1")
    whole = run("audit").output
    assert "entries    3 read, 3 proven with the store's key\n" in whole
    assert f"kept head  entry 3, in the log ({store.seal.path})\n" in whole
    assert "triggers   in place\n" in whole
    sqlite = store.engine.dialect.name == "sqlite"
    trigger = "tr_audit_log_no_delete" if sqlite else "tr_audit_log_guard ON audit_log"
    with store.writing() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("DELETE FROM audit_log WHERE entry = 3"))
    cut = run("audit")
    assert cut.exit_code == 1
    assert "kept head  entry 3, NOT IN THE LOG" in cut.output
    assert "MISSING OR CHANGED on audit_log; python -m data init puts them back" in cut.output
    assert cut.output.endswith("altered: a head is not in the log; entries were cut off or replaced\n")
    assert "triggers   were missing or changed on audit_log" in run("init").output
    assert run("audit").exit_code == 1
    accepted = run("audit", "--accept", "restored from a backup")
    assert accepted.exit_code == 0
    assert "accepted   as it stood, by entry 4\n" in accepted.output
    assert run("audit", "--expect", "0" * 63 + "1").exit_code == 1


def test_a_missing_key_is_one_plain_line(run, small_register):
    (small_register.store.folder / "key").unlink()
    done = run("status")
    assert done.exit_code == 2
    assert done.output.startswith("error: the key file 'key' is not in the store's folder")


@pytest.mark.parametrize(
    ("words", "answers", "said"),
    [
        (("--ask",), "", "nobody answered “Name of the institution”"),
        (("--ask",), "Universitas Contoh\n", "nobody answered “Account of the first administrator”"),
        (("--ask",), "Universitas Contoh\nadmin\n", "nobody answered “Password”"),
        (("--administrator", "a:b"), "", "account must be 1-80 letters"),
    ],
)
def test_init_leaves_nothing_behind_when_nobody_answers(tmp_path, monkeypatch, words, answers, said):
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path / "own"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    done = CliRunner().invoke(app, ["init", *words], input=answers)
    get_settings.cache_clear()
    assert done.exit_code == 2 and said in done.output
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_init_asks_makes_and_signs_the_first_administrator_in(tmp_path, monkeypatch):
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path / "own"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    secret = "seven quiet otters"
    answers = f"Universitas Contoh\nsari\nx\nx\n{secret}\n{secret}\n"
    done = CliRunner().invoke(app, ["init", "--ask"], input=answers)
    assert done.exit_code == 0 and "once more" in done.output and "account    sari" in done.output
    again = CliRunner().invoke(app, ["init", "--ask"])
    get_settings.cache_clear()
    assert again.exit_code == 0, again.output
