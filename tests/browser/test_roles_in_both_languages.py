"""Leadership, an advisor and accreditation staff through their three main tasks, in both languages."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LANGUAGES = pytest.mark.parametrize("language", ["en", "id"])
SMALLEST_PICTURE = 20_000  # bytes; a page without its charts is smaller


def speak(page, steps, language: str) -> Words:
    """Choose the language before signing in."""
    words = Words(language)
    page.locator(".st-key-language_choice").get_by_text(language.upper(), exact=True).click()
    expect(page.get_by_text(words("app.tagline"))).to_be_visible()
    steps.settled(page)
    return words


def taken(page, key: str) -> bytes:
    """What arrives when a download button is pressed."""
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key} button[data-testid^=stBaseButton]:visible").click()
    return Path(waiting.value.path()).read_bytes()


def picture(page, folder: Path, name: str) -> None:
    """Keep a picture of what the task ended with."""
    page.screenshot(path=folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size > SMALLEST_PICTURE


def beginning(text: str) -> re.Pattern:
    """What a text starts with, before its first filled-in value."""
    return re.compile(re.escape(text.split("{")[0].replace("*", "").strip()))


@LANGUAGES
def test_leadership_looks_ahead_compares_groups_and_takes_figures_along(visitor, steps, tmp_path, language):
    words = speak(visitor, steps, language)
    page = steps.enter(visitor, "leadership")
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("overview.title"))
    expect(page.locator(".st-key-kpis .spark")).to_have_count(3)
    rates = page.locator(".st-key-kpis").get_by_text(words.term(20221))
    expect(rates).to_have_count(2)  # of so small a demo one cohort alone has rates that may be told: no line
    page.locator(".st-key-incidence-by").get_by_text(words("choice.immature"), exact=True).click()
    page.locator(".st-key-incidence-table label").click()
    expect(page.locator(".st-key-card-incidence [data-testid=stDataFrame]")).to_be_visible()
    picture(page, tmp_path, "outlook")
    group_by = page.locator(".st-key-group-by")
    group_by.get_by_text(words("attribute.funding_at_entry"), exact=True).click()
    expect(page.locator(".st-key-card-groups")).to_contain_text(words("overview.groups_title"))
    page.locator(".st-key-export-overview button").first.click()
    content = taken(page, "export-overview-csv").decode("utf-8-sig")
    assert words("app.synthetic").upper() in content
    assert content.splitlines()[0].startswith(words("column.by"))


@LANGUAGES
def test_an_advisor_saves_a_view_logs_a_contact_and_reads_the_digest(
    visitor, steps, site, tmp_path, language
):
    page, words = visitor, speak(visitor, steps, language)
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.locator(".st-key-views button").first.click()
    page.get_by_role("textbox", name=words("views.name")).fill(f"Monday {language}")
    page.get_by_role("button", name=words("views.save")).click()
    page.wait_for_url("**v=*")
    steps.settled(page)
    picture(page, tmp_path, "caseload")

    page.goto(f"{site.url}/student?s={site.student}")
    told = (beginning(words(f"student.{kind}_late")).pattern for kind in ("sentence", "expected"))
    expect(page.get_by_text(re.compile("|".join(told))).first).to_be_visible()
    steps.settled(page)
    page.locator(".st-key-event-kind").get_by_text(words("event.contact"), exact=True).click()
    page.get_by_role("textbox", name=words("event.text")).fill(f"Called at noon ({language})")
    page.locator(".st-key-event-due").get_by_role("spinbutton").first.click()
    page.keyboard.type(
        f"{date.today() + timedelta(days=7):%d%m%Y}", delay=50
    )  # day, month, year: a field each
    page.keyboard.press("Enter")
    steps.settled(page)
    page.get_by_role("button", name=words("event.save")).click()
    expect(page.get_by_text(f"Called at noon ({language})")).to_be_visible()
    picture(page, tmp_path, "student")

    steps.open_page(page, "followups")
    expect(page.locator("[data-testid=stDataFrame]").first).to_be_visible()
    page.get_by_role("tab", name=words("followup.tab_digest")).click()
    expect(page.get_by_text(words("digest.title"))).to_be_visible()
    steps.settled(page)
    assert taken(page, "digest-pdf").startswith(b"%PDF")


@LANGUAGES
def test_accreditation_staff_read_a_table_take_it_along_and_prepare_it(visitor, steps, tmp_path, language):
    words = speak(visitor, steps, language)
    page = steps.enter(visitor, "accreditation")
    program = {"en": "22201 Teknik Sipil (S1)", "id": "61201 Manajemen (S1)"}[language]  # prepared once each
    steps.choose(page, "report-program-True", program)
    steps.settled(page)
    expect(page.locator(".report-table").first).to_be_visible()
    picture(page, tmp_path, "table")
    assert taken(page, "report-draft-xlsx").startswith(b"PK")
    page.get_by_role("button", name=words("reports.prepare")).click()
    expect(page.get_by_text(beginning(words("reports.prepared_done"))).first).to_be_visible()
    expect(page.locator(".st-key-card-report-history [data-testid=stDataFrame]")).to_be_visible()
    steps.open_page(page, "glossary")
    page.locator(".st-key-glossary-search input").fill(words("term_name.provenance"))
    expect(page.get_by_text(words("term_text.provenance"))).to_be_visible()


def test_a_step_for_several_students_is_logged_and_taken_back(visitor, steps, site):
    page, words = visitor, Words("en")
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.locator(".st-key-several label").click()
    box = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    for row in (60, 126):
        page.mouse.click(box["x"] + 16, box["y"] + row)
        steps.settled(page)
    chosen = words.count("students", 2)
    expect(page.get_by_text(words("bulk.title", students=chosen))).to_be_visible()
    page.get_by_role("textbox", name=words("event.text")).fill("Invited to the tutorial")
    page.locator(".st-key-bulk-confirm label").click()
    page.get_by_role("button", name=words("bulk.save")).click()
    expect(page.get_by_text(words("bulk.done", students=chosen))).to_be_visible()
    page.locator(".st-key-bulk-undo button").click()
    expect(page.get_by_text(words("bulk.done", students=chosen))).to_have_count(0)


def test_a_link_to_a_roles_first_page_opens_it(visitor, steps, site):
    page = steps.enter(visitor, "leadership")
    page.goto(f"{site.url}/overview")
    expect(page.locator(".st-key-page-header h1")).to_have_text(Words("en")("overview.title"))
    steps.settled(page)
    assert page.get_by_role("dialog").count() == 0


def test_the_tour_is_closed_for_good_and_opened_again(visitor, steps):
    page = steps.enter(visitor, "auditor")
    words = Words("en")
    for step in (2, 3):
        page.locator(".st-key-tour-next button").click()
        expect(page.get_by_text(words("tour.title", step=step, steps=3))).to_be_visible()
    page.locator(".st-key-tour-close button").click()
    expect(page.locator(".st-key-tour")).to_have_count(0)
    page.locator(".st-key-tour-reopen button").click()
    expect(page.get_by_text(words("tour.title", step=1, steps=3))).to_be_visible()
