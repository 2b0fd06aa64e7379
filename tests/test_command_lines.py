"""Every command of every package refuses alike: one line that says what to do, and an exit code of the frame.

The commands are taken from the parsers themselves: a new one is tested without being listed here, with an
answer to every argument that it must have.
"""

from __future__ import annotations

import base64
import inspect
import shutil
import socket
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
import typer
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from dashboard.shell.processes import keeping
from data.commands import frame
from data.settings import get_settings
from data.store import open_store

PACKAGES = ("data", "vision", "fusion", "dashboard")
SAMPLE = Path(__file__).parent / "samples" / "siakad_students.csv"
SECRET = "s3cret"

FURTHER = {  # what a command wants beside its required arguments, or instead of the one that would be made up
    "data account": ("--role", "registry", "--no-password"),
    "data consent grant": ("--purpose", "research"),
    "data consent withdraw": ("--purpose", "research", "--yes"),
    "data demo": ("--students", "3", "--no-signatures"),
    "data erase": ("--expired", "--yes"),
    "data load": ("--students", str(SAMPLE)),
    "data feeder pull": ("--url", "http://127.0.0.1:9/ws/live2.php", "--user", "x"),
    "vision enrol": ("--all",),
    "vision verify": ("--student", "S01"),
    "dashboard digest": ("--target", "late"),
    "dashboard model-report": ("--out", "report.md"),
}
MAKE_A_STORE = {"data init", "data load", "data demo", "data real"}
WITHOUT_A_STORE = {"data revise", "vision train", "vision encoder-info", "fusion trial power"}
ON_A_BACKUP = {"data verify", "data restore"}  # a store need not be there yet


def parsers():
    """(name, parser) of every command that does something."""

    def walk(command, words):
        if hasattr(command, "commands"):
            for name, one in command.commands.items():
                yield from walk(one, (*words, name))
        else:
            yield " ".join(words), command

    for package in PACKAGES:
        app = import_module(f"{package}.__main__").app
        yield from walk(typer.main.get_command(app), (package,))


COMMANDS = dict(parsers())
ON_A_STORE = sorted(set(COMMANDS) - WITHOUT_A_STORE - ON_A_BACKUP)


@dataclass(frozen=True)
class Place:
    """An office's folder and how to run a command on it."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def set(self, **settings: str) -> None:
        """Set the environment."""
        for name, value in ({"TEPAT_FOLDER": str(self.folder), "DATABASE_URL": ""} | settings).items():
            self.monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    def run(self, name: str, **settings: str):
        """What a command said, with an answer to everything that it must be told."""
        self.set(**settings)
        package, *words = name.split()
        app = import_module(f"{package}.__main__").app
        return CliRunner().invoke(app, [*words, *self.required(COMMANDS[name]), *FURTHER.get(name, ())])

    def required(self, command) -> list[str]:
        """Words for the required arguments and options: a name, a number and a file, all called 1."""
        (self.folder.parent / "1").touch()
        words = []
        for one in command.params:
            if one.required:
                words += ["1"] if one.param_type_name == "argument" else [one.opts[0], "1"]
        return words


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder without a store; nothing is served."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEPAT_KEY", raising=False)
    monkeypatch.setattr("dashboard.shell.server.serve", lambda *_, **__: pytest.fail("served"))
    (tmp_path / "place").mkdir()
    yield Place(tmp_path / "place", monkeypatch)
    get_settings.cache_clear()


@pytest.fixture
def held(place, sqlite_template):
    """The same with an empty store in it."""
    shutil.copy(sqlite_template, place.folder / "tepat.db")
    place.set()
    open_store().close()
    return place


def is_one_line(result, code: int, *parts: str) -> None:
    """Fail unless a command was refused with this exit code and one line that has these parts."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("name", ON_A_STORE)
def test_a_wrong_key_is_one_line_in_every_command(held, name):
    key = base64.b64encode(bytes(32)).decode()
    is_one_line(held.run(name, TEPAT_KEY=key), frame.WRONG, "wrong key: TEPAT_KEY", "put that one there")


@pytest.mark.parametrize("name", ON_A_STORE)
def test_a_database_that_does_not_answer_is_one_line_in_every_command(place, name):
    result = place.run(name, DATABASE_URL=f"postgresql://tepat:{SECRET}@127.0.0.1:1/tepat")
    is_one_line(result, frame.NO_ANSWER, "the database does not answer", "DATABASE_URL", "try again")
    assert SECRET not in result.output


@pytest.mark.parametrize("name", sorted(set(ON_A_STORE) - MAKE_A_STORE))
@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_a_folder_without_a_store_stays_without_one(place, name, there):
    if not there:
        place.folder.rmdir()
    is_one_line(place.run(name), frame.WRONG, "there is no store", "python -m data init", "TEPAT_FOLDER")
    assert (sorted(place.folder.iterdir()) == []) if there else not place.folder.exists()


