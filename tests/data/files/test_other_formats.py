"""Files of other programs: old workbooks, web pages under a spreadsheet's name, JSON, a second header row.

``shapes/mahasiswa.xls`` and ``.ods`` were written by LibreOffice from one invented workbook of two sheets.
"""

import io
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.files import workbook_reader
from data.files.register_files import Source, guess_table, read_source
from data.files.tables import read_table, read_text_table
from data.files.text_files import TableError
from data.records.ingest import plan_import

SHAPES = Path(__file__).parent / "shapes"
WORKBOOKS = {name: (SHAPES / f"mahasiswa.{name}").read_bytes() for name in ("xls", "ods")}
PAGE = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>
<style>td {mso-number-format:"\\@"}</style></head><body><table><tr><td>Universitas Contoh</td></tr></table>
<table border=1><tr><th>NIM</th><th>Nama</th><th>Kode Prodi</th><th>Jenjang</th><th>Angkatan</th></tr>
<tr><td>0101</td><td>Siti &amp; A<br>B</td><td rowspan=2>55201</td><td>S1</td><td>2021</td></tr>
<tr><td>0102</td><td>Budi</td><td>S1</td><td>2021</td></tr>
<tr><td colspan=2>Jumlah</td></table></body></html>"""
FEEDER = {
    "error_code": 0,
    "error_desc": "",
    "data": [
        {"nim": "0101", "nama_mahasiswa": "Siti", "kode_program_studi": "55201", "id_periode": "20211"}
        | {"nama_jenjang_didik": "S1", "nama_status_mahasiswa": "AKTIF", "nik": "3201"},
        {"nim": "0102", "kode_program_studi": "55201", "id_periode": 20211, "nama_jenjang_didik": "S1"},
    ],
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_an_old_workbook_gives_the_rows_that_a_spreadsheet_shows(name):
    parsed = read_source(Source("students", f"m.{name}", WORKBOOKS[name]))
    assert parsed.text.sheet == "Mahasiswa"
    assert parsed.values.index.tolist() == [4, 5]
    assert parsed.values["student_number"].tolist() == ["0101", "0102"]
    assert parsed.values["cohort_term"].tolist() == [20211, 20211]
    assert parsed.values["birth_year"].tolist() == [2003, 2002]
    assert read_table(WORKBOOKS[name], f"m.{name}", sheet="Catatan").columns.tolist() == ["hanya catatan"]
    with pytest.raises(TableError, match="no sheet 'X'; it has 'Mahasiswa', 'Catatan'"):
        read_table(WORKBOOKS[name], f"m.{name}", sheet="X")


@pytest.mark.parametrize("name", WORKBOOKS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_damaged_old_workbook_is_a_clear_refusal_or_a_table(name, data):
    broken = bytearray(WORKBOOKS[name])
    for _ in range(data.draw(st.integers(1, 12))):
        broken[data.draw(st.integers(8, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(16, len(broken)))])
    try:
        read_table(cut, f"m.{name}")
    except TableError as error:
        assert f"m.{name}" in str(error) or "no filled cell" in str(error)


def test_a_workbook_that_breaks_its_reader_ends_the_readers_process_only(monkeypatch, tmp_path):
    child = tmp_path / "child.py"
    child.write_text("import os, sys\nsys.stdin.buffer.read(1)\nos.abort()\n")
    monkeypatch.setattr(workbook_reader, "CHILD", child)
    with pytest.raises(TableError, match="m.xls: the workbook is damaged"):
        read_table(WORKBOOKS["xls"], "m.xls")
    child.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(workbook_reader, "SECONDS", 0.3)
    with pytest.raises(TableError, match="m.xls: takes too long to read"):
        read_table(WORKBOOKS["xls"], "m.xls")


def test_a_sheet_that_claims_millions_of_cells_is_refused():
    old = zipfile.ZipFile(io.BytesIO(WORKBOOKS["ods"]))
    text = old.read("content.xml").decode()
    told = 'table:number-columns-repeated="900" office:value-type="string"'
    cell = f"<table:table-cell {told}><text:p>1</text:p>"
    rows = f'<table:table-row table:number-rows-repeated="9000">{cell}</table:table-cell></table:table-row>'
    start, end = text.index("<table:table "), text.rindex("</office:spreadsheet>")
    text = f'{text[:start]}<table:table table:name="A">{rows}</table:table>{text[end:]}'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for part in old.namelist():
            stored = zipfile.ZIP_STORED if part == "mimetype" else zipfile.ZIP_DEFLATED
            new.writestr(part, text if part == "content.xml" else old.read(part), stored)
    with pytest.raises(TableError, match="sheet 'A' reaches over 9,000 rows and 900 columns"):
        read_table(buffer.getvalue(), "m.ods")


def test_a_web_page_named_xls_is_read_by_its_table_of_students():
    parsed = read_source(Source("students", "m.xls", PAGE.encode()))
    assert parsed.values["student_number"].tolist()[:2] == ["0101", "0102"]
    assert parsed.values["program_code"].tolist()[:2] == ["55201", "55201"]
    assert parsed.values["name"].tolist()[0] == "Siti & A B"
    assert parsed.values.index.tolist() == [2, 3, 4]
    assert guess_table("m.xls", PAGE.encode()) == "students"


@pytest.mark.parametrize(
    "start", ["<!-- export --><div>", "\n<table><tr><td></td></tr></table>", "<?xml version='1.0'?><html>"]
)
def test_a_web_page_may_begin_in_other_ways(start):
    assert len(read_table((start + PAGE).encode(), "m.xls")) == 3


def test_a_page_says_its_encoding_and_one_without_a_table_is_refused():
    page = PAGE.replace("<head>", "<head><meta charset=windows-1252>").replace("Budi", "Renée")
    assert "Renée" in read_table(page.encode("cp1252"), "m.xls")["Nama"].tolist()
    with pytest.raises(TableError, match="a web page without a filled table"):
        read_table(b"<html><body><title>x</title>Please sign in</body></html>", "m.xls")


def test_feeders_answers_load_as_they_are():
    source = Source("students", "mahasiswa.json", json.dumps(FEEDER).encode())
    plan = plan_import([source])
    assert plan.accepted, plan.errors.to_string()
    assert plan.frames.students["cohort_term"].tolist() == [20211, 20211]
    assert plan.matches["students"].left_out == ("nik",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"error_code": 100, "error_desc": "Token expired"}', "error 100: Token expired"),
        ('{"error_code": 0, "data": []}', "JSON without records"),
        ('{"data": [', "not JSON, or a damaged one"),
        ('{"data": ' + "[" * 100_000, "not JSON, or a damaged one"),
        ('[{"a": [1]}]', "JSON without records that have named values"),
    ],
)
def test_json_that_is_no_table_is_refused_with_the_reason(text, message):
    with pytest.raises(TableError, match=message):
        read_table(text.encode(), "m.json")


def test_numbers_in_json_keep_their_digits():
    text = '[{"nim": 12345678901234567890, "ipk": 3.50, "aktif": true, "x": null, "y": {"z": 1}}]'
    assert read_table(text.encode(), "m.json").iloc[0].to_dict() == {
        **{"nim": "12345678901234567890", "ipk": "3.50", "aktif": "TRUE", "x": ""},
    }


def test_a_second_header_row_is_left_out_and_said():
    text = "Student,ID,SIS User ID,Quiz (12)\n    Points Possible,,,100\nSiti,1,0101,85\n"
    table = read_text_table(text.encode(), "grades.csv")
    assert table.frame["SIS User ID"].tolist() == ["0101"]
    assert table.second_header == 2
    again = read_text_table(b"NIM;Nama\nNIM;Nama\n0101;Siti\n", "m.csv")
    assert again.frame["NIM"].tolist() == ["0101"]
    assert read_text_table(b"NIM;Nama\n0101;Siti\n", "m.csv").second_header is None


def test_one_process_reads_one_workbook_after_the_other_and_a_bad_one_does_not_end_it(monkeypatch):
    started = []
    popen = workbook_reader.subprocess.Popen
    monkeypatch.setattr(workbook_reader, "_waiting", workbook_reader._Waiting())
    monkeypatch.setattr(
        workbook_reader.subprocess,
        "Popen",
        lambda *words, **how: started.append(popen(*words, **how)) or started[-1],
    )
    for _ in range(3):
        for name, data in WORKBOOKS.items():
            assert len(read_table(data, f"m.{name}")) == 2
        with pytest.raises(TableError, match="m.xls"):
            read_table(WORKBOOKS["xls"][:600], "m.xls")
    assert len(started) == 1
    started[0].kill()
    assert len(read_table(WORKBOOKS["xls"], "m.xls")) == 2
    assert len(started) == 2


def test_a_workbook_that_breaks_a_waiting_reader_is_not_read_a_second_time(monkeypatch, tmp_path):
    """It would cost the same again; only a process that had ended before it took the workbook is replaced."""
    child, times = tmp_path / "child.py", tmp_path / "times"
    child.write_text(
        "import os, sys\n"
        "for answer in (b'{}', b''):\n"
        "    sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(8), 'big'))\n"
        f"    open({str(times)!r}, 'a').write('x')\n"
        "    sys.stdout.buffer.write(b'+' + (len(answer).to_bytes(8, 'big') + answer if answer else b''))\n"
        "    sys.stdout.buffer.flush()\n"
        "os.abort()\n"
    )
    monkeypatch.setattr(workbook_reader, "CHILD", child)
    monkeypatch.setattr(workbook_reader, "_waiting", workbook_reader._Waiting())
    assert workbook_reader.read(b"sound") == {}
    with pytest.raises(workbook_reader.ReaderEnded):
        workbook_reader.read(b"breaks it")
    assert times.read_text() == "xx"


def test_the_process_that_reads_workbooks_ends_with_the_one_that_asks():
    told = (
        "from data.files import workbook_reader as reader, tables\n"
        f"tables.read_table(r'{SHAPES / 'mahasiswa.xls'}')\n"
        "print(reader._waiting.kept[0][0].pid)\n"
    )
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    until = time.monotonic() + 10
    while _is_running(int(said.stdout)):
        assert time.monotonic() < until
        time.sleep(0.05)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_filled_cells_repeated_over_a_whole_sheet_are_refused_before_they_are_written_out():
    """A damaged place in a real file did this: 17 milliard cells, a minute of work."""
    old = zipfile.ZipFile(io.BytesIO(WORKBOOKS["ods"]))
    told = b'table:number-columns-repeated="16378" office:value-type="float" office:value="7"'
    cell = b"<table:table-cell %s/>" % told
    repeated = b'<table:table-row table:number-rows-repeated="1048570">%s</table:table-row>' % cell
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "content.xml":
                content = content.replace(b"</table:table>", repeated + b"</table:table>", 1)
            new.writestr(part, content)
    with pytest.raises(TableError, match="repeats filled cells"):
        read_table(buffer.getvalue(), "m.ods")


@pytest.mark.parametrize("end", [b"</table:table>", b"</table:table-row>", b"</office:spreadsheet>"])
def test_a_workbook_whose_sheets_have_no_end_is_refused_at_once(end, monkeypatch):
    """A damaged place in a real file did this: the reader looked for the end of the table for ever."""
    monkeypatch.setattr(workbook_reader, "SECONDS", 20)
    old = zipfile.ZipFile(io.BytesIO(WORKBOOKS["ods"]))
    for broken in (b"", end[:4] + b",", end[:-1]):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as new:
            for part in old.namelist():
                content = old.read(part)
                if part == "content.xml":
                    before, _, after = content.rpartition(end)
                    content = before + broken + after
                new.writestr(part, content)
        with pytest.raises(TableError, match="m.ods: the workbook is damaged"):
            read_table(buffer.getvalue(), "m.ods")
