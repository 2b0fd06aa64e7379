"""Forgers are laid where known ones stand, and nobody's rates are claimed before they were measured."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from vision.verification.forger_share import (
    QUANTILES,
    REGISTER_DOUBT,
    SHIPPED,
    SYNTHETIC_DOUBT,
    Forgers,
    fit_forgers,
    forgers_for,
    read_forgers,
    write_forgers,
)
from vision.verification.ground import REFERENCES, WriterSet, doubtful, fit_calibrations, medians
from vision.verification.likelihood import Calibration, evidence_cap

CLASSIFIER = "ridge-rbf-0.12-0.02-0.35"


def own(writers: int = 40, genuine: float = 0.4, random: float = -1.0, references: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        (references, kind, writer, centre + 0.05 * rng.normal())
        for writer in range(writers)
        for kind, centre in (("genuine", genuine), ("random", random))
        for _ in range(4)
    ]
    return pd.DataFrame(rows, columns=["references", "kind", "writer", "score"])


def forgers(share: float = 0.5) -> Forgers:
    flat = {3: [share] * len(QUANTILES), 6: [share / 2] * len(QUANTILES)}
    sources = {"a grey": 30, "a binary": 30, "b grey": 12}
    return Forgers("id", "1", sources, dict.fromkeys(sources, flat), {})


def test_a_forger_stands_at_the_same_share_of_the_way_whatever_the_scale():
    for genuine, random in ((0.4, -1.0), (40.0, -100.0), (0.1, 0.0)):
        rows = own(genuine=genuine, random=random)
        placed = forgers(0.5).placed(rows)
        middle = medians(rows)
        halfway = (middle["genuine"] + middle["random"]) / 2
        assert placed["score"].tolist() == pytest.approx([halfway] * len(placed))
        assert set(placed["kind"]) == {"skilled"} and not set(placed["writer"]) & set(rows["writer"])


@pytest.mark.parametrize(("references", "share"), [(3, 0.5), (4, 0.5), (5, 0.25), (6, 0.25), (12, 0.25)])
def test_the_nearest_number_of_references_that_was_measured_speaks(references, share):
    rows = own(genuine=1.0, random=0.0, references=references)
    middle = medians(rows)
    expected = middle["random"] + share * (middle["genuine"] - middle["random"])
    assert forgers(0.5).placed(rows)["score"].iloc[0] == pytest.approx(expected)


def test_writers_behind_two_inks_of_one_set_count_once_and_a_set_can_be_left_out():
    assert forgers().writers == 42
    rest = forgers().without("a")
    assert list(rest.sources) == ["b grey"] and list(rest.shares) == ["b grey"] and rest.writers == 12


def test_no_share_where_strangers_score_as_high_as_the_writer():
    assert medians(own(genuine=0.0, random=0.5)) is None
    assert medians(own()[lambda rows: rows["kind"] == "genuine"]) is None
    assert forgers().placed(own(genuine=0.0, random=0.5)).empty


def test_planted_forgers_are_found_at_their_share():
    """Writers on a plane: strangers far, forgers at a known share of the way in descriptor space."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(45, 30))

    def writer(n: int) -> WriterSet:
        def near(centre, count):
            return (centre + 0.15 * rng.normal(size=(count, 30))).astype(np.float32)

        forged = 0.7 * centres[n] + 0.3 * centres[(n + 7) % 45]
        return WriterSet(f"w{n}", near(centres[n], 8), near(forged, 5))

    people = [writer(n) for n in range(45)]
    found = fit_forgers({"planted grey": people}, people, None, "id", "1")
    share = found.shares["planted grey"][3]
    assert len(share) == len(QUANTILES) and share == sorted(share)
    assert 0.2 < np.median(share) < 0.95  # beyond strangers, short of the writer
    assert set(found.beside["planted grey"]) == {3, 4, 6}
    line = found.calibrations("v")[3]
    genuine, skilled = (np.array(found.beside["planted grey"][3][kind]) for kind in ("genuine", "skilled"))
    assert line.log10_lr(genuine).mean() > 0 > line.log10_lr(skilled).mean()


def test_numbers_survive_their_file(tmp_path):
    path = tmp_path / "forgers.json"
    write_forgers(forgers(), path)
    assert read_forgers(path) == forgers()


def test_the_shipped_numbers_hold_aggregates_only_and_fit_the_descriptor_in_use():
    from vision.descriptor.describe_specimens import descriptor_in_use, id_of_descriptor

    held = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert {name.split()[0] for name in held["sources"]} == {"cedar", "bhsig260_hindi", "synthetic"}
    assert SHIPPED.stat().st_size < 60_000  # quantiles, no vectors and no scores of anybody
    counts = {len(one) for by_count in held["shares"].values() for one in by_count.values()}
    assert counts == {len(QUANTILES)}
    assert forgers_for(id_of_descriptor(descriptor_in_use()), CLASSIFIER) is not None
    assert forgers_for("another@1", CLASSIFIER) is None
    shipped = read_forgers()
    assert set(shipped.calibrations("v")) >= {3, 4, 6, 8, 10}
    for source, by_count in shipped.shares.items():
        for references, shares in by_count.items():
            assert shares == sorted(shares), (source, references)
            assert 0.2 < np.median(shares) < 0.7, (source, references)


def test_each_set_says_of_the_other_where_its_forgers_stand():
    """The claim that the register's calibration rests on: medians of unlike sets agree within a tenth."""
    shares = read_forgers().shares
    for references in (3, 6, 10):
        cedar, hindi = (np.median(shares[name][references]) for name in ("cedar grey", "bhsig260_hindi grey"))
        assert cedar == pytest.approx(hindi, abs=0.1)


def test_a_doubted_ratio_is_nearer_to_none_on_both_sides_and_its_score_is_told_back():
    sure = Calibration(2.0, 0.0, 1.5, 1.2, 100, 400, 400)
    unsure = doubtful(sure, 0.5)
    assert unsure.log10_lr([0.1, -0.1, 0.5, -0.5]).tolist() == pytest.approx([0, 0, 0.5, -0.5])
    assert (unsure.cap_same, unsure.cap_other) == pytest.approx((1.0, 0.7))
    for ratio in (0.6, -0.6):
        assert unsure.log10_lr(unsure.score_at(ratio)) == pytest.approx(ratio)
    assert doubtful(sure, 0.0) == sure
    assert doubtful(sure, 9.0).cap_same == 0.0


def test_a_registers_calibration_borrows_forgers_and_ten_references_have_figures_for_ten():
    parts = [own(references=count) for count in REFERENCES]
    rows = pd.concat([pd.concat([one, forgers(0.4).placed(one)]) for one in parts], ignore_index=True)
    fitted = fit_calibrations(rows, "v", REGISTER_DOUBT, forgers().writers)
    assert set(fitted) == set(REFERENCES) and 10 in fitted
    assert fitted[10].cap_same == pytest.approx(evidence_cap(42) - REGISTER_DOUBT)
    assert fitted[10].cap_other == pytest.approx(evidence_cap(40) - REGISTER_DOUBT)
    assert REGISTER_DOUBT < SYNTHETIC_DOUBT
