"""Verification through the store, with a plain descriptor of drawn lines whose answers are known."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from datetime import date

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from data import queries, schema
from data.engine.clock import now
from data.signatures.encoder_info import EncoderInfo
from data.signatures.specimens import RefusedFile, read_pixels
from data.store import NewSpecimen, write_consents, write_specimens
from data.trust import audit, erase
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification.write import NoConsent
from vision.descriptor.covariance import Block
from vision.descriptor.describe_specimens import id_of_descriptor
from vision.descriptor.outlines import Outlines
from vision.recipes.form_detector import synthetic_inks
from vision.recipes.synthetic_forms import make_form
from vision.scans import images
from vision.scans.form_finder import Place, signature_on
from vision.scans.images import decode_image
from vision.scans.preprocess import to_ink
from vision.verification import comparing, verification_tools
from vision.verification.forger_share import SYNTHETIC_DOUBT
from vision.verification.ground import WriterSet, synthetic_trials
from vision.verification.synthetic_ground import SyntheticSet, write_synthetic
from vision.verification.verification_pipeline import (
    describe_pending,
    enrol,
    enrol_all,
    re_enrol,
    thresholds,
    verify,
    verify_folder,
)
from vision.verification.verify import CLASSIFIER_VERSION

SYSTEM = Scope.system()


@dataclass(frozen=True)
class Plain:
    """Ink shrunk to a few cells: enough to tell drawn lines apart."""

    info: EncoderInfo = EncoderInfo("plain", "1", "ab" * 32, "made by a test", 192)
    blocks: tuple = (Block("cells", 0, 192, 1.0),)

    def describe(self, inks, progress=None):
        rows = [cv2.resize(cv2.blur(ink, (9, 9)), (24, 8), interpolation=cv2.INTER_AREA) for ink in inks]
        return np.array([row.ravel() / 255 for row in rows], np.float32)


def drawing(writer: int, signing: int, shake: float = 1.5) -> np.ndarray:
    """A line through a writer's own points, a little different each time."""
    points = np.random.default_rng(writer).uniform((60, 60), (540, 180), (9, 2))
    points[[0, 1], 0] = 60, 540
    points = points + np.random.default_rng((writer, signing)).normal(0, shake, points.shape)
    sheet = np.full((240, 600), 240, np.uint8)
    cv2.polylines(sheet, [np.rint(points * 8).astype(np.int32)], False, 40, 4, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(sheet, (0, 0), 0.6)


def file_of(sheet: np.ndarray) -> bytes:
    return cv2.imencode(".png", sheet)[1].tobytes()


def synthetic(descriptor, count: int = 40) -> SyntheticSet:
    def described(writer, signings, shake):
        return descriptor.describe([to_ink(drawing(writer, one, shake)) for one in signings])

    made = [
        WriterSet(
            f"synthetic-{n}", described(1000 + n, range(6), 1.5), described(1000 + n, range(50, 53), 14)
        )
        for n in range(count)
    ]
    return SyntheticSet(id_of_descriptor(descriptor), tuple(made), synthetic_trials(made, descriptor.blocks))


@pytest.fixture(scope="module")
def signers():
    return synthetic(Plain())


@pytest.fixture
def office(small_register, signers):
    """S07 signed four times, S08 twice, S02 thrice; all but S02 agree to verification."""
    store = small_register.store
    folder = store.cache_folder / "verification"
    write_synthetic(signers, folder / f"{signers.descriptor_id}.safetensors")
    given = (
        [("S07", 7, n) for n in range(4)]
        + [("S08", 8, n) for n in range(2)]
        + [("S02", 2, n) for n in range(3)]
    )
    about = {"context": "enrollment", "file_format": "png", "width": 600, "height": 240, "dpi": 300}
    specimens = [
        NewSpecimen(number, file_of(drawing(writer, n)), date(2022, 9, 1 + n), **about)
        for number, writer, n in given
    ]
    write_specimens(store, specimens, source="scans", actor="test")
    agreed = pd.DataFrame({"student_number": ["S07", "S08"], "purpose": "verification", "granted": True})
    write_consents(store, agreed)
    return small_register


def check(office, number: str, sheet: np.ndarray, **options):
    about = {"actor": "rina", "descriptor": Plain()} | options
    return verify(office.store, office.keys[number], file_of(sheet), **about)


def enrolled(office, number: str = "S07"):
    return enrol(office.store, office.keys[number], actor="rina", descriptor=Plain())


def test_only_consenting_students_are_described_and_each_specimen_once(office):
    assert describe_pending(office.store, descriptor=Plain()) == 6
    assert describe_pending(office.store, descriptor=Plain()) == 0
    assert queries_verification.undescribed(office.store, id_of_descriptor(Outlines())).empty
    assert queries.encoders(office.store).empty  # nothing that the outcome model could take
    checked = queries.student_specimens(office.store, SYSTEM, office.keys["S07"])["quality"]
    assert all(len(found) == 11 for found in checked)


def test_enrolment_keeps_references_versions_and_an_audit_entry(office):
    made = enrolled(office)
    assert len(made.references) == 4 and made.left_out == {} and made.unlike == ()
    assert made.advice == ("few",)
    held = queries_verification.enrolments(office.store, SYSTEM)
    assert held["reference_ids"].tolist() == [list(made.references)]
    assert held["descriptor_id"].tolist() == ["plain@1+abababab"]
    assert audit.entries(office.store, action="enrol signature")["actor"].tolist() == ["rina"]


def test_who_has_not_agreed_is_neither_enrolled_nor_verified(office):
    with pytest.raises(NoConsent):
        enrolled(office, "S02")
    with pytest.raises(NoConsent):
        check(office, "S02", drawing(2, 9))
    with pytest.raises(LookupError):
        verify(office.store, "nobody", file_of(drawing(2, 9)), actor="rina")


def test_own_signature_is_consistent_and_another_hand_goes_to_review(office):
    enrolled(office)
    own, other = check(office, "S07", drawing(7, 30)), check(office, "S07", drawing(99, 30))
    assert (own.outcome, own.reason) == ("consistent", "agrees")
    assert (other.outcome, other.reason) == ("review", "differs")
    # 40 invented writers allow a ratio of 40 / 3, less what is doubted where nobody of the register was
    # measured
    most = np.log10(40 / 3) - SYNTHETIC_DOUBT
    assert (own.log10_lr, other.log10_lr) == pytest.approx((most, -most))
    assert own.words == "weak_same" and other.words == "weak_other"
    assert own.nearest_specimen in own.reference_ids
    assert own.versions["calibration_version"] == "synthetic-2" and own.thresholds["source"] == "synthetic"
    assert other.score <= other.thresholds["review_at"] < own.thresholds["consistent_at"] <= own.score


def test_a_questioned_photograph_is_kept_without_notes_and_named_by_the_file_as_it_came(office):
    enrolled(office)
    notes, buffer = Image.Exif(), io.BytesIO()
    notes[ExifTags.Base.Artist] = "Budi Rahasia"
    Image.fromarray(drawing(7, 31)).save(buffer, "PNG", exif=notes, dpi=(300, 300))
    photo = buffer.getvalue()
    made = verify(office.store, office.keys["S07"], photo, actor="rina", descriptor=Plain())
    kept = queries_verification.questioned_image(office.store, SYSTEM, made.decision_id)
    row = queries_verification.decision(office.store, SYSTEM, made.decision_id)
    assert b"Rahasia" in photo and b"Rahasia" not in kept
    assert np.array_equal(read_pixels(kept), read_pixels(photo))
    assert row["questioned_sha256"] == hashlib.sha256(photo).hexdigest()


def test_a_decision_keeps_everything_and_its_image_lies_encrypted(office):
    enrolled(office)
    made = check(office, "S07", drawing(7, 31))
    row = queries_verification.decision(office.store, SYSTEM, made.decision_id)
    for name in ("outcome", "reason", "score", "log10_lr", "thresholds", "nearest_specimen"):
        assert row[name] == pytest.approx(getattr(made, name))
    assert row["reference_ids"] == list(made.reference_ids) and len(row["findings"]) == 12
    assert row["descriptor_sha256"] == "ab" * 32 and row["classifier_version"] == CLASSIFIER_VERSION
    data = file_of(drawing(7, 31))
    assert queries_verification.questioned_image(office.store, SYSTEM, made.decision_id) == data
    with office.store.reading() as connection:
        sealed = connection.execute(schema.questioned_images.select()).one().ciphertext
    assert data[:40] not in bytes(sealed)


def test_the_same_file_gives_the_same_score_again(office):
    enrolled(office)
    first, second = (check(office, "S07", drawing(7, 32)) for _ in range(2))
    assert first.score == second.score and first.decision_id != second.decision_id


@pytest.mark.parametrize("step", [1, 2, 3])
def test_nothing_is_kept_of_a_comparison_that_is_given_up_between_two_steps(office, step):
    class GivenUp(Exception):
        pass

    enrolled(office)
    before, steps = len(queries_verification.decisions(office.store, SYSTEM)), []

    def go_on() -> None:
        steps.append(len(queries_verification.decisions(office.store, SYSTEM)))
        if len(steps) == step:
            raise GivenUp

    with pytest.raises(GivenUp):
        check(office, "S07", drawing(7, 32), go_on=go_on)
    assert len(queries_verification.decisions(office.store, SYSTEM)) == before and steps == [before] * step


def noting(seen, door):
    """A function of bytes that also writes down what it was given."""
    return lambda data: seen.append(data) or door(data)


def test_the_questioned_file_is_decoded_for_one_comparison_once_and_references_are_measured_once(
    office, monkeypatch
):
    enrolled(office)
    opened, shown = [], []
    for door in ("read_image", "read_pixels", "inspect_image"):
        monkeypatch.setattr(images, door, noting(opened, getattr(images, door)))
    monkeypatch.setattr(comparing, "decode_image", lambda data: shown.append(data) or decode_image(data))
    made = [check(office, "S07", drawing(7, signing)) for signing in (30, 31)]
    assert all(one.score is not None for one in made)
    assert len(shown) == len(made[0].reference_ids) == 4
    assert [opened.count(file_of(drawing(7, signing))) for signing in (30, 31)] == [1, 1]


def test_two_references_are_always_inconclusive_and_none_says_so(office):
    assert check(office, "S08", drawing(8, 30)).reason == "not_enrolled"
    assert enrolled(office, "S08").advice == ("too_few",)
    made = check(office, "S08", drawing(8, 30))
    assert (made.outcome, made.reason, made.score) == ("inconclusive", "few_references", None)


def test_a_poor_image_is_inconclusive_and_a_copy_goes_to_review(office):
    enrolled(office)
    blank = check(office, "S07", np.full((240, 600), 240, np.uint8))
    assert (blank.outcome, blank.reason, blank.score) == ("inconclusive", "blank", None)
    again = cv2.resize(drawing(7, 0), None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    for sheet in (drawing(7, 0), again):  # the file of a reference, and the same scaled
        copy = check(office, "S07", sheet)
        assert (copy.outcome, copy.reason) == ("review", "copy_of_specimen")


def stamped(sheet):
    """As a copier leaves a stamp: paler than the pen, without a colour."""
    stamp = np.full(sheet.shape, 240, np.uint8)
    for radius in (70, 52):
        cv2.circle(stamp, (300, 120), radius, 170, 6, cv2.LINE_AA)
    return np.minimum(sheet, stamp)


def stamped_in_red(sheet):
    rgb = np.dstack([sheet] * 3)
    for radius in (70, 52):
        cv2.circle(rgb, (300, 120), radius, (50, 40, 180), 6, cv2.LINE_AA)  # red, as OpenCV writes it
    return rgb


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        (stamped, "several_inks", "SIG006"),
        (
            lambda sheet: np.concatenate([sheet, sheet[:40] * 0 + 240, drawing(60, 1)]),
            "two_signatures",
            "SIG008",
        ),
    ],
)
def test_a_scan_that_cannot_be_compared_has_no_outcome_but_its_reason(office, change, reason, code):
    enrolled(office)
    made = check(office, "S07", change(drawing(7, 30)))
    assert (made.outcome, made.reason, made.score, made.log10_lr) == ("inconclusive", reason, None, None)
    assert next(one for one in made.findings if one["code"] == code)["status"] == "found"
    stored = queries_verification.decision(office.store, SYSTEM, made.decision_id)
    assert (stored["outcome"], stored["reason"]) == ("inconclusive", reason)


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        (lambda sheet: np.ascontiguousarray(sheet[::-1, ::-1]), "SIG009", "found"),
        (stamped_in_red, "SIG006", "clear"),
    ],
    ids=["on its head", "a red stamp across"],
)
def test_what_can_be_put_right_is_put_right_and_compared(office, change, code, status):
    enrolled(office)
    made = check(office, "S07", change(drawing(7, 30)))
    assert next(one for one in made.findings if one["code"] == code)["status"] == status
    assert made.score is not None and made.log10_lr > 0


