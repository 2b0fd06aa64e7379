"""Files of people over the network: who gets them, and who does not, from clients outside the page."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.shell.sessions import COOKIE
from dashboard.shell.web_guard import HEADERS
from tests.browser.cookies import cookie_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def got(chrome, url: str, cookie: str | None = None) -> tuple[int, str]:
    """Status and cache rule that a client of its own gets, with a cookie or without."""
    context = chrome.new_context()
    headers = {} if cookie is None else {"Cookie": f"{COOKIE}={cookie}"}
    answer = context.request.get(url, headers=headers)
    found = answer.status, answer.headers.get("cache-control", "")
    context.close()
    return found


def download(page) -> tuple[str, bytes]:
    """Address and content of an export."""
    page.locator(".st-key-export-overview button").first.click()
    with page.expect_download() as waiting:
        page.locator(".st-key-export-overview-xlsx button").click()
    return waiting.value.url, Path(waiting.value.path()).read_bytes()


@pytest.fixture
def stranger(chrome, site, steps):
    """The cookie of another account that is signed in elsewhere."""
    context = chrome.new_context()
    context.set_default_timeout(steps.PATIENCE)
    page = steps.watched(context.new_page())
    page.goto(site.url)
    steps.enter(page, "auditor")
    yield cookie_of(page)
    context.close()


def test_an_export_goes_to_the_session_that_was_handed_it_and_ends_with_it(chrome, visitor, steps, stranger):
    page = steps.enter(visitor, "leadership")
    own = cookie_of(page)
    page.reload()  # so that the page's own connection carries the cookie
    url, content = download(page)
    assert "/media/" in url and content.startswith(b"PK")
    assert got(chrome, url, own) == (200, "no-store")
    for cookie in (None, "", "x" * 43, stranger):
        assert got(chrome, url, cookie)[0] == 404
    page.locator(".st-key-sign-out button").click()
    page.locator(".st-key-enter-leadership button").wait_for()
    assert got(chrome, url, own)[0] == 404


def test_a_closed_tab_takes_its_files_along(chrome, site, visitor, steps):
    first = steps.enter(visitor, "leadership")
    own = cookie_of(first)
    tab = steps.watched(first.context.new_page())
    tab.goto(site.url)
    url, _ = download(tab)
    assert got(chrome, url, own)[0] == 200
    tab.close()
    first.wait_for_timeout(1500)
    first.reload()
    first.locator(".st-key-page-header").wait_for()  # the account is still signed in
    assert got(chrome, url, own)[0] == 404


def test_scans_and_heat_maps_lie_at_no_address(visitor, steps, site):
    page, asked = visitor, []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".st-key-seat-advisor input").click()
    page.get_by_role("option", name=site.advisor).click()
    steps.enter(page, "advisor")
    page.goto(f"{site.url}/student?s={site.student}")
    scan = page.locator(".st-key-paper-scan img")
    expect(scan).to_be_visible()
    assert scan.get_attribute("src").startswith("data:image/")
    assert scan.evaluate("image => image.naturalWidth") > 100
    assert [url for url in asked if url.startswith(f"{site.url}/media/")] == []


def test_every_answer_carries_the_headers_and_the_figures_are_not_anonymous(chrome, site, stranger):
    context = chrome.new_context()
    for path in ("/", "/student", "/health", "/media/x.png", "/static/favicon.png", "/_stcore/health"):
        headers = context.request.get(site.url + path).headers
        for name, value in HEADERS.items():
            assert headers[name.lower()] == value, path
    context.close()
    assert got(chrome, f"{site.url}/_stcore/metrics")[0] == 404
    assert got(chrome, f"{site.url}/_stcore/metrics", stranger)[0] == 404


def test_another_site_cannot_frame_the_app(chrome, site):
    page = chrome.new_page()
    page.set_content(f"<iframe src='{site.url}' style='width:600px;height:400px'></iframe>")
    page.wait_for_timeout(2000)
    assert page.frames[-1].locator("[data-testid=stApp]").count() == 0
    page.close()
