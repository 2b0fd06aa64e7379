"""Headers under a group that is about something else, and two headers that mean one column."""

import io

import openpyxl
import pytest

from data.files.choices import read_choice
from data.files.register_files import guess_table
from data.records.ingest import Source, chosen_mapping, plan_import

ALONE = ("No", "NIM", "Nama Mahasiswa", "Angkatan", "Provinsi", "Dosen PA")
ENTRY = ("Jenis Pendaftaran", "Jalur Masuk", "SKS Diakui")


def register(group="Program Studi", names=("Kode", "Nama", "Jenjang"), entry="Pendaftaran") -> bytes:
    """An office's list with merged cells: two titles, two header rows, two students."""
    header = [("No",), ("NIM",), ("Nama Mahasiswa",), *((group, name) for name in names), ("Angkatan",)]
    header += [*((entry, name) for name in ENTRY), ("Provinsi",), ("Dosen PA",)]
    book, made = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet["A1"], sheet["A2"] = "SEKOLAH TINGGI CONTOH", "DAFTAR MAHASISWA"
    for place, (first, *second) in enumerate(header, 1):
        if not second:
            sheet.cell(4, place, first)
            sheet.merge_cells(start_row=4, end_row=5, start_column=place, end_column=place)
            continue
        if header[place - 2][0] != first:
            wide = sum(one[0] == first for one in header)
            sheet.cell(4, place, first)
            sheet.merge_cells(start_row=4, end_row=4, start_column=place, end_column=place + wide - 1)
        sheet.cell(5, place, second[0])
    sheet.append(
        [1, "01", "Ani Satu", "61101", "S2 Manajemen", "S2", 2021, "Baru", "Mandiri", None, "Banten", "A"]
    )
    sheet.append(
        [2, "02", "Budi Dua", "62201", "S1 Akuntansi", "S1", 2021, "Pindahan", "SNBP", 24, "Bali", "B"]
    )
    book.save(made)
    return made.getvalue()


def planned(data: bytes, *choices: str, name="m.xlsx", store=None):
    source = Source("students", name, data)
    said = [read_choice(text) for text in choices]
    mapping = chosen_mapping(store, [source], None, said) if said else None
    return plan_import([source], mapping, store=store)


@pytest.mark.parametrize("group", ["Program Studi", "Prodi", "Identitas Prodi", "Data Program Studi"])
@pytest.mark.parametrize("entry", ["Pendaftaran", "Data Masuk"])
def test_names_under_a_programmes_group_are_the_programmes(group, entry):
    data = register(group, entry=entry)
    assert guess_table("m.xlsx", data) == "students"
    plan = planned(data)
    assert plan.accepted, plan.errors.to_string()
    frame = plan.frames.students
    assert frame["name"].tolist() == ["Ani Satu", "Budi Dua"]
    assert frame["program_code"].tolist() == ["61101", "62201"]
    assert frame["program_name"].tolist() == ["S2 Manajemen", "S1 Akuntansi"]
    assert frame["degree_level"].tolist() == ["S2", "S1"]
    assert frame["recognized_credits"].fillna(0).tolist() == [0, 24]
    assert frame["entry_type"].tolist() == ["new", "transfer"]
    assert plan.matches["students"].headers["program_name"] == f"{group} / Nama"
    assert not plan.matches["students"].unknown and not plan.matches["students"].twice


def test_a_name_under_a_group_is_chosen_with_and_without_its_group():
    for said in ("Kode", "Identitas Prodi / Kode"):
        plan = planned(register("Identitas Prodi"), f"program_code={said}")
        assert plan.frames.students["program_code"].tolist() == ["61101", "62201"]
        assert plan.frames.students["name"].tolist() == ["Ani Satu", "Budi Dua"]


@pytest.mark.parametrize("group", ["Orang Tua", "Dosen Pembimbing", "Sekolah Asal", "Wali"])
def test_a_name_under_another_persons_group_is_not_the_students(group):
    above = f"NIM;Nama;Kode Prodi;Jenjang;Angkatan;Status Awal;{group};"
    text = f"{above}\n;;;;;;Nama;Jenjang\n01;Ani;55201;S1;2021;Baru;Lain;SMA\n"
    plan = planned(text.encode(), name="m.csv")
    assert plan.accepted, plan.errors.to_string()
    assert plan.frames.students[["name", "degree_level"]].to_numpy().tolist() == [["Ani", "S1"]]


def test_a_title_over_the_header_is_no_group():
    text = "Prodi;Teknik;;;;\nNIM;Nama;Kode Prodi;Jenjang;Angkatan;Status Awal\n01;Ani;55201;S1;2021;Baru\n"
    assert planned(text.encode(), name="m.csv").frames.students["name"].tolist() == ["Ani"]


TWINS = "NIM;Nama Mahasiswa;Kode Prodi;Nama;Jenjang;Angkatan;Status Awal\n01;Ani;55201;Teknik;S1;2021;Baru\n"


def test_of_two_headers_for_one_column_the_one_read_and_the_one_left_are_named():
    plan = planned(TWINS.encode(), name="m.csv")
    assert plan.frames.students["name"].tolist() == ["Ani"]
    told = plan.problems[plan.problems["rule"] == "REC148"]
    assert told[["column", "value"]].to_numpy().tolist() == [["Nama Mahasiswa", "Nama"]]
    assert "--set students.name=Nama" in told["message"].iloc[0]


def test_what_is_chosen_of_two_headers_is_read_and_not_asked_again():
    plan = planned(TWINS.encode(), "students.name=Nama", name="m.csv")
    assert plan.frames.students["name"].tolist() == ["Teknik"]
    assert "REC148" not in set(plan.problems["rule"])
    left = planned(TWINS.encode(), "-=Nama", name="m.csv")
    assert left.frames.students["name"].tolist() == ["Ani"]
    assert "REC148" not in set(left.problems["rule"])


def test_two_headers_with_the_same_cells_need_no_choice():
    plan = planned(TWINS.replace("Teknik", "Ani").encode(), name="m.csv")
    assert "REC148" not in set(plan.problems["rule"])
