"""The benchmarks of the risk model report what they say, on data small enough for a test."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import coverage, early_warning, fusion, signs
from benchmarks.public_students import Task, oulad_tasks


@pytest.mark.slow
def test_intervals_of_95_percent_cover_in_about_95_percent_of_cases():
    rows = coverage.figure_coverage("students", 120, 120, seed=5)
    assert {row["interval"] for row in rows} == set(coverage.FIGURES)
    # 120 samples: three standard errors of a coverage of 0.95 are 0.06
    assert all(0.88 <= row["covered"] <= 1.0 for row in rows)
    assert np.mean([row["covered"] for row in rows]) > 0.92


@pytest.mark.parametrize("size", [300, 3000])
def test_ranges_hold_the_true_risk_for_small_and_large_archives(size):
    assert 0.92 <= coverage.range_coverage(size, 40, seed=6)["covered"] <= 0.985


def test_early_warning_writes_every_figure_with_its_interval(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=160), "region": rng.choice(["a", "b"], 160)})
    outcome = (rng.random(160) < 1 / (1 + np.exp(-1.5 * table["x"]))).to_numpy(float)
    task = Task("invented", "day one", table, outcome, np.arange(160), {"auc": 0.8})
    monkeypatch.setattr(early_warning, "uci_tasks", lambda folder: [task])
    monkeypatch.setattr(early_warning, "oulad_tasks", lambda folder: [])
    monkeypatch.setattr(early_warning, "SETTINGS", early_warning.TreeSettings(rounds=15))
    monkeypatch.setattr(early_warning, "DRAWS", 40)
    early_warning.main(data=tmp_path, json_file=tmp_path / "f.json", seeds=1, only="")
    rows = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["rows"]
    assert [row["model"] for row in rows] == ["ours", "logistic regression", "reference"]
    for row in rows[:2]:
        for key in early_warning.FIGURES:
            assert (
                set(row[key]) == {"value", "low", "high"}
                and row[key]["low"] <= row[key]["value"] <= row[key]["high"]
            )
    assert rows[0]["auc"]["value"] > 0.7


def test_oulad_tasks_leave_the_outcome_out_and_drop_who_is_gone(tmp_path):
    folder = tmp_path / "oulad"
    folder.mkdir()
    keys = "code_module,code_presentation,id_student"
    lines = {
        "studentInfo": f"{keys},gender,region,highest_education,imd_band,age_band,num_of_prev_attempts,"
        "studied_credits,disability,final_result\nA,2013J,1,M,W,HE,10%,0-35,0,60,N,Pass\n"
        "A,2013J,2,F,W,HE,,0-35,0,60,N,Withdrawn\nA,2013J,3,F,W,HE,,0-35,1,60,N,Fail\n",
        "studentRegistration": f"{keys},date_registration,date_unregistration\nA,2013J,1,-20,\n"
        "A,2013J,2,-10,12\nA,2013J,3,-5,\n",
        "assessments": "code_module,code_presentation,id_assessment,assessment_type,date,weight\n"
        "A,2013J,7,TMA,20,10\n",
        "studentAssessment": "id_assessment,id_student,date_submitted,is_banked,score\n7,1,18,0,80\n",
    }
    for name, text in lines.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    tasks = list(oulad_tasks(tmp_path))
    assert [task.setting for task in tasks[:2]] == ["registration facts", "without demography"]
    assert tasks[0].outcome.tolist() == [0, 1, 1]
    by_day_30 = tasks[2]
    assert by_day_30.group.tolist() == [1, 3]  # the one who left on day 12 is not asked about any more
    assert by_day_30.table["handed_in"].tolist() == [1, 0] and by_day_30.table["missing"].tolist() == [0, 1]
    for task in tasks:
        assert not {"final_result", "date_unregistration"} & set(task.table.columns)


def test_the_self_test_counts_verdicts_and_calls_a_false_nothing_by_its_name():
    rows = [
        {"verdict": "adds", "oracle_gain": 0.03},
        {"verdict": "nothing", "oracle_gain": 0.02},
        {"verdict": "nothing", "oracle_gain": 0.004},
        {"verdict": "few", "oracle_gain": 0.02},
    ]
    found = fusion.summary("planted", rows)
    assert found["verdicts"] == {"adds": 1, "few": 1, "nothing": 2}
    assert (found["adds"], found["false_nothing"]) == (0.25, 0.25)
    assert found["oracle_gain"] == pytest.approx(0.0185)
    assert fusion.summary("null", [{"verdict": "few"}])["oracle_gain"] is None


@pytest.mark.parametrize("name", ["sex", "program", "cohort", "class", "unrecorded"])
def test_a_confounded_register_shows_in_the_signature_what_tells_the_outcome(name):
    import numpy as np

    from benchmarks.registers import make_register

    register = make_register(3000, np.random.default_rng(1), link=0.8, stands_for=name)
    column = {"sex": "sex", "class": "region", "program": "program_code", "cohort": "cohort_term"}.get(name)
    assert register.chance[register.trait > 0].mean() > register.chance[register.trait < 0].mean() + 0.15
    if column is not None:  # the register names it: one value of the trait for each value of the column
        assert (register.students.assign(t=register.trait).groupby(column)["t"].nunique() == 1).all()
    plain = make_register(3000, np.random.default_rng(1))
    assert (plain.students["program_code"] == register.students["program_code"]).all()


def test_a_benchmark_answers_to_its_module_name_too(tmp_path, monkeypatch):
    import runpy
    import sys

    monkeypatch.setattr(sys, "argv", ["benchmarks", "early_warning", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("benchmarks", run_name="__main__")
    assert ended.value.code == 0


@pytest.mark.slow
def test_signs_counts_nothing_wrong_and_tells_what_the_limits_cost(tmp_path):
    signs.main(None, tmp_path / "f.json", demos=1, demo_students=200, registers=0, students=400)
    found = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert [row["target"] for row in found["rows"]] == ["late", "dropout"]
    for row in found["rows"]:
        assert all(one["wrong"] == 0 and one["of"] > 1000 for one in row["kept"].values())
        assert row["free"]["levers"]["wrong"] > 0  # what the check is for
        for figure in ("auc", "brier"):
            difference = row[figure]["difference"]
            assert difference["low"] <= difference["value"] <= difference["high"]
            told = row[figure]["kept"] - row[figure]["free"]
            assert difference["value"] == pytest.approx(told, abs=2e-4)


def test_of_uci_what_was_passed_and_paid_has_a_direction_and_what_was_taken_has_none():
    found = {
        name: signs._uci_direction(name)
        for name in ("Curricular units 1st sem (approved)", "Debtor", "Curricular units 2nd sem (enrolled)")
    }
    assert list(found.values()) == [-1, 1, 0]
