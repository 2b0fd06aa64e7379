"""Scores, explanations, models, and the derived tables that pages read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data import queries, schema
from data.records.derived import rebuild_register_cubes, rebuild_risk
from data.store import RecordFrames, save_model, serve_model, write_records, write_scores
from data.trust.scope import Scope

SYSTEM = Scope.system()
ANI = Scope("ani", "advisor", True, None, True, True)

#  student, as-of index, risk, band
SCORED = [
    ("S07", 1, 0.20, "low"),
    ("S07", 2, 0.35, "moderate"),
    ("S08", 1, 0.50, "high"),
    ("S08", 2, 0.45, "high"),
    ("S10", 6, 0.90, "very_high"),  # past its normal time: kept, and on no list of the late
    ("S02", 2, 0.70, "high"),  # graduated since: in the past, not in the present
]


def score_frame(keys, rows=SCORED, version="m1", target="late", modality="records") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "student_key": keys[number],
                "as_of_index": index,
                "as_of_term": 20221,
                "target": target,
                "model_version": version,
                "modality": modality,
                "risk": risk,
                "risk_low": risk - 0.1,
                "risk_high": risk + 0.1,
                "margin": float(np.log(risk / (1 - risk))),
                "band": band,
            }
            for number, index, risk, band in rows
        ]
    )


def write(store, frame) -> int:
    n = len(frame)
    phi = np.arange(n * 3, dtype="float32").reshape(n, 3)
    return write_scores(store, frame, phi, phi + 100, np.full(n, -1.5))


@pytest.fixture
def scored(small_register):
    store = small_register.store
    save_model(store, "m1", store.models_folder / "m1", {"auc": 0.8}, "served")
    write(store, score_frame(small_register.keys))
    return small_register


def test_a_caseload_lists_the_newest_score_of_enrolled_students_by_risk(scored):
    rows = queries.caseload(scored.store, SYSTEM, "late", 10)
    assert rows["student_number"].tolist() == ["S08", "S07"]
    assert rows["risk"].tolist() == [0.45, 0.35]
    assert rows["as_of_index"].tolist() == [2, 2]


def test_a_caseload_knows_the_score_before(scored):
    rows = queries.caseload(scored.store, SYSTEM, "late", 10).set_index("student_number")
    assert rows.loc["S07", ["previous_risk", "previous_band"]].tolist() == [0.20, "low"]
    assert rows.loc["S08", ["previous_risk", "previous_band"]].tolist() == [0.50, "high"]


def test_filters_limit_offset_and_search_choose_rows(scored):
    def numbers(**options):
        return queries.caseload(scored.store, SYSTEM, "late", **{"limit": 10, **options})[
            "student_number"
        ].tolist()

    assert numbers(program_code="MI") == []
    assert numbers(cohort_term=20221) == ["S08", "S07"]
    assert numbers(band="high") == ["S08"]
    assert numbers(search="s07") == ["S07"]
    assert numbers(limit=1, offset=1) == ["S07"]
    assert numbers(limit=-1) == []
    assert queries.caseload_size(scored.store, SYSTEM, "late", program_code="IF") == 2


def test_an_advisor_reads_own_risks_only_and_leadership_none(scored):
    leadership = Scope("rector", "leadership", False, None, False, False)
    assert queries.caseload(scored.store, ANI, "late", 10)["student_number"].tolist() == ["S07"]
    assert queries.caseload(scored.store, leadership, "late", 10).empty
    anonymous = Scope("ani", "advisor", True, None, False, True)
    rows = queries.caseload(scored.store, anonymous, "late", 10)
    assert len(rows) == 1
    assert not {"name", "student_number"} & set(rows.columns)
    assert queries.caseload(scored.store, anonymous, "late", 10, search="S07").empty


def test_the_cube_counts_the_present_and_the_past(scored):
    now = queries.cohort_cube(scored.store, SYSTEM, "late")
    assert now.values.tolist() == [
        ["IF", 20221, "high", 1, 0.45],
        ["IF", 20221, "moderate", 1, 0.35],
    ]
    then = queries.cohort_cube(scored.store, SYSTEM, "late", 2)
    assert then["students"].sum() == 3
    assert then.loc[then["cohort_term"] == 20191, "risk_sum"].tolist() == [0.70]


@pytest.mark.parametrize("index", [-1, 2])
def test_an_advisors_cube_counts_own_students_only(scored, index):
    cube = queries.cohort_cube(scored.store, ANI, "late", index)
    assert cube["students"].sum() == {-1: 1, 2: 2}[index]


def test_writing_the_same_scores_again_adds_nothing(scored):
    before = queries.counts(scored.store)
    assert write(scored.store, score_frame(scored.keys)) == 0
    assert queries.counts(scored.store).equals(before)


def test_only_missing_scores_are_added_and_get_their_own_explanation(scored):
    rows = [("S07", 2, 0.35, "moderate"), ("S12", 0, 0.55, "high")]
    assert write(scored.store, score_frame(scored.keys, rows)) == 1
    new = queries.score_history(scored.store, SYSTEM, scored.keys["S12"]).iloc[0]
    why = queries.explanation(scored.store, SYSTEM, new["score_id"])
    assert why.phi.tolist() == [3, 4, 5]
    assert why.inputs.tolist() == [103, 104, 105]
    assert (why.base_value, why.score["risk"]) == (-1.5, 0.55)


def test_an_explanation_out_of_reach_is_none(scored):
    history = queries.score_history(scored.store, SYSTEM, scored.keys["S08"])
    assert queries.explanation(scored.store, ANI, history["score_id"].iloc[0]) is None
    assert queries.explanation(scored.store, SYSTEM, 10_000) is None


def test_score_history_is_in_order_with_the_models_status(scored):
    history = queries.score_history(scored.store, SYSTEM, scored.keys["S07"])
    assert history["as_of_index"].tolist() == [1, 2]
    assert history["status"].unique().tolist() == ["served"]


def test_a_candidate_changes_no_page_until_it_is_served(scored):
    store = scored.store
    save_model(store, "m2", "m2", {})
    write(store, score_frame(scored.keys, [("S07", 2, 0.99, "very_high")], version="m2"))
    assert queries.caseload(store, ANI, "late", 10)["risk"].tolist() == [0.35]
    serve_model(store, "m2")
    assert queries.caseload(store, ANI, "late", 10)["risk"].tolist() == [0.99]
    assert queries.cohort_cube(store, SYSTEM, "late")["students"].sum() == 1
    assert queries.models(store).set_index("model_version")["status"].to_dict() == {
        "m1": "retired",
        "m2": "served",
    }
    serve_model(store, "m1")
    assert len(queries.caseload(store, SYSTEM, "late", 10)) == 2


def test_a_model_is_read_back_and_only_a_registered_one_can_be_served(scored):
    model = queries.served_model(scored.store)
    assert (model.version, model.folder, model.manifest) == ("m1", "m1", {"auc": 0.8})
    with pytest.raises(ValueError, match="must be a registered model, got 'm9'"):
        serve_model(scored.store, "m9")
    assert queries.served_model(scored.store).version == "m1"


def test_without_a_served_model_the_newest_with_scores_is_shown(small_register):
    save_model(small_register.store, "m1", "m1", {})
    write(small_register.store, score_frame(small_register.keys))
    assert queries.served_model(small_register.store) is None
    assert len(queries.caseload(small_register.store, SYSTEM, "late", 10)) == 2


def test_a_student_who_graduates_leaves_the_caseload_with_the_import(scored):
    row = {"student_number": ["S08"], "exit_type": ["graduated"], "observed_until": ["2025-01-01"]}
    frames = RecordFrames(outcomes=pd.DataFrame(row))
    write_records(scored.store, frames, source="x", files={}, actor="test")
    assert queries.caseload(scored.store, SYSTEM, "late", 10)["student_number"].tolist() == ["S07"]
    assert queries.cohort_cube(scored.store, SYSTEM, "late")["students"].sum() == 1


def test_a_new_advisor_sees_the_student_with_the_import(scored):
    frame = scored.first.students.assign(advisor="ani")[
        ["student_number", "program_code", "cohort_term", "advisor"]
    ]
    write_records(scored.store, RecordFrames(students=frame), source="x", files={}, actor="test")
    assert len(queries.caseload(scored.store, ANI, "late", 10)) == 2


def test_a_student_who_changes_programme_is_counted_there_in_the_past_too(scored):
    row = {"student_number": ["S07"], "program_code": ["MI"], "cohort_term": [20221]}
    frames = RecordFrames(students=pd.DataFrame(row))
    write_records(scored.store, frames, source="x", files={}, actor="test")
    for index, programs in ((-1, {"IF": 1, "MI": 1}), (1, {"IF": 1, "MI": 1})):
        cube = queries.cohort_cube(scored.store, SYSTEM, "late", index)
        assert cube.groupby("program_code")["students"].sum().to_dict() == programs
    flow = queries.flow_counts(scored.store, SYSTEM).groupby("program_code")["students"].sum()
    assert flow.to_dict() == {"IF": 7, "MI": 5}


def test_a_small_import_leaves_the_cubes_as_a_full_rebuild_would(scored):
    store, tables = scored.store, (schema.flow_cube, schema.term_cube, schema.risk_cube, schema.risk_current)
    terms = {"student_number": ["S12"], "term_id": [20231], "status": ["A"], "gpa_cum": [3.0]}
    exits = {"student_number": ["S08"], "exit_type": ["resigned"], "observed_until": ["2025-01-01"]}
    frames = RecordFrames(terms=pd.DataFrame(terms), outcomes=pd.DataFrame(exits))
    write_records(store, frames, source="x", files={}, actor="test")

    def rounded(row) -> tuple:
        return tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row)

    def rows() -> list:
        with store.reading() as connection:
            return [sorted(map(rounded, connection.execute(select(table)))) for table in tables]

    small = rows()
    with store.writing() as connection:
        rebuild_register_cubes(connection)
        rebuild_risk(connection, "m1")
    assert rows() == small
    assert len(queries.caseload(store, SYSTEM, "late", 10)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "fame"}, "scores.target must be one of"),
        ({"band": "purple"}, "scores.band must be one of"),
        ({"as_of_index": 1, "student_key": "0000000000000007"}, "scores must be unique by"),
    ],
)
def test_scores_that_break_a_rule_are_refused(small_register, change, message):
    save_model(small_register.store, "m1", "m1", {})
    with pytest.raises(ValueError, match=message):
        write(small_register.store, score_frame(small_register.keys).assign(**change))


def test_explanations_must_be_one_per_score(small_register):
    frame = score_frame(small_register.keys)
    with pytest.raises(ValueError, match="phi must have one row per score, 6, got 5"):
        write_scores(small_register.store, frame, np.zeros((5, 2)), np.zeros((6, 2)), np.zeros(6))
