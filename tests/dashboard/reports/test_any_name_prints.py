"""A name in any script, an emoji, a control character: the PDF is made, with a sign for what lacks."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from typer.testing import CliRunner

from dashboard.__main__ import app
from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.reports import documents
from dashboard.reports.glyphs import SIGN, lacking, printable
from dashboard.reports.provenance import Provenance
from data.settings import get_settings
from data.store import open_store

CASES = Path(__file__).resolve().parents[2] / "cases"


def printed(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def page_of(name: str, language: str = "en") -> str:
    blocks = [documents.heading(name), documents.text(name), documents.facts([("Name", name)])]
    return printed(documents.document(name, blocks, Provenance(), language, footer=name))


@pytest.mark.parametrize("name", ["Ni Wayan Sari", "Nguyễn Thị Ấu", "Ольга", "Γιώργος", "Đặng’s – naïve"])
def test_what_the_fonts_have_is_printed_as_it_is(name):
    shown = page_of(name)
    assert shown.count(name) >= 3 and SIGN not in shown


@pytest.mark.parametrize(
    "name", ["王小明", "สมชาย", "ꦗꦮ", "ᬩᬮᬶ", "홍길동", "Ani 😀", "Contoh \uf0b7", "bel\x07", "\x00\x1b"]
)
@pytest.mark.parametrize(
    ("language", "note"), [("en", "fonts of this file lack"), ("id", "tidak ada dalam fon")]
)
def test_what_they_lack_is_printed_as_a_sign_and_the_foot_says_so(name, language, note):
    shown = page_of(name, language)
    assert SIGN in shown and note in shown


def test_a_character_that_turns_the_line_round_is_not_printed():
    assert printable({"name": "moc\u202eexe"}) == ({"name": f"moc{SIGN}exe"}, True)


@pytest.mark.parametrize("name", ["0\u0484", "0\u0591 Sari"])
def test_a_mark_that_no_font_sets_on_its_letter_is_a_sign(name):
    """Each can be printed alone, both together cannot: the report of a programme so named had no PDF."""
    assert lacking(name) == set()
    shown = page_of(name)
    assert SIGN in shown and name[0] in shown


def test_a_mark_that_a_font_sets_on_its_letter_stays():
    assert printable("Nguye\u0302\u0303n e\u0301") == ("Nguye\u0302\u0303n e\u0301", False)


def test_a_long_name_is_printed_whole():
    assert "".join(page_of("Bagus " * 40).split()).count("Bagus") >= 120


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=30))
@example("0\u0484")
def test_any_text_makes_a_pdf(name):
    assert page_of(name)
    assert not lacking(printable(name)[0])


@pytest.fixture
def office(tmp_path, sqlite_template, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    store = open_store()
    paths = [CASES / "29_names_outside_the_fonts.csv", CASES / "29_outcomes.csv"]
    files = [UploadedFile(path.name, path.read_bytes()) for path in paths]
    plan = importing.make_plan(store, importing.chosen_files(files, ["students", "outcomes"]), None)
    importing.write_plan(store, plan, actor="petugas", role="registry", skip_bad=True)
    yield store
    store.close()
    get_settings.cache_clear()


@pytest.mark.parametrize("program", ["zh", "jv", "pua", "ctrl"])
def test_a_report_on_a_programme_named_outside_the_fonts_has_all_its_files(office, tmp_path, program):
    out = tmp_path / "out"
    asked = ["report", "ipeds-gr", "--program", program, "--out", str(out), "--language", "en"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert sorted(path.suffix for path in out.iterdir()) == [".csv", ".pdf", ".xlsx"]
    shown = printed(next(out.glob("*.pdf")).read_bytes())
    assert SIGN in shown and "fonts of this file lack" in shown
