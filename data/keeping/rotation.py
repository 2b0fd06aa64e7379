"""Another key for a store: everything that is sealed is sealed anew, in place, without ever being unreadable.

While it goes on nobody else opens the store: it must be in use by nobody at the beginning, and whoever comes
is refused in one line. A fact of the store says that the change has begun and which key it leads to; the old
key stays the store's until the last transaction, which writes the new check. Rows and files are taken in
small transactions; one that opens with the new key was taken already, so after a kill the same command goes
on where it stopped.

Two things outlive the key. What student keys and keyed hashes are made with is kept, sealed with the new key:
they stand in rows, and an erased student must be known again. What proved the audit log is kept for the
entries of then: they cannot be written anew, and the new key's entries, which follow them, hold them fast.
Old backups hold what the old key sealed: it must be kept as long as they are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Engine, Table, bindparam, delete, select, tuple_, update

from data import schema
from data.engine.cipher import Cipher, KeyProblem
from data.engine.database import Store, connect, reading, writing
from data.engine.facts import write_fact
from data.engine.kept_head import Head, HeadForged, Seal
from data.engine.progress import Progress
from data.keeping import swapping, tombstones
from data.keeping.backup import sync_folder
from data.keeping.restore import Target
from data.store import KEY_FACTS, KeyFacts, check_of, fits, key_facts
from data.trust import audit
from data.trust.audit_chain import verify_chain

CHECK, KEPT, STORE_ID, CHANGING = KEY_FACTS
SEALED = (  # table, sealed column, what its ciphertexts are bound to beside the first column of the key
    (schema.specimen_images, schema.specimen_images.c.ciphertext, "image"),
    (schema.specimen_strokes, schema.specimen_strokes.c.ciphertext, "strokes"),
    (schema.embeddings, schema.embeddings.c.ciphertext, "embedding"),
    (schema.signature_descriptors, schema.signature_descriptors.c.ciphertext, "descriptor"),
    (schema.questioned_images, schema.questioned_images.c.ciphertext, "questioned"),
    (schema.prediction_images, schema.prediction_images.c.ciphertext, "predicted"),
    (schema.imports, schema.imports.c.replaced, "import"),
    (schema.trial_seeds, schema.trial_seeds.c.ciphertext, "trial"),
    (schema.students, schema.students.c.birth_year, "students.birth_year"),
    (schema.identities, schema.identities.c.student_number, "identities.student_number"),
    (schema.identities, schema.identities.c.name, "identities.name"),
    (schema.case_events, schema.case_events.c.sealed, "case_events"),
    (schema.reviews, schema.reviews.c.sealed, "reviews"),
    (schema.duplicate_reviews, schema.duplicate_reviews.c.sealed, "duplicate_reviews"),
)
BATCH = 200  # rows of a transaction
_STEP = "sealing with the new key"


class CannotChange(ValueError):
    """A change of the key that did not begin; the store is as it was."""


@dataclass(frozen=True)
class Changed:
    """What a change of the key did.

    Parameters
    ----------
    before, after : str
        Fingerprints.
    rows, files : int
        Sealed anew by this run; after a kill the earlier run's are not counted.
    entry : int
        The last entry of the audit log that the former key proves.
    """

    before: str
    after: str
    rows: int
    files: int
    entry: int


def change_key(
    target: Target, former: Cipher, new: Cipher, *, actor: str, progress: Progress | None = None
) -> Changed:
    """Seal a store with another key; goes on with a change that was cut off.

    Parameters
    ----------
    former, new : Cipher
        Of the two keys; of a store whose key was changed before, what is kept is added here.

    Raises
    ------
    data.keeping.swapping.InUse
        When somebody has the store open.
    CannotChange
        When the new key is the former one, or not the one that the change was begun with; or when the audit
        log is not whole, which a change of its key must not hide.
    KeyProblem
        When the former key is not the store's.
    """
    if new.fingerprint == former.fingerprint:
        raise CannotChange("the new key is the store's present one")
    swapping.refuse_in_use(target.url)
    engine = connect(target.url)
    try:
        facts = key_facts(engine)
        if facts.check is not None and facts.fits(new):  # all is sealed anew; what lies outside may not be
            return _outside(engine, facts, target, former, new, 0, 0)
        old = facts.unlocked(former.master)
        if old is None:
            raise KeyProblem(
                f"wrong key: the one of fingerprint {former.fingerprint} is not the store's; put that there"
            )
        change = _Change(engine, facts, target, old, new, actor)
        change.begin()
        rows = sum(change.table(*one, progress) for one in SEALED)
        files = change.files()
        change.end()
        return _outside(engine, key_facts(engine), target, old, new, rows, files)
    finally:
        engine.dispose()


class _Change:
    """The change of one store's key, up to the transaction that makes the new one the store's."""

    def __init__(
        self, engine: Engine, facts: KeyFacts, target: Target, old: Cipher, new: Cipher, actor: str
    ) -> None:
        self.engine, self.facts, self.target = engine, facts, target
        self.old, self.new, self.actor = old, new, actor
        self.store = Store(engine, old, str(target.url), target.folder, facts.seal(old, target.head))

    def begin(self) -> None:
        """Say that it goes on, unless that was said."""
        if self.facts.changing is not None:
            if not fits(self.new, self.facts.changing):
                raise CannotChange("the change was begun with another new key: give that one")
            return
        if not verify_chain(self.store).whole:
            raise CannotChange(
                "the audit log is not whole, and a new key must not hide that: python -m data audit"
            )
        with self.store.writing() as connection:
            write_fact(connection, CHANGING, check_of(self.new))
            self._entry(connection, "begin key change")

    def table(self, one: Table, sealed: Column, prefix: str, progress: Progress | None) -> int:
        """Seal a table's column anew. Returns how many rows this run sealed."""
        key, last, done = list(one.primary_key.columns), None, 0
        change = update(one).where(*(part == bindparam(f"key_{part.name}") for part in key))
        change = change.values({sealed.name: bindparam("sealed_anew")})
        while True:
            page = select(*key, sealed).order_by(*key).limit(BATCH)
            if last is not None:
                page = page.where(tuple_(*key) > tuple_(*last))
            with reading(self.engine) as connection:
                rows = connection.execute(page).all()
            if not rows:
                return done
            fresh = []
            for row in rows:
                anew = self._anew(row[-1], f"{prefix}:{row[0]}")
                if anew is not None:
                    named = {f"key_{part.name}": cell for part, cell in zip(key, row, strict=False)}
                    fresh.append(named | {"sealed_anew": anew})
            if fresh:
                with writing(self.engine) as connection:
                    connection.execute(change, fresh)
            last, done = rows[-1][:-1], done + len(fresh)
            if progress is not None:
                progress(done, 0, f"{_STEP}, {one.name}")

    def files(self) -> int:
        """Seal the files of jobs and the notes on Feeder anew; pages of a pull that was cut off go."""
        done = 0
        for path, name in _sealed_files(self.target.folder):
            anew = self._anew(path.read_bytes(), name)
            if anew is not None:
                _replace(path, anew)
                done += 1
        return done

    def end(self) -> None:
        """The new key is the store's, in one transaction with the last entry that the former proves."""
        with self.store.writing() as connection:
            entry = self._entry(connection, "change key")
            successor = self.old.successor(self.new.master, entry)
            write_fact(connection, CHECK, check_of(successor))
            write_fact(connection, KEPT, successor.sealed_kept())
            write_fact(connection, STORE_ID, self.store.seal.store_id)
            facts = schema.store_facts
            connection.execute(delete(facts).where(facts.c.name == CHANGING))

    def _anew(self, sealed: bytes | None, name: str) -> bytes | None:
        """The same sealed with the new key; None when it is already, or there is nothing."""
        if sealed is None:
            return None
        sealed = bytes(sealed)
        try:
            self.new.decrypt(sealed, name)
            return None
        except KeyProblem:
            return self.new.encrypt(self.old.decrypt(sealed, name), name)

    def _entry(self, connection, action: str) -> int:
        told = {"from": self.old.fingerprint, "to": self.new.fingerprint}
        about = {"actor": self.actor, "role": "system", "object": "database"}
        return audit.append_in(connection, **about, action=action, detail=told)


