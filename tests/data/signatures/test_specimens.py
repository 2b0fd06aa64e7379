"""Signature files: good ones are matched and measured, hostile and broken ones refused with their reason."""

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from sqlalchemy import select

from data import schema
from data.records.import_queries import entry_terms, specimen_hashes
from data.records.ingest import Source, apply_import, plan_import
from data.signatures.files import Limits, iter_signature_files
from data.signatures.ingest import RefusedSignatures, apply_signatures, plan_signatures, specimens_per_student
from data.signatures.names import AmbiguousName, NumberIndex
from data.signatures.queries import specimen_image
from data.signatures.specimens import FORMATS, RefusedFile, inspect_image, read_pixels
from data.trust.erase import erase_student_signatures
from data.trust.scope import Scope

SAMPLES = Path(__file__).parents[2] / "samples"
CASES = Path(__file__).parents[2] / "cases"
TODAY = date(2026, 9, 1)


def image(kind="PNG", size=(60, 40), mode="L", color=200, **options) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, kind, **options)
    return buffer.getvalue()


def noise(kind="PNG", size=(80, 60), **options) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, size[::-1], dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def archive(*entries) -> bytes:
    """A zip of (name or ZipInfo, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries:
            made.writestr(name, data)
    return buffer.getvalue()


def refusals(source, **options) -> dict[str, str]:
    codes = {}
    for file in iter_signature_files(source, **options):
        try:
            if file.refused:
                raise file.refused
            inspect_image(file.read())
        except RefusedFile as refusal:
            codes[file.name] = refusal.code
    return codes


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_accepted_by_content_and_measured(kind):
    facts = inspect_image(image(kind, dpi=(300, 300)))
    assert facts.file_format == kind.lower()
    assert (facts.width, facts.height, facts.orientation) == (60, 40, 1)
    assert facts.dpi == (None if kind == "WEBP" else 300)


def test_an_exif_orientation_turns_size_and_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    exif.get_ifd(0x8769)[0x9003] = "2023:09:05 10:00:00"
    picture = Image.new("L", (60, 40), 255)
    picture.paste(0, (0, 0, 10, 10))  # a mark in the stored upper left corner
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif, quality=95)
    facts = inspect_image(buffer.getvalue())
    assert (facts.width, facts.height, facts.orientation) == (40, 60, 6)
    assert facts.taken_on == date(2023, 9, 5)
    upright = read_pixels(buffer.getvalue())
    assert upright.shape == (60, 40)
    assert upright[5, 35] < 50 < 200 < upright[55, 5]


def test_pixels_are_read_on_white_paper_from_every_mode():
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    clear.paste((10, 20, 30, 255), (0, 0, 10, 20))
    buffer = io.BytesIO()
    clear.save(buffer, "PNG")
    pixels = read_pixels(buffer.getvalue())
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[0, 19].tolist() == [255, 255, 255]
    assert read_pixels(image(mode="1", color=1)).max() == 255
    deep = io.BytesIO()
    Image.fromarray(np.full((20, 20), 257 * 128, dtype=np.uint16)).save(deep, "PNG")
    assert read_pixels(deep.getvalue())[0, 0] == 128
    assert read_pixels(image(mode="P")).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"this is a text file\n" * 40, "SPC005"),
        (b"", "SPC005"),
        (noise()[:1500], "SPC006"),
        (noise("JPEG")[:900], "SPC006"),
        (noise("TIFF")[:2000], "SPC006"),
        (noise("BMP")[:3000], "SPC006"),
        (image(size=(8, 60)), "SPC011"),
        (image("GIF"), "SPC005"),
        (archive(("a.png", b"x")), "SPC009"),
        (b"%PDF-1.7 a scan", "SPC005"),
    ],
)
def test_what_is_no_whole_image_is_refused_by_its_rule(data, code):
    with pytest.raises(RefusedFile) as refusal:
        inspect_image(data)
    assert refusal.value.code == code


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_animations_and_several_pages_are_refused(kind):
    frames = [Image.new("L", (40, 40), shade) for shade in (0, 100, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(RefusedFile, match="several frames or pages") as refusal:
        inspect_image(buffer.getvalue())
    assert refusal.value.code == "SPC007"


def png_of_declared_size(width: int, height: int) -> bytes:
    """A PNG whose header states a size, with a few bytes of pixels: a bomb before it is decoded."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8000, 5001), (20_000, 20_000), (100_000, 100_000)])
