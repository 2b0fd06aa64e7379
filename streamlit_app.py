"""The router: sign-in for strangers, and for everybody else the pages of their role."""

import streamlit as st

from dashboard.cases.view.inbox_number import number, tell_ended
from dashboard.components.drafts import SENDING
from dashboard.components.layout import PAPER, STYLE, calmly, door_to, guarded, stray_page
from dashboard.components.reworded import reword
from dashboard.shell import current_session, tab_binding
from dashboard.shell.access import PAGES, pages_for
from dashboard.shell.view.looks import refused_page
from dashboard.shell.view.session_watch import session_watch
from dashboard.shell.view.sidebar import LOGO, MARK, fold_menu, sidebar
from dashboard.shell.view.tour import tour

words = current_session.words()
st.set_page_config(
    page_title=f"{words('app.name')} · {words('app.tagline')}", page_icon=str(MARK), layout="wide"
)
st.html(STYLE)
st.html(PAPER + SENDING, unsafe_allow_javascript=True)
current_session.keep_language()
reword()

person = calmly(current_session.person)
if person is None or person.once:
    door = "sign_in" if person is None else "first_password"
    only = guarded(door)
    # Every address leads to the one page and stays, so that a link opens its page afterwards.
    doors = [st.Page(only, title=words(f"{door}.title"), default=True)]
    doors += [st.Page(only, title=words(f"{door}.title"), url_path=name) for name in PAGES]
    doors += stray_page(PAGES, only)
    chosen = st.navigation(doors, position="hidden")
    if person is None:
        tab_binding.back_to_the_root(doors[0])
        tab_binding.give_cookie_back()
    else:
        tab_binding.keep_signed_in()
    chosen.run()
else:
    entries = pages_for(person.role)
    names = [entry.name for entry in entries]
    first, astray = names[0], tab_binding.others_address(person)
    if not astray:  # nobody asked for that address
        calmly(lambda: refused_page(names))
    menu = []  # flat: five pages need no headings, and a plain list is one to a screen reader
    for entry in entries:
        title = words(f"nav.{entry.name}")
        if entry.name == "inbox" and (left := calmly(number)):
            title = f"{title} ({left})"
        page = st.Page(  # the first one answers at the root, whatever its address
            guarded(entry.name),
            title=title,
            icon=entry.icon,
            url_path="first-page" if entry.name == first else entry.name,
            default=entry.name == first,
            help=words(f"nav_help.{entry.name}"),
        )
        menu.append(page)
        current_session.pages()[entry.name] = page
    st.logo(LOGO, size="large", icon_image=MARK)
    door = door_to(current_session.pages()[first], first)
    chosen = st.navigation([*menu, door, *stray_page({*names, "first-page"})])
    opening = calmly(lambda: current_session.opening_page(names, at_root=astray or not chosen.url_path))
    if astray or opening != first:
        st.switch_page(current_session.pages()[opening])
    sidebar()
    fold_menu(chosen.url_path)
    tab_binding.keep_signed_in()
    session_watch()
    tour(chosen)
    chosen.run()
    calmly(tell_ended)
