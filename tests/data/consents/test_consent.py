"""Consent: what holds in every order and by every clock, acts by hand, who lacks one, an older store."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError

from data import queries, schema
from data.calendar.clock import today
from data.columns import CONSENT_DECISIONS, CONSENT_PURPOSES
from data.consents import consent
from data.consents.consent import NeedsRenewal, record_consent, record_consents, write_consents
from data.consents.order import holding
from data.consents.queries import (
    consent_counts,
    consent_standing,
    count_without_consent,
    newest_consent,
    without_consent,
)
from data.engine.clock import now
from data.engine.database import connect, writing
from data.engine.migrate import migrate, upgrade
from data.store import NewSpecimen, write_specimens
from data.trust import audit
from data.trust.scope import Scope
from data.verification.duplicates import duplicate_counts, duplicate_findings
from data.verification.write import replace_duplicates

SYSTEM = Scope.system()
ANI = Scope("ani", "advisor", True, None, True, True)
TOMORROW = now().date() + timedelta(days=2)  # nowhere on Earth has it begun
BY = {"actor": "rina", "role": "registry"}


@pytest.fixture
def register(small_register):
    return small_register


def holds(store, key: str, purpose: str = "verification") -> bool | None:
    standing = consent_standing(store, SYSTEM, key).set_index("purpose")
    granted = standing.at[purpose, "granted"]
    return None if pd.isna(granted) else bool(granted)


# --- what holds ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("minutes", [-60 * 24 * 400, -10, 0, 10])
def test_a_withdrawal_holds_whatever_the_clock_said_when_it_was_recorded(register, monkeypatch, minutes):
    store, key = register.store, register.keys["S07"]
    record_consent(store, key, "verification", "granted", **BY)
    behind = consent.now() + timedelta(minutes=minutes)
    monkeypatch.setattr(consent, "now", lambda: behind)
    assert record_consent(store, key, "verification", "withdrawn", **BY) is True
    assert holds(store, key) is False
    assert queries.consents_now(store, "verification")["granted"].tolist() == [False]


def test_a_withdrawal_of_an_earlier_date_holds(register):
    store, key = register.store, register.keys["S07"]
    record_consent(store, key, "verification", "granted", decided_on=date(2024, 9, 2), **BY)
    record_consent(store, key, "verification", "withdrawn", decided_on=date(2024, 9, 1), **BY)
    assert holds(store, key) is False


def test_a_yes_after_a_no_needs_an_act_of_its_own(register):
    store, key = register.store, register.keys["S07"]
    record_consent(store, key, "verification", "granted", decided_on=date(2024, 1, 5), **BY)
    record_consent(store, key, "verification", "withdrawn", decided_on=date(2024, 2, 6), **BY)
    with pytest.raises(NeedsRenewal, match="no to verification on 2024-02-06"):
        record_consent(store, key, "verification", "granted", **BY)
    assert holds(store, key) is False
    assert record_consent(store, key, "verification", "renewed", **BY) is True
    assert holds(store, key) is True
    assert record_consent(store, key, "verification", "withdrawn", decided_on=date(2020, 1, 1), **BY) is True
    assert holds(store, key) is False


def test_purposes_are_apart_and_several_are_recorded_all_or_none(register):
    store, key = register.store, register.keys["S07"]
    assert record_consents(store, key, CONSENT_PURPOSES, "granted", **BY) == dict.fromkeys(
        CONSENT_PURPOSES, True
    )
    record_consent(store, key, "research", "withdrawn", **BY)
    assert [holds(store, key, one) for one in CONSENT_PURPOSES] == [True, True, False]
    other = register.keys["S08"]
    record_consent(store, other, "research", "refused", **BY)
    with pytest.raises(NeedsRenewal):
        record_consents(store, other, CONSENT_PURPOSES, "granted", **BY)
    assert [holds(store, other, one) for one in CONSENT_PURPOSES] == [None, None, False]


def test_an_act_stands_in_the_log_and_in_the_history_with_date_and_source(register):
    store, key = register.store, register.keys["S07"]
    record_consent(store, key, "verification", "granted", decided_on=date(2024, 9, 2), source="form 12", **BY)
    row = queries.consent_history(store, ANI, key).iloc[0]
    assert (row["source"], row["recorded_by"], row["decided_on"]) == (
        "form 12",
        "rina",
        pd.Timestamp("2024-09-02"),
    )
    entry = audit.entries(store, action="record consent").iloc[0]
    assert (entry["actor"], entry["role"], entry["object"]) == ("rina", "registry", key)
    assert entry["detail"] == {
        "consent": int(row["consent_id"]),
        "purpose": "verification",
        "decision": "granted",
        "decided_on": "2024-09-02",
    }
    record_consent(store, key, "verification", "granted", **BY)
    assert len(audit.entries(store, action="record consent")) == 1


@pytest.mark.parametrize(
    ("purpose", "decision", "about", "message"),
    [
        ("fun", "granted", {}, "purpose must be one of"),
        ("research", "perhaps", {}, "decision must be one of"),
        (
            "research",
            "granted",
            {"decided_on": TOMORROW},
            "must not lie in the future",
        ),
        ("research", "granted", {"source": "x" * 201}, "at most 200 characters"),
    ],
)
def test_an_act_that_breaks_a_rule_is_refused_and_nothing_is_written(
    register, purpose, decision, about, message
):
    with pytest.raises(ValueError, match=message):
        record_consent(register.store, register.keys["S07"], purpose, decision, **about, **BY)
    assert queries.consent_history(register.store, SYSTEM, register.keys["S07"]).empty
    assert audit.entries(register.store, action="record consent").empty


def test_today_itself_and_a_source_of_full_length_are_taken(register):
    about = {"decided_on": today(register.store), "source": "x" * 200}
    assert record_consent(register.store, register.keys["S07"], "research", "granted", **about, **BY)
    with pytest.raises(LookupError):
        record_consent(register.store, "nobody", "research", "granted", **BY)


# --- any order, any clock --------------------------------------------------------------------------------
EVENTS = st.lists(
    st.tuples(st.sampled_from(CONSENT_DECISIONS), st.integers(0, 900)), min_size=1, max_size=8
)  # decision, day that its clock or paper says


def expected(events) -> bool:
    """The rule in a sentence: a no holds until something is renewed after it; without a no, any yes."""
    last = next((kind for kind, _ in reversed(events) if kind != "granted"), None)
    return last in (None, "renewed")


@given(events=EVENTS)
def test_a_no_holds_in_frames_in_any_order_and_by_any_clock(events):
    frame = pd.DataFrame(events, columns=["decision", "day"])
    frame = frame.assign(student_number="1", purpose="research", source=None)
    frame["decided_on"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(frame["day"], unit="D")
    (found,) = holding(frame)["decision"]
    assert (found in consent.YES) == expected(events)
    without = [kind for kind, _ in events if kind != "renewed"]
    if set(without) & {"refused", "withdrawn"} and "renewed" not in frame["decision"].tolist():
        assert found not in consent.YES


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_no_holds_in_the_store_in_any_order_and_by_any_clock(register, data):
    """Straight into the table, so that no writer can help: what holds is the query's answer alone."""
    events = data.draw(EVENTS)
    store, key = register.store, register.keys["S07"]
    with store.writing() as connection:
        for kind, day in events:
            at = datetime(2022, 1, 1) + timedelta(days=day)
            row = {"student_key": key, "purpose": "verification", "granted": kind in consent.YES}
            row |= {"decision": kind, "decided_on": at.date(), "text_version": "1", "recorded_at": at}
            connection.execute(insert(schema.consents).values(**row, recorded_by="test"))
        newest = consent.newest_consents()
        found = connection.scalar(select(newest.c.granted).where(newest.c.student_key == key))
        connection.rollback()
    assert found == expected(events)


