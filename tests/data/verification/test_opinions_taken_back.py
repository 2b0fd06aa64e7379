"""An opinion is taken back by a row of its own, as long as nobody built on it; what follows is not blind."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace

import pandas as pd
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Date, DateTime, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data import schema
from data.engine.database import connect, writing
from data.engine.migrate import _configuration, migrate, upgrade
from data.store import NewSpecimen, open_store, write_consents, write_specimens
from data.trust import audit, audit_chain, erase
from data.trust.scope import Scope
from data.verification import reviews
from data.verification.custody import custody
from data.verification.queries import decision, decisions
from data.verification.write import NewDecision, write_decision
from tests.conftest import locked, step_back


def reader(name: str, **changes) -> Scope:
    about = {"role": "registry", "own_students_only": False, "program_codes": None}
    return Scope(name, **about | {"may_identify": True, "may_see_students": True} | changes)


RINA, SITI, TONO, WAYAN = map(reader, ("rina", "siti", "tono", "wayan"))


@pytest.fixture
def office(small_register):
    """A case for review that Rina ran; three others may look at it."""
    store = small_register.store
    about = {"context": "enrollment", "file_format": "png", "width": 300, "height": 100}
    write_specimens(
        store, [NewSpecimen("S07", b"1", date(2022, 9, 1), **about)], source="scans", actor="test"
    )
    rows = {"student_number": ["S07"], "purpose": ["verification"], "granted": [True]}
    write_consents(store, pd.DataFrame(rows))
    result = {
        "enrolment_id": None, "outcome": "review", "reason": "differs", "score": -0.5, "log10_lr": -1.2,
        "thresholds": {}, "findings": [], "reference_ids": [], "nearest_specimen": "x",
    }  # fmt: skip
    versions = {"descriptor_id": "d@1+0", "descriptor_sha256": "0" * 64, "classifier_version": "c-1"}
    facts = {"questioned_sha256": "a" * 64, "file_format": "png", "width": 300, "height": 100, "dpi": 300}
    versions |= {"calibration_version": "synthetic-1"}
    new = NewDecision(small_register.keys["S07"], b"questioned", facts, versions, result)
    case = write_decision(store, new, actor="rina")
    return SimpleNamespace(store=store, keys=small_register.keys, case=case)


def give(office, scope: Scope, opinion: str = "same_writer") -> int:
    return reviews.give_opinion(office.store, scope, office.case, opinion, "seen")


def take_back(office, scope: Scope, reasons: str = "pressed the wrong one") -> int:
    return reviews.withdraw_opinion(office.store, scope, office.case, reasons)


def refused(code: str, act, *arguments) -> None:
    with pytest.raises(reviews.Refused) as problem:
        act(*arguments)
    assert problem.value.code == code


def test_what_was_taken_back_no_longer_counts_and_stays_on_record(office):
    give(office, SITI)
    take_back(office, SITI, " pressed the wrong one ")
    row = decisions(office.store, SITI).iloc[0]
    assert (row["opinions"], row["known"], row["mine"], row["withdrew"]) == (0, 0, False, True)
    kept = reviews.opinions(office.store, SITI, office.case)
    assert kept["kind"].tolist() == ["withdrawn", "withdrawal"]
    assert kept["opinion"].tolist() == ["same_writer", "same_writer"]
    assert kept["reasons"].tolist() == ["seen", "pressed the wrong one"]
    assert decision(office.store, SITI, office.case)["score"] is None  # as before an opinion
    refused("no_opinion", reviews.settle, office.store, SITI, office.case, "ask_again", "x")


def test_an_opinion_given_anew_counts_as_knowing_the_score(office):
    give(office, SITI)
    take_back(office, SITI)
    assert reviews.review_queue(office.store, SITI)["mine_to_do"].tolist() == [True]
    give(office, SITI, "another_writer")
    kept = reviews.opinions(office.store, SITI, office.case)
    assert kept["kind"].tolist() == ["withdrawn", "withdrawal", "opinion"]
    assert kept["blind"].tolist() == [True, False, False]
    refused("given", give, office, SITI)
    assert reviews.review_queue(office.store, RINA)["mine_to_do"].tolist() == [False]
    refused("not_blind", give, office, RINA)  # neither of the two would be blind
    give(office, TONO, "another_writer")
    reviews.settle(office.store, TONO, office.case, "refer", "one of them blind")


def test_whoever_took_back_waits_for_somebody_blind_where_the_other_opinion_is_not(office):
    give(office, RINA)
    give(office, SITI)
    take_back(office, SITI)
    assert reviews.review_queue(office.store, SITI)["mine_to_do"].tolist() == [False]
    refused("not_blind", give, office, SITI)
    assert reviews.review_queue(office.store, TONO)["mine_to_do"].tolist() == [True]


def test_it_may_be_taken_back_and_given_any_number_of_times(office):
    for _ in range(3):
        give(office, SITI)
        take_back(office, SITI)
    refused("nothing_given", take_back, office, SITI)
    with office.store.reading() as connection:
        turns = connection.scalars(select(schema.reviews.c.turn).order_by(schema.reviews.c.review_id)).all()
    assert turns == [1, 1, 2, 2, 3, 3]


def test_who_may_take_back_and_until_when(office):
    refused("nothing_given", take_back, office, SITI)
    give(office, SITI)
    refused("nothing_given", take_back, office, TONO)
    refused("no_reasons", take_back, office, SITI, "  ")
    give(office, TONO)
    refused("followed", take_back, office, SITI)
    take_back(office, TONO)
    assert reviews.opinions(office.store, TONO, office.case)["reviewer"].tolist() == ["tono", "tono"]
    take_back(office, SITI)  # nobody builds on it any more
    give(office, WAYAN)
    reviews.settle(office.store, WAYAN, office.case, "ask_again", "first of all")
    refused("settled", take_back, office, WAYAN)
    elsewhere = reader("wayan", program_codes=frozenset({"nowhere"}))
    with pytest.raises(LookupError, match="no decision"):
        take_back(office, elsewhere)


def test_it_is_in_the_audit_log_and_in_the_chain_of_custody(office):
    give(office, SITI)
    take_back(office, SITI)
    log = audit.entries(office.store)
    (given,) = log[log["action"] == "review signature"]["detail"]
    assert given["score_seen"] is False  # it was given blind
    (entry,) = log[log["action"] == "take back opinion"].to_dict("records")
    assert entry["actor"] == "siti" and entry["object"] == office.keys["S07"]
    assert entry["detail"] == {"decision": office.case, "opinion": "same_writer"}
    assert audit_chain.verify_chain(office.store).intact
    acts = custody(office.store, SITI, office.case)
    assert acts[acts["actor"] == "siti"]["act"].tolist() == ["opinion", "taken_back"]


def test_erasing_the_signatures_reaches_withdrawals(office):
    give(office, SITI)
    take_back(office, SITI)
    receipt = erase.erase_student_signatures(office.store, office.keys["S07"], actor="registrar")
    assert receipt.deleted["reviews"] == 2


def test_the_database_keeps_one_opinion_and_one_withdrawal_of_a_turn(office):
    give(office, SITI)
    take_back(office, SITI)
    with office.store.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(schema.reviews)).mappings()]
    for row in rows:
        again = {name: value for name, value in row.items() if name != "review_id"}
        with pytest.raises(IntegrityError), office.store.writing() as connection:
            connection.execute(insert(schema.reviews).values(**again))


# --- a store of the software before ------------------------------------------------------------------------
AT = datetime(2025, 3, 1)


def as_it_is(connection, name: str) -> Table:
    """A table as the database has it; SQLite's own types would take no dates."""
    table = Table(name, MetaData(), autoload_with=connection)
    for column in table.columns:
        now = schema.metadata.tables[name].columns.get(column.name)
        if isinstance(now, Column) and isinstance(now.type, DateTime | Date):
            column.type = now.type
    return table