def test_more_than_forty_megapixels_are_refused_before_they_are_decoded(size):
    with pytest.raises(RefusedFile) as refusal:
        inspect_image(png_of_declared_size(*size))
    assert refusal.value.code == "SPC004"


def test_a_file_of_too_many_bytes_is_refused(monkeypatch):
    monkeypatch.setattr("data.signatures.specimens.MAX_FILE_BYTES", 100)
    with pytest.raises(RefusedFile, match="at most 100"):
        inspect_image(noise())


def test_hostile_entries_of_an_archive_are_refused_one_by_one_and_the_good_one_is_read():
    link = zipfile.ZipInfo("0117200001/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    pipe = zipfile.ZipInfo("pipe.png")
    pipe.external_attr = (stat.S_IFIFO | 0o666) << 16
    packed = archive(
        (link, "../../etc/passwd"),
        (pipe, b""),
        ("../outside.png", image()),
        ("/absolute.png", image()),
        ("C:\\windows.png", image()),
        ("a\\..\\..\\b.png", image()),
        ("inner.zip", archive(("a.png", image()))),
        ("renamed.png", archive(("a.png", image()))),
        ("note.png", b"just text"),
        (".DS_Store", b"x"),
        ("__MACOSX/._a.png", b"x"),
        ("good.png", image()),
    )
    assert refusals(packed) == {
        "0117200001/link.png": "SPC002",
        "pipe.png": "SPC002",
        "../outside.png": "SPC003",
        "/absolute.png": "SPC003",
        "C:/windows.png": "SPC003",
        "a/../../b.png": "SPC003",
        "inner.zip": "SPC009",
        "renamed.png": "SPC009",
        "note.png": "SPC005",
    }


def test_an_encrypted_entry_is_refused():
    packed = bytearray(archive(("a.png", image())))
    packed[6] |= 1  # the flag in the local header
    packed[packed.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    assert refusals(bytes(packed)) == {"a.png": "SPC008"}


def test_a_damaged_entry_and_an_unusual_method_are_refused():
    packed = bytearray(archive(("a.png", noise())))
    packed[60] ^= 0xFF
    assert refusals(bytes(packed)) == {"a.png": "SPC006"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a.png", noise())
    assert refusals(buffer.getvalue()) == {"a.png": "SPC014"}


def test_bombs_are_refused_by_ratio_total_and_count_without_being_unpacked():
    bomb = archive(("a.png", bytes(50 * 2**20)))
    with pytest.raises(RefusedFile, match="times its size, like a zip bomb"):
        list(iter_signature_files(bomb))
    hidden = archive(("a.png", bytes(9 * 2**20)), ("b.png", os.urandom(2**20)))
    assert refusals(hidden)["a.png"] == "SPC001"
    two = archive(("a.png", image()), ("b.png", image()))
    with pytest.raises(RefusedFile, match="2 files; at most 1"):
        list(iter_signature_files(two, limits=Limits(files=1)))
    with pytest.raises(RefusedFile, match="bytes in all; at most 100"):
        list(iter_signature_files(two, limits=Limits(total_bytes=100)))
    assert refusals(two, limits=Limits(file_bytes=10)) == {"a.png": "SPC010", "b.png": "SPC010"}


def test_what_is_neither_folder_nor_zip_is_refused_as_a_whole(tmp_path):
    for source in (b"no zip", tmp_path / "missing.zip"):
        with pytest.raises(RefusedFile) as refusal:
            list(iter_signature_files(source))
        assert refusal.value.code == "SPC014"


def test_a_folder_is_walked_without_following_links(tmp_path):
    folder = tmp_path / "scans"
    (folder / "0117200001").mkdir(parents=True)
    (folder / "0117200001" / "a.png").write_bytes(image())
    (folder / "Thumbs.db").write_bytes(b"x")
    secret = tmp_path / "secret.png"
    secret.write_bytes(image())
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe.png")
    names = [file.name for file in iter_signature_files(folder)]
    assert names == ["0117200001/a.png", "link.png", "linked", "pipe.png"]
    assert refusals(folder) == {"link.png": "SPC002", "linked": "SPC002", "pipe.png": "SPC002"}


def test_uploaded_files_are_taken_like_a_folder():
    pairs = [("../a.png", image()), ("0117200001/b.png", image())]
    assert refusals(pairs) == {"../a.png": "SPC003"}


safe_part = st.text("abc019_ -", min_size=1, max_size=6).filter(lambda part: part.strip(" ") == part)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.lists(st.one_of(safe_part, st.just("..")), min_size=1, max_size=5),
    separator=st.sampled_from(["/", "\\"]),
    start=st.sampled_from(["", "/", "\\", "C:", "//"]),
)
def test_no_path_that_could_leave_the_folder_is_ever_accepted(parts, separator, start):
    name = start + separator.join([*parts, "x.png"])
    [file] = iter_signature_files(archive((zipfile.ZipInfo(name), image())))
    leaves = bool(start) or ".." in parts
    assert (file.refused is not None) == leaves
    assert not leaves or file.refused.code == "SPC003"


@pytest.mark.parametrize(
    ("name", "number", "day", "context"),
    [
        ("0117200001.png", "0117200001", None, None),
        ("0117200001_2023-09-05_krs.png", "0117200001", date(2023, 9, 5), "course_registration"),
        ("ujian/0117200001/20230905.png", "0117200001", date(2023, 9, 5), "exam"),
        ("2023-09-05/skripsi 0117200001.jpg", "0117200001", date(2023, 9, 5), "thesis"),
        ("ttd0117200001(2).png", "0117200001", None, None),
        ("h13117 - daftar ulang 05.09.2023.tif", "H.131.17", date(2023, 9, 5), "enrollment"),
        ("H.131.17_2.png", "H.131.17", None, None),
        ("scan_77.png", None, None, None),
        ("77.png", "77", None, None),
        ("unknown_2023-02-30.png", None, None, None),
    ],
)
def test_number_date_and_occasion_are_read_from_a_name(name, number, day, context):
    read = NumberIndex(["0117200001", "0117200002", "H.131.17", "77"]).read_name(name)
    assert (read.student_number, read.captured_on, read.context) == (number, day, context)


@pytest.mark.parametrize("name", ["0117200001_0117200002.png", "0117200001/0117200002.png"])
def test_a_name_that_fits_two_students_fits_none(name):
    with pytest.raises(AmbiguousName, match="fits 2 students"):
        NumberIndex(["0117200001", "0117200002"]).read_name(name)


def test_numbers_that_differ_only_in_punctuation_are_ambiguous():
    with pytest.raises(AmbiguousName):
        NumberIndex(["1-2345", "12-345"]).read_name("12345.png")


@pytest.fixture
def filled(store):
    """A store with the thirty students of the samples."""
    sources = [Source.from_path("students", SAMPLES / "siakad_students.csv")]
    apply_import(store, plan_import(sources, store=store, today=TODAY), actor="tester")
    return store


def test_the_sample_archive_is_stored_once_however_often_it_comes(filled):
    path = SAMPLES / "signatures.zip"
    plan = plan_signatures(path, path.name, filled, today=TODAY)
    assert plan.accepted
    assert plan.counts == {"new": 12, "changed": 0, "same": 0}
    assert specimens_per_student(plan).to_dict() == {2: 6}
    first = plan.specimens[0]
    assert (first.captured_on, first.context, first.facts.dpi) == (date(2020, 8, 20), "enrollment", 300)
    assert apply_signatures(filled, plan, path, actor="tester").new == 12
    assert len(specimen_hashes(filled)) == 12

    again = plan_signatures(path.read_bytes(), path.name, filled, today=TODAY)
    assert again.counts == {"new": 0, "changed": 0, "same": 12}
    assert apply_signatures(filled, again, path.read_bytes(), actor="tester").new == 0
    assert len(specimen_hashes(filled)) == 12


def test_a_photograph_is_kept_without_its_place_and_known_again_by_the_file_as_it_came(filled):
    notes = Image.Exif()
    notes.get_ifd(ExifTags.IFD.GPSInfo).update({1: "S", 2: (6.0, 12.0, 30.5), 3: "E", 4: (106.0, 49.0, 1.0)})
    notes[ExifTags.Base.Artist] = "Budi Rahasia"
    photo = noise("JPEG", exif=notes)
    name = "signatures/2110101001/enrollment_2021-08-20.jpg"
    (number,) = entry_terms(filled).index[:1]
    source = [(name.replace("2110101001", number), photo)]
    plan = plan_signatures(source, "upload", filled, today=TODAY)
    assert apply_signatures(filled, plan, source, actor="tester").new == 1
    with filled.reading() as connection:
        row = connection.execute(select(schema.specimens)).one()
    assert row.sha256 == hashlib.sha256(photo).hexdigest()
    kept = specimen_image(filled, row.specimen_id, Scope.system())
    assert b"Rahasia" not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert dict(opened.getexif()) == {} and dict(opened.getexif().get_ifd(ExifTags.IFD.GPSInfo)) == {}
    assert np.array_equal(read_pixels(kept), read_pixels(photo))
    again = plan_signatures(source, "upload", filled, today=TODAY)
    assert again.counts == {"new": 0, "changed": 0, "same": 1}
    erase_student_signatures(filled, row.student_key)
    plan = plan_signatures(source, "upload", filled, today=TODAY)
    assert apply_signatures(filled, plan, source, actor="tester").erased == 1


def test_refused_files_stop_the_import_unless_skipped_and_unmatched_ones_are_listed(filled):
    good = ("0117200001_2021-01-05.png", image())
    packed = archive(
        good,
        ("0117200001_2021-01-06.png", b"text"),
        ("0999999999_2021-01-05.png", image()),
        ("readme.txt", b"hello"),
    )
    plan = plan_signatures(packed, "s.zip", filled, today=TODAY)
    assert plan.problems[["file", "rule", "severity"]].to_numpy().tolist() == [
        ["0117200001_2021-01-06.png", "SPC005", "error"],
        ["0999999999_2021-01-05.png", "SPC101", "warning"],
        ["readme.txt", "SPC103", "warning"],
    ]
    assert plan.unmatched == ["0999999999_2021-01-05.png"]
    with pytest.raises(RefusedSignatures, match="1 signature files were refused"):
        apply_signatures(filled, plan, packed, actor="tester")
    assert specimen_hashes(filled) == set()
    assert apply_signatures(filled, plan, packed, actor="tester", skip_bad=True).new == 1


def test_the_date_of_capture_comes_from_the_name_else_by_the_rule_that_is_given(filled):
    undated = archive((zipfile.ZipInfo("0117200001.png", (2022, 3, 4, 0, 0, 0)), image()))

    def day(source=undated, **options):
        plan = plan_signatures(source, "s.zip", filled, today=TODAY, **options)
        return plan.specimens[0].captured_on if plan.accepted else plan.problems["rule"].item()

    assert day() == "SPC012"
    assert day(captured_on=date(2021, 5, 6)) == date(2021, 5, 6)
    assert day(captured_on="file") == date(2022, 3, 4)
    assert day(captured_on="entry") == date(2020, 8, 1)
    assert day(archive(("0117200001_2030-01-01.png", image()))) == "SPC013"
    with pytest.raises(ValueError, match="captured_on must be a date or one of file, entry"):
        day(captured_on="today")


def exif(**tags: str) -> bytes:
    """A JPEG whose camera said so."""
    made, stamp = Image.Exif(), io.BytesIO()
    places = {"DateTimeOriginal": ExifTags.IFD.Exif, "DateTimeDigitized": ExifTags.IFD.Exif}
    for name, text in tags.items():
        folder = made.get_ifd(places[name]) if name in places else made
        folder[ExifTags.Base[name].value] = text
    Image.new("RGB", (40, 40), "white").save(stamp, "JPEG", exif=made)
    return stamp.getvalue()


RESET = (CASES / "21_exif_2000.jpg").read_bytes()
ZERO = "0000:00:00 00:00:00"


@pytest.mark.parametrize(
    ("name", "data", "rule", "found"),
    [
        ("0117200001.jpg", RESET, None, ["SPC013"]),
        ("0117200001.jpg", RESET, date(2021, 5, 6), [date(2021, 5, 6), "SPC105"]),
        ("0117200001_2021-05-06.jpg", RESET, None, [date(2021, 5, 6)]),
        ("0117200001.jpg", exif(DateTimeOriginal="2021:01:01 00:00:05"), None, ["SPC013"]),
        (
            "0117200001.jpg",
            exif(DateTimeOriginal="2035:02:03 00:00:00"),
            "entry",
            [date(2020, 8, 1), "SPC105"],
        ),
        ("0117200001.jpg", exif(DateTimeOriginal="2021:02:03 09:00:00"), "entry", [date(2021, 2, 3)]),
        (
            "0117200001.jpg",
            exif(DateTimeOriginal=ZERO, DateTime="2021:02:03 09:00:00"),
            None,
            [date(2021, 2, 3)],
        ),
        ("0117200001.jpg", exif(DateTimeOriginal=ZERO), None, ["SPC012"]),
        ("0117200001_2019-05-06.png", image(), None, ["SPC013"]),
        ("0117200001_2020-01-06.png", image(), None, [date(2020, 1, 6), "SPC104"]),
        ("0117200001_2020-06-06.png", image(), None, [date(2020, 6, 6)]),
        ("0117200001.png", image(), date(2010, 5, 6), ["SPC013"]),
    ],
)
def test_a_date_before_the_entry_or_of_an_unset_clock_is_never_taken_in_silence(
    filled, name, data, rule, found
):
    plan = plan_signatures([(name, data)], "upload", filled, today=TODAY, captured_on=rule)
    assert [*(one.captured_on for one in plan.specimens), *plan.problems["rule"]] == found


def test_the_day_on_which_dos_began_is_no_date_of_a_file(filled):
    packed = archive(
        (zipfile.ZipInfo("0117200001.png"), image())
    )  # 1980-01-01, as an archive without dates says
    plan = plan_signatures(packed, "s.zip", filled, today=TODAY, captured_on="file")
    assert plan.problems["rule"].tolist() == ["SPC012"]


def test_a_source_that_changed_between_inspection_and_writing_is_not_written(filled):
    name = "0117200001_2021-01-05.png"
    plan = plan_signatures([(name, image())], "upload", filled, today=TODAY)
    with pytest.raises(RefusedSignatures, match="changed after it was inspected"):
        apply_signatures(filled, plan, [(name, image(color=1))], actor="tester")
    assert specimen_hashes(filled) == set()


def test_an_archive_that_is_refused_as_a_whole_is_one_problem(filled):
    plan = plan_signatures(b"no zip", "s.zip", filled, today=TODAY)
    assert plan.problems[["file", "rule"]].to_numpy().tolist() == [["s.zip", "SPC014"]]
    assert plan.specimens == ()


def test_students_of_the_same_import_may_have_signatures_before_they_are_stored(store):
    records = plan_import([Source.from_path("students", SAMPLES / "siakad_students.csv")], today=TODAY)
    plan = plan_signatures(SAMPLES / "signatures.zip", "s.zip", store, records=records, today=TODAY)
    assert len(plan.specimens) == 12
    assert isinstance(specimens_per_student(plan), pd.Series)
