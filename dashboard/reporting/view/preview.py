"""A report on the screen: which one, the table as it will print, what it says about itself."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.components.numbers import number_typed
from dashboard.reports import describe, pipeline
from dashboard.reports.html import column_words, lines_html, to_html
from dashboard.reports.language import program_label
from dashboard.reports.model import NOT_KNOWN, NOT_YET, Override, ReportTable
from dashboard.reports.profile import load_profile, profile_ids, profile_levels
from dashboard.reports.profile_parts import Profile
from dashboard.reports.provenance import ReportProvenance, today
from dashboard.shell import caches, current_session, stores
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from data.engine.database import Store
from data.trust import reports_store
from data.trust.reports_store import StoredReport
from data.trust.scope import Scope

FIRST_SHOWN = "iaps40-8c"


def read_register(store: Store, scope: Scope) -> pipeline.Register:
    """The flow of the reader's programmes, for :func:`dashboard.shell.caches.read_once`."""
    return pipeline.read_register(store, scope)


def compute(
    store: Store, scope: Scope, profile_id: str, program: str, ts: int, inputs: tuple, overrides: tuple
):
    """A report with its provenance, for :func:`dashboard.shell.caches.read_once`."""
    register = caches.read_once(read_register)
    request = pipeline.Request(profile_id, program, ts, dict(inputs), overrides)
    return pipeline.build(store, register, request)


def on_the_clock(provenance: ReportProvenance) -> ReportProvenance:
    """Where nothing names a clock, the one that the page tells: for the moments and the name of files.

    What is approved stays as it was signed.
    """
    if provenance.time_zone or provenance.status == "approved":
        return provenance
    zone = current_session.zone_name()
    made = provenance.made_on if provenance.report_id else today(zone)
    return replace(provenance, time_zone=zone, made_on=made)


def choose(register: pipeline.Register) -> tuple[str, str, int]:
    """Instrument, programme and TS; those of the report that the address names, when one comes by it."""
    words = current_session.words()
    wanted = _by_address(register)
    if wanted is not None:
        st.session_state[Key.REPORT_PROFILE] = wanted.profile
    else:
        st.session_state.setdefault(Key.REPORT_PROFILE, FIRST_SHOWN)
    left, middle, right = st.columns([1.6, 1.4, 0.6], vertical_alignment="bottom")
    with left:
        names = {name: profile_name(name, words.language) for name in profile_ids()}
        chosen = st.selectbox(
            words("reports.profile"),
            list(names),
            format_func=names.get,
            key=Key.REPORT_PROFILE,
        )
    titles = {
        row.program_code: shown(f"{program_label(row.program_code, row.name)} ({row.degree_level})")
        for row in register.programs.itertuples()
    }
    codes = list(titles) if register.scope.program_codes is not None else ["", *titles]
    codes = codes if not pipeline.asks_level(chosen) else [code for code in codes if code]
    with middle:
        program_key = f"report-program-{pipeline.asks_level(chosen)}"
        if wanted is not None and (wanted.program_code or "") in codes:
            st.session_state[program_key] = wanted.program_code or ""
        program = st.selectbox(
            words("reports.program"),
            codes,
            format_func=lambda code: titles.get(code, words("reports.all_programs")),
            key=program_key,
        )
    with right:
        last = register.last_full_year(program or "")
        same = last == register.last_full_year()
        ts_key = "report-ts" if same else f"report-ts-{last}"
        st.session_state.setdefault(ts_key, last)
        if wanted is not None:
            st.session_state[ts_key] = wanted.ts_year
        ts = st.number_input(
            words("reports.ts"),
            1990,
            register.newest_year(),
            key=ts_key,
            help=words("reports.ts_help"),
        )
    if wanted is not None:
        opened = f"report-version-{chosen}-{program or ''}-{int(ts)}"
        st.session_state[opened] = wanted.report_id
    return chosen, program or "", int(ts)


def _by_address(register: pipeline.Register) -> StoredReport | None:
    """The stored report that the address names, on coming to the page; None when the reader has none."""
    number = st.query_params.get("report")
    if number is None:
        return None
    del st.query_params["report"]  # what is chosen from here on is chosen on the page
    try:
        found = reports_store.stored_report(stores.store(), current_session.scope(), number)
    except KeyError:
        return None
    return found if 1990 <= found.ts_year <= register.newest_year() else None


def profile_name(profile_id: str, language: str) -> str:
    """Instrument, number and title of a profile."""
    profile = any_level(profile_id)
    return f"{profile.instrument} {profile.number} · {profile.title[language]}"


