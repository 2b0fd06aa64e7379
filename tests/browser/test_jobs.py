"""Long work in the real app: an import runs beside the page, is followed there, and is undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words
from data import queries
from data.jobs import table as jobs
from data.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
STUDENTS = """Student number;Name;Programme code;Degree level;Entry term
BRW1001;Browser One;BRW;D3;20231
BRW1002;Browser Two;BRW;D3;20231
"""


def rows(folder: Path) -> dict[str, int]:
    """Rows of the tables that the import of this test touches."""
    store = open_store(folder=folder)
    found = queries.counts(store).set_index("table")["rows"]
    store.close()
    return {table: int(found[table]) for table in ("programs", "students", "identities")}


def upload(page, url: str, path: Path) -> None:
    """Give the wizard a file, check it and ask for its import."""
    page.goto(f"{url}/data")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
    page.locator(".st-key-check button").wait_for()
    page.locator(".st-key-check button").click()
    page.locator(".st-key-apply button").wait_for()
    page.locator(".st-key-apply button").click()


def test_an_import_runs_beside_the_page_and_can_be_undone(own_visitor, steps, own_site, tmp_path):
    path = tmp_path / "students.csv"
    path.write_text(STUDENTS, encoding="utf-8")
    before = rows(own_site.folder)
    page = steps.sign_in(own_visitor, "petugas", own_site.password)
    upload(page, own_site.url, path)
    here = page.locator(".st-key-imports-below")  # where the button was
    expect(here.locator("[class*=st-key-job-]").first).to_be_in_viewport()
    page.reload()
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("data.title"))
    receipt = page.locator(".st-key-imports-above").get_by_text(EN("data.applied"))
    expect(receipt).to_be_in_viewport()
    page.reload()
    expect(receipt).to_be_in_viewport()
    added = {"programs": 1, "students": 2, "identities": 2}
    assert rows(own_site.folder) == {table: number + added[table] for table, number in before.items()}

    page.get_by_role("tab", name=EN("data.tab_history")).click()
    undo = page.locator(".st-key-undo button").first
    expect(undo).to_be_visible()
    undo.click()
    page.locator(".st-key-undo-sure button").click()
    expect(page.get_by_text(EN("data.undone_done", removed=3, restored=0))).to_be_visible()
    assert rows(own_site.folder) == before

    steps.open_page(page, "jobs")
    expect(page.get_by_text(EN("jobs.open_none"))).to_be_visible()
    expect(page.locator(".st-key-job-table, [data-testid=stDataFrame]").first).to_be_visible()


def test_what_is_scrolled_to_stands_below_the_header_on_a_phone(own_visitor, steps, own_site):
    page = own_visitor
    page.set_viewport_size({"width": 390, "height": 700})
    steps.sign_in(page, "petugas", own_site.password)
    page.goto(f"{own_site.url}/data")
    target = page.locator(".st-key-guide")
    target.wait_for()
    steps.settled(page)
    target.evaluate("one => one.scrollIntoView({block: 'start', behavior: 'instant'})")
    header = page.get_by_test_id("stHeader").bounding_box()
    assert target.bounding_box()["y"] >= header["y"] + header["height"]


def test_a_scoring_is_asked_for_followed_and_listed(visitor, steps, site):
    page = steps.enter(visitor, "administrator")
    steps.open_page(page, "jobs")
    page.locator(".st-key-ask-score button").first.click()
    page.locator(".st-key-start-score button").click()
    expect(page.locator("[data-testid=stProgress]")).to_be_visible()
    expect(page.get_by_text(EN("jobs.open_none"))).to_be_visible()
    store = open_store(folder=site.folder)
    newest = jobs.recent(store, ["score"])[0]
    store.close()
    assert (newest.status, newest.actor) == ("done", "administrator")
