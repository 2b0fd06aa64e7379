"""The import on the page: files, what they hold, and the check."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.components.upload import file_field
from dashboard.importing import plan as importing
from dashboard.importing.causes import causes_in_words
from dashboard.importing.check_result import CheckResult, result_of
from dashboard.importing.labels import label_of, layout_of, needed_of
from dashboard.importing.plan import KINDS, UploadedFile
from dashboard.importing.view.counts import counts_table
from dashboard.jobs import asking as jobs
from dashboard.jobs import checks as check_jobs
from dashboard.jobs.view.job_progress import job_progress
from dashboard.shell import current_session, stores
from dashboard.shell.exports import MIME
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from data.files.mapping import TABLES, mapping_to_dict, missing_columns
from data.files.returned import returned_workbook
from data.files.templates import HEADERS, template_workbook
from data.jobs import table as job_table
from data.records.causes import causes, to_mend
from data.records.ingest import remembered_mappings

ICONS = {
    "students": "badge",
    "terms": "calendar_month",
    "grades": "grading",
    "outcomes": "school",
    "consents": "task_alt",
    "signatures": "signature",
}
MOST_SHOWN = 500  # problems; the download has all of them
ROW_OF_LINES = 108  # pixels: five lines of a cell
# Columns in their order on the screen, and their widths in pixels. Beside the menu there are 840 on a screen
# of 1280, and 1000 on one of 1440: what to do is in sight on either without moving the table.
WIDTHS = {
    "row": 50,
    "column": 92,
    "value": 80,
    "message": 220,
    "what_to_do": 300,
    "severity": 84,
    "file": 110,
    "rule": 66,
}
OF_CELLS = ("severity", "what_to_do")  # columns of causes that are called as in the list of cells
CAUSES_SHOWN, CARDS_SHOWN = 6, 30  # causes that are seen without scrolling; cards on a phone
HEADING_ROW = 38  # pixels
CAUSE_WIDTHS = {"rows": 104, "problem": 180, "what_to_do": 280, "where": 130, "severity": 84, "example": 222}
DATE_RULES = (None, "entry", "file")
TABLE_SUFFIXES = ("csv", "tsv", "txt", "xlsx", "xlsm", "xls", "xlsb", "ods", "htm", "html", "json")


def choose_files() -> list[UploadedFile]:
    """Step 1: the files."""
    words = current_session.words()
    section(words("data.step_files"))
    files = file_field(
        words("data.upload"),
        type=[*TABLE_SUFFIXES, "zip", "png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"],
        accept_multiple_files=True,
        key="upload",
        help=words("data.upload_help"),
    )
    return [UploadedFile(file.name, file.getvalue()) for file in files or ()]


def guide() -> None:
    """What each file should hold, for those who have chosen none yet."""
    words = current_session.words()
    st.caption(words("data.nothing"))
    language = st.segmented_control(
        words("data.template_headers"),
        list(HEADERS),
        format_func=lambda one: words(f"data.template_{one}"),
        default=words.language,
        required=True,
        key="template-headers",
        help=words("data.template_help"),
    )
    grid = st.grid(6, min_column_width=170, gap="small", border=True, key="guide")
    for table, icon in ICONS.items():
        with grid.cell():
            st.markdown(f":material/{icon}: **{words(f'data.kind_{table}')}**")
            st.caption(words(f"data.guide_{table}"))
            needed = missing_columns(table, ()) if table in TABLES else ()
            if needed:
                st.caption(
                    words("data.guide_needs", names="; ".join(needed_of(words, one) for one in needed))
                )
            if table == "terms":
                st.caption(words("data.guide_wide"))
            if table in TABLES:
                _template(table, language)


def _template(table: str, language: str) -> None:
    """A file of the table to fill in."""
    words = current_session.words()
    st.download_button(
        words("data.template"),
        data=lambda: template_workbook(table, language),
        file_name=f"tepat_{words(f'data.template_file_{table}')}_{language}.xlsx",
        mime=MIME["xlsx"],
        icon=":material/download:",
        type="tertiary",
        key=f"template-{table}",
        on_click="ignore",
    )


def choose_kinds(files: list[UploadedFile]) -> list[str]:
    """What each file holds, guessed from its headers; the reader can correct it."""
    words, kinds = current_session.words(), []
    grid = st.grid(3, min_column_width=240, gap="small", key="kinds")
    for place, file in enumerate(files):
        guess = _guessed(file)
        with grid.cell():
            kinds.append(
                st.selectbox(
                    plain(file.name),
                    list(KINDS),
                    index=KINDS.index(guess),
                    format_func=lambda kind: words(f"data.kind_{kind}"),
                    key=f"kind-{place}-{file.name}",
                )
            )
    return kinds


def _guessed(file: UploadedFile) -> str:
    return _looked_at(file)[0]


def _looked_at(file: UploadedFile) -> tuple[str, importing.Lacking | None]:
    """What a file looks like, and where it is left out what it lacks, looked up once per session.

    Columns that were chosen in an earlier import and are remembered are known here too.
    """
    guesses = st.session_state.setdefault(Key.GUESSES, {})
    remembered = remembered_mappings(stores.store())
    known = json.dumps([mapping_to_dict(one) for one in remembered], sort_keys=True)
    key = (file.name, len(file.data), hashlib.sha256(file.data[:65536] + known.encode()).hexdigest())
    if key not in guesses:
        kind = importing.guess_kind(file, remembered)
        guesses[key] = (kind, importing.why_skipped(file, remembered) if kind == "skip" else None)
    return guesses[key]


def say_what_is_skipped(files: list[UploadedFile], kinds: list[str]) -> bool:
    """Why files are left out that the reader did not leave out by choice; whether any is left to check."""
    words = current_session.words()
    for file, kind in zip(files, kinds, strict=True):
        guess, lacking = _looked_at(file)
        if kind == "skip" and guess == "skip":
            st.warning(_why_skipped(file, lacking), icon=":material/warning:")
    if any(kind != "skip" for kind in kinds):
        return True
    st.info(words("data.all_skipped"), icon=":material/info:")
    return False


def _why_skipped(file: UploadedFile, lacking: importing.Lacking | None) -> str:
    words = current_session.words()
    if lacking is None:
        return words("data.skipped_unknown", file=plain(file.name))
    return words(
        "data.skipped_lacks",
        file=plain(file.name),
        table=words(f"data.kind_{lacking.table}"),
        columns="; ".join(needed_of(words, column) for column in lacking.columns),
    )


def choose_layout():
    """Step 2: which headers to expect, and when signatures without a date were captured."""
    words, known = current_session.words(), importing.layouts(stores.store())
    section(words("data.step_map"), words("data.mapping_help"))
    left, right, _ = st.columns([1, 1.3, 0.7])
    with left:
        name = st.selectbox(
            words("data.mapping"),
            [None, *known],
            format_func=lambda one: (
                words("data.mapping_auto") if one is None else shown(layout_of(words, known[one].title))
            ),
            key="layout",
        )
    with right:
        rule = st.selectbox(
            words("data.captured_on"),
            DATE_RULES,
            format_func=lambda one: words(f"data.captured_on_{one or 'name'}"),
            key="captured-on",
            help=words("data.captured_on_help"),
        )
    return (None if name is None else known[name]), rule


def checked(files, kinds, mapping, rule, reading) -> CheckResult | None:
    """Step 3: what the check of exactly these choices found; None until the reader asks for it.

    Large files are checked by the worker, and the page goes on meanwhile.
    """
    words = current_session.words()
    parts = [file.name + hashlib.sha256(file.data).hexdigest() for file in files]
    columns = "" if mapping is None else json.dumps(mapping_to_dict(mapping), sort_keys=True)
    said = json.dumps({table: one.to_dict() for table, one in reading.items()}, sort_keys=True)
    fingerprint = "|".join([*parts, *kinds, columns, str(rule), said])
    if st.button(words("data.check"), type="primary", icon=":material/fact_check:", key="check"):
        try:
            chosen = importing.chosen_files(files, kinds)
        except ValueError:
            st.error(words("data.kinds_twice"), icon=":material/error:")
            return None
        if check_jobs.is_large(files):
            _ask_for_check(fingerprint, files, kinds, mapping, rule, reading)
        else:
            st.session_state[Key.PLAN] = (fingerprint, _checked_here(chosen, mapping, rule, reading))
    _take_over(fingerprint)
    kept, found = st.session_state.get(Key.PLAN, (None, None))
    return found if kept == fingerprint else None


def _checked_here(chosen, mapping, rule, reading) -> CheckResult:
    words = current_session.words()
    bar = st.progress(0.0, words("data.working"))
    plan = importing.make_plan(
        stores.store(),
        chosen,
        mapping,
        rule,
        lambda done, total, what: bar.progress(done / max(total, 1), plain(what)),
        reading,
    )
    bar.empty()
    return result_of(plan)


def _ask_for_check(fingerprint: str, files, kinds, mapping, rule, reading) -> None:
    """A job that checks, in the place of one for other choices."""
    store, person = stores.store(), current_session.person()
    _, before = st.session_state.get(Key.CHECK_JOB, (None, None))
    job = job_table.find(store, before) if before else None
    if job is not None and job.open:
        jobs.stop(store, person, job)
    asked = {"mapping": mapping, "captured_on": rule, "reading": reading}
    st.session_state[Key.CHECK_JOB] = (fingerprint, check_jobs.start(store, person, files, kinds, **asked))


def _take_over(fingerprint: str) -> None:
    """Show the job that checks these choices; what it found becomes the page's when it is done."""
    about, job_id = st.session_state.get(Key.CHECK_JOB, (None, None))
    if about != fingerprint:
        return
    begun_again = job_table.find(stores.store(), st.session_state.get(Key.JOB_TOLD) or "")
    if begun_again is not None and begun_again.retry_of == job_id:
        job_id = begun_again.job_id
        st.session_state[Key.CHECK_JOB] = (fingerprint, job_id)
    job = job_progress(job_id, quiet=True)
    if job is not None and job.open:
        st.caption(current_session.words()("data.check_large"))
    if job is None or job.status != "done":
        return
    del st.session_state[Key.CHECK_JOB]
    found = check_jobs.result(stores.store(), job)
    if found is not None:
        st.session_state[Key.PLAN] = (fingerprint, found)


