from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.calendar.labels import label_outcomes
from data.calendar.term_calendar import as_of_date, term_after, term_end, terms_between
from data.columns import DROPOUT_EXITS, OUTCOME_COLUMNS, STUDENT_COLUMNS, TERM_COLUMNS
from data.records.course_results import GradeRules, judged, term_figures
from data.synthetic.cohort import SNAPSHOT, make_university
from data.synthetic.courses import HARD


@pytest.fixture(scope="module")
def university():
    return make_university(6000, np.random.default_rng(7))


@pytest.fixture(scope="module")
def labels(university):
    frames = university.frames
    key = {"student_number": "student_key"}
    students, outcomes = frames.students.rename(columns=key), frames.outcomes.rename(columns=key)
    return students.merge(label_outcomes(students, frames.programs, outcomes), on="student_key")


def check_invariants(university):
    terms, outcomes = university.terms_now(), university.frames.outcomes.set_index("student_number")
    students = university.frames.students.set_index("student_number")
    assert students.index.is_unique and list(outcomes.index) == list(students.index)
    assert not terms.duplicated(["student_number", "term_id"]).any()
    passed = terms.groupby("student_number")["credits_passed"].cumsum()
    assert (terms["credits_cum"] == passed).all()
    assert (terms["credits_passed"] <= terms["credits_attempted"]).all()
    for rows in (terms, university.frames.terms):
        known = rows["known_at"]
        assert (known > pd.to_datetime([term_end(term) for term in rows["term_id"]])).all()
        assert (known <= pd.Timestamp(university.snapshot)).all()
    nothing_graded = (terms["credits_attempted"] == 0) | ~terms["status"].isin(["A", "M", "G"])
    assert terms.loc[nothing_graded, "gpa_term"].isna().all()
    assert terms["gpa_term"].dropna().between(0, 4).all() and terms["gpa_cum"].dropna().between(0, 4).all()
    first = terms["student_number"].map(students["cohort_term"])
    place = [terms_between(a, b) + 1 for a, b in zip(first, terms["term_id"], strict=True)]
    assert terms["term_index"].tolist() == place and max(place, default=1) <= 14
    exit_term = terms["student_number"].map(outcomes["exit_term"])
    assert (terms["term_id"] <= exit_term.fillna(99999)).all()
    exits = outcomes.dropna(subset="exit_type")
    assert (exits["exit_date"] <= pd.Timestamp(university.snapshot)).all()
    begun = students.loc[exits.index, "cohort_term"]
    taken = [terms_between(a, b) + 1 for a, b in zip(begun, exits["exit_term"], strict=True)]
    assert exits["terms_to_exit"].tolist() == taken
    assert outcomes["gpa_final"].notna().equals(outcomes["exit_type"].eq("graduated"))


def test_the_register_keeps_its_own_rules(university):
    check_invariants(university)


def test_course_grades_add_up_to_their_terms(university):
    """What a term says of credits, failures, repeats and its average is what its courses give."""
    first, changed = university.frames.course_attempts, university.changed_marks
    key = ["student_number", "course_code", "term_id", "attempt"]
    assert not first.duplicated(key).any() and len(changed) > 50
    now = pd.concat([first, changed]).drop_duplicates(key, keep="last")
    figures = term_figures(now.rename(columns={"student_number": "student_key"}), GradeRules())
    figures = figures.rename(columns={"student_key": "student_number"})
    terms = university.terms_now().merge(figures, on=key[:1] + key[2:3], how="left", suffixes=("", "_told"))
    for name in ("credits_attempted", "credits_passed", "courses_failed", "courses_repeated"):
        assert (terms[name] == terms[f"{name}_told"].fillna(0)).all(), name
    both = terms.dropna(subset=["gpa_term"])
    off = both[(both["gpa_term"] - both["gpa_term_told"]).abs() > 0.0101]
    # While the mark of a course is not in yet a row says its average roughly; it comes within eighty days.
    waiting = both["known_at"] > pd.Timestamp(university.snapshot) - pd.Timedelta(days=80)
    assert waiting[off.index].all() and len(off) < 0.01 * waiting.sum()
    assert terms.loc[terms["gpa_term"].isna(), "gpa_term_told"].isna().all()
    # An attempt is known with its term, as first booked.
    days = university.frames.terms.set_index(["student_number", "term_id"])["known_at"]
    places = pd.MultiIndex.from_frame(first[["student_number", "term_id"]])
    assert (first["known_at"].to_numpy() == days.reindex(places).to_numpy()).all()


