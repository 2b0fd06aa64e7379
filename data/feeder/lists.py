"""What is asked of a Feeder, and the only fields of it that are kept.

A field that no list names here is dropped the moment an answer arrives, before anything touches the disk:
Feeder's answers carry national numbers, mothers' names, religion and contacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from data.feeder.protocol import FeederError
from data.files.never_stored import never_stored
from data.files.text_table import clean_cell

LONGEST = 300  # characters of a cell; names of people and programmes are shorter
REGISTRATION = "id_registrasi_mahasiswa"


@dataclass(frozen=True)
class FeederList:
    """One act that lists rows.

    Parameters
    ----------
    act : str
        Its name in the protocol.
    fields : tuple of str
        What is kept of a row.
    key : tuple of str
        Tells rows apart; the service is asked to list in this order.
    entry : str
        Field of the term of entry, by which cohorts are asked for; empty when the list cannot be so cut.
    year_of : str
        Field with a date of which only the year is kept.
    province_of : str
        Field with the code of a district of which only the province is kept.
    term : str
        Field of the term, where only the newest one is asked for.
    optional : bool
        Whether a service without it will do.
    instead : str
        Another act with the same rows, for a service that does not know the first.
    """

    act: str
    fields: tuple[str, ...]
    key: tuple[str, ...]
    entry: str = ""
    year_of: str = ""
    province_of: str = ""
    term: str = ""
    optional: bool = False
    instead: str = ""

    def __post_init__(self):
        forbidden = [name for name in self.fields if never_stored(name)]
        if forbidden or not set(self.key) <= set(self.fields):
            raise ValueError(f"{self.act}: fields must hold the key and nothing that is never stored")

    @property
    def order(self) -> str:
        """``order`` of the protocol."""
        return ", ".join(self.key)


PROGRAMMES = FeederList(
    "GetProdi",
    (
        *("id_prodi", "kode_program_studi", "nama_program_studi"),
        *("id_jenjang_pendidikan", "nama_jenjang_pendidikan"),
    ),
    ("id_prodi",),
)
REGISTRATIONS = FeederList(
    "GetListRiwayatPendidikanMahasiswa",
    (
        *(REGISTRATION, "id_mahasiswa", "nim", "nama_mahasiswa", "id_prodi", "nama_program_studi"),
        *("id_periode_masuk", "id_jenis_daftar", "nama_jenis_daftar", "id_jalur_daftar", "nama_jalur_daftar"),
        *("sks_diakui", "id_pembiayaan", "nama_pembiayaan_awal", "jenis_kelamin"),
    ),
    (REGISTRATION,),
    entry="id_periode_masuk",
)
STUDENTS = FeederList(
    "GetListMahasiswa",
    (
        *(REGISTRATION, "id_mahasiswa", "nim", "nama_mahasiswa", "id_prodi", "nama_program_studi"),
        *("id_periode", "jenis_kelamin", "tanggal_lahir"),
    ),
    (REGISTRATION,),
    entry="id_periode",
    year_of="tanggal_lahir",
)
PEOPLE = FeederList(
    "GetBiodataMahasiswa",
    (
        *("id_mahasiswa", "id_wilayah", "nama_pendidikan_ayah", "nama_penghasilan_ayah"),
        "nama_kebutuhan_khusus_mahasiswa",
    ),
    ("id_mahasiswa",),
    province_of="id_wilayah",
)
TERMS = FeederList(
    "GetAktivitasKuliahMahasiswa",
    (
        *(REGISTRATION, "nim", "id_prodi", "id_periode_masuk", "id_semester", "id_status_mahasiswa"),
        *("ips", "ipk", "sks_semester", "sks_total"),
    ),
    (REGISTRATION, "id_semester"),
    entry="id_periode_masuk",
    instead="GetListPerkuliahanMahasiswa",
)
EXITS = FeederList(
    "GetListMahasiswaLulusDO",
    (
        *(REGISTRATION, "nim", "id_prodi", "id_jenis_keluar", "nama_jenis_keluar", "id_periode_keluar"),
        *("tanggal_keluar", "ipk"),
    ),
    (REGISTRATION,),
)
PATHS = FeederList(
    "GetJalurMasuk", ("id_jalur_masuk", "nama_jalur_masuk"), ("id_jalur_masuk",), optional=True
)
FUNDING = FeederList("GetPembiayaan", ("id_pembiayaan", "nama_pembiayaan"), ("id_pembiayaan",), optional=True)
STATUSES = FeederList(
    "GetStatusMahasiswa",
    ("id_status_mahasiswa", "nama_status_mahasiswa"),
    ("id_status_mahasiswa",),
    optional=True,
)
EXIT_KINDS = FeederList(
    "GetJenisKeluar",
    ("id_jenis_keluar", "jenis_keluar", "nama_jenis_keluar"),
    ("id_jenis_keluar",),
    optional=True,
)
ENTRY_KINDS = FeederList(
    "GetJenisPendaftaran",
    ("id_jenis_daftar", "nama_jenis_daftar"),
    ("id_jenis_daftar",),
    optional=True,
)
SEMESTERS = FeederList("GetSemester", ("id_semester", "nama_semester"), ("id_semester",), optional=True)
COURSES = FeederList(
    "GetListMataKuliah",
    ("id_matkul", "kode_mata_kuliah", "nama_mata_kuliah"),
    ("id_matkul",),
    optional=True,
)
CURRICULA = FeederList(
    "GetMatkulKurikulum",
    ("id_kurikulum", "id_matkul", "apakah_wajib"),
    ("id_kurikulum", "id_matkul"),
    optional=True,
)
GRADES = FeederList(
    "GetRiwayatNilaiMahasiswa",
    (
        *(REGISTRATION, "nim", "id_periode", "id_matkul", "kode_mata_kuliah", "nama_mata_kuliah"),
        *("id_kelas", "nama_kelas_kuliah", "sks_mata_kuliah", "sks_kelas_kuliah"),
        *("nilai_angka", "nilai_huruf", "nilai_indeks", "angkatan"),
    ),
    (REGISTRATION, "id_matkul", "id_periode", "id_kelas"),
    entry="angkatan",
    optional=True,
)
TAKEN = FeederList(  # enrolment in classes: those of the newest term have no row of grades yet
    "GetKRSMahasiswa",
    (
        *(REGISTRATION, "nim", "id_periode", "id_matkul", "kode_mata_kuliah", "nama_mata_kuliah"),
        *("id_kelas", "nama_kelas_kuliah", "sks_mata_kuliah", "angkatan"),
    ),
    (REGISTRATION, "id_matkul", "id_periode", "id_kelas"),
    entry="angkatan",
    term="id_periode",
    optional=True,
)
TAKEN_OVER = FeederList(  # credits from elsewhere
    "GetNilaiTransferPendidikanMahasiswa",
    (
        *("id_transfer", REGISTRATION, "nim", "id_periode_masuk", "id_matkul", "kode_matkul_diakui"),
        *("nama_mata_kuliah_diakui", "sks_mata_kuliah_diakui"),
    ),
    ("id_transfer",),
    entry="id_periode_masuk",
    optional=True,
)
COUNTED = ("aktif", "cuti", "non_aktif", "sedang_double_degree", "kampus_merdeka")
COUNTS = FeederList(
    "GetRekapJumlahMahasiswa", ("id_periode", "id_prodi", *COUNTED), ("id_periode", "id_prodi"), optional=True
)
CODE_LISTS = (STATUSES, EXIT_KINDS, ENTRY_KINDS, SEMESTERS, PATHS, FUNDING)
LISTS = (PROGRAMMES, *CODE_LISTS, REGISTRATIONS, STUDENTS, TERMS, EXITS, COUNTS)
OF_GRADES = (COURSES, CURRICULA, GRADES, TAKEN, TAKEN_OVER)


@dataclass(frozen=True)
class Cohorts:
    """Entry years, first and last included.

    Examples
    --------
    >>> Cohorts.read("2019-2026"), Cohorts.read("2024")
    (Cohorts(first=2019, last=2026), Cohorts(first=2024, last=2024))
    """

    first: int
    last: int

    @classmethod
    def read(cls, text: str | None) -> Cohorts | None:
        """``2019-2026`` or ``2024``; None for an empty text, which means every cohort.

        Raises
        ------
        ValueError
            When it is neither.
        """
        if text is None or not text.strip():
            return None
        match = re.fullmatch(r"\s*((?:19|20)\d\d)\s*(?:[-–]\s*((?:19|20)\d\d)\s*)?", text)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"cohorts must be years such as 2019-2026 or 2024, got {text!r}")
        return cls(int(match[1]), int(match[2] or match[1]))

    def __contains__(self, term: object) -> bool:
        """Whether a term of entry (``YYYYT``) belongs to one of the years."""
        text = str(term)
        return text[:4].isdecimal() and self.first <= int(text[:4]) <= self.last

    @property
    def as_text(self) -> str:
        """As :meth:`read` takes it."""
        return f"{self.first}-{self.last}"


def filter_of(one: FeederList, cohorts: Cohorts | None, term: str = "") -> str:
    """``filter`` of the protocol for some cohorts and the newest term; empty where neither cuts the list."""
    parts = [f"{one.term} = '{term}'"] if one.term and term.isdecimal() else []
    if cohorts is not None and one.entry == "angkatan":  # a year alone
        parts.append(f"{one.entry} >= '{cohorts.first}' and {one.entry} <= '{cohorts.last}'")
    elif cohorts is not None and one.entry:
        parts.append(f"{one.entry} >= '{cohorts.first}1' and {one.entry} <= '{cohorts.last}3'")
    return " and ".join(parts)


def kept_rows(one: FeederList, rows: Iterable[dict]) -> list[dict[str, str]]:
    """Rows with the fields of the list and no other, every cell a short text.

    Raises
    ------
    data.feeder.protocol.FeederError
        When a row of a list that must be there lacks its key, or a cell is no single value.
    """
    kept = []
    for row in rows:
        cells = {name: _text(row.get(name), one, name) for name in one.fields}
        if not one.optional and not all(cells[name] for name in one.key):
            raise FeederError("broken", f"{one.act}: a row lacks {' or '.join(one.key)}")
        if one.year_of:
            cells[one.year_of] = _year(cells[one.year_of])
        if one.province_of:
            cells[one.province_of] = _province(cells[one.province_of])
        kept.append(cells)
    return kept


def _province(code: str) -> str:
    """The code of the province of a district's six-digit code; nothing of anything else."""
    return f"{code[:2]}0000" if len(code) == 6 and code.isdecimal() else ""


def _text(value: object, one: FeederList, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise FeederError("broken", f"{one.act}: {name} is no text and no number")
    return clean_cell(str(value))[:LONGEST]


def _year(text: str) -> str:
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", text)
    return years[0] if len(years) == 1 else "?" * bool(text)  # a date that is none is refused by the check
