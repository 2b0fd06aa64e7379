"""Administrator: who can sign in, as what, and for which programmes."""

from __future__ import annotations

from functools import partial

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import empty_state, page_header, section
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.account_list import account_table
from dashboard.shell.view import account_acts
from dashboard.shell.view.account_form import new_account, shown_once
from dashboard.shell.view.institution_panel import institution_panel
from data import queries
from data.trust.account_states import account_states


def show() -> None:
    """What was just done, the list, one account to change, and a form for a new one."""
    words, store = current_session.words(), stores.store()
    page_header(words("accounts.title"), words("accounts.lead"))
    if not account_acts.allowed():
        return empty_state(
            words("accounts.confined_title"), words("accounts.confined_text"), ":material/block:"
        )
    shown_once()
    states, programs = account_states(store), queries.programs(store)
    names = dict(zip(programs["program_code"], programs["name"], strict=True))
    table = partial(account_table, states, names, words, current_session.moment)
    draw_table(table(), alt=words("accounts.title"))
    export_bar(table, "accounts")
    section(words("accounts.change_title"), words("accounts.change_help"))
    account_acts.one_account(states, names)
    section(words("accounts.new_title"), words("accounts.new_help"))
    new_account(names)
    institution_panel()
