"""Damaged files for every parser of an office's files: whole ones, how they are damaged, how they are read.

Each damaged file has a number: the same parser and number give the same bytes on every machine.
"""

from __future__ import annotations

import io
import json
import os
import resource
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import openpyxl
from PIL import Image

from data.files import workbook_reader
from data.files.mapping import TABLES, MappingError, load_mapping
from data.files.register_files import read_source
from data.files.text_files import TableError
from data.records.ingest import ImportPlan, Source, chosen_mapping, plan_import
from data.signatures.ingest import SignaturePlan, plan_signatures

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "samples"
TODAY = date(2026, 9, 1)
HEADER = "NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal"
ROW = "0211001,A,TI,S1,2021,Baru"
FILES = {"terms": "siakad_terms.csv", "outcomes": "siakad_outcomes.csv"}

ODD = (
    b"NaN", b"#REF!", b"=A1", b"'", b'"', b"\n", b"\r", b";", b",", b"\t", b"\x00", b"\xff", b"\xef\xbb\xbf",
    b"1e309", b"-0", b"99999999999999999999", b"31/02/2024", b"0000-00-00", b"2021/2022", b"%",
    b"\xed\xa0\x80",
    "١٢٣".encode(), "²".encode(), "\u202e".encode(), b"TOTAL", b"=\"", b"1.0", b"<html", b"PK\x03\x04",
    b"[", b"{", b"]]", b"}}", b"<td colspan=9999>", b"<table>", b"\x7f\xff\xff\xff", b"true",
)  # fmt: skip

GRADES = """NIM;Kode Semester;Kode MK;Nama MK;SKS;Nilai Huruf;Bobot;Kelas;Tanggal Nilai
0117200001;20201;IF101;Kalkulus;3;A-;3,75;A;05/02/2021
0117200001;20201;IF102;Fisika;2;T;;B;
0117200001;20202;IF102;Fisika;2;B+;3,25;A;20/08/2021
0142210002;20211;AK101;Pengantar Akuntansi;3;Lulus;;;
0142210002;20211;AK102;Ekonomi Mikro;3;E;0;A;01/02/2022
"""
CONSENTS = """NIM;Keperluan;Status;Tanggal Persetujuan;Tanggal Pencabutan;No. Formulir
0117200001;verifikasi tanda tangan;setuju;01/09/2024;;F-12
0117200002;semua;setuju;01/09/2024;;F-13
0117200002;riset;dicabut;01/09/2024;15/01/2025;Surat 7
"""
MAPPING = """extends = "siakad"
date_order = "dmy"
[students.columns]
program_code = "Unit"
student_number = ["No. Mahasiswa", "NIM"]
[students.fixed]
degree_level = "S1"
[students.meanings."Kode Pria"]
1 = "L"
0 = "P"
[students.chosen]
"Kode Pria" = "sex"
[terms.values.status]
"Bebas Teori" = "A"
[terms.scale]
"Hadir (persen)" = 0.01
[terms.join]
term_id = [["Tahun Ajaran", "Smt"]]
"""
MAPPED = b"NIM,Nama,Unit,Angkatan,Kode Pria\n0211001,A,TI,2021,1\n0211002,B,TI,2021,0\n"
CODES = "id_pembiayaan;nama_pembiayaan\n" + "".join(
    f"{number};{words}\n"
    for number, words in enumerate(("Mandiri", "Beasiswa Tidak Penuh", "Beasiswa Penuh") * 6, start=1)
)
CODED = (
    b"NIM,Nama,Kode Prodi,Jenjang,Angkatan,id_pembiayaan\n0211001,A,TI,S1,2021,1\n0211002,B,TI,S1,2021,3\n"
)
FIGURES = """profile,program_code,ts,row,column,value,reason,by,second_reason
iaps40-2a,55201,2025,TS,capacity,120,,,
iaps40-2a,55201,2025,TS-1,applicants,340,,,
iaps40-8c,55201,2025,TS-3,accepted,40,found in the archive,siti,
""" + "".join(
    f"iaps40-2a,{code},2025,TS-{year},{column},{100 + year},,,\n"
    for code in ("57201", "61201")
    for year in range(1, 5)
    for column in ("capacity", "applicants")
)
PAGE = """<html><head><style>td {{mso-number-format:"\\@"}}</style></head><body>
<table><tr><td>Universitas Contoh</td></tr></table>
<table border=1>{rows}<tr><td colspan=2>Jumlah</td></tr></table></body></html>"""


