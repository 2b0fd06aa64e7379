"""Opening a store, its facts, and one door to every writer."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from data.cases.events import add_case_event, add_case_events, withdraw_case_events
from data.consents.consent import write_consents
from data.engine.cipher import Cipher, KeyProblem, key_from_command, parse_key, read_or_create_key
from data.engine.database import Store, connect, reading, writing
from data.engine.facts import read_fact, write_fact
from data.engine.kept_head import FILE as HEAD_FILE
from data.engine.kept_head import Head, Seal
from data.engine.migrate import current_revision, migrate, newest_revision
from data.records.frames import ImportResult, RecordFrames
from data.records.imports import new_import
from data.records.write import write_records
from data.scores.write import save_model, serve_model, write_scores
from data.settings import Settings, get_settings
from data.signatures.encoder_info import EncoderInfo
from data.signatures.write import (
    NewSpecimen,
    SpecimenResult,
    write_embeddings,
    write_quality,
    write_specimens,
)
from data.trust.accounts import Account, write_accounts
from data.trust.audit import FIRST
from data.trust.audit_chain import begin_head

__all__ = [
    "Account",
    "EncoderInfo",
    "ImportResult",
    "KeyProblem",
    "NewSpecimen",
    "NoStore",
    "RecordFrames",
    "SpecimenResult",
    "Store",
    "add_case_event",
    "add_case_events",
    "get_fact",
    "new_import",
    "open_store",
    "save_model",
    "serve_model",
    "set_fact",
    "withdraw_case_events",
    "write_accounts",
    "write_consents",
    "write_embeddings",
    "write_quality",
    "write_records",
    "write_scores",
    "write_specimens",
]


class NoStore(RuntimeError):
    """There is no store where the settings say, and none was to be made."""


_KEY_CHECK = "key_check"
_KNOWN_TEXT = b"tepat"


def open_store(
    url: str | None = None, *, folder: Path | None = None, create: bool = True, upgrade: bool | None = None
) -> Store:
    """Open a store; create its tables and its key when it is new.

    Parameters
    ----------
    url : str, optional
        SQLAlchemy URL of a SQLite file or a PostgreSQL database; by default the one of the settings, or the
        SQLite file ``tepat.db`` in ``folder`` when only that is given.
    folder : pathlib.Path, optional
        Where key file, models and caches live; by default the folder of the SQLite file, or the settings'.
    create : bool
        Whether to make store and key where there are none.
    upgrade : bool, optional
        Whether to bring a store of an older revision to this software's; by default as ``create``.

    Raises
    ------
    data.engine.cipher.KeyProblem
        When the key is missing, malformed, or not the one that the store was written with.
    data.engine.migrate.NewerStore
        When the store was made by a newer version of the software.
    NoStore
        When ``create`` is false and there is no store, or ``upgrade`` is and it is at another revision.
    """
    settings = get_settings()
    parsed, folder = _place(url, folder, settings)
    upgrade = create if upgrade is None else upgrade
    if not create:
        _must_exist(parsed)
    engine = connect(parsed)
    try:
        revision = current_revision(engine)
        if revision is None and not create:
            raise NoStore(f"there is no store in {_name(parsed)}: python -m data init makes one")
        check = None if revision is None else _key_check(engine)
        if check is None and not create:
            raise NoStore("the store has no key yet: python -m data init makes one")
        # The key comes first: a store is not brought to another revision with a wrong one.
        cipher = None if check is None else _unlocked(folder, settings, check)
        if upgrade:
            locked = None if cipher is None or check is None else _seal(cipher, folder, settings, check)
            migrate(engine, locked)
        elif revision != newest_revision():
            raise NoStore("there is no store of this revision: python -m data init upgrades it")
        if cipher is None or check is None:
            cipher, check = _locked_anew(engine, folder, settings)
        seal = _seal(cipher, folder, settings, check)
        if upgrade:
            begin_head(engine, seal)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, cipher, _name(parsed), folder, seal)


def _place(url: str | None, folder: Path | None, settings: Settings) -> tuple[URL, Path]:
    """The database, and the folder of key, models and caches."""
    if url is None:
        url = settings.url if folder is None else f"sqlite:///{Path(folder) / 'tepat.db'}"
    parsed = make_url(url)
    if folder is None:
        file = parsed.database if parsed.get_backend_name() == "sqlite" else None
        folder = Path(file).resolve().parent if file else settings.folder
    return parsed, Path(folder).resolve()


def get_fact(store: Store, name: str, default: Any = None) -> Any:
    """The value of a fact about this store, e.g. "synthetic" or "institution"."""
    with store.reading() as connection:
        return read_fact(connection, name, default)


def set_fact(store: Store, name: str, value: Any) -> None:
    """Set a fact to any value that JSON can hold except null."""
    if value is None:
        raise ValueError(f"value of the fact {name!r} must not be None")
    with store.writing() as connection:
        write_fact(connection, name, value)


def _name(parsed) -> str:
    return parsed.render_as_string(hide_password=True)


def _must_exist(parsed) -> None:
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    if file is not None and not (Path(file).is_file() and Path(file).stat().st_size):
        raise NoStore(
            f"there is no store at {file}: python -m data init makes one, TEPAT_FOLDER or DATABASE_URL names "
            "another; is the disk mounted?"
        )


def _key_check(engine) -> str | None:
    with reading(engine) as connection:
        return read_fact(connection, _KEY_CHECK)


def _locked_anew(engine, folder: Path, settings: Settings) -> tuple[Cipher, str]:
    """The key of a store that had none, and its check."""
    cipher = _cipher(folder, settings, may_create=True)
    with writing(engine) as connection:
        check = read_fact(connection, _KEY_CHECK)  # another process may have been first
        if check is None:
            check = base64.b64encode(cipher.encrypt(_KNOWN_TEXT, "key check")).decode()
            write_fact(connection, _KEY_CHECK, check)
            _seal(cipher, folder, settings, check).keep(Head(0, FIRST), anew=True)  # before the commit
    return _unlocked(folder, settings, check), check


def _unlocked(folder: Path, settings: Settings, check: str) -> Cipher:
    cipher = _cipher(folder, settings, may_create=False)
    try:
        cipher.decrypt(base64.b64decode(check), "key check")
    except KeyProblem:
        source = _source(folder, settings)
        raise KeyProblem(
            f"wrong key: {source} (fingerprint {cipher.fingerprint}) is not the key that this store was "
            "encrypted with; put that one there"
        ) from None
    return cipher


def _cipher(folder: Path, settings: Settings, *, may_create: bool) -> Cipher:
    given = [name for name in ("key", "key_file", "key_command") if getattr(settings, name)]
    if len(given) > 1:
        named = " and ".join(f"TEPAT_{name.upper()}" for name in given)
        raise KeyProblem(f"the key must come from one place, but {named} are set")
    if settings.key:
        return Cipher(parse_key(settings.key, "TEPAT_KEY"))
    if settings.key_command:
        return Cipher(_printed(settings.key_command))
    return Cipher(read_or_create_key(settings.key_file or folder / "key", may_create=may_create))


@lru_cache(maxsize=1)
def _printed(command: str) -> bytes:
    return key_from_command(command)  # asked once: /health opens the store every few seconds


def _source(folder: Path, settings: Settings) -> str:
    if settings.key:
        return "TEPAT_KEY"
    if settings.key_command:
        return "what TEPAT_KEY_COMMAND prints"
    return f"the key file in {(settings.key_file.parent if settings.key_file else folder).name!r}"


def _seal(cipher: Cipher, folder: Path, settings: Settings, check: str) -> Seal:
    store_id = hashlib.sha256(check.encode()).hexdigest()[:16]
    return Seal(cipher, settings.audit_head or folder / HEAD_FILE, store_id)
