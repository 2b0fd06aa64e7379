"""Altering an approved report behind the triggers' back is found, each way; approvals can be withdrawn."""

import runpy
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from dashboard.reports import pipeline
from dashboard.reports.approve import reopened, seal
from dashboard.reports.describe import provenance_pairs
from dashboard.reports.provenance import content_hash, file_hash
from data import schema
from data.calendar import clock
from data.store import write_records
from data.trust import audit, reports_store
from data.trust.accounts import Account, write_accounts
from data.trust.reports_store import ApprovalRefused
from data.trust.scope import Scope

frames = runpy.run_path(str(Path(__file__).with_name("test_approval.py")))["frames"]
SYSTEM = Scope.system()
FORGED = "f" * 64


@pytest.fixture
def approved(store):
    """An approved report in a store whose triggers somebody dropped."""
    write_records(store, frames(), source="register40.csv", files={}, actor="registry", synthetic=True)
    prepared = prepare(store)
    report, _ = pipeline.approve(store, SYSTEM, prepared.report_id, actor="dekan", role="leadership")
    sqlite = "sqlite" in store.url
    names = ("no_update", "no_delete") if sqlite else ("guard",)
    with store.writing() as connection:
        for table in ("reports", "audit_log"):
            for name in names:
                where = "" if sqlite else f" ON {table}"
                connection.execute(text(f"DROP TRIGGER tr_{table}_{name}{where}"))
    return report


def prepare(store, actor="siti"):
    register = pipeline.read_register(store, SYSTEM)
    built = pipeline.build(store, register, pipeline.Request("iaps40-8c", "55201", 2025))
    return pipeline.prepare(store, *built, actor=actor, role="accreditation", zone="Asia/Makassar")


def problems(store, report, file=None):
    return set(pipeline.prove(store, SYSTEM, report.report_id, file, whole_log=True).problems)


def alter(store, **values):
    with store.writing() as connection:
        connection.execute(update(schema.reports).values(**values))


def test_an_untouched_report_is_intact(store, approved):
    assert problems(store, approved) == set()


def test_the_names_of_who_stood_for_it_are_frozen_and_sealed(store):
    """Files name people as they were called then, and the clock where it was prepared if no setting tells."""
    write_records(store, frames(), source="register40.csv", files={}, actor="registry", synthetic=True)
    write_accounts(store, [Account("siti", "Siti Rahma", "accreditation")])
    prepared = prepare(store)
    write_accounts(store, [Account("siti", "Siti Hasan", "accreditation")])
    _, proof = reopened(prepared)
    assert (proof.prepared_name, proof.prepared_role) == ("Siti Rahma", "accreditation")
    assert proof.time_zone == "Asia/Makassar"
    again, _ = pipeline.approve(store, SYSTEM, prepared.report_id, actor="dekan", role="leadership")
    told = dict(provenance_pairs(*reopened(again), "en"))
    assert told["Prepared by"].startswith("Siti Rahma, Accreditation staff, ")
    assert told["Approved by"].startswith("dekan, Leadership, ") and told["Approved by"].endswith(" WITA")


def test_what_an_earlier_version_left_out_of_the_preparer_is_filled_in_with_the_approval(store):
    write_records(store, frames(), source="register40.csv", files={}, actor="registry", synthetic=True)
    write_accounts(store, [Account("siti", "Siti Rahma", "accreditation")])
    prepared = prepare(store)
    old = {name: value for name, value in prepared.provenance.items() if not name.startswith("prepared_")}
    old |= {name: prepared.provenance[name] for name in ("prepared_by", "prepared_at")} | {"time_zone": ""}
    alter(store, provenance=old)
    who = {"actor": "dekan", "role": "leadership", "zone": "Asia/Jayapura"}
    approved, files = pipeline.approve(store, SYSTEM, prepared.report_id, **who)
    told = dict(provenance_pairs(*reopened(approved), "en"))
    assert told["Prepared by"].startswith("Siti Rahma, ") and told["Prepared by"].endswith(" WIT")
    assert problems(store, approved, next(iter(files.values()))) == set()


def test_the_seal_in_the_files_is_that_of_the_audit_entries(store, approved):
    _, proof = reopened(approved)
    steps = audit.entries(store, object=approved.report_id)
    assert proof.seal == approved.sha256 == steps.iloc[0]["detail"]["sha256"]
    for data in pipeline.print_files(
        store, pipeline.read_register(store, SYSTEM), *reopened(approved)
    ).values():
        assert problems(store, approved, data) == set()


@pytest.mark.parametrize("part", ["prepared_name", "approved_name", "prepared_role", "time_zone"])
def test_another_name_or_clock_is_found(store, approved, part):
    proof = approved.provenance | {part: "Asia/Tokyo"}
    alter(store, provenance=proof)
    assert problems(store, approved) == {"seal_broken"}
    alter(store, provenance=proof, sha256=seal(approved.content, proof))
    assert problems(store, approved) == {"log_disagrees"}


def with_total(report, value):
    cells = [
        cell | {"value": value} if cell["column"] == "total" else cell for cell in report.content["cells"]
    ]
    return report.content | {"cells": cells}


def test_changed_content_is_found(store, approved):
    alter(store, content=with_total(approved, 40))
    assert problems(store, approved) == {"content_changed", "seal_broken"}


def test_changed_content_with_fresh_seals_is_found(store, approved):
    content = with_total(approved, 40)
    proof = approved.provenance | {"content_sha256": content_hash(content)}
    alter(store, content=content, provenance=proof, sha256=seal(content, proof))
    assert problems(store, approved) == {"log_disagrees"}


