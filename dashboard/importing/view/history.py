"""Earlier imports as a table, and the undo of the last."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.importing.plan import problem_list
from dashboard.jobs.imports import LeftOut, left_out_list, may_have_rows
from dashboard.jobs.view.next_steps import forget_steps
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.access import may_change_register
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from data.records.frames import told_counts
from data.trust.undo import CannotUndo, last_import, undo_import

LISTED = 20  # of the newest imports


def as_table(imports: pd.DataFrame, left_out: Mapping[str, LeftOut]) -> pd.DataFrame:
    """When, by whom, which files, how many rows were new, changed, unchanged and left out, how it ended.

    Parameters
    ----------
    imports : DataFrame
    left_out : mapping
        From :func:`dashboard.jobs.imports.left_out`; of other imports nobody knows.
    """
    words = current_session.words()
    if imports.empty:
        return pd.DataFrame()
    totals = [_totals(counts or {}) for counts in imports["counts"]]
    return pd.DataFrame(
        {
            current_session.on_clock("column.when"): current_session.here(imports["started_at"]),
            words("column.actor"): [name_of(actor) for actor in imports["actor"]],
            words("column.source"): imports["source"],
            words("column.new"): [total["new"] for total in totals],
            words("column.changed"): [total["changed"] for total in totals],
            words("column.same"): [total["same"] for total in totals],
            words("data.left_out_column"): [
                words.number(left_out[one].rows if one in left_out else None) for one in imports["import_id"]
            ],
            words("column.import_state"): [
                words(f"data.state_{_state(finished, undone)}")
                for finished, undone in zip(imports["finished_at"], imports["undone_at"], strict=True)
            ],
        }
    )


def left_out_panel(imports: pd.DataFrame, left_out: Mapping[str, LeftOut]) -> None:
    """The rows that imports left out: those that are still kept can be taken along to be mended.

    They hold students' data: whoever may import and may not see who is meant gets those of their own files.
    """
    words = current_session.words()
    some = [one for one in imports["import_id"] if one in left_out and left_out[one].rows]
    if some and may_change_register(current_session.person(), "run import"):
        with st.expander(words("data.left_out_title"), icon=":material/assignment_return:"):
            rows = imports.set_index("import_id")
            for one in some[:LISTED]:
                _left_out(one, rows.loc[one], left_out[one])
            st.caption(words("data.left_out_kept"))


def _left_out(import_id: str, row: pd.Series, found: LeftOut) -> None:
    words = current_session.words()
    about = {"n": found.rows, "when": current_session.day(row["started_at"]), "source": plain(row["source"])}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(words("data.left_out_row", **about), width="content")
        if not found.file_id:
            st.caption(words("data.left_out_gone"), width="content")
            return
        if not may_have_rows(current_session.person(), found):
            st.caption(words("data.left_out_others"), width="content")
            return
        store = stores.store()

        def listed() -> bytes:
            told = left_out_list(store, found.file_id)
            errors = told.problems[told.problems["severity"] == "error"]
            return problem_list(errors, words, told.headers)

        st.download_button(
            words("data.left_out_download"),
            data=auditing.handed_out(listed, "export", import_id, kind="left_out"),
            file_name="tepat_left_out.csv",
            mime="text/csv",
            icon=":material/download:",
            key=f"left-out-{import_id}",
            on_click="ignore",
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
        st.markdown(words("data.undo_about", when=current_session.day(row["started_at"]), **about))
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
    for name in (Key.IMPORT_JOB, Key.IMPORT_OF, Key.CHECK_JOB, Key.JOB_TOLD, Key.PLAN):
        st.session_state.pop(name, None)
    forget_steps("data")


def _state(finished, undone) -> str:
    if not pd.isna(undone):
        return "undone"
    return "cut" if pd.isna(finished) else "complete"


def _totals(counts: dict) -> dict[str, int]:
    tables = told_counts({name: table for name, table in counts.items() if isinstance(table, dict)}).values()
    return {name: sum(int(table.get(name, 0)) for table in tables) for name in ("new", "changed", "same")}
