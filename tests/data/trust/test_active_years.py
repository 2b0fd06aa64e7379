"""Who was registered in which academic year, counted by hand, on both databases."""

from __future__ import annotations

import pandas as pd

from data.store import RecordFrames, write_records
from data.trust.reports_store import active_years
from data.trust.scope import Scope


def test_a_year_is_active_by_either_regular_term_and_by_no_short_one(store):
    students = pd.DataFrame(
        {
            "student_number": ["both", "odd", "even", "leave", "short", "away", "other"],
            "program_code": ["IF"] * 6 + ["MI"],
            "cohort_term": [20211] * 7,
        }
    )
    programs = pd.DataFrame(
        {
            "program_code": ["IF", "MI"],
            "name": ["IF", "MI"],
            "degree_level": "S1",
            "normal_terms": 8,
            "required_credits": 144,
        }
    )
    rows = [
        ("both", 20211, "A"),
        ("both", 20212, "A"),
        ("odd", 20211, "A"),
        ("odd", 20221, "G"),  # on exchange or graduating: registered all the same
        ("even", 20222, "M"),
        ("leave", 20211, "C"),
        ("leave", 20222, "A"),
        ("short", 20213, "A"),
        ("away", 20231, "A"),  # a year that nobody asks for
        ("other", 20221, "A"),
    ]
    terms = pd.DataFrame(rows, columns=["student_number", "term_id", "status"])
    write_records(
        store,
        RecordFrames(programs=programs, students=students, terms=terms),
        source="x.csv",
        files={},
        actor="test",
    )
    number = {store.cipher.student_key(one): one for one in students["student_number"]}

    def found(program_code: str) -> dict[str, list[int]]:
        table = active_years(store, Scope.system(), [2022, 2021], program_code)
        assert list(table.columns) == ["student_key", 2021, 2022]
        return {
            number[row["student_key"]]: [year for year in (2021, 2022) if row[year]]
            for row in table.to_dict("records")
        }

    expected = {"both": [2021], "odd": [2021, 2022], "even": [2022], "leave": [2022]}
    assert found("IF") == expected
    assert found("") == expected | {"other": [2022]}
    assert found("none") == {}