def test_frames_in_the_writing_order_are_kept_by_their_own_rule(register):
    """A plain yes written after a no is history, whatever its time, and written again it is nothing."""
    store = register.store
    no = pd.DataFrame(
        {
            "student_number": ["S07"],
            "purpose": ["research"],
            "granted": [False],
            "recorded_at": ["2023-01-01"],
        }
    )
    yes = no.assign(granted=True, recorded_at="2024-01-01")
    assert [write_consents(store, one) for one in (no, yes, yes, no)] == [1, 1, 0, 0]
    assert holds(store, register.keys["S07"], "research") is False


# --- counting and listing --------------------------------------------------------------------------------
def test_counts_and_those_who_lack_a_consent_keep_to_the_scope(register):
    store, keys = register.store, register.keys
    record_consent(store, keys["S01"], "verification", "granted", **BY)
    record_consent(store, keys["S02"], "verification", "refused", **BY)
    record_consent(store, keys["S03"], "verification", "granted", **BY)
    record_consent(store, keys["S03"], "verification", "withdrawn", **BY)
    counts = consent_counts(store, SYSTEM).set_index("purpose")
    assert counts.loc["verification"].tolist() == [1, 2, 9]
    assert counts.loc["research"].tolist() == [0, 0, 12]
    lacking = without_consent(store, SYSTEM, "verification").set_index("student_number")["decision"]
    assert len(lacking) == 11 and "S01" not in lacking
    assert lacking[["S02", "S03", "S04"]].tolist() == ["refused", "withdrawn", "none"]
    assert set(without_consent(store, ANI, "verification")["student_number"]) == {"S02", "S06", "S07"}
    assert without_consent(store, SYSTEM, "verification", program_code="MI")["program_code"].unique() == "MI"
    assert without_consent(store, SYSTEM, "verification", with_specimens=True).empty
    blind = Scope("lead", "leadership", False, None, False, False)
    assert without_consent(store, blind, "verification").empty
    for scope in (SYSTEM, ANI, blind):
        for asked in ({}, {"program_code": "MI"}, {"with_specimens": True}):
            listed = without_consent(store, scope, "verification", **asked)
            assert count_without_consent(store, scope, "verification", **asked) == len(listed)
    first = without_consent(store, SYSTEM, "verification", limit=2)["student_number"].tolist()
    assert first == ["S02", "S03"]


