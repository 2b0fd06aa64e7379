"""The shapes in which offices hold their data: wide, by own semester number, one row per student.

Expectations are worked out by hand; the last test tells the same students in every shape.
"""

import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from data.__main__ import app
from data.commands.load_report import report_records
from data.files.choices import read_choice
from data.files.guess_words import guess_line
from data.files.mapping import MappingError
from data.files.reading import Reading
from data.files.register_files import Source, guess_table, tables_of
from data.records.ingest import (
    apply_import,
    chosen_mapping,
    plan_import,
    register_sources,
    remember_mapping,
)
from data.settings import get_settings

STUDENTS = "NIM;Kode Prodi;Jenjang;Angkatan;Jenis Daftar\n"
TWO = STUDENTS + "01;55201;S1;2021;Baru\n02;55201;S1;2021 Genap;Baru\n"


def planned(tables: dict[str, str], *choices: str, store=None, reading: Reading = Reading()):
    how = {"terms": reading}
    sources = [
        Source(table, f"{table}.csv", text.encode(), how.get(table, Reading()))
        for table, text in tables.items()
    ]
    said = [read_choice(text) for text in choices]
    mapping = chosen_mapping(store, sources, None, said) if said else None
    return plan_import(sources, mapping, store=store)


def rules(plan) -> set[str]:
    return set(plan.problems["rule"])


def terms_of(plan) -> dict[tuple[str, int], tuple]:
    """Student and term → status, term average, credits; None where missing."""
    names = ["status", "gpa_term", "credits_attempted"]
    frame = plan.frames.terms.reindex(columns=["student_number", "term_id", *names]).astype(object)
    frame = frame.where(frame.notna(), None)
    return {(row[0], int(row[1])): tuple(row[2:]) for row in frame.itertuples(index=False)}


WIDE = """NIM;IPS SMT 1;IPS SMT 2;IPS SMT 3;SKS SMT 1;SKS SMT 2;SKS SMT 3;IPK
01;3,25;3,00;;20;20;;3,13
02;2,00;;2,5;18;;21;2,25
"""


def test_a_wide_file_becomes_a_row_per_term():
    plan = planned({"students": TWO, "terms": WIDE})
    assert plan.accepted, plan.errors.to_string()
    assert terms_of(plan) == {  # 02 entered in the even term of 2021: its third term is the even one of 2022
        ("01", 20211): ("A", 3.25, 20),
        ("01", 20212): ("A", 3.0, 20),
        ("02", 20212): ("A", 2.0, 18),
        ("02", 20222): ("A", 2.5, 21),
    }
    assert {"REC131", "REC132", "REC136"} <= rules(plan)  # what was assumed is said


FIRST = ["IPS1", "IPS 1", "IPS_1", "ips_smt_1", "IP Semester 1", "Semester 1 IPS", "GPA 1"]


@pytest.mark.parametrize("first", FIRST)
def test_the_numbers_of_terms_are_written_in_many_ways(first):
    header = "NIM;" + ";".join(first.replace("1", str(number)) for number in (1, 2))
    plan = planned({"students": TWO, "terms": f"{header}\n01;3,5;3,0\n"})
    assert terms_of(plan) == {("01", 20211): ("A", 3.5, None), ("01", 20212): ("A", 3.0, None)}


def test_an_error_in_a_wide_file_names_the_row_and_the_header_of_the_office():
    plan = planned({"students": TWO, "terms": WIDE.replace("2,5;18", "25;18")})
    error = plan.errors.iloc[0]
    assert (error["row"], error["column"], error["rule"], error["value"]) == (3, "IPS SMT 3", "REC004", "25")
    back = plan.returned["terms"]
    assert back["IPS SMT 3"].tolist() == ["25"]
    assert back["tepat: row"].tolist() == ["3"]


ZEROS = "NIM;IPS1;IPS2;IPS3;SKS2\n01;3,0;0;0,00;20\n02;2,0;2,0;;\n"


