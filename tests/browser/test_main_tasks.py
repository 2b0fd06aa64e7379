"""The real app in Chromium, as each role through its main tasks."""

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")


def downloaded(page, key: str) -> tuple[str, bytes]:
    """Press an export button and read what arrives."""
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key} button").click()
    download = waiting.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_leadership_filters_a_programme_and_sees_no_single_student(visitor, steps):
    page = steps.enter(visitor, "leadership")
    expect(page.get_by_text(EN("app.synthetic")).first).to_be_visible()
    value = page.locator("[data-testid=stMetricValue]").first
    before = int(value.inner_text().replace(",", ""))
    steps.choose(page, "program", "Manajemen")
    expect(value).not_to_have_text(f"{before:,}")
    assert int(value.inner_text().replace(",", "")) < before
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    assert page.locator("[data-testid=stSidebarNavLink][href*=student]").count() == 0
    page.locator(".st-key-bands-table label").click()
    expect(page.locator("[data-testid=stDataFrame]")).to_have_count(1)


def test_leadership_exports_a_workbook_that_opens(visitor, steps):
    page = steps.enter(visitor, "leadership")
    page.locator(".st-key-export-overview button").first.click()
    name, content = downloaded(page, "export-overview-xlsx")
    assert name.endswith(".xlsx")
    assert "synthetic" in name
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book["Data"]["A1"].value == "SYNTHETIC DEMO DATA"
    assert [cell.value for cell in book["Data"][3]][:3] == ["By", "Group", "Low"]
    assert book["Data"].max_row > 5


@pytest.mark.parametrize("across", [16, 120], ids=["by the box", "by the name"])
def test_an_advisor_opens_a_student_from_the_list(visitor, steps, site, across):
    page = visitor
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    grid = page.locator("[data-testid=stDataFrame]").first
    grid.wait_for()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + across, box["y"] + 60)
    page.wait_for_url("**/student?s=*")
    assert len(page.url.rsplit("s=", 1)[1]) == 16
    steps.settled(page)
    expect(page.get_by_text(re.compile("Of 100 (past )?students like this one")).first).to_be_visible()


def test_an_advisor_sees_reasons_and_the_heat_map_of_a_student(visitor, steps, site):
    page = visitor
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.goto(f"{site.url}/student?s={site.student}")
    expect(page.get_by_text(re.compile("Of 100 (past )?students like this one")).first).to_be_visible()
    reasons = page.locator(".st-key-reasons-chart .js-plotly-plot")
    expect(reasons).to_be_visible()
    assert reasons.locator(".bars .point").count() >= 3
    expect(page.get_by_text(EN("signature.honesty"))).to_be_visible()
    page.locator(".st-key-overlay-view").get_by_text(EN("signature.overlay"), exact=True).click()
    overlay = page.locator(f".st-key-paper-overlay img[alt='{EN('alt.overlay')}']")
    expect(overlay).to_be_visible()
    assert overlay.evaluate("image => image.naturalWidth") > 100
    expect(page.get_by_text("Fidelity 0.").first).to_be_visible()


def test_an_advisor_logs_a_step_and_finds_it_among_the_follow_ups(visitor, steps, site):
    page = visitor
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.goto(f"{site.url}/student?s={site.student}")
    page.locator(".st-key-event-kind").get_by_text(EN("event.intervention"), exact=True).click()
    page.get_by_role("textbox", name=EN("event.text")).fill("Tutoring in statistics")
    page.get_by_role("button", name=EN("event.save")).click()
    expect(page.get_by_text("Tutoring in statistics")).to_be_visible()
    steps.open_page(page, "followups")
    expect(page.locator("[data-testid=stDataFrame]")).to_have_count(1)


def test_a_reload_keeps_the_visitor_signed_in_and_sign_out_ends_it(visitor, steps):
    page = steps.enter(visitor, "leadership")
    page.wait_for_timeout(1000)
    page.reload()
    page.locator(".st-key-page-header").wait_for()
    cookie = next(one for one in page.context.cookies() if one["name"] == "tepat_session")
    assert cookie["httpOnly"]
    page.locator(".st-key-sign-out button").click()
    page.locator(".st-key-enter-leadership button").wait_for()
    page.reload()
    page.locator(".st-key-enter-leadership button").wait_for()


