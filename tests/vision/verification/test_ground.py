"""Whom a comparison rests on, which specimens become references, and what chance brings; values by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from vision.__main__ import app
from vision.search.duplicates import Tail
from vision.verification.ground import (
    FEWEST_WRITERS,
    Ground,
    WriterSet,
    fit_calibrations,
    run_trials,
    split_register,
)
from vision.verification.likelihood import verbal_key
from vision.verification.reference_choice import MOST_REFERENCES, choose_references
from vision.verification.threshold_report import threshold_report
from vision.verification.verify import DECISIVE, Background


def trials(writers: int, references: int = 3, gap: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(references)
    rows = [
        (references, kind, writer, centre + 0.1 * rng.normal())
        for writer in range(writers)
        for kind, centre in (("genuine", gap / 2), ("skilled", -gap / 2), ("random", -2.0))
        for _ in range(3)
    ]
    return pd.DataFrame(rows, columns=["references", "kind", "writer", "score"])


def test_a_students_side_never_changes_as_the_register_grows():
    keys = [f"{n:016x}" for n in range(200)]
    small = pd.DataFrame({"student_key": np.repeat(keys[:100], 4)})
    grown = pd.DataFrame({"student_key": np.repeat(keys, 4)})
    before, after = (split_register(frame, 500, 500) for frame in (small, grown))
    for side in (0, 1):
        assert set(before[side]) <= set(after[side])
    assert not set(after[0]) & set(after[1])
    assert len(after[0]) + len(after[1]) == 200


def test_students_without_a_signature_beyond_the_references_are_on_neither_side():
    frame = pd.DataFrame({"student_key": ["a"] * 3 + ["b"] * 4})
    assert sorted(sum(split_register(frame, 9, 9), [])) == ["b"]
    assert split_register(frame, 0, 0) == ([], [])


def test_a_ratio_is_capped_by_the_writers_on_its_own_side():
    rows = trials(60)
    rows = rows[(rows["kind"] != "skilled") | (rows["writer"] < 30)]
    fitted = fit_calibrations(rows, "v")[3]
    assert fitted.cap_same == pytest.approx(1.0)  # 30 writers forged: at most 30 / 3
    assert fitted.cap_other == pytest.approx(np.log10(20))  # 60 writers with genuine trials
    assert fitted.version == "v"


def test_too_few_writers_give_no_calibration_of_their_own():
    both = pd.concat([trials(FEWEST_WRITERS), trials(FEWEST_WRITERS - 1, references=4)])
    found = fit_calibrations(both, "v")
    assert list(found) == [3]
    ground = Ground("synthetic", "v", None, found, both)
    assert ground.calibration_for(12) is ground.calibration_for(2) is found[3]


def test_trials_take_first_signatures_as_references_and_later_ones_as_tests():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(9, 12))

    def signed(writer: int, count: int) -> np.ndarray:
        return (centres[writer] + 0.1 * rng.normal(size=(count, 12))).astype(np.float32)

    background = Background.build(
        np.concatenate([signed(n, 4) for n in range(6)]), np.repeat([f"b{n}" for n in range(6)], 4)
    )
    sets = [WriterSet(f"w{n}", signed(n, 5), np.empty((0, 12), np.float32)) for n in (6, 7, 8)]
    found = run_trials(background, sets).groupby(["references", "kind"]).size()
    # three references leave two tests for each of three writers, four leave one; two strangers each
    assert found.to_dict() == {(3, "genuine"): 6, (3, "random"): 6, (4, "genuine"): 3, (4, "random"): 6}


def test_the_report_says_whose_trials_stand_behind_each_figure():
    rows = trials(40)
    ground = Ground("register", "register-1", None, fit_calibrations(rows, "register-1"), rows)
    report = threshold_report(ground)
    assert dict(zip(report.counts["kind"], report.counts["source"], strict=True)) == {
        "genuine": "register", "random": "register", "skilled": "forgers",
    }  # fmt: skip
    assert report.decisive == DECISIVE
    rates = report.rates.set_index("name")
    assert rates.loc[["frr", "far_random", "far_skilled"], "value"].tolist() == [0, 0, 0]
    assert rates.loc["cllr", "value"] < 0.1
    assert (rates["low"] <= rates["value"]).all() and (rates["value"] <= rates["high"]).all()
    assert report.reviews_per_1000.value == 0
    assert report.workload["missed"].between(0, 10).all()  # one form in a hundred is assumed forged
    with pytest.raises(ValueError, match="forged_share: must lie between 0 and 1, got 2"):
        threshold_report(ground, 2)


def specimens(*rows) -> pd.DataFrame:
    """(context, codes found) of one student's specimens, one a day."""
    return pd.DataFrame(
        [
            {
                "specimen_id": f"s{day}",
                "captured_on": date(2024, 1, 1 + day),
                "context": context,
                "medium": "paper",
                "quality": [{"code": code, "status": "found"} for code in found],
            }
            for day, (context, found) in enumerate(rows)
        ]
    )


