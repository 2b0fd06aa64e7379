"""The form for a new account, and its first password, which is shown once."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard.shell import account_list, current_session, stores
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from data.columns import ROLES
from data.settings import get_settings
from data.trust import account_names
from data.trust.account_names import as_account_name
from data.trust.accounts import LONGEST_NAME, Account, advisors_without_account, new_password
from data.trust.passwords import MAX_PASSWORD, MIN_PASSWORD

GENERATED, TYPED = "generated", "typed"
LISTED = 5  # names of a caption


def shown_once() -> None:
    """What was just done. A password that was made for it stands before everything else, wherever on the page
    the button was: it is shown this once."""
    told = st.session_state.pop(Key.ACCOUNT_TOLD, None)
    if told is None:
        return
    said, secret = told
    if secret:
        st.dialog(current_session.words()("accounts.password_once"))(_password)(said, secret)
    else:
        st.success(said, icon=":material/check:")


def _password(said: str, secret: str) -> None:
    st.success(said, icon=":material/check:")
    st.code(secret, language=None)
    days = round(get_settings().first_password_days)
    st.caption(current_session.words()("accounts.once_text", days=days))


def tell(said: str, secret: str = "") -> None:
    """Say something on the next run, once."""
    st.session_state[Key.ACCOUNT_TOLD] = (said, secret)


def new_account(programs: Mapping[str, str]) -> None:
    """Name, role, programmes and the first password of a new account.

    Parameters
    ----------
    programs : mapping
        Code of a programme → its name.
    """
    words = current_session.words()
    turn = st.session_state.setdefault(Key.ACCOUNT_ROUND, 0)  # after success the fields begin anew
    role = role_choice("registry", f"new-role-{turn}")
    name = as_account_name(_advisor_choice(turn) if role == "advisor" else _name_field(f"new-name-{turn}"))
    display_name = st.text_input(
        words("accounts.column_name"),
        max_chars=LONGEST_NAME,
        key=f"new-display-{turn}",
        placeholder=shown(name) if role == "advisor" else None,
    )
    if role == "advisor":
        display_name = display_name.strip() or name
    codes = programs_choice(None, programs, f"new-{turn}")
    pressed, secret, typed = password_choice(
        f"new-{turn}", words("accounts.create"), "new-create", icon=":material/person_add:"
    )
    if not pressed:
        return
    made = Account(name, display_name.strip(), role, codes, password=secret, once=True)
    problem = account_list.change(stores.store(), current_session.person(), None, made, words)
    if problem:
        st.error(problem)
        return
    st.session_state[Key.ACCOUNT_ROUND] = turn + 1
    tell(words("accounts.created", name=plain(made.account)), "" if typed else secret)
    st.rerun()


def _name_field(key: str) -> str:
    words = current_session.words()
    label, about = words("accounts.column_account"), words("accounts.name_help")
    return st.text_input(label, help=about, max_chars=account_names.LONGEST, key=key)


def _advisor_choice(turn: int) -> str:
    """The account of an advisor: one of those in the register who have none, or a name that is typed."""
    words = current_session.words()
    listed = advisors_without_account(stores.store())
    waiting = {name: count for name, count in listed if account_names.is_account_name(name)}
    chosen = st.selectbox(
        words("accounts.column_account"),
        list(waiting),
        index=None,
        format_func=lambda name: shown(f"{name} · {words.count('students', waiting[name])}"),
        placeholder=words("accounts.advisor_hint"),
        help=words("accounts.advisor_help"),
        accept_new_options=True,
        key=f"new-advisor-{turn}",
    )
    if strange := [name for name, _ in listed if name not in waiting]:
        names = ", ".join(plain(name) for name in strange[:LISTED])
        st.caption(f":material/info: {words('accounts.advisors_unfit', n=len(strange), names=names)}")
    return chosen or ""


def role_choice(role: str, key: str) -> str:
    """One of the roles, with what it is for."""
    words = current_session.words()
    chosen = st.selectbox(
        words("column.role"),
        ROLES,
        index=ROLES.index(role),
        format_func=lambda one: words(f"role.{one}"),
        key=key,
    )
    st.caption(words(f"role_lead.{chosen}"))
    return chosen


def programs_choice(
    codes: tuple[str, ...] | None, programs: Mapping[str, str], key: str
) -> tuple[str, ...] | None:
    """The programmes that an account is limited to; None: every one."""
    words = current_session.words()
    known = {code: programs.get(code, code) for code in [*programs, *(codes or ())]}
    if st.toggle(words("accounts.every_program"), value=codes is None, key=f"every-{key}"):
        return None
    return tuple(
        st.multiselect(
            words("accounts.column_programs"),
            list(known),
            default=list(codes or ()),
            format_func=lambda code: shown(known[code]),
            placeholder=words("streamlit.choose"),
            key=f"programs-{key}",
        )
    )


def password_choice(key: str, label: str, button: str, icon: str | None = None) -> tuple[bool, str, bool]:
    """A first password, which its owner replaces, with the button that sets it.

    Parameters
    ----------
    key : str
        Of the fields.
    label, button, icon : str
        Of the button: what it says, its key, its sign.

    Returns
    -------
    tuple
        Whether the button was pressed, the password, and whether the administrator typed it.
    """
    words = current_session.words()
    way = st.radio(
        words("accounts.password_way"),
        (GENERATED, TYPED),
        format_func=lambda one: words(f"accounts.password_{one}"),
        captions=[words("accounts.password_generated_help"), words("accounts.password_typed_help")],
        key=f"way-{key}",
    )
    # In a form every key that is struck reaches the page. Outside of one a password is handed over when its
    # field loses the focus, but not to the field's own eye, which the Tab key leads to.
    with st.form(f"password-{key}", border=False):
        if way == GENERATED:
            secret = new_password()
        else:
            st.caption(words("accounts.password_rule", least=MIN_PASSWORD, most=MAX_PASSWORD))
            about = {"autocomplete": "new-password", "key": f"secret-{key}"}
            secret = st.text_input(words("accounts.password_once"), type="password", **about)
        pressed = st.form_submit_button(label, type="primary", icon=icon, key=button)
    return pressed, secret, way == TYPED
