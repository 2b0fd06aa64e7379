"""Every signature has a date; what is due goes with a receipt, nothing else does, and nothing by itself."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest
from sqlalchemy import func, insert, select, text
from typer.testing import CliRunner

from data import queries, schema
from data.__main__ import app
from data.engine.bulk import fetch, update_frame
from data.engine.database import connect, writing
from data.engine.migrate import upgrade
from data.keeping import retention, tombstones
from data.keeping.rule import Rule, years_later
from data.settings import get_settings
from data.store import NewSpecimen, add_case_event, open_store, set_fact, write_records, write_specimens
from data.trust import audit, erase
from data.trust.scope import Scope
from tests.conftest import small_register_frames

SYSTEM = Scope.system()
LEFT = date(2021, 5, 3)  # S03 of the small register


def dates(store) -> dict[str, list[date]]:
    """Student number → the dates of the signatures."""
    table, identity = schema.specimens, schema.identities
    statement = select(identity.c.student_key, identity.c.student_number, table.c.retention_until).join_from(
        table, identity, identity.c.student_key == table.c.student_key
    )
    found: dict[str, list[date]] = {}
    with store.reading() as connection:
        rows = fetch(connection, statement.order_by(table.c.captured_on))
    for number, until in zip(rows["student_number"], rows["retention_until"], strict=True):
        found.setdefault(number, []).append(None if pd.isna(until) else until.date())
    return found


def signature(number: str, data: bytes, captured: date) -> NewSpecimen:
    return NewSpecimen(number, data, captured, "enrollment", "png", 300, 100, 300)


@pytest.fixture
def signed(small_register):
    """S03, who resigned on 3 May 2021, and S07, who is enrolled, have signed; the data are an office's."""
    given = [
        signature("S03", b"ink 3", date(2019, 9, 1)),
        signature("S07", b"ink 7", date(2012, 2, 29)),
        signature("S07", b"ink 8", date(2024, 2, 29)),
    ]
    write_specimens(small_register.store, given, source="scans.zip", actor="test")
    return small_register


# --- the rule ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("captured", "left", "until"),
    [
        (date(2019, 9, 1), None, date(2029, 9, 1)),
        (date(2019, 9, 1), date(2023, 7, 20), date(2025, 7, 20)),
        (date(2019, 9, 1), date(2028, 7, 20), date(2029, 9, 1)),  # at most
        (date(2020, 2, 29), None, date(2030, 2, 28)),
        (date(2024, 2, 29), date(2022, 1, 1), date(2024, 1, 1)),  # given after they had left
    ],
)
def test_a_signature_is_kept_until_the_earlier_of_two_dates(captured, left, until):
    assert Rule(after_exit=2, at_most=10).signature_until(captured, left) == until


@pytest.mark.parametrize(
    "wrong", [{"after_exit": -1}, {"at_most": 81}, {"records": "burn"}, {"records_after": 1.5}]
)
def test_a_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rule(**wrong)


def test_a_29th_of_february_that_is_not_there_is_the_28th():
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert years_later(date(2024, 2, 29), 1) == date(2025, 2, 28)


# --- dates ------------------------------------------------------------------------------------------------
def test_every_signature_of_an_office_has_a_date_from_its_import_on(signed):
    assert dates(signed.store) == {
        "S03": [date(2023, 5, 3)],
        "S07": [date(2022, 2, 28), date(2034, 2, 28)],
    }
    assert not retention.rule_of(signed.store).decided


def test_the_dates_of_who_leaves_move_with_the_register(signed):
    outcomes = small_register_frames()[0].outcomes
    left = outcomes[outcomes["student_number"] == "S07"].assign(
        exit_type="graduated", exit_term=20241, exit_date="2025-01-20", terms_to_exit=6
    )
    from data.store import RecordFrames

    write_records(signed.store, RecordFrames(outcomes=left), source="o", files={}, actor="t")
    assert dates(signed.store)["S07"] == [date(2022, 2, 28), date(2027, 1, 20)]


def test_a_decision_moves_every_date_and_is_written_down(signed):
    moved = retention.decide(signed.store, Rule(after_exit=0, at_most=20), actor="adi", role="administrator")
    assert moved == 3
    assert dates(signed.store) == {"S03": [LEFT], "S07": [date(2032, 2, 29), date(2044, 2, 29)]}
    rule = retention.rule_of(signed.store)
    assert rule.decided and (rule.after_exit, rule.at_most) == (0, 20)
    entry = audit.entries(signed.store, action="set retention").iloc[0]
    assert entry["actor"] == "adi" and entry["detail"]["before"]["after_exit"] == 2
    assert retention.redate(signed.store) == 0


def test_an_invented_register_keeps_the_dates_that_it_was_made_with(signed):
    before = dates(signed.store)
    set_fact(signed.store, "synthetic", True)
    retention.decide(signed.store, Rule(after_exit=0, at_most=1), actor="test")
    assert dates(signed.store) == before


