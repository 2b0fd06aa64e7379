"""Registers twice told: as PDDikti Neo Feeder's rows and as an office's own files, from one source each.

Three of them: invented students of any number, the sample files of the demo, and the second university. The
rows carry what a Feeder carries, national numbers and mothers' names included.
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from tests.registers.second_university import files
from tests.registers.second_university.people import people

SAMPLES = Path(__file__).parents[2] / "samples"
PROGRAMMES = (  # code, name, level, id of the level
    ("55201", "Informatika", "S1", 30),
    ("61201", "Manajemen", "S1", 30),
    ("61406", "Keuangan dan Perbankan", "D3", 22),
    ("74101", "Hukum", "S2", 35),
)
LEVELS = {"D3": "22", "D4": "23", "S1": "30", "S2": "35", "S3": "40"}
EXITS = {"1": "Lulus", "2": "Mutasi", "3": "Dikeluarkan", "4": "Mengundurkan diri", "5": "Putus Sekolah"}
EXITS |= {"6": "Wafat", "7": "Hilang"}
ENTRIES = {"1": "Peserta didik baru", "2": "Pindahan", "13": "RPL Perolehan SKS"}
STATUSES = {"Aktif": "A", "Cuti": "C", "Non-Aktif": "N", "Non Aktif": "N", "Kampus Merdeka": "M"}
STATUS_WORDS = {"A": "AKTIF", "C": "CUTI", "N": "NON-AKTIF", "M": "Kampus Merdeka", "U": "Menunggu Ujian"}
COURSES = {"MK1": "Bahasa Indonesia", "MK2": "Statistika", "PL1": "Kewirausahaan"}
LETTERS = (("A", "4.00"), ("B", "3.00"), ("C", "2.00"), ("E", "0.00"))
SECRETS = ("3374019999990001", "Ibu Rahasia", "081299990000")  # never to be found in a store


def rows_of(students: list[dict]) -> dict[str, list[dict]]:
    """Act → rows, for students as :func:`invented` gives them."""
    programmes = {s["prodi"][0]: s["prodi"] for s in students}
    prodi_id = {code: f"prodi-{code}" for code in programmes}
    paths = sorted({s["path"] for s in students if s["path"]})
    path_id = {name: str(place) for place, name in enumerate(paths, start=3)}
    rows: dict[str, list[dict]] = {
        "GetProdi": [
            {
                "id_prodi": prodi_id[code],
                "kode_program_studi": code,
                "nama_program_studi": name,
                "status": "A",
                "id_jenjang_pendidikan": LEVELS[level],
                "nama_jenjang_pendidikan": level,
            }
            for code, name, level, *_ in programmes.values()
        ],
        "GetJalurMasuk": [{"id_jalur_masuk": path_id[name], "nama_jalur_masuk": name} for name in paths],
        "GetPembiayaan": [
            {"id_pembiayaan": "1", "nama_pembiayaan": "Mandiri"},
            {"id_pembiayaan": "3", "nama_pembiayaan": "Beasiswa Penuh"},
        ],
        "GetStatusMahasiswa": [
            {"id_status_mahasiswa": code, "nama_status_mahasiswa": words}
            for code, words in STATUS_WORDS.items()
        ],
        "GetJenisKeluar": [
            {"id_jenis_keluar": code, "jenis_keluar": words, "apa_mahasiswa": 1}
            for code, words in EXITS.items()
        ],
        "GetJenisPendaftaran": [
            {"id_jenis_daftar": code, "nama_jenis_daftar": words} for code, words in ENTRIES.items()
        ],
        "GetSemester": [
            {
                "id_semester": f"{year}{half}",
                "id_tahun_ajaran": str(year),
                "nama_semester": f"{year}/{year + 1} {words}",
                "a_periode_aktif": "0",
            }
            for year in range(2016, 2027)
            for half, words in ((1, "Ganjil"), (2, "Genap"), (3, "Pendek"))
        ],
        "GetListMataKuliah": [
            {
                "id_matkul": f"mk-{code}",
                "kode_mata_kuliah": code,
                "nama_mata_kuliah": name,
                "sks_mata_kuliah": 3,
            }
            for code, name in COURSES.items()
        ],
        "GetMatkulKurikulum": [
            {"id_kurikulum": "k-1", "id_matkul": f"mk-{code}", "apakah_wajib": "0" if code == "PL1" else "1"}
            for code in COURSES
        ],
        "GetRiwayatNilaiMahasiswa": [],
        "GetKRSMahasiswa": [],
        "GetNilaiTransferPendidikanMahasiswa": [],
        "GetListRiwayatPendidikanMahasiswa": [],
        "GetListMahasiswa": [],
        "GetBiodataMahasiswa": [],
        "GetAktivitasKuliahMahasiswa": [],
        "GetListMahasiswaLulusDO": [],
    }
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for one in students:
        shared = {
            "id_registrasi_mahasiswa": f"reg-{one['nim']}",
            "nim": one["nim"],
            "nama_mahasiswa": one["name"],
            "id_prodi": prodi_id[one["prodi"][0]],
            "nama_program_studi": f"{one['prodi'][2]} {one['prodi'][1]}",
        }
        person = shared | {"id_mahasiswa": f"mhs-{one['nim']}"}
        rows["GetListRiwayatPendidikanMahasiswa"].append(
            person
            | {
                "id_periode_masuk": one["entry"],
                "id_jenis_daftar": one["kind"],
                "nama_jenis_daftar": ENTRIES.get(one["kind"], ""),
                "id_jalur_daftar": path_id.get(one["path"]),
                "id_pembiayaan": one["funding"],
                "sks_diakui": one["recognised"],
                "jenis_kelamin": one["sex"],
                "nama_ibu_kandung": SECRETS[1],
                "id_jenis_keluar": one["exit"]["kind"] if one["exit"] else None,
            }
        )
        rows["GetListMahasiswa"].append(
            person
            | {
                "id_periode": one["entry"],
                "jenis_kelamin": one["sex"],
                "tanggal_lahir": one["born"],
                "nama_agama": "Islam",
                "nipd": one["nim"],
            }
        )
        rows["GetBiodataMahasiswa"].append(
            {
                "id_mahasiswa": f"mhs-{one['nim']}",
                "nama_mahasiswa": one["name"],
                "nik": SECRETS[0],
                "nama_ibu_kandung": SECRETS[1],
                "handphone": SECRETS[2],
                "id_wilayah": "036306  ",
                "nama_wilayah": "Kec. Semarang Tengah",
                "nama_pendidikan_ayah": "SMA / sederajat",
                "nama_penghasilan_ayah": None,
                "nama_kebutuhan_khusus_mahasiswa": "Tidak ada",
            }
        )
        for term in one["terms"]:
            key = (shared["id_prodi"], term["term"])
            name = {"A": "aktif", "C": "cuti", "N": "non_aktif", "M": "kampus_merdeka"}[term["status"]]
            counted.setdefault(key, {"aktif": 0, "cuti": 0, "non_aktif": 0, "kampus_merdeka": 0})[name] += 1
            rows["GetAktivitasKuliahMahasiswa"].append(
                shared
                | {
                    "id_periode_masuk": one["entry"],
                    "angkatan": one["entry"][:4],
                    "id_semester": term["term"],
                    "id_status_mahasiswa": term["status"],
                    "ips": term["ips"],
                    "ipk": term["ipk"],
                    "sks_semester": term["credits"],
                    "sks_total": term["total"],
                    "biaya_kuliah_smt": 3500000,
                }
            )
        for taken in (*one.get("grades", ()), *one.get("taken", ())):
            rows["GetKRSMahasiswa"].append(
                {
                    **{name: shared[name] for name in ("id_registrasi_mahasiswa", "nim", "nama_mahasiswa")},
                    "id_prodi": shared["id_prodi"],
                    "angkatan": one["entry"][:4],
                    "id_periode": taken["term"],
                    "id_matkul": f"mk-{taken['course']}",
                    "kode_mata_kuliah": taken["course"],
                    "nama_mata_kuliah": COURSES[taken["course"]],
                    "id_kelas": f"kelas-{taken['course']}-{taken['term']}",
                    "nama_kelas_kuliah": "01",
                    "sks_mata_kuliah": "3.00",
                }
            )
        for course in one.get("taken_over", ()):
            rows["GetNilaiTransferPendidikanMahasiswa"].append(
                {
                    **{name: shared[name] for name in ("id_registrasi_mahasiswa", "nim", "nama_mahasiswa")},
                    "id_transfer": f"tf-{one['nim']}-{course}",
                    "id_prodi": shared["id_prodi"],
                    "id_periode_masuk": one["entry"],
                    "kode_mata_kuliah_asal": "X-1",
                    "nama_mata_kuliah_asal": "Matematika I",
                    "sks_mata_kuliah_asal": "2",
                    "nilai_huruf_asal": "A",
                    "id_matkul": f"mk-{course}",
                    "kode_matkul_diakui": course,
                    "nama_mata_kuliah_diakui": COURSES[course],
                    "sks_mata_kuliah_diakui": "3",
                    "nilai_huruf_diakui": "A",
                    "nilai_angka_diakui": "4.00",
                }
            )
        for taken in one.get("grades", ()):
            rows["GetRiwayatNilaiMahasiswa"].append(
                {
                    **{name: shared[name] for name in ("id_registrasi_mahasiswa", "nim", "nama_mahasiswa")},
                    "id_prodi": shared["id_prodi"],
                    "angkatan": one["entry"][:4],
                    "id_periode": taken["term"],
                    "id_matkul": f"mk-{taken['course']}",
                    "nama_mata_kuliah": COURSES[taken["course"]],
                    "id_kelas": f"kelas-{taken['course']}-{taken['term']}",
                    "nama_kelas_kuliah": "01",
                    "sks_mata_kuliah": "3.00",
                    "nilai_angka": "0.00",
                    "nilai_huruf": taken["letter"],
                    "nilai_indeks": taken["points"],
                    "nik": SECRETS[0],
                }
            )
        if one["exit"]:
            rows["GetListMahasiswaLulusDO"].append(
                shared
                | {
                    "id_jenis_keluar": one["exit"]["kind"],
                    "nama_jenis_keluar": EXITS[one["exit"]["kind"]],
                    "id_periode_keluar": one["exit"]["term"],
                    "tanggal_keluar": one["exit"]["day"],
                    "ipk": one["exit"]["ipk"],
                    "no_seri_ijazah": "IJZ-1",
                    "nik": SECRETS[0],
                }
            )
    rows["GetRekapJumlahMahasiswa"] = [
        {"id_prodi": programme, "id_periode": term, "nama_periode": term} | numbers
        for (programme, term), numbers in sorted(counted.items())
    ]
    return rows


def invented(count: int, seed: int = 1) -> list[dict]:
    """Students of eight cohorts in four programmes, their terms up to 20252, exits of every kind."""
    rng = random.Random(seed)
    students = []
    for place in range(count):
        prodi = PROGRAMMES[place % len(PROGRAMMES)]
        year = 2018 + place % 8
        terms = _terms(rng, year, {"D3": 6, "S2": 4}.get(prodi[2], 8))
        left = len(terms) >= {"D3": 6, "S2": 4}.get(prodi[2], 8) or (rng.random() < 0.08 and len(terms) > 1)
        students.append(
            {
                "nim": f"{year % 100:02d}{prodi[0]}{place:06d}",
                "name": f"Mahasiswa Rekaan {place}",
                "prodi": prodi,
                "entry": f"{year}1",
                "kind": "2" if place % 17 == 0 else "1",
                "path": ("SNBT", "SNBP", "Mandiri")[place % 3],
                "funding": "3" if place % 9 == 0 else "1",
                "recognised": 20 if place % 17 == 0 else 0,
                "sex": "LP"[place % 2],
                "born": f"{1 + place % 28:02d}-03-{year - 18}",
                "terms": terms,
                "exit": _exit(rng, prodi[2], terms) if left else None,
            }
        )
    return students


def with_grades(students: list[dict], seed: int = 7) -> list[dict]:
    """The same students with marks: MK1 and MK2 in their first active terms, MK1 again after an E."""
    rng = random.Random(seed)
    for one in students:
        studied, one["grades"] = [t["term"] for t in one["terms"] if t["status"] == "A"], []
        wanted = ["MK1", "MK2", "PL1"]
        for term in studied[:3]:
            for course in wanted[:2]:
                letter, points = rng.choice(LETTERS)
                one["grades"].append({"term": term, "course": course, "letter": letter, "points": points})
                if letter != "E":
                    wanted.remove(course)
    return students


def _terms(rng: random.Random, year: int, most: int) -> list[dict]:
    rows, total, points = [], 0, 0.0
    for index in range(most):
        term = (year + index // 2) * 10 + 1 + index % 2
        if term > 20252:
            break
        status = "C" if index and rng.random() < 0.03 else "A"
        credits = 0 if status == "C" else rng.choice((18, 20, 22))
        ips = round(rng.uniform(1.8, 4.0), 2) if credits else 0
        total, points = total + credits, points + credits * ips
        rows.append(
            {
                "term": str(term),
                "status": status,
                "ips": f"{ips:.2f}",
                "ipk": f"{points / total:.2f}" if total else "0.00",
                "credits": f"{credits}.00" if credits else 0,
                "total": total,
            }
        )
    return rows


def _exit(rng: random.Random, level: str, terms: list[dict]) -> dict:
    whole = len(terms) >= {"D3": 6, "S2": 4}.get(level, 8)
    last = int(terms[-1]["term"])
    year, half = divmod(last, 10)
    day = f"{year + 1}-01-20" if half == 1 else f"{year + 1}-07-25"
    return {
        "kind": "1" if whole else rng.choice("234567"),
        "term": str(last),
        "day": day,
        "ipk": terms[-1]["ipk"] if whole else "",
    }


def office_files(students: list[dict]) -> dict[str, bytes]:
    """Table → the same students as a SIAKAD export: other headers, words, decimal comma, dates in words."""
    funding = {"1": "Mandiri", "3": "Beasiswa Penuh"}
    return {
        "students": _csv(
            ("NIM", "Nama Mahasiswa", "Kode Prodi", "Program Studi", "Jenjang", "Angkatan", "Status Awal")
            + ("Jalur Masuk", "SKS Diakui", "Pembiayaan", "Jenis Kelamin", "Tanggal Lahir", "NIK"),
            [
                (
                    *(s["nim"], s["name"], s["prodi"][0], s["prodi"][1], s["prodi"][2], s["entry"][:4]),
                    *(ENTRIES[s["kind"]], s["path"], s["recognised"], funding[s["funding"]]),
                    *({"L": "Laki-laki", "P": "Perempuan"}[s["sex"]], s["born"].replace("-", "/")),
                    SECRETS[0],
                )
                for s in students
            ],
        ),
        "terms": _csv(
            ("NIM", "Semester", "Status", "IPS", "IPK", "SKS", "SKS Kumulatif"),
            [
                (
                    s["nim"],
                    files.term_words(int(t["term"])),
                    {"A": "Aktif", "C": "Cuti"}[t["status"]],
                    t["ips"].replace(".", ","),
                    t["ipk"].replace(".", ","),
                    int(float(t["credits"])),
                    t["total"],
                )
                for s in students
                for t in s["terms"]
            ],
        ),
        "outcomes": _csv(
            ("NIM", "Jenis Keluar", "Semester Keluar", "Tanggal Keluar", "IPK Akhir"),
            [
                (
                    s["nim"],
                    EXITS[s["exit"]["kind"]],
                    s["exit"]["term"],
                    "/".join(reversed(s["exit"]["day"].split("-"))),
                    s["exit"]["ipk"].replace(".", ","),
                )
                for s in students
                if s["exit"]
            ],
        ),
    }


def _csv(header: tuple, rows: list[tuple]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def second_university() -> tuple[list[dict], dict[str, bytes]]:
    """The students of the second university's system in use, and the files that its office gives for them."""
    everybody = [p for p in people() if p.programme.code != "0213"]
    tables = {
        "students": files.students(everybody),
        "terms": files.terms(everybody),
        "outcomes": files.outcomes(everybody, "text"),
    }
    activity: dict[str, list[dict]] = {}
    for nim, words, status, ips, ipk, taken, _, total, _ in tables["terms"].rows:
        year, half = int(words[:4]), 1 if words.endswith("Ganjil") else 2
        activity.setdefault(nim, []).append(
            {
                "term": f"{year}{half}",
                "status": STATUSES.get(status, status),
                "ips": ips.replace(",", "."),
                "ipk": ipk.replace(",", "."),
                "credits": taken,
                "total": total,
            }
        )
    kinds = {words: code for code, words in EXITS.items()}
    entries = {words: code for code, words in ENTRIES.items()} | {"": ""}
    students = [
        {
            "nim": p.nim,
            "name": p.name,
            "prodi": (p.programme.code, p.programme.name, p.programme.level),
            "entry": f"{p.cohort}1",
            "kind": entries[p.entry],
            "path": p.path,
            "funding": None,
            "recognised": p.credits_recognised or "",
            "sex": p.sex,
            "born": f"{p.born:%Y-%m-%d}",
            "terms": activity.get(p.nim, []),
            "exit": {
                "kind": kinds[files.EXIT_WORDS[p.kind]],
                "term": "",
                "day": f"{p.left:%d-%m-%Y}",
                "ipk": f"{p.gpa:.2f}" if p.kind in ("on_time", "late") else "",
            }
            if p.left
            else None,
        }
        for p in everybody
    ]
    return students, {name: _csv(table.header, table.rows) for name, table in tables.items()}


