"""The invented university: its programmes and the words its register uses.

Names of programmes and their national codes are those any Indonesian university could have; the university,
its people and its numbers are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from data.columns import NORMAL_TERMS, REQUIRED_CREDITS

INSTITUTION = "Universitas Contoh Nusantara"
TIME_ZONE = "Asia/Jakarta"


@dataclass(frozen=True)
class Programme:
    """One programme of study of the invented university.

    Parameters
    ----------
    code, name, level : str
        National programme code, name, degree level.
    share : float
        Share of the intake, 0–1.
    difficulty : float
        Shift of the log-odds to fail a course.
    max_terms : int
        Terms after which a student is discontinued.
    final_credits : int
        Credits of the thesis or final project, part of the required credits.
    women : float
        Share of women in the intake.
    """

    code: str
    name: str
    level: str
    share: float
    difficulty: float
    max_terms: int
    final_credits: int
    women: float

    @property
    def normal_terms(self) -> int:
        """Terms in which the programme is planned to be finished."""
        return NORMAL_TERMS[self.level]

    @property
    def required_credits(self) -> int:
        """Credits needed to graduate."""
        return REQUIRED_CREDITS[self.level]


PROGRAMMES = (
    Programme("55201", "Informatika", "S1", 0.22, 0.25, 14, 6, 0.30),
    Programme("61201", "Manajemen", "S1", 0.22, -0.10, 14, 6, 0.54),
    Programme("22201", "Teknik Sipil", "S1", 0.15, 0.45, 14, 6, 0.25),
    Programme("86206", "Pendidikan Guru Sekolah Dasar", "S1", 0.18, -0.35, 14, 6, 0.80),
    Programme("14401", "Keperawatan", "D3", 0.12, 0.05, 10, 4, 0.76),
    Programme("62401", "Akuntansi", "D3", 0.11, -0.05, 10, 4, 0.66),
)

# name → share, from the least to the most able intake on average
ADMISSION_PATHS = {"Mandiri": 0.36, "SNBT": 0.38, "SNBP": 0.26}
OLD_PATH_NAMES = {"SNBT": "SBMPTN", "SNBP": "SNMPTN"}  # as they were called until the intake of 2022
SCHOLARSHIP = "KIP-Kuliah"
OLD_SCHOLARSHIP = "Bidikmisi"  # its name until the intake of 2019
MERIT_SCHOLARSHIP = "Beasiswa Prestasi"
SELF_FUNDED = "Biaya sendiri"
REGIONS = {
    "Jawa Barat": 0.24,
    "Jawa Tengah": 0.21,
    "Jawa Timur": 0.19,
    "DKI Jakarta": 0.09,
    "Banten": 0.07,
    "Sumatera Utara": 0.06,
    "Lampung": 0.05,
    "Sulawesi Selatan": 0.04,
    "Kalimantan Timur": 0.03,
    "Nusa Tenggara Timur": 0.02,
}
# lowest to highest; cut from one latent, so that schooling, income and tuition band go together
PARENTAL_EDUCATION = ("SD", "SMP", "SMA/SMK", "Diploma", "Sarjana", "Pascasarjana")
PARENTAL_INCOME = ("< 2 juta", "2-5 juta", "5-10 juta", "10-20 juta", "> 20 juta")


def programs_frame() -> pd.DataFrame:
    """The programmes in the common layout."""
    return pd.DataFrame(
        {
            "program_code": [programme.code for programme in PROGRAMMES],
            "name": [programme.name for programme in PROGRAMMES],
            "degree_level": [programme.level for programme in PROGRAMMES],
            "normal_terms": [programme.normal_terms for programme in PROGRAMMES],
            "required_credits": [programme.required_credits for programme in PROGRAMMES],
        }
    )