def test_a_negative_and_any_stated_resolution_are_compared_alike(office):
    enrolled(office)
    sheet = drawing(7, 30)
    scores = {check(office, "S07", one).score for one in (sheet, 255 - sheet)}
    for dpi in (72, 150, 600):
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, "PNG", dpi=(dpi, dpi))
        about = {"actor": "rina", "descriptor": Plain()}
        scores.add(verify(office.store, office.keys["S07"], buffer.getvalue(), **about).score)
    assert len(scores) == 1


def test_another_descriptor_asks_for_a_new_enrolment(office, signers, monkeypatch):
    first = enrolled(office)
    newer = replace(Plain(), info=EncoderInfo("plain", "2", "cd" * 32, "made by a test", 192))
    kept = office.store.cache_folder / "verification" / f"{id_of_descriptor(newer)}.safetensors"
    write_synthetic(replace(signers, descriptor_id=id_of_descriptor(newer)), kept)
    made = check(office, "S07", drawing(7, 30), descriptor=newer)
    assert (made.outcome, made.reason) == ("inconclusive", "enrolment_outdated")
    monkeypatch.setattr(verification_tools, "descriptor_in_use", lambda: newer)
    assert re_enrol(office.store, actor="rina") == {"enrolled": 1, "left_out": 0}
    held = queries_verification.enrolments(office.store, SYSTEM)
    assert held["reference_ids"].tolist() == [list(first.references)]
    assert held["descriptor_id"].tolist() == ["plain@2+cdcdcdcd"]
    assert len(queries_verification.enrolments(office.store, SYSTEM, history=True)) == 2
    assert re_enrol(office.store, actor="rina") == {"enrolled": 0, "left_out": 0}