def test_an_average_of_0_in_a_wide_file_is_asked_about_once(store):
    plan = planned({"students": TWO, "terms": ZEROS}, store=store)
    assert plan.errors["rule"].tolist() == ["REC030"]
    assert plan.unreadable  # leaving out rows does not answer the question
    assert "1 term averages are 0" in plan.errors["message"].iloc[0]  # that of the third term: no credits
    empty = planned({"students": TWO, "terms": ZEROS}, "zero=empty", store=store)
    assert empty.accepted
    assert terms_of(empty)[("01", 20212)] == ("A", 0.0, 20)  # credits stand beside it: failed
    assert ("01", 20221) not in terms_of(empty)
    grade = planned({"students": TWO, "terms": ZEROS}, "terms.zero=grade", store=store)
    assert terms_of(grade)[("01", 20221)] == ("A", 0.0, None)
    sources = [Source("students", "s.csv", TWO.encode()), Source("terms", "t.csv", ZEROS.encode())]
    remember_mapping(store, chosen_mapping(store, sources, None, [read_choice("zero=empty")]))
    assert plan_import(sources, store=store).accepted


def test_a_term_without_figures_in_a_wide_file_is_named_since_it_may_have_been_a_leave():
    leave = WIDE.replace("01;3,25;3,00;;20;20;;3,13", "01;3,25;;3,00;20;0;20;3,13")
    plan = planned({"students": TWO, "terms": leave})
    told = plan.problems[plan.problems["rule"] == "REC139"]
    assert told["row"].tolist() == [2] and told["column"].tolist() == ["SKS SMT 2"]
    assert plan.accepted and "REC139" not in rules(planned({"students": TWO, "terms": WIDE}))


GAPS = """NIM;IPS 1;IPS 2;IPS 3;IPS 4;IPS 5;SKS 1;SKS 2;SKS 3;SKS 4;SKS 5
01;3,0;;3,2;;;20;;20;;
02;2,0;;-;2,5;2,6;18;0;;20;20
"""  # 01 left no trace in 2; 02 was away in 2 (0 credits) and 3; after the last figure there is no gap


@pytest.mark.parametrize(("said", "status"), [("leave", "C"), ("inactive", "N")])
def test_the_office_says_what_empty_terms_of_a_wide_file_were(said, status):
    tables = {"students": TWO, "terms": GAPS}
    as_it_stands = planned(tables)
    assert len(terms_of(as_it_stands)) == 6
    assert terms_of(as_it_stands)[("02", 20221)] == ("A", None, 0)
    (guess,) = as_it_stands.guesses["terms"]
    assert (guess.what, guess.value, guess.cell, guess.proven) == ("empty_terms", "none", "3", False)
    told = guess_line(guess, "terms")
    assert told.startswith("3 terms without average and credits not taken as a leave")
    assert f"--set terms.empty_terms={said}" in told
    plan = planned(tables, reading=Reading(empty_terms=said))
    assert plan.accepted and "REC139" not in rules(plan)
    changed = {key: row for key, row in terms_of(plan).items() if terms_of(as_it_stands).get(key) != row}
    assert changed == {
        ("01", 20212): (status, None, None),
        ("02", 20221): (status, None, 0),
        ("02", 20222): (status, None, None),
    }
    (guess,) = plan.guesses["terms"]
    assert (guess.value, guess.cell, guess.proven) == (said, "3", True)


def test_that_empty_terms_stay_as_they_stand_can_be_said_too():
    plan = planned({"students": TWO, "terms": GAPS}, reading=Reading(empty_terms="none"))
    assert terms_of(plan) == terms_of(planned({"students": TWO, "terms": GAPS}))
    assert plan.guesses["terms"][0].proven


def test_a_file_with_the_status_of_terms_is_not_asked_what_empty_ones_were():
    terms = "NIM;Semester;Status;IPS;SKS\n01;20211;A;3,0;20\n01;20212;C;;0\n01;20221;A;3,0;20\n"
    plan = planned({"students": TWO, "terms": terms}, reading=Reading(empty_terms="inactive"))
    assert not plan.guesses["terms"] and terms_of(plan)[("01", 20212)] == ("C", None, 0)