def test_a_changed_seal_is_found(store, approved):
    alter(store, sha256=FORGED)
    assert problems(store, approved) == {"seal_broken", "log_disagrees"}


def test_a_changed_approver_is_found_in_the_row_and_with_fresh_seals(store, approved):
    alter(store, approved_by="rektor")
    assert problems(store, approved) == {"people_changed"}
    proof = approved.provenance | {"approved_by": "rektor"}
    alter(store, approved_by="rektor", provenance=proof, sha256=seal(approved.content, proof))
    assert problems(store, approved) == {"people_changed", "log_disagrees"}


def test_a_changed_preparer_is_found(store, approved):
    alter(store, prepared_by="budi")
    assert problems(store, approved) == {"people_changed"}


def test_a_changed_file_map_is_found_and_its_file_with_it(store, approved):
    paper = b"%PDF-forged"
    alter(store, files=approved.files | {"forged.pdf": file_hash(paper)})
    assert problems(store, approved, paper) == {"files_changed"}


@pytest.mark.parametrize("values", [{"version": 7}, {"ts_year": 2024}, {"program_code": "57401"}])
def test_changed_labels_are_found(store, approved, values):
    alter(store, **values)
    assert problems(store, approved) == {"labels_changed", "log_disagrees"}


def test_an_approval_taken_back_in_the_row_is_found(store, approved):
    alter(store, status="prepared")
    assert problems(store, approved) == {"labels_changed", "log_disagrees"}


def test_a_deleted_row_is_found(store, approved):
    with store.writing() as connection:
        connection.execute(delete(schema.reports))
    assert problems(store, approved) == {"row_deleted"}
    assert reports_store.known_reports(store) == [approved.report_id]
    with pytest.raises(KeyError):
        pipeline.prove(store, replace(SYSTEM, program_codes=("57401",)), approved.report_id)


def test_an_entry_of_the_log_that_was_changed_or_deleted_is_found(store, approved):
    log = schema.audit_log
    steps = audit.entries(store, object=approved.report_id)
    with store.writing() as connection:
        entry = int(steps.iloc[0]["entry"])
        detail = steps.iloc[0]["detail"] | {"sha256": FORGED}
        connection.execute(update(log).where(log.c.entry == entry).values(detail=detail))
    assert problems(store, approved) == {"log_disagrees", "log_broken"}
    audit.append(store, actor="x", role="auditor", action="view", object="y")
    with store.writing() as connection:
        connection.execute(delete(log).where(log.c.entry == entry))
    assert problems(store, approved) >= {"log_disagrees", "log_broken"}
    with store.writing() as connection:
        connection.execute(delete(log))
    assert "log_disagrees" in problems(store, approved)


def test_the_preparer_in_other_letters_is_the_preparer(store, approved):
    second = prepare(store, "siti")
    with pytest.raises(ApprovalRefused, match="same person"):
        pipeline.approve(store, SYSTEM, second.report_id, actor="SITI", role="accreditation")
    write_accounts(store, [Account("siti", "Siti", "accreditation")])
    with pytest.raises(ValueError, match="'Siti' differs from 'siti' by case alone"):
        write_accounts(store, [Account("Siti", "Siti", "leadership")])
    write_accounts(store, [Account("siti", "Siti Aminah", "accreditation")])


def test_a_ts_that_has_not_ended_is_refused(store, approved, monkeypatch):
    asked = pipeline.Request("iaps40-8c", "55201", 2026)

    def register_on(day: date) -> pipeline.Register:
        monkeypatch.setattr(clock, "today", lambda _store: day)
        return pipeline.read_register(store, SYSTEM)

    with pytest.raises(pipeline.FutureYear, match="ts must be at most 2025, .* got 2026"):
        pipeline.build(store, register_on(date(2027, 8, 30)), asked)
    # Over, though the register does not reach its end.
    table, _ = pipeline.build(store, register_on(date(2027, 8, 31)), asked)
    assert table.line("PTW").state == "not_yet_observable"
    # A clock that is wrong takes nothing from the register.
    assert register_on(date(2026, 1, 1)).newest_year() == 2025


def test_withdrawing_an_approval_makes_a_new_version_with_the_reason(store, approved):
    asked = {"actor": "dekan", "role": "leadership"}
    with pytest.raises(ValueError, match="reason"):
        pipeline.withdraw(store, SYSTEM, approved.report_id, reason=" ", **asked)
    fresh = pipeline.withdraw(store, SYSTEM, approved.report_id, reason="two campuses were mixed up", **asked)
    assert (fresh.version, fresh.status, fresh.prepared_by) == (2, "prepared", "dekan")
    assert fresh.content == approved.content
    table, proof = reopened(fresh)
    said = dict(provenance_pairs(table, proof, "en"))["Replaces a version whose approval was withdrawn"]
    assert said == f"v1 ({approved.report_id}): two campuses were mixed up"
    found = pipeline.prove(store, SYSTEM, approved.report_id, whole_log=True)
    assert (found.problems, found.withdrawn) == ((), "two campuses were mixed up")
    with pytest.raises(ApprovalRefused, match="no approval to withdraw"):
        pipeline.withdraw(store, SYSTEM, approved.report_id, reason="again", **asked)
    with pytest.raises(ApprovalRefused, match="no approval to withdraw"):
        pipeline.withdraw(store, SYSTEM, fresh.report_id, reason="not approved yet", **asked)
    with pytest.raises(ApprovalRefused, match="same person"):
        pipeline.approve(store, SYSTEM, fresh.report_id, **asked)
    again, _ = pipeline.approve(store, SYSTEM, fresh.report_id, actor="rektor", role="leadership")
    assert problems(store, again) == set()
