"""Prepare, approve by somebody else, freeze, prove: on SQLite and PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from dashboard.reports import pipeline
from dashboard.reports.approve import Signer, prepared_report, reopened
from dashboard.reports.model import Override
from dashboard.reports.suppress import suppress
from dashboard.shell.wording import Words
from data import schema
from data.calendar.term_calendar import term_after, terms_between
from data.store import RecordFrames, set_fact, write_records
from data.trust import audit, audit_chain, reports_store
from data.trust.reports_store import ApprovalRefused
from data.trust.scope import Scope

REGISTER = Path(__file__).parents[2] / "samples" / "reports" / "register40.csv"


def frames() -> RecordFrames:
    rows = pd.read_csv(REGISTER, dtype={"leave": str})
    students = pd.DataFrame(
        {
            "student_number": rows["student"],
            "name": "Nama " + rows["student"],
            "program_code": "55201",
            "cohort_term": rows["cohort_term"],
            "entry_type": rows["entry_type"].astype(object).where(rows["entry_type"].notna(), None),
        }
    )
    programs = pd.DataFrame(
        [{"program_code": "55201", "name": "Informatika", "degree_level": "S1", "normal_terms": 8}]
    ).assign(required_credits=144)
    outcomes = pd.DataFrame(
        {
            "student_number": rows["student"],
            "exit_type": rows["exit_type"].astype(object).where(rows["exit_type"].notna(), None),
            "exit_date": pd.to_datetime(rows["exit_date"]),
            "terms_to_exit": rows["terms_to_exit"].astype("Int64"),
            "gpa_final": rows["gpa_final"],
            "observed_until": pd.Timestamp("2026-08-31"),
        }
    )
    terms = [
        {"student_number": row.student, "term_id": term_after(row.cohort_term, step), "term_index": step + 1}
        | {"status": "C" if str(term_after(row.cohort_term, step)) in str(row.leave).split() else "A"}
        for row in rows.itertuples()
        for step in range(studied(row))
    ]
    terms = pd.DataFrame(terms).assign(known_at=pd.Timestamp("2026-08-31"))
    return RecordFrames(programs, students, terms, outcomes, None)


def studied(row) -> int:
    known = not pd.isna(row.terms_to_exit)
    return min(14, int(row.terms_to_exit) if known else terms_between(row.cohort_term, 20252) + 1)


@pytest.fixture
def filled(store):
    write_records(store, frames(), source="register40.csv", files={}, actor="registry", synthetic=True)
    set_fact(store, "institution", "Universitas Contoh")
    return store


def built(store, profile="iaps40-8c", program="55201", **options):
    register = pipeline.read_register(store, Scope.system())
    return pipeline.build(store, register, pipeline.Request(profile, program, 2025, **options))


def test_a_report_from_the_store_equals_the_hand_count(filled):
    table, provenance = built(filled)
    assert [table.cell(row.key, "total").value for row in table.rows] == [4, 4, 4, 2]
    assert table.line("MS_net").value == pytest.approx((22239 / 365.25 - 1.5) / 14)
    assert provenance.institution == "Universitas Contoh" and provenance.synthetic
    assert provenance.row_counts["students"] == 40 and len(provenance.imports) == 1
    active, _ = built(filled, "iaps40-2a")
    assert [active.cell(row, "active_regular").value for row in ("TS-1", "TS")] == [16, 11]


def test_an_instrument_without_a_level_takes_every_programme_together(filled):
    table, _ = built(filled, "ipeds-gr", "")
    assert table.cell("TS-6", "adjusted").value == 6


def test_the_last_full_year_is_the_one_the_register_reaches(filled):
    assert pipeline.read_register(filled, Scope.system()).last_full_year() == 2025


def test_an_unknown_programme_is_named(filled):
    with pytest.raises(KeyError, match="99999"):
        built(filled, program="99999")


def test_a_frozen_report_survives_an_edit_of_the_data_and_proves_itself(filled):
    table, provenance = built(filled)
    prepared = pipeline.prepare(filled, table, provenance, actor="siti", role="accreditation")
    approved, files = pipeline.approve(
        filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership"
    )

    changed = frames()
    outcomes = changed.outcomes.copy()
    outcomes.loc[outcomes["student_number"] == "s16", ["exit_type", "exit_date"]] = [
        "graduated",
        pd.Timestamp("2026-07-10"),
    ]
    write_records(filled, replace(changed, outcomes=outcomes), source="new.csv", files={}, actor="registry")
    now_table, _ = built(filled)
    assert now_table.cell("TS-6", "total").value == 5

    kept = reports_store.stored_report(filled, Scope.system(), approved.report_id)
    frozen, proof = reopened(kept)
    assert frozen == table and frozen.cell("TS-6", "total").value == 4
    assert (proof.prepared_by, proof.approved_by, proof.status) == ("siti", "dekan", "approved")
    assert pipeline.prove(filled, Scope.system(), kept.report_id).intact
    again = pipeline.print_files(filled, pipeline.read_register(filled, Scope.system()), frozen, proof)
    assert again == files
    for data in files.values():
        assert pipeline.prove(filled, Scope.system(), kept.report_id, data).intact

    second = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    assert second.version == 2 and kept.version == 1


def test_a_draft_and_what_was_approved_of_it_lie_in_one_folder(filled):
    scope, register = Scope.system(), pipeline.read_register(filled, Scope.system())
    table, draft = built(filled)
    prepared = pipeline.prepare(filled, table, draft, actor="siti", role="accreditation")
    waiting = pipeline.print_files(filled, register, *reopened(prepared))
    steps: list[tuple[int, int]] = []
    told = {"progress": lambda done, total: steps.append((done, total))}
    _, approved = pipeline.approve(
        filled, scope, prepared.report_id, actor="dekan", role="leadership", **told
    )
    drafts = pipeline.print_files(filled, register, table, draft)
    assert len(drafts) == len(waiting) == len(approved)
    assert len(drafts | waiting | approved) == 3 * len(approved)
    day = draft.made_on.replace("-", "")
    assert all(f"_v1_disetujui_{day}_" in name or f"_v1_approved_{day}_" in name for name in approved)
    assert all("_draf" in name and "_v1_" not in name and day in name for name in drafts)
    # Whoever waits for it is told how many of the files are printed, to the last but one.
    assert steps[0] == (0, len(approved)) and {total for _, total in steps} == {len(approved)}
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_file_that_was_changed_is_not_recognised(filled):
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    _, files = pipeline.approve(filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership")
    name, data = next(iter(files.items()))
    assert pipeline.prove(filled, Scope.system(), prepared.report_id, data + b" ").problems == (
        "file_unknown",
    )


def test_nobody_approves_a_report_that_they_prepared(filled):
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    with pytest.raises(ApprovalRefused, match="same person") as refusal:
        pipeline.approve(filled, Scope.system(), prepared.report_id, actor="siti", role="accreditation")
    assert refusal.value.code == "own"
    assert reports_store.stored_report(filled, Scope.system(), prepared.report_id).status == "prepared"


def test_a_report_is_approved_once(filled):
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    pipeline.approve(filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership")
    with pytest.raises(ApprovalRefused, match="not waiting") as refusal:
        pipeline.approve(filled, Scope.system(), prepared.report_id, actor="rektor", role="leadership")
    assert refusal.value.code == "not_waiting"


@pytest.mark.parametrize("code", ["not_waiting", "own", "content", "not_approved"])
def test_why_an_approval_was_refused_is_said_in_the_readers_language(code):
    english, indonesian = (Words(one)(f"reports.refused_{code}") for one in ("en", "id"))
    assert english != indonesian


def test_the_database_refuses_to_change_an_approved_report(filled):
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    pipeline.approve(filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership")
    with pytest.raises(DBAPIError, match="frozen"), filled.writing() as connection:
        connection.execute(update(schema.reports).values(version=7))


def test_tampering_behind_the_triggers_back_shows(filled):
    """Whoever drops the trigger and recomputes the seal still disagrees with the hash-chained log."""
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    report = reports_store.stored_report(filled, Scope.system(), prepared.report_id)
    forged = dict(report.content)
    forged["cells"] = [
        cell | {"value": 40} if cell["column"] == "total" else cell for cell in forged["cells"]
    ]
    with filled.writing() as connection:
        connection.execute(update(schema.reports).values(content=forged))
    assert pipeline.prove(filled, Scope.system(), report.report_id).problems == (
        "content_changed",
        "seal_broken",
    )

    from dashboard.reports.approve import seal
    from dashboard.reports.provenance import content_hash

    proof = report.provenance | {"content_sha256": content_hash(forged)}
    with filled.writing() as connection:
        connection.execute(update(schema.reports).values(provenance=proof, sha256=seal(forged, proof)))
    assert pipeline.prove(filled, Scope.system(), report.report_id).problems == ("log_disagrees",)


def test_both_steps_are_in_the_audit_log(filled):
    prepared = pipeline.prepare(filled, *built(filled), actor="siti", role="accreditation")
    pipeline.approve(filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership")
    found = audit.entries(filled, object=prepared.report_id)
    assert found["action"].tolist() == ["approve report", "prepare report"]
    assert audit_chain.verify_chain(filled).intact


def test_a_correction_by_hand_is_kept_with_its_reason(filled):
    by_hand = (Override("TS-3", "accepted", 5, "late registration found in the archive", "siti"),)
    table, provenance = built(filled, overrides=by_hand)
    prepared = pipeline.prepare(filled, table, provenance, actor="siti", role="accreditation")
    frozen, _ = reopened(reports_store.stored_report(filled, Scope.system(), prepared.report_id))
    assert frozen.overrides == by_hand
    assert (frozen.cell("TS-3", "accepted").value, frozen.cell("TS-3", "accepted").computed) == (5, 4)


def test_an_override_needs_a_reason():
    with pytest.raises(ValueError, match="reason"):
        Override("TS-3", "accepted", 5, " ", "siti")


def test_a_suppressed_table_is_never_what_gets_frozen(filled):
    table, provenance = built(filled)
    with pytest.raises(ValueError, match="full one"):
        prepared_report(
            suppress(table),
            provenance,
            Signer("siti", "Siti", "accreditation"),
            report_id="x",
            version=1,
            at=pd.Timestamp("2026-01-01"),
        )


def test_no_report_reads_a_score(filled):
    """Drop the model's tables: every report still comes out the same."""
    before = built(filled)[0]
    with filled.writing() as connection:
        for name in ("explanations", "scores", "risk_current", "risk_cube", "embeddings"):
            connection.execute(text(f"DROP TABLE {name}" + (" CASCADE" if "postgres" in filled.url else "")))
    assert built(filled)[0] == before