def _outside(
    engine: Engine, facts: KeyFacts, target: Target, former: Cipher, new: Cipher, rows: int, files: int
) -> Changed:
    """Prove with the new key what lies outside the database: the head of the log, the list of erasures."""
    cipher = facts.unlocked(new.master)
    if cipher is None:
        raise KeyProblem("the store's rows are not all sealed with the new key: run rotate-key again")
    before, after = facts.seal(former, target.head), facts.seal(cipher, target.head)
    head = _kept(before)
    if head is not None and _kept(after) is None:
        after.keep(head, anew=True)
    tombstones.seal_anew(before, after, tombstones.list_of(after))
    swapping.settle(engine)  # no page of what was sealed before lingers in SQLite's log
    last = cipher.kept.audit[-1][0] if cipher.kept else 0
    return Changed(former.fingerprint, new.fingerprint, rows, files, last)


def _kept(seal: Seal) -> Head | None:
    try:
        return seal.kept()
    except (HeadForged, OSError):
        return None


def _sealed_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files below the folder that are sealed, and what they are bound to."""
    for one in sorted((folder / "jobs").glob("*/*")):
        if one.is_file() and (one.name == "names" or one.name.isdecimal()):
            yield one, f"job file:{one.parent.name}:{one.name}"
    for one in sorted((folder / "feeder").glob("*")):
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name != "lock" and not one.name.startswith("."):
            yield one, f"feeder note:{one.name}"


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.anew")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def put_in_place(new: Path, file: Path, former: Cipher) -> Path:
    """Let the new key's file take the place of the old one's, which stays under another name.

    Returns
    -------
    pathlib.Path
        Where the former key lies now.
    """
    aside = file.with_name(f"{file.name}.before-{former.fingerprint}")
    if not aside.exists():
        os.link(file, aside)
    new.replace(file)
    sync_folder(file.parent)
    return aside
