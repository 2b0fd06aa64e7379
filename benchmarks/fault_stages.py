"""The work that :mod:`benchmarks.faults` kills: what it starts from, and how a process of its own does it.

A stage is run by :func:`do` in a forked process with everything imported, so that a kill falls on the work
and not on the start of Python. ``kill_at`` makes the process kill itself at a write of that number: a
statement that changes rows, a commit, a file opened for writing, renamed or removed.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path

from benchmarks.fault_findings import BACKUP_KEY

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "samples"
RECORDS = (
    "data",
    "load",
    *("--students", str(SAMPLES / "siakad_students.csv")),
    *("--terms", str(SAMPLES / "siakad_terms.csv")),
    *("--outcomes", str(SAMPLES / "siakad_outcomes.csv")),
    "--synthetic",
)
LOAD = (*RECORDS, "--signatures", str(SAMPLES / "signatures.zip"))
JOB_FILES = ("siakad_students.csv", "siakad_terms.csv", "siakad_outcomes.csv", "signatures.zip")
PRELOAD = (
    "benchmarks.fault_stages",
    "data.commands.load",
    "data.feeder.pull",
    "data.records.ingest",
    "data.signatures.ingest",
    "data.trust.undo",
    "data.keeping.shelf",
    "data.keeping.restore",
    "data.keeping.rotation",
    "dashboard.reports.pipeline",
    "dashboard.importing.plan",
    "fusion.pipeline",
    "vision.encoder.embed_specimens",
    "vision.encoder.backbones",
)
OLDER = "0011"  # the revision from which the migration begins
APPROVER = {"actor": "dekan", "role": "leadership"}


def command(*words: str) -> Callable[[Path], int]:
    """What ``python -m`` does with these words."""

    def run(_folder: Path) -> int:
        app = import_module(f"{words[0]}.__main__").app
        return app(list(words[1:]), standalone_mode=False) or 0

    return run


def erase(folder: Path) -> int:
    """Erase the first student with a signature, unless the store's receipts tell of it."""
    from data.store import open_store
    from data.trust.erase import receipts

    key = (folder / "whom").read_text(encoding="utf-8")
    store = open_store(folder=folder)
    done = bool(receipts(store, key))
    store.close()
    return 0 if done else command("data", "erase", "--student", key, "--everything", "--yes")(folder)


def undo(folder: Path) -> int:
    """Undo the last import, unless it was undone."""
    from data.store import open_store
    from data.trust.undo import last_import, undo_import

    wanted = (folder / "which").read_text(encoding="utf-8")
    store = open_store(folder=folder)
    if last_import(store) == wanted:
        undo_import(store, wanted, actor="registry", role="registry")
    store.close()
    return 0


def approve(folder: Path) -> int:
    """Approve every report that waits."""
    from dashboard.reports import pipeline
    from data.store import open_store
    from data.trust import reports_store
    from data.trust.scope import Scope

    store = open_store(folder=folder)
    listed = reports_store.report_list(store, Scope.system())
    for report_id in listed.loc[listed["status"] == "prepared", "report_id"]:
        pipeline.approve(store, Scope.system(), report_id, **APPROVER)
    store.close()
    return 0


def print_public(folder: Path) -> int:
    """The step of an approval before the last: the public file of every report that waits is drawn up."""
    from dashboard.reports import pipeline
    from dashboard.reports.approve import reopened
    from data.store import open_store
    from data.trust import reports_store
    from data.trust.scope import Scope

    store, everybody = open_store(folder=folder), Scope.system()
    listed = reports_store.report_list(store, everybody)
    for report_id in listed.loc[listed["status"] == "prepared", "report_id"]:
        table, _ = reopened(reports_store.stored_report(store, everybody, report_id))
        pipeline.public(store, pipeline.read_register(store, everybody), table)
    store.close()
    return 0


def back_up(folder: Path) -> int:
    """Back the store up into one file, unless the log tells that it was done and the index lists it."""
    from data.keeping.shelf import read_index

    file = folder / "kept" / "one.backup"
    if _told(folder, "make backup") and [one.file for one in read_index(file.parent)] == [file.name]:
        return 0
    file.unlink(missing_ok=True)
    return _with_backups("backup", file)(folder)


def restore(folder: Path) -> int:
    """Finish a restore that was cut off; then restore, unless the log tells that it was done."""
    finished = command("data", "restore", "--finish")(folder)
    if finished or _told(folder, "restore backup"):
        return finished
    return _with_backups("restore", folder / "kept" / "one.backup", "--replace", "--yes")(folder)


