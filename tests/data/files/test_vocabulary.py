"""The vocabulary in use: levels, statuses, exits, headers and codes as Indonesian offices write them."""

import pandas as pd
import pytest
from sqlalchemy import select

from data import schema
from data.columns import DEGREE_LEVELS, EXIT_TYPES, NORMAL_TERMS, REQUIRED_CREDITS, TERM_STATUSES
from data.engine.bulk import fetch
from data.files.derived_cells import birth_years, exit_years, regions, tells_graduation
from data.files.mapping import load_mapping
from data.files.matching import detect_mapping, detect_table, match_headers, translate
from data.files.never_stored import never_stored
from data.files.register_files import Source, read_source
from data.records.ingest import apply_import, plan_import

BASIC = {
    "students": ["NIM", "Kode Prodi", "Angkatan"],
    "terms": ["NIM", "Kode Semester", "Status"],
    "outcomes": ["NIM", "Jenis Keluar"],
}
SEEN = [  # table, header as seen, what it is
    ("students", "NIDN Dosen PA", "advisor"),
    ("students", "Nama Dosen", "advisor"),
    ("students", "Dosen Wali / Penasehat / Pembimbing Akademik", "advisor"),
    ("students", "Jenis Pembiayaan", "funding_at_entry"),
    ("students", "Kode_biaya_studi", "funding_at_entry"),
    ("students", "Kode_beasiswa", "funding_at_entry"),
    ("students", "Pendidikan Ibu", "parental_education"),
    ("students", "Pendidikan Wali", "parental_education"),
    ("students", "Penghasilan Ibu", "parental_income"),
    ("students", "Penghasilan Wali", "parental_income"),
    ("students", "id_pendidikan_ibu", "parental_education"),
    ("students", "id_pendidikan_wali", "parental_education"),
    ("students", "penerima_kps", "parental_income"),
    ("students", "TTL", "birth_year"),
    ("students", "Kode_jenjang_pendidikan", "degree_level"),
    ("students", "Status_awal_mahasiswa", "entry_type"),
    ("students", "Kode_provinsi", "region"),
    ("students", "id_wilayah", "region"),
    ("students", "id_kebutuhan_khusus_mahasiswa", "special_needs"),
    ("outcomes", "Tahun Lulus", "exit_term"),
    ("outcomes", "Tanggal_lulus", "exit_date"),
    ("outcomes", "IPK_akhir", "gpa_final"),
    ("terms", "Status_mahasiswa", "status"),
]
REFUSED = [
    *("NIK", "nik_ayah", "NIK Ibu", "nik_wali", "Nama Wali", "nama_ibu_kandung", "Nama Orang Tua", "telepon"),
    *("handphone", "No. HP Orang Tua", "No. Telp", "No KPS", "nomor_kps", "Tanggal Lahir Ayah"),
    *("tgl_lahir_ibu", "Dusun", "Kecamatan", "nama_kecamatan", "kelurahan", "Alamat Rumah", "jalan"),
    *("No Seri Ijazah", "no_seri_ijazah", "Nomor Ijazah", "TPLHRMSMHS", "Hamlet", "District"),
    *("Father's date of birth", "Guardian's name", "Diploma serial number", "NOIJATRLSM"),
]


@pytest.mark.parametrize(("table", "header", "column"), SEEN)
def test_a_header_seen_in_the_wild_is_recognised(table, header, column):
    others = [name for name in BASIC[table] if column != "status" or name != "Status"]
    match = detect_mapping([*others, header], table)
    assert match.headers[column] == header
    assert match.unknown == ()


@pytest.mark.parametrize("header", ["Stambuk", "No. Stambuk"])
def test_a_stambuk_is_a_student_number(header):
    assert detect_mapping([header, "Kode Prodi", "Angkatan"], "students").missing == ()


