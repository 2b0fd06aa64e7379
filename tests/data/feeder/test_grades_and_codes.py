"""Course grades and code lists from a Feeder: the same checks as files, twice the same, clashes named."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.engine.bulk import fetch
from data.feeder.lists import GRADES, Cohorts
from data.feeder.protocol import AnswerError
from data.feeder.pull import Wanted
from data.feeder.reconcile import NOT_REPORTED, VANISHED
from data.records.ingest import Source, apply_import, plan_import
from data.trust.scope import Scope
from tests.data.feeder import registers
from tests.data.feeder.server import served
from tests.data.feeder.test_pull import TODAY, WANTED, count, new_store, pulled_from  # noqa: F401 - a fixture

ACT = GRADES.act


def attempts(store) -> pd.DataFrame:
    table, identity = schema.course_attempts, schema.identities
    with store.reading() as connection:
        statement = select(identity.c.student_number, table).join(
            identity, identity.c.student_key == table.c.student_key
        )
        found = fetch(connection, statement).drop(columns=["student_key", "import_id"])
    return found.sort_values(["student_number", "course_code", "term_id"], ignore_index=True)


def khs_of(students) -> bytes:
    lines = ["NIM;Periode;Kode MK;Nama MK;SKS;Nilai Huruf;Nilai Indeks;Sifat;Kelas"]
    for one in students:
        for taken in one["grades"]:
            kind = "Pilihan" if taken["course"] == "PL1" else "Wajib"
            lines.append(
                f"{one['nim']};{taken['term']};{taken['course']};{registers.COURSES[taken['course']]};3;"
                f"{taken['letter']};{taken['points'].replace('.', ',')};{kind};01"
            )
    return "\n".join(lines).encode()


def test_grades_by_the_line_are_those_of_a_khs_and_a_second_night_changes_nothing(new_store):  # noqa: F811
    students = registers.with_grades(registers.invented(60))
    by_line, by_files = new_store("line"), new_store("files")
    rows = registers.rows_of(students)
    with served(rows) as feeder:
        done = pulled_from(feeder, by_line)
        assert done.written, done.plan.errors
        assert done.counts["course_attempts"]["new"] == len(rows[ACT]) > 200
        again = pulled_from(feeder, by_line)
        assert (again.changes, again.import_id, len(again.reconciliation.missing)) == (0, None, 0)
    files = {**registers.office_files(students), "grades": khs_of(students)}
    plan = plan_import([Source(t, f"{t}.csv", c) for t, c in files.items()], store=by_files, today=TODAY)
    assert plan.accepted, plan.errors
    apply_import(by_files, plan, actor="biro")
    pd.testing.assert_frame_equal(attempts(by_line), attempts(by_files))
    assert set(attempts(by_line)["compulsory"]) == {"required", "elective"}


def test_terms_that_feeder_leaves_empty_are_told_by_the_grades(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(12))
    with served(registers.rows_of(students)) as feeder:
        pulled_from(feeder, store)
    terms = queries.records_until(store).terms
    graded = {(g["term"], one["nim"]) for one in students for g in one["grades"]}
    assert terms["credits_passed"].notna().sum() == len(graded)  # Feeder's activity has no such figure
    assert terms["courses_failed"].sum() == sum(g["letter"] == "E" for one in students for g in one["grades"])


def test_the_comparison_names_grades_that_feeder_does_not_have(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(24))
    rows = registers.rows_of(students)
    with served(rows) as feeder:
        pulled_from(feeder, store)
        gone = rows[ACT].pop(3)
        done = pulled_from(feeder, store)
        missing = done.reconciliation.missing
        assert missing[["state", "what", "student_number", "courses"]].values.tolist() == [
            [VANISHED, "grade", gone["nim"], gone["id_matkul"].removeprefix("mk-")]
        ]
        counts = done.reconciliation.counts
        assert (counts["grades_ours"] - counts["grades_feeder"]).sum() == 1
        assert (counts["difference"] == 0).all()
        without = pulled_from(feeder, store, Wanted(page_rows=40, grades=False))
    assert len(without.reconciliation.missing) == 0
    assert without.reconciliation.counts["grades_ours"].isna().all()
    assert without.reconciliation.number(NOT_REPORTED) == 0


def test_a_pull_that_failed_amid_the_grades_goes_on_there(new_store):  # noqa: F811
    store = new_store()
    rows = registers.rows_of(registers.with_grades(registers.invented(60)))
    with served(rows) as feeder:
        feeder.before[ACT] = [lambda: None] * 3 + [lambda: feeder.always.update({ACT: "error"})]
        with pytest.raises(AnswerError, match=ACT):
            pulled_from(feeder, store)
        assert count(store, schema.course_attempts) == count(store, schema.imports) == 0
        feeder.always.clear()
        done = pulled_from(feeder, store)
    assert done.resumed and count(store, schema.course_attempts) == len(rows[ACT])


def test_an_unknown_mark_is_refused_by_name_as_in_a_file(new_store):  # noqa: F811
    store, rows = new_store(), registers.rows_of(registers.with_grades(registers.invented(12)))
    rows[ACT][2] |= {"nilai_huruf": "Q9", "nilai_indeks": ""}
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    assert done.plan.errors[["file", "column", "rule", "value"]].values.tolist() == [
        ["feeder-grades.csv", "nilai_huruf", "REC025", "Q9"]
    ]
    assert not done.written


def test_some_cohorts_bring_their_own_grades_and_what_is_left_is_counted(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(40))
    rows = registers.rows_of(students)
    wanted = {one["nim"] for one in students if one["entry"].startswith("2020")}
    others = sum(row["nim"] not in wanted for row in rows[ACT])
    with served(rows) as feeder:
        feeder.unfiltered = {ACT}
        done = pulled_from(feeder, store, Wanted(Cohorts(2020, 2020), page_rows=40))
    assert set(attempts(store)["student_number"]) == wanted
    named = done.plan.warnings[done.plan.warnings["rule"] == "REC147"]
    exits = sum(row["nim"] not in wanted for row in rows["GetListMahasiswaLulusDO"])
    assert named[["file", "message"]].values.tolist() == [
        ["GetListMahasiswaLulusDO", f"{exits:,} rows left out: of students of other entry years"],
        [ACT, f"{others:,} rows left out: of students of other entry years"],
    ]


def test_rows_without_a_key_are_left_out_and_counted(new_store):  # noqa: F811
    store, rows = new_store(), registers.rows_of(registers.with_grades(registers.invented(8)))
    total = dict.fromkeys(rows[ACT][0], None) | {"sks_mata_kuliah": "99.00"}
    rows[ACT].append(total)
    rows["GetRekapJumlahMahasiswa"].append({"id_prodi": None, "id_periode": "20221", "aktif": 9})
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    named = done.plan.warnings[done.plan.warnings["rule"] == "REC147"].set_index("file")["message"]
    assert named[ACT].startswith("1 rows left out: without id_registrasi_mahasiswa")
    assert named["GetRekapJumlahMahasiswa"].startswith("1 rows left out")
    assert count(store, schema.course_attempts) == len(rows[ACT]) - 1


def test_feeders_own_words_hold_against_the_number_and_a_clash_is_named(new_store):  # noqa: F811
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    swapped = {"1": "Mengundurkan diri", "4": "Lulus"}
    for row in rows["GetJenisKeluar"]:
        row["jenis_keluar"] = swapped.get(row["id_jenis_keluar"], row["jenis_keluar"])
    gone = rows["GetListMahasiswaLulusDO"]
    for row in gone:
        row["nama_jenis_keluar"] = ""
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    kinds = queries.outcomes(store)["exit_type"].value_counts()
    assert kinds["resigned"] == sum(row["id_jenis_keluar"] == "1" for row in gone)
    assert kinds.get("graduated", 0) == sum(row["id_jenis_keluar"] == "4" for row in gone)
    named = done.plan.warnings[done.plan.warnings["rule"] == "REC146"]["message"].tolist()
    assert named == [
        "id_jenis_keluar 1 is 'Mengundurkan diri' there; taken for graduated until now",
        "id_jenis_keluar 4 is 'Lulus' there; taken for resigned until now",
    ]


def test_a_number_whose_words_nobody_knows_is_refused_by_its_words(new_store):  # noqa: F811
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    next(row for row in rows["GetJenisKeluar"] if row["id_jenis_keluar"] == "1")["jenis_keluar"] = "Entah"
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    assert set(done.plan.errors["value"]) == {"Entah"} and set(done.plan.errors["rule"]) == {"REC005"}


def test_a_feeder_without_code_lists_and_grades_is_read_as_before(new_store):  # noqa: F811
    store, students = new_store(), registers.invented(20)
    rows = registers.rows_of(students)
    lists = ("GetStatusMahasiswa", "GetJenisKeluar", "GetJenisPendaftaran", "GetSemester")
    others = ("GetListMataKuliah", "GetMatkulKurikulum", "GetKRSMahasiswa")
    for act in (*lists, *others, "GetNilaiTransferPendidikanMahasiswa", ACT):
        del rows[act]
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    assert done.written and set(done.without) >= {*lists, ACT}
    assert "course_attempts" not in done.counts
    kinds = queries.outcomes(store)["exit_type"].value_counts()
    assert kinds["graduated"] == sum(bool(s["exit"]) and s["exit"]["kind"] == "1" for s in students)


def test_a_student_waiting_for_the_exam_is_read_with_its_status(new_store):  # noqa: F811
    store, rows = new_store(), registers.rows_of(registers.invented(8))
    row = rows["GetAktivitasKuliahMahasiswa"][-1]
    row |= {"id_status_mahasiswa": "U", "ips": "0.00", "sks_semester": 0}
    with served(rows) as feeder:
        pulled_from(feeder, store)
    with store.reading() as connection:
        statuses = fetch(connection, select(schema.terms.c.status))["status"]
    assert (statuses == "U").sum() == 1


def test_the_table_of_what_is_missing_opens_as_a_file(new_store):  # noqa: F811
    from data.feeder.handing_out import MISSING, files_of

    store, students = new_store(), registers.with_grades(registers.invented(12))
    rows = registers.rows_of(students)
    with served(rows) as feeder:
        pulled_from(feeder, store)
        rows[ACT].pop()
        done = pulled_from(feeder, store)
    content = dict(files_of(done, identified=True))[MISSING].decode("utf-8-sig")
    assert "courses" in pd.read_csv(io.StringIO(content), sep=None, engine="python").columns


NEWEST = "20252"


def _marks(store, *wanted: str) -> dict:
    rows = attempts(store)
    kept = rows[rows["result"].isin(wanted)]
    return {
        (row.student_number, row.course_code, row.term_id): (row.result, row.credits)
        for row in kept.itertuples()
    }


def test_courses_of_the_newest_term_are_taken_and_open_until_their_mark_comes(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(24))
    now = next(
        one for one in students if any(t["term"] == NEWEST and t["status"] == "A" for t in one["terms"])
    )
    past = next(t["term"] for t in now["terms"] if t["status"] == "A" and t["term"] != NEWEST)
    now["grades"] = [mark for mark in now["grades"] if mark["course"] != "PL1"]
    # Taken this term; and a class of an earlier term that nobody has ever closed.
    now["taken"] = [{"term": NEWEST, "course": "PL1"}, {"term": past, "course": "PL1"}]
    with served(registers.rows_of(students)) as feeder:
        first = pulled_from(feeder, store)
        asked = [body["filter"] for body in feeder.asked if body["act"] == "GetKRSMahasiswa"]
        again = pulled_from(feeder, store)
    assert first.written, first.plan.errors
    assert set(asked) == {f"id_periode = '{NEWEST}'"}
    assert _marks(store, "open") == {(now["nim"], "PL1", int(NEWEST)): ("open", 3)}
    assert (again.changes, len(again.reconciliation.missing)) == (0, 0)
    counts = first.reconciliation.counts
    assert (counts["grades_ours"] == counts["grades_feeder"]).all()
    now["grades"].append({"term": NEWEST, "course": "PL1", "letter": "A", "points": "4.00"})
    with served(registers.rows_of(students)) as feeder:
        done = pulled_from(feeder, store)
    assert done.counts["course_attempts"] == {
        "new": 0,
        "changed": 1,
        "same": done.counts["course_attempts"]["same"],
    }
    assert _marks(store, "open") == {}


def test_a_feeder_that_cannot_be_asked_for_a_term_gives_its_newest_one_all_the_same(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(24))
    now = next(
        one for one in students if any(t["term"] == NEWEST and t["status"] == "A" for t in one["terms"])
    )
    now["grades"] = []
    now["taken"] = [{"term": NEWEST, "course": "PL1"}, {"term": now["terms"][0]["term"], "course": "MK1"}]
    with served(registers.rows_of(students)) as feeder:
        feeder.unfiltered.add("GetKRSMahasiswa")
        done = pulled_from(feeder, store)
    assert done.written and list(_marks(store, "open")) == [(now["nim"], "PL1", int(NEWEST))]


def test_credits_from_elsewhere_are_passed_at_entry_and_in_no_average(new_store):  # noqa: F811
    store, students = new_store(), registers.with_grades(registers.invented(24))
    one = next(one for one in students if one["grades"])
    one["grades"] = [mark for mark in one["grades"] if mark["course"] != "PL1"]
    one["taken_over"] = [one["grades"][0]["course"], "PL1"]
    with served(registers.rows_of(students)) as feeder:
        first, again = pulled_from(feeder, store), pulled_from(feeder, store)
    assert first.written, first.plan.errors
    # The other course has a mark here, which stays.
    assert _marks(store, "transferred") == {(one["nim"], "PL1", int(one["entry"])): ("transferred", 3)}
    assert (again.changes, len(again.reconciliation.missing)) == (0, 0)
    terms = queries.records_until(store).terms
    with_row = terms[terms["student_key"] == queries.find_student(store, Scope.system(), one["nim"])]
    taken = [mark for mark in one["grades"] if mark["term"] == one["entry"]]
    figures = with_row.set_index("term_id").loc[int(one["entry"])]
    assert figures["credits_passed"] == 3 * (1 + sum(mark["letter"] != "E" for mark in taken))
    assert figures["courses_repeated"] == 0