def test_a_few_courses_of_a_programme_are_bottlenecks(university):
    rows = judged(
        university.frames.course_attempts.rename(columns={"student_number": "student_key"}), GradeRules()
    )
    rows = rows[rows["course_code"].str.startswith("552")]
    decided = rows[rows["passed"] | rows["failed"]].groupby("course_code")["failed"].agg(["size", "mean"])
    hard = [f"552{place:03d}" for place in HARD]
    common = decided[decided["size"] >= 200]
    assert common.loc[hard, "mean"].min() > common.drop(index=hard)["mean"].median() + 0.05


@settings(max_examples=12, deadline=None)
@given(
    n=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    link=st.floats(0, 1),
    snapshot=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
)
def test_any_size_seed_and_day_gives_a_register_that_keeps_its_rules(n, seed, link, snapshot):
    check_invariants(make_university(n, np.random.default_rng(seed), link, snapshot=snapshot))


def test_the_same_seed_gives_the_same_university_and_another_seed_another():
    first, again = (make_university(300, np.random.default_rng(3)) for _ in range(2))
    other = make_university(300, np.random.default_rng(4))
    for name in ("programs", "students", "terms", "outcomes"):
        pd.testing.assert_frame_equal(getattr(first.frames, name), getattr(again.frames, name))
    for name in ("corrections", "signatures", "consents", "accounts"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    assert first.student_keys == again.student_keys
    assert not first.frames.terms.equals(other.frames.terms)
    assert set(first.student_keys.values()).isdisjoint(other.student_keys.values())


def test_columns_are_those_of_the_common_layout_and_values_are_allowed(university):
    frames = university.frames
    for frame, columns in (
        (frames.students, STUDENT_COLUMNS),
        (frames.terms, TERM_COLUMNS),
        (frames.outcomes, OUTCOME_COLUMNS),
    ):
        known = {column.name: column for column in columns}
        assert set(frame.columns) <= set(known)
        for name in frame.columns:
            column, values = known[name], frame[name].dropna()
            assert column.nullable or len(values) == len(frame), name
            assert not column.allowed or set(values) <= set(column.allowed), name
            assert column.low is None or values.between(column.low, column.high).all(), name


def test_graduation_and_dropout_rates_are_those_of_an_indonesian_university(labels):
    ripe = labels[(labels["cohort_term"] <= 20201) & (labels["label"] != "censored")]
    bachelor = ripe["program_code"].isin(["55201", "61201", "22201", "86206"])
    on_time = ripe["label"].eq("on_time").groupby(bachelor).mean()
    assert 0.42 <= on_time[True] <= 0.60
    assert 0.42 <= on_time[False] <= 0.75
    assert 0.08 <= ripe["label"].eq("dropout").mean() <= 0.15


def test_the_newest_cohorts_are_too_young_to_be_labelled(labels):
    young = labels[labels["cohort_term"] >= 20241]
    assert set(young["label"]) <= {"censored", "dropout", "on_time"}
    assert young["label"].eq("censored").mean() > 0.9
    assert labels["cohort_term"].nunique() == 9


def test_everything_rare_happens_but_rarely(university):
    exits = university.frames.outcomes["exit_type"].value_counts(normalize=True)
    assert set(exits.index) == {"graduated", "deceased", "transferred", *DROPOUT_EXITS}
    assert 0 < exits["deceased"] < 0.006 and 0.002 < exits["transferred"] < 0.025
    status = university.frames.terms["status"].value_counts(normalize=True)
    assert 0.005 < status["C"] < 0.03 and 0.005 < status["N"] < 0.03 and 0.005 < status["M"] < 0.06
    entry = university.frames.students["entry_type"].value_counts(normalize=True)
    assert 0.015 < entry["transfer"] < 0.05
    assert university.frames.terms["courses_repeated"].gt(0).mean() > 0.1


def test_the_register_has_the_gaps_that_registers_have(university):
    terms, students = university.frames.terms, university.frames.students
    old = terms["term_id"] < 20201
    assert terms.loc[old, "attendance_rate"].isna().mean() > 0.6
    assert terms.loc[~old, "attendance_rate"].isna().mean() < 0.2
    funded = students.loc[students["funding_at_entry"].isin(["KIP-Kuliah", "Bidikmisi"]), "student_number"]
    assert terms.loc[terms["student_number"].isin(funded), "tuition_arrears_days"].isna().all()
    assert students["parental_income"].isna().mean() > 0.15


def test_some_rows_are_booked_late_and_a_few_corrected_afterwards(university):
    terms, fixed = university.frames.terms, university.corrections
    delay = terms["known_at"] - pd.to_datetime([term_end(term) for term in terms["term_id"]])
    assert 0.015 < (delay > pd.Timedelta(days=30)).mean() < 0.05
    both = fixed.merge(terms, on=["student_number", "term_id"], suffixes=("", "_before"))
    assert len(both) == len(fixed) and 0 < len(fixed) < 0.02 * len(terms)
    assert (both["known_at"] > both["known_at_before"]).all()
    assert (both["credits_passed"] == both["credits_passed_before"] + 3).all()
    assert (both["gpa_term"] >= both["gpa_term_before"]).all()


def test_hidden_engagement_drives_what_the_register_shows(university):
    traits = university.traits.set_index("student_number")
    first = university.frames.terms.query("term_index == 1").set_index("student_number")
    for column in ("gpa_term", "attendance_rate"):
        assert first[column].corr(traits["engagement"]) > 0.2
    assert first["tuition_arrears_days"].astype(float).corr(traits["hardship"]) > 0.1


@pytest.mark.parametrize(("link", "low", "high"), [(0.0, -0.05, 0.05), (0.15, 0.1, 0.2), (0.8, 0.77, 0.83)])
def test_signature_link_is_the_correlation_of_style_with_engagement(link, low, high):
    traits = make_university(5000, np.random.default_rng(1), link).traits
    assert low < traits["style"].corr(traits["engagement"]) < high


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(ValueError, match="n must be"):
        make_university(0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="signature_link"):
        make_university(5, np.random.default_rng(0), 1.5)


def test_specimens_are_captured_on_enrolment_before_the_first_score(university):
    plan, students = university.signatures, university.frames.students.set_index("student_number")
    start = plan["student_number"].map(students["cohort_term"]).map(lambda term: as_of_date(term, 0))
    enrolment = plan["context"] == "enrollment"
    assert (plan["captured_on"][enrolment] < pd.to_datetime(start[enrolment])).all()
    assert plan[enrolment].groupby("student_number").size().between(3, 6).all()
    assert (plan["captured_on"] <= pd.Timestamp(SNAPSHOT)).all()
    assert {"course_registration", "exam", "thesis"} < set(plan["context"])


def test_nobody_signs_after_leaving(university):
    outcomes = university.frames.outcomes.set_index("student_number")
    plan = university.signatures
    left = plan["student_number"].map(outcomes["exit_date"])
    assert (plan["captured_on"] <= left.fillna(pd.Timestamp(SNAPSHOT))).all()


def test_frauds_are_planted_as_announced(university):
    plan = university.signatures
    planted = plan["planted"].value_counts()
    forged = plan["planted"].isin(["skilled_forgery", "traced_forgery"])
    assert 0.003 < forged.mean() < 0.008
    assert not (plan["context"][forged] == "enrollment").any()
    reused = plan[plan["planted"] == "reused_image"]
    assert planted["reused_image"] == 2 and reused["student_number"].nunique() == 2
    assert reused["drawing_seed"].nunique() == 1 and reused["writer_seed"].nunique() == 1
    shared = plan[plan["planted"] == "one_hand_for_three"]
    assert shared["student_number"].nunique() == 3 and shared["writer_seed"].nunique() == 1
    honest = plan[plan["planted"].isna()].groupby("student_number")["writer_seed"].nunique()
    assert (honest == 1).all()
    assert 0.02 < plan["planted"].str.startswith("bad_scan").eq(True).mean() < 0.06


def test_only_students_who_agreed_give_signatures(university):
    consents = university.consents
    agreed = consents[(consents["purpose"] == "verification") & consents["granted"]]["student_key"]
    signing = university.signatures["student_number"].map(university.student_keys)
    assert set(signing) == set(agreed)
    last = consents.groupby(["purpose", "student_key"])["granted"].last().groupby("purpose").mean()
    assert 0.92 < last["verification"] < 0.96 and 0.80 < last["outcome_model"] < 0.88


def test_every_student_has_an_advisor_with_an_account_and_about_forty_enrolled(university):
    accounts = university.accounts
    assert set(accounts["role"]) == {
        "leadership", "advisor", "registry", "accreditation", "auditor", "administrator",
    }  # fmt: skip
    assert accounts["account"].is_unique
    assert set(university.frames.students["advisor"]) <= set(accounts["account"])
    enrolled = university.frames.outcomes["exit_type"].isna()
    assert university.frames.students["advisor"][enrolled].value_counts().between(28, 52).all()
    per_programme = university.frames.students.groupby("advisor")["program_code"].nunique()
    assert (per_programme == 1).all()


def test_keys_are_opaque_and_unlike_student_numbers(university):
    keys = university.student_keys
    assert len(set(keys.values())) == len(keys) == 6000
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys.values())


@pytest.mark.slow
def test_a_hundred_thousand_students_have_numbers_of_their_own():
    university = make_university(100_000, np.random.default_rng(0))
    assert university.frames.students["student_number"].is_unique
    assert term_after(university.frames.students["cohort_term"].max(), 2) == 20261