@pytest.mark.parametrize("header", ["Tgl Masuk Kuliah", "Tanggal_masuk", "tanggal_daftar"])
def test_a_date_of_entry_makes_the_entry_term(header):
    data = f"NIM;Kode Prodi;Jenjang;{header}\n1;55201;S1;06/09/2021\n2;55201;S1;14/02/2022\n".encode()
    parsed = read_source(Source("students", "m.csv", data))
    assert parsed.match.headers["cohort_term"] == header
    assert parsed.values["cohort_term"].tolist() == [20211, 20212]


def test_an_entry_term_in_the_file_goes_before_a_date_of_entry():
    match = detect_mapping(["nim", "kode_prodi", "tanggal_masuk", "id_periode_masuk"], "students")
    assert match.headers["cohort_term"] == "id_periode_masuk"


@pytest.mark.parametrize("header", REFUSED)
def test_what_is_never_stored_is_refused_by_hand_and_by_mapping_too(header):
    assert never_stored(header)
    for table, column in (("students", "region"), ("outcomes", "exit_type"), ("terms", "status")):
        greedy = load_mapping("siakad").with_chosen(table, {header: column})
        match = match_headers(["NIM", header], table, greedy)
        assert header in match.left_out
        assert header not in match.headers.values()
    own = load_mapping(
        f'[students.columns]\nregion = ["{header}"]\n[terms.join]\nterm_id = [["{header}", "Smt"]]'.encode()
    )
    match = match_headers(["NIM", header, "Smt", "Semester"], "students", own)
    assert "region" not in match.headers
    texts = pd.DataFrame({"NIM": ["1"], "Semester": ["x"], header: ["secret"], "Smt": ["1"]})
    chosen = own.with_chosen("terms", {"Semester": "term_id", "NIM": "student_number"})
    made = translate(texts, match_headers(list(texts), "terms", chosen))
    assert "secret" not in made.to_string()


@pytest.mark.parametrize("header", ["Dosen Wali", "Nama Dosen Wali", "Jalur Masuk", "Kabupaten/Kota", "TTL"])
def test_a_column_that_only_looks_alike_is_not_refused(header):
    assert not never_stored(header)


@pytest.mark.parametrize(
    ("word", "level"),
    [
        *(("D-I", "D1"), ("Diploma II", "D2"), ("D3", "D3"), ("Sarjana Terapan", "D4"), ("Sarjana", "S1")),
        *(("Profesi", "Profesi"), ("Sp-1", "Sp-1"), ("Sp2", "Sp-2"), ("Magister Terapan", "S2 Terapan")),
        *(("S3 Terapan", "S3 Terapan"), ("Doktor", "S3"), ("Magister", "S2")),
    ],
)
def test_every_level_of_pddikti_is_read(word, level):
    data = f"NIM;Kode Prodi;Angkatan;Jenjang\n1;A;2021;{word}\n".encode()
    assert read_source(Source("students", "m.csv", data)).values["degree_level"].tolist() == [level]


@pytest.mark.parametrize(
    ("name", "level"),
    [("D1 Perhotelan", "D1"), ("D-II Pajak", "D2"), ("D-III Gizi", "D3"), ("Profesi Ners", "Profesi")]
    + [("S2 Terapan Gizi", "S2 Terapan"), ("S2 Gizi", "S2"), ("Sp-1 Bedah", "Sp-1"), ("D IV X", None)],
)
def test_a_programme_name_may_begin_with_any_level(name, level):
    data = f"NIM;Program Studi;Angkatan\n1;{name};2021\n".encode()
    found = read_source(Source("students", "m.csv", data)).values["degree_level"]
    assert [None if pd.isna(one) else one for one in found] == [level]


