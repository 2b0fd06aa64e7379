"""The JSON service over the second university, which was not written from this code.

No model was taught there yet.
"""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard.shell import stores
from dashboard.shell.service.routes import BASE, service_routes
from data.settings import get_settings
from data.trust.tokens import create_token
from tests.registers.second_university import truth


@pytest.fixture
def ask(university, monkeypatch):
    """A function that asks with a token of some programmes."""
    monkeypatch.setenv("TEPAT_API", "1")
    get_settings.cache_clear()
    monkeypatch.setattr(stores, "store", lambda: university)
    stores._programs.clear()
    client = TestClient(Starlette(routes=service_routes()))
    made = []

    def asked(path: str, programs=None, **query):
        made.append(1)
        name = f"{path.strip('/')}-{len(made)}-{id(made)}"
        secret = create_token(
            university, name, ["scores", "cohorts"], program_codes=programs, actor="a", role="administrator"
        )[1]
        return client.get(f"{BASE}{path}", params=query, headers={"Authorization": f"Bearer {secret}"})

    yield asked
    stores._programs.clear()
    get_settings.cache_clear()


def test_every_count_that_is_told_is_the_one_worked_out_by_hand(ask):
    said, known = ask("/cohorts", limit=500).json(), truth().counts
    assert said["synthetic"] is False and said["model_version"] is None
    told = 0
    for row in said["rows"]:
        labels = known[row["program_code"], row["cohort_term"] // 10]
        right = {
            "entered": sum(labels.values()),
            "graduated_on_time": labels["on_time"],
            "left": labels["dropout"],
            "elsewhere": labels["neither"],
        }
        for name, students in right.items():
            if not row[name]["hidden"]:
                assert row[name]["students"] == students, (row["program_code"], row["cohort_term"], name)
                told += 1
        assert row["late"] is None and row["dropout"] is None  # no model speaks here yet
    assert len(said["rows"]) == len(known) and told > len(known)


def test_a_token_of_one_programme_counts_that_one_alone(ask):
    code = sorted(code for code, _ in truth().counts)[0]
    rows = ask("/cohorts", [code], limit=500).json()["rows"]
    assert {row["program_code"] for row in rows} == {code}


def test_no_score_is_told_before_a_model_may_speak(ask):
    answer = ask("/scores", target="late")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_model")
