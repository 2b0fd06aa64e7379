"""Why so many of a programme are at risk: counted by fact, never told of few."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cohorts import reasons, summaries
from dashboard.components.filters import GroupFilter
from dashboard.shell.wording import Words
from data import queries
from data.scores.reasons_cube import ALL, AT_RISK
from data.trust.accounts import Account
from data.trust.scope import Scope
from fusion.explanation.explain import explain_score
from fusion.explanation.facts import facts_of_many, in_facts, told_as
from fusion.pipeline import load_model

EN = Words("en")
SYSTEM = Scope.system()
LEADER = Account("rector", "R", "leadership")


def counted(**rows: int) -> pd.DataFrame:
    """Counts of one programme; ``all`` counts everybody."""
    frame = [("IF", ALL if name == "all" else name, n) for name, n in rows.items()]
    return pd.DataFrame(frame, columns=["program_code", "reason", "students"])


def of_programs(*rows: dict[str, int]) -> pd.DataFrame:
    """Counts of several programmes, P0, P1 …"""
    named = enumerate(rows)
    return pd.concat([counted(**one).assign(program_code=f"P{place}") for place, one in named])


def shown(counts: pd.DataFrame) -> dict[str, list]:
    """What the card tells for every choice of a programme, and for all."""
    codes = sorted(counts["program_code"].unique())
    told = {code: reasons.commonest(summaries.chosen(counts, code, None)) for code in codes}
    told |= {"all": reasons.commonest(counts), "each": reasons.by_program(counts)}
    return {name: table.astype(object).fillna("nearly").to_numpy().tolist() for name, table in told.items()}


def test_the_commonest_comes_first_with_its_share():
    found = reasons.commonest(counted(all=20, arrears=8, attendance=12))
    assert found["reason"].tolist() == ["attendance", "arrears"]
    assert found["rate"].tolist() == [0.6, 0.4] and found["n"].tolist() == [20, 20]
    assert ((found["low"] < found["rate"]) & (found["rate"] < found["high"])).all()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"all": 9, "arrears": 9}, []),  # fewer than ten at risk
        ({"all": 20, "arrears": 4, "attendance": 5}, [("attendance", 0.25)]),  # four have it
        (
            {"all": 20, "arrears": 15, "attendance": 16},
            [("attendance", None), ("arrears", 0.75)],
        ),  # four do not
        ({"all": 20, "attendance": 20}, [("attendance", None)]),  # the figure would tell of everybody
        ({}, []),
    ],
)
def test_a_count_of_few_and_what_gives_it_away_are_not_told(rows, told):
    found = reasons.commonest(counted(**rows))
    figures = [None if pd.isna(rate) else rate for rate in found["rate"]]
    assert list(zip(found["reason"], figures, strict=True)) == told
    hidden = found[found["rate"].isna()]
    assert hidden[["low", "high"]].isna().all(axis=None)


PART = st.fixed_dictionaries({"arrears": st.integers(0, 20), "attendance": st.integers(0, 20)})


@given(st.integers(0, 9), PART, st.lists(PART, min_size=1, max_size=3))
def test_what_is_not_told_of_a_programme_changes_no_figure_of_any_choice(few, hidden, others):
    """So no subtraction finds it: fewer than ten at risk, and fewer than five with or without a reason."""
    shares = [{"all": 14, "arrears": 7, "attendance": 5}, *({"all": 20, **one} for one in others)]
    small = {"all": few} | {name: min(n, few) for name, n in hidden.items()}
    nobody = {"all": 0, "arrears": 0, "attendance": 0}
    assert shown(of_programs(*shares, small)) == shown(of_programs(*shares, nobody))

    def told(name: str, n: int) -> int:
        return n if name == "all" or 5 <= n <= 15 else 0 if n < 5 else 20

    known = [{name: told(name, n) for name, n in one.items()} for one in shares[1:]]
    assert shown(of_programs(shares[0], *known)) == shown(of_programs(*shares))


def test_what_is_told_of_all_is_the_sum_of_what_is_told_of_each():
    rows = of_programs({"all": 29, "arrears": 12}, {"all": 36, "arrears": 8}, {"all": 5, "arrears": 5})
    (row,) = reasons.commonest(rows).to_dict("records")
    assert (row["n"], round(row["rate"] * row["n"])) == (65, 20)  # without the five at risk of the third
    assert set(reasons.by_program(rows)["program_code"]) == {"P0", "P1"}


def test_the_card_tells_the_same_whichever_cohort_is_chosen(monkeypatch):
    from dashboard.cohorts.view import reasons as view

    rows = of_programs({"all": 29, "arrears": 12}, {"all": 36, "arrears": 8})
    monkeypatch.setattr(view, "_counted", lambda target: rows)
    monkeypatch.setattr(view.stores, "served_version", lambda: "m")
    monkeypatch.setattr(view.stores, "model_unreadable", lambda: False)
    monkeypatch.setattr(view.caches, "made_once", lambda name, about, make: make())

    def told(cohort: int | None) -> list:
        given = SimpleNamespace(silent=False, about=(), chosen=GroupFilter("late", None, cohort))
        return view.commonest(given).to_numpy().tolist()

    assert told(20221) == told(None) and len(told(None)) == 1


def test_each_programme_has_its_own_first_reasons():
    other = counted(all=12, arrears=6).assign(program_code="MI")
    few = counted(all=8, arrears=8).assign(program_code="SI")
    found = reasons.by_program(pd.concat([other, counted(all=20, attendance=19, arrears=15), few]))
    first = [["IF", "attendance"], ["IF", "arrears"], ["MI", "arrears"]]
    assert found[["program_code", "reason"]].values.tolist() == first
    assert found["rate"].isna().tolist() == [True, False, False]
    assert reasons.by_program(counted().iloc[:0]).empty


def test_facts_of_many_are_those_of_one(small_university):
    store, model = small_university.store, load_model(small_university.store)
    listed = queries.caseload(store, SYSTEM, "late", 60)
    stored = [queries.explanation(store, SYSTEM, score) for score in listed["score_id"]]
    phi, inputs = (np.stack([getattr(one, name) for one in stored]) for name in ("phi", "inputs"))
    many = facts_of_many(model, phi, inputs, reasons._can_change)
    for row, one in enumerate(stored):
        told = in_facts(explain_score(model, "late", one.phi, one.inputs, one.base_value, "records"))
        mine = [c for c in told.contributions if told_as(c.name) in many and c.told]
        assert len(mine) > 3

        assert np.isclose(many.iloc[row].sum(), sum(c.phi for c in mine), atol=1e-5)
        told_sums = sorted(abs(c.phi) for c in mine)
        assert np.allclose(sorted(many.iloc[row].abs())[-len(mine) :], told_sums, atol=1e-5)


def test_students_are_counted_once_and_at_most_three_times_by_reason(small_university):
    store, model = small_university.store, load_model(small_university.store)
    found = queries.reasons_of_risk(
        store, SYSTEM, "late", lambda phi, inputs: reasons.main_reasons(model, phi, inputs)
    )
    cube = queries.cohort_cube(store, SYSTEM, "late")
    risky = cube[cube["band"].isin(AT_RISK)].groupby("program_code")["students"].sum()
    everybody = found[found["reason"] == ALL].groupby("program_code")["students"].sum()
    assert everybody.to_dict() == risky[risky > 0].to_dict()
    by_reason = found[found["reason"] != ALL]["students"].sum()
    assert 0 < by_reason <= reasons.MOST * everybody.sum()
    assert set(found.columns) == {"program_code", "reason", "students"}


def test_whoever_is_confined_to_a_programme_counts_no_other(small_university):
    store, model = small_university.store, load_model(small_university.store)
    codes = queries.programs(store)["program_code"].tolist()
    confined = replace(SYSTEM, program_codes=(codes[0],))
    found = queries.reasons_of_risk(
        store, confined, "late", lambda phi, inputs: reasons.main_reasons(model, phi, inputs)
    )
    assert set(found["program_code"]) <= {codes[0]}


def test_a_programme_without_anybody_at_risk_has_no_reason():
    whole = counted(all=30, progress=20)
    nobody = whole[whole["program_code"] == "MI"]
    assert reasons.commonest(nobody).empty and reasons.by_program(nobody).empty


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("target", ["late", "dropout"])
def test_the_overview_says_why_in_words_or_that_too_few_are_meant(university, screen, language, target):
    from dashboard.cohorts.view.reasons import reason_words

    words, model = Words(language), load_model(university.store)
    found = queries.reasons_of_risk(
        university.store, SYSTEM, target, lambda phi, inputs: reasons.main_reasons(model, phi, inputs)
    )
    at = screen.drawn("overview", LEADER, language, target=target)
    told = screen.texts(at)
    assert not at.exception
    common, first = reasons.commonest(found), reasons.by_program(found)
    assert (words("why.title") in told) and (words("why.few", n=10) in told) == common.empty
    for row in first.to_dict("records"):
        assert reason_words(row["reason"], words) in told
    nearly = common.loc[common["rate"].isna(), "reason"]
    assert all(reason_words(reason, words) in told for reason in nearly)


def test_every_fact_that_can_change_has_words():
    from dashboard.cohorts.view.reasons import reason_words
    from fusion.explanation.facts import FACT_OF
    from fusion.features.feature_list import FEATURES

    facts = {FACT_OF.get(name, name) for name, feature in FEATURES.items() if feature.changeable}
    for words in (EN, Words("id")):
        told = {fact: reason_words(fact, words) for fact in facts}
        assert all(words.has(f"why.fact_{fact.replace(' ', '_')}") for fact in facts)
        assert len(set(told.values())) == len(facts)
