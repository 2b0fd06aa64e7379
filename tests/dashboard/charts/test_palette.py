"""The colours of the bands stay apart for readers with every common kind of colour blindness."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from dashboard.charts.palette import BAND_COLORS, BAND_MARKS, BAND_TEXT, LOWERS, RAISES, SIDES, translucent

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
KINDS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def _rgb(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _linear(rgb: np.ndarray) -> np.ndarray:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _seen(color: str, kind: str) -> np.ndarray:
    linear = np.clip(np.asarray(KINDS[kind]) @ _linear(_rgb(color)), 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(rgb.reshape(1, 1, 3))[0, 0]


def _luminance(color: str) -> float:
    return float(_linear(_rgb(color)) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("kind", KINDS)
def test_any_two_bands_can_be_told_apart(kind):
    for first, second in combinations(BAND_COLORS.values(), 2):
        assert deltaE_ciede2000(_seen(first, kind), _seen(second, kind)) > 15, (first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_what_raises_and_what_lowers_the_risk_can_be_told_apart(kind):
    assert deltaE_ciede2000(_seen(RAISES, kind), _seen(LOWERS, kind)) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_any_two_lines_side_by_side_can_be_told_apart(kind):
    for first, second in combinations(SIDES, 2):
        assert deltaE_ciede2000(_seen(first, kind), _seen(second, kind)) > 15, (first, second)


@pytest.mark.parametrize("ground", ["#ffffff", "#11161c"])
def test_lines_side_by_side_stand_out_from_light_and_dark_ground(ground):
    for color in SIDES:
        light, dark = sorted((_luminance(color), _luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color


def test_text_on_a_band_has_enough_contrast():
    for band, color in BAND_COLORS.items():
        light, dark = sorted((_luminance(color), _luminance(BAND_TEXT[band])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, band


def test_bands_do_not_rest_on_colour_alone():
    assert len(set(BAND_MARKS.values())) == len(BAND_COLORS)


def test_translucent_writes_rgba():
    assert translucent("#0a141e", 0.5) == "rgba(10,20,30,0.5)"
