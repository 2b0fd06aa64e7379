"""An erasure takes along what jobs keep in files and may hold the erased: refused rows, failed uploads."""

from __future__ import annotations

from datetime import date

import pytest

from data.jobs import live as jobs_live
from data.jobs import table
from data.store import NewSpecimen, write_specimens
from data.trust import erase
from tests.data.trust.test_cached_pictures import ACTS, at_the_last_commit

WHO = {"actor": "rina", "role": "registry"}
ROWS = [("left_out.json", b'{"name": "Ani"}')]


@pytest.fixture
def signed(small_register):
    """The small register with one signature."""
    given = [NewSpecimen("S07", b"ink 1", date(2022, 9, 1), "enrollment", "png", 300, 100, 300)]
    write_specimens(small_register.store, given, source="scans.zip", actor="test", synthetic=True)
    return small_register


@pytest.mark.parametrize("act", ACTS)
def test_an_erasure_takes_kept_rows_before_it_can_no_longer_be_taken_back(signed, act):
    store, key = signed.store, signed.keys["S07"]
    listed, uploaded = jobs_live.keep_files(store, ROWS), jobs_live.keep_files(store, ROWS)
    table.enqueue(store, "import", {"files": uploaded}, **WHO)
    cancelled = table.take(store, "a")
    table.finish(store, cancelled, "failed", problem="unknown")
    with at_the_last_commit(store, lambda: jobs_live.files_are_kept(store, listed)) as said:
        act(store, key)
    assert said[-1] is False
    assert not jobs_live.files_are_kept(store, uploaded)  # an ended job's


def test_what_holds_nobody_and_what_an_open_job_works_on_stay(signed):
    store = signed.store
    receipts = jobs_live.keep_files(store, [("receipts.txt", b"a key")], of_nobody=True)
    waiting = jobs_live.keep_files(store, ROWS)
    job = table.enqueue(store, "import", {"files": waiting}, **WHO)
    jobs_live.report(store, job, jobs_live.JobProgress(1, 2, "writing rows"))
    erase.erase_student(store, signed.keys["S07"])
    assert jobs_live.kept_files(store, receipts) == [("receipts.txt", b"a key")]
    assert jobs_live.kept_files(store, waiting) == ROWS
    assert jobs_live.progress_of(store, job).done == 1


def test_a_no_to_the_outcome_model_erases_no_record_and_no_list(signed):
    store = signed.store
    listed = jobs_live.keep_files(store, ROWS)
    erase.withdraw_outcome_model(store, signed.keys["S07"], **WHO)
    assert jobs_live.files_are_kept(store, listed)
