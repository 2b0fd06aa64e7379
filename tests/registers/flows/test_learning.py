"""The risk model on the second university: what it may learn, whom it scores, and what it keeps to itself."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from data import queries
from data.columns import TARGETS
from data.trust.scope import Scope
from fusion.model.examined import ARMS
from fusion.service.sources import load_model, served_model

pytestmark = pytest.mark.slow
EVERYBODY = Scope.system()
MOST = 500  # more than are enrolled


@pytest.fixture(scope="module")
def listed(university) -> dict[str, pd.DataFrame]:
    """By target everybody who is listed with a score, with the student's number."""
    university.done("score")
    numbers = university.numbers()
    with university.store() as store:
        found = {target: queries.caseload(store, EVERYBODY, target, MOST) for target in TARGETS}
    return {
        target: table.assign(student_number=numbers.reindex(table["student_key"]).to_numpy())
        for target, table in found.items()
    }


def test_the_office_trains_and_scores_by_the_documented_commands(university):
    assert "served" in university.done("train")
    assert "new scores" in university.done("train") + university.done("score")


def test_only_students_who_are_enrolled_have_a_score(university, listed):
    enrolled = {
        nim
        for nim, label in university.truth.labels.items()
        if label == "censored" or nim in university.truth.past_normal_time
    }
    for target in TARGETS:
        assert set(listed[target]["student_number"]) <= enrolled, target


def test_nobody_past_the_normal_time_is_at_risk_of_being_late(university, listed):
    """Thirty of the S1 are late already: that is a fact and no risk, and no list of risks may hold them."""
    assert not set(listed["late"]["student_number"]) & university.truth.past_normal_time


def test_students_within_their_time_are_scored_for_both_targets(university, listed):
    within = {
        nim
        for nim, label in university.truth.labels.items()
        if label == "censored" and nim.startswith("F1D") and nim not in university.truth.past_normal_time
    }
    assert len(within) == 97
    for target in TARGETS:
        assert within <= set(listed[target]["student_number"]), target


def test_on_leave_or_back_again_a_student_keeps_a_place_in_the_list(university, listed):
    on_leave = university.truth.on_leave - university.truth.past_normal_time
    assert on_leave and on_leave <= set(listed["dropout"]["student_number"])


def test_a_programme_of_graduates_only_has_nobody_at_risk(listed):
    for target in TARGETS:
        assert not listed[target]["student_number"].str.contains("M2", regex=False).any()


def test_a_programme_without_news_for_two_years_is_on_no_list_of_present_risks(listed):
    """Its last term ended in 2024: whoever was enrolled then has graduated or not, nobody here knows."""
    for target in TARGETS:
        old = listed[target][listed[target]["student_number"].str.startswith("00")]
        assert old["student_number"].tolist() == [], target


def test_those_past_their_time_stand_apart_with_what_is_missing(university):
    from data.scores.standing_queries import standing

    with university.store() as store:
        found = standing(store, EVERYBODY, past_normal=True, program_code="54231")
    right = {nim for nim in university.truth.past_normal_time if nim.startswith("F1D")}
    assert len(right) == 30
    assert set(found["student_number"]) == right
    assert (found["credits_to_go"] >= 0).all() and (found["terms_over"] >= 8).all()


def test_the_model_is_judged_on_later_cohorts_beside_simple_rules(university):
    with university.store() as store:
        found = served_model(store).manifest.assessment
    assert all(set(arms) == set(ARMS) for arms in found.evaluations.values()) and found.evaluations
    said = university.done("train")
    assert "Not graduating within the normal terms" in said and "Dropping out" in said


def test_a_signature_takes_part_only_with_a_consent_to_the_model(university, listed):
    agreed = university.truth.consenting["Prediksi kelulusan"]
    for target in TARGETS:
        fused = listed[target][listed[target]["modality"] == "fused"]
        assert set(fused["student_number"]) <= agreed, target


def test_what_signatures_add_is_asked_of_those_who_agreed_and_of_nobody_else(university):
    agreed = university.truth.consenting["Prediksi kelulusan"]
    known = {nim for nim in agreed if university.truth.labels[nim] in ("on_time", "delayed", "dropout")}
    compared = re.findall(r"The same (\d+) students with a signature", university.done("train"))
    assert len(compared) == len(TARGETS)
    assert all(0 < int(n) <= len(known) for n in compared), (compared, len(known))


def test_a_national_route_is_one_to_the_model_and_has_the_offices_word_in_the_record(university):
    with university.store() as store:
        records = queries.records_until(store)
        learned = set(load_model(store).encoder.categories["admission_path"])
    assert set(records.students["admission_path"]) == {"SNBP", "SNBT", "Mandiri"}
    assert learned == {"SNBP/SNMPTN", "SNBT/SBMPTN", "Mandiri"}
