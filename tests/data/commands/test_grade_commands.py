"""Course grades on the command line: loading with a scale of one's own, and the rules of counting."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

from data import queries
from data.__main__ import app
from data.records.course_results import GradeRules
from data.settings import get_settings
from data.store import open_store
from data.trust import audit
from tests.data.records.test_grades import KHS, STUDENTS, TERMS, khs


@pytest.fixture
def run(tmp_path, monkeypatch, sqlite_template):
    """Run a command on an empty store."""
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'tepat.db'}")
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    for name, text in (("m.csv", STUDENTS), ("s.csv", TERMS), ("khs.csv", KHS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    yield lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])
    get_settings.cache_clear()


ALL = ("load", "--students", "m.csv", "--terms", "s.csv", "--grades", "khs.csv")


def test_a_khs_is_loaded_and_the_rule_of_counting_is_told(run, tmp_path):
    done = run(*ALL)
    assert done.exit_code == 0, done.output
    assert "grades: 6 rows, 0 refused" in done.output
    assert "of several attempts at a course the best counts; 1 grade points pass" in done.output
    assert "  grades             6 new" in done.output.split("written:")[1]
    again = run(*ALL)
    assert "  grades             0 new         0 changed         6 same" in again.output


def test_an_unknown_mark_stops_the_load_until_it_is_said(run, tmp_path):
    (tmp_path / "khs.csv").write_text(khs("20241;X1;Satu;3;Q7", "20241;X2;Dua;3;AB"), encoding="utf-8")
    refused = run(*ALL)
    assert refused.exit_code == 1
    assert "REC025 khs.csv row 2 Nilai Huruf 'Q7'" in refused.output
    (tmp_path / "skala.csv").write_text("Nilai Huruf;Bobot\nQ7;2,75\nAB;3,4\n", encoding="utf-8")
    done = run(*ALL, "--codes", "skala.csv")
    assert done.exit_code == 0, done.output
    store = open_store(folder=tmp_path)
    assert sorted(queries.records_until(store).attempts["grade_points"]) == [2.75, 3.4]
    store.close()


def test_a_list_whose_marks_mean_nothing_is_refused(run, tmp_path):
    (tmp_path / "skala.csv").write_text("Nilai Huruf;Bobot\nA;98\n", encoding="utf-8")
    refused = run(*ALL, "--codes", "skala.csv")
    assert refused.exit_code == 2 and "must be grade points from 0 to 4" in refused.output


def test_the_rules_are_shown_changed_and_logged(run, tmp_path):
    run(*ALL)
    assert run("grade-rules").stdout.splitlines() == ["counts: best", "pass_points: 1.0"]
    changed = run("grade-rules", "--counts", "last", "--pass-points", "2")
    assert changed.stdout.splitlines() == ["counts: last", "pass_points: 2.0"]
    for wrong in (("--counts", "first"), ("--pass-points", "9")):
        assert run("grade-rules", *wrong).exit_code == 2
    store = open_store(folder=tmp_path)
    assert queries.grade_rules(store) == GradeRules("last", 2.0)
    entry = audit.entries(store, action="change grade rules").iloc[0]
    assert entry["detail"] == {"counts": "last", "pass_points": 2.0}
    store.close()
    assert "the last counts; 2 grade points pass" in run(*ALL, "--dry-run").output
