"""What was typed in a form stays: when something else is chosen in it, and after a visit to another page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words

EN = Words("en")
NARROW = {"width": 390, "height": 844}


def test_another_kind_of_entry_takes_nothing_that_was_typed(visitor, steps, site):
    page = student_page(visitor, steps, site)
    page.set_viewport_size(NARROW)
    kinds, text = page.locator(".st-key-event-kind"), page.get_by_role("textbox", name=EN("event.text"))
    text.fill("Asked about the retake")
    kinds.get_by_text(EN("event.intervention"), exact=True).click()
    expect(text).to_have_value("Asked about the retake")
    page.get_by_role("spinbutton", name="day").click()
    page.keyboard.type("28122031")
    for kind in ("contact", "snooze", "note", "intervention"):
        kinds.get_by_text(EN(f"event.{kind}"), exact=True).click()
        steps.settled(page)
        expect(text).to_have_value("Asked about the retake")
    expect(page.locator(".st-key-event-due input")).to_have_value("2031-12-28")


@pytest.mark.parametrize("way", ["followups", "inbox"])
def test_a_half_written_entry_is_there_after_another_page_and_gone_once_saved(visitor, steps, site, way):
    page = student_page(visitor, steps, site)
    note = page.get_by_text(EN("state.draft"))
    expect(note).to_have_count(0)
    text = page.get_by_role("textbox", name=EN("event.text"))
    text.fill(f"Half a sentence before {way}")
    page.wait_for_timeout(
        1_500
    )  # typing rests: then the text has left, and a tap that lasts no time loses nothing
    steps.open_page(page, way)
    steps.open_page(page, "student")
    expect(text).to_have_value(f"Half a sentence before {way}")
    expect(note).to_be_visible()
    page.get_by_role("button", name=EN("event.save"), exact=True).click()
    log = page.locator(".st-key-card-log")
    expect(log.get_by_text(f"Half a sentence before {way}", exact=True)).to_be_visible()
    expect(text).to_have_value("")
    expect(note).to_have_count(0)
    log.get_by_role("button", name=EN("event.withdraw")).first.click()


def test_a_text_outlives_a_tap_on_the_menu_straight_after_its_last_letter(visitor, steps, site):
    page = student_page(visitor, steps, site)
    text = page.get_by_role("textbox", name=EN("event.text"))
    text.press_sequentially("Rang, nobody there")
    page.locator("[data-testid=stSidebarNavLink][href*='followups']").click()  # as short as a tap
    page.wait_for_url("**/followups")
    steps.settled(page)
    steps.open_page(page, "student")
    expect(text).to_have_value("Rang, nobody there")


def test_a_kind_chosen_while_an_entry_is_saved_stays_chosen(visitor, steps, site):
    page = student_page(visitor, steps, site)
    page.get_by_role("textbox", name=EN("event.text")).fill("Saved and gone on at once")
    page.get_by_role("button", name=EN("event.save"), exact=True).click()
    contact = page.locator(".st-key-event-kind").get_by_role("radio", name=EN("event.contact"))
    contact.click()
    steps.settled(page)
    expect(
        page.locator(".st-key-card-log").get_by_text("Saved and gone on at once", exact=True)
    ).to_be_visible()
    expect(page.get_by_text(EN("event.due_if"))).to_be_visible()  # a field of a contact
    page.locator(".st-key-card-log").get_by_role("button", name=EN("event.withdraw")).first.click()


def student_page(page, steps, site):
    """The page of a student of the advisor at the seat."""
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.goto(f"{site.url}/student?s={site.student}")
    return page
