"""The what-if of a stored score: without a change it comes back, and levers move it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from dashboard.shell.wording import Words
from dashboard.students import whatif
from data import queries
from data.records.course_results import GradeRules
from data.trust.scope import Scope
from fusion.explanation.explain import explain_score
from fusion.explanation.facts import in_facts
from fusion.explanation.levers import LEVERS, NOT_STUDIED
from fusion.features.directions import column_signs
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows
from fusion.pipeline import load_model

EVERYBODY = Scope.system()


@pytest.fixture(scope="module")
def scores(small_university):
    """The model, and a stored explanation of each modality that the store has."""
    store = small_university.store
    listed = queries.caseload(store, EVERYBODY, "late", 300)
    listed = listed[listed["as_of_index"] >= 2]
    found = {
        modality: queries.explanation(store, EVERYBODY, rows.iloc[0]["score_id"])
        for modality, rows in listed.groupby("modality")
    }
    return load_model(store), found


def test_without_a_change_the_stored_score_comes_back(scores):
    model, found = scores
    assert found
    for stored in found.values():
        same = whatif.changed_score(model, whatif.stored_row(model, stored), stored, {})
        assert same.risk == pytest.approx(stored.score["risk"], abs=1e-4)
        ends = [np.nan if end is None else end for end in map(stored.score.get, ("risk_low", "risk_high"))]
        assert [same.low, same.high] == pytest.approx(ends, abs=1e-4, nan_ok=True)
        assert same.band == stored.score["band"]


def test_the_levers_start_at_what_the_register_says(scores):
    model, found = scores
    stored = next(iter(found.values()))
    row = whatif.stored_row(model, stored)
    known = whatif.levers(row)
    assert known
    for name, (now, low, high) in known.items():
        assert low <= now <= high, name
        assert now == pytest.approx(float(stored.inputs[list(model.encoder.names).index(name)]), abs=1e-4)


def test_the_worst_grades_give_a_higher_risk_than_the_best(scores):
    model, found = scores
    stored = next(iter(found.values()))
    row = whatif.stored_row(model, stored)
    worst = whatif.changed_score(model, row, stored, {"gpa_last": 0.0})
    best = whatif.changed_score(model, row, stored, {"gpa_last": 4.0})
    assert worst.risk > best.risk
    counted = model.targets[stored.score["target"]].calibrator.bins
    counted = counted[counted[:, 0] == stored.score["as_of_index"], 1]
    inside = len(counted) > 0 and counted[0] <= worst.risk <= counted[-1]
    assert np.isfinite(worst.low) == np.isfinite(worst.high) == inside  # a range only among past students
    assert not inside or 0 < worst.low <= worst.risk <= worst.high < 1


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_no_lever_of_any_student_runs_against_common_sense(small_university, target):
    """From the worst value to the best the risk never rises, as the panel scores it."""
    store, model = small_university.store, load_model(small_university.store)
    listed = queries.caseload(store, EVERYBODY, target, 300)
    tried = 0
    for score_id in listed["score_id"][:60]:
        stored = queries.explanation(store, EVERYBODY, score_id)
        row = whatif.stored_row(model, stored)
        for name, (_, low, high) in whatif.levers(row).items():
            values = [low, (low + high) / 2, high][:: LEVERS[name].better]
            risks = [whatif.changed_score(model, row, stored, {name: value}).risk for value in values]
            assert all(b <= a + 1e-6 for a, b in pairwise(risks)), (name, risks)
            tried += 1
    assert tried > 60


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_a_change_that_raises_the_risk_never_lowers_its_range(small_university, target):
    """And of every student the contributions sum to the margin of the score that was served."""
    store, model = small_university.store, load_model(small_university.store)
    listed, compared = queries.caseload(store, EVERYBODY, target, 300), 0
    for score_id in listed["score_id"][:: max(len(listed) // 25, 1)]:
        stored = queries.explanation(store, EVERYBODY, score_id)
        why = explain_score(
            model, target, stored.phi, stored.inputs, stored.base_value, stored.score["modality"]
        )
        told = in_facts(why).contributions
        assert why.base_value + sum(c.phi for c in told) == pytest.approx(stored.score["margin"], abs=1e-4)
        row = whatif.stored_row(model, stored)
        for name, (_, low, high) in whatif.levers(row).items():
            tried = [whatif.changed_score(model, row, stored, {name: v}) for v in np.linspace(low, high, 7)]
            for a, b in pairwise(sorted(tried, key=lambda one: one.risk)):
                if b.risk > a.risk and np.isfinite([a.low, b.low]).all():
                    assert b.low >= a.low - 1e-9 and b.high >= a.high - 1e-9, name
                    compared += 1
    assert compared > 20


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_no_stored_reason_runs_against_common_sense(small_university, target):
    """More courses failed than the peers' usual number never lowers a stored risk; every feature likewise."""
    store, model = small_university.store, load_model(small_university.store)
    encoder, peers = model.encoder, model.targets[target].records.peers
    signs, columns = column_signs(encoder, target), encoder.columns
    ids = queries.caseload(store, EVERYBODY, target, 300)["score_id"].tolist()
    stored = queries.explanations(store, EVERYBODY, ids)
    held = 0
    for one in stored.itertuples(index=False):
        row = whatif.stored_row(model, queries.explanation(store, EVERYBODY, one.score_id))
        usual = peers.usual[peers.group_of(row.table)[0]]
        for place, name in enumerate(encoder.names):
            if name in encoder.categories or not signs[columns.index(name)]:
                continue
            worse = (one.inputs[place] - usual[columns.index(name)]) * signs[columns.index(name)]
            if worse:
                assert np.isnan(worse) or one.phi[place] * np.sign(worse) >= -1e-6, name
                held += 1
    assert held > 100


