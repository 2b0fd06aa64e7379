"""How the files are read: what a file leaves open, to be chosen; and what was assumed, to be confirmed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from dashboard.components.table import draw_table
from dashboard.importing.check_result import CheckResult
from dashboard.importing.plan import UploadedFile, without_figures
from dashboard.importing.view.answers import begin_with_last, keep
from dashboard.shell import current_session
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from data.files.reading import OPTIONS, Guess, Reading
from data.files.returned import returned_csv
from data.files.tables import TableError, titles_of

ENCODINGS = ("utf-8", "cp1252", "cp1250", "cp1251", "cp1256", "mac_roman", "gb18030", "shift_jis", "utf-16")
SETTINGS_OF = {  # what may be open in a table's file
    "students": ("date_order", "true_dates"),
    "terms": ("date_order", "true_dates", "attendance", "empty_terms"),
    "grades": ("date_order", "true_dates"),
    "outcomes": ("date_order", "true_dates"),
    "consents": ("date_order", "true_dates"),
    "register": ("date_order", "true_dates", "attendance", "empty_terms"),
}
OF_BOOKS = ("true_dates", "hidden_rows", "hidden_columns")  # what no text file leaves open
HIDDEN = ("hidden_rows", "hidden_columns")
MOST_STUDENTS = 20  # shown; the download has all of them


def choose_reading(files: Sequence[UploadedFile], kinds: Sequence[str]) -> dict[str, Reading]:
    """Selects for what a file may leave open; everything is decided by the file until the reader says more.

    Returns
    -------
    dict of str to Reading
        Table → what the reader said.
    """
    words = current_session.words()
    tables = [(file, kind) for file, kind in zip(files, kinds, strict=True) if kind in SETTINGS_OF]
    if not tables:
        return {}
    with st.expander(words("reading.title"), icon=":material/tune:", key="reading"):
        st.caption(words("reading.help"))
        return {kind: _choices(file, kind) for file, kind in tables}


def _choices(file: UploadedFile, table: str) -> Reading:
    words, mark = current_session.words(), hashlib.sha256(file.data).hexdigest()[:8]
    st.markdown(f"**{words(f'data.kind_{table}')}** · {plain(file.name)}")
    is_book = file.data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    grid = st.grid(3, min_column_width=220, gap="small", key=f"reading-{table}-{mark}")
    said: dict[str, object] = {}
    for setting in (*SETTINGS_OF[table], *HIDDEN):
        if setting in OF_BOOKS and not is_book:
            continue
        about = f"reading-{table}-{setting}-{mark}"
        begin_with_last(about)
        with grid.cell():
            answer = st.selectbox(
                words(f"reading.{setting}"),
                ["", *OPTIONS[setting]],
                format_func=lambda value, setting=setting: words(f"reading.{setting}_{value or 'auto'}"),
                key=about,
                help=words("reading.empty_terms_help") if setting == "empty_terms" else None,
            )
        said[setting] = keep(about, answer)
    if is_book:
        titles = _titles(file, mark)
        if len(titles) > 1:
            with grid.cell():
                about = f"reading-{table}-sheets-{mark}"
                begin_with_last(about)
                answer = st.multiselect(
                    words("reading.sheets"),
                    titles,
                    format_func=shown,
                    placeholder=words("reading.sheets_auto"),
                    key=about,
                )
                said["sheets"] = keep(about, answer)
    else:
        about = f"reading-{table}-encoding-{mark}"
        begin_with_last(about)
        with grid.cell():
            answer = st.selectbox(
                words("reading.encoding"),
                ["", *ENCODINGS],
                format_func=lambda value: value or words("reading.encoding_auto"),
                key=about,
            )
        said["encoding"] = keep(about, answer)
    return Reading(**said)


def _titles(file: UploadedFile, mark: str) -> tuple[str, ...]:
    """The sheets of a workbook, looked up once per session; none when it is damaged: the check says so."""
    kept = st.session_state.setdefault(Key.SHEET_TITLES, {})
    if mark not in kept:
        try:
            kept[mark] = titles_of(file.data, file.name)
        except TableError:
            kept[mark] = ()
    return kept[mark]


def show_guesses(found: CheckResult) -> None:
    """What was assumed in reading the files: first what nothing proves, then what the files show."""
    words = current_session.words()
    told = list(found.guesses)
    open_ones = [pair for pair in told if not pair[1].proven]
    if open_ones:
        lines = "\n".join(f"- {_line(table, guess)}" for table, guess in open_ones)
        st.warning(f"{words('reading.assumed')}\n\n{lines}", icon=":material/help:")
    proven = [pair for pair in told if pair[1].proven]
    if proven:
        st.markdown(words("reading.shown"))
        st.markdown("\n".join(f"- {_line(table, guess)}" for table, guess in proven))
    if found.without_figures:
        _without_figures(found.without_figures)


def _without_figures(told: dict[str, tuple[int, ...]]) -> None:
    """Whose terms have neither average nor credits: the first students, and all of them as a file."""
    words = current_session.words()
    table = without_figures(told, words)
    with st.expander(words("reading.without_title", n=len(table)), icon=":material/event_busy:"):
        st.caption(words("reading.without_help"))
        draw_table(table.head(MOST_STUDENTS), alt=words("reading.without_help"))
        if len(table) > MOST_STUDENTS:
            st.caption(words("reading.without_more", n=len(table) - MOST_STUDENTS))
        st.download_button(
            words("reading.without_download"),
            data=lambda: returned_csv(table),
            file_name="tepat_terms_without_figures.csv",
            mime="text/csv",
            icon=":material/download:",
            key="without-figures",
            on_click="ignore",
        )


def _line(table: str, guess: Guess) -> str:
    """One guess in the reader's language; everything from the file is escaped."""
    words = current_session.words()
    where = words(f"data.kind_{table}") + (f" · {plain(guess.column)}" if guess.column else "")
    if guess.what == "empty_terms":
        return f"{where}: {words(f'reading.empty_terms_told_{guess.value}', n=int(guess.cell))}"
    if guess.what == "zero":
        return f"{where}: {words(f'reading.zero_told_{guess.value}', n=int(guess.cell))}"
    free = guess.what in ("sheets", "encoding")
    value = plain(guess.value) if free else words(f"reading.{guess.what}_{guess.value or 'none'}")
    line = f"{where}: " + (words(f"reading.read_{guess.what}", value=value) if free else value)
    if guess.what in HIDDEN:
        return f"{line} ({words('reading.hidden_where', cells=plain(guess.cell), sheet=plain(guess.sheet))})"
    if guess.shown_by:
        return f"{line} ({words('reading.by_column', column=plain(guess.shown_by))})"
    if guess.row is None:
        return line
    row = words("reading.row_of", row=guess.row, sheet=plain(guess.sheet)) if guess.sheet else None
    row = row or words("reading.row", row=guess.row)
    return f"{line} ({row}: “{plain(guess.cell)}”)"
