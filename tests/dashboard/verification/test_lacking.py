"""Who lacks references and why; settled cases are found again."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from dashboard.shell.wording import Words
from data import queries
from data.store import open_store
from data.trust import audit
from data.trust.accounts import Account
from data.trust.scope import Scope
from data.verification.lacking import WHY, lacking_references
from data.verification.queries import enrolments

EN, ID = Words("en"), Words("id")
SYSTEM = Scope.system()
RINA = Account("rina", "Rina", "registry")


@pytest.fixture
def office(small_university, tmp_path, served):
    """A copy of the small university that may be written to; a student with specimens who agrees."""
    shutil.copytree(small_university.store.folder, tmp_path / "office")
    store = open_store(f"sqlite:///{tmp_path / 'office' / 'tepat.db'}", folder=tmp_path / "office")
    served(store)
    here = set(lacking_references(store, SYSTEM, 3)["student_key"])
    specimens = queries.specimen_table(store, "verification")
    own = specimens[specimens["student_key"].isin(here)]
    key = own.groupby("student_key").size().idxmax()
    yield SimpleNamespace(
        store=store, key=key, specimens=own[own["student_key"] == key]["specimen_id"].tolist()
    )
    store.close()


def test_whoever_has_enough_references_leaves_the_list_and_others_say_what_is_missing(office):
    from vision.verification.verification_pipeline import enrol

    before = lacking_references(office.store, SYSTEM, 3).set_index("student_key")
    assert before.at[office.key, "why"] == "not_enrolled"
    assert set(before["why"]) <= set(WHY)
    assert (before.loc[before["why"] == "no_specimen", "specimens"] == 0).all()
    enrol(office.store, office.key, actor="rina", specimen_ids=office.specimens)
    held = len(enrolments(office.store, SYSTEM, key=office.key).iloc[0]["reference_ids"])
    after = lacking_references(office.store, SYSTEM, held).set_index("student_key")
    assert office.key not in after.index and len(after) == len(before) - 1
    more = lacking_references(office.store, SYSTEM, held + 1).set_index("student_key")
    assert more.at[office.key, "why"] == "too_few" and more.at[office.key, "references"] == held


def test_nobody_who_has_left_or_is_out_of_reach_is_listed(office):
    found = lacking_references(office.store, SYSTEM, 3)
    flow = queries.kpi_counts(office.store, SYSTEM)
    assert len(found) <= flow["enrolled"]
    code = found["program_code"].iloc[0]
    confined = Scope("rina", "registry", False, (code,), True, True)
    assert set(lacking_references(office.store, confined, 3)["program_code"]) == {code}
    assert lacking_references(office.store, Scope.nothing("x"), 3).empty


@pytest.mark.parametrize("words", [EN, ID], ids=["en", "id"])
def test_the_page_lists_them_narrows_by_what_is_missing_and_is_in_the_log(office, screen, words):
    before = audit.entries(office.store, action="view_lacking")
    at = screen.drawn("enrolment", RINA, words.language)
    assert not at.exception and words("lacking.title") in screen.texts(at)
    found = lacking_references(office.store, SYSTEM, 3)
    listed = at.dataframe[0].value
    assert len(listed) == min(len(found), 200)
    why = found["why"].iloc[0]
    at.selectbox(key="lacking-why").set_value(why).run()
    assert not at.exception
    narrowed = at.dataframe[0].value[words("lacking.column_why")]
    assert set(narrowed) == {words(f"lacking.{why}")}
    seen = audit.entries(office.store, action="view_lacking")
    seen = seen[~seen["entry"].isin(before["entry"])]
    assert seen["object"].tolist() == ["enrolment", "enrolment"]