BOTH = "NIM;IPS 1;IPS 2;IPS 3;IPS 4;IPS 5\n01;3,0;0;;3,2;0\n"  # 0 in 2, nothing in 3, and 5 was not reached


@pytest.mark.parametrize("zero", ["empty", "grade", "leave", "inactive"])
@pytest.mark.parametrize("empty", ["", "leave", "inactive"])
def test_an_average_of_0_and_an_empty_term_are_two_things(zero, empty):
    statuses = {"leave": "C", "inactive": "N"}
    plan = planned({"students": TWO, "terms": BOTH}, f"zero={zero}", reading=Reading(empty_terms=empty))
    assert plan.accepted, plan.errors.to_string()
    right = {("01", 20211): ("A", 3.0, None), ("01", 20222): ("A", 3.2, None)}
    if zero == "grade":
        right |= {("01", 20212): ("A", 0.0, None), ("01", 20231): ("A", 0.0, None)}
    elif zero in statuses:
        right[("01", 20212)] = (statuses[zero], None, None)
    if empty in statuses:
        right[("01", 20221)] = (statuses[empty], None, None)
    assert terms_of(plan) == right
    assert plan.without_figures == {"01": (3,)}
    told = {guess.what: (guess.value, guess.cell) for guess in plan.guesses["terms"]}
    assert told == {"zero": (zero, "2"), "empty_terms": (empty or "none", "1")}


def test_empty_terms_are_listed_by_student_on_the_command_line():
    rows = "".join(f"{number:03d};3,0;;3,2\n" for number in range(1, 25))
    students = STUDENTS + "".join(f"{number:03d};55201;S1;2021;Baru\n" for number in range(1, 25))
    plan = planned({"students": students, "terms": f"NIM;IPS 1;IPS 2;IPS 3\n{rows}"})
    lines = report_records(plan)
    assert "    '001': semester 2" in lines and "    '020': semester 2" in lines
    assert "    … and 4 more students" in lines and not any("'021'" in line for line in lines)


def test_empty_terms_of_a_long_file_are_listed_by_term():
    terms = "NIM;Semester;IPS;SKS\n01;20211;3,0;20\n01;20212;;0\n01;20221;0;0\n01;20222;3,0;20\n"
    plan = planned({"students": TWO, "terms": terms}, "status:=A")
    assert plan.without_figures == {"01": (20212, 20221)}


@pytest.mark.parametrize(("said", "status"), [("leave", "C"), ("inactive", "N")])
def test_the_status_that_was_chosen_for_empty_terms_is_told_beside_the_assumed_one(said, status):
    def taken(reading):
        plan = planned({"students": TWO, "terms": GAPS}, reading=reading)
        return plan.problems.loc[plan.problems["rule"] == "REC131", "message"].item()

    assert taken(Reading()) == "not in the file and taken for every row: status 'A'"
    chosen = taken(Reading(empty_terms=said))
    assert chosen.endswith(
        f"status 'A'; but {status!r} for the 3 terms without average and credits, as you said"
    )


def test_own_semester_numbers_are_placed_by_the_entry():
    students = STUDENTS + "01;55201;S1;2015;Baru\n02;55201;S1;2015 Genap;Baru\n"
    terms = "NIM;Semester;Status;IPS;SKS\n01;1;Aktif;3,0;20\n01;14;Aktif;2,0;18\n02;2;Aktif;3,5;20\n"
    plan = planned({"students": students, "terms": terms})
    assert plan.accepted, plan.errors.to_string()
    assert terms_of(plan) == {
        ("01", 20151): ("A", 3.0, 20),
        ("01", 20212): ("A", 2.0, 18),
        ("02", 20161): ("A", 3.5, 20),
    }
    assert "REC132" in rules(plan)
    young = planned({"students": students.replace(";2015;", ";2024;"), "terms": terms})
    error = young.errors.iloc[0]  # the fourteenth term is years away
    assert (error["rule"], error["row"], error["column"], error["value"]) == ("REC014", 3, "Semester", "14")


