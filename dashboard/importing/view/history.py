"""Earlier imports as a table, and the undo of the last."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.jobs.view.next_steps import forget_steps
from dashboard.shell import current_session, stores
from dashboard.shell.access import may_change_register
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from data.records.frames import told_counts
from data.trust.undo import CannotUndo, last_import, undo_import


def as_table(imports: pd.DataFrame) -> pd.DataFrame:
    """When, by whom, which files, how many rows were new, changed and unchanged, and how it ended."""
    words = current_session.words()
    if imports.empty:
        return pd.DataFrame()
    totals = [_totals(counts or {}) for counts in imports["counts"]]
    return pd.DataFrame(
        {
            words("column.when"): current_session.here(imports["started_at"]),
            words("column.actor"): [name_of(actor) for actor in imports["actor"]],
            words("column.source"): imports["source"],
            words("column.new"): [total["new"] for total in totals],
            words("column.changed"): [total["changed"] for total in totals],
            words("column.same"): [total["same"] for total in totals],
            words("column.import_state"): [
                words(f"data.state_{_state(finished, undone)}")
                for finished, undone in zip(imports["finished_at"], imports["undone_at"], strict=True)
            ],
        }
    )


def undo_panel(imports: pd.DataFrame) -> None:
    """What the last import was, and the button that undoes it, where the reader may."""
    words, person = current_session.words(), current_session.person()
    told = st.session_state.pop(Key.UNDO_TOLD, None)
    if told:
        say = st.success if told[0] else st.error
        say(told[1], icon=":material/undo:" if told[0] else ":material/block:")
    if not may_change_register(person, "undo import"):
        return
    import_id = last_import(stores.store())
    if import_id is None:
        st.caption(words("data.undo_none"))
        return
    row = imports.set_index("import_id").loc[import_id]
    with st.container(border=True, key="undo-last"):
        section(words("data.undo_title"), words("data.undo_help"))
        about = {"source": plain(row["source"]), "actor": plain(name_of(row["actor"]))}
        st.markdown(words("data.undo_about", when=words.day(row["started_at"]), **about))
        with st.popover(words("data.undo"), icon=":material/undo:", key=Key.UNDO, on_change="rerun"):
            st.markdown(words("data.undo_help"))
            st.button(
                words("data.undo_sure"), type="primary", key="undo-sure", on_click=_undo, args=(import_id,)
            )


def _undo(import_id: str) -> None:
    words, person = current_session.words(), current_session.person()
    st.session_state[Key.UNDO] = False  # closes the popover
    if not may_change_register(person, "undo import"):
        raise PermissionError("an import may be undone by an account of every programme only")
    try:
        undone = undo_import(stores.store(), import_id, actor=person.account, role=person.role)
    except CannotUndo as refusal:
        st.session_state[Key.UNDO_TOLD] = (False, words(f"data.undo_{refusal.code}"))
        return
    counts = {"removed": sum(undone.removed.values()), "restored": sum(undone.restored.values())}
    st.session_state[Key.UNDO_TOLD] = (True, words("data.undone_done", **counts))
    for name in (Key.IMPORT_JOB, Key.CHECK_JOB, Key.JOB_TOLD, Key.PLAN):
        st.session_state.pop(name, None)
    forget_steps("data")


def _state(finished, undone) -> str:
    if not pd.isna(undone):
        return "undone"
    return "cut" if pd.isna(finished) else "complete"


def _totals(counts: dict) -> dict[str, int]:
    tables = told_counts({name: table for name, table in counts.items() if isinstance(table, dict)}).values()
    return {name: sum(int(table.get(name, 0)) for table in tables) for name in ("new", "changed", "same")}
