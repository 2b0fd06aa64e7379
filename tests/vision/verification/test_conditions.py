"""A scan that cannot be compared has no outcome, whatever its score; each condition made on a drawn
signature."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from data.signatures.findings import CHECKS, COPY, Finding
from tests.vision.verification.test_verification_pipeline import Plain, drawing
from vision.scans.pen import PenTrace, pen_trace, redrawn, unlike_pen
from vision.scans.preprocess import to_ink
from vision.verification.conditions import (
    HABITS,
    REASON_OF,
    Reading,
    at_size_of,
    compare_scan,
    habits_of,
    pen_finding,
    spoiling_reason,
    was_mended,
)
from vision.verification.likelihood import Calibration
from vision.verification.verify import Background, fit_writer_model


@dataclass(frozen=True)
class Office:
    model: object
    pens: tuple
    calibration: Calibration

    def compare(self, pixels, habits=frozenset()):
        return compare_scan(
            pixels, Reading.of(pixels), describe=describe, model=self.model, references=4,
            calibration=self.calibration, reference_pens=self.pens, habits=habits,
        )  # fmt: skip


def describe(ink):
    return Plain().describe([ink])[0]


@pytest.fixture(scope="module")
def office():
    others = [drawing(writer, n) for writer in range(100, 130) for n in range(3)]
    rows = np.stack([describe(to_ink(one)) for one in others])
    background = Background.build(rows, np.repeat([f"w{n}" for n in range(30)], 3))
    inks = [to_ink(drawing(7, n)) for n in range(4)]
    model = fit_writer_model(np.stack([describe(ink) for ink in inks]), background, "w7")
    own = model.score(np.stack([describe(to_ink(drawing(7, n))) for n in range(30, 40)]))
    middle = (own.min() + model.score(rows).max()) / 2
    slope = 4 / (own.min() - middle)
    calibration = Calibration(slope, -slope * middle, 1.5, 1.5, 90, 90, 90)
    return Office(model, tuple(map(pen_trace, inks)), calibration)


def stamped():
    rgb = np.dstack([drawing(7, 30)] * 3)
    for radius in (70, 52):
        cv2.circle(rgb, (300, 120), radius, (180, 40, 50), 6, cv2.LINE_AA)
    return rgb


def stamped_in_gray():
    """A copier's stamp: paler than the pen, of no colour."""
    sheet = drawing(7, 30)
    stamp = np.full(sheet.shape, 240, np.uint8)
    for radius in (70, 52):
        cv2.circle(stamp, (300, 120), radius, 170, 6, cv2.LINE_AA)
    return np.minimum(sheet, stamp)


def cut():
    return np.ascontiguousarray(drawing(7, 30)[:, 120:])


