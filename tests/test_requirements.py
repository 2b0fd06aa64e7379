"""The lock file of the requirements is in step with them and names no machine; licences were looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import supply_chain

ROOT = Path(__file__).resolve().parent.parent
LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
ASKED = [Requirement(line) for line in LINES if line.strip() and not line.startswith(("#", "-"))]


def test_every_requirement_is_locked_at_a_version_that_it_allows():
    locked = supply_chain.locked()
    assert len(ASKED) > 30 and len(locked) > 100
    for one in ASKED:
        assert one.name.lower() in locked, f"{one.name}: `make lock`"
        assert one.specifier.contains(locked[one.name.lower()], prereleases=True), f"{one}: `make lock`"


def test_every_locked_version_has_its_hashes_and_no_host_is_named():
    text = supply_chain.LOCK.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--index-url|--extra-index|--find-links|@ ", text)
    parts = [part for part in re.split(r"\n(?=\S)", text) if "==" in part.splitlines()[0]]
    assert len(parts) > 100
    assert [
        part.splitlines()[0] for part in parts if not re.search(r"--hash=sha256:[0-9a-f]{64}", part)
    ] == []


def test_known_vulnerabilities_and_licences(capsys):
    """The vulnerabilities only where the service answers: what was looked up is printed."""
    found = supply_chain.vulnerable() + supply_chain.licences()
    with capsys.disabled():
        print("\n  " + capsys.readouterr().out.replace("\n", "\n  ").rstrip())
    assert found == []


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT License", True),
        ("LGPL-3.0-only", True),
        ("GNU Library or Lesser General Public License (LGPL)", True),
        ("GPL-3.0-only", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("AGPL-3.0", False),
        ("UNKNOWN", False),
    ],
)
def test_a_strong_copyleft_or_an_unknown_licence_is_told(licence, fine):
    assert supply_chain.looked_at(licence) is fine
