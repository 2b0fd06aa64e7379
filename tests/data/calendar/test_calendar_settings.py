"""The calendar of a store: what an import derives by it, and how stored exits follow a change."""

from __future__ import annotations

import importlib
from datetime import date

import pandas as pd
import pytest
from sqlalchemy import select, update

from data import queries, schema
from data.calendar.labels import label_outcomes
from data.calendar.setting import academic_calendar, change_settings
from data.calendar.study_time import StudyCalendar
from data.engine.bulk import fetch
from data.records.derived import rebuild_register_cubes
from data.records.ingest import Source, apply_import, plan_import
from data.store import get_fact, set_fact
from data.trust import audit
from data.trust.scope import Scope
from data.trust.undo import last_import

TODAY = date(2024, 9, 20)
STUDENTS = "NIM;Kode Prodi;Jenjang;Semester Masuk\n" + "".join(f"00{n};55201;S1;20191\n" for n in range(1, 9))
EXITS = """NIM;Jenis Keluar;Semester Keluar;Tanggal Keluar;Lama Studi
001;Lulus;;20/08/2023;
002;Lulus;;31/08/2023;
003;Lulus;;01/09/2023;
004;Lulus;20222;;
005;Lulus;;;8
006;Lulus;20222;20/10/2023;
007;Lulus;20231;20/08/2023;
008;;;;
"""
TERMS_BY_DEFAULT = {"001": 8, "002": 8, "003": 9, "004": 8, "005": 8, "006": 8, "007": 9}
TERMS_FROM_AUGUST = TERMS_BY_DEFAULT | {"001": 9, "002": 9}  # the year begins in August: told terms stay


def plan(store, exits: str = EXITS):
    mapping_free = exits.replace("Lama Studi", "terms_to_exit")
    files = {"students": STUDENTS, "outcomes": mapping_free}
    sources = [Source(table, f"{table}.csv", text.encode()) for table, text in files.items()]
    return plan_import(sources, store=store, today=TODAY)


@pytest.fixture
def register(store):
    apply_import(store, plan(store), actor="tester")
    return store


def stored_terms(store) -> dict[str, int]:
    numbers, outcomes = schema.identities, schema.outcomes
    statement = select(
        numbers.c.student_key, numbers.c.student_number, outcomes.c.terms_to_exit, outcomes.c.exit_term
    )
    with store.reading() as connection:
        rows = fetch(
            connection,
            statement.join_from(numbers, outcomes, numbers.c.student_key == outcomes.c.student_key),
        ).dropna()
    return dict(zip(rows["student_number"], rows["terms_to_exit"].astype(int), strict=True))


def on_time(store) -> int:
    records = queries.records_until(store)
    frames = (records.students, records.programs, records.outcomes)
    return int((label_outcomes(*frames, calendar=records.calendar)["label"] == "on_time").sum())


def test_an_import_derives_what_the_file_leaves_out_by_the_one_rule(register):
    assert stored_terms(register) == TERMS_BY_DEFAULT
    assert on_time(register) == 5
    flow = queries.flow_counts(register, Scope.system())
    graduated = flow[flow["state"] == "graduated"].groupby("terms_to_exit")["students"].sum()
    assert graduated.to_dict() == {8: 5, 9: 2}


def test_contradictions_are_found_at_import_and_say_what_is_counted(store):
    found = plan(store).problems.set_index("rule")
    off = found.loc[["REC106"]]
    assert off["row"].tolist() == [7, 8]
    assert "2023-08-20 belongs to 20222; the exit term is counted" in off["message"].iloc[1]
    assert "REC105" not in found.index and "REC016" not in found.index
    wrong = plan(store, EXITS.replace("001;Lulus;;20/08/2023;", "001;Lulus;;20/08/2023;10")).problems
    said = wrong[wrong["rule"] == "REC105"]["message"]
    assert said.str.contains("the calendar says 8").tolist() == [True]
    assert set(wrong.loc[wrong["rule"].isin(["REC105", "REC106"]), "severity"]) == {"warning"}


def test_a_changed_calendar_takes_the_stored_exits_along_and_is_logged(register):
    version = queries.data_version(register)
    change = change_settings(register, {"start_month": 8}, actor="registry")
    assert change.moved == 2
    assert stored_terms(register) == TERMS_FROM_AUGUST
    assert on_time(register) == 3
    assert queries.data_version(register) != version
    flow = queries.flow_counts(register, Scope.system())
    assert flow.loc[flow["terms_to_exit"] == 9, "students"].sum() == 4
    entry = audit.entries(register).iloc[0]
    assert (entry["action"], entry["detail"]) == ("change calendar", {"start_month": 8, "exits_moved": 2})
    assert last_import(register) is None  # its undo would bring back terms of the other calendar
    # Back again 007 comes along: its told term agreed with its date meanwhile. Its file says it once more.
    assert change_settings(register, {"start_month": 9}, actor="registry").moved == 3
    assert stored_terms(register) == TERMS_BY_DEFAULT | {"007": 8}
    apply_import(register, plan(register), actor="tester")
    assert stored_terms(register) == TERMS_BY_DEFAULT