def test_a_leave_that_shares_its_number_moves_what_follows():
    counted = "NIM;Semester ke;Status;IPS\n01;1;Aktif;3,0\n01;2;Cuti;\n01;3;Aktif;3,2\n"
    shared = "NIM;Semester ke;Status;IPS\n01;1;Aktif;3,0\n01;2;Cuti;\n01;2;Aktif;3,2\n"
    wanted = {
        ("01", 20211): ("A", 3.0, None),
        ("01", 20212): ("C", None, None),
        ("01", 20221): ("A", 3.2, None),
    }
    for terms in (counted, shared):
        plan = planned({"students": TWO, "terms": terms})
        assert plan.accepted, plan.errors.to_string()
        assert terms_of(plan) == wanted


def test_own_numbers_beside_an_academic_year_are_not_halves_of_it():
    terms = "NIM;Tahun Akademik;Semester;Status;IPS\n" + "".join(
        f"01;{2021 + place // 2}/{2022 + place // 2};{place + 1};Aktif;3,0\n" for place in range(5)
    )
    plan = planned({"students": TWO, "terms": terms})
    assert plan.accepted, plan.errors.to_string()
    assert [term for _, term in terms_of(plan)] == [20211, 20212, 20221, 20222, 20231]


def test_an_academic_year_beside_own_numbers_shows_a_leave_and_a_contradiction():
    head = "NIM;Tahun Akademik;Semester;Status;IPS\n"
    years = {1: 2021, 2: 2021, 3: 2023, 4: 2023, 5: 2024}  # a whole year away after the second term
    terms = head + "".join(f"01;{year}/{year + 1};{place};Aktif;3,0\n" for place, year in years.items())
    plan = planned({"students": TWO, "terms": terms})
    assert plan.accepted, plan.errors.to_string()
    assert [term for _, term in terms_of(plan)] == [20211, 20212, 20231, 20232, 20241]
    half = {1: 2021, 2: 2022, 3: 2023, 4: 2023}  # the even term of 2021 and the odd one of 2022 away
    terms = head + "".join(f"01;{year}/{year + 1};{place};Aktif;3,0\n" for place, year in half.items())
    assert [term for _, term in terms_of(planned({"students": TWO, "terms": terms}))] == [
        *(20211, 20222, 20231, 20232),
    ]
    back = {1: 2021, 2: 2021, 3: 2021, 4: 2022}
    terms = head + "".join(f"01;{year}/{year + 1};{place};Aktif;3,0\n" for place, year in back.items())
    errors = planned({"students": TWO, "terms": terms}).errors
    assert errors[["rule", "row", "value"]].to_numpy().tolist() == [["REC031", 4, "3"]]


@pytest.mark.parametrize(("cell", "rule"), [("15", "REC004"), ("", "REC002"), ("x", "REC003")])
def test_an_own_number_that_is_none_is_refused(cell, rule):
    terms = f"NIM;Semester ke;Status\n01;1;Aktif\n01;{cell};Aktif\n"
    plan = planned({"students": TWO.replace(";2021;", ";2010;"), "terms": terms})
    assert (plan.errors["row"].tolist(), len(plan.frames.terms)) == ([3], 1)
    assert plan.errors["rule"].tolist() == [rule]


def test_own_numbers_of_an_unknown_student_are_refused_for_that():
    plan = planned({"students": TWO, "terms": "NIM;Semester ke;Status\n09;1;Aktif\n"})
    assert plan.errors["rule"].tolist() == ["REC011"]


SNAPSHOT = """NIM;Nama;Prodi;Strata;Tgl Masuk;Status Awal;Semester;Status Mahasiswa;IPS;IPK;SKSK;Tgl Lulus
01;Siti;55201;S1;06/09/2021;Baru;5;Aktif;3,20;3,10;98;
02;Budi;55201;S1;06/09/2017;Baru;8;Lulus;3,00;3,05;146;20/08/2021
03;Cici;55201;S1;14/02/2022;Baru;3;Cuti;;2,50;40;
"""


