"""A signature drawn with the mouse on the sheet of the real app: mended, seen, and kept with its times."""

from __future__ import annotations

import math

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words
from data import queries
from data.store import open_store
from data.trust.scope import Scope

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVERYBODY = Scope.system()


@pytest.fixture(scope="module")
def student(site) -> dict:
    """The last of those with specimens, whom no other test looks for."""
    store = open_store(folder=site.folder)
    keys = sorted(queries.specimen_table(store)["student_key"].unique())
    found = queries.student(store, EVERYBODY, keys[-1]).iloc[0].to_dict()
    store.close()
    return found


def on_screen(site, key: str):
    """The student's specimens of the screen, with their strokes."""
    store = open_store(folder=site.folder)
    rows = queries.student_specimens(store, EVERYBODY, key)
    rows = rows[rows["medium"] == "screen"].to_dict("records")
    found = [(row, queries.specimen_strokes(store, row["specimen_id"], EVERYBODY)) for row in rows]
    store.close()
    return found


def draw(page, sheet, left: float, right: float) -> None:
    """A wave from one share of the sheet's width to another."""
    box = sheet.bounding_box()
    for k in range(25):
        x = box["x"] + box["width"] * (left + (right - left) * k / 24)
        y = box["y"] + box["height"] * (0.5 + 0.3 * math.sin(k / 2))
        page.mouse.move(x, y)
        if k == 0:
            page.mouse.down()
    page.mouse.up()


def test_a_signature_is_drawn_mended_seen_and_kept(visitor, steps, site, student):
    page, words = steps.enter(visitor, "registry"), Words("en")
    steps.open_page(page, "enrolment")
    page.locator(".st-key-student-search input").fill(student["student_number"])
    page.locator(".st-key-student-matches button").first.click()
    expect(page.locator(".st-key-chosen-student")).to_contain_text(student["student_number"])
    page.locator(".st-key-signing-open label").click()
    sheet = page.get_by_role("img", name=words("signing.pad_label"))
    expect(sheet).to_be_visible()
    undo, clear, done = (
        page.get_by_role("button", name=words(f"signing.pad_{one}"), exact=True)
        for one in ("undo", "clear", "done")
    )
    steps.settled(page)
    for button in (undo, clear, done):
        expect(button).to_be_disabled()
    sheet.scroll_into_view_if_needed()

    draw(page, sheet, 0.1, 0.4)
    draw(page, sheet, 0.5, 0.6)
    told = page.get_by_role("status").filter(has_text=words("signing.pad_count"))
    expect(told).to_have_text(f"{words('signing.pad_count')} 2")
    undo.click()
    expect(told).to_have_text(f"{words('signing.pad_count')} 1")
    draw(page, sheet, 0.5, 0.8)
    done.click()
    keep = page.get_by_role("button", name=words("signing.keep"))
    expect(keep).to_be_visible()
    draw(page, sheet, 0.8, 0.9)  # the sheet has changed: there is nothing to say yes to
    expect(keep).to_have_count(0)
    expect(told).to_have_text(f"{words('signing.pad_count')} 3")
    undo.click()
    done.click()
    expect(page.get_by_alt_text(words("signing.picture"))).to_be_visible()
    keep.click()
    expect(page.get_by_text(words("signing.kept"))).to_be_visible()
    expect(done).to_be_disabled()

    ((row, drawn),) = on_screen(site, student["student_key"])
    assert (row["file_format"], row["dpi"], drawn.pointers) == ("png", 300, ["mouse"])
    assert [len(stroke.points) >= 20 for stroke in drawn.strokes] == [True, True]
    first, second = drawn.strokes
    assert first.points[0].t == 0 and second.points[0].t > first.points[-1].t > 0
    assert {point.p for point in drawn.points} == {0.5}  # what a mouse reports
    assert first.points[0].x == pytest.approx(72, abs=4) and first.points[-1].x == pytest.approx(288, abs=4)
    assert second.points[0].x == pytest.approx(360, abs=4)
