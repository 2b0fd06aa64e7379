"""Where the key comes from, what a kill leaves of it, and what is refused where there is no store."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard.__main__ import app as dashboard
from data import store as stores
from data.__main__ import app
from data.engine import cipher
from data.settings import get_settings
from data.store import KeyProblem, NoStore, open_store

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture
def setting(monkeypatch, tmp_path):
    """Set settings by name, as the environment does; the folder is empty."""

    def choose(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        stores._printed.cache_clear()

    monkeypatch.chdir(tmp_path)
    for name in ("TEPAT_KEY", "TEPAT_KEY_FILE", "TEPAT_KEY_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    choose(TEPAT_FOLDER=str(tmp_path / "store"), DATABASE_URL="")
    yield choose
    get_settings.cache_clear()
    stores._printed.cache_clear()


def opened() -> bytes:
    store = open_store()
    store.close()
    return store.cipher.master


# --- from where -------------------------------------------------------------------------------------------
def test_the_key_comes_from_the_environment(setting, tmp_path):
    setting(TEPAT_KEY=KEY)
    assert opened() == bytes(range(32))
    assert not (tmp_path / "store" / "key").exists()


def test_the_key_comes_from_a_file_elsewhere_which_is_made_once(setting, tmp_path):
    setting(TEPAT_KEY_FILE=str(tmp_path / "safe" / "tepat"))
    first = opened()
    assert opened() == first
    file = tmp_path / "safe" / "tepat"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (tmp_path / "store" / "key").exists()
    file.unlink()
    with pytest.raises(KeyProblem, match="TEPAT_KEY_FILE says"):
        opened()
    assert not file.exists()


def test_the_key_comes_from_a_command_that_is_asked_once(setting, tmp_path):
    asked = tmp_path / "asked"
    script = tmp_path / "print key.py"
    script.write_text(f"open({str(asked)!r}, 'a').write('x'); print({KEY!r})")
    setting(TEPAT_KEY_COMMAND=f"{sys.executable} '{script}'")
    assert opened() == opened() == bytes(range(32))
    assert asked.read_text() == "x"


@pytest.mark.parametrize(
    ("code", "said"),
    [("import sys; print('secret'); sys.exit(3)", "exit code 3"), ("print('secret')", "not base64")],
)
def test_a_command_that_gives_no_key_is_named_and_its_output_is_not(setting, code, said):
    setting(TEPAT_KEY_COMMAND=f'{sys.executable} -c "{code}"')
    with pytest.raises(KeyProblem, match=said) as problem:
        opened()
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize("command", ["/no/such/program", "echo 'unfinished"])
def test_a_command_that_cannot_be_run_is_named(setting, command):
    setting(TEPAT_KEY_COMMAND=command)
    with pytest.raises(KeyProblem, match="TEPAT_KEY_COMMAND cannot be run"):
        opened()


def test_two_sources_of_the_key_are_refused(setting, tmp_path):
    setting(TEPAT_KEY=KEY, TEPAT_KEY_FILE=str(tmp_path / "k"))
    with pytest.raises(KeyProblem, match="one place, but TEPAT_KEY and TEPAT_KEY_FILE are set"):
        opened()


@pytest.mark.parametrize("source", ["TEPAT_KEY", "TEPAT_KEY_COMMAND"])
def test_a_wrong_key_names_its_source(setting, source):
    setting(TEPAT_KEY=KEY)
    opened()
    setting(TEPAT_KEY="")
    setting(**{source: OTHER if source == "TEPAT_KEY" else f"echo {OTHER}"})
    with pytest.raises(KeyProblem, match=f"wrong key: .*{source}"):
        opened()


# --- a kill while it is made ------------------------------------------------------------------------------
KILLED = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from data.engine import cipher
    {without}
    def killed(*_, **__):
        os._exit(9)
    os.{at} = killed
    cipher.read_or_create_key(Path(sys.argv[1]), may_create=True)
""")