def show_mapping(found: CheckResult) -> None:
    """Which header gave which column, with the first rows as read."""
    words = current_session.words()
    for one in found.tables:
        label = f"{words(f'data.kind_{one.table}')} · {plain(layout_of(words, one.layout))}"
        with st.expander(label, icon=f":material/{ICONS[one.table]}:"):
            for told, headers in (
                ("left_out", one.left_out),
                ("elsewhere", one.elsewhere),
                ("unknown", one.unknown),
            ):
                if headers:
                    st.caption(words(f"data.{told}", names=", ".join(map(plain, headers))))
            if one.grade_rules is not None:
                points = words.number(one.grade_rules.pass_points, 1)
                st.caption(words(f"data.grades_{one.grade_rules.counts}", points=points))
            for place, frame in enumerate(one.first):
                _first_rows(frame, {} if place else one.headers)


def _first_rows(first: pd.DataFrame, headers: dict[str, str]) -> None:
    words = current_session.words()
    labels = {column: label_of(words, column) for column in map(str, first)}
    headings = {
        column: f"{label} ← {headers[column]}" if column in headers else label
        for column, label in labels.items()
    }
    alt = words("data.preview")
    draw_table(first.rename(columns=headings), alt=alt)


def show_outcome(plan: CheckResult) -> None:
    """What the import would write, and every problem with a list to download."""
    words = current_session.words()
    if plan.usable and plan.counts:
        told = words("data.would_without_wrong" if plan.errors else "data.would")
        st.markdown(f"**{told}**")
        draw_table(counts_table(plan.counts), alt=told)
        if not any(number["new"] + number["changed"] for number in plan.counts.values()):
            st.info(words("data.nothing_new"), icon=":material/done_all:")
    problems = plan.problems
    if problems.empty:
        st.success(words("data.problems_none"), icon=":material/check_circle:")
        return
    _summary(plan)
    st.markdown(f"**{words('causes.every', n=len(problems))}**")
    _problem_table(problems.head(MOST_SHOWN), plan.headers)
    with st.container(horizontal=True, key="problem-files"):
        st.download_button(
            words("data.download_problems"),
            data=lambda: importing.problem_list(problems, words, plan.headers),
            file_name="tepat_problems.csv",
            mime="text/csv",
            icon=":material/download:",
            key="problems",
            on_click="ignore",
        )
        if plan.returned:
            st.download_button(
                words("data.download_returned"),
                data=lambda: returned_workbook(plan.returned),
                file_name="tepat_refused_rows.xlsx",
                mime=MIME["xlsx"],
                icon=":material/assignment_return:",
                key="returned",
                on_click="ignore",
                help=words("data.returned_help"),
            )


