"""What happened at the second university, stated by hand: programmes, cohorts, kinds of ending, dates.

Everything else in this package follows from these tables and a seed. The counts are the truth of the tests,
so nobody may compute them from the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SEED = 20260930

# The calendar of this office: the academic year begins on 1 September, its even half on 1 March. Whoever has
# his degree on 31 August has it in the year that ends; whoever waits for the ceremony of September has not.
YEAR_BEGINS = (9, 1)
EVEN_BEGINS = (3, 1)

#: The day of the lists from the system in use, and of those from the system that was switched off.
LISTED_ON = date(2026, 9, 30)
OLD_LISTED_ON = date(2024, 8, 15)


@dataclass(frozen=True)
class Programme:
    """A programme as its letterhead names it; normal_terms is the law's, last_term the last one reported."""

    code: str
    name: str
    level: str
    normal_terms: int
    last_term: int
    advisors: tuple[str, ...]


HUSBANDRY = Programme(
    "54231", "Peternakan", "S1", 8, 20252, ("dosen.rahayu", "dosen.wibowo", "dosen.lestari")
)
ACCOUNTING = Programme("0213", "Akuntansi", "D3", 6, 20232, ("dosen.akuntansi",))
LAW = Programme("74101", "Ilmu Hukum", "S2", 4, 20252, ("dosen.hukum",))
PROGRAMMES = (HUSBANDRY, ACCOUNTING, LAW)

# Kinds of ending. The first two are graduates; "over" is enrolled past the normal time on the day of the
# list, "within" within it. Expelled, resigned and lost are the drop-outs; moved and died are neither.
KINDS = ("on_time", "late", "over", "within", "expelled", "resigned", "lost", "moved", "died")
DROPPED = ("expelled", "resigned", "lost")

PLAN: dict[str, dict[int, tuple[int, ...]]] = {
    "54231": {
        2018: (15, 12, 1, 0, 3, 2, 1, 1, 1),
        2019: (14, 11, 3, 0, 2, 3, 1, 1, 1),
        2020: (15, 8, 6, 0, 2, 2, 1, 2, 0),
        2021: (17, 4, 8, 0, 1, 3, 2, 1, 0),
        2022: (16, 2, 12, 0, 1, 3, 1, 0, 1),
        2023: (1, 0, 0, 30, 1, 2, 1, 1, 0),
        2024: (0, 0, 0, 32, 0, 3, 0, 1, 0),
        2025: (0, 0, 0, 35, 0, 1, 0, 0, 0),
    },
    # Its last list is two years old: the three of 2021 were still within their time on that day.
    "0213": {
        2018: (6, 3, 0, 0, 1, 1, 0, 1, 0),
        2019: (6, 3, 1, 0, 1, 1, 0, 0, 0),
        2020: (7, 2, 1, 0, 0, 1, 1, 0, 0),
        2021: (7, 0, 0, 3, 0, 2, 0, 0, 0),
        2022: (0, 0, 0, 11, 0, 1, 0, 0, 0),
    },
    # Only its graduates were ever typed in.
    "74101": {
        2018: (5, 4, 0, 0, 0, 0, 0, 0, 0),
        2019: (6, 3, 0, 0, 0, 0, 0, 0, 0),
        2020: (4, 5, 0, 0, 0, 0, 0, 0, 0),
        2021: (6, 3, 0, 0, 0, 0, 0, 0, 0),
        2022: (7, 2, 0, 0, 0, 0, 0, 0, 0),
        2023: (8, 1, 0, 0, 0, 0, 0, 0, 0),
    },
}

# Days (years after the last normal year's August, month, day), dealt in turn. August rules, as it does.
ON_TIME_DAYS = (
    (0, 8, 31),
    (0, 8, 20),
    (0, 8, 20),
    (0, 8, 28),
    (0, 8, 5),
    (0, 8, 31),
    (0, 7, 25),
    (0, 8, 1),
    (0, 7, 31),
    (0, 2, 18),
    (0, 8, 20),
    (0, 8, 30),
)
LATE_DAYS = (
    (0, 9, 1),
    (0, 9, 12),
    (1, 2, 20),
    (1, 8, 31),
    (0, 9, 15),
    (1, 8, 20),
    (1, 9, 10),
    (2, 1, 25),
    (1, 8, 5),
    (2, 8, 31),
    (2, 9, 1),
    (3, 8, 20),
)
#: Own lists where the programme's list ends soon after the normal time, or shortly before it does.
ON_TIME_DAYS_OF = {("0213", 2021): ((0, 7, 25), (0, 8, 5), (0, 8, 1), (0, 2, 18), (0, 7, 31), (0, 8, 14))}
LATE_DAYS_OF = {
    ("54231", 2019): (*LATE_DAYS[:9], (2, 8, 31), (3, 8, 20)),
    ("54231", 2020): LATE_DAYS[:8],
    ("54231", 2021): ((0, 9, 1), (0, 9, 12), (1, 2, 20), (1, 8, 31)),
    ("54231", 2022): ((0, 9, 1), (0, 9, 12)),
    ("0213", 2018): ((0, 9, 12), (1, 2, 20), (1, 8, 31)),
    ("0213", 2019): ((0, 9, 1), (1, 2, 20), (1, 8, 31)),
    ("0213", 2020): ((0, 9, 1), (1, 8, 5)),
    ("74101", 2023): ((0, 9, 10),),
}
# Months after the entry; the office writes the day on which the rector signed.
LEFT_DAYS = {
    "expelled": ((2, 8, 31), (3, 1, 31), (2, 8, 15)),
    "resigned": ((0, 11, 15), (1, 1, 20), (1, 10, 5), (0, 12, 1)),
    "lost": ((1, 8, 31), (2, 7, 31)),
    "moved": ((1, 8, 25), (1, 1, 30)),
    "died": ((2, 4, 14), (1, 11, 2), (2, 12, 19)),
}

#: Of the verification consents of the students who gave specimens, by what they did (sums to SIGNERS).
SIGNERS = {2021: 20, 2022: 30, 2023: 36, 2024: 34}
VERIFICATION = "Verifikasi tanda tangan"
PREDICTION = "Prediksi kelulusan"
RESEARCH = "Penelitian"
CONSENTS = {
    VERIFICATION: {
        "given": 84,
        "withdrawn": 8,
        "withdrawn_same_day": 2,
        "renewed": 2,
        "yes_after_withdrawal": 2,
        "refused": 12,
    },
    PREDICTION: {"given": 64, "withdrawn": 6, "refused": 20},
    RESEARCH: {"given": 45, "withdrawn": 5, "refused": 30},
}
#: The consents that stand. A mere "setuju" after a withdrawal is none: an old form may have come in late.
STANDING = ("given", "renewed")

ON_LEAVE_NOW = 6  # S1, enrolled, whose last reported term says Cuti
REENTRANTS = 10  # S1, two terms without a sign of life, then registered again
TRANSFERS_PER_COHORT = 2  # S1
NO_ENTRY_TYPE = 9  # S1; the cell is empty
