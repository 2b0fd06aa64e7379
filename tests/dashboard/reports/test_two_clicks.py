"""Two people, or two clicks of one, at the same moment: an approval and an undo happen once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from dashboard.reports import pipeline
from data.trust import audit
from data.trust.audit_chain import verify_chain
from data.trust.reports_store import ApprovalRefused
from data.trust.scope import Scope
from data.trust.undo import CannotUndo, last_import, undo_import


def at_once(act, refusal) -> list[bool]:
    """Whether each of two threads that begin together was done; False where it was refused."""
    barrier = Barrier(2)

    def one(number: int) -> bool:
        barrier.wait(30)
        try:
            act(number)
        except refusal:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(one, range(2)))


def test_two_clicks_on_approve_approve_once(small_register, monkeypatch):
    store = small_register.store
    register = pipeline.read_register(store, Scope.system())
    asked = pipeline.Request("abet-public", "IF", 2023)
    table, provenance = pipeline.build(store, register, asked)
    prepared = pipeline.prepare(store, table, provenance, actor="siti", role="accreditation")
    monkeypatch.setattr(pipeline, "print_files", lambda *_, **__: {"report.csv": b"x"})

    def approve(number: int) -> None:
        who = {"actor": f"dekan{number}", "role": "leadership"}
        pipeline.approve(store, Scope.system(), prepared.report_id, **who)

    assert at_once(approve, ApprovalRefused) == [False, True]
    assert len(audit.entries(store, action="approve report")) == 1
    assert verify_chain(store).intact
    assert pipeline.prove(store, Scope.system(), prepared.report_id).intact


def test_two_clicks_on_undo_undo_once(small_register):
    store = small_register.store
    wanted = last_import(store)

    def undo(number: int) -> None:
        undo_import(store, wanted, actor=f"rina{number}", role="registry")

    assert at_once(undo, CannotUndo) == [False, True]
    assert len(audit.entries(store, action="undo import")) == 1
    assert last_import(store) != wanted and verify_chain(store).intact