def test_the_number_of_the_newest_decision_changes_with_every_decision(register):
    store, keys = register.store, register.keys
    assert newest_consent(store) == 0
    seen = []
    for decision in ("granted", "withdrawn", "renewed"):
        record_consent(store, keys["S01"], "verification", decision, **BY)
        seen.append(newest_consent(store))
    assert seen == sorted(set(seen)) and seen[0] > 0
    assert consent_standing(store, ANI, keys["S03"]).empty


# --- what rests on a consent -----------------------------------------------------------------------------
def test_findings_of_duplicates_are_shown_only_while_both_students_agree(register):
    store, keys = register.store, register.keys
    pair = pd.DataFrame([{"kind": "same_hand", "measure": 0.1, "expected_false": 0.2}])
    pair = pair.assign(first_student=keys["S07"], second_student=keys["S08"])
    given = [
        NewSpecimen(one, one.encode(), date(2022, 9, 1), "enrollment", "png", 9, 9, 300)
        for one in ("S07", "S08")
    ]
    write_specimens(store, given, source="scans", actor="test")
    ids = queries.specimen_table(store).set_index("student_key")["specimen_id"]
    pair = pair.assign(first_specimen=ids[keys["S07"]], second_specimen=ids[keys["S08"]])
    for one in ("S07", "S08"):
        record_consent(store, keys[one], "verification", "granted", **BY)
    replace_duplicates(store, "d@1", {}, pair, actor="rina")
    assert len(duplicate_findings(store, SYSTEM)) == 1
    assert duplicate_counts(store, SYSTEM) == {"same_hand": (1, 1)}
    record_consent(store, keys["S08"], "verification", "withdrawn", **BY)
    assert duplicate_findings(store, SYSTEM).empty and duplicate_counts(store, SYSTEM) == {}


# --- an older store --------------------------------------------------------------------------------------
def test_consents_of_an_older_store_keep_their_meaning_and_their_guard(empty_url):
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, "0007")
        _old_rows(connection)
    migrate(engine)
    _same_meaning(engine)
    for statement in ("UPDATE consents SET granted = true", "DELETE FROM consents"):
        with pytest.raises(DBAPIError, match="append-only"), writing(engine) as connection:
            connection.execute(text(statement))
    wrong = {"decision": "perhaps", "purpose": "research"}, {"decision": "granted", "purpose": "fun"}
    for values in wrong:
        with pytest.raises(DBAPIError), writing(engine) as connection:
            row = {"student_key": "k", "granted": True, "decided_on": date(2024, 1, 1), "text_version": "1"}
            row |= {"recorded_at": datetime(2024, 1, 1), "recorded_by": "test", **values}
            connection.execute(insert(schema.consents).values(**row))
    engine.dispose()


def _old_rows(connection) -> None:
    connection.execute(
        text(
            "INSERT INTO imports (import_id, started_at, actor, source, files, counts, synthetic)"
            " VALUES ('i', '2024-01-01', 'a', 's', '{}', '{}', false)"
        )
    )
    connection.execute(text("INSERT INTO programs VALUES ('IF', 'Informatics', 'S1', 8, 144)"))
    columns = "student_key, program_code, cohort_term, import_id"
    connection.execute(text(f"INSERT INTO students ({columns}) VALUES ('k', 'IF', 20191, 'i')"))  # noqa: S608
    rows = [
        ("verification", True, "2020-01-01"),
        ("verification", False, "2021-01-01"),
        ("verification", True, "2022-01-01"),
        ("outcome_model", True, "2020-01-01"),
        ("outcome_model", False, "2021-01-01"),
        ("research", False, "2020-01-01"),
    ]
    for purpose, granted, at in rows:
        values = {"purpose": purpose, "granted": granted, "at": datetime.fromisoformat(at)}
        connection.execute(
            text(
                "INSERT INTO consents (student_key, purpose, granted, text_version, recorded_at, recorded_by)"
                " VALUES ('k', :purpose, :granted, '1', :at, 'old')"
            ).bindparams(bindparam("at", type_=DateTime())),
            values,
        )


def _same_meaning(engine) -> None:
    with engine.connect() as connection:
        found = connection.execute(select(schema.consents).order_by(schema.consents.c.consent_id)).mappings()
        rows = [(row["decision"], row["decided_on"].isoformat()) for row in found]
        newest = consent.newest_consents()
        held = dict(connection.execute(select(newest.c.purpose, newest.c.granted)).tuples().all())
    assert rows == [
        ("granted", "2020-01-01"),
        ("withdrawn", "2021-01-01"),
        ("renewed", "2022-01-01"),
        ("granted", "2020-01-01"),
        ("withdrawn", "2021-01-01"),
        ("refused", "2020-01-01"),
    ]
    assert held == {"verification": True, "outcome_model": False, "research": False}
