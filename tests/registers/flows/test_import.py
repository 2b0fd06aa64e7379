"""What the import of an office's files has understood: counts, labels, names, consents; and what not."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace

import pytest

from data import queries
from data.calendar.labels import label_outcomes
from data.trust.scope import Scope
from tests.registers.second_university.plan import PREDICTION, RESEARCH, VERIFICATION
from tests.registers.second_university.truth import graduates_table

pytestmark = pytest.mark.slow
EVERYBODY = Scope.system()
PURPOSES = {"verification": VERIFICATION, "outcome_model": PREDICTION, "research": RESEARCH}


def counted(said: str, table: str, which: int) -> int:
    """A count of the command's last table: which is 0 new, 1 changed, 2 same."""
    line = next(line for line in reversed(said.splitlines()) if line.split()[:1] == [table])
    return int([word for word in line.replace(",", "").split() if word.isdigit()][which])


@pytest.fixture(scope="module")
def labels(university) -> dict[str, str]:
    """The product's label by student number."""
    with university.store() as store:
        records = queries.records_until(store)
    found = label_outcomes(records.students, records.programs, records.outcomes)
    numbers = university.numbers()
    right = set(university.truth.labels)
    named = {numbers[row.student_key]: row.label for row in found.itertuples()}
    return {nim: label for nim, label in named.items() if nim in right}


def test_a_dry_run_writes_nothing_and_refuses_no_row(university):
    said = university.done("try")
    assert "0 refused" in said and "dry run: nothing was written" in said


def test_every_row_of_both_systems_came_in(university):
    new, old = university.done("load"), university.done("load old")
    assert counted(new, "students", 0) + counted(old, "students", 0) == len(university.truth.labels) == 402
    assert counted(new, "terms", 0) + counted(old, "terms", 0) == university.truth.term_rows
    assert counted(new, "outcomes", 0) + counted(old, "outcomes", 0) == 402
    specimens = sum(len(own) for own in university.truth.specimens.values())
    assert counted(new, "signatures", 0) == specimens - 1  # the same file twice is one specimen


def test_the_same_files_again_change_nothing(university):
    again = university.done("load again")
    for table, rows in (("students", 60), ("outcomes", 60)):
        assert [counted(again, table, which) for which in range(3)] == [0, 0, rows]
    assert counted(again, "terms", 0) == counted(again, "terms", 1) == 0


def test_the_office_is_told_what_was_left_out(university):
    said = university.done("load")
    assert "REC110" in said and "9 rows" in said  # entry types that are missing
    assert "F1D179999" in said  # a signature of nobody on the list
    assert "NIK" in said and "Nama Ibu Kandung" in said


def test_nothing_marks_the_store_as_invented(university):
    assert "synthetic" not in university.run("data", "status").stdout.lower()


def test_every_name_comes_back_letter_by_letter(university):
    numbers, right = university.numbers(), university.truth.names
    with university.store() as store:
        named = queries.identities(store, EVERYBODY, numbers.index.tolist())
    found = {row.student_number: row.name for row in named.itertuples() if row.student_number in right}
    assert found == {nim: " ".join(name.split()) for nim, name in right.items()}


def test_no_national_number_and_no_mothers_name_is_kept(university):
    files = [path for path in university.folder.rglob("*") if path.is_file() and path.suffix != ".log"]
    kept = b"".join(path.read_bytes() for path in files if path.name.startswith("tepat.db"))
    assert b"Peternakan" in kept  # the search itself finds what is there
    assert not [number for number in university.truth.never_stored if number.encode() in kept]
    assert b"Ibunda " not in kept and b"IJZ-0" not in kept


@pytest.mark.parametrize("label", ["on_time", "delayed", "dropout"])
def test_whoever_has_a_label_by_the_offices_rule_has_it_here(university, labels, label):
    right = {nim for nim, told in university.truth.labels.items() if told == label}
    found = {nim for nim, told in labels.items() if told == label}
    assert (sorted(right - found), sorted(found - right)) == ([], [])


def test_whoever_is_undecided_moved_or_died_teaches_nothing(university, labels):
    right = {nim for nim, told in university.truth.labels.items() if told in ("censored", "neither")}
    assert {labels[nim] for nim in right} == {"censored"}


def test_terms_studied_count_from_september_and_august_belongs_to_the_year_that_ends(university):
    numbers = university.numbers()
    with university.store() as store:
        records = queries.records_until(store)
    found = label_outcomes(records.students, records.programs, records.outcomes)
    counted_here = {numbers[row.student_key]: row.terms_to_exit for row in found.itertuples()}
    wrong = {
        nim: (terms, counted_here[nim])
        for nim, terms in university.truth.terms_studied.items()
        if counted_here[nim] != terms
    }
    assert wrong == {}


