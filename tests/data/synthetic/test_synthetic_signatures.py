"""The pen model: what is promised about writers, forgeries and scans."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from data.synthetic import paper, pen, signatures


def rng_of(seed):
    return np.random.default_rng(seed)


def ink_distance(first, second):
    """1 - correlation of two slightly blurred ink images."""
    a, b = (cv2.GaussianBlur(image, (0, 0), 2).astype(float).ravel() for image in (first, second))
    return 1 - np.corrcoef(a, b)[0, 1]


def straight(length, angle, down=1.0):
    return [length, angle, angle, 0.1, -2.0, 0.2, down]


def test_a_straight_stroke_ends_where_its_chord_points():
    plan = np.array([straight(10.0, np.pi / 2)])
    np.testing.assert_allclose(pen.chords(plan), [[0.0, -10.0]], atol=1e-12)
    trace = pen.integrate(plan, pen.make_pen(rng_of(0)))
    assert trace.x[-1] == pytest.approx(0.0, abs=1e-4)
    assert trace.y[-1] == pytest.approx(-10.0, abs=1e-3)


def test_a_half_circle_ends_one_diameter_away():
    length = np.pi * 3  # a half circle of radius 3 turning left from the right: it ends 6 above
    plan = np.array([[length, 0.0, np.pi, 0.1, -2.0, 0.2, 1.0]])
    np.testing.assert_allclose(pen.chords(plan), [[0.0, -6.0]], atol=1e-9)
    trace = pen.integrate(plan, pen.make_pen(rng_of(0)))
    assert trace.y[-1] == pytest.approx(-6.0, abs=0.05)


def test_speed_rises_and_falls_once_per_stroke():
    trace = pen.integrate(np.array([straight(10.0, 0.0)]), pen.make_pen(rng_of(0)))
    rising = np.diff(trace.speed[trace.speed > 1e-3]) > 0
    assert np.count_nonzero(np.diff(rising.astype(int))) == 1


def test_a_lifted_stroke_leaves_no_ink_in_its_middle():
    plan = np.array([straight(6, 0.0), straight(6, 0.0, down=0.0), straight(6, 0.0)])
    plan[:, pen.WAIT] = 0.4
    trace = pen.integrate(plan, pen.make_pen(rng_of(0)))
    middle = np.argmin(np.abs(trace.x - 9.0))
    assert not trace.down[middle]
    assert trace.down[np.argmin(np.abs(trace.x - 3.0))] and trace.down[np.argmin(np.abs(trace.x - 15.0))]


def test_an_empty_plan_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"plan must have shape .* got \(0, 7\)"):
        pen.integrate(np.zeros((0, 7)), pen.make_pen(rng_of(0)))


@pytest.mark.parametrize("style", signatures.STYLES)
def test_every_style_draws_a_signature_that_fits_a_form(style):
    for seed in range(6):
        rng = rng_of(seed)
        writer = signatures.make_writer(rng, style)
        trace = signatures.perform(writer, rng)
        ink_x, ink_y = trace.x[trace.down], trace.y[trace.down]
        assert np.isfinite(trace.x).all() and np.isfinite(trace.y).all()
        assert 3 < np.ptp(ink_x) < 70 and np.ptp(ink_y) < 30
        assert signatures.render_small(trace, rng).max() > 50


def test_the_same_seed_gives_the_same_file_and_another_seed_does_not():
    def png(seed):
        rng = rng_of(seed)
        return signatures.specimen_png(signatures.make_writer(rng), rng)

    assert png(3) == png(3)
    assert png(3) != png(4)


def test_genuine_signatures_resemble_each_other_more_than_forgeries_and_strangers_least():
    genuine, forged, strangers = [], [], []
    for seed in range(24):
        rng = rng_of((1, seed))
        writer, stranger = signatures.make_writer(rng), signatures.make_writer(rng)
        shape = (64, 160)
        model = signatures.render_small(signatures.perform(writer, rng), rng, shape)
        genuine.append(
            ink_distance(model, signatures.render_small(signatures.perform(writer, rng), rng, shape))
        )
        copy = signatures.perform(writer, rng, "skilled")
        forged.append(ink_distance(model, signatures.render_small(copy, rng, shape)))
        other = signatures.perform(stranger, rng)
        strangers.append(ink_distance(model, signatures.render_small(other, rng, shape)))
    assert np.median(genuine) < np.median(forged) < np.median(strangers)


def test_a_steadier_writer_varies_less():
    from dataclasses import replace

    def spread(jitter):
        distances = []
        for seed in range(12):
            rng = rng_of((2, seed))
            writer = replace(signatures.make_writer(rng, "cursive"), jitter=jitter)
            images = [
                signatures.render_small(signatures.perform(writer, rng), rng, (64, 160)) for _ in range(2)
            ]
            distances.append(ink_distance(*images))
        return np.median(distances)

    assert spread(0.015) < spread(0.09)


def test_one_hand_can_sign_another_name():
    rng = rng_of(5)
    writer = signatures.make_writer(rng)
    namesake = signatures.other_name(writer, rng)
    assert namesake.hand is writer.hand and namesake.pen is writer.pen
    assert namesake.plan.shape != writer.plan.shape or not np.allclose(namesake.plan, writer.plan)


def test_unknown_kinds_styles_and_flaws_are_named_in_the_error():
    rng = rng_of(0)
    writer = signatures.make_writer(rng)
    with pytest.raises(ValueError, match="kind must be one of .*'sloppy'"):
        signatures.perform(writer, rng, "sloppy")
    with pytest.raises(ValueError, match="style must be one of"):
        signatures.make_writer(rng, "runes")
    with pytest.raises(ValueError, match="flaw must be one of"):
        signatures.render_scan(signatures.perform(writer, rng), rng, flaw="burnt")
    with pytest.raises(ValueError, match=r"dpi must be within 75..600, got 20"):
        signatures.render_scan(signatures.perform(writer, rng), rng, dpi=20)


def test_a_specimen_is_a_png_at_300_dpi_of_modest_size():
    rng = rng_of(8)
    writer = signatures.make_writer(rng)
    files = [signatures.specimen_png(writer, rng) for _ in range(5)]
    assert np.mean([len(data) for data in files]) < 40_000
    image = Image.open(io.BytesIO(files[0]))
    image.load()
    assert image.size == (600, 240) and image.mode == "L"
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_flawed_scans_have_their_flaw():
    rng = rng_of(9)
    writer = signatures.make_writer(rng, "cursive")
    scan = {
        flaw: signatures.render_scan(signatures.perform(writer, rng), rng, flaw=flaw) for flaw in paper.FLAWS
    }
    good = signatures.render_scan(signatures.perform(writer, rng), rng)
    assert scan["blank"].min() > 180
    assert scan["low_resolution"].shape == (48, 120)
    edges = np.concatenate([scan["cut_off"][:, 0], scan["cut_off"][:, -1]])
    assert edges.min() < 170

    def sharpness(gray):
        return cv2.Laplacian(cv2.GaussianBlur(gray, (0, 0), 1), cv2.CV_32F).var()

    assert sharpness(scan["blurred"]) < 0.5 * sharpness(good)


@pytest.mark.parametrize("disturbance", paper.DISTURBANCES)
def test_printed_matter_adds_ink(disturbance):
    writer = signatures.make_writer(rng_of(10))
    trace = signatures.perform(writer, rng_of(11))
    plain = signatures.render_scan(trace, rng_of(12))
    printed = signatures.render_scan(trace, rng_of(12), disturbance=disturbance)
    assert np.count_nonzero(printed < 200) > np.count_nonzero(plain < 200) + 300
