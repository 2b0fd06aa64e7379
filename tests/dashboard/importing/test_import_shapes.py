"""Files that need a word from the office: what the Data page asks, and what comes of the answers."""

import pytest

from dashboard.importing import plan as importing
from dashboard.importing.columns import Said, own_mapping, read_columns
from dashboard.importing.plan import UploadedFile
from data.records.import_queries import known_records
from data.records.ingest import remember_mapping, remembered_mappings
from data.trust.accounts import Account

REGISTRY = Account("rina", "Rina", "registry")
WIDE = UploadedFile(
    "lulusan.csv",
    b"NAMA;JENIS KELAMIN;STATUS MAHASISWA;UMUR;STATUS NIKAH;IPS 1;IPS 2;IPS 3;IPK;STATUS KELULUSAN\n"
    b"ANI;2;BEKERJA;28;BELUM;2,76;2,8;0;3,07;TERLAMBAT\n"
    b"BUDI;1;MAHASISWA;23;BELUM;3,00;3,3;3,14;3,17;TEPAT\n",
)
SNAPSHOT = UploadedFile(
    "register.csv",
    b"NIM;Kode Prodi;Jenjang;Tanggal Masuk;Jenis Daftar;Tanggal Lulus;IPK Akhir\n"
    b"01;55201;S1;06/09/2017;Baru;20/08/2021;3,5\n"
    b"02;55201;S1;06/09/2017;Baru;20/09/2021;3,1\n",
)


@pytest.fixture
def page(store, served, screen, monkeypatch):
    """The Data page of an empty store of its own, after one file was chosen."""
    served(store)

    def opened(file: UploadedFile):
        at = screen.drawn("data", REGISTRY)
        at.file_uploader(key="upload").upload(file.name, file.data, "text/csv").run()
        assert not at.exception
        return at

    return opened


def test_a_register_in_one_file_is_recognised_and_loads_without_a_question(store, page):
    assert importing.guess_kind(SNAPSHOT) == "register"
    at = page(SNAPSHOT)
    assert not [warning.value for warning in at.warning]
    at.button(key="check").click().run()
    assert not at.exception
    plan = importing.make_plan(store, importing.chosen_files([SNAPSHOT], ["register"]), None)
    assert {table: count["new"] for table, count in plan.counts.items()} == {
        **{"programs": 1, "students": 2, "outcomes": 2}
    }
    importing.write_plan(store, plan, actor="rina", role="registry", skip_bad=False)
    outcomes = known_records(store, ["01", "02"]).outcomes.set_index("student_number")
    assert outcomes["exit_term"].to_dict() == {
        "01": 20202,
        "02": 20211,
    }  # September is late


def test_a_wide_file_is_asked_about_on_the_page_and_loads(store, page):
    at = page(WIDE)
    at.selectbox(key="kind-0-lulusan.csv").select("register").run()
    assert not at.exception
    assert "0" in at.radio[0].label and "1" in at.radio[0].label
    inputs = {one.key.rsplit("-", 1)[1]: one for one in at.text_input if one.key.startswith("fixed-students")}
    assert set(inputs) == {"student_number", "program_code", "cohort_term", "degree_level"}
    for column, text in {"student_number": "#", "program_code": "55201", "cohort_term": "20111"}.items():
        inputs[column].set_value(text)
    inputs["degree_level"].set_value("S1")
    at.radio[0].set_value("empty")
    codes = {one.label: one for one in at.selectbox if one.key.startswith("code-students")}
    codes["1"].select("L")
    codes["2"].select("P")
    at.run()
    assert not at.exception
    asked = [one.key for one in at.text_input if one.key.endswith("-student_number")]
    assert len(asked) == 1  # for all tables of the file together
    at.button(key="check").click().run()
    assert not at.exception
    _, found = at.session_state["plan"]
    tables = {one.table: one for one in found.tables}
    assert tables["students"].first[0]["sex"].tolist() == ["P", "L"]
    assert found.counts["terms"]["new"] == 5
    assert "REC030" not in set(found.problems["rule"])


