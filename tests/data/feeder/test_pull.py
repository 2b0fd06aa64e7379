"""A pull from a service that answers like Feeder: equal to files, twice the same, honest about the rest."""

from __future__ import annotations

import shutil
from datetime import date

import pandas as pd
import pytest
from sqlalchemy import func, select

from data import schema
from data.engine.bulk import fetch
from data.feeder.lists import LISTS, PEOPLE, Cohorts
from data.feeder.protocol import AnswerError, FeederClient, FeederError
from data.feeder.pull import Wanted, pull
from data.feeder.reading import read_list
from data.feeder.reconcile import NOT_REPORTED, VANISHED
from data.feeder.staging import begun
from data.records.import_queries import known_records
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store, set_fact
from data.trust import audit
from data.trust.audit_chain import verify_chain
from data.trust.erase import erase_student
from data.trust.origin import RealDataRefused
from tests.data.feeder import registers
from tests.data.feeder.server import PASSWORD, USER, served

TODAY = date(2026, 9, 30)
WANTED = Wanted(page_rows=40)
SHARED = {
    "students": ["program_code", "cohort_term", "entry_type", "admission_path", "sex", "birth_year", "name"],
    "terms": ["term_id", "term_index", "status", "gpa_term", "gpa_cum", "credits_attempted", "credits_cum"],
    "outcomes": ["exit_type", "exit_term", "exit_date", "terms_to_exit", "gpa_final"],
}


@pytest.fixture
def new_store(tmp_path, sqlite_template):
    """Makes empty stores."""
    made = []

    def make(name: str = "own"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(sqlite_template, folder / "tepat.db")
        made.append(open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder))
        return made[-1]

    yield make
    for store in made:
        store.close()


def client_of(feeder, **options) -> FeederClient:
    return FeederClient(feeder.url, USER, PASSWORD, **{"pauses": (0.0, 0.0), **options})


def pulled_from(feeder, store, wanted=WANTED, **options):
    with client_of(feeder) as client:
        return pull(store, client, wanted, actor="biro", today=TODAY, **options)


def load(store, contents: dict[str, bytes]):
    sources = [Source(table, f"{table}.csv", content) for table, content in contents.items()]
    plan = plan_import(sources, store=store, today=TODAY)
    assert plan.accepted, plan.errors
    apply_import(store, plan, actor="biro")


def register(store) -> dict[str, pd.DataFrame]:
    """Everything that the register says, by student number."""
    with store.reading() as connection:
        numbers = fetch(connection, select(schema.identities))["student_number"]
    known = known_records(store, numbers)
    frames = {"programs": known.programs, "students": known.students}
    frames |= {"terms": known.terms, "outcomes": known.outcomes}
    keys = {"programs": ["program_code"], "terms": ["student_number", "term_id"]}
    return {
        name: frame.drop(columns="import_id", errors="ignore")
        .sort_values(keys.get(name, ["student_number"]))
        .reset_index(drop=True)
        for name, frame in frames.items()
    }


def count(store, table) -> int:
    with store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def assert_equal(ours: dict, theirs: dict, columns: dict | None = None):
    for name, frame in ours.items():
        wanted = frame.columns if columns is None or name not in columns else columns[name]
        pd.testing.assert_frame_equal(frame[wanted], theirs[name][wanted], check_dtype=False, obj=name)


def test_a_pull_of_some_hundred_students_equals_the_register_of_the_same_students_loaded_by_files(new_store):
    students = registers.invented(240)
    by_files, by_line = new_store("files"), new_store("line")
    load(by_files, registers.office_files(students))
    with served(registers.rows_of(students)) as feeder:
        done = pulled_from(feeder, by_line)
    assert (done.written, done.plan.accepted, done.counts["students"]["new"]) == (True, True, 240)
    assert len(register(by_line)["terms"]) > 1000
    assert_equal(register(by_line), register(by_files))


@pytest.mark.parametrize("world", ["samples", "second_university"])
def test_a_pull_says_what_the_offices_own_files_say(new_store, world):
    students, contents = getattr(registers, world)()
    by_files, by_line = new_store("files"), new_store("line")
    load(by_files, contents)
    with served(registers.rows_of(students)) as feeder:
        done = pulled_from(feeder, by_line)
    assert done.written, done.plan.errors
    here, there = register(by_line), register(by_files)
    there["outcomes"] = there["outcomes"][there["outcomes"]["exit_type"].notna()].reset_index(drop=True)
    assert_equal(here, there, SHARED)


