"""The parts of the registry page: figures, filters, the list, identical files."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.kpis import Kpi
from dashboard.components.layout import section
from dashboard.components.paper import filters_in_force
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.people import named
from data.columns import SPECIMEN_CONTEXTS
from data.signatures.findings import OF_ONE_SCAN, WHOLE_PAGE
from data.verification.duplicates import duplicate_counts, newest_search

SHOWN = 200


def kpis(counts: dict[str, int]) -> list[Kpi]:
    """Specimens, students with enough of them, findings, specimens not yet checked."""
    words = current_session.words()
    checked, students = counts["checked"], counts["students"]
    share = words.percent(counts["found"] / checked if checked else None)
    return [
        Kpi(words("signatures.kpi_specimens"), words.number(counts["specimens"])),
        Kpi(
            words("signatures.kpi_enough"),
            f"{words.number(counts['enough'])} ({words.percent(counts['enough'] / students)})",
            words("signatures.kpi_enough_help"),
        ),
        Kpi(
            words("signatures.kpi_findings"),
            f"{words.number(counts['found'])} ({share})",
        ),
        Kpi(
            words("signatures.kpi_unchecked"),
            words.number(counts["specimens"] - checked),
            words("signatures.kpi_unchecked_help"),
        ),
    ]


def filters() -> tuple[str | None, str | None]:
    """A finding's code, "any" or None, and an occasion or None."""
    words = current_session.words()
    names = {None: words("signatures.all_specimens"), "any": words("signatures.any_finding")}
    left, right, _ = st.columns([1, 1, 1])
    with left:
        finding = st.selectbox(
            words("signatures.filter_finding"),
            [None, "any", *OF_ONE_SCAN, WHOLE_PAGE],
            format_func=lambda code: names.get(code) or words.named("check", code),
            key="finding",
            persist_state="session",
        )
    with right:
        context = st.selectbox(
            words("signatures.filter_context"),
            [None, *SPECIMEN_CONTEXTS],
            format_func=lambda one: words(f"context.{one}" if one else "signatures.any_context"),
            key="context",
            persist_state="session",
        )
    found = finding and (names.get(finding) or words.named("check", finding))
    filters_in_force(
        {
            words("signatures.filter_finding"): found,
            words("signatures.filter_context"): context and words(f"context.{context}"),
        }
    )
    return finding, context


def as_table(specimens: pd.DataFrame) -> pd.DataFrame:
    """The specimens as shown and exported."""
    words = current_session.words()
    return pd.DataFrame(
        {
            "student": [named(row) for row in specimens.to_dict("records")],
            "captured_on": specimens["captured_on"],
            "context": [words.named("context", context) for context in specimens["context"]],
            "findings": [[words.named("check", code) for code in codes] for codes in specimens["found"]],
            "medium": [words(f"medium.{medium}") for medium in specimens["medium"]],
            "size": [
                f"{int(w)} × {int(h)}" for w, h in zip(specimens["width"], specimens["height"], strict=True)
            ],
            "dpi": specimens["dpi"],
        }
    )


def specimen_table(table: pd.DataFrame) -> int | None:
    """Draw the list; the position of the selected row."""
    words, config = current_session.words(), st.column_config
    event = draw_table(
        table,
        key="specimens",
        height=520,
        on_select="rerun",
        selection_mode="single-row-required",
        alt=words("signatures.list_title"),
        column_config={
            "student": config.TextColumn(words("column.student"), width="medium"),
            "captured_on": config.DateColumn(words("column.captured_on")),
            "context": config.TextColumn(words("column.context")),
            "findings": config.ListColumn(words("column.findings"), width="medium"),
            "medium": config.TextColumn(words("column.medium")),
            "size": config.TextColumn(words("column.size"), alignment="right"),
            "dpi": config.NumberColumn("dpi", format="%d"),
        },
    )
    if len(table) >= SHOWN:
        st.caption(words("signatures.first_rows", n=SHOWN))
    rows = event["selection"]["rows"]
    return rows[0] if rows else None


def for_export(table: pd.DataFrame) -> pd.DataFrame:
    """The table with headings in the reader's language and texts instead of lists."""
    words = current_session.words()
    flat = table.assign(
        findings=table["findings"].str.join("; "), captured_on=table["captured_on"].astype(str).str[:10]
    )
    return flat.rename(columns={name: words(f"column.{name}") for name in flat.columns if name != "dpi"})


def duplicates(same: pd.DataFrame) -> None:
    """Files that stand under more than one student, and what the newest search found beside them."""
    words = current_session.words()
    section(words("signatures.duplicates_title"), words("signatures.duplicates_help"))
    _identical_files(same)
    _search_told()


def _identical_files(same: pd.DataFrame) -> None:
    words = current_session.words()
    if same.empty:
        st.markdown(f":green[:material/check_circle:] {words('signatures.duplicates_none')}")
        return
    files = same.groupby("sha256", sort=False)
    st.markdown(f":orange[:material/warning:] {words('signatures.duplicates_found', n=files.ngroups)}")
    rows = [
        {
            words("column.file"): sha256[:12],
            words("column.students"): ", ".join(named(row) for row in group.to_dict("records")),
            words("column.captured_on"): words.day(group["captured_on"].max()),
        }
        for sha256, group in files
    ]
    draw_table(pd.DataFrame(rows), alt=words("signatures.duplicates_title"))


def _search_told() -> None:
    """The duplicates page's own counts: images that are alike without being one file."""
    words, store = current_session.words(), stores.store()
    search = newest_search(store)
    if search is None:
        return st.caption(words("signatures.never_searched"))
    found, unjudged = duplicate_counts(store, current_session.scope()).get("same_image", (0, 0))
    day = current_session.day(search["at"])
    return st.caption(words("signatures.searched", day=day, n=found, open=unjudged))
