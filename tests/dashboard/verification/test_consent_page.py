"""The consent page over a real register: what is on record, answers, withdrawals, who lacks one."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from dashboard.importing import plan as importing
from dashboard.importing.columns import missing
from dashboard.importing.plan import UploadedFile
from dashboard.shell import access
from dashboard.shell.wording import Words
from data import queries
from data.calendar.clock import today
from data.consents.consent import record_consent
from data.consents.queries import consent_standing
from data.records.ingest import Source, apply_import, plan_import
from data.store import get_fact, open_store
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
RINA = Account("rina", "Rina", "registry")
SYSTEM = Scope.system()
NUMBER = "0117200001"


@pytest.fixture
def register(tmp_path, sqlite_template, served):
    """A register from an office's own file, not marked synthetic."""
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    plan = plan_import([Source.from_path("students", SAMPLES / "siakad_students.csv")], store=store)
    apply_import(store, plan, actor="rina")
    assert not get_fact(store, "synthetic")
    served(store)
    yield store
    store.close()


@pytest.fixture
def key(register) -> str:
    return queries.find_student(register, SYSTEM, NUMBER)


def holds(store, key: str) -> dict[str, str | None]:
    standing = consent_standing(store, SYSTEM, key).set_index("purpose")["decision"]
    return {purpose: None if pd.isna(said) else said for purpose, said in standing.items()}


def pressed(at, key: str):
    return next(one for one in at.button if one.key == key).click().run()


@pytest.mark.parametrize("language", ["en", "id"])
def test_an_answer_for_two_purposes_is_recorded_with_date_and_source(register, key, screen, language):
    words = Words(language)
    at = screen.drawn("consent", RINA, language, key=key)
    assert not at.exception
    shown = screen.texts(at)
    assert words("consent.title") in shown and NUMBER in shown
    assert words("consent.history_none") in shown
    at.button_group(key="consent-purposes").set_value(["verification", "research"])
    at.text_input(key="consent-record-source").set_value("form 12")
    at.date_input(key="consent-record-on").set_value(date(2024, 9, 2))
    pressed(at, "consent-save")
    assert [one.value for one in at.success] == [words("consent.record_done")]
    assert holds(register, key) == {"verification": "granted", "outcome_model": None, "research": "granted"}
    history = queries.consent_history(register, SYSTEM, key)
    assert set(history["source"]) == {"form 12"} and set(history["recorded_by"]) == {"rina"}
    assert set(history["decided_on"]) == {pd.Timestamp("2024-09-02")}
    assert len(audit.entries(register, actor="rina", action="record consent")) == 2
    assert "form 12" in at.dataframe[0].value.to_string()


def test_a_yes_without_source_or_purpose_is_not_recorded_and_says_what_is_missing(register, key, screen):
    words = Words("en")
    at = screen.drawn("consent", RINA, key=key)
    pressed(at, "consent-save")
    assert [one.value for one in at.error] == [words("consent.record_no_purpose")]
    at.button_group(key="consent-purposes").set_value(["verification"])
    pressed(at, "consent-save")
    assert [one.value for one in at.error] == [words("consent.record_no_source")]
    assert holds(register, key)["verification"] is None


def test_a_no_needs_no_source(register, key, screen):
    at = screen.drawn("consent", RINA, key=key)
    at.button_group(key="consent-purposes").set_value(["outcome_model"])
    at.radio(key="consent-answer").set_value("refused")
    pressed(at, "consent-save")
    assert holds(register, key)["outcome_model"] == "refused"


def test_a_withdrawal_is_confirmed_after_what_follows_was_said(register, key, screen):
    words = Words("en")
    record_consent(register, key, "verification", "granted", actor="rina")
    at = screen.drawn("consent", RINA, key=key)
    assert words("consent.follows_verification") in screen.texts(at)
    button = next(one for one in at.button if one.key == "withdraw-verification-now")
    assert button.disabled
    at.date_input(key="withdraw-verification-on").set_value(today(register) - timedelta(days=400))
    at.checkbox(key="withdraw-verification-sure").check().run()
    pressed(at, "withdraw-verification-now")
    assert holds(register, key)["verification"] == "withdrawn"
    assert [one.value for one in at.success] == [words("consent.record_done")]
    assert "renew-verification-now" in [one.key for one in at.button]