def test_a_second_pull_changes_nothing_and_leaves_no_import_behind(new_store):
    store = new_store()
    with served(registers.rows_of(registers.invented(60))) as feeder:
        pulled_from(feeder, store)
        before, imports = register(store), count(store, schema.imports)
        again = pulled_from(feeder, store)
    assert (again.written, again.import_id, again.changes) == (True, None, 0)
    assert_equal(register(store), before)
    assert (count(store, schema.imports), count(store, schema.row_history)) == (imports, 0)
    assert len(again.reconciliation.missing) == 0


def test_both_databases_say_the_same_of_a_pull_and_of_what_vanished(store):
    rows = registers.rows_of(registers.invented(30))
    with served(rows) as feeder:
        first = pulled_from(feeder, store)
        gone = rows["GetAktivitasKuliahMahasiswa"].pop()
        again = pulled_from(feeder, store)
    assert (first.counts["students"]["new"], again.changes, again.import_id) == (30, 0, None)
    assert again.reconciliation.missing["student_number"].tolist() == [gone["nim"]]
    assert again.reconciliation.missing["state"].tolist() == [VANISHED]


def test_the_next_night_is_as_quiet_while_a_term_is_running(new_store):
    """The check used to say that every exit would change on the day after a load with an unfinished term."""
    store = new_store()
    with served(registers.rows_of(registers.invented(60))) as feeder, client_of(feeder) as client:
        for night in (date(2026, 8, 10), date(2026, 8, 11)):
            done = pull(store, client, WANTED, actor="biro", today=night)
    assert (done.changes, done.import_id, count(store, schema.imports)) == (0, None, 1)