@dataclass(frozen=True)
class Parser:
    """What reads one kind of file.

    Parameters
    ----------
    wholes : tuple of (str, bytes)
        Files that are whole, each with what it is.
    damage : callable
        Bytes and a generator of numbers → damaged bytes.
    read : callable
        What a file is, its bytes, and whether it goes through the whole check of an import after it is read
        → whether it is taken; raises for whatever an office would see as a traceback, and for a problem
        without a file or without words.
    """

    wholes: tuple[tuple[str, bytes], ...]
    damage: Callable[[bytes, np.random.Generator], bytes]
    read: Callable[[str, bytes, bool], bool]

    def damaged(self, name: str, number: int) -> tuple[str, bytes]:
        """The damaged file of a number, and what it is."""
        rng = np.random.default_rng([7, number, *name.encode()])
        what, whole = self.wholes[number % len(self.wholes)]
        return what, self.damage(whole, rng)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to six places changed, cut, doubled or filled with something odd."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        place = int(rng.integers(0, len(content) + 1))
        way = int(rng.integers(0, 5))
        if way == 0 and place < len(content):
            content[place] = int(rng.integers(0, 256))
        elif way == 1:
            content[place:place] = ODD[int(rng.integers(len(ODD)))]
        elif way == 2:
            del content[place : place + int(rng.integers(1, 40))]
        elif way == 3:
            content[place:place] = content[max(0, place - 30) : place] * int(rng.integers(1, 4))
        else:
            content[place : place + int(rng.integers(1, 12))] = ODD[int(rng.integers(len(ODD)))]
    return bytes(content)


STRANGE = ("", "x", "TOTAL", 0, -1, 1.5, True, [], {}, [[]], [1], {"a": 1}, ["NIM"], {"sex": "x"}, "9" * 400)


def restructured(tree, rng: np.random.Generator):
    """A tree of values in which one to three places hold something of another kind, or nothing."""
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(tree))
        if not places:
            return tree
        holder, key = places[int(rng.integers(len(places)))]
        way = int(rng.integers(0, 4))
        if way == 0:
            del holder[key]
        elif way == 1 and isinstance(holder, dict):
            holder[str(STRANGE[int(rng.integers(3))])] = holder.pop(key)
        else:
            holder[key] = json.loads(json.dumps(STRANGE[int(rng.integers(len(STRANGE)))]))
    return tree


def _places(tree):
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield tree, key
        yield from _places(value)


def mutated_json(data: bytes, rng: np.random.Generator) -> bytes:
    """JSON damaged in its bytes, or JSON whose values are not what they should be."""
    if rng.integers(2):
        return mutated(data, rng)
    return json.dumps(restructured(json.loads(data), rng)).encode()


def mutated_toml(data: bytes, rng: np.random.Generator) -> bytes:
    """TOML damaged in its bytes, or TOML whose values are not what they should be."""
    if rng.integers(4) == 0:
        return mutated(data, rng)
    tree = restructured(tomllib.loads(data.decode()), rng)
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in tree.items()).encode()


def _toml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def repacked(data: bytes, rng: np.random.Generator) -> bytes:
    """An archive with one part mutated, itself whole; every fifth time the archive itself."""
    if rng.integers(5) == 0:
        return mutated(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        parts = [(part, whole.read(part)) for part in whole.infolist()]
    filled = [place for place, (_, content) in enumerate(parts) if content]
    weights = np.array(
        [
            4.0 if "sheet" in parts[at][0].filename or "content" in parts[at][0].filename else 1.0
            for at in filled
        ]
    )
    chosen = filled[int(rng.choice(len(filled), p=weights / weights.sum()))]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for place, (part, content) in enumerate(parts):
            archive.writestr(part.filename, mutated(content, rng) if place == chosen else content)
    return made.getvalue()


def a_few_rows(name: str, rows: int = 12) -> bytes:
    """A sample's first rows: what is wrong with a cell shows in twelve rows as well as in thousands."""
    lines = (SAMPLES / name).read_bytes().splitlines(keepends=True)
    return b"".join(lines[: rows + 1])


def small_workbook() -> bytes:
    """A workbook of eight students with a date, a format, a formula and a second sheet."""
    book = openpyxl.Workbook()
    for line in (
        HEADER + ",Tanggal Lahir",
        *(f"{ROW},2003-0{n}-01".replace("001", f"00{n}") for n in range(1, 9)),
    ):
        book.active.append(line.split(","))
    book.active["E2"], book.active["E3"], book.active["E4"] = date(2021, 9, 1), 2021, "=2000+21"
    book.active["E2"].number_format, book.active["E3"].number_format = "yyyy-mm-dd", "0000"
    book.create_sheet("Sheet2").append(HEADER.split(","))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def small_page(table: str) -> bytes:
    """A web page as systems save it under a spreadsheet's name."""
    lines = _text_of(table).splitlines()
    delimiter = ";" if ";" in lines[0] else ","
    rows = [
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in line.split(delimiter)) + "</tr>" for line in lines
    ]
    return PAGE.format(rows="\n".join(rows)).encode()


def small_answer(table: str) -> bytes:
    """An answer as PDDikti Neo Feeder gives it."""
    lines = _text_of(table).splitlines()
    delimiter = ";" if ";" in lines[0] else ","
    names, *rows = (line.split(delimiter) for line in lines)
    records = [dict(zip(names, row, strict=False)) for row in rows]
    return json.dumps({"error_code": 0, "error_desc": "", "data": records}).encode()


def _text_of(table: str) -> str:
    if table in (written := {"consents": CONSENTS, "grades": GRADES}):
        return written[table]
    return a_few_rows(FILES.get(table, "siakad_students.csv")).decode("utf-8-sig")


