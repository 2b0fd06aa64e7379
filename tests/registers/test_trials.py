"""A trial by lot on the second university: real files, dates instead of terms, nothing marked as invented."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from sqlalchemy import insert, select

from data import queries, schema
from data.cases import trials
from data.cases.trial_outcomes import outcomes_of
from data.cases.trial_protocol import Protocol, earliest_reading
from data.cases.trial_queries import one_trial
from data.engine.bulk import fetch
from data.files.mapping import load_mapping
from data.records.ingest import Source, apply_import, plan_import
from data.scores.standing import last_completed
from data.trust.scope import Scope
from fusion.trial.analysis import analyse
from fusion.trial.lottery import draw_lots, lots_that_differ
from tests.registers.second_university import truth, write

HUSBANDRY, ON = "54231", date(2026, 10, 5)
DEAN = Scope("dekan", "leadership", False, None, False, False)
HEAD = Scope("kaprodi", "leadership", False, (HUSBANDRY,), False, False)


@pytest.fixture
def office(store, tmp_path):
    """The office's register, and a risk for everybody enrolled, by their number: no model is needed here."""
    files = write(tmp_path / "office")
    named = {"students": files.students, "terms": files.terms, "outcomes": files.outcomes}
    sources = [Source.from_path(table, path) for table, path in named.items()]
    plan = plan_import(sources, load_mapping(str(files.mapping)), store=store, today=date(2026, 10, 1))
    apply_import(store, plan, actor="biro.satu")
    owner, exits, now = schema.students, schema.outcomes, schema.risk_current
    enrolled = owner.outerjoin(exits, exits.c.student_key == owner.c.student_key)
    wanted = select(owner.c.student_key, owner.c.program_code, owner.c.cohort_term, owner.c.advisor)
    with store.writing() as connection:
        newest = last_completed(connection)
        rows = connection.execute(
            wanted.select_from(enrolled).where(exits.c.exit_type.is_(None)).order_by(owner.c.student_key)
        ).mappings()
        for place, row in enumerate(rows.all(), 1):
            risk = 0.9 - 0.8 * place / 402
            told = {"target": "dropout", "score_id": place, "as_of_index": 2, "as_of_term": newest}
            told |= {"model_version": "m", "modality": "records", "risk": risk, "risk_low": risk}
            connection.execute(insert(now).values(**row, **told, risk_high=risk, band="high"))
    return store


def registered(store, scope, **changed) -> str:
    from data.calendar.setting import study_calendar

    with store.reading() as connection:
        read_on = earliest_reading(ON, 1, study_calendar(connection))
    told = {"title": "Bimbingan", "program_code": HUSBANDRY, "target": "dropout", "lists": "program"}
    told |= {"capacity": 30, "window": 20, "block": 4, "outcome": "inactive", "outcome_terms": 1}
    told |= {"base_rate": 0.3, "difference": 0.2, "planned": 40, "power": 0.3, "draw_from": ON}
    protocol = Protocol(**(told | {"draw_until": ON, "offer_days": 60, "read_on": read_on} | changed))
    trial = trials.register_trial(store, scope, protocol, actor="dekan", role="leadership", today=ON)
    by = {"actor": "kaprodi", "role": "leadership", "today": ON}
    trials.approve_trial(store, scope, trial.trial_id, trial.protocol_sha256, **by)
    return trial.trial_id


def test_lots_are_drawn_among_the_enrolled_of_one_programme_and_nobody_else(office):
    number, lottery = registered(office, HEAD), partial(draw_lots, block=4)
    made = trials.draw_lots(office, HEAD, number, lottery, actor="kaprodi", role="leadership", today=ON)
    assert made.offered == made.usual == 20
    table, identity = schema.trial_students, schema.identities
    with office.reading() as connection:
        drawn = fetch(
            connection,
            select(identity.c.student_key, identity.c.student_number, table.c.arm).join(
                table, table.c.student_key == identity.c.student_key
            ),
        )
        trial = one_trial(connection, DEAN, number)
        seed = trials.seed_of(office, connection, trial)
        happened = outcomes_of(connection, trial)
    labels = truth().labels
    assert all(labels[nim] in ("censored", "delayed") for nim in drawn["student_number"])
    from data.cases.trial_queries import drawn_students

    assert lots_that_differ(drawn_students(office, number), seed, block=4) == []
    assert len(happened) == 40
    with pytest.raises(trials.TrialRefused, match="must reach"):  # the next term is not in the register
        trials.read_result(
            office, HEAD, number, analyse, actor="dekan", role="leadership", today=trial.protocol.read_on
        )


def test_an_advisor_of_the_office_sees_own_students_by_name_and_no_one_drawn_into_the_others(office):
    number = registered(office, DEAN, program_code=None, lists="advisor", capacity=10, window=6)
    lottery = partial(draw_lots, block=4)
    trials.draw_lots(office, DEAN, number, lottery, actor="dekan", role="leadership", today=ON)
    table, owner = schema.trial_students, schema.students
    with office.reading() as connection:
        lots = connection.execute(
            select(owner.c.advisor, owner.c.student_key, table.c.arm).join(
                table, table.c.student_key == owner.c.student_key
            )
        ).all()
    advisors = {advisor for advisor, _, _ in lots}
    assert len(advisors) >= 2
    for advisor in advisors:
        scope = Scope(advisor, "advisor", True, None, True, True)
        shown = queries.offers(office, scope, ON)
        assert set(shown["student_key"]) == {
            key for who, key, arm in lots if (who, arm) == (advisor, "offered")
        }
        assert shown["name"].notna().all()