def rotate(folder: Path) -> int:
    """Give the store another key, unless the former one lies aside and no change is under way."""
    if list(folder.glob("key.before-*")) and not (folder / "key.new").exists():
        return 0
    return command("data", "rotate-key", "--yes")(folder)


def _told(folder: Path, action: str) -> bool:
    from data.store import open_store
    from data.trust import audit

    store = open_store(folder=folder)
    found = len(audit.entries(store, action=action)) > 0
    store.close()
    return found


def _with_backups(word: str, file: Path, *more: str) -> Callable[[Path], int]:
    return command("data", word, str(file), "--key-file", str(file.parent.parent / BACKUP_KEY), *more)


def stages(feeder_url: str, feeder_user: str) -> dict[str, Callable[[Path], int]]:
    """Name → the work, for a store in a folder; done twice it does what once does."""
    pull = ("data", "feeder", "pull", "--url", feeder_url, "--user", feeder_user, "--page", "20")
    return {
        "import": command(*LOAD),
        "records": command(*RECORDS),
        "pull": command(*pull),
        "embedding": command("vision", "embed"),
        "training": command("fusion", "train", "--serve"),
        "scoring": command("fusion", "records-only", "--reason", "a try"),
        "approval": approve,
        "printed": print_public,
        "undo": undo,
        "erasure": erase,
        "migration": command("data", "status"),
        "backup": back_up,
        "restore": restore,
        "rotation": rotate,
    }


def do(
    run: Callable[[Path], int] | tuple[str, ...],
    folder: Path,
    kill_at: int = 0,
    count_to: Path | None = None,
    room: int = 0,
) -> None:
    """One stage in this process, which ends with it.

    Parameters
    ----------
    run
        Of :func:`stages`; or the words of a command.
    kill_at : int
        The number of the write at which the process kills itself; 0: it does not.
    count_to : pathlib.Path or None
        Where to write how many writes there were.
    room : int
        Bytes that a file may have, as on a disk that fills up; 0: as many as there is room for.
    """
    log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1)
    use(folder)
    if room:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    writes = Writes(kill_at, folder)
    writes.watch()
    code = (command(*run) if isinstance(run, tuple) else run)(folder)
    if count_to is not None:
        count_to.write_text(str(writes.seen), encoding="utf-8")
    os._exit(code)


def use(folder: Path) -> None:
    """Let the settings name this store."""
    from data.settings import get_settings

    os.environ["TEPAT_FOLDER"] = str(folder)
    os.environ["DATABASE_URL"] = ""
    get_settings.cache_clear()


class Writes:
    """Counts what a process writes, and kills it at a given number.

    Parameters
    ----------
    kill_at : int
        0: only count.
    folder : pathlib.Path
        Files elsewhere do not count.
    """

    def __init__(self, kill_at: int, folder: Path):
        self.seen, self._kill_at, self._folder = 0, kill_at, str(folder)

    def watch(self) -> None:
        """Begin, for as long as the process lives."""
        from sqlalchemy import Engine, event

        sys.addaudithook(self._file)
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", lambda _connection: self._one())

    def _one(self) -> None:
        self.seen += 1
        if self.seen == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _statement(self, _connection, _cursor, statement: str, *_more) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN", "WITH")):
            self._one()

    def _file(self, event: str, arguments: tuple) -> None:
        writing = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir") or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if writing and str(arguments[0]).startswith(self._folder):
            self._one()


# --- what the stages start from ----------------------------------------------------------------------------
def prepare(
    base: Path, students: int, run: Callable[[tuple[str, ...], Path], None], wanted: list[str]
) -> dict[str, Path]:
    """Stage → the folder of the store that it starts from.

    Parameters
    ----------
    base : pathlib.Path
        An empty folder.
    students : int
        Of the invented university on which models are trained.
    run : callable
        Runs the words of a command on the store of a folder.
    wanted : list of str
        The stages that are asked for.
    """
    from data.store import open_store

    empty = base / "empty"
    open_store(folder=empty).close()
    loaded = _copy(empty, base / "loaded")
    run(LOAD, loaded)
    before = {
        "import": empty,
        "pull": _copy(empty, base / "pulled"),
        "embedding": loaded,
        "undo": _with_import(_copy(loaded, base / "imported")),
        "migration": _older(_copy(loaded, base / "older")),
        "worker": _with_jobs(_copy(empty, base / "asked")),
        "backup": _with_place(_copy(loaded, base / "shelved")),
        "restore": _with_backup(_copy(loaded, base / "backed"), run),
        "rotation": _with_all_sealed(_copy(loaded, base / "sealed")),
        "app": _copy(loaded, base / "served"),
    }
    before["two workers"] = before["worker"]
    if set(wanted) <= set(before):
        return before
    demo = base / "demo"
    demo.mkdir()
    run(("data", "demo", "--students", str(students), "--seed", "3"), demo)
    embed_at_random(demo)
    before |= {"training": demo, "approval": with_report(_copy(demo, base / "report"))}
    trained = _copy(demo, base / "trained")
    if {"scoring", "erasure"} & set(wanted):
        run(("fusion", "train", "--serve"), trained)
        before |= {"scoring": trained, "erasure": with_name(_copy(trained, base / "named"))}
    return before


