"""Opening a store, its facts, and one door to every writer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url

from data.cases.events import add_case_event, add_case_events, withdraw_case_events
from data.consents.consent import write_consents
from data.engine.cipher import Cipher, KeyProblem, key_from_command, parse_key, read_or_create_key
from data.engine.database import Store, connect, reading, writing
from data.engine.drafts import sweep
from data.engine.facts import read_fact, write_fact
from data.engine.kept_head import FILE as HEAD_FILE
from data.engine.kept_head import Head, Seal
from data.engine.migrate import current_revision, migrate, newest_revision
from data.keeping.tombstones import list_of
from data.records.frames import ImportResult, RecordFrames
from data.records.imports import new_import
from data.records.write import write_records
from data.scores.write import save_model, serve_model, show_scores, write_scores
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
from data.trust.audit import FIRST, Entry, note_in
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
    "show_scores",
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


_KNOWN_TEXT = b"tepat"
JOURNAL = "restore.json"  # in the folder while a restore is put in its place


class UnderWay(RuntimeError):
    """The store is being restored or gets another key; nobody else opens it until that is done."""


@dataclass(frozen=True)
class KeyFacts:
    """What a store's facts say of its key.

    Parameters
    ----------
    check : str or None
        A known text sealed with the key, as base64; None before there is a key.
    kept : str or None
        What is kept of former keys, sealed (:meth:`data.engine.cipher.Cipher.sealed_kept`).
    store_id : str or None
        What tells stores apart in the file of heads, where it is not the check's hash any more.
    changing : str or None
        The check of the new key while rows are sealed anew.
    """

    check: str | None
    kept: str | None = None
    store_id: str | None = None
    changing: str | None = None

    @classmethod
    def read(cls, connection: Connection) -> KeyFacts:
        """The facts inside a transaction."""
        return cls(*(read_fact(connection, name) for name in KEY_FACTS))

    def fits(self, cipher: Cipher) -> bool:
        """Whether the store was written with this key."""
        return fits(cipher, self.check)

    def unlocked(self, master: bytes) -> Cipher | None:
        """The cipher of a key, with what is kept of former ones; None when it is not the store's key."""
        cipher = Cipher(master)
        return cipher.with_kept(self.kept) if self.fits(cipher) else None

    def seal(self, cipher: Cipher, path: Path) -> Seal:
        """What proves the store's audit log.

        Parameters
        ----------
        path : pathlib.Path
            Where its head is kept.
        """
        return Seal(cipher, path, self.store_id or hashlib.sha256(str(self.check).encode()).hexdigest()[:16])


KEY_FACTS = ("key_check", "kept_keys", "store_id", "key_changing")  # in the order of KeyFacts


def check_of(cipher: Cipher) -> str:
    """A known text sealed with a key, as base64: what tells later whether a key is that one."""
    return base64.b64encode(cipher.encrypt(_KNOWN_TEXT, "key check")).decode()


def fits(cipher: Cipher, check: str | None) -> bool:
    """Whether a check was made with this key."""
    try:
        return check is not None and cipher.decrypt(base64.b64decode(check), "key check") == _KNOWN_TEXT
    except KeyProblem:
        return False


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
    UnderWay
        While a restore or a change of the key is under way, or was cut off.
    """
    settings = get_settings()
    parsed, folder = place_of(url, folder, settings)
    upgrade = create if upgrade is None else upgrade
    if (folder / JOURNAL).exists():
        raise UnderWay(
            "a restore of this store is being put in its place, or was cut off then: wait for it, or "
            "`python -m data restore --finish`"
        )
    if not create:
        _must_exist(parsed)
    engine = connect(parsed)
    try:
        revision = current_revision(engine)
        if revision is None and not create:
            raise NoStore(f"there is no store in {_name(parsed)}: python -m data init makes one")
        facts = KeyFacts(None) if revision is None else key_facts(engine)
        _may_open(facts, create)
        # The key comes first: a store is not brought to another revision with a wrong one.
        cipher = None if facts.check is None else _unlocked(folder, settings, facts)
        if upgrade:
            migrate(engine, None if cipher is None else facts.seal(cipher, head_path(folder, settings)))
        elif revision != newest_revision():
            raise NoStore("there is no store of this revision: python -m data init upgrades it")
        if cipher is None:
            cipher, facts = _locked_anew(engine, folder, settings)
        seal = facts.seal(cipher, head_path(folder, settings))
        if upgrade:
            begin_head(engine, seal)
            for file in (seal.path, list_of(seal)):
                sweep(file)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, cipher, _name(parsed), folder, seal)


def place_of(url: str | None, folder: Path | None, settings: Settings) -> tuple[URL, Path]:
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


def set_fact(store: Store, name: str, value: Any, entry: Entry | None = None) -> None:
    """Set a fact to any value that JSON can hold except null; ``entry`` goes to the audit log with it."""
    if value is None:
        raise ValueError(f"value of the fact {name!r} must not be None")
    with store.writing() as connection:
        write_fact(connection, name, value)
        note_in(connection, entry)


def _name(parsed) -> str:
    return parsed.render_as_string(hide_password=True)


def _must_exist(parsed) -> None:
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    if file is not None and not (Path(file).is_file() and Path(file).stat().st_size):
        raise NoStore(
            f"there is no store at {file}: python -m data init makes one, TEPAT_FOLDER or DATABASE_URL names "
            "another; is the disk mounted?"
        )


def _may_open(facts: KeyFacts, create: bool) -> None:
    if facts.check is None and not create:
        raise NoStore("the store has no key yet: python -m data init makes one")
    if facts.changing is not None:
        raise UnderWay(
            "the store gets another key, or that was cut off: wait, or run `python -m data rotate-key` "
            "again, which goes on"
        )


def key_facts(engine) -> KeyFacts:
    """What a database's facts say of its key."""
    with reading(engine) as connection:
        return KeyFacts.read(connection)


