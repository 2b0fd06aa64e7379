"""Which passwords are accepted, and that accepted ones go on working."""

from __future__ import annotations

import string

import pytest
from argon2 import PasswordHasher
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from data import schema
from data.trust import passwords
from data.trust.accounts import Account, verify_password, write_accounts
from data.trust.passwords import MAX_PASSWORD, MIN_PASSWORD, PasswordRefused, check_password

OWNER = ("dewi.lestari", "Dewi Lestari")
LETTERS = string.ascii_letters + string.digits


def refusal(password: str) -> str | None:
    try:
        check_password(password, *OWNER)
    except PasswordRefused as refused:
        assert len(password) < MIN_PASSWORD or password not in str(refused)
        return refused.code
    return None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "short"),
        ("abcdefghijk", "short"),
        ("x7!" * 90, "long"),
        ("x" * 2**20, "long"),
        ("aaaaaaaaaaaa", "repeated"),
        (" " * 12, "repeated"),
        ("abababababab", "repeated"),
        ("abcabcabcabc", "repeated"),
        ("dewilestari12", "name"),
        ("Dewi Lestari", "name"),
        ("dewi.lestari", "name"),
        ("iratselDEWIdewi", "name"),
        ("123456789012", "common"),
        ("password1234", "common"),
        ("Password123!", "common"),
        ("qwertyuiop[]", "common"),
        ("1q2w3e4r5t6y", "common"),
        ("iloveyou1234", "common"),
        ("universitas2024", "common"),
        ("mahasiswa123", "common"),
        ("bismillah123", "common"),
        ("seven quiet otters", None),
        ("kucing makan ikan", None),
        ("correct horse battery", None),
        ("Tr4vel!ng-m00n", None),
        ("سبعة طيور هادئة", None),
    ],
)
def test_what_is_refused_and_why(password, code):
    assert refusal(password) == code


@pytest.mark.parametrize(
    ("length", "code"),
    [(MIN_PASSWORD - 1, "short"), (MIN_PASSWORD, None), (MAX_PASSWORD, None), (MAX_PASSWORD + 1, "long")],
)
def test_the_limits_of_length_themselves(length, code):
    text = "k7WzQ2mVx9TbRn4Lc8Hd" * 20
    assert refusal(text[:length]) == code


@given(st.text(alphabet=LETTERS, min_size=16, max_size=40))
def test_random_letters_are_accepted_unless_they_repeat(password):
    assume(len(set(password.casefold())) >= 10)
    assume("dewi" not in password.casefold())
    assert refusal(password) in (None, "common")  # a random text may hold a long run of one kind


@given(st.text(max_size=4), st.integers(3, 60))
def test_a_short_text_repeated_is_never_accepted(part, times):
    assert refusal(part * times) is not None


@given(st.sampled_from([*OWNER, "DEWI", "lestari"]), st.text(alphabet="0123456789", max_size=4))
def test_the_own_name_with_a_few_digits_is_never_accepted(name, digits):
    assert refusal(f"{name}{digits}{name}") is not None


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_any_text_is_accepted_or_refused_with_a_reason(password):
    assert refusal(password) in (None, "short", "long", "repeated", "name", "common")


def test_nothing_overlong_is_hashed(store, monkeypatch):
    with pytest.raises(PasswordRefused, match="at most 256 characters, got 1048576"):
        write_accounts(store, [Account("x", "X", "advisor", password="x7!y" * 2**18)])
    hashed = []
    monkeypatch.setattr(passwords, "_verified", lambda stored, form: hashed.append(len(form)) or False)
    assert verify_password(store, "x", "y" * 2**20) is None
    assert max(hashed) <= passwords.LONGEST_TRIED


def test_an_account_of_an_earlier_version_goes_on_working(store):
    write_accounts(store, [Account("old", "Old", "advisor")])
    weak = "ﬁve dogs"  # eight characters, and a ligature that normalising changes
    with store.writing("accounts") as connection:
        hashed = {"password_hash": PasswordHasher().hash(weak)}
        connection.execute(update(schema.accounts).values(**hashed))
    assert verify_password(store, "old", weak).account == "old"
    assert verify_password(store, "old", "five dogs") is None


def test_the_same_text_typed_on_another_keyboard_is_the_same_password(store):
    write_accounts(store, [Account("rene", "R", "advisor", password="se\u0301v\u00e9n quiet otters")])
    assert verify_password(store, "rene", "s\u00e9ve\u0301n quiet otters") is not None
    assert verify_password(store, "rene", "seven quiet otters") is None
