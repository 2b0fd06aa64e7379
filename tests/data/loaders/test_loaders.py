import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data import queries
from data.calendar.labels import label_outcomes
from data.loaders.paired import BenchmarkRefused, pair_at_random, write_benchmark
from data.loaders.signature_folder import as_specimens, list_signatures
from data.loaders.uci697 import read_uci697
from data.records.write import write_records
from data.signatures.specimens import RefusedFile
from data.store import get_fact
from data.synthetic.cohort import make_university
from data.trust.scope import Scope

UNITS = ("credited", "enrolled", "evaluations", "approved", "grade", "without evaluations")
HEADER = [
    "Marital status", "Application mode", "Application order", "Course", '"Daytime/evening attendance\t"',
    "Previous qualification", "Previous qualification (grade)", "Nacionality", "Mother's qualification",
    "Father's qualification", "Mother's occupation", "Father's occupation", "Admission grade", "Displaced",
    "Educational special needs", "Debtor", "Tuition fees up to date", "Gender", "Scholarship holder",
    "Age at enrollment", "International",
    *(f"Curricular units 1st sem ({unit})" for unit in UNITS),
    *(f"Curricular units 2nd sem ({unit})" for unit in UNITS),
    "Unemployment rate", "Inflation rate", "GDP", "Target",
]  # fmt: skip
Y2008, Y2010, Y2014, Y2017 = (7.6, 2.6, 0.32), (10.8, 1.4, 1.74), (13.9, -0.3, 0.79), (8.9, 1.4, 3.51)
# mode; course; parents; debtor; up to date; gender; scholarship; age; six units twice; three figures; target
ROWS = [
    (17, 171, 19, 12, 0, 1, 1, 0, 20, (0, 0, 0, 0, 0.0, 0), (0, 0, 0, 0, 0.0, 0), Y2010, "Dropout"),
    (1, 9500, 1, 3, 0, 1, 0, 1, 19, (0, 6, 6, 6, 15.0, 0), (0, 6, 8, 4, 12.5, 0), Y2014, "Graduate"),
    (43, 9147, 34, 34, 1, 0, 0, 0, 31, (4, 10, 9, 7, 12.0, 0), (0, 5, 9, 0, 0.0, 2), Y2017, "Enrolled"),
    (44, 9147, 35, 34, 0, 1, 1, 0, 24, (0, 5, 5, 5, 10.0, 0), (0, 5, 5, 5, 20.0, 0), Y2008, "Graduate"),
]  # fmt: skip


def uci_file(rows=ROWS, header=HEADER) -> bytes:
    lines = [";".join(header)]
    for mode, course, mother, father, debtor, paid, gender, grant, age, first, second, year, target in rows:
        cells = [1, mode, 1, course, 1, 1, 122.0, 1, mother, father, 5, 9, 127.3, 1, 0, debtor, paid, gender]
        lines.append(";".join(map(str, [*cells, grant, age, 0, *first, *second, *year, target])))
    return b"\xef\xbb\xbf" + "\n".join(lines).encode()


def test_uci_students_become_students_of_the_common_layout():
    students = read_uci697(uci_file()).students
    assert students["student_number"].tolist() == [f"UCI697-000{row}" for row in (1, 2, 3, 4)]
    assert students["cohort_term"].tolist() == [20101, 20141, 20171, 20081]  # from the national figures
    assert students["birth_year"].tolist() == [1990, 1995, 1986, 1984]
    assert students["entry_type"].tolist() == ["new", "new", "transfer", "recognised_prior_learning"]
    assert students["sex"].tolist() == ["L", "P", "P", "L"]
    assert students["funding_at_entry"].tolist() == ["self", "scholarship", "self", "self"]
    assert students["recognized_credits"].tolist() == [0, 0, 4, 0]
    education = students["parental_education"].where(students["parental_education"].notna(), None)
    assert education.tolist() == ["secondary", "higher", None, "up to 4 years"]
    assert students["extra"][2]["Debtor"] == 1 and "exit_date" in students["extra"][2]["nominal"]
    assert "Target" not in students["extra"][0]


