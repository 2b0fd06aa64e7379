"""What the students said about their signatures: a list of words, each with its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from .people import Person
from .plan import CONSENTS, SEED


@dataclass(frozen=True)
class Word:
    """One line of the consent file; status is setuju, setuju kembali, menolak or dicabut."""

    nim: str
    name: str
    on: date
    purpose: str
    status: str


def words_of_consent(everybody: list[Person], given: dict, seed: int = SEED) -> list[Word]:
    """The lines as the counter wrote them down over the years: of a person not in order, and not one each."""
    rng = np.random.default_rng([seed, 5])
    signers = [p for p in everybody if p.nim in given]
    lines: list[Word] = []
    for purpose, shares in CONSENTS.items():
        dealt = [deed for deed, n in shares.items() for _ in range(n)]
        order = rng.permutation(len(signers))[: len(dealt)]
        for index, deed in zip(order, dealt, strict=True):
            lines += _lines(signers[index], purpose, deed)
    return [lines[i] for i in rng.permutation(len(lines))]


def _lines(one: Person, purpose: str, deed: str) -> list[Word]:
    first = one.entered + timedelta(days=2)
    later = first + timedelta(days=200)

    def said(on: date, status: str) -> Word:
        return Word(one.nim, one.name, on, purpose, status)

    return {
        "given": [said(first, "setuju")],
        "withdrawn": [said(first, "setuju"), said(later, "dicabut")],
        "withdrawn_same_day": [said(first, "setuju"), said(first, "dicabut")],
        "renewed": [
            said(first, "setuju"),
            said(first + timedelta(days=90), "dicabut"),
            said(later, "setuju kembali"),
        ],
        "yes_after_withdrawal": [
            said(first, "setuju"),
            said(first + timedelta(days=90), "dicabut"),
            said(later, "setuju"),
        ],
        "refused": [said(first, "menolak")],
    }[deed]


def standing(words: list[Word], purpose: str) -> frozenset[str]:
    """Who consents to a purpose after all the words, in the order of their days; a no comes last of its day.

    After a no only "setuju kembali" is a consent again.
    """
    rank = {"setuju": 0, "setuju kembali": 1, "menolak": 2, "dicabut": 3}
    agreed: dict[str, bool] = {}
    for word in sorted(words, key=lambda word: (word.on, rank[word.status])):
        if word.purpose == purpose:
            plain = word.status == "setuju" and agreed.get(word.nim, True)
            agreed[word.nim] = plain or word.status == "setuju kembali"
    return frozenset(nim for nim, yes in agreed.items() if yes)
