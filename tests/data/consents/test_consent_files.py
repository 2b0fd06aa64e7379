"""Consents as offices write them: shapes, words and dates; refused with the cell; repeated; undone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import func, insert, select

from data import queries, schema
from data.consents.consent import record_consent
from data.consents.queries import consent_standing
from data.files.mapping import load_mapping
from data.files.register_files import guess_table
from data.records.ingest import RefusedImport, Source, apply_import, plan_import
from data.trust.scope import Scope
from data.trust.undo import CannotUndo, undo_import

TODAY = date(2026, 11, 28)
SYSTEM = Scope.system()
ALL = ("verification", "outcome_model", "research")


def source(text: str, table: str = "consents", name: str | None = None) -> Source:
    return Source(table, name or f"{table}.csv", text.strip().encode())


def planned(store, text: str, **options):
    return plan_import([source(text)], store=store, today=TODAY, **options)


def events(plan) -> list[tuple]:
    frame = plan.frames.consents
    return [
        (row.student_number, row.purpose, row.decision, row.decided_on.date().isoformat())
        for row in frame.itertuples()
    ]


def errors(plan) -> list[tuple]:
    return list(plan.errors[["file", "row", "column", "rule", "value"]].itertuples(index=False, name=None))


def holds(store, key: str) -> list:
    granted = consent_standing(store, SYSTEM, key)["granted"]
    return [None if pd.isna(one) else bool(one) for one in granted]


# --- shapes that are read --------------------------------------------------------------------------------
LONG = ("S01", "verification", "granted", "2024-09-01")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NIM;Keperluan;Status;Tanggal\nS01;Verifikasi Tanda Tangan;Setuju;01/09/2024", [LONG]),
        ("NPM,Tujuan,Keputusan,Tgl\nS01,verifikasi ttd,Ya,1 September 2024", [LONG]),
        ("NIM;Persetujuan;Status;Tanggal Persetujuan\nS01;verifikasi;disetujui;2024-09-01", [LONG]),
        ("Student ID,Purpose,Consent,Date\nS01,Signature verification,Yes,01/09/2024", [LONG]),
        ("student_number,purpose,decision,decided_on\nS01,verification,granted,2024-09-01", [LONG]),
        ("nim;purpose;granted;recorded_at\nS01;verification;1;2024-09-01 08:30:00", [LONG]),
        ("NIM;Keperluan;Tanggal Persetujuan;Tanggal Pencabutan\nS01;verifikasi;01/09/2024;", [LONG]),
        (
            "NIM;Keperluan;Status;Tanggal Persetujuan;Tanggal Pencabutan\n"
            "S01;verifikasi;dicabut;01/09/2024;05/02/2025",
            [LONG, ("S01", "verification", "withdrawn", "2025-02-05")],
        ),
        (
            "NIM;Keperluan;Status;Tanggal\nS01;Semua;tidak;01/09/2024",
            [("S01", one, "refused", "2024-09-01") for one in ALL],
        ),
        (
            "NIM;Keperluan;Status;Tanggal\n"
            "S01;verifikasi tanda tangan, riset dan peringatan dini;ya;01/09/2024",
            [("S01", one, "granted", "2024-09-01") for one in ALL],
        ),
        (
            "NIM;Tanggal;Verifikasi Tanda Tangan;Model Kelulusan;Penelitian\nS01;01/09/2024;ya;tidak;",
            [LONG, ("S01", "outcome_model", "refused", "2024-09-01")],
        ),
        (
            "NIM;Verifikasi;Tanggal Persetujuan Verifikasi;Riset;Tgl Persetujuan Riset\n"
            "S01;Y;01/09/2024;Tdk;02/09/2024",
            [LONG, ("S01", "research", "refused", "2024-09-02")],
        ),
        (
            "NIM;Keperluan;Status;Tanggal\nS01;riset;setuju;01/09/2024\nS01;riset;dicabut;01/01/2025\n"
            "S01;riset;setuju kembali;01/06/2025",
            [
                ("S01", "research", "granted", "2024-09-01"),
                ("S01", "research", "withdrawn", "2025-01-01"),
                ("S01", "research", "renewed", "2025-06-01"),
            ],
        ),
    ],
)
def test_the_shapes_and_words_of_offices_are_read(small_register, text, expected):
    assert guess_table("persetujuan.csv", text.encode()) == "consents"
    plan = planned(small_register.store, text)
    assert errors(plan) == []
    assert events(plan) == expected


def test_consents_stand_in_the_students_file_too(small_register):
    header = "NIM;Kode Prodi;Angkatan;Jenis Pendaftaran"
    one = f"{header};Persetujuan Verifikasi;Persetujuan Riset;Tanggal Persetujuan\n"
    one += "S01;IF;2019;Baru;ya;tidak;01/09/2019\nS02;IF;2019;Baru;;;\n"
    plan = plan_import([source(one, "students")], store=small_register.store, today=TODAY)
    assert guess_table("mahasiswa.csv", one.encode()) == "students"
    assert errors(plan) == []
    assert events(plan) == [
        ("S01", "verification", "granted", "2019-09-01"),
        ("S01", "research", "refused", "2019-09-01"),
    ]
    column = f"{header};Keperluan Persetujuan;Persetujuan;Tanggal Persetujuan\n"
    column += "S01;IF;2019;Baru;semua;ya;01/09/2019\n"
    plan = plan_import([source(column, "students")], store=small_register.store, today=TODAY)
    assert events(plan) == [("S01", purpose, "granted", "2019-09-01") for purpose in ALL]
    result = apply_import(small_register.store, plan, actor="rina")
    assert result.counts["consents"] == {"new": 3, "changed": 0, "same": 0}
    assert holds(small_register.store, small_register.keys["S01"]) == [True, True, True]


def test_a_consent_without_purpose_in_a_students_file_is_not_guessed(small_register):
    text = "NIM;Kode Prodi;Angkatan;Jenis Pendaftaran;Status Persetujuan;Tanggal Persetujuan\n"
    text += "S01;IF;2019;Baru;ya;01/09/2019"
    plan = plan_import([source(text, "students")], store=small_register.store, today=TODAY)
    (error,) = plan.errors.to_dict("records")
    assert (error["row"], error["rule"]) == (2, "REC002")
    assert "does not say for what" in error["message"]
    bare = source(text.replace("Status Persetujuan", "Persetujuan"), "students")
    (error,) = plan_import([bare], store=small_register.store, today=TODAY).errors.to_dict("records")
    assert (error["rule"], error["value"]) == ("REC005", "ya")
    assert "does not say for what" in error["message"]
    tied = load_mapping(b'extends = "siakad"\n[students.chosen]\nPersetujuan = "consent_verification"\n')
    plan = plan_import([bare], tied, store=small_register.store, today=TODAY)
    assert events(plan) == [("S01", "verification", "granted", "2019-09-01")]


def test_an_office_s_own_words_go_through_its_mapping(small_register):
    toml = b'extends = "siakad"\n[consents.columns]\npurpose = "Butir"\n'
    toml += (
        b'[consents.values.purpose]\n"Butir A" = "verification"\n"Penelitian kelulusan" = "outcome_model"\n'
    )
    toml += b'[consents.values.decision]\n"OK" = "granted"\n'
    text = "NIM;Butir;Status;Tanggal\nS01;Butir A;OK;01/09/2024\nS01;Penelitian kelulusan;OK;01/09/2024"
    plan = planned(small_register.store, text, mapping=load_mapping(toml))
    assert errors(plan) == [] and not (plan.problems["rule"] == "CON102").any()
    assert [event[1] for event in events(plan)] == ["verification", "outcome_model"]


def test_a_word_that_may_mean_research_or_the_model_is_taken_narrowly_and_said(small_register):
    plan = planned(
        small_register.store, "NIM;Keperluan;Status;Tanggal\nS01;penelitian kelulusan;setuju;01/09/2024"
    )
    assert [event[1] for event in events(plan)] == ["research"]
    (warning,) = plan.warnings[plan.warnings["rule"] == "CON102"].to_dict("records")
    assert (warning["row"], warning["value"]) == (2, "penelitian kelulusan")


def test_a_second_header_for_one_answer_is_said_not_dropped_in_silence(small_register):
    text = "NIM;Keperluan;Status;Persetujuan;Tanggal\nS01;riset;menolak;ya;01/09/2024"
    plan = planned(small_register.store, text)
    assert events(plan) == [("S01", "research", "refused", "2024-09-01")]
    named = plan.warnings[["rule", "column"]].to_numpy().tolist()
    assert named == [["REC113", "Persetujuan"], ["REC119", "Tanggal"]]  # 1/9 or 9/1: nothing shows which


# --- what is refused -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "column", "rule", "value"),
    [
        ("S01;menari;setuju;01/09/2024", "Keperluan", "REC005", "menari"),
        ("S01;riset, menari;setuju;01/09/2024", "Keperluan", "REC005", "riset, menari"),
        ("S01;riset;mungkin;01/09/2024", "Status", "REC005", "mungkin"),
        ("X99;riset;setuju;01/09/2024", "NIM", "REC011", "X99"),
        (";riset;setuju;01/09/2024", "NIM", "REC002", ""),
        ("S01;riset;setuju;29/11/2026", "Tanggal", "REC014", "29/11/2026"),
        ("S01;riset;setuju;31/02/2024", "Tanggal", "REC003", "31/02/2024"),
        ("S01;riset;setuju;", "Tanggal", "REC002", ""),
        ("S01;;setuju;01/09/2024", "Keperluan", "REC002", ""),
        ("S01;riset;;01/09/2024", "Status", "REC002", ""),
        ("S01;;;", "Status", "REC002", ""),
    ],
)
def test_a_row_that_leaves_something_open_is_refused_with_its_cell(small_register, line, column, rule, value):
    plan = planned(small_register.store, f"NIM;Keperluan;Status;Tanggal\nS02;riset;ya;01/09/2024\n{line}")
    assert errors(plan) == [("consents.csv", 3, column, rule, value)]
    with pytest.raises(RefusedImport):
        apply_import(small_register.store, plan, actor="rina")
    assert events(plan) == [("S02", "research", "granted", "2024-09-01")]


def test_today_is_no_future_and_tomorrow_is(small_register):
    text = "NIM;Keperluan;Status;Tanggal\nS01;riset;ya;{day}"
    assert errors(planned(small_register.store, text.format(day="28/11/2026"))) == []
    assert len(errors(planned(small_register.store, text.format(day="29/11/2026")))) == 1


def test_a_withdrawal_needs_a_date_of_its_own(small_register):
    text = "NIM;Keperluan;Status;Tanggal Persetujuan;Tanggal Pencabutan\nS01;riset;dicabut;01/09/2024;"
    assert errors(planned(small_register.store, text)) == [
        ("consents.csv", 2, "Tanggal Pencabutan", "REC002", "")
    ]


def test_yes_and_no_of_one_day_contradict_each_other(small_register):
    text = "NIM;Keperluan;Status;Tanggal\nS01;riset;ya;01/09/2024\nS01;riset;tidak;01/09/2024"
    assert [(row, rule) for _, row, _, rule, _ in errors(planned(small_register.store, text))] == [
        (2, "CON001"),
        (3, "CON001"),
    ]


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("NIM;Status;Tanggal", "purpose"),
        ("NIM;Keperluan;Tanggal", "decision"),
        ("NIM;Keperluan;Status", "decided_on"),
    ],
)
def test_a_file_without_a_needed_column_is_not_used(small_register, header, lacking):
    plan = planned(small_register.store, f"{header}\nS01;a;b")
    assert plan.unreadable
    (message,) = plan.errors.loc[plan.errors["rule"] == "REC001", "message"]
    assert f"no column for {lacking}" in message
    assert guess_table("x.csv", f"{header}\nS01;a;b\n".encode()) != "consents"


# --- withdrawals win, repetition changes nothing ---------------------------------------------------------
def test_a_withdrawal_of_an_earlier_date_holds_and_is_said(small_register):
    text = "NIM;Keperluan;Status;Tanggal\nS01;riset;setuju;02/09/2024\nS01;riset;dicabut;01/09/2024"
    plan = planned(small_register.store, text)
    apply_import(small_register.store, plan, actor="rina")
    assert holds(small_register.store, small_register.keys["S01"]) == [None, None, False]
    assert (plan.warnings["rule"] == "CON101").sum() == 1


def test_an_old_file_does_not_end_a_withdrawal_and_the_same_file_changes_nothing(small_register):
    store, key = small_register.store, small_register.keys["S01"]
    text = "NIM;Keperluan;Status;Tanggal;Sumber\nS01;riset;setuju;01/09/2024;F-1"
    apply_import(store, planned(store, text), actor="rina")
    record_consent(store, key, "research", "withdrawn", actor="rina", decided_on=date(2024, 10, 1))
    again = planned(store, text)
    assert again.counts["consents"] == {"new": 0, "changed": 0, "same": 1}
    assert apply_import(store, again, actor="rina").counts["consents"]["new"] == 0
    later = planned(store, text.replace("01/09/2024", "01/12/2024"))
    assert (later.warnings["rule"] == "CON101").any()
    apply_import(store, later, actor="rina")
    assert holds(store, key)[2] is False
    renewed = text.replace("setuju;01/09/2024", "setuju kembali;02/12/2024")
    apply_import(store, planned(store, renewed), actor="rina")
    assert holds(store, key)[2] is True
    apply_import(store, planned(store, renewed), actor="rina")
    assert len(queries.consent_history(store, SYSTEM, key)) == 4


def test_a_row_for_all_and_rows_for_each_are_kept_once(small_register):
    text = "NIM;Keperluan;Status;Tanggal\nS01;semua;ya;01/09/2024\nS01;riset;ya;01/09/2024"
    assert len(events(planned(small_register.store, text))) == 3


# --- undo ------------------------------------------------------------------------------------------------
def test_an_undone_import_takes_each_yes_back_and_leaves_each_no(small_register):
    store, key = small_register.store, small_register.keys["S01"]
    record_consent(store, key, "verification", "granted", actor="rina")
    text = "NIM;Keperluan;Status;Tanggal\nS01;verifikasi;dicabut;01/09/2024\nS01;riset;ya;01/09/2024"
    result = apply_import(store, planned(store, text), actor="rina")
    assert holds(store, key) == [False, None, True]
    undone = undo_import(store, result.import_id, actor="rina", role="registry")
    assert undone.removed == {"consents": 1}
    assert holds(store, key) == [False, None, None]  # the withdrawal was said: undoing cannot unsay it
    again = apply_import(store, planned(store, text), actor="rina")
    assert again.counts["consents"] == {"new": 1, "changed": 0, "same": 1}


def test_students_whom_an_undone_import_brought_go_with_what_it_said_of_them(store):
    text = "NIM;Nama;Kode Prodi;Program Studi;Jenjang;Angkatan;Persetujuan verifikasi;Tanggal Persetujuan"
    text += "\n77001;Ani;IF;Informatika;S1;2021;tidak;01/09/2024"
    plan = plan_import([Source("students", "m.csv", text.encode())], store=store)
    result = apply_import(store, plan, actor="rina")
    assert result.counts["consents"]["new"] == 1
    undone = undo_import(store, result.import_id, actor="rina", role="registry")
    assert undone.removed["consents"] == undone.removed["students"] == 1


def test_an_import_stays_once_a_signature_was_enrolled_by_its_consents(small_register):
    store, key = small_register.store, small_register.keys["S01"]
    text = "NIM;Keperluan;Status;Tanggal\nS01;verifikasi;ya;01/09/2024"
    result = apply_import(store, planned(store, text), actor="rina")
    with store.writing() as connection:
        row = {"student_key": key, "at": pd.Timestamp.now("UTC").to_pydatetime().replace(tzinfo=None)}
        row |= {"actor": "rina", "kind": "enrolled", "descriptor_id": "d@1", "descriptor_sha256": "0"}
        row |= {"classifier_version": "1", "reference_ids": [], "left_out": {}}
        connection.execute(insert(schema.enrolments).values(**row))
    with pytest.raises(CannotUndo) as refusal:
        undo_import(store, result.import_id, actor="rina", role="registry")
    assert refusal.value.code == "used"
    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.consents)) == 1


def test_an_import_stays_once_a_score_rests_on_its_consents(small_register):
    from data.store import save_model, write_scores

    store, key = small_register.store, small_register.keys["S07"]
    text = "NIM;Keperluan;Status;Tanggal\nS07;model hasil;ya;01/09/2024"
    result = apply_import(store, planned(store, text), actor="rina")
    save_model(store, "m1", "m1", {}, "served")
    score = {"student_key": key, "as_of_index": 2, "modality": "fused", "risk": 0.6, "band": "high"}
    score |= {"as_of_term": 20221, "target": "late", "model_version": "m1", "risk_low": 0.1, "risk_high": 0.9}
    zeros = pd.DataFrame([[0.0, 0.0]]).to_numpy()
    write_scores(store, pd.DataFrame([score | {"margin": 0.0}]), zeros, zeros, zeros[0, :1])
    with pytest.raises(CannotUndo) as refusal:
        undo_import(store, result.import_id, actor="rina", role="registry")
    assert refusal.value.code == "scored"


def test_a_withdrawal_by_file_erases_the_scores_the_signature_took_part_in(small_register):
    from data.store import save_model, write_scores

    store, key = small_register.store, small_register.keys["S07"]
    record_consent(store, key, "outcome_model", "granted", actor="rina", decided_on=date(2022, 9, 1))
    save_model(store, "m1", "m1", {}, "served")
    about = {"as_of_term": 20221, "target": "late", "model_version": "m1", "risk_low": 0.1, "risk_high": 0.9}
    rows = [
        {"student_key": key, "as_of_index": 1, "modality": "records", "risk": 0.3, "band": "low"},
        {"student_key": key, "as_of_index": 2, "modality": "fused", "risk": 0.6, "band": "high"},
    ]
    zeros = pd.DataFrame([[0.0], [0.0]]).to_numpy()
    write_scores(store, pd.DataFrame(rows).assign(**about, margin=0.0), zeros, zeros, zeros[:, 0])
    text = "NIM;Keperluan;Status;Tanggal\nS07;model hasil;dicabut;01/02/2023"
    apply_import(store, planned(store, text), actor="rina")
    with store.reading() as connection:
        left = connection.scalars(select(schema.scores.c.modality)).all()
    assert left == ["records"]


SAMPLES = Path(__file__).parents[2] / "samples"


def test_the_register_s_own_files_are_not_taken_for_consents():
    for path in sorted(SAMPLES.glob("*.csv")):
        assert guess_table(path.name, path.read_bytes()) != "consents"
