"""What the command lines say of a scan: no code of a finding stands without its title."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from data.signatures.findings import CHECKS, Finding, as_rows, named_code
from vision.commands import enrol, verify
from vision.verification.conditions import REASON_OF

CODE = re.compile(r"SIG\d{3}")


def bare(text: str) -> list[str]:
    """Codes that no title follows."""
    return [
        found[0]
        for found in CODE.finditer(text)
        if not text[found.start() :].startswith(named_code(found[0])) or named_code(found[0]) == found[0]
    ]


def decision(**other):
    known = {"outcome": "review", "reason": "differs", "log10_lr": -1.25, "words": "moderate", "crop": None}
    known |= {"decision_id": "d1", "reference_ids": ("a", "b", "c"), "findings": ()}
    return SimpleNamespace(**known | {"versions": {"calibration_version": "v1"}} | other)


@pytest.mark.parametrize("code", sorted(CHECKS))
def test_a_finding_is_told_with_title_and_reason(code):
    found = Finding(code, "found", 2.5, "measured 2.5, at most 1.")
    clear = Finding("SIG001", "clear", 0.1, "not to be told")
    said = verify._told(decision(findings=tuple(as_rows([clear, found]))))
    assert f"{code} {CHECKS[code].title}: measured 2.5, at most 1." in said
    assert "not to be told" not in said and bare(said) == []


def test_a_finding_of_a_newer_version_is_told_by_its_code():
    assert Finding("SIG099", "found").line == "SIG099"


@pytest.mark.parametrize(("code", "reason"), REASON_OF.items())
def test_a_finding_that_decides_is_named_in_a_folders_lines_too(code, reason):
    said = verify._told(decision(reason=reason))
    table = pd.DataFrame(
        {"file": ["a.png"], "outcome": ["review"], "reason": [reason], "problem": [None], "message": [None]}
    )
    for text in (said, verify._summary(table)):
        assert f"{code} {CHECKS[code].title}" in text and bare(text) == []


def test_what_is_left_out_of_an_enrolment_is_told_with_titles():
    made = SimpleNamespace(
        references=("a",) * 3,
        versions={"descriptor_id": "d"},
        left_out={"0123456789": ("SIG004", "SIG012"), "abcdefghij": ("not_witnessed",)},
        unlike=(),
        advice=(),
    )
    said = enrol._told(made)
    assert "01234567  SIG004 Blurred, SIG012 Another pen" in said and "abcdefgh  not witnessed" in said
    assert bare(said) == []
