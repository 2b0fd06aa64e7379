"""Make the sample files of this folder: synthetic demo data, every person and signature invented.

    python tests/samples/make_samples.py [FOLDER]

The same files come out every time. Thirty students of three programmes are written three times: as a SIAKAD
export (``;``, byte order mark, decimal comma, a title above the header), as PDDikti Neo Feeder lists (``,``,
codes instead of words) and as one English workbook (two sheets, title rows). ``bad_terms.csv`` goes with
``siakad_students.csv`` and holds one row for each of ten different errors.
"""

from __future__ import annotations

import csv
import io
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import xlsxwriter
from PIL import Image, ImageDraw

SEED = 20_260_901
LAST_TERM = 20252
PROGRAMS = {  # code: (name, level, Indonesian level, short code in the student number)
    "55201": ("Teknik Informatika", "S1", "S-1", "117"),
    "62201": ("Akuntansi", "S1", "S-1", "142"),
    "57401": ("Manajemen Informatika", "D3", "D-III", "331"),
}
GIVEN = "Adi Bayu Citra Dewi Eka Fajar Gita Hadi Intan Joko Kartika Lestari Made Nanda Putri".split()
FAMILY = "Contoh Samaran Rekaan Misalan Khayali".split()
WORDS = {
    "graduated": ("Lulus", "1"),
    "resigned": ("Mengundurkan diri", "4"),
    "expelled": ("Dikeluarkan", "3"),
    "discontinued": ("Putus Studi", "5"),
}
STATUS = {"A": "Aktif", "C": "Cuti", "N": "Non-Aktif"}
PATHS = ("SNBP", "SNBT", "Mandiri")