def _summary(plan: CheckResult) -> None:
    """What is to be mended, a line for each cause."""
    words = current_session.words()
    found = causes(plan.problems)
    own, warnings = to_mend(plan.problems, found), len(plan.problems) - plan.errors
    if plan.errors:
        st.error(words("causes.errors", n=own, cells=plan.errors), icon=":material/error:")
    if warnings:
        st.warning(words("data.warnings", n=warnings), icon=":material/warning:")
    shown = causes_in_words(plan.problems, found, words, plan.headers)[list(CAUSE_WIDTHS)]
    headings = {name: words(f"{'column' if name in OF_CELLS else 'causes'}.{name}") for name in shown}
    widths = {headings[name]: st.column_config.Column(width=width) for name, width in CAUSE_WIDTHS.items()}
    st.markdown(f"**{words('causes.title')}**", help=words("causes.help"))
    with st.container(key="wide-causes"):
        draw_table(
            shown.rename(columns=headings),
            height=HEADING_ROW + ROW_OF_LINES * min(len(shown), CAUSES_SHOWN),
            row_height=ROW_OF_LINES,
            column_config=widths,
            alt=words("causes.title"),
        )
    with st.container(key="narrow-causes"):
        _cause_cards(shown.head(CARDS_SHOWN))


def _cause_cards(told: pd.DataFrame) -> None:
    """The causes where there is no room for a table."""
    words = current_session.words()
    for place, one in enumerate(told.itertuples()):
        with st.container(border=True, key=f"cause-{place}", gap="small"):
            st.markdown(f"**{plain(one.problem)}** · {words('causes.rows')}: {one.rows}")
            st.caption(plain(f"{one.where}. {one.example}"))
            st.markdown(plain(one.what_to_do))


def _problem_table(problems: pd.DataFrame, headers: tuple[str, ...]) -> None:
    """What was found, a row each, with what to do about it; long sentences break into lines."""
    words = current_session.words()
    shown = importing.in_words(problems, words, headers)[list(WIDTHS)]
    headings = {name: words(f"column.{name}") for name in shown}
    draw_table(
        shown.rename(columns=headings),
        stacked="problems",
        height=420,
        row_height=ROW_OF_LINES,
        column_config={
            headings[name]: st.column_config.Column(width=width) for name, width in WIDTHS.items()
        },
        alt=words("data.step_check"),
    )