def revision_before(connection) -> str:
    return ScriptDirectory.from_config(_configuration(connection)).get_revision("0021").down_revision


@pytest.fixture
def old_engine(empty_url):
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, revision_before(connection))
        who = {"student_key": "k", "at": AT, "actor": "rina"}
        versions = {"descriptor_id": "d@1+0", "descriptor_sha256": "0" * 64, "classifier_version": "c-1"}
        rows = {
            "imports": {"import_id": "i", "started_at": AT, "actor": "a", "source": "s", "files": {}}
            | {"counts": {}, "synthetic": False},
            "programs": {"program_code": "IF", "name": "Informatics", "degree_level": "S1"}
            | {"normal_terms": 8, "required_credits": 144},
            "students": {"student_key": "k", "program_code": "IF", "cohort_term": 20191, "import_id": "i"},
            "verification_decisions": who
            | versions
            | {"decision_id": "d", "questioned_sha256": "0", "file_format": "png", "width": 1, "height": 1}
            | {"calibration_version": "1", "outcome": "review", "reason": "differs", "thresholds": {}}
            | {"findings": [], "reference_ids": []},
        }
        for name, row in rows.items():
            connection.execute(insert(as_it_is(connection, name)).values(**row))
        for reviewer in ("siti", "tono"):
            row = {"decision_id": "d", "student_key": "k", "at": AT, "kind": "opinion", "blind": True}
            row |= {"reviewer": reviewer, "opinion": "cannot_tell", "reasons": "x", "reason_codes": ["shape"]}
            connection.execute(insert(as_it_is(connection, "reviews")).values(**row))
    yield engine
    engine.dispose()


