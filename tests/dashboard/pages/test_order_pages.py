"""Pages where no counts may be told: an alarm stands, or the rule is served in place of the model."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from dashboard.cases.digest import gather
from dashboard.cases.digest_pdf import lead, lines, rule_lines
from dashboard.shell.wording import Words
from data import queries
from data.calendar.clock import today
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope
from fusion.model.watched import Watch
from fusion.service.rule import ruled, serve_rule
from fusion.service.sources import served_model
from fusion.service.upkeep import note_in_manifest

ADMIN, LEADER = Account("administrator", "A", "administrator"), Account("rector", "R", "leadership")
COUNTED = re.compile(r"of 100|dari 100|\d+\s?%")


def advisor_of(university) -> tuple[Account, Scope]:
    return Account(university.advisor, "A", "advisor"), Scope(
        university.advisor, "advisor", True, None, True, True
    )


@pytest.fixture
def alarmed(university):
    """The same university, young cohorts of which differ from those that taught its model."""
    found = served_model(university.store)
    note_in_manifest(
        university.store, found.version, monitor=replace(found.manifest.monitor or Watch(), trusted=False)
    )
    yield university
    note_in_manifest(university.store, found.version, monitor=found.manifest.monitor)


@pytest.fixture
def by_rule(university):
    """The same university with the rule in place of the model for being late."""
    who = {"actor": "administrator", "role": "administrator"}
    serve_rule(university.store, "late", on=True, reason="the model is no better", **who)
    yield university
    serve_rule(university.store, "late", on=False, reason="test over", **who)


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("target", ["late", "dropout"])
def test_under_an_alarm_every_page_tells_places_and_no_counts(alarmed, screen, language, target):
    words, (advisor, _) = Words(language), advisor_of(alarmed)
    why = words("place.why_drift")
    listed = screen.drawn("caseload", advisor, language, target=target)
    assert not listed.exception and why in "\n".join(str(w.value) for w in listed.warning)
    table = listed.dataframe[0].value
    assert "risk" not in table and "change" not in table and "history" not in table
    assert table["place"].str.fullmatch(r"\d+ \w+ \d+").all()
    assert not COUNTED.search("\n".join(map(str, listed.markdown)))
    student = screen.drawn("student", advisor, language, key=alarmed.student, target=target)
    assert not student.exception
    said = screen.texts(student)
    assert why in said and words(f"place.risk_{target}") in said
    assert words("student.sentence_help") not in said and words("place.no_history") in said
    assert not COUNTED.search(
        next(m.value for m in student.markdown if words(f"place.risk_{target}") in m.value)
    )
    overview = screen.drawn("overview", LEADER, language, target=target)
    assert not overview.exception and overview.metric[1].value == "–"
    assert why in "\n".join(str(w.value) for w in overview.warning)
    told = screen.texts(overview)  # there is a model, only no counts of it
    assert words("overview.unlearned") not in told and told.count(words("overview.bands_none")) == 2


def test_the_place_on_the_page_is_the_one_counted_in_the_cohort(alarmed, screen):
    scope = advisor_of(alarmed)[1]
    place = queries.places(alarmed.store, scope, "late", [alarmed.student]).iloc[0]
    everybody = queries.caseload(alarmed.store, Scope.system(), "late", 500)
    me = everybody[everybody["student_key"] == alarmed.student].iloc[0]
    peers = everybody[
        (everybody["program_code"] == me["program_code"])
        & (everybody["cohort_term"] == me["cohort_term"])
        & (everybody["as_of_term"] == me["as_of_term"])
    ]
    assert place["of"] == len(peers) and place["place"] == 1 + (peers["risk"] > me["risk"]).sum()
    assert queries.places(alarmed.store, scope, "late", [alarmed.stranger]).empty


def test_the_digest_and_its_lines_turn_into_places_under_an_alarm(alarmed):
    week = gather(alarmed.store, advisor_of(alarmed)[1], "late", today(alarmed.store))
    words = Words("en")
    assert week.footing.ranks and words("place.why_drift") in lead(week, words)
    told = [line for rows in (week.new, week.worse, week.waiting) for line in lines(rows, words)]
    assert not any("of 100" in line for line in told)


def test_the_first_scoring_did_not_happen_this_week(university):
    week = gather(university.store, advisor_of(university)[1], "late", today(university.store))
    assert week.first_scoring and Words("en")("digest.first_scoring") in lead(week, Words("en"))
    later = gather(university.store, advisor_of(university)[1], "late", date(2100, 1, 1))
    assert not later.first_scoring


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_rule_in_service_gives_its_order_under_its_name_and_no_probability(by_rule, screen, language):
    words, (advisor, scope) = Words(language), advisor_of(by_rule)
    listed = screen.drawn("caseload", advisor, language, target="late")
    said = "\n".join(str(w.value) for w in listed.warning)
    assert not listed.exception and "the model is no better" in said
    rule = listed.dataframe[0].value
    order = [value[0] if value[0].isdigit() else "" for value in rule[words("column.on_track")]]
    assert order == sorted(order, reverse=True) and "risk" not in rule and "band" not in rule
    student = screen.drawn("student", advisor, language, key=by_rule.student, target="late")
    shown = screen.texts(student)
    assert not student.exception and "of 100" not in shown and "dari 100" not in shown
    assert words("on_track.level_0")[4:] in shown or "**" in shown
    overview = screen.drawn("overview", LEADER, language, target="late")
    assert not overview.exception and overview.metric[1].value == "–"
    assert words("health.rule_served") in screen.texts(overview)
    week = gather(by_rule.store, scope, "late", today(by_rule.store))
    assert week.by_rule and week.new.empty and words("rule.digest") in lead(week, words)
    assert all("of 100" not in line for line in rule_lines(week.off_track, words))
    assert not gather(by_rule.store, scope, "dropout", today(by_rule.store)).by_rule


def test_the_switch_on_the_model_page_needs_a_reason_and_is_audited(university, screen):
    at = screen.drawn("model", ADMIN, target="late")
    assert not at.exception
    on = next(button for button in at.button if button.label == Words("en")("rule.on"))
    on.click().run()
    assert not ruled(university.store)
    at.text_input(key="rule-text").set_value("no better than the rule")
    next(button for button in at.button if button.label == Words("en")("rule.on")).click().run()
    try:
        assert ruled(university.store)["late"].reason == "no better than the rule"
        log = audit.entries(university.store).query("action == 'model.rule'")
        assert log.iloc[-1]["object"] == "late" or log.iloc[0]["object"] == "late"
    finally:
        serve_rule(university.store, "late", on=False, actor="a", role="administrator", reason="test over")
    reader = screen.drawn("model", LEADER, target="late")
    assert not any(button.label == Words("en")("rule.on") for button in reader.button)