def test_uci_semesters_become_two_terms_with_grades_from_0_to_4():
    terms = read_uci697(uci_file()).terms.set_index(["student_number", "term_index"]).sort_index()
    second = terms.loc[("UCI697-0002", 1)]
    assert (second["term_id"], second["gpa_term"], second["credits_passed"]) == (20141, 3.0, 6)
    assert second["known_at"] == pd.Timestamp(2015, 3, 3)  # 31 January and a month
    later = terms.loc[("UCI697-0002", 2)]
    assert later["term_id"] == 20142 and later["courses_failed"] == 2 and later["credits_cum"] == 10
    assert later["gpa_term"] == 2.5 and later["gpa_cum"] == pytest.approx((6 * 3 + 4 * 2.5) / 10)
    assert pd.isna(terms.loc[("UCI697-0003", 2), "gpa_term"])  # none approved: no average, not 0
    assert terms.loc[("UCI697-0003", 2), "courses_failed"] == 5
    credited = terms.loc[("UCI697-0003", 1)]
    assert (credited["credits_attempted"], credited["credits_passed"]) == (6, 3)  # less four recognised
    nothing = terms.loc[("UCI697-0001", 1)]
    assert nothing[["gpa_term", "credits_attempted", "credits_cum"]].isna().all()  # no units on file
    assert "tuition_arrears_days" not in terms


def test_undated_money_flags_enter_only_when_asked_for():
    terms = read_uci697(uci_file(), money_flags=True).terms
    late = terms[terms["term_index"] == 2].set_index("student_number")["tuition_arrears_days"]
    assert late.tolist() == [0, 0, 1, 0]
    assert terms.loc[terms["term_index"] == 1, "tuition_arrears_days"].isna().all()


def test_uci_targets_become_labels_known_at_the_end_of_the_normal_time():
    frames = read_uci697(uci_file())
    key = {"student_number": "student_key"}
    labels = label_outcomes(
        frames.students.rename(columns=key), frames.programs, frames.outcomes.rename(columns=key)
    )
    assert labels["label"].tolist() == ["dropout", "on_time", "delayed", "on_time"]
    days = [day.date() for day in labels["known_from"]]
    assert days == [date(2013, 8, 31), date(2018, 8, 31), date(2020, 8, 31), date(2011, 8, 31)]


def test_uci_courses_become_programmes_of_six_or_eight_terms():
    programs = read_uci697(uci_file()).programs.set_index("program_code")
    assert programs["normal_terms"].to_dict() == {"171": 6, "9147": 6, "9500": 8}
    assert programs["required_credits"].to_dict() == {"171": 40, "9147": 45, "9500": 48}
    assert programs.loc["9500", "name"] == "Nursing"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (uci_file(header=[*HEADER[:-1], "Result"]), "Target"),
        (uci_file([(*ROWS[0][:1], 5, *ROWS[0][2:])]), "Course"),
        (uci_file([(*ROWS[0][:-1], "Gone")]), "Target"),
        (uci_file([(*ROWS[0][:-2], (1.0, 1.0, 1.0), "Dropout")]), "2008-2017"),
    ],
)
def test_a_file_that_is_not_uci_697_is_refused_with_the_reason(file, message):
    with pytest.raises(ValueError, match=message):
        read_uci697(file)


def signature_folder(folder: Path, writers=2, each=3) -> Path:
    for writer in range(1, writers + 1):
        inside = folder / f"{writer:03d}"
        inside.mkdir(parents=True)
        for kind in ("genuine", "forged"):
            for number in range(1, each + 1):
                gray = 10 * writer + number + (100 if kind == "forged" else 0)
                image = Image.new("L", (40 + number, 20), gray)
                image.save(inside / f"{kind}_{number:02d}.png", dpi=(300, 300))
    return folder


def test_a_signature_folder_is_listed_by_writer_kind_and_number(tmp_path):
    folder = signature_folder(tmp_path / "set")
    (folder / "001" / "notes.txt").write_text("not a signature")
    (folder / "001" / "genuine_99.png").symlink_to(folder / "002" / "genuine_01.png")
    (folder / "other").mkdir()
    files = list_signatures(folder)
    assert [(file.writer, file.kind, file.number) for file in files[:4]] == [
        ("001", "genuine", 1), ("001", "genuine", 2), ("001", "genuine", 3), ("001", "forged", 1),
    ]  # fmt: skip
    assert len(files) == 12 and len(list_signatures(folder, "genuine")) == 6


def test_a_signature_becomes_a_specimen_with_its_size_and_resolution(tmp_path):
    files = list_signatures(signature_folder(tmp_path / "set"), "genuine")
    (specimen,) = as_specimens({files[1]: "S1"}, {"S1": date(2020, 8, 1)})
    assert (specimen.student_number, specimen.width, specimen.height, specimen.dpi) == ("S1", 42, 20, 300)
    assert specimen.data == files[1].path.read_bytes() and specimen.context == "enrollment"


