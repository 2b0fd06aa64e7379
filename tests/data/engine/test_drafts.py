"""What a kill leaves of a file that was being written is gone after the next one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from filelock import FileLock

from data.engine.clock import now
from data.engine.drafts import forget_drafts
from data.keeping.tombstones import bury
from data.store import open_store
from data.trust import audit


class Killed(BaseException):
    """Ends a process as no error that anybody catches does."""


def killed(*_):
    raise Killed


def test_drafts_of_processes_that_are_gone_are_deleted_and_others_stay(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (f".m.{gone.pid}.part", f".m.{os.getpid()}.part", ".m.x.part", f".n.{gone.pid}.part", "m"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("a")
    forget_drafts(tmp_path, ".m.", ".part")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f".m.{os.getpid()}.part", ".m.x.part", f".n.{gone.pid}.part", "m"}
    forget_drafts(tmp_path / "nowhere", ".m.", ".part")


def test_a_kill_while_the_head_is_kept_leaves_nothing_after_the_next_entry(tmp_path, monkeypatch):
    store = open_store(folder=tmp_path)
    about = {"actor": "rina", "role": "registry", "action": "view student", "object": "x"}

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)  # a kill tidies nothing up
        with pytest.raises(Killed):
            audit.append(store, **about)
    assert [path.name for path in tmp_path.glob(".audit-head*")] == [".audit-head.json-draft"]
    audit.append(store, **about)
    assert list(tmp_path.glob(".audit-head*")) == []
    store.close()


@pytest.mark.parametrize("name", ["audit-head.json", "erasures.json"])
def test_a_file_that_was_being_written_is_swept_up_by_the_next_command_unless_somebody_writes_it_now(
    tmp_path, name
):
    open_store(folder=tmp_path).close()
    file, draft = tmp_path / name, tmp_path / f".{name}-draft"
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    draft.write_bytes(b"half a")
    with FileLock(f"{file}.lock"):
        open_store(folder=tmp_path).close()
        assert draft.exists()
    open_store(folder=tmp_path).close()
    assert not draft.exists()
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.json")} == kept


def test_a_kill_while_the_list_of_erasures_is_replaced_leaves_a_draft_of_one_name(tmp_path, monkeypatch):
    store = open_store(folder=tmp_path)
    row = {"erasure_id": "e1", "kind": "student", "at": now(), "student_key": "k"}
    row |= {"actor": "a", "receipt": {}}
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            bury(store.seal, row)
    assert [path.name for path in tmp_path.glob(".erasures*")] == [".erasures.json-draft"]
    bury(store.seal, row)
    assert list(tmp_path.glob(".erasures*")) == []
    store.close()
