"""The pages about importing: the reference is what the program holds, the other is short, no link is dead."""

import re
import runpy
from pathlib import Path

import pytest

from data.files.reading import OPTIONS
from data.records.checks import CHECKS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {
    name: (DOCS / name).read_text(encoding="utf-8") for name in ("importing.md", "importing-reference.md")
}


def test_the_reference_says_what_the_programs_lists_say():
    made = runpy.run_path(str(DOCS / "importing_reference.py"))
    page = PAGES["importing-reference.md"]
    assert page == made["written"](page), "run: python docs/importing_reference.py"
    assert all(f"| {code} |" in page for code in CHECKS)


def test_the_page_for_an_office_is_a_page_and_a_half():
    assert 750 <= len(PAGES["importing.md"].split()) <= 900


def test_what_the_office_can_say_stands_on_the_page():
    for setting, options in OPTIONS.items():
        told = PAGES["importing.md"] if setting != "true_dates" else PAGES["importing-reference.md"]
        assert setting in told and all(option in told for option in options), setting


@pytest.mark.parametrize("name", PAGES)
def test_every_rule_named_is_one_and_every_link_leads_somewhere(name):
    assert set(re.findall(r"\b(?:REC|SPC|CON)\d{3}\b", PAGES[name])) <= set(CHECKS)
    for target in re.findall(r"\]\(([^)#]*#?[^)]*)\)", PAGES[name]):
        file, _, anchor = target.partition("#")
        page = DOCS / file if file else DOCS / name
        assert page.is_file(), target
        titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", title).strip().casefold().replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, target
