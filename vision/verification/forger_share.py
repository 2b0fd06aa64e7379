"""Where skilled forgers stand between strangers and the writer: what a register without forgeries borrows.

A register knows how its writers score on their own signatures and on strangers', never how a practised forger
scores. Synthetic forgers tried beside real writers do not tell: drawn ink is unlike real ink, so they score
as no real forger does. What does carry over, from set to set and from script to script, is the *share of the
way*: 0 where strangers' median score lies, 1 where the writers' own lies. It is measured where forgeries are
known (two public sets, grey and binary ink, and synthetic signers, each on a background of its own kind),
kept as quantiles alone, and laid between the two medians of the register in use.

``python -m vision calibrate --forgers OUT --set DIR --set DIR`` makes the shipped numbers anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from vision.verification.ground import (
    REFERENCES,
    WriterSet,
    background_of,
    doubtful,
    medians,
    run_trials,
    synthetic_trials,
)
from vision.verification.likelihood import Calibration, fit_logistic

SHIPPED = Path(__file__).parents[1] / "weights" / "forgers.json"
DESCRIPTOR_KEY = "encoder_id"
"""Key of the descriptor's id in files; it is called so since the first of them was written."""
QUANTILES = np.round(np.linspace(0.0125, 0.9875, 40), 4)
_KINDS = ("genuine", "skilled")
PARTS = 3
"""Writers of a set are dealt into so many parts; each is tried on the background of the next."""
PER_WRITER = 4
SYNTHETIC_DOUBT = 0.6
"""log10 LR taken off where nobody of the register stands behind a ratio. Of 0, 0.2, 0.35 and 0.5 only 0.5
kept every set's forgeries below 3 % "consistent" when judged by the other sets; a tenth is added for sets
unlike all of these (docs/decisions/0009-outcomes-of-verification.md)."""
REGISTER_DOUBT = 0.1
"""The same where the register's own writers do and only the forgers are borrowed."""


@dataclass(frozen=True)
class Forgers:
    """Fitted numbers about forgers; nothing of a person.

    Attributes
    ----------
    descriptor_id, classifier_version : str
        What the scores behind the numbers were made by.
    sources : dict of str to int
        Set and ink → writers whose forgeries were tried.
    shares : dict of str to dict of int to list of float
        Source → references → share of the way at each of `QUANTILES`.
    beside : dict of str to dict of int to dict
        Source → references → ``genuine`` and ``skilled`` scores on the background of synthetic signers, at
        each of `QUANTILES`.
    """

    descriptor_id: str
    classifier_version: str
    sources: dict[str, int]
    shares: dict[str, dict[int, list[float]]]
    beside: dict[str, dict[int, dict[str, list[float]]]]

    def placed(self, own: pd.DataFrame) -> pd.DataFrame:
        """Skilled trials of a register that has none.

        Parameters
        ----------
        own : DataFrame
            Genuine and random trials, see :attr:`vision.verification.ground.Ground.trials`.

        Returns
        -------
        DataFrame
            One row per source and quantile for each number of references in `own`.
        """
        parts, first = [], int(own["writer"].max()) + 1
        for references, rows in own.groupby("references"):
            middle = medians(rows)
            if middle is None:
                continue
            writer = first
            for source, count in self.sources.items():
                shares = np.array(_nearest(self.shares[source], int(references)))
                scores = middle["random"] + shares * (middle["genuine"] - middle["random"])
                # Neighbouring quantiles are different forgers: resampling must not keep them together.
                owners = writer + np.arange(len(scores)) % min(count, len(scores))
                writer += count
                parts.append(
                    pd.DataFrame(
                        {"references": references, "kind": "skilled", "writer": owners, "score": scores}
                    )
                )
        return pd.concat(parts, ignore_index=True) if parts else own.iloc[:0]

    @property
    def writers(self) -> int:
        """Writers whose forgeries stand behind the numbers; two inks of one set count once."""
        most: dict[str, int] = {}
        for source, count in self.sources.items():
            most[_set_of(source)] = max(count, most.get(_set_of(source), 0))
        return sum(most.values())

    def calibrations(self, version: str) -> dict[int, Calibration]:
        """Calibrations for the synthetic background, every source weighing the same, doubted as much as
        writers whom nobody knows ask for."""
        found = {}
        for references in REFERENCES:
            known = [one[references] for one in self.beside.values() if references in one]
            if known:
                genuine, skilled = (np.concatenate([one[kind] for one in known]) for kind in _KINDS)
                fitted = fit_logistic(genuine, skilled, self.writers, version)
                found[references] = doubtful(fitted, SYNTHETIC_DOUBT)
        return found

    def without(self, name: str) -> Forgers:
        """The same numbers without one set's, so that the set can be judged by the others."""
        kept = [source for source in self.sources if _set_of(source) != name]
        parts = {
            field: {source: getattr(self, field)[source] for source in kept if source in getattr(self, field)}
            for field in ("sources", "shares", "beside")
        }
        return replace(self, **parts)


