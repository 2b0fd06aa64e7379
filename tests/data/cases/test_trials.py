"""A trial from protocol to result: frozen, approved by another, drawn near the line, read once on its day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from data import queries, schema
from data.cases import trials
from data.cases.trial_outcomes import help_since_scores
from data.cases.trial_queries import drawn_students, near_the_line, one_trial
from data.cases.trials import TrialRefused
from data.store import add_case_event
from data.trust import audit
from data.trust.erase import erase_student, pseudonymise
from data.trust.scope import Scope
from tests.data.cases.conftest import replaced_protocol, triggers_off

SYSTEM = Scope.system()
DRAWN_ON, LATE = date(2024, 9, 10), date(2025, 4, 1)
DEAN = {"actor": "dekan", "role": "leadership"}
SECOND = {"actor": "wadek", "role": "leadership"}
WHOLE = Scope("dekan", "leadership", False, None, False, False)
OF_SI = Scope("kaprodi", "leadership", False, ("SI",), False, False)


def by_turns(near, seed, draw):
    """In the place of the lottery: every other student is offered help."""
    place = near.groupby("list_name").cumcount()
    return near.assign(block=place // 4 + 1, arm=["usual" if odd else "offered" for odd in place % 2])


def shares(counts):
    return {arm: one["events"] / one["students"] for arm, one in counts.items()}


def approved(crowd, protocol, scope=WHOLE):
    trial = trials.register_trial(crowd.store, scope, protocol, **DEAN, today=DRAWN_ON)
    trials.approve_trial(crowd.store, scope, trial.trial_id, trial.protocol_sha256, **SECOND, today=DRAWN_ON)
    return trial.trial_id


def draw(crowd, trial_id, on=DRAWN_ON, scope=WHOLE, lottery=by_turns):
    return trials.draw_lots(crowd.store, scope, trial_id, lottery, **DEAN, today=on)


def now_of(crowd, trial_id, scope=SYSTEM):
    with crowd.store.reading() as connection:
        return one_trial(connection, scope, trial_id)


# --- the protocol -----------------------------------------------------------------------------------------
def test_registering_freezes_protocol_and_secret(crowd, protocol):
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    assert trial.state == "registered" and trial.protocol.digest() == trial.protocol_sha256
    assert len(trial.protocol.seed_sha256) == 64
    for table, values in (
        (schema.trials, {"protocol_sha256": "0" * 64}),
        (schema.trials, {"protocol": replace(protocol, outcome="inactive").as_dict()}),
    ):
        with pytest.raises(DBAPIError, match="append-only: UPDATE refused"):
            with crowd.store.writing() as connection:
                connection.execute(update(table).values(**values))
    with pytest.raises(DBAPIError, match="append-only: DELETE refused"):
        with crowd.store.writing() as connection:
            connection.execute(delete(schema.trials))
    (entry,) = audit.entries(crowd.store, action="register trial").to_dict("records")
    assert entry["actor"] == "dekan" and entry["detail"]["sha256"] == trial.protocol_sha256


def test_the_secret_is_sealed_and_nothing_of_it_is_clear(crowd, protocol):
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    with crowd.store.reading() as connection:
        seed = trials.seed_of(crowd.store, connection, trial)
        sealed = bytes(connection.scalar(select(schema.trial_seeds.c.ciphertext)))
        told = repr(connection.execute(select(schema.trials)).all())
    assert len(seed) == trials.SEED_BYTES and seed not in sealed and seed.hex() not in told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"title": "  "}, "title"),
        ({"title": "Talks\x1b[2J"}, "title must be one line"),
        ({"title": "Talks\u202ellat"}, "title must be one line"),
        ({"title": "Talks\nand more"}, "title must be one line"),
        ({"target": "grades"}, "target"),
        ({"lists": "faculty"}, "lists"),
        ({"capacity": 0}, "capacity"),
        ({"window": 9}, "window"),
        ({"block": 3}, "block"),
        ({"outcome": "happy"}, "outcome"),
        ({"outcome_terms": 0}, "outcome_terms"),
        ({"base_rate": 1.0}, "base_rate"),
        ({"difference": 0.4}, "difference"),
        ({"planned": 12}, "planned"),
        ({"power": 1.0}, "power"),
        ({"draw_from": date(2025, 1, 1)}, "draw_from"),
        ({"draw_until": date(2024, 9, 1), "draw_from": date(2024, 8, 1)}, "draw_until"),
        ({"offer_days": 0}, "offer_days"),
        ({"read_on": date(2025, 1, 31)}, "read_on must be 2025-03-03 or later"),
        ({"analysis": "whatever fits"}, "analysis"),
        ({"program_code": "XX"}, "no programme XX"),
    ],
)
def test_a_protocol_that_cannot_be_carried_out_is_refused_with_its_field(crowd, protocol, changed, said):
    with pytest.raises(ValueError, match=said):
        trials.register_trial(crowd.store, WHOLE, replace(protocol, **changed), **DEAN, today=DRAWN_ON)
    assert queries.trials(crowd.store, SYSTEM) == []


def test_the_author_does_not_approve_nor_anybody_another_protocol(crowd, protocol):
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    approve = partial(trials.approve_trial, crowd.store, WHOLE, trial.trial_id, today=DRAWN_ON)
    with pytest.raises(TrialRefused, match="another person"):
        approve(trial.protocol_sha256, actor="DEKAN", role="leadership")
    with pytest.raises(TrialRefused, match="another protocol"):
        approve("0" * 64, **SECOND)
    with pytest.raises(TrialRefused, match="registered: no lots"):
        draw(crowd, trial.trial_id)
    approve(trial.protocol_sha256, **SECOND)
    assert now_of(crowd, trial.trial_id).approved_by == "wadek"
    with pytest.raises(TrialRefused, match="not waiting"):
        approve(trial.protocol_sha256, **SECOND)


def test_after_the_days_of_drawing_nothing_is_approved_or_drawn(crowd, protocol):
    late = protocol.draw_until + timedelta(days=1)
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    with pytest.raises(TrialRefused, match="ended"):
        trials.approve_trial(crowd.store, WHOLE, trial.trial_id, trial.protocol_sha256, **SECOND, today=late)
    other = approved(crowd, protocol)
    for day in (late, DRAWN_ON - timedelta(days=1)):
        with pytest.raises(TrialRefused, match="lots are drawn from"):
            draw(crowd, other, on=day)


# --- the draw ---------------------------------------------------------------------------------------------
def test_who_is_drawn_stands_just_above_or_just_below_the_line(crowd, protocol):
    trial_id = approved(crowd, protocol)
    made = draw(crowd, trial_id)
    assert (made.draw, made.lists, made.offered, made.usual) == (1, 3, 12, 12)
    expected = {f"{advisor}-{place:02d}" for advisor in ("ani", "budi", "citra") for place in range(5, 13)}
    assert set(crowd.arms(trial_id)) == expected
    drawn = drawn_students(crowd.store, trial_id)
    assert drawn["place"].tolist() == [*range(5, 13)] * 3 and set(drawn["as_of_term"]) == {20232}
    (entry,) = audit.entries(crowd.store, action="draw trial").to_dict("records")
    assert entry["detail"] == {"draw": 1, "lists": 3, "offered": 12, "usual": 12}


def test_nobody_is_drawn_twice_and_the_next_draw_takes_whoever_came_near_since(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    with pytest.raises(TrialRefused, match="nobody"):
        draw(crowd, trial_id)
    with crowd.store.writing() as connection:  # three of the drawn are no risk any more: others move up
        now = schema.risk_current
        gone = [crowd.keys[f"ani-{place:02d}"] for place in (5, 6, 7)]
        connection.execute(delete(now).where(now.c.student_key.in_(gone)))
    made = draw(crowd, trial_id)
    assert (made.draw, made.lists, made.offered + made.usual) == (2, 1, 2)  # 13 and 14; 15 made it odd
    assert {"ani-13", "ani-14"} <= set(crowd.arms(trial_id))
    assert now_of(crowd, trial_id).drawn == 26


def test_a_programme_of_its_own_and_lists_of_programmes(crowd, protocol):
    with crowd.store.reading() as connection:
        one = near_the_line(connection, WHOLE, replace(protocol, program_code="SI"))
        by_program = near_the_line(connection, WHOLE, replace(protocol, lists="program"))
    assert set(one["list_name"]) == {"citra"} and len(one) == 8
    assert sorted(set(by_program["list_name"])) == ["IF", "SI"] and len(by_program) == 16


def test_an_old_score_puts_nobody_on_a_list(crowd, protocol):
    trial_id = approved(crowd, protocol)
    with crowd.store.writing() as connection:
        connection.execute(update(schema.risk_current).values(as_of_term=20231))
    with pytest.raises(TrialRefused, match="nobody"):
        draw(crowd, trial_id)


def test_drawing_ends_when_the_planned_number_is_in(crowd, protocol):
    trial_id = approved(crowd, replace(protocol, window=8))
    assert draw(crowd, trial_id).offered == 24
    with pytest.raises(TrialRefused, match="planned 40"):
        draw(crowd, trial_id)


def test_another_secret_than_the_registered_one_draws_nobody(crowd, protocol):
    trial_id = approved(crowd, protocol)
    forged = crowd.store.cipher.encrypt(b"x" * 32, f"trial:{trial_id}")
    with crowd.store.writing() as connection:
        triggers_off(connection, "trial_seeds")
        connection.execute(update(schema.trial_seeds).values(ciphertext=forged))
    with pytest.raises(TrialRefused, match="not the registered one"):
        draw(crowd, trial_id)
    assert now_of(crowd, trial_id).drawn == 0


def test_a_protocol_changed_with_its_digest_is_neither_drawn_nor_read(crowd, protocol):
    drawn, waiting = approved(crowd, protocol), approved(crowd, protocol)
    draw(crowd, drawn)
    for trial_id in (drawn, waiting):
        replaced_protocol(crowd.store, trial_id, outcome="inactive")
        changed = now_of(crowd, trial_id)
        assert changed.protocol.digest() == changed.protocol_sha256
    with pytest.raises(TrialRefused, match="is not the one that was registered and approved"):
        draw(crowd, waiting)
    with pytest.raises(TrialRefused, match="is not the one that was registered and approved"):
        trials.read_result(crowd.store, WHOLE, drawn, shares, **DEAN, today=LATE)
    assert now_of(crowd, drawn).result is None


def test_a_protocol_changed_before_its_approval_is_not_approved(crowd, protocol):
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    replaced_protocol(crowd.store, trial.trial_id, capacity=9)
    now = now_of(crowd, trial.trial_id).protocol_sha256
    with pytest.raises(TrialRefused, match="is not the one that was registered"):
        trials.approve_trial(crowd.store, WHOLE, trial.trial_id, now, **SECOND, today=DRAWN_ON)


def test_an_approval_that_the_log_does_not_know_draws_nobody(crowd, protocol):
    trial = trials.register_trial(crowd.store, WHOLE, protocol, **DEAN, today=DRAWN_ON)
    act = {"trial_id": trial.trial_id, "kind": "approved", "at": datetime(2024, 9, 10), "actor": "wadek"}
    with crowd.store.writing() as connection:
        approval = act | {"detail": {"sha256": trial.protocol_sha256}}
        connection.execute(insert(schema.trial_acts).values(**approval))
    with pytest.raises(TrialRefused, match="is not the one that was registered and approved"):
        draw(crowd, trial.trial_id)


def test_stopping_wants_a_reason_and_ends_drawing(crowd, protocol):
    trial_id = approved(crowd, protocol)
    with pytest.raises(ValueError, match="reason"):
        trials.stop_trial(crowd.store, WHOLE, trial_id, " ", **DEAN)
    trials.stop_trial(crowd.store, WHOLE, trial_id, "too few advisors", **DEAN)
    with pytest.raises(TrialRefused, match="stopped: no lots"):
        draw(crowd, trial_id)
    with pytest.raises(TrialRefused, match="is stopped"):
        trials.stop_trial(crowd.store, WHOLE, trial_id, "again", **DEAN)


# --- who sees what ----------------------------------------------------------------------------------------
def test_a_trial_is_seen_by_who_reaches_its_programmes(crowd, protocol):
    whole = approved(crowd, protocol)
    one = approved(crowd, replace(protocol, program_code="SI"), OF_SI)
    assert {trial.trial_id for trial in queries.trials(crowd.store, WHOLE)} == {whole, one}
    assert [trial.trial_id for trial in queries.trials(crowd.store, OF_SI)] == [one]
    for nobody in (Scope("ani", "advisor", True, None, True, True), Scope.nothing()):
        assert queries.trials(crowd.store, nobody) == []
    steps = (
        partial(trials.approve_trial, crowd.store, OF_SI, whole, "0" * 64, **SECOND),
        partial(trials.draw_lots, crowd.store, OF_SI, whole, by_turns, **SECOND),
        partial(trials.stop_trial, crowd.store, OF_SI, whole, "mine", **SECOND),
        partial(trials.read_result, crowd.store, OF_SI, whole, shares, **SECOND),
    )
    for step in steps:
        with pytest.raises(LookupError):
            step()


@pytest.mark.parametrize("scope", [OF_SI, Scope("ani", "advisor", True, None, True, True), Scope.nothing()])
def test_nobody_registers_a_trial_beyond_their_reach(crowd, protocol, scope):
    with pytest.raises(PermissionError):
        trials.register_trial(crowd.store, scope, protocol, **DEAN, today=DRAWN_ON)


def test_an_advisor_sees_whom_to_offer_help_and_nothing_of_the_others(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    arms = crowd.arms(trial_id)
    ani = Scope("ani", "advisor", True, None, True, True)
    shown = queries.offers(crowd.store, ani, DRAWN_ON)
    mine = {number for number, arm in arms.items() if arm == "offered" and number.startswith("ani")}
    assert set(shown["student_number"]) == mine and len(mine) == 4
    usual = next(number for number, arm in arms.items() if arm == "usual" and number.startswith("ani"))
    for other in (usual, "ani-01"):  # of the other group, and in no trial: alike
        assert queries.offers(crowd.store, ani, DRAWN_ON, crowd.keys[other]).empty
    strange = next(number for number, arm in arms.items() if arm == "offered" and number.startswith("budi"))
    assert queries.offers(crowd.store, ani, DRAWN_ON, crowd.keys[strange]).empty
    assert not {"arm", "block", "place", "trial_id"} & set(shown.columns)


@pytest.mark.parametrize("scope", [WHOLE, Scope.nothing(), Scope("x", "auditor", False, None, False, False)])
def test_roles_without_students_see_no_offer(crowd, protocol, scope):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    assert queries.offers(crowd.store, scope, DRAWN_ON).empty


def test_an_offer_is_shown_until_its_days_are_over_with_the_first_help_logged(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    ani = Scope("ani", "advisor", True, None, True, True)
    number = queries.offers(crowd.store, ani, DRAWN_ON)["student_number"].iloc[0]
    crowd.event(number, datetime(2024, 9, 1), "contact", reached=True)  # before the draw
    crowd.event(number, datetime(2024, 9, 12), "contact", reached=False)
    crowd.event(number, datetime(2024, 9, 13), "note", text="x")
    rows = queries.offers(crowd.store, ani, DRAWN_ON, crowd.keys[number])
    assert rows["contacted_at"].isna().all()
    crowd.event(number, datetime(2024, 9, 20), "intervention")
    rows = queries.offers(crowd.store, ani, DRAWN_ON, crowd.keys[number])
    assert rows["contacted_at"].iloc[0] == datetime(2024, 9, 20)
    last = DRAWN_ON + timedelta(days=60)
    assert not queries.offers(crowd.store, ani, last).empty
    assert queries.offers(crowd.store, ani, last + timedelta(days=1)).empty


# --- the result -------------------------------------------------------------------------------------------
def test_the_result_is_read_once_on_its_day_and_counts_everybody_as_drawn(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    arms = crowd.arms(trial_id)
    offered, usual = (sorted(n for n, arm in arms.items() if arm == one) for one in ("offered", "usual"))
    left = {offered[0]: "resigned", usual[0]: "resigned", usual[1]: "expelled", usual[2]: "discontinued"}
    left |= {usual[3]: "transferred", offered[1]: "graduated"}
    crowd.event(offered[0], datetime(2024, 9, 20), "contact")  # was helped and left all the same
    crowd.event(usual[0], datetime(2024, 9, 21), "contact")
    crowd.event(usual[1], datetime(2024, 9, 1), "contact")  # before the draw: no help of the trial
    read = partial(trials.read_result, crowd.store, WHOLE, trial_id, shares, **DEAN)
    with pytest.raises(TrialRefused, match="must reach 2025-03-03"):
        read(today=LATE)
    crowd.term(set(crowd.keys) - set(left), left)
    with pytest.raises(TrialRefused, match="and not before"):
        read(today=protocol.read_on - timedelta(days=1))
    kept = read(today=protocol.read_on)
    assert kept["counts"] == {
        "offered": {"students": 12, "events": 1, "erased": 0, "helped": 1},
        "usual": {"students": 12, "events": 3, "erased": 0, "helped": 1},
    }
    assert kept["figures"] == {"offered": 1 / 12, "usual": 3 / 12}
    trial = now_of(crowd, trial_id)
    assert trial.state == "read" and trial.result == kept
    with pytest.raises(TrialRefused, match="read before"):
        read(today=LATE)
    (entry,) = audit.entries(crowd.store, action="read trial").to_dict("records")
    assert entry["detail"] == {"sha256": trial.protocol_sha256}  # what it found is for leadership


def test_no_longer_registered_counts_whoever_studies_no_more_and_has_no_degree(crowd, protocol):
    trial_id = approved(crowd, replace(protocol, outcome="inactive"))
    draw(crowd, trial_id)
    offered, usual = (
        sorted(n for n, arm in crowd.arms(trial_id).items() if arm == one) for one in ("offered", "usual")
    )
    left = {offered[0]: "graduated", usual[0]: "resigned"}
    away = {offered[1], usual[1]}  # neither left nor registered
    crowd.term(set(crowd.keys) - set(left) - away, left)
    kept = trials.read_result(crowd.store, WHOLE, trial_id, shares, **DEAN, today=LATE)
    events = {arm: one["events"] for arm, one in kept["counts"].items()}
    assert events == {"offered": 1, "usual": 2}


def test_nothing_is_read_where_nobody_was_drawn(crowd, protocol):
    trial_id = approved(crowd, protocol)
    with pytest.raises(TrialRefused, match="nobody was drawn"):
        trials.read_result(crowd.store, WHOLE, trial_id, shares, **DEAN, today=LATE)


# --- erasure ----------------------------------------------------------------------------------------------
def test_an_erased_student_leaves_the_trial_and_is_counted_as_erased(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    number, arm = sorted(crowd.arms(trial_id).items())[0]
    key = crowd.keys[number]
    receipt = erase_student(crowd.store, key)
    assert receipt.deleted["trial_students"] == 1
    with crowd.store.reading() as connection:
        for table in (schema.trials, schema.trial_acts, schema.trial_students):
            assert key not in repr(connection.execute(select(table)).all())
    crowd.keys.pop(number)
    crowd.term(set(crowd.keys), {})
    kept = trials.read_result(crowd.store, WHOLE, trial_id, shares, **DEAN, today=LATE)
    assert kept["counts"][arm]["erased"] == 1 and kept["counts"][arm]["students"] == 11
    assert erase_student(crowd.store, key).found_anything is False


def test_who_is_pseudonymised_stays_in_the_trial_under_the_key_alone(crowd, protocol):
    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    number = next(number for number, arm in crowd.arms(trial_id).items() if arm == "offered")
    pseudonymise(crowd.store, crowd.keys[number])
    assert number in crowd.arms(trial_id)
    own = Scope(number.split("-")[0], "advisor", True, None, True, True)
    assert queries.offers(crowd.store, own, DRAWN_ON, crowd.keys[number]).empty


# --- help between score and outcome -----------------------------------------------------------------------
def test_help_between_a_score_and_an_exit_is_counted(small_register):
    store, keys = small_register.store, small_register.keys
    at = datetime(2020, 9, 1)
    with store.writing() as connection:
        model = {"model_version": "m1", "created_at": at, "status": "served", "folder": "m1", "manifest": {}}
        connection.execute(schema.models.insert().values(**model))
        for place, number in enumerate(("S01", "S02", "S03", "S07"), 1):
            row = {"score_id": place, "student_key": keys[number], "as_of_index": 1, "as_of_term": 20191}
            row |= {"target": "late", "model_version": "m1", "modality": "records", "risk": 0.5}
            row |= {"risk_low": 0.4, "risk_high": 0.6, "margin": 0.0, "band": "low", "scored_at": at}
            connection.execute(schema.scores.insert().values(**row))
        events = [("S01", datetime(2021, 1, 1), "contact", {}), ("S02", datetime(2020, 1, 1), "contact", {})]
        events += [("S03", datetime(2021, 1, 1), "note", {}), ("S07", datetime(2021, 1, 1), "contact", {})]
        for number, when, kind, detail in events:
            row = {"student_key": keys[number], "at": when, "actor": "ani", "kind": kind, "detail": detail}
            connection.execute(schema.case_events.insert().values(**row))
    found = help_since_scores(store)
    assert (found.left, found.helped) == (3, 1)  # S07 is still enrolled; S02 was helped before, S03 never
    assert help_since_scores(store, "another").left == 0


def test_what_was_taken_back_is_no_help(crowd, protocol):
    from data.store import withdraw_case_events

    trial_id = approved(crowd, protocol)
    draw(crowd, trial_id)
    number = next(number for number, arm in crowd.arms(trial_id).items() if arm == "offered")
    event = add_case_event(crowd.store, crowd.keys[number], "ani", "contact", {"reached": True})
    first = queries.offers(crowd.store, SYSTEM, DRAWN_ON, crowd.keys[number])["contacted_at"]
    assert first.notna().all()
    withdraw_case_events(crowd.store, [event], "ani")
    again = queries.offers(crowd.store, SYSTEM, DRAWN_ON, crowd.keys[number])["contacted_at"]
    assert again.isna().all()
