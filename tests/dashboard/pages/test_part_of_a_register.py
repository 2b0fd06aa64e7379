"""A store that holds part of a register: students alone, no terms, no outcomes, or before it begins."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.shell.access import pages_for
from dashboard.shell.wording import Words
from data.store import open_store
from data.trust.accounts import Account

EN, ID = Words("en"), Words("id")
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CASES = Path(__file__).resolve().parents[2] / "cases"
STATES = {
    "students": [SAMPLES / "siakad_students.csv"],
    "students and outcomes": [SAMPLES / "siakad_students.csv", SAMPLES / "siakad_outcomes.csv"],
    "students and terms": [SAMPLES / "siakad_students.csv", SAMPLES / "siakad_terms.csv"],
    "an intake that has not begun": [CASES / "01_overview_crash_students_only.csv"],
    "everything but scores": sorted(SAMPLES.glob("siakad_*.csv")),
}
SEATS = {  # page: one role that has it
    entry.name: role
    for role in ("registry", "accreditation", "auditor", "administrator", "advisor", "leadership")
    for entry in pages_for(role)
}


@pytest.fixture(params=STATES)
def part(request, tmp_path, sqlite_template, served):
    """The app on a store that an office has filled in part, through the page's own import."""
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    files = [UploadedFile(path.name, path.read_bytes()) for path in STATES[request.param]]
    kinds = [importing.guess_kind(file) for file in files]
    plan = importing.make_plan(store, importing.chosen_files(files, kinds), None, None)
    importing.write_plan(store, plan, actor="petugas", role="registry", skip_bad=True)
    served(store)
    yield request.param
    store.close()


def test_every_page_opens(part, screen):
    for name, role in SEATS.items():
        at = screen.drawn(name, Account("petugas", "Petugas", role))
        assert not at.exception, (role, name)
        assert not at.error, (role, name, screen.texts(at))


@pytest.mark.parametrize("words", [EN, ID])
def test_the_overview_says_when_no_term_has_been_imported(part, screen, words):
    at = screen.drawn("overview", Account("dekan", "Dekan", "leadership"), words.language)
    told = words("state.no_terms_title") in screen.texts(at)
    assert told == (part in ("students", "students and outcomes", "an intake that has not begun"))
