"""In Indonesian the eye finds no English word of Streamlit's where a file is chosen or a text is typed."""

import pytest

from dashboard.shell.wording import Words

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ID = Words("id")
READ = """(part) => {
  const said = [];
  for (const one of [part, ...part.querySelectorAll('*')]) {
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const texts = [...one.childNodes].filter((node) => node.nodeType === 3);
    const own = texts.map((node) => node.data).join('');
    const icon = one.dataset.testid === 'stIconMaterial' || one.closest('[aria-hidden=true] svg');
    if (own.trim() && parseFloat(style.fontSize) > 0 && box.width > 1 && !icon) said.push(own.trim());
    const drawn = getComputedStyle(one, '::after'), text = drawn.content;
    if (text.startsWith('"') && parseFloat(drawn.fontSize) > 0) said.push(text.slice(1, -1));
  }
  return said.filter((text) => text);
}"""
DRAG = """(zone) => {
  const held = new DataTransfer();
  held.items.add(new File(['a;b'], 'a.csv', {type: 'text/csv'}));
  zone.dispatchEvent(new DragEvent('dragenter', {bubbles: true, cancelable: true, dataTransfer: held}));
  zone.dispatchEvent(new DragEvent('dragover', {bubbles: true, cancelable: true, dataTransfer: held}));
}"""


def seen(part) -> list[str]:
    """What the eye reads in a part of the page: texts that are drawn, and those of the style sheet."""
    return part.evaluate(READ)


@pytest.fixture
def indonesian(chrome, own_site, steps):
    """A window of somebody whose browser speaks Indonesian, at the sign-in."""
    context = chrome.new_context(viewport={"width": 1440, "height": 1000}, locale="id-ID")
    context.set_default_timeout(steps.PATIENCE)
    page = steps.watched(context.new_page())
    page.goto(own_site.url)
    yield page
    context.close()


def test_files_and_fields_are_told_in_indonesian(indonesian, own_site, steps, tmp_path):
    page = indonesian
    page.locator("input[autocomplete=username]").fill("petugas")
    note = page.locator("[data-testid=InputInstructions]")
    assert seen(note) == [ID("streamlit.enter_form")]
    steps.sign_in(page, "petugas", own_site.password)
    page.goto(f"{own_site.url}/data")
    zone = page.locator("[data-testid=stFileUploaderDropzone]").first
    zone.wait_for()
    assert seen(zone) == [ID("upload.button"), ID("upload.limit", mb=200)]
    zone.evaluate(DRAG)
    page.get_by_text("Drag and drop").wait_for(state="attached")
    assert ID("streamlit.drop") in seen(zone)
    assert [text for text in seen(zone) if "drop" in text or "Upload" in text] == []
    page.reload()
    file = tmp_path / "catatan.csv"
    file.write_text("a;b\n" + "1;2\n" * 700, encoding="utf-8")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files([file])
    steps.settled(page)
    assert [text for text in seen(zone) if text not in ("catatan.csv", "add icon")] == []


def test_lists_and_days_are_told_in_indonesian(indonesian, own_site, steps):
    page = indonesian
    steps.sign_in(page, "kepala", own_site.password)
    page.goto(f"{own_site.url}/audit")
    days = page.locator("[data-testid=stDateInput]").first
    days.wait_for()
    parts = [ID(f"streamlit.{part}") for part in ("day", "month", "year")]
    assert [text for text in seen(days) if text != "/"] == [ID("audit.from"), *parts]
    assert nothing_found(page, ".st-key-audit-actor") == [ID("streamlit.nothing")]
    page.goto(f"{own_site.url}/accounts")
    page.get_by_label(ID("column.role")).last.click()
    page.keyboard.type(ID("role.advisor"))
    page.keyboard.press("Enter")
    steps.settled(page)
    field = page.locator("[class*=st-key-new-advisor] input").first
    field.click()
    field.press_sequentially("abc")
    assert dropped(page) == [ID("streamlit.as_typed")]


def nothing_found(page, field: str) -> list[str]:
    page.locator(f"{field} input").click()
    page.keyboard.type("zzzz")
    return dropped(page)


def dropped(page) -> list[str]:
    """What the eye reads in the list below a field."""
    below = page.locator("[data-testid=stSelectboxVirtualDropdown]")
    below.locator("[role=option]").first.wait_for(state="attached")
    page.wait_for_timeout(500)
    return seen(below)
