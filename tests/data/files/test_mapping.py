"""Mappings: an office's headers and words become the project's, and nothing personal slips through."""

import pandas as pd
import pytest

from data.columns import DEGREE_LEVELS, ENTRY_TYPES, EXIT_TYPES, TERM_STATUSES
from data.files.mapping import (
    FOLDER,
    SHIPPED,
    TABLES,
    MappingError,
    load_mapping,
    mapping_from_dict,
    mapping_to_dict,
    shipped_mappings,
)
from data.files.matching import (
    detect_mapping,
    detect_table,
    known_headers,
    match_headers,
    translate,
)
from data.files.never_stored import NEVER_STORED
from data.files.text_table import header_key

SIAKAD = ["NIM", "Nama Mahasiswa", "Kode Prodi", "Jenjang", "Angkatan", "Jenis Kelamin"]
PDDIKTI = ["nim", "id_semester", "id_status_mahasiswa", "ips", "ipk", "sks_semester", "sks_total"]
ENGLISH = ["Student number", "Exit type", "Graduation date", "Final GPA"]


@pytest.mark.parametrize(
    ("headers", "table", "name"),
    [(SIAKAD, "students", "siakad"), (PDDIKTI, "terms", "pddikti"), (ENGLISH, "outcomes", "english")],
)
def test_the_mapping_that_knows_most_headers_is_chosen(headers, table, name):
    match = detect_mapping(headers, table)
    assert match.mapping.name == name
    assert match.missing == ()
    assert match.unknown == ()
    assert detect_table(headers) == table


def test_case_spaces_and_punctuation_of_headers_do_not_matter():
    match = detect_mapping(["  n.i.m. ", "KODE  PRODI", "angkatan"], "students")
    assert match.headers == {
        "student_number": "  n.i.m. ",
        "program_code": "KODE  PRODI",
        "cohort_term": "angkatan",
    }


def test_a_column_unknown_to_the_chosen_mapping_is_found_by_another():
    match = detect_mapping([*SIAKAD, "Advisor"], "students")
    assert match.mapping.name == "siakad"
    assert match.headers["advisor"] == "Advisor"


def test_missing_and_unknown_headers_are_named():
    match = detect_mapping(["NIM", "Angkatan", "Warna Favorit"], "students")
    assert match.missing == ("program_code",)
    assert match.unknown == ("Warna Favorit",)


def test_national_numbers_parents_and_contacts_are_left_out_whatever_a_mapping_says():
    greedy = load_mapping("siakad").with_chosen("students", {"NIK": "special_needs", "Alamat": "region"})
    match = match_headers([*SIAKAD, "NIK", "Alamat", "Nama Ibu Kandung"], "students", greedy)
    assert match.left_out == ("NIK", "Alamat", "Nama Ibu Kandung")
    assert "special_needs" not in match.headers
    assert "region" not in match.headers


def test_no_shipped_mapping_names_a_header_that_is_never_stored():
    for mapping in shipped_mappings():
        for table in TABLES:
            expected = known_headers(table, [mapping])
            assert not expected & NEVER_STORED


def test_every_shipped_value_is_one_of_the_vocabulary_and_every_code_is_covered():
    statuses, exits, entries, levels = set(), set(), set(), set()
    for mapping in shipped_mappings():
        statuses |= set(mapping.table("terms").values.get("status", {}).values())
        exits |= set(mapping.table("outcomes").values["exit_type"].values())
        entries |= set(mapping.table("students").values["entry_type"].values())
        levels |= set(mapping.table("students").values["degree_level"].values())
    assert statuses == set(TERM_STATUSES)
    assert levels == set(DEGREE_LEVELS)
    assert exits == {*EXIT_TYPES, ""}
    assert entries == set(ENTRY_TYPES)


def test_words_and_codes_become_values_and_unknown_ones_stay():
    texts = pd.DataFrame(
        {"nim": list("abcdef"), "id_jenis_keluar": ["1", "3", "6", "Mutasi", "99", "graduated"]}
    )
    match = detect_mapping(list(texts), "outcomes")
    values = translate(texts, match)["exit_type"]
    assert values.tolist() == ["graduated", "expelled", "deceased", "transferred", "99", "graduated"]


def test_another_mapping_lends_its_words_but_never_its_codes():
    texts = pd.DataFrame({"Student number": ["a", "b", "c"], "Exit type": ["Lulus", "1", "Died"]})
    match = detect_mapping(list(texts), "outcomes")
    values = translate(texts, match, shipped_mappings())["exit_type"]
    assert values.tolist() == ["graduated", "1", "deceased"]


def test_two_cells_that_only_together_name_a_term_are_joined():
    texts = pd.DataFrame(
        {
            "NIM": ["1", "2"],
            "Tahun Akademik": ["2023/2024", "20232"],
            "Semester": ["Ganjil", "Genap"],
            "Status": ["Aktif", "Cuti"],
        }
    )
    values = translate(texts, detect_mapping(list(texts), "terms"))
    assert values["term_id"].tolist() == ["2023/2024 Ganjil", "20232"]
    assert values["status"].tolist() == ["A", "C"]