def test_a_new_yes_after_a_no_is_an_act_of_its_own_with_a_source(register, key, screen):
    words = Words("en")
    record_consent(register, key, "verification", "refused", actor="rina", decided_on=date(2024, 5, 6))
    at = screen.drawn("consent", RINA, key=key)
    said = words("consent.renew_why", day="6 May 2024", decision=words("consent.decision_refused"))
    assert said in screen.texts(at)
    at.checkbox(key="renew-verification-sure").check().run()
    pressed(at, "renew-verification-now")
    assert [one.value for one in at.error] == [words("consent.record_no_source")]
    at.text_input(key="renew-verification-source").set_value("form 13").run()
    pressed(at, "renew-verification-now")
    assert holds(register, key)["verification"] == "renewed"


def test_a_no_that_came_meanwhile_stands(register, key, screen):
    at = screen.drawn("consent", RINA, key=key)
    record_consent(register, key, "verification", "refused", actor="siti")
    at.button_group(key="consent-purposes").set_value(["verification"])
    at.text_input(key="consent-record-source").set_value("form 12")
    pressed(at, "consent-save")
    assert holds(register, key)["verification"] == "refused"


def test_the_start_counts_and_lists_who_has_not_agreed(register, key, screen):
    record_consent(register, key, "verification", "granted", actor="rina")
    at = screen.drawn("consent", RINA)
    counts, lacking = (one.value for one in at.dataframe)
    assert counts.iloc[0].tolist()[1:] == [1, 0, 29]
    assert len(lacking) == 29 and NUMBER not in lacking.iloc[:, 0].tolist()
    at.selectbox(key="missing-purpose").set_value("research").run()
    assert len(at.dataframe[1].value) == 30
    at.toggle(key="missing-signed").set_value(True).run()
    assert Words("en")("consent.missing_nobody") in [one.value for one in at.success]


def test_an_empty_register_says_what_to_do(store, served, screen):
    served(store)
    assert Words("en")("consent.empty_text") in screen.texts(screen.drawn("consent", RINA))


@pytest.mark.parametrize("page", ["enrolment", "verification"])
def test_the_pages_that_refuse_say_so_at_once(register, key, screen, page):
    lacking = Words("en")("consent.lacking")
    assert lacking in [one.value for one in screen.drawn(page, RINA, key=key).warning]
    record_consent(register, key, "verification", "granted", actor="rina")
    assert lacking not in [one.value for one in screen.drawn(page, RINA, key=key).warning]


def test_only_the_registry_has_the_page_and_the_act():
    having = {role for role in access._MENU if "consent" in {page.name for page in access.pages_for(role)}}
    assert having == {"registry"}
    assert {role for role in access._MENU if access.may(role, "record consent")} == {"registry"}


def test_the_data_page_recognises_a_file_of_consents_and_names_what_it_lacks(register):
    file = UploadedFile("persetujuan.csv", b"NIM;Keperluan;Status;Tanggal\n0117200001;riset;ya;01/09/2024\n")
    assert importing.guess_kind(file) == "consents"
    plan = importing.make_plan(register, {"consents": [file]}, None)
    assert plan.counts == {"consents": {"new": 1, "changed": 0, "same": 0}}
    counts = importing.write_plan(register, plan, actor="rina", role="registry", skip_bad=False)
    assert counts["consents"]["new"] == 1
    assert missing("consents", {"NIM": "student_number"}) == ["purpose", "decision", "decided_on"]
    for language in ("en", "id"):
        for column in importing_columns():
            assert Words(language).has(f"import_column.{column}"), column


def importing_columns() -> list[str]:
    from data.columns import CONSENT_COLUMNS, OF_CONSENT, STUDENT_COLUMNS

    named = [column.name for column in STUDENT_COLUMNS if column.name.startswith(OF_CONSENT)]
    return [*named, *(column.name for column in CONSENT_COLUMNS)]