def terms_from(first: int, count: int) -> list[int]:
    """The ``count`` regular terms from ``first`` on, none after the last one of the samples."""
    terms, term = [], first
    while len(terms) < count and term <= LAST_TERM:
        terms.append(term)
        term = term + 1 if term % 10 == 1 else (term // 10 + 1) * 10 + 1
    return terms


def make_people(rng: np.random.Generator) -> list[dict]:
    """Thirty students with their terms and, for those who left, an outcome."""
    people = []
    for number in range(30):
        code = list(PROGRAMS)[number % 3]
        _, level, _, short = PROGRAMS[code]
        year = 2020 + number % 5
        person = {
            "nim": f"0{short}{year % 100:02d}{number + 1:04d}",
            "name": f"{GIVEN[number % 15]} {FAMILY[number % 5]}",
            "program": code,
            "first": year * 10 + 1,
            "entry": "transfer" if number in (7, 22) else "new",
            "path": PATHS[number % 3],
            "band": int(rng.integers(1, 9)),
            "sex": "P" if number % 2 else "L",
            "born": date(
                year - 18 - int(rng.integers(0, 3)), int(rng.integers(1, 13)), int(rng.integers(1, 28))
            ),
            "advisor": f"dosen{number % 4 + 1}",
        }
        ability = float(rng.normal(3.0, 0.45))
        person["terms"] = make_terms(rng, person["first"], ability, 6 if level == "D3" else 8)
        person["exit"] = make_exit(person, level, ability)
        people.append(person)
    return people


def make_terms(rng: np.random.Generator, first: int, ability: float, normal: int) -> list[dict]:
    """Term rows up to graduation, a drop-out of weak students after four terms, or the last term."""
    count = 4 if ability < 2.45 else normal + (ability < 2.8)
    rows, points, graded, cumulative = [], 0.0, 0, 0
    for index, term in enumerate(terms_from(first, count)):
        leave = index == 3 and ability < 2.9
        attempted = 0 if leave else int(rng.integers(18, 23))
        gpa = None if leave else float(np.clip(rng.normal(ability, 0.25), 0, 4).round(2))
        failed = 0 if leave else int(rng.poisson(max(0.05, 3.2 - ability)))
        passed = max(0, attempted - 3 * failed)
        graded, cumulative = graded + attempted, cumulative + passed
        points += attempted * (gpa or 0)
        rows.append(
            {
                "term": term,
                "status": "C" if leave else "A",
                "gpa": gpa,
                "gpa_cum": round(points / graded, 2) if graded else None,
                "attempted": attempted,
                "passed": passed,
                "cumulative": cumulative,
                "failed": failed,
                "attendance": None if leave else float(np.clip(rng.normal(0.88, 0.07), 0.3, 1).round(3)),
                "arrears": int(rng.choice([0, 0, 0, 14, 45])),
            }
        )
    return rows


def make_exit(person: dict, level: str, ability: float) -> dict | None:
    """How a student left, or None while still enrolled."""
    last = person["terms"][-1]["term"]
    complete = len(person["terms"]) >= (6 if level == "D3" else 8)
    if not complete and ability >= 2.45:
        return None
    if not complete and len(person["terms"]) < 4:
        return None
    kind = "graduated" if complete else ("resigned", "expelled", "discontinued")[int(person["nim"]) % 3]
    year, part = divmod(last, 10)
    day = date(year + 1, 1, 28) if part == 1 else date(year + 1, 7, 25)
    return {"kind": kind, "term": last, "date": day, "gpa": person["terms"][-1]["gpa_cum"]}


def comma(value: float | None) -> str:
    """A number with a decimal comma; empty when there is none."""
    return "" if value is None else f"{value:.2f}".replace(".", ",")


def siakad(people: list[dict]) -> dict[str, list[list[str]]]:
    """The three SIAKAD exports as rows."""
    students = [["DATA MAHASISWA (data contoh sintetis / synthetic demo data)"], []]
    students.append(
        ["No", " NIM ", "Nama Mahasiswa", "NIK", "Kode Prodi", "Program Studi", "Jenjang", "Angkatan"]
        + ["Status Awal", "Jalur Masuk", "UKT", "Jenis Kelamin", "Tanggal Lahir", "Dosen Wali"]
    )
    terms = [
        ["NIM", "Tahun Akademik", "Semester", "Status", "IPS", "IPK", "SKS", "SKS Lulus", "SKS Kumulatif"]
        + ["MK Gagal", "Kehadiran (%)", "Tunggakan (hari)"]
    ]
    outcomes = [["NIM", "Jenis Keluar", "Semester Keluar", "Tanggal Keluar", "IPK Akhir"]]
    for number, who in enumerate(people, start=1):
        name, _, level, _ = PROGRAMS[who["program"]]
        entry = "Pindahan" if who["entry"] == "transfer" else "Peserta didik baru"
        sex = "Perempuan" if who["sex"] == "P" else "Laki-laki"
        students.append(
            [str(number), who["nim"], who["name"], "0000000000000000", who["program"], name, level]
            + [str(who["first"] // 10), entry, who["path"], str(who["band"]), sex]
            + [who["born"].strftime("%d/%m/%Y"), who["advisor"]]
        )
        for row in who["terms"]:
            year, part = divmod(row["term"], 10)
            share = "" if row["attendance"] is None else comma(100 * row["attendance"])
            gpa = "0,00" if row["gpa"] is None else comma(row["gpa"])  # as such systems write leave
            terms.append(
                [who["nim"], f"{year}/{year + 1}", "Ganjil" if part == 1 else "Genap", STATUS[row["status"]]]
                + [gpa, comma(row["gpa_cum"]), str(row["attempted"]), str(row["passed"])]
                + [str(row["cumulative"]), str(row["failed"]), share, str(row["arrears"])]
            )
        if who["exit"]:
            left = who["exit"]
            day = left["date"].strftime("%d/%m/%Y")
            outcomes.append([who["nim"], WORDS[left["kind"]][0], str(left["term"]), day, comma(left["gpa"])])
    return {"siakad_students.csv": students, "siakad_terms.csv": terms, "siakad_outcomes.csv": outcomes}


def pddikti(people: list[dict]) -> dict[str, list[list[str]]]:
    """The three PDDikti lists as rows."""
    students = [["nim", "nama_mahasiswa", "kode_program_studi", "nama_program_studi", "id_periode_masuk"]]
    students[0] += ["id_jenis_daftar", "nama_jalur_daftar", "jenis_kelamin", "tanggal_lahir", "nama_agama"]
    terms = [["nim", "id_semester", "id_status_mahasiswa", "ips", "ipk", "sks_semester", "sks_total"]]
    outcomes = [["nim", "id_jenis_keluar", "nama_jenis_keluar", "tanggal_keluar", "id_periode_keluar", "ipk"]]
    for who in people:
        name, level, _, _ = PROGRAMS[who["program"]]
        students.append(
            [who["nim"], who["name"], who["program"], f"{level} {name}", str(who["first"])]
            + ["2" if who["entry"] == "transfer" else "1", who["path"], who["sex"]]
            + [who["born"].isoformat(), "Tidak diisi"]
        )
        for row in who["terms"]:
            terms.append(
                [who["nim"], str(row["term"]), row["status"], f"{row['gpa'] or 0:.2f}"]
                + [f"{row['gpa_cum'] or 0:.2f}", f"{row['attempted']}.00", str(row["cumulative"])]
            )
        if who["exit"]:
            word, code = WORDS[who["exit"]["kind"]]
            left = who["exit"]
            day = left["date"].strftime("%d-%m-%Y")
            outcomes.append([who["nim"], code, word, day, str(left["term"]), f"{left['gpa']:.2f}"])
    return {"pddikti_students.csv": students, "pddikti_terms.csv": terms, "pddikti_outcomes.csv": outcomes}


def english_workbook(people: list[dict]) -> bytes:
    """One workbook: a cover sheet, students with title rows, terms; numbers and dates as such."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 9, 1)})
        digits = book.add_format({"num_format": "0000000000"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        percent = book.add_format({"num_format": "0.0%"})
        book.add_worksheet("Empty")
        sheet = book.add_worksheet("Students")
        sheet.write_row(0, 0, ["Register of students: synthetic demo data"])
        sheet.write_row(1, 0, ["printed 1 September 2026"])
        headers = ["Student number", "Name", "Programme code", "Programme name", "Degree level", "Entry term"]
        sheet.write_row(3, 0, [*headers, "Entry type", "Gender", "Date of birth", "Advisor"])
        for number, who in enumerate(people, start=4):
            name, level, _, _ = PROGRAMS[who["program"]]
            sheet.write_number(number, 0, int(who["nim"]), digits)  # a number that is shown with its zeros
            sheet.write_row(number, 1, [who["name"], int(who["program"]), name, level, who["first"]])
            sheet.write_row(number, 6, [who["entry"].title(), "Female" if who["sex"] == "P" else "Male"])
            sheet.write_datetime(number, 8, datetime(*who["born"].timetuple()[:3]), day)
            sheet.write_string(number, 9, who["advisor"])
        sheet = book.add_worksheet("Terms")
        headers = ["Student number", "Term", "Status", "Term GPA", "Cumulative GPA", "Credits attempted"]
        sheet.write_row(0, 0, [*headers, "Credits passed", "Cumulative credits", "Attendance (%)"])
        rows = ((who, row) for who in people for row in who["terms"])
        for number, (who, row) in enumerate(rows, start=1):
            status = {"A": "Active", "C": "On leave", "N": "Inactive"}[row["status"]]
            sheet.write_string(number, 0, who["nim"])
            values = [row["term"], status, row["gpa"], row["gpa_cum"], row["attempted"], row["passed"]]
            sheet.write_row(number, 1, [*values, row["cumulative"]])
            if row["attendance"] is not None:
                sheet.write_number(number, 8, row["attendance"], percent)
    return buffer.getvalue()


def bad_terms(people: list[dict]) -> list[list[str]]:
    """Twelve rows, of which ten are wrong, each in another way."""
    header = ["NIM", "Tahun Akademik", "Status", "IPS", "SKS", "SKS Lulus", "Kehadiran (%)"]
    a, b, c = (people[number]["nim"] for number in (0, 5, 10))
    entry = people[0]["first"]
    return [
        header,
        [a, str(entry), "Aktif", "3,25", "20", "20", "91,5"],
        [a, str(entry + 1), "Aktif", "4,75", "20", "20", "90"],  # row 3: GPA above 4
        [a, str(entry + 10), "Aktif", "tiga", "20", "20", "90"],  # row 4: no number
        [a, str(entry + 11), "Alumni", "3,00", "20", "20", "90"],  # row 5: unknown status
        [b, "", "Aktif", "3,00", "20", "20", "90"],  # row 6: no term
        [b, str(entry - 10), "Aktif", "3,00", "20", "20", "90"],  # row 7: before the entry
        [b, str(people[5]["first"]), "Aktif", "2,90", "18", "20", "90"],  # row 8: more passed than attempted
        ["1,17E+09", str(entry), "Aktif", "3,00", "20", "20", "90"],  # row 9: damaged number
        ["0999999999", str(entry), "Aktif", "3,00", "20", "20", "90"],  # row 10: nobody's number
        [c, str(people[10]["first"]), "Aktif", "3,10", "0", "0", "88"],  # row 11: an average of no credits
        [c, "20991", "Aktif", "3,10", "20", "20", "88"],  # row 12: in the future
        [c, str(people[10]["first"] + 1), "Aktif", "3,40", "20", "20", "95"],
    ]


def draw_signature(rng: np.random.Generator, style: np.ndarray) -> bytes:
    """A tiny pen curve as PNG at 300 dpi: the same ``style`` gives the same hand, never the same curve."""
    time = np.linspace(0, 1, 240)
    x, y = 20 + 260 * time, np.full_like(time, 50.0)
    for frequency, (across, up) in enumerate(style, start=2):
        phase = rng.normal(0, 0.15, 2)
        x = x + 10 * across * np.sin(2 * np.pi * frequency * time + phase[0])
        y = y + 14 * up * np.cos(2 * np.pi * frequency * time + phase[1])
    scan = Image.new("L", (300, 110), 250)
    pen = ImageDraw.Draw(scan)
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=40, width=3, joint="curve")
    buffer = io.BytesIO()
    scan.save(buffer, "PNG", dpi=(300, 300), optimize=True)
    return buffer.getvalue()


def signatures(people: list[dict], rng: np.random.Generator) -> bytes:
    """Twelve specimens of six students, named by number, date and occasion; a folder for two of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, who in enumerate(people[:6]):
            style = rng.normal(0, 0.5, (4, 2))
            for day, occasion in (("08-20", "pendaftaran"), ("09-05", "krs")):
                stamp = f"{who['first'] // 10}-{day}"
                name = f"{who['nim']}_{stamp}_{occasion}.png"
                if position >= 4:
                    name = f"{occasion}/{who['nim']}/{stamp}.png"
                entry = zipfile.ZipInfo(name, (2026, 9, 1, 0, 0, 0))
                archive.writestr(entry, draw_signature(rng, style))
    return buffer.getvalue()


def write_csv(path: Path, rows: list[list[str]], delimiter: str, encoding: str) -> None:
    """Write rows with Windows line ends, as offices' programs do."""
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)


def main(folder: Path) -> None:
    """Write every sample file into ``folder``."""
    rng = np.random.default_rng(SEED)
    people = make_people(rng)
    for name, rows in siakad(people).items():
        width = max(map(len, rows))
        filled = [row + [""] * (width - len(row)) for row in rows]
        write_csv(folder / name, filled, ";", "utf-8-sig")
    for name, rows in pddikti(people).items():
        write_csv(folder / name, rows, ",", "utf-8")
    write_csv(folder / "bad_terms.csv", bad_terms(people), ";", "utf-8-sig")
    (folder / "english_register.xlsx").write_bytes(english_workbook(people))
    (folder / "signatures.zip").write_bytes(signatures(people, rng))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
