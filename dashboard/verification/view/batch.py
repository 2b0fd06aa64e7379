"""A ZIP of questioned signatures: upload, progress, what was found, and the files left over."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.kpis import Kpi, kpi_row
from dashboard.components.layout import card, empty_state
from dashboard.components.table import draw_table
from dashboard.components.upload import file_field
from dashboard.jobs import signatures as jobs_verification
from dashboard.jobs.asking import may_fetch
from dashboard.jobs.view.job_progress import follow
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from dashboard.shell.view.own_data import demo_upload_note
from dashboard.verification.batch import OUTCOMES, PROBLEM, SHOWN, as_table, chosen, counted
from dashboard.verification.view import consent as consent_parts
from data import queries
from data.jobs.table import Job

LARGEST = 200
"""Megabytes of one archive."""


def batch() -> None:
    """Choose an archive, watch it, read the list."""
    words = current_session.words()
    with card("archive"):
        file = file_field(words("batch.upload"), type=["zip"], key="batch-file", max_upload_size=LARGEST)
        st.caption(words("batch.help"))
        demo_upload_note()
        if file is not None and st.button(
            words("batch.start"), type="primary", icon=":material/play_arrow:", key="batch-start"
        ):
            job_id = jobs_verification.start_folder(
                stores.store(), current_session.person(), file.name, file.getvalue()
            )
            st.session_state[Key.BATCH_JOB] = job_id
        mine = current_session.person().account
        shown = follow("verify", Key.BATCH_JOB, lambda job: job.actor == mine)
        job = shown[-1] if shown else None
    if job is not None and job.status == "done":
        _result(job)
    elif Key.BATCH_JOB not in st.session_state:
        empty_state(words("batch.empty_title"), words("batch.empty_text"), ":material/folder_zip:")


def _result(job: Job) -> None:
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    results = jobs_verification.folder_result(store, job)
    if results is None or not may_fetch(current_session.person(), job):
        st.caption(words("batch.gone"))
        return
    counts = counted(results)
    help_of = {name: words(f"verification.outcome_{name}_help") for name in OUTCOMES}
    names = {name: words(f"verification.outcome_{name}") for name in OUTCOMES}
    names[PROBLEM], help_of[PROBLEM] = words("batch.not_compared"), words("batch.not_compared_help")
    kpi_row([Kpi(names[name], words.number(counts[name]), help_of[name]) for name in counts])
    what = st.pills(
        words("batch.show"),
        [name for name in counts if counts[name]],
        format_func=lambda name: f"{names[name]} ({words.number(counts[name])})",
        key="batch-show",
    )
    rows = chosen(results, what)
    people = queries.identities(store, scope, rows["student_key"].dropna().unique().tolist())
    table = as_table(rows, people, words)
    picked = _table(table)
    export_bar(
        table.rename(columns={name: words(f"batch.{name}") for name in SHOWN}), "signatures", show=what
    )
    if (results["problem"] == "no_consent").any():
        consent_parts.to_consent("to_missing")
    if picked is not None:
        _open(rows.iloc[picked].to_dict())


def _table(table: pd.DataFrame) -> int | None:
    words, config = current_session.words(), st.column_config
    event = draw_table(
        table,
        key="batch-table",
        on_select="rerun",
        selection_mode="single-row",
        alt=words("batch.table"),
        column_config={name: config.TextColumn(words(f"batch.{name}"), width="medium") for name in SHOWN},
    )
    rows = event["selection"]["rows"]
    return rows[0] if rows else None


def _open(row: dict) -> None:
    """A way to the case of the selected row."""
    if not isinstance(row["decision_id"], str):
        return
    words, pages = current_session.words(), current_session.pages()
    to_review = row["outcome"] == "review" and "review" in pages
    if not to_review and "verification" not in pages:
        return
    page = pages["review" if to_review else "verification"]
    query = {"case": row["decision_id"]} if to_review else {"s": row["student_key"], "d": row["decision_id"]}
    st.page_link(page, label=words("batch.open"), icon=":material/arrow_forward:", query_params=query)
