"""Opinions on questioned signatures: blind in the rows themselves, settled by those who looked."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from data.calendar.clock import today
from data.store import NewSpecimen, write_consents, write_specimens
from data.trust import audit, audit_chain, erase
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification import reviews
from data.verification.queries import decision, decisions, questioned_image
from data.verification.write import NewDecision, NoConsent, write_decision, write_enrolment

VERSIONS = {"descriptor_id": "d@1+0", "descriptor_sha256": "0" * 64, "classifier_version": "c-1"}
FACTS = {"questioned_sha256": "a" * 64, "file_format": "png", "width": 300, "height": 100, "dpi": 300}


def reader(name: str, **changes) -> Scope:
    about = {"role": "registry", "own_students_only": False, "program_codes": None}
    return Scope(name, **about | {"may_identify": True, "may_see_students": True} | changes)


RINA, SITI, TONO, WAYAN = map(reader, ("rina", "siti", "tono", "wayan"))


@pytest.fixture
def office(small_register):
    """S07 agrees to verification and is enrolled; S08 does not."""
    store = small_register.store
    about = {"context": "enrollment", "file_format": "png", "width": 300, "height": 100}
    given = [NewSpecimen("S07", bytes([n]), date(2022, 9, 1), **about) for n in range(3)]
    write_specimens(store, given, source="scans", actor="test")
    rows = {"student_number": ["S07"], "purpose": ["verification"], "granted": [True]}
    write_consents(store, pd.DataFrame(rows))
    return small_register


def decide(office, outcome: str = "review", number: str = "S07") -> str:
    result = {
        "enrolment_id": None, "outcome": outcome, "reason": "differs", "score": -0.5, "log10_lr": -1.2,
        "thresholds": {}, "findings": [], "reference_ids": [], "nearest_specimen": "x",
    }  # fmt: skip
    versions = VERSIONS | {"calibration_version": "synthetic-1"}
    new = NewDecision(office.keys[number], b"questioned", FACTS, versions, result)
    return write_decision(office.store, new, actor="rina")


def seen(office, scope: Scope, case: str) -> tuple:
    row = decision(office.store, scope, case)
    return row["score"], row["log10_lr"], row["reason"], row["nearest_specimen"]


FULL, NOTHING = (-0.5, -1.2, "differs", "x"), (None, None, None, None)


def test_the_score_is_hidden_until_the_readers_own_opinion(office):
    case = decide(office)
    assert seen(office, SITI, case) == NOTHING
    reviews.give_opinion(office.store, SITI, case, "another_writer", "the paraph starts lower")
    assert seen(office, SITI, case) == FULL
    assert seen(office, TONO, case) == NOTHING


def test_who_ran_the_comparison_knows_its_score(office):
    assert seen(office, RINA, decide(office)) == FULL


def test_a_case_that_is_not_for_review_hides_nothing(office):
    assert seen(office, SITI, decide(office, "consistent")) == FULL


def test_the_second_reviewer_does_not_see_the_first_opinion(office):
    case = decide(office)
    reviews.give_opinion(office.store, SITI, case, "another_writer", "slow strokes")
    assert reviews.opinions(office.store, TONO, case).empty
    assert reviews.opinions(office.store, RINA, case).empty  # knows the score, must not know the opinion
    reviews.give_opinion(office.store, TONO, case, "same_writer", "same loops")
    both = reviews.opinions(office.store, TONO, case)
    assert both["reviewer"].tolist() == ["siti", "tono"]
    assert both["blind"].tolist() == [True, True]
    assert decisions(office.store, TONO)["opinions"].tolist() == [2]


def test_everybody_may_read_a_settled_case(office):
    case = decide(office)
    reviews.give_opinion(office.store, SITI, case, "cannot_tell", "too short")
    reviews.settle(office.store, SITI, case, "ask_again", "first of all")
    assert seen(office, TONO, case) == FULL
    assert reviews.opinions(office.store, TONO, case)["opinion"].tolist() == ["cannot_tell", "ask_again"]


def refused(code: str, act, *arguments) -> None:
    with pytest.raises(reviews.Refused) as problem:
        act(*arguments)
    assert problem.value.code == code


def test_rules_of_opinions(office):
    store, case = office.store, decide(office)
    refused("unknown_opinion", reviews.give_opinion, store, SITI, case, "forged", "x")
    refused("no_reasons", reviews.give_opinion, store, SITI, case, "same_writer", "  ")
    refused(
        "not_for_review", reviews.give_opinion, store, SITI, decide(office, "consistent"), "same_writer", "x"
    )
    reviews.give_opinion(store, SITI, case, "same_writer", "x")
    refused("given", reviews.give_opinion, store, SITI, case, "another_writer", "second thoughts")
    reviews.give_opinion(store, TONO, case, "same_writer", "x")
    assert reviews.review_queue(store, WAYAN)["mine_to_do"].tolist() == [False]
    refused("enough", reviews.give_opinion, store, WAYAN, case, "same_writer", "x")
    with pytest.raises(LookupError, match="no decision"):
        reviews.give_opinion(store, SITI, "nothing", "same_writer", "x")


def test_reasons_are_kept_as_codes_beside_what_was_typed(office):
    store, case = office.store, decide(office)
    refused("unknown_reason", reviews.give_opinion, store, SITI, case, "same_writer", "x", ["mood"])
    refused("no_reasons", reviews.give_opinion, store, SITI, case, "same_writer", " ", [])
    reviews.give_opinion(store, SITI, case, "same_writer", " slow line ", ["slant", "shape"])
    reviews.settle(store, SITI, case, "ask_again", "[sic]")
    kept = reviews.opinions(store, SITI, case)
    assert kept["reason_codes"].tolist() == [["shape", "slant"], []]
    assert kept["reasons"].tolist() == ["slow line", "[sic]"]


def test_a_third_opinion_is_wanted_only_where_two_differ(office):
    store, case = office.store, decide(office)
    reviews.give_opinion(store, SITI, case, "same_writer", "x")
    reviews.give_opinion(store, TONO, case, "another_writer", "x")
    assert reviews.review_queue(store, WAYAN)["mine_to_do"].tolist() == [True]
    reviews.give_opinion(store, WAYAN, case, "another_writer", "x")
    refused("enough", reviews.give_opinion, store, RINA, case, "same_writer", "x")


def test_a_case_is_settled_by_somebody_who_looked_and_only_once(office):
    store, case = office.store, decide(office)
    refused("no_opinion", reviews.settle, store, SITI, case, "ask_again", "x")
    reviews.give_opinion(store, SITI, case, "same_writer", "x")
    refused("too_few", reviews.settle, store, SITI, case, "accept", "x")
    refused("unknown_action", reviews.settle, store, SITI, case, "punish", "x")
    reviews.give_opinion(store, TONO, case, "same_writer", "x")
    reviews.settle(store, TONO, case, "accept", "two agree")
    refused("settled", reviews.settle, store, SITI, case, "refer", "x")
    refused("settled", reviews.give_opinion, store, WAYAN, case, "same_writer", "x")
    assert reviews.review_queue(store, WAYAN).empty
    assert reviews.review_queue(store, WAYAN, settled=True)["decision_id"].tolist() == [case]


def test_acts_are_in_the_audit_log_without_identity(office):
    case = decide(office)
    reviews.give_opinion(office.store, SITI, case, "same_writer", "x")
    log = audit.entries(office.store)
    assert {"verify signature", "review signature"} <= set(log["action"])
    assert audit_chain.verify_chain(office.store).intact
    assert "S07" not in log["detail"].astype(str).str.cat()


def test_a_scope_that_does_not_reach_the_student_sees_nothing(office):
    case = decide(office)
    stranger = reader("budi", own_students_only=True)  # S07 is ani's
    assert decisions(office.store, stranger).empty
    assert reviews.opinions(office.store, stranger, case).empty
    for read in (decision, questioned_image):
        with pytest.raises(LookupError):
            read(office.store, stranger, case)
    with pytest.raises(LookupError):
        reviews.give_opinion(office.store, stranger, case, "same_writer", "x")
    assert questioned_image(office.store, SITI, case) == b"questioned"


def test_nothing_is_kept_without_consent(office):
    with pytest.raises(NoConsent):
        decide(office, number="S08")
    with pytest.raises(NoConsent):
        write_enrolment(office.store, office.keys["S08"], VERSIONS, ["x"], {}, actor="test")
    assert queries_verification.consents(office.store, office.keys["S07"]) is True
    assert queries_verification.consents(office.store, office.keys["S08"]) is False
    assert queries_verification.consents(office.store, "nobody") is None


def test_a_questioned_image_goes_at_the_end_of_its_retention_and_the_decision_stays(office):
    case = decide(office)
    assert erase.erase_questioned(office.store, today(office.store), actor="test") == 0
    assert erase.erase_questioned(office.store, date(2100, 1, 1), actor="test") == 1
    with pytest.raises(LookupError):
        questioned_image(office.store, SITI, case)
    assert decisions(office.store, RINA)["decision_id"].tolist() == [case]


def test_erasing_signatures_reaches_decisions_opinions_and_enrolments(office):
    store, key = office.store, office.keys["S07"]
    case = decide(office)
    reviews.give_opinion(store, SITI, case, "same_writer", "x")
    ids = queries_verification.references(store, SITI, [])
    assert ids.empty
    receipt = erase.erase_student_signatures(store, key, actor="registrar")
    gone = ("verification_decisions", "questioned_images", "reviews", "signature_specimens")
    assert {name: receipt.deleted[name] for name in gone} == dict(zip(gone, (1, 1, 1, 3), strict=True))
    assert decisions(store, RINA).empty and reviews.review_queue(store, SITI).empty
