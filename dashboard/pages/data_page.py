"""Import: files, what they hold, a check that writes nothing, then all of it or nothing; and the history."""

from __future__ import annotations

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import empty_state, page_header, section
from dashboard.components.table import draw_table
from dashboard.importing.plan import UploadedFile
from dashboard.importing.view import asked as import_jobs
from dashboard.importing.view import reading, wizard
from dashboard.importing.view.columns import choose_columns
from dashboard.importing.view.history import as_table, left_out_panel, undo_panel
from dashboard.jobs.first_run import first_steps
from dashboard.jobs.imports import left_out
from dashboard.jobs.view.next_steps import next_steps
from dashboard.shell import current_session, stores
from dashboard.shell.access import may_change_register
from dashboard.shell.view import own_data
from data import queries


def show() -> None:
    """The wizard and imports under way, then what was imported before and the undo of the last."""
    words = current_session.words()
    page_header(words("data.title"), words("data.lead"))
    importing, history = st.tabs([words("data.tab_import"), words("data.tab_history")])
    with importing:
        above, files = st.container(key="imports-above"), []
        if not may_change_register(current_session.person(), "run import"):
            empty_state(words("data.confined_title"), words("data.confined_text"), ":material/lock:")
        elif stores.is_synthetic() or stores.is_mixed():
            own_data.demo_takes_none()
        else:
            if stores.is_empty():
                own_data.greeting()
            if first_steps(stores.store()):
                next_steps("data", follow=True)
            files = _wizard()
        with st.container(key="imports-below") if import_jobs.asked_here(files) else above:
            import_jobs.under_way()
    with history:
        imports, left = queries.imports(stores.store()), left_out(stores.store())
        table = as_table(imports, left)
        if table.empty:
            state = "history_first" if import_jobs.any_under_way() else "history_empty"
            return empty_state(words(f"data.{state}"), "", ":material/history:")
        undo_panel(imports)
        draw_table(table, alt=words("data.tab_history"))
        left_out_panel(imports, left)
        export_bar(table, "imports")


def _wizard() -> list[UploadedFile]:
    """The four steps. Returns the files that are chosen."""
    words = current_session.words()
    files = wizard.choose_files()
    if not files:
        wizard.guide()
        return files
    kinds = wizard.choose_kinds(files)
    if not wizard.say_what_is_skipped(files, kinds):
        return files
    mapping, rule = wizard.choose_layout()
    said = reading.choose_reading(files, kinds)
    mapping = choose_columns(files, kinds, mapping, said)
    section(words("data.step_check"))
    plan = wizard.checked(files, kinds, mapping, rule, said)
    if plan is not None:
        reading.show_guesses(plan)
        wizard.show_mapping(plan)
        if import_jobs.any_under_way():
            st.warning(words("data.import_first"), icon=":material/hourglass:")
        wizard.show_outcome(plan)
        import_jobs.confirm(plan, files, kinds, mapping, rule, said)
    return files