def test_choices_on_the_page_become_one_mapping_that_can_be_remembered(store):
    file = read_columns(store, WIDE, "terms", None)
    assert file.zeros == 1
    said = Said({"student_number": "#"}, {"IPS": {"0": ""}}, "empty")
    mapping = own_mapping([file], {"terms": file.given}, "own", {"terms": said})
    part = mapping.table("terms")
    assert (part.fixed["student_number"], part.fixed["status"], part.zero) == ("#", "A", "empty")
    assert own_mapping([file], {"terms": file.given}, "own", {"terms": Said()}) is None


def test_a_register_beside_a_file_of_its_tables_is_refused():
    with pytest.raises(ValueError, match="each table once, got students twice"):
        importing.chosen_files([SNAPSHOT, SNAPSHOT], ["register", "students"])


OWN_WORDS = UploadedFile(
    "ekspor.csv",
    b"Nomor;Sebutan;Kode;Tingkat;Mulai\n01;Ani;55201;S1;20171\n02;Budi;55201;S1;20171\n",
)
TIED = {
    "Nomor": "student_number",
    "Sebutan": "name",
    "Kode": "program_code",
    "Tingkat": "degree_level",
    "Mulai": "cohort_term",
}
TERMS_OF_OWN = UploadedFile("studi.csv", b"Nomor;Masa;Keadaan\n01;20171;A\n01;20172;A\n02;20171;A\n")
TIED_TERMS = {"Nomor": "student_number", "Masa": "term_id", "Keadaan": "status"}


def remembered_of(store, file: UploadedFile, table: str, tied: dict[str, str], **said):
    """What a person chose of a file on the page, remembered."""
    read = read_columns(store, file, table, None)
    remember_mapping(store, own_mapping([read], {table: tied}, "own", {table: Said(**said)}))


def test_a_file_whose_columns_were_chosen_before_is_recognised_with_them(store, page):
    assert page(OWN_WORDS).selectbox(key="kind-0-ekspor.csv").value == "skip"
    remembered_of(store, OWN_WORDS, "students", TIED)
    at = page(OWN_WORDS)
    assert at.selectbox(key="kind-0-ekspor.csv").value == "students"
    assert not [warning.value for warning in at.warning]
    at.button(key="check").click().run()
    assert not at.exception
    _, found = at.session_state["plan"]
    assert (found.errors, found.counts["students"]["new"]) == (0, 2)


def test_a_tab_that_looked_before_the_columns_were_remembered_looks_again(store, page):
    at = page(OWN_WORDS)
    at.file_uploader(key="upload").set_value(None).run()
    remembered_of(store, OWN_WORDS, "students", TIED)
    at.file_uploader(key="upload").upload(OWN_WORDS.name, OWN_WORDS.data, "text/csv").run()
    assert at.selectbox(key="kind-0-ekspor.csv").value == "students"


def test_columns_chosen_of_one_table_stay_known_when_those_of_another_are_chosen(store):
    remembered_of(store, OWN_WORDS, "students", TIED)
    remembered_of(store, TERMS_OF_OWN, "terms", TIED_TERMS)
    known = remembered_mappings(store)
    assert [importing.guess_kind(file, known) for file in (OWN_WORDS, TERMS_OF_OWN)] == ["students", "terms"]
    plan = importing.make_plan(
        store, importing.chosen_files([OWN_WORDS, TERMS_OF_OWN], ["students", "terms"]), None
    )
    assert (plan.errors, plan.counts["students"]["new"], plan.counts["terms"]["new"]) == (0, 2, 3)


def test_what_was_said_for_every_row_of_one_file_makes_no_students_of_another(store):
    """With programme and entry said for every row, any file with a number would be complete."""
    alone = UploadedFile("nomor.csv", b"Nomor;Sebutan\n01;Ani\n02;Budi\n")
    tied = {name: TIED[name] for name in ("Nomor", "Sebutan")}
    fixed = {"program_code": "55201", "degree_level": "S1", "cohort_term": "20171"}
    remembered_of(store, alone, "students", tied, fixed=fixed)
    known = remembered_mappings(store)
    assert importing.guess_kind(alone, known) == "students"
    other = UploadedFile("surat.csv", b"NIM;Perihal\n01;cuti\n02;aktif\n")
    assert importing.guess_kind(other, known) == "skip"
    terms = UploadedFile("semester.csv", b"NIM;Semester;Status\n01;20171;A\n02;20171;A\n")
    assert importing.guess_kind(terms, known) == "terms"
