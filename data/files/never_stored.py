"""Columns that are recognised and never stored, whatever a mapping or a person says: no work needs them.

National numbers, names and birth dates of parents, contacts, where somebody lives below the province or town,
religion, marriage, work, numbers of documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from data.files.text_table import header_key

NEVER_STORED = frozenset(
    header_key(header)
    for line in (
        "NIK, No KTP, Nomor KTP, NISN, NPWP, Nama Ibu, Nama Ibu Kandung, nm_ibu_kandung, Nama Ayah",
        "Agama, nama_agama, id_agama, Alamat, jalan, dusun, rt, rw, kelurahan, kode_pos, No HP, Nomor HP",
        "No. Telepon, telepon, handphone, Email, E-mail, Tempat Lahir, Status Pernikahan, Pekerjaan",
        "National ID, Passport, Religion, Address, Phone, Mobile, Mother's name, Father's name",
        "Marital status, Place of birth, Employment status, tempat_lahir, Nama Wali, nm_wali",
        "TPLHRMSMHS, NOIJATRLSM",
        "nama_orang_tua, Nama Orang Tua, Guardian's name, Guardian, Hamlet, District, Village, Postcode",
        "no_kps, nomor_kps, No KPS, Nomor KPS, no_seri_ijazah, Nomor Seri Ijazah, No Ijazah, Nomor Ijazah",
        "Diploma serial number, Diploma number, Certificate number, kecamatan, nama_kecamatan, id_kecamatan",
        "Status Nikah, Status Kawin, Status Perkawinan, nomor_ijazah, no_ijazah, Family card number, No KK",
        "no_tel_rmh, nomor_telepon, nomor_telepon_rumah, no_hp, telp, No WA, WhatsApp, Kontak",
    )
    for header in line.split(", ")
)
# One such word anywhere in a header is enough: "NIK Ayah", "telepon_rumah", "Kecamatan Asal".
_WORDS = frozenset(
    "nik ktp nisn npwp agama religion alamat address dusun hamlet kelurahan desa kecamatan kec district"
    " subdistrict village telepon telpon telp phone hp handphone ponsel whatsapp email surel"
    " pekerjaan occupation passport paspor nikah kawin pernikahan perkawinan".split()
)
_PARENT = "(ayah|ibu|ibukandung|wali|orangtua|ortu|orangtuawali|father|mother|guardian)"
_GLUED = re.compile(
    rf"nik{_PARENT}|(nama|nm){_PARENT}|(tanggal|tgl)lahir{_PARENT}|lahir{_PARENT}|{_PARENT}s?name"
    rf"|{_PARENT}s?(dateofbirth|birthdate|birthday)|(dateofbirth|birthdate)(of)?{_PARENT}"
    r"|(no|nomor|nomer)(kps|kip|kk|kartukeluarga)|(diploma|certificate)(serial)?(no|number)|(no|nomor)?(seri)?ijazah(no|nomor|nasional)?"
    r"|tempatlahir\w*|idpekerjaan\w*|namapekerjaan\w*"
)


@lru_cache(maxsize=100_000)
def never_stored(header: str) -> bool:
    """Whether a column of this name is left out on sight.

    Examples
    --------
    >>> [never_stored(name) for name in ("nik_ibu", "Tgl. Lahir Ayah", "No. KPS", "Nama Dosen Wali")]
    [True, True, True, False]
    """
    key = header_key(header)
    if key in NEVER_STORED or _GLUED.fullmatch(key):
        return True
    return not _WORDS.isdisjoint(re.findall(r"[a-z]+", header.casefold()))


def storable(headers: Iterable[str]) -> list[str]:
    """The headers that may be stored, in their order."""
    return [header for header in headers if not never_stored(header)]
