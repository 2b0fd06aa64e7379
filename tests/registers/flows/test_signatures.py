"""Signatures of the second university: findings, enrolment with consent only, and the check of forms.

The hands were drawn by other means than those that the descriptor and its thresholds were made with.
"""

from __future__ import annotations

from collections import Counter

import pytest

from data import queries
from data.trust.scope import Scope
from data.verification import queries as queries_verification

pytestmark = pytest.mark.slow
EVERYBODY = Scope.system()
BLANK, COPY = "SIG001", "SIG010"


@pytest.fixture(scope="module")
def specimens(university) -> dict[str, dict]:
    """Specimen rows by (student number, day)."""
    university.done("embed")
    numbers, rows = university.numbers(), {}
    with university.store() as store:
        for key in numbers.index:
            for row in queries.student_specimens(store, EVERYBODY, key).to_dict("records"):
                rows[numbers[key], row["captured_on"].strftime("%Y-%m-%d")] = row
    return rows


@pytest.fixture(scope="module")
def outcomes(university) -> dict[tuple[str, str], str]:
    """Outcome of every questioned form by (student number, kind of form)."""
    said, found = university.done("verify"), {}
    for form in university.office.questioned:
        line = next(line for line in said.splitlines() if line.startswith(form.path.name))
        kind = form.path.name.split("_")[0]
        found[form.nim, kind] = line.split(": ", 1)[1].split(" ")[0]
    return found


def counted(outcomes: dict[tuple[str, str], str], kind: str) -> Counter:
    """Outcomes of the twelve forms of a kind; all of them were compared."""
    found = Counter(outcome for (_, one), outcome in outcomes.items() if one == kind)
    assert found.total() == 12 and set(found) <= {"consistent", "inconclusive", "review"}, found
    return found


def found_codes(row: dict) -> set[str]:
    return {one["code"] for one in row["quality"] or () if one["status"] == "found"}


def spoilt(university, fault: str):
    """The specimens with a fault."""
    return [s for own in university.truth.specimens.values() for s in own if s.fault == fault]


def test_every_specimen_has_its_student_its_day_and_an_embedding(university, specimens):
    right = {
        (one.nim, one.on.isoformat())
        for own in university.truth.specimens.values()
        for one in own
        if one.fault != "copy"
    }
    assert set(specimens) == right
    assert all(row["quality"] is not None for row in specimens.values())


def test_the_unsigned_form_is_found_and_sound_scans_are_not_called_blank(university, specimens):
    (blank,) = spoilt(university, "blank")
    assert BLANK in found_codes(specimens[blank.nim, blank.on.isoformat()])
    others = [row for where, row in specimens.items() if where != (blank.nim, blank.on.isoformat())]
    assert not [row for row in others if BLANK in found_codes(row)]


def test_most_plain_scans_have_nothing_against_them(university, specimens):
    plain = [
        specimens[one.nim, one.on.isoformat()]
        for own in university.truth.specimens.values()
        for one in own
        if not one.fault
    ]
    assert sum(not found_codes(row) for row in plain) >= 0.9 * len(plain)


def test_only_who_agreed_is_enrolled_and_everybody_who_can_be(university, specimens):
    university.done("enrol")
    numbers = university.numbers()
    with university.store() as store:
        held = queries_verification.enrolments(store, EVERYBODY)
    enrolled = {numbers[key] for key in held["student_key"]}
    agreed = university.truth.consenting["Verifikasi tanda tangan"]
    assert enrolled - {university.office.unasked.nim} == agreed  # the browser's tests ask that one


def test_the_office_learns_its_thresholds_and_is_told_what_they_cost(university):
    said = university.done("calibrate")
    assert "far_skilled" in said and "reviews per 1,000" in said


# Without thresholds of its own a register is judged by synthetic signers, whose doubt draws every ratio
# towards none (decision 0009): what is unsure becomes "inconclusive", on either side.
def test_half_of_the_genuine_forms_are_consistent_and_hardly_one_goes_to_review(outcomes):
    found = counted(outcomes, "asli")
    assert found["review"] <= 1
    assert found["consistent"] >= 6


def test_an_imitation_by_another_hand_is_hardly_ever_consistent(outcomes):
    found = counted(outcomes, "tiruan")
    assert found["consistent"] <= 1


def test_another_students_signature_is_never_consistent(outcomes):
    found = counted(outcomes, "lain")
    assert found["consistent"] == 0
    assert found["review"] >= 4


def test_without_consent_nothing_is_compared(university):
    """Whoever refused or withdrew is refused by name of the reason, and no decision is kept."""
    form = university.office.questioned[0].path
    nim = sorted(university.truth.refused_or_withdrawn)[0]
    done = university.run("vision", "verify", str(form), "--student", nim)
    assert done.returncode != 0
    assert "not agreed to the verification" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    with university.store() as store:
        assert queries_verification.decisions(store, EVERYBODY, key=university.key_of(nim)).empty
