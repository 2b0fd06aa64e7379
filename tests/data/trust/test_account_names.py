"""What an account may be called: what people are called, and nothing that hides or imitates."""

from __future__ import annotations

import pytest

from dashboard.shell.signing_in import sign_in
from data.trust.account_names import as_account_name, check_account_name, is_account_name
from data.trust.accounts import Account, NameTaken, any_account, write_accounts

SECRET = "seven quiet otters"


@pytest.mark.parametrize(
    "name",
    [
        *("Bambang Setiawan", "Dra. Sri Wahyuni, M.Ak.", "Nur'aini, S.E.", "Nur\u2019aini", "Siti (PA)"),
        *("Jos\u00e9 Mar\u00eda", "\u0645\u062d\u0645\u062f", "\u0938\u0940\u0924\u093e", "0412038801"),
        *("ani", "ani.w+x@kampus.ac.id", "A" * 80),
    ],
)
def test_what_people_are_called_can_be_an_account(name):
    check_account_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ani", "ani ", "a  b", "a\u00a0b", "a\tb", "a\nb", "a\x00b", "A" * 81),
        *("a\u202eb", "a\u2066b", "a\u200eb", "a\u200bb", "a\u00adb", "a\ufeffb", "a\u3164b", "a\ufe0fb"),
        *("Jose\u0301", "=SUM", ",ani", "'ani", ".ani", "token:x", "a*b", "a`b", "<b>", "[a]", "a|b", "a$b"),
        *("command line", "Command Line"),
    ],
)
def test_what_hides_imitates_or_is_a_sign_of_something_else_cannot(name):
    assert not is_account_name(name)
    with pytest.raises(ValueError, match="account must be 1-80 letters"):
        check_account_name(name)


def test_what_is_typed_at_sign_in_needs_no_exact_spaces_and_no_one_way_of_writing_a_letter(store):
    assert as_account_name("  Jose\u0301   Lim,  S.E. ") == "Jos\u00e9 Lim, S.E."
    write_accounts(store, [Account("Jos\u00e9 Lim, S.E.", "Jos\u00e9", "advisor", password=SECRET)])
    found = sign_in(store, " Jose\u0301  Lim, S.E. ", SECRET, "127.0.0.1").account
    assert found is not None and found.account == "Jos\u00e9 Lim, S.E."
    assert sign_in(store, "Jos\u00e9 Lim, S.E.\u202e", SECRET, "127.0.0.1").account is None


@pytest.mark.parametrize("twin", ["JOS\u00c9 LIM", "jos\u00e9 lim", "Jos\u00e9 \uff2cim"])
def test_names_that_differ_by_case_or_width_alone_are_one_in_every_script(store, twin):
    write_accounts(store, [Account("Jos\u00e9 Lim", "Jos\u00e9", "advisor")])
    with pytest.raises(NameTaken):
        write_accounts(store, [Account(twin, "X", "advisor")])
    assert any_account(store, twin) is None