@pytest.mark.parametrize("name", ON_A_STORE)
def test_a_store_of_a_newer_version_is_one_line_in_every_command(held, name):
    engine = create_engine(f"sqlite:///{held.folder / 'tepat.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    is_one_line(held.run(name), frame.WRONG, "revision 9999", "use the version that made it")


@pytest.mark.parametrize("name", sorted(set(ON_A_STORE) - {"data init", "dashboard serve"}))
def test_no_command_ends_in_a_traceback_on_an_empty_store(held, name, monkeypatch):
    """What each says of nothing at all is its own affair; that it says it, and with which code, is not."""
    monkeypatch.setattr("dashboard.jobs.worker.work", lambda *_, **__: None)
    result = held.run(name)
    assert result.exit_code in {frame.DONE, frame.FOUND, frame.WRONG, frame.NOTHING_TO_LEARN}, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", sorted(ON_A_BACKUP))
@pytest.mark.parametrize("settings", [{}, {"TEPAT_KEY": base64.b64encode(bytes(32)).decode()}])
def test_what_is_no_backup_is_one_line_whatever_is_there(held, name, settings):
    (held.folder.parent / "1").write_bytes(b"no backup")
    held.set(**settings)
    result = CliRunner().invoke(
        import_module("data.__main__").app, [name.split()[1], str(held.folder.parent / "1")]
    )
    is_one_line(result, frame.WRONG, "no backup of this program")


def test_commands_that_need_no_store_open_none(place, monkeypatch):
    for name in WITHOUT_A_STORE:
        package, *words = name.replace("-", "_").split()
        source = inspect.getsource(getattr(import_module(f"{package}.commands.{words[0]}"), words[-1]))
        assert "opened" not in source
    assert place.run("vision encoder-info", DATABASE_URL="postgresql://127.0.0.1:1/tepat").exit_code == 0


def test_a_store_of_an_older_revision_is_upgraded_by_whatever_command_comes_first(place, monkeypatch):
    from data.engine.database import connect, writing
    from data.engine.migrate import current_revision, newest_revision, upgrade

    engine = connect(f"sqlite:///{place.folder / 'tepat.db'}")
    with writing(engine, "migrate") as connection:
        upgrade(connection, "0007")
    assert place.run("data status").exit_code == frame.WRONG  # no key was ever made for it
    place.set()
    open_store().close()
    assert place.run("data status").exit_code == frame.DONE
    assert current_revision(engine) == newest_revision()
    engine.dispose()


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"DATABASE_URL": "nonsense"}, ["DATABASE_URL must be the address"]),
        ({"DATABASE_URL": f"mysql://tepat:{SECRET}@host/tepat"}, ["must name PostgreSQL or a SQLite file"]),
        ({"TEPAT_KEY": "dG9vIHNob3J0"}, ["TEPAT_KEY must hold base64 of 32 bytes"]),
        ({"TEPAT_PORT": "many"}, ["TEPAT_PORT: input should be a valid integer"]),
        ({"TEPAT_TRUSTED_PROXIES": "proxy.example"}, ["TEPAT_TRUSTED_PROXIES", "proxy.example"]),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_its_value_kept(held, settings, parts):
    result = held.run("data status", **settings)
    is_one_line(result, frame.WRONG, *parts)
    assert SECRET not in result.output and "dG9v" not in result.output


def test_a_file_that_is_no_store_is_one_line(place):
    (place.folder / "tepat.db").write_bytes(b"nothing of the kind" * 100)
    is_one_line(place.run("data status"), frame.WRONG, "the database file cannot be used", "not a database")


@pytest.mark.parametrize(
    "words",
    [
        ("fusion", "score", "--model", "risk-none"),
        ("fusion", "card", "--model", "risk-none"),
        ("fusion", "drift", "--model", "risk-none"),
        ("fusion", "versus", "risk-none"),
        ("fusion", "approve", "risk-none", "--reason", "x"),
    ],
)
def test_an_unknown_model_is_one_line(held, words):
    held.set()
    result = CliRunner().invoke(import_module(f"{words[0]}.__main__").app, list(words[1:]))
    is_one_line(result, frame.WRONG, "no model")