def test_an_offices_own_toml_overrides_and_builds_on_a_shipped_mapping(tmp_path):
    path = tmp_path / "kampus.toml"
    path.write_text(
        'extends = "siakad"\ndate_order = "mdy"\n[students.columns]\nprogram_code = "Kode Unit"\n'
        '[students.values.sex]\n"Cowok" = "L"\n',
        encoding="utf-8",
    )
    mapping = load_mapping(path)
    assert (mapping.name, mapping.date_order) == ("kampus", "mdy")
    match = match_headers(["NIM", "Kode Unit", "Kode Prodi", "Angkatan"], "students", mapping)
    assert match.headers["program_code"] == "Kode Unit"
    assert match.headers["student_number"] == "NIM"
    assert mapping.table("students").values["sex"]["cowok"] == "L"
    assert mapping.table("students").values["sex"]["perempuan"] == "P"


def test_an_office_says_which_of_its_own_categories_are_the_same():
    toml = '[students.columns]\nadmission_path = "Jalur"\nfunding_at_entry = "Biaya"\n'
    toml += '[students.values.admission_path]\n"Jalur Undangan" = "SNBP"\n"PMDK" = "Jalur Rapor"\n'
    toml += '[students.meanings.Biaya]\n"B1" = "Beasiswa Yayasan"\n'
    headers = ["NIM", "Kode Prodi", "Angkatan", "Jalur", "Biaya"]
    texts = pd.DataFrame(dict.fromkeys(headers, ["1"] * 4))
    texts["Jalur"] = ["JALUR UNDANGAN", "Jalur Rapor", "pmdk", "Mandiri"]
    texts["Biaya"] = ["B1", "Beasiswa Yayasan", "b1", "B2"]
    found = translate(texts, match_headers(headers, "students", load_mapping(toml.encode())))
    assert found["admission_path"].tolist() == ["SNBP", "Jalur Rapor", "Jalur Rapor", "Mandiri"]
    assert found["funding_at_entry"].tolist() == ["Beasiswa Yayasan"] * 3 + ["B2"]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[students.columns]\nstudnet_number = "NIM"', "no such column: studnet_number"),
        ('[students.values.sex]\n"Cowok" = "M"', "'M'; allowed are L, P"),
        ('date_order = "ymd"', "date_order must be one of dmy, mdy"),
        ('extends = "other"', "extends must be one of siakad, pddikti, english"),
        ("[student.columns]", "unknown entries student"),
        ("[students.colums]", "unknown parts: colums"),
        ("no toml", "not a TOML file"),
    ],
)
def test_a_mapping_that_breaks_a_rule_is_refused_by_name(toml, message):
    with pytest.raises(MappingError, match=message):
        load_mapping(toml.encode())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_mapping_survives_the_way_through_json(name):
    mapping = load_mapping(name)
    assert mapping_from_dict(mapping_to_dict(mapping)) == mapping


def test_headers_tied_by_hand_go_before_all_others():
    mapping = load_mapping("siakad").with_chosen("students", {"Pengampu": "advisor", "Jenis Kelamin": ""})
    match = match_headers([*SIAKAD, "Dosen Wali", "Pengampu"], "students", mapping)
    assert match.headers["advisor"] == "Pengampu"
    assert "sex" not in match.headers
    assert match.unknown == ()
    assert mapping_from_dict(mapping_to_dict(mapping)) == mapping


def test_headers_can_change_places_by_hand_and_the_first_of_two_counts():
    mapping = load_mapping("pddikti").with_chosen("terms", {"ipk": "gpa_term", "ips": "gpa_cum"})
    match = match_headers(PDDIKTI, "terms", mapping)
    assert (match.headers["gpa_term"], match.headers["gpa_cum"]) == ("ipk", "ips")
    twice = mapping.with_chosen("terms", {"ips": "gpa_cum", "ipk": "gpa_cum"})
    assert match_headers(PDDIKTI, "terms", twice).headers["gpa_cum"] == "ips"


def test_a_header_cannot_be_tied_to_a_column_that_does_not_exist():
    with pytest.raises(MappingError, match=r"\[terms.chosen\] names no such column: shoe_size"):
        mapping_from_dict({"name": "x", "terms": {"chosen": {"A": "shoe_size"}}})


def test_a_header_key_keeps_percent_as_a_word():
    assert header_key("% Kehadiran") != header_key("Kehadiran")


def test_a_students_count_of_semesters_is_never_taken_for_a_half_of_the_year():
    texts = pd.DataFrame(
        {"NIM": ["1", "2"], "Tahun Akademik": ["2023/2024"] * 2, "Semester": ["1", "5"], "Status": ["A", "A"]}
    )
    assert translate(texts, detect_mapping(list(texts), "terms"))["term_id"].tolist() == ["2023/2024"] * 2


def test_an_entry_year_and_a_half_of_the_year_make_an_entry_term():
    texts = pd.DataFrame(
        {
            "NIM": ["1", "2"],
            "Prodi": ["S1 Fisika"] * 2,
            "Angkatan": ["2023"] * 2,
            "Semester Masuk": ["Genap", "20231"],
        }
    )
    match = detect_mapping(list(texts), "students")
    assert match.headers["program_code"] == "Prodi"
    assert translate(texts, match)["cohort_term"].tolist() == ["2023 Genap", "20231"]


def test_every_mapping_in_the_folder_is_tried():
    assert set(SHIPPED) == {path.stem for path in FOLDER.glob("*.toml")}
