"""Every page at 200 per cent and on paper: nothing beyond the window, nothing to press, always light."""

from __future__ import annotations

import io
import subprocess

import pytest
from PIL import Image, ImageStat

from dashboard.shell.access import pages_for
from data.columns import ROLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST_ROLE = {page.name: role for role in reversed(ROLES) for page in reversed(pages_for(role))}
# What reaches beyond the window though nothing around it scrolls, and how far the page itself scrolls aside.
BEYOND = """() => {
  const wide = document.documentElement.clientWidth, main = document.querySelector('.stMainBlockContainer');
  const frame = document.querySelector('[data-testid=stMain]'), found = [];
  if (frame.scrollWidth > frame.clientWidth) found.push(`the page is ${frame.scrollWidth} wide`);
  const kept = (one) => {
    for (let above = one.parentElement; above && above !== main; above = above.parentElement)
      if (getComputedStyle(above).overflowX !== 'visible' && above.getBoundingClientRect().right <= wide + 1)
        return true;
    return false;
  };
  for (const one of main.querySelectorAll('*')) {
    const box = one.getBoundingClientRect();
    if (box.width > 1 && box.height > 1 && box.right > wide + 1 && !kept(one))
      found.push(one.dataset.testid || one.tagName);
  }
  for (const one of main.querySelectorAll('[role=radiogroup]'))
    if (one.scrollWidth > one.clientWidth + 1) found.push(`choices are cut: ${one.innerText}`);
  return found;
}"""
ON_PAPER = """() => {
  const shown = (one) => one.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  const told = [];
  for (const name of ['stSidebar', 'stHeader', 'stElementToolbar'])
    if (all(`[data-testid=${name}]`).length) told.push(name);
  for (const one of all('.stMainBlockContainer button'))
    if (one.ariaChecked !== 'true' && one.ariaSelected !== 'true') told.push(`button ${one.innerText}`);
  for (const one of all('[data-testid=stPlotlyChart], [data-testid=stDataFrame]'))
    if (getComputedStyle(one).breakInside !== 'avoid') told.push(`may be split: ${one.dataset.testid}`);
  for (const one of all('.report-scroll'))
    if (one.scrollWidth > one.clientWidth + 1) told.push('a table is wider than the paper');
  if (!all('.stMarkdownBadge').length) told.push('nothing says that the data are invented');
  for (const one of all('.stMarkdownBadge')) {
    const [red, green, blue, alpha = 1] = getComputedStyle(one).backgroundColor.match(/[0-9.]+/g).map(Number);
    if (alpha > 0.5 && red + green + blue < 380) told.push(`dark behind the dark words ${one.textContent}`);
  }
  return told;
}"""


def paleness(page) -> float:
    """How light the page is on average, from 0 for black to 1 for white."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    return ImageStat.Stat(picture).mean[0] / 255


def enter_as(page, site, steps, role: str) -> None:
    """Take a seat of the demo; the advisor's is theirs whose student is opened."""
    page.set_default_timeout(steps.PATIENCE)
    page.goto(site.url)
    if role == "advisor":
        page.locator(".st-key-seat-advisor input").click()
        page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, role)