def test_a_folder_is_looked_over_and_a_bad_file_never_stops_the_rest(office):
    enrolled(office)
    files = [
        ("S07/form.png", file_of(drawing(7, 33))),
        ("S02/form.png", file_of(drawing(2, 33))),
        ("broken/S07.png", b"no image"),
        ("nobody.png", file_of(drawing(1, 1))),
        ("notes.txt", b"hello"),
        ("S07/other.png", file_of(drawing(55, 1))),
    ]
    seen = []
    table = verify_folder(
        office.store,
        files,
        Scope.system(),
        actor="rina",
        progress=lambda *step: seen.append(step),
        descriptor=Plain(),
    ).set_index("file")
    assert table["outcome"].dropna().to_dict() == {"S07/form.png": "consistent", "S07/other.png": "review"}
    problems = table["problem"].dropna().to_dict()
    assert problems.pop("broken/S07.png").startswith("SPC")
    assert problems == {"S02/form.png": "no_consent", "nobody.png": "no_student", "notes.txt": "no_student"}
    assert seen[-1] == (6, 6, "comparing signatures")
    assert len(queries_verification.decisions(office.store, SYSTEM)) == 2


def test_a_folder_that_was_broken_off_is_taken_up_where_it_stood(office):
    enrolled(office)
    files = [(f"S07/{n}.png", file_of(drawing(7, n))) for n in range(40, 44)]
    began = now()

    def stop_after_two(done, _total, _what):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_folder(
            office.store,
            files,
            Scope.system(),
            actor="rina",
            since=began,
            progress=stop_after_two,
            descriptor=Plain(),
        )
    first = set(queries_verification.decisions(office.store, SYSTEM)["decision_id"])
    assert len(first) == 2
    again = verify_folder(office.store, files, Scope.system(), actor="rina", since=began, descriptor=Plain())
    every = queries_verification.decisions(office.store, SYSTEM)
    assert set(again["decision_id"]) == set(every["decision_id"]) > first
    assert len(every) == len(files)
    assert again["outcome"].tolist() == ["consistent"] * len(files)
    other = verify_folder(office.store, files, Scope.system(), actor="wayan", since=began, descriptor=Plain())
    assert not set(other["decision_id"]) & set(every["decision_id"])