def test_specimens_signed_at_enrolment_come_first_and_spoilt_ones_never():
    rows = [("exam", []), *[("enrollment", [])] * 3, ("enrollment", ["SIG001"]), ("enrollment", ["SIG007"])]
    choice = choose_references(specimens(*rows))
    assert choice.references == ("s1", "s2", "s3", "s5")  # a printed line spoils nothing
    assert choice.left_out == {"s0": ("not_witnessed",), "s4": ("SIG001",)}
    assert choice.advice == ("few",)


def test_forms_count_where_enrolment_gave_fewer_than_three():
    choice = choose_references(specimens(("exam", []), ("enrollment", []), ("exam", [])))
    assert choice.references == ("s0", "s1", "s2")


def test_an_officers_choice_holds_except_for_spoilt_specimens():
    rows = specimens(("exam", []), ("exam", ["SIG004"]), ("exam", []))
    choice = choose_references(rows, ["s0", "s1"])
    assert (choice.references, choice.advice) == (("s0",), ("too_few",))
    assert choice.left_out == {"s1": ("SIG004",), "s2": ("not_chosen",)}
    with pytest.raises(ValueError, match="1 are not"):
        choose_references(rows, ["other"])


def test_no_more_than_twelve_references_are_kept():
    choice = choose_references(specimens(*[("enrollment", [])] * 14))
    assert len(choice.references) == MOST_REFERENCES and choice.advice == ()
    assert choice.left_out == {"s12": ("too_many",), "s13": ("too_many",)}
    assert choose_references(specimens(("exam", ["SIG001"]))).advice == ("none",)


def test_chance_is_read_off_a_normal_tail():
    values = np.random.default_rng(1).normal(100, 10, 100_001)
    tail = Tail.fit(values)
    assert tail.expected(1_000, 100) == pytest.approx(500, rel=0.02)  # half lie below the median
    assert tail.expected(10_000, 100 - 2.326 * 10) == pytest.approx(100, rel=0.1)  # 1 % below z = −2.326
    for share in (0.4, 0.05, 0.02, 0.0003, 1e-6):
        assert tail.expected(10_000, tail.limit(10_000, share * 10_000)) == pytest.approx(share * 10_000)


@given(strangers=st.lists(st.floats(-1e3, 1e3), min_size=10, max_size=2_000), seed=st.integers(0, 9))
def test_chance_never_rises_the_closer_a_pair_lies(strangers, seed):
    values = np.concatenate([strangers, np.random.default_rng(seed).standard_t(3, 1_000)])
    tail = Tail.fit(values)
    told = [tail.expected(1_000, value) for value in np.linspace(values.min() - 20, values.max(), 300)]
    assert (np.diff(told) >= -1e-9).all()
    below = np.quantile(values, 0.05)
    assert tail.expected(1_000, below) == pytest.approx(50, rel=1e-6)  # told as measured, whatever the shape


def test_a_tail_needs_strangers_that_differ():
    for values, message in ((np.ones(50), "must differ"), (np.arange(3), "at least 10")):
        with pytest.raises(ValueError, match=message):
            Tail.fit(values)


@pytest.mark.parametrize(
    ("ratio", "key"),
    [
        (0.0, "none"),
        (0.5, "weak_same"),
        (-1.0, "moderate_other"),
        (2.2, "moderately_strong_same"),
        (-9, "very_strong_other"),
    ],
)
def test_keys_of_the_verbal_scale(ratio, key):
    assert verbal_key(ratio) == key


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["enrol"], "give one of --student, --all and --again"),
        (["enrol", "--all", "--again"], "give one of"),
        (["verify", "nowhere.png"], "nowhere.png: no such file or folder"),
        (["verify", __file__, "--turn", "nan"], "--turn must be -360 to 360 degrees, got nan"),
        (["verify", __file__, "--turn", "361"], "--turn must be -360 to 360 degrees, got 361"),
        (["duplicates", "--expected", "0"], "--expected must be positive"),
    ],
)
def test_commands_refuse_what_makes_no_sense(arguments, message):
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 2 and message in answer.output
