"""Each page without a browser: on an empty store, on a small university, and when it breaks."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from dashboard.models.view.pdf import model_pdf
from dashboard.reports.provenance import Provenance
from dashboard.shell.access import pages_for
from dashboard.shell.wording import Words
from data import queries
from data.columns import ROLES
from data.trust.accounts import Account
from data.trust.scope import Scope
from fusion.service.sources import served_model

EN = Words("en")
SEATS = sorted(  # one role for each page; the page of reports has tests of its own
    {page.name: role for role in ROLES for page in pages_for(role) if page.name != "reports"}.items()
)


@pytest.fixture
def empty_store(tmp_path, sqlite_template, served):
    """The app on a store without a row."""
    import shutil

    from data.store import open_store

    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    served(store)
    yield store
    store.close()


@pytest.mark.parametrize(("name", "role"), SEATS)
def test_every_page_says_what_to_do_when_the_store_is_empty(empty_store, name, role, screen):
    at = screen.drawn(name, Account("x", "X", role))
    assert not at.exception
    assert not at.error, screen.texts(at)
    assert EN(f"nav.{name}") in screen.texts(at) or EN("followup.title") in screen.texts(at)


@pytest.mark.parametrize("language", ["en", "id"])
def test_sign_in_asks_for_a_password_where_people_are_real(empty_store, language, screen):
    at = screen.drawn("sign_in", Account("x", "X", "auditor"), language)
    assert [field.label for field in at.text_input] == [
        Words(language)("sign_in.account"),
        Words(language)("sign_in.password"),
    ]


def test_a_wrong_password_is_refused_in_words(empty_store, screen):
    at = screen.drawn("sign_in", Account("x", "X", "auditor"))
    at.text_input[0].set_value("nobody")
    at.text_input[1].set_value("wrong password")
    at.button[0].click().run()
    assert EN("sign_in.wrong") in screen.texts(at)


@pytest.mark.parametrize(("name", "role"), SEATS)
def test_a_page_that_breaks_shows_a_calm_message_and_no_traceback(
    empty_store, monkeypatch, name, role, screen
):
    from dashboard.components import layout

    def broken(*_, **__):
        raise RuntimeError("secret detail")

    module = __import__(f"dashboard.pages.{name}_page", fromlist=["page_header"])
    if name == "student":  # which asks for the key first, and has a heading only for a student
        monkeypatch.setattr(module.parts, "chosen_key", broken)
    else:
        monkeypatch.setattr(module, "page_header", broken)
    at = screen.drawn(name, Account("x", "X", role))
    assert not at.exception
    assert EN("state.error_title") in screen.texts(at)
    assert "secret detail" not in screen.texts(at)
    assert layout.logger.name


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize(("name", "role"), SEATS)
def test_every_page_is_drawn_from_a_scored_store_in_both_languages(university, name, role, language, screen):
    key = university.student if name == "student" else None
    at = screen.drawn(name, screen.person(university, role), language, key=key)
    assert not at.exception
    assert not at.error, screen.texts(at)
    assert Words(language)("app.synthetic") in screen.texts(at)


def test_the_overview_names_no_student_and_narrows_by_programme(university, screen):
    at = screen.drawn("overview", screen.person(university, "leadership"))
    whole = at.metric[0].value
    assert {metric.label for metric in at.metric} >= {EN("overview.kpi_active"), EN("overview.kpi_at_risk")}
    assert not at.dataframe
    at.selectbox(key="program").select_index(1).run()
    assert int(at.metric[0].value.replace(",", "")) < int(whole.replace(",", ""))


def test_a_narrowed_overview_says_to_what_and_leads_back(university, screen):
    at = screen.drawn("overview", screen.person(university, "leadership"))
    assert EN("overview.pick_note") in screen.texts(at)
    at.selectbox(key="program").select_index(1).run()
    at.selectbox(key="cohort").select_index(1).run()
    names = [at.selectbox(key=key).options[1] for key in ("program", "cohort")]
    assert EN("overview.narrowed", to=" · ".join(names)) in screen.texts(at)
    at.button(key="widen").click().run()
    assert (at.selectbox(key="program").value, at.selectbox(key="cohort").value) == ("", "")
    assert not {"program", "cohort"} & set(at.query_params)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_head_of_one_programme_reads_its_name_and_not_all_programmes(university, screen, language):
    code, name = next(iter(queries.programs(university.store)[["program_code", "name"]].values))
    at = screen.drawn("overview", Account("kaprodi", "Kaprodi", "leadership", (code,)), language)
    assert not at.exception and at.selectbox(key="program").options == [name]


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_link_with_filters_is_the_same_in_every_language(university, screen, language):
    dean = screen.person(university, "leadership")
    at = screen.drawn("overview", dean, language)
    at.selectbox(key="program").select_index(1).run()
    at.segmented_control(key="target").set_value("dropout").run()
    link = dict(at.query_params)
    assert link["target"] == "dropout"
    assert link["program"] in queries.programs(university.store)["program_code"].tolist()
    again = screen.drawn("overview", dean, "id" if language == "en" else "en", **link)
    assert again.selectbox(key="program").value == at.selectbox(key="program").value
    assert again.segmented_control(key="target").value == "dropout"
    at.selectbox(key="program").select_index(0).run()
    assert "program" not in at.query_params


def test_a_link_to_a_programme_that_is_not_there_shows_all(university, screen):
    at = screen.drawn("overview", screen.person(university, "leadership"), program="none-such", cohort="x")
    assert not at.exception
    for key, everything in (("program", "overview.all_programs"), ("cohort", "overview.all_cohorts")):
        assert at.selectbox(key=key).value == ""
        assert at.selectbox(key=key).options[0] == EN(everything)


def test_the_caseload_lists_k_own_students_and_says_where_it_ends(university, screen):
    from data.trust.scope import Scope

    at = screen.drawn("caseload", screen.person(university, "advisor"))
    own = Scope(university.advisor, "advisor", True, None, True, True)
    mine = queries.caseload(university.store, own, "late", 500)
    assert len(at.dataframe[0].value) == min(20, len(mine))
    at.slider(key="k").set_value(5).run()
    table = at.dataframe[0].value
    assert len(table) == 5
    assert set(table["student_key"]) == set(mine.head(5)["student_key"])
    assert "The list ends at a risk of" in screen.texts(at)


def test_the_caseload_can_be_searched_to_nobody(university, screen):
    at = screen.drawn("caseload", screen.person(university, "advisor"))
    at.text_input(key="search").set_value("nobody of that name").run()
    assert EN("caseload.empty_title") in screen.texts(at)


def test_a_student_page_tells_the_risk_the_reasons_and_the_notice(university, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=university.student)
    shown = screen.texts(at)
    assert "students like this one" in shown
    assert EN("student.changeable") in shown
    assert EN("signature.honesty") in shown
    assert len(at.get("plotly_chart")) >= 4


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_of_somebody_who_left_says_how_and_speaks_of_no_score(university, screen, language):
    scope, words = Scope.system(), Words(language)
    students = queries.records_until(university.store).students
    mine = students.loc[students["advisor"] == university.advisor, "student_key"]
    of_all = (queries.student(university.store, scope, key).iloc[0] for key in mine)
    gone = next(one for one in of_all if one["exit_type"] == "graduated")
    at = screen.drawn("student", screen.person(university, "advisor"), language, key=gone["student_key"])
    shown, left = screen.texts(at), f"{words('code_meaning.graduated')}, {words.term(gone['exit_term'])}"
    assert shown.replace("\\", "").count(left) == 2  # under the name, and in place of a score
    assert words("student.not_scored_title") in shown and words("signature.none_text") not in shown


def test_another_advisors_student_is_not_shown(university, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=university.stranger)
    assert EN("student.denied_title") in screen.texts(at)
    assert not at.get("plotly_chart")
    assert [title.value for title in at.title] == [EN("student.title")]  # a page is found by its heading


@pytest.mark.parametrize("key", ["../../etc", "x" * 40, "'; DROP TABLE students"])
def test_a_key_that_is_no_key_is_not_asked_for(university, key, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=key)
    assert EN("student.pick_title") in screen.texts(at)


def test_looking_at_a_student_is_logged_once_and_without_a_name(university, screen):
    from data.trust import audit

    at = screen.drawn("student", screen.person(university, "advisor"), key=university.student)
    at.run()
    views = audit.entries(university.store, limit=1000)
    mine = views[(views["action"] == "view_student") & (views["object"] == university.student)]
    before = len(mine)
    at.run()
    after = audit.entries(university.store, limit=1000)
    assert before >= 1
    assert len(after[(after["action"] == "view_student") & (after["object"] == university.student)]) == before


def test_a_note_is_saved_and_listed(university, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=university.student)
    at.text_area[0].set_value("Talked about the thesis")
    next(button for button in at.button if button.label == EN("event.save")).click().run()
    assert "Talked about the thesis" in "\n".join(text.value for text in at.text)


def test_an_empty_note_is_not_saved(university, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=university.student)
    next(button for button in at.button if button.label == EN("event.save")).click().run()
    assert [warning.value for warning in at.warning] == [EN("event.needs_text")]


def test_the_registry_sees_findings_and_filters_them(university, screen):
    at = screen.drawn("signatures", screen.person(university, "registry"))
    at.selectbox(key="finding").select("SIG004").run()
    assert len(at.dataframe[0].value) == 3
    assert "Too blurred to compare: softness 9.00" in screen.texts(
        at
    )  # the stored value in the reader's words


def test_the_model_page_gives_the_verdict_and_the_limits(university, screen):
    at = screen.drawn("model", screen.person(university, "leadership"))
    shown = screen.texts(at)
    assert EN("model.limits_title") in shown
    assert EN("model.limit_4") in shown
    assert len(at.dataframe) >= 2
    manifest = served_model(university.store).manifest
    for name, title in (("model_card", "Model card"), ("fairness_report", "Fairness report")):
        pdf = model_pdf(name, manifest, Provenance(synthetic=True), manifest.version)
        text = PdfReader(BytesIO(pdf)).pages[0].extract_text()
        assert f"{title}: {manifest.version}" in text
        assert "Synthetic demo data" in text


def test_demo_seats_are_offered_for_invented_people(university, screen):
    at = screen.drawn("sign_in", screen.person(university, "advisor"))
    labels = [button.label for button in at.button]
    assert EN("sign_in.enter", role=EN("role.leadership").lower()) in labels
    assert not at.text_input