@pytest.mark.parametrize("at", ["fsync", "link"])
def test_a_kill_while_the_key_is_made_leaves_no_copy_of_it(tmp_path, at):
    done = subprocess.run([sys.executable, "-c", KILLED.format(at=at, without=""), str(tmp_path / "key")])
    assert done.returncode == 9
    assert list(tmp_path.iterdir()) == []


def test_where_files_have_a_name_from_the_start_the_next_start_removes_a_leftover(tmp_path, monkeypatch):
    without = "del os.O_TMPFILE"
    command = [sys.executable, "-c", KILLED.format(at="link", without=without), str(tmp_path / "key")]
    assert subprocess.run(command).returncode == 9
    (left,) = tmp_path.iterdir()
    monkeypatch.delattr(os, "O_TMPFILE")
    cipher.read_or_create_key(tmp_path / "key", may_create=True)
    assert left.exists()  # it might be another process's, about to be named
    os.utime(left, (1, 1))
    cipher.read_or_create_key(tmp_path / "key", may_create=False)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_processes_that_make_the_key_at_once_end_with_one(tmp_path):
    code = "import sys; from pathlib import Path; from data.engine.cipher import read_or_create_key as r; "
    code += "print(r(Path(sys.argv[1]), may_create=True).hex())"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "key")], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


# --- no store ---------------------------------------------------------------------------------------------
REFUSING = [
    (dashboard, ["serve"]),
    (dashboard, ["worker", "--until-idle"]),
    (app, ["status"]),
    (app, ["audit"]),
    (app, ["key"]),
    (app, ["erase", "--student", "1", "--yes"]),
    (app, ["consent", "missing"]),
]


@pytest.mark.parametrize("folder", ["missing", "empty", "empty file"])
@pytest.mark.parametrize(
    ("program", "words"), REFUSING, ids=lambda one: one[0] if isinstance(one, list) else ""
)
def test_where_there_is_no_store_none_is_made(setting, tmp_path, program, words, folder):
    place = tmp_path / "store"
    if folder != "missing":
        place.mkdir()
    if folder == "empty file":
        (place / "tepat.db").touch()
    before = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(program, words)
    assert result.exit_code == 2
    assert result.output.startswith(f"error: there is no store at {place / 'tepat.db'}: ")
    assert result.output.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_make_run_learns_quietly_that_there_is_nothing_yet(setting, tmp_path):
    result = CliRunner().invoke(app, ["status", "--ready"])
    assert (result.exit_code, result.output) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_of_a_server_is_no_store_either(store_url, tmp_path):
    with pytest.raises(NoStore):
        open_store(store_url, folder=tmp_path, create=False, upgrade=True)
    open_store(store_url, folder=tmp_path).close()
    open_store(store_url, folder=tmp_path, create=False, upgrade=True).close()


@pytest.mark.parametrize("program", [dashboard, app], ids=["serve", "status"])
def test_a_wrong_key_refuses_the_start_in_one_line(setting, tmp_path, program):
    opened()
    (tmp_path / "store" / "key").write_text(OTHER)
    result = CliRunner().invoke(program, ["serve" if program is dashboard else "status"])
    assert result.exit_code == 2
    assert result.output.startswith("error: wrong key: the key file in 'store'")
    assert result.output.count("\n") == 1


def test_a_database_that_is_down_refuses_the_start_in_one_line(setting):
    setting(DATABASE_URL="postgresql://nobody:secret@127.0.0.1:9/none")
    result = CliRunner().invoke(dashboard, ["serve"])
    assert (result.exit_code, result.output.count("\n")) == (4, 1)
    assert result.output.startswith("error: the database does not answer (")
    assert "secret" not in result.output


def test_a_damaged_database_refuses_the_start_in_one_line(setting, tmp_path):
    opened()
    file = Path(tmp_path / "store" / "tepat.db")
    file.write_bytes(b"no database at all" * 100)
    result = CliRunner().invoke(dashboard, ["serve"])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert result.output.startswith("error: the database file cannot be used (")