def test_opinions_of_before_stand_and_can_be_taken_back(old_engine, empty_url, tmp_path):
    migrate(old_engine, locked(old_engine, tmp_path))
    store = open_store(empty_url, folder=tmp_path)
    reviews.withdraw_opinion(store, TONO, "d", "a slip")
    number = reviews.give_opinion(store, TONO, "d", "same_writer", "y")
    kept = reviews.opinions(store, Scope.system(), "d")
    assert kept["kind"].tolist() == ["opinion", "withdrawn", "withdrawal", "opinion"]
    assert kept["reason_codes"].tolist() == [["shape"], ["shape"], [], []]
    assert kept["review_id"].tolist()[:2] == [1, 2] and number == kept["review_id"].max()
    store.close()


def test_the_table_refuses_changes_again(old_engine, tmp_path):
    migrate(old_engine, locked(old_engine, tmp_path))
    for statement in ("UPDATE reviews SET turn = 2", "DELETE FROM reviews"):
        with pytest.raises(DBAPIError, match="append-only"), writing(old_engine) as connection:
            connection.execute(text(statement))


def test_an_older_software_finds_the_opinions_that_stand(old_engine, empty_url, tmp_path):
    seal = locked(old_engine, tmp_path)
    migrate(old_engine, seal)
    store = open_store(empty_url, folder=tmp_path)
    reviews.withdraw_opinion(store, TONO, "d", "a slip")
    reviews.give_opinion(store, TONO, "d", "same_writer", "y")
    reviews.withdraw_opinion(store, TONO, "d", "again")
    reviews.give_opinion(store, TONO, "d", "another_writer", "z")
    store.close()
    with writing(old_engine, "migrate") as connection:
        step_back(connection, revision_before(connection), seal)
        table = as_it_is(connection, "reviews")
        kept = connection.execute(select(table.c.reviewer, table.c.opinion).order_by(table.c.review_id)).all()
        assert [tuple(row) for row in kept] == [("siti", "cannot_tell"), ("tono", "another_writer")]
        assert "turn" not in table.c