def any_level(profile_id: str) -> Profile:
    """A profile at any level that it has, for its names."""
    return load_profile(profile_id, next(iter(profile_levels(profile_id)), ""))


def fill_in(table: ReportTable) -> tuple[tuple, tuple[Override, ...]]:
    """Figures typed in by the office: those that the register lacks, and corrections with a reason."""
    words, chosen = current_session.words(), table.selection
    memory = f"report-by-hand-{table.profile.id}-{chosen.program_code}-{chosen.ts}"
    kept = st.session_state.setdefault(memory, {"inputs": {}, "overrides": []})
    with st.expander(words("reports.fill"), icon=":material/edit:", key="report-fill"):
        st.caption(words("reports.fill_help"))
        _inputs(table, kept)
        _overrides(table, kept)
    return tuple(sorted(kept["inputs"].items())), tuple(kept["overrides"])


def _inputs(table: ReportTable, kept: dict) -> None:
    language = current_session.words().language
    for column in (column for column in table.columns if column.kind == "input"):
        boxes = st.columns(len(table.profile.rows))
        for row, box in zip(table.profile.rows, boxes, strict=True):
            name = f"{column_words(column, language)} · {row.label[language]}"
            key = (row.key, column.key)
            value = box.number_input(
                name, 0, 1_000_000, kept["inputs"].get(key), key=f"report-input-{table.profile.id}-{key}"
            )
            if value is None:
                kept["inputs"].pop(key, None)
            else:
                kept["inputs"][key] = value


def _overrides(table: ReportTable, kept: dict) -> None:
    words = current_session.words()
    columns = {
        column.key: column_words(column, words.language)
        for column in table.columns
        if column.kind == "measure"
    }
    rows = {row.key: row.label[words.language] for row in table.profile.rows}
    draft = Draft("report-override", table.profile.id)
    with draft.form_here():
        left, middle, third, fourth = st.columns([1, 1.6, 0.8, 2.2])
        row = left.selectbox(
            words("reports.override_row"), list(rows), format_func=rows.get, **draft.field("row")
        )
        names = {"format_func": columns.get, **draft.field("column")}
        column = middle.selectbox(words("reports.override_column"), list(columns), **names)
        text = third.text_input(words("reports.override_value"), **draft.field("value"))
        reason = fourth.text_input(words("reports.override_reason"), **draft.field("text"))
        about = {"help": words("reports.override_second_help"), **draft.field("second")}
        second = st.text_input(words("reports.override_second"), **about)
        sent = st.button(words("reports.override_add"), key=f"{draft.key}-add")
    closed = table.cell(row, column).state == "closed"
    value = number_typed(text, 0.0) if sent else None
    if sent and value is not None and reason.strip() and not closed:
        by = current_session.person().display_name
        kept["overrides"].append(Override(row, column, value, reason.strip(), by, second.strip()))
        draft.saved()
        st.rerun()
    draft.note("value", "second")
    if kept["overrides"]:
        st.caption(words("reports.override_done", n=len(kept["overrides"])))
        if st.button(words("reports.override_drop"), key=f"report-drop-{table.profile.id}"):
            kept["overrides"].clear()
            st.rerun()


def preview(table: ReportTable, provenance: ReportProvenance) -> None:
    """The table as it will print, its warnings, indicators and marks."""
    words = current_session.words()
    language = words.language
    section(plain(describe.title(table, language)))
    pairs = describe.header_pairs(table, provenance, language)
    st.caption(" · ".join(f"{plain(label)}: {plain(value)}" for label, value in pairs))
    st.html(to_html(table, language))
    states = {cell.state for cell in table.cells.values()}
    if NOT_YET in states:
        st.caption(words("reports.mature", day=words.day(table.snapshot)))
    elif NOT_KNOWN in states:
        st.caption(words("reports.not_known"))
    else:
        st.caption(words("reports.complete"))
    for line in describe.warning_lines(table, language):
        st.warning(plain(line), icon=":material/warning:")
    for line in describe.missing_lines(table, language):
        st.info(words("reports.missing", field=plain(line)), icon=":material/edit_note:")
    if table.lines:
        section(words("reports.indicators"))
        st.html(lines_html(describe.line_rows(table, language), language))
    marks = [
        words("reports.legend", mark=mark, meaning=plain(text))
        for mark, text in describe.legend(table, language)
    ]
    st.caption(" · ".join([*marks, *describe.standing_notes(table, language)]))