def test_of_a_term_without_courses_nothing_can_be_moved(scores):
    model, found = scores
    row = whatif.stored_row(model, next(iter(found.values())))
    assert whatif.studied(row)
    row.table["status_last"] = "N"
    assert whatif.levers(row) == {} and not whatif.studied(row)


def test_every_lever_stands_at_the_value_of_the_term_that_the_score_follows(small_university):
    """A value that is older than that term is no lever: two terms would be mixed."""
    store, model = small_university.store, load_model(small_university.store)
    listed = queries.caseload(store, EVERYBODY, "dropout", 300)
    listed = listed[listed["as_of_index"] >= 2]
    kept = 0
    for row in listed.itertuples():
        stored = queries.explanation(store, EVERYBODY, row.score_id)
        terms = queries.term_rows(store, EVERYBODY, row.student_key)
        known = whatif.levers(whatif.stored_row(model, stored))
        mine = whatif.of_one_term(known, terms, int(row.as_of_index))
        last = terms[terms["term_index"] == row.as_of_index]
        if len(last) and last["status"].isin(NOT_STUDIED).all():
            assert mine == {}
            continue
        for name, (now, _, _) in known.items():
            told = last[whatif.COLUMN_OF[name]].dropna().astype(float)
            assert (name in mine) == bool(len(told)), name
            if name in mine:
                stands = told.sum() if name in ("failed_last", "credits_last") else told.iloc[-1]
                assert now == pytest.approx(stands, abs=1e-3), name
                kept += 1
    assert kept > 60
    terms = terms[terms["term_index"] < row.as_of_index]
    assert whatif.of_one_term(known, terms, int(row.as_of_index)) == {}


def test_a_cell_that_is_empty_in_the_last_term_is_no_lever_and_a_short_term_belongs_to_it():
    span = (1.0, 0.0, 4.0)
    terms = pd.DataFrame(
        {
            "term_id": [20211, 20212, 20213],
            "term_index": [1, 2, 2],
            "gpa_term": [3.0, None, None],
            "courses_failed": [0, None, 1],
            "attendance_rate": [0.9, 0.8, None],
        }
    )
    known = dict.fromkeys(("gpa_last", "failed_last", "attendance_last", "arrears_last"), span)
    assert set(whatif.of_one_term(known, terms, 2)) == {"failed_last", "attendance_last"}
    assert set(whatif.of_one_term(known, terms, 1)) == {"gpa_last", "failed_last", "attendance_last"}
    assert whatif.of_one_term(known, terms.assign(status=["A", "N", "A"]), 2) != {}
    assert whatif.of_one_term(known, terms.assign(status=["A", "N", "C"]), 2) == {}  # nothing was studied
    assert whatif.of_one_term(known, terms, 3) == {} and set(whatif.COLUMN_OF) == set(LEVERS)


