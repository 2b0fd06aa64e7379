"""Registry: specimens, what the checks found in them, files that stand under two students."""

from __future__ import annotations

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.kpis import kpi_row
from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, caches, current_session, stores
from dashboard.shell.plain import plain
from dashboard.students.view.specimen_panel import findings_list, scan
from dashboard.verification.view import signatures as parts
from data import queries
from data.signatures.findings import read_findings


def show() -> None:
    """Four figures, a filtered list with the scan beside it, identical files."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    counts = caches.read_once(queries.specimen_counts)
    specimens, students = counts["specimens"], counts["students"]
    lead = words(
        "signatures.lead",
        specimens=words.count("specimens", specimens),
        students=words.count("students", students),
    )
    page_header(words("signatures.title"), lead)
    if not specimens:
        return empty_state(words("signatures.empty_title"), words("signatures.empty_text"), ":material/draw:")
    kpi_row(parts.kpis(counts))
    finding, context = parts.filters()
    listed = queries.specimen_list(store, scope, finding=finding, context=context)
    table = parts.as_table(listed)
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        picked = parts.specimen_table(table)
        export_bar(parts.for_export(table), "specimens", finding=finding, context=context)
    with right, card("specimen"):
        if picked is None:
            st.caption(words("signatures.pick"))
        else:
            row = listed.iloc[picked]
            auditing.audited_once("view_specimen", row["specimen_id"])
            st.markdown(f"**{plain(table.iloc[picked]['student'])}**")
            scan(row["specimen_id"], words.day(row["captured_on"]))
            findings_list(read_findings(row["quality"]))
            st.caption(words("signature.footer"))
    with card("duplicates"):
        parts.duplicates(caches.read_once(queries.same_file_twice))