def fit_forgers(
    sets: dict[str, Sequence[WriterSet]],
    synthetic: Sequence[WriterSet],
    blocks,
    descriptor_id: str,
    classifier_version: str,
) -> Forgers:
    """Measure forgers where forgeries are known.

    Parameters
    ----------
    sets : dict of str to sequence of WriterSet
        Real writers with skilled forgeries, by source: the set's name, a blank, the ink.
    synthetic : sequence of WriterSet
        Synthetic signers with their forgers.
    blocks : sequence of HasStretch
    descriptor_id, classifier_version : str
    """
    alike = {"synthetic": [synthetic_trials(synthetic, blocks)]}
    alike |= {name: _own_ground(writers, blocks) for name, writers in sets.items()}
    ground = background_of([_first(one, 6) for one in synthetic], blocks)
    beside = {name: run_trials(ground, writers) for name, writers in sets.items()}
    beside["synthetic"] = alike["synthetic"][0]
    sources = {name: len(writers) for name, writers in sets.items()} | {"synthetic": len(synthetic)}
    return Forgers(
        descriptor_id,
        classifier_version,
        sources,
        {name: _shares(parts) for name, parts in alike.items()},
        {name: _quantiles(part) for name, part in beside.items()},
    )


def write_forgers(found: Forgers, path: Path) -> None:
    """Keep the numbers as JSON."""
    kept = asdict(found)
    kept = {DESCRIPTOR_KEY: kept.pop("descriptor_id"), **kept}
    path.write_text(json.dumps(kept) + "\n", encoding="utf-8")


@lru_cache(maxsize=2)
def read_forgers(path: Path = SHIPPED) -> Forgers:
    """The numbers of a file; the shipped ones by default."""
    held = json.loads(path.read_text(encoding="utf-8"))
    held["shares"] = {
        name: {int(count): values for count, values in one.items()} for name, one in held["shares"].items()
    }
    held["beside"] = {
        name: {int(count): kinds for count, kinds in one.items()} for name, one in held["beside"].items()
    }
    return Forgers(descriptor_id=held.pop(DESCRIPTOR_KEY), **held)


def forgers_for(descriptor_id: str, classifier_version: str) -> Forgers | None:
    """The shipped numbers if this descriptor and classifier measured them. Shares are fit for any other, too,
    as they are free of a score's scale; scores are not."""
    found = read_forgers()
    same = (found.descriptor_id, found.classifier_version) == (descriptor_id, classifier_version)
    return found if same else None


def _own_ground(writers: Sequence[WriterSet], blocks) -> list[pd.DataFrame]:
    """Trials of each part of a set on the background of the next part, as in a register of its own."""
    parts = [writers[start::PARTS] for start in range(PARTS)]
    return [
        run_trials(
            background_of([_first(one, PER_WRITER) for one in parts[(k + 1) % PARTS]], blocks), parts[k]
        )
        for k in range(PARTS)
    ]


def _first(one: WriterSet, most: int) -> WriterSet:
    return WriterSet(one.owner, one.genuine[:most], one.skilled)


def _shares(parts: Sequence[pd.DataFrame]) -> dict[int, list[float]]:
    found = {}
    for references in REFERENCES:
        values = []
        for part in parts:
            rows = part[part["references"] == references]
            middle = medians(rows)
            if middle is not None:
                skilled = rows.loc[rows["kind"] == "skilled", "score"]
                values.append((skilled - middle["random"]) / (middle["genuine"] - middle["random"]))
        if values:
            found[references] = np.quantile(np.concatenate(values), QUANTILES).round(3).tolist()
    return found


def _quantiles(trials: pd.DataFrame) -> dict[int, dict[str, list[float]]]:
    return {
        int(references): {
            kind: np.quantile(rows.loc[rows["kind"] == kind, "score"], QUANTILES).round(4).tolist()
            for kind in _KINDS
        }
        for references, rows in trials.groupby("references")
        if set(_KINDS) <= set(rows["kind"])
    }


def _set_of(source: str) -> str:
    return source.split()[0]


def _nearest(by_count: dict[int, list[float]], references: int) -> list[float]:
    return by_count[min(by_count, key=lambda count: (abs(count - references), count))]