def test_a_row_that_changed_replaces_ours_and_the_old_one_is_kept(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    with served(rows) as feeder:
        pulled_from(feeder, store)
        changed = rows["GetAktivitasKuliahMahasiswa"][7]
        changed["ips"] = "1.11"
        done = pulled_from(feeder, store)
    assert done.counts["terms"] | {"same": 0} == {"new": 0, "changed": 1, "same": 0}
    terms = register(store)["terms"]
    row = terms[
        (terms["student_number"] == changed["nim"]) & (terms["term_id"] == int(changed["id_semester"]))
    ]
    assert row["gpa_term"].tolist() == [1.11]
    with store.reading() as connection:
        old = fetch(connection, select(schema.row_history).where(schema.row_history.c.table_name == "terms"))
    assert old["row_key"].tolist() == [changed["id_semester"]]


def test_what_vanished_at_feeder_stays_here_and_is_reported_every_time_until_it_is_back(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    with served(rows) as feeder:
        pulled_from(feeder, store)
        before = register(store)
        term = rows["GetAktivitasKuliahMahasiswa"].pop(5)
        student = rows["GetListMahasiswa"][-1]["nim"]
        for act in ("GetListMahasiswa", "GetListRiwayatPendidikanMahasiswa", "GetAktivitasKuliahMahasiswa"):
            rows[act] = [row for row in rows[act] if row["nim"] != student]
        rows["GetListMahasiswaLulusDO"] = [
            row for row in rows["GetListMahasiswaLulusDO"] if row["nim"] != student
        ]
        for _ in range(2):
            done = pulled_from(feeder, store)
            missing = done.reconciliation.missing
            assert missing["state"].tolist() == [VANISHED, VANISHED]
            said = {(row.what, row.student_number, row.term_id) for row in missing.itertuples()}
            assert said == {("student", student, 0), ("term", term["nim"], int(term["id_semester"]))}
            assert_equal(register(store), before)
        rows["GetAktivitasKuliahMahasiswa"].append(term)
        assert pulled_from(feeder, store).reconciliation.missing["what"].tolist() == ["student"]


def test_who_is_not_reported_yet_stands_apart_and_is_counted_by_programme_and_term(new_store):
    store, students = new_store(), registers.invented(60)
    load(store, registers.office_files(students))
    rows = registers.rows_of([one for place, one in enumerate(students) if place != 8])
    missing_one = students[8]
    late = [row for row in rows["GetAktivitasKuliahMahasiswa"] if row["id_semester"] == "20252"]
    rows["GetAktivitasKuliahMahasiswa"] = [
        row for row in rows["GetAktivitasKuliahMahasiswa"] if row["id_semester"] != "20252"
    ]
    del rows["GetRekapJumlahMahasiswa"]
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
    both = done.reconciliation
    assert (both.number(VANISHED), both.number(NOT_REPORTED)) == (0, 1 + len(late))
    assert both.missing[both.missing["what"] == "student"]["student_number"].tolist() == [missing_one["nim"]]
    counts = both.counts.set_index(["program_code", "term_id"])
    assert set(counts["counted_by"]) == {"rows"}
    mine = [one for one in students for term in one["terms"] if term["term"] == "20252"]
    for code, *_ in registers.PROGRAMMES:
        number = sum(one["prodi"][0] == code for one in mine)
        if number:
            row = counts.loc[(code, 20252)]
            assert (row["ours"], row["feeder"], row["difference"]) == (number, 0, number)
            assert row["not_reported"] == number
    earlier = counts.loc[(missing_one["prodi"][0], int(missing_one["terms"][0]["term"]))]
    assert (earlier["difference"], earlier["not_reported"]) == (1, 1)
    assert done.without == ("GetRekapJumlahMahasiswa",)


def test_feeders_own_count_stands_beside_ours_when_it_differs_from_its_rows(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    told = rows["GetRekapJumlahMahasiswa"][0]
    told["aktif"] += 3
    total = {"id_prodi": None, "id_periode": told["id_periode"], "aktif": 99}
    with served(rows | {"GetRekapJumlahMahasiswa": [*rows["GetRekapJumlahMahasiswa"], total]}) as feeder:
        counts = pulled_from(feeder, store).reconciliation.counts
        differing = counts[counts["difference"] != 0]
        assert len(counts) == len(rows["GetRekapJumlahMahasiswa"])
        assert differing[["program_code", "difference", "counted_by"]].values.tolist() == [
            [told["id_prodi"].removeprefix("prodi-"), -3, "feeder"]
        ]
        cut = pulled_from(feeder, store, Wanted(Cohorts(2018, 2025), page_rows=40)).reconciliation.counts
    assert set(cut["counted_by"]) == {"rows"}  # Feeder's count knows no cohorts
    assert (cut["difference"] == 0).all()


def test_some_cohorts_are_pulled_alone_and_the_others_are_neither_touched_nor_missed(new_store):
    store, students = new_store(), registers.invented(80)
    with served(registers.rows_of(students)) as feeder:
        done = pulled_from(feeder, store, Wanted(Cohorts.read("2019-2020"), page_rows=40))
        wanted = {one["nim"] for one in students if one["entry"][:4] in ("2019", "2020")}
        assert set(register(store)["students"]["student_number"]) == wanted
        assert done.read["GetListMahasiswa"] == len(wanted)
        assert len(done.reconciliation.missing) == 0
        pulled_from(feeder, store)
        again = pulled_from(feeder, store, Wanted(Cohorts.read("2019-2020"), page_rows=40))
    assert (again.changes, len(again.reconciliation.missing)) == (0, 0)
    assert len(register(store)["students"]) == 80


def test_a_feeder_that_cannot_be_asked_by_cohort_is_read_whole_and_cut_here(new_store):
    store, students = new_store(), registers.invented(80)
    with served(registers.rows_of(students)) as feeder:
        feeder.unfiltered = {"GetListMahasiswa", "GetAktivitasKuliahMahasiswa"}
        done = pulled_from(feeder, store, Wanted(Cohorts(2019, 2020), page_rows=40))
    assert done.read["GetListMahasiswa"] == 80
    wanted = {one["nim"] for one in students if one["entry"][:4] in ("2019", "2020")}
    assert set(register(store)["students"]["student_number"]) == wanted
    assert set(register(store)["terms"]["student_number"]) == wanted
    assert len(done.reconciliation.missing) == 0


def test_terms_come_from_the_other_act_where_a_feeder_does_not_know_the_first(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(40))
    rows["GetListPerkuliahanMahasiswa"] = rows.pop("GetAktivitasKuliahMahasiswa")
    with served(rows) as feeder:
        done = pulled_from(feeder, store, Wanted(Cohorts(2018, 2025), page_rows=40))
    assert done.counts["terms"]["new"] == len(rows["GetListPerkuliahanMahasiswa"])


@pytest.mark.parametrize("text", ["2019", "2019-2026", " 2019 – 2026 ", "", None])
def test_cohorts_are_years(text):
    assert Cohorts.read(text) in (None, Cohorts(2019, 2019), Cohorts(2019, 2026))


@pytest.mark.parametrize("text", ["19", "2026-2019", "all", "2019-", "20191-20261"])
def test_what_is_no_year_is_refused(text):
    with pytest.raises(ValueError, match="cohorts must be years"):
        Cohorts.read(text)


def test_a_bad_row_is_refused_as_in_a_file_and_the_rest_waits_for_skip_bad(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(40))
    bad = rows["GetAktivitasKuliahMahasiswa"][3]
    bad["ips"] = "7.5"
    with served(rows) as feeder:
        done = pulled_from(feeder, store)
        assert (done.written, done.plan.errors["rule"].tolist()) == (False, ["REC004"])
        assert done.plan.returned["terms"]["nim"].tolist() == [bad["nim"]]
        assert count(store, schema.students) == count(store, schema.imports) == 0
        done = pulled_from(feeder, store, skip_bad=True)
        assert done.written
        assert count(store, schema.terms) == len(rows["GetAktivitasKuliahMahasiswa"]) - 1
        short = done.reconciliation.counts
        assert short[short["difference"] != 0]["difference"].tolist() == [-1]


def test_a_dry_run_checks_all_and_leaves_no_trace(new_store):
    store = new_store()
    with served(registers.rows_of(registers.invented(40))) as feeder:
        done = pulled_from(feeder, store, dry_run=True)
    assert (done.written, done.counts["students"]["new"]) == (False, 40)
    assert count(store, schema.students) == count(store, schema.imports) == 0
    assert audit.entries(store).empty
    assert sorted(path.name for path in (store.folder / "feeder").iterdir()) == ["lock"]


def test_only_listed_fields_are_ever_staged_and_none_that_is_never_stored(new_store):
    store, kept = new_store(), []

    def watch(done, total, what):
        from data.feeder.staging import Staging, _folders

        for folder in _folders(store):
            staging = Staging(store, folder.name, "")
            kept.extend(str(row) for one in (*LISTS, PEOPLE) for row in staging.rows(one))

    with served(registers.rows_of(registers.invented(12))) as feeder:
        done = pulled_from(feeder, store, Wanted(people=True, page_rows=40), progress=watch)
    assert done.written
    said = " ".join(kept)
    assert "Mahasiswa Rekaan" in said and "030000" in said
    for secret in (*registers.SECRETS, "Kec. Semarang Tengah", "036306", "Islam", "IJZ-1", "-03-2001"):
        assert secret not in said
    students = register(store)["students"]
    assert set(students["region"]) == {"030000"}
    assert students["parental_income"].isna().all()


def test_pages_lie_sealed_for_their_owner_only_and_go_when_the_pull_has_ended(new_store):
    store, seen = new_store(), []

    def watch(done, total, what):
        for path in sorted((store.folder / "feeder").rglob("*")):
            if path.is_file() and path.name != "lock":
                seen.append((path.name, path.stat().st_mode & 0o777, path.read_bytes()))

    students = registers.invented(30)
    with served(registers.rows_of(students)) as feeder:
        pulled_from(feeder, store, progress=watch)
    assert {mode for _, mode, _ in seen} == {0o600}
    assert any(name.startswith("GetAktivitas") for name, _, _ in seen)
    for _, _, content in seen:
        assert b"Mahasiswa" not in content and students[0]["nim"].encode() not in content
    assert sorted(path.name for path in (store.folder / "feeder").iterdir()) == ["asked", "lock", "seen"]


def test_a_student_who_was_erased_here_does_not_come_back_at_night(new_store):
    store, students = new_store(), registers.invented(40)
    with served(registers.rows_of(students)) as feeder:
        pulled_from(feeder, store)
        gone = students[4]["nim"]
        erase_student(store, store.cipher.student_key(gone))
        done = pulled_from(feeder, store)
    assert (done.erased, done.changes, len(done.reconciliation.missing)) == (1, 0, 0)
    assert gone not in set(register(store)["students"]["student_number"])


def test_a_demo_takes_no_pull(new_store):
    store = new_store()
    set_fact(store, "synthetic", True)
    with served(registers.rows_of(registers.invented(4))) as feeder, pytest.raises(RealDataRefused):
        pulled_from(feeder, store)
    assert feeder.asked == []


def test_a_feeder_that_lists_nobody_is_not_taken_for_one_from_which_everybody_vanished(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(20))
    with served(rows) as feeder:
        pulled_from(feeder, store)
        for act in list(rows):
            rows[act] = []
        with pytest.raises(FeederError, match="lists no student"):
            pulled_from(feeder, store)
        assert count(store, schema.students) == 20


def test_a_pull_that_failed_goes_on_where_it_stopped_and_reads_no_page_twice(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(120))
    with served(rows) as feeder:
        feeder.before["GetAktivitasKuliahMahasiswa"] = [lambda: None] * 5 + [
            lambda: feeder.always.update({"GetAktivitasKuliahMahasiswa": "error"})
        ]
        with pytest.raises(AnswerError, match=r"GetAktivitasKuliahMahasiswa after row 1\d\d: .* error 1107"):
            pulled_from(feeder, store)
        assert count(store, schema.students) == count(store, schema.imports) == 0
        feeder.always.clear()
        first = len(feeder.asked)
        done = pulled_from(feeder, store)
    assert done.resumed and done.written
    again = [body["act"] for body in feeder.asked[first:] if body["act"] != "GetToken"]
    assert "GetListMahasiswa" not in again
    offsets = [body["offset"] for body in feeder.asked if body.get("act") == "GetAktivitasKuliahMahasiswa"]
    answered = [offset for place, offset in enumerate(offsets) if offset not in offsets[:place]]
    assert answered == sorted(answered)
    assert count(store, schema.terms) == len(rows["GetAktivitasKuliahMahasiswa"])


def test_another_question_does_not_go_on_with_the_pages_of_the_first(new_store):
    store = new_store()
    with served(registers.rows_of(registers.invented(40))) as feeder:
        feeder.always["GetListMahasiswaLulusDO"] = "error"
        with pytest.raises(AnswerError):
            pulled_from(feeder, store)
        feeder.always.clear()
        done = pulled_from(feeder, store, Wanted(Cohorts(2018, 2019), page_rows=40))
    assert not done.resumed
    assert sorted(path.name for path in (store.folder / "feeder").iterdir()) == ["asked", "lock", "seen"]


def test_pages_that_were_damaged_or_are_old_are_read_again(new_store):
    import os

    store, rows = new_store(), registers.rows_of(registers.invented(60))
    with served(rows) as feeder:
        feeder.always["GetListMahasiswaLulusDO"] = "error"
        with pytest.raises(AnswerError):
            pulled_from(feeder, store)
        feeder.always.clear()
        page = sorted((store.folder / "feeder").glob("*/GetListMahasiswa.*"))[0]
        page.write_bytes(b"cut off" * 10)
        done = pulled_from(feeder, store)
        assert done.resumed and done.counts["students"]["new"] == 60
        feeder.always["GetListMahasiswaLulusDO"] = "error"
        with pytest.raises(AnswerError):
            pulled_from(feeder, store)
        feeder.always.clear()
        about = next((store.folder / "feeder").glob("*/about"))
        os.utime(about, (0, 0))
        assert not pulled_from(feeder, store).resumed


def test_a_list_that_moves_while_it_is_read_is_begun_anew(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(120))
    act = "GetAktivitasKuliahMahasiswa"
    moved = sorted(rows[act], key=lambda row: row["id_registrasi_mahasiswa"])[0]
    with served(rows) as feeder:
        feeder.before[act] = [lambda: None, lambda: None, lambda: rows[act].remove(moved)]
        done = pulled_from(feeder, store)
        assert done.read[act] == len(rows[act])
        assert sum(body["offset"] == 0 for body in feeder.asked if body["act"] == act) == 2
        feeder.before[act] = [lambda: rows[act].pop(0)] * 200
        with pytest.raises(FeederError, match="changes while it is read"):
            pulled_from(feeder, store)


def test_a_service_that_gives_fewer_rows_than_asked_for_loses_none(new_store):
    store, rows = new_store(), registers.rows_of(registers.invented(60))
    with served(rows, most=17) as feeder:
        done = pulled_from(feeder, store)
    assert done.counts["students"]["new"] == 60
    assert count(store, schema.terms) == len(rows["GetAktivitasKuliahMahasiswa"])


class Endless:
    """A client whose service always has one more row."""

    def __init__(self, one, letters: int = 1, page: int = 3):
        self.one, self.letters, self.page, self.asked = one, letters, page, 0

    def rows(self, act, *, offset, limit, **how):
        self.asked += 1
        assert self.asked < 500, "asked for ever"
        numbers = range(offset, offset + self.page)
        blank = {name: "" for name in self.one.fields}
        return [blank | {name: f"{n:0{self.letters}d}" for name in self.one.key} for n in numbers]


@pytest.mark.parametrize(
    ("limit", "most", "client", "said"),
    [
        ("MOST_ROWS", 100, {}, "more than 100 rows"),
        ("MOST_LETTERS", 5_000, {"letters": 50}, "more than 5,000 characters"),
        ("MOST_PAGES", 20, {"page": 2}, "more than 20 answers"),
    ],
)
def test_a_list_without_an_end_is_given_up_in_words(new_store, monkeypatch, limit, most, client, said):
    monkeypatch.setattr(f"data.feeder.reading.{limit}", most)
    store, one = new_store(), LISTS[0]
    staging = begun(store, {"test": 1})
    with pytest.raises(FeederError, match=f"{one.act}: {said}") as given_up:
        read_list(Endless(one, **client), one, staging, None, page_rows=10)
    assert given_up.value.code == "endless"
    again = begun(store, {"test": 1})  # what went before counts when it is tried again
    with pytest.raises(FeederError, match=said):
        read_list(Endless(one, **client), one, again, None, page_rows=10)


def test_the_rows_of_all_lists_of_a_pull_count_together(new_store, monkeypatch):
    rows = registers.rows_of(registers.invented(60))
    longest = max(len(found) for found in rows.values())
    monkeypatch.setattr("data.feeder.reading.MOST_ROWS", longest + 10)
    store = new_store()
    with served(rows) as feeder, pytest.raises(FeederError, match="rows"):
        pulled_from(feeder, store)
    assert count(store, schema.terms) == 0


def test_tokens_that_expire_are_renewed_as_often_as_needed(new_store):
    store = new_store()
    with served(registers.rows_of(registers.invented(60)), token_uses=3) as feeder:
        feeder.faults["GetProdi"] = ["expired"]
        done = pulled_from(feeder, store)
    assert done.counts["students"]["new"] == 60
    assert sum(body["act"] == "GetToken" for body in feeder.asked) > 5


def test_a_pull_and_its_import_are_an_entry_each_without_anybodys_name(new_store):
    store, students = new_store(), registers.invented(20)
    with served(registers.rows_of(students)) as feeder:
        pulled_from(feeder, store)
    entries = audit.entries(store)
    assert entries["action"].tolist() == ["pull feeder", "import files"]
    assert entries["detail"].iloc[0]["import"] == entries["object"].iloc[1]
    said = entries.to_json()
    assert "127.0.0.1" in said
    for secret in (PASSWORD, USER, students[0]["nim"], students[0]["name"]):
        assert secret not in said
    assert verify_chain(store).intact


def test_a_pull_whose_import_has_no_entry_writes_nothing_and_goes_on_later(new_store, monkeypatch):
    store = new_store()
    with served(registers.rows_of(registers.invented(20))) as feeder:
        with monkeypatch.context() as patched:
            patched.setattr(audit, "_appended", lambda *_: (_ for _ in ()).throw(OSError("no entry")))
            with pytest.raises(OSError, match="no entry"):
                pulled_from(feeder, store)
        assert count(store, schema.students) == count(store, schema.imports) == 0
        done = pulled_from(feeder, store)
    assert done.resumed and done.counts["students"]["new"] == 20
    assert audit.entries(store)["action"].tolist() == ["pull feeder", "import files"]


def test_only_one_pull_at_a_time(new_store):
    from data.feeder.staging import alone

    store = new_store()
    with served(registers.rows_of(registers.invented(4))) as feeder, alone(store):
        with pytest.raises(FeederError, match="another pull is at work"):
            pulled_from(feeder, store)


def test_numbers_of_programmes_follow_the_offices_own_mapping(new_store):
    from data.files.mapping import mapping_from_dict

    own = {"name": "kampus", "extends": "pddikti"}
    own["students"] = {"values": {"program_code": {"55201": "IF"}}}
    store = new_store()
    with served(registers.rows_of(registers.invented(40))) as feeder:
        done = pulled_from(feeder, store, mapping=mapping_from_dict(own))
    assert "IF" in set(register(store)["students"]["program_code"])
    assert (done.reconciliation.counts["difference"] == 0).all()
    assert "IF" in set(done.reconciliation.counts["program_code"])