def test_one_row_per_student_holds_students_terms_and_exits(store):
    assert guess_table("register.csv", SNAPSHOT.encode()) == "register"
    assert tables_of("register.csv", SNAPSHOT.encode()) == ("students", "terms", "outcomes")
    sources = register_sources(store, Source("students", "register.csv", SNAPSHOT.encode()))
    plan = plan_import(sources, store=store)
    assert plan.accepted, plan.errors.to_string()
    assert plan.problems[plan.problems["rule"] == "REC138"]["row"].tolist() == [3]  # "Lulus", with an average
    apply_import(store, plan, actor="test")
    students = plan.frames.students.set_index("student_number")
    assert students["cohort_term"].to_dict() == {"01": 20211, "02": 20171, "03": 20212}
    assert terms_of(plan) == {
        ("01", 20231): ("A", 3.2, None),
        ("02", 20202): ("A", 3.0, None),
        ("03", 20222): ("C", None, None),
    }
    outcomes = plan.frames.outcomes.set_index("student_number")
    assert outcomes["exit_type"].fillna("").to_dict() == {"01": "", "02": "graduated", "03": ""}
    assert outcomes.loc["02", ["exit_term", "terms_to_exit"]].tolist() == [20202, 8]


def test_a_public_register_of_graduates_with_dates_only_loads_as_it_is(load, tmp_path):
    path = tmp_path / "register.csv"
    path.write_text(
        "NIM,Nama_mahasiswa,Kode_program_studi,Kode_jenjang_pendidikan,Jenis_kelamin,Status_awal_mahasiswa,"
        "Status_mahasiswa,Tanggal_masuk,Tanggal_lulus,IPK_akhir,Kode_provinsi,Kode_biaya_studi,Kode_beasiswa\n"
        "1,A,55201,C,L,B,L,01/09/2015,31/08/2019,3.5,020000,A,\n"  # the eighth term, to its last day
        "2,B,55201,C,P,B,L,01/09/2015,01/09/2019,3.5,020000,A,\n"  # the ninth
        "3,C,57401,E,P,P,L,01/09/2016,31/07/2019,3.5,020000,,X\n"
        "4,D,57401,E,P,B,A,01/09/2022,,,020000,,\n"
    )
    done = load("--register", path)
    assert done.exit_code == 0, done.output
    assert "error" not in done.output
    source = Source("students", "register.csv", path.read_bytes())
    plan = plan_import(register_sources(None, source))
    students = plan.frames.students.set_index("student_number")
    assert students["degree_level"].to_dict() == {"1": "S1", "2": "S1", "3": "D3", "4": "D3"}
    assert students["entry_type"].tolist() == ["new", "new", "transfer", "new"]
    assert plan.frames.outcomes["terms_to_exit"].fillna(0).tolist() == [8, 9, 6, 0]
    assert "REC113" not in rules(plan)


def test_a_file_with_an_exit_column_is_a_file_of_outcomes():
    alumni = "NIM;Nama;Tanggal Lulus;IPK Akhir\n01;Siti;20/08/2025;3,5\n02;Budi;;\n"
    assert guess_table("alumni.csv", alumni.encode()) == "outcomes"
    plan = planned({"students": TWO, "outcomes": alumni})
    assert plan.accepted, plan.errors.to_string()
    assert "REC137" in rules(plan)
    kinds = plan.frames.outcomes.set_index("student_number")["exit_type"].fillna("")
    assert kinds.to_dict() == {"01": "graduated", "02": ""}
    twice = (
        "NIM;Kode Prodi;Angkatan;Tgl Keluar;Jenis Keluar\n01;A;2021;01/02/2023;DO\n01;A;2021;01/02/2023;DO\n"
    )
    assert guess_table("keluar.csv", twice.encode()) == "outcomes"