@pytest.mark.parametrize(
    ("name", "span", "now", "digits"),
    [
        ("gpa_last", (2.92, 0.0, 4.0), "2.92", 2),
        ("attendance_last", (0.874, 0.0, 1.0), "87", 0),
        ("arrears_last", (23.0, 0.0, 2000.0), "23", 0),
        ("arrears_last", (803.0, 0.0, 2000.0), "803", 0),
        ("credits_last", (17.5, 0.0, 20.0), "17.5", 1),
        ("failed_last", (2.0, 0.0, 20.0), "2", 0),
    ],
)
def test_a_slider_stands_at_first_at_the_figure_of_the_record_whatever_its_step(name, span, now, digits):
    start, low, high, step, shown = whatif.scale_of(name, span)
    assert Words("en").number(start, shown) == now and shown == digits
    assert (
        start / whatif.SHARES.get(name, 1.0) == pytest.approx(span[0]) and low <= start <= high and step > 0
    )


def a_term(**values) -> Rows:
    """One row of a third term: one course of three credits failed of eighteen."""
    record = {
        **{"attendance_last": 0.9, "attendance_mean": 0.9, "attendance_change": 0.0},
        **{"failed_last": 1.0, "failed_total": 1.0, "credits_last": 15.0, "pass_ratio_last": 15 / 18},
        **{"gpa_last": 2.5, "gpa_cum": 2.5, "gpa_first": 2.5, "gpa_lowest": 2.5, "gpa_change": 0.0},
        **{"gpa_trend": 0.0, "as_of_index": 3.0, "terms_left": 5.0, "load_mean": 18.0, "pass_ratio": 0.9},
        **{"credits_cum": 50.0, "credits_needed": 18.8, "credit_pace": 50 / 54, "status_last": "A"},
    } | values
    return Rows(pd.DataFrame([record]), pd.DataFrame(), no_signatures(), np.array([-1]))


def test_a_lever_that_follows_stands_where_it_was_taken():
    row = a_term()
    known = whatif.levers(row)
    assert {"failed_last", "gpa_last"} <= set(known)
    assert whatif.settled(row, known, {}) == whatif.Settled(
        {}, {name: span[0] for name, span in known.items()}
    )
    settled = whatif.settled(row, known, {"failed_last": 3.0})
    told = whatif.moved(row, settled.changes)
    assert settled.changes == {"failed_last": 3.0} and settled.stands["failed_last"] == 3.0
    assert (
        settled.stands["gpa_last"] == pytest.approx(told["gpa_last"][1]) and settled.stands["gpa_last"] < 2.5
    )
    # Moved back, everything is back; and what was set by hand stays when another lever moves.
    assert whatif.settled(row, known, {"failed_last": known["failed_last"][0]}) == whatif.settled(
        row, known, {}
    )
    both = whatif.settled(row, known, {"gpa_last": 1.9, "failed_last": 3.0})
    assert both.changes == {"gpa_last": 1.9, "failed_last": 3.0} and both.stands["gpa_last"] == 1.9
    assert not both.took


def test_of_two_levers_that_contradict_each_other_the_last_one_holds():
    row = a_term(failed_last=0.0, failed_total=0.0, credits_last=18.0, pass_ratio_last=1.0)
    known = whatif.levers(row)
    assert {"failed_last", "credits_last"} <= set(known)
    for first, last in (("failed_last", "credits_last"), ("credits_last", "failed_last")):
        values = {"attendance_last": 0.5, "failed_last": 2.0, "credits_last": 15.0}
        chosen = {name: values[name] for name in ("attendance_last", first, last)}
        settled = whatif.settled(row, known, chosen)
        assert settled.changes == {"attendance_last": 0.5, last: values[last]}
        assert settled.stands[last] == values[last]
        assert settled.stands["credits_last"] == pytest.approx(18.0 - 3.0 * settled.stands["failed_last"])


# One course of three credits failed of eighteen: 2.5 is 15 credits at 3.0. (chosen, what stands, taken along)
TOGETHER = [
    ({"failed_last": 6.0, "gpa_last": 4.0}, (0.0, 4.0), ("failed_last",)),
    ({"gpa_last": 4.0, "failed_last": 6.0}, (6.0, 0.0), ("gpa_last",)),
    ({"gpa_last": 4.0}, (0.0, 4.0), ("failed_last",)),
    ({"gpa_last": 0.0}, (6.0, 0.0), ("failed_last",)),
    ({"failed_last": 0.0, "gpa_last": 0.0}, (6.0, 0.0), ("failed_last",)),
    ({"gpa_last": 0.0, "failed_last": 0.0}, (0.0, 1.0), ("gpa_last",)),
    ({"gpa_last": 4.0, "failed_last": 1.0}, (1.0, 4.0 * 15 / 18), ("gpa_last",)),  # moved back to the record
    ({"failed_last": 3.0, "gpa_last": 2.5}, (2.0, 2.5), ("failed_last",)),
    ({"gpa_last": 3.2}, (1.0, 3.2), ()),
    (
        {"gpa_last": 0.1},
        (5.0, 1.0 / 6),
        ("failed_last", "gpa_last"),
    ),  # one course passed, with the least grade
]


