import pytest

from dashboard.shell.wording import Words
from dashboard.verification.view.outcome import advice


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("reason", ["not_enrolled", "enrolment_outdated"])
def test_who_has_no_references_in_force_is_not_asked_to_sign_again(language, reason):
    words = Words(language)
    told = advice({"outcome": "inconclusive", "reason": reason}, words)
    assert told != words("verification.next_inconclusive").split("\n")
    assert {"en": "Enrol the student's references", "id": "Daftarkan"}[language] in told[0]
    assert "need not sign again" in told[-1] or "tidak perlu menandatangani lagi" in told[-1]


def test_any_other_reason_is_told_the_steps_of_its_outcome():
    words = Words("en")
    told = advice({"outcome": "review", "reason": "differs"}, words)
    assert told == words("verification.next_review").split("\n")