def samples() -> tuple[list[dict], dict[str, bytes]]:
    """The 30 students of the demo's sample files, and those files."""
    given = {
        name: (SAMPLES / f"siakad_{name}.csv").read_bytes() for name in ("students", "terms", "outcomes")
    }
    read = {name: _read(content) for name, content in given.items()}
    activity: dict[str, list[dict]] = {}
    for row in read["terms"]:
        half = {"Ganjil": 1, "Genap": 2}[row["Semester"]]
        activity.setdefault(row["NIM"], []).append(
            {
                "term": f"{row['Tahun Akademik'][:4]}{half}",
                "status": STATUSES[row["Status"]],
                "ips": row["IPS"].replace(",", "."),
                "ipk": row["IPK"].replace(",", "."),
                "credits": row["SKS"],
                "total": row["SKS Kumulatif"],
            }
        )
    kinds = {words: code for code, words in EXITS.items()} | {"Putus Studi": "5"}
    entries = {words: code for code, words in ENTRIES.items()} | {"Baru": "1"}
    exits = {row["NIM"]: row for row in read["outcomes"] if row["Jenis Keluar"]}
    students = []
    for row in read["students"]:
        gone = exits.get(row["NIM"])
        students.append(
            {
                "nim": row["NIM"],
                "name": row["Nama Mahasiswa"],
                "prodi": (row["Kode Prodi"], row["Program Studi"], _level(row["Jenjang"])),
                "entry": f"{row['Angkatan'][:4]}1",
                "kind": entries[row["Status Awal"]],
                "path": row["Jalur Masuk"],
                "funding": None,
                "recognised": "",
                "sex": row["Jenis Kelamin"][0],
                "born": row["Tanggal Lahir"],
                "terms": activity.get(row["NIM"], []),
                "exit": {
                    "kind": kinds[gone["Jenis Keluar"]],
                    "term": gone["Semester Keluar"],
                    "day": gone["Tanggal Keluar"],
                    "ipk": gone["IPK Akhir"].replace(",", "."),
                }
                if gone
                else None,
            }
        )
    return students, given


def _level(words: str) -> str:
    return {"DIII": "D3", "DIV": "D4"}.get(words.replace("-", ""), words.replace("-", ""))


def _read(content: bytes) -> list[dict[str, str]]:
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    top = next(place for place, line in enumerate(lines) if any(cell.strip() == "NIM" for cell in line))
    header = [cell.strip() for cell in lines[top]]
    return [
        dict(zip(header, [cell.strip() for cell in line], strict=True))
        for line in lines[top + 1 :]
        if any(cell.strip() for cell in line)
    ]
