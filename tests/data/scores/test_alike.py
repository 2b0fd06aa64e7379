"""Students counted by everything at once, on the small register (see tests/conftest.py)."""

from __future__ import annotations

import pandas as pd
import pytest

from data import queries
from data.records.frames import RecordFrames
from data.records.told_terms import averaged
from data.records.write import write_records
from data.trust.scope import Scope
from tests.conftest import small_register_frames

LEADERSHIP = Scope("rector", "leadership", False, None, False, False)
HEAD = Scope("head", "leadership", False, ("MI",), False, False)
ADVISOR = Scope("ani", "advisor", True, None, True, True)
NOBODY = Scope.nothing()


def test_everybody_is_counted_once_with_what_they_did_in_each_term(small_register):
    rows = queries.counted_alike(small_register.store, LEADERSHIP, "late", "sex", 4)
    assert rows["students"].sum() == 12
    assert rows["band"].eq("").all()  # no model has scored anybody
    cohort = rows[rows["cohort_term"] == 20191]
    # S01 and S06 studied in all four terms and graduated in time; S03 (inactive in the third) resigned.
    told = {
        (row.state, row.terms_to_exit, row.group): (row.term_1, row.term_2, row.term_3, row.term_4)
        for row in cohort.itertuples()
    }
    assert told == {
        ("graduated", 8, "L"): (2, 2, 2, 2),
        ("graduated", 10, "P"): (2, 2, 2, 1),
        ("resigned", 3, "L"): (2, 2, 0, 0),
        ("transferred", 3, "P"): (2, 2, 2, 0),
        ("deceased", 5, "L"): (2, 2, 2, 2),
        ("graduated", 6, "P"): (2, 2, 2, 2),
    }
    unseen = rows[rows["cohort_term"] == 20231]  # S12: nothing known but entry
    assert unseen[["state", "terms_to_exit", "term_1", "students"]].values.tolist() == [
        ["enrolled", -1, 0, 1]
    ]


def test_it_counts_what_the_other_queries_count(small_register):
    store = small_register.store
    rows = queries.counted_alike(store, LEADERSHIP, "dropout", "entry_type", 10)
    flow = queries.flow_counts(store, LEADERSHIP)
    keys = ["program_code", "cohort_term", "state", "terms_to_exit"]
    assert rows.groupby(keys)["students"].sum().equals(flow.groupby(keys)["students"].sum())
    terms = queries.retention(store, LEADERSHIP)
    for row in terms[terms["term_index"] <= 10].itertuples():
        mine = rows[(rows["program_code"] == row.program_code) & (rows["cohort_term"] == row.cohort_term)]
        did = mine[f"term_{row.term_index}"]
        assert mine.loc[did == 2, "students"].sum() == row.active
        assert mine.loc[did == 1, "students"].sum() == row.on_leave


def test_a_scope_is_kept_in_the_query(small_register):
    store = small_register.store
    assert queries.counted_alike(store, HEAD, "late", "sex", 2)["program_code"].unique().tolist() == ["MI"]
    assert queries.counted_alike(store, HEAD, "late", "sex", 2)["students"].sum() == 4
    assert queries.counted_alike(store, HEAD, "late", "sex", 2, "IF").empty
    assert queries.counted_alike(store, ADVISOR, "late", "sex", 2)["students"].sum() == 4
    assert queries.counted_alike(store, LEADERSHIP, "late", "sex", 2, "IF")["students"].sum() == 8
    assert queries.counted_alike(store, NOBODY, "late", "sex", 2).empty


@pytest.mark.parametrize(("attribute", "longest"), [("name", 4), ("sex", 0)])
def test_what_cannot_be_counted_is_refused(small_register, attribute, longest):
    with pytest.raises(ValueError, match="must be"):
        queries.counted_alike(small_register.store, LEADERSHIP, "late", attribute, longest)


def test_the_average_says_how_many_stand_behind_it(small_register):
    table = queries.retention(small_register.store, LEADERSHIP)
    cohort = table[table["cohort_term"] == 20191].set_index("term_index")
    # Term 4: S02 on leave without an average; S01, S05 and S06 have one.
    assert cohort.loc[4, "gpa_rows"] == 3
    assert cohort.loc[4, "gpa_mean"] == pytest.approx((3.40 + 3.10 + 3.50) / 3)