def _copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def embed_at_random(folder: Path) -> None:
    """Random vectors in place of the network's: what is killed later is training, not embedding."""
    import numpy as np

    from data.queries import specimen_table
    from data.signatures.encoder_info import EncoderInfo
    from data.store import open_store, write_embeddings

    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    specimens = specimen_table(store)
    vectors = np.random.default_rng(0).normal(size=(len(specimens), 32)).astype(np.float32)
    info = EncoderInfo("random-for-tests", "1", "0" * 64, f"tests, {date(2026, 1, 1)}", 32)
    write_embeddings(store, info, list(specimens.specimen_id), vectors)
    store.close()


def with_report(folder: Path) -> Path:
    """Prepare a report that waits for its approval."""
    from dashboard.reports import pipeline
    from data.store import open_store
    from data.trust.scope import Scope

    store = open_store(folder=folder)
    register = pipeline.read_register(store, Scope.system())
    code = str(register.programs["program_code"].iloc[0])
    asked = pipeline.Request("iaps40-8c", code, register.last_full_year(code))
    pipeline.prepare(store, *pipeline.build(store, register, asked), actor="siti", role="accreditation")
    store.close()
    return folder


def _with_import(folder: Path) -> Path:
    from data.store import open_store
    from data.trust.undo import last_import

    store = open_store(folder=folder)
    (folder / "which").write_text(last_import(store), encoding="utf-8")
    store.close()
    return folder


def with_name(folder: Path) -> Path:
    """Say in a store's folder whom to erase, and let a picture of theirs lie in the cache."""
    from data.queries import specimen_table
    from data.store import open_store

    store = open_store(folder=folder)
    key = sorted(specimen_table(store)["student_key"])[0]
    (folder / "whom").write_text(key, encoding="utf-8")
    cached = store.cache_folder / f"{key}.png"
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(b"a picture of theirs")
    store.close()
    return folder


def _with_place(folder: Path) -> Path:
    (folder / "kept").mkdir()
    (folder / BACKUP_KEY).write_text(b64encode(bytes(range(32))).decode(), encoding="ascii")
    return folder


def _with_backup(folder: Path, run: Callable[[tuple[str, ...], Path], None]) -> Path:
    """A backup of the store, and somebody erased since: the restore has to erase them again."""
    file = _with_place(folder) / "kept" / "one.backup"
    run(("data", "backup", str(file), "--key-file", str(folder / BACKUP_KEY)), folder)
    key = (with_name(folder) / "whom").read_text(encoding="utf-8")
    run(("data", "erase", "--student", key, "--everything", "--yes"), folder)
    return folder


def _with_all_sealed(folder: Path) -> Path:
    """Images, vectors, and the files of a job that waits."""
    embed_at_random(folder)
    return _with_jobs(folder)


def _older(folder: Path) -> Path:
    from alembic import command as alembic

    from data.engine.database import connect, writing
    from data.engine.migrate import _configuration
    from data.store import open_store

    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    store.close()
    engine = connect(f"sqlite:///{folder / 'tepat.db'}")
    with writing(engine, "migrate") as connection:
        config = _configuration(connection)
        config.attributes["seal"] = store.seal  # what is sealed in rows is opened again
        alembic.downgrade(config, OLDER)
    engine.dispose()
    return folder


def _with_jobs(folder: Path) -> Path:
    """A job that imports an office's files, and one that reckons a table without a model: it is refused."""
    from dashboard.importing import plan as importing
    from dashboard.importing.plan import UploadedFile
    from dashboard.jobs import imports as jobs_import
    from data.store import open_store
    from data.trust.accounts import Account

    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    listed = [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in JOB_FILES]
    kinds = [importing.guess_kind(file) for file in listed]
    person = Account("registry", "Registry", "registry")
    jobs_import.start(store, person, listed, kinds, mapping=None, captured_on=None, skip_bad=True)
    store.close()
    return folder
