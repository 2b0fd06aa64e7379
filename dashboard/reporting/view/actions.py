"""What one can do with a report: take it along, prepare, approve, prove, list who is behind a cell."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.components.upload import file_field
from dashboard.reporting.view.preview import on_the_clock, read_register
from dashboard.reports import describe, pipeline
from dashboard.reports.approve import reopened
from dashboard.reports.cohort_report import cohort_report, cohort_tables
from dashboard.reports.csv_long import to_csv
from dashboard.reports.html import column_words, to_html
from dashboard.reports.model import ReportTable
from dashboard.reports.pdf import to_pdf
from dashboard.reports.provenance import ReportProvenance, content_hash, to_content
from dashboard.reports.students_behind import restricted_frame, restricted_xlsx, students_behind
from dashboard.reports.suppress import suppress
from dashboard.reports.xlsx import to_xlsx
from dashboard.shell import access, auditing, caches, current_session, stores
from dashboard.shell.exports import MIME
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from dashboard.shell.wording import EMPTY
from data import queries
from data.calendar.cohorts import exits_after
from data.trust import reports_store
from data.trust.scope import Scope

KINDS = {"xlsx": ":material/table_view:", "pdf": ":material/picture_as_pdf:", "csv": ":material/csv:"}
TYPES = MIME | {"pdf": "application/pdf"}


def choose_audience(key: str) -> str:
    """For whom the table is shown and its files are made: the assessors, unless the public is chosen."""
    words = current_session.words()
    return st.segmented_control(
        words("reports.audience"),
        list(pipeline.AUDIENCES),
        default=pipeline.AUDIENCES[0],
        required=True,
        format_func=lambda name: words(f"reports.audience_{name}"),
        key=f"{key}-audience",
        help=words("reports.audience_help"),
    )


def as_shown(table: ReportTable, audience: str) -> ReportTable:
    """The table as its file would print it for an audience, with a line on what is hidden. Nothing is made
    public by looking."""
    if audience != "external":
        return table
    words, digest = current_session.words(), content_hash(to_content(table))
    register = caches.read_once(read_register)
    with st.spinner(words("reports.judging")):
        found = caches.made_once(
            "report-hiding", (digest,), partial(pipeline.hiding, stores.store(), register, table)
        )
    shown = suppress(table, hidden=found.addresses)
    hidden, all_figures = describe.hidden_figures(shown)
    if hidden:
        st.info(words("reports.hidden", n=hidden, all=all_figures), icon=":material/visibility_off:")
    if found.given_away:
        st.warning(words("reports.given_away", n=found.given_away), icon=":material/warning:")
    return shown


def downloads(table: ReportTable, provenance: ReportProvenance, key: str, audience: str) -> None:
    """XLSX, PDF and CSV for the chosen audience, made on demand and entered in the audit log."""
    words = current_session.words()
    language = words.language
    reader = current_session.scope()
    with st.container(horizontal=True):
        for kind, icon in KINDS.items():
            shown = table.with_parts(external=audience == "external")
            stem = describe.file_stem(shown, provenance, "" if kind == "csv" else language)
            st.download_button(
                words(f"reports.{kind}"),
                data=auditing.handed_out(
                    partial(_file, table, provenance, language, audience, kind, reader),
                    "export report",
                    provenance.report_id or table.profile.id,
                    hashed=True,
                    kind=kind,
                    audience=audience,
                    program_code=table.selection.program_code,
                    ts_year=table.selection.ts,
                    **_checksum(provenance),
                ),
                file_name=f"{stem}.{kind}",
                mime=TYPES[kind],
                icon=icon,
                key=f"{key}-{kind}",
                on_click="ignore",
            )


def _checksum(provenance: ReportProvenance) -> dict:
    """What the entry of a download holds of the figures: the seal of a stored version, as the entries of its
    preparation and approval do; of a draft the checksum of the figures, which its files print."""
    if provenance.seal:
        return {"sha256": provenance.seal}
    return {"content_sha256": provenance.content_sha256}


def _file(
    table: ReportTable,
    provenance: ReportProvenance,
    language: str,
    audience: str,
    kind: str,
    reader: Scope,
) -> bytes:
    """The file; asked for when no session is at hand, so it is told whose reach and which language."""
    if audience == "external":
        store = stores.store()
        table = pipeline.public(store, read_register(store, reader), table)
    if kind == "csv":
        return to_csv(table, provenance)
    return (to_xlsx if kind == "xlsx" else to_pdf)(table, provenance, language)


def cohort_download(register: pipeline.Register, program: str, audience: str) -> None:
    """The cohort report for leadership: every count and confidential, or small cells hidden."""
    words = current_session.words()
    name = describe.file_name(
        f"cohorts-{audience}", program or "all", words.language, "pdf", stores.is_synthetic()
    )
    st.download_button(
        words("reports.cohort_report"),
        data=auditing.handed_out(
            partial(_cohort_file, register, program, words.language, audience),
            "export report",
            "cohort-report",
            hashed=True,
            program_code=program,
            audience=audience,
        ),
        file_name=name,
        mime=TYPES["pdf"],
        icon=":material/groups:",
        help=words("reports.cohort_report_help"),
        on_click="ignore",
    )


def _cohort_file(register: pipeline.Register, program: str, language: str, audience: str) -> bytes:
    titles = register.programs.set_index("program_code")["name"]
    until = register.observed_until(program) or register.snapshot
    own = register.flow[register.flow["program_code"] == program] if program else register.flow
    later = until is not None and exits_after(own, until) > 0
    return cohort_report(
        cohort_tables(register.flow, program, external=audience == "external", calendar=register.calendar),
        pipeline.origin(stores.store(), register),
        language,
        program=f"{program} {titles[program]}" if program else "",
        snapshot=describe.observed_words(until, later, language),
    )


def prepare(table: ReportTable, provenance: ReportProvenance) -> None:
    """The button that freezes the figures as a new version."""
    words, person = current_session.words(), current_session.person()
    if not access.may(person.role, "prepare report"):
        return
    if st.button(words("reports.prepare"), icon=":material/lock_clock:", help=words("reports.prepare_help")):
        report = pipeline.prepare(
            stores.store(),
            table,
            provenance,
            actor=person.account,
            role=person.role,
            zone=current_session.zone_name(),
        )
        st.session_state[Key.REPORT_TOLD] = words("reports.prepared_done", version=report.version)
        st.rerun()


def standing(
    table: ReportTable, profile_id: str, program: str, ts: int
) -> tuple[ReportTable, ReportProvenance] | None:
    """The newest version that was frozen with the figures of now, said above the table; else a word on the
    version that is approved with other figures.

    Returns
    -------
    tuple of ReportTable and ReportProvenance, or None
        What was frozen: to be shown and taken along instead of a draft that says the same.
    """
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    listed = reports_store.report_list(store, scope, profile_id)
    listed = listed[(listed["program_code"].fillna("") == program) & (listed["ts_year"] == ts)]
    digest = content_hash(to_content(table))
    for row in listed.sort_values("version", ascending=False).to_dict("records"):
        step = reports_store.logged_step(store, row["report_id"])
        if step is not None and step.withdrawn:
            continue
        approved = row["status"] == "approved"
        stored = reports_store.stored_report(store, scope, row["report_id"])
        about = {"version": row["version"], "who": plain(name_of(row["prepared_by"]))}
        if approved:
            about["day"] = current_session.day(row["approved_at"])
        if content_hash(stored.content) == digest:
            if approved:
                st.success(words("reports.standing_same", **about), icon=":material/verified:")
            else:
                st.info(words("reports.standing_waiting", **about), icon=":material/hourglass_top:")
            return reopened(stored)
        if approved:
            st.info(words("reports.standing_other", **about), icon=":material/verified:")
            return None
    return None


def history(profile_id: str, program: str, ts: int) -> None:
    """Versions of this report; one can be opened, proved, approved and taken along."""
    words, store = current_session.words(), stores.store()
    section(words("reports.history"))
    told = st.session_state.pop(Key.REPORT_TOLD, None)
    if told:
        st.success(told, icon=":material/task_alt:")
    listed = reports_store.report_list(store, current_session.scope(), profile_id)
    listed = listed[(listed["program_code"].fillna("") == program) & (listed["ts_year"] == ts)]
    if listed.empty:
        return st.caption(words("reports.history_empty"))
    who = {name: [name_of(one) for one in listed[name]] for name in ("prepared_by", "approved_by")}
    when = [current_session.day(at) for at in listed["prepared_at"]]
    states = [words(f"reports.status_{state}") for state in listed["status"]]
    shown = listed.assign(status=states, prepared_at=when, **who)
    names = ("version", "status", "report_id", "prepared_by", "prepared_at", "approved_by", "sha256")
    shown = shown[list(names)].rename(columns={name: words(f"reports.{name}") for name in names})
    draw_table(shown, alt=words("reports.history"), stacked="versions")
    st.caption(words("reports.seal_about"))
    versions = dict(zip(listed["report_id"], listed["version"], strict=True))
    chosen = st.selectbox(
        words("reports.open_version"),
        [None, *versions],
        format_func=lambda number: (
            EMPTY if number is None else f"{words('reports.version')} {versions[number]}"
        ),
        key=f"report-version-{profile_id}-{program}-{ts}",
    )
    if chosen:
        _version(reports_store.stored_report(store, current_session.scope(), chosen))


def _version(report: reports_store.StoredReport) -> None:
    words, store = current_session.words(), stores.store()
    _seal(pipeline.prove(store, current_session.scope(), report.report_id))
    table, provenance = reopened(report)
    provenance = on_the_clock(provenance)
    audience = choose_audience(f"report-{report.report_id}")
    st.html(to_html(as_shown(table, audience), words.language))
    downloads(table, provenance, f"report-{report.report_id}", audience)
    behind(table, provenance, f"report-{report.report_id}")
    if report.status == "prepared":
        _approval(report)
        return
    _withdrawal(report)
    given = file_field(words("reports.check_file"), key=f"report-check-{report.report_id}")
    if given is not None:
        proof = pipeline.prove(store, current_session.scope(), report.report_id, given.getvalue())
        if proof.intact and not proof.withdrawn:
            st.success(words("reports.check_file_good"), icon=":material/verified:")
        else:
            _seal(proof)


def _withdrawal(report: reports_store.StoredReport) -> None:
    """Taking an approval back, with a reason; the figures wait as a new version."""
    words, person, store = current_session.words(), current_session.person(), stores.store()
    step = reports_store.logged_step(store, report.report_id)
    if not access.may(person.role, "approve report") or step is None or step.withdrawn:
        return
    fold = f"report-withdrawal-{report.report_id}"  # a message above may go, and the fold stays as it is
    with st.expander(words("reports.withdraw"), icon=":material/undo:", key=fold):
        draft = Draft("report-withdraw", report.report_id)
        reason = st.text_input(words("reports.withdraw_reason"), **draft.field("text"))
        if st.button(words("reports.withdraw_now"), disabled=not reason.strip(), key="report-withdraw"):
            try:
                fresh = pipeline.withdraw(
                    store,
                    current_session.scope(),
                    report.report_id,
                    reason=reason,
                    actor=person.account,
                    role=person.role,
                )
            except reports_store.ApprovalRefused as refusal:
                return st.error(words(f"reports.refused_{refusal.code}"))
            draft.saved()
            st.session_state[Key.REPORT_TOLD] = words("reports.withdrawn_done", version=fresh.version)
            st.rerun()
        draft.note()


def _seal(proof) -> None:
    words = current_session.words()
    if proof.withdrawn:
        st.warning(words("reports.withdrawn", reason=plain(proof.withdrawn)), icon=":material/undo:")
    if proof.intact:
        st.success(words("reports.intact"), icon=":material/verified:")
    else:
        problems = ", ".join(words(f"reports.problem_{code}") for code in proof.problems)
        st.error(words("reports.tampered", problems=problems), icon=":material/gpp_bad:")


def _approval(report: reports_store.StoredReport) -> None:
    words, person = current_session.words(), current_session.person()
    if not access.may(person.role, "approve report"):
        return
    if reports_store.same_account(report.prepared_by, person.account):
        st.info(words("reports.approve_own"), icon=":material/group:")
        return
    if st.button(words("reports.approve"), type="primary", icon=":material/lock:", key="report-approve"):
        bar = st.progress(0.0, words("reports.approving_begun"))

        def told(done: int, total: int) -> None:
            bar.progress(done / total, words("reports.approving", done=done, total=total))

        try:
            pipeline.approve(
                stores.store(),
                current_session.scope(),
                report.report_id,
                actor=person.account,
                role=person.role,
                zone=current_session.zone_name(),
                progress=told,
            )
        except reports_store.ApprovalRefused as refusal:
            bar.empty()
            st.error(words(f"reports.refused_{refusal.code}"))
            return
        st.session_state[Key.REPORT_TOLD] = words("reports.approved_done", version=report.version)
        st.rerun()


def behind(table: ReportTable, provenance: ReportProvenance, key: str) -> None:
    """The restricted list of the students behind a cell, for those who may identify students."""
    words, person, scope = current_session.words(), current_session.person(), current_session.scope()
    if not (access.may(person.role, "list report students") and scope.may_identify):
        return
    with st.expander(words("reports.behind"), icon=":material/lock_person:"):
        st.caption(words("reports.behind_help"))
        rows = {row.key: row.label[words.language] for row in table.rows}
        columns = {
            column.key: column_words(column, words.language)
            for column in table.columns
            if column.kind != "input"
        }
        left, right = st.columns(2)
        row = left.selectbox(
            words("reports.override_row"), list(rows), format_func=rows.get, key=f"{key}-behind-row"
        )
        column = right.selectbox(
            words("reports.override_column"),
            list(columns),
            format_func=columns.get,
            key=f"{key}-behind-column",
        )
        if (row, column) not in table.cells:
            return
        keys = students_behind(table, row, column)
        st.download_button(
            words("reports.behind_download", n=len(keys)),
            data=auditing.handed_out(
                partial(
                    _restricted,
                    table,
                    provenance,
                    (row, column),
                    keys,
                    current_session.scope(),
                    words.language,
                ),
                "export report students",
                table.profile.id,
                row=row,
                column=column,
                students=len(keys),
            ),
            file_name=f"{describe.file_stem(table, provenance, words.language)}_restricted.xlsx",
            mime=TYPES["xlsx"],
            icon=":material/lock:",
            disabled=not keys,
            key=f"{key}-behind-list",
            on_click="ignore",
        )


def _restricted(
    table: ReportTable,
    provenance: ReportProvenance,
    cell: tuple[str, str],
    keys: tuple,
    reader: Scope,
    language: str,
) -> bytes:
    """The file; asked for when no session is at hand, so it is told whose rows and which language."""
    store = stores.store()
    named = queries.identities(store, reader, list(keys))
    flow = read_register(store, reader).flow
    return restricted_xlsx(restricted_frame(keys, named, flow), table, cell, provenance, language)