def test_the_overview_counts_who_studies_graduated_and_left(university):
    with university.store() as store:
        counts = queries.exits_by_type(store, EVERYBODY)
    found: dict[tuple[str, int], Counter] = {}
    for row in counts.itertuples():
        own = found.setdefault((row.program_code, int(row.cohort_term) // 10), Counter())
        own[row.state] += int(row.students)
    for (code, cohort), right in university.truth.counts.items():
        own = found[code, cohort]
        dropped = own["expelled"] + own["resigned"] + own["discontinued"]
        assert dropped == right["dropout"], (code, cohort)
        assert own["transferred"] + own["deceased"] == right["neither"], (code, cohort)


def test_the_words_of_consent_stand_as_they_were_given(university):
    university.done("consents")
    numbers = university.numbers()
    for purpose, words in PURPOSES.items():
        with university.store() as store:
            held = queries.consents_now(store, purpose)
        agreed = {numbers[row.student_key] for row in held.itertuples() if row.granted}
        assert agreed == university.truth.consenting[words], purpose


@pytest.mark.parametrize("ts", [2024, 2025])
def test_the_table_of_graduates_is_the_one_worked_out_by_hand(university, tmp_path, ts):
    about = ("--program", "54231", "--ts", str(ts), "--audience", "internal", "--out", str(tmp_path))
    done = university.run("dashboard", "report", "iaps40-8c", *about)
    assert done.returncode == 0, done.stderr[-1500:]
    (path,) = tmp_path.rglob("*.csv")
    found = {}
    for row in csv.DictReader(path.open(encoding="utf-8-sig")):
        if row["part"] == "cell" and row["value"] and row["state"] != "closed":
            found[row["row"], row["column"]] = float(row["value"])
    right = graduates_table("54231", ts, back=6)
    assert len(right) == 18
    assert {cell: found.get(cell) for cell in right} == right


def test_a_book_with_a_sheet_per_programme_is_read_whole_and_says_what_was_left(university, tmp_path):
    """A sheet that nobody reads must not vanish without a word, and a hidden one must never win."""
    fresh = replace(university, folder=tmp_path, said={})
    assert fresh.run("data", "init").returncode == 0
    mapping = tmp_path / "masuk.toml"
    mapping.write_text('extends = "siakad"\n[students.columns]\ncohort_term = "Tanggal Masuk"\n')
    book = ("--students", str(university.office.hard), "--mapping", str(mapping), "--dry-run")
    said = fresh.run("data", "load", *book)
    assert said.returncode == 0, said.stderr[-1500:]
    assert "students: 342 rows, 0 refused" in said.stdout
    for words in ("54231 Peternakan, 74101 Ilmu Hukum", "'Petunjuk' was not read", "'ref' was not read"):
        assert words in said.stdout, words
    one = fresh.run("data", "load", *book, "--sheet", "74101 Ilmu Hukum")
    assert 0 < int(one.stdout.split("students: ")[1].split(" ")[0]) < 342
    assert "'54231 Peternakan' was not read" in one.stdout


def test_entry_dates_say_the_same_terms_as_the_words_beside_them(university, tmp_path):
    """The book of sheets has the day of entry alone; the list that was loaded has the term in words."""
    mapping = tmp_path / "masuk.toml"
    mapping.write_text('extends = "siakad"\n[students.columns]\ncohort_term = "Tanggal Masuk"\n')
    book = ("--students", str(university.office.hard), "--mapping", str(mapping), "--dry-run")
    said = university.run("data", "load", *book)
    assert said.returncode == 0, said.stderr[-1500:]
    assert [counted(said.stdout, "students", which) for which in range(3)] == [0, 0, 342]


def test_dates_that_a_program_has_exchanged_are_not_believed_before_the_office_says_so(university):
    exits = ("--outcomes", str(university.office.exchanged), "--dry-run")
    asked = university.run("data", "load", *exits)
    assert asked.returncode == 1
    assert "REC023" in asked.stdout and "--set true_dates=swapped" in asked.stdout
    said = university.run("data", "load", *exits, "--set", "true_dates=swapped")
    assert said.returncode == 0, said.stdout[-1500:]
    assert [counted(said.stdout, "outcomes", which) for which in range(3)] == [0, 0, 342]