def test_what_was_compared_is_not_taken_over_once_consent_is_withdrawn(office, monkeypatch):
    enrolled(office)
    files, began = [("S07/40.png", file_of(drawing(7, 40)))], now()
    verify_folder(office.store, files, Scope.system(), actor="rina", since=began, descriptor=Plain())
    monkeypatch.setattr(
        "vision.verification.enrolling.reads.consents", lambda _store, _key: False, raising=True
    )
    again = verify_folder(office.store, files, Scope.system(), actor="rina", since=began, descriptor=Plain())
    assert again["problem"].tolist() == ["no_consent"]
    assert again["outcome"].isna().all()


def test_a_file_that_is_no_image_is_refused(office):
    with pytest.raises(RefusedFile):
        verify(office.store, office.keys["S07"], b"no image", actor="rina")


def test_erasing_signatures_leaves_no_descriptor_enrolment_or_questioned_image(office):
    enrolled(office)
    check(office, "S07", drawing(7, 34))
    kept = verification_tools.tools_for(office.store, Plain())
    receipt = erase.erase_student_signatures(office.store, office.keys["S07"], actor="registrar")
    expected = {
        "signature_descriptors": 2 * 4,  # and the outlines
        "enrolments": 1,
        "verification_decisions": 1,
        "questioned_images": 1,
    }
    assert expected.items() <= receipt.deleted.items()
    assert receipt.deleted["specimen_findings"] >= 4
    assert queries_verification.enrolments(office.store, SYSTEM, history=True).empty
    assert verification_tools.tools_for(office.store, Plain()) is not kept  # memory forgets as well
    assert check(office, "S07", drawing(7, 35)).reason == "not_enrolled"