def test_a_text_file_named_png_is_refused(tmp_path):
    folder = signature_folder(tmp_path / "set")
    (folder / "001" / "genuine_01.png").write_text("not an image")
    files = list_signatures(folder, "genuine")
    with pytest.raises(RefusedFile):
        list(as_specimens({files[0]: "S1"}, {"S1": date(2020, 8, 1)}))


def test_a_folder_without_signatures_is_refused(tmp_path):
    with pytest.raises(ValueError, match="001/genuine_01.png"):
        list_signatures(tmp_path)
    with pytest.raises(ValueError, match="kind"):
        list_signatures(tmp_path, "traced")
    with pytest.raises(ValueError, match="folder"):
        list_signatures(tmp_path / "missing")


def test_pairing_gives_each_image_to_another_student_and_is_the_same_every_time(tmp_path):
    files = list_signatures(signature_folder(tmp_path / "set", writers=4, each=5), "genuine")
    numbers = pd.Series([f"S{place}" for place in range(50)])
    first, again = (pair_at_random(numbers, files, np.random.default_rng(697)) for _ in range(2))
    assert first == again and set(first) == set(files)
    assert len(set(first.values())) == 20 and set(first.values()) <= set(numbers)
    other = pair_at_random(numbers, files, np.random.default_rng(1))
    assert first != other
    assert len(pair_at_random(numbers[:3], files, np.random.default_rng(0))) == 3


def benchmark_folder(folder: Path) -> Path:
    (folder / "students" / "uci697").mkdir(parents=True)
    (folder / "students" / "uci697" / "data.csv").write_bytes(uci_file(ROWS * 4))
    signature_folder(folder / "signatures" / "cedar")
    return folder


def test_the_benchmark_imports_real_students_and_labels_the_pairing(store, tmp_path):
    folder = benchmark_folder(tmp_path / "data")
    result = write_benchmark(store, folder)
    assert (result.students, result.paired, result.terms, result.writers) == (16, 6, 32, 2)
    assert get_fact(store, "synthetic") is False and get_fact(store, "signatures") == "paired at random"
    assert "paired at random" in get_fact(store, "institution")
    specimens = queries.specimen_table(store, "outcome_model")
    assert len(specimens) == 6 and specimens["student_key"].is_unique
    consents = queries.consents_now(store, "verification")
    assert len(consents) == 16 and consents["granted"].all()
    sizes = [len(queries.specimen_image(store, one, Scope.system())) for one in specimens["specimen_id"]]
    assert min(sizes) > 50


def test_the_benchmark_twice_changes_nothing(store, tmp_path):
    folder = benchmark_folder(tmp_path / "data")
    write_benchmark(store, folder)
    before = queries.counts(store).set_index("table")["rows"].drop("imports")
    write_benchmark(store, folder)
    assert queries.counts(store).set_index("table")["rows"].drop("imports").equals(before)


def test_the_benchmark_is_not_written_beside_other_students(store, tmp_path):
    frames = make_university(3, np.random.default_rng(0)).frames
    write_records(store, frames, source="siakad.csv", files={}, actor="registry")
    with pytest.raises(BenchmarkRefused, match="3 other students"):
        write_benchmark(store, benchmark_folder(tmp_path / "data"))


def test_missing_data_are_named(store, tmp_path):
    with pytest.raises(ValueError, match="students/uci697/data.csv"):
        write_benchmark(store, tmp_path)


@pytest.mark.skipif(not os.environ.get("TEPAT_REAL_DATA"), reason="TEPAT_REAL_DATA names no data folder")
def test_the_real_files_read_as_documented():
    folder = Path(os.environ["TEPAT_REAL_DATA"])
    frames = read_uci697(folder / "students" / "uci697" / "data.csv")
    assert len(frames.students) == 4424 and len(frames.programs) == 17 and len(frames.terms) == 8848
    exits = frames.outcomes["exit_type"].value_counts(dropna=False)
    assert (exits["graduated"], exits["discontinued"], exits.sum()) == (2209, 1421, 4424)
    assert frames.students["cohort_term"].value_counts()[20081] == 571
    files = list_signatures(folder / "signatures" / "cedar", "genuine")
    assert len(files) == 1320 and len({file.writer for file in files}) == 55
