"""The audit log in words: every act that code enters, who did it, and what is looked for."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dashboard.shell import current_session
from dashboard.shell.audit_details import FAMILIES, detail_words
from dashboard.shell.audit_words import act_words, actor_words, audit_table, chain_words, object_words
from dashboard.shell.wording import Words, _texts
from data.trust import audit
from data.trust.accounts import Account, any_account, change_account, write_accounts
from data.trust.audit_chain import ChainReport
from data.trust.time_stamps import Stamp

ROOT = Path(__file__).resolve().parents[3]
PLACES = {"audited": 0, "audited_once": 0, "handed_out": 1, "Entry": 2}  # where the act stands in a call
FORMED = {  # acts of which one part varies, or that another function passes on
    *("view_caseload", "view_followups", "erase signatures", "erase outcome_model", "erase student"),
    *("enrol signature", "retire enrolment", "review signature", "settle signature", "review duplicate"),
    *("take back opinion", "take back pair"),
    *("prepare report", "approve report", "withdraw report", "sign_out", "sign_out_everywhere"),
    *("import files", "seal audit log", "accept audit log", "stamp audit head"),
}
READERS = (Words("en"), Words("id"))


def acts_of(source: str) -> set[str]:
    """The acts that a file enters under a fixed name."""
    acts = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name, place = ast.unparse(call.func).rpartition(".")[2], None
        if name in PLACES and len(call.args) > PLACES[name]:
            place = call.args[PLACES[name]]
        elif name in ("append", "append_in", "Entry"):
            place = next((word.value for word in call.keywords if word.arg == "action"), None)
        if isinstance(place, ast.Constant):
            acts.add(place.value)
    return acts


def test_every_act_has_words_in_both_languages():
    packages = ("data", "vision", "fusion", "dashboard")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    acts = FORMED.union(*(acts_of(path.read_text(encoding="utf-8")) for path in files))
    assert len(acts) > 35
    missing = [(act, words.language) for act in acts for words in READERS if not words.has(f"action.{act}")]
    assert missing == []


def details_of(source: str) -> set[str]:
    """Names of what a file says beside its acts."""
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        if ast.unparse(call.func).rpartition(".")[2] in ("audited", "audited_once", "handed_out"):
            found |= {word.arg for word in call.keywords if word.arg} - {"hashed"}  # that asks for one
        for word in call.keywords:
            if word.arg == "detail" and isinstance(word.value, ast.Dict):
                found |= {key.value for key in word.value.keys if isinstance(key, ast.Constant)}
    return found


def test_what_is_said_beside_an_act_has_words_in_both_languages():
    packages = ("data", "vision", "fusion", "dashboard")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    names = set[str]().union(*(details_of(path.read_text(encoding="utf-8")) for path in files))
    assert len(names) >= 25
    lacking = [
        (one, words.language) for one in names for words in READERS if not words.has(f"audit_detail.{one}")
    ]
    assert lacking == []


def test_a_value_is_told_by_what_it_is_the_value_of():
    words = READERS[1]
    told = detail_words({"decision": "refused", "purpose": "research", "form": "internal"}, words)
    assert told == "jawaban: menolak · tujuan: penelitian · bentuk: internal"
    assert detail_words({"audience": "internal", "copy": "copy"}, words) == (
        "untuk siapa: asesor · salinan: untuk mahasiswa"
    )


def test_who_did_it_is_a_person_by_name_or_what_else_it_was():
    words, people = READERS[1], {"dean": "Prof. Sari"}
    assert actor_words("dean", "leadership", words, people) == "Prof. Sari · dean"
    assert actor_words("gone", "advisor", words, people) == "gone"
    assert actor_words("command line", "system", words, people) == "Baris perintah atau pekerja"
    assert actor_words(audit.NOBODY, "", words, people) == "Nama tidak dikenal"


def test_a_detail_is_told_in_the_readers_words():
    detail = {"role": "auditor", "active": False, "before": {"role": "advisor", "program_codes": ["IF"]}}
    assert detail_words(detail, READERS[1]) == (
        "peran: Auditor · terbuka: tidak · sebelumnya (peran: Dosen wali, program studi: IF)"
    )


@pytest.mark.parametrize("words", READERS, ids=["en", "id"])
def test_roles_people_and_what_signatures_are_compared_by_have_words(words):
    people = {"dekan": "Prof. Sari"}
    assert words.has("role.system") and words("role.system") != "system"
    told = detail_words({"descriptor": "covariance@2+50a44b71", "references": 3}, words)
    name = words("descriptor.of", name=words("descriptor.covariance"), version="2")
    assert told.startswith(f"{words('audit_detail.descriptor')}: {name} (50a44b71)")
    assert "covariance@" not in told
    assert "dinov2@1" in detail_words({"descriptor": "dinov2@1"}, words)  # one that has no words, as it is
    assert object_words("write account", "dekan", words, people) == "Prof. Sari · dekan"
    assert "Prof. Sari · dekan" in detail_words({"of": "dekan"}, words, "export", people)
    given = detail_words({"decision": "9bb2", "opinion": "cannot_tell", "score_seen": True}, words)
    assert f"{words('audit_detail.score_seen')}: {words('answer.true')}" in given


def test_pages_and_roles_are_named_and_other_things_stand_as_they_are():
    words = READERS[1]
    assert object_words("sign_in", "registry", words) == words("role.registry")
    assert object_words("view_caseload", "caseload", words) == words("nav.caseload")
    assert object_words("write account", "registry", words) == "registry"  # an account may have that name
    assert (
        detail_words({"way": "seat", "address": "10.0.0.1"}, words) == "cara: sekali klik · alamat: 10.0.0.1"
    )


CHANGES = {  # what is changed of an account → what the log calls it, and how it tells programmes
    "created": ({}, "Membuat akun", "program studi: semua program studi"),
    "role": ({"role": "auditor"}, "Mengubah peran akun", "sebelumnya (peran: Staf akreditasi)"),
    "programmes": ({"program_codes": ("IF",)}, "Mengubah program studi akun", "program studi: IF"),
    "closed": ({"active": False}, "Menutup akun", "terbuka: tidak"),
    "password": ({"password": "kPz7-mQw4-Rt9x-Vb2c"}, "Memberi akun kata sandi baru", "semua program studi"),
    "name": ({"display_name": "Siti Hasan"}, "Mengubah nama akun", "peran: Staf akreditasi"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_done_to_an_account_is_told_apart(store, change):
    different, act, told = CHANGES[change]
    before = Account("siti", "Siti Rahma", "accreditation")
    if change == "created":
        change_account(store, None, before, "admin", "administrator")
    else:
        write_accounts(store, [before])
        known = any_account(store, "siti")
        change_account(store, known, replace(before, **different), "admin", "administrator")
    for words in READERS:
        shown = audit_table(audit.entries(store), words, {}).iloc[0]
        assert shown[words("column.action")] == words(f"account_act.{change}")
        assert "None" not in shown[words("column.detail")]
    assert (shown[words("column.action")], told in shown[words("column.detail")]) == (act, True)


def test_an_account_of_which_several_things_changed_and_one_opened_again():
    detail = {"role": "auditor", "program_codes": None, "active": True, "new_password": True}
    detail["before"] = {"role": "advisor", "program_codes": ["IF"], "active": False}
    en, unnamed = READERS[0], act_words("write account", {}, READERS[0])
    parts = act_words("write account", detail, en).split(" · ")
    assert parts == [en(f"account_act.{act}") for act in ("role", "programmes", "opened", "password")]
    told = detail_words(detail, en, "write account")
    assert told.startswith("role: Auditor · programmes: all programmes · open: yes · ")
    assert told.endswith("before (role: Advisor, programmes: IF, open: no)")
    assert unnamed == en("action.write account")  # an entry that says nothing of what was changed


@pytest.mark.parametrize("words", READERS, ids=["en", "id"])
def test_no_detail_is_told_in_codes(words):
    """Values by what they are the value of, days as pages write them, months by their names."""
    told = {
        "verify signature": {"decision": "9bb2", "outcome": "inconclusive"},
        "review signature": {"decision": "9bb2", "opinion": "cannot_tell"},
        "settle signature": {"opinion": "ask_again"},
        "log_event": {"kind": "no_action"},
        "start job": {"kind": "duplicates"},
        "export": {"kind": "left_out"},
        "review duplicate": {"kind": "same_image", "opinion": "same_origin"},
        "prepare report": {"profile": "iaps40-8c", "program_code": ""},
        "create token": {"scopes": ["verify", "scores"], "program_codes": None},
        "refuse_token": {"why": "token_expired"},
        "sign_in_failed": {"why": "no_role", "way": "provider"},
        "record consent": {"decision": "granted", "decided_on": "2026-03-02"},
        "end_session": {"started": "2026-03-02T01:30Z"},
        "change calendar": {"start_month": 9, "closing_months": [2, 8]},
        "make backup": {"sha256": "ab", "missing": []},
    }
    lines = {act: detail_words(detail, words, act) for act, detail in told.items()}
    codes = "inconclusive|cannot_tell|ask_again|no_action|left_out|same_image|same_origin|iaps40|token_"
    codes += "|no_role|granted|None"
    assert not re.search(rf"\b({codes})|\d-\d\d-", " ".join(lines.values()))
    assert (
        words("audit.all_programs") in lines["create token"]
        and words("audit.all_programs") in lines["prepare report"]
    )
    assert words.day("2026-03-02") in lines["record consent"] and "01:30 UTC" in lines["end_session"]
    assert f"{words.month(2)}, {words.month(8)}" in lines["change calendar"]
    assert words("audit_detail_of.make backup.sha256") in lines["make backup"]
    assert words("job_kind.duplicates") in lines["start job"]
    case = words("audit_detail_of.verify signature.decision")
    assert all(lines[act].startswith(f"{case}: 9bb2") for act in ("verify signature", "review signature"))


def test_the_words_of_values_stand_where_they_are_looked_for():
    texts = [key for words in READERS for key in _texts(words.language)]
    for families in FAMILIES.values():
        assert all(any(key.startswith(family) for key in texts) for family in families)


@pytest.fixture
def log(store, served):
    served(store)
    write_accounts(store, [Account("dean", "Prof. Sari", "leadership")])
    for student in ("ab12cd34ef56ab12", "ab99ff00ab99ff00", "50%_"):
        audit.append(store, actor="dean", role="leadership", action="view_student", object=student)
    audit.append(store, actor="command line", role="system", action="write account", object="dean")
    return store


@pytest.mark.parametrize("words", READERS, ids=["en", "id"])
def test_what_time_stamps_say_of_the_log_is_told_in_a_sentence_each(words):
    at = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)

    def said(*states: str) -> list[str]:
        stamps = tuple(Stamp(number, state, at) for number, state in enumerate(states, 1))
        return chain_words(ChainReport(9, None, "ab", stamps=stamps), words)

    assert said() == [words("audit.whole", n=9)]
    whole, newest = said("proven", "proven", "superseded")
    assert whole == words("audit.whole", n=9) and "1 Mar 2026 02:30" in newest and "2" in newest
    assert said("unchecked")[1:] == [words("audit.stamps_unchecked", n=1)]
    assert said("lost", "proven")[0] == words("audit.stamps_lost", n=1)  # and not that it is whole
    assert said("damaged", "untrusted") == [words("audit.stamps_bad", n=2)]


def test_the_log_is_narrowed_by_what_it_is_about_and_by_days(log):
    at = audit.entries(log)["at"].max()
    assert len(audit.entries(log, about="ab12")) == 1
    assert audit.entries(log, about="%_")["object"].tolist() == ["50%_"]  # no sign stands for others
    assert audit.entries(log, until=at.to_pydatetime()).shape[0] < 4
    table = audit_table(audit.entries(log), READERS[0], {"dean": "Prof. Sari"})
    assert table["By"].tolist()[0] == "Command line or worker"


@pytest.mark.parametrize("words", READERS, ids=["en", "id"])
def test_the_page_finds_by_person_act_key_and_day(log, screen, words):
    at = screen.drawn("audit", Account("aud", "Aud", "auditor"), words.language)
    assert len(at.dataframe[0].value) == 4
    at.text_input(key="audit-about").input("ab99").run()
    assert len(at.dataframe[0].value) == 1
    at.text_input(key="audit-about").input("").run()
    at.selectbox(key="audit-actor").select("command line").run()
    assert len(at.dataframe[0].value) == 1
    at.selectbox(key="audit-actor").select("").run()
    at.date_input(key="audit-until").set_value(date(2020, 1, 1)).run()
    assert words("audit.none_found") in screen.texts(at)
    assert not at.exception


def test_a_day_begins_on_the_readers_clock(monkeypatch):
    from datetime import datetime
    from zoneinfo import ZoneInfo

    monkeypatch.setattr(current_session, "_zone", lambda: ZoneInfo("Asia/Jakarta"))
    assert current_session.stored(date(2026, 3, 2)) == datetime(2026, 3, 1, 17)
