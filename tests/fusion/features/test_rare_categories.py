"""A category or a gap that few students show is no reason: it would say who they were."""

import numpy as np
import pandas as pd

from fusion.features.encode import FEWEST, fit_encoder
from fusion.model.linear import LEAST_MARKED, fit_linear


def test_a_category_of_a_few_students_of_one_cohort_has_no_column_however_many_rows():
    students = np.repeat([f"s{i}" for i in range(100)], 6)
    path = np.where(np.isin(students, [f"s{i}" for i in range(FEWEST - 1)]), "renamed", "as before")
    table = pd.DataFrame({"admission_path": path.astype(object)})
    by_rows = fit_encoder(table, ["admission_path"])
    by_people = fit_encoder(table, ["admission_path"], students=students)
    assert by_rows.categories["admission_path"] == ("as before", "renamed")
    assert by_people.categories["admission_path"] == ("as before",)
    assert (by_people.matrix(table)[path == "renamed"] == 0).all()


def test_a_value_that_few_rows_lack_is_no_reason_and_one_that_many_lack_is():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 1)).astype(np.float32)
    outcome = (rng.random(2000) < 0.3).astype(float)
    few, many = x.copy(), x.copy()
    few[: LEAST_MARKED - 1], many[: 2 * LEAST_MARKED] = np.nan, np.nan
    outcome[: LEAST_MARKED - 1] = 1.0  # all who lack it met the outcome
    assert fit_linear(few, outcome).absent_slope[0] == 0
    assert fit_linear(many, outcome).absent_slope[0] > 0.5
