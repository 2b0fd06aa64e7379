"""What a kill leaves of a file that was being written is gone after the next one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from filelock import FileLock

from data.engine.drafts import forget_drafts
from data.store import open_store
from data.trust import audit


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

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)  # a kill tidies nothing up
        with pytest.raises(Killed):
            audit.append(store, **about)
    assert [path.name for path in tmp_path.glob(".audit-head*")] == [".audit-head.json-draft"]
    audit.append(store, **about)
    assert list(tmp_path.glob(".audit-head*")) == []
    store.close()


def test_a_head_that_was_being_written_is_swept_up_by_the_next_command_unless_somebody_writes_it_now(
    tmp_path,
):
    open_store(folder=tmp_path).close()
    head = tmp_path / "audit-head.json"
    draft = tmp_path / ".audit-head.json-draft"
    kept = head.read_bytes()
    draft.write_bytes(b"half a")
    with FileLock(f"{head}.lock"):
        open_store(folder=tmp_path).close()
        assert draft.exists()
    open_store(folder=tmp_path).close()
    assert not draft.exists() and head.read_bytes() == kept