# Colours that mean something are those of the screen, and words in a chart are dark on the paper.
CHARTS_ON_PAPER = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].flatMap((chart) => {
  const pale = [...chart.querySelectorAll('text:not(.bartext-inside)')].filter((one) => {
    const parts = getComputedStyle(one).fill.match(/[0-9.]+/g);
    return one.textContent.trim() && parts && Math.max(...parts.slice(0, 3)) > 130;
  });
  const turned = getComputedStyle(chart).filter === 'none' ? [] : ['a chart with turned colours'];
  return [...turned, ...pale.slice(0, 2).map((one) => `pale in a chart: ${one.textContent}`)];
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_fits_at_200_per_cent_and_prints_light_and_without_buttons(chrome, site, steps, theme):
    complaints, seen = {}, []
    for role in sorted(set(FIRST_ROLE.values())):
        page = steps.watched(chrome.new_page(color_scheme=theme, viewport={"width": 720, "height": 1000}))
        enter_as(page, site, steps, role)
        for name in (entry.name for entry in pages_for(role) if FIRST_ROLE[entry.name] == role):
            page.goto(f"{site.url}/{name}" + (f"?s={site.student}" if name == "student" else ""))
            page.locator("h1").first.wait_for()
            steps.settled(page)
            found = page.evaluate(BEYOND)
            page.emulate_media(media="print", color_scheme=theme)
            found += page.evaluate(ON_PAPER)
            found += page.evaluate(CHARTS_ON_PAPER)
            light = paleness(page)
            found += [f"paleness {light:.2f}"] if light < 0.8 else []
            page.emulate_media(media="screen", color_scheme=theme)
            complaints |= {name: found} if found else {}
            seen.append(name)
        page.close()
    assert complaints == {}
    assert set(seen) == set(FIRST_ROLE)


TABLES = """() => {
  const shown = (one) => one.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);
  return {drawn: all('[data-testid=stDataFrame]').length,
    held: all('table.on-paper').map((one) => one.tBodies[0].rows.length),
    last: all('table.on-paper').map((one) => [...one.tBodies[0].rows].at(-1)?.cells[0].textContent ?? '')};
}"""


def printed(page, file) -> str:
    """The text of the page on A4, without blanks: a long cell breaks into lines."""
    page.pdf(path=file, format="A4")
    done = subprocess.run(["pdftotext", "-raw", str(file), "-"], capture_output=True, text=True, check=True)
    return "".join(done.stdout.split())


@pytest.mark.parametrize("role", ROLES)
def test_every_page_prints_every_row_of_its_tables_and_who_printed_it(chrome, site, steps, role, tmp_path):
    theme = "dark" if role in ("auditor", "advisor") else "light"  # on paper both are light
    window = {"viewport": {"width": 1440, "height": 1000}, "locale": "en-GB", "color_scheme": theme}
    page = steps.watched(chrome.new_page(**window))
    enter_as(page, site, steps, role)
    complaints, longest = {}, 0
    for name in (entry.name for entry in pages_for(role)):
        page.goto(f"{site.url}/{name}" + (f"?s={site.student}" if name == "student" else ""))
        page.locator("h1").first.wait_for()
        steps.settled(page)
        on_screen = page.evaluate(TABLES)
        page.emulate_media(media="print", color_scheme=theme)
        on_paper, text = page.evaluate(TABLES), printed(page, tmp_path / f"{name}.pdf")
        page.emulate_media(media="screen", color_scheme=theme)
        longest = max([longest, *on_paper["held"]])
        wrong = [last for last in on_paper["last"] if "".join(last.split()) not in text]
        if on_screen["held"] or on_paper["drawn"] or on_screen["drawn"] > len(on_paper["held"]) or wrong:
            complaints[name] = (on_screen, on_paper, wrong)
        if "printedby" not in text:
            complaints[f"{name}, who"] = text[:200]
    page.close()
    assert complaints == {}
    assert longest > 15 or role in ("leadership", "accreditation", "auditor", "administrator")


def test_a_page_on_paper_keeps_the_width_that_its_charts_were_drawn_for(visitor, site, steps):
    page = steps.enter(visitor, "leadership")
    page.locator("[data-testid=stPlotlyChart]").first.wait_for()
    steps.settled(page)
    width = """() => { const all = [...document.querySelectorAll('[data-testid=stMainBlockContainer]')];
      const style = getComputedStyle(all[0]);
      return all[0].clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight); }"""
    shown = page.evaluate(width)
    page.pdf(format="A4")
    kept = page.evaluate("() => Number(document.documentElement.style.getPropertyValue('--shown'))")
    assert abs(kept - shown) <= 1 and shown > 900


BESIDE = """() => {
  const columns = [...document.querySelectorAll('[data-testid=stColumn]:has([data-testid=stPlotlyChart])')];
  return columns.map((one) => [one, one.nextElementSibling || one.previousElementSibling])
    .filter(([, next]) => next).map(([one, next]) =>
      Math.abs(one.getBoundingClientRect().top - next.getBoundingClientRect().top) < 2);
}"""


@pytest.mark.parametrize(("width", "beside"), [(1440, True), (390, False)])
def test_columns_of_charts_stand_on_paper_as_on_the_screen(chrome, site, steps, width, beside):
    page = steps.watched(chrome.new_page(viewport={"width": width, "height": 1000}))
    enter_as(page, site, steps, "leadership")
    page.locator("[data-testid=stPlotlyChart]").first.wait_for()
    steps.settled(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    found = page.evaluate(BESIDE)
    page.close()
    assert len(found) > 3 and set(found) == {beside}


def test_no_heading_of_a_fold_or_a_part_ends_a_page(visitor, site, steps, tmp_path):
    page = steps.enter(visitor, "leadership")
    page.goto(f"{site.url}/model")
    page.locator("[class*=st-key-fold-] summary").first.wait_for()
    steps.settled(page)
    names = "found => found.map(one => one.innerText.trim().split('\\n').pop())"
    headings = page.locator("[class*=st-key-fold-] summary, .stMainBlockContainer h2").evaluate_all(names)
    file = tmp_path / "model.pdf"
    page.pdf(path=file, format="A4")
    text = subprocess.run(["pdftotext", str(file), "-"], capture_output=True, text=True, check=True).stdout
    ends = [
        lines[-1]
        for one in text.split("\f")
        if (lines := [each for each in one.splitlines() if each.strip()])
    ]
    assert len(headings) > 8 and len(ends) > 2
    assert [end for end in ends if end.strip() in headings] == []
