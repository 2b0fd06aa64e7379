"""Who sees which pages and rows: what is not granted is denied."""

import pytest

from dashboard.shell import access
from data.columns import ROLES
from data.store import set_fact
from data.trust.accounts import Account, write_accounts


def test_every_role_has_pages_and_an_unknown_role_has_none():
    for role in ROLES:
        assert access.pages_for(role), role
    assert access.pages_for("visitor") == ()


def test_only_advisors_reach_single_students_pages():
    with_student_pages = {
        role for role in ROLES if {"student", "caseload"} & {page.name for page in access.pages_for(role)}
    }
    assert with_student_pages == {"advisor"}


@pytest.mark.parametrize("role", ["leadership", "accreditation", "auditor", "administrator"])
def test_roles_of_aggregates_see_no_student_and_no_name(role):
    scope = access.scope_for(Account("x", "X", role))
    assert not scope.may_see_students
    assert not scope.may_identify


def test_an_advisor_is_confined_to_own_students_and_programmes():
    scope = access.scope_for(Account("ani", "Ani", "advisor", ("IF",)))
    assert scope.account == "ani"
    assert scope.own_students_only
    assert scope.may_identify
    assert scope.program_codes == ("IF",)


@pytest.mark.parametrize("role", ROLES)
def test_no_other_role_is_confined_to_students_of_its_own(role):
    assert access.scope_for(Account("a", "A", role)).own_students_only is (role == "advisor")


@pytest.mark.parametrize(
    ("role", "programs", "allowed"),
    [
        ("registry", None, True),
        ("administrator", None, True),
        ("registry", ("55201",), False),  # a file may hold rows of any programme
        ("registry", (), False),
        ("advisor", None, False),
        ("leadership", None, False),
    ],
)
def test_the_register_is_changed_by_who_may_and_reaches_every_programme(role, programs, allowed):
    account = Account("a", "A", role, program_codes=programs)
    assert access.may_change_register(account, "run import") is allowed


def test_readers_of_equal_reach_may_share_what_was_drawn_and_others_may_not():
    deans = [access.scope_for(Account(name, name, "leadership", ("IF",))) for name in ("a", "b")]
    whole = access.scope_for(Account("c", "C", "leadership"))
    advisors = [access.scope_for(Account(name, name, "advisor", ("IF",))) for name in ("a", "b")]
    assert deans[0].reach == deans[1].reach != whole.reach
    assert len({one.reach for one in (*advisors, deans[0], whole)}) == 4


def test_a_demo_seat_exists_only_where_everybody_was_invented(store):
    write_accounts(store, [Account("ani", "Ani", "advisor"), Account("lead", "Lead", "leadership")])
    assert access.demo_seats(store) == {}
    set_fact(store, "synthetic", True)
    assert {role: [one.account for one in seats] for role, seats in access.demo_seats(store).items()} == {
        "leadership": ["lead"],
        "advisor": ["ani"],
    }


def test_a_closed_account_has_no_demo_seat(store):
    set_fact(store, "synthetic", True)
    write_accounts(store, [Account("ani", "Ani", "advisor", active=False)])
    assert access.demo_seats(store) == {}


def test_every_page_of_the_menu_has_a_module():
    from importlib import import_module

    for name in access.PAGES:
        assert callable(import_module(f"dashboard.pages.{name}_page").show)
