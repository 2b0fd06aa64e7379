"""A real register in the real app: refused without consent, recorded, enrolled, withdrawn, refused again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
NUMBER, PASSWORD = "0117200001", "a long password"
WORDS = {
    "en": {"to_record": "Record consent", "recorded": "Recorded.", "enrolled": "Enrolled with 2 references."},
    "id": {
        "to_record": "Catat persetujuan",
        "recorded": "Sudah dicatat.",
        "enrolled": "Terdaftar dengan 2 acuan.",
    },
}


@pytest.fixture
def office(tmp_path, steps):
    """The app over a register that is not marked synthetic, with one account that has a password."""
    from data.store import Account, get_fact, open_store, write_accounts

    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"TEPAT_FOLDER": str(tmp_path), "DATABASE_URL": ""}
    files = ("--students", SAMPLES / "siakad_students.csv", "--signatures", SAMPLES / "signatures.zip")
    command = [sys.executable, "-m", "data", "load", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    store = open_store(folder=tmp_path)
    assert not get_fact(store, "synthetic")
    write_accounts(store, [Account("rina", "Rina", "registry", password=PASSWORD)])
    store.close()
    with steps.serving(tmp_path) as url:
        yield url


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_registry_records_and_withdraws_a_consent(chrome, office, steps, language):
    words = WORDS[language]
    context = chrome.new_context(viewport={"width": 1440, "height": 1000}, locale=language)
    context.set_default_timeout(steps.PATIENCE)
    page = steps.watched(context.new_page())
    page.goto(office)
    page.locator("input").first.fill("rina")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".st-key-page-header").wait_for()
    steps.open_page(page, "enrolment")
    page.locator(".st-key-student-search input").fill(NUMBER)
    page.locator(".st-key-student-matches button").first.click()

    page.get_by_role("link", name=words["to_record"]).click()
    page.wait_for_url("**/consent?s=*")
    assert NUMBER not in page.url
    page.locator(".st-key-consent-purposes button").first.click()
    page.locator(".st-key-consent-record-source input").fill("form 12")
    page.locator(".st-key-consent-save button").click()
    expect(page.get_by_text(words["recorded"])).to_be_visible(timeout=steps.PATIENCE)

    steps.open_page(page, "enrolment")
    page.locator(".st-key-enrol button").click()
    expect(page.get_by_text(words["enrolled"])).to_be_visible(timeout=steps.PATIENCE)

    steps.open_page(page, "consent")
    page.locator(".st-key-withdraw-verification button").first.click()
    now = page.locator(".st-key-withdraw-verification-now button")
    expect(now).to_be_disabled()
    page.locator(".st-key-withdraw-verification-sure label").click()
    now.click()
    expect(page.get_by_text(words["recorded"])).to_be_visible(timeout=steps.PATIENCE)
    expect(page.locator(".st-key-renew-verification")).to_be_visible()

    steps.open_page(page, "enrolment")
    expect(page.get_by_role("link", name=words["to_record"])).to_be_visible(timeout=steps.PATIENCE)
    context.close()
