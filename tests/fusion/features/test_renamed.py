"""A category with a new name is the same to the model and to the watch; the record keeps its word."""

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.registers import make_register
from fusion.features.build import build_features
from fusion.features.encode import TableEncoder
from fusion.features.renamed import RENAMED, known_as, one_name
from fusion.monitoring.drift import category_psi

SNBP, SNBT = "SNBP/SNMPTN", "SNBT/SBMPTN"


def with_students(register, **columns):
    return dataclasses.replace(register, students=register.students.assign(**columns))


@pytest.mark.parametrize(
    ("said", "year", "meant"),
    [
        ("SNMPTN", 2022, SNBP),
        ("SNBP", 2023, SNBP),
        ("SBMPTN", 2015, SNBT),
        ("snbt", 2024, SNBT),
        ("Seleksi Nasional Berdasarkan Tes (SNBT)", 2024, SNBT),
        ("Seleksi Nasional Masuk Perguruan Tinggi Negeri", 2019, SNBP),
        ("SNMPTN", 2012, "SNMPTN"),  # then an examination as well: another thing under the same letters
        ("SBMPTN", None, "SBMPTN"),  # an entry that nobody knows says nothing of which route it was
        ("SNMPTN Bidikmisi", 2019, "SNMPTN Bidikmisi"),  # more than the route: left as it stands
        ("Mandiri", 2023, "Mandiri"),
        (None, 2023, None),
    ],
)
def test_a_route_has_one_name_under_its_old_and_its_new_one(said, year, meant):
    found = one_name("admission_path", pd.Series([said], dtype=object), pd.Series([year], dtype=float))
    assert found.tolist() == [meant]


def test_a_name_of_one_column_means_nothing_in_another():
    assert one_name("funding_at_entry", pd.Series(["SNMPTN"]), pd.Series([2020])).tolist() == ["SNMPTN"]
    assert one_name("funding_at_entry", pd.Series(["Bidikmisi"]), pd.Series([2018])).tolist() == [
        "KIP-Kuliah/Bidikmisi"
    ]


def test_every_declaration_says_why_and_no_spelling_stands_for_two():
    keys = [(one.feature, key) for one in RENAMED for key in one.keys]
    assert len(keys) == len(set(keys))
    assert all(len(one.names) > 1 and one.why and one.since > 1900 for one in RENAMED)


def test_features_hold_the_one_name_and_the_record_keeps_its_own(hand_register):
    paths = ["SNMPTN", "SNBP", None]
    register = with_students(hand_register, admission_path=paths, funding_at_entry=["KIP Kuliah", None, "x"])
    table = build_features(register, 1)
    assert table["admission_path"].tolist() == [SNBP, SNBP, None]
    assert table["funding_at_entry"].tolist() == ["KIP-Kuliah/Bidikmisi", None, "x"]
    kept = register.students["admission_path"]
    assert kept[kept.notna()].tolist() == paths[:2]


def test_routes_and_scholarship_that_changed_their_names_between_intakes_are_no_drift():
    register = make_register(800, np.random.default_rng(5))
    rng, students = np.random.default_rng(1), register.students
    entered = students["cohort_term"] + 100  # ten years later: the letters mean what they mean today
    year = entered // 10
    young = (year > year.median()).to_numpy()
    drawn, funded = rng.integers(0, 3, len(students)), rng.random(len(students)) < 0.5
    names = {False: np.array(["SNMPTN", "SBMPTN", "Mandiri"]), True: np.array(["SNBP", "SNBT", "Mandiri"])}
    path = np.where(young, names[True][drawn], names[False][drawn]).astype(object)
    grant = np.where(young, "KIP-Kuliah", "Bidikmisi")
    raw = {"admission_path": path, "funding_at_entry": np.where(funded, grant, "self").astype(object)}
    for values in raw.values():  # by the letters alone, a large shift
        assert category_psi(values[~young], values[young]) > 1
    frame = students.assign(**raw, cohort_term=entered)
    terms = register.terms.assign(term_id=register.terms["term_id"] + 100)
    table = build_features(
        dataclasses.replace(register, students=frame, terms=terms), 0, today=date(2040, 1, 1)
    )
    assert set(table["admission_path"]) == {SNBP, SNBT, "Mandiri"}
    late = table.index.isin(students["student_key"][young])
    for name in raw:
        values = table[name].to_numpy(object)
        assert category_psi(values[~late], values[late]) < 0.1


def test_a_model_that_learned_a_route_under_an_older_name_knows_it_under_the_one_name():
    table = pd.DataFrame({"admission_path": [SNBP, SNBT, "Mandiri", "another", None]}, dtype=object)
    names = ("admission_path",)
    before = TableEncoder(names, {"admission_path": ("Mandiri", "SBMPTN", "SNMPTN")})
    assert np.array_equal(
        before.matrix(table),
        np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0], [np.nan] * 3], np.float32),
        equal_nan=True,
    )
    assert np.array_equal(before.inputs(table)[:, 0], [2, 1, 0, -1, np.nan], equal_nan=True)
    both = TableEncoder(names, {"admission_path": ("SNBP", "SNMPTN")})
    assert both.matrix(table)[0].tolist() == [1, 0]  # the newer name stands for it, once
    now = TableEncoder(names, {"admission_path": ("Mandiri", SNBP, SNBT)})
    assert now.matrix(table)[:3].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_what_a_list_knows_a_value_as():
    assert known_as("admission_path", SNBP, {"SNMPTN"}) == "SNMPTN"
    assert known_as("admission_path", SNBP, {SNBP, "SNMPTN"}) == SNBP
    assert known_as("admission_path", "Mandiri", {"SNMPTN"}) == "Mandiri"