@pytest.mark.parametrize(("chosen", "stands", "took"), TOGETHER)
def test_the_gpa_and_the_courses_failed_are_possible_together(chosen, stands, took):
    row = a_term()
    settled = whatif.settled(row, whatif.levers(row), chosen)
    assert (settled.stands["failed_last"], settled.stands["gpa_last"]) == pytest.approx(stands, abs=1e-6)
    assert settled.took == took
    then = whatif.moved(row, settled.changes) | {name: (0, value) for name, value in settled.changes.items()}
    assert then["gpa_last"][1] == pytest.approx(settled.stands["gpa_last"])
    assert 0 <= then.get("gpa_cum", (0, 2.5))[1] <= 4


def test_the_least_grade_that_passes_is_the_institutions():
    row, rules = a_term(), GradeRules(pass_points=2.0)
    known = whatif.levers(row)
    settled = whatif.settled(row, known, {"gpa_last": 0.0, "failed_last": 0.0}, rules)
    assert settled.stands["gpa_last"] == 2.0
    assert whatif.room_of(row, known, settled.changes, rules) == (2.0, 4.0, True)
    assert whatif.room_of(row, known, {"failed_last": 3.0}, rules) == (1.0, 2.0, True)
    assert whatif.room_of(row, {"gpa_last": known["gpa_last"]}, {}, rules) is None


def test_where_credits_are_the_lever_the_gpa_goes_with_them():
    row = a_term(failed_last=np.nan, failed_total=np.nan, credits_last=18.0, pass_ratio_last=1.0)
    known = whatif.levers(row)
    assert "failed_last" not in known
    none = whatif.settled(row, known, {"credits_last": 0.0})
    assert none.stands["gpa_last"] == 0.0 and none.changes == {"credits_last": 0.0}
    best = whatif.settled(row, known, {"credits_last": 9.0, "gpa_last": 4.0})
    assert best.stands["credits_last"] == 18.0 and best.took == ("credits_last",)


@pytest.mark.parametrize(
    "values",
    [
        {"credits_last": 15.0, "gpa_last": 3.8},  # above 15 of 18 credits at 4: failed courses are left out
        {"failed_last": 0.0, "credits_last": 18.0, "pass_ratio_last": 1.0, "gpa_last": 0.4},
        {"failed_last": 6.0, "credits_last": 0.0, "pass_ratio_last": 0.0, "gpa_last": 2.0},
    ],
)
def test_a_register_that_counts_otherwise_is_believed(values):
    row = a_term(**values)
    known = whatif.levers(row)
    assert whatif.settled(row, known, {"attendance_last": 0.5}).stands["gpa_last"] == values["gpa_last"]
    assert whatif.settled(row, known, {"gpa_last": values["gpa_last"]}).changes == {}
    low, high, by_the_scale = whatif.room_of(row, known, {})
    assert low <= values["gpa_last"] <= high and not by_the_scale


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_no_student_can_be_given_a_term_that_is_impossible(small_university, target):
    """Whatever two levers are moved to, in either order: the GPA is what the courses passed can give."""
    store, model = small_university.store, load_model(small_university.store)
    tried = 0
    for score_id in queries.caseload(store, EVERYBODY, target, 300)["score_id"][:60]:
        row = whatif.stored_row(model, queries.explanation(store, EVERYBODY, score_id))
        known = whatif.levers(row)
        if not {"gpa_last", "failed_last"} <= set(known):
            continue
        top = known["failed_last"][2]
        for gpa, failed in ((4.0, top), (0.0, 0.0), (4.0, 1.0), (1.5, top)):
            for order in (("gpa_last", "failed_last"), ("failed_last", "gpa_last")):
                values = {"gpa_last": gpa, "failed_last": failed}
                settled = whatif.settled(row, known, {name: values[name] for name in order})
                low, high, _ = whatif.room_of(row, known, settled.changes)
                assert low - 1e-6 <= settled.stands["gpa_last"] <= high + 1e-6
                assert settled.stands["failed_last"] < top or high < 4.0
                tried += 1
    assert tried > 100
