"""Only a trial by lot may say what help brings about: the word for it is nowhere else in what people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CLAIM = re.compile(r"\b(effects?|efek(nya)?|dampak(nya)?|berdampak)\b", re.IGNORECASE)
TOLD = re.compile(r"(dashboard/locales/trial\.(en|id)\.toml|docs/trial\.md)$")
READ = [
    *ROOT.glob("dashboard/locales/*.toml"),
    *ROOT.glob("dashboard/reports/**/*.toml"),
    *ROOT.glob("docs/**/*.md"),
    ROOT / "README.md",
    ROOT / "fusion/service/cards.py",
    ROOT / "fusion/explanation/whatif.py",
]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_report_or_guide_claims_what_a_step_brings_about(path):
    if TOLD.search(path.as_posix()):
        return
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if CLAIM.search(line)] == []


def test_the_word_is_found_where_it_stands():
    assert CLAIM.search("the effect of a talk") and CLAIM.search("bukan dampaknya")
    assert not CLAIM.search("effective") and len(READ) > 60
