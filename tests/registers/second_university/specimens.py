"""Which signatures the office has: who signed when, on which occasion, and what is wrong with the paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from .people import Person
from .plan import LISTED_ON, SEED, SIGNERS

#: What is wrong with a specimen, in the order in which the marks are dealt; everything else is a plain scan.
FAULTS = ("phone", "photocopy", "marker", "upside_down", "blank", "copy")
FAULTY_OF_EACH = {"phone": 3, "photocopy": 3, "marker": 2, "upside_down": 1, "blank": 1, "copy": 1}


@dataclass(frozen=True)
class Specimen:
    """One file: its path inside the zip, and the fault the office did not notice ("" for none)."""

    nim: str
    on: date
    occasion: str
    turn: int
    fault: str = ""

    @property
    def path(self) -> str:
        """As this office files them: by occasion and number, or all in the name; photos without a date."""
        if self.fault == "phone":
            return f"foto_hp/{self.nim}/IMG_{4000 + self.turn}.jpg"
        if self.occasion == "krs":
            return f"krs/{self.nim}/{self.on.isoformat()}.jpg"
        return f"{self.nim}_{self.on.isoformat()}_{self.occasion}.png"


def specimens(everybody: list[Person], seed: int = SEED) -> dict[str, list[Specimen]]:
    """By student number, 3 to 7 each, all between entry and exit; faults only beside four sound ones."""
    rng = np.random.default_rng([seed, 3])
    found: dict[str, list[Specimen]] = {}
    for cohort, n in SIGNERS.items():
        same = [p for p in everybody if p.cohort == cohort and p.programme.level == "S1"]
        for index in sorted(rng.permutation(len(same))[:n]):
            one = same[index]
            found[one.nim] = _of(one, int(rng.choice([3, 4, 5, 6, 7], p=[0.56, 0.2, 0.12, 0.06, 0.06])))
    _spoil(found)
    return found


def _of(one: Person, n: int) -> list[Specimen]:
    """Three at the counter in the first days, then at course registrations and examinations."""
    until = min(one.left or LISTED_ON, date(2026, 9, 15))
    days = [(one.entered + timedelta(days=d), "pendaftaran") for d in (0, 1, 2)]
    for year in range(one.cohort, 2027):
        days += [
            (date(year + 1, 2, 10), "krs"),
            (date(year + 1, 6, 15), "uas"),
            (date(year + 1, 8, 20), "krs"),
        ]
    kept = [(day, occasion) for day, occasion in days if day < until][:n]
    return [Specimen(one.nim, day, occasion, turn) for turn, (day, occasion) in enumerate(kept)]


def _spoil(found: dict[str, list[Specimen]]) -> None:
    """The last specimen of a student who has five or more gets a fault, one student each."""
    rich = [nim for nim, own in found.items() if len(own) >= 5]
    marks = [fault for fault in FAULTS for _ in range(FAULTY_OF_EACH[fault])]
    for nim, fault in zip(rich[:: len(rich) // len(marks)], marks, strict=False):
        last = found[nim][-1]
        found[nim][-1] = Specimen(nim, last.on, "susulan", last.turn, fault)