def test_feeders_codes_and_labels_mean_the_same():
    codes = {"1": "graduated", "2": "transferred", "3": "expelled", "4": "resigned", "5": "discontinued"}
    codes |= {"6": "deceased", "7": "discontinued", "8": "other", "9": "other", "Z": "other"}
    codes |= {"0": "non_degree"}
    labels = dict(
        zip(
            codes,
            "Lulus,Mutasi,Dikeluarkan,Mengundurkan diri,Putus Studi,Wafat,Hilang,Alih Fungsi,Pensiun,"
            "Lainnya,Selesai Pendidikan Non Gelar".split(","),
            strict=True,
        )
    )
    for cells, header in ((codes, "id_jenis_keluar"), (labels.values(), "nama_jenis_keluar")):
        texts = pd.DataFrame({"nim": list(map(str, range(len(codes)))), header: list(cells)})
        assert translate(texts, detect_mapping(list(texts), "outcomes"))["exit_type"].tolist() == list(
            codes.values()
        )


def test_the_places_of_birth_and_districts_do_not_come_along():
    assert birth_years(pd.Series(["Bandung, 03 Mei 2005", "Kota Baru, 3-5-2004", "x"])).tolist() == [
        *("2005", "2004"),
        "x",
    ]
    found = regions(pd.Series(["026005  "[:6], "Kec. Coblong, Kota Bandung", "Kec. Coblong"]), "nama_wilayah")
    assert found.tolist() == ["020000", "Kota Bandung", ""]


def test_years_of_graduation():
    assert exit_years(pd.Series(["2025", "20241", "2024/2025 Genap"])).tolist() == [
        *("20242", "20241"),
        "2024/2025 Genap",
    ]
    assert [tells_graduation(name) for name in ("Tanggal Lulus", "TGLLSMSMHS", "Tgl Keluar")] == [
        *(True, True),
        False,
    ]


EPSBED_STUDENTS = (
    "KDPTIMSMHS,KDJENMSMHS,KDPSTMSMHS,NIMHSMSMHS,NMMHSMSMHS,TPLHRMSMHS,TGLHRMSMHS,KDJEKMSMHS,TAHUNMSMHS,"
    "SMAWLMSMHS,STMHSMSMHS,TGLLSMSMHS,STPIDMSMHS,SKSDIMSMHS\n"
    "041001,C,55201,0101,SITI,GARUT,19910203,P,2009,20091,L,20130815,B,0\n"
    "041001,E,57401,0102,BUDI,BEKASI,19900405,L,2009,20091,A,,P,40\n"
)
EPSBED_TERMS = (
    "THSMSTRAKM,KDPTITRAKM,KDJENTRAKM,KDPSTTRAKM,NIMHSTRAKM,SKSEMTRAKM,NLIPSTRAKM,SKSTTTRAKM,NLIPKTRAKM\n"
    "20091,041001,C,55201,0101,20,3.25,20,3.25\n"
    "20091,041001,E,57401,0102,18,2.50,58,2.50\n"
)


def test_epsbed_files_load_as_they_are(store):
    assert detect_table(EPSBED_TERMS.splitlines()[0].split(",")) == "terms"
    sources = [
        Source("students", "MSMHS.csv", EPSBED_STUDENTS.encode()),
        Source("terms", "TRAKM.csv", EPSBED_TERMS.encode()),
        Source("outcomes", "MSMHS.csv", EPSBED_STUDENTS.encode()),
    ]
    plan = plan_import(sources, store=store)
    assert plan.accepted, plan.errors.to_string()
    assert "REC113" not in set(plan.problems["rule"])
    assert {match.mapping.name for match in plan.matches.values()} == {"epsbed"}
    assert plan.matches["students"].left_out == ("TPLHRMSMHS",)
    apply_import(store, plan, actor="test")
    students = plan.frames.students.set_index("student_number")
    assert students["degree_level"].to_dict() == {"0101": "S1", "0102": "D3"}
    assert students["entry_type"].to_dict() == {"0101": "new", "0102": "transfer"}
    assert students["birth_year"].to_dict() == {"0101": 1991, "0102": 1990}
    assert plan.frames.terms["status"].tolist() == ["A", "A"]
    outcomes = plan.frames.outcomes.set_index("student_number")
    assert outcomes.loc["0101", ["exit_type", "exit_term", "terms_to_exit"]].tolist() == [
        "graduated",
        20122,
        8,
    ]
    assert pd.isna(outcomes.loc["0102", "exit_type"])