@pytest.fixture
def term_averages_only(store):
    """The small register as an office writes it that knows no cumulative average; and its keys."""
    first, _ = small_register_frames()
    bare = RecordFrames(first.programs, first.students, first.terms.assign(gpa_cum=None), first.outcomes)
    keys = {number: f"{position:016x}" for position, number in enumerate(first.students["student_number"], 1)}
    write_records(store, bare, source="ips.csv", student_keys=keys, files={}, actor="test", synthetic=True)
    return store, keys


@pytest.mark.parametrize("scope", [LEADERSHIP, ADVISOR], ids=["cube", "own students"])
def test_without_cumulative_averages_the_mean_is_the_one_that_a_student_is_shown(term_averages_only, scope):
    store, keys = term_averages_only
    shown = []
    for key in keys.values():
        rows = queries.term_rows(store, Scope.system(), key)
        if len(rows):
            student = queries.student(store, Scope.system(), key).iloc[0]
            about = {name: student[name] for name in ("program_code", "cohort_term", "advisor")}
            shown.append(averaged(rows).assign(**about))
    rows = pd.concat(shown)
    rows = rows[rows["term_id"] % 10 != 3].dropna(subset=["gpa_cum"])
    if scope is ADVISOR:
        rows = rows[rows["advisor"] == "ani"]
    asked = rows.groupby(["program_code", "cohort_term", "term_index"])["gpa_cum"].agg(["count", "mean"])
    table = queries.retention(store, scope).set_index(["program_code", "cohort_term", "term_index"])
    told = table[table["gpa_rows"] > 0]
    assert len(asked) and told.index.equals(asked.index)
    assert told["gpa_rows"].tolist() == asked["count"].tolist()
    assert told["gpa_mean"].tolist() == pytest.approx(asked["mean"].tolist())


def test_a_mean_of_term_averages_worked_out_by_hand(term_averages_only):
    store, _ = term_averages_only
    table = queries.retention(store, LEADERSHIP)
    cohort = table[table["cohort_term"] == 20191].set_index("term_index")
    # After two terms: S01 (3.20 + 3.30) / 2, and so on to S06.
    assert cohort.loc[2, "gpa_rows"] == 6
    assert cohort.loc[2, "gpa_mean"] == pytest.approx((3.25 + 2.55 + 1.75 + 3.05 + 3.025 + 3.425) / 6)
    # Term 4: S02 is on leave and keeps the mean of three terms; S03 and S04 have left.
    four = (3.20 + 3.30 + 3.35 + 3.40) / 4, (2.60 + 2.50 + 2.55) / 3, (3.00 + 3.05 + 3.10 + 3.10) / 4
    assert cohort.loc[4, "gpa_rows"] == 4
    assert cohort.loc[4, "gpa_mean"] == pytest.approx((sum(four) + (3.40 + 3.45 + 3.50 + 3.50) / 4) / 4)


@pytest.mark.parametrize("scope", [LEADERSHIP, ADVISOR], ids=["cube", "own students"])
def test_nobody_is_still_here_in_a_term_after_their_exit(store, scope):
    """S06 of 2019 graduated after six terms and S03 resigned after three; rows of later terms say Active."""
    first, _ = small_register_frames()
    later = first.terms[first.terms["student_number"].isin(["S03", "S06"])]
    last = later.sort_values("term_index").groupby("student_number").tail(1)
    stray = last.assign(term_id=20222, term_index=8, status="A")
    terms = pd.concat([first.terms, stray], ignore_index=True)
    frames = RecordFrames(first.programs, first.students, terms, first.outcomes)
    keys = {number: f"{position:016x}" for position, number in enumerate(first.students["student_number"], 1)}
    write_records(store, frames, source="siakad.xlsx", student_keys=keys, files={}, actor="t", synthetic=True)
    table = queries.retention(store, scope)
    assert (table["rate"] <= 1).all()
    eighth = table[(table["cohort_term"] == 20191) & (table["term_index"] == 8)].iloc[0]
    rows = queries.counted_alike(store, scope, "late", "sex", 8)
    rows = rows[rows["cohort_term"] == 20191]
    gone = rows["state"].isin(["graduated", "resigned"]) & rows["terms_to_exit"].isin([3, 6])
    assert gone.any() and rows.loc[gone, "term_8"].eq(0).all()
    assert rows.loc[rows["term_8"] > 0, "students"].sum() == eighth["active"] + eighth["on_leave"]
    assert eighth["retained"] == eighth["active"] + eighth["on_leave"] + eighth["graduated"]
