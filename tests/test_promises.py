"""What ``docs/security.md`` promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
SAID = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
NAME = re.compile(r"…?_?([a-z]+(?:_[a-z]+)+)")


def test_every_file_that_keeps_a_promise_exists():
    files = set(re.findall(r"`((?:[a-z]+/)+test_[a-z_]+\.py)`", SAID))
    assert len(files) > 5
    assert [file for file in sorted(files) if not (TESTS / file).is_file()] == []


def test_every_test_that_keeps_a_promise_exists():
    written = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    defined = "\n".join(re.findall(r"def (test_\w+)", written))
    named = {
        name
        for group in re.findall(r"\(([a-z_…, `]+)\)", SAID)
        for name in NAME.findall(group.replace("`", ""))
    }
    assert len(named) > 20
    assert [name for name in sorted(named) if name not in defined] == []
