"""Each check SIG001 to SIG010: found on an image made for it, clear on a good scan."""

from dataclasses import asdict

import cv2
import numpy as np
import pytest

from data.synthetic import signatures
from vision.fingerprint import copies_among, copy_limit, image_distance, image_fingerprint
from vision.quality import TITLES, check_specimen, find_copy


def scan(seed=1, style="cursive", **flaws):
    rng = np.random.default_rng(seed)
    return signatures.render_scan(signatures.perform(signatures.make_writer(rng, style), rng), rng, **flaws)


def line_of_writing(shape=(240, 600), middle=(120, 300), width=300, tone=50, paper=240, angle=0.0):
    """Loops along a line, turned by some degrees."""
    image = np.full(shape, paper, np.uint8)
    t = np.linspace(0, 1, 500)
    x, y = (t - 0.5) * width + 12 * np.sin(40 * t), 22 * np.cos(40 * t)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    points = np.stack([middle[1] + c * x + s * y, middle[0] - s * x + c * y], 1)
    cv2.polylines(image, [np.rint(points * 8).astype(np.int32)], False, tone, 4, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(image, (0, 0), 0.6)


def statuses(gray, dpi=300, others=None):
    return {finding.code: finding.status for finding in check_specimen(gray, dpi, others)}


def test_ten_findings_come_in_order_with_title_and_reason():
    findings = check_specimen(scan(), 300)
    assert [finding.code for finding in findings] == list(TITLES)
    assert all(finding.title == TITLES[finding.code] and finding.reason.endswith(".") for finding in findings)
    assert set(asdict(findings[0])) == {"code", "title", "status", "value", "reason"}


def test_a_good_scan_is_clear_everywhere():
    assert set(statuses(line_of_writing()).values()) == {"clear"}


@pytest.mark.parametrize("seed", range(4))
def test_ordinary_synthetic_scans_have_no_flaw_that_spoils_them(seed):
    found = {code for code, status in statuses(scan(seed)).items() if status == "found"}
    assert found <= {"SIG008", "SIG009"}


def test_sig001_blank_paper_is_found_and_nothing_else_is_judged():
    answers = statuses(scan(flaw="blank"))
    assert answers.pop("SIG001") == "found"
    assert set(answers.values()) == {"not_applicable"}


def test_sig002_a_tick_is_too_little_ink():
    image = np.full((240, 600), 240, np.uint8)
    cv2.line(image, (290, 120), (330, 105), 40, 4, cv2.LINE_AA)
    assert statuses(image)["SIG002"] == "found"


def test_sig003_few_pixels_or_few_dots_per_inch_are_low_resolution():
    assert statuses(scan(flaw="low_resolution"), dpi=60)["SIG003"] == "found"
    assert statuses(line_of_writing(), dpi=100)["SIG003"] == "found"
    assert statuses(line_of_writing(), dpi=None)["SIG003"] == "clear"


def test_sig004_a_blurred_scan_is_found_with_its_value_below_the_sharp_one():
    sharp, blurred = (check_specimen(scan(2, flaw=flaw), 300)[3] for flaw in (None, "blurred"))
    assert (sharp.status, blurred.status) == ("clear", "found")
    assert blurred.value < 0.7 * sharp.value


def test_sig005_ink_on_the_border_is_cut_off_and_a_tight_crop_cannot_be_judged():
    assert statuses(scan(3, flaw="cut_off"))["SIG005"] == "found"
    image = line_of_writing()
    rows, columns = np.nonzero(image < 200)
    tight = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert statuses(tight)["SIG005"] == "not_applicable"


def test_sig006_a_pale_stamp_across_a_dark_name_is_a_second_ink():
    image = line_of_writing(tone=30)
    stamp = np.full(image.shape, 240, np.uint8)
    cv2.circle(stamp, (300, 120), 80, 170, 7, cv2.LINE_AA)
    cv2.circle(stamp, (300, 120), 60, 170, 5, cv2.LINE_AA)
    assert statuses(np.minimum(image, stamp))["SIG006"] == "found"


@pytest.mark.parametrize("printed", ["ruled_line", "box_edge"])
def test_sig007_printed_lines_are_found(printed):
    assert statuses(scan(4, disturbance=printed))["SIG007"] == "found"


@pytest.mark.parametrize("second", [(190, 300), (60, 300)])
def test_sig008_two_names_one_above_the_other_are_two_signatures(second):
    first = (60, 300) if second[0] > 100 else (190, 300)
    both = np.minimum(line_of_writing(middle=first), line_of_writing(middle=second))
    assert statuses(both)["SIG008"] == "found"


@pytest.mark.parametrize(
    "angle,status", [(0, "clear"), (15, "clear"), (-15, "clear"), (35, "found"), (-35, "found")]
)
def test_sig009_tilt_is_measured_in_degrees(angle, status):
    finding = check_specimen(line_of_writing(shape=(400, 600), middle=(200, 300), angle=angle), 300)[8]
    assert finding.status == status
    assert finding.value == pytest.approx(angle, abs=3)


def test_sig010_a_copy_is_found_even_rescaled_and_saved_anew_but_a_second_signing_is_not():
    rng = np.random.default_rng(6)
    writer = signatures.make_writer(rng, "cursive")
    first = signatures.render_scan(signatures.perform(writer, rng), rng)
    again = signatures.render_scan(signatures.perform(writer, rng), rng)
    print_of_first = check_specimen(first, 300)[9].value
    smaller = cv2.resize(first, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    saved = cv2.imdecode(cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], 0)
    others = {"first": print_of_first}
    assert statuses(saved, 240, others)["SIG010"] == "found"
    assert statuses(again, 300, others)["SIG010"] == "clear"
    assert "Specimen first" in check_specimen(saved, 240, others)[9].reason


def test_fingerprint_distance_counts_bits():
    assert image_distance("f" * 64, "0" * 64) == 256
    assert image_distance("0" * 63 + "7", "0" * 64) == 3
    assert image_fingerprint(np.zeros((9, 9), np.uint8)) == "0" * 64


def test_copies_may_differ_in_eight_bits_or_six_percent_of_the_set_ones():
    full, near, far = "f" * 64, "f" * 62 + "00", "f" * 61 + "000"
    assert [copy_limit(full, near), copy_limit("0" * 60 + "ffff", "0" * 64)] == [8, 0]
    assert copies_among([full], [full, near, far]) == [(0, 0), (0, 1)]
    assert copies_among(["0" * 60 + "ffff"], ["0" * 60 + "fffe"]) == []
    assert copies_among([], [full]) == []


def test_without_others_nothing_is_a_copy_and_the_fingerprint_is_kept():
    finding = find_copy("ab" * 32, None)
    assert finding.status == "clear" and finding.value == "ab" * 32


def test_colour_images_are_refused_with_their_shape():
    with pytest.raises(ValueError, match=r"uint8 array of two dimensions, got uint8 \(4, 4, 3\)"):
        check_specimen(np.zeros((4, 4, 3), np.uint8))