# --- what is due ------------------------------------------------------------------------------------------
def test_what_is_due_is_counted_and_shown_by_month_and_nothing_goes(signed):
    store = signed.store
    due = retention.due(store, date(2023, 5, 3))
    assert (due.signatures, due.questioned, due.records) == (1, 0, ())
    due = retention.due(store, date(2023, 5, 4))
    assert {key: len(ids) for key, ids in due.specimens.items()} == {
        signed.keys["S03"]: 1,
        signed.keys["S07"]: 1,
    }
    assert retention.calendar(store) == [
        (date(2022, 2, 1), {"signatures": 1}),
        (date(2023, 5, 1), {"signatures": 1}),
        (date(2034, 2, 1), {"signatures": 1}),
    ]
    assert len(queries.specimen_table(store)) == 3


def test_only_what_is_due_goes_and_the_rest_of_the_student_stays(signed):
    store, key = signed.store, signed.keys["S07"]
    enrolled = {"student_key": key, "at": datetime(2024, 3, 1), "actor": "r", "kind": "enrolled"}
    enrolled |= {"descriptor_id": "d@1", "descriptor_sha256": "0", "classifier_version": "1", "left_out": {}}
    ids = queries.student_specimens(store, SYSTEM, key).sort_values("captured_on")["specimen_id"].tolist()
    with store.writing() as connection:
        connection.execute(insert(schema.enrolments).values(**enrolled, reference_ids=ids))
    receipts, gone = retention.carry_out(store, date(2025, 1, 1), actor="adi", role="administrator")
    assert gone == 0
    assert {one.student_key: one.partial for one in receipts} == {signed.keys["S03"]: False, key: True}
    assert queries.student_specimens(store, SYSTEM, key)["specimen_id"].tolist() == ids[1:]
    with store.reading() as connection:
        kinds = connection.scalars(
            select(schema.enrolments.c.kind).order_by(schema.enrolments.c.enrolment_id)
        )
        assert kinds.all() == ["enrolled", "retired"]  # a reference went: somebody enrols anew
    (part,) = erase.receipts(store, key)
    assert part.specimens == (ids[0],) and part.partial and "fallen due" in part.as_text()
    again = write_specimens(
        store, [signature("S07", b"ink 7", date(2012, 2, 29))], source="again.zip", actor="test"
    )
    assert (again.new, again.erased) == (0, 1)
    assert retention.carry_out(store, date(2025, 1, 1), actor="adi") == ([], 0)
    assert audit.entries(store, action="carry out retention").iloc[0]["detail"]["signatures"] == 2


def test_a_part_stays_a_part_when_it_is_erased_again(signed):
    store, key = signed.store, signed.keys["S07"]
    ids = queries.student_specimens(store, SYSTEM, key).sort_values("captured_on")["specimen_id"].tolist()
    receipt = {"actor": "adi", "receipt": {"specimens": ids[:1], "partial": True}}
    who = tombstones.who_is(store.cipher, key)
    one = tombstones.Tombstone("e" * 32, "signatures", datetime(2025, 1, 1), who, receipt)
    (done,) = erase.erase_again(store, [one])
    assert done.partial and done.erasure_id == "e" * 32
    assert queries.student_specimens(store, SYSTEM, key)["specimen_id"].tolist() == ids[1:]


# --- the records of who has left --------------------------------------------------------------------------
def test_records_stay_unless_the_rule_says_otherwise(signed):
    assert retention.due(signed.store, date(2200, 1, 1)).records == ()


def rows_of(store, key: str, number: str) -> dict[str, int]:
    """Table → rows that hold the key or the number."""
    found = {}
    with store.reading() as connection:
        for one in schema.metadata.sorted_tables:
            rows = connection.execute(select(one)).all()
            found[one.name] = sum(key in repr(row) or number in repr(row) for row in rows)
    return {name: count for name, count in found.items() if count}


def test_who_has_left_is_pseudonymised_and_the_course_of_study_stays(signed):
    store, key = signed.store, signed.keys["S03"]
    add_case_event(store, key, "ani", "note", {"text": "her mother is ill"})
    with store.writing() as connection:
        connection.execute(schema.students.update().values(extra={"school": "SMA 1"}))
        born = pd.DataFrame({"student_key": [key], "birth_year": [2001]})
        update_frame(connection, schema.students, ["student_key"], born)
    assert queries.student(store, SYSTEM, key)["birth_year"].tolist() == [2001]
    terms = rows_of(store, key, "S03")["terms"]
    retention.decide(store, Rule(records="pseudonymise", records_after=3), actor="adi")
    assert retention.due(store, date(2024, 5, 3)).records == (signed.keys["S04"],)
    assert key in retention.due(store, date(2024, 5, 4)).records
    receipts, _ = retention.carry_out(store, date(2024, 5, 4), actor="adi", role="administrator")
    assert ("identity", key) in {(one.kind, one.student_key) for one in receipts}
    left = rows_of(store, key, "S03")
    assert left["terms"] == terms and left["outcomes"] == 1
    for gone in ("identities", "case_events", "signature_specimens"):
        assert gone not in left
    (row,) = queries.student(store, SYSTEM, key).to_dict("records")
    assert row["birth_year"] != row["birth_year"] and row["extra"] is None and row["name"] != row["name"]
    assert queries.find_student(store, SYSTEM, "S03") is None
    assert key not in retention.due(store, date(2024, 5, 4)).records
    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.students)) == 12