def test_an_import_asks_the_calendar_of_the_store(store):
    change_settings(store, {"start_month": 10, "closing_months": [2, 8, 9]}, actor="registry")
    apply_import(store, plan(store), actor="tester")
    assert stored_terms(store) == TERMS_BY_DEFAULT | {"003": 8}
    assert queries.records_until(store).calendar == StudyCalendar(10, (2, 8, 9))


def test_settings_that_contradict_each_other_change_nothing(register):
    for given in ({"closing_months": [2]}, {"start_month": 7}, {"start_month": 10, "closing_months": [8]}):
        with pytest.raises(ValueError, match="report-settings"):
            change_settings(register, given, actor="registry")
    assert stored_terms(register) == TERMS_BY_DEFAULT
    assert queries.records_until(register).calendar == StudyCalendar()


def test_settings_of_another_kind_move_nothing_and_a_setting_can_be_taken_back(register):
    before = last_import(register)
    change_settings(register, {"closing_months": [2, 8]}, actor="registry")
    change = change_settings(
        register, {"closing_months": None, "graduation_date": "yudisium"}, actor="registry"
    )
    assert change.settings == {"graduation_date": "yudisium"} and change.moved == 0
    assert last_import(register) == before


def test_settings_stored_by_an_older_version_that_are_not_valid_now_are_named(register):
    set_fact(register, "report_settings", {"start_month": 1})
    with pytest.raises(ValueError, match="--start-month 9"):
        queries.records_until(register)
    change_settings(register, {"start_month": 9}, actor="registry")
    assert academic_calendar({"start_month": 9}).study == queries.records_until(register).calendar


def test_the_overview_waits_until_the_last_term_is_closed(register):
    assert queries.last_closed_term(register, Scope.system()) == 20222  # dates reach to 20 October 2023
    for day, term in ((date(2024, 8, 30), 20231), (date(2024, 8, 31), 20232)):
        with register.writing() as connection:
            connection.execute(update(schema.outcomes).values(observed_until=day))
        assert queries.last_closed_term(register, Scope.system()) == term


def test_a_store_imported_before_the_rule_is_derived_again(register):
    """As the software before this rule stored them: a date in August leads to the term that begins."""
    numbers, outcomes = schema.identities, schema.outcomes
    hashes = [register.cipher.number_hash(number) for number in ("001", "002")]
    keys = select(numbers.c.student_key).where(numbers.c.number_hash.in_(hashes))
    with register.writing() as connection:
        old = update(outcomes).where(outcomes.c.student_key.in_(keys))
        connection.execute(old.values(exit_term=20231, terms_to_exit=9))
        rebuild_register_cubes(connection)
    assert stored_terms(register) == TERMS_FROM_AUGUST
    migration = importlib.import_module("data.migrations.versions.0008_exit_terms")
    with register.writing() as connection:
        migration.derive_again(connection)
    # 007 told both and they agreed by the old rule: nothing tells its term from a derived one.
    assert stored_terms(register) == TERMS_BY_DEFAULT | {"007": 8}
    flow = queries.flow_counts(register, Scope.system())
    assert flow.groupby("terms_to_exit")["students"].sum().to_dict() == {-1: 1, 8: 6, 9: 1}
    assert last_import(register) is None
    with register.writing() as connection:
        before = pd.DataFrame(connection.execute(select(outcomes)).mappings())
        migration.derive_again(connection)
        pd.testing.assert_frame_equal(before, pd.DataFrame(connection.execute(select(outcomes)).mappings()))


def test_a_month_that_cut_through_a_term_is_kept_beside_and_the_default_holds(register):
    set_fact(register, "report_settings", {"start_month": 7, "graduation_date": "yudisium"})
    migration = importlib.import_module("data.migrations.versions.0008_exit_terms")
    with register.writing() as connection:
        migration.derive_again(connection)
    found = get_fact(register, "report_settings")
    assert found == {"graduation_date": "yudisium", "start_month_before": 7}
    assert queries.records_until(register).calendar == StudyCalendar()


def test_an_old_store_with_a_year_from_august_keeps_its_terms(store):
    change_settings(store, {"start_month": 8}, actor="registry")
    apply_import(store, plan(store), actor="tester")
    migration = importlib.import_module("data.migrations.versions.0008_exit_terms")
    with store.writing() as connection:
        migration.derive_again(connection)
    assert stored_terms(store) == TERMS_FROM_AUGUST
    assert last_import(store) is not None