def test_epsbeds_letters_mean_nothing_in_other_files():
    texts = pd.DataFrame({"NIM": ["1"], "Kode Prodi": ["x"], "Angkatan": ["2021"], "Jenjang": ["C"]})
    others = [load_mapping(name) for name in ("pddikti", "english", "epsbed")]
    assert translate(texts, detect_mapping(list(texts), "students"), others)["degree_level"].tolist() == ["C"]


def test_every_level_status_and_exit_is_stored_with_its_normal_terms(store):
    levels = {f"P{place}": level for place, level in enumerate(DEGREE_LEVELS)}
    students = "NIM;Kode Prodi;Jenjang;Angkatan;Semester Normal\n" + "".join(
        f"{code};{code};{level};2015;{8 if level == 'Sp-1' else ''}\n" for code, level in levels.items()
    )
    terms = "NIM;Kode Semester;Status\n" + "".join(
        f"P0;{2015 + place // 2}{place % 2 + 1};{status}\n" for place, status in enumerate(TERM_STATUSES)
    )
    outcomes = "NIM;Jenis Keluar;Semester Keluar\n" + "".join(
        f"P{place};{kind};20162\n" for place, kind in enumerate(EXIT_TYPES)
    )
    sources = [
        Source(table, f"{table}.csv", text.encode())
        for table, text in (("students", students), ("terms", terms), ("outcomes", outcomes))
    ]
    plan = plan_import(sources, store=store)
    assert plan.accepted, plan.errors.to_string()
    apply_import(store, plan, actor="test")
    with store.reading() as connection:
        programs = fetch(connection, select(schema.programs)).set_index("degree_level")
        kinds = fetch(connection, select(schema.outcomes.c.exit_type))["exit_type"]
        statuses = fetch(connection, select(schema.terms.c.status))["status"]
    assert programs["normal_terms"].to_dict() == {**NORMAL_TERMS, "Sp-1": 8}
    assert programs["required_credits"].to_dict() == REQUIRED_CREDITS
    assert set(kinds) == set(EXIT_TYPES)
    assert set(statuses) == set(TERM_STATUSES)


SHORT = [
    ("students", "No. Pokok Mhs", "student_number"),
    ("students", "Nama Mhs", "name"),
    ("terms", "Status Mhs", "status"),
    ("terms", "IP Smt", "gpa_term"),
    ("terms", "SKS Smt", "credits_attempted"),
    ("terms", "SKS Kum", "credits_cum"),
    ("terms", "Jml SKS", "credits_attempted"),
    ("terms", "Smt", "term_id"),
    ("terms", "Thn/Smt", "term_id"),
    ("outcomes", "Thn. Lulus", "exit_term"),
    ("grades", "Kode", "course_code"),
    ("outcomes", "Date of leaving", "exit_date"),
    ("outcomes", "Exit status", "exit_type"),
    ("outcomes", "Final CGPA", "gpa_final"),
    ("students", "nomor_induk", "student_number"),
    ("students", "PA", "advisor"),
    ("students", "jenjang_prodi", "degree_level"),
    ("students", "Program Studi/Jenjang", "program_code"),
]


@pytest.mark.parametrize("table, header, column", SHORT)
def test_short_forms_of_words_are_read_as_the_words(table, header, column):
    assert detect_mapping([header], table).headers == {column: header}


def test_a_header_in_full_goes_before_one_in_short():
    match = detect_mapping(["Tgl Lulus", "Tanggal Lulus"], "outcomes")
    assert match.headers["exit_date"] == "Tanggal Lulus"