def test_who_has_left_is_erased_where_the_rule_says_so(signed):
    store, key = signed.store, signed.keys["S03"]
    retention.decide(store, Rule(records="erase", records_after=3), actor="adi")
    retention.carry_out(store, date(2024, 5, 4), actor="adi")
    assert set(rows_of(store, key, "S03")) == {"erasures", "audit_log"}
    assert {one.kind for one in erase.receipts(store, key)} == {"student"}


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(signed, monkeypatch):
    store, calls = signed.store, []

    def cut_off(done: int, total: int, what: str) -> None:
        calls.append((done, total))
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.carry_out(store, date(2025, 1, 1), actor="adi", progress=cut_off)
    assert calls == [(0, 2), (1, 2)] and retention.due(store, date(2025, 1, 1)).signatures == 1
    assert len(retention.carry_out(store, date(2025, 1, 1), actor="adi")[0]) == 1


# --- the upgrade ------------------------------------------------------------------------------------------
def test_an_older_store_gets_the_dates_that_are_missing(empty_url, tmp_path):
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, "0013")
        for statement in (
            "INSERT INTO imports (import_id, started_at, actor, source, files, counts, synthetic)"
            " VALUES ('i', '2020-01-01 00:00:00', 'a', 's', '{}', '{}', false)",
            "INSERT INTO programs VALUES ('IF', 'Informatics', 'S1', 8, 144)",
            "INSERT INTO students (student_key, program_code, cohort_term, import_id)"
            " VALUES ('k', 'IF', 20191, 'i')",
            "INSERT INTO signature_specimens (specimen_id, student_key, captured_on, context, sha256,"
            " file_format, width, height, import_id)"
            " VALUES ('s', 'k', '2020-02-29', 'enrollment', '0', 'png', 1, 1, 'i')",
            "INSERT INTO erasures VALUES ('e', 'x', 'student', '2020-01-01 00:00:00', 'a', '{}')",
        ):
            connection.execute(text(statement))
        upgrade(connection)
        assert connection.scalar(select(schema.specimens.c.retention_until)) == date(2030, 2, 28)
        assert connection.scalar(select(schema.erasures.c.kind)) == "student"
        from data.migrations.triggers import unguarded_tables

        assert unguarded_tables(connection) == []
    engine.dispose()


# --- the command ------------------------------------------------------------------------------------------
@pytest.fixture
def office(tmp_path, monkeypatch):
    """An office's folder with the small register in it, and a command on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TEPAT_KEY", raising=False)
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path / "store"))
    monkeypatch.setenv("DATABASE_URL", "")
    get_settings.cache_clear()
    store = open_store()
    write_records(store, small_register_frames()[0], source="r.csv", files={}, actor="test")
    write_specimens(store, [signature("S03", b"ink", date(2019, 9, 1))], source="s.zip", actor="test")
    store.close()
    yield lambda *words, answer="": CliRunner().invoke(app, ["retention", *words], input=answer)
    get_settings.cache_clear()


def test_the_command_deletes_after_a_question_only(office, tmp_path):
    shown = office("--dry-run")
    assert shown.exit_code == 0 and "1 signatures of 1 students" in shown.output
    assert "nobody has decided" in shown.output
    assert office(answer="n\n").exit_code == 1
    assert office("--dry-run").output == shown.output
    result = office("--receipt", str(tmp_path / "receipts.txt"), answer="y\n")
    assert result.exit_code == 0 and "Receipt of erasure" in (tmp_path / "receipts.txt").read_text()
    assert "0 signatures of 0 students" in office("--dry-run").output


def test_the_command_sets_the_rule_and_deletes_nothing_by_it(office):
    result = office("--signatures-after-exit", "1", "--records", "erase", "--records-after", "1")
    assert result.exit_code == 0 and "as decided" in result.output and "nothing was deleted" in result.output
    assert "1 signatures" in office("--dry-run").output
    assert office("--records", "burn").exit_code == 2
    assert office("--on", "2999-01-01").exit_code == 2
    assert office("--dry-run", "--on", "2999-01-01").exit_code == 0
