"""The reads that only pages ask, on both databases."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.store import NewSpecimen, save_model, write_quality, write_scores, write_specimens
from data.trust.scope import Scope

EVERYBODY = Scope.system()
ANI = Scope("ani", "advisor", True, None, True, True)
LEADERS = Scope("lead", "leadership", False, None, False, False)


@pytest.fixture
def scored(small_register):
    """The small register with scores of two terms for the students who still study."""
    keys = small_register.keys
    save_model(small_register.store, "m1", "m1", {}, "served")
    rows = [
        (keys["S07"], 1, 20221, 0.30, "low"),
        (keys["S07"], 2, 20222, 0.70, "high"),
        (keys["S08"], 2, 20222, 0.90, "very_high"),
        (keys["S10"], 6, 20222, 0.50, "moderate"),
    ]
    columns = ["student_key", "as_of_index", "as_of_term", "risk", "band"]
    scores = pd.DataFrame(rows, columns=columns).assign(
        target="late",
        model_version="m1",
        modality="records",
        margin=0.0,
        risk_low=lambda frame: frame["risk"] - 0.1,
        risk_high=lambda frame: frame["risk"] + 0.1,
    )
    phi = np.arange(8, dtype=np.float32).reshape(4, 2)
    write_scores(small_register.store, scores, phi, phi + 1, np.full(4, -1.0))
    return small_register


def test_the_version_changes_when_scores_are_written(small_register, request):
    before = queries.data_version(small_register.store)
    request.getfixturevalue("scored")
    after = queries.data_version(small_register.store)
    assert before != after
    assert after.endswith("-m1")
    assert after == queries.data_version(small_register.store)


def test_the_term_before_counts_only_those_who_had_a_score(scored):
    found = queries.previous_cube(scored.store, LEADERS, "late")
    assert found.to_dict("records") == [
        {"program_code": "IF", "cohort_term": 20221, "band": "low", "students": 1}
    ]


def test_the_load_of_each_advisor(scored):
    found = queries.advisor_load(scored.store, LEADERS, "late").set_index("advisor")
    assert found["students"].to_dict() == {"ani": 1, "budi": 1}
    assert found["at_risk"].to_dict() == {"ani": 1, "budi": 1}


def test_an_advisor_reads_lines_reasons_and_cohorts_of_own_students_only(scored):
    keys = [scored.keys[number] for number in ("S07", "S08")]
    lines = queries.risk_lines(scored.store, ANI, "late", keys)
    assert lines["student_key"].unique().tolist() == [scored.keys["S07"]]
    assert lines["risk"].tolist() == [0.3, 0.7]
    assert queries.own_cohorts(scored.store, ANI) == [20221]
    everything = queries.score_history(scored.store, EVERYBODY, scored.keys["S08"])
    assert queries.explanations(scored.store, ANI, everything["score_id"].tolist()).empty
    assert len(queries.explanations(scored.store, EVERYBODY, everything["score_id"].tolist())) == 1


def test_a_stored_explanation_comes_back_as_it_was_written(scored):
    history = queries.score_history(scored.store, ANI, scored.keys["S07"])
    found = queries.explanations(scored.store, ANI, history["score_id"].tolist())
    row = found[found["score_id"] == history["score_id"].iloc[-1]].iloc[0]
    assert row["phi"].tolist() == [2.0, 3.0]
    assert row["inputs"].tolist() == [3.0, 4.0]
    assert row["base_value"] == -1.0


def test_a_role_without_students_reads_none(scored):
    keys = list(scored.keys.values())
    assert queries.risk_lines(scored.store, LEADERS, "late", keys).empty
    assert queries.own_cohorts(scored.store, LEADERS) == []
    assert queries.specimen_counts(scored.store, LEADERS)["specimens"] == 0


@pytest.fixture
def specimens(small_register):
    """Four specimens of two of Ani's students and one of Budi's; one file stands under two students."""
    files = [
        ("S07", b"one", "enrollment", 1),
        ("S07", b"two", "exam", 2),
        ("S07", b"three", "exam", 3),
        ("S01", b"one", "exam", 4),
        ("S08", b"four", "thesis", 5),
    ]
    write_specimens(
        small_register.store,
        [
            NewSpecimen(number, data, date(2023, 1, day), context, "PNG", 600, 240, 300)
            for number, data, context, day in files
        ],
        source="signatures.zip",
        actor="test",
    )
    found = queries.specimen_list(small_register.store, EVERYBODY)
    ids = dict(zip(found["captured_on"].dt.day, found["specimen_id"], strict=True))
    clear = {"code": "SIG001", "title": "Blank", "status": "clear", "value": 0.1, "reason": ""}
    blurred = {"code": "SIG004", "title": "Blurred", "status": "found", "value": 0.9, "reason": "soft"}
    write_quality(small_register.store, {ids[1]: [clear], ids[2]: [clear, blurred]})
    return small_register


def test_specimens_are_counted_within_the_scope(specimens):
    assert queries.specimen_counts(specimens.store, EVERYBODY) == {
        "specimens": 5,
        "students": 3,
        "enough": 1,
        "checked": 2,
        "found": 1,
    }
    assert queries.specimen_counts(specimens.store, ANI)["specimens"] == 4


def test_specimens_are_listed_newest_first_and_filtered_by_finding_and_occasion(specimens):
    listed = queries.specimen_list(specimens.store, EVERYBODY)
    assert listed["student_number"].tolist() == ["S08", "S01", "S07", "S07", "S07"]
    assert len(queries.specimen_list(specimens.store, EVERYBODY, limit=2)) == 2
    blurred = queries.specimen_list(specimens.store, EVERYBODY, finding="SIG004")
    assert blurred["found"].tolist() == [["SIG004"]]
    assert queries.specimen_list(specimens.store, EVERYBODY, finding="SIG001").empty
    assert len(queries.specimen_list(specimens.store, EVERYBODY, finding="any")) == 1
    assert queries.specimen_list(specimens.store, EVERYBODY, context="thesis")["student_number"].tolist() == [
        "S08"
    ]


def test_a_file_under_two_students_is_found(specimens):
    found = queries.same_file_twice(specimens.store, EVERYBODY)
    assert sorted(found["student_number"]) == ["S01", "S07"]
    assert found["sha256"].nunique() == 1


def test_entries_of_the_audit_log_are_listed_newest_first(small_register):
    from data.trust import audit

    for action in ("first", "second", "third"):
        audit.append(small_register.store, actor="a", role="auditor", action=action, object="x")
    assert audit.entries(small_register.store, limit=2)["action"].tolist() == ["third", "second"]