def test_the_registry_reads_a_specimens_findings(visitor, steps):
    page = steps.open_page(steps.enter(visitor, "registry"), "signatures")
    scan = page.locator(".st-key-paper-scan img")
    expect(scan).to_be_visible()
    assert scan.evaluate("image => image.naturalWidth") > 100
    steps.choose(page, "finding", EN("signatures.any_finding"))
    expect(page.locator(".st-key-card-specimen")).to_contain_text(EN("signature.quality"))


def test_the_auditor_sees_that_the_chain_is_whole(visitor, steps):
    page = steps.enter(visitor, "auditor")
    expect(page.get_by_text("each proven with the store")).to_be_visible()


def test_the_app_speaks_indonesian_at_once(visitor, steps):
    page = visitor
    page.locator(".st-key-language_choice").get_by_text("ID", exact=True).click()
    expect(page.get_by_text(Words("id")("app.tagline"))).to_be_visible()
    steps.enter(page, "leadership")
    expect(page.locator(".st-key-page-header h1")).to_have_text("Ikhtisar")
    expect(page.get_by_text(Words("id")("app.synthetic")).first).to_be_visible()


def test_a_switch_of_language_reaches_what_was_chosen_before(visitor, steps):
    page = steps.enter(visitor, "leadership")
    chosen = page.locator(".st-key-cohort input")
    expect(chosen).to_have_value(EN("overview.all_cohorts"))
    page.locator(".st-key-language_choice").get_by_text("ID", exact=True).click()
    expect(page.locator(".st-key-page-header h1")).to_have_text("Ikhtisar")
    expect(chosen).to_have_value(Words("id")("overview.all_cohorts"))
    expect(page.locator(".st-key-program input")).to_have_value(Words("id")("overview.all_programs"))


def test_a_phone_shows_every_part_without_sideways_scrolling(chrome, site, steps):
    page = steps.watched(chrome.new_page(viewport={"width": 390, "height": 844}))
    page.goto(site.url)
    steps.enter(page, "leadership")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_a_narrow_window_shows_a_caseload_as_cards_and_a_name_opens_the_student(chrome, site, steps):
    page = steps.watched(chrome.new_page(viewport={"width": 390, "height": 844}))
    page.goto(site.url)
    steps.enter(page, "advisor")
    cards = page.locator("[class*='st-key-narrow-caseload'] [data-testid='stPageLink']")
    expect(cards.first).to_be_visible()
    expect(page.locator("[class*='st-key-wide-caseload']").first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widest = cards.evaluate_all("found => Math.max(...found.map(one => one.getBoundingClientRect().right))")
    assert widest <= 390
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator("[class*='st-key-wide-caseload']").first).to_be_visible()
    expect(cards.first).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(cards.first).to_be_visible()
    name = cards.first.get_by_role("link").inner_text().strip().splitlines()[-1]  # after its icon
    cards.first.get_by_role("link").click()
    expect(page.locator(".st-key-page-header h1")).to_contain_text(name.split(" · ")[0])
    page.close()


def test_a_phone_shows_each_entry_of_the_audit_log_whole(chrome, site, steps):
    page = steps.watched(chrome.new_page(viewport={"width": 390, "height": 844}))
    page.goto(site.url)
    steps.enter(page, "auditor")
    cells = page.locator(".st-key-stacked-audit td")
    expect(cells.first).to_be_visible()
    expect(page.locator(".st-key-stacked-audit [data-testid='stDataFrame']")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert all(cells.evaluate_all("found => found.map(one => one.getBoundingClientRect().right <= 390)"))
    assert cells.nth(1).evaluate("one => getComputedStyle(one, '::before').content").startswith('"When')
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator(".st-key-stacked-audit [data-testid='stDataFrame']")).to_be_visible()
    expect(cells.first).to_be_hidden()
    page.close()


def test_an_exported_list_is_no_archive_of_names(visitor, steps):
    page = steps.enter(visitor, "leadership")
    page.locator(".st-key-export-overview button").first.click()
    _, content = downloaded(page, "export-overview-xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("xl/sharedStrings.xml").decode()
    assert "Student number" not in text
    assert "Name" not in text
