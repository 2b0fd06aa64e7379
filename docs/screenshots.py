"""Remake the pictures of README and the guides from the demo: ``make docs``.

Serves the store of ``TEPAT_FOLDER`` (build it with ``make demo``), signs in as each role by one click and
photographs its pages in the light and the dark theme. Nothing is clicked that would write.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSER = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60_000  # milliseconds for anything to be drawn
WIDTH, TALLEST = 1440, 1900  # CSS pixels
LARGEST = 150_000  # bytes of a picture
COLORS = (240, 128, 64, 32, 16)
TOURS = {  # role → its pages by the name in their address, the first being where it starts
    "leadership": ("overview", "model"),
    "advisor": ("caseload", "student", "followups", "glossary"),
    "registry": ("verification", "review", "enrolment", "signatures"),
    "administrator": ("data", "jobs"),
    "accreditation": ("reports",),
}
DONE = """() => {  // the script has run, and nothing that can be seen is faded, loading or still to be drawn
  const seen = (name) => [...document.querySelectorAll(name)].filter((one) => one.checkVisibility());
  const busy = '[data-stale=true], [data-testid=stSkeleton], [data-testid=stStatusWidget]';
  return document.querySelector('[data-test-script-state=notRunning]') !== null
    && seen(busy).length === 0
    && seen('[data-testid=stPlotlyChart]').every((chart) => chart.querySelector('svg.main-svg'))
    && seen('[data-testid=stDataFrame]').every((table) => table.querySelector('canvas'))
    && seen('img').every((image) => image.complete);
}"""


@contextmanager
def served():
    """The app on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dashboard", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield _answering(f"http://localhost:{port}")
        finally:
            process.terminate()


def _answering(address: str) -> str:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return address
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"the app did not answer on {address} within two minutes")


def settle(page: Page) -> None:
    """Wait until everything is drawn, and was still drawn a moment later."""
    for _ in range(2):
        page.wait_for_timeout(400)
        page.wait_for_function(DONE, timeout=PATIENCE)


def photograph(page: Page, name: str) -> None:
    """The page from its top, as small a file as it can be without looking worse."""
    height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": max(720, min(height + 40, TALLEST))})
    settle(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colors in COLORS:
        file = io.BytesIO()
        # Means of like pixels: a large area keeps its own colour.
        fewer = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
        fewer.save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST:
            break
    (IMAGES / name).write_bytes(file.getvalue())
    page.set_viewport_size({"width": WIDTH, "height": 900})


def enter(page: Page, address: str, role: str) -> None:
    """Sign in by one click; the tour of newcomers is not part of the pictures."""
    page.goto(address)
    page.locator(f".st-key-enter-{role} button").click()
    page.locator("[class*=st-key-page-header]").first.wait_for()
    page.add_style_tag(content=".st-key-tour, [class*=st-key-tour-reopen] { display: none; }")
    settle(page)


def open_page(page: Page, name: str) -> None:
    """Follow the menu; to a student by the first row of the caseload."""
    if name == "student":
        box = page.locator("[data-testid=stDataFrame]").first.bounding_box()
        page.mouse.click(box["x"] + 16, box["y"] + 50)
    else:
        page.locator(f"[data-testid=stSidebarNavLink][href$='/{name}']").click()
    page.wait_for_url(f"**/{name}*")
    settle(page)
    if name == "followups":  # nothing is due in a fresh demo; the digest has something to tell
        page.get_by_role("tab").nth(1).click()
        settle(page)


def tour(browser: Browser, address: str, role: str, theme: str) -> None:
    """Sign in as one role and photograph its pages."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900},
        color_scheme=theme,
        locale="en-GB",
        reduced_motion="reduce",
        bypass_csp=True,  # waiting for a condition evaluates a string in the page
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    enter(page, address, role)
    for place, name in enumerate(TOURS[role]):
        starts_here = page.locator(f"[data-testid=stSidebarNavLink][href$='/{name}']").count() == 0
        if not (place == 0 and starts_here):
            open_page(page, name)
        photograph(page, f"{name}-{theme}.png")
    context.close()


def main() -> None:
    """Photograph every tour in both themes."""
    if "TEPAT_FOLDER" not in os.environ and not (ROOT / "var" / "tepat.db").exists():
        sys.exit("there is no demo store: run `make demo` first")
    chromium = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        sys.exit("no Chromium is installed (Debian: apt-get install chromium)")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER))
        for theme in ("light", "dark"):
            for role in TOURS:
                tour(browser, address, role, theme)
                print(f"{role}, {theme}: {', '.join(TOURS[role])}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