def _locked_anew(engine, folder: Path, settings: Settings) -> tuple[Cipher, KeyFacts]:
    """The key of a store that had none, and its check."""
    cipher = key_at_hand(folder, settings, may_create=True)
    with writing(engine) as connection:
        facts = KeyFacts.read(connection)  # another process may have been first
        if facts.check is None:
            facts = KeyFacts(check_of(cipher))
            write_fact(connection, KEY_FACTS[0], facts.check)
            # before the commit
            facts.seal(cipher, head_path(folder, settings)).keep(Head(0, FIRST), anew=True)
    return _unlocked(folder, settings, facts), facts


def _unlocked(folder: Path, settings: Settings, facts: KeyFacts) -> Cipher:
    cipher = key_at_hand(folder, settings)
    unlocked = facts.unlocked(cipher.master)
    if unlocked is None:
        hint = "put that one there"
        if new_key_file(folder, settings).exists():
            hint += ", or finish a change of the key that was cut off: python -m data rotate-key"
        raise KeyProblem(
            f"wrong key: {key_source(folder, settings)} (fingerprint {cipher.fingerprint}) is not the key "
            f"that this store was encrypted with; {hint}"
        )
    return unlocked


def key_at_hand(folder: Path, settings: Settings, *, may_create: bool = False) -> Cipher:
    """The cipher of the key that the settings name; whether it is the store's is not asked."""
    given = [name for name in ("key", "key_file", "key_command") if getattr(settings, name)]
    if len(given) > 1:
        named = " and ".join(f"TEPAT_{name.upper()}" for name in given)
        raise KeyProblem(f"the key must come from one place, but {named} are set")
    if settings.key:
        return Cipher(parse_key(settings.key, "TEPAT_KEY"))
    if settings.key_command:
        return Cipher(_printed(settings.key_command))
    return Cipher(read_or_create_key(key_file(folder, settings), may_create=may_create))


def key_file(folder: Path, settings: Settings) -> Path:
    """Where the key lies that comes from a file."""
    return settings.key_file or folder / "key"


def new_key_file(folder: Path, settings: Settings) -> Path:
    """Where the new key lies during a change of the key."""
    file = key_file(folder, settings)
    return file.with_name(f"{file.name}.new")


def key_in_file(folder: Path, settings: Settings) -> bool:
    """Whether the key comes from a file, and not from the environment or a command."""
    return not (settings.key or settings.key_command)


def head_path(folder: Path, settings: Settings) -> Path:
    """Where the head of the audit log is kept."""
    return settings.audit_head or folder / HEAD_FILE


@lru_cache(maxsize=1)
def _printed(command: str) -> bytes:
    return key_from_command(command)  # asked once: /health opens the store every few seconds


def key_source(folder: Path, settings: Settings) -> str:
    """Where the key comes from, in words."""
    if settings.key:
        return "TEPAT_KEY"
    if settings.key_command:
        return "what TEPAT_KEY_COMMAND prints"
    return f"the key file in {(settings.key_file.parent if settings.key_file else folder).name!r}"
