"""axe-core finds no violation of ours on any page, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.shell.access import pages_for
from data.columns import ROLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OF_STREAMLIT = 'presentation-role-conflict: <section role="presentation" tabindex="-1" data-testid="stFileUpl'
FIRST_ROLE = {page.name: role for role in reversed(ROLES) for page in reversed(pages_for(role))}


def violations(page) -> list[str]:
    """Of every severity, but for those in what Streamlit draws, where no page can mend it."""
    found = Axe().run(page).response["violations"]
    told = [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
    return [one for one in told if not one.startswith(OF_STREAMLIT)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_violation(chrome, site, steps, theme):
    complaints = {}
    for role in sorted(set(FIRST_ROLE.values())):
        page = steps.watched(chrome.new_page(color_scheme=theme, viewport={"width": 1440, "height": 1000}))
        page.set_default_timeout(steps.PATIENCE)
        page.goto(site.url)
        page.locator(f".st-key-enter-{role} button").wait_for()
        complaints["sign_in"] = violations(page)
        steps.enter(page, role)
        names = [entry.name for entry in pages_for(role) if FIRST_ROLE[entry.name] == role]
        for name in names:
            if name != pages_for(role)[0].name:
                steps.open_page(page, name)
            complaints[name] = violations(page)
        page.close()
    assert {name: found for name, found in complaints.items() if found} == {}
    assert set(complaints) == {"sign_in", *FIRST_ROLE}
