"""Accounts in words: the list, what a change would do, and why one was refused. No Streamlit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import pandas as pd

from dashboard.shell.access import may_manage_accounts
from dashboard.shell.wording import EMPTY, Words
from data.store import Store
from data.trust import accounts
from data.trust.account_names import check_account_name
from data.trust.account_states import AccountState
from data.trust.accounts import Account, AccountChanged, LastAdministrator
from data.trust.passwords import MAX_PASSWORD, MIN_PASSWORD, PasswordRefused


def account_table(
    states: Sequence[AccountState],
    programs: Mapping[str, str],
    words: Words,
    moment: Callable[[datetime], str],
) -> pd.DataFrame:
    """The accounts with headings in the reader's language.

    Parameters
    ----------
    states : sequence of AccountState
    programs : mapping
        Code of a programme → its name.
    words : Words
    moment : callable
        A moment of the store in words.
    """
    rows = [
        {
            words("accounts.column_name"): state.account.display_name,
            words("accounts.column_account"): state.account.account,
            words("column.role"): words.named("role", state.account.role),
            words("accounts.column_programs"): programs_words(state.account, programs, words),
            words("accounts.column_state"): state_words(state, words),
            words("accounts.column_last"): moment(state.last_sign_in) if state.last_sign_in else EMPTY,
            words("accounts.column_sessions"): state.sessions,
        }
        for state in states
    ]
    return pd.DataFrame(rows)


def programs_words(account: Account, programs: Mapping[str, str], words: Words) -> str:
    """Names of the programmes that an account is limited to."""
    if account.program_codes is None:
        return words("accounts.every_program")
    return ", ".join(programs.get(code, code) for code in account.program_codes) or words(
        "accounts.no_program"
    )


def state_words(state: AccountState, words: Words) -> str:
    """Whether the owner can come in, and how: closed, through the provider, waiting after failures, without a
    password, with a first one that nobody used in time, or open."""
    if not state.account.active:
        return words("accounts.closed")
    if state.is_bound:
        return words("accounts.bound")
    if state.held_until is not None:
        return words("accounts.held")
    if not state.has_password:
        return words("accounts.no_password")
    if state.ran_out:
        return words("accounts.ran_out")
    return words("accounts.once" if state.account.once else "accounts.open")


def changes(
    before: Account, after: Account, programs: Mapping[str, str], words: Words
) -> list[tuple[str, str, str]]:
    """What differs: (what, before, after), in words."""
    told = {
        "accounts.column_name": [one.display_name for one in (before, after)],
        "column.role": [words(f"role.{one.role}") for one in (before, after)],
        "accounts.column_programs": [programs_words(one, programs, words) for one in (before, after)],
        "accounts.column_state": [
            words("accounts.open" if one.active else "accounts.closed") for one in (before, after)
        ],
    }
    return [(words(key), was, now) for key, (was, now) in told.items() if was != now]


def change(store: Store, person: Account, before: Account | None, after: Account, words: Words) -> str:
    """Create or change an account as ``person``; why not in words, or nothing.

    Raises
    ------
    PermissionError
        When the person may not manage accounts, or the account is their own.
    """
    _check(person, after.account)
    try:
        check_account_name(after.account)
    except ValueError:
        return words("accounts.bad_name")
    if not after.display_name.strip() or len(after.display_name) > accounts.LONGEST_NAME:
        return words("accounts.bad_display_name", most=accounts.LONGEST_NAME)
    if after.program_codes == ():
        return words("accounts.needs_program")
    reach = before and (before.role, before.program_codes)
    if (
        before
        and (after.role, after.program_codes) != reach
        and after.account in accounts.bound_accounts(store)
    ):
        return words("accounts.provider_rules")
    try:
        accounts.change_account(store, before, after, person.account, person.role)
    except PasswordRefused as refusal:
        return words(f"account.refused_{refusal.code}", least=MIN_PASSWORD, most=MAX_PASSWORD)
    except LastAdministrator:
        return words("accounts.last")
    except AccountChanged:
        return words("accounts.taken" if before is None else "accounts.changed_meanwhile")
    except accounts.ProviderRules:
        return words("accounts.provider_rules")
    except accounts.NameTaken:
        return words("accounts.taken")
    return ""


def end_sessions(store: Store, person: Account, name: str) -> int:
    """Sign somebody else out everywhere, as ``person``. Returns how many sessions ended.

    Raises
    ------
    PermissionError
        When the person may not manage accounts, or the account is their own.
    """
    _check(person, name)
    return accounts.end_sessions_of(store, name, person.account, person.role)


def _check(person: Account, name: str) -> None:
    if not may_manage_accounts(person):
        raise PermissionError(f"account {person.account!r} may not manage accounts")
    if person.account == name:
        raise PermissionError("an own account is changed by another administrator")
