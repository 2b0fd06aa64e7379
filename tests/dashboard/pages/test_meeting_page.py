"""The overview's meeting pack and cohorts side by side, as the app makes them."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import openpyxl
import pypdf
import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError

from dashboard.cohorts import compare
from dashboard.cohorts.view import meeting
from dashboard.cohorts.view.meeting import Asked, make
from dashboard.components.filters import ALL, GroupFilter
from dashboard.shell import auditing
from dashboard.shell.access import scope_for
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words
from data import queries
from data.trust.accounts import Account
from data.trust.small_cells import MARK, THRESHOLD

EN = Words("en")
LEADER = Account("rector", "R", "leadership")


def asked(account=LEADER, language="en", program=None, compared=(), target="late") -> Asked:
    return Asked(GroupFilter(target, program), tuple(compared), "sex", scope_for(account), language)


def book_of(about: Asked, form: str):
    return openpyxl.load_workbook(io.BytesIO(make(about, form, "xlsx")))


def cells(book) -> list:
    return [cell.value for page in book for row in page.iter_rows() for cell in row if cell.value is not None]


def newest_cohorts(store, n: int) -> list[int]:
    flow = queries.flow_counts(store, scope_for(LEADER))
    return sorted(int(cohort) for cohort in flow["cohort_term"].unique())[-n:]


@pytest.mark.parametrize("language", ["en", "id"])
def test_cohorts_are_chosen_on_the_page_and_stand_side_by_side(university, screen, language):
    words = Words(language)
    at = screen.drawn("overview", screen.person(university, "leadership"), language)
    assert words("compare.pick_note") in screen.texts(at)
    frames = len(at.dataframe)
    two = newest_cohorts(university.store, 2)
    at.multiselect(key=Key.COMPARED).set_value(two[::-1]).run()
    assert not at.exception and not at.error
    table = at.dataframe[frames - len(at.dataframe)].value if len(at.dataframe) > frames else None
    assert table is not None and table[words("column.cohort")].unique().tolist() == [*map(words.term, two)]
    columns = json.loads(at.dataframe[frames - len(at.dataframe)].proto.columns)
    assert columns[words("compare.gpa")]["help"] == words("compare.gpa_help")
    newest = table[table[words("column.cohort")] == words.term(two[-1])]
    assert newest[words("compare.left")].iloc[-1] == compare.NOT_YET
    assert words("compare.legend") in screen.texts(at)


@pytest.mark.parametrize("language", ["en", "id"])
def test_where_small_cohorts_hide_most_the_page_says_why_and_widens_by_one_click(
    university, screen, language
):
    words, two = Words(language), newest_cohorts(university.store, 2)
    flow = queries.flow_counts(university.store, scope_for(LEADER))
    flow = flow[flow["cohort_term"].isin(two)]
    by_program = flow.groupby(["program_code", "cohort_term"])["students"].sum().unstack().dropna()
    smallest = by_program.sum(axis=1).idxmin()
    at = screen.drawn("overview", screen.person(university, "leadership"), language, program=smallest)
    assert words("compare.hidden_program") not in screen.texts(at)  # nothing is compared yet
    at.multiselect(key=Key.COMPARED).set_value(two).run()
    assert not at.exception
    assert words("compare.hidden_program") in screen.texts(at)
    at.button(key="compare-widen").click().run()
    assert not at.exception
    assert at.selectbox(key="program").value == ALL
    assert at.multiselect(key=Key.COMPARED).value == two
    assert words("compare.hidden_program") not in screen.texts(at)
    assert "compare-widen" not in [one.key for one in at.button]


def test_nothing_is_counted_before_somebody_asks(university, screen, monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("counted before anybody asked")

    monkeypatch.setattr(queries, "counted_alike", refuse)
    monkeypatch.setattr("dashboard.cohorts.view.meeting.paper", refuse)
    at = screen.drawn("overview", screen.person(university, "leadership"))
    assert not at.exception and not at.error
    assert len([one for one in at.get("download_button") if "meeting" in one.proto.id]) == 4


def test_a_cohort_that_the_next_programme_lacks_falls_out(university, screen):
    at = screen.drawn("overview", screen.person(university, "leadership"))
    at.multiselect(key=Key.COMPARED).set_value(newest_cohorts(university.store, 2)).run()
    at.selectbox(key="program").select_index(1).run()
    assert not at.exception and not at.error
    assert set(at.multiselect(key=Key.COMPARED).value) <= set(at.multiselect(key=Key.COMPARED).options) | set(
        newest_cohorts(university.store, 2)
    )


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("target", ["late", "dropout"])
def test_both_forms_hold_what_the_page_shows(university, language, target):
    words, two = Words(language), newest_cohorts(university.store, 2)
    about = asked(language=language, compared=two, target=target)
    inside, outside = book_of(about, "internal"), book_of(about, "public")
    assert set(outside.sheetnames) < set(inside.sheetnames)
    told = cells(inside)
    assert words("meeting.banner_internal") in told and words(f"target.{target}") in told
    assert MARK not in {value for page in inside.worksheets[1:] for row in page.iter_rows() for value in row}
    assert any(words.term(two[0]) == value for value in told)
    flow = queries.flow_counts(university.store, scope_for(LEADER))
    funnel = inside[words("meeting.sheet_funnel")]
    entered = [row[1].value for row in funnel.iter_rows(min_row=6)]
    assert entered == flow.groupby("cohort_term")["students"].sum().tolist()
    for kind in ("internal", "public"):
        assert make(about, kind, "pdf").startswith(b"%PDF")


def test_a_head_of_programme_gets_their_programme_only(university):
    codes = sorted(queries.programs(university.store)["program_code"])
    head = Account("kaprodi", "K", "leadership", program_codes=(codes[0],))
    flow = queries.flow_counts(university.store, scope_for(LEADER))
    funnel = book_of(asked(head), "internal")[EN("meeting.sheet_funnel")]
    entered = sum(row[1].value for row in funnel.iter_rows(min_row=6))
    assert entered == flow.loc[flow["program_code"] == codes[0], "students"].sum()
    others = set(codes[1:])
    assert not [
        value for value in cells(book_of(asked(head), "internal")) if str(value).partition(" ")[0] in others
    ]
    elsewhere = book_of(asked(head, program=codes[1]), "internal")
    assert EN("meeting.sheet_funnel") not in elsewhere.sheetnames


@pytest.mark.parametrize("role", ["advisor", "registry", "auditor"])
def test_a_role_without_the_overview_gets_no_pack(university, role):
    with pytest.raises(PermissionError, match="overview"):
        make(asked(Account("x", "X", role)), "internal", "xlsx")


def test_asking_for_a_pack_is_written_down(university, screen, monkeypatch):
    offered = []

    def noted(_make, action, thing, **detail):
        offered.append(SimpleNamespace(action=action, thing=thing, detail=detail))
        return lambda: b""

    monkeypatch.setattr(auditing, "handed_out", noted)
    screen.drawn("overview", screen.person(university, "leadership"), program=None)
    packs = [one for one in offered if one.detail.get("what") == "meeting_pack"]
    assert {(one.detail["form"], one.detail["kind"]) for one in packs} == {
        *(("internal", kind) for kind in ("pdf", "xlsx")),
        *(("public", kind) for kind in ("pdf", "xlsx")),
    }
    assert {(one.action, one.thing) for one in packs} == {("export", "overview")}
    assert all(one.detail["target"] == "late" for one in packs)


@pytest.fixture
def press(monkeypatch):
    """A function that gives the bytes, name and kind of what a download button hands out when pressed.

    As in the served app: the page leaves a promise with Streamlit, and the press makes the file when no run
    of the page is at hand.
    """
    managers = []
    promised = MediaFileManager.add_deferred

    def kept(manager, *arguments, **named):
        managers.append(manager)
        return promised(manager, *arguments, **named)

    monkeypatch.setattr(MediaFileManager, "add_deferred", kept)

    def pressed(button) -> tuple[bytes, str, str]:
        address = managers[-1].execute_deferred(button.proto.deferred_file_id)
        storage = managers[-1]._storage
        file = storage.get_file(address.rsplit("/", 1)[-1])
        return file.content, file.filename, file.mimetype

    return pressed


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_press_on_each_button_hands_out_a_file_that_opens(university, screen, press, monkeypatch, language):
    noted = []
    monkeypatch.setattr(
        auditing, "_entry", lambda action, thing, detail: lambda: noted.append((action, thing, detail))
    )
    words, two = Words(language), newest_cohorts(university.store, 2)
    at = screen.drawn("overview", screen.person(university, "leadership"), language)
    at.multiselect(key=Key.COMPARED).set_value(two).run()
    buttons = {one.label: one for one in at.get("download_button") if "meeting" in one.proto.id}
    flow = queries.flow_counts(university.store, scope_for(LEADER))
    entered = flow.groupby("cohort_term")["students"].sum().tolist()
    asked_before = len(noted)
    for form in ("internal", "public"):
        banner = words(
            f"meeting.banner_{'internal' if form == 'internal' else 'external'}", minimum=THRESHOLD
        )
        content, name, kind = press(buttons[words(f"meeting.{form}_xlsx")])
        assert name.startswith(f"tepat_meeting-pack-{form}-late_") and name.endswith(".xlsx")
        assert kind.endswith("spreadsheetml.sheet")
        book = openpyxl.load_workbook(io.BytesIO(content))
        assert banner in cells(book)
        column = [row[1].value for row in book[words("meeting.sheet_funnel")].iter_rows(min_row=6)]
        assert [value in (MARK, right) for value, right in zip(column, entered, strict=True)] == [True] * len(
            entered
        )
        assert form == "public" or column == entered
        beside = book[words("meeting.sheet_compare")]
        assert {row[0].value for row in beside.iter_rows(min_row=6)} == set(map(words.term, two))
        content, name, kind = press(buttons[words(f"meeting.{form}_pdf")])
        assert name.endswith(".pdf") and kind == "application/pdf"
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
        assert all(banner.split(":")[0] in page for page in pages)
        text = " ".join(" ".join(pages).split())
        assert words("meeting.sheet_funnel") in text and words.term(two[0]) in text
    handed = [(detail["form"], detail["kind"]) for _, _, detail in noted[asked_before:]]
    assert handed == [("internal", "xlsx"), ("internal", "pdf"), ("public", "xlsx"), ("public", "pdf")]


def test_a_press_by_a_role_that_has_lost_the_page_hands_out_nothing(university, screen, press, monkeypatch):
    at = screen.drawn("overview", screen.person(university, "leadership"))
    button = next(one for one in at.get("download_button") if "meeting-internal-xlsx" in one.proto.id)
    monkeypatch.setattr("dashboard.cohorts.view.meeting.pages_for", lambda _role: [])
    with pytest.raises(MediaFileStorageError, match="overview"):
        press(button)


def test_packs_of_two_programmes_have_two_names():
    assert meeting._in_a_name(GroupFilter("late", "55/201", 20221)) == ["late", "55-201", "20221"]
    assert meeting._in_a_name(GroupFilter("dropout")) == ["dropout"]