def small_scans() -> bytes:
    """A zip of six signatures in every format that is taken, of the first students of the sample."""
    numbers = [line.split(";")[0].split(",")[0] for line in _text_of("students").splitlines()[1:7]]
    ink = np.random.default_rng(1).integers(0, 256, (48, 96), dtype=np.uint8)
    exif = Image.Exif()
    exif[306] = "2024:08:20 10:00:00"
    pictures = (
        ("png", Image.fromarray(ink), {"dpi": (300, 300)}),
        ("jpg", Image.fromarray(ink), {"exif": exif}),
        ("tif", Image.fromarray(ink), {"compression": "tiff_lzw"}),
        ("bmp", Image.fromarray(ink), {}),
        ("webp", Image.fromarray(ink).convert("RGB"), {}),
        ("png", Image.fromarray(ink.astype(np.uint16) * 257), {}),
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number, (suffix, picture, how) in zip(numbers, pictures, strict=True):
            content = io.BytesIO()
            picture.save(content, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()), **how)
            archive.writestr(f"{number}_2024-08-20_krs.{suffix}", content.getvalue())
    return made.getvalue()


# Reading


def told(plan: ImportPlan | SignaturePlan) -> bool:
    """Whether a plan takes its files; every problem of it names a file and says something."""
    for problem in plan.problems.itertuples():
        if not problem.file or not problem.message:
            raise AssertionError(f"a problem without a file or words: {problem}")
    return plan.accepted


def _table(suffix: str) -> Callable[[str, bytes, bool], bool]:
    def read(table: str, data: bytes, whole: bool) -> bool:
        source = Source(table, f"f.{suffix}", data)
        if whole:
            return told(plan_import([source], today=TODAY))
        try:
            read_source(source)
        except TableError as error:
            return _said(error)
        return True

    return read


def _mapping(what: str, data: bytes, whole: bool) -> bool:
    try:
        mapping = load_mapping(data)
    except MappingError as error:
        return _said(error)
    return not whole or told(plan_import([Source("students", "f.csv", MAPPED)], mapping, today=TODAY))


def _codes(what: str, data: bytes, whole: bool) -> bool:
    sources = [Source("students", "f.csv", CODED)]
    try:
        mapping = chosen_mapping(None, sources, codes=[Source("students", "codes.csv", data)])
    except (TableError, MappingError) as error:
        return _said(error)
    return not whole or told(plan_import(sources, mapping, today=TODAY))


def _figures(what: str, data: bytes, whole: bool) -> bool:
    from dashboard.reports.by_hand import figures_of, read_figures
    from dashboard.reports.model import FiguresRefused
    from dashboard.reports.profile import load_profile

    try:
        lines = read_figures(data)
        for name in ("iaps40-2a", "iaps40-8c"):
            figures_of(lines, load_profile(name, "S1"), "55201", 2025)
    except FiguresRefused as error:
        return _said(error)
    return True


def _said(error: Exception) -> bool:
    if " " not in str(error):
        raise AssertionError(f"no words: {error!r}")
    return False


@lru_cache(maxsize=1)
def _register():
    """An empty store that lasts as long as the process, and the plan of the students of the sample."""
    from data.store import open_store

    folder = tempfile.TemporaryDirectory()
    store = open_store(
        f"sqlite:///{folder.name}/tepat.db", folder=Path(folder.name), create=True, upgrade=True
    )
    records = plan_import([Source("students", "f.csv", a_few_rows("siakad_students.csv"))], today=TODAY)
    return folder, store, records


def _scans(what: str, data: bytes, whole: bool) -> bool:
    _, store, records = _register()
    return told(plan_signatures(data, "scans.zip", store, records=records, today=TODAY))


@lru_cache(maxsize=1)
def parsers() -> dict[str, Parser]:
    """Every parser by name."""
    by_table = [(table, _text_of(table).encode()) for table in TABLES]
    old = {suffix: (HERE / "shapes" / f"mahasiswa.{suffix}").read_bytes() for suffix in ("xls", "ods")}
    return {
        "csv": Parser(tuple(by_table), mutated, _table("csv")),
        "xlsx": Parser((("students", small_workbook()),), repacked, _table("xlsx")),
        "xls": Parser((("students", old["xls"]),), mutated, _table("xls")),
        "ods": Parser((("students", old["ods"]),), repacked, _table("ods")),
        "html": Parser(tuple((table, small_page(table)) for table in TABLES), mutated, _table("xls")),
        "json": Parser(tuple((table, small_answer(table)) for table in TABLES), mutated_json, _table("json")),
        "images": Parser((("scans", small_scans()),), repacked, _scans),
        "mapping": Parser((("mapping", MAPPING.encode()),), mutated_toml, _mapping),
        "codes": Parser((("codes", CODES.encode()),), mutated, _codes),
        "figures": Parser((("figures", FIGURES.encode()),), mutated, _figures),
    }


def cpu_seconds() -> float:
    """Seconds of a processor that this process and its readers of workbooks have used until now."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_used, _reader_processes()))


def _reader_processes() -> list[int]:
    return [process.pid for process, _ in workbook_reader._waiting.kept]


def _used(process: int) -> float:
    """Seconds of a process that runs and of those that it has forked; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