# --- the frame by itself ----------------------------------------------------------------------------------
def framed(problem: BaseException, monkeypatch, **environment):
    """What a command line says when its command raises."""

    def fail() -> None:
        raise problem

    app = typer.Typer(cls=frame.Frame)
    app.command("fail")(fail)
    app.command("other")(lambda: None)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(app, ["fail"])


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (frame.Refusal("rows are bad", frame.FOUND), 1, "refused: rows are bad\n"),
        (frame.Refusal("no such thing"), 2, "error: no such thing\n"),
        (frame.Refusal("too little\nof it", frame.NOTHING_TO_LEARN), 3, "error: too little\nof it\n"),
        (KeyError("no report has the number '1'"), 2, "error: no report has the number '1'\n"),
        (ValueError("first line\n  second line"), 2, "error: first line; second line\n"),
        (
            FileNotFoundError(2, "No such file or directory", "out"),
            2,
            "error: out: No such file or directory\n",
        ),
        (PermissionError("the student has not agreed"), 2, "error: the student has not agreed\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_a_command_raises_is_a_line_and_a_code(problem, code, said, monkeypatch):
    result = framed(problem, monkeypatch)
    assert (result.exit_code, result.stderr) == (code, said)


@pytest.mark.parametrize(
    "problem", [KeyError("late"), IndexError(), TypeError("not this way"), ZeroDivisionError()]
)
def test_a_mistake_in_the_program_is_not_taken_for_a_refusal(problem, monkeypatch):
    assert framed(problem, monkeypatch).exception is problem


def test_where_a_refusal_was_raised_is_shown_to_whoever_asks(monkeypatch):
    problem = ValueError("rows are bad")
    assert framed(problem, monkeypatch, **{frame.TRACEBACK: "1"}).exception is problem


def test_a_database_lost_on_the_way_is_worth_another_try(monkeypatch):
    import psycopg

    lost = OperationalError("SELECT 1", {}, psycopg.OperationalError("server closed the connection\nhint"))
    result = framed(lost, monkeypatch)
    assert result.exit_code == frame.NO_ANSWER and "server closed the connection)" in result.stderr


def test_a_port_that_is_taken_is_one_line_before_any_process_begins(held, monkeypatch):
    monkeypatch.setattr(keeping, "serve_many", lambda *_: pytest.fail("served"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setitem(FURTHER, "dashboard serve", ("--processes", "2", "--port", str(port)))
        is_one_line(
            held.run("dashboard serve"), frame.WRONG, f"localhost, port {port}: Address already in use"
        )


SPREAD = sorted(
    name for name, one in COMMANDS.items() if any("--cluster" in option.opts for option in one.params)
)


def test_the_help_of_what_can_be_spread_says_where_it_may_work():
    assert SPREAD == [
        "fusion score",
        "fusion train",
        "vision calibrate",
        "vision duplicates",
        "vision embed",
    ]
    for name in SPREAD:
        said = next(option.help for option in COMMANDS[name].params if "--cluster" in option.opts)
        for part in ("local:N", "tcp://host:port", "tls://host:port", "docs/scaling.md"):
            assert part in said


@pytest.mark.parametrize("name", SPREAD)
def test_a_cluster_that_does_not_answer_is_one_line_and_may_be_tried_again(held, name, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("data.engine.spread.ANSWER_SECONDS", 1)
    monkeypatch.setitem(FURTHER, name, ("--cluster", address))
    is_one_line(held.run(name), frame.NO_ANSWER, address, "does not answer", "try again")


@pytest.mark.parametrize("name", SPREAD)
def test_what_is_no_address_of_a_cluster_is_one_line(held, name, monkeypatch):
    monkeypatch.setitem(FURTHER, name, ("--cluster", "somewhere"))
    is_one_line(held.run(name), frame.WRONG, "--cluster must be local, local:N, tcp://host:port")


def test_a_single_process_has_no_release_to_be_replaced_by(held, monkeypatch):
    monkeypatch.setitem(FURTHER, "dashboard serve", ("--release", str(held.folder)))
    is_one_line(held.run("dashboard serve"), frame.WRONG, "--processes 2 or more")


@pytest.mark.parametrize(("code", "told"), [(2, 2), (4, 4), (-9, 2)])
def test_processes_that_refuse_to_begin_end_the_command_with_their_code(held, monkeypatch, code, told):
    def refuse(*_):
        raise keeping.NotStarted(code)

    monkeypatch.setattr(keeping, "serve_many", refuse)
    monkeypatch.setitem(FURTHER, "dashboard serve", ("--processes", "2", "--no-worker", "--port", "1"))
    monkeypatch.setattr(keeping, "bound", lambda *_: None)
    result = held.run("dashboard serve")
    assert result.exit_code == told
    assert ("code -9" in result.stderr) is (code < 0)


def test_the_codes_are_told_where_commands_are_listed():
    page = (Path(__file__).parents[1] / "docs" / "commands.md").read_text(encoding="utf-8")
    for code in (frame.DONE, frame.FOUND, frame.WRONG, frame.NOTHING_TO_LEARN, frame.NO_ANSWER):
        assert f"| {code} |" in page
    assert f"| {frame.INTERRUPTED} |" in page
    assert [name for name in COMMANDS if f"`{name}`" not in page] == []