def test_everybody_is_enrolled_at_once(office, monkeypatch):
    for module in ("verification.verification_tools", "descriptor.describe_specimens"):
        monkeypatch.setattr(f"vision.{module}.descriptor_in_use", Plain)
    assert enrol_all(office.store, Scope.system(), actor="rina") == {"enrolled": 2, "left_out": 0}
    assert enrol_all(office.store, Scope.system(), actor="rina") == {"enrolled": 0, "left_out": 0}


def test_thresholds_of_a_small_register_come_from_synthetic_signers(office):
    report = thresholds(office.store, descriptor=Plain())
    assert report.source == "synthetic"
    assert report.decisive == pytest.approx(np.log10(40 / 3) - SYNTHETIC_DOUBT)
    assert report.counts["writers"].tolist() == [40, 40, 40]
    rates = report.rates.set_index("name")["value"]
    assert rates["frr"] < 0.05 and rates["far_random"] == 0 and rates["cllr"] < 0.5
    assert report.workload["missed"].is_monotonic_increasing


def a_form(sheet: np.ndarray) -> np.ndarray:
    """An A4 page at 120 dpi: lines of words, the sheet's signature below, a name in brackets."""
    page = np.full((1403, 992), 240, np.uint8)
    for row in range(120, 620, 34):
        words = "menyatakan bahwa saya mahasiswa program studi"
        cv2.putText(page, words, (90, row), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 2, cv2.LINE_AA)
    small = cv2.resize(sheet, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    page[760 : 760 + small.shape[0], 520 : 520 + small.shape[1]] = small
    cv2.putText(page, "( Siti Rahmawati )", (600, 930), 0, 0.7, 40, 2, cv2.LINE_AA)
    return page


def test_of_a_form_only_the_piece_with_the_signature_is_compared_and_kept(office):
    enrolled(office)
    rng = np.random.default_rng((991, 1))
    form = make_form(rng, synthetic_inks(rng, 1))
    made = check(office, "S07", form.pixels)
    left, top, width, height = form.places[0]
    middle = left + width / 2, top + height / 2
    assert made.crop.left < middle[0] < made.crop.left + made.crop.width
    assert made.crop.top < middle[1] < made.crop.top + made.crop.height
    kept = queries_verification.questioned_image(office.store, SYSTEM, made.decision_id)
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (made.crop.width, made.crop.height)
    row = queries_verification.decision(office.store, SYSTEM, made.decision_id)
    assert (row["width"], row["height"]) == (made.crop.width, made.crop.height)


def apart(sheet: np.ndarray) -> np.ndarray:
    """A form whose signature has one more stroke, too far off to be taken in and too near to be another's."""
    page = a_form(sheet)
    place = signature_on(page)
    tall = place.height / 1.36  # without its margins
    left, top = place.left + place.width + round(0.62 * tall), place.top + place.height // 4
    points = [(left + across, top + down) for across, down in ((0, 50), (20, 0), (42, 55), (64, 12))]
    cv2.polylines(page, [np.int32(points)], False, 40, 3, cv2.LINE_AA)
    return page


def test_of_a_form_a_piece_with_ink_left_outside_is_never_sent_to_review(office):
    enrolled(office)
    other = apart(drawing(62, 30))
    made = check(office, "S07", other)
    assert made.crop.left_out > 0
    assert (made.outcome, made.reason, made.log10_lr) == ("inconclusive", "left_out", None)
    assert [one["code"] for one in made.findings if one["status"] == "found"].count("SIG013") == 1
    files = [("S07/40.png", file_of(other))]
    table = verify_folder(office.store, files, SYSTEM, actor="rina", descriptor=Plain())
    assert table[["outcome", "reason"]].to_numpy().tolist() == [["inconclusive", "left_out"]]
    found = made.crop
    whole = Place(found.left, found.top - 10, found.width + 160, found.height + 20)
    corrected = check(office, "S07", other, crop=whole)
    assert corrected.reason != "left_out" and corrected.crop.left_out is None


def test_of_a_whole_page_the_answer_is_to_choose_the_signature_first(office):
    enrolled(office)
    rng = np.random.default_rng((991, 0))
    page = make_form(rng, []).pixels
    made = check(office, "S07", page)
    assert made.crop is None
    assert (made.outcome, made.reason, made.log10_lr) == ("inconclusive", "whole_page", None)
    table = verify_folder(
        office.store, [("S07/1.png", file_of(page))], SYSTEM, actor="rina", descriptor=Plain()
    )
    assert table[["outcome", "reason"]].to_numpy().tolist() == [["inconclusive", "whole_page"]]


def test_where_a_person_says_the_signature_stands_is_where_it_is_looked_for(office):
    enrolled(office)
    page = a_form(drawing(7, 30))
    made = check(office, "S07", page, crop=Place(500, 740, 420, 170))
    assert (made.crop.left, made.crop.top, made.crop.chance) == (500, 740, 1.0)
    assert made.outcome == "consistent"
    elsewhere = check(office, "S07", page, crop=Place(20, 1100, 400, 200))
    assert (elsewhere.outcome, elsewhere.reason) == ("inconclusive", "blank")
    with pytest.raises(ValueError, match="992 x 1403"):
        check(office, "S07", page, crop=Place(2000, 0, 100, 100))