def test_a_file_of_students_that_tells_of_exits_says_how_to_read_them():
    students = STUDENTS.strip() + ";Tanggal Lulus\n01;55201;S1;2021;Baru;20/08/2025\n"
    plan = planned({"students": students})
    assert plan.problems[plan.problems["rule"] == "REC135"]["column"].tolist() == ["Tanggal Lulus"]
    both = planned({"students": students, "outcomes": students})
    assert "REC135" not in rules(both) and "REC135" not in rules(planned({"students": TWO}))


def test_a_year_of_graduation_is_the_even_term_that_ends_in_it_unless_a_date_says_more():
    outcomes = "NIM;Jenis Keluar;Tahun Lulus;Tanggal Lulus\n01;Lulus;2025;\n02;Lulus;2026;03/03/2026\n"
    plan = planned({"students": TWO, "outcomes": outcomes})
    assert plan.accepted, plan.errors.to_string()
    found = plan.frames.outcomes.set_index("student_number")["exit_term"]
    assert found.to_dict() == {"01": 20242, "02": 20251}  # March is after the odd term's closing month
    assert plan.problems[plan.problems["rule"] == "REC133"]["row"].tolist() == [2]


KAGGLE = """NAMA;JENIS KELAMIN;STATUS MAHASISWA;UMUR;STATUS NIKAH;IPS 1;IPS 2;IPS 3;IPK;STATUS KELULUSAN
ANI;PEREMPUAN;BEKERJA;28;BELUM;2,76;2,8;0;3,07;TERLAMBAT
BUDI;LAKI - LAKI;MAHASISWA;23;BELUM;3,00;3,3;3,14;3,17;TEPAT
"""
SAID = (
    *(
        "student_number:=#",
        "program_code:=55201",
        "degree_level:=S1",
        "cohort_term:=20111",
        "entry_type:=new",
    ),
    *("exit_type:=graduated", "terms_to_exit=STATUS KELULUSAN", "terms_to_exit[TEPAT]=8"),
    *("terms_to_exit[TERLAMBAT]=9", "zero=empty"),
)


@pytest.fixture
def load(store_url, tmp_path, monkeypatch):
    """Run ``python -m data load`` on an empty store and return its result."""
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store_url)
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["load", *map(str, arguments)])
    get_settings.cache_clear()


def test_a_wide_file_without_numbers_or_entry_loads_by_choices_alone(load, tmp_path):
    path = tmp_path / "lulusan.csv"
    path.write_text(KAGGLE)
    bare = load("--register", path)
    assert bare.exit_code == 2
    assert "student_number" in bare.output and "cohort_term" in bare.output
    done = load("--register", path, *(text for said in SAID for text in ("--set", said)))
    assert done.exit_code == 0, done.output
    assert "student_number its own number" in done.output
    numbers = [line.split()[:3] for line in done.output.split("written:")[1].splitlines() if line.strip()]
    assert numbers == [
        ["programs", "1", "new"],
        ["students", "2", "new"],
        ["terms", "5", "new"],
        ["outcomes", "2", "new"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sex", "must be COLUMN=HEADER"),
        ("shoe_size=X", "no such column 'shoe_size'"),
        ("pupils.sex=X", "no such table 'pupils'"),
        ("zero=perhaps", "zero must be empty or grade"),
    ],
)
def test_a_choice_that_says_nothing_is_refused_by_name(text, message):
    with pytest.raises(MappingError, match=message):
        read_choice(text)


def test_a_column_of_codes_is_mapped_by_the_meaning_of_each_value():
    students = "NIM;Kode Prodi;Jenjang;Angkatan;Kode Pria\n01;A;S1;2021;1\n02;A;S1;2021;0\n"
    said = ["sex=Kode Pria", "students.sex[1]=L", "sex[0]=P"]
    assert planned({"students": students}, *said).frames.students["sex"].tolist() == ["L", "P"]


