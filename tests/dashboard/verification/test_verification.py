"""A ratio in words, an uploaded file checked at once, two signatures on one sheet."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from dashboard.shell.wording import LANGUAGES, Words
from dashboard.verification import comparison as verification
from data.signatures.specimens import RefusedFile

EN, ID = Words("en"), Words("id")
WAVE = ((20, 60), (80, 20), (120, 70), (200, 30), (220, 60))


def file_of(points=WAVE, kind: str = "PNG") -> bytes:
    scan = Image.new("L", (240, 96), 245)
    if points:
        ImageDraw.Draw(scan).line(points, fill=30, width=3)
    buffer = io.BytesIO()
    scan.save(buffer, kind, dpi=(300, 300))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("log10_lr", "said"),
    [
        (1.5, "about 32 times more often from the same writer than from a skilled forger: moderate support"),
        (-0.5, "about 3.2 times more often from a skilled forger than from the same writer: weak support"),
        (-2.0, "about 100 times more often from a skilled forger"),
        (0.2, "No support either way"),
        (4.2, "very strong support for the same writer"),
    ],
)
def test_a_likelihood_ratio_is_said_in_words_with_its_number(log10_lr, said):
    assert said in verification.support_words(log10_lr, EN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_wording_ever_calls_a_signature_genuine_or_forged(language):
    words = Words(language)
    told = " ".join(verification.support_words(value / 4, words) for value in range(-20, 21)).lower()
    for verdict in ("genuine", "forged", "authentic", "asli", "palsu "):
        assert verdict not in told


def test_an_upload_is_checked_at_once():
    gray, quality = verification.checked_image(file_of())
    assert gray.shape == (96, 240)
    assert (quality[0].code, quality[0].status) == ("SIG001", "clear")
    assert verification.checked_image(file_of(points=None))[1][0].is_found


def test_a_file_that_is_no_image_is_refused_with_a_code_that_has_words():
    with pytest.raises(RefusedFile) as refused:
        verification.checked_image(b"GIF, they said")
    assert EN.has(f"refused.{refused.value.code}")
    assert ID.has(f"refused.{refused.value.code}")


def test_two_files_of_one_drawing_lie_on_each_other_whatever_their_format():
    pair = verification.superposed(file_of(), file_of(kind="BMP"))
    assert np.minimum(pair.first, pair.second).sum() / pair.first.sum() > 0.8
    assert verification.superposed(file_of(), file_of(points=None)) is None