def with_pen(width, writer=7):
    """The same points as :func:`drawing`, another pen."""
    points = np.random.default_rng(writer).uniform((60, 60), (540, 180), (9, 2))
    points[[0, 1], 0] = 60, 540
    sheet = np.full((240, 600), 240, np.uint8)
    cv2.polylines(sheet, [np.rint(points * 8).astype(np.int32)], False, 40, width, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(sheet, (0, 0), 0.6)


def lined():
    sheet = drawing(7, 30)
    cv2.line(sheet, (0, 120), (599, 121), 110, 2)
    return sheet


def lined_in_ink():
    """A printed line as dark as the pen, with a stroke lying along much of it."""
    sheet = drawing(7, 30)
    cv2.line(sheet, (0, 120), (599, 121), 40, 2)
    cv2.line(sheet, (150, 116), (420, 118), 40, 9)
    return sheet


def two():
    return np.concatenate([drawing(7, 30), np.full((40, 600), 240, np.uint8), drawing(60, 1)])


def blank_form():
    sheet = np.full((240, 600), 240, np.uint8)
    cv2.line(sheet, (20, 170), (580, 170), 110, 2)
    return sheet


CONDITIONS = {
    "several_inks": stamped_in_gray,
    "cut_off": cut,
    "other_pen": lambda: with_pen(22),
    "print_touches": lined_in_ink,
    "two_signatures": two,
    "blank": blank_form,
    "blurred": lambda: cv2.GaussianBlur(drawing(7, 30), (0, 0), 16),
    "low_resolution": lambda: cv2.resize(drawing(7, 30), (150, 60), interpolation=cv2.INTER_AREA),
}


def test_the_signature_itself_is_consistent_and_another_hands_goes_to_review(office):
    own, other = office.compare(drawing(7, 30)), office.compare(drawing(62, 30))
    assert (own.outcome, own.reason) == ("consistent", "agrees")
    assert (other.outcome, other.reason) == ("review", "differs")
    assert own.findings[-1].code == "SIG012" and own.findings[-1].status == "clear"


@pytest.mark.parametrize("reason", CONDITIONS)
def test_each_condition_is_inconclusive_with_its_own_reason_and_no_ratio(office, reason):
    found = office.compare(CONDITIONS[reason]())
    assert (found.outcome, found.reason) == ("inconclusive", reason)
    assert found.verification.score is None and found.verification.log10_lr is None


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_scan_on_its_side_or_head_is_turned_and_that_is_told(office, times):
    upright = office.compare(drawing(7, 30))
    found = office.compare(np.ascontiguousarray(np.rot90(drawing(7, 30), times)))
    assert (found.outcome, found.reason) == ("consistent", "agrees")
    tilt = next(one for one in found.findings if one.code == "SIG009")
    assert (tilt.status, tilt.value) == ("found", {1: 90.0, 2: 180.0, 3: -90.0}[times])
    assert found.verification.log10_lr <= upright.verification.log10_lr


LEFT_OUT = Finding("SIG013", "found", 420, "x.")


@pytest.mark.parametrize("writer", [7, 62])
def test_a_piece_with_ink_left_outside_its_frame_has_no_outcome_however_it_lies(office, writer):
    for times in range(4):
        pixels = np.ascontiguousarray(np.rot90(drawing(writer, 30), times))
        found = compare_scan(
            pixels, Reading.of(pixels, of_page=(LEFT_OUT,)), describe=describe, model=office.model,
            references=4, calibration=office.calibration, reference_pens=office.pens,
        )  # fmt: skip
        assert (found.outcome, found.reason) == ("inconclusive", "left_out")
        assert found.verification.score is None and found.verification.log10_lr is None


def test_what_a_turn_takes_off_the_ratio_is_not_taken_for_agreement(office):
    """Beyond the cap both ratios are equal, so that the doubt alone would make the turned one the better."""
    sheet = drawing(62, 30)
    score = {True: -90.0, False: -80.0}  # turned, upright

    class Model:
        def score(self, vectors):
            return np.array([score[bool(one[1])] for one in np.atleast_2d(vectors)])

        def distances(self, vectors):
            return np.zeros((len(vectors), 4))

    ink = Reading.of(sheet).ink
    found = compare_scan(
        sheet, Reading.of(sheet), describe=lambda one: np.float32([1, not np.array_equal(one, ink)]),
        model=Model(), references=4, calibration=office.calibration, reference_pens=office.pens,
    )  # fmt: skip
    assert found.outcome == "review" and not was_mended(found.findings)


def test_a_scan_is_called_turned_or_redrawn_only_where_it_was():
    assert was_mended([Finding("SIG009", "found", 180.0, "x.")])
    assert was_mended([Finding("SIG012", "found", 1.8, "x.")])
    assert not was_mended([Finding("SIG009", "found", 41.5, "x.")])  # a hand that always runs so
    assert not was_mended([Finding("SIG009", "clear", 12.0, "x."), Finding("SIG012", "clear", 1.0, "x.")])
    assert not was_mended(None)


def test_what_forbids_an_outcome_on_its_head_as_well_is_not_described_again(office):
    described = []
    pixels = with_pen(22)
    found = compare_scan(
        pixels, Reading.of(pixels), describe=lambda ink: described.append(ink) or describe(ink),
        model=office.model, references=4, calibration=office.calibration, reference_pens=office.pens,
    )  # fmt: skip
    assert (found.reason, len(described)) == ("other_pen", 1)


def test_turning_costs_some_of_the_ratio_and_never_turns_it_round():
    line = Calibration(1.0, 0.0, 1.5, 1.5, 90, 90, 90).doubting(0.1, 0.5)
    assert line.log10_lr([1.0, 0.05, -0.3, -1.0]) == pytest.approx([0.9, 0.0, 0.0, -0.5])
    with pytest.raises(ValueError, match="same"):
        line.doubting(-0.1, 0.0)


@pytest.mark.parametrize("sheet", [stamped, lined], ids=["a red stamp across", "a pale line through it"])
def test_what_can_be_parted_from_the_signature_is_taken_away_and_compared(office, sheet):
    found = office.compare(sheet())
    assert (found.outcome, found.reason) == ("consistent", "agrees")


@pytest.mark.parametrize("writer", [60, 62, 63])
def test_that_a_redrawn_stroke_differs_says_nothing(office, writer):
    usual, marker = office.compare(with_pen(5, writer)), office.compare(with_pen(13, writer))
    assert (usual.outcome, usual.reason) == ("review", "differs")
    assert (marker.outcome, marker.reason, marker.verification.log10_lr) == ("inconclusive", "unclear", 0.0)


def test_a_signature_in_a_thinner_pen_has_no_outcome_rather_than_a_wrong_one(office):
    found = office.compare(with_pen(2))
    assert (found.outcome, found.reason) == ("inconclusive", "other_pen")


@pytest.mark.parametrize("width", [2, 13])
def test_a_stroke_of_another_width_is_redrawn_and_that_is_told(office, width):
    found = office.compare(with_pen(width))
    pen = found.findings[-1]
    assert (pen.code, pen.status) == ("SIG012", "found")
    assert found.outcome != "review"
    ink = to_ink(with_pen(width))
    again = pen_trace(redrawn(ink, pen_trace(ink), office.pens))
    typical = np.median([one.relative for one in office.pens])
    assert again.relative == pytest.approx(typical, rel=0.3)


def test_a_scan_of_half_the_resolution_is_brought_to_the_references_size(office):
    half = cv2.resize(drawing(7, 30), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = to_ink(half)
    assert max(at_size_of(small, office.pens).shape) == pytest.approx(400, abs=1)  # no more is looked at
    assert at_size_of(small, ()) is small
    large = to_ink(drawing(7, 30))
    assert at_size_of(large, office.pens) is large
    assert at_size_of(small, (PenTrace(3.0, 50.0, max(small.shape)),)) is small
    assert office.compare(half).outcome == "consistent"


def test_another_hands_signature_is_not_excused_as_turned(office):
    hands = (60, 62, 63, 64, 65, 67, 68)  # 61 and 66 draw a stroke across that no ruler draws straighter
    assert {office.compare(drawing(writer, 30)).reason for writer in hands} == {"differs"}


def test_a_negative_is_compared_like_any_scan(office):
    from data.signatures.gray_levels import light_on_dark

    negative = 255 - drawing(7, 30)
    assert light_on_dark(negative)
    assert office.compare(255 - negative).outcome == "consistent"


def test_what_most_references_show_is_the_writers_habit(office):
    habit = [[{"code": "SIG008", "status": "found"}], [{"code": "SIG008", "status": "found"}], []]
    assert habits_of(habit) == {"SIG008"}
    assert {habits_of(habit[1:]), habits_of([]), habits_of([None])} == {frozenset()}
    finding = [Finding("SIG008", "found", 2.0, "x.")]
    assert spoiling_reason(finding) == "two_signatures"
    assert spoiling_reason(finding, frozenset({"SIG008"})) is None
    blurred = [Finding("SIG004", "found", 2.0, "x.")]
    assert spoiling_reason(blurred, frozenset({"SIG004"})) == "blurred"  # no habit of a hand
    assert set(HABITS) <= set(REASON_OF)
    grave = {code for code, check in CHECKS.items() if check.severity == "error"}
    assert grave == {*REASON_OF, COPY}  # a copy has its own outcome


def test_several_findings_are_told_by_the_first_that_matters():
    both = [Finding(code, "found", 1.0, "x.") for code in ("SIG012", "SIG004", "SIG009")]
    assert spoiling_reason(both) == "blurred"


@pytest.mark.parametrize("width", [3, 5, 9])
def test_the_width_of_a_drawn_stroke_is_measured_within_a_pixel(width):
    ink = np.zeros((200, 600), np.uint8)
    ink[100 : 100 + width, 30:571] = 255
    assert pen_trace(ink).width == pytest.approx(width, abs=1.0)


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_a_stroke_beside_its_signatures_size_is_free_of_resolution(factor):
    sheet = drawing(7, 30)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(sheet, None, fx=factor, fy=factor, interpolation=method)
    first, other = (pen_trace(to_ink(one)).relative for one in (sheet, scaled))
    assert other == pytest.approx(first, rel=0.25)


def test_a_pen_is_compared_with_the_range_of_the_references():
    pens = [PenTrace(width, 100.0) for width in (3.0, 4.0, 5.0)]
    assert unlike_pen(PenTrace(4.2, 100.0), pens) == 1
    assert unlike_pen(PenTrace(10.0, 100.0), pens) == pytest.approx(2.0)
    assert unlike_pen(PenTrace(1.5, 100.0), pens) == pytest.approx(0.5)
    assert unlike_pen(PenTrace(0.0, 0.0), pens) is None and unlike_pen(PenTrace(4.0, 100.0), []) is None
    assert pen_finding(PenTrace(10.0, 100.0), pens).status == "found"
    assert pen_finding(PenTrace(1.5, 100.0), pens).status == "found"
    assert pen_finding(PenTrace(2.4, 100.0), pens).status == "clear"  # 0.8 of the thinnest reference
    assert pen_finding(PenTrace(2.2, 100.0), pens).status == "found"  # 0.73: a pencil after a ballpoint
    assert pen_finding(PenTrace(4.0, 100.0), []).status == "not_applicable"
    assert pen_trace(np.zeros((9, 9), np.uint8)).relative == 0