def test_an_institutions_own_list_of_codes_is_read_when_given(load, tmp_path):
    (tmp_path / "m.csv").write_text(
        "nim;kode_prodi;nama_jenjang_didik;id_periode_masuk;id_pembiayaan;id_jenis_daftar\n01;A;S1;20211;3;77\n"
    )
    (tmp_path / "b.csv").write_text("id_pembiayaan;nama_pembiayaan\n1;Mandiri\n3;Beasiswa Penuh\n")
    (tmp_path / "d.json").write_text('[{"id_jenis_daftar": 77, "nama_jenis_daftar": "Pindahan"}]')
    codes = ["--codes", tmp_path / "b.csv", "--codes", tmp_path / "d.json"]
    done = load("--students", tmp_path / "m.csv", *codes, "--dry-run")
    assert done.exit_code == 0, done.output
    source = Source.from_path("students", tmp_path / "m.csv")
    lists = [Source.from_path("students", tmp_path / name) for name in ("b.csv", "d.json")]
    plan = plan_import([source], chosen_mapping(None, [source], None, [], lists))
    row = plan.frames.students.iloc[0]
    assert (row["funding_at_entry"], row["entry_type"]) == ("Beasiswa Penuh", "transfer")
    wrong = load("--students", tmp_path / "m.csv", "--codes", tmp_path / "m.csv", "--dry-run")
    assert wrong.exit_code == 2
    assert "no list of codes" in " ".join(wrong.output.split())


grades = st.one_of(st.none(), st.integers(1, 400).map(lambda number: number / 100))
people = st.lists(
    st.tuples(st.sampled_from([20191, 20192, 20201]), st.lists(grades, min_size=1, max_size=8)),
    min_size=1,
    max_size=5,
).filter(lambda found: any(grade is not None for _, line in found for grade in line))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people)
def test_the_same_students_give_the_same_register_in_every_shape(found):
    from data.calendar.term_calendar import term_after

    numbers = [f"1{place:03d}" for place in range(len(found))]
    entries = dict(zip(numbers, (entry for entry, _ in found), strict=True))
    rows = [
        (number, place, grade)
        for number, (_, line) in zip(numbers, found, strict=True)
        for place, grade in enumerate(line, 1)
        if grade is not None
    ]
    students = STUDENTS + "".join(f"{number};55201;S1;{entry};Baru\n" for number, entry in entries.items())
    long = "NIM;Kode Semester;Status;IPS\n" + "".join(
        f"{number};{term_after(entries[number], place - 1)};A;{grade}\n" for number, place, grade in rows
    )
    own = "NIM;Semester ke;Status;IPS\n" + "".join(f"{n};{place};A;{grade}\n" for n, place, grade in rows)
    table = pd.DataFrame(rows, columns=["NIM", "place", "grade"]).pivot(
        index="NIM", columns="place", values="grade"
    )
    table = table.reindex(columns=range(1, 9))
    table.columns = [f"IPS{place}" for place in table.columns]
    buffer = io.StringIO()
    table.to_csv(buffer, sep=";")
    shapes = [
        terms_of(planned({"students": students, "terms": text})) for text in (long, own, buffer.getvalue())
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    last = {number: (place, grade) for number, place, grade in rows}  # a snapshot tells the newest term only
    snapshot = STUDENTS.strip() + ";Semester;Status Mahasiswa;IPS\n"
    for number, (place, grade) in last.items():
        snapshot += f"{number};55201;S1;{entries[number]};Baru;{place};A;{grade}\n"
    sources = register_sources(None, Source("students", "s.csv", snapshot.encode()))
    newest = {(number, term_after(entries[number], place - 1)): place for number, (place, _) in last.items()}
    assert terms_of(plan_import(sources)) == {key: shapes[0][key] for key in newest}


def test_an_average_of_0_beside_0_credits_is_no_question():
    """Without credits there was no grade; without a number of credits nobody can tell."""
    wide = "NIM;IPS 1;IPS 2;SKS 1;SKS 2\n01;3,0;0,00;20;0\n"
    plan = planned({"students": TWO, "terms": wide})
    assert plan.accepted, plan.errors.to_string()
    assert terms_of(plan)["01", 20212] == ("A", None, 0)
    assert "REC139" in rules(plan)  # whether it was a leave is not told
    assert "REC030" in rules(planned({"students": TWO, "terms": wide.replace("20;0", "20;")}))
