"""Opening a store, its facts, and one door to every writer."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from data.cases.events import add_case_event, add_case_events, withdraw_case_events
from data.consents.consent import write_consents
from data.engine.cipher import Cipher, KeyProblem, parse_key, read_or_create_key
from data.engine.database import Store, connect
from data.engine.facts import read_fact, write_fact
from data.engine.migrate import current_revision, migrate, newest_revision
from data.records.frames import ImportResult, RecordFrames
from data.records.imports import new_import
from data.records.write import write_records
from data.scores.write import save_model, serve_model, write_scores
from data.settings import get_settings
from data.signatures.encoder_info import EncoderInfo
from data.signatures.write import (
    NewSpecimen,
    SpecimenResult,
    write_embeddings,
    write_quality,
    write_specimens,
)
from data.trust.accounts import Account, write_accounts

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
    if url is None:
        url = settings.url if folder is None else f"sqlite:///{Path(folder) / 'tepat.db'}"
    parsed = make_url(url)
    if folder is None:
        is_file = parsed.get_backend_name() == "sqlite" and parsed.database
        folder = Path(parsed.database).resolve().parent if is_file else settings.folder
    folder = Path(folder).resolve()
    upgrade = create if upgrade is None else upgrade
    if not create:
        _must_exist(parsed)
    engine = connect(url)
    try:
        if not create and current_revision(engine) is None:
            raise NoStore(f"there is no store in {_name(parsed)}: python -m data init makes one")
        if upgrade:
            migrate(engine)
        elif current_revision(engine) != newest_revision():
            raise NoStore("there is no store of this revision: python -m data init upgrades it")
        cipher = _unlock(engine, folder, settings.key, may_create=create)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, cipher, _name(parsed), folder)


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


def _unlock(engine, folder: Path, configured_key: str, *, may_create: bool) -> Cipher:
    from data.engine.database import reading, writing

    with reading(engine) as connection:
        check = read_fact(connection, _KEY_CHECK)
    if check is None and not may_create:
        raise NoStore("the store has no key yet: python -m data init makes one")
    if configured_key:
        cipher = Cipher(parse_key(configured_key, "TEPAT_KEY"))
    else:
        cipher = Cipher(read_or_create_key(folder / "key", may_create=check is None))
    if check is None:
        with writing(engine) as connection:
            check = read_fact(connection, _KEY_CHECK)  # another process may have been first
            if check is None:
                sealed = cipher.encrypt(_KNOWN_TEXT, "key check")
                check = base64.b64encode(sealed).decode()
                write_fact(connection, _KEY_CHECK, check)
    try:
        cipher.decrypt(base64.b64decode(check), "key check")
    except KeyProblem:
        source = "TEPAT_KEY" if configured_key else f"the key file in {folder.name!r}"
        raise KeyProblem(
            f"wrong key: {source} (fingerprint {cipher.fingerprint}) is not the key that this store was "
            "encrypted with; put that one there"
        ) from None
    return cipher
